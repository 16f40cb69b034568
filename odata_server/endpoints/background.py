"""Requests that are answered before they are done: `Prefer: respond-async`, and the status monitor behind the answer.

Learn: "Background operations (preview)"; OData 4.01 Part 1 §8.2.8.8. The status monitor is no part of the Web API: it
stands at `/api/backgroundoperation/{id}` and takes GET and DELETE.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import orjson

from entities.errors import DataverseError, MethodNotAllowed, RecordNotFound
from entities.messages import Execute, Executed, Retrieve, Rows, Update
from entities.standard.background_operations import REQUEST, STATE, STATUS, TABLE, OperationState, OperationStatus
from entities.standard.kept_values import read_listed
from entities.values import EntityReference, Guid, Record
from odata_server.edm.operation_list import operation_list
from odata_server.edm.operations import Operation
from odata_server.edm.preferences import CALLBACK, NO_PREFERENCES, RESPOND_ASYNC, preference_applied
from odata_server.endpoints.call import Call
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.responses import json_response, no_content, refused, with_content_type
from odata_server.endpoints.services import Services
from security.authenticate import authenticate
from security.principals import Principal

MONITOR: Final = "/api/backgroundoperation"

_PATH: Final = re.compile(rf"{MONITOR}/([0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}})\Z")
_ACCEPTED: Final = 202
_COLUMNS: Final = (STATE, STATUS, "outputparameters", "errorcode", "errormessage")


def runs_in_background(call: Call, operation: Operation) -> bool:
    """Say whether a call is to be answered before it is done: it asks for it, and the operation is a custom API."""
    return call.preferences.respond_async and operation.name not in operation_list().by_name


def accepted(call: Call, message: Execute) -> ODataResponse:
    """Queue a message and answer where its status can be seen.

    Raises:
        AccessDenied: the caller may not read and change background operations.
    """
    root = f"{call.request.origin}{MONITOR}/"
    asked = {"Request": message, "CallbackUri": call.preferences.callback, "LocationRoot": root}
    answer = call.execute(Execute(REQUEST, asked))
    assert isinstance(answer, Executed)
    operation = str(answer.result["BackgroundOperationId"])
    headers = (
        ("Location", f"{root}{operation}"),
        ("x-ms-dyn-backgroundoperationid", operation),
        *preference_applied(call.preferences, RESPOND_ASYNC, CALLBACK),
    )
    if call.preferences.callback is None:
        return no_content(call.services, *headers, status=_ACCEPTED)
    body = {"backgroundOperationId": operation, "location": f"{root}{operation}"}
    return json_response(call.services, orjson.dumps(body), *headers, status=_ACCEPTED)


def handle(request: ODataRequest, services: Services) -> ODataResponse:
    """Answer a request to the status monitor."""
    try:
        found = _PATH.match(request.path)
        if found is None:
            raise _not_found(request.path.rpartition("/")[2])
        principal = authenticate(
            request.headers.get("authorization"),
            services.validator,
            services.dataverse.directory,
            audiences=services.audiences,
            now=services.now(),
        )
        told = _told(request, services, principal, EntityReference(TABLE, Guid(found[1].lower())))
        return with_content_type(json_response(services, orjson.dumps(told)), "application/json")
    except DataverseError as error:
        return refused(error, request, services, NO_PREFERENCES)


def _told(
    request: ODataRequest, services: Services, principal: Principal, operation: EntityReference
) -> Mapping[str, object]:
    match request.method:
        case "GET":
            return _status(_row(services, principal, operation))
        case "DELETE":
            _row(services, principal, operation)
            wanted = {STATE: OperationState.LOCKED.value, STATUS: OperationStatus.CANCELING.value}
            services.dataverse.execute(Update(operation, wanted), principal)
            return {"backgroundOperationStateCode": wanted[STATE], "backgroundOperationStatusCode": wanted[STATUS]}
        case _:
            raise MethodNotAllowed(f"The requested resource does not support http method '{request.method}'.")


def _row(services: Services, principal: Principal, operation: EntityReference) -> Record:
    try:
        found = services.dataverse.execute(Retrieve(operation, _COLUMNS), principal)
    except RecordNotFound as error:
        raise _not_found(operation.id) from error
    assert isinstance(found, Rows)
    return found.records[0]


def _not_found(name: str) -> RecordNotFound:
    return RecordNotFound(f"Could not find item '{name}'.", code="0x80048d02")


def _status(row: Record) -> Mapping[str, object]:
    """Return how an operation goes: its error where it failed, what it answered where it succeeded."""
    status: dict[str, object] = {}
    if row[STATUS] == OperationStatus.FAILED:
        status["backgroundOperationErrorCode"] = row["errorcode"]
        status["backgroundOperationErrorMessage"] = row["errormessage"]
    status["backgroundOperationStateCode"] = row[STATE]
    status["backgroundOperationStatusCode"] = row[STATUS]
    if row[STATUS] == OperationStatus.SUCCEEDED:
        status |= read_listed(str(row["outputparameters"]))
    return status
