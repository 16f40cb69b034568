"""Maps between tables: what a new record takes over from the record that it is made for.

Learn: "Map table columns": a map (`entitymap`) belongs to a relationship between two tables, its columns are pairs
(`attributemap`). The function InitializeFrom reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from entities.metadata.columns import EntityNameType, RequiredLevel
from entities.metadata.declare import (
    SERVER_SET,
    audit_columns,
    boolean,
    column,
    derived_id,
    lookup,
    plain,
    primary_id,
    string,
    with_ids,
)
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.references import PARENTAL, reference, system_references
from entities.values import EntityReference, Record

ENTITY_MAP: Final = with_ids(
    Table(
        "entitymap",
        "EntityMap",
        "entitymaps",
        4600,
        "entitymapid",
        None,
        (
            primary_id("EntityMapId", "Entity Map"),
            column("SourceEntityName", EntityNameType(), "Source Entity Name", **SERVER_SET),
            column("TargetEntityName", EntityNameType(), "Target Entity Name", **SERVER_SET),
            *audit_columns(),
        ),
        plain("Entity Map"),
        plain("Entity Maps"),
        plain("Represents the mapping between two related entities."),
        Ownership.ORGANIZATION,
    )
)

ATTRIBUTE_MAP: Final = with_ids(
    Table(
        "attributemap",
        "AttributeMap",
        "attributemaps",
        4601,
        "attributemapid",
        None,
        (
            primary_id("AttributeMapId", "Attribute Map"),
            lookup(
                "EntityMapId", "entitymap", text="Entity Map", required=RequiredLevel.SYSTEM, valid_for_update=False
            ),
            string("SourceAttributeName", 100, "Source Attribute Name"),
            string("TargetAttributeName", 100, "Target Attribute Name"),
            boolean("IsSystem", "Is System", **SERVER_SET),
            *audit_columns(),
        ),
        plain("Attribute Map"),
        plain("Attribute Maps"),
        plain("Represents a mapping between attributes where the attribute values should be copied from a record."),
        Ownership.ORGANIZATION,
    )
)

TABLES: Final = (ENTITY_MAP, ATTRIBUTE_MAP)

RELATIONSHIPS: Final[tuple[Relationship, ...]] = (
    reference("attributemap", "entitymapid", "entitymap", "entity_map_attribute_maps", cascade=PARENTAL),
    *system_references(ENTITY_MAP),
    *system_references(ATTRIBUTE_MAP),
)

_ADDRESS: Final = tuple(
    f"address1_{part}"
    for part in (
        *("addresstypecode", "city", "country", "county", "fax", "freighttermscode", "latitude", "line1", "line2"),
        *("line3", "longitude", "name", "postalcode", "postofficebox", "shippingmethodcode", "stateorprovince"),
        *("telephone1", "telephone2", "telephone3", "upszone", "utcoffset"),
    )
)
_SAME: Final = (*_ADDRESS, "transactioncurrencyid")

_MAPS: Final = (
    # A sub-account, a contact of an account, a contact of a contact, the account of a primary contact, and tasks.
    ("account", "account", (("accountid", "parentaccountid"), *((name, name) for name in _SAME))),
    (
        "account",
        "contact",
        (
            ("accountid", "parentcustomerid"),
            ("telephone1", "telephone1"),
            ("paymenttermscode", "paymenttermscode"),
            *((name, name) for name in _SAME),
        ),
    ),
    ("contact", "contact", (("contactid", "parentcustomerid"), *((name, name) for name in _SAME))),
    ("contact", "account", (("contactid", "primarycontactid"), *((name, name) for name in _SAME))),
    ("account", "task", (("accountid", "regardingobjectid"), ("transactioncurrencyid", "transactioncurrencyid"))),
    ("contact", "task", (("contactid", "regardingobjectid"), ("transactioncurrencyid", "transactioncurrencyid"))),
)
"""Source, target, and pairs of columns."""


def mapping_rows() -> Iterator[tuple[str, Record]]:
    """Yield the rows of the maps that come with the standard tables."""
    for source, target, pairs in _MAPS:
        entity_map = derived_id("entitymap", source, target)
        yield "entitymap", {"entitymapid": entity_map, "sourceentityname": source, "targetentityname": target}
        for own, other in pairs:
            yield (
                "attributemap",
                {
                    "attributemapid": derived_id("attributemap", source, target, own, other),
                    "entitymapid": EntityReference("entitymap", entity_map),
                    "sourceattributename": own,
                    "targetattributename": other,
                    "issystem": own == f"{source}id",
                },
            )
