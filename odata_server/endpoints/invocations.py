"""Functions and actions over HTTP (Learn: "Use Web API functions", "Use Web API actions")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.errors import ResourceNotFound
from entities.messages import Execute, Executed
from entities.query import QueryExpression
from entities.values import EntityReference, EntityValue
from odata_server.bind.definitions.actions import with_definitions
from odata_server.bind.operations import action_parameters, check_available, declared, function_parameters
from odata_server.bind.paths import not_found
from odata_server.bind.resource import Collection, Operation, Related
from odata_server.edm import operations as edm
from odata_server.edm.operation_list import BULK
from odata_server.endpoints.background import accepted, runs_in_background
from odata_server.endpoints.call import Call
from odata_server.endpoints.custom_api_results import custom_api_body
from odata_server.endpoints.entity_functions import OF_DEFINITIONS
from odata_server.endpoints.entity_results import entities_json, entity_json, references_json
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.invocation_body import body_parameters, result_json
from odata_server.endpoints.multiple import invoke_multiple
from odata_server.endpoints.navigation import located
from odata_server.endpoints.reads import read_row, read_selected
from odata_server.endpoints.responses import json_response, no_content
from odata_server.render.envelope import single

_SOLUTION: Final = "SolutionUniqueName"


def invoke(call: Call, called: Operation) -> ODataResponse:
    """Answer a call of a function (GET) or action (POST).

    Raises:
        ResourceNotFound: there is no such operation, or it is not called by this verb.
        NotSupported: it is not there yet.
    """
    operation = declared(called, call.catalog)
    if operation is None:
        raise not_found(f"{call.dialect.namespace}.{called.name}" if called.bound else called.name)
    if call.request.method != ("POST" if operation.is_action else "GET"):
        raise ResourceNotFound(f"No HTTP resource was found that matches the request URI '{call.request.url}'.")
    check_available(operation, call.catalog)
    bound = called.bound
    if operation.name in BULK and isinstance(bound, Collection | Related):
        return invoke_multiple(call, bound, operation)
    parameters = {**_parameters(call, called, operation), **_set_of(operation, bound)}
    if operation.name in OF_DEFINITIONS:
        return OF_DEFINITIONS[operation.name](call, parameters)
    target = None if bound is None or isinstance(bound, Collection | Related) else located(call, bound).target
    message = Execute(operation.name, parameters, target)
    if runs_in_background(call, operation):
        return accepted(call, message)
    answer = call.execute(message)
    if not isinstance(answer, Executed):
        return no_content(call.services)
    return _shown(call, operation, answer.result)


def _shown(call: Call, operation: edm.Operation, result: Mapping[str, object]) -> ODataResponse:
    """Return the answer of an operation that has a result: records as they are read, everything else as JSON."""
    custom = call.catalog.custom_apis.get(operation.name)
    if custom is not None:
        return json_response(call.services, custom_api_body(custom, result, call))
    selected = result.get("value")
    if isinstance(selected, QueryExpression):
        return read_selected(call, selected)
    if operation.result is not None and operation.result.is_collection and isinstance(selected, list):
        return json_response(call.services, entities_json(call, operation.result.name, selected))
    if isinstance(selected, EntityValue):
        return json_response(call.services, entity_json(call, selected))
    if isinstance(selected, tuple):
        return json_response(call.services, references_json(call, selected))
    if isinstance(selected, EntityReference):
        return read_row(call, call.catalog.tables[selected.table], selected)
    context = call.context(f"{call.dialect.namespace}.{operation.name}Response")
    return json_response(call.services, single(context, result_json(result)))


def _parameters(call: Call, called: Operation, operation: edm.Operation) -> dict[str, object]:
    if operation.is_action:
        given = action_parameters(operation, lambda: body_parameters(call, operation.name), call.payload())
        return with_definitions(operation.name, {**_solution(call, operation), **given}, call.catalog)
    aliases = {assignment.name: assignment.value for assignment in call.options().aliases}
    return {**function_parameters(operation, called, aliases, call.payload()), **_facts(call, operation)}


def _solution(call: Call, operation: edm.Operation) -> dict[str, object]:
    """Return the solution that the URL names, as Microsoft's client for Python does it."""
    if _SOLUTION not in operation.parameters or _SOLUTION not in call.request.query:
        return {}
    named = [option.value for option in call.options().custom if option.name == _SOLUTION]
    return {_SOLUTION: named[0]} if named else {}


def _set_of(operation: edm.Operation, bound: object) -> dict[str, object]:
    """Return whose rows a function is bound to that is the same for several tables."""
    if operation.name == "RetrieveUnpublishedMultiple" and isinstance(bound, Collection):
        return {"Table": bound.table.logical_name}
    return {}


def _facts(call: Call, operation: edm.Operation) -> dict[str, object]:
    """Return what a function tells that only the request knows: under which URL and in which tenant it came."""
    if operation.name != "RetrieveCurrentOrganization":
        return {}
    return {"ServiceUrl": call.request.origin, "TenantId": call.services.tenant_id}
