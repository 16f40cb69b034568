"""Custom APIs as rows: the message, its request parameters and its response properties (Learn: "CustomAPI tables")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from entities.metadata.columns import Column, ManagedPropertyType, RequiredLevel
from entities.metadata.custom_apis import AllowedSteps, BindingType
from entities.metadata.declare import (
    ACTIVE_INACTIVE,
    SERVER_SET,
    audit_columns,
    boolean,
    choice,
    column,
    date_time,
    lookup,
    options,
    owner_columns,
    plain,
    primary_id,
    state_and_status,
    string,
    unique_identifier,
    with_ids,
)
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany, Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.choices import COMPONENT_STATE
from entities.standard.references import REMOVE_LINK, reference, system_references

API: Final = "customapi"
PARAMETER: Final = "customapirequestparameter"
PROPERTY: Final = "customapiresponseproperty"

_FIXED: Final[Mapping[str, Any]] = MappingProxyType({"valid_for_update": False})
"""What cannot be changed after it is saved."""

_TYPES: Final = options(
    "Boolean",
    "DateTime",
    "Decimal",
    "Entity",
    "EntityCollection",
    "EntityReference",
    "Float",
    "Integer",
    "Money",
    "Picklist",
    "String",
    "StringArray",
    "Guid",
)
_PARTS: Final = CascadeConfiguration(delete=Cascade.CASCADE)


def _texts() -> tuple[Column, ...]:
    return (
        string("UniqueName", 128, "Unique Name", required=RequiredLevel.APPLICATION, **_FIXED),
        string("Name", 100, "Name", required=RequiredLevel.APPLICATION),
        string("DisplayName", 100, "Display Name", required=RequiredLevel.APPLICATION),
        string("Description", 300, "Description"),
    )


def _component() -> tuple[Column, ...]:
    return (
        column("IsCustomizable", ManagedPropertyType("iscustomizable"), "Is Customizable"),
        boolean("IsManaged", "Is Managed", **SERVER_SET),
        unique_identifier("ComponentIdUnique", "Row id unique", **SERVER_SET),
        unique_identifier("SolutionId", "Solution", **SERVER_SET),
        choice("ComponentState", COMPONENT_STATE, "Component State", **SERVER_SET),
        date_time("OverwriteTime", "Record Overwrite Time", **SERVER_SET),
        *state_and_status(*ACTIVE_INACTIVE),
        *owner_columns(),
        *audit_columns(),
    )


CUSTOM_API: Final = with_ids(
    Table(
        API,
        "CustomAPI",
        "customapis",
        10_091,
        "customapiid",
        "name",
        (
            primary_id("CustomAPIId", "Custom API"),
            *_texts(),
            choice(
                "BindingType",
                options("Global", "Entity", "EntityCollection"),
                "Binding Type",
                default=BindingType.GLOBAL.value,
                required=RequiredLevel.APPLICATION,
                **_FIXED,
            ),
            string("BoundEntityLogicalName", 100, "Bound Entity Logical Name", **_FIXED),
            boolean("IsFunction", "Is Function", **_FIXED),
            boolean("IsPrivate", "Is Private"),
            choice(
                "AllowedCustomProcessingStepType",
                options("None", "Async Only", "Sync and Async"),
                "Allowed Custom Processing Step Type",
                default=AllowedSteps.NONE.value,
                required=RequiredLevel.APPLICATION,
                **_FIXED,
            ),
            string("ExecutePrivilegeName", 100, "Execute Privilege Name"),
            boolean("WorkflowSdkStepEnabled", "Enabled for Workflow", **_FIXED),
            lookup("PluginTypeId", "plugintype", text="Plugin Type"),
            *_component(),
        ),
        plain("Custom API"),
        plain("Custom APIs"),
        plain("Entity that defines a custom API"),
        Ownership.USER,
    )
)


def _part(name: str, schema: str, plural: str, code: int, texts: tuple[str, str], *own: Column) -> Table:
    return with_ids(
        Table(
            name,
            schema,
            plural,
            code,
            f"{name}id",
            "name",
            (
                primary_id(f"{schema}Id", texts[0]),
                *_texts(),
                lookup("CustomAPIId", API, text="Custom API", required=RequiredLevel.APPLICATION, **_FIXED),
                choice(
                    "Type",
                    _TYPES,
                    "Type",
                    required=RequiredLevel.APPLICATION,
                    **_FIXED,
                ),
                string("LogicalEntityName", 100, "Logical Entity Name", **_FIXED),
                *own,
                *_component(),
            ),
            plain(texts[0]),
            plain(texts[1]),
            plain(f"Entity that defines a {texts[0].removeprefix('Custom API ').lower()} for a custom API"),
            Ownership.USER,
        )
    )


REQUEST_PARAMETER: Final = _part(
    PARAMETER,
    "CustomAPIRequestParameter",
    "customapirequestparameters",
    10_092,
    ("Custom API Request Parameter", "Custom API Request Parameters"),
    boolean("IsOptional", "Is Optional", **_FIXED),
)
RESPONSE_PROPERTY: Final = _part(
    PROPERTY,
    "CustomAPIResponseProperty",
    "customapiresponseproperties",
    10_093,
    ("Custom API Response Property", "Custom API Response Properties"),
)

TABLES: Final = (CUSTOM_API, REQUEST_PARAMETER, RESPONSE_PROPERTY)


def _of_api(table: str, collection: str) -> OneToMany:
    """Return the relationship of an API's parts; the navigation properties are those that clients write with."""
    whole = reference(table, "customapiid", API, f"customapi_{table}", navigation="CustomAPIId", cascade=_PARTS)
    return replace(whole, referenced_navigation=collection)


RELATIONSHIPS: Final[tuple[Relationship, ...]] = (
    *(relationship for table in TABLES for relationship in system_references(table)),
    _of_api(PARAMETER, "CustomAPIRequestParameters"),
    _of_api(PROPERTY, "CustomAPIResponseProperties"),
    replace(
        reference(
            API, "plugintypeid", "plugintype", "plugintype_customapi", navigation="PluginTypeId", cascade=REMOVE_LINK
        ),
        referenced_navigation="CustomAPIId",
    ),
)
