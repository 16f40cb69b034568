"""Queries whose rows are not records: repeated by a link, or combinations of values; their pages lose nothing."""

from dataclasses import replace

from engines import Engine
from hypothesis import given
from hypothesis import strategies as st
from random_queries import in_sight, links
from worlds import CATALOG, World, worlds

from entities.evaluate import answer
from entities.metadata.columns import FileType, ImageType, MultiChoiceType
from entities.ordering import full_order
from entities.query import ColumnRef, LinkEntity, LinkType, Order, Page, PageAnchor, QueryExpression
from entities.values import Record

TABLES = {name: CATALOG.tables[name] for name in ("firm", "visit", "sector", "firm_sector")}


@st.composite
def queries(draw: st.DrawFn) -> QueryExpression:
    """Return queries with a link that leads to several records, whose rows are distinct or not."""
    table = draw(st.sampled_from(("firm", "sector")))
    fan = draw(links(TABLES, ("", TABLES[table]), "f", fan=True))
    hop = draw(links(TABLES, ("", TABLES[table]), "h"))
    joined: list[LinkEntity] = [link for link in (fan, hop) if link]
    if fan and draw(st.integers(0, 3)) == 0:
        joined[0] = replace(fan, type=LinkType.MATCH_FIRST_ROW)
    sight = [
        ColumnRef(column.logical_name, alias)
        for alias, found in in_sight(TABLES, table, joined)
        for column in found.columns
        if not isinstance(column.type, MultiChoiceType | FileType | ImageType)
    ]
    shown = draw(st.lists(st.sampled_from(sight), min_size=1, max_size=3, unique=True))
    own = tuple(ref.name for ref in shown if not ref.alias)
    orders = draw(st.lists(st.builds(Order, st.sampled_from(sight), st.booleans()), max_size=2))
    return QueryExpression(
        table,
        columns=own,
        linked_columns=tuple(ref for ref in shown if ref.alias),
        links=tuple(joined),
        orders=tuple({order.column: order for order in orders}.values()),
        distinct=draw(st.booleans()),
        count=True,
    )


@given(world=worlds(), query=queries(), size=st.integers(1, 3))
def test_pages_of_repeated_and_distinct_rows_join_to_the_whole(
    engine: Engine, world: World, query: QueryExpression, size: int
) -> None:
    engine.hold(world)
    whole = answer(query, CATALOG, world)
    found = engine.records(query)
    assert (found.records, found.total) == (whole.records, whole.total)
    assert engine.records(replace(query, top=size)).records == whole.records[:size]
    joined: list[Record] = []
    page: Page | None = Page(size)
    number = 0
    while page:
        number += 1
        by_place = engine.records(replace(query, page=page))
        by_number = engine.records(replace(query, page=Page(size, PageAnchor(number, ()) if number > 1 else None)))
        expected = answer(replace(query, page=page), CATALOG, world)
        assert by_place.records == by_number.records == expected.records
        assert by_place.next == by_number.next == expected.next
        joined += by_place.records
        page = Page(size, by_place.next) if by_place.next else None
    assert tuple(joined) == whole.records


@given(query=queries())
def test_no_column_is_ordered_by_twice(query: QueryExpression) -> None:
    columns = [order.column for order in full_order(CATALOG, query)]
    assert len(columns) == len(set(columns))
