"""What a schema file is, by its content: a metadata document, definitions as JSON, or a solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from entities.errors import MalformedRequest
from odata_server.admin.exact_json import from_json
from odata_server.admin.schema.findings import Json
from odata_server.admin.schema.solution_reading import Solution, read_solution

_ZIP: Final = b"PK\x03\x04"
_BOMS: Final = (b"\xef\xbb\xbf",)


@dataclass(frozen=True, slots=True)
class MetadataDocument:
    """CSDL, as `GET $metadata` sends it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Definitions:
    """Tables and global choices as the Web API shows them."""

    tables: tuple[Json, ...]
    option_sets: tuple[Json, ...] = ()


SchemaFile: TypeAlias = MetadataDocument | Definitions | Solution


def schema_file(data: bytes) -> SchemaFile:
    """Return what a file is.

    Raises:
        MalformedRequest: it is nothing that is known, or cannot be read as what it is.
    """
    bare = data
    for mark in _BOMS:
        bare = bare.removeprefix(mark)
    bare = bare.lstrip()
    if data.startswith(_ZIP):
        return read_solution(data)
    if bare.startswith(b"<"):
        return MetadataDocument(data)
    if bare[:1] in {b"{", b"["}:
        return _definitions(bare)
    raise MalformedRequest(
        "The file is neither a metadata document (XML), nor definitions (JSON), nor a solution (ZIP)."
    )


def _definitions(data: bytes) -> Definitions:
    try:
        content: Any = from_json(data)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"The file is no JSON: {error}") from error
    tables: list[Any] = []
    sets: list[Any] = []
    match content:
        case {"EntityDefinitions": list(found)}:
            tables, sets = found, content.get("GlobalOptionSetDefinitions") or []
        case {"value": list(found)} | list(found):
            sets = [item for item in found if isinstance(item, dict) and "Options" in item]
            tables = [item for item in found if not isinstance(item, dict) or "Options" not in item]
        case {"LogicalName": str()}:
            tables = [content]
        case _:
            raise MalformedRequest("The JSON holds no definitions: an array of them under 'value' was expected.")
    if not all(isinstance(item, dict) for item in (*tables, *sets)):
        raise MalformedRequest("The JSON holds something else than definitions.")
    return Definitions(tuple(tables), tuple(sets))
