"""Which columns of its own table a filter looks at, and whether it looks at nothing else."""

from __future__ import annotations

from typing import assert_never

from entities.query import And, ColumnComparison, Condition, Exists, Filter, Not, Or


def own_columns(filter_: Filter) -> frozenset[str] | None:
    """Return the columns of its own row by which a filter decides, None when it looks at other rows, too."""
    match filter_:
        case Condition(column=column):
            return frozenset({column.name}) if not column.alias else None
        case ColumnComparison(left=left, right=right):
            return frozenset({left.name, right.name}) if not left.alias and not right.alias else None
        case And(filters=filters) | Or(filters=filters):
            parts = [own_columns(part) for part in filters]
            return frozenset().union(*(part or () for part in parts)) if None not in parts else None
        case Not(filter=part):
            return own_columns(part)
        case Exists():
            return None
        case _:
            assert_never(filter_)
