"""The file of hired candidates as text: arrays, JSON Lines, and every way to be unreadable."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talent_hub_adapter.hired_file import RawRecord, UnreadableFileError, read_records


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"[]", ()),
        (b" [ {}, 1 ]\n", (RawRecord(1, None, {}), RawRecord(2, None, 1))),
        (b'{"a": 1}', (RawRecord(1, 1, {"a": 1}),)),
        (b'{"a": 1}\r\n\r\n{"a": 2}\r\n', (RawRecord(1, 1, {"a": 1}), RawRecord(2, 3, {"a": 2}))),
        (b'\n{\n  "a": 1\n}\n{"a": 2}', (RawRecord(1, 2, {"a": 1}), RawRecord(2, 5, {"a": 2}))),
        (b'\xef\xbb\xbf{"a": "\xc3\xa9"}', (RawRecord(1, 1, {"a": "é"}),)),
        (b'\xef\xbb\xbf["\xf0\x9f\x94\xac"]', (RawRecord(1, None, "🔬"),)),
    ],
)
def test_arrays_and_json_lines_are_read_with_and_without_byte_order_mark(content, records):
    assert read_records(content) == records


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \r\n\t", "the file is empty"),
        (b"3", "line 1, column 1: a JSON array or JSON Lines"),
        (b'\n  "Ann"', "line 2, column 3: a JSON array or JSON Lines"),
        (b"[1, 2", "line 1, column 6: invalid JSON"),
        (b'{"a": 1}\n{"a": }', "line 2, column 7: invalid JSON"),
        (b"[1]\n x", "line 2, column 2: something follows the end of the array"),
        (b'{"a": 1} {"a": 2}', "line 1, column 10: a record of JSON Lines ends with its line"),
        (b'{"a": 1},\n{"a": 2}', "line 1, column 9: a record of JSON Lines ends with its line"),
        (b"[NaN]", "NaN in this value is not JSON"),
        (b'{"a": -Infinity}', "-Infinity in this value is not JSON"),
        (b'{}\n{"a": 1, "a": 1}', "line 2, column 1: an object in this value has two members named 'a'"),
        (b'["' + "é".encode() * 3 + b'",\n"\xe9"]', "line 2, column 2: byte 0xe9 is not UTF-8"),
        ('["é"]'.encode("utf-16"), "line 1, column 1: byte 0xff is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"1" * 5_000 + b"]", "a number in this value is too long"),
    ],
)
def test_an_unreadable_file_is_refused_naming_the_place(content, complaint):
    with pytest.raises(UnreadableFileError) as refused:
        read_records(content)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_json_lines_and_an_array_of_the_same_records_hold_the_same_values():
    values = [{"n": n, "text": "zeile\nzwei"} for n in range(50)]
    array = read_records(json.dumps(values, indent=2).encode())
    lines = read_records("\n".join(map(json.dumps, values)).encode())
    assert [record.value for record in array] == [record.value for record in lines] == values
    assert [record.line for record in lines] == list(range(1, 51))


def read_or_complain(content):
    try:
        return read_records(content), ""
    except UnreadableFileError as error:
        return None, str(error)


@settings(deadline=None)
@given(st.binary(max_size=30) | st.text('[]{},:"\\\n\ufeff 1eN', max_size=20).map(str.encode))
def test_any_bytes_are_read_or_refused_in_one_line(content):
    records, complaint = read_or_complain(content)
    assert len(complaint.splitlines()) == (records is None)
    assert [record.number for record in records or ()] == list(range(1, len(records or ()) + 1))
