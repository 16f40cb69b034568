"""Who a record is shared with beside its owner, and the tables in which each principal has something shared."""

from __future__ import annotations

from typing import Final

from entities.metadata.columns import EntityNameType
from entities.metadata.declare import (
    SERVER_SET,
    column,
    date_time,
    integer,
    plain,
    primary_id,
    unique_identifier,
    version_column,
    with_ids,
)
from entities.metadata.tables import Ownership, Table

SHARED_ACCESS: Final = "principalobjectaccess"
"""The table with a row per record and principal that it is shared with."""

SHARED_TABLES: Final = "principalentitymap"
"""The table that says in which tables a principal has records that are shared with it.

A row is made with the first of them and stays: it decides whether the rows of a table are asked for shares at all.
"""

PRINCIPALS: Final = frozenset({"systemuser", "team"})
"""The tables of those with whom a record is shared."""

SHARABLE: Final = 1 | 2 | 4 | 16 | 65_536 | 262_144 | 524_288
"""The flags of AccessRights that a share gives: all but Create, of which a mask may speak without effect."""

OF_PARENT_OWNER: Final = 134_217_728
"""The flag of an inherited mask beside the rights: who has it owns a record that this one belongs to."""

PRINCIPAL_OBJECT_ACCESS = with_ids(
    Table(
        SHARED_ACCESS,
        "PrincipalObjectAccess",
        "principalobjectaccessset",
        11,
        "principalobjectaccessid",
        None,
        (
            primary_id("PrincipalObjectAccessId"),
            unique_identifier("ObjectId", "Object", **SERVER_SET),
            column("ObjectTypeCode", EntityNameType(), "Object Type", **SERVER_SET),
            unique_identifier("PrincipalId", "Principal", **SERVER_SET),
            column("PrincipalTypeCode", EntityNameType(), "Principal Type", **SERVER_SET),
            integer("AccessRightsMask", "Access Rights Mask", **SERVER_SET),
            integer("InheritedAccessRightsMask", "Inherited Access Rights Mask", **SERVER_SET),
            date_time("ChangedOn", "Changed On", **SERVER_SET),
            integer("TimeZoneRuleVersionNumber", "Time Zone Rule Version Number", minimum=-1, **SERVER_SET),
            integer("UTCConversionTimeZoneCode", "UTC Conversion Time Zone Code", minimum=-1, **SERVER_SET),
            version_column(),
        ),
        plain("Sharing"),
        plain("Sharings"),
        plain("The access of a user or team to a record that is shared with it."),
        Ownership.NONE,
    )
)

PRINCIPAL_ENTITY_MAP = with_ids(
    Table(
        SHARED_TABLES,
        "PrincipalEntityMap",
        "principalentitymaps",
        1404,
        "principalentitymapid",
        None,
        (
            primary_id("PrincipalEntityMapId"),
            unique_identifier("PrincipalId", "Principal", **SERVER_SET),
            column("ObjectTypeCode", EntityNameType(), "Object Type", **SERVER_SET),
            version_column(),
        ),
        plain("Principal Entity Map"),
        plain("Principal Entity Maps"),
        plain("The tables in which records are shared with a user or team."),
        Ownership.NONE,
    )
)

TABLES = (PRINCIPAL_OBJECT_ACCESS, PRINCIPAL_ENTITY_MAP)
