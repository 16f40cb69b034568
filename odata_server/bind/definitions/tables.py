"""Tables in request bodies: names, labels, ownership and switches, with the columns of a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from entities.errors import InvalidArgument
from entities.metadata.columns import Choice
from entities.metadata.labels import Label
from entities.metadata.tables import Ownership, Table
from odata_server.bind.definitions.checking import Members, checked
from odata_server.bind.definitions.columns import read_column
from odata_server.bind.definitions.labels import read_further, read_label

ENTITY: Final = "EntityMetadata"

KEPT: Final = frozenset(
    (
        *("AutoRouteToOwnerQueue", "AutoCreateAccessTeams", "EntityHelpUrlEnabled", "EntityHelpUrl", "EntityColor"),
        *("IsDocumentManagementEnabled", "IsOneNoteIntegrationEnabled", "IsInteractionCentricEnabled"),
        *("IsKnowledgeManagementEnabled", "IsSLAEnabled", "IsBPFEntity", "IsDocumentRecommendationsEnabled"),
        *("IsMSTeamsIntegrationEnabled", "IsAuditEnabled", "IsRetrieveAuditEnabled", "IsRetrieveMultipleAuditEnabled"),
        *("IsAvailableOffline", "IsValidForQueue", "IsConnectionsEnabled", "IsMailMergeEnabled", "IsCustomizable"),
        *("IconLargeName", "IconMediumName", "IconSmallName", "IconVectorName", "IsBusinessProcessEnabled"),
        *("IsRenameable", "IsMappable", "IsDuplicateDetectionEnabled", "CanCreateAttributes", "CanCreateForms"),
        *("CanCreateViews", "CanCreateCharts", "CanBeRelatedEntityInRelationship", "CanBeInManyToMany"),
        *("CanBePrimaryEntityInRelationship", "CanEnableSyncToExternalSearchIndex", "SyncToExternalSearchIndex"),
        *("CanModifyAdditionalSettings", "CanChangeHierarchicalRelationship", "CanChangeTrackingBeEnabled"),
        *("IsVisibleInMobile", "IsVisibleInMobileClient", "IsReadOnlyInMobileClient", "IsOfflineInMobileClient"),
        *("DaysSinceRecordLastModified", "MobileOfflineFilters", "IsReadingPaneEnabled", "IsQuickCreateEnabled"),
        *("UsesBusinessDataLabelTable", "HasFeedback", "HasEmailAddresses", "IsEnabledForExternalChannels"),
        *("IsEnabledForTrace", "EnforceStateTransitions", "ActivityTypeMask", "IsArchivalEnabled", "SettingOf"),
        *("IsRetentionEnabled", "RecurrenceBaseEntityLogicalName"),
    )
)
"""Properties that are kept as they were given."""

_OWNERSHIPS: Final[Mapping[str, Ownership]] = {"UserOwned": Ownership.USER, "OrganizationOwned": Ownership.ORGANIZATION}
_STANDARD: Final = frozenset({"", "Standard", "Activity"})

_Reader: TypeAlias = Callable[[Table, Any], Table]


def read_table(body: object, choices: Mapping[str, Choice]) -> Table:
    """Return a new table with the columns that the body brings; the system's own are not among them yet.

    Args:
        body: the JSON of a table's definition.
        choices: the global choices by name.

    Raises:
        InvalidPayload: it is no definition of a table.
        InvalidArgument: a property has a value that it cannot have.
        RecordNotFound: a column names a global choice that does not exist.
    """
    members = checked(body, ENTITY)
    schema_name = str(members.get("SchemaName", ""))
    name = schema_name.lower()
    given = body.get("Attributes") if isinstance(body, dict) else None
    columns = tuple(read_column(item, name, choices) for item in given or ())
    primary = [
        column.logical_name
        for column, item in zip(columns, members.get("Attributes", ()), strict=True)
        if item.get("IsPrimaryName") or column.logical_name == members.get("PrimaryNameAttribute", "").lower()
    ]
    if len(primary) > 1:
        raise InvalidArgument(
            f"The new {primary[1]} attribute is set as the primary name attribute for the {name} entity. The {name} "
            f"entity already has the {primary[0]} attribute set as the primary name attribute. An entity can only have "
            "one primary name attribute.",
            code="0x8004701e",
        )
    table = Table(
        name, schema_name, "", 0, f"{name}id", next(iter(primary), None), columns, Label(), Label(), is_custom=True
    )
    return _with_members(table, members, {**_CREATED, **_CHANGED})


def changed_table(body: object, table: Table) -> Table:
    """Return a table as a whole definition describes it, without a look at columns; what the body leaves out stays.

    Args:
        body: the JSON of the definition.
        table: the table as it is.

    Raises:
        InvalidPayload: it is no definition of a table.
        InvalidArgument: a property has a value that it cannot have.
    """
    return _with_members(table, checked(body, ENTITY), _CHANGED)


def _with_members(table: Table, members: Members, readers: Mapping[str, _Reader]) -> Table:
    for name, read in readers.items():
        if name in members:
            table = read(table, members[name])
    return replace(table, further=read_further(members, KEPT, table.further))


def _ownership(table: Table, value: str) -> Table:
    if value not in _OWNERSHIPS:
        raise InvalidArgument("The specified ownership type mask is not valid for this operation", code="0x8004700d")
    return replace(table, ownership=_OWNERSHIPS[value])


def _kind(table: Table, value: str) -> Table:
    if value not in _STANDARD:
        raise InvalidArgument(f"Tables of the type '{value[:100]}' cannot be created here.")
    return replace(table, is_activity=table.is_activity or value == "Activity")


def _no_source(table: Table, _value: str) -> Table:
    raise InvalidArgument(f"The virtual table '{table.logical_name}' cannot be created: no data provider has this id.")


def _set(field: str) -> _Reader:
    def read(table: Table, value: object) -> Table:
        changes: dict[str, Any] = {field: value}
        return replace(table, **changes)

    return read


def _label(field: str) -> _Reader:
    def read(table: Table, value: Members) -> Table:
        changes: dict[str, Any] = {field: read_label(value)}
        return replace(table, **changes)

    return read


_CREATED: Final[Mapping[str, _Reader]] = {
    "OwnershipType": _ownership,
    "TableType": _kind,
    "IsActivity": _set("is_activity"),
    "DataProviderId": _no_source,
    "EntitySetName": _set("entity_set_name"),
}
"""Properties that are said once."""

_CHANGED: Final[Mapping[str, _Reader]] = {
    "DisplayName": _label("display_name"),
    "DisplayCollectionName": _label("plural_name"),
    "Description": _label("description"),
    "HasNotes": _set("has_notes"),
    "HasActivities": _set("has_activities"),
    "ChangeTrackingEnabled": _set("change_tracking"),
}
