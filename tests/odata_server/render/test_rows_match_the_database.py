"""Rows rendered from records are the bytes that the database's statement returns."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from databases import on_sqlite_only, open_database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entities.messages import Create, Retrieve
from entities.metadata.catalog import catalog
from entities.metadata.columns import Choice, MultiChoiceType
from entities.metadata.declare import (
    boolean,
    choice,
    column,
    date_only,
    date_time,
    decimal,
    double,
    integer,
    memo,
    money,
    options,
    plain,
    primary_id,
    string,
    unique_identifier,
    version_column,
)
from entities.metadata.tables import Table
from entities.pipeline import Caller, pipeline
from entities.values import ChoiceSet, Guid
from odata_server.edm.preferences import AnnotationFilter
from odata_server.edm.shapes import finance_shape, web_api_shape
from odata_server.engine.database import Durability
from odata_server.engine.environment import Blueprint, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.render.rows import rows
from security.principals import Principal

COLORS = options("Red", "Light blue", "Green \"'\\")
THING = Table(
    "new_thing",
    "new_Thing",
    "new_things",
    10_001,
    "new_thingid",
    "name",
    (
        primary_id("new_thingid"),
        string("Name", 400),
        memo("Story"),
        integer("Count"),
        decimal("Rate", precision=5),
        decimal("Whole", precision=0),
        money("Price"),
        double("Weight", precision=3),
        boolean("Open", yes="Ja", no="Nee"),
        date_time("Seen"),
        date_only("Day"),
        choice("Color", COLORS),
        column("Colors", MultiChoiceType(Choice("colors", COLORS))),
        unique_identifier("Other"),
        version_column(),
    ),
    plain("Thing"),
    plain("Things"),
)
_ID = Guid("0a000000-0000-4000-8000-000000000001")
SYSTEM = Principal(Caller(_ID, _ID, "SYSTEM"), 0, False, 1, {}, is_system=True)

# Elsewhere the database makes no JSON.
pytestmark = on_sqlite_only


class OnlySystem:
    """A directory that needs nobody else."""

    def system(self):
        return SYSTEM


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "things.db"
    with closing(open_database(path)) as database:
        prepare_database(database, Blueprint(_ID, catalog(1, (THING,), ())))
    service = OrganizationService(
        open_database(path, Durability.NONE), Parts(pipeline(), lambda db, stamp: OnlySystem(), frozenset(), {})
    )
    yield service
    service.database.close()


def maybe(values):
    return st.none() | values


def scaled(limit, digits):
    return st.integers(-limit, limit).map(lambda n: Decimal(n).scaleb(-digits))


# What XML does not have is refused when it is written.
NO_XML = "".join(map(chr, (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)))
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=NO_XML), max_size=30)
moments = st.datetimes(datetime(1753, 1, 1), datetime(9999, 12, 31)).map(lambda m: m.replace(microsecond=0, tzinfo=UTC))  # noqa: DTZ001 - the strategy wants naive bounds
RECORDS = st.fixed_dictionaries(
    {
        "name": maybe(text),
        "story": maybe(text),
        "count": maybe(st.integers(-(2**31), 2**31 - 1)),
        "rate": maybe(scaled(10**15, 5)),
        "whole": maybe(scaled(10**9, 0)),
        "price": maybe(scaled(10**18, 4)),
        "weight": maybe(st.floats(-1e11, 1e11, allow_nan=False)),
        "open": maybe(st.booleans()),
        "seen": maybe(moments),
        "day": maybe(st.dates(date(1753, 1, 1))),
        "color": maybe(st.integers(0, 2)),
        "colors": maybe(st.sets(st.integers(0, 2), min_size=1).map(lambda s: ChoiceSet(tuple(sorted(s))))),
        "other": maybe(st.uuids().map(lambda u: Guid(str(u)))),
    }
)


def both(service, record, shape):
    """Return a created record in the database's bytes and in ours."""
    reference = service.execute(Create("new_thing", record), SYSTEM).reference
    made = service.execute(Retrieve(reference), SYSTEM, shape=shape).body
    read = service.execute(Retrieve(reference), SYSTEM).records
    return made, rows(read, shape, id_column="new_thingid")


@given(record=RECORDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_web_api_rows_with_all_annotations_are_byte_equal(service, record):
    shape = web_api_shape(service.catalog, THING, None, annotations=AnnotationFilter(("*",)))
    made, rendered = both(service, record, shape)
    assert rendered.decode() == made.decode()


@given(record=RECORDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_of_the_finance_dialect_are_byte_equal(service, record):
    made, rendered = both(service, record, finance_shape(THING, None))
    assert rendered.decode() == made.decode()
