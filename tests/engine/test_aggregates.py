"""Grouped queries on the engine: exact sums, calendars, limits, refusals, and nothing of rows that are out of sight."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from databases import open_database
from engines import Engine
from worlds import CATALOG, record_guid

from entities.errors import InvalidArgument
from entities.metadata.catalog import CatalogChange, catalog
from entities.query import (
    Aggregate,
    AggregateFunction,
    ColumnRef,
    Condition,
    ConditionOperator,
    DateGrouping,
    Group,
    GroupCalendar,
    Order,
    Page,
    PageAnchor,
    QueryExpression,
)
from odata_server.edm.group_shapes import group_shape
from odata_server.edm.preferences import AnnotationFilter
from odata_server.engine import rows
from odata_server.engine.catalog_store import apply_change, initialize
from odata_server.engine.database import Durability
from odata_server.engine.reading import PlanCache, read_records

LARGEST = Decimal("922337203685477.0000")


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "data.db", Durability.NONE)
    opened.create()
    with opened.writing() as connection:
        initialize(connection, "00000000-0000-0000-0000-00000000000a")
        everything = CatalogChange(tuple(CATALOG.tables.values()), tuple(CATALOG.relationships.values()))
        apply_change(connection, catalog(0, (), ()), everything)
    yield opened
    opened.close()


def hold(database, *records):
    with database.writing() as connection:
        for number, record in enumerate(records):
            rows.insert(connection, CATALOG.tables["firm"], {"firmid": record_guid(number), **record})


def read(database, query):
    return read_records(database.reader(), PlanCache(), CATALOG, query)


def aggregated(*aggregates, **more):
    return QueryExpression("firm", aggregates=aggregates, **more)


def of(function, column, alias="a", **more):
    return Aggregate(function, alias, ColumnRef(column), **more)


def test_sums_of_amounts_are_exact_beyond_64_bits(database):
    hold(database, *({"revenue": LARGEST} for _ in range(3)), {"revenue": Decimal("0.0001")})
    query = aggregated(of(AggregateFunction.SUM, "revenue"), of(AggregateFunction.AVERAGE, "revenue", "m"))
    (found,) = read(database, query).records
    assert found == {"a": 3 * LARGEST + Decimal("0.0001"), "m": Decimal("691752902764107.750025000")}
    shape = group_shape(CATALOG, query, annotations=AnnotationFilter(("*",)))
    name = "OData.Community.Display.V1.FormattedValue"
    assert (
        Engine(database).page(query, shape).body
        == (
            f'{{"a@{name}":"$2,767,011,611,056,431.00","a":2767011611056431.000100000,'
            f'"m@{name}":"$691,752,902,764,107.75","m":691752902764107.750025000}}'
        ).encode()
    )


def test_the_average_of_whole_numbers_is_whole(database):
    hold(database, {"staff": 35_200}, *({"staff": 0} for _ in range(8)), {"staff": None})
    assert read(database, aggregated(of(AggregateFunction.AVERAGE, "staff"))).records == ({"a": Decimal(3911)},)


def test_an_average_of_negative_whole_numbers_is_cut_off_toward_zero(database):
    hold(database, {"staff": -5}, {"staff": 0})
    assert read(database, aggregated(of(AggregateFunction.AVERAGE, "staff"))).records == ({"a": Decimal(-2)},)


def test_columns_are_counted_without_nulls_and_once_when_distinct(database):
    hold(database, {"name": "Redmond"}, {"name": "REDMOND"}, {"name": "Dallas"}, {"name": None})
    query = aggregated(
        Aggregate(AggregateFunction.COUNT, "all"),
        of(AggregateFunction.COUNT_COLUMN, "name", "some"),
        of(AggregateFunction.COUNT_COLUMN, "name", "kinds", distinct=True),
    )
    assert read(database, query).records == ({"all": 4, "some": 3, "kinds": 2},)


SEEN = datetime(2023, 3, 25, 17, 42, 47, tzinfo=UTC)
LATE = datetime(2023, 8, 28, 2, 0, 0, tzinfo=UTC)
PACIFIC = GroupCalendar("America/Los_Angeles")
JULY = GroupCalendar(fiscal_start=date(2019, 7, 1), fiscal_named_by_end=True)


@pytest.mark.parametrize(
    ("part", "calendar", "user", "numbers"),
    [
        (DateGrouping.DAY, GroupCalendar(), True, [25, 28]),
        (DateGrouping.DAY, PACIFIC, True, [25, 27]),
        (DateGrouping.DAY, PACIFIC, False, [25, 28]),
        (DateGrouping.WEEK, PACIFIC, True, [12, 35]),
        (DateGrouping.MONTH, GroupCalendar(), True, [3, 8]),
        (DateGrouping.QUARTER, GroupCalendar(), True, [1, 3]),
        (DateGrouping.YEAR, GroupCalendar(), True, [2023]),
        (DateGrouping.FISCAL_YEAR, GroupCalendar(), True, [2023]),
        (DateGrouping.FISCAL_YEAR, JULY, True, [2023, 2024]),
        (DateGrouping.FISCAL_PERIOD, GroupCalendar(), True, [202301, 202303]),
        (DateGrouping.FISCAL_PERIOD, JULY, True, [202303, 202401]),
    ],
)
def test_dates_are_grouped_by_their_parts(database, part, calendar, user, numbers):
    hold(database, {"seenon": SEEN}, {"seenon": LATE})
    group = Group(ColumnRef("seenon"), "g", part, user, calendar)
    found = read(database, QueryExpression("firm", groups=(group,))).records
    assert [record["g"] for record in found] == numbers


def test_fiscal_groups_have_a_display_text(database):
    hold(database, {"seenon": SEEN}, {"seenon": None})
    parts = ((DateGrouping.FISCAL_PERIOD, "p"), (DateGrouping.FISCAL_YEAR, "y"))
    query = QueryExpression("firm", groups=tuple(Group(ColumnRef("seenon"), alias, part) for part, alias in parts))
    shape = group_shape(CATALOG, query, annotations=AnnotationFilter(("*",)))
    name = "OData.Community.Display.V1.FormattedValue"
    assert (
        Engine(database).page(query, shape).body
        == (f'{{}},{{"p@{name}":"Quarter 1 FY2023","p":202301,"y@{name}":"FY2023","y":2023}}').encode()
    )


def test_a_time_zone_does_not_move_a_date_or_a_local_time(database):
    hold(database, {"bornon": date(2023, 8, 28), "openson": LATE})
    groups = tuple(Group(ColumnRef(name), name, DateGrouping.DAY, calendar=PACIFIC) for name in ("bornon", "openson"))
    assert read(database, QueryExpression("firm", groups=groups)).records == ({"bornon": 28, "openson": 28},)


def test_groups_are_ordered_by_an_aggregate_and_cut_at_the_top(database):
    hold(database, *({"name": n, "revenue": Decimal(r)} for n, r in (("a", 5), ("b", -7), ("c", 10**14), ("b", -1))))
    query = QueryExpression(
        "firm",
        groups=(Group(ColumnRef("name"), "n"),),
        aggregates=(of(AggregateFunction.SUM, "revenue"),),
        orders=(Order(ColumnRef("a"), descending=True),),
        count=True,
        top=2,
    )
    found = read(database, query)
    assert [record["n"] for record in found.records] == ["c", "a"]
    assert (found.total, found.next) == (3, None)


def test_pages_of_groups_go_by_number(database):
    hold(database, *({"staff": number} for number in range(5)))
    query = QueryExpression("firm", groups=(Group(ColumnRef("staff"), "s"),), page=Page(2, PageAnchor(2, ())))
    found = read(database, query)
    assert [record["s"] for record in found.records] == [2, 3]
    assert found.next == PageAnchor(3, ())


@pytest.mark.parametrize("limit", [3, 4])
def test_more_records_than_may_be_aggregated_are_refused(database, limit):
    hold(database, *({"staff": number} for number in range(4)))
    query = aggregated(Aggregate(AggregateFunction.COUNT, "n"), aggregate_limit=limit)
    if limit == 4:
        assert read(database, query).records == ({"n": 4},)
    else:
        with pytest.raises(InvalidArgument, match="The maximum record limit is exceeded") as refused:
            read(database, query)
        assert refused.value.code == "0x8004e023"


def test_fifty_thousand_records_may_be_aggregated_and_one_more_may_not(database):
    with database.writing() as connection:
        numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50001)"
        connection.execute(f'{numbers} INSERT INTO "firm" ("firmid", "staff") SELECT CAST(i AS TEXT), i FROM n')
    counting = aggregated(Aggregate(AggregateFunction.COUNT, "n"))
    small = Condition(ColumnRef("staff"), ConditionOperator.LESS_EQUAL, (50_000,))
    found = read(database, aggregated(*counting.aggregates, filter=small, aggregate_limit=90_000))
    assert found.records == ({"n": 50_000},)
    with pytest.raises(InvalidArgument, match="maximum record limit"):
        read(database, aggregated(*counting.aggregates, aggregate_limit=90_000))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (aggregated(of(AggregateFunction.SUM, "name")), "0x8004112f"),
        (aggregated(of(AggregateFunction.AVERAGE, "seenon")), "0x8004112f"),
        (aggregated(of(AggregateFunction.MAXIMUM, "color")), "0x8004112f"),
        (aggregated(Aggregate(AggregateFunction.COUNT_COLUMN, "n")), "0x8004112f"),
        (QueryExpression("firm", groups=(Group(ColumnRef("palette"), "p"),)), "0x80050224"),
        (QueryExpression("firm", groups=(Group(ColumnRef("name"), "p", DateGrouping.DAY),)), "0x8004e01d"),
        (QueryExpression("firm", groups=(Group(ColumnRef("name"), "a"), Group(ColumnRef("staff"), "a"))), "0x80041109"),
        (QueryExpression("firm", groups=(Group(ColumnRef("name"), "a"), Group(ColumnRef("staff"), "A"))), "0x80041109"),
        (
            QueryExpression("firm", groups=(Group(ColumnRef("name"), "a"),), orders=(Order(ColumnRef("name")),)),
            "0x80041131",
        ),
    ],
)
def test_what_cannot_be_grouped_or_aggregated_is_refused(database, query, code):
    with pytest.raises(InvalidArgument) as refused:
        read(database, query)
    assert refused.value.code == code
