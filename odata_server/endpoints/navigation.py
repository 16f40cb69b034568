"""From the place of a row in a path to the row itself: each segment behind a record is followed as the caller.

A navigation property on the way is followed by reading the record before it. A caller who may not read a record does
not get past it: what is hidden elsewhere is hidden in paths (Learn: "Web API navigation properties").
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

from entities.errors import DataverseError
from entities.messages import Retrieve, RetrieveMultiple
from entities.metadata.catalog import CollectionNavigation, ManyToManyNavigation
from entities.metadata.tables import Table
from entities.query import ColumnRef, Condition, ConditionOperator, LinkEntity, QueryExpression, equals
from entities.values import EntityReference, Guid
from odata_server.bind.dialect import type_name
from odata_server.bind.paths import not_found
from odata_server.bind.query import narrowed
from odata_server.bind.resource import ManyNavigation, Related, RelatedMember, RelatedRow, Row, Single
from odata_server.endpoints.call import Call
from odata_server.engine.references import not_found as record_not_found

_NEAR: Final = "near"


def located(call: Call, row: Single) -> Row:
    """Return the row that a place stands for.

    Raises:
        ResourceNotFound: there is no record behind a navigation property.
        RecordNotFound: a record on the way does not exist, or is not among those behind its navigation property.
        AccessDenied: the caller may not read a record on the way.
    """
    match row:
        case Row():
            return row
        case RelatedRow():
            reference = referenced(call, row)
            if reference is None:
                raise nothing_behind(call, row)
            return Row(call.catalog.tables[reference.table], reference)
        case RelatedMember():
            return _member(call, row)
        case _:
            assert_never(row)


def existing(call: Call, row: Single) -> EntityReference:
    """Return a record that exists and that the caller may read.

    Raises:
        DataverseError: as `located`.
    """
    found = located(call, row)
    key = found.table.primary_id
    identifier = call.read(Retrieve(found.target, (key,))).records[0][key]
    assert isinstance(identifier, str)
    return EntityReference(found.table.logical_name, Guid(identifier))


def referenced(call: Call, row: RelatedRow) -> EntityReference | None:
    """Return where a lookup points, None when it is empty or points to another table than the navigation property's."""
    source = located(call, row.source)
    column = row.navigation.relationship.referencing_column
    found = call.read(Retrieve(source.target, (source.table.primary_id, column)))
    value = found.records[0].get(column)
    wanted = {table.logical_name for table in row.tables}
    return value if isinstance(value, EntityReference) and value.table in wanted else None


def nothing_behind(call: Call, row: RelatedRow) -> DataverseError:
    """Return the refusal for a path through a navigation property that has no record, or none of the asked type."""
    return not_found(type_name(call.dialect, row.table) if row.is_cast else row.navigation.name)


def _member(call: Call, row: RelatedMember) -> Row:
    parent = existing(call, row.source)
    own = existing(call, Row(row.table, row.target))
    query = QueryExpression(
        row.table.logical_name, (row.table.primary_id,), filter=equals(row.table.primary_id, own.id)
    )
    if not call.read(RetrieveMultiple(_narrowed_to(query, row.navigation, row.table, parent.id))).count:
        raise record_not_found(row.table, own.id)
    return Row(row.table, own)


def of_parent(call: Call, query: QueryExpression, related: Related) -> QueryExpression:
    """Return the query narrowed to the rows behind a collection-valued navigation property.

    Raises:
        DataverseError: the row it starts from is not there for the caller.
    """
    parent = existing(call, related.source)
    return _narrowed_to(query, related.navigation, related.table, parent.id)


def _narrowed_to(query: QueryExpression, navigation: ManyNavigation, table: Table, parent: Guid) -> QueryExpression:
    match navigation:
        case CollectionNavigation(relationship=relationship):
            return narrowed(query, equals(relationship.referencing_column, parent))
        case ManyToManyNavigation(relationship=relationship, near=near, far=far):
            link = LinkEntity(
                alias=_NEAR,
                table=relationship.intersect_table,
                from_column=far,
                to_column=table.primary_id,
                filter=Condition(ColumnRef(near, _NEAR), ConditionOperator.EQUAL, (parent,)),
            )
            return replace(query, links=(*query.links, link))
        case _:
            assert_never(navigation)
