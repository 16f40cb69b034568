"""Functions and actions as `$metadata` declares them: names, bindings, parameters and results.

`operation_list` holds those of the Web API; this module says what one is and how CSDL writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table, TableKind
from odata_server.edm.csdl_definitions import qualified_type
from odata_server.edm.definition_values import PropertyType
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.edm.xml_text import empty, opened

ANY_TABLE = "crmbaseentity"
"""The base type of every table's: what is bound to it is bound to any."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A function or an action.

    Attributes:
        name: its name, without namespace.
        is_action: whether it is called with POST.
        bound: the table whose row, or rows, it is bound to; None where it stands alone.
        parameters: the types of its parameters, the bound row not among them.
        result: the type of its answer, None where it has none.
        entity_types: the names among its types that are tables.
    """

    name: str
    is_action: bool = False
    bound: PropertyType | None = None
    parameters: Mapping[str, PropertyType] = field(default_factory=dict)
    result: PropertyType | None = None
    entity_types: frozenset[str] = frozenset()


def declared(catalog: Catalog, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Return the operations whose tables exist in a catalog; one that any table has comes once per table."""
    found: list[Operation] = []
    for operation in operations:
        if operation.bound is not None and operation.bound.name == ANY_TABLE:
            found.extend(_of(table, operation) for table in catalog.tables.values() if takes_bulk(table))
        elif operation.entity_types - {ANY_TABLE} <= catalog.tables.keys():
            found.append(operation)
    return tuple(found)


def takes_bulk(table: Table) -> bool:
    """Say whether the messages about several records at once are there for a table: not for relations and views."""
    return table.kind is TableKind.STANDARD


def _of(table: Table, operation: Operation) -> Operation:
    """Return the operation of any table as that of one."""
    assert operation.bound is not None
    own = {
        name: replace(type_, name=table.logical_name) if type_.name == ANY_TABLE else type_
        for name, type_ in operation.parameters.items()
    }
    return replace(operation, bound=replace(operation.bound, name=table.logical_name), parameters=own)


def operation_xml(operation: Operation) -> Iterator[str]:
    """Yield the CSDL of an operation (CSDL 4.0 §12)."""
    tag = "Action" if operation.is_action else "Function"
    head = opened(tag, Name=operation.name, IsBound="true" if operation.bound else None)
    parameters = dict(operation.parameters)
    if operation.bound is not None:
        binding = "entityset" if operation.bound.is_collection else "entity"
        parameters = {binding: replace(operation.bound, is_nullable=False), **parameters}
    if not parameters and operation.result is None:
        yield head[:-1] + "/>"
        return
    yield head
    for name, type_ in parameters.items():
        text = qualified_type(type_)
        nullable = None if type_.is_nullable else "false"
        yield empty(
            "Parameter", Name=name, Type=text, Nullable=nullable, Unicode="false" if "Edm.String" in text else None
        )
    if operation.result is not None:
        yield empty("ReturnType", Type=qualified_type(operation.result), Nullable="false")
    yield f"</{tag}>"


def import_xml(operation: Operation) -> str:
    """Return the import of an unbound operation, which makes it a resource of the service."""
    qualified = f"{WEB_API_NAMESPACE}.{operation.name}"
    if operation.is_action:
        return empty("ActionImport", Name=operation.name, Action=qualified)
    return empty("FunctionImport", Name=operation.name, Function=qualified)
