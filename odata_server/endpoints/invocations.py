"""Functions and actions over HTTP (Learn: "Use Web API functions", "Use Web API actions")."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

import orjson

from entities.errors import ResourceNotFound
from entities.messages import Execute, Executed
from entities.values import EntityReference, utc_text
from odata_server.bind.json_body import read_object
from odata_server.bind.operations import action_parameters, check_available, declared, function_parameters
from odata_server.bind.paths import not_found
from odata_server.bind.resource import Collection, Operation, Related
from odata_server.edm import operations as edm
from odata_server.endpoints.call import Call
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.navigation import located
from odata_server.endpoints.responses import json_response, no_content
from odata_server.render.envelope import single

_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def invoke(call: Call, called: Operation) -> ODataResponse:
    """Answer a call of a function (GET) or action (POST).

    Raises:
        ResourceNotFound: there is no such operation, or it is not called by this verb.
        NotSupported: it is not there yet.
    """
    operation = declared(called)
    if operation is None:
        raise not_found(f"{call.dialect.namespace}.{called.name}" if called.bound else called.name)
    if (call.request.method == "POST") is not operation.is_action:
        raise ResourceNotFound(f"No HTTP resource was found that matches the request URI '{call.request.url}'.")
    check_available(operation)
    parameters = _parameters(call, called, operation)
    bound = called.bound
    target = None if bound is None or isinstance(bound, Collection | Related) else located(call, bound).target
    answer = call.execute(Execute(operation.name, parameters, target))
    if not isinstance(answer, Executed):
        return no_content(call.services)
    context = call.context(f"{call.dialect.namespace}.{operation.name}Response")
    return json_response(call.services, single(context, result_json(answer.result)))


def _parameters(call: Call, called: Operation, operation: edm.Operation) -> dict[str, object]:
    if operation.is_action:
        return action_parameters(operation, lambda: body_parameters(call, operation.name), call.payload())
    aliases = {assignment.name: assignment.value for assignment in call.options().aliases}
    return function_parameters(operation, called, aliases, call.payload())


def body_parameters(call: Call, name: str) -> dict[str, object]:
    """Return an action's parameters from the body; an empty body is no parameters."""
    return read_object(call.request.body, name) if call.request.body.strip() else {}


def result_json(result: object) -> bytes:
    """Return an operation's result as JSON."""
    return orjson.dumps(result, default=_plain, option=_OPTIONS)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return orjson.Fragment(format(value, "f"))
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case EntityReference():
            return value.id
        case tuple() | frozenset() | set():
            return list(value)
        case _:
            raise TypeError(f"An operation answered with a {type(value).__name__}.")
