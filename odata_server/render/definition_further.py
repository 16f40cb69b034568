"""Properties of definitions that are only kept: laid over those that follow from the metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from entities.metadata.labels import Further, Label
from odata_server.render.definition_labels import Json, label_value


@dataclass(frozen=True, slots=True)
class Owner:
    """The definition that has the properties: its id, which labels derive theirs from, and whose it is."""

    id: str
    is_managed: bool


def with_further(values: Json, further: Further, owner: Owner) -> Json:
    """Return the properties of a definition with those that were kept as they were given.

    Args:
        values: what follows from the metadata.
        further: the kept properties.
        owner: the definition.
    """
    if not further:
        return values
    given = {name: orjson.loads(text) for name, text in further}
    return {**values, **{name: _laid_over(values.get(name), value, owner, name) for name, value in given.items()}}


def _laid_over(known: object, given: object, owner: Owner, kind: str) -> object:
    """Return a value that was given; an object says only some of its members, the others stay."""
    match given:
        case {"LocalizedLabels": list(texts)}:
            label = Label(tuple((text["LanguageCode"], text.get("Label", "")) for text in texts))
            return label_value(label, owner=owner.id, kind=kind, is_managed=owner.is_managed)
        case dict():
            base = known if isinstance(known, Mapping) else {}
            return {**base, **{name: _laid_over(base.get(name), item, owner, kind) for name, item in given.items()}}
        case _:
            return given


def telling(further: Further, shown: Json) -> Further:
    """Return those of the kept properties that say something else than what is shown without them.

    Args:
        further: the kept properties.
        shown: the definition without any of them.
    """
    return tuple((name, text) for name, text in further if not _says(shown.get(name), orjson.loads(text)))


def _says(shown: object, given: object) -> bool:
    """Say whether a value is shown anyway; what an object leaves out is no difference."""
    match shown, given:
        case (dict(), dict()):
            assert isinstance(shown, dict)
            assert isinstance(given, dict)
            return all(_says(shown.get(name), item) for name, item in given.items())
        case (list(), list()):
            assert isinstance(shown, list)
            assert isinstance(given, list)
            return len(shown) == len(given) and all(map(_says, shown, given))
        case _:
            return shown == given
