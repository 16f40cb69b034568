"""Groups and aggregates: the database gives what the in-memory meaning gives, as records and as JSON."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import isclose

import orjson
import pytest
from engines import Engine
from hypothesis import given
from hypothesis import strategies as st
from random_queries import LANGUAGES, Alias, filters, in_sight, links
from worlds import CATALOG, FIRM, World, focuses, worlds

from entities.errors import InvalidArgument
from entities.evaluate import answer
from entities.metadata.columns import (
    BigIntType,
    Column,
    ColumnType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupType,
    MoneyType,
    MultiChoiceType,
)
from entities.metadata.option_labels import has_sorted_labels
from entities.metadata.tables import Table
from entities.query import (
    Aggregate,
    AggregateFunction,
    ColumnRef,
    DateGrouping,
    Group,
    GroupCalendar,
    LinkEntity,
    Order,
    Page,
    QueryExpression,
)
from entities.values import EntityReference, Record, Value
from odata_server.edm.group_shapes import group_shape
from odata_server.edm.preferences import AnnotationFilter
from odata_server.render import rows as rendering
from tests.properties.test_operators import WORLD as AWKWARD

_NUMBERS = (IntegerType, BigIntType, DecimalType, DoubleType, MoneyType)
_EVERYTHING = AnnotationFilter(("*",))
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


@st.composite
def groups(draw: st.DrawFn, aliases: Sequence[Alias], name: str) -> Group:
    alias, table = draw(st.sampled_from(aliases))
    column = draw(st.sampled_from([c for c in table.columns if not isinstance(c.type, MultiChoiceType)]))
    ref = ColumnRef(column.logical_name, alias)
    if isinstance(column.type, LookupType) and draw(st.integers(0, 3)) == 0:
        return Group(replace(ref, part="table"), name)
    if isinstance(column.type, DateTimeType) and draw(st.booleans()):
        return Group(ref, name, draw(st.sampled_from(DateGrouping)), draw(st.booleans()), draw(_CALENDARS))
    return Group(ref, name)


@st.composite
def aggregates(draw: st.DrawFn, aliases: Sequence[Alias], name: str) -> Aggregate:
    alias, table = draw(st.sampled_from(aliases))
    column = draw(st.sampled_from(table.columns))
    function = draw(st.sampled_from(functions_for(column.type)))
    return Aggregate(function, name, ColumnRef(column.logical_name, alias), draw(st.booleans()))


def _is_choice(table: Table, group: Group) -> bool:
    return not group.column.part and has_sorted_labels(table.by_name[group.column.name].type)


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[World, QueryExpression]:
    firm = draw(focuses())
    tables = {**CATALOG.tables, "firm": firm}
    table = draw(st.sampled_from(("firm", "firm", "visit", "sector")))
    root = ("", tables[table])
    joined = tuple(
        link
        for n in range(draw(st.integers(0, 2)))
        if (link := draw(links(tables, root, f"h{n}", fan=draw(st.booleans()))))
    )
    sight = in_sight(tables, table, joined)
    grouped = tuple(draw(groups(sight, f"g{n}")) for n in range(draw(st.integers(0, 3))))
    made = tuple(draw(aggregates(sight, f"a{n}")) for n in range(draw(st.integers(0 if grouped else 1, 3))))
    names = [*(group.alias for group in grouped), *(aggregate.alias for aggregate in made)]
    chosen = draw(st.lists(st.tuples(st.sampled_from(names), st.booleans(), LANGUAGES), max_size=2))
    labelled = {g.alias for g in grouped for a, t in sight if a == g.column.alias and _is_choice(t, g)}
    orders = tuple(
        Order(ColumnRef(name), descending, lcid if name in labelled else None) for name, descending, lcid in chosen
    )
    condition = draw(filters(tables, sight, 1))
    query = QueryExpression(table, filter=condition, links=joined, orders=orders, groups=grouped, aggregates=made)
    return draw(worlds(firm)), replace(query, count=True)


def _close(found: Value, expected: Value) -> bool:
    if isinstance(found, float) and isinstance(expected, float):
        return isclose(found, expected, rel_tol=1e-9, abs_tol=1e-3)
    return found == expected and type(found) is type(expected)


def _same(found: Sequence[Record], expected: Sequence[Record]) -> bool:
    return len(found) == len(expected) and all(
        one.keys() == other.keys() and all(_close(one[name], other[name]) for name in one)
        for one, other in zip(found, expected, strict=True)
    )


def _doubles_are_summed(query: QueryExpression) -> bool:
    tables = {"": query.table} | {link.alias: link.table for link in _all_links(query)}
    summed = (AggregateFunction.SUM, AggregateFunction.AVERAGE)
    return any(
        a.function in summed
        and a.column is not None
        and isinstance(CATALOG.tables[tables[a.column.alias]].by_name[a.column.name].type, DoubleType)
        for a in query.aggregates
    )


def _all_links(query: QueryExpression) -> Sequence[LinkEntity]:
    waiting, found = list(query.links), list[LinkEntity]()
    while waiting:
        link = waiting.pop()
        found.append(link)
        waiting += link.links
    return found


def _without_order(query: QueryExpression) -> QueryExpression:
    """Return the query ordered by its groups, where sums of doubles could order them otherwise."""
    return replace(query, orders=()) if _doubles_are_summed(query) else query


@given(scenarios())
def test_groups_mean_the_same(engine: Engine, scenario: tuple[World, QueryExpression]) -> None:
    world, query = scenario
    query = _without_order(query)
    engine.hold(world)

    found, expected = engine.records(query), answer(query, CATALOG, world)

    assert _same(found.records, expected.records), query
    assert (found.count, found.total, found.next) == (expected.count, expected.total, expected.next)


@given(scenarios(), st.integers(1, 3))
def test_pages_of_groups_follow_one_another(engine: Engine, scenario: tuple[World, QueryExpression], size: int) -> None:
    world, query = scenario
    query = _without_order(query)
    engine.hold(world)
    seen: list[Record] = []
    page: Page | None = Page(size)
    while page:
        found = engine.records(replace(query, page=page))
        expected = answer(replace(query, page=page), CATALOG, world)
        assert (found.next, found.total) == (expected.next, expected.total)
        seen += found.records
        page = Page(size, found.next) if found.next else None
    assert _same(seen, answer(query, CATALOG, world).records)


@given(scenarios())
def test_the_database_writes_groups_as_they_are_rendered(
    engine: Engine, scenario: tuple[World, QueryExpression]
) -> None:
    world, query = scenario
    query = _without_order(query)
    engine.hold(world)
    shape = group_shape(CATALOG, query, annotations=_EVERYTHING)
    records = [{n: _named(world, v) for n, v in r.items()} for r in answer(query, CATALOG, world).records]

    page = engine.page(query, shape)

    if _doubles_are_summed(query):
        assert len(orjson.loads(b"[" + (page.body or b"") + b"]")) == len(records)
    else:
        assert page.body == rendering.rows(records, shape)


def _named(world: World, value: Value) -> Value:
    if not isinstance(value, EntityReference):
        return value
    key = CATALOG.tables[value.table].primary_id
    names = [record["name"] for record in world[value.table] if record[key] == value.id]
    name = names[0] if names else None
    return replace(value, name=name if isinstance(name, str) else None)


@pytest.mark.parametrize("column", FIRM.columns, ids=[c.logical_name for c in FIRM.columns])
def test_every_function_on_every_column_means_the_same_or_is_refused(engine: Engine, column: Column) -> None:
    engine.hold(AWKWARD)
    by_color = (Group(ColumnRef("color"), "g"),)
    for function, distinct, grouped in product(AggregateFunction, (False, True), ((), by_color)):
        made = (Aggregate(function, "a", ColumnRef(column.logical_name), distinct),)
        query = QueryExpression("firm", groups=grouped, aggregates=made)
        if function in functions_for(column.type):
            assert _same(engine.records(query).records, answer(query, CATALOG, AWKWARD).records), query
        else:
            for run in (engine.records, lambda asked: answer(asked, CATALOG, AWKWARD)):
                with pytest.raises(InvalidArgument, match="is not supported for attribute of type"):
                    run(query)


@pytest.mark.parametrize("column", FIRM.columns, ids=[c.logical_name for c in FIRM.columns])
def test_every_column_groups_the_same_or_is_refused(engine: Engine, column: Column) -> None:
    engine.hold(AWKWARD)
    count = (Aggregate(AggregateFunction.COUNT, "n"),)
    query = QueryExpression("firm", groups=(Group(ColumnRef(column.logical_name), "g"),), aggregates=count)
    if isinstance(column.type, MultiChoiceType):
        with pytest.raises(InvalidArgument, match="MultiSelectPickList"):
            engine.records(query)
    else:
        assert _same(engine.records(query).records, answer(query, CATALOG, AWKWARD).records)
