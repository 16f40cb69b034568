"""The Accept header: which JSON an answer is written in.

    Accept = range *( "," range )      range = type "/" subtype *( ";" parameter )

(RFC 9110 §12.5.1; parameters of `application/json`: OData JSON 4.01 §3.) The ranges are tried by weight. A request
that names none is answered in `application/json;odata.metadata=minimal`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from entities.display import ENGLISH, Display
from entities.errors import MalformedRequest, UnsupportedMediaType


class Metadata(Enum):
    """How much control information rows carry (OData JSON 4.01 §3.1)."""

    NONE = "none"
    MINIMAL = "minimal"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Format:
    """The JSON of an answer.

    With `exact_text`, `IEEE754Compatible=true`, Int64 and Decimal values are strings (OData JSON 4.01 §3.2). `root` is
    the service root of the absolute URLs in rows: only full metadata has some. `display` is how the caller sees values,
    where the answer has display texts.
    """

    metadata: Metadata = Metadata.MINIMAL
    exact_text: bool = False
    root: str = ""
    display: Display = ENGLISH

    @property
    def content_type(self) -> str:
        """The value of `Content-Type`."""
        compatible = "; IEEE754Compatible=true" if self.exact_text else ""
        return f"application/json; odata.metadata={self.metadata.value}{compatible}"


MINIMAL: Final = Format()

_JSON_RANGES: Final = frozenset({"*/*", "application/*", "application/json"})
_METADATA: Final = frozenset({"metadata", "odata.metadata"})
_EXACT: Final = frozenset({"ieee754compatible"})
_IGNORED: Final = frozenset({"odata.streaming", "streaming", "charset", "exponentialdecimals"})
_SUPPORTED: Final = ", ".join(f"application/json;odata.metadata={level}" for level in ("minimal", "full", "none"))


def accepted_format(accept: str) -> Format:
    """Return the format that an Accept header asks for.

    Args:
        accept: the header's value; empty when there is none.

    Raises:
        UnsupportedMediaType: it takes no JSON that this service writes. Microsoft's library answers 415, not 406.
    """
    if not accept.strip():
        return MINIMAL
    for name, parameters in media_ranges(accept):
        found = _format(name, parameters)
        if found is not None:
            return found
    raise UnsupportedMediaType(
        "A supported MIME type could not be found that matches the acceptable MIME types for the request. The supported"
        f" type(s) '{_SUPPORTED}' do not match any of the acceptable MIME types '{accept[:200]}'."
    )


def media_ranges(accept: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the media ranges with their parameters, the heaviest first, as they stand among equals."""
    weighted = []
    for piece in accept.split(","):
        name, *rest = (part.strip() for part in piece.split(";"))
        given = {key.strip().lower(): value.strip().strip('"') for key, _, value in (p.partition("=") for p in rest)}
        weight = _weight(given.pop("q", "1"))
        if name and weight > 0:
            weighted.append((weight, name.lower(), given))
    for _, name, given in sorted(weighted, key=lambda found: -found[0]):
        yield name, given


def _weight(text: str) -> float:
    """Return a quality value; what is none counts as the full weight."""
    try:
        return float(text)
    except ValueError:
        return 1.0


def _format(name: str, parameters: dict[str, str]) -> Format | None:
    """Return the format of a media range, None when it is not written here."""
    if name not in _JSON_RANGES:
        return None
    metadata, is_exact = Metadata.MINIMAL, False
    for key, value in parameters.items():
        if key in _METADATA:
            try:
                metadata = Metadata(value.lower())
            except ValueError:
                return None
        elif key in _EXACT:
            is_exact = value.lower() == "true"
        elif key not in _IGNORED:
            return None
    return MINIMAL if metadata is Metadata.MINIMAL and not is_exact else Format(metadata, is_exact)


def check_versions(sent: str, largest: str) -> None:
    """Refuse a request in another version of OData than 4.0, and one that takes only older answers.

    OData 4.01 Part 1 §8.2.6 and §8.2.7; Dataverse speaks 4.0.

    Args:
        sent: the header `OData-Version`, empty when there is none.
        largest: the header `OData-MaxVersion`, empty when there is none.

    Raises:
        MalformedRequest: the service does not speak that version.
    """
    if sent and sent != "4.0":
        raise MalformedRequest(f"The OData version '{sent[:50]}' of the request is not supported; this service is 4.0.")
    if largest and largest != "4.0" and not _reaches(largest):
        raise MalformedRequest(
            f"The OData-MaxVersion '{largest[:50]}' of the request is not supported; this service is 4.0."
        )


def _reaches(version: str) -> bool:
    """Say whether a largest version admits 4.0."""
    whole, _, part = version.partition(".")
    return whole.isdigit() and (not part or part.isdigit()) and int(whole[:9]) >= 4  # noqa: PLR2004 - OData 4.0
