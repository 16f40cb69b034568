"""The actions that create, change or upsert several records of one table (Learn: "Use bulk operation messages")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Create, Target, Update, Upsert
from entities.metadata.tables import Table
from entities.values import EntityReference, Guid, guid
from odata_server.bind.dialect import WEB_API, type_name
from odata_server.bind.json_body import refusal
from odata_server.bind.operations import action_members
from odata_server.bind.parameters import named_record, record_table
from odata_server.bind.paths import not_found
from odata_server.bind.payload import Payload, bind_new, bind_record
from odata_server.bind.resource import Collection, Many
from odata_server.edm.operations import Operation, takes_bulk
from odata_server.endpoints.call import Call
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.invocation_body import body_parameters, result_json
from odata_server.endpoints.responses import json_response, no_content
from odata_server.render.envelope import single
from security.denials import message_not_supported

_TARGETS: Final = "Targets"
_ELASTIC_ONLY: Final = "DeleteMultiple"


def invoke_multiple(call: Call, bound: Many, operation: Operation) -> ODataResponse:
    """Answer CreateMultiple with the ids of the new records, the others with nothing; all records change, or none.

    Raises:
        ResourceNotFound: it is not called on an entity set.
        InvalidOperation: the table does not have the message (deleting several records takes an elastic table).
        DataverseError: one of the records is refused.
    """
    if not isinstance(bound, Collection):
        raise not_found(f"{call.dialect.namespace}.{operation.name}")
    table = bound.table
    if operation.name == _ELASTIC_ONLY or not takes_bulk(table):
        raise message_not_supported(table, operation.name)
    payload, targets = call.payload(), _targets(call, table, operation)
    written = call.execute_multiple(_change(payload, item, table, operation.name) for item in targets)
    if operation.result is None:
        return no_content(call.services)
    context = call.context(f"{call.dialect.namespace}.{operation.result.name}")
    body = result_json({"Ids": [one.reference.id for one in written]})
    return json_response(call.services, single(context, body))


def _targets(call: Call, table: Table, operation: Operation) -> list[dict[str, object]]:
    """Return the records of the body: JSON objects that say their type.

    Raises:
        InvalidPayload: there is no collection of such objects.
        InvalidArgument: it is empty.
    """
    targets = action_members(operation, lambda: body_parameters(call, operation.name))[_TARGETS]
    if not isinstance(targets, list):
        raise refusal(operation.name, f"Microsoft.OData.ODataException: '{_TARGETS}' must be an array of records.")
    if not targets:
        raise InvalidArgument(f"The parameter '{_TARGETS}' of {operation.name} holds no records.")
    for item in targets:
        if not isinstance(item, dict):
            raise refusal(table.entity_set_name, f"Microsoft.OData.ODataException: '{_TARGETS}' holds records only.")
    return targets


def _change(payload: Payload, members: dict[str, object], table: Table, name: str) -> Create | Update | Upsert:
    target = named_record(members.pop("@odata.id", None), _TARGETS, payload)
    told = members.pop("@odata.type", None)
    if target is not None or told not in table.derived(_own_names):
        record_table(told, target, _TARGETS, payload, declared=table.logical_name, typed=True)
    if name == "CreateMultiple":
        return bind_new(members, table, payload)
    target = target or _own_id(members, table)
    if name == "UpsertMultiple":
        if target is None:
            return bind_new(members, table, payload)
        return Upsert(target, bind_record(members, table, payload, creates=True, updates=True))
    if target is None:
        raise InvalidArgument(f"Each record of UpdateMultiple must have its '{table.primary_id}'.")
    return Update(target, bind_record(members, table, payload, creates=False, updates=True))


def _own_names(table: Table) -> tuple[str, ...]:
    """Return how a record of a table may say its type."""
    name = type_name(WEB_API, table)
    return name, f"#{name}"


def _own_id(members: Mapping[str, object], table: Table) -> Target | None:
    """Return the record that an object's id names; an id that is none is refused where the object is read."""
    given = members.get(table.primary_id)
    identifier: Guid | None = guid(given) if isinstance(given, str) else None
    return EntityReference(table.logical_name, identifier) if identifier else None
