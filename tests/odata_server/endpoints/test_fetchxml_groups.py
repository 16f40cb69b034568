"""Groups and aggregates of FetchXML over the Web API."""

from __future__ import annotations

import pytest
from fetching import (
    COOKIE,
    EMPLOYER,
    MORE,
    PAGING,
    contacts,
    fetched,
    path,
)


def grouped(inside, **attributes):
    return contacts(inside, aggregate="true", **attributes).replace("<attribute name='firstname'/>", "", 1)


BY_CHILDREN = "<attribute name='numberofchildren' groupby='true' alias='n'/>"
COUNTED = "<attribute name='contactid' aggregate='count' alias='c'/>"


@pytest.mark.parametrize(
    ("inside", "rows"),
    [
        (COUNTED, [{"c": 5}]),
        ("<attribute name='lastname' aggregate='countcolumn' alias='c'/>", [{"c": 4}]),
        ("<attribute name='numberofchildren' aggregate='countcolumn' distinct='true' alias='c'/>", [{"c": 3}]),
        ("<attribute name='numberofchildren' aggregate='sum' alias='s'/>", [{"s": 5}]),
        (BY_CHILDREN + COUNTED, [{"c": 1}, {"n": 0, "c": 1}, {"n": 1, "c": 1}, {"n": 2, "c": 2}]),
        (
            f"{COUNTED}{EMPLOYER}><attribute name='name' groupby='1' alias='a.name'/><order alias='c'/></link-entity>",
            [{"c": 2, "a_x002e_name": "Fabrikam"}, {"c": 3, "a_x002e_name": "Contoso"}],
        ),
        (
            "<attribute name='createdon' groupby='true' dategrouping='year' usertimezone='0' alias='y'/>"
            + COUNTED
            + "<filter><condition attribute='createdon' operator='last-x-years' value='1'/></filter>",
            None,
        ),
    ],
)
def test_rows_are_grouped_and_aggregated(api, people, inside, rows):
    found = fetched(api, grouped(inside))["value"]
    if rows is None:
        assert sum(row["c"] for row in found) == 5
        assert all(row["y"] >= 2026 for row in found)
    else:
        assert found == rows


def test_groups_are_paged_by_number(api, people):
    text = BY_CHILDREN + COUNTED + "<order alias='n' descending='true'/>"
    pages = [fetched(api, grouped(text, count=3, page=page), **PAGING) for page in (1, 2)]
    assert [[row.get("n") for row in page["value"]] for page in pages] == [[2, 1, 0], [None]]
    assert [page[MORE] for page in pages] == [True, False]
    assert COOKIE not in pages[0]


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<attribute name='firstname'/>", "0x80041107"),
        ("<all-attributes/>", "0x80041107"),
        ("<attribute name='firstname' groupby='true'/>", "0x80041109"),
        ("<attribute name='firstname' groupby='true' aggregate='count' alias='x'/>", "0x80041137"),
        ("<attribute name='firstname' groupby='perhaps' alias='x'/>", "0x8004112e"),
        ("<attribute name='firstname' aggregate='median' alias='x'/>", "0x8004111a"),
        ("<attribute name='firstname' aggregate='sum' alias='x'/>", "0x8004112f"),
        ("<attribute name='createdon' groupby='true' dategrouping='decade' alias='x'/>", "0x80041135"),
        (COUNTED + "<order attribute='firstname'/>", "0x80041131"),
        (COUNTED + "<order/>", "0x80041134"),
        (COUNTED + COUNTED, "0x80041130"),
        ("", "0x80040303"),
    ],
)
def test_a_faulty_grouping_is_refused(api, people, inside, code):
    assert api.error("GET", path(grouped(inside)))[:2] == (400, code)
