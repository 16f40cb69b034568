"""Rows as the data.zip of a configuration migration: its schema, then the records page by page, then the pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Final
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from odata_server.admin.exporting.pages import ExportedReference, ExportedRow, Selection
from odata_server.admin.importing.configuration_data import DATA, SCHEMA
from odata_server.admin.remote_tables import RemoteColumn, RemotePairing, RemoteTable

_TYPES: Final[Mapping[str, str]] = {
    "Memo": "string",
    "String": "string",
    "EntityName": "string",
    "Integer": "number",
    "BigInt": "bigint",
    "Decimal": "decimal",
    "Double": "float",
    "Money": "money",
    "Boolean": "bool",
    "ManagedProperty": "bool",
    "DateTime": "datetime",
    "Picklist": "optionsetvalue",
    "MultiSelectPicklist": "optionsetvaluecollection",
    "State": "state",
    "Status": "status",
    "Lookup": "entityreference",
    "Customer": "entityreference",
    "Owner": "owner",
    "Uniqueidentifier": "guid",
    "Image": "imagedata",
}
_HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_CONTENT_TYPES: Final = (
    f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/octet-stream" /></Types>'
)
Pairs = Callable[[RemoteTable, RemotePairing], Iterable[tuple[str, str]]]


def write_configuration_data(
    path: Path,
    selections: Sequence[tuple[Selection, Iterable[list[ExportedRow]]]],
    pairs: Pairs,
    now: datetime,
    advance: Callable[[int], None],
) -> int:
    """Write tables, and how their records are paired with one another; return how many records.

    Args:
        path: the file.
        selections: what was asked for, with its pages.
        pairs: reads the pairs of a many-to-many relationship, as ids.
        now: the time of the export.
        advance: told how many records are written.
    """
    tables = [selection.table for selection, _ in selections]
    count = 0
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr(SCHEMA, "".join(_schema([selection for selection, _ in selections])))
        with archive.open(DATA, "w", force_zip64=True) as file:
            _write(file, f"{_HEAD}<entities{_attributes(timestamp=now.strftime('%Y-%m-%dT%H:%M:%S.0000000Z'))}>\n")
            for selection, pages in selections:
                table = selection.table
                _write(file, f"<entity{_attributes(name=table.name, displayname=_shown(selection))}><records>\n")
                for page in pages:
                    file.writelines(_record(row).encode() for row in page)
                    count += len(page)
                    advance(count)
                _write(file, "</records><m2mrelationships>\n")
                for pairing in _own_pairings(table, tables):
                    groups = _grouped(pairs(table, pairing))
                    file.writelines(_pairing(pairing, found, tables).encode() for found in groups)
                _write(file, "</m2mrelationships></entity>\n")
            _write(file, "</entities>\n")
    return count


def _write(file: IO[bytes], text: str) -> None:
    file.write(text.encode())


def _shown(selection: Selection) -> str:
    return selection.table.display_name or selection.table.name


def _attributes(**values: object) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items() if value is not None)


def _own_pairings(table: RemoteTable, tables: Sequence[RemoteTable]) -> Iterator[RemotePairing]:
    """Yield the relationships between exported tables, each at its first end."""
    names = {other.name for other in tables}
    return (pairing for pairing in table.pairings if pairing.is_first and pairing.target in names)


def _schema(selections: Sequence[Selection]) -> Iterator[str]:
    tables = [selection.table for selection in selections]
    yield f'{_HEAD}<entities dateMode="absolute">\n<entityImportOrder>\n'
    yield from (f"<entityName>{table.name}</entityName>\n" for table in tables)
    yield "</entityImportOrder>\n"
    for selection in selections:
        table = selection.table
        yield "<entity" + _attributes(
            name=table.name,
            displayname=_shown(selection),
            etc=table.object_type_code,
            primaryidfield=table.primary_id,
            primarynamefield=table.primary_name or "",
            disableplugins="false",
        )
        yield "><fields>\n"
        yield from (_field(table, column) for column in selection.columns)
        yield "</fields><relationships>\n"
        yield from (_relationship(pairing, tables) for pairing in _own_pairings(table, tables))
        yield "</relationships></entity>\n"
    yield "</entities>\n"


def _field(table: RemoteTable, column: RemoteColumn) -> str:
    told = _attributes(
        displayname=column.display_name,
        name=column.name,
        type=_TYPES.get(column.kind, "string"),
        lookupType="|".join(column.targets) if column.is_lookup else None,
        primaryKey="true" if column.name == table.primary_id else None,
    )
    return f"<field{told} />\n"


def _relationship(pairing: RemotePairing, tables: Sequence[RemoteTable]) -> str:
    target = next(table for table in tables if table.name == pairing.target)
    told = _attributes(
        name=pairing.intersect_table,
        manyToMany="true",
        isreflexive="false",
        relatedEntityName=pairing.intersect_table,
        m2mTargetEntity=target.name,
        m2mTargetEntityPrimaryKey=target.primary_id,
    )
    return f"<relationship{told} />\n"


def _record(row: ExportedRow) -> str:
    fields = "".join(f"<field{_value(name, value)} />" for name, value in row.values.items() if value is not None)
    return f"<record{_attributes(id=row.id)}>{fields}</record>\n"


def _value(name: str, value: object) -> str:
    match value:
        case ExportedReference(table, id_):
            return _attributes(name=name, value=id_, lookupentity=table, lookupentityname="")
        case bool():
            return _attributes(name=name, value="True" if value else "False")
        case Decimal():
            return _attributes(name=name, value=format(value, "f"))
        case _:
            return _attributes(name=name, value=value)


def _grouped(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield each record with those that it is paired with."""
    groups: dict[str, list[str]] = {}
    for source, target in pairs:
        groups.setdefault(source, []).append(target)
    yield from groups.items()


def _pairing(pairing: RemotePairing, found: tuple[str, list[str]], tables: Sequence[RemoteTable]) -> str:
    source, targets = found
    target = next(table for table in tables if table.name == pairing.target)
    told = _attributes(
        sourceid=source,
        targetentityname=target.name,
        targetentitynameidfield=target.primary_id,
        m2mrelationshipname=pairing.intersect_table,
    )
    ids = "".join(f"<targetid>{identifier}</targetid>" for identifier in targets)
    return f"<m2mrelationship{told}><targetids>{ids}</targetids></m2mrelationship>\n"
