"""Table, key and relationship definitions: EntityMetadata and what is not a column.

Flags that virtual tables never have are listed in Learn, "Get started with virtual tables" and "Virtual table
considerations"; `TableType`, `DataProviderId` and the external names tell them apart.
"""

from __future__ import annotations

from typing import Final

from entities.metadata.columns import ImageType
from entities.metadata.ids import key_id, relationship_id, table_id
from entities.metadata.labels import Label
from entities.metadata.relationships import CascadeConfiguration, ManyToMany, OneToMany, Relationship
from entities.metadata.tables import AlternateKey, Table, TableKind
from entities.standard.customization.system_columns import plural
from odata_server.render.definition_further import Owner, with_further
from odata_server.render.definition_labels import EPOCH, INTRODUCED, Json, label_value, managed
from odata_server.render.definition_switches import managed_properties
from security.privileges import RIGHT_NAMES, AccessRight, Depth, table_privileges

_CUSTOM_VERSION: Final = "1.0.0.0"
_SYSTEM_USER_CODE: Final = 8
_ORDER: Final = {
    right: place
    for place, right in enumerate(
        (
            *(AccessRight.CREATE, AccessRight.READ, AccessRight.WRITE, AccessRight.DELETE),
            *(AccessRight.ASSIGN, AccessRight.SHARE, AccessRight.APPEND, AccessRight.APPEND_TO),
        )
    )
}
"""The order of a table's privileges in its definition."""
_MENU_ORDER: Final = 10_000
_JOB: Final = "AsyncJob"


def table_values(table: Table) -> Json:
    """Return the properties of a table's definition: primitive ones, the id, objects, then collections."""
    return with_further(plain_table_values(table), table.further, Owner(table_id(table), not table.is_custom))


def plain_table_values(table: Table) -> Json:
    """Return the properties of a table's definition as they follow from the metadata."""
    return {
        **_switches(table),
        **_names(table),
        "MetadataId": table_id(table),
        "HasChanged": None,
        **_labels(table),
        **managed_properties(table),
        "Privileges": _privileges(table),
        "Settings": [],
    }


def _switches(table: Table) -> Json:
    """Return what the table can do; a virtual table can do less."""
    stored = table.kind is not TableKind.VIRTUAL
    source = table.source
    return {
        "ActivityTypeMask": 0,
        "AutoRouteToOwnerQueue": False,
        "CanTriggerWorkflow": stored,
        "EntityHelpUrlEnabled": False,
        "EntityHelpUrl": None,
        "IsDocumentManagementEnabled": False,
        "IsOneNoteIntegrationEnabled": False,
        "IsInteractionCentricEnabled": False,
        "IsKnowledgeManagementEnabled": False,
        "IsSLAEnabled": False,
        "IsBPFEntity": False,
        "IsDocumentRecommendationsEnabled": False,
        "IsMSTeamsIntegrationEnabled": False,
        "SettingOf": None,
        "DataProviderId": source.data_provider_id if source else None,
        "DataSourceId": source.data_source_id if source else None,
        "AutoCreateAccessTeams": False,
        "IsActivity": table.is_activity,
        "IsActivityParty": False,
        "IsRetrieveAuditEnabled": False,
        "IsRetrieveMultipleAuditEnabled": False,
        "IsArchivalEnabled": False,
        "IsRetentionEnabled": False,
        "ClusterMode": "Local",
        "IsAvailableOffline": stored and not table.is_custom,
        "IsChildEntity": False,
        "IsAIRUpdated": stored and not table.is_custom,
        "IconLargeName": None,
        "IconMediumName": None,
        "IconSmallName": None,
        "IconVectorName": None,
        "IsCustomEntity": table.is_custom,
        "IsBusinessProcessEnabled": False,
        "SyncToExternalSearchIndex": False,
        "IsOptimisticConcurrencyEnabled": stored and table.optimistic_concurrency,
        "ChangeTrackingEnabled": stored and table.change_tracking,
        "IsImportable": stored,
        "IsIntersect": table.kind is TableKind.INTERSECT,
        "IsManaged": not table.is_custom,
        "IsEnabledForCharts": stored,
        "IsEnabledForTrace": False,
        "IsValidForAdvancedFind": not table.is_private,
        "DaysSinceRecordLastModified": 0,
        "MobileOfflineFilters": "",
        "IsReadingPaneEnabled": True,
        "IsQuickCreateEnabled": False,
    }


def _names(table: Table) -> Json:
    source = table.source
    images = (c for c in table.columns if isinstance(c.type, ImageType) and c.type.is_primary)
    image = next((c.logical_name for c in images), None)
    return {
        "LogicalName": table.logical_name,
        "ObjectTypeCode": table.object_type_code,
        "OwnershipType": table.ownership.value,
        "PrimaryNameAttribute": table.primary_name,
        "PrimaryImageAttribute": image,
        "PrimaryIdAttribute": table.primary_id,
        "RecurrenceBaseEntityLogicalName": None,
        "ReportViewName": None if table.kind is TableKind.VIRTUAL else f"Filtered{table.schema_name}",
        "SchemaName": table.schema_name,
        "IntroducedVersion": _CUSTOM_VERSION if table.is_custom else INTRODUCED,
        "IsStateModelAware": "statecode" in table.by_name,
        "EnforceStateTransitions": False,
        "ExternalName": source.name if source else None,
        "EntityColor": None,
        "LogicalCollectionName": table.entity_set_name,
        "ExternalCollectionName": source.collection_name if source else None,
        "CollectionSchemaName": _collection_schema_name(table),
        "EntitySetName": table.entity_set_name,
        "IsEnabledForExternalChannels": False,
        "IsPrivate": table.is_private,
        "UsesBusinessDataLabelTable": False,
        "IsLogicalEntity": False,
        "HasNotes": table.has_notes,
        "HasActivities": table.has_activities,
        "HasFeedback": False,
        "IsSolutionAware": "solutionid" in table.by_name,
        "CreatedOn": EPOCH,
        "ModifiedOn": EPOCH,
        "HasEmailAddresses": False,
        "OwnerId": None,
        "OwnerIdType": _SYSTEM_USER_CODE,
        "OwningBusinessUnit": None,
        "TableType": _table_type(table),
    }


def _collection_schema_name(table: Table) -> str:
    if table.is_custom:
        return plural(table.schema_name)
    return (table.plural_name.text() or table.schema_name).replace(" ", "")


def _table_type(table: Table) -> str:
    if table.kind is TableKind.VIRTUAL:
        return "Virtual"
    return "Activity" if table.is_activity else "Standard"


def _labels(table: Table) -> Json:
    owner, is_managed = table_id(table), not table.is_custom
    named = (
        ("Description", table.description),
        ("DisplayCollectionName", table.plural_name),
        ("DisplayName", table.display_name),
    )
    return {kind: label_value(text, owner=owner, kind=kind, is_managed=is_managed) for kind, text in named}


def _privileges(table: Table) -> list[Json]:
    return [
        {
            "CanBeBasic": Depth.BASIC in privilege.depths,
            "CanBeDeep": Depth.DEEP in privilege.depths,
            "CanBeGlobal": Depth.GLOBAL in privilege.depths,
            "CanBeLocal": Depth.LOCAL in privilege.depths,
            "CanBeEntityReference": False,
            "CanBeParentEntityReference": False,
            "CanBeRecordFilter": False,
            "Name": privilege.name,
            "PrivilegeId": privilege.privilege_id,
            "PrivilegeType": RIGHT_NAMES[privilege.right],
        }
        for privilege in sorted(table_privileges(table), key=lambda found: _ORDER[found.right])
    ]


def key_values(table: Table, key: AlternateKey) -> Json:
    """Return the properties of an alternate key's definition."""
    owner = key_id(table, key)
    # One with a job of its own was made by somebody, on whatever table.
    is_managed = not table.is_custom and _JOB not in dict(key.further)
    values = {
        "LogicalName": key.logical_name,
        "SchemaName": key.schema_name or key.logical_name,
        "EntityLogicalName": table.logical_name,
        "IsManaged": is_managed,
        "IntroducedVersion": INTRODUCED if is_managed else _CUSTOM_VERSION,
        "EntityKeyIndexStatus": key.index_status.value,
        _JOB: None,
        "IsSynchronous": False,
        "IsExportKey": False,
        "MetadataId": owner,
        "HasChanged": None,
        "KeyAttributes": list(key.columns),
        "DisplayName": label_value(key.display_name, owner=owner, kind="DisplayName", is_managed=is_managed),
        "IsCustomizable": managed("iscustomizable", value=True, can_change=not is_managed),
    }
    return with_further(values, key.further, Owner(owner, is_managed))


def _relationship_head(relationship: Relationship, kind: str, security: str) -> Json:
    return {
        "IsCustomRelationship": relationship.is_custom,
        "IsValidForAdvancedFind": True,
        "SchemaName": relationship.schema_name,
        "SecurityTypes": security,
        "IsManaged": not relationship.is_custom,
        "RelationshipType": kind,
        "IntroducedVersion": _CUSTOM_VERSION if relationship.is_custom else INTRODUCED,
    }


def one_to_many_values(relationship: OneToMany) -> Json:
    """Return the properties of a one-to-many relationship's definition."""
    owner = relationship_id(relationship)
    values = {
        "ReferencedAttribute": relationship.referenced_column,
        "ReferencedEntity": relationship.referenced_table,
        "ReferencingAttribute": relationship.referencing_column,
        "ReferencingEntity": relationship.referencing_table,
        "IsHierarchical": relationship.is_hierarchical,
        "EntityKey": None,
        "ReferencedEntityNavigationPropertyName": relationship.referenced_navigation,
        "ReferencingEntityNavigationPropertyName": relationship.referencing_navigation,
        "RelationshipBehavior": 1,
        **_relationship_head(relationship, "OneToManyRelationship", "Append"),
        "MetadataId": owner,
        "HasChanged": None,
        "AssociatedMenuConfiguration": _menu(relationship, "AssociatedMenuConfiguration"),
        "CascadeConfiguration": _cascade(relationship.cascade),
        "RelationshipAttributes": [],
        "IsCustomizable": managed("iscustomizable", value=True, can_change=relationship.is_custom),
    }
    return with_further(values, relationship.further, Owner(owner, not relationship.is_custom))


def _cascade(cascade: CascadeConfiguration) -> Json:
    return {
        "Assign": cascade.assign.value,
        "Delete": cascade.delete.value,
        "Merge": cascade.merge.value,
        "Reparent": cascade.reparent.value,
        "Share": cascade.share.value,
        "Unshare": cascade.unshare.value,
        "RollupView": "NoCascade",
    }


def _menu(relationship: Relationship, kind: str) -> Json:
    owner = relationship_id(relationship)
    return {
        "Behavior": "UseCollectionName",
        "Group": "Details",
        "Order": _MENU_ORDER if relationship.is_custom else None,
        "IsCustomizable": True,
        "Icon": None,
        "ViewId": "00000000-0000-0000-0000-000000000000",
        "AvailableOffline": True,
        "MenuId": None,
        "QueryApi": None,
        "Label": label_value(Label(), owner=owner, kind=kind, is_managed=not relationship.is_custom),
    }


def many_to_many_values(relationship: ManyToMany) -> Json:
    """Return the properties of a many-to-many relationship's definition."""
    owner = relationship_id(relationship)
    values = {
        "Entity1LogicalName": relationship.table1,
        "Entity2LogicalName": relationship.table2,
        "IntersectEntityName": relationship.intersect_table,
        "Entity1IntersectAttribute": relationship.column1,
        "Entity2IntersectAttribute": relationship.column2,
        "Entity1NavigationPropertyName": relationship.navigation1,
        "Entity2NavigationPropertyName": relationship.navigation2,
        **_relationship_head(relationship, "ManyToManyRelationship", "None"),
        "MetadataId": owner,
        "HasChanged": None,
        "Entity1AssociatedMenuConfiguration": _menu(relationship, "Entity1AssociatedMenuConfiguration"),
        "Entity2AssociatedMenuConfiguration": _menu(relationship, "Entity2AssociatedMenuConfiguration"),
        "IsCustomizable": managed("iscustomizable", value=True, can_change=relationship.is_custom),
    }
    return with_further(values, relationship.further, Owner(owner, not relationship.is_custom))
