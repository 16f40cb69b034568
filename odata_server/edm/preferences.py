"""The Prefer header: what a request asks of its answer, and what the answer says it honored.

    Prefer = preference *( "," preference )      preference = name [ "=" ( token / quoted ) ] *( ";" parameter )

(RFC 7240 §2; OData 4.01 Part 1 §8.2.8.) A preference that is unknown or cannot be read is ignored, as the RFC says.
Microsoft's and others' clients send the list of annotations without quotes, too, so names that follow it after a
comma belong to it when they look like annotations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

FORMATTED_VALUE: Final = "OData.Community.Display.V1.FormattedValue"
LOOKUP_LOGICAL_NAME: Final = "Microsoft.Dynamics.CRM.lookuplogicalname"
ASSOCIATED_NAVIGATION: Final = "Microsoft.Dynamics.CRM.associatednavigationproperty"

RETURN: Final = "return"
MAX_PAGE_SIZE: Final = "odata.maxpagesize"
INCLUDE_ANNOTATIONS: Final = "odata.include-annotations"
TRACK_CHANGES: Final = "odata.track-changes"
CONTINUE_ON_ERROR: Final = "odata.continue-on-error"
RESPOND_ASYNC: Final = "respond-async"
CALLBACK: Final = "odata.callback"

_KNOWN: Final = frozenset(
    {RETURN, MAX_PAGE_SIZE, INCLUDE_ANNOTATIONS, TRACK_CHANGES, CONTINUE_ON_ERROR, RESPOND_ASYNC, CALLBACK}
)
_PREFIX: Final = "odata."
_PIECE: Final = re.compile(r'((?:[^",]|"(?:[^"\\]|\\.)*"|")*)(?:,|\Z)', re.DOTALL)
_PAGE_SIZE: Final = re.compile(r"[0-9]{1,9}\Z")
_PATTERN: Final = re.compile(r"-?(?:\*|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\.(?:\*|[A-Za-z_]\w*))(?:#\w*)?\Z", re.ASCII)
_TRUE: Final = frozenset({"", "true"})
_URL: Final = re.compile(r"""\s*url\s*=\s*"?(https?://[^\s"]+)"?\s*\Z""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AnnotationFilter:
    """Which annotations a request wants: patterns as OData 4.01 Part 1 §8.2.8.4 writes them (`*`, `Ns.*`, `Ns.Term`).

    A pattern with a minus sign takes away; the most specific pattern decides.
    """

    patterns: tuple[str, ...] = ()

    def includes(self, name: str) -> bool:
        """Say whether an annotation is wanted."""
        best, wanted = -1, False
        for pattern in self.patterns:
            bare = pattern.removeprefix("-").partition("#")[0]
            weight = _weight(bare, name)
            if weight > best or (weight == best and pattern.startswith("-")):
                best, wanted = weight, weight >= 0 and not pattern.startswith("-")
        return wanted

    @property
    def is_empty(self) -> bool:
        """Whether no annotation was asked for."""
        return not self.patterns

    @property
    def everything(self) -> bool:
        """Whether all annotations were asked for."""
        return "*" in self.patterns


def _weight(pattern: str, name: str) -> int:
    """Return how specifically a pattern names an annotation, -1 when it does not."""
    if pattern == "*":
        return 0
    if pattern.endswith(".*"):
        return len(pattern) - 1 if name.startswith(pattern[:-1]) else -1
    return len(name) + 1 if pattern == name else -1


NO_ANNOTATIONS: Final = AnnotationFilter()


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a request prefers; `echoes` are the preferences as an answer repeats them, by name.

    `callback` is the URL at which the end of an asynchronous request is to be told.
    """

    return_representation: bool = False
    return_minimal: bool = False
    max_page_size: int | None = None
    annotations: AnnotationFilter = NO_ANNOTATIONS
    track_changes: bool = False
    continue_on_error: bool = False
    respond_async: bool = False
    callback: str | None = None
    echoes: tuple[tuple[str, str], ...] = ()


NO_PREFERENCES: Final = Preferences()


def parse_preferences(header: str) -> Preferences:
    """Return what a Prefer header asks for; several headers come joined by commas. The first of a name counts."""
    if not header:
        return NO_PREFERENCES
    given = _given(header)
    echoes = tuple((name, echo) for name, value in given.items() if (echo := _echo(name, value)) is not None)
    returned = given.get(RETURN, "").lower()
    size = given.get(MAX_PAGE_SIZE, "")
    return Preferences(
        return_representation=returned == "representation",
        return_minimal=returned == "minimal",
        max_page_size=_page_size(size),
        annotations=AnnotationFilter(_patterns(given.get(INCLUDE_ANNOTATIONS, ""))),
        track_changes=_is_on(given, TRACK_CHANGES),
        continue_on_error=_is_on(given, CONTINUE_ON_ERROR),
        respond_async=_is_on(given, RESPOND_ASYNC),
        callback=given.get(CALLBACK) or None,
        echoes=echoes,
    )


def preference_applied(preferences: Preferences, *honored: str) -> tuple[tuple[str, str], ...]:
    """Return one `Preference-Applied` header for each preference that was given and honored.

    Args:
        preferences: what the request asked for.
        honored: names of preferences (`return`, `odata.maxpagesize`, …) that shaped the answer.
    """
    return tuple(("Preference-Applied", echo) for name, echo in preferences.echoes if name in honored)


def _given(header: str) -> dict[str, str]:
    """Return the known preferences with their values, the words of an unquoted list of annotations joined again."""
    given: dict[str, str] = {}
    listing = False
    for piece, parameters in _pieces(header):
        name, equals, rest = piece.partition("=")
        name = _canonical(name)
        if name == CALLBACK:
            rest = _callback_url(parameters)
        if not equals and listing and name not in _KNOWN and _PATTERN.match(piece):
            given[INCLUDE_ANNOTATIONS] += f",{piece}"
            continue
        listing = name == INCLUDE_ANNOTATIONS and name not in given
        if name in _KNOWN:
            given.setdefault(name, _unquoted(rest.strip()))
    return given


def _pieces(header: str) -> list[tuple[str, str]]:
    """Return the preferences, each with its parameters: split at commas and semicolons outside of quotes."""
    pieces = [_parted(match.group(1)) for match in _PIECE.finditer(header)]
    return [(piece.strip(), parameters) for piece, parameters in pieces if piece.strip()]


def _parted(piece: str) -> tuple[str, str]:
    """Return a preference without its parameters, and these."""
    quoted = False
    for place, character in enumerate(piece):
        if character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            return piece[:place], piece[place + 1 :]
    return piece, ""


def _callback_url(parameters: str) -> str:
    """Return the URL of a callback (OData 4.01 Part 1 §8.2.8.1), an empty text where there is none."""
    found = next(filter(None, map(_URL.match, parameters.split(";"))), None)
    return found[1] if found else ""


def _canonical(name: str) -> str:
    """Return a preference's name with the prefix that OData 4.0 writes and 4.01 leaves out."""
    lowered = name.strip().lower()
    prefixed = f"{_PREFIX}{lowered}"
    return prefixed if prefixed in _KNOWN else lowered


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text


def _patterns(text: str) -> tuple[str, ...]:
    words = (word.strip() for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if _PATTERN.match(word)))


def _page_size(text: str) -> int | None:
    return int(text) if _PAGE_SIZE.match(text) and int(text) > 0 else None


def _is_on(given: dict[str, str], name: str) -> bool:
    return given.get(name, "false").lower() in _TRUE


def _echo(name: str, value: str) -> str | None:
    """Return a preference as an answer repeats it, None when it could not be read."""
    if name == RETURN:
        return f"return={value.lower()}" if value.lower() in {"representation", "minimal"} else None
    if name == MAX_PAGE_SIZE:
        size = _page_size(value)
        return None if size is None else f"{MAX_PAGE_SIZE}={size}"
    if name == INCLUDE_ANNOTATIONS:
        patterns = ",".join(_patterns(value))
        return f'{INCLUDE_ANNOTATIONS}="{patterns}"' if patterns else None
    if name == CALLBACK:
        return "callback" if value else None
    return name if value.lower() in _TRUE else None
