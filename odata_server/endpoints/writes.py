"""POST, PATCH, PUT and DELETE on data (Learn: "Create", "Update and delete", "Associate and disassociate")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, assert_never

from entities.errors import AccessDenied, DuplicateRecord, InvalidArgument, MalformedRequest, RecordNotFound
from entities.messages import (
    Associate,
    Create,
    Delete,
    Disassociate,
    RelatedRecords,
    Retrieve,
    Target,
    Update,
    Upsert,
    Written,
)
from entities.metadata.catalog import CollectionNavigation, LookupNavigation, ManyToManyNavigation
from entities.metadata.columns import Column, LookupType
from entities.metadata.tables import Table
from entities.values import EMPTY_GUID, EntityReference, KeyReference, Record, Value
from odata_server.bind.json_body import read_object, refusal
from odata_server.bind.payload import NO_DIRECT_LOOKUP, bind_new, bind_record, bind_value
from odata_server.bind.query import BoundRow, bind_row
from odata_server.bind.resource import References, Related, Row, RowProperty
from odata_server.bind.target import bind_reference
from odata_server.endpoints.call import Call, version_of
from odata_server.endpoints.conditions import check_none_matches
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.navigation import existing, located
from odata_server.endpoints.reads import row_answer
from odata_server.endpoints.responses import no_content
from odata_server.render.links import entity_id
from odata_server.syntax.request_trees import QueryOptions
from security.authorize import authorize

_CREATED: Final = 201
_CHANGED: Final = 200


def create(call: Call, table: Table) -> ODataResponse:
    """Answer `POST set`: 204 with the record's URL, or 201 with the record where that is preferred."""
    return _made(call, table, new_record(call, table))


def create_all(call: Call, table: Table, bodies: Iterable[bytes]) -> list[ODataResponse]:
    """Create a record of each body, all at once, and answer as `create` does for each of them.

    Raises:
        DataverseError: one of them is refused; nothing says which.
    """
    payload, entity_set = call.payload(), table.entity_set_name
    new = (bind_new(read_object(body, entity_set), table, payload) for body in bodies)
    return [_located(call, table, written) for written in call.execute_multiple(new)]


def create_related(call: Call, related: Related) -> ODataResponse:
    """Answer `POST set(key)/collection`: create a record that refers to the row, or is paired with it."""
    return _made(call, related.table, belonging(call, new_record(call, related.table), related))


def belonging(call: Call, new: Create, related: Related) -> Create:
    """Return a new record as one that is behind a row's collection-valued navigation property.

    Raises:
        DataverseError: the row is not there for the caller.
    """
    source = existing(call, related.source)
    match related.navigation:
        case CollectionNavigation(relationship=relationship):
            return replace(new, record={**new.record, relationship.referencing_column: source})
        case ManyToManyNavigation() as navigation:
            back = RelatedRecords(_opposite(call, navigation).name, bound=(source,))
            return replace(new, related=(*new.related, back))
        case _:
            assert_never(related.navigation)


def _opposite(call: Call, navigation: ManyToManyNavigation) -> ManyToManyNavigation:
    """Return the navigation property of the same relationship that leads back."""
    for found in call.catalog.navigations[navigation.target].values():
        if isinstance(found, ManyToManyNavigation) and (found.relationship, found.near) == (
            navigation.relationship,
            navigation.far,
        ):
            return found
    raise MalformedRequest(f"The navigation property '{navigation.name}' has no partner.")


def new_record(call: Call, table: Table) -> Create:
    """Return the record that the body of a request describes, with those that come with it.

    Raises:
        InvalidPayload: the body is no record of the table.
    """
    return bind_new(read_object(call.request.body, table.entity_set_name), table, call.payload())


def _made(call: Call, table: Table, new: Create) -> ODataResponse:
    answered = _answer_wanted(call, table, call.options())
    written = call.execute(new)
    assert isinstance(written, Written)
    if answered is not None:
        return row_answer(call, written.reference, answered, status=_CREATED)
    return _located(call, table, written)


def _answer_wanted(call: Call, table: Table, options: QueryOptions) -> BoundRow | None:
    """Return what a caller who prefers the record in the answer wants to see of it, None where only its URL is.

    Raises:
        AccessDenied: it may not read that; nothing is written then.
    """
    if not call.preferences.return_representation:
        return None
    answered = bind_row(table, options, call.reading())
    reading = Retrieve(EntityReference(table.logical_name, EMPTY_GUID), answered.columns, None, answered.expansions)
    authorize(reading, call.principal, call.catalog)
    return answered


def _located(call: Call, table: Table, written: Written) -> ODataResponse:
    url = entity_id(call.root, table.entity_set_name, written.reference.id)
    headers = (("Location", url), ("OData-EntityId", url)) if written.created else (("OData-EntityId", url),)
    return no_content(call.services, *headers)


def change(call: Call, row: Row) -> ODataResponse:
    """Answer `PATCH set(key)`: an upsert, only an update with `If-Match`, only a create with `If-None-Match: *`."""
    table = row.table
    if_match, if_none_match = call.request.header("if-match").strip(), call.request.header("if-none-match").strip()
    creates_only = if_none_match == "*"
    updates_only = if_match not in {"", "null"}
    if creates_only and updates_only:
        raise MalformedRequest("If-Match and If-None-Match cannot be used together.")
    check_none_matches(call, row.target)
    message: Create | Update | Upsert
    if creates_only:
        new = new_record(call, table)
        _check_key(new.record, row.target, table)
        message = replace(new, record={**new.record, **_key_values(row.target, table)})
    else:
        members = read_object(call.request.body, table.entity_set_name)
        record = bind_record(members, table, call.payload(), creates=not updates_only, updates=True)
        _check_key(record, row.target, table)
        record.pop(table.primary_id, None)
        message = Update(row.target, record, version_of(if_match)) if updates_only else Upsert(row.target, record)
    answered = _answer_wanted(call, table, _not_expanded(call.options()))
    written = _changed(call, message, row.target)
    if answered is not None:
        return row_answer(call, written.reference, answered, status=_CREATED if written.created else _CHANGED)
    return _located(call, table, written)


def _changed(call: Call, message: Create | Update | Upsert, target: Target) -> Written:
    """Execute a change; where it must be a new record, one with the key of the URL is what is in its way."""
    try:
        written = call.execute(message)
    except DuplicateRecord as error:
        if isinstance(message, Create) and isinstance(target, KeyReference) and _is_found(call, target):
            raise DuplicateRecord("A record with matching key values already exists.") from error
        raise
    assert isinstance(written, Written)
    return written


def _is_found(call: Call, target: KeyReference) -> bool:
    try:
        call.read(Retrieve(target, (call.catalog.tables[target.table].primary_id,)))
    except RecordNotFound:
        return False
    except AccessDenied:
        return True
    return True


def _not_expanded(options: QueryOptions) -> QueryOptions:
    """Return options without `$expand`, which the answer to a change ignores (Learn: "Update with data returned")."""
    if options.expand is None:
        return options
    return replace(options, expand=None, names=tuple(name for name in options.names if name != "$expand"))


def _check_key(record: Record, target: Target, table: Table) -> None:
    """Refuse a body whose id is another one than the URL's."""
    named = record.get(table.primary_id)
    if named is not None and isinstance(target, EntityReference) and named != target.id:
        raise InvalidArgument(
            f"The value of '{table.primary_id}' in the body does not match the key of the record in the URL."
        )


def _key_values(target: Target, table: Table) -> dict[str, Value]:
    match target:
        case EntityReference(id=identifier):
            return {table.primary_id: identifier}
        case KeyReference(values=values):
            return dict(values)


def delete(call: Call, row: Row) -> ODataResponse:
    """Answer `DELETE set(key)`."""
    check_none_matches(call, row.target)
    call.execute(Delete(row.target, version_of(call.request.header("if-match"))))
    return no_content(call.services)


def put_property(call: Call, asked: RowProperty) -> ODataResponse:
    """Answer `PUT set(key)/property` with `{"value": …}`."""
    column, table = asked.column, asked.source.table
    members = read_object(call.request.body, table.entity_set_name)
    values = {name: value for name, value in members.items() if "@" not in name}
    if set(values) != {"value"}:
        inner = "Microsoft.OData.ODataException: A property with name 'value' was expected."
        raise refusal(table.entity_set_name, inner)
    _check_settable(column, table)
    return _set_property(call, asked, bind_value(values["value"], column, table, call.dialect), column)


def delete_property(call: Call, asked: RowProperty) -> ODataResponse:
    """Answer `DELETE set(key)/property`: set it to null."""
    _check_settable(asked.column, asked.source.table)
    return _set_property(call, asked, None, asked.column)


def _check_settable(column: Column, table: Table) -> None:
    if isinstance(column.type, LookupType):
        raise refusal(table.entity_set_name, f"Microsoft.Crm.CrmException: {NO_DIRECT_LOOKUP}")
    if not column.valid_for_update:
        raise _read_only(column)


def _read_only(column: Column) -> InvalidArgument:
    return InvalidArgument(f"The property '{column.logical_name}' cannot be modified.")


def _set_property(call: Call, asked: RowProperty, value: Value, column: Column) -> ODataResponse:
    version, target = version_of(call.request.header("if-match")), located(call, asked.source).target
    check_none_matches(call, target)
    call.execute(Update(target, {column.logical_name: value}, version))
    return no_content(call.services)


def add_reference(call: Call, references: References) -> ODataResponse:
    """Answer `POST set(key)/collection/$ref` and `PUT set(key)/lookup/$ref` with `{"@odata.id": url}`."""
    _check_relatable(call, references)
    is_single = isinstance(references.navigation, LookupNavigation)
    if is_single != (call.request.method == "PUT"):
        raise MalformedRequest(
            "References of a collection are added with POST, those of a single-valued navigation property set with PUT."
        )
    members = read_object(call.request.body, references.source.table.entity_set_name)
    url = members.get("@odata.id")
    if not isinstance(url, str):
        inner = "Microsoft.OData.ODataException: The annotation '@odata.id' with the URL of a record was expected."
        raise refusal(references.source.table.entity_set_name, inner)
    related = _related(call, references, url)
    call.execute(Associate(*_related_of(call, references), related, version_of(call.request.header("if-match"))))
    return no_content(call.services)


def remove_reference(call: Call, references: References) -> ODataResponse:
    """Answer `DELETE …/$ref`: which reference stands in the path or in `$id`, for a lookup nowhere."""
    _check_relatable(call, references)
    related = references.related
    options = call.options()
    if options.id is not None:
        related = _related(call, references, options.id)
    if related is None and not isinstance(references.navigation, LookupNavigation):
        raise MalformedRequest("The reference to remove must be named by a key in the path or by $id.")
    call.execute(Disassociate(*_related_of(call, references), related, version_of(call.request.header("if-match"))))
    return no_content(call.services)


def _related_of(call: Call, references: References) -> tuple[Target, str]:
    """Return the record whose relations change, and through which navigation property."""
    target = located(call, references.source).target
    check_none_matches(call, target)
    return target, references.navigation.name


def _check_relatable(call: Call, references: References) -> None:
    """Refuse to change a lookup that only the server sets, from either of its ends."""
    navigation = references.navigation
    if isinstance(navigation, ManyToManyNavigation):
        return
    relationship = navigation.relationship
    table = call.catalog.tables[relationship.referencing_table]
    column = table.by_name[relationship.referencing_column]
    # The lookups of virtual tables follow from other columns, which the provider changes.
    if not column.valid_for_update and table.source is None:
        raise _read_only(column)


def _related(call: Call, references: References, url: str) -> Target:
    related = bind_reference(url, call.catalog, call.dialect, call.payload().urls)
    if related.table not in {table.logical_name for table in references.tables}:
        raise MalformedRequest(
            f"The navigation property '{references.navigation.name}' refers to records of "
            f"'{references.table.logical_name}', not of '{related.table}'."
        )
    return related
