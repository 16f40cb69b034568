"""What making or ending a relation changes: a lookup of one of the two records, or a pair of an intersect table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from entities.errors import DuplicateRecord, MalformedRequest, RecordNotFound
from entities.messages import Update
from entities.metadata.catalog import Catalog, CollectionNavigation, LookupNavigation, ManyToManyNavigation, Navigation
from entities.metadata.tables import Table
from entities.query import QueryExpression, both, equals
from entities.values import EntityReference, Value
from odata_server.engine import rows
from odata_server.engine.database import Connection
from odata_server.engine.identifiers import sequential_id


@dataclass(frozen=True, slots=True)
class Link:
    """A relation to make (`joining`) or to end, between a record and, unless a lookup is cleared, another."""

    navigation: Navigation
    target: EntityReference
    related: EntityReference | None
    joining: bool


@dataclass(frozen=True, slots=True)
class PairChange:
    """A row of an intersect table to make or to delete."""

    intersect: str
    pair: tuple[tuple[str, Value], ...]
    related: EntityReference
    joining: bool


LinkChange: TypeAlias = Update | PairChange


def change_of(link: Link) -> LinkChange:
    """Return what a link changes.

    Raises:
        MalformedRequest: a record of a collection must be named.
    """
    match link.navigation:
        case LookupNavigation(relationship=relationship):
            return Update(link.target, {relationship.referencing_column: link.related if link.joining else None})
        case CollectionNavigation(relationship=relationship):
            return Update(_named(link), {relationship.referencing_column: link.target if link.joining else None})
        case ManyToManyNavigation(near=near, far=far, relationship=relationship):
            related = _named(link)
            pair = ((near, link.target.id), (far, related.id))
            return PairChange(relationship.intersect_table, pair, related, link.joining)
        case _:
            assert_never(link.navigation)


def _named(link: Link) -> EntityReference:
    if link.related is None:
        raise MalformedRequest("A record to disassociate must be named ($id).")
    return link.related


def proof_of(link: Link, catalog: Catalog) -> QueryExpression | None:
    """Return the query that finds the child of a one-to-many relation that is to end, where it is this parent's."""
    if link.joining or not isinstance(link.navigation, CollectionNavigation):
        return None
    child, relationship = _named(link), link.navigation.relationship
    own = equals(catalog.tables[child.table].primary_id, child.id)
    points_here = equals(relationship.referencing_column, link.target)
    return QueryExpression(child.table, (relationship.referencing_column,), filter=both(own, points_here))


def apply_pair(connection: Connection, catalog: Catalog, change: PairChange) -> Table:
    """Make or delete a pair and return the intersect table.

    Raises:
        DuplicateRecord: the pair exists already.
        RecordNotFound: there is no such pair.
    """
    intersect = catalog.tables[change.intersect]
    if change.joining:
        record = {intersect.primary_id: sequential_id(), **dict(change.pair)}
        rows.stamped(connection, intersect, record)
        try:
            rows.insert(connection, intersect, record)
        except DuplicateRecord as error:
            raise DuplicateRecord("Cannot insert duplicate key.") from error
    elif not rows.delete_pair(connection, intersect, dict(change.pair)):
        raise unrelated(change.related)
    return intersect


def unrelated(related: EntityReference) -> RecordNotFound:
    """Return the error for ending a relation that there is not."""
    return RecordNotFound(f"Entity '{related.table}' With Id = {related.id} Does Not Exist")
