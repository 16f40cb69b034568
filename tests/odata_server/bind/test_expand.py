"""`$expand` where the related rows lie in another source, and what a bound request holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from entities.errors import InvalidOperation
from entities.generation import virtual_table
from entities.human_resources.model import PUBLIC_TABLES
from entities.metadata.catalog import CatalogChange, changed
from entities.metadata.relationships import OneToMany
from entities.standard.environment import standard_catalog
from odata_server.bind.dialect import WEB_API
from odata_server.bind.query import bind_row, bind_rows
from odata_server.bind.selection import Reading
from odata_server.edm.preferences import parse_preferences
from odata_server.syntax.options import parse_query

STANDARD = standard_catalog(1)
CONTACT = STANDARD.tables["contact"]
VIRTUAL = replace(virtual_table(PUBLIC_TABLES[0]), logical_name="new_far", entity_set_name="new_fars")
LINKS = (
    OneToMany("new_far_contact", "new_far", VIRTUAL.primary_id, "contact", "parentcustomerid", "new_far", "new_near"),
)
CATALOG = changed(STANDARD, CatalogChange(put=(VIRTUAL,), relate=LINKS), version=2)


def reading(prefer=""):
    return Reading(CATALOG, WEB_API, parse_preferences(prefer), root="https://x/api/data/v9.2")


@pytest.mark.parametrize(("table", "navigation"), [(CONTACT, "new_far"), (VIRTUAL, "new_near")])
@pytest.mark.parametrize("bind", [bind_rows, bind_row])
def test_rows_of_a_virtual_table_and_other_rows_are_not_joined(table, navigation, bind):
    with pytest.raises(InvalidOperation, match="not supported for virtual entity") as refused:
        bind(table, parse_query(f"$expand={navigation}"), reading())
    assert refused.value.code == "0x80044822"


@pytest.mark.parametrize(
    ("query", "prefer", "tops", "sizes"),
    [
        ("$expand=Contact_Tasks", "", [5000], [None]),
        ("$expand=Contact_Tasks", "odata.maxpagesize=3", [5000], [None]),
        ("$expand=Contact_Tasks($top=7)", "", [7], [None]),
        ("$expand=Contact_Tasks($top=7000)", "", [5000], [None]),
        ("$expand=Contact_Tasks,createdby($expand=businessunitid)", "", [None, None], [5000, None]),
        ("$expand=Contact_Tasks,createdby($expand=businessunitid)", "odata.maxpagesize=3", [None, None], [3, None]),
    ],
)
def test_a_collection_holds_five_thousand_rows_or_a_page_of_them(query, prefer, tops, sizes):
    bound = bind_rows(CONTACT, parse_query(query), reading(prefer)).query.expansions
    assert [expansion.query.top for expansion in bound] == tops
    assert [expansion.query.page and expansion.query.page.size for expansion in bound] == sizes


def test_equal_requests_have_equal_shapes_and_so_one_plan():
    options = parse_query("$select=fullname&$expand=createdby($select=fullname),Contact_Tasks($select=subject)")
    one, other = (bind_rows(CONTACT, options, reading()) for _ in range(2))
    assert (one.shape, hash(one.shape)) == (other.shape, hash(other.shape))
    assert one.shape != bind_rows(CONTACT, options, replace(reading(), root="https://y")).shape
