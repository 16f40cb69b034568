"""How Dataverse compares text: without regard to case and accents.

One function serves the databases (as a stored, indexed column), `evaluate.py` and query literals, so that they agree
by construction. A Dataverse organization's default collation is case- and accent-insensitive (Learn: "Filter rows").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# The combining marks of the European scripts. Marks of other scripts carry meaning (Devanagari vowel signs, Arabic
# harakat of names) and stay.
_BETWEEN = "\0"
_ACCENTS = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """Return the form of `text` under which equal-looking text is equal.

    Args:
        text: any text without surrogates.

    Returns:
        Lower-cased, compatibility-decomposed text without European accents.
    """
    if text.isascii():
        return text.lower()
    folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold()
    return unicodedata.normalize("NFC", folded)


def fold_all(texts: Sequence[str]) -> list[str]:
    """Return the folds of texts, made together where they are plain."""
    together = _BETWEEN.join(texts)
    if together.isascii():
        folded = together.lower().split(_BETWEEN)
        if len(folded) == len(texts):
            return folded
    return list(map(fold, texts))
