"""Values of files as the JSON of the Web API; ZIP files from elsewhere; how an import is divided."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest

from odata_server.admin.archives import ArchiveError, unpacked
from odata_server.admin.exact_json import from_json, to_json
from odata_server.admin.importing.values import ValueRefusedError, json_value
from odata_server.admin.remote_tables import RemoteColumn

OPTIONS = {"red": 1, "grun": 2}


def column(kind: str, *, is_date_only: bool = False) -> RemoteColumn:
    return RemoteColumn(
        "c", "C", "A column", kind, creatable=True, updatable=True, readable=True, is_date_only=is_date_only,
        options={"on": 1, "off": 0} if kind == "Boolean" else OPTIONS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("String", "  x ", "  x "),
        ("String", "7", "7"),
        ("Integer", " 7 ", 7),
        ("Integer", "-7", -7),
        ("BigInt", "9223372036854775807", 2**63 - 1),
        ("Decimal", "1234.50", Decimal("1234.50")),
        ("Money", "922337203685477.5807", Decimal("922337203685477.5807")),
        ("Double", "1e3", Decimal(1000)),
        ("Money", 5, 5),
        ("Boolean", "TRUE", True),
        ("Boolean", "no", False),
        ("Boolean", "On", True),
        ("Boolean", "Off", False),
        ("Boolean", 1, True),
        ("Picklist", "2", 2),
        ("Picklist", "RED", 1),
        ("Picklist", "Grün", 2),
        ("Status", "1", 1),
        ("MultiSelectPicklist", "1,2", "1,2"),
        ("MultiSelectPicklist", "Red; Grün", "1,2"),
        ("MultiSelectPicklist", "[-1,1,2,-1]", "1,2"),
        ("MultiSelectPicklist", [1, "Grün"], "1,2"),
        ("MultiSelectPicklist", 2, "2"),
        ("DateTime", "2026-01-31", "2026-01-31T00:00:00Z"),
        ("DateTime", "2026-01-31 12:30", "2026-01-31T12:30:00Z"),
        ("DateTime", "2026-01-31T12:30:15.1234567+02:00", "2026-01-31T10:30:15Z"),
        ("Uniqueidentifier", "{0A000000-0000-4000-8000-000000000001}", "0a000000-0000-4000-8000-000000000001"),
        ("Lookup", None, None),
    ],
)
def test_texts_are_read_without_a_locale(kind: str, given: object, value: object):
    assert json_value(column(kind), given) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("Integer", "1.0"),
        ("Integer", "٣"),
        ("Integer", ""),
        ("Decimal", "1,5"),
        ("Money", "1.234,50"),
        ("Money", "$5"),
        ("Double", "NaN"),
        ("Boolean", "perhaps"),
        ("Picklist", "blue"),
        ("MultiSelectPicklist", "Red;blue"),
        ("DateTime", "31.01.2026"),
        ("DateTime", "2026-02-30"),
        ("DateTime", "01/02/2026"),
        ("DateTime", "0001-01-01T00:00:00+05:00"),
        ("Uniqueidentifier", "1"),
    ],
)
def test_what_is_no_value_is_refused_and_named(kind: str, given: str):
    with pytest.raises(ValueRefusedError, match="in column 'c' is no"):
        json_value(column(kind), given)


def test_a_date_has_no_time():
    dated = column("DateTime", is_date_only=True)
    assert json_value(dated, "2026-01-31") == json_value(dated, "2026-01-31T00:00:00.0000000Z") == "2026-01-31"
    with pytest.raises(ValueRefusedError):
        json_value(dated, "2026-01-31T12:00:00Z")


def test_numbers_keep_all_their_digits():
    assert to_json({"a": Decimal("922337203685477.5807")}) == b'{"a":922337203685477.5807}'
    assert from_json('{"a": 0.10}') == {"a": Decimal("0.10")}
    with pytest.raises(ValueError, match="no JSON number"):
        from_json('{"a": Infinity}')


def zipped(**members: bytes) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_only_wanted_members_are_unpacked():
    archive = unpacked(zipped(DATA=b"x", other=b"y"), ("data",))
    assert archive.members == {"data": b"x"}
    assert archive.member("Data") == b"x"
    assert archive.member("other") is None


@pytest.mark.parametrize("place", range(0, 110, 7))
def test_a_damaged_archive_is_refused_or_read_whole(place: int):
    content = bytearray(zipped(data=b"some content that is stored"))
    content[place % len(content)] ^= 0xFF
    try:
        found = unpacked(bytes(content), ("data",)).members
    except ArchiveError:
        return
    assert found in ({}, {"data": b"some content that is stored"})
