"""Relative conditions made concrete: "last week" becomes two instants, "the caller" becomes an id.

What is left uses the basic operators only, so that every way to run a query knows it. Two kinds of operator stay,
because they need the data: hierarchical ones, and `in-fiscal-period`, whose years are those of the values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Final, assert_never

from entities.errors import InvalidArgument
from entities.hierarchy import HIERARCHICAL, hierarchies
from entities.metadata.catalog import Catalog
from entities.metadata.columns import (
    ChoiceType,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    EntityNameType,
    IntegerType,
    LookupType,
    MemoType,
    MultiChoiceType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.tables import Table
from entities.query import (
    CALLERS_LANGUAGE,
    And,
    ColumnComparison,
    Condition,
    ConditionOperator,
    Exists,
    Expansion,
    Filter,
    LinkEntity,
    Not,
    Or,
    Order,
    QueryExpression,
)
from entities.relative.clock import Clock, clamped, clock_of, plus_days
from entities.relative.periods import COUNTED, DATE_OPERATORS, Period, check_period, days, operands, period
from entities.relative.settings import CallerSettings
from entities.values import Guid, Value, guid

BAD_CONDITION: Final = "0x80041106"
INVALID_VALUE: Final = "0x80041108"
GREATER_THAN_ZERO: Final = "0x8004110c"
WITHOUT_HIERARCHY: Final = "0x80047020"

_WITH_CALENDAR: Final = 4
"""A fiscal period that is concrete: its number, and start, kind and time zone of the calendar."""

_Resolved = tuple[ConditionOperator, Callable[[CallerSettings], tuple[Value, ...]]]
_CALLER: Final[Mapping[ConditionOperator, _Resolved]] = {
    ConditionOperator.EQUAL_USER: (ConditionOperator.EQUAL, lambda who: (who.user_id,)),
    ConditionOperator.NOT_EQUAL_USER: (ConditionOperator.NOT_EQUAL, lambda who: (who.user_id,)),
    ConditionOperator.EQUAL_BUSINESS: (ConditionOperator.EQUAL, lambda who: (who.business_unit_id,)),
    ConditionOperator.NOT_EQUAL_BUSINESS: (ConditionOperator.NOT_EQUAL, lambda who: (who.business_unit_id,)),
    ConditionOperator.EQUAL_USER_LANGUAGE: (ConditionOperator.EQUAL, lambda who: (who.language,)),
    ConditionOperator.EQUAL_USER_TEAMS: (ConditionOperator.IN, lambda who: who.team_ids),
    ConditionOperator.EQUAL_USER_OR_TEAMS: (ConditionOperator.IN, lambda who: _once(who.user_id, *who.team_ids)),
    ConditionOperator.EQUAL_USER_OR_HIERARCHY: (
        ConditionOperator.IN,
        lambda who: _once(who.user_id, *who.report_ids),
    ),
    ConditionOperator.EQUAL_USER_OR_HIERARCHY_AND_TEAMS: (
        ConditionOperator.IN,
        lambda who: _once(who.user_id, *who.team_ids, *who.report_ids, *who.report_team_ids),
    ),
}
_LIKE: Final = frozenset({ConditionOperator.LIKE, ConditionOperator.NOT_LIKE})
_VALUES: Final = frozenset({ConditionOperator.CONTAIN_VALUES, ConditionOperator.NOT_CONTAIN_VALUES})

RELATIVE: Final = frozenset({*_CALLER, *DATE_OPERATORS})
"""Operators that mean something else for another caller or at another time."""

_CHECKED: Final = frozenset({*_CALLER, *DATE_OPERATORS, *_LIKE, *_VALUES, *HIERARCHICAL})


def is_relative(query: QueryExpression) -> bool:
    """Say whether a query has a condition or order that `concrete` must look at; every read asks."""
    if _has(query.filter) or any(order.labels == CALLERS_LANGUAGE for order in query.orders):
        return True
    if not query.links and not query.expansions:
        return False
    return any(map(_link_has, query.links)) or any(is_relative(expansion.query) for expansion in query.expansions)


def _has(node: Filter) -> bool:
    match node:
        case Condition():
            return node.operator in _CHECKED
        case And() | Or():
            return any(map(_has, node.filters))
        case Not():
            return _has(node.filter)
        case Exists():
            return _link_has(node.link)
        case ColumnComparison():
            return False
        case _:
            assert_never(node)


def _link_has(link: LinkEntity) -> bool:
    return _has(link.filter) or any(map(_link_has, link.links))


def concrete(query: QueryExpression, settings: CallerSettings, catalog: Catalog) -> QueryExpression:
    """Return the query with every relative condition, and the language of labels, rewritten for one caller.

    Args:
        query: any query whose names are bound against `catalog`.
        settings: who asks, when, in which calendar.
        catalog: tells the types of columns, and which tables are hierarchical.

    Raises:
        InvalidArgument: an operator does not fit its column (0x80041106), its value is not of its kind (0x80041108),
            a number is not greater than zero (0x8004110c), there is no such fiscal period (0x80044814), or the table
            has no hierarchy (0x80047020).
    """
    walk = _Walk(settings, catalog, clock_of(settings), _aliases({"": catalog.tables[query.table]}, query, catalog))
    expansions = tuple(Expansion(e.navigation, concrete(e.query, settings, catalog)) for e in query.expansions)
    return replace(
        query,
        filter=walk.filter(query.filter),
        links=tuple(walk.link(link) for link in query.links),
        orders=tuple(_in_language(order, settings.language) for order in query.orders),
        expansions=expansions,
    )


def _in_language(order: Order, language: int) -> Order:
    return replace(order, labels=language) if order.labels == CALLERS_LANGUAGE else order


def _aliases(
    tables: Mapping[str, Table], within: QueryExpression | LinkEntity, catalog: Catalog
) -> Mapping[str, Table]:
    found = dict(tables)
    for link in within.links:
        found[link.alias] = catalog.tables[link.table]
        found.update(_aliases(found, link, catalog))
    return found


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk through one query: for whom, and the table behind each alias in sight."""

    settings: CallerSettings
    catalog: Catalog
    clock: Clock
    aliases: Mapping[str, Table]

    def filter(self, node: Filter) -> Filter:
        """Return a filter without relative conditions."""
        match node:
            case Condition():
                return self.condition(node) if node.operator in _CHECKED else node
            case And(filters):
                return And(tuple(self.filter(part) for part in filters))
            case Or(filters):
                return Or(tuple(self.filter(part) for part in filters))
            case Not(inner):
                return Not(self.filter(inner))
            case Exists(link):
                inside = {**self.aliases, link.alias: self.catalog.tables[link.table]}
                return Exists(replace(self, aliases=_aliases(inside, link, self.catalog)).link(link))
            case ColumnComparison():
                return node
            case _:
                assert_never(node)

    def link(self, link: LinkEntity) -> LinkEntity:
        """Return a link without relative conditions."""
        return replace(link, filter=self.filter(link.filter), links=tuple(self.link(inner) for inner in link.links))

    def condition(self, node: Condition) -> Filter:
        """Return what one condition means for this caller."""
        table = self.aliases[node.column.alias]
        type_ = table.by_name[node.column.name].type
        operator = node.operator
        if operator in _CALLER:
            _check_caller(node, table, type_)
            wanted, values = _CALLER[operator]
            return Condition(node.column, wanted, values(self.settings))
        if operator in DATE_OPERATORS:
            if not isinstance(type_, DateTimeType):
                raise _misplaced(node, table, "date and time")
            return self._dated(node, type_)
        if operator in HIERARCHICAL:
            self._check_hierarchy(node, table, type_)
        elif operator in _LIKE and not isinstance(type_, StringType | MemoType | EntityNameType):
            raise _misplaced(node, table, "text")
        elif operator in _VALUES and not isinstance(type_, MultiChoiceType):
            raise _misplaced(node, table, "choices")
        return node

    def _check_hierarchy(self, node: Condition, table: Table, type_: ColumnType) -> None:
        if not isinstance(type_, LookupType | UniqueIdentifierType):
            raise _misplaced(node, table, "lookup")
        if not hierarchies(self.catalog, table, node.column.name):
            target = type_.targets[0] if isinstance(type_, LookupType) else table.logical_name
            raise InvalidArgument(
                f"This query uses a hierarchical operator, but the {target} entity doesn't have a hierarchical"
                " relationship.",
                code=WITHOUT_HIERARCHY,
            )
        if not isinstance(node.values[0], str) or guid(node.values[0]) is None:
            raise _invalid_value(node)

    def _dated(self, node: Condition, type_: DateTimeType) -> Filter:
        operator, fiscal = node.operator, self.settings.fiscal
        if operator is ConditionOperator.IN_FISCAL_PERIOD and len(node.values) == _WITH_CALENDAR:
            # Another environment has resolved it on the way here.
            return node
        if len(node.values) != operands(operator):
            raise _invalid_value(node)
        match node.values:
            case (date() as given,) if operator.value.startswith("on"):
                return _within(node, type_, days(operator, self._day(given, type_), self.clock))
            case values if operator.value.startswith("on"):
                raise _invalid_value(node)
            case values:
                numbers = tuple(_whole(node, value) for value in values)
        if operator is ConditionOperator.IN_FISCAL_PERIOD:
            check_period(numbers[0], fiscal)
            zone = self.settings.time_zone if type_.behavior is DateTimeBehavior.USER_LOCAL else "UTC"
            found = (numbers[0], fiscal.start.isoformat(), int(fiscal.period_type), zone)
            return Condition(node.column, operator, found)
        if operator in COUNTED and numbers[0] <= 0:
            raise InvalidArgument("A value greater than zero must be specified.", code=GREATER_THAN_ZERO)
        return _within(node, type_, period(operator, numbers, self.clock, fiscal))

    def _day(self, given: date, type_: DateTimeType) -> date:
        """Return the day that a date, or an instant in the time of the column, lies in."""
        if not isinstance(given, datetime):
            return clamped(given)
        zone = self.clock.now.tzinfo if type_.behavior is DateTimeBehavior.USER_LOCAL else UTC
        return clamped(given.astimezone(zone).date())


def _within(node: Condition, type_: DateTimeType, found: Period) -> Filter:
    """Return the condition that a column lies in a range."""
    parts: list[Filter] = []
    if found.begin is not None:
        parts.append(Condition(node.column, ConditionOperator.GREATER_EQUAL, (_bound(type_, found.begin),)))
    if found.end is not None:
        parts.append(Condition(node.column, ConditionOperator.LESS_THAN, (_bound(type_, found.end),)))
    return And(tuple(parts))


def _bound(type_: DateTimeType, moment: datetime) -> Value:
    """Return a local time as a column of this behavior is compared with it.

    A date without time counts as the midnight it begins with (so today is not among the next days), a date-time
    without time zone as local time wherever one is.
    """
    match type_.behavior:
        case DateTimeBehavior.USER_LOCAL:
            return moment.astimezone(UTC)
        case DateTimeBehavior.TIME_ZONE_INDEPENDENT:
            return moment.replace(tzinfo=UTC, fold=0)
        case DateTimeBehavior.DATE_ONLY:
            return moment.date() if moment.time() == time() else plus_days(moment.date(), 1)
        case _:
            assert_never(type_.behavior)


def _once(*ids: Guid) -> tuple[Guid, ...]:
    return tuple(dict.fromkeys(ids))


def _whole(node: Condition, value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _invalid_value(node)
    return value


def _invalid_value(node: Condition) -> InvalidArgument:
    return InvalidArgument(
        f"Invalid value specified for type. Operator '{node.operator.value}', column '{node.column.name}'.",
        code=INVALID_VALUE,
    )


def _check_caller(node: Condition, table: Table, type_: ColumnType) -> None:
    """Refuse to compare the caller's ids with anything but ids, its language with anything but a number."""
    if node.operator is ConditionOperator.EQUAL_USER_LANGUAGE:
        if not isinstance(type_, IntegerType | ChoiceType):
            raise _misplaced(node, table, "number")
    elif not isinstance(type_, LookupType | UniqueIdentifierType):
        raise _misplaced(node, table, "lookup")


def _misplaced(node: Condition, table: Table, wanted: str) -> InvalidArgument:
    return InvalidArgument(
        f"Incorrect filter condition or conditions. The operator '{node.operator.value}' needs a column of the kind"
        f" '{wanted}'; '{table.logical_name}.{node.column.name}' is none.",
        code=BAD_CONDITION,
    )
