"""`$metadata` of finance-and-operations: public names, natural keys, choices as enumerations, no GUID."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from entities.metadata.catalog import Catalog, LookupNavigation
from entities.metadata.columns import Column
from entities.metadata.tables import Table
from odata_server.edm.csdl import EDM, EDMX
from odata_server.edm.naming import (
    FINANCE_NAMESPACE,
    enum_name,
    finance_columns,
    finance_entity_type,
    finance_options,
    finance_property,
    finance_type,
    key_columns,
)
from odata_server.edm.xml_text import DECLARATION, empty, opened

CONTAINER: Final = "Resources"


class ActionParameter(Protocol):
    """A parameter of an action of finance-and-operations."""

    @property
    def name(self) -> str:
        """Its name in the body."""
        ...

    @property
    def edm_type(self) -> str:
        """Its type, qualified."""
        ...

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        ...


class BoundAction(Protocol):
    """An action bound to one row, as the environment declares it."""

    @property
    def name(self) -> str:
        """Its name without namespace."""
        ...

    @property
    def table(self) -> str:
        """The logical name of the table it is bound to."""
        ...

    @property
    def parameters(self) -> Sequence[ActionParameter]:
        """What its body may hold."""
        ...

    @property
    def result(self) -> Sequence[tuple[str, str]]:
        """Member names and types of its answer; empty when there is none."""
        ...


def finance_csdl(catalog: Catalog, actions: Sequence[BoundAction] = ()) -> bytes:
    """Return the metadata document of a finance-and-operations environment.

    Args:
        catalog: its tables and relationships.
        actions: its bound actions; those of tables it does not have are left out.
    """
    return "".join(_document(catalog, [action for action in actions if action.table in catalog.tables])).encode()


def _document(catalog: Catalog, actions: list[BoundAction]) -> Iterator[str]:
    tables = sorted(catalog.tables.values(), key=lambda table: table.entity_set_name)
    yield DECLARATION
    yield f'<edmx:Edmx xmlns:edmx="{EDMX}" Version="4.0"><edmx:DataServices>'
    yield f'<Schema xmlns="{EDM}" Namespace="{FINANCE_NAMESPACE}">'
    for table in tables:
        yield from _entity_type(catalog, table)
    yield from _enums(tables)
    for action in actions:
        yield from _action(catalog.tables[action.table], action)
    yield opened("EntityContainer", Name=CONTAINER)
    for table in tables:
        yield from _entity_set(catalog, table)
    yield "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"


def _entity_type(catalog: Catalog, table: Table) -> Iterator[str]:
    key = key_columns(table)
    yield opened("EntityType", Name=table.schema_name)
    yield "<Key>"
    yield from (empty("PropertyRef", Name=finance_property(table.by_name[name])) for name in key)
    yield "</Key>"
    yield from (_property(column, is_key=column.logical_name in key) for column in finance_columns(table))
    for name, navigation in catalog.navigations[table.logical_name].items():
        target = catalog.tables[navigation.target]
        type_ = finance_entity_type(target)
        single = isinstance(navigation, LookupNavigation)
        yield empty("NavigationProperty", Name=name, Type=type_ if single else f"Collection({type_})")
    yield "</EntityType>"


def _property(column: Column, *, is_key: bool) -> str:
    type_ = finance_type(column)
    return empty(
        "Property",
        Name=finance_property(column),
        Type=type_,
        Nullable="false" if is_key else None,
        Scale="variable" if type_ == "Edm.Decimal" else None,
    )


def _enums(tables: list[Table]) -> Iterator[str]:
    """Yield each enumeration once: columns may share one."""
    seen: set[str] = set()
    for table in tables:
        for column in finance_columns(table):
            members = finance_options(column.type)
            name = enum_name(column)
            if not members or name in seen:
                continue
            seen.add(name)
            yield opened("EnumType", Name=name)
            yield from (empty("Member", Name=member, Value=str(value)) for value, member in members)
            yield "</EnumType>"


def _action(table: Table, action: BoundAction) -> Iterator[str]:
    response = f"{action.name}Response"
    if action.result:
        yield opened("ComplexType", Name=response)
        yield from (empty("Property", Name=name, Type=type_) for name, type_ in action.result)
        yield "</ComplexType>"
    yield opened("Action", Name=action.name, IsBound="true")
    yield empty("Parameter", Name="bindingParameter", Type=finance_entity_type(table), Nullable="false")
    for parameter in action.parameters:
        nullable = "false" if parameter.required else None
        yield empty("Parameter", Name=parameter.name, Type=parameter.edm_type, Nullable=nullable)
    if action.result:
        yield empty("ReturnType", Type=f"{FINANCE_NAMESPACE}.{response}", Nullable="false")
    yield "</Action>"


def _entity_set(catalog: Catalog, table: Table) -> Iterator[str]:
    attributes = {"Name": table.entity_set_name, "EntityType": finance_entity_type(table)}
    bindings = [
        empty("NavigationPropertyBinding", Path=name, Target=catalog.tables[navigation.target].entity_set_name)
        for name, navigation in sorted(catalog.navigations[table.logical_name].items())
    ]
    if not bindings:
        yield empty("EntitySet", **attributes)
        return
    yield opened("EntitySet", **attributes)
    yield from bindings
    yield "</EntitySet>"
