"""Grouped queries: what columns their rows have, what may be grouped and aggregated, and the parts of a date.

Learn: "Aggregate data using FetchXml". The SQL compiler and `evaluate` share these decisions; each computes the values
in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, assert_never

from entities.errors import InvalidArgument
from entities.metadata.catalog import Catalog
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    EntityNameType,
    FileType,
    ImageType,
    IntegerType,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.tables import Table
from entities.query import (
    Aggregate,
    AggregateFunction,
    ColumnRef,
    DateGrouping,
    Group,
    GroupCalendar,
    LinkEntity,
    QueryExpression,
)
from entities.relative.fiscal import period_of, year_of
from entities.relative.settings import CallerSettings, FiscalSettings, PeriodType
from entities.time_zones import zone_info

AGGREGATE_LIMIT: Final = 50_000
"""Records that an aggregated query may read (Learn: "Aggregate data using FetchXml", limitations)."""

RESULT_DIGITS: Final = 9
"""Digits after the point of an aggregated amount (Learn: "Aggregate data using OData", the examples)."""

FISCAL_PERIODS_PER_NUMBER: Final = 100
"""A fiscal period is numbered year times this, plus the period."""

FISCAL: Final = frozenset({DateGrouping.FISCAL_PERIOD, DateGrouping.FISCAL_YEAR})

_EXACT: Final = (IntegerType, BigIntType, DecimalType, MoneyType)
_NUMBERS: Final = (*_EXACT, DoubleType)

_TYPE_NAMES: Final[Mapping[type[ColumnType], str]] = {
    UniqueIdentifierType: "Uniqueidentifier",
    StringType: "String",
    MemoType: "Memo",
    IntegerType: "Integer",
    BigIntType: "BigInt",
    DecimalType: "Decimal",
    DoubleType: "Double",
    MoneyType: "Money",
    BooleanType: "Boolean",
    DateTimeType: "DateTime",
    ChoiceType: "Picklist",
    MultiChoiceType: "MultiSelectPicklist",
    StateType: "State",
    StatusType: "Status",
    LookupType: "Lookup",
    EntityNameType: "EntityName",
    ManagedPropertyType: "ManagedProperty",
    FileType: "File",
    ImageType: "Image",
}
_FUNCTION_NAMES: Final[Mapping[AggregateFunction, str]] = {
    AggregateFunction.COUNT: "Count",
    AggregateFunction.COUNT_COLUMN: "CountColumn",
    AggregateFunction.SUM: "Sum",
    AggregateFunction.AVERAGE: "Avg",
    AggregateFunction.MINIMUM: "Min",
    AggregateFunction.MAXIMUM: "Max",
}
_PERIOD_NAMES: Final[Mapping[PeriodType, str]] = {
    PeriodType.ANNUALLY: "Year",
    PeriodType.SEMIANNUALLY: "Semester",
    PeriodType.QUARTERLY: "Quarter",
    PeriodType.MONTHLY: "Month",
    PeriodType.FOUR_WEEKS: "Period",
}


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of the rows of a grouped query.

    `type` is that of the values in the result, `source` the column they are made of (None where records are counted).
    `is_exact` marks numbers that are aggregated without rounding errors; they are Decimals, whole ones too.
    """

    alias: str
    type: ColumnType
    made_of: Group | Aggregate
    source: Column | None = None
    is_exact: bool = False


def result_columns(catalog: Catalog, query: QueryExpression) -> tuple[ResultColumn, ...]:
    """Return the columns of a grouped query's rows: the groups, then the aggregates.

    Raises:
        InvalidArgument: a column cannot be grouped (0x80050224, 0x8004e01d) or aggregated that way (0x8004112f), an
            alias stands for two columns (0x80041109), or an order names no alias (0x80041131).
    """
    tables = dict(_aliases(catalog, query.links), **{"": catalog.tables[query.table]})
    found = (
        *(_grouped(group, _source(tables, group.column)) for group in query.groups),
        *(_aggregated(a, _source(tables, a.column) if a.column else None) for a in query.aggregates),
    )
    names = {column.alias for column in found}
    # Databases do not tell names apart by case.
    if len({name.lower() for name in names}) < len(found) or "" in names:
        raise InvalidArgument("Invalid alias for aggregate operation.", code="0x80041109")
    if any(order.column.name not in names or order.column.alias for order in query.orders):
        raise InvalidArgument(
            "An attribute cannot be specified for an order clause for an aggregate Query. Use an alias.",
            code="0x80041131",
        )
    return found


def result_table(catalog: Catalog, query: QueryExpression, columns: tuple[ResultColumn, ...]) -> Table:
    """Return the table that the rows of a grouped query would be the records of."""
    declared = [Column(column.alias, column.type, column.alias) for column in columns]
    declared += [Column(name, StringType(), name) for name in map(shown_name, fiscal_aliases(query))]
    return replace(catalog.tables[query.table], columns=tuple(declared))


def fiscal_aliases(query: QueryExpression) -> tuple[str, ...]:
    """Return the groups that have a display text beside their number."""
    return tuple(group.alias for group in query.groups if group.date_grouping in FISCAL)


def _aliases(catalog: Catalog, links: tuple[LinkEntity, ...]) -> Iterator[tuple[str, Table]]:
    for link in links:
        yield link.alias, catalog.tables[link.table]
        yield from _aliases(catalog, link.links)


def _source(tables: Mapping[str, Table], ref: ColumnRef) -> Column:
    column = tables[ref.alias].by_name[ref.name]
    return replace(column, type=EntityNameType()) if ref.part == "table" else column


def _grouped(group: Group, source: Column) -> ResultColumn:
    type_: ColumnType
    match source.type:
        case MultiChoiceType():
            raise InvalidArgument(
                "GroupBy or OrderBy Query is not supported for MultiSelectPickList Attribute Type.", code="0x80050224"
            )
        case FileType() | ImageType():
            raise InvalidArgument("Group by not allowed on the attribute.", code="0x8004e01d")
        case DateTimeType():
            type_ = source.type if group.date_grouping is None else IntegerType()
        case _ if group.date_grouping is not None:
            raise InvalidArgument("Group by not allowed on the attribute.", code="0x8004e01d")
        case _:
            type_ = source.type
    return ResultColumn(group.alias, type_, group, source)


def _aggregated(aggregate: Aggregate, source: Column | None) -> ResultColumn:
    match aggregate.function:
        case AggregateFunction.COUNT:
            return ResultColumn(aggregate.alias, IntegerType(), aggregate, source)
        case AggregateFunction.COUNT_COLUMN if source is not None:
            return ResultColumn(aggregate.alias, IntegerType(), aggregate, source)
        case AggregateFunction.SUM | AggregateFunction.AVERAGE:
            allowed: tuple[type, ...] = _NUMBERS
        case _:
            allowed = (*_NUMBERS, DateTimeType)
    if source is None or not isinstance(source.type, allowed):
        kind = "None" if source is None else _TYPE_NAMES[type(source.type)]
        raise InvalidArgument(
            f"Aggregate {_FUNCTION_NAMES[aggregate.function]} is not supported for attribute of type {kind}.",
            code="0x8004112f",
        )
    return ResultColumn(
        aggregate.alias, _aggregated_type(source.type), aggregate, source, isinstance(source.type, _EXACT)
    )


def result_digits(type_: ColumnType) -> int:
    """Return the digits after the point of an aggregated exact number, by the type of the column."""
    match type_:
        case MoneyType():
            return RESULT_DIGITS
        case DecimalType(precision=digits):
            return max(digits, RESULT_DIGITS)
        case _:
            return 0


def _aggregated_type(type_: ColumnType) -> ColumnType:
    match type_:
        case MoneyType() | DecimalType() | IntegerType() | BigIntType():
            return DecimalType(result_digits(type_))
        case _:
            return type_


def limit_exceeded() -> InvalidArgument:
    """Return the refusal of a query that aggregates too many records."""
    return InvalidArgument("The maximum record limit is exceeded. Reduce the number of records.", code="0x8004e023")


def record_limit(query: QueryExpression) -> int:
    """Return how many records a query may aggregate; a limit of its own can only be lower."""
    return min(query.aggregate_limit or AGGREGATE_LIMIT, AGGREGATE_LIMIT)


def zone_of(group: Group, type_: ColumnType) -> str:
    """Return the time zone whose dates a date grouping goes by: only instants have one."""
    is_instant = isinstance(type_, DateTimeType) and type_.behavior is DateTimeBehavior.USER_LOCAL
    return group.calendar.time_zone if is_instant and group.user_time_zone else "UTC"


def local_date(value: date, zone: str) -> date:
    """Return the date of an instant in a time zone; a date is its own."""
    return value.astimezone(zone_info(zone)).date() if isinstance(value, datetime) else value


def date_part(grouping: DateGrouping, day: date, calendar: GroupCalendar) -> int:
    """Return the number of the group that a day belongs to.

    Weeks count from the one that 1 January lies in and begin on Sunday, as SQL Server counts them. A fiscal period is
    numbered `year * 100 + period`, because groups of different years are different groups.
    """
    match grouping:
        case DateGrouping.DAY:
            return day.day
        case DateGrouping.WEEK:
            first_weekday = (date(day.year, 1, 1).weekday() + 1) % 7
            return (day.timetuple().tm_yday - 1 + first_weekday) // 7 + 1
        case DateGrouping.MONTH:
            return day.month
        case DateGrouping.QUARTER:
            return (day.month + 2) // 3
        case DateGrouping.YEAR:
            return day.year
        case DateGrouping.FISCAL_YEAR:
            return year_of(_fiscal(calendar), day)
        case DateGrouping.FISCAL_PERIOD:
            fiscal = _fiscal(calendar)
            return year_of(fiscal, day) * FISCAL_PERIODS_PER_NUMBER + period_of(fiscal, day)
        case _:
            assert_never(grouping)


def fiscal_text(grouping: DateGrouping, number: int, calendar: GroupCalendar) -> str:
    """Return the display text of a fiscal group: `FY2023`, `Quarter 1 FY2023`."""
    if grouping is DateGrouping.FISCAL_YEAR:
        return f"FY{number}"
    year, period = divmod(number, FISCAL_PERIODS_PER_NUMBER)
    return f"{_PERIOD_NAMES[PeriodType(calendar.fiscal_period_type)]} {period} FY{year}"


def _fiscal(calendar: GroupCalendar) -> FiscalSettings:
    return FiscalSettings(
        calendar.fiscal_start, PeriodType(calendar.fiscal_period_type), named_by_end=calendar.fiscal_named_by_end
    )


def shown_name(alias: str) -> str:
    """Return the name under which the display text of a fiscal group stands beside its number."""
    return f"{alias}$shown"


def has_dates(query: QueryExpression) -> bool:
    """Say whether a query groups by parts of a date, so that the caller's calendar matters."""
    return any(group.date_grouping is not None for group in query.groups)


def with_calendar(query: QueryExpression, settings: CallerSettings) -> QueryExpression:
    """Return the query grouped by the caller's calendar."""
    fiscal = settings.fiscal
    calendar = GroupCalendar(settings.time_zone, fiscal.start, int(fiscal.period_type), fiscal.named_by_end)
    return replace(query, groups=tuple(replace(group, calendar=calendar) for group in query.groups))
