"""Expanded records are what joining by hand gives; random expansions are among the random queries."""

from dataclasses import replace

import orjson
import pytest
from engines import Engine
from hypothesis import given, settings
from random_expansions import column_member
from worlds import CATALOG, World, worlds

from entities.errors import EngineFault
from entities.evaluate import answer
from entities.metadata.catalog import CollectionNavigation, LookupNavigation, ManyToManyNavigation, Navigation
from entities.query import Expansion, Page, QueryExpression
from entities.values import EntityReference, Record
from odata_server.edm.representation import Expanded, Facet, RowShape

TABLES = ("firm", "sector", "visit")


def _ids(table: str) -> RowShape:
    key = CATALOG.tables[table].primary_id
    return RowShape(table, (column_member(CATALOG.tables[table].by_name[key], Facet.VALUE, "id"),))


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


@settings(max_examples=max(20, settings().max_examples // 10))
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
