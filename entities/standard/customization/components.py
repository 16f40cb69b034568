"""Components: what solutions consist of, by type and id (Learn: "SolutionComponent table", ComponentType)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Choice
from entities.metadata.ids import choice_id, column_id, key_id, relationship_id, table_id
from entities.metadata.relationships import OneToMany, Relationship
from entities.metadata.tables import AlternateKey, Table
from entities.pipeline import Operations
from entities.query import equals
from entities.standard.lookups import first
from entities.values import Guid


class ComponentType(IntEnum):
    """The kinds of components that have a number of their own."""

    ENTITY = 1
    ATTRIBUTE = 2
    RELATIONSHIP = 3
    OPTION_SET = 9
    ENTITY_RELATIONSHIP = 10
    ENTITY_KEY = 14
    ROLE = 20
    SAVED_QUERY = 26
    WORKFLOW = 29
    REPORT = 31
    EMAIL_TEMPLATE = 36
    DUPLICATE_RULE = 44
    SAVED_QUERY_VISUALIZATION = 59
    SYSTEM_FORM = 60
    WEB_RESOURCE = 61
    SITE_MAP = 62
    CONNECTION_ROLE = 63
    FIELD_SECURITY_PROFILE = 70
    APP_MODULE = 80
    PLUGIN_TYPE = 90
    PLUGIN_ASSEMBLY = 91
    PROCESSING_STEP = 92
    PROCESSING_STEP_IMAGE = 93
    SERVICE_ENDPOINT = 95
    ENVIRONMENT_VARIABLE = 380
    ENVIRONMENT_VARIABLE_VALUE = 381


TABLES_OF_ROWS: Final[Mapping[int, str]] = {
    ComponentType.ROLE: "role",
    ComponentType.SAVED_QUERY: "savedquery",
    ComponentType.WORKFLOW: "workflow",
    ComponentType.REPORT: "report",
    ComponentType.EMAIL_TEMPLATE: "template",
    ComponentType.DUPLICATE_RULE: "duplicaterule",
    ComponentType.SAVED_QUERY_VISUALIZATION: "savedqueryvisualization",
    ComponentType.SYSTEM_FORM: "systemform",
    ComponentType.WEB_RESOURCE: "webresource",
    ComponentType.SITE_MAP: "sitemap",
    ComponentType.CONNECTION_ROLE: "connectionrole",
    ComponentType.FIELD_SECURITY_PROFILE: "fieldsecurityprofile",
    ComponentType.APP_MODULE: "appmodule",
    ComponentType.PLUGIN_TYPE: "plugintype",
    ComponentType.PLUGIN_ASSEMBLY: "pluginassembly",
    ComponentType.PROCESSING_STEP: "sdkmessageprocessingstep",
    ComponentType.PROCESSING_STEP_IMAGE: "sdkmessageprocessingstepimage",
    ComponentType.SERVICE_ENDPOINT: "serviceendpoint",
    ComponentType.ENVIRONMENT_VARIABLE: "environmentvariabledefinition",
    ComponentType.ENVIRONMENT_VARIABLE_VALUE: "environmentvariablevalue",
}
"""Components that are rows; those of other tables have the table's object type code as their type."""

SOLUTION_AWARE: Final = frozenset(
    {*TABLES_OF_ROWS.values(), "customapi", "customapirequestparameter", "customapiresponseproperty"}
)
"""Tables whose rows a request can put into a solution."""

DEFINITIONS: Final = frozenset(
    {
        ComponentType.ENTITY,
        ComponentType.ATTRIBUTE,
        ComponentType.RELATIONSHIP,
        ComponentType.OPTION_SET,
        ComponentType.ENTITY_RELATIONSHIP,
        ComponentType.ENTITY_KEY,
    }
)
"""Components that are definitions."""

_NAMES: Final[Mapping[int, str]] = {
    ComponentType.ENTITY: "Entity",
    ComponentType.ATTRIBUTE: "Attribute",
    ComponentType.RELATIONSHIP: "EntityRelationship",
    ComponentType.OPTION_SET: "OptionSet",
    ComponentType.ENTITY_RELATIONSHIP: "EntityRelationship",
    ComponentType.ENTITY_KEY: "EntityKey",
    ComponentType.SAVED_QUERY: "SavedQuery",
    ComponentType.PROCESSING_STEP: "SdkMessageProcessingStep",
}


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the customizations.

    Attributes:
        kind: its component type.
        id: the MetadataId of a definition, the id of a row.
        name: what people know it by: `account`, `account.name`, the name of a view.
        parent: the id of the table that it is part of and goes with, None where there is none.
        is_custom: whether somebody added it; the parts of Dataverse itself are in every environment.
        is_customizable: whether it may be changed.
    """

    kind: int
    id: Guid
    name: str
    parent: Guid | None = None
    is_custom: bool = True
    is_customizable: bool = True

    @property
    def kind_name(self) -> str:
        """The name of its type, as refusals write it."""
        return _NAMES.get(self.kind, str(self.kind))


def of_table(table: Table) -> Component:
    """Return a table as a component."""
    return Component(ComponentType.ENTITY, table_id(table), table.logical_name, is_custom=table.is_custom)


def of_column(table: Table, name: str) -> Component | None:
    """Return a column as a component, None where the table has no such column."""
    column = table.by_name.get(name)
    if column is None:
        return None
    shown = f"{table.logical_name}.{name}"
    is_custom = table.is_custom or column.is_custom
    return Component(ComponentType.ATTRIBUTE, column_id(table, column), shown, table_id(table), is_custom)


def of_key(table: Table, key: AlternateKey) -> Component:
    """Return an alternate key as a component."""
    shown = f"{table.logical_name}.{key.logical_name}"
    return Component(ComponentType.ENTITY_KEY, key_id(table, key), shown, table_id(table))


def of_relationship(catalog: Catalog, relationship: Relationship) -> Component:
    """Return a relationship as a component; one-to-many ones belong to the table that has the lookup."""
    name = relationship.referencing_table if isinstance(relationship, OneToMany) else relationship.table1
    table = catalog.tables.get(name)
    parent = table_id(table) if table else None
    shown = relationship.schema_name
    kind = ComponentType.ENTITY_RELATIONSHIP
    return Component(kind, relationship_id(relationship), shown, parent, relationship.is_custom)


def of_choice(choice: Choice) -> Component:
    """Return a global choice as a component."""
    return Component(ComponentType.OPTION_SET, choice_id(choice), choice.name)


def row_kind(table: Table) -> int:
    """Return the component type of a table's rows: a well-known number, or that of the table."""
    return next((kind for kind, name in TABLES_OF_ROWS.items() if name == table.logical_name), table.object_type_code)


def component(system: Operations, kind: int, identifier: Guid) -> Component:
    """Return the component of a type and an id.

    Raises:
        InvalidArgument: there are no components of this type here (0x8004f019), or none has the id (0x8004f018).
    """
    found = find(system, kind, identifier)
    if found is None:
        raise InvalidArgument(f"The component {identifier} of type {kind} does not exist.", code="0x8004f018")
    return found


def find(system: Operations, kind: int, identifier: Guid) -> Component | None:
    """Return the component of a type and an id, None where there is none.

    Raises:
        InvalidArgument: there are no components of this type here (0x8004f019).
    """
    catalog = system.catalog
    finders: Mapping[int, Callable[[Catalog, Guid], Component | None]] = {
        ComponentType.ENTITY: _table_with,
        ComponentType.ATTRIBUTE: _column_with,
        ComponentType.RELATIONSHIP: _relationship_with,
        ComponentType.ENTITY_RELATIONSHIP: _relationship_with,
        ComponentType.OPTION_SET: _choice_with,
        ComponentType.ENTITY_KEY: _key_with,
    }
    if kind in finders:
        return finders[kind](catalog, identifier)
    table = catalog.tables.get(TABLES_OF_ROWS.get(kind, "")) or catalog.by_object_type_code.get(kind)
    if table is None or "solutionid" not in table.by_name:
        raise InvalidArgument(f"No component definition exists for the component type {kind}.", code="0x8004f019")
    record = first(system, table.logical_name, equals(table.primary_id, identifier))
    if record is None:
        return None
    name, can_change = str(record.get(table.primary_name or table.primary_id) or ""), record.get("iscustomizable")
    return Component(
        kind, identifier, name, is_custom=not record.get("ismanaged"), is_customizable=can_change is not False
    )


def _table_with(catalog: Catalog, identifier: Guid) -> Component | None:
    return next((of_table(table) for table in catalog.tables.values() if table_id(table) == identifier), None)


def _column_with(catalog: Catalog, identifier: Guid) -> Component | None:
    for table in catalog.tables.values():
        for column in table.columns:
            if column_id(table, column) == identifier:
                return of_column(table, column.logical_name)
    return None


def _key_with(catalog: Catalog, identifier: Guid) -> Component | None:
    pairs = ((table, key) for table in catalog.tables.values() for key in table.keys)
    return next((of_key(table, key) for table, key in pairs if key_id(table, key) == identifier), None)


def _relationship_with(catalog: Catalog, identifier: Guid) -> Component | None:
    found = (r for r in catalog.relationships.values() if relationship_id(r) == identifier)
    return next((of_relationship(catalog, relationship) for relationship in found), None)


def _choice_with(catalog: Catalog, identifier: Guid) -> Component | None:
    found = (choice for choice in catalog.choices.values() if choice_id(choice) == identifier)
    return next((of_choice(choice) for choice in found), None)
