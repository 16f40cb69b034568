"""Bodies of definitions as clients send them, for the tests that write tables, columns and relationships over HTTP."""

from __future__ import annotations

from typing import Any

CRM = "Microsoft.Dynamics.CRM"


def text(english: str, **others: str) -> dict[str, Any]:
    """Return a Label with an English text, and those of other languages by `lcid_1043` and its like."""
    texts = [(1033, english), *((int(name.removeprefix("lcid_")), value) for name, value in others.items())]
    labels = [{"@odata.type": f"{CRM}.LocalizedLabel", "Label": t, "LanguageCode": lcid} for lcid, t in texts]
    return {"@odata.type": f"{CRM}.Label", "LocalizedLabels": labels}


def column(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """Return a column: the type without `AttributeMetadata`, the schema name, and further properties."""
    body = {"@odata.type": f"{CRM}.{kind}AttributeMetadata", "SchemaName": name, "DisplayName": text(name)}
    return {**body, **more}


def table(name: str, *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a user-owned table with a primary name called `new_Name`, and further columns and properties."""
    primary = column("String", "new_Name", IsPrimaryName=True, MaxLength=100, FormatName={"Value": "Text"})
    body = {
        "@odata.type": f"{CRM}.EntityMetadata",
        "SchemaName": name,
        "DisplayName": text(name.partition("_")[2]),
        "DisplayCollectionName": text(f"{name.partition('_')[2]}s"),
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "IsActivity": False,
        "Attributes": [primary, *columns],
    }
    return {**body, **more}


def one_to_many(name: str, referenced: str, referencing: str, lookup: str, **more: Any) -> dict[str, Any]:
    """Return a one-to-many relationship with its lookup."""
    body = {
        "@odata.type": f"{CRM}.OneToManyRelationshipMetadata",
        "SchemaName": name,
        "ReferencedEntity": referenced,
        "ReferencingEntity": referencing,
        "Lookup": column("Lookup", lookup),
    }
    return {**body, **more}


def many_to_many(name: str, first: str, second: str, **more: Any) -> dict[str, Any]:
    """Return a many-to-many relationship."""
    body = {
        "@odata.type": f"{CRM}.ManyToManyRelationshipMetadata",
        "SchemaName": name,
        "Entity1LogicalName": first,
        "Entity2LogicalName": second,
        "IntersectEntityName": name,
    }
    return {**body, **more}


def options(*labels: str, first: int | None = None) -> dict[str, Any]:
    """Return a local option set; values are the server's unless the first is given."""
    made: list[dict[str, Any]] = [{"Label": text(label)} for label in labels]
    if first is not None:
        for offset, option in enumerate(made):
            option["Value"] = first + offset
    return {"@odata.type": f"{CRM}.OptionSetMetadata", "IsGlobal": False, "OptionSetType": "Picklist", "Options": made}
