"""The number of records below a row, as its caller sees it."""

from __future__ import annotations

from dataclasses import replace

from worlds import CATALOG, FIRM

from entities.display import Display, NumberFormat
from odata_server.bind.dialect import WEB_API
from odata_server.bind.fetchxml import bind_fetch
from odata_server.bind.selection import Reading
from odata_server.edm.formats import MINIMAL
from odata_server.edm.preferences import parse_preferences

COUNTED = "<attribute name='firmid' rowaggregate='CountChildren' alias='n'/>"


def test_the_number_below_a_row_is_written_as_the_caller_writes_numbers():
    dutch = Display(numbers=NumberFormat(decimal=",", separator="."))
    preferences = parse_preferences('odata.include-annotations="*"')
    asked = Reading(CATALOG, WEB_API, preferences, replace(MINIMAL, display=dutch))
    bound = bind_fetch(f"<fetch><entity name='firm'>{COUNTED}</entity></fetch>", FIRM, asked)
    members = {member.name: member for member in bound.shape.members}
    assert members["n@OData.Community.Display.V1.FormattedValue"].display == dutch
    assert bound.query.counts_children


def test_without_display_texts_the_number_stands_alone():
    asked = Reading(CATALOG, WEB_API, parse_preferences(""))
    bound = bind_fetch(f"<fetch><entity name='firm'>{COUNTED}</entity></fetch>", FIRM, asked)
    assert [member.name for member in bound.shape.members if member.name.startswith("n")] == ["n"]
