"""Definitions as a solution.zip: `customizations.xml`, `solution.xml` and `[Content_Types].xml`, packed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from io import BytesIO
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from odata_server.admin.schema.solution_columns import BEHAVIORS, BY_KIND, DATE_FORMATS, LEVELS, SolutionType
from odata_server.admin.schema.solution_reading import CUSTOMIZATIONS, MANIFEST

Json = dict[str, Any]

_LEVELS: Final = {level: name for name, level in LEVELS.items() if name != "required"}
_BEHAVIORS: Final = {behavior: number for number, behavior in BEHAVIORS.items()}
_DATES: Final = {shown: name for name, shown in DATE_FORMATS.items()}
_OWNERSHIPS: Final[Mapping[str, str]] = {"OrganizationOwned": "OrgOwned"}
_ACTIONS: Final = ("Assign", "Delete", "Merge", "Reparent", "Share", "Unshare")
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""The time of all members: the same definitions make the same archive."""

_CONTENT_TYPES: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="text/xml" /></Types>'
)


def solution_archive(tables: Iterable[Json], option_sets: Iterable[Json], solution: Json) -> bytes:
    """Return a solution.zip.

    Args:
        tables: definitions with Attributes, Keys, options and relationships.
        option_sets: definitions of global choices.
        solution: the row of the solution, with its publisher expanded.
    """
    described = list(tables)
    sets = list(option_sets)
    return packed(
        {
            "[Content_Types].xml": _CONTENT_TYPES.encode(),
            MANIFEST: document(_manifest(described, sets, solution)),
            CUSTOMIZATIONS: document(_customizations(described, sets)),
        }
    )


def packed(members: Mapping[str, bytes]) -> bytes:
    """Return members as a ZIP file."""
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            info = ZipInfo(name, _MOMENT)
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def document(root: Element) -> bytes:
    """Return an element as an XML document."""
    return b'<?xml version="1.0" encoding="utf-8"?>' + tostring(root, encoding="unicode").encode()


def _manifest(tables: list[Json], sets: list[Json], solution: Json) -> Element:
    root = Element("ImportExportXml", {"version": "9.2", "SolutionPackageVersion": "9.2", "languagecode": "1033"})
    manifest = SubElement(root, "SolutionManifest")
    _text(manifest, "UniqueName", solution["uniquename"])
    _named(manifest, "LocalizedNames", "LocalizedName", solution.get("friendlyname"))
    _text(manifest, "Version", solution.get("version") or "1.0.0.0")
    _text(manifest, "Managed", "0")
    publisher = solution.get("publisherid") or {}
    held = SubElement(manifest, "Publisher")
    _text(held, "UniqueName", publisher.get("uniquename"))
    _named(held, "LocalizedNames", "LocalizedName", publisher.get("friendlyname"))
    _text(held, "CustomizationPrefix", publisher.get("customizationprefix"))
    _text(held, "CustomizationOptionValuePrefix", publisher.get("customizationoptionvalueprefix"))
    components = SubElement(manifest, "RootComponents")
    for table in tables:
        SubElement(components, "RootComponent", {"type": "1", "schemaName": table["LogicalName"], "behavior": "0"})
    for choice in sets:
        SubElement(components, "RootComponent", {"type": "9", "schemaName": choice["Name"], "behavior": "0"})
    return root


def _named(parent: Element, collection: str, item: str, text: object) -> None:
    SubElement(SubElement(parent, collection), item, {"description": str(text or ""), "languagecode": "1033"})


def _customizations(tables: list[Json], sets: list[Json]) -> Element:
    root = Element("ImportExportXml")
    entities = SubElement(root, "Entities")
    for table in tables:
        _entity(entities, table)
    relationships = SubElement(root, "EntityRelationships")
    names = {table["LogicalName"] for table in tables}
    for relationship in _once(r for table in tables for r in table.get("ManyToOneRelationships", ())):
        _one_to_many(relationships, relationship)
    for relationship in _once(r for table in tables for r in table.get("ManyToManyRelationships", ())):
        if names & {relationship.get("Entity1LogicalName"), relationship.get("Entity2LogicalName")}:
            _many_to_many(relationships, relationship)
    holder = SubElement(root, "optionsets")
    for choice in sets:
        _option_set(holder, choice, "picklist")
    languages = SubElement(root, "Languages")
    _text(languages, "Language", "1033")
    return root


def _once(relationships: Iterable[Json]) -> Iterator[Json]:
    yield from {relationship["SchemaName"]: relationship for relationship in relationships}.values()


def _text(parent: Element, name: str, value: object) -> None:
    """Add an element with a text; nothing where there is no value."""
    if value is None:
        return
    if isinstance(value, bool):
        value = "1" if value else "0"
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        value = format(value, "f")
    SubElement(parent, name).text = str(value)


def _labels(parent: Element, collection: str, item: str, label: Json | None) -> None:
    texts = (label or {}).get("LocalizedLabels") or ()
    if not texts:
        return
    holder = SubElement(parent, collection)
    for text in texts:
        SubElement(holder, item, {"description": text["Label"], "languagecode": str(text["LanguageCode"])})


def _entity(parent: Element, table: Json) -> None:
    entity = SubElement(parent, "Entity")
    _text(entity, "Name", table["SchemaName"])
    _text(entity, "ObjectTypeCode", table.get("ObjectTypeCode"))
    described = SubElement(SubElement(entity, "EntityInfo"), "entity", {"Name": table["SchemaName"]})
    _labels(described, "LocalizedNames", "LocalizedName", table.get("DisplayName"))
    _labels(described, "LocalizedCollectionNames", "LocalizedCollectionName", table.get("DisplayCollectionName"))
    _labels(described, "Descriptions", "Description", table.get("Description"))
    attributes = SubElement(described, "attributes")
    for column in sorted(table.get("Attributes", ()), key=lambda found: int(found.get("ColumnNumber") or 0)):
        type_ = _type(table, column)
        if type_ is not None:
            _attribute(attributes, column, type_)
    if table.get("Keys"):
        keys = SubElement(described, "EntityKeys")
        for key in table["Keys"]:
            _key(keys, key)
    ownership = str(table.get("OwnershipType"))
    _text(described, "EntitySetName", table.get("EntitySetName"))
    _text(described, "OwnershipTypeMask", _OWNERSHIPS.get(ownership, ownership))
    _text(described, "IsCustomEntity", table.get("IsCustomEntity"))
    _text(described, "IsActivity", table.get("IsActivity"))
    _text(described, "ChangeTrackingEnabled", table.get("ChangeTrackingEnabled"))
    _text(described, "HasRelatedNotes", table.get("HasNotes"))
    _text(described, "HasRelatedActivities", table.get("HasActivities"))


def _type(table: Json, column: Json) -> SolutionType | None:
    if column["LogicalName"] == table.get("PrimaryIdAttribute"):
        return BY_KIND["Uniqueidentifier"]
    kind = str((column.get("AttributeTypeName") or {}).get("Value", "")).removesuffix("Type")
    if kind == "Uniqueidentifier":
        return SolutionType("uniqueidentifier", kind, " ")
    return BY_KIND.get(kind)


def _attribute(parent: Element, column: Json, type_: SolutionType) -> None:
    made = SubElement(parent, "attribute", {"PhysicalName": column["SchemaName"]})
    _text(made, "Type", type_.name)
    _text(made, "Name", column["LogicalName"])
    _text(made, "LogicalName", column["LogicalName"])
    _text(made, "RequiredLevel", _LEVELS.get((column.get("RequiredLevel") or {}).get("Value", "None"), "none"))
    masks = ["PrimaryName"] if column.get("IsPrimaryName") else []
    _text(made, "DisplayMask", "|".join((*masks, "ValidForAdvancedFind", "ValidForForm", "ValidForGrid")))
    _text(made, "ValidForCreateApi", column.get("IsValidForCreate"))
    _text(made, "ValidForReadApi", column.get("IsValidForRead"))
    _text(made, "ValidForUpdateApi", column.get("IsValidForUpdate"))
    _text(made, "IsCustomField", column.get("IsCustomAttribute"))
    _text(made, "IsSecured", column.get("IsSecured"))
    _text(made, "SourceType", column.get("SourceType"))
    _text(made, "AutoNumberFormat", column.get("AutoNumberFormat") or None)
    _text(made, "FormulaDefinition", column.get("FormulaDefinition") or None)
    _limits(made, column, type_.kind)
    _options(made, column, type_)
    _labels(made, "displaynames", "displayname", column.get("DisplayName"))
    _labels(made, "Descriptions", "Description", column.get("Description"))


def _limits(made: Element, column: Json, kind: str) -> None:
    _text(made, "MaxLength", column.get("MaxLength"))
    if kind == "DateTime":
        _text(made, "Format", _DATES.get(str(column.get("Format")), "datetime"))
        _text(made, "Behavior", _BEHAVIORS.get((column.get("DateTimeBehavior") or {}).get("Value", "UserLocal")))
    elif kind == "String":
        _text(made, "Format", str(column.get("Format") or "Text").lower())
    _text(made, "MinValue", column.get("MinValue"))
    _text(made, "MaxValue", column.get("MaxValue"))
    _text(made, "Accuracy", column.get("Precision"))
    _text(made, "MaxSizeInKB", column.get("MaxSizeInKB"))
    _text(made, "CanStoreFullImage", column.get("CanStoreFullImage"))
    _text(made, "IsPrimaryImage", column.get("IsPrimaryImage"))


def _options(made: Element, column: Json, type_: SolutionType) -> None:
    default = column.get("DefaultFormValue") if type_.kind != "Boolean" else column.get("DefaultValue")
    _text(made, "AppDefaultValue", default)
    stated = column.get("OptionSet")
    if stated is None:
        return
    if stated.get("IsGlobal"):
        _text(made, "OptionSetName", stated.get("Name"))
        return
    _option_set(made, stated, type_.name)


def _option_set(parent: Element, stated: Json, type_name: str) -> None:
    made = SubElement(parent, "optionset", {"Name": str(stated.get("Name") or "")})
    _text(made, "OptionSetType", type_name)
    _text(made, "IsGlobal", stated.get("IsGlobal") or False)
    _text(made, "ExternalTypeName", stated.get("ExternalTypeName") or None)
    _labels(made, "displaynames", "displayname", stated.get("DisplayName"))
    _labels(made, "Descriptions", "Description", stated.get("Description"))
    collection, item = {"state": ("states", "state"), "status": ("statuses", "status")}.get(
        type_name, ("options", "option")
    )
    holder = SubElement(made, collection)
    options = stated.get("Options") or [stated[name] for name in ("FalseOption", "TrueOption") if name in stated]
    for option in options:
        attributes = {
            "value": option.get("Value"),
            "state": option.get("State"),
            "defaultstatus": option.get("DefaultStatus"),
            "invariantname": option.get("InvariantName"),
            "Color": option.get("Color"),
            "ExternalValue": option.get("ExternalValue"),
        }
        given = {name: str(value) for name, value in attributes.items() if value is not None and value != ""}
        element = SubElement(holder, item, given)
        _labels(element, "labels", "label", option.get("Label"))
        _labels(element, "Descriptions", "Description", option.get("Description"))


def _key(parent: Element, key: Json) -> None:
    made = SubElement(parent, "EntityKey")
    _text(made, "Name", key.get("SchemaName") or key["LogicalName"])
    _text(made, "LogicalName", key["LogicalName"])
    attributes = SubElement(made, "EntityKeyAttributes")
    for column in key.get("KeyAttributes", ()):
        _text(attributes, "AttributeName", column)
    _labels(made, "displaynames", "displayname", key.get("DisplayName"))


def _one_to_many(parent: Element, relationship: Json) -> None:
    made = SubElement(parent, "EntityRelationship", {"Name": relationship["SchemaName"]})
    _text(made, "EntityRelationshipType", "OneToMany")
    _text(made, "IsHierarchical", relationship.get("IsHierarchical") or False)
    _text(made, "ReferencingEntityName", relationship["ReferencingEntity"])
    _text(made, "ReferencedEntityName", relationship["ReferencedEntity"])
    _text(made, "ReferencedAttributeName", relationship["ReferencedAttribute"])
    for action in _ACTIONS:
        _text(made, f"Cascade{action}", (relationship.get("CascadeConfiguration") or {}).get(action))
    _text(made, "ReferencingAttributeName", relationship["ReferencingAttribute"])
    roles = SubElement(made, "EntityRelationshipRoles")
    for role, name in (("1", "ReferencingEntity"), ("0", "ReferencedEntity")):
        held = SubElement(roles, "EntityRelationshipRole")
        _text(held, "NavigationPropertyName", relationship.get(f"{name}NavigationPropertyName"))
        _text(held, "RelationshipRoleType", role)


def _many_to_many(parent: Element, relationship: Json) -> None:
    made = SubElement(parent, "EntityRelationship", {"Name": relationship["SchemaName"]})
    _text(made, "EntityRelationshipType", "ManyToMany")
    _text(made, "FirstEntityName", relationship["Entity1LogicalName"])
    _text(made, "SecondEntityName", relationship["Entity2LogicalName"])
    _text(made, "IntersectEntityName", relationship["IntersectEntityName"])
    roles = SubElement(made, "EntityRelationshipRoles")
    for ordinal in ("1", "2"):
        held = SubElement(roles, "EntityRelationshipRole")
        _text(held, "NavigationPropertyName", relationship.get(f"Entity{ordinal}NavigationPropertyName"))
        _text(held, "AssociationRoleOrdinal", ordinal)
