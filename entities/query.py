"""`QueryExpression`: the one form of every query.

OData v4 and v2, FetchXML, saved queries and SQL are spellings of this value; the SQL compiler, a virtual-table
provider and `evaluate.py` are ways to run it. The shape follows the Dataverse SDK's QueryExpression (Learn: "Build
queries with QueryExpression"), with columns of linked tables named by alias.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeAlias

from entities.values import Value


class ConditionOperator(Enum):
    """Condition operators by their FetchXML names (Learn: "Condition operators").

    `contains` and `has` (all flags of the value are set) are OData's alone.
    """

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER_THAN = "gt"
    GREATER_EQUAL = "ge"
    LESS_THAN = "lt"
    LESS_EQUAL = "le"
    LIKE = "like"
    NOT_LIKE = "not-like"
    CONTAINS = "contains"
    NOT_CONTAINS = "not-contains"
    BEGINS_WITH = "begins-with"
    NOT_BEGINS_WITH = "not-begin-with"
    ENDS_WITH = "ends-with"
    NOT_ENDS_WITH = "not-end-with"
    IN = "in"
    NOT_IN = "not-in"
    BETWEEN = "between"
    NOT_BETWEEN = "not-between"
    NULL = "null"
    NOT_NULL = "not-null"
    CONTAIN_VALUES = "contain-values"
    NOT_CONTAIN_VALUES = "not-contain-values"
    HAS = "has"
    ABOVE = "above"
    EQUAL_OR_ABOVE = "eq-or-above"
    UNDER = "under"
    EQUAL_OR_UNDER = "eq-or-under"
    NOT_UNDER = "not-under"
    EQUAL_USER = "eq-userid"
    NOT_EQUAL_USER = "ne-userid"
    EQUAL_USER_TEAMS = "eq-userteams"
    EQUAL_USER_OR_TEAMS = "eq-useroruserteams"
    EQUAL_USER_OR_HIERARCHY = "eq-useroruserhierarchy"
    EQUAL_USER_OR_HIERARCHY_AND_TEAMS = "eq-useroruserhierarchyandteams"
    EQUAL_BUSINESS = "eq-businessid"
    NOT_EQUAL_BUSINESS = "ne-businessid"
    EQUAL_USER_LANGUAGE = "eq-userlanguage"
    YESTERDAY = "yesterday"
    TODAY = "today"
    TOMORROW = "tomorrow"
    LAST_SEVEN_DAYS = "last-seven-days"
    NEXT_SEVEN_DAYS = "next-seven-days"
    LAST_WEEK = "last-week"
    THIS_WEEK = "this-week"
    NEXT_WEEK = "next-week"
    LAST_MONTH = "last-month"
    THIS_MONTH = "this-month"
    NEXT_MONTH = "next-month"
    LAST_YEAR = "last-year"
    THIS_YEAR = "this-year"
    NEXT_YEAR = "next-year"
    ON = "on"
    ON_OR_BEFORE = "on-or-before"
    ON_OR_AFTER = "on-or-after"
    LAST_X_HOURS = "last-x-hours"
    NEXT_X_HOURS = "next-x-hours"
    LAST_X_DAYS = "last-x-days"
    NEXT_X_DAYS = "next-x-days"
    LAST_X_WEEKS = "last-x-weeks"
    NEXT_X_WEEKS = "next-x-weeks"
    LAST_X_MONTHS = "last-x-months"
    NEXT_X_MONTHS = "next-x-months"
    LAST_X_YEARS = "last-x-years"
    NEXT_X_YEARS = "next-x-years"
    OLDER_THAN_X_MINUTES = "olderthan-x-minutes"
    OLDER_THAN_X_HOURS = "olderthan-x-hours"
    OLDER_THAN_X_DAYS = "olderthan-x-days"
    OLDER_THAN_X_WEEKS = "olderthan-x-weeks"
    OLDER_THAN_X_MONTHS = "olderthan-x-months"
    OLDER_THAN_X_YEARS = "olderthan-x-years"
    LAST_FISCAL_YEAR = "last-fiscal-year"
    THIS_FISCAL_YEAR = "this-fiscal-year"
    NEXT_FISCAL_YEAR = "next-fiscal-year"
    LAST_FISCAL_PERIOD = "last-fiscal-period"
    THIS_FISCAL_PERIOD = "this-fiscal-period"
    NEXT_FISCAL_PERIOD = "next-fiscal-period"
    LAST_X_FISCAL_YEARS = "last-x-fiscal-years"
    NEXT_X_FISCAL_YEARS = "next-x-fiscal-years"
    LAST_X_FISCAL_PERIODS = "last-x-fiscal-periods"
    NEXT_X_FISCAL_PERIODS = "next-x-fiscal-periods"
    IN_FISCAL_YEAR = "in-fiscal-year"
    IN_FISCAL_PERIOD = "in-fiscal-period"
    IN_FISCAL_PERIOD_AND_YEAR = "in-fiscal-period-and-year"
    IN_OR_BEFORE_FISCAL_PERIOD_AND_YEAR = "in-or-before-fiscal-period-and-year"
    IN_OR_AFTER_FISCAL_PERIOD_AND_YEAR = "in-or-after-fiscal-period-and-year"

    @classmethod
    def _missing_(cls, value: object) -> ConditionOperator | None:
        # FetchXML spells it both ways.
        return cls.NOT_EQUAL if value == "neq" else None


class ComparisonOperator(Enum):
    """Operators between two columns of a row (Learn: "Column comparison")."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER_THAN = "gt"
    GREATER_EQUAL = "ge"
    LESS_THAN = "lt"
    LESS_EQUAL = "le"


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column of the query's table (`alias` empty) or of a linked one.

    Over a lookup, `part` "table" means the logical name of the referenced table and, in an order, "id" the id where the
    record's name would count.
    """

    name: str
    alias: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A column, an operator and its values (none for NULL, one for EQUAL, any number for IN)."""

    column: ColumnRef
    operator: ConditionOperator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnComparison:
    """Two columns compared with one another."""

    left: ColumnRef
    operator: ComparisonOperator
    right: ColumnRef


@dataclass(frozen=True, slots=True)
class And:
    """All of the filters; an empty one is true."""

    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the filters; an empty one is false."""

    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite in two-valued logic: rows for which the filter is not true."""

    filter: Filter


@dataclass(frozen=True, slots=True)
class Exists:
    """Rows that have at least one linked record (lambda `any`, link types `exists`, `in`, `any`)."""

    link: LinkEntity


Filter: TypeAlias = Condition | ColumnComparison | And | Or | Not | Exists

ALL_ROWS = And()
NO_ROWS = Or()


class LinkType(Enum):
    """How a linked table joins in (FetchXML `link-type`)."""

    INNER = "inner"
    LEFT_OUTER = "outer"
    MATCH_FIRST_ROW = "matchfirstrowusingcrossapply"


@dataclass(frozen=True, slots=True)
class LinkEntity:
    """A linked table.

    `to_column` of `to_alias` (the parent; empty is the query's table) equals `from_column` of `table`. Over a
    polymorphic lookup only references to the other table match.
    """

    alias: str
    table: str
    from_column: str
    to_column: str
    to_alias: str = ""
    type: LinkType = LinkType.INNER
    filter: Filter = ALL_ROWS
    links: tuple[LinkEntity, ...] = ()


CALLERS_LANGUAGE = 0
"""Stands for the language of whoever asks, as relative conditions stand for dates."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sort term; nulls come first ascending, as SQL Server sorts them.

    A choice sorts by its number, or by its label in the language `labels` (`CALLERS_LANGUAGE` until it is known).
    """

    column: ColumnRef
    descending: bool = False
    labels: int | None = None


class AggregateFunction(Enum):
    """FetchXML's aggregates."""

    COUNT = "count"
    COUNT_COLUMN = "countcolumn"
    SUM = "sum"
    AVERAGE = "avg"
    MINIMUM = "min"
    MAXIMUM = "max"


class DateGrouping(Enum):
    """Parts of a date to group by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FISCAL_PERIOD = "fiscal-period"
    FISCAL_YEAR = "fiscal-year"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregated column of a grouped query."""

    function: AggregateFunction
    alias: str
    column: ColumnRef | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class GroupCalendar:
    """The calendar that dates are grouped by: an IANA time zone and the organization's fiscal settings."""

    time_zone: str = "UTC"
    fiscal_start: date = date(2019, 1, 1)
    fiscal_period_type: int = 2002
    fiscal_named_by_end: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A grouping column of a grouped query.

    A date grouping takes the time zone of `calendar` unless `user_time_zone` is off; then it takes UTC.
    """

    column: ColumnRef
    alias: str
    date_grouping: DateGrouping | None = None
    user_time_zone: bool = True
    calendar: GroupCalendar = GroupCalendar()


@dataclass(frozen=True, slots=True)
class PageAnchor:
    """Where a page begins: after the row with these order values (the id is always the last of them)."""

    number: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """At most `size` rows, after `anchor` when it is not the first page."""

    size: int
    anchor: PageAnchor | None = None


@dataclass(frozen=True, slots=True)
class Expansion:
    """Related records that come with each row, under the navigation property's name.

    `query` selects on the related table; its `links`, orders and page are those of the expansion.
    """

    navigation: str
    query: QueryExpression


CHILDREN = ColumnRef("children", "$children")
"""The number of records directly below a row in its table's hierarchy, as a column of a table joined to each row."""


@dataclass(frozen=True, slots=True)
class QueryExpression:
    """A query on one table.

    `columns` names the query table's columns to return (None: all that the caller may read); columns of linked
    tables are returned by `linked_columns`. Rows come in `orders`, then by id. `top` limits the whole answer, `page`
    one page of it; `count` asks for the number of matching rows (capped at 5,000).

    With groups or aggregates the rows are groups and nothing else is returned: orders name aliases, pages go by number,
    and `aggregate_limit` may lower the number of records that are read at most.

    `counts_children` brings, with each row, the column `CHILDREN`: how many records are directly below it.
    """

    table: str
    columns: tuple[str, ...] | None = None
    linked_columns: tuple[ColumnRef, ...] = ()
    filter: Filter = ALL_ROWS
    links: tuple[LinkEntity, ...] = ()
    orders: tuple[Order, ...] = ()
    top: int | None = None
    page: Page | None = None
    count: bool = False
    distinct: bool = False
    groups: tuple[Group, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    aggregate_limit: int | None = None
    counts_children: bool = False

    @property
    def is_grouped(self) -> bool:
        """Whether the rows are groups of records."""
        return bool(self.groups or self.aggregates)


def equals(column: str, value: Value) -> Condition:
    """Return the condition that a column of the query's table has a value (NULL when the value is None)."""
    if value is None:
        return Condition(ColumnRef(column), ConditionOperator.NULL)
    return Condition(ColumnRef(column), ConditionOperator.EQUAL, (value,))


def both(left: Filter, right: Filter) -> Filter:
    """Return the conjunction of two filters without needless nesting."""
    match left, right:
        case And(()), _:
            return right
        case _, And(()):
            return left
        case And(a), And(b):
            return And((*a, *b))
        case And(a), _:
            return And((*a, right))
        case _:
            return And((left, right))
