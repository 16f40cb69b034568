"""Formats of automatic numbers: what they give, and what is none."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from entities.auto_numbers import automatic_number, is_format

MOMENT = datetime(2024, 3, 5, 14, 7, 9, tzinfo=UTC)

VALUES = [
    ("{SEQNUM:4}", "1000"),
    ("{SEQNUM:6}", "001000"),
    ("{SEQNUM:2}", "1000"),
    ("CAR-{SEQNUM:5}-{RANDSTRING:3}", "CAR-01000-ZZZ"),
    ("{RANDSTRING:6}", "ZZZZZZ"),
    ("{DATETIMEUTC:yyyyMMddHHmmss}/{SEQNUM:1}", "20240305140709/1000"),
    ("{DATETIMEUTC:dd.MM.yy hh tt}", "05.03.24 02 PM"),
]


@pytest.mark.parametrize(("form", "value"), VALUES)
def test_a_format_gives_its_number(form, value):
    numbers = itertools.count(1000)
    assert is_format(form)
    assert automatic_number(form, lambda: next(numbers), MOMENT, lambda letters: letters[25]) == value
    assert next(numbers) == 1000 + ("SEQNUM" in form)


@pytest.mark.parametrize(
    "form",
    [
        "",
        "plain",
        "{SEQNUM}",
        "{SEQNUM:0}",
        "{SEQNUM:17}",
        "{SEQNUM:x}",
        "{SEQNUM:²}",
        "{RANDSTRING:7}",
        "{WHAT:1}",
        "{DATETIMEUTC:}",
        "{DATETIMEUTC:!}",
        "{SEQNUM:1}{SEQNUM:2}",
        "{{SEQNUM:1}}",
        "a{SEQNUM:1}{",
    ],
)
def test_anything_else_is_no_format(form):
    assert not is_format(form)
