"""`$metadata` of the Organization Data Service: EDMX 1.0 with associations, as OData v2 clients read it.

([MC-CSDL] 2.0; [MC-EDMX].) An association is named after its relationship, both of its ends after what they are in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from entities.metadata.relationships import ManyToMany, Relationship
from entities.metadata.tables import Table
from odata_server.edm.v2.names import Names, entity_set, entity_type, is_referencing, key_property, properties
from odata_server.edm.v2.types import COMPLEX_TYPES, NAMESPACE, property_type
from odata_server.edm.xml_text import DECLARATION, empty, opened

METADATA_NAMESPACE: Final = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
_EDMX: Final = "http://schemas.microsoft.com/ado/2007/06/edmx"
_EDM: Final = "http://schemas.microsoft.com/ado/2008/09/edm"
_MANY, _AT_MOST_ONE = "*", "0..1"


def v2_csdl(names: Names, container: str) -> bytes:
    """Return the metadata document.

    Args:
        names: the names over a snapshot of the catalog.
        container: the name of the entity container.
    """
    return "".join(_document(names, container)).encode()


def _document(names: Names, container: str) -> Iterator[str]:
    tables = list(names.sets.values())
    used = {n.relationship.schema_name: n.relationship for table in tables for n in names.navigations(table).values()}
    yield DECLARATION
    yield opened("edmx:Edmx", Version="1.0", **{"xmlns:edmx": _EDMX})
    yield opened("edmx:DataServices", **{"xmlns:m": METADATA_NAMESPACE, "m:DataServiceVersion": "2.0"})
    yield opened("Schema", Namespace=NAMESPACE, xmlns=_EDM)
    for table in tables:
        yield from _entity_type(names, table)
    for name, members in COMPLEX_TYPES.items():
        yield opened("ComplexType", Name=name.rpartition(".")[2])
        yield from (empty("Property", Name=member, Type=type_, Nullable="true") for member, type_ in members)
        yield "</ComplexType>"
    for relationship in used.values():
        yield from _association(names, relationship)
    yield opened("EntityContainer", Name=container, **{"m:IsDefaultEntityContainer": "true"})
    for name, table in names.sets.items():
        yield empty("EntitySet", Name=name, EntityType=entity_type(table))
    for relationship in used.values():
        yield from _association_set(names, relationship)
    yield "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"


def _entity_type(names: Names, table: Table) -> Iterator[str]:
    yield table.derived(_key_and_properties)
    for name, navigation in names.navigations(table).items():
        referencing, referenced = _role_names(navigation.relationship)
        near, far = (referencing, referenced) if is_referencing(navigation) else (referenced, referencing)
        yield empty(
            "NavigationProperty",
            Name=name,
            Relationship=f"{NAMESPACE}.{_association_name(navigation.relationship)}",
            FromRole=near,
            ToRole=far,
        )
    yield "</EntityType>"


def _key_and_properties(table: Table) -> str:
    """Return the beginning of an entity type: the same in every snapshot that has this table."""
    key = key_property(table)
    parts = [opened("EntityType", Name=table.schema_name), f"<Key>{empty('PropertyRef', Name=key)}</Key>"]
    for name, column in properties(table).items():
        nullable = "false" if name == key else "true"
        parts.append(empty("Property", Name=name, Type=property_type(column.type), Nullable=nullable))
    return "".join(parts)


def _association_name(relationship: Relationship) -> str:
    # Intersect tables are often called like their relationship.
    return f"{relationship.schema_name}_association"


def _role_names(relationship: Relationship) -> tuple[str, str]:
    return f"Referencing{relationship.schema_name}", f"Referenced{relationship.schema_name}"


def _ends(names: Names, relationship: Relationship) -> tuple[tuple[str, Table, str], ...]:
    """Return both ends: role, table, multiplicity."""
    tables = names.catalog.tables
    referencing, referenced = _role_names(relationship)
    match relationship:
        case ManyToMany():
            near, far, multiplicity = relationship.table1, relationship.table2, _MANY
        case _:
            near, far, multiplicity = relationship.referencing_table, relationship.referenced_table, _AT_MOST_ONE
    return (referencing, tables[near], _MANY), (referenced, tables[far], multiplicity)


def _association(names: Names, relationship: Relationship) -> Iterator[str]:
    yield opened("Association", Name=_association_name(relationship))
    for role, table, multiplicity in _ends(names, relationship):
        yield empty("End", Role=role, Type=entity_type(table), Multiplicity=multiplicity)
    yield "</Association>"


def _association_set(names: Names, relationship: Relationship) -> Iterator[str]:
    name = _association_name(relationship)
    yield opened("AssociationSet", Name=name, Association=f"{NAMESPACE}.{name}")
    for role, table, _ in _ends(names, relationship):
        yield empty("End", Role=role, EntitySet=entity_set(table))
    yield "</AssociationSet>"
