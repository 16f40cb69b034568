"""Links whose meaning is easily missed, one query each, over a small fixed world."""

import pytest
from engines import Engine
from worlds import CATALOG, FIRM, World, record_guid

from entities.evaluate import answer
from entities.query import (
    ALL_ROWS,
    And,
    ColumnRef,
    Condition,
    ConditionOperator,
    Exists,
    LinkEntity,
    LinkType,
    Not,
    Order,
    Page,
    QueryExpression,
)
from entities.values import EntityReference, Record


def _firm(number: int, **more: object) -> Record:
    plain = dict.fromkeys(FIRM.by_name)
    return {**plain, "firmid": record_guid(number), "versionnumber": number, "name": f"F{number}", **more}  # type: ignore[dict-item]  # values of columns


def _to(table: str, number: int) -> EntityReference:
    return EntityReference(table, record_guid(number))


WORLD: World = {
    "sector": tuple(
        {"sectorid": record_guid(n), "name": f"S{n % 2}", "budget": budget, "rank": n, "versionnumber": n}
        for n, budget in enumerate((None, 5, 5, 12))
    ),
    "firm": (
        _firm(0, sector=_to("sector", 0), regarding=_to("firm", 1)),
        _firm(1, sector=_to("sector", 1), regarding=_to("sector", 1), parent=_to("firm", 0)),
        _firm(2, sector=_to("sector", 3), regarding=_to("sector", 2), parent=_to("firm", 0)),
        _firm(3, parent=_to("firm", 1)),
        _firm(4, sector=_to("sector", 2), parent=_to("firm", 9)),
    ),
    "visit": tuple(
        {
            "visitid": record_guid(n),
            "name": name,
            "minutes": n,
            "firm": _to("firm", n % 2),
            "party": party,
            "versionnumber": n,
        }
        for n, (name, party) in enumerate((("a", None), ("b", _to("firm", 1)), ("b", _to("sector", 1)), ("c", None)))
    ),
    "firm_sector": (),
}


def named(name: str, alias: str = "") -> Condition:
    return Condition(ColumnRef("name", alias), ConditionOperator.EQUAL, (name,))


SECTOR = LinkEntity("s", "sector", "sectorid", "sector", type=LinkType.LEFT_OUTER)
VISITS = LinkEntity("v", "visit", "firm", "firmid")
QUERIES = {
    "a polymorphic lookup matches the table it names": QueryExpression(
        "firm", links=(LinkEntity("r", "sector", "sectorid", "regarding"),)
    ),
    "so it does from the other side": QueryExpression(
        "firm", filter=Exists(LinkEntity("p", "visit", "party", "firmid"))
    ),
    "a lookup sorts by the name of the record in the table it names": QueryExpression(
        "firm", orders=(Order(ColumnRef("regarding")),)
    ),
    "a filter on an outer link that is inside the link keeps the row": QueryExpression(
        "firm",
        links=(LinkEntity("s", "sector", "sectorid", "sector", type=LinkType.LEFT_OUTER, filter=named("S1", "s")),),
        linked_columns=(ColumnRef("name", "s"),),
    ),
    "outside it does not": QueryExpression("firm", links=(SECTOR,), filter=named("S1", "s")),
    "an inner link below an outer one drops the row": QueryExpression(
        "firm",
        links=(
            LinkEntity(
                "p",
                "firm",
                "firmid",
                "parent",
                type=LinkType.LEFT_OUTER,
                links=(LinkEntity("ps", "sector", "sectorid", "sector", "p"),),
            ),
        ),
    ),
    "an inner alias hides the outer one only inside": QueryExpression(
        "firm",
        links=(SECTOR,),
        filter=And((Exists(LinkEntity("s", "visit", "firm", "firmid", filter=named("b", "s"))), named("S1", "s"))),
        orders=(Order(ColumnRef("budget", "s")),),
    ),
    "two questions for linked rows are asked of different rows": QueryExpression(
        "firm",
        filter=And(
            (
                Exists(LinkEntity("v", "visit", "firm", "firmid", filter=named("a", "v"))),
                Exists(LinkEntity("v", "visit", "firm", "firmid", filter=named("b", "v"))),
            )
        ),
    ),
    "no linked row at all": QueryExpression("firm", filter=Not(Exists(VISITS))),
    "a distinct query counts each row once": QueryExpression("firm", links=(VISITS,), distinct=True),
    "an amount of a linked table sorts and pages": QueryExpression(
        "firm", links=(SECTOR,), orders=(Order(ColumnRef("budget", "s"), descending=True),)
    ),
    "a page of distinct rows begins behind a row that ends in null, descending": QueryExpression(
        "firm", orders=(Order(ColumnRef("firmid")), Order(ColumnRef("staff"), descending=True)), distinct=True
    ),
    "no filter": QueryExpression("firm", filter=ALL_ROWS),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_linked_query_means_the_same_page_by_page(engine: Engine, name: str) -> None:
    engine.hold(WORLD)
    query = QUERIES[name]
    whole = answer(query, CATALOG, WORLD)
    assert whole.count > 0
    for size in (1, 2, 10):
        seen: list[Record] = []
        page: Page | None = Page(size)
        while page:
            counted = QueryExpression(
                query.table,
                None,
                query.linked_columns,
                query.filter,
                query.links,
                query.orders,
                None,
                page,
                count=True,
                distinct=query.distinct,
            )
            found = engine.records(counted)
            assert found.total == whole.count
            seen += found.records
            page = Page(size, found.next) if found.next else None
        assert tuple(seen) == whole.records


def test_a_link_without_distinct_repeats_the_row(engine: Engine) -> None:
    engine.hold(WORLD)
    query = QueryExpression("firm", ("name",), links=(VISITS,), count=True)
    found, expected = engine.records(query), answer(query, CATALOG, WORLD)
    assert [r["name"] for r in found.records] == [r["name"] for r in expected.records] == ["F0", "F0", "F1", "F1"]
    assert found.total == expected.total == 4
