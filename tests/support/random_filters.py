"""Generated filters and links over the tables of `worlds`.

The generators are functions that take hypothesis' `draw` and call one another; a strategy per call would cost more than
everything that is drawn with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from worlds import CATALOG, COLORS, GUIDS, World, exact, record_guid, values

from entities.hierarchy import HIERARCHICAL
from entities.metadata.columns import (
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    LookupType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    StringType,
)
from entities.metadata.tables import Table
from entities.query import (
    And,
    ColumnComparison,
    ColumnRef,
    ComparisonOperator,
    Condition,
    ConditionOperator,
    Exists,
    Filter,
    LinkEntity,
    LinkType,
    Not,
    Or,
)
from entities.relative import RELATIVE
from entities.relative.periods import DATE_OPERATORS, operands
from entities.relative.settings import CallerSettings, FiscalSettings, PeriodType
from entities.values import EntityReference, Value

Found = TypeVar("Found")

Alias = tuple[str, Table]
"""An alias in sight and its table, with the columns that a query may use."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The tables that queries are about, each with the columns that they may use, and the records that are there."""

    tables: Mapping[str, Table] = field(default_factory=lambda: CATALOG.tables)
    world: World = field(default_factory=dict)


_EQUALITY = (ConditionOperator.EQUAL, ConditionOperator.NOT_EQUAL)
_ORDERING = (
    ConditionOperator.GREATER_THAN,
    ConditionOperator.GREATER_EQUAL,
    ConditionOperator.LESS_THAN,
    ConditionOperator.LESS_EQUAL,
)
_RANGES = (ConditionOperator.BETWEEN, ConditionOperator.NOT_BETWEEN)
_SETS = (ConditionOperator.IN, ConditionOperator.NOT_IN)
_NULLS = (ConditionOperator.NULL, ConditionOperator.NOT_NULL)
_LIKE = (ConditionOperator.LIKE, ConditionOperator.NOT_LIKE)
_TEXT = (
    ConditionOperator.CONTAINS,
    ConditionOperator.NOT_CONTAINS,
    ConditionOperator.BEGINS_WITH,
    ConditionOperator.NOT_BEGINS_WITH,
    ConditionOperator.ENDS_WITH,
    ConditionOperator.NOT_ENDS_WITH,
)
_CHOICES = (ConditionOperator.CONTAIN_VALUES, ConditionOperator.NOT_CONTAIN_VALUES)
_ON = (ConditionOperator.ON, ConditionOperator.ON_OR_BEFORE, ConditionOperator.ON_OR_AFTER)


def _by_name(operators: frozenset[ConditionOperator]) -> tuple[ConditionOperator, ...]:
    return tuple(sorted(operators, key=lambda operator: operator.value))


_TREE = _by_name(HIERARCHICAL)
_DATED = _by_name(DATE_OPERATORS - {ConditionOperator.IN_FISCAL_PERIOD})
_OF_THE_CALLER = _by_name(RELATIVE - DATE_OPERATORS - {ConditionOperator.EQUAL_USER_LANGUAGE})
_IN_TREES = frozenset({"firmid", "parent", "regarding"})

_PATTERNS = st.text(st.sampled_from("aAbäß😀%%__[]^-\n"), max_size=6)
_NUMBERS_OF_CHOICES = st.lists(st.sampled_from([1, *(option.value for option in COLORS)]), max_size=3).map(tuple)
_DAYS = st.one_of(st.dates(date(1969, 12, 30), date(1970, 1, 3)), st.dates(date(1753, 1, 1)))
_FISCAL = st.tuples(
    st.integers(1, 13),
    st.sampled_from(("2019-01-01", "2020-04-06", "2020-02-29")),
    st.sampled_from([int(found) for found in PeriodType]),
    st.sampled_from(("UTC", "Europe/Berlin", "America/New_York")),
)

settings_of_callers: SearchStrategy[CallerSettings] = st.builds(
    CallerSettings,
    now=st.one_of(
        st.sampled_from((datetime(1970, 1, 1, 12, tzinfo=UTC), datetime(1970, 3, 31, 23, 59, 59, tzinfo=UTC))),
        st.integers(-6_847_804_800, 253_402_214_400).map(lambda second: datetime.fromtimestamp(second, UTC)),
    ),
    user_id=st.just(record_guid(1)),
    business_unit_id=st.just(record_guid(2)),
    team_ids=st.sampled_from(((), (record_guid(3),), (record_guid(3), record_guid(4)))),
    time_zone=st.sampled_from(("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata")),
    week_start=st.integers(0, 6),
    fiscal=st.builds(
        FiscalSettings,
        start=st.sampled_from((date(2019, 1, 1), date(2020, 4, 6))),
        period_type=st.sampled_from(PeriodType),
        named_by_end=st.booleans(),
    ),
    report_ids=st.sampled_from(((), (record_guid(0),))),
)
"""Who asks and when; the values of date columns lie around 1970 mostly."""


@cache
def _index(count: int) -> SearchStrategy[int]:
    return st.integers(0, count - 1)


def pick(draw: st.DrawFn, options: Sequence[Found]) -> Found:
    """Return one of several things; the first is the simplest one."""
    return options[draw(_index(len(options)))]


def chance(draw: st.DrawFn, one_in: int) -> bool:
    """Say yes once in so many times; no is the simpler answer."""
    return draw(_index(one_in)) == one_in - 1


@cache
def literals(column: Column) -> SearchStrategy[Value]:
    """Return what a column may be compared with; exact numbers also finer and larger than it can hold."""
    match column.type:
        case LookupType():
            return GUIDS
        case DecimalType() | MoneyType():
            return st.one_of(values(column), exact(12, 10), st.sampled_from([Decimal(10) ** 25, -(Decimal(10) ** 25)]))
        case _:
            return values(column)


@cache
def operators(column: Column) -> tuple[ConditionOperator, ...]:
    """Return what may be asked of a column; what is asked often stands there more than once."""
    plain = (*_EQUALITY, *_EQUALITY, *_SETS, *_NULLS)
    ordered = (*plain, *_ORDERING, *_RANGES)
    match column.type:
        case MultiChoiceType():
            return (*plain, *_CHOICES, *_CHOICES)
        case StringType() | MemoType():
            return (*ordered, *_TEXT, *_LIKE, *_LIKE)
        case DateTimeType():
            return (*ordered, *_DATED, ConditionOperator.IN_FISCAL_PERIOD)
        case LookupType() if column.logical_name in _IN_TREES:
            return (*ordered, *_TREE, *_OF_THE_CALLER)
        case _ if column.logical_name in _IN_TREES:
            return (*ordered, *_TREE)
        case _:
            return ordered


def _literal(draw: st.DrawFn, scene: Scene, table: Table, column: Column) -> Value:
    """Return what a column is compared with: what one of the records holds there, or anything."""
    records = scene.world.get(table.logical_name, ())
    held = pick(draw, records).get(column.logical_name) if records and chance(draw, 2) else None
    if held is None:
        return draw(literals(column))
    return held.id if isinstance(held, EntityReference) else held


def _operands(
    draw: st.DrawFn, scene: Scene, asked: tuple[Table, Column], operator: ConditionOperator
) -> tuple[Value, ...]:
    """Return the values of a condition."""
    if operator in _NULLS or operator in _OF_THE_CALLER:
        return ()
    if operator in _SETS:
        return tuple(_literal(draw, scene, *asked) for _ in range(draw(_index(5))))
    if operator in _TREE:
        return (draw(GUIDS),)
    if operator in _LIKE:
        return (draw(_PATTERNS),)
    if operator in _CHOICES:
        return draw(_NUMBERS_OF_CHOICES)
    if operator in DATE_OPERATORS:
        return _dated_operands(draw, operator)
    return tuple(_literal(draw, scene, *asked) for _ in range(1 + (operator in _RANGES)))


def _dated_operands(draw: st.DrawFn, operator: ConditionOperator) -> tuple[Value, ...]:
    if operator is ConditionOperator.IN_FISCAL_PERIOD:
        return draw(_FISCAL)
    if operator in _ON:
        return (draw(_DAYS),)
    # Periods come first, then a year; counts of days are small numbers too.
    return tuple(1 + draw(_index(4)) if n == 0 else 1969 + draw(_index(4)) for n in range(operands(operator)))


def draw_condition(draw: st.DrawFn, scene: Scene, aliases: Sequence[Alias]) -> Condition:
    """Return a condition on any column in sight."""
    alias, table = pick(draw, aliases)
    column = pick(draw, table.columns)
    if isinstance(column.type, LookupType) and chance(draw, 4):
        part = ColumnRef(column.logical_name, alias, "table")
        return Condition(part, pick(draw, (*_EQUALITY, ConditionOperator.IN)), (pick(draw, ("firm", "sector")),))
    operator = pick(draw, operators(column))
    return Condition(ColumnRef(column.logical_name, alias), operator, _operands(draw, scene, (table, column), operator))


def kind(type_: ColumnType) -> object:
    """Return what columns must share to be compared with one another: exact numbers do, whatever their digits."""
    match type_:
        case DateTimeType(behavior=behavior):
            return behavior is DateTimeBehavior.DATE_ONLY, DateTimeType
        case MoneyType():
            return DecimalType
        case _:
            return type(type_)


def _draw_comparison(draw: st.DrawFn, aliases: Sequence[Alias]) -> Filter:
    """Return a comparison of two columns of one kind, of one table or of two."""
    (alias, table), (other_alias, other) = pick(draw, aliases), pick(draw, aliases)
    left = pick(draw, [c for c in table.columns if not isinstance(c.type, MultiChoiceType)])
    same = [c for c in other.columns if kind(c.type) == kind(left.type)]
    right = pick(draw, same or [left])
    right_ref = ColumnRef(right.logical_name, other_alias if same else alias)
    return ColumnComparison(ColumnRef(left.logical_name, alias), pick(draw, tuple(ComparisonOperator)), right_ref)


_HOPS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "firm": (("sector", "sectorid", "sector"), ("firm", "firmid", "parent"), ("sector", "sectorid", "regarding")),
    "visit": (("firm", "firmid", "firm"), ("sector", "sectorid", "party"), ("firm", "firmid", "party")),
    "sector": (),
    "firm_sector": (("firm", "firmid", "firmid"), ("sector", "sectorid", "sectorid")),
}
"""Links that lead to one record at most: (table, its column, the column of the near table)."""

_FANS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "firm": (
        ("visit", "firm", "firmid"),
        ("visit", "party", "firmid"),
        ("firm", "parent", "firmid"),
        ("firm_sector", "firmid", "firmid"),
        ("firm", "regarding", "regarding"),
    ),
    "visit": (("visit", "party", "party"), ("firm", "regarding", "party"), ("visit", "firm", "firm")),
    "sector": (("firm", "sector", "sectorid"), ("visit", "party", "sectorid"), ("firm_sector", "sectorid", "sectorid")),
    "firm_sector": (("visit", "firm", "firmid"),),
}
"""Links that lead to any number of records; some from one lookup to another."""

_TYPES = (LinkType.LEFT_OUTER, LinkType.LEFT_OUTER, LinkType.INNER, LinkType.MATCH_FIRST_ROW)


def draw_link(
    draw: st.DrawFn, scene: Scene, near: Alias, name: str, *, fan: bool = False, depth: int = 1
) -> LinkEntity | None:
    """Return a link from a table in sight, with those below it; None where the table has no such link."""
    ways = (_FANS if fan else _HOPS)[near[1].logical_name]
    if not ways:
        return None
    table, from_column, to_column = pick(draw, ways)
    own = (name, scene.tables[table])
    below = None
    if depth and chance(draw, 2):
        below = draw_link(draw, scene, own, f"{name}n", fan=chance(draw, 4), depth=depth - 1)
    narrowed = draw_condition(draw, scene, [near, own]) if chance(draw, 2) else And()
    kind_ = pick(draw, _TYPES)
    return LinkEntity(name, table, from_column, to_column, near[0], kind_, narrowed, (below,) if below else ())


def _draw_exists(draw: st.DrawFn, scene: Scene, aliases: Sequence[Alias], depth: int) -> Filter:
    """Return the question for linked records, with a filter that may ask on; aliases may hide outer ones."""
    near = pick(draw, aliases)
    name = pick(draw, ("o", "o", "h0", "q"))
    link = draw_link(draw, scene, near, name, fan=chance(draw, 2))
    if link is None or near[0].startswith(name):
        return draw_condition(draw, scene, aliases)
    # What the new link and the one below it are called hides other tables of the same name.
    inside = [*(alias for alias in aliases if alias[0] not in {name, f"{name}n"}), (name, scene.tables[link.table])]
    inner = draw_filter(draw, scene, inside, depth - 1)
    return Exists(
        LinkEntity(name, link.table, link.from_column, link.to_column, near[0], filter=inner, links=link.links)
    )


def draw_filter(draw: st.DrawFn, scene: Scene, aliases: Sequence[Alias], depth: int = 2) -> Filter:
    """Return a filter over the aliases in sight, nested as deep as `depth`."""
    match draw(_index(10)) if depth > 0 else 0:
        case 9:
            return And(_draw_filters(draw, scene, aliases, depth))
        case 7 | 8:
            return Or(_draw_filters(draw, scene, aliases, depth))
        case 6:
            return Not(draw_filter(draw, scene, aliases, depth - 1))
        case 4 | 5:
            return _draw_exists(draw, scene, aliases, depth)
        case 3:
            return _draw_comparison(draw, aliases)
        case _:
            return draw_condition(draw, scene, aliases)


def _draw_filters(draw: st.DrawFn, scene: Scene, aliases: Sequence[Alias], depth: int) -> tuple[Filter, ...]:
    return tuple(draw_filter(draw, scene, aliases, depth - 1) for _ in range(draw(_index(4))))
