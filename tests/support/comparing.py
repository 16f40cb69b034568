"""Comparisons of the engine with `evaluate`: whole answers, every page of them, and the bytes of their rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isclose

import orjson
from engines import Engine
from random_queries import doubles_are_summed
from worlds import CATALOG, World

from entities.errors import InvalidArgument
from entities.evaluate import answer
from entities.messages import Rows
from entities.metadata.columns import LookupType
from entities.ordering import tables_of
from entities.query import ColumnRef, Page, PageAnchor, QueryExpression
from entities.values import EntityReference, Record, Value
from odata_server.edm.group_shapes import group_shape
from odata_server.edm.preferences import AnnotationFilter
from odata_server.edm.representation import Facet, Member, RowShape
from odata_server.render import rows as rendering

_EVERYTHING = AnnotationFilter(("*",))


def plain_shape(query: QueryExpression) -> RowShape:
    """Return the shape that shows what a query returns, value by value."""
    tables = tables_of(CATALOG, query)
    own = tuple(tables[""].by_name) if query.columns is None else query.columns
    refs = (*(ColumnRef(name) for name in own), *query.linked_columns)
    members = []
    for number, ref in enumerate(refs):
        column = tables[ref.alias].by_name[ref.name]
        members.append(Member(f"m{number}", Facet.VALUE, ref, column.type))
        if isinstance(column.type, LookupType):
            members.append(Member(f"t{number}", Facet.LOOKUP_LOGICAL_NAME, ref, column.type))
    return RowShape(query.table, tuple(members))


def check_rows(engine: Engine, world: World, query: QueryExpression, size: int) -> Rows:
    """Check that a query has the same answer in the database, whole and page by page, and return it."""
    expected = answer(query, CATALOG, world)
    shape = plain_shape(query)
    found = engine.records(query)
    assert found.records == expected.records
    assert (found.count, found.total, found.next) == (expected.count, expected.total, expected.next)
    assert engine.page(query, shape).body == rendering.rows(expected.records, shape)
    paged = replace(query, top=None)
    whole = expected if query.top is None else answer(paged, CATALOG, world)
    check_pages(engine, world, paged, whole, size)
    return expected


def check_pages(engine: Engine, world: World, query: QueryExpression, whole: Rows, size: int) -> None:
    """Check that the pages of a query are the same in the database, by place and by number, and lose nothing."""
    shape = plain_shape(query)
    joined: list[Record] = []
    page: Page | None = Page(size)
    number = 0
    while page:
        number += 1
        expected = answer(replace(query, page=page), CATALOG, world)
        numbered = replace(query, page=Page(size, PageAnchor(number, ()) if number > 1 else None))
        # Both ways to read are asked, one page each in turn.
        if number % 2:
            part = engine.page(replace(query, page=page), shape)
            assert part.body == rendering.rows(expected.records, shape)
        else:
            part, by_number = engine.records(replace(query, page=page)), engine.records(numbered)
            assert part.records == by_number.records == expected.records
            assert by_number.next == expected.next
        assert (part.next, part.total) == (expected.next, whole.total)
        joined += expected.records
        page = Page(size, expected.next) if expected.next else None
    assert tuple(joined) == whole.records


def outcome(read: Callable[[QueryExpression], Rows], query: QueryExpression) -> Rows | str:
    """Return an answer, or the text of its refusal."""
    try:
        return read(query)
    except InvalidArgument as refusal:
        return str(refusal)


def check_groups(engine: Engine, world: World, query: QueryExpression, size: int) -> Rows | None:
    """Check that groups are the same in the database, whole, page by page and as JSON, or refused in the database."""

    def expected_of(asked: QueryExpression) -> Rows:
        return answer(asked, CATALOG, world)

    expected = outcome(expected_of, query)
    found = outcome(engine.records, query)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return None
    assert same_records(found.records, expected.records)
    assert (found.count, found.total, found.next) == (expected.count, expected.total, expected.next)
    check_group_json(engine, world, query, expected)
    check_group_pages(engine, replace(query, top=None), expected_of, size)
    return expected


def check_group_json(engine: Engine, world: World, query: QueryExpression, expected: Rows) -> None:
    """Check that the database writes groups as they are rendered."""
    shape = group_shape(CATALOG, query, annotations=_EVERYTHING)
    body = engine.page(query, shape).body or b""
    if doubles_are_summed(query):
        assert len(orjson.loads(b"[" + body + b"]")) == expected.count
    else:
        records = [{n: named(world, v) for n, v in record.items()} for record in expected.records]
        assert body == rendering.rows(records, shape)


def check_group_pages(
    engine: Engine, query: QueryExpression, expected_of: Callable[[QueryExpression], Rows], size: int
) -> None:
    """Check that pages of groups follow one another."""
    seen: list[Record] = []
    page: Page | None = Page(size)
    while page:
        found, expected = (read(replace(query, page=page)) for read in (engine.records, expected_of))
        assert (found.next, found.total) == (expected.next, expected.total)
        seen += found.records
        page = Page(size, found.next) if found.next else None
    assert same_records(seen, expected_of(query).records)


def check_expanded(engine: Engine, world: World, query: QueryExpression, shape: RowShape) -> Rows:
    """Check that the database's bytes of rows with expanded records are those that are rendered."""
    expected = answer(query, CATALOG, world)
    body = rendering.rows(expected.records, shape, expanded=expected.expanded)
    orjson.loads(b"[" + body + b"]")
    assert engine.page(query, shape).body == body
    return expected


def named(world: World, value: Value) -> Value:
    """Return a reference with the name of the record it points to, as it is read along with the row."""
    if not isinstance(value, EntityReference):
        return value
    key = CATALOG.tables[value.table].primary_id
    names = [record["name"] for record in world[value.table] if record[key] == value.id]
    name = names[0] if names else None
    return replace(value, name=name if isinstance(name, str) else None)


def same_records(found: Sequence[Record], expected: Sequence[Record]) -> bool:
    """Say whether records are the same, sums of doubles up to their last digits."""
    return len(found) == len(expected) and all(
        one.keys() == other.keys() and all(_close(one[name], other[name]) for name in one)
        for one, other in zip(found, expected, strict=True)
    )


def _close(found: Value, expected: Value) -> bool:
    if isinstance(found, float) and isinstance(expected, float):
        return isclose(found, expected, rel_tol=1e-9, abs_tol=1e-3)
    return found == expected and type(found) is type(expected)
