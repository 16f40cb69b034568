"""How many statements a request costs: one look at the stamp of metadata and rights, and one at the data."""

from __future__ import annotations

import pytest

from odata_server.engine.catalog_store import bump_stamp

STAMP = 'SELECT stamp FROM "$state"'


@pytest.fixture
def statements(services):
    """Return what tells the statements of a request, which is sent three times before: plans are compiled then."""

    def told(door, path, environment):
        for _ in range(3):
            assert door("GET", path).status == 200
        seen = []
        with environment.database.tracing(lambda sql, _: seen.append(sql)):
            assert door("GET", path).status == 200
        return seen

    return told


@pytest.mark.parametrize(
    "path",
    [
        "/accounts?$select=name&$top=5",
        "/accounts?$filter=startswith(name,'A')&$orderby=createdon desc&$top=5",
        "/contacts?$select=fullname&$expand=parentcustomerid_account($select=name)&$top=5",
    ],
)
def test_a_collection_is_read_with_two_statements(api, services, statements, path):
    seen = statements(api, path, services.dataverse)
    assert seen[0] == STAMP
    assert len(seen) == 2, seen


def test_a_row_is_read_with_two_statements(api, services, statements):
    account = api.created("accounts", name="Contoso")
    seen = statements(api, f"/accounts({account})?$select=name", services.dataverse)
    assert seen.count(STAMP) == 1
    assert len(seen) == 2, seen


def test_rows_of_human_resources_are_read_with_one_look_at_the_stamp(data, services, statements):
    seen = statements(data, "/CandidatesToHire?$select=FirstName", services.human_resources)
    assert seen.count(STAMP) == 1


def test_definitions_are_read_anew_once_when_the_stamp_has_grown(api, services, statements):
    path = "/accounts?$top=1"
    statements(api, path, services.dataverse)
    with services.dataverse.database.writing() as connection:
        bump_stamp(connection)
    seen = []
    with services.dataverse.database.tracing(lambda sql, _: seen.append(sql)):
        assert api("GET", path).status == 200
    # Only what has changed: nothing but rights.
    assert any('"$changed"' in sql for sql in seen)
    assert not any("definition" in sql for sql in seen)
    assert len(statements(api, path, services.dataverse)) == 2
