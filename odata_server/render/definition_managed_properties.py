"""Managed properties as definitions: what a solution may leave open to those who install it.

Which there are follows from the definitions and columns that have one; what each governs is Learn's "Use managed
properties". All are checked when an operation is done, on one table or column.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from entities.metadata.columns import ManagedPropertyType
from entities.metadata.declare import derived_id, plain
from entities.metadata.labels import Label
from entities.metadata.tables import Table
from odata_server.render.definition_labels import INTRODUCED, Json, label_value

OF_DEFINITIONS: Final = (
    "canbeincustomentityassociation",
    "canbeinmanytomany",
    "canbeprimaryentityinrelationship",
    "canberelatedentityinrelationship",
    "canchangedatetimebehavior",
    "canchangehierarchicalrelationship",
    "canchangetrackingbeenabled",
    "cancreateattributes",
    "cancreatecharts",
    "cancreateforms",
    "cancreateviews",
    "canenablesynctoexternalsearchindex",
    "canmodifyadditionalsettings",
    "canmodifyauditsettings",
    "canmodifyconnectionsettings",
    "canmodifyduplicatedetectionsettings",
    "canmodifyglobalfiltersettings",
    "canmodifyissortablesettings",
    "canmodifymailmergesettings",
    "canmodifymobileclientoffline",
    "canmodifymobileclientreadonly",
    "canmodifymobileclientvisibility",
    "canmodifymobilevisibility",
    "canmodifyqueuesettings",
    "canmodifyrequirementlevelsettings",
    "canmodifysearchsettings",
    "iscustomizable",
    "ismappable",
    "isrenameable",
)
"""The managed properties of tables, columns, keys, relationships and choices."""


def managed_properties(tables: Iterable[Table]) -> tuple[str, ...]:
    """Return the logical names of all managed properties, in order.

    Args:
        tables: the tables, whose columns may have further ones.
    """
    found = set(OF_DEFINITIONS)
    for table in tables:
        found |= table.derived(_of_columns)
    return tuple(sorted(found))


def _of_columns(table: Table) -> frozenset[str]:
    types = (column.type for column in table.columns)
    return frozenset(t.managed_property for t in types if isinstance(t, ManagedPropertyType) and t.managed_property)


def managed_property_values(name: str) -> Json:
    """Return the properties of a managed property's definition.

    Args:
        name: its logical name.
    """
    identifier = derived_id("managed property", name)

    def shown(label: Label, kind: str) -> Json:
        return label_value(label, owner=identifier, kind=kind, is_managed=True)

    return {
        "MetadataId": identifier,
        "HasChanged": None,
        "LogicalName": name,
        "DisplayName": shown(plain(name), "DisplayName"),
        "ManagedPropertyType": "Operation",
        "Operation": "Update",
        "IsGlobalForOperation": False,
        "EvaluationPriority": "Normal",
        "IsPrivate": False,
        "ErrorCode": 0,
        "EnablesEntityName": None,
        "EnablesAttributeName": None,
        "Description": shown(Label(), "Description"),
        "IntroducedVersion": INTRODUCED,
    }
