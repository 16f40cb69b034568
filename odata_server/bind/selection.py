"""What parts of a query share: the columns that `$select` chooses and the terms of `$orderby`.

Learn: "Select columns using OData", "Order rows using OData".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from entities.errors import MalformedRequest, NotSupported
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column, MultiChoiceType
from entities.metadata.tables import Table
from entities.query import ColumnRef, Order
from odata_server.bind.dialect import Dialect, Style, column_of
from odata_server.bind.scope import Scope, path_names, unknown_property
from odata_server.edm.formats import MINIMAL, Format
from odata_server.edm.preferences import Preferences
from odata_server.edm.representation import Facet, Member, RowShape
from odata_server.syntax.apply_trees import OrderItem
from odata_server.syntax.request_trees import SelectItem
from odata_server.syntax.trees import Literal, LiteralKind


@dataclass(frozen=True, slots=True)
class Reading:
    """What options are read against; `root` is the absolute URL of the service, for links to rows."""

    catalog: Catalog
    dialect: Dialect
    preferences: Preferences
    form: Format = MINIMAL
    root: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected columns in wire order, and the names as the context URL repeats them.

    `is_all` where none is chosen.
    """

    columns: tuple[Column, ...]
    names: tuple[str, ...]
    is_all: bool


def read_columns(table: Table, selection: Selection, shape: RowShape) -> tuple[str, ...] | None:
    """Return the columns to read, None for all of them: what the rows show, and the id."""
    if selection.is_all:
        return None
    names = dict.fromkeys(member.column.name for member in shape.members)
    names.setdefault(table.primary_id)
    return tuple(names)


def bind_selection(table: Table, items: tuple[SelectItem, ...] | None, dialect: Dialect) -> Selection:
    """Return the columns that `$select` chooses, the primary key always among them on the Web API.

    Raises:
        UnknownName: a property that the type does not have.
        NotSupported: a path or options inside `$select`.
    """
    if items is None or any(item.path == ("*",) for item in items):
        return Selection((), (), is_all=True)
    chosen: dict[str, Column] = {}
    listed: list[str] = []
    for item in items:
        if len(item.path) != 1 or item.options is not None or item.parameters is not None:
            raise NotSupported("Paths and options inside $select are not supported.")
        column = column_of(dialect, table, item.path[0])
        if column is None or not column.valid_for_read:
            raise unknown_property(item.path[0], table, dialect)
        chosen[column.logical_name] = column
        listed.append(item.path[0])
    if dialect.style is Style.WEB_API:
        _with_composites(chosen, table)
    return Selection(tuple(chosen.values()), tuple(listed), is_all=False)


def _with_composites(chosen: dict[str, Column], table: Table) -> None:
    """Add the composite of an address where a part of it is selected (Learn: "Select columns")."""
    for name in tuple(chosen):
        composite = f"{name.partition('_')[0]}_composite"
        if name.startswith("address") and composite in table.by_name:
            chosen.setdefault(composite, table.by_name[composite])


def reference_shape(table: Table, root: str) -> RowShape:
    """Return the shape of a reference: only the absolute URL of the row.

    Args:
        table: the table of the rows.
        root: the service root, without a final slash.
    """
    column = table.by_name[table.primary_id]
    base = f"{root}/{table.entity_set_name}({{id}})"
    member = Member("@odata.id", Facet.ENTITY_ID, ColumnRef(column.logical_name), column.type, base=base)
    return RowShape(table.logical_name, (member,))


def bind_orders(items: tuple[OrderItem, ...], scope: Scope) -> Iterator[Order]:
    """Yield the sort terms of `$orderby`; a repeated column counts once.

    Raises:
        MalformedRequest: a term is no property path, or a column that rows have no order by.
    """
    seen: set[ColumnRef] = set()
    for item in items:
        expression = scope.value_of(item.expression)
        if isinstance(expression, Literal) and expression.kind is LiteralKind.NULL:
            continue
        names = path_names(expression)
        if names is None:
            raise MalformedRequest("Only properties are supported in $orderby.")
        found = scope.resolve(names)
        if found.ref not in seen:
            check_sortable(found.column)
            seen.add(found.ref)
            yield Order(found.ref, item.descending)


def check_sortable(column: Column) -> None:
    """Refuse to sort by choices of several options (error-code page, 0x80050224).

    Raises:
        MalformedRequest: the column holds such choices.
    """
    if isinstance(column.type, MultiChoiceType):
        raise MalformedRequest(
            "GroupBy or OrderBy Query is not supported for MultiSelectPickList Attribute Type.", code="0x80050224"
        )
