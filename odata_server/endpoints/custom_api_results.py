"""The answers of custom APIs as JSON (Learn: "CustomAPI tables", response properties).

A response that is one record, or several, is these records; any other is an object with all response properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.columns import LookupType
from entities.metadata.custom_apis import CustomApi, CustomApiParameter, ParameterType
from entities.values import ChoiceSet, EntityReference, EntityValue
from odata_server.edm.custom_apis import only_records
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.endpoints.call import Call
from odata_server.endpoints.invocation_body import result_json
from odata_server.render.envelope import single

_TYPE: Final = "@odata.type"


def custom_api_body(api: CustomApi, result: Mapping[str, object], call: Call) -> bytes:
    """Return what a custom API answers.

    Args:
        api: the custom API.
        result: its response properties, as far as they have been set.
        call: the request.
    """
    whole = only_records(api)
    if whole is None:
        found = {part.name: _json(result.get(part.name), part, call.catalog) for part in api.properties}
        return single(call.context(f"{WEB_API_NAMESPACE}.{api.name}Response"), result_json(found))
    shown = _json(result.get(whole.name), whole, call.catalog)
    if whole.type is ParameterType.ENTITY:
        return single(call.context(_context(whole, call.catalog, "/$entity")), result_json(_untyped(shown)))
    rows = [_untyped(row) for row in shown] if isinstance(shown, list) else []
    return single(call.context(_context(whole, call.catalog, "")), result_json({"value": rows}))


def _context(part: CustomApiParameter, catalog: Catalog, end: str) -> str:
    table = catalog.tables.get(part.table or "")
    if table is not None:
        return f"{table.entity_set_name}{end}"
    return f"{WEB_API_NAMESPACE}.expando" if end else f"Collection({WEB_API_NAMESPACE}.expando)"


def _untyped(row: object) -> object:
    """Return a record without its type, which the context says already."""
    return {name: value for name, value in row.items() if name != _TYPE} if isinstance(row, Mapping) else {}


def _json(value: object, part: CustomApiParameter, catalog: Catalog) -> object:
    match part.type:
        case ParameterType.ENTITY:
            return _record(value, part, catalog)
        case ParameterType.ENTITY_COLLECTION:
            return [_record(row, part, catalog) for row in value] if isinstance(value, list | tuple) else []
        case ParameterType.ENTITY_REFERENCE if isinstance(value, EntityReference):
            key = catalog.tables[value.table].primary_id
            return {_TYPE: f"#{WEB_API_NAMESPACE}.{value.table}", key: value.id}
        case _:
            return value


def _record(value: object, part: CustomApiParameter, catalog: Catalog) -> object:
    """Return a record with the names that the Web API has for its columns."""
    own = value.table if isinstance(value, EntityValue) else part.table
    members = value.record if isinstance(value, EntityValue) else value
    if not isinstance(members, Mapping):
        return None
    table = catalog.tables.get(own or "")
    if table is None:
        return {_TYPE: f"#{WEB_API_NAMESPACE}.expando", **{key: _member(found) for key, found in members.items()}}
    lookups = {column.logical_name for column in table.columns if isinstance(column.type, LookupType)}
    shown = {f"_{name}_value" if name in lookups else name: _member(found) for name, found in members.items()}
    if isinstance(value, EntityValue) and isinstance(value.target, EntityReference):
        shown[table.primary_id] = value.target.id
    return {_TYPE: f"#{WEB_API_NAMESPACE}.{table.logical_name}", **shown}


def _member(value: object) -> object:
    """Return a column's value; a choice of several options is their numbers, joined by commas."""
    return ",".join(map(str, value.options)) if isinstance(value, ChoiceSet) else value
