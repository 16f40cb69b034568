"""Generated queries over the tables of `worlds`: rows of records, rows of values, groups."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from random_filters import Alias, Scene, chance, draw_filter, draw_link, pick
from worlds import CATALOG

from entities.metadata.columns import (
    BigIntType,
    ColumnType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupType,
    MoneyType,
    MultiChoiceType,
)
from entities.metadata.labels import ENGLISH
from entities.metadata.option_labels import has_sorted_labels
from entities.metadata.tables import Table
from entities.query import (
    ALL_ROWS,
    CHILDREN,
    Aggregate,
    AggregateFunction,
    ColumnRef,
    DateGrouping,
    Group,
    GroupCalendar,
    LinkEntity,
    Order,
    QueryExpression,
)

_TABLES = ("firm", "firm", "firm", "visit", "sector", "firm_sector")
_SMALL = st.integers(0, 3)


def in_sight(tables: Mapping[str, Table], table: str, joined: Sequence[LinkEntity]) -> list[Alias]:
    """Return every alias that the outer filter of a query may use."""
    found: list[Alias] = [("", tables[table])]
    waiting = list(joined)
    while waiting:
        link = waiting.pop(0)
        found.append((link.alias, tables[link.table]))
        waiting += link.links
    return found


def _draw_links(draw: st.DrawFn, scene: Scene, table: str) -> tuple[LinkEntity, ...]:
    """Return up to two links to single records and up to one to several."""
    root = ("", scene.tables[table])
    found = [draw_link(draw, scene, root, "f", fan=True)] if chance(draw, 3) else []
    found += [draw_link(draw, scene, root, f"h{n}") for n in range(pick(draw, (0, 0, 1, 1, 2)))]
    return tuple(link for link in found if link)


def _draw_orders(draw: st.DrawFn, sight: Sequence[Alias]) -> tuple[Order, ...]:
    """Return up to three orders by columns in sight, by the name or by the id of a lookup."""
    # Rows have no order by the value of a choice of several options.
    sortable = [(alias, c) for alias, table in sight for c in table.columns if not isinstance(c.type, MultiChoiceType)]
    found: dict[ColumnRef, Order] = {}
    for _ in range(draw(_SMALL)):
        alias, column = pick(draw, sortable)
        by_id = isinstance(column.type, LookupType) and chance(draw, 3)
        ref = ColumnRef(column.logical_name, alias, "id" if by_id else "")
        labels = ENGLISH if has_sorted_labels(column.type) and chance(draw, 2) else None
        found[ref] = Order(ref, chance(draw, 2), labels)
    return tuple(found.values())


def _draw_shown(draw: st.DrawFn, sight: Sequence[Alias]) -> tuple[tuple[str, ...] | None, tuple[ColumnRef, ...]]:
    """Return the columns that a query shows of its own table (None: all) and of linked ones."""
    own = None
    if chance(draw, 2):
        columns = CATALOG.tables[sight[0][1].logical_name].by_name
        chosen = {pick(draw, sight[0][1].columns).logical_name for _ in range(1 + draw(_SMALL))}
        own = tuple(name for name in columns if name in chosen)
    far = [ColumnRef(column.logical_name, alias) for alias, table in sight[1:] for column in table.columns]
    linked = dict.fromkeys(pick(draw, far) for _ in range(draw(_SMALL))) if far else ()
    return own, tuple(linked)


def _is_distinct_possible(query: QueryExpression) -> bool:
    """Say whether rows can be told apart: what they show has an order."""
    by_id = query.columns is None or CATALOG.tables[query.table].primary_id in query.columns
    aliases = {"": query.table, **{alias: table.logical_name for alias, table in _far(query)}}
    shown = (*(() if by_id else (ColumnRef(name) for name in query.columns or ())), *query.linked_columns)
    return not any(
        isinstance(CATALOG.tables[aliases[ref.alias]].by_name[ref.name].type, MultiChoiceType) for ref in shown
    )


def _far(query: QueryExpression) -> list[Alias]:
    return in_sight(CATALOG.tables, query.table, query.links)[1:]


def draw_query(draw: st.DrawFn, scene: Scene) -> QueryExpression:
    """Return a query whose rows are records, records that links repeat, or combinations of values."""
    table = pick(draw, _TABLES)
    joined = _draw_links(draw, scene, table)
    sight = in_sight(scene.tables, table, joined)
    own, linked = _draw_shown(draw, sight)
    query = QueryExpression(
        table,
        columns=own,
        linked_columns=linked,
        filter=draw_filter(draw, scene, sight),
        links=joined,
        orders=_draw_orders(draw, sight),
        top=draw(_SMALL) if chance(draw, 4) else None,
        count=True,
    )
    if chance(draw, 2) and _is_distinct_possible(query):
        return replace(query, distinct=True)
    if table == "firm" and chance(draw, 4):
        return replace(query, linked_columns=(*linked, CHILDREN), counts_children=True)
    return query


@st.composite
def queries(draw: st.DrawFn, scene: Scene) -> QueryExpression:
    """Return queries with filters, links and orders."""
    return draw_query(draw, scene)


_NUMBERS = (IntegerType, BigIntType, DecimalType, DoubleType, MoneyType)
_CALENDARS = st.builds(
    GroupCalendar,
    st.sampled_from(("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata")),
    st.sampled_from((GroupCalendar().fiscal_start, GroupCalendar().fiscal_start.replace(month=7, day=15))),
    st.sampled_from((2000, 2001, 2002, 2003, 2004)),
    st.booleans(),
)


def functions_for(type_: ColumnType) -> Sequence[AggregateFunction]:
    """Return what may be asked of a column."""
    counts = (AggregateFunction.COUNT, AggregateFunction.COUNT_COLUMN)
    if isinstance(type_, _NUMBERS):
        return tuple(AggregateFunction)
    ends = (AggregateFunction.MINIMUM, AggregateFunction.MAXIMUM)
    return (*counts, *ends) if isinstance(type_, DateTimeType) else counts


def _draw_group(draw: st.DrawFn, aliases: Sequence[Alias], name: str) -> Group:
    alias, table = pick(draw, aliases)
    column = pick(draw, [c for c in table.columns if not isinstance(c.type, MultiChoiceType)])
    ref = ColumnRef(column.logical_name, alias)
    if isinstance(column.type, LookupType) and chance(draw, 4):
        return Group(replace(ref, part="table"), name)
    if isinstance(column.type, DateTimeType) and chance(draw, 2):
        return Group(ref, name, pick(draw, tuple(DateGrouping)), chance(draw, 2), draw(_CALENDARS))
    return Group(ref, name)


def _draw_aggregate(draw: st.DrawFn, aliases: Sequence[Alias], name: str) -> Aggregate:
    alias, table = pick(draw, aliases)
    column = pick(draw, table.columns)
    function = pick(draw, functions_for(column.type))
    return Aggregate(function, name, ColumnRef(column.logical_name, alias), chance(draw, 2))


def draw_grouped(draw: st.DrawFn, scene: Scene) -> QueryExpression:
    """Return a query whose rows are groups of records; now and then it may read fewer records than there are."""
    table = pick(draw, _TABLES)
    joined = _draw_links(draw, scene, table)
    sight = in_sight(scene.tables, table, joined)
    grouped = tuple(_draw_group(draw, sight, f"g{n}") for n in range(draw(_SMALL)))
    made = tuple(_draw_aggregate(draw, sight, f"a{n}") for n in range(max(draw(_SMALL), int(not grouped))))
    names = [*(group.alias for group in grouped), *(aggregate.alias for aggregate in made)]
    orders = {
        name: Order(ColumnRef(name), chance(draw, 2)) for name in (pick(draw, names) for _ in range(draw(_SMALL)))
    }
    query = QueryExpression(
        table,
        filter=draw_filter(draw, scene, sight, 1) if chance(draw, 2) else ALL_ROWS,
        links=joined,
        orders=tuple(orders.values()),
        top=draw(_SMALL) if chance(draw, 4) else None,
        count=True,
        groups=grouped,
        aggregates=made,
        aggregate_limit=1 + draw(_SMALL) if chance(draw, 8) else None,
    )
    # Sums of doubles may differ in their last digits, and then order the groups otherwise.
    return replace(query, orders=(), top=None) if doubles_are_summed(query) else query


def _is_choice(sight: Sequence[Alias], group: Group) -> bool:
    """Say whether a group may be sorted by labels."""
    table = next(table for alias, table in sight if alias == group.column.alias)
    return not group.column.part and has_sorted_labels(table.by_name[group.column.name].type)


def doubles_are_summed(query: QueryExpression) -> bool:
    """Say whether an aggregate adds doubles, whose sum depends on the order of the records."""
    tables = {"": query.table, **{alias: table.logical_name for alias, table in _far(query)}}
    summed = (AggregateFunction.SUM, AggregateFunction.AVERAGE)
    return any(
        a.function in summed
        and a.column is not None
        and isinstance(CATALOG.tables[tables[a.column.alias]].by_name[a.column.name].type, DoubleType)
        for a in query.aggregates
    )
