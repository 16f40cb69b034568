"""Relations between records of virtual tables through `$ref`: made, followed, ended and refused."""

from __future__ import annotations

import pytest
from driving import URL, WEB_API, refusal, until

CANDIDATES = "mshr_hcmcandidatetohireentities"
POSITIONS = "mshr_hcmpositionv2entities"
EXPORTS = "mshr_hcmlinkedinexportedcandidateentities"
TO_POSITION = "mshr_FK_Position_id"
OF_POSITION = "mshr_FK_HcmCandidateToHireEntity_Position"
NOBODY = "00000d51-0000-0000-0000-0001000000ff"
GENERATED = {
    "HcmPositionV2Entity": POSITIONS,
    "HcmCandidateToHireEntity": CANDIDATES,
    "HcmLinkedInExportedCandidateEntity": EXPORTS,
}

pytestmark = pytest.mark.usefixtures("fresh")


@pytest.fixture
def ids(fresh, administrator):
    """A candidate and two positions, as virtual tables show them."""
    for name, entity_set in GENERATED.items():
        query = f"$filter=mserp_physicalname eq '{name}'"
        (row,) = administrator.rows(f"mserp_financeandoperationsentities?{query}")
        path = f"mserp_financeandoperationsentities({row['mserp_financeandoperationsentityid']})"
        administrator.patch(path, {"mserp_hasbeengenerated": True})
        until(lambda entity_set=entity_set: administrator.send("GET", entity_set).status_code == 200)
    for number in (1, 2):
        person = {
            "mshr_hiringcontext": "urn:li:contract:123",
            "mshr_hrisrequestid": f"hr-{number}",
            "mshr_firstname": "Ann",
            "mshr_lastname": "Example",
            "mshr_emailaddress": f"ann{number}@x.test",
            "mshr_startdate": "2021-07-01",
            "mshr_jobtitle": "Engineer",
            "mshr_joblocation": "Utrecht",
        }
        administrator.create(EXPORTS, person)
    first, second = administrator.rows(f"{CANDIDATES}?$select=mshr_hcmcandidatetohireentityid")
    positions = administrator.rows(f"{POSITIONS}?$select=mshr_positionid&$top=2")
    return {
        "candidate": first["mshr_hcmcandidatetohireentityid"],
        "other": second["mshr_hcmcandidatetohireentityid"],
        "position": positions[0]["mshr_hcmpositionv2entityid"],
        "vacancy": positions[1]["mshr_hcmpositionv2entityid"],
    }


def url(entity_set, identifier):
    return f"{URL}{WEB_API}{entity_set}({identifier})"


def position_of(administrator, candidate):
    return administrator.get(f"{CANDIDATES}({candidate})")["_mshr_fk_position_id_value"]


def test_a_lookup_of_a_virtual_table_is_set_and_cleared(administrator, ids):
    path = f"{CANDIDATES}({ids['candidate']})/{TO_POSITION}"
    answer = administrator.send("PUT", f"{path}/$ref", {"@odata.id": url(POSITIONS, ids["position"])})
    assert (answer.status_code, answer.data) == (204, b"")
    assert position_of(administrator, ids["candidate"]) == ids["position"]
    assert administrator.get(f"{path}/$ref")["@odata.id"] == url(POSITIONS, ids["position"])
    assert administrator.get(f"{path}/mshr_positionid")["value"]
    assert administrator.delete(f"{path}/$ref").status_code == 204
    assert position_of(administrator, ids["candidate"]) is None
    assert administrator.send("GET", f"{path}/$ref").status_code == 204


def test_a_lookup_of_a_virtual_table_is_bound_and_cleared_with_the_record(administrator, ids):
    path = f"{CANDIDATES}({ids['candidate']})"
    administrator.patch(path, {f"{TO_POSITION}@odata.bind": f"/{POSITIONS}({ids['position']})"})
    assert position_of(administrator, ids["candidate"]) == ids["position"]
    administrator.patch(path, {f"{TO_POSITION}@odata.bind": None})
    assert position_of(administrator, ids["candidate"]) is None


def test_a_record_joins_and_leaves_a_collection_of_a_virtual_table(administrator, ids):
    path = f"{POSITIONS}({ids['position']})/{OF_POSITION}"
    administrator.post(f"{path}/$ref", {"@odata.id": url(CANDIDATES, ids["candidate"])})
    found = administrator.rows(f"{path}?$select=mshr_firstname")
    assert [row["mshr_hcmcandidatetohireentityid"] for row in found] == [ids["candidate"]]
    assert administrator.get(f"{path}({ids['candidate']})/mshr_firstname")["value"] == "Ann"
    assert refusal(administrator.send("GET", f"{path}({ids['other']})"))[:2] == (404, "0x80040217")
    administrator.delete(f"{path}({ids['candidate']})/$ref")
    assert administrator.rows(path) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "refused"),
    [
        ("PUT", f"{CANDIDATES}({{candidate}})/{TO_POSITION}/$ref", f"{POSITIONS}({NOBODY})", (404, "0x80040217")),
        ("PUT", f"{CANDIDATES}({NOBODY})/{TO_POSITION}/$ref", f"{POSITIONS}({{position}})", (404, "0x80040217")),
        ("POST", f"{POSITIONS}({NOBODY})/{OF_POSITION}/$ref", f"{CANDIDATES}({{candidate}})", (404, "0x80040217")),
        ("POST", f"{POSITIONS}({{position}})/{OF_POSITION}/$ref", f"{CANDIDATES}({NOBODY})", (404, "0x80040217")),
        ("POST", f"{POSITIONS}({{position}})/{OF_POSITION}/$ref", f"{POSITIONS}({{position}})", (400, "0x80060888")),
        ("POST", f"{POSITIONS}({{position}})/mshr_nothing/$ref", f"{CANDIDATES}({{candidate}})", (404, "0x80060888")),
        ("DELETE", f"{POSITIONS}({{vacancy}})/{OF_POSITION}({{candidate}})/$ref", None, (404, "0x80040217")),
        ("DELETE", f"{POSITIONS}({{position}})/{OF_POSITION}({NOBODY})/$ref", None, (404, "0x80040217")),
        ("DELETE", f"{CANDIDATES}({NOBODY})/{TO_POSITION}/$ref", None, (404, "0x80040217")),
    ],
)
def test_an_impossible_relation_changes_nothing(administrator, ids, method, path, body, refused):
    own = f"{CANDIDATES}({ids['candidate']})/{TO_POSITION}/$ref"
    administrator.send("PUT", own, {"@odata.id": url(POSITIONS, ids["position"])})
    sent = {"@odata.id": f"{URL}{WEB_API}{body.format(**ids)}"} if body else None
    assert refusal(administrator.send(method, path.format(**ids), sent))[:2] == refused
    assert position_of(administrator, ids["candidate"]) == ids["position"]
    assert position_of(administrator, ids["other"]) is None


def test_a_virtual_table_has_no_versions_and_brings_no_other_records(administrator, ids):
    path = f"{CANDIDATES}({ids['candidate']})/{TO_POSITION}/$ref"
    for method, body in (("PUT", {"@odata.id": url(POSITIONS, ids["position"])}), ("DELETE", None)):
        answer = administrator.send(method, path, body, headers={"If-Match": 'W/"1"'})
        assert refusal(answer)[1] == "0x8006088d"
    before = administrator.rows(f"{CANDIDATES}?$select=mshr_firstname")
    new = {"mshr_firstname": "Bob", "mshr_lastname": "Example", TO_POSITION: {"mshr_positionid": "9"}}
    assert refusal(administrator.send("POST", CANDIDATES, new))[0] == 501
    assert administrator.rows(f"{CANDIDATES}?$select=mshr_firstname") == before
    assert position_of(administrator, ids["candidate"]) is None
