"""The JSON that the database makes is the JSON that records are rendered to, byte by byte, and reads back as it was."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from math import isclose

import orjson
from engines import Engine
from hypothesis import given
from hypothesis import strategies as st
from worlds import CATALOG, COLORS, FIRM, World, focuses, values, worlds

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    Column,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupType,
    MoneyType,
    MultiChoiceType,
)
from entities.query import ColumnRef, QueryExpression
from entities.values import EntityReference, Record, Value
from odata_server.bind.coerce import coerce
from odata_server.bind.json_body import read_object
from odata_server.edm.representation import Facet, Member, RowShape
from odata_server.render import rows as rendering
from odata_server.render.rows import row

_FORMATTED = (
    *(BooleanType, ChoiceType, MultiChoiceType, IntegerType, DecimalType, MoneyType, DoubleType, DateTimeType),
    LookupType,
)
_LABELS = tuple((option.value, f'It\'s {option.label.text()} "😀"') for option in COLORS)
_TARGETS = (("sector", "sectorid", "name"), ("firm", "firmid", "name"))
NAMES = st.sampled_from(("a", "a@b.c", "it's", 'say "hi"', "ä😀", "_x_value@Microsoft.Dynamics.CRM.lookuplogicalname"))


def _names(column: Column, facet: Facet) -> tuple[tuple[int | str, str], ...]:
    if facet is Facet.NAVIGATION:
        return (("sector", "to_sector"),)
    match column.type:
        case ChoiceType() | MultiChoiceType():
            return _LABELS[1:] if facet is Facet.FINANCE_VALUE else _LABELS
        case BooleanType():
            return ((0, "No"), (1, "Yes"))
        case _:
            return ()


def _facets(column: Column) -> Iterator[Facet]:
    yield from (Facet.VALUE, Facet.TYPE)
    if isinstance(column.type, BigIntType | DecimalType | MoneyType):
        yield Facet.VALUE_AS_TEXT
    if not isinstance(column.type, MultiChoiceType):
        yield Facet.FINANCE_VALUE
    if isinstance(column.type, _FORMATTED):
        yield Facet.FORMATTED
    if isinstance(column.type, LookupType):
        yield from (Facet.LOOKUP_LOGICAL_NAME, Facet.NAVIGATION)
    if column.logical_name == "firmid":
        yield Facet.ENTITY_ID
    if column.logical_name == "versionnumber":
        yield from (Facet.ETAG, Facet.FINANCE_ETAG)


def _member(name: str, column: Column, facet: Facet) -> Member:
    lookups = tuple(t for t in _TARGETS if isinstance(column.type, LookupType) and t[0] in column.type.targets)
    url = "https://contoso.crm4.dynamics.com/api/data/v9.2/firms({id})?it's"
    base = "firmid" if facet is Facet.FINANCE_ETAG else url
    return Member(name, facet, ColumnRef(column.logical_name), column.type, _names(column, facet), lookups, base)


@st.composite
def shapes(draw: st.DrawFn, columns: tuple[Column, ...]) -> RowShape:
    """Return any number of members in any order, each with a name of its own."""
    pairs = [(column, facet) for column in columns for facet in _facets(column)]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=8))
    return RowShape("firm", tuple(_member(f"{draw(NAMES)}{n}", c, f) for n, (c, f) in enumerate(chosen)))


@st.composite
def shaped_worlds(draw: st.DrawFn) -> tuple[World, RowShape]:
    """Return records and a shape of their rows."""
    focus = draw(focuses())
    version = FIRM.by_name["versionnumber"]
    return draw(worlds(focus)), draw(shapes((*focus.columns, version)))


def _named(world: World, value: Value) -> Value:
    """Return a reference with the name of the record it points to, as it is read along with the row."""
    if not isinstance(value, EntityReference):
        return value
    key = CATALOG.tables[value.table].primary_id
    names = [
        str(record["name"]) if record["name"] is not None else None
        for record in world[value.table]
        if record[key] == value.id
    ]
    return replace(value, name=names[0]) if names else value


@given(shaped_worlds())
def test_rows_of_the_database_are_the_rows_that_records_render_to(
    engine: Engine, shaped: tuple[World, RowShape]
) -> None:
    world, shape = shaped
    engine.hold(world)
    records: list[Record] = [{n: _named(world, v) for n, v in record.items()} for record in world["firm"]]

    body = engine.page(QueryExpression("firm"), shape).body

    expected = rendering.rows(sorted(records, key=lambda r: str(r["firmid"])), shape, id_column="firmid")
    assert body == expected
    orjson.loads(b"[" + expected + b"]")


def test_a_row_may_have_more_members_than_one_json_object_takes(engine: Engine) -> None:
    engine.hold({"firm": ({"firmid": "00000000-0000-4000-8000-000000000001", "staff": 7},)})
    facets = (Facet.FORMATTED, Facet.VALUE, Facet.VALUE)
    members = tuple(_member(f"m{n}", FIRM.by_name["staff"], facets[n % 3]) for n in range(2_000))
    shape = RowShape("firm", members)

    body = engine.page(QueryExpression("firm"), shape).body

    assert body == row({"staff": 7}, shape).encode()


_WRITABLE = [c for c in FIRM.columns if not isinstance(c.type, LookupType)]


@given(found=st.sampled_from(_WRITABLE).flatmap(lambda c: st.tuples(st.just(c), st.one_of(st.none(), values(c)))))
def test_a_rendered_value_reads_back_as_it_was(found: tuple[Column, Value]) -> None:
    column, value = found
    text = row({column.logical_name: value}, RowShape("firm", (_member("x", column, Facet.VALUE),)))

    again = coerce(read_object(text.encode(), "account")["x"], column)

    if isinstance(value, float):
        assert isinstance(again, int | float | Decimal)
        assert isclose(again, value, rel_tol=1e-14)
    else:
        assert again == value
