"""A solution as definitions: `customizations.xml` and `solution.xml` of an exported solution.zip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from entities.errors import MalformedRequest
from odata_server.admin.archives import ArchiveError, unpacked
from odata_server.admin.schema.findings import Json
from odata_server.admin.schema.solution_columns import (
    column_definition,
    flag,
    items,
    label,
    number,
    option_set,
    text_of,
    without_nothing,
)
from odata_server.edm.csdl_document import Element, root_of

CUSTOMIZATIONS: Final = "customizations.xml"
MANIFEST: Final = "solution.xml"
OWNERSHIPS: Final[Mapping[str, str]] = {
    "userowned": "UserOwned",
    "orgowned": "OrganizationOwned",
    "organizationowned": "OrganizationOwned",
    "businessowned": "BusinessOwned",
    "none": "None",
}
_ACTIONS: Final = ("Assign", "Delete", "Merge", "Reparent", "Share", "Unshare")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `solution.xml` says: the solution, its publisher, and which components are in it."""

    unique_name: str
    friendly_name: str
    version: str
    is_managed: bool
    publisher_name: str
    publisher_friendly_name: str
    prefix: str
    option_value_prefix: int


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution: definitions of tables and global choices, and what it says of itself."""

    tables: tuple[Json, ...]
    option_sets: tuple[Json, ...]
    manifest: Manifest | None


def read_solution(data: bytes) -> Solution:
    """Return what a solution.zip holds.

    Raises:
        MalformedRequest: it is no archive that can be read, or has no customizations.
    """
    try:
        archive = unpacked(data, (CUSTOMIZATIONS, MANIFEST))
    except ArchiveError as error:
        raise MalformedRequest(f"The solution cannot be read: {error}.") from error
    customizations, manifest = archive.member(CUSTOMIZATIONS), archive.member(MANIFEST)
    if customizations is None:
        raise MalformedRequest(f"The archive is no solution: it has no {CUSTOMIZATIONS}.")
    root = root_of(customizations, CUSTOMIZATIONS)
    relationships = [
        found for holder in root.named("EntityRelationships") for found in holder.named("EntityRelationship")
    ]
    targets = _targets(relationships)
    tables = {
        table["LogicalName"]: table for entity in items(root, "Entities", "Entity") for table in _table(entity, targets)
    }
    for relationship in relationships:
        _relate(relationship, tables)
    sets = tuple(
        option_set(found) | {"IsGlobal": True}
        for holder in root.named("optionsets")
        for found in holder.named("optionset")
    )
    return Solution(tuple(tables.values()), sets, _manifest(manifest) if manifest is not None else None)


def _targets(relationships: list[Element]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return where lookups lead: only relationships say so."""
    targets: dict[tuple[str, str], tuple[str, ...]] = {}
    for relationship in relationships:
        table, column = _lower(relationship, "ReferencingEntityName"), _lower(relationship, "ReferencingAttributeName")
        if table and column:
            before = targets.get((table, column), ())
            targets[table, column] = tuple(dict.fromkeys((*before, _lower(relationship, "ReferencedEntityName"))))
    return targets


def _lower(element: Element, name: str) -> str:
    return (text_of(element, name) or "").lower()


def _table(entity: Element, targets: Mapping[tuple[str, str], tuple[str, ...]]) -> Iterator[Json]:
    """Yield the definition of a table, where the solution describes one."""
    for element in items(entity, "EntityInfo", "entity"):
        schema_name = element.get("Name") or text_of(entity, "Name") or ""
        name = schema_name.lower()
        found = items(element, "attributes", "attribute")
        columns = [column_definition(attribute, name, targets) for attribute in found]
        ownership = (text_of(element, "OwnershipTypeMask") or "").lower()
        primary = next((c["LogicalName"] for c in columns if c.get("IsPrimaryId")), None)
        shown = next((c["LogicalName"] for c in columns if c.get("IsPrimaryName")), None)
        yield without_nothing(
            {
                "LogicalName": name,
                "SchemaName": schema_name,
                "EntitySetName": text_of(element, "EntitySetName"),
                "ObjectTypeCode": number(entity, "ObjectTypeCode"),
                "PrimaryIdAttribute": primary,
                "PrimaryNameAttribute": shown,
                "DisplayName": label(element, "LocalizedNames", "LocalizedName"),
                "DisplayCollectionName": label(element, "LocalizedCollectionNames", "LocalizedCollectionName"),
                "Description": label(element, "Descriptions", "Description"),
                "OwnershipType": OWNERSHIPS.get(ownership),
                "ChangeTrackingEnabled": flag(element, "ChangeTrackingEnabled"),
                "HasNotes": flag(element, "HasRelatedNotes"),
                "HasActivities": flag(element, "HasRelatedActivities"),
                "IsActivity": flag(element, "IsActivity"),
                "IsCustomEntity": flag(element, "IsCustomEntity"),
                "DataProviderId": text_of(element, "DataProviderId"),
                "Attributes": columns,
                "Keys": [_key(key) for key in items(element, "EntityKeys", "EntityKey")],
                "ManyToOneRelationships": [],
                "ManyToManyRelationships": [],
            }
        )


def _key(element: Element) -> Json:
    name = text_of(element, "Name") or text_of(element, "LogicalName") or ""
    attributes = [
        a.text.lower() for holder in element.named("EntityKeyAttributes") for a in holder.named("AttributeName")
    ]
    return without_nothing(
        {
            "SchemaName": name,
            "LogicalName": (text_of(element, "LogicalName") or name).lower(),
            "KeyAttributes": attributes,
            "DisplayName": label(element, "displaynames", "displayname"),
        }
    )


def _relate(element: Element, tables: dict[str, Json]) -> None:
    """Add a relationship to the definition of a table that has it; one between tables out of the solution, too."""
    if (text_of(element, "EntityRelationshipType") or "") == "ManyToMany":
        pair, intersect = _many_to_many(element)
        holder = tables.setdefault(pair["Entity1LogicalName"], {"LogicalName": pair["Entity1LogicalName"]})
        holder.setdefault("ManyToManyRelationships", []).append(pair)
        tables.setdefault(intersect["LogicalName"], intersect)
        return
    relationship = _one_to_many(element)
    holder = tables.setdefault(relationship["ReferencingEntity"], {"LogicalName": relationship["ReferencingEntity"]})
    holder.setdefault("ManyToOneRelationships", []).append(relationship)


def _one_to_many(element: Element) -> Json:
    navigations = dict(_navigations(element))
    referenced = _lower(element, "ReferencedEntityName")
    return {
        "SchemaName": element.get("Name"),
        "ReferencedEntity": referenced,
        "ReferencedAttribute": _lower(element, "ReferencedAttributeName") or f"{referenced}id",
        "ReferencingEntity": _lower(element, "ReferencingEntityName"),
        "ReferencingAttribute": text_of(element, "ReferencingAttributeName") or "",
        "ReferencingEntityNavigationPropertyName": navigations.get("1"),
        "ReferencedEntityNavigationPropertyName": navigations.get("0"),
        "CascadeConfiguration": without_nothing({name: text_of(element, f"Cascade{name}") for name in _ACTIONS}),
        "IsHierarchical": flag(element, "IsHierarchical") or False,
        "IsCustomRelationship": True,
    }


def _navigations(element: Element) -> Iterator[tuple[str, str]]:
    """Yield navigation properties by the type of their role, of pairs by its ordinal."""
    for role in items(element, "EntityRelationshipRoles", "EntityRelationshipRole"):
        name = text_of(role, "NavigationPropertyName")
        if name is not None:
            yield text_of(role, "RelationshipRoleType") or "", name
            yield f"ordinal {text_of(role, 'AssociationRoleOrdinal') or ''}", name


def _many_to_many(element: Element) -> tuple[Json, Json]:
    """Return the relationship and its intersect table, which no solution describes."""
    first, second = _lower(element, "FirstEntityName"), _lower(element, "SecondEntityName")
    schema_name = text_of(element, "IntersectEntityName") or element.get("Name")
    intersect, navigations = schema_name.lower(), dict(_navigations(element))
    ends = ("one", "two") if first == second else ("", "")
    own = first == second
    columns = [f"{table}id{end}" for table, end in zip((first, second), ends, strict=True)]
    name = element.get("Name")
    pair = {
        "SchemaName": name,
        "IntersectEntityName": intersect,
        "Entity1LogicalName": first,
        "Entity1IntersectAttribute": columns[0],
        "Entity1NavigationPropertyName": navigations.get("ordinal 1") or (f"Referencing{name}" if own else name),
        "Entity2LogicalName": second,
        "Entity2IntersectAttribute": columns[1],
        "Entity2NavigationPropertyName": navigations.get("ordinal 2") or (f"Referenced{name}" if own else name),
        "IsCustomRelationship": True,
    }
    return pair, _intersect(schema_name, columns)


def _intersect(schema_name: str, columns: list[str]) -> Json:
    name = schema_name.lower()
    identifiers = [
        {"AttributeType": "Uniqueidentifier", "LogicalName": column, "SchemaName": column, "IsValidForUpdate": False}
        for column in (f"{name}id", *columns)
    ]
    version = {"AttributeType": "BigInt", "LogicalName": "versionnumber", "SchemaName": "VersionNumber"}
    return {
        "LogicalName": name,
        "SchemaName": schema_name,
        "EntitySetName": f"{name}set",
        "PrimaryIdAttribute": f"{name}id",
        "OwnershipType": "None",
        "IsIntersect": True,
        "DisplayName": {"LocalizedLabels": [{"Label": schema_name, "LanguageCode": 1033}]},
        "DisplayCollectionName": {"LocalizedLabels": [{"Label": schema_name, "LanguageCode": 1033}]},
        "Attributes": [
            *identifiers,
            {
                **version,
                "@odata.type": "#Microsoft.Dynamics.CRM.BigIntAttributeMetadata",
                "IsValidForCreate": False,
                "IsValidForUpdate": False,
            },
        ],
    }


def _manifest(data: bytes) -> Manifest | None:
    for element in root_of(data, MANIFEST).named("SolutionManifest"):
        publisher = next(element.named("Publisher"), Element("Publisher", {}))
        unique_name = text_of(element, "UniqueName") or ""
        prefix = text_of(publisher, "CustomizationPrefix") or "new"
        option_prefix = number(publisher, "CustomizationOptionValuePrefix")
        return Manifest(
            unique_name,
            _title(element) or unique_name,
            text_of(element, "Version") or "1.0.0.0",
            flag(element, "Managed") or False,
            text_of(publisher, "UniqueName") or prefix,
            _title(publisher) or text_of(publisher, "UniqueName") or prefix,
            prefix,
            option_prefix if isinstance(option_prefix, int) else 10_000,
        )
    return None


def _title(element: Element) -> str | None:
    found = label(element, "LocalizedNames", "LocalizedName")
    return str(found["LocalizedLabels"][0]["Label"]) if found else None
