"""The managed properties of table definitions: what is switched on, and who may switch it.

Virtual tables never have some of it (Learn: "Get started with virtual tables"); tables that somebody made are changed
more freely than those that came with Dataverse (Learn: "Use managed properties").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.metadata.tables import Table, TableKind
from odata_server.render.definition_labels import Json, managed

_FIXED: Final = frozenset({"CanCreateAttributes", "IsMappable"})
"""What cannot be changed of any table."""
_DIFFERENT: Final = ("IsDuplicateDetectionEnabled", "CanBeInCustomEntityAssociation", "IsVisibleInMobileClient")
"""What a new table has the other way round than those of the system."""


def managed_properties(table: Table) -> Json:
    """Return what the customizers of a table may change, and whether another solution may."""
    values = _of_the_system(table)
    if table.kind is not TableKind.STANDARD or not table.is_custom:
        return values
    changeable = {name: {**value, "CanBeChanged": name not in _FIXED} for name, value in values.items()}
    for name in _DIFFERENT:
        changeable[name] = {**changeable[name], "Value": not changeable[name]["Value"]}
    return changeable


def _of_the_system(table: Table) -> Mapping[str, Json]:
    stored = table.kind is not TableKind.VIRTUAL
    related = table.kind is not TableKind.INTERSECT
    off = {"value": False, "can_change": False}
    changeable_off = {"value": False, "can_change": stored}
    return {
        "IsAuditEnabled": managed("canmodifyauditsettings", **changeable_off),
        "IsValidForQueue": managed("canmodifyqueuesettings", **off),
        "IsConnectionsEnabled": managed("canmodifyconnectionsettings", **off),
        "IsCustomizable": managed("iscustomizable", value=True),
        "IsRenameable": managed("isrenameable", value=related),
        "IsMappable": managed("ismappable", value=related),
        "IsDuplicateDetectionEnabled": managed(
            "canmodifyduplicatedetectionsettings", value=table.kind is TableKind.STANDARD, can_change=stored
        ),
        "CanCreateAttributes": managed("cancreateattributes", value=related),
        "CanCreateForms": managed("cancreateforms", value=related),
        "CanCreateViews": managed("cancreateviews", value=related),
        "CanCreateCharts": managed("cancreatecharts", value=related and stored),
        "CanBeRelatedEntityInRelationship": managed("canberelatedentityinrelationship", value=related),
        "CanBePrimaryEntityInRelationship": managed("canbeprimaryentityinrelationship", value=related),
        "CanBeInManyToMany": managed("canbeinmanytomany", value=related),
        "CanBeInCustomEntityAssociation": managed("canbeincustomentityassociation", **off),
        "CanEnableSyncToExternalSearchIndex": managed("canenablesynctoexternalsearchindex", value=related and stored),
        "CanModifyAdditionalSettings": managed("canmodifyadditionalsettings", value=True, can_change=True),
        "CanChangeHierarchicalRelationship": managed("canchangehierarchicalrelationship", value=related and stored),
        "CanChangeTrackingBeEnabled": managed("canchangetrackingbeenabled", value=stored, can_change=stored),
        "IsMailMergeEnabled": managed("canmodifymailmergesettings", **off),
        "IsVisibleInMobile": managed("canmodifymobilevisibility", value=False, can_change=True),
        "IsVisibleInMobileClient": managed("canmodifymobileclientvisibility", value=related),
        "IsReadOnlyInMobileClient": managed("canmodifymobileclientreadonly", value=False, can_change=True),
        "IsOfflineInMobileClient": managed("canmodifymobileclientoffline", **changeable_off),
    }
