"""`$apply` as a grouped query (Learn: "Aggregate data using OData").

    apply = *( "filter(…)" "/" ) ( "aggregate(…)" / "groupby((…))" / "groupby((…),aggregate(…))" )

Everything else that OData Data Aggregation 4.0 defines is read and refused. `$filter` and `$orderby` beside `$apply`
see the groups, so they may only name what was grouped by; a filter on that means the same before and after grouping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from entities.errors import MalformedRequest
from entities.metadata.columns import DateTimeType
from entities.metadata.tables import Table
from entities.query import (
    ALL_ROWS,
    Aggregate,
    AggregateFunction,
    And,
    ColumnComparison,
    ColumnRef,
    Condition,
    Exists,
    Filter,
    Group,
    Not,
    Or,
    Order,
    QueryExpression,
    both,
)
from odata_server.bind.filters import bind_filter
from odata_server.bind.scope import Found, Scope, path_names, unknown_property
from odata_server.bind.selection import bind_orders
from odata_server.syntax.apply_trees import (
    AggregateStep,
    CallStep,
    ComputeStep,
    ConcatStep,
    ExpandStep,
    FilterStep,
    GroupBy,
    IdentityStep,
    JoinStep,
    KinStep,
    NestStep,
    OrderStep,
    RankStep,
    SearchStep,
    SkipStep,
    TopStep,
    Transformation,
    TraverseStep,
)
from odata_server.syntax.request_trees import QueryOptions
from odata_server.syntax.trees import AggregateItem, Path

_FUNCTIONS: Final = {
    "sum": AggregateFunction.SUM,
    "average": AggregateFunction.AVERAGE,
    "min": AggregateFunction.MINIMUM,
    "max": AggregateFunction.MAXIMUM,
}
_STEP_NAMES: Final[Mapping[type[Transformation], str]] = {
    AggregateStep: "aggregate",
    GroupBy: "groupby",
    FilterStep: "filter",
    SearchStep: "search",
    OrderStep: "orderby",
    TopStep: "top",
    SkipStep: "skip",
    ComputeStep: "compute",
    ConcatStep: "concat",
    IdentityStep: "identity",
    ExpandStep: "expand",
    TraverseStep: "traverse",
}
_BESIDE: Final = frozenset({"$apply", "$filter", "$orderby", "$top", "$count", "$skiptoken"})


def bind_apply(table: Table, options: QueryOptions, scope: Scope) -> QueryExpression:
    """Return the grouped query that `$apply` and the options beside it mean, without its extent.

    Args:
        table: the table of the rows.
        options: the parsed query string.
        scope: where names are looked up; it collects the links that paths need.

    Raises:
        UnknownName: a property that the type does not have, or that was not grouped by.
        MalformedRequest: a transformation, method or option that the service does not have here.
        InvalidArgument: a column cannot be aggregated that way.
    """
    for name in options.names:
        if name not in _BESIDE:
            raise MalformedRequest(f"The query option '{name}' cannot be used together with '$apply'.")
    condition, groups, aggregates = _bind_steps(options.apply or (), scope)
    outside = _GroupScope.of(scope, groups, aggregates)
    if options.filter is not None:
        condition = both(condition, _without_lambdas(bind_filter(options.filter, outside)))
    orders = tuple(outside.orders(tuple(bind_orders(options.orderby or (), outside))))
    return QueryExpression(
        table.logical_name,
        filter=condition,
        links=scope.links(),
        orders=orders,
        count=bool(options.count),
        groups=groups,
        aggregates=aggregates,
    )


def _bind_steps(
    steps: tuple[Transformation, ...], scope: Scope
) -> tuple[Filter, tuple[Group, ...], tuple[Aggregate, ...]]:
    """Bind filters and, at the end, what groups or aggregates."""
    condition: Filter = ALL_ROWS
    for position, step in enumerate(steps):
        match step:
            case FilterStep(predicate=predicate):
                condition = both(condition, bind_filter(predicate, scope))
            case AggregateStep() | GroupBy():
                if position < len(steps) - 1:
                    raise MalformedRequest(
                        f"The transformation '{_name(steps[position + 1])}' is not supported after "
                        f"'{_name(step)}' in $apply."
                    )
                groups, aggregates = _bind_last(step, scope)
                return condition, groups, aggregates
            case _:
                raise _refused(step)
    raise MalformedRequest("The $apply expression must end with 'aggregate' or 'groupby'.")


def _bind_last(step: AggregateStep | GroupBy, scope: Scope) -> tuple[tuple[Group, ...], tuple[Aggregate, ...]]:
    match step:
        case AggregateStep(items=items):
            groups: tuple[Group, ...] = ()
        case GroupBy(elements=elements, steps=()):
            groups, items = tuple(_bind_group(element, scope) for element in elements), ()
        case GroupBy(elements=elements, steps=(AggregateStep(items=items),)):
            groups = tuple(_bind_group(element, scope) for element in elements)
        case GroupBy(steps=inner):
            wrong = next((one for one in inner if not isinstance(one, AggregateStep)), inner[-1])
            raise MalformedRequest(f"The transformation '{_name(wrong)}' is not supported inside 'groupby' in $apply.")
        case _:
            assert_never(step)
    aggregates = tuple(_bind_aggregate(item, scope) for item in items)
    _check_aliases((*(group.alias for group in groups), *(aggregate.alias for aggregate in aggregates)))
    return groups, aggregates


def _check_aliases(names: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MalformedRequest(f"The name '{name}' stands for two properties of the result of $apply.")
        seen.add(name)


def _bind_group(element: object, scope: Scope) -> Group:
    if not isinstance(element, Path):
        raise MalformedRequest("Only property paths are supported in the transformation 'groupby' of $apply.")
    names = path_names(element)
    if names is None:
        raise MalformedRequest("Only property paths are supported in the transformation 'groupby' of $apply.")
    found = scope.resolve(names)
    if isinstance(found.column.type, DateTimeType):
        raise MalformedRequest(f"Grouping by the date and time property '{'/'.join(names)}' is not supported.")
    return Group(found.ref, _group_alias(names, found, scope))


def _group_alias(names: tuple[str, ...], found: Found, scope: Scope) -> str:
    """Return the name of a group: the property's, behind navigation with the table's name before it."""
    if not found.ref.alias:
        return names[-1]
    return f"{scope.joins[names[:-1]].navigation.target}_{names[-1]}"


def _bind_aggregate(item: AggregateItem, scope: Scope) -> Aggregate:
    if item.origins:
        raise MalformedRequest("The keyword 'from' is not supported in the transformation 'aggregate' of $apply.")
    if item.operand is None:
        return Aggregate(AggregateFunction.COUNT, item.alias or "")
    names = path_names(item.operand)
    if names is None:
        raise MalformedRequest("Only property paths and $count are supported in the transformation 'aggregate'.")
    if item.method is None:
        raise MalformedRequest(f"The custom aggregate '{'/'.join(names)}' is not supported.")
    function = _FUNCTIONS.get(item.method)
    if function is None:
        # Learn: "Aggregate data using OData", limitations: there is no number of distinct values.
        raise MalformedRequest(f"The aggregation method '{item.method}' is not supported.")
    return Aggregate(function, item.alias or "", scope.resolve(names).ref)


def _name(step: Transformation) -> str:
    """Return how a transformation is called in a URL."""
    match step:
        case RankStep(ranking=ranking):
            return ranking.value
        case KinStep(kin=kin):
            return kin.value
        case NestStep(path=path):
            return "nest" if path is None else "addnested"
        case JoinStep(is_outer=is_outer):
            return "outerjoin" if is_outer else "join"
        case CallStep(call=call):
            return call.name
        case (
            AggregateStep()
            | GroupBy()
            | FilterStep()
            | SearchStep()
            | OrderStep()
            | TopStep()
            | SkipStep()
            | ComputeStep()
            | ConcatStep()
            | IdentityStep()
            | ExpandStep()
            | TraverseStep()
        ):
            return _STEP_NAMES[type(step)]
        case _:
            assert_never(step)


def _refused(step: Transformation) -> MalformedRequest:
    return MalformedRequest(f"The transformation '{_name(step)}' is not supported in $apply.")


@dataclass(slots=True)
class _GroupScope(Scope):
    """The result of `$apply`, where other options look names up: groups by their paths, and open properties."""

    groups: tuple[Group, ...] = ()
    made: frozenset[str] = frozenset()
    inner: Scope | None = field(default=None, repr=False)

    @classmethod
    def of(cls, scope: Scope, groups: tuple[Group, ...], aggregates: tuple[Aggregate, ...]) -> _GroupScope:
        """Return the scope of the result."""
        made = {aggregate.alias for aggregate in aggregates}
        made |= {group.alias for group in groups if group.column.alias}
        return cls(
            scope.catalog,
            scope.dialect,
            scope.table,
            scope.aliases,
            joins=scope.joins,
            groups=groups,
            made=frozenset(made),
            inner=scope,
        )

    def resolve(self, names: tuple[str, ...]) -> Found:
        """Return the column that a group is made of.

        Raises:
            MalformedRequest: the name is an alias, of which the type knows nothing.
            UnknownName: it is no group.
        """
        assert self.inner is not None
        if len(names) == 1 and names[0] in self.made:
            raise MalformedRequest("The query node SingleValueOpenPropertyAccess is not supported")
        found = self.inner.resolve(names)
        if all(group.column != found.ref for group in self.groups):
            raise unknown_property(names[-1], self.table, self.dialect)
        return found

    def lookup_column(self, names: tuple[str, ...]) -> ColumnRef | None:
        """Return the lookup that a group is made of; the result itself has no navigation properties."""
        assert self.inner is not None
        found = self.inner.lookup_column(names)
        return found if any(group.column == found for group in self.groups) else None

    def orders(self, orders: tuple[Order, ...]) -> Iterator[Order]:
        """Yield orders by the groups' aliases."""
        aliases = {group.column: group.alias for group in self.groups}
        for order in orders:
            yield replace(order, column=ColumnRef(aliases[order.column]))


def _without_lambdas(condition: Filter) -> Filter:
    """Return the condition.

    Raises:
        MalformedRequest: it looks into related rows, which groups do not have.
    """
    match condition:
        case Condition() | ColumnComparison():
            pass
        case And(filters) | Or(filters):
            for part in filters:
                _without_lambdas(part)
        case Not(inner):
            _without_lambdas(inner)
        case Exists():
            raise MalformedRequest("Lambda operators in $filter cannot be used together with '$apply'.")
        case _:
            assert_never(condition)
    return condition
