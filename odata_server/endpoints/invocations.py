"""Functions and actions over HTTP (Learn: "Use Web API functions", "Use Web API actions")."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

import orjson

from entities.errors import NotSupported, ResourceNotFound
from entities.messages import Execute, Executed
from entities.values import EntityReference, utc_text
from odata_server.bind.json_body import read_object
from odata_server.bind.operations import Signature, plain_value, signature
from odata_server.bind.paths import not_found
from odata_server.bind.resource import Collection, Operation, Related, Single
from odata_server.endpoints.call import Call
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.navigation import located
from odata_server.endpoints.responses import json_response, no_content
from odata_server.render.envelope import single

_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def invoke(call: Call, operation: Operation) -> ODataResponse:
    """Answer a call of a function (GET) or action (POST).

    Raises:
        ResourceNotFound: there is no such operation, or it is not called by this verb.
        NotSupported: it is bound to a collection.
    """
    bound = operation.bound
    known = signature(operation.name, bound.table.logical_name if bound else None)
    if known is None:
        raise not_found(f"{call.dialect.namespace}.{operation.name}" if bound else operation.name)
    if (call.request.method == "GET") is not known.is_function:
        raise ResourceNotFound(f"No HTTP resource was found that matches the request URI '{call.request.url}'.")
    if isinstance(bound, Collection | Related):
        raise NotSupported(f"The operation '{operation.name}' on a collection is not supported yet.")
    return _answer(call, operation.name, bound, _parameters(call, operation, known))


def _answer(call: Call, name: str, bound: Single | None, parameters: dict[str, object]) -> ODataResponse:
    answer = call.execute(Execute(name, parameters, located(call, bound).target if bound else None))
    if not isinstance(answer, Executed):
        return no_content(call.services)
    context = call.context(f"{call.dialect.namespace}.{name}Response")
    return json_response(call.services, single(context, result_json(answer.result)))


def _parameters(call: Call, operation: Operation, known: Signature) -> dict[str, object]:
    if not known.is_function:
        return body_parameters(call, operation.name)
    options = call.options()
    aliases = {assignment.name: assignment.value for assignment in options.aliases}
    return {argument.name: plain_value(argument.value, aliases) for argument in operation.arguments}


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
