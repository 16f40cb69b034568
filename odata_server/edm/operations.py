"""Functions and actions as `$metadata` declares them: names, bindings, parameters and results.

`operation_list` holds those of the Web API; this module says what one is and how CSDL writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from entities.metadata.tables import Table, TableKind
from odata_server.edm.csdl_definitions import is_record, qualified_type
from odata_server.edm.definition_values import PropertyType
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.edm.xml_text import empty, opened

ANY_TABLE = "crmbaseentity"
"""The base type of every table's: what is bound to it is bound to any."""

_OPTIONAL: Final = '<Annotation Term="Org.OData.Core.V1.OptionalParameter"/>'
_OF_ALL: Final = frozenset({ANY_TABLE, "expando"})


@dataclass(frozen=True, slots=True)
class Operation:
    """A function or an action.

    Attributes:
        name: its name, without namespace.
        is_action: whether it is called with POST.
        bound: the table whose row, or rows, it is bound to; None where it stands alone.
        parameters: the types of its parameters, the bound row not among them.
        result: the type of its answer, None where it has none.
        entity_types: the names among its types, and inside of them, that are tables.
        is_composable: whether the path of a function may go on.
    """

    name: str
    is_action: bool = False
    bound: PropertyType | None = None
    parameters: Mapping[str, PropertyType] = field(default_factory=dict)
    result: PropertyType | None = None
    entity_types: frozenset[str] = frozenset()
    is_composable: bool = False

    @property
    def needed(self) -> frozenset[str]:
        """The tables without which it is not declared."""
        return self.entity_types - _OF_ALL

    @property
    def is_of_any_table(self) -> bool:
        """Whether it is bound to the rows of any table, so it is declared once for each."""
        return self.bound is not None and self.bound.name == ANY_TABLE


def takes_bulk(table: Table) -> bool:
    """Say whether the messages about several records at once are there for a table: not for relations and views."""
    return table.kind is TableKind.STANDARD


def operation_xml(operation: Operation) -> Iterator[str]:
    """Yield the CSDL of an operation (CSDL 4.0 §12); a parameter that may be left out says so.

    A record of one table is a value that may be null, but not left out.
    """
    tag = "Action" if operation.is_action else "Function"
    composable = "true" if operation.is_composable else None
    head = opened(tag, Name=operation.name, IsBound="true" if operation.bound else None, IsComposable=composable)
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
        unicode = "false" if "Edm.String" in text else None
        attributes = {
            "Name": name,
            "Type": text,
            "Nullable": None if type_.is_nullable else "false",
            "Unicode": unicode,
        }
        if operation.is_action or not type_.is_nullable or (is_record(type_) and type_.name != ANY_TABLE):
            yield empty("Parameter", **attributes)
        else:
            yield f"{opened('Parameter', **attributes)}{_OPTIONAL}</Parameter>"
    if operation.result is not None:
        yield empty("ReturnType", Type=qualified_type(operation.result), Nullable="false")
    yield f"</{tag}>"


def import_xml(operation: Operation) -> str:
    """Return the import of an unbound operation, which makes it a resource of the service."""
    qualified = f"{WEB_API_NAMESPACE}.{operation.name}"
    if operation.is_action:
        return empty("ActionImport", Name=operation.name, Action=qualified)
    return empty("FunctionImport", Name=operation.name, Function=qualified)
