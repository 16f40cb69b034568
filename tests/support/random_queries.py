"""Generated queries over the tables of `worlds`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from worlds import CATALOG, COLORS, GUIDS, World, exact, focuses, values, worlds

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
from entities.metadata.labels import ENGLISH
from entities.metadata.option_labels import has_sorted_labels
from entities.metadata.tables import Table
from entities.query import (
    CHILDREN,
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
    Order,
    QueryExpression,
)
from entities.relative.settings import PeriodType
from entities.values import Value

_EQUALITY = (ConditionOperator.EQUAL, ConditionOperator.NOT_EQUAL)
_ORDERING = (
    ConditionOperator.GREATER_THAN,
    ConditionOperator.GREATER_EQUAL,
    ConditionOperator.LESS_THAN,
    ConditionOperator.LESS_EQUAL,
)
_TEXT = (
    ConditionOperator.CONTAINS,
    ConditionOperator.NOT_CONTAINS,
    ConditionOperator.BEGINS_WITH,
    ConditionOperator.NOT_BEGINS_WITH,
    ConditionOperator.ENDS_WITH,
    ConditionOperator.NOT_ENDS_WITH,
)
_SETS = (ConditionOperator.IN, ConditionOperator.NOT_IN)
_RANGES = (ConditionOperator.BETWEEN, ConditionOperator.NOT_BETWEEN)
_NULLS = (ConditionOperator.NULL, ConditionOperator.NOT_NULL)

_LIKE = (ConditionOperator.LIKE, ConditionOperator.NOT_LIKE)
_CHOICES = (ConditionOperator.CONTAIN_VALUES, ConditionOperator.NOT_CONTAIN_VALUES)
_TREE = tuple(sorted(HIERARCHICAL, key=lambda operator: operator.value))
_PATTERNS = st.text(st.sampled_from("aAbäß😀%%__[]^-\n"), max_size=6)
_FISCAL = st.tuples(
    st.integers(1, 13),
    st.sampled_from(("2019-01-01", "2020-04-06", "2020-02-29")),
    st.sampled_from([int(found) for found in PeriodType]),
    st.sampled_from(("UTC", "Europe/Berlin", "America/New_York")),
)

Alias = tuple[str, Table]
"""An alias in sight and its table, with the columns that a query may use."""

Tables = Mapping[str, Table]


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
def _operands(column: Column) -> SearchStrategy[tuple[ConditionOperator, tuple[Value, ...]]]:
    literal = literals(column)
    single = _EQUALITY if isinstance(column.type, MultiChoiceType) else (*_EQUALITY, *_ORDERING)
    if isinstance(column.type, StringType | MemoType):
        single = (*single, *_TEXT, *_TEXT)
    return st.one_of(
        *_special_operands(column),
        st.tuples(st.sampled_from(single), st.tuples(literal)),
        st.tuples(st.sampled_from(_SETS), st.lists(literal, max_size=4).map(tuple)),
        st.tuples(st.sampled_from(_RANGES), st.tuples(literal, literal)),
        st.tuples(st.sampled_from(_NULLS), st.just(())),
    )


def _special_operands(column: Column) -> list[SearchStrategy[tuple[ConditionOperator, tuple[Value, ...]]]]:
    """Return what only columns of one kind are asked."""
    match column.type:
        case StringType() | MemoType():
            return [st.tuples(st.sampled_from(_LIKE), st.tuples(_PATTERNS))]
        case MultiChoiceType():
            numbers = st.lists(st.sampled_from([1, *(option.value for option in COLORS)]), max_size=3).map(tuple)
            return [st.tuples(st.sampled_from(_CHOICES), numbers)]
        case DateTimeType():
            return [st.tuples(st.just(ConditionOperator.IN_FISCAL_PERIOD), _FISCAL)]
        case _ if column.logical_name in {"firmid", "parent", "regarding"}:
            return [st.tuples(st.sampled_from(_TREE), st.tuples(GUIDS))]
        case _:
            return []


def conditions(aliases: Sequence[Alias]) -> SearchStrategy[Filter]:
    """Return conditions on any column in sight."""

    @st.composite
    def build(draw: st.DrawFn) -> Filter:
        alias, table = draw(st.sampled_from(aliases))
        column = draw(st.sampled_from(table.columns))
        if isinstance(column.type, LookupType) and draw(st.integers(0, 3)) == 0:
            part = ColumnRef(column.logical_name, alias, "table")
            operator = draw(st.sampled_from((*_EQUALITY, ConditionOperator.IN)))
            return Condition(part, operator, (draw(st.sampled_from(("firm", "sector"))),))
        operator, found = draw(_operands(column))
        return Condition(ColumnRef(column.logical_name, alias), operator, found)

    return build()


def kind(type_: ColumnType) -> object:
    """Return what columns must share to be compared with one another: exact numbers do, whatever their digits."""
    match type_:
        case DateTimeType(behavior=behavior):
            return behavior is DateTimeBehavior.DATE_ONLY, DateTimeType
        case MoneyType():
            return DecimalType
        case _:
            return type(type_)


def comparisons(aliases: Sequence[Alias]) -> SearchStrategy[Filter]:
    """Return comparisons of two columns of one kind, of one table or of two."""

    @st.composite
    def build(draw: st.DrawFn) -> Filter:
        (alias, table), (other_alias, other) = (draw(st.sampled_from(aliases)) for _ in range(2))
        left = draw(st.sampled_from([c for c in table.columns if not isinstance(c.type, MultiChoiceType)]))
        same = [c for c in other.columns if kind(c.type) == kind(left.type)]
        right = draw(st.sampled_from(same or [left]))
        right_ref = ColumnRef(right.logical_name, other_alias if same else alias)
        operator = draw(st.sampled_from(ComparisonOperator))
        return ColumnComparison(ColumnRef(left.logical_name, alias), operator, right_ref)

    return build()


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
    ),
    "visit": (),
    "sector": (("firm", "sector", "sectorid"), ("visit", "party", "sectorid"), ("firm_sector", "sectorid", "sectorid")),
    "firm_sector": (),
}
"""Links that lead to any number of records."""


@st.composite
def links(
    draw: st.DrawFn, tables: Tables, near: Alias, name: str, *, fan: bool = False, depth: int = 1
) -> LinkEntity | None:
    """Return a link from a table in sight, with those below it; None where the table has no such link."""
    ways = (_FANS if fan else _HOPS)[near[1].logical_name]
    if not ways:
        return None
    table, from_column, to_column = draw(st.sampled_from(ways))
    own = (name, tables[table])
    below = draw(links(tables, own, f"{name}n", depth=depth - 1)) if depth and draw(st.booleans()) else None
    narrowed = draw(conditions([near, own])) if draw(st.booleans()) else And()
    kind = draw(st.sampled_from((LinkType.INNER, LinkType.LEFT_OUTER, LinkType.LEFT_OUTER)))
    return LinkEntity(name, table, from_column, to_column, near[0], kind, narrowed, (below,) if below else ())


@st.composite
def exists(draw: st.DrawFn, tables: Tables, aliases: Sequence[Alias], depth: int) -> Filter:
    """Return the question for linked records, with a filter that may ask on; aliases may hide outer ones."""
    near = draw(st.sampled_from(aliases))
    name = draw(st.sampled_from(("o", "o", "h0", "q")))
    link = draw(links(tables, near, name, fan=draw(st.booleans())))
    if link is None or near[0].startswith(name):
        return draw(conditions(aliases))
    # What the new link and the one below it are called hides other tables of the same name.
    inside = [*(alias for alias in aliases if alias[0] not in {name, f"{name}n"}), (name, tables[link.table])]
    return Exists(replace(link, filter=draw(filters(tables, inside, depth - 1))))


@st.composite
def filters(draw: st.DrawFn, tables: Tables, aliases: Sequence[Alias], depth: int = 2) -> Filter:
    """Return filters over the aliases in sight, nested as deep as `depth`."""
    kind = draw(st.integers(0, 9)) if depth > 0 else 9
    inner = filters(tables, aliases, depth - 1)
    match kind:
        case 0 | 1:
            return And(tuple(draw(inner) for _ in range(draw(st.integers(0, 3)))))
        case 2 | 3:
            return Or(tuple(draw(inner) for _ in range(draw(st.integers(0, 3)))))
        case 4:
            return Not(draw(inner))
        case 5 | 6:
            return draw(exists(tables, aliases, depth))
        case 7:
            return draw(comparisons(aliases))
        case _:
            return draw(conditions(aliases))


def in_sight(tables: Tables, table: str, joined: Sequence[LinkEntity]) -> list[Alias]:
    """Return every alias that the outer filter of a query may use."""
    found: list[Alias] = [("", tables[table])]
    waiting = list(joined)
    while waiting:
        link = waiting.pop(0)
        found.append((link.alias, tables[link.table]))
        waiting += link.links
    return found


LANGUAGES = st.sampled_from((None, ENGLISH))


def _labels(sight: Sequence[Alias], ref: ColumnRef, lcid: int | None) -> int | None:
    """Return the language of the labels that a column is sorted by, None where it is no choice."""
    column = next(table.by_name[ref.name] for alias, table in sight if alias == ref.alias)
    return lcid if has_sorted_labels(column.type) else None


@st.composite
def queries(draw: st.DrawFn, tables: Tables) -> QueryExpression:
    """Return queries with filters, links and orders; those with a fan of rows are distinct."""
    table = draw(st.sampled_from(("firm", "firm", "firm", "visit", "sector")))
    root = ("", tables[table])
    fan = draw(links(tables, root, "f", fan=True)) if draw(st.integers(0, 3)) == 0 else None
    hops = [draw(links(tables, root, f"h{n}")) for n in range(draw(st.integers(0, 2)))]
    joined = tuple(link for link in (fan, *hops) if link)
    sight = in_sight(tables, table, joined)
    single = [alias for alias in sight if not alias[0].startswith("f")]
    # Rows have no order by the value of a choice of several options.
    sortable = [(alias, c) for alias, found in single for c in found.columns if not isinstance(c.type, MultiChoiceType)]
    refs = [ColumnRef(column.logical_name, alias) for alias, column in sortable]
    linked = [ref for ref in refs if ref.alias]
    chosen = draw(st.lists(st.tuples(st.sampled_from(refs), st.booleans(), LANGUAGES), max_size=3))
    counts = table == "firm" and draw(st.booleans())
    shown = draw(st.lists(st.sampled_from(linked), max_size=3, unique=True)) if linked else []
    return QueryExpression(
        table,
        linked_columns=(*shown, *((CHILDREN,) if counts else ())),
        filter=draw(filters(tables, sight)),
        links=joined,
        orders=tuple(Order(ref, descending, _labels(sight, ref, lcid)) for ref, descending, lcid in chosen),
        count=True,
        distinct=fan is not None,
        counts_children=counts,
    )


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[World, QueryExpression]:
    """Return records and a query that is about the same few columns."""
    firm = draw(focuses())
    return draw(worlds(firm)), draw(queries({**CATALOG.tables, "firm": firm}))
