"""`$expand` on Human Resources' /data: one level, lookups and collections, of the companies a request is about."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from databases import on_sqlite_only

from entities.messages import RetrieveMultiple
from entities.query import equals
from odata_server.bind.dialect import FINANCE
from odata_server.bind.query import bind_rows
from odata_server.bind.selection import Reading
from odata_server.edm.preferences import NO_PREFERENCES
from odata_server.render.rows import rows as render_rows
from odata_server.syntax.options import parse_query

ROOT = "https://org.test:8443/data"


@pytest.fixture(scope="module")
def position(data):
    """A position with candidates of two companies and a candidate without a position."""
    for company in ("USMF", "DEMF"):
        assert data("POST", "/LegalEntities", {"LegalEntityId": company, "Name": company}).status == 201
    assert data("POST", "/PositionsV2", {"PositionId": "P1", "Description": "Engineer"}).status == 201
    assert data("POST", "/PositionsV2", {"PositionId": "P2", "Description": "Vacant"}).status == 201
    for first, company, place in (
        ("Ann", "USMF", "P1"),
        ("Bob", "USMF", "P1"),
        ("Cid", "DEMF", "P1"),
        ("Dan", "USMF", ""),
    ):
        body = {"FirstName": first, "LastName": "Example", "dataAreaId": company, "PositionId": place}
        assert data("POST", "/CandidatesToHire", body).status == 201
    return "/PositionsV2('P1')"


def names(candidates):
    return [candidate["FirstName"] for candidate in candidates]


def test_the_record_behind_a_lookup_comes_along(data, position):
    path = "/CandidatesToHire?$select=FirstName&$orderby=FirstName&$expand=Position($select=Description)"
    answer = data.json(path)
    assert answer["@odata.context"] == f"{ROOT}/$metadata#CandidatesToHire(FirstName,Position(Description))"
    assert [(row["FirstName"], (row["Position"] or {}).get("Description")) for row in answer["value"]] == [
        ("Ann", "Engineer"),
        ("Bob", "Engineer"),
        ("Dan", None),
    ]
    row = answer["value"][0]
    assert list(row) == ["@odata.etag", "FirstName", "Position"]
    assert list(row["Position"]) == ["@odata.etag", "Description"]
    assert row["Position"]["@odata.etag"] == data.json(position)["@odata.etag"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", ["Ann", "Bob"]),
        ("&cross-company=true", ["Ann", "Bob", "Cid"]),
    ],
)
def test_a_collection_has_the_records_of_the_requests_companies(data, position, options, found):
    many = data.json(f"/PositionsV2?$expand=CandidatesToHire&$filter=PositionId eq 'P1'{options}")["value"]
    assert sorted(names(many[0]["CandidatesToHire"])) == found
    one = data.json(f"{position}?$expand=CandidatesToHire{options}")
    assert one["@odata.context"] == f"{ROOT}/$metadata#PositionsV2(CandidatesToHire())/$entity"
    assert sorted(names(one["CandidatesToHire"])) == found
    assert one["CandidatesToHire"][0]["BirthDate"] == "1900-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        ("$select=FirstName;$orderby=FirstName desc", ["Bob", "Ann"]),
        ("$filter=FirstName eq 'B*'", ["Bob"]),
        ("$orderby=FirstName;$top=1", ["Ann"]),
        ("$top=0", []),
    ],
)
def test_an_expanded_collection_takes_options(data, position, inner, found):
    assert names(data.json(f"{position}?$expand=CandidatesToHire({inner})")["CandidatesToHire"]) == found


def test_a_created_row_comes_back_with_what_is_expanded(data, position):
    body = {"FirstName": "Eve", "LastName": "Example", "dataAreaId": "DEMF", "PositionId": "P2"}
    answer = data("POST", "/CandidatesToHire?$select=FirstName&$expand=Position($select=Description)", body)
    assert answer.status == 201
    assert json.loads(answer.body)["Position"]["Description"] == "Vacant"


@pytest.mark.parametrize(("skip", "found"), [(0, ["Ann", "Bob", "Dan"]), (1, ["Bob", "Dan"]), (3, []), (9, [])])
@pytest.mark.parametrize("top", ["", "&$top=1"])
def test_skipping_and_expanding_go_together(data, position, skip, found, top):
    path = f"/CandidatesToHire?$select=FirstName&$orderby=FirstName&$expand=Position&$count=true&$skip={skip}{top}"
    answer = data.json(path)
    assert names(answer["value"]) == (found[:1] if top else found)
    assert answer["@odata.count"] == 3
    assert all("Position" in row for row in answer["value"])
    assert "@odata.nextLink" not in answer


@on_sqlite_only
def test_records_are_rendered_as_the_database_writes_them(data, position):
    service = data.services.human_resources
    table = service.catalog.by_entity_set["CandidatesToHire"]
    options = parse_query("$orderby=CandidateId&$filter=FirstName eq 'Ann'&$expand=Position")
    bound = bind_rows(table, options, Reading(service.catalog, FINANCE, NO_PREFERENCES))
    principal = service.directory.system()
    written = service.execute(RetrieveMultiple(bound.query), principal, shape=bound.shape).body
    (expansion,) = bound.query.expansions
    own, other = (
        service.execute(RetrieveMultiple(replace(query, filter=equals(column, value), expansions=())), principal)
        for query, column, value in ((bound.query, "firstname", "Ann"), (expansion.query, "positionid", "P1"))
    )
    assert written
    assert render_rows(own.records, bound.shape, id_column=table.primary_id, expanded=[(other,)]) == written


def test_navigation_properties_lead_to_records(data, position):
    many = data.json(f"{position}/CandidatesToHire?$select=FirstName&$orderby=FirstName")
    assert many["@odata.context"] == f"{ROOT}/$metadata#CandidatesToHire(FirstName)"
    assert names(many["value"]) == ["Ann", "Bob"]
    everywhere = data.json(f"{position}/CandidatesToHire?$select=FirstName&$orderby=FirstName&cross-company=true")
    assert names(everywhere["value"]) == ["Ann", "Bob", "Cid"]
    skipped = data.json(f"{position}/CandidatesToHire?$select=FirstName&$orderby=FirstName&$skip=1")
    assert names(skipped["value"]) == ["Bob"]
    assert data("GET", f"{position}/CandidatesToHire/$count").body == b"2"
    assert data("GET", f"{position}/CandidatesToHire/$count?cross-company=true").body == b"3"


def test_a_lookup_and_a_key_behind_a_collection_lead_to_one_record(data, position):
    found = data.json(f"{position}/CandidatesToHire?$filter=FirstName eq 'Ann'")["value"][0]
    key = f"(dataAreaId='{found['dataAreaId']}',CandidateId='{found['CandidateId']}')"
    assert data.json(f"{position}/CandidatesToHire{key}")["FirstName"] == "Ann"
    assert data.json(f"/CandidatesToHire{key}/Position")["Description"] == "Engineer"
    assert data.json(f"{position}/CandidatesToHire{key}/Position?$select=PositionId")["PositionId"] == "P1"
    assert data("GET", f"/PositionsV2('P2')/CandidatesToHire{key}").status == 404
    dan = data.json("/CandidatesToHire?$filter=FirstName eq 'Dan'")["value"][0]
    path = f"/CandidatesToHire(dataAreaId='{dan['dataAreaId']}',CandidateId='{dan['CandidateId']}')/Position"
    assert data("GET", path).status == 204
    assert data("GET", f"{path}/CandidatesToHire").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/PositionsV2('P9')/CandidatesToHire", 404),
        ("GET", "/PositionsV2('P1')/Nope", 404),
        ("GET", "/PositionsV2('P1')/Description", 501),
        ("GET", "/PositionsV2('P1')/CandidatesToHire/$ref", 501),
        ("POST", "/PositionsV2('P1')/CandidatesToHire", 405),
        ("PATCH", "/PositionsV2('P1')/CandidatesToHire", 405),
        ("GET", "/PositionsV2/CandidatesToHire", 400),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(data, position, method, path, status):
    assert data(method, path, {}).status == status


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/CandidatesToHire?$expand=Nope", "Could not find a property named 'Nope' on type"),
        ("/CandidatesToHire?$expand=position", "Could not find a property named 'position' on type"),
        ("/CandidatesToHire?$expand=FirstName", "is not a navigation property"),
        ("/CandidatesToHire?$expand=*", "named '*'"),
        ("/CandidatesToHire?$expand=Position,Position", "only once"),
        ("/CandidatesToHire?$expand=Position($expand=CandidatesToHire)", "The maximum depth allowed is 1."),
        ("/CandidatesToHire?$expand=Position/CandidatesToHire", "multiple navigation properties"),
        ("/CandidatesToHire?$expand=Position/$ref", "'Position/$ref' is not supported in $expand"),
        ("/CandidatesToHire?$expand=Position($filter=PositionId eq 'x')", "'$filter' cannot be applied"),
        ("/CandidatesToHire?$expand=Position($select=Nope)", "Could not find a property named 'Nope'"),
        ("/PositionsV2?$expand=CandidatesToHire/$count", "'CandidatesToHire/$count' is not supported in $expand"),
        ("/PositionsV2?$expand=CandidatesToHire($skip=1)", "'$skip' cannot be applied"),
        ("/PositionsV2?$expand=CandidatesToHire($filter=Nope eq 1)", "Could not find a property named 'Nope'"),
    ],
)
def test_what_cannot_be_expanded_is_refused(data, position, path, text):
    answer = data("GET", path)
    assert answer.status == 400, answer.body
    assert text in json.loads(answer.body)["error"]["innererror"]["message"]
