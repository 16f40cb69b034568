"""Expanded records: the database's bytes are those of the reference, and both are what joining by hand gives."""

from dataclasses import replace

import orjson
import pytest
from engines import Engine
from hypothesis import given, settings
from hypothesis import strategies as st
from random_queries import filters
from worlds import CATALOG, World, worlds

from entities.errors import EngineFault
from entities.evaluate import answer
from entities.metadata.catalog import CollectionNavigation, LookupNavigation, ManyToManyNavigation, Navigation
from entities.metadata.columns import Column, LookupType, MultiChoiceType
from entities.query import ALL_ROWS, ColumnRef, Expansion, Order, Page, QueryExpression
from entities.values import EntityReference, Record
from odata_server.edm.representation import Expanded, Facet, Member, NextLink, PageCookie, RowShape
from odata_server.render import rows as rendering

TABLES = ("firm", "sector", "visit")
NAMES = st.sampled_from(("nav", "it's", 'say "hi"', "ä😀", "}0", "x@odata.y"))

Asked = tuple[QueryExpression, RowShape]


def _member(column: Column, facet: Facet, name: str) -> Member:
    return Member(name, facet, ColumnRef(column.logical_name), column.type)


@st.composite
def _members(draw: st.DrawFn, table: str) -> tuple[Member, ...]:
    """Return some members of a table's rows, among them ones that may be left out."""
    columns = [c for c in CATALOG.tables[table].columns if not isinstance(c.type, LookupType | MultiChoiceType)]
    lookups = [c for c in CATALOG.tables[table].columns if isinstance(c.type, LookupType)]
    shown = [(c, Facet.VALUE) for c in columns] + [(c, Facet.LOOKUP_LOGICAL_NAME) for c in lookups]
    chosen = draw(st.lists(st.sampled_from(shown), max_size=4))
    key = _member(CATALOG.tables[table].by_name[CATALOG.tables[table].primary_id], Facet.VALUE, "id")
    found = [_member(column, facet, f"m{n}") for n, (column, facet) in enumerate(chosen)]
    return tuple(draw(st.permutations([key, *found])))


def _cookie(key: str, size: int) -> PageCookie:
    return PageCookie(key, size, "&it's=%7b", "%7d&first=", '"')


@st.composite
def asked(draw: st.DrawFn, table: str, depth: int = 2) -> Asked:
    """Return a query on a table with the shape of its rows, expanding as deep as `depth`."""
    navigations = list(CATALOG.navigations[table].values())
    chosen = draw(st.lists(st.sampled_from(navigations), max_size=3)) if depth else []
    parts = [draw(_expanded(navigation, table, f"{draw(NAMES)}{n}", depth - 1)) for n, navigation in enumerate(chosen)]
    query = QueryExpression(table, expansions=tuple(expansion for expansion, _ in parts))
    return query, RowShape(table, draw(_members(table)), tuple(shape for _, shape in parts))


@st.composite
def _expanded(draw: st.DrawFn, navigation: Navigation, table: str, name: str, depth: int) -> tuple[Expansion, Expanded]:
    target = CATALOG.tables[navigation.target]
    query, shape = draw(asked(navigation.target, depth))
    narrowed = draw(st.one_of(st.just(ALL_ROWS), filters(CATALOG.tables, [("", target)], 1)))
    query = replace(query, filter=narrowed)
    if isinstance(navigation, LookupNavigation):
        return Expansion(navigation.name, query), Expanded(name, (shape,))
    link = NextLink(CATALOG.tables[table].primary_id, f"https://x/{table}s(", f")/{name}?it's")
    size = draw(st.integers(1, 3))
    match draw(st.sampled_from(("plain", "linked", "paged", "top"))):
        case "paged":
            query = replace(query, page=Page(size))
            link = replace(link, cookie=_cookie(target.primary_id, size))
            return Expansion(navigation.name, query), Expanded(name, (shape,), is_collection=True, link=link)
        case "top":
            orders = (Order(ColumnRef("name"), draw(st.booleans())), Order(ColumnRef("versionnumber")))
            query = replace(query, orders=orders, top=size)
        case "linked":
            return Expansion(navigation.name, query), Expanded(name, (shape,), is_collection=True, link=link)
    return Expansion(navigation.name, query), Expanded(name, (shape,), is_collection=True)


@given(world=worlds(), found=st.sampled_from(TABLES).flatmap(asked))
def test_expanded_rows_of_the_database_are_those_that_the_reference_renders(
    engine: Engine, world: World, found: Asked
) -> None:
    query, shape = found
    engine.hold(world)

    body = engine.page(query, shape).body

    expected = answer(query, CATALOG, world)
    assert body == rendering.rows(expected.records, shape, expanded=expected.expanded)
    orjson.loads(b"[" + body + b"]")


def _ids(table: str) -> RowShape:
    key = CATALOG.tables[table].primary_id
    return RowShape(table, (_member(CATALOG.tables[table].by_name[key], Facet.VALUE, "id"),))


def _joined(world: World, table: str, record: Record, navigation: Navigation) -> list[object]:
    """Return the ids of the related records, found by looking at every record."""
    own = EntityReference(table, record[CATALOG.tables[table].primary_id])  # type: ignore[arg-type]  # ids are GUIDs
    key = CATALOG.tables[navigation.target].primary_id
    others = world[navigation.target]
    match navigation:
        case LookupNavigation(relationship=relationship):
            value = record[relationship.referencing_column]
            return [o[key] for o in others if value == EntityReference(navigation.target, o[key])]  # type: ignore[arg-type]  # ids are GUIDs
        case CollectionNavigation(relationship=relationship):
            return sorted((o[key] for o in others if o[relationship.referencing_column] == own), key=str)
        case ManyToManyNavigation(relationship=relationship, near=near, far=far):
            pairs = {(pair[near], pair[far]) for pair in world[relationship.intersect_table]}
            return sorted((o[key] for o in others if (own.id, o[key]) in pairs), key=str)


@settings(max_examples=max(20, settings.default.max_examples // 10))
@pytest.mark.parametrize(("table", "name"), [(table, name) for table in TABLES for name in CATALOG.navigations[table]])
@given(world=worlds())
def test_expanding_is_joining_by_hand(engine: Engine, table: str, name: str, world: World) -> None:
    navigation = CATALOG.navigations[table][name]
    engine.hold(world)
    is_collection = not isinstance(navigation, LookupNavigation)
    shape = replace(_ids(table), expanded=(Expanded("found", (_ids(navigation.target),), is_collection=is_collection),))
    query = QueryExpression(table, expansions=(Expansion(name, QueryExpression(navigation.target)),))

    rows = orjson.loads(b"[" + (engine.page(query, shape).body or b"") + b"]")

    key = CATALOG.tables[table].primary_id
    expected = {record[key]: _joined(world, table, record, navigation) for record in world[table]}
    shown = {row["id"]: row["found"] if is_collection else [row["found"]] for row in rows}
    assert {one: [o["id"] for o in others if o is not None] for one, others in shown.items()} == expected


def test_a_page_with_expanded_records_is_one_statement(engine: Engine) -> None:
    shape = replace(_ids("visit"), expanded=(Expanded("firm", (_ids("firm"),)),))
    query = QueryExpression("visit", page=Page(50), expansions=(Expansion("firm", QueryExpression("firm")),))
    statements: list[str] = []
    engine.page(query, shape)
    with engine.database.tracing(lambda sql, _: statements.append(sql)):
        engine.page(query, shape)
    assert len(statements) == 1


def test_an_unknown_navigation_property_is_a_fault_of_the_caller(engine: Engine) -> None:
    shape = replace(_ids("visit"), expanded=(Expanded("x", (_ids("firm"),)),))
    query = QueryExpression("visit", expansions=(Expansion("x", QueryExpression("firm")),))
    with pytest.raises(EngineFault, match="'x'"):
        engine.page(query, shape)
    with pytest.raises(EngineFault, match="'x'"):
        answer(query, CATALOG, {"visit": ({"visitid": "1"},)})
