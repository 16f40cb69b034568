"""Relationships in request bodies: one-to-many with the lookup that they bring, and many-to-many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from entities.errors import InvalidArgument
from entities.metadata.columns import Column
from entities.metadata.relationships import Cascade, CascadeConfiguration, ManyToMany, OneToMany, Relationship
from entities.standard.customization.relationship_changes import MERGED_TABLES
from odata_server.bind.definitions.checking import TYPE, Members, checked, misfit
from odata_server.bind.definitions.columns import read_column
from odata_server.bind.definitions.labels import read_further

RELATIONSHIP: Final = "RelationshipMetadataBase"
ONE_TO_MANY: Final = "OneToManyRelationshipMetadata"
MANY_TO_MANY: Final = "ManyToManyRelationshipMetadata"

KEPT: Final = frozenset(
    (
        *("IsCustomizable", "IsValidForAdvancedFind", "AssociatedMenuConfiguration", "EntityKey"),
        *("Entity1AssociatedMenuConfiguration", "Entity2AssociatedMenuConfiguration", "RelationshipAttributes"),
    )
)
"""Properties that are kept as they were given."""

_LIMITS: Final[Mapping[str, frozenset[Cascade]]] = {
    "merge": frozenset((Cascade.NO_CASCADE, Cascade.CASCADE)),
    "delete": frozenset((Cascade.NO_CASCADE, Cascade.CASCADE, Cascade.REMOVE_LINK, Cascade.RESTRICT)),
    **dict.fromkeys(
        ("assign", "reparent", "share", "unshare"),
        frozenset((Cascade.NO_CASCADE, Cascade.CASCADE, Cascade.ACTIVE, Cascade.USER_OWNED)),
    ),
}
"""The behaviors that an action can have (Learn: "Configure table relationship cascading behavior")."""


@dataclass(frozen=True, slots=True)
class NewRelationship:
    """A relationship as a body gives it, with the lookup column that comes with a one-to-many one."""

    relationship: Relationship
    lookup: Column | None = None


def read_relationship(body: object) -> NewRelationship:
    """Return a new relationship; names that the body leaves to the server are empty.

    Raises:
        InvalidPayload: it is no definition of a relationship.
        InvalidArgument: a property has a value that it cannot have.
    """
    members = checked(body, RELATIONSHIP)
    if members[TYPE] == ONE_TO_MANY:
        assert isinstance(body, dict)
        return _one_to_many(members, body.get("Lookup"))
    if members[TYPE] == MANY_TO_MANY:
        return NewRelationship(_many_to_many(members))
    raise misfit(RELATIONSHIP, "The type of a relationship is said by '@odata.type'.")


def changed_relationship(body: object, relationship: Relationship) -> Relationship:
    """Return a relationship as a whole definition describes it; what the body leaves out stays.

    Raises:
        InvalidPayload: it is no definition of such a relationship.
        InvalidArgument: a property has a value that it cannot have.
    """
    declared = ONE_TO_MANY if isinstance(relationship, OneToMany) else MANY_TO_MANY
    members = checked(body, declared)
    further = read_further(members, KEPT, relationship.further)
    if isinstance(relationship, ManyToMany):
        return replace(relationship, further=further)
    return replace(
        relationship,
        cascade=_cascade(members.get("CascadeConfiguration", {}), relationship.cascade),
        is_hierarchical=members.get("IsHierarchical", relationship.is_hierarchical),
        further=further,
    )


def _one_to_many(members: Members, lookup: object) -> NewRelationship:
    referencing = _lower(members, "ReferencingEntity")
    column = None if lookup is None else read_column(lookup, referencing, {})
    name = column.logical_name if column else _lower(members, "ReferencingAttribute")
    schema_name = str(members.get("SchemaName", ""))
    relationship = OneToMany(
        schema_name,
        _lower(members, "ReferencedEntity"),
        _lower(members, "ReferencedAttribute"),
        referencing,
        name,
        str(members.get("ReferencingEntityNavigationPropertyName", "")),
        str(members.get("ReferencedEntityNavigationPropertyName", "")),
        _cascade(members.get("CascadeConfiguration", {}), _usual(_lower(members, "ReferencedEntity"))),
        is_custom=True,
        is_hierarchical=members.get("IsHierarchical", False),
        further=read_further(members, KEPT),
    )
    return NewRelationship(relationship, column)


def _many_to_many(members: Members) -> ManyToMany:
    return ManyToMany(
        str(members.get("SchemaName", "")),
        _lower(members, "IntersectEntityName"),
        _lower(members, "Entity1LogicalName"),
        "",
        str(members.get("Entity1NavigationPropertyName", "")),
        _lower(members, "Entity2LogicalName"),
        "",
        str(members.get("Entity2NavigationPropertyName", "")),
        is_custom=True,
        further=read_further(members, KEPT),
    )


def _usual(referenced: str) -> CascadeConfiguration:
    """Return the behavior of a relationship that says nothing of it: what can be merged takes its records along."""
    return CascadeConfiguration(merge=Cascade.CASCADE if referenced in MERGED_TABLES else Cascade.NO_CASCADE)


def _lower(members: Members, name: str) -> str:
    return str(members.get(name, "")).lower()


def _cascade(members: Mapping[str, Any], before: CascadeConfiguration) -> CascadeConfiguration:
    """Return the cascading behavior; actions that the body leaves out keep theirs.

    Raises:
        InvalidArgument: an action cannot have such a behavior (0x80045601).
    """
    given: dict[str, Cascade] = {}
    for name, allowed in _LIMITS.items():
        if name.capitalize() in members:
            given[name] = Cascade(members[name.capitalize()])
            if given[name] not in allowed:
                raise InvalidArgument(
                    f"Relationship type is not supported: {name.capitalize()} cannot be {given[name].value}.",
                    code="0x80045601",
                )
    return replace(before, **given)
