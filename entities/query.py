"""`QueryExpression`: the one form of every query.

OData v4 and v2, FetchXML, saved queries and SQL are spellings of this value; the SQL compiler, a virtual-table
provider and `evaluate.py` are ways to run it. The shape follows the Dataverse SDK's QueryExpression (Learn: "Build
queries with QueryExpression"), with columns of linked tables named by alias.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from entities.values import Value


class ConditionOperator(Enum):
    """Condition operators by their FetchXML names (Learn: "Condition operators")."""

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

    Over a polymorphic lookup, `part` "table" means the logical name of the referenced table.
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
    polymorphic lookup `to_table` restricts the match to references to this table.
    """

    alias: str
    table: str
    from_column: str
    to_column: str
    to_alias: str = ""
    type: LinkType = LinkType.INNER
    filter: Filter = ALL_ROWS
    links: tuple[LinkEntity, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One sort term; nulls come first ascending, as SQL Server sorts them."""

    column: ColumnRef
    descending: bool = False


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
class Group:
    """A grouping column of a grouped query."""

    column: ColumnRef
    alias: str
    date_grouping: DateGrouping | None = None


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


@dataclass(frozen=True, slots=True)
class QueryExpression:
    """A query on one table.

    `columns` names the query table's columns to return (None: all that the caller may read); columns of linked
    tables are returned by `linked_columns`. Rows come in `orders`, then by id. `top` limits the whole answer, `page`
    one page of it; `count` asks for the number of matching rows (capped at 5,000).
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
