"""The database answers a query as the reference does: same records, same order, same pages, same count."""

from dataclasses import replace

from engines import Engine
from hypothesis import given
from hypothesis import strategies as st
from random_queries import scenarios
from worlds import CATALOG, TEXTS, World

from entities.evaluate import answer, evaluate
from entities.query import ColumnRef, Page, QueryExpression
from entities.text import fold
from entities.values import Record
from odata_server.edm.representation import Facet, Member, RowShape


def ids(table: str, records: tuple[Record, ...]) -> list[object]:
    return [record[CATALOG.tables[table].primary_id] for record in records]


@given(scenario=scenarios(), top=st.one_of(st.none(), st.integers(0, 4)), size=st.integers(1, 4))
def test_the_database_answers_as_the_reference_does(
    engine: Engine, scenario: tuple[World, QueryExpression], top: int | None, size: int
) -> None:
    world, query = scenario
    engine.hold(world)

    check_whole_answer(engine, world, replace(query, top=top))
    check_pages(engine, world, query, size)


def check_whole_answer(engine: Engine, world: World, query: QueryExpression) -> None:
    found, expected = engine.records(query), answer(query, CATALOG, world)
    assert ids(query.table, found.records) == ids(query.table, expected.records)
    assert found.records == expected.records
    assert found.total == expected.total


def check_pages(engine: Engine, world: World, query: QueryExpression, size: int) -> None:
    whole = evaluate(query, CATALOG, world)
    shape = RowShape(query.table, (_id_member(query.table),))
    joined: list[Record] = []
    page: Page | None = Page(size)
    while page:
        asked = replace(query, page=page)
        part, expected, json = engine.records(asked), answer(asked, CATALOG, world), engine.page(asked, shape)
        assert part.next == expected.next == json.next
        assert part.total == json.total == len(whole)
        shown = ",".join(f'{{"id":"{record_id}"}}' for record_id in ids(query.table, part.records))
        assert json.body == shown.encode()
        joined += part.records
        page = Page(size, part.next) if part.next else None
    assert tuple(joined) == whole


def _id_member(table: str) -> Member:
    primary = CATALOG.tables[table].primary_id
    return Member("id", Facet.VALUE, ColumnRef(primary), CATALOG.tables[table].by_name[primary].type)


@given(text=TEXTS)
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
