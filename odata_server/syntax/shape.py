"""The shape of a `$filter` text: literals taken out by one pattern, so that equal shapes can share a plan.

Two texts of one shape have the same tree but for the values of their literals. The pattern must cut exactly where the
tokenizer does; where that is not certain (JSON, typed literals, odd characters) there is no shape and the parser runs.
`null`, `true` and `false` stay in the shape (null changes the plan), and so does a `PropertyName`, because Dataverse's
query functions name their column in a string.
"""

import re
from uuid import UUID

from odata_server.syntax.literals import number_of, string_of
from odata_server.syntax.tokens import (
    DATE_PATTERN,
    DATETIME_PATTERN,
    GUID_PATTERN,
    NUMBER_PATTERN,
    STRING_PATTERN,
    TIME_PATTERN,
)
from odata_server.syntax.trees import Literal, LiteralKind

# A literal stands alone between spaces, commas, parentheses and equals signs.
_SPLIT = re.compile(
    rf"(?<![^ (,=])({STRING_PATTERN}|{GUID_PATTERN}|{DATETIME_PATTERN}|{DATE_PATTERN}|{TIME_PATTERN}|{NUMBER_PATTERN})"
    r"(?![^ ),])"
).split
_GUID = re.compile(GUID_PATTERN).fullmatch
_DATE_TIME = re.compile(DATETIME_PATTERN).fullmatch
_DATE = re.compile(DATE_PATTERN).fullmatch
_TIME = re.compile(TIME_PATTERN).fullmatch
# What may stand around literals: ASCII names, aliases, variables, punctuation; a digit only inside a name.
_SKELETON = re.compile(r"(?:[A-Za-z_@$][A-Za-z0-9_]*+|[ (),/:.=])*+").fullmatch
_PLACEHOLDERS: dict[LiteralKind, str] = {
    LiteralKind.STRING: "'s'",
    LiteralKind.INTEGER: "'i'",
    LiteralKind.DECIMAL: "'d'",
    LiteralKind.DOUBLE: "'f'",
    LiteralKind.GUID: "'g'",
    LiteralKind.DATE: "'D'",
    LiteralKind.DATE_TIME: "'T'",
    LiteralKind.TIME: "'t'",
}


def strip_literals(text: str) -> tuple[str, tuple[Literal, ...]] | None:
    """Return the shape of a decoded `$filter` text and its literals in order, or None where only the parser can tell.

    In the shape a letter in quotes stands for each literal, by kind: 's'tring, 'i'nteger, 'd'ecimal, 'f'loat, 'g'uid,
    'D'ate, 'T'imestamp, 't'ime. The text need not be well-formed: a shape that was never parsed is no promise.
    """
    parts = _SPLIT(text)
    kept = " ".join(parts[::2])
    if _SKELETON(kept) is None:
        return None
    literals: list[Literal] = []
    for index in range(1, len(parts), 2):
        piece = parts[index]
        if parts[index - 1].endswith("PropertyName="):
            # Doubling the mark keeps a column's name apart from every placeholder.
            parts[index] = f"={piece}"
            continue
        literal = _literal_of(piece)
        literals.append(literal)
        parts[index] = _PLACEHOLDERS[literal.kind]
    return "".join(parts), tuple(literals)


def _literal_of(text: str) -> Literal:
    if text[0] == "'":
        return Literal(LiteralKind.STRING, text, string_of(text))
    if text.isdigit():
        kind, value = number_of(text)
        return Literal(kind, text, value)
    if _GUID(text) is not None:
        return Literal(LiteralKind.GUID, text, UUID(text))
    for kind, pattern in ((LiteralKind.DATE_TIME, _DATE_TIME), (LiteralKind.DATE, _DATE), (LiteralKind.TIME, _TIME)):
        if pattern(text) is not None:
            return Literal(kind, text, text)
    kind, value = number_of(text)
    return Literal(kind, text, value)
