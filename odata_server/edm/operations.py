"""Functions and actions as `$metadata` declares them: names, parameters and results of those that exist here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from entities.metadata.catalog import Catalog
from odata_server.edm.naming import WEB_API_ALIAS, WEB_API_NAMESPACE
from odata_server.edm.xml_text import empty, opened


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, the binding one included; types are written with the alias of the namespace."""

    name: str
    type: str
    is_nullable: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """A function or an action. `tables` are those that it needs; it is declared only where they all exist."""

    name: str
    is_action: bool = False
    is_bound: bool = False
    parameters: tuple[Parameter, ...] = ()
    result: str | None = None
    tables: tuple[str, ...] = ()


_ROLE: Final = Parameter("entity", f"{WEB_API_ALIAS}.role", is_nullable=False)
_PRIVILEGES: Final = Parameter("Privileges", f"Collection({WEB_API_ALIAS}.RolePrivilege)")

WEB_API_OPERATIONS: Final = (
    Operation("AddPrivilegesRole", is_action=True, is_bound=True, parameters=(_ROLE, _PRIVILEGES), tables=("role",)),
    Operation(
        "RemovePrivilegeRole",
        is_action=True,
        is_bound=True,
        parameters=(_ROLE, Parameter("Privilege", f"{WEB_API_ALIAS}.privilege", is_nullable=False)),
        tables=("role", "privilege"),
    ),
    Operation(
        "ReplacePrivilegesRole", is_action=True, is_bound=True, parameters=(_ROLE, _PRIVILEGES), tables=("role",)
    ),
    Operation("WhoAmI", result=f"{WEB_API_ALIAS}.WhoAmIResponse"),
)


def declared(catalog: Catalog, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Return the operations whose tables exist in a catalog."""
    return tuple(o for o in operations if all(table in catalog.tables for table in o.tables))


def operation_xml(operation: Operation) -> Iterator[str]:
    """Yield the CSDL of an operation (CSDL 4.0 §12)."""
    tag = "Action" if operation.is_action else "Function"
    head = opened(tag, Name=operation.name, IsBound="true" if operation.is_bound else None)
    if not operation.parameters and operation.result is None:
        yield head[:-1] + "/>"
        return
    yield head
    for parameter in operation.parameters:
        nullable = None if parameter.is_nullable else "false"
        unicode = "false" if "Edm.String" in parameter.type else None
        yield empty("Parameter", Name=parameter.name, Type=parameter.type, Nullable=nullable, Unicode=unicode)
    if operation.result is not None:
        yield empty("ReturnType", Type=operation.result, Nullable="false")
    yield f"</{tag}>"


def import_xml(operation: Operation) -> str:
    """Return the import of an unbound operation, which makes it a resource of the service."""
    qualified = f"{WEB_API_NAMESPACE}.{operation.name}"
    if operation.is_action:
        return empty("ActionImport", Name=operation.name, Action=qualified)
    return empty("FunctionImport", Name=operation.name, Function=qualified)
