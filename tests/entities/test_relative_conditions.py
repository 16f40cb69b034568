"""Every relative operator by its first and last instant; one second outside, nothing is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from entities.errors import EngineFault, InvalidArgument
from entities.evaluate import evaluate
from entities.metadata.catalog import catalog
from entities.metadata.columns import Choice, ChoiceType, DateTimeBehavior, MultiChoiceType, Option
from entities.metadata.declare import column, date_only, date_time, integer, lookup, options, primary_id, string
from entities.metadata.labels import label
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Table
from entities.query import (
    CALLERS_LANGUAGE,
    ColumnRef,
    Condition,
    ConditionOperator,
    Exists,
    LinkEntity,
    Not,
    Or,
    Order,
    QueryExpression,
)
from entities.relative import RELATIVE, concrete, is_relative
from entities.relative.periods import DATE_OPERATORS
from entities.relative.settings import CallerSettings, FiscalSettings, PeriodType
from entities.values import ChoiceSet, EntityReference, Guid

THING = Table(
    "thing",
    "Thing",
    "things",
    10_001,
    "thingid",
    "name",
    (
        primary_id("ThingId"),
        string("Name"),
        integer("Language"),
        date_time("SeenOn"),
        date_time("OpensOn", behavior=DateTimeBehavior.TIME_ZONE_INDEPENDENT),
        date_only("BornOn"),
        column("Palette", MultiChoiceType(Choice("palette", options("Red", "Green", "Blue", first=1)))),
        lookup("Parent", "thing"),
        lookup("OwnerId", "systemuser", "team"),
        lookup("Unit", "businessunit"),
    ),
    label("Thing"),
    label("Things"),
)
TREE = OneToMany("thing_parent", "thing", "thingid", "thing", "parent", "Parent", "Children", is_hierarchical=True)
CATALOG = catalog(1, (THING,), (TREE,))


def ident(number: int) -> Guid:
    return Guid(f"00000000-0000-4000-8000-{number:012x}")


ME, UNIT, TEAM, REPORT, REPORT_TEAM, OTHER = (ident(n) for n in range(101, 107))
# A Thursday, and a leap day.
NOW = datetime(2024, 2, 29, 12, 30, 15, 999_999, tzinfo=UTC)
SETTINGS = CallerSettings(NOW, ME, UNIT, (TEAM,), report_ids=(REPORT,), report_team_ids=(REPORT_TEAM,))
SECOND = timedelta(seconds=1)

_Values = tuple[object, ...]


def found(condition: Condition, value: object, settings: CallerSettings = SETTINGS) -> bool:
    query = QueryExpression("thing", ("thingid",), filter=condition)
    records = [{"thingid": ident(1), condition.column.name: value}]
    return bool(evaluate(concrete(query, settings, CATALOG), CATALOG, {"thing": records}))


def at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def check(
    condition: Condition, first: datetime | None, last: datetime | None, settings: CallerSettings = SETTINGS
) -> None:
    assert not found(condition, None, settings)
    if first is None:
        assert found(condition, datetime(1753, 1, 1, tzinfo=UTC), settings)
    else:
        assert found(condition, first, settings)
        assert not found(condition, first - SECOND, settings)
    if last is None:
        assert found(condition, datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC), settings)
    else:
        assert found(condition, last, settings)
        assert not found(condition, last + SECOND, settings)


O = ConditionOperator  # noqa: E741 - a table of ninety rows
RANGES: list[tuple[ConditionOperator, _Values, str | None, str | None]] = [
    (O.YESTERDAY, (), "2024-02-28T00:00:00", "2024-02-28T23:59:59"),
    (O.TODAY, (), "2024-02-29T00:00:00", "2024-02-29T23:59:59"),
    (O.TOMORROW, (), "2024-03-01T00:00:00", "2024-03-01T23:59:59"),
    (O.LAST_SEVEN_DAYS, (), "2024-02-22T00:00:00", "2024-02-29T12:30:15"),
    (O.NEXT_SEVEN_DAYS, (), "2024-02-29T12:30:15", "2024-03-07T23:59:59"),
    (O.LAST_WEEK, (), "2024-02-18T00:00:00", "2024-02-24T23:59:59"),
    (O.THIS_WEEK, (), "2024-02-25T00:00:00", "2024-03-02T23:59:59"),
    (O.NEXT_WEEK, (), "2024-03-03T00:00:00", "2024-03-09T23:59:59"),
    (O.LAST_MONTH, (), "2024-01-01T00:00:00", "2024-01-31T23:59:59"),
    (O.THIS_MONTH, (), "2024-02-01T00:00:00", "2024-02-29T23:59:59"),
    (O.NEXT_MONTH, (), "2024-03-01T00:00:00", "2024-03-31T23:59:59"),
    (O.LAST_YEAR, (), "2023-01-01T00:00:00", "2023-12-31T23:59:59"),
    (O.THIS_YEAR, (), "2024-01-01T00:00:00", "2024-12-31T23:59:59"),
    (O.NEXT_YEAR, (), "2025-01-01T00:00:00", "2025-12-31T23:59:59"),
    (O.ON, (date(2023, 12, 31),), "2023-12-31T00:00:00", "2023-12-31T23:59:59"),
    (O.ON, (datetime(2023, 12, 31, 23, 59, tzinfo=UTC),), "2023-12-31T00:00:00", "2023-12-31T23:59:59"),
    (O.ON_OR_BEFORE, (date(2023, 12, 31),), None, "2023-12-31T23:59:59"),
    (O.ON_OR_AFTER, (date(2023, 12, 31),), "2023-12-31T00:00:00", None),
    (O.LAST_X_HOURS, (1,), "2024-02-29T11:00:00", "2024-02-29T12:30:15"),
    (O.NEXT_X_HOURS, (1,), "2024-02-29T12:30:15", "2024-02-29T13:59:59"),
    (O.LAST_X_DAYS, (60,), "2023-12-31T00:00:00", "2024-02-29T12:30:15"),
    (O.NEXT_X_DAYS, (1,), "2024-02-29T12:30:15", "2024-03-01T23:59:59"),
    (O.LAST_X_WEEKS, (2,), "2024-02-15T00:00:00", "2024-02-29T12:30:15"),
    (O.NEXT_X_WEEKS, (2,), "2024-02-29T12:30:15", "2024-03-14T23:59:59"),
    (O.LAST_X_MONTHS, (2,), "2023-12-29T00:00:00", "2024-02-29T12:30:15"),
    (O.NEXT_X_MONTHS, (3,), "2024-02-29T12:30:15", "2024-05-29T23:59:59"),
    (O.LAST_X_YEARS, (1,), "2023-02-28T00:00:00", "2024-02-29T12:30:15"),
    (O.NEXT_X_YEARS, (1,), "2024-02-29T12:30:15", "2025-02-28T23:59:59"),
    (O.OLDER_THAN_X_MINUTES, (31,), None, "2024-02-29T11:59:14"),
    (O.OLDER_THAN_X_HOURS, (13,), None, "2024-02-28T23:30:14"),
    (O.OLDER_THAN_X_DAYS, (60,), None, "2023-12-30T23:59:59"),
    (O.OLDER_THAN_X_WEEKS, (2,), None, "2024-02-14T23:59:59"),
    (O.OLDER_THAN_X_MONTHS, (2,), None, "2023-12-28T23:59:59"),
    (O.OLDER_THAN_X_YEARS, (1,), None, "2023-02-27T23:59:59"),
    (O.LAST_FISCAL_YEAR, (), "2023-01-01T00:00:00", "2023-12-31T23:59:59"),
    (O.THIS_FISCAL_YEAR, (), "2024-01-01T00:00:00", "2024-12-31T23:59:59"),
    (O.NEXT_FISCAL_YEAR, (), "2025-01-01T00:00:00", "2025-12-31T23:59:59"),
    (O.LAST_FISCAL_PERIOD, (), "2023-10-01T00:00:00", "2023-12-31T23:59:59"),
    (O.THIS_FISCAL_PERIOD, (), "2024-01-01T00:00:00", "2024-03-31T23:59:59"),
    (O.NEXT_FISCAL_PERIOD, (), "2024-04-01T00:00:00", "2024-06-30T23:59:59"),
    (O.LAST_X_FISCAL_YEARS, (1,), "2023-01-01T00:00:00", "2024-02-29T12:30:15"),
    (O.NEXT_X_FISCAL_YEARS, (1,), "2024-02-29T12:30:15", "2025-12-31T23:59:59"),
    (O.LAST_X_FISCAL_PERIODS, (5,), "2022-10-01T00:00:00", "2024-02-29T12:30:15"),
    (O.NEXT_X_FISCAL_PERIODS, (5,), "2024-02-29T12:30:15", "2025-06-30T23:59:59"),
    (O.IN_FISCAL_YEAR, (2023,), "2023-01-01T00:00:00", "2023-12-31T23:59:59"),
    (O.IN_FISCAL_PERIOD_AND_YEAR, (4, 2023), "2023-10-01T00:00:00", "2023-12-31T23:59:59"),
    (O.IN_OR_BEFORE_FISCAL_PERIOD_AND_YEAR, (4, 2023), None, "2023-12-31T23:59:59"),
    (O.IN_OR_AFTER_FISCAL_PERIOD_AND_YEAR, (4, 2023), "2023-10-01T00:00:00", None),
]


def test_every_operator_that_asks_for_a_time_is_in_the_tables():
    assert {operator for operator, *_ in RANGES} == DATE_OPERATORS - {O.IN_FISCAL_PERIOD}


@pytest.mark.parametrize(("operator", "values", "first", "last"), RANGES)
@pytest.mark.parametrize("name", ["seenon", "openson"])
def test_an_operator_finds_its_first_and_last_second_and_none_outside(name, operator, values, first, last):
    check(Condition(ColumnRef(name), operator, values), at(first), at(last))


BERLIN = replace(SETTINGS, time_zone="Europe/Berlin")
# The last Sunday of March has 23 hours in Berlin, the last one of October 25.
SPRING = replace(BERLIN, now=datetime(2024, 3, 31, 10, 0, tzinfo=UTC))
AUTUMN = replace(BERLIN, now=datetime(2024, 10, 27, 0, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("settings", "operator", "values", "first", "last"),
    [
        (SPRING, O.TODAY, (), "2024-03-30T23:00:00", "2024-03-31T21:59:59"),
        (SPRING, O.YESTERDAY, (), "2024-03-29T23:00:00", "2024-03-30T22:59:59"),
        (SPRING, O.TOMORROW, (), "2024-03-31T22:00:00", "2024-04-01T21:59:59"),
        (SPRING, O.LAST_X_DAYS, (1,), "2024-03-29T23:00:00", "2024-03-31T10:00:00"),
        (SPRING, O.LAST_X_HOURS, (11,), "2024-03-30T23:00:00", "2024-03-31T10:00:00"),
        (SPRING, O.THIS_MONTH, (), "2024-02-29T23:00:00", "2024-03-31T21:59:59"),
        (SPRING, O.ON, (date(2024, 3, 31),), "2024-03-30T23:00:00", "2024-03-31T21:59:59"),
        (SPRING, O.ON, (datetime(2024, 3, 30, 23, tzinfo=UTC),), "2024-03-30T23:00:00", "2024-03-31T21:59:59"),
        (AUTUMN, O.TODAY, (), "2024-10-26T22:00:00", "2024-10-27T22:59:59"),
        (AUTUMN, O.LAST_X_HOURS, (1,), "2024-10-26T23:00:00", "2024-10-27T00:30:00"),
        (AUTUMN, O.NEXT_X_HOURS, (2,), "2024-10-27T00:30:00", "2024-10-27T02:59:59"),
        (AUTUMN, O.OLDER_THAN_X_HOURS, (3,), None, "2024-10-26T21:29:59"),
        (AUTUMN, O.THIS_WEEK, (), "2024-10-26T22:00:00", "2024-11-02T22:59:59"),
        (
            replace(SETTINGS, time_zone="Asia/Kolkata"),
            O.LAST_X_HOURS,
            (1,),
            "2024-02-29T11:30:00",
            "2024-02-29T12:30:15",
        ),
        # Half an hour before midnight, it is tomorrow in Berlin, and a new fiscal year.
        (
            replace(BERLIN, now=datetime(2023, 12, 31, 23, 30, tzinfo=UTC)),
            O.THIS_FISCAL_YEAR,
            (),
            "2023-12-31T23:00:00",
            "2024-12-31T22:59:59",
        ),
        (replace(SETTINGS, week_start=1), O.THIS_WEEK, (), "2024-02-26T00:00:00", "2024-03-03T23:59:59"),
        (replace(SETTINGS, week_start=4), O.THIS_WEEK, (), "2024-02-29T00:00:00", "2024-03-06T23:59:59"),
        (replace(SETTINGS, week_start=5), O.LAST_WEEK, (), "2024-02-16T00:00:00", "2024-02-22T23:59:59"),
        (
            replace(SETTINGS, now=datetime(2023, 1, 30, tzinfo=UTC)),
            O.NEXT_X_MONTHS,
            (1,),
            "2023-01-30T00:00:00",
            "2023-02-28T23:59:59",
        ),
        (
            replace(SETTINGS, now=datetime(2023, 3, 31, tzinfo=UTC)),
            O.LAST_X_MONTHS,
            (1,),
            "2023-02-28T00:00:00",
            "2023-03-31T00:00:00",
        ),
        (
            replace(SETTINGS, now=datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC)),
            O.NEXT_MONTH,
            (),
            "2024-01-01T00:00:00",
            "2024-01-31T23:59:59",
        ),
        (
            replace(SETTINGS, now=datetime(2024, 1, 1, tzinfo=UTC)),
            O.LAST_WEEK,
            (),
            "2023-12-24T00:00:00",
            "2023-12-30T23:59:59",
        ),
    ],
)
def test_the_callers_zone_and_week_decide_where_days_and_weeks_begin(settings, operator, values, first, last):
    check(Condition(ColumnRef("seenon"), operator, values), at(first), at(last), settings)


@pytest.mark.parametrize(
    ("operator", "values", "first", "last"),
    [
        (O.TODAY, (), "2024-03-01", "2024-03-01"),
        (O.YESTERDAY, (), "2024-02-29", "2024-02-29"),
        (O.LAST_X_DAYS, (1,), "2024-02-29", "2024-03-01"),
        (O.NEXT_X_DAYS, (1,), "2024-03-02", "2024-03-02"),
        (O.NEXT_SEVEN_DAYS, (), "2024-03-02", "2024-03-08"),
        (O.OLDER_THAN_X_DAYS, (1,), None, "2024-02-28"),
        (O.OLDER_THAN_X_HOURS, (1,), None, "2024-02-29"),
        (O.LAST_X_HOURS, (1,), "2024-03-01", "2024-03-01"),
        (O.ON_OR_BEFORE, (datetime(2024, 3, 1, 23, tzinfo=UTC),), None, "2024-03-01"),
        (O.THIS_WEEK, (), "2024-02-25", "2024-03-02"),
    ],
)
def test_a_date_without_time_is_compared_with_the_callers_date(operator, values, first, last):
    # In Berlin it is March already.
    settings = replace(BERLIN, now=datetime(2024, 2, 29, 23, 15, tzinfo=UTC))
    condition = Condition(ColumnRef("bornon"), operator, values)
    day = timedelta(days=1)
    begin = date.fromisoformat(first) if first else None
    end = date.fromisoformat(last)
    assert found(condition, begin or date(1753, 1, 1), settings)
    assert found(condition, end, settings)
    assert not found(condition, end + day, settings)
    assert begin is None or not found(condition, begin - day, settings)


def test_no_day_is_sought_behind_the_last_one_that_there_is():
    settings = replace(BERLIN, now=datetime(9999, 12, 31, 12, 0, tzinfo=UTC))
    condition = Condition(ColumnRef("bornon"), O.NEXT_X_DAYS, (1,))
    assert not found(condition, date(9999, 12, 30), settings)


def test_a_date_time_without_zone_is_local_time_everywhere():
    evening = Condition(ColumnRef("openson"), O.TODAY)
    tokyo = replace(SETTINGS, time_zone="Asia/Tokyo", now=datetime(2024, 2, 29, 16, 0, tzinfo=UTC))
    check(evening, at("2024-03-01T00:00:00"), at("2024-03-01T23:59:59"), tokyo)


APRIL = FiscalSettings(date(2020, 4, 6), PeriodType.QUARTERLY)
BY_END = replace(APRIL, named_by_end=True)
WEEKS = replace(APRIL, period_type=PeriodType.FOUR_WEEKS)


@pytest.mark.parametrize(
    ("fiscal", "operator", "values", "first", "last"),
    [
        (APRIL, O.THIS_FISCAL_YEAR, (), "2023-04-06", "2024-04-05"),
        (APRIL, O.IN_FISCAL_YEAR, (2023,), "2023-04-06", "2024-04-05"),
        (BY_END, O.IN_FISCAL_YEAR, (2023,), "2022-04-06", "2023-04-05"),
        (BY_END, O.THIS_FISCAL_PERIOD, (), "2024-01-06", "2024-04-05"),
        (APRIL, O.LAST_FISCAL_PERIOD, (), "2023-10-06", "2024-01-05"),
        (APRIL, O.NEXT_FISCAL_PERIOD, (), "2024-04-06", "2024-07-05"),
        (APRIL, O.IN_FISCAL_PERIOD_AND_YEAR, (1, 2024), "2024-04-06", "2024-07-05"),
        (replace(APRIL, period_type=PeriodType.ANNUALLY), O.THIS_FISCAL_PERIOD, (), "2023-04-06", "2024-04-05"),
        (replace(APRIL, period_type=PeriodType.SEMIANNUALLY), O.THIS_FISCAL_PERIOD, (), "2023-10-06", "2024-04-05"),
        (replace(APRIL, period_type=PeriodType.MONTHLY), O.THIS_FISCAL_PERIOD, (), "2024-02-06", "2024-03-05"),
        (WEEKS, O.IN_FISCAL_PERIOD_AND_YEAR, (1, 2023), "2023-04-06", "2023-05-03"),
        # The thirteenth period takes what is left of the year, two days in a leap year.
        (WEEKS, O.IN_FISCAL_PERIOD_AND_YEAR, (13, 2023), "2024-03-07", "2024-04-05"),
        (WEEKS, O.THIS_FISCAL_PERIOD, (), "2024-02-08", "2024-03-06"),
        (FiscalSettings(date(2020, 2, 29)), O.IN_FISCAL_YEAR, (2023,), "2023-02-28", "2024-02-28"),
    ],
)
def test_fiscal_years_and_periods_follow_the_organizations_settings(fiscal, operator, values, first, last):
    settings = replace(SETTINGS, fiscal=fiscal)
    begin, end = at(f"{first}T00:00:00"), at(f"{last}T23:59:59")
    check(Condition(ColumnRef("seenon"), operator, values), begin, end, settings)


@pytest.mark.parametrize(
    ("fiscal", "number", "day", "expected"),
    [
        (FiscalSettings(), 1, "2019-03-31", True),
        (FiscalSettings(), 1, "1871-01-01", True),
        (FiscalSettings(), 1, "2019-04-01", False),
        (APRIL, 4, "2024-04-05", True),
        (APRIL, 4, "2024-04-06", False),
        (WEEKS, 13, "2024-04-05", True),
        (WEEKS, 1, "2024-04-06", True),
    ],
)
def test_a_fiscal_period_of_any_year_is_found_in_every_year(fiscal, number, day, expected):
    settings = replace(SETTINGS, fiscal=fiscal)
    wanted = (Condition(ColumnRef(name), O.IN_FISCAL_PERIOD, (number,)) for name in ("bornon", "seenon"))
    dated, timed = wanted
    assert found(dated, date.fromisoformat(day), settings) is expected
    assert found(timed, at(f"{day}T23:59:59"), settings) is expected
    assert not found(timed, None, settings)


def test_a_fiscal_period_counts_in_the_callers_zone():
    condition = Condition(ColumnRef("seenon"), O.IN_FISCAL_PERIOD, (2,))
    assert found(condition, at("2024-03-31T22:00:00"), BERLIN)
    assert not found(condition, at("2024-03-31T22:00:00"))


OWNERS = [EntityReference("systemuser", ident) for ident in (ME, REPORT, OTHER)]
OWNERS += [EntityReference("team", ident) for ident in (TEAM, REPORT_TEAM)]


@pytest.mark.parametrize(
    ("operator", "owners"),
    [
        (O.EQUAL_USER, {ME}),
        (O.NOT_EQUAL_USER, {REPORT, OTHER, TEAM, REPORT_TEAM}),
        (O.EQUAL_USER_TEAMS, {TEAM}),
        (O.EQUAL_USER_OR_TEAMS, {ME, TEAM}),
        (O.EQUAL_USER_OR_HIERARCHY, {ME, REPORT}),
        (O.EQUAL_USER_OR_HIERARCHY_AND_TEAMS, {ME, TEAM, REPORT, REPORT_TEAM}),
    ],
)
def test_the_caller_is_found_among_owners(operator, owners):
    condition = Condition(ColumnRef("ownerid"), operator)
    assert {owner.id for owner in OWNERS if found(condition, owner)} == owners


def test_business_unit_and_language_of_the_caller_are_compared():
    mine, other = EntityReference("businessunit", UNIT), EntityReference("businessunit", OTHER)
    assert [found(Condition(ColumnRef("unit"), O.EQUAL_BUSINESS), unit) for unit in (mine, other)] == [True, False]
    assert [found(Condition(ColumnRef("unit"), O.NOT_EQUAL_BUSINESS), unit) for unit in (mine, other)] == [False, True]
    assert [found(Condition(ColumnRef("language"), O.EQUAL_USER_LANGUAGE), code) for code in (1033, 1031)] == [
        True,
        False,
    ]


def test_nobody_is_in_no_team():
    assert not found(Condition(ColumnRef("ownerid"), O.EQUAL_USER_TEAMS), OWNERS[0], replace(SETTINGS, team_ids=()))


@pytest.mark.parametrize(
    ("operator", "name", "values", "code"),
    [
        (O.LAST_X_DAYS, "seenon", (0,), "0x8004110c"),
        (O.NEXT_X_FISCAL_YEARS, "seenon", (-1,), "0x8004110c"),
        (O.OLDER_THAN_X_MINUTES, "seenon", (0,), "0x8004110c"),
        (O.LAST_X_DAYS, "seenon", ("7",), "0x80041108"),
        (O.LAST_X_DAYS, "seenon", (True,), "0x80041108"),
        (O.LAST_X_DAYS, "seenon", (), "0x80041108"),
        (O.TODAY, "seenon", (1,), "0x80041108"),
        (O.ON, "seenon", ("2024-01-01",), "0x80041108"),
        (O.IN_FISCAL_PERIOD, "seenon", (5,), "0x80044814"),
        (O.IN_FISCAL_PERIOD, "seenon", (0,), "0x80044814"),
        (O.IN_OR_AFTER_FISCAL_PERIOD_AND_YEAR, "seenon", (13, 2024), "0x80044814"),
        (O.TODAY, "name", (), "0x80041106"),
        (O.EQUAL_USER, "name", (), "0x80041106"),
        (O.EQUAL_USER_OR_HIERARCHY_AND_TEAMS, "seenon", (), "0x80041106"),
        (O.NOT_EQUAL_BUSINESS, "language", (), "0x80041106"),
        (O.EQUAL_USER_LANGUAGE, "ownerid", (), "0x80041106"),
        (O.IN_FISCAL_YEAR, "language", (2024,), "0x80041106"),
        (O.LIKE, "language", ("1%",), "0x80041106"),
        (O.CONTAIN_VALUES, "language", (1,), "0x80041106"),
        (O.UNDER, "name", (str(ME),), "0x80041106"),
        (O.UNDER, "ownerid", (str(ME),), "0x80047020"),
        (O.UNDER, "parent", ("nobody",), "0x80041108"),
    ],
)
def test_what_an_operator_cannot_do_is_refused(operator, name, values, code):
    query = QueryExpression("thing", filter=Condition(ColumnRef(name), operator, values))
    with pytest.raises(InvalidArgument) as refused:
        concrete(query, SETTINGS, CATALOG)
    assert refused.value.code == code


@pytest.mark.parametrize("operator", [o for o, values, *_ in RANGES if "-x-" in o.value and values])
def test_a_huge_number_of_units_reaches_the_end_of_time(operator):
    condition = Condition(ColumnRef("seenon"), operator, (2**63 - 1,))
    assert found(condition, datetime(1753, 1, 1, tzinfo=UTC)) is operator.value.startswith("last")
    assert found(condition, datetime(9999, 12, 29, tzinfo=UTC)) is operator.value.startswith("next")


def test_relative_conditions_are_found_and_replaced_wherever_they_stand():
    today = Condition(ColumnRef("seenon", "child"), O.TODAY)
    link = LinkEntity("child", "thing", "parent", "thingid", filter=today)
    nested = QueryExpression("thing", filter=Not(Or((Exists(link),))), links=(replace(link, alias="child"),))
    assert is_relative(nested)
    assert not is_relative(concrete(nested, SETTINGS, CATALOG))
    assert not is_relative(QueryExpression("thing", filter=Condition(ColumnRef("name"), O.EQUAL, ("today",))))


@pytest.mark.parametrize(("operator", "values"), [*((o, v) for o, v, *_ in RANGES), (O.IN_FISCAL_PERIOD, (1,))])
def test_what_is_concrete_stays_as_it_is(operator, values):
    query = QueryExpression("thing", filter=Condition(ColumnRef("seenon"), operator, values))
    resolved = concrete(query, SETTINGS, CATALOG)
    assert resolved != query
    assert concrete(resolved, replace(BERLIN, fiscal=WEEKS), CATALOG) == resolved


def test_a_relative_condition_that_was_not_replaced_is_a_fault():
    for operator in RELATIVE - {O.IN_FISCAL_PERIOD}:
        query = QueryExpression("thing", filter=Condition(ColumnRef("seenon"), operator, (1, 1)))
        with pytest.raises(EngineFault, match=operator.value):
            evaluate(query, CATALOG, {"thing": [{"thingid": ident(1), "seenon": NOW}]})


#      1
#     / \
#    2   3     8 stands alone
#   / \
#  4   5
PARENTS = {2: 1, 3: 1, 4: 2, 5: 2}
TREE_ROWS = [
    {"thingid": ident(n), "parent": EntityReference("thing", ident(PARENTS[n])) if n in PARENTS else None}
    for n in (1, 2, 3, 4, 5, 8)
]


@pytest.mark.parametrize(
    ("operator", "start", "things"),
    [
        (O.UNDER, 1, {2, 3, 4, 5}),
        (O.UNDER, 2, {4, 5}),
        (O.UNDER, 8, set()),
        (O.UNDER, 99, set()),
        (O.EQUAL_OR_UNDER, 2, {2, 4, 5}),
        (O.NOT_UNDER, 2, {1, 2, 3, 8}),
        (O.ABOVE, 4, {1, 2}),
        (O.ABOVE, 1, set()),
        (O.EQUAL_OR_ABOVE, 4, {1, 2, 4}),
    ],
)
def test_a_hierarchy_is_walked_up_and_down(operator, start, things):
    query = QueryExpression("thing", filter=Condition(ColumnRef("thingid"), operator, (ident(start),)))
    rows = evaluate(concrete(query, SETTINGS, CATALOG), CATALOG, {"thing": TREE_ROWS})
    assert {row["thingid"] for row in rows} == {ident(n) for n in things}


def test_a_lookup_into_a_hierarchy_is_asked_the_same_way():
    query = QueryExpression("thing", filter=Condition(ColumnRef("parent"), O.EQUAL_OR_UNDER, (ident(2),)))
    rows = evaluate(query, CATALOG, {"thing": TREE_ROWS})
    assert {row["thingid"] for row in rows} == {ident(4), ident(5)}


@pytest.mark.parametrize(
    ("operator", "values", "value", "expected"),
    [
        (O.CONTAIN_VALUES, (1,), ChoiceSet((1, 3)), True),
        (O.CONTAIN_VALUES, (2,), ChoiceSet((1, 3)), False),
        (O.CONTAIN_VALUES, (2, 3), ChoiceSet((1, 3)), True),
        (O.CONTAIN_VALUES, (1,), ChoiceSet((11,)), False),
        (O.CONTAIN_VALUES, (), ChoiceSet((1,)), False),
        (O.CONTAIN_VALUES, (1,), None, False),
        (O.NOT_CONTAIN_VALUES, (1,), ChoiceSet((1, 3)), False),
        (O.NOT_CONTAIN_VALUES, (2,), ChoiceSet((1, 3)), True),
        (O.NOT_CONTAIN_VALUES, (2,), None, True),
    ],
)
def test_choices_are_asked_for_any_of_several_options(operator, values, value, expected):
    assert found(Condition(ColumnRef("palette"), operator, values), value) is expected


FETCH_NAMES = """
eq neq ne gt ge le lt like not-like in not-in between not-between null not-null yesterday today tomorrow
last-seven-days next-seven-days last-week this-week next-week last-month this-month next-month on on-or-before
on-or-after last-year this-year next-year last-x-hours next-x-hours last-x-days next-x-days last-x-weeks
next-x-weeks last-x-months next-x-months olderthan-x-months olderthan-x-years olderthan-x-weeks
olderthan-x-days olderthan-x-hours olderthan-x-minutes last-x-years next-x-years eq-userid ne-userid
eq-userteams eq-useroruserteams eq-useroruserhierarchy eq-useroruserhierarchyandteams eq-businessid
ne-businessid eq-userlanguage this-fiscal-year this-fiscal-period next-fiscal-year next-fiscal-period
last-fiscal-year last-fiscal-period last-x-fiscal-years last-x-fiscal-periods next-x-fiscal-years
next-x-fiscal-periods in-fiscal-year in-fiscal-period in-fiscal-period-and-year
in-or-before-fiscal-period-and-year in-or-after-fiscal-period-and-year begins-with not-begin-with ends-with
not-end-with under eq-or-under not-under above eq-or-above contain-values not-contain-values
"""


def test_the_operators_are_those_of_fetchxml():
    names = FETCH_NAMES.split()
    assert len(names) == 83
    known = {ConditionOperator(name) for name in names}
    assert set(ConditionOperator) - known == {O.CONTAINS, O.NOT_CONTAINS, O.HAS}
    with pytest.raises(ValueError, match="last-x-moons"):
        ConditionOperator("last-x-moons")


SHADES = Choice("shade", (Option(1, label("Green", nl="Zeegroen")), Option(2, label("Red", nl="Rood"))))
PAINTING = replace(THING, columns=(*THING.columns, column("Shade", ChoiceType(SHADES))))
PAINTINGS = catalog(1, (PAINTING,), (TREE,))


@pytest.mark.parametrize(("language", "expected"), [(1033, [1, 2]), (1043, [2, 1]), (1053, [1, 2])])
def test_a_choice_sorts_by_its_labels_in_the_callers_language(language, expected):
    query = QueryExpression("thing", orders=(Order(ColumnRef("shade"), labels=CALLERS_LANGUAGE),))
    assert is_relative(query)
    found = concrete(query, replace(SETTINGS, language=language), PAINTINGS)
    assert found.orders == (Order(ColumnRef("shade"), labels=language),)
    assert not is_relative(found)
    things = [{"thingid": ident(n), "shade": n} for n in (1, 2)]
    assert [row["shade"] for row in evaluate(found, PAINTINGS, {"thing": things})] == expected


def test_an_order_by_number_has_no_language():
    query = QueryExpression("thing", orders=(Order(ColumnRef("shade")),))
    assert not is_relative(query)
    assert concrete(query, SETTINGS, PAINTINGS) == query
