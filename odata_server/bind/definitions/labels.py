"""Labels and managed properties of definitions, and the properties that are only kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from entities.errors import InvalidArgument
from entities.metadata.labels import ENGLISH, Label
from odata_server.bind.definitions.checking import Members

_LONGEST_LABEL: Final = 4_000
_LAST_LANGUAGE: Final = 65_535


def read_label(value: Members) -> Label:
    """Return a Label object as a label: English first, the other languages in the order of the body.

    Raises:
        InvalidArgument: a language comes twice, is none, or a text is too long (0x80044331).
    """
    texts: dict[int, str] = {}
    for localized in value.get("LocalizedLabels", _of_user(value)):
        language, text = localized.get("LanguageCode", ENGLISH), localized.get("Label", "")
        if not 0 < language <= _LAST_LANGUAGE:
            raise InvalidArgument(f"The language code {language} is not a valid language for this organization.")
        if language in texts:
            raise InvalidArgument(f"The label has more than one text in the language {language}.")
        if len(text) > _LONGEST_LABEL:
            raise InvalidArgument(
                "A validation error occurred. A string value provided is too long.", code="0x80044331"
            )
        texts[language] = text
    base = ((ENGLISH, texts.pop(ENGLISH)),) if ENGLISH in texts else ()
    return Label((*base, *texts.items()))


def _of_user(value: Members) -> Iterable[Members]:
    own = value.get("UserLocalizedLabel")
    return (own,) if own and "Label" in own else ()


def read_further(
    members: Members, kept: frozenset[str], before: tuple[tuple[str, str], ...] = ()
) -> tuple[tuple[str, str], ...]:
    """Return the properties that decide nothing here and are kept as they were given, as JSON.

    Args:
        members: a checked definition.
        kept: the names of such properties.
        before: what was kept before; members that a body leaves out stay.
    """
    given = {name: orjson.dumps(value, default=float).decode() for name, value in members.items() if name in kept}
    return tuple({**dict(before), **given}.items())
