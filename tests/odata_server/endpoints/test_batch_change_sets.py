"""Change sets: all of their requests succeed or none, and `$n` stands for what was made before."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace

import pytest
from batches import BATCH_TYPE, Asked, answers, batch
from things import dump

from entities.errors import TemporarilyUnavailable

LONG = "x" * 200
MISSING = "00000000-0000-4000-8000-0000000000ff"


@pytest.fixture
def send(api):
    def answered(*items, line_end="\r\n", status=200, **headers):
        headers.setdefault("content_type", BATCH_TYPE)
        answer = api("POST", "/$batch", batch(*items, line_end=line_end), **headers)
        assert answer.status == status, answer.body
        return answers(dict(answer.headers)["Content-Type"], answer.body)

    return answered


def account(name, content_id=None, **more):
    return Asked("POST", "accounts", {"name": name, **more}, content_id)


def contact(first, content_id=None, **more):
    return Asked("POST", "contacts", {"firstname": first, **more}, content_id)


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_a_change_set_is_answered_by_a_multipart_of_its_own(send, line_end):
    told = send(
        [account("One", "1"), contact("Two", "2")], Asked("GET", "WhoAmI"), [account("Three")], line_end=line_end
    )
    assert [part.status for part in told] == [204, 204, 200, 204]
    assert [part.content_id for part in told] == ["1", "2", None, None]
    first, second, alone, third = (part.group for part in told)
    assert (first == second, alone, third not in {first, None}) == (True, None, True)
    for part, entity_set in zip(told[:2], ("accounts", "contacts"), strict=True):
        assert part.headers["Location"] == part.headers["OData-EntityId"]
        assert part.headers["Location"] == f"https://org.test:8443/api/data/v9.2/{entity_set}({part.id})"


def test_a_reference_stands_in_urls_and_bodies(send, api):
    told = send(
        [
            account("Parent", "1"),
            contact("First", "2", **{"parentcustomerid_account@odata.bind": "$1"}),
            Asked("PUT", "$2/lastname", {"value": "Last"}, "3"),
            Asked("PUT", "$1/primarycontactid/$ref", {"@odata.id": "$2"}, "4"),
            account("Child", "5", **{"parentaccountid@odata.bind": "$1"}),
            Asked("PATCH", "$5", {"description": "changed"}, "6"),
            Asked("PATCH", "/api/data/v9.2/$6", {"telephone1": "5"}, "7"),
            Asked("PATCH", "https://org.test:8443/api/data/v9.2/$5", {"fax": "5"}, "8"),
            Asked("PATCH", "%245", {"telephone2": "5"}, "9"),
            Asked("POST", "/$1/contact_customer_accounts", {"firstname": "Third"}, "10"),
            Asked("DELETE", "$5/description", None, "11"),
        ]
    )
    assert [part.status for part in told] == [204] * 11
    parent, first, child, third = told[0].id, told[1].id, told[4].id, told[9].id
    found = api.json(f"/accounts({parent})?$select=name&$expand=primarycontactid($select=fullname)")
    assert (found["primarycontactid"]["contactid"], found["primarycontactid"]["fullname"]) == (first, "First Last")
    columns = ("description", "telephone1", "telephone2", "fax", "_parentaccountid_value")
    found = api.json(f"/accounts({child})?$select={','.join(columns)}")
    assert tuple(found[name] for name in columns) == (None, "5", "5", "5", parent)
    people = api.json(f"/accounts({parent})/contact_customer_accounts?$select=contactid")["value"]
    assert {row["contactid"] for row in people} == {first, third}
    assert told[5].headers["OData-EntityId"] == told[4].headers["OData-EntityId"]


def test_a_name_of_a_request_may_be_any_word(send, api):
    told = send([account("Named", "new-account"), Asked("PATCH", "$new-account", {"fax": "1"}, "x")])
    assert api.json(f"/accounts({told[0].id})?$select=fax")["fax"] == "1"


def test_text_that_looks_like_a_reference_is_text(send, api):
    told = send([account("A", "1"), account("$1", "2"), Asked("PUT", "$2/description", {"value": "$1"}, "3")])
    found = api.json(f"/accounts({told[1].id})?$select=name,description")
    assert (found["name"], found["description"]) == ("$1", "$1")


@pytest.mark.parametrize(
    ("requests", "content_id"),
    [
        ([contact("A", "2", **{"parentcustomerid_account@odata.bind": "$1"}), account("B", "1")], "2"),
        ([account("A", "1"), account("B", "2", **{"parentaccountid@odata.bind": "$3"})], "2"),
        ([account("A", "1"), Asked("PATCH", "$3", {"fax": "1"}, "2")], "2"),
        ([account("A", "1"), Asked("PATCH", "$2", {"fax": "1"}, "2")], "2"),
        ([account("A", "1"), Asked("PUT", "$1/parentaccountid/$ref", {"@odata.id": "$7"}, "2")], "2"),
        ([account("A", "1"), Asked("PUT", "$7/parentaccountid/$ref", {"@odata.id": "$1"}, "2")], "2"),
    ],
)
def test_a_reference_to_what_is_not_made_yet_is_refused(send, services, requests, content_id):
    before = dump(services.dataverse.database)
    (told,) = send(requests, status=400)
    assert (told.status, told.content_id, told.group) == (400, content_id, None)
    assert "Content-ID Reference: '$" in told.error[2]
    assert told.error[2].endswith("' does not exist in the batch context.")
    assert dump(services.dataverse.database) == before


def test_references_end_with_their_change_set(send):
    for first in (account("A", "1"), [account("A", "1")]):
        told = send(first, [Asked("PATCH", "$1", {"fax": "1"}, "2")], status=400)
        assert "'$1' does not exist in the batch context" in told[-1].error[2]
        assert "'$1' does not exist" in send(first, Asked("GET", "$1"), status=400)[-1].error[2]


def test_a_record_in_the_answer_has_no_url_to_refer_to(send, services):
    represented = Asked("POST", "accounts", {"name": "A"}, "1", {"Prefer": "return=representation"})
    assert send([represented])[0].status == 201
    before = dump(services.dataverse.database)
    (told,) = send([represented, Asked("PATCH", "$1", {"fax": "1"}, "2")], status=400)
    assert "'$1' does not exist in the batch context" in told.error[2]
    assert dump(services.dataverse.database) == before


_FAILING = [
    (account(LONG, "9"), 400, "0x80044331"),
    (Asked("POST", "accounts", '{"name":', "9"), 400, "0x80048d19"),
    (account("x", "9", nothing=1), 400, "0x80048d19"),
    (account("x", "9", **{"primarycontactid@odata.bind": f"/contacts({MISSING})"}), 404, "0x80040217"),
    (Asked("POST", "nothing", {}, "9"), 404, "0x80060888"),
    (Asked("PATCH", f"accounts({MISSING})", {}, "9", {"If-Match": "*"}), 404, "0x80040217"),
    (Asked("PATCH", "$1", {"fax": "1"}, "9", {"If-Match": 'W/"1"'}), 412, "0x80060882"),
    (Asked("PATCH", "$1", {"fax": "1"}, "9", {"If-None-Match": "*"}), 412, "0x80040237"),
    (Asked("DELETE", f"accounts({MISSING})", None, "9"), 404, "0x80040217"),
    (Asked("DELETE", "accounts", None, "9"), 405, "0x80060888"),
    (Asked("POST", "https://other.test/api/data/v9.2/accounts", {}, "9"), 404, "0x8006088a"),
    (Asked("POST", "$batch", "x", "9"), 400, "0x80060888"),
    (Asked("POST", "WhoAmI", {}, "9"), 404, "0x8006088a"),
]


@pytest.fixture
def standing(api):
    return api.created("accounts", name="Standing")


@pytest.mark.parametrize(("failing", "status", "code"), _FAILING)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_request_that_fails_takes_its_change_set_back(send, services, standing, failing, place, *, status, code):
    requests = [
        account("A", "1"),
        contact("B", "2", **{"parentcustomerid_account@odata.bind": f"accounts({standing})"}),
        Asked("DELETE", f"accounts({standing})", None, "3", {"If-Match": "*"}),
    ]
    if "$1" in failing.url:
        place = max(place, 1)
    requests.insert(place, failing)
    before = dump(services.dataverse.database)
    (told,) = send(requests, status=status)
    assert (told.error[:2], told.content_id, told.group) == ((status, code), "9", None)
    assert dump(services.dataverse.database) == before


def test_with_the_preference_other_change_sets_are_executed(send, api):
    told = send(
        [account("Kept", "1")],
        [account("Taken back", "1"), account(LONG, "2")],
        Asked("GET", "WhoAmI"),
        [account("Kept too", "1")],
        prefer="odata.continue-on-error",
    )
    assert [part.status for part in told] == [204, 400, 200, 204]
    names = "Kept','Taken back','Kept too"
    rows = api.json(
        f"/accounts?$select=name&$filter=Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['{names}'])"
    )
    assert sorted(row["name"] for row in rows["value"]) == ["Kept", "Kept too"]


def test_without_it_a_change_set_that_fails_ends_the_batch(send, api):
    told = send([account("Before")], [account(LONG)], [account("Behind it")], Asked("GET", "WhoAmI"), status=400)
    assert [part.status for part in told] == [204, 400]
    assert api.json("/accounts?$filter=name eq 'Behind it'")["value"] == []


def test_what_a_change_set_did_is_seen_by_its_later_requests_and_behind_it(send):
    prefer = {"Prefer": 'return=representation,odata.include-annotations="*"'}
    told = send(
        [
            account("Seen", "1"),
            Asked("PATCH", "$1?$select=name,fax", {"fax": "7"}, "2", prefer),
            Asked(
                "POST",
                "contacts?$select=fullname",
                {"firstname": "A", "parentcustomerid_account@odata.bind": "$1"},
                "3",
                prefer,
            ),
        ],
        Asked("GET", "accounts?$select=fax&$filter=name eq 'Seen'"),
    )
    assert [part.status for part in told] == [204, 200, 201, 200]
    assert (told[1].json["name"], told[1].json["fax"]) == ("Seen", "7")
    assert told[2].json["fullname"] == "A"
    assert [row["fax"] for row in told[3].json["value"]] == ["7"]


def test_a_record_made_in_a_change_set_may_be_found_by_key_and_deleted_in_it(send, api):
    chosen = "0c000000-0000-4000-8000-000000000001"
    told = send(
        [
            Asked("PATCH", f"accounts({chosen})", {"name": "Chosen"}, "1", {"If-None-Match": "*"}),
            Asked("PATCH", f"accounts({chosen})", {"fax": "1"}, "2", {"If-Match": "*"}),
            Asked("DELETE", f"accounts({chosen})", None, "3"),
        ]
    )
    assert [part.status for part in told] == [204, 204, 204]
    assert api.error("GET", f"/accounts({chosen})")[0] == 404


def test_security_data_changes_with_a_change_set_or_not_at_all(send, api, services):
    unit = api.json("/businessunits?$filter=_parentbusinessunitid_value eq null")["value"][0]["businessunitid"]
    role = Asked("POST", "roles", {"name": "Batched", "businessunitid@odata.bind": f"/businessunits({unit})"}, "1")
    before = dump(services.dataverse.database)
    send([role, Asked("PATCH", "$1", {"name": "Batched twice"}, "2"), account(LONG, "3")], status=400)
    assert dump(services.dataverse.database) == before
    told = send([role, Asked("PATCH", "$1", {"name": "Batched twice"}, "2"), account("After a role", "3")])
    assert api.json(f"/roles({told[0].id})?$select=name")["name"] == "Batched twice"


class Unavailable:
    """An environment whose transactions cannot begin, or cannot be committed."""

    def __init__(self, environment, *, begins):
        self._environment = environment
        self._begins = begins

    def __getattr__(self, name):
        return getattr(self._environment, name)

    @contextmanager
    def unit_of_work(self):
        if self._begins:
            with self._environment.unit_of_work() as unit:
                yield unit
                raise TemporarilyUnavailable("The organization's database is busy. Try again.")
        raise TemporarilyUnavailable("The organization's database is busy. Try again.")


@pytest.mark.parametrize("begins", [False, True])
def test_a_change_set_that_cannot_be_committed_says_so_and_changed_nothing(api, services, begins):
    unavailable = replace(services, dataverse=Unavailable(services.dataverse, begins=begins))
    before = dump(services.dataverse.database)
    sent = batch([account("A", "1"), account("B", "2")], Asked("GET", "WhoAmI"))
    for preference, status, count in (("", 503, 1), ("odata.continue-on-error", 200, 2)):
        answer = replace(api, services=unavailable)("POST", "/$batch", sent, content_type=BATCH_TYPE, prefer=preference)
        told = answers(dict(answer.headers)["Content-Type"], answer.body)
        assert (answer.status, len(told)) == (status, count)
        assert (told[0].status, told[0].content_id, told[0].group) == (503, None, None)
    assert dump(services.dataverse.database) == before


def test_an_empty_change_set_has_an_empty_answer(api):
    answer = api("POST", "/$batch", batch([]), content_type=BATCH_TYPE)
    assert answer.status == 200
    assert re.search(rb"boundary=(changesetresponse_[0-9a-f-]+)\r\n\r\n--\1--\r\n--batchresponse_", answer.body)


def test_many_requests_are_one_transaction(send, api, services):
    names = [f"Many {number}" for number in range(300)]
    versions = dump(services.dataverse.database)["account"]
    told = send([account(name, str(number)) for number, name in enumerate(names)])
    assert [part.content_id for part in told] == [str(number) for number in range(300)]
    assert len(dump(services.dataverse.database)["account"]) == len(versions) + 300
    moments = {
        row["createdon"] for row in api.json("/accounts?$select=createdon&$filter=startswith(name,'Many ')")["value"]
    }
    assert len(moments) == 1
