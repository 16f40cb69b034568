"""Labels as parameters of actions, and how new texts come to old ones (Learn: "Label ComplexType", MergeLabels)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from entities.errors import InvalidArgument
from entities.metadata.labels import ENGLISH, Label

_LONGEST = 4_000
_LCIDS = range(1, 1 << 16)


def given_label(value: object, parameter: str) -> Label | None:
    """Return a label that is given as a complex value, None where nothing is given.

    Args:
        value: the members of the type `Label`.
        parameter: its name, for the refusal.

    Raises:
        InvalidArgument: it has no text, one without language, or two in the same language.
    """
    if value is None:
        return None
    assert isinstance(value, Mapping)
    texts = localized_texts(value.get("LocalizedLabels") or (), parameter)
    own = value.get("UserLocalizedLabel")
    return Label(texts or localized_texts((own,) if own else (), parameter))


def localized_texts(labels: Iterable[object], parameter: str) -> tuple[tuple[int, str], ...]:
    """Return the texts of localized labels by language, the base language first.

    Raises:
        InvalidArgument: one has no text or no language, or two have the same.
    """
    found: dict[int, str] = {}
    for label in labels:
        members = label if isinstance(label, Mapping) else {}
        lcid, text = members.get("LanguageCode"), members.get("Label")
        if not isinstance(lcid, int) or lcid not in _LCIDS or not isinstance(text, str) or len(text) > _LONGEST:
            raise InvalidArgument(f"A localized label of '{parameter}' needs a text and the code of its language.")
        if lcid in found:
            raise InvalidArgument(f"The parameter '{parameter}' has more than one label in the language {lcid}.")
        found[lcid] = text
    return tuple(sorted(found.items(), key=lambda pair: (pair[0] != ENGLISH, pair[0])))


def changed_label(before: Label, given: Label | None, *, merges: bool) -> Label:
    """Return a label after an update.

    Args:
        before: the label as it is.
        given: the new texts; None leaves it as it is.
        merges: whether texts in languages that are not given stay.
    """
    if given is None or not merges:
        return before if given is None else given
    texts = {**dict(before.texts), **dict(given.texts)}
    return Label(tuple(sorted(texts.items(), key=lambda pair: (pair[0] != ENGLISH, pair[0]))))
