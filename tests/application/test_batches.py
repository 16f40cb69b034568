"""Batches through the whole application: over WSGI, to virtual tables, and as a client library knows them."""

from __future__ import annotations

import pytest
from batches import BATCH_TYPE, Asked, answers, batch
from driving import URL, WEB_API, refusal, until
from pyodata.v2 import service as pyodata

EXPORTS = "mshr_hcmlinkedinexportedcandidateentities"
PERSON = {
    "mshr_hiringcontext": "urn:li:contract:123",
    "mshr_hrisrequestid": "hr-1",
    "mshr_firstname": "Ann",
    "mshr_lastname": "Example",
    "mshr_emailaddress": "ann@x.test",
    "mshr_startdate": "2021-07-01",
    "mshr_jobtitle": "Engineer",
    "mshr_joblocation": "Utrecht",
}

pytestmark = pytest.mark.usefixtures("fresh")


@pytest.fixture
def send(administrator):
    def answered(*items, path="$batch", status=200, **headers):
        sent = {"Content-Type": BATCH_TYPE, **headers}
        answer = administrator.send("POST", path, batch(*items), headers=sent)
        assert answer.status_code == status, answer.text
        return answers(answer.headers["Content-Type"], answer.data)

    return answered


@pytest.fixture
def exports(administrator):
    """The virtual table of exported candidates, generated."""
    query = "$filter=mserp_physicalname eq 'HcmLinkedInExportedCandidateEntity'"
    (row,) = administrator.rows(f"mserp_financeandoperationsentities?{query}")
    path = f"mserp_financeandoperationsentities({row['mserp_financeandoperationsentityid']})"
    administrator.patch(path, {"mserp_hasbeengenerated": True})
    until(lambda: administrator.send("GET", EXPORTS).status_code == 200)
    return EXPORTS


def test_a_batch_arrives_and_its_answer_leaves(send, administrator):
    made, changed, read = send(
        [Asked("POST", "accounts", {"name": "Over WSGI"}, "1"), Asked("PATCH", "$1", {"fax": "1"}, "2")],
        Asked("GET", f"{URL}{WEB_API}accounts?$select=fax&$filter=name eq 'Over WSGI'"),
        **{"Accept": "application/json", "If-None-Match": "null", "OData-MaxVersion": "4.0", "OData-Version": "4.0"},
    )
    assert (made.status, changed.status) == (204, 204)
    assert [row["fax"] for row in read.json["value"]] == ["1"]
    assert administrator.get(f"accounts({made.id})?$select=name")["name"] == "Over WSGI"


def test_a_json_batch_is_refused(administrator):
    body = {"requests": [{"id": "1", "method": "GET", "url": "WhoAmI"}]}
    status, _, text = refusal(administrator.send("POST", "$batch", body))
    assert (status, "'multipart/mixed'" in text) == (400, True)


def test_without_a_token_no_batch_is_read(anybody):
    for path in ("$batch", "/data/$batch"):
        answer = anybody.send("POST", path, batch(Asked("GET", "x")), headers={"Content-Type": BATCH_TYPE})
        assert answer.status_code == 401


def test_a_record_of_a_virtual_table_is_made_by_a_request_of_its_own(send, administrator, exports):
    made, read = send(Asked("POST", exports, PERSON), Asked("GET", f"{exports}?$select=mshr_firstname"))
    assert (made.status, [row["mshr_firstname"] for row in read.json["value"]]) == (204, ["Ann"])
    assert administrator.get(f"{exports}({made.id})?$select=mshr_lastname")["mshr_lastname"] == "Example"


@pytest.mark.parametrize("failing", [0, 1])
def test_a_change_set_cannot_span_a_virtual_table(send, administrator, exports, failing):
    requests = [Asked("POST", "accounts", {"name": "Native"}, "1")]
    requests.insert(failing, Asked("POST", exports, PERSON, "2"))
    (told,) = send(requests, status=501)
    assert (told.content_id, "A transaction cannot span the virtual table" in told.error[2]) == ("2", True)
    assert administrator.rows("accounts?$filter=name eq 'Native'") == []
    assert administrator.rows(exports) == []


def test_a_batch_of_human_resources_is_its_own(send):
    made, read = send(
        [Asked("POST", "LegalEntities", {"LegalEntityId": "XBAT", "Name": "Batch"}, "1")],
        Asked("GET", "LegalEntities?$select=Name&$filter=LegalEntityId eq 'XBAT'"),
        path="/data/$batch",
    )
    assert (made.status, made.content_id) == (201, "1")
    assert [row["Name"] for row in read.json["value"]] == ["Batch"]


class Written(pyodata.ODataHttpRequest):
    """A request in the form in which pyodata's writer of batches takes it."""

    def __init__(self, method, path, body=None, query=None):
        super().__init__("", None, None)
        self._asked = method, path, body, query or {}

    def get_method(self):
        return self._asked[0]

    def get_path(self):
        return self._asked[1]

    def get_body(self):
        return self._asked[2]

    def get_query_params(self):
        return self._asked[3]

    def get_headers(self):
        return {"Accept": "application/json", "Content-Type": "application/json"}


def test_pyodata_writes_batches_that_are_read_and_reads_their_answers(administrator):
    changes = pyodata.Changeset("", None, lambda response: response)
    for name in ("Pyodata 1", "Pyodata 2"):
        changes.add_request(Written("POST", "accounts", f'{{"name":"{name}"}}'))
    asked = Written("GET", "accounts", query={"$select": "name", "$filter": "startswith(name,'Pyodata')"})
    whole = pyodata.BatchRequest("", None, lambda response: response)
    for request in (changes, asked):
        whole.add_request(request)
    answer = administrator.send("POST", "$batch", whole.get_body(), headers=whole.get_headers())
    assert answer.status_code == 200
    written, read = pyodata.decode_multipart(answer.text, answer.content_type)
    statuses = [pyodata.ODataHttpResponse.from_string(part[0]).status_code for part in written]
    assert statuses == [204, 204]
    found = pyodata.ODataHttpResponse.from_string(read[0])
    assert (found.status_code, [row["name"] for row in found.json()["value"]]) == (200, ["Pyodata 1", "Pyodata 2"])
