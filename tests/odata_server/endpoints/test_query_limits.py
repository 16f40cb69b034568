"""How many rows are counted and shown at most (Learn: "Count rows", "Page results"), with more rows than that."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

ROWS = 5_003
ALL = {"prefer": 'odata.include-annotations="*"'}
TOTAL = "@Microsoft.Dynamics.CRM.totalrecordcount"
EXCEEDED = "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"
JOBS = "/asyncoperations?$select=name"


@pytest.fixture(scope="module")
def jobs(services):
    """More jobs than are ever counted or shown on a page."""
    columns = '"asyncoperationid", "name", "name$fold"'
    rows = ",".join(f"('{i:08x}-0000-4000-8000-000000000000', 'job{i % 2}', 'job{i % 2}')" for i in range(1, ROWS + 1))
    with services.dataverse.database.writing() as connection:
        connection.execute(f'INSERT INTO "asyncoperation" ({columns}) VALUES {rows}')


def fetch(**attributes):
    given = "".join(f" {name}='{value}'" for name, value in attributes.items())
    inside = "<entity name='asyncoperation'><attribute name='name'/></entity>"
    return f"/asyncoperations?fetchXml={quote(f'<fetch{given}>{inside}</fetch>')}"


def skeleton(answer):
    """Return an answer with the number of its rows in place of them."""
    return {**answer, "value": len(answer["value"])}


@pytest.mark.parametrize(
    ("path", "headers", "shown"),
    [
        (JOBS, {}, 5_000),
        (JOBS, {"prefer": "odata.maxpagesize=5000"}, 5_000),
        (JOBS, {"prefer": "odata.maxpagesize=5001"}, 5_000),
        (JOBS, {"prefer": "odata.maxpagesize=100000"}, 5_000),
        (JOBS, {"prefer": "odata.maxpagesize=7"}, 7),
        (f"{JOBS}&$top=5001", {}, 5_000),
        (f"{JOBS}&$top=7", {}, 7),
        (fetch(), {}, 5_000),
        (fetch(count="6000"), {}, 5_000),
        (fetch(count="5000", page="2"), {}, ROWS - 5_000),
        (fetch(top="5000"), {}, 5_000),
    ],
)
def test_a_page_has_five_thousand_rows_at_most(api, jobs, path, headers, shown):
    assert len(api.json(path, **headers)["value"]) == shown


@pytest.mark.parametrize(
    ("path", "count", "exceeded"),
    [
        (f"{JOBS}&$count=true", 5_000, True),
        (f"{JOBS}&$count=true&$top=1", 5_000, True),
        (f"{JOBS}&$count=true&$filter=name eq 'job1'", 2_502, False),
        (fetch(returntotalrecordcount="true", count="3"), 5_000, True),
        (f"{fetch(count='3')}&$count=true", 5_000, True),
    ],
)
def test_no_more_than_five_thousand_rows_are_counted(api, jobs, path, count, exceeded):
    answer = api.json(path, **ALL)
    assert (answer["@odata.count"], answer[TOTAL], answer[EXCEEDED]) == (count, count, exceeded)


@pytest.mark.parametrize(
    ("path", "counted"),
    [
        ("/asyncoperations/$count", b"5000"),
        ("/asyncoperations/$count?$filter=name eq 'job1'", b"2502"),
        ("/asyncoperations/$count?$filter=name eq 'nothing'", b"0"),
    ],
)
def test_the_count_segment_counts_no_further_either(api, jobs, path, counted):
    assert api("GET", path).body == b"\xef\xbb\xbf" + counted


@pytest.mark.parametrize("query", ["$select=name", "$select=name&$count=true&$orderby=name desc"])
def test_the_next_link_leads_to_the_rest(api, jobs, query):
    first = api.json(f"/asyncoperations?{query}")
    following = api.json(first["@odata.nextLink"].partition("/api/data/v9.2")[2])
    assert len(first["value"]) + len(following["value"]) == ROWS
    assert "@odata.nextLink" not in following
    assert len({row["asyncoperationid"] for row in (*first["value"], *following["value"])}) == ROWS


def test_preferences_in_one_header_or_several_are_each_echoed(api, jobs):
    preferred = 'odata.maxpagesize=2,odata.include-annotations="Microsoft.Dynamics.CRM.*"'
    answer = api("GET", JOBS, Prefer=preferred)
    echoed = [value for name, value in answer.headers if name == "Preference-Applied"]
    assert echoed == ["odata.maxpagesize=2", 'odata.include-annotations="Microsoft.Dynamics.CRM.*"']
    assert len(json.loads(answer.body)["value"]) == 2
