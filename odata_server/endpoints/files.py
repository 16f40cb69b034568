"""File and image columns over HTTP: upload at once or in chunks, download whole or by range, delete.

Learn: "Use file column data", "Use image column data"; ranges: RFC 9110 §14.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from entities.errors import InvalidArgument, MethodNotAllowed
from entities.messages import Execute, Executed
from entities.metadata.columns import FileType, ImageType
from odata_server.bind.dialect import property_name
from odata_server.bind.resource import RowProperty
from odata_server.endpoints.call import Call, version_of
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.navigation import existing, located
from odata_server.endpoints.reads import read_property
from odata_server.endpoints.responses import Headers, binary_response, json_response, no_content
from odata_server.endpoints.writes import put_property
from odata_server.engine.file_store import BLOCK_SIZE
from odata_server.render import envelope

_FILE_NAME: Final = "x-ms-file-name"
_SESSION: Final = "sessiontoken"
_CONTINUATION: Final = "filecontinuationtoken"
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})\Z", re.ASCII)
_RANGE: Final = re.compile(r"bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))(?:/\d{1,15})?\Z", re.ASCII)
"""As RFC 9110 §14.2 has it; older pages of Learn ("File attributes") add the size behind a slash."""

_CHUNK_SIZE: Final = ("x-ms-chunk-size", str(BLOCK_SIZE))
_WHOLE: Final = 200
_PART: Final = 206


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A file, or a part of one, with what the headers say of it."""

    status: int
    headers: Headers
    data: bytes


def is_file(asked: RowProperty) -> bool:
    """Say whether a property is a file or an image."""
    return isinstance(asked.column.type, FileType | ImageType)


def answer_file(call: Call, asked: RowProperty) -> ODataResponse:
    """Answer a request for a file or image column of a row.

    Raises:
        DataverseError: it is refused; the row and its file are what they were.
    """
    match call.request.method:
        case "GET" if _is_part_in_json(call, asked):
            return _download_in_json(call, asked)
        case "GET" if asked.is_raw or _option(call, _CONTINUATION):
            return _download(call, asked)
        case "GET":
            return read_property(call, asked)
        case "PUT" if not asked.is_raw and _is_value(call, asked):
            return put_property(call, asked)
        case "PATCH" | "PUT" if not asked.is_raw:
            return _upload(call, asked)
        case "DELETE" if not asked.is_raw:
            version = version_of(call.request.header("if-match"))
            call.execute(Execute("ClearFile", {**_place(call, asked), "Version": version}))
            return no_content(call.services)
        case _:
            raise MethodNotAllowed(f"The requested resource does not support http method '{call.request.method}'.")


def _is_value(call: Call, asked: RowProperty) -> bool:
    """Tell an image as the value of a property in JSON, `{"value": …}`, from the bytes of one."""
    is_json = call.request.header("content-type").strip().lower().startswith("application/json")
    is_named = call.request.header(_FILE_NAME) or _option(call, _FILE_NAME)
    return isinstance(asked.column.type, ImageType) and is_json and not is_named


def _is_part_in_json(call: Call, asked: RowProperty) -> bool:
    """Tell a range of the property, asked for in JSON, from a range of its bytes."""
    accepts_json = "application/json" in call.request.header("accept").lower()
    return not asked.is_raw and accepts_json and _wanted(call) is not None


def _option(call: Call, name: str) -> str:
    """Return an option of the URL that is not one of OData, an empty text where it is not there."""
    return next((option.value or "" for option in call.options().custom if option.name.lower() == name), "")


def _place(call: Call, asked: RowProperty) -> dict[str, object]:
    return {"Target": located(call, asked.source).target, "FileAttributeName": asked.column.logical_name}


def _upload(call: Call, asked: RowProperty) -> ODataResponse:
    """Store the body as the file, begin an upload in chunks, or store a chunk of one."""
    place, session = _place(call, asked), _option(call, _SESSION)
    if session or any(option.name.lower() == _SESSION for option in call.options().custom):
        return _store_chunk(call, {**place, "FileContinuationToken": session})
    name = call.request.header(_FILE_NAME) or _option(call, _FILE_NAME)
    if not name and isinstance(asked.column.type, FileType):
        raise InvalidArgument(f"The name of the file is missing: {_FILE_NAME}.", code="0x80090002")
    if call.request.header("x-ms-transfer-mode").strip().lower() == "chunked":
        return _begin(call, {**place, "FileName": name or asked.column.logical_name})
    if not call.request.body:
        raise InvalidArgument("The content of the file is empty.", code="0x80090004")
    version = version_of(call.request.header("if-match"))
    call.execute(Execute("UploadFile", {**place, "FileName": name, "Data": call.request.body, "Version": version}))
    return no_content(call.services)


def _begin(call: Call, parameters: Mapping[str, object]) -> ODataResponse:
    token = _executed(call, "InitializeFileBlocksUpload", parameters)["FileContinuationToken"]
    location = f"{call.request.origin}{call.request.path}?{_SESSION}={token}"
    exposed = ("Access-Control-Expose-Headers", "x-ms-chunk-size")
    headers = (("Accept-Ranges", "bytes"), ("Location", location), _CHUNK_SIZE, exposed)
    return no_content(call.services, *headers, status=_WHOLE)


def _store_chunk(call: Call, parameters: Mapping[str, object]) -> ODataResponse:
    found = _CONTENT_RANGE.match(call.request.header("content-range"))
    body = call.request.body
    begin, end, total = (int(number) for number in found.groups()) if found else (0, 0, 0)
    if found is None or end - begin + 1 != len(body) or end >= total:
        raise InvalidArgument(
            "A chunk needs the header Content-Range: bytes first-last/total, and as many bytes as it says.",
            code="0x80090005",
        )
    chunk = {**parameters, "Begin": begin, "Total": total, "Data": body}
    is_complete = _executed(call, "UploadFileChunk", chunk)["IsComplete"]
    return no_content(call.services, status=204 if is_complete else _PART)


def _download(call: Call, asked: RowProperty) -> ODataResponse:
    """Return the file's bytes; without a range that can be read all of them, as far as one answer may hold them.

    Where some are left, `Location` says where the next ones are. No image: 204.
    """
    found = _loaded(call, asked)
    if found is None:
        return no_content(call.services)
    return binary_response(call.services, found.data, *found.headers, status=found.status)


def _download_in_json(call: Call, asked: RowProperty) -> ODataResponse:
    """Return a range of the file as the value of a property, in base64: so DynamicsWebApi asks for it."""
    found = _loaded(call, asked)
    if found is None:
        return no_content(call.services)
    record = existing(call, asked.source)
    table = call.catalog.tables[record.table]
    context = call.context(f"{table.entity_set_name}({record.id})/{property_name(call.dialect, asked.column)}")
    body = envelope.single(context, b'{"value":"%s"}' % b64encode(found.data))
    return json_response(call.services, body, *found.headers, status=found.status)


def _loaded(call: Call, asked: RowProperty) -> _Loaded | None:
    """Return the part of a file that is asked for, None where there is no image."""
    wanted = _wanted(call)
    parameters = {
        **_place(call, asked),
        "Range": None if wanted is None else _ends(wanted),
        "IsFull": _option(call, "size").lower() == "full",
        "FileContinuationToken": _option(call, _CONTINUATION),
    }
    found = _executed(call, "DownloadFile", parameters)
    if not found:
        return None
    data, size, begin = found["Data"], found["Size"], found["Begin"]
    assert isinstance(data, bytes)
    assert isinstance(size, int)
    assert isinstance(begin, int)
    headers = _described(str(found["FileName"]), str(found["MimeType"]), size)
    if wanted is None and len(data) == size:
        exposed = ("Access-Control-Expose-Headers", "x-ms-file-size; x-ms-file-name; mimetype")
        return _Loaded(_WHOLE, (*headers, exposed), data)
    exposed = ("Access-Control-Expose-Headers", "x-ms-file-size; x-ms-file-name; x-ms-chunk-size; mimetype")
    extent = ("Content-Range", f"bytes {begin}-{begin + len(data) - 1}/{size}")
    rest = _rest(call, str(found["FileContinuationToken"]))
    return _Loaded(_PART, (*headers, _CHUNK_SIZE, extent, *rest, exposed), data)


def _wanted(call: Call) -> re.Match[str] | None:
    return _RANGE.match(call.request.header("range").strip())


def _rest(call: Call, token: str) -> Headers:
    """Return the header with the URL of the bytes behind those of an answer; none where it holds the last ones."""
    path = call.request.path.removesuffix("/").removesuffix("/$value")
    return (("Location", f"{call.request.origin}{path}?FileContinuationToken={quote(token)}"),) if token else ()


def _ends(wanted: re.Match[str]) -> tuple[int | None, int | None]:
    """Return the first and the last byte of a range; only how many there are for the end of a file."""
    first, last, tail = (None if number is None else int(number) for number in wanted.groups())
    return (None, tail) if first is None else (first, last)


def _described(name: str, mime_type: str, size: int) -> Headers:
    """Return what the headers say of a file; a name outside of ASCII is percent-encoded (RFC 6266 §4.3)."""
    plain = quote(name, safe=" !#$&'()+,-.;=@[]^_`{}~") if not name.isascii() or '"' in name or "\\" in name else name
    encoded = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return (
        ("Accept-Ranges", "bytes"),
        ("Content-Disposition", f'attachment; filename="{plain}"{encoded}'),
        ("x-ms-file-size", str(size)),
        ("x-ms-file-name", plain),
        ("mimetype", mime_type),
    )


def _executed(call: Call, name: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
    found = call.execute(Execute(name, parameters))
    assert isinstance(found, Executed)
    return found.result
