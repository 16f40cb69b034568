"""What a duplicate detection rule says of a record: the query for its duplicates (Learn: "Duplicate rule tables").

A rule is one query on the matching table; its conditions are joined by "and". Text compares as everywhere, without
regard to case and accents; a rule that regards the case takes those of the records found whose text is the very same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.columns import (
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupType,
    MemoType,
    MoneyType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.labels import Label
from entities.metadata.tables import Table
from entities.query import And, ColumnRef, Condition, ConditionOperator, Filter, Or, QueryExpression, equals
from entities.standard.duplicate_tables import MatchOperator
from entities.text import fold
from entities.values import EntityReference, Guid, Record, Value

_INACTIVE: Final = frozenset(
    {
        *("Inactive", "Completed", "Canceled", "Closed", "Resolved", "Won", "Lost"),
        *("Qualified", "Disqualified", "Paid", "Expired", "Fulfilled"),
    }
)
"""States whose records are inactive (Learn: "Duplicate rule tables", Inactive states)."""

_LONGEST_INDEXED: Final = 160
TEXT: Final = (StringType, MemoType)
OPTIONS: Final = (ChoiceType, StateType, StatusType, BooleanType)
COMPARED: Final = (
    *TEXT,
    *OPTIONS,
    *(IntegerType, DecimalType, DoubleType, MoneyType, DateTimeType, LookupType, UniqueIdentifierType),
)
"""The types of columns that a condition can compare."""


@dataclass(frozen=True, slots=True)
class RuleCondition:
    """Two columns that must agree; `length` is the number of characters where only some count."""

    base: str
    matching: str
    operator: MatchOperator
    length: int | None = None
    ignores_blank: bool = False


@dataclass(frozen=True, slots=True)
class DetectionRule:
    """A published rule with its conditions."""

    rule_id: Guid
    base_table: str
    matching_table: str
    is_case_sensitive: bool
    excludes_inactive: bool
    conditions: tuple[RuleCondition, ...]


def duplicates_query(
    rule: DetectionRule, record: Record, own: EntityReference | None, catalog: Catalog
) -> QueryExpression | None:
    """Return the query whose rows are duplicates of a record, None where the rule finds no duplicates of it.

    Args:
        rule: the rule.
        record: all values of a record of the rule's base table.
        own: which record it is; it is no duplicate of itself.
        catalog: the tables.
    """
    table = catalog.tables[rule.matching_table]
    base = catalog.tables[rule.base_table]
    parts: list[Filter] = []
    for condition in rule.conditions:
        # Learn: a rule with one condition never takes blank values as equal.
        ignores_blank = condition.ignores_blank or len(rule.conditions) == 1
        part = _agrees(condition, base, table, record, ignores_blank=ignores_blank)
        if part is None:
            return None
        parts.append(part)
    if not parts:
        return None
    if own is not None and own.table == rule.matching_table:
        parts.append(Condition(ColumnRef(table.primary_id), ConditionOperator.NOT_EQUAL, (own.id,)))
    if rule.excludes_inactive and "statecode" in table.by_name:
        parts.append(Condition(ColumnRef("statecode"), ConditionOperator.IN, _active(table)))
    shown = (table.primary_id, *dict.fromkeys(condition.matching for condition in rule.conditions))
    return QueryExpression(table.logical_name, shown, filter=And(tuple(parts)))


def found_by(rule: DetectionRule, catalog: Catalog) -> str | None:
    """Return the column whose index lets a rule find records quickly; None where there is one, or none would help."""
    table = catalog.tables[rule.matching_table]
    given = (c.matching for c in rule.conditions if c.operator is not MatchOperator.LAST_CHARACTERS)
    columns = [table.by_name[name] for name in given]
    known = {table.primary_name, *(key.columns[0] for key in table.keys)}
    if any(column.logical_name in known or isinstance(column.type, LookupType) for column in columns):
        return None
    return next((column.logical_name for column in columns if _tells_apart(column)), None)


def _tells_apart(column: Column) -> bool:
    """Say whether the values of a column lie in rows and select few of them; long texts do not fit into an index."""
    type_ = column.type
    if isinstance(type_, StringType):
        return type_.max_length <= _LONGEST_INDEXED and not column.formula
    return not column.formula and isinstance(
        type_, IntegerType | DecimalType | DoubleType | MoneyType | DateTimeType | UniqueIdentifierType
    )


def is_duplicate(rule: DetectionRule, record: Record, found: Record, catalog: Catalog) -> bool:
    """Say whether a record that a rule's query has found is a duplicate where the rule regards the case of text."""
    if not rule.is_case_sensitive:
        return True
    columns = catalog.tables[rule.base_table].by_name
    return all(
        _part(condition, record.get(condition.base)) == _part(condition, found.get(condition.matching))
        for condition in rule.conditions
        if isinstance(columns[condition.base].type, TEXT)
    )


def _part(condition: RuleCondition, value: Value) -> str:
    """Return the characters of a text that count."""
    text, length = "" if value is None else str(value), condition.length or 0
    match condition.operator:
        case MatchOperator.FIRST_CHARACTERS:
            return text[:length]
        case MatchOperator.LAST_CHARACTERS:
            return text[-length:]
        case _:
            return text


def _active(table: Table) -> tuple[int, ...]:
    states = table.by_name["statecode"].type
    assert isinstance(states, StateType)
    return tuple(state.value for state in states.states if state.invariant_name not in _INACTIVE)


def _agrees(
    condition: RuleCondition, base: Table, table: Table, record: Record, *, ignores_blank: bool
) -> Filter | None:
    value = record.get(condition.base)
    if value is None or value == "":
        return None if ignores_blank else _blank(table.by_name[condition.matching])
    match condition.operator:
        case MatchOperator.FIRST_CHARACTERS | MatchOperator.LAST_CHARACTERS:
            return _same_characters(condition, str(value))
        case MatchOperator.SAME_DATE:
            return _same_date(condition.matching, value)
        case MatchOperator.PICK_LIST_LABEL:
            return _same_label(condition, base, table, value)
        case _:
            return equals(condition.matching, value)


def _blank(column: Column) -> Filter:
    empty = equals(column.logical_name, None)
    return Or((empty, equals(column.logical_name, ""))) if isinstance(column.type, TEXT) else empty


def _same_characters(condition: RuleCondition, text: str) -> Filter:
    part = _part(condition, text)
    if len(part) < (condition.length or 0):
        return equals(condition.matching, text)
    is_first = condition.operator is MatchOperator.FIRST_CHARACTERS
    operator = ConditionOperator.BEGINS_WITH if is_first else ConditionOperator.ENDS_WITH
    return Condition(ColumnRef(condition.matching), operator, (part,))


def _same_date(column: str, value: Value) -> Filter:
    if not isinstance(value, datetime):
        return equals(column, value)
    day = value.astimezone(UTC).date()
    ends = tuple(datetime.combine(day, end, UTC) for end in (time.min, time(23, 59, 59)))
    return Condition(ColumnRef(column), ConditionOperator.BETWEEN, ends)


def _same_label(condition: RuleCondition, base: Table, table: Table, value: Value) -> Filter:
    """Return the condition that an option has the same label, in a language that both have, as another one."""
    labels = dict(_labels(base.by_name[condition.base].type))
    wanted = labels[value] if isinstance(value, int) and value in labels else Label()
    options = _labels(table.by_name[condition.matching].type)
    same = tuple(option for option, label in options if _is_same(label, wanted))
    return Condition(ColumnRef(condition.matching), ConditionOperator.IN, same)


def _labels(type_: ColumnType) -> Iterator[tuple[int | bool, Label]]:
    match type_:
        case ChoiceType(choice=choice):
            yield from ((option.value, option.label) for option in choice.options)
        case StateType(states=states):
            yield from ((state.value, state.label) for state in states)
        case StatusType(statuses=statuses):
            yield from ((reason.value, reason.label) for reason in statuses)
        case BooleanType(true_label=yes, false_label=no):
            yield from ((True, yes), (False, no))
        case _:
            return


def _is_same(left: Label, right: Label) -> bool:
    texts = dict(right.texts)
    return any(language in texts and fold(texts[language]) == fold(text) for language, text in left.texts)
