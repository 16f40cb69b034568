"""POST, MERGE, PUT and DELETE on data of the Organization Data Service (MSDN gg334767; OData v2, "Operations").

Bodies become those of the Web API and are bound as such. PATCH is MERGE by another name: the extended mode has it, as
clients of later versions send it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from entities.errors import InvalidArgument, MalformedRequest
from entities.messages import Delete, Retrieve, Update, Written
from entities.metadata.catalog import LookupNavigation
from entities.metadata.columns import (
    Column,
    FileType,
    ImageType,
    LookupType,
    RequiredLevel,
    StateType,
    StatusType,
)
from entities.metadata.tables import Table
from entities.values import EMPTY_GUID, EntityReference, Value
from odata_server.bind.json_body import read_object
from odata_server.bind.payload import bind_new, bind_record
from odata_server.bind.resource import Many, References, Related, Row, RowProperty, Single
from odata_server.bind.v2.atom_body import read_atom, read_xml
from odata_server.bind.v2.payload import Body, invalid, web_api_members
from odata_server.bind.v2.query import bind_v2_row
from odata_server.bind.v2.urls import UrlsOfEntities
from odata_server.edm.v2.names import entity_set, properties
from odata_server.endpoints.call import version_of
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.navigation import located
from odata_server.endpoints.v2 import answers
from odata_server.endpoints.v2.answers import ONE
from odata_server.endpoints.v2.call import V2Call
from odata_server.endpoints.v2.formats import is_xml
from odata_server.endpoints.v2.reads import row_answer
from odata_server.endpoints.writes import add_reference, belonging, remove_reference
from odata_server.render.v2.entries import entry_path
from odata_server.syntax.v2_options import V2Options
from security.authorize import authorize

_CREATED: Final = 201
_KEPT_BY_REPLACEMENT: Final = (LookupType, StateType, StatusType, FileType, ImageType)
"""Links stay as they are (OData v2, "Operations", 2.6), states cannot be set, and files are no properties."""


def create(v2: V2Call, rows: Many) -> ODataResponse:
    """Answer `POST Set` and `POST Set(key)/Collection`: 201 with the entity and its URL.

    A caller who may not read the answer creates nothing.
    """
    v2.needs(ONE)
    _check_no_options(v2)
    call, table = v2.call, rows.table
    new = bind_new(_members(v2, table), table, call.payload())
    if isinstance(rows, Related):
        new = belonging(call, new, rows)
    asked = bind_v2_row(table, V2Options(), v2.reading(), v2.meaning)
    reading = Retrieve(EntityReference(table.logical_name, EMPTY_GUID), asked.row.columns)
    authorize(reading, call.principal, call.catalog)
    written = call.execute(new)
    assert isinstance(written, Written)
    location = f"{call.root}/{entry_path(entity_set(table), written.reference.id)}"
    return row_answer(v2, Row(table, written.reference), asked, ("Location", location), status=_CREATED)


def change(v2: V2Call, row: Single) -> ODataResponse:
    """Answer `MERGE Set(key)`: change what the body names, and nothing else."""
    found = _target(v2, row)
    _update(v2, found, _changed(v2, found.table, _members(v2, found.table)))
    return answers.no_content(v2.call.services)


def replace_row(v2: V2Call, row: Single) -> ODataResponse:
    """Answer `PUT Set(key)`: change what the body names, and set every other property back to its default."""
    found = _target(v2, row)
    record = {**_defaults(found.table), **_changed(v2, found.table, _members(v2, found.table))}
    _update(v2, found, record)
    return answers.no_content(v2.call.services)


def _target(v2: V2Call, row: Single) -> Row:
    _check_no_options(v2)
    return located(v2.call, row)


def _check_no_options(v2: V2Call) -> None:
    for name in v2.options.names:
        if name != "$format":
            raise MalformedRequest(f"Query option '{name}' cannot be applied to the requested resource.")


def _changed(v2: V2Call, table: Table, members: dict[str, object]) -> dict[str, Value]:
    return bind_record(members, table, v2.call.payload(), creates=False, updates=True)


def _update(v2: V2Call, row: Row, record: dict[str, Value]) -> None:
    v2.call.execute(Update(row.target, record, version_of(v2.call.request.header("if-match"))))


def _defaults(table: Table) -> dict[str, Value]:
    """Return what the columns hold that a replacement sets back."""
    return {
        column.logical_name: table.defaults.get(column.logical_name) for column in table.columns if _is_replaced(column)
    }


def _is_replaced(column: Column) -> bool:
    is_free = column.required not in {RequiredLevel.SYSTEM, RequiredLevel.APPLICATION}
    is_settable = column.valid_for_update and column.valid_for_read and not column.formula and column.rollup is None
    return is_free and is_settable and not isinstance(column.type, _KEPT_BY_REPLACEMENT)


def delete(v2: V2Call, row: Single) -> ODataResponse:
    """Answer `DELETE Set(key)`."""
    found = _target(v2, row)
    v2.call.execute(Delete(found.target, version_of(v2.call.request.header("if-match"))))
    return answers.no_content(v2.call.services)


def change_property(v2: V2Call, asked: RowProperty, member: str) -> ODataResponse:
    """Answer `PUT Set(key)/Property` and `MERGE Set(key)/Property`: the body holds this property alone."""
    name = asked.column.schema_name
    if member or asked.is_raw:
        raise MalformedRequest("A property is changed as a whole, by its own URL.")
    row = _target(v2, asked.source)
    if is_xml(v2.call.request.header("content-type")):
        given = dict([read_xml(v2.call.request.body)])
    else:
        given = _unwrapped(read_object(v2.call.request.body, entity_set(row.table)))
    if set(given) != {name}:
        raise invalid(f"The body must hold the property '{name}' alone.")
    _check_settable(row.table, name)
    _update(v2, row, _changed(v2, row.table, web_api_members(given, row.table, _body(v2))))
    return answers.no_content(v2.call.services)


def clear_property(v2: V2Call, asked: RowProperty) -> ODataResponse:
    """Answer `DELETE Set(key)/Property/$value`: set it to null."""
    if not asked.is_raw:
        raise MalformedRequest("A property is set to null by DELETE of its '$value'.")
    row, name = _target(v2, asked.source), asked.column.schema_name
    _check_settable(row.table, name)
    _update(v2, row, _changed(v2, row.table, web_api_members({name: None}, row.table, _body(v2))))
    return answers.no_content(v2.call.services)


def _check_settable(table: Table, name: str) -> None:
    if not properties(table)[name].valid_for_update:
        raise InvalidArgument(f"The property '{name}' cannot be modified.")


def add_link(v2: V2Call, references: References) -> ODataResponse:
    """Answer `POST Set(key)/$links/Collection` and `PUT Set(key)/$links/Lookup` with the URL of an entity.

    A lookup takes POST as well: the real service's clients send it for either kind.
    """
    _check_no_options(v2)
    url = _body(v2).urls.web_api_url(_linked(v2))
    method = "PUT" if isinstance(references.navigation, LookupNavigation) else v2.call.request.method
    body = f'{{"@odata.id":"{url}"}}'.encode()
    request = replace(v2.call.request, method=method, body=body, query="")
    add_reference(replace(v2.call, request=request), references)
    return answers.no_content(v2.call.services)


def _linked(v2: V2Call) -> str:
    """Return the URL that the body of a request to change links holds."""
    request = v2.call.request
    if is_xml(request.header("content-type")):
        name, url = read_xml(request.body)
    else:
        given = _unwrapped(read_object(request.body, v2.call.path[:100]))
        name, url = "uri", given.get("uri")
    if name != "uri" or not isinstance(url, str):
        raise invalid("The body must hold the 'uri' of an entity.")
    return url


def remove_link(v2: V2Call, references: References) -> ODataResponse:
    """Answer `DELETE Set(key)/$links/Collection(key)` and `DELETE Set(key)/$links/Lookup`."""
    _check_no_options(v2)
    remove_reference(v2.call, references)
    return answers.no_content(v2.call.services)


def _members(v2: V2Call, table: Table) -> dict[str, object]:
    """Return the body's members as the Web API takes them."""
    request = v2.call.request
    if is_xml(request.header("content-type")):
        given = read_atom(request.body)
    else:
        given = _unwrapped(read_object(request.body, entity_set(table)))
    return web_api_members(given, table, _body(v2))


def _unwrapped(members: dict[str, object]) -> dict[str, object]:
    """Return an object that some clients send in `d`, as the service does."""
    match members:
        case {"d": dict() as inner} if len(members) == 1:
            return inner
        case _:
            return members


def _body(v2: V2Call) -> Body:
    call = v2.call
    roots = (call.root, call.root.removeprefix(call.request.origin))
    return Body(v2.meaning, UrlsOfEntities(v2.meaning, roots, call.request.references or {}))
