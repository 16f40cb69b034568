"""`$expand` of `/data`: records one navigation property away, with options on collections.

Learn: "Open Data Protocol (OData)", supported features: only the first level is expanded. What else is refused is
refused as Microsoft's OData Web API does it.
"""

from __future__ import annotations

from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.catalog import LookupNavigation, Navigation
from entities.metadata.tables import Table
from entities.query import ALL_ROWS, Expansion, QueryExpression
from odata_server.bind.dialect import column_of, type_name
from odata_server.bind.expand import Expansions
from odata_server.bind.filters import bind_filter
from odata_server.bind.scope import Scope, unknown_property
from odata_server.bind.selection import Reading, bind_orders, bind_selection, read_columns
from odata_server.edm.representation import Expanded, RowShape
from odata_server.edm.shapes import finance_shape
from odata_server.syntax.request_trees import ExpandItem, ExpandTarget, QueryOptions

_MANY_OPTIONS: Final = frozenset({"$select", "$filter", "$orderby", "$top"})
_ONE_OPTIONS: Final = frozenset({"$select"})
_NO_OPTIONS: Final = QueryOptions()


def bind_finance_expansions(table: Table, items: tuple[ExpandItem, ...] | None, reading: Reading) -> Expansions:
    """Return what the items of `$expand` add to the rows of a data entity.

    Args:
        table: the table of the rows.
        items: the parsed option, None where it is not given.
        reading: catalog, dialect and preferences.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: an item or an option that the service refuses.
    """
    found = [(item, _navigation(table, item, reading)) for item in items or ()]
    names = [navigation.name for _, navigation in found]
    if len(set(names)) < len(names):
        raise MalformedRequest("A navigation property can be expanded only once.")
    queries, shapes, listed = [], [], []
    for item, navigation in found:
        options = item.options or _NO_OPTIONS
        _check_options(options, navigation)
        query, shape, selected = _related(reading.catalog.tables[navigation.target], options, reading)
        queries.append(Expansion(navigation.name, query))
        is_collection = not isinstance(navigation, LookupNavigation)
        shapes.append(Expanded(navigation.name, (shape,), is_collection=is_collection))
        listed.append(f"{navigation.name}({selected})")
    return Expansions(tuple(queries), tuple(shapes), tuple(listed))


def _navigation(table: Table, item: ExpandItem, reading: Reading) -> Navigation:
    name = item.path[0]
    if len(item.path) > 1:
        raise MalformedRequest(
            "Found a path traversing multiple navigation properties. Please rephrase the query such that each expand "
            "path contains only type segments and navigation properties."
        )
    navigation = reading.catalog.navigation(table.logical_name, name)
    if navigation is None and column_of(reading.dialect, table, name) is not None:
        raise MalformedRequest(
            f"Property '{name}' on type '{type_name(reading.dialect, table)}' is not a navigation property or complex "
            "property. Only navigation properties can be expanded."
        )
    if navigation is None:
        raise unknown_property(name, table, reading.dialect)
    if item.target is not ExpandTarget.ROWS:
        raise MalformedRequest(f"'{name}/{item.target.value}' is not supported in $expand.")
    return navigation


def _check_options(options: QueryOptions, navigation: Navigation) -> None:
    if options.expand is not None:
        raise MalformedRequest("The request includes a $expand path which is too deep. The maximum depth allowed is 1.")
    allowed = _ONE_OPTIONS if isinstance(navigation, LookupNavigation) else _MANY_OPTIONS
    for name in options.names:
        if name not in allowed:
            raise MalformedRequest(
                f"The query option '{name}' cannot be applied to the expanded navigation property '{navigation.name}'."
            )


def _related(target: Table, options: QueryOptions, reading: Reading) -> tuple[QueryExpression, RowShape, str]:
    """Return the query of the related records, their shape, and the selection as the context URL repeats it."""
    selection = bind_selection(target, options.select, reading.dialect)
    names = None if selection.is_all else tuple(column.logical_name for column in selection.columns)
    shape = finance_shape(target, names)
    scope = Scope(reading.catalog, reading.dialect, target, None)
    query = QueryExpression(
        target.logical_name,
        read_columns(target, selection, shape),
        filter=bind_filter(options.filter, scope) if options.filter is not None else ALL_ROWS,
        orders=tuple(bind_orders(options.orderby or (), scope)),
        top=None if options.top is None else min(options.top, reading.dialect.page_size),
        links=scope.links(),
    )
    return query, shape, ",".join(selection.names)
