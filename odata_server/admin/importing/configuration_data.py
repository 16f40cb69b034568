"""The data.zip of a configuration migration: `data.xml` with records and pairs, `data_schema.xml` with their tables.

Learn: "Manage configuration data", "Configure date settings for demo data": dates in a column or table of the mode
`relative` move on by the whole weeks, those of `relativeDaily` by the days since the export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from entities.errors import MalformedRequest
from odata_server.admin.archives import ArchiveError, unpacked
from odata_server.admin.importing.source import Source, SourceError, SourceItem, SourcePair, SourceRow
from odata_server.edm.csdl_document import Element, root_of

DATA: Final = "data.xml"
SCHEMA: Final = "data_schema.xml"
_TYPE_OF_LOOKUP: Final = "@Microsoft.Dynamics.CRM.lookuplogicalname"
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class _Described:
    """What the schema says of a table: which of its columns move in time, and whether records that are there stay."""

    moving: Mapping[str, int]
    only_new: bool


def configuration_data(path: Path, now: Callable[[], datetime]) -> Source:
    """Return a data.zip.

    Args:
        path: the file.
        now: tells the time, for dates that move.

    Raises:
        SourceError: it is no such archive.
    """
    try:
        archive = unpacked(path.read_bytes(), (DATA, SCHEMA))
        data, schema = archive.member(DATA), archive.member(SCHEMA)
        if data is None:
            raise SourceError(f"{path}: the archive is no data of a configuration migration: it has no {DATA}")
        entities = root_of(data, DATA)
        described = root_of(schema, SCHEMA) if schema is not None else Element("entities", {})
    except (ArchiveError, MalformedRequest) as error:
        raise SourceError(f"{path}: {error}") from error
    tables = _ordered(list(entities.named("entity")), described)
    moments = _described(described, _age(entities, now()))
    size = sum(1 for table in tables for holder in table.named("records") for _ in holder.children)
    return Source(path, size, lambda: _items(tables, moments))


def _ordered(tables: list[Element], schema: Element) -> list[Element]:
    """Return tables in the order in which the schema wants them imported."""
    listed = [name.text for holder in schema.named("entityImportOrder") for name in holder.named("entityName")]
    places = {name: place for place, name in enumerate(listed)}
    return sorted(tables, key=lambda table: places.get(table.get("name"), len(places)))


def _age(data: Element, now: datetime) -> int:
    """Return how many days ago the data was exported; none where it does not say."""
    try:
        exported = datetime.fromisoformat(data.get("timestamp"))
    except ValueError:
        return 0
    return (now - (exported if exported.tzinfo else exported.replace(tzinfo=UTC))).days


def _described(schema: Element, age: int) -> dict[str, _Described]:
    shifts = {"relative": age // _WEEK * _WEEK, "relativeDaily": age}
    found = {}
    for table in schema.named("entity"):
        usual = table.get("dateMode") or schema.get("dateMode")
        fields = (field for holder in table.named("fields") for field in holder.named("field"))
        dated = {f.get("name"): f.get("dateMode") or usual for f in fields if f.get("type") == "datetime"}
        moving = {name: shifts[mode] for name, mode in dated.items() if mode in shifts}
        found[table.get("name")] = _Described(moving, table.get("skipupdate").lower() == "true")
    return found


def _items(tables: list[Element], described: Mapping[str, _Described]) -> Iterator[SourceItem]:
    """Yield all records first, then the pairs: both of their records are there then."""
    number = 0
    for table in tables:
        name = table.get("name")
        about = described.get(name, _Described({}, only_new=False))
        for holder in table.named("records"):
            for record in holder.named("record"):
                number += 1
                yield SourceRow(number, name, _values(record, about.moving), number, about.only_new)
    for table in tables:
        for pair in _pairs(table):
            number += 1
            yield SourcePair(number, table.get("name"), *pair)


def _values(record: Element, moving: Mapping[str, int]) -> Mapping[str, object]:
    values: dict[str, object] = {}
    for field in record.named("field"):
        name, value = field.get("name"), field.get("value")
        if any(field.named("activitypointerrecords")):
            values[name] = [dict(part.attributes) for part in field.everywhere("field")]
        elif value:
            values[name] = _moved(value, moving[name]) if name in moving else value
            if field.get("lookupentity"):
                values[f"{name}{_TYPE_OF_LOOKUP}"] = field.get("lookupentity")
    return values


def _moved(value: str, days: int) -> str:
    """Return a moment some days later; what is none is refused where its column is known."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (moment + timedelta(days=days)).isoformat().replace("+00:00", "Z")


def _pairs(table: Element) -> Iterator[tuple[str, str, str]]:
    for holder in table.named("m2mrelationships"):
        for pairing in holder.named("m2mrelationship"):
            name, source = pairing.get("m2mrelationshipname"), pairing.get("sourceid")
            for target in pairing.everywhere("targetid"):
                yield name, source, target.text
