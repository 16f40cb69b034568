"""Dataverse's wildcards: `%` any text, `_` one character, `[a-c]` one of a set, `[^a]` one outside it.

They are those of LIKE in SQL Server (Learn: "Use wildcard characters in conditions for string values"). A pattern
becomes a regular expression that never tries a match twice: what lies between two `%` has a fixed length, so the
first place where it fits is as good as any later one, and an atomic group keeps it there.

```
pattern = *( "%" / "_" / "[" [ "^" ] *item "]" / character )
item    = character / character "-" character
```
"""

from __future__ import annotations

import re
from typing import Final

from entities.query import And, ColumnRef, Condition, ConditionOperator, Filter

_SPECIAL: Final = re.compile(r"[%_\[]")
_NOTHING: Final = r"(?!)"
_ANY_CHARACTER: Final = r"[\s\S]"
_PATTERNS: Final = {
    ConditionOperator.EQUAL: ("", "", ConditionOperator.LIKE),
    ConditionOperator.NOT_EQUAL: ("", "", ConditionOperator.NOT_LIKE),
    ConditionOperator.LIKE: ("", "", ConditionOperator.LIKE),
    ConditionOperator.NOT_LIKE: ("", "", ConditionOperator.NOT_LIKE),
    ConditionOperator.CONTAINS: ("%", "%", ConditionOperator.LIKE),
    ConditionOperator.NOT_CONTAINS: ("%", "%", ConditionOperator.NOT_LIKE),
    ConditionOperator.BEGINS_WITH: ("", "%", ConditionOperator.LIKE),
    ConditionOperator.NOT_BEGINS_WITH: ("", "%", ConditionOperator.NOT_LIKE),
    ConditionOperator.ENDS_WITH: ("%", "", ConditionOperator.LIKE),
    ConditionOperator.NOT_ENDS_WITH: ("%", "", ConditionOperator.NOT_LIKE),
}


def has_wildcards(text: str) -> bool:
    """Say whether a text means more than itself."""
    return _SPECIAL.search(text) is not None


def text_condition(column: ColumnRef, operator: ConditionOperator, text: str) -> Filter:
    """Return the filter that a column equals, contains, begins or ends with a text that may have wildcards.

    A text without any keeps its operator, which an index can serve; a pattern keeps what stands before its first
    wildcard as a condition of its own, for the same reason (an e-mail address with `_` must not read the whole table).
    """
    if operator not in _PATTERNS or not has_wildcards(text):
        return Condition(column, operator, (text,))
    before, after, like = _PATTERNS[operator]
    pattern = f"{before}{text}{after}"
    matching = Condition(column, like, (pattern,))
    begin = _SPECIAL.split(pattern, maxsplit=1)[0]
    if like is not ConditionOperator.LIKE or not begin:
        return matching
    return And((Condition(column, ConditionOperator.BEGINS_WITH, (begin,)), matching))


def expression(pattern: str) -> str:
    """Return the regular expression that matches, as a whole, the texts that a pattern means.

    Python and PostgreSQL read it alike but for the atomic groups: PostgreSQL takes them as plain ones.
    """
    first, *rest = _segments(pattern)
    if not rest:
        return first
    middle = "".join(f"(?>{_ANY_CHARACTER}*?{segment})" for segment in rest[:-1] if segment)
    return f"{first}{middle}{_ANY_CHARACTER}*{rest[-1]}"


def matches(regular: str, text: str) -> bool:
    """Say whether a text as a whole matches what `expression` returned."""
    return re.fullmatch(regular, text) is not None


def _segments(pattern: str) -> list[str]:
    """Return what stands between the `%` signs, each as a regular expression of fixed length."""
    segments = [""]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        match character:
            case "%":
                segments.append("")
            case "_":
                segments[-1] += _ANY_CHARACTER
            case "[":
                end = pattern.find("]", position)
                if end < 0:
                    # SQL Server finds nothing by a set that is never closed.
                    return [_NOTHING]
                segments[-1] += _set(pattern[position:end])
                position = end + 1
            case _:
                segments[-1] += re.escape(character)
    return segments


def _set(content: str) -> str:
    """Return the regular expression of a set, given what stands in the brackets."""
    negated = content.startswith("^")
    members = content[1:] if negated else content
    items: list[str] = []
    position = 0
    while position < len(members):
        low, high = members[position], members[position]
        if members[position + 1 : position + 2] == "-" and position + 2 < len(members):
            high = members[position + 2]
            position += 2
        position += 1
        if low <= high:
            items.append(re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}")
    if not items:
        return _ANY_CHARACTER if negated else _NOTHING
    return f"[{'^' if negated else ''}{''.join(items)}]"
