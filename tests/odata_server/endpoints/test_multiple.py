"""CreateMultiple, UpdateMultiple, UpsertMultiple and DeleteMultiple over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from batches import BATCH_TYPE, Asked, batch
from things import dump

from odata_server.edm.csdl import csdl

CRM = "Microsoft.Dynamics.CRM"
ACCOUNT = {"@odata.type": f"{CRM}.account"}
OLD = "0d000000-0000-4000-8000-000000000001"
NEW = "0d000000-0000-4000-8000-000000000002"
MISSING = "0d000000-0000-4000-8000-0000000000ff"
ROOT = "https://org.test:8443/api/data/v9.2"


@pytest.fixture(scope="module", autouse=True)
def old(api) -> None:
    api.created("accounts", accountid=OLD, name="Old", accountnumber="old")


@pytest.fixture
def state(environments) -> Callable[[], Mapping[str, object]]:
    return lambda: dump(environments[0].database)


def names(api, *ids: str) -> list[str]:
    return [api.json(f"/accounts({one})?$select=name")["name"] for one in ids]


def test_records_are_created_and_their_ids_come_back_in_order(api):
    targets = [{**ACCOUNT, "name": f"New {n}", "revenue": n} for n in range(3)]
    answer = api("POST", f"/accounts/{CRM}.CreateMultiple", {"Targets": targets})
    assert answer.status == 200
    found = json.loads(answer.body)
    assert found["@odata.context"] == f"{ROOT}/$metadata#{CRM}.CreateMultipleResponse"
    assert list(found) == ["@odata.context", "Ids"]
    assert names(api, *found["Ids"]) == ["New 0", "New 1", "New 2"]


def test_records_are_created_with_lookups_to_one_another_and_with_those_that_belong_to_them(api):
    targets = [
        {**ACCOUNT, "accountid": NEW, "name": "Parent", "contact_customer_accounts": [{"lastname": "Child"}]},
        {**ACCOUNT, "name": "Daughter", "parentaccountid@odata.bind": f"/accounts({NEW})"},
    ]
    answer = api("POST", f"/accounts/{CRM}.CreateMultiple", {"Targets": targets})
    assert answer.status == 200, answer.body
    _, daughter = json.loads(answer.body)["Ids"]
    assert api.json(f"/accounts({daughter})?$select=_parentaccountid_value")["_parentaccountid_value"] == NEW
    assert [c["lastname"] for c in api.json(f"/accounts({NEW})/contact_customer_accounts")["value"]] == ["Child"]


def test_records_are_changed(api):
    ids = [api.created("accounts", name=name) for name in ("a", "b", "c")]
    targets = [
        {**ACCOUNT, "accountid": ids[0], "name": "A"},
        {**ACCOUNT, "@odata.id": f"accounts({ids[1]})", "name": "B"},
        {**ACCOUNT, "accountid": ids[2], "name": "first"},
        {**ACCOUNT, "accountid": ids[2], "name": "C", "@odata.etag": 'W/"1"'},
    ]
    answer = api("POST", f"/accounts/{CRM}.UpdateMultiple", {"Targets": targets})
    assert (answer.status, answer.body) == (204, b"")
    assert names(api, *ids) == ["A", "B", "C"]


def test_records_are_created_or_changed(api):
    known, chosen = api.created("accounts", name="a"), "0d000000-0000-4000-8000-00000000000a"
    targets = [
        {**ACCOUNT, "accountid": known, "name": "changed"},
        {**ACCOUNT, "@odata.id": f"accounts({chosen})", "name": "made"},
        {**ACCOUNT, "name": "of the server's id"},
    ]
    answer = api("POST", f"/accounts/{CRM}.UpsertMultiple", {"Targets": targets})
    assert (answer.status, answer.body) == (204, b"")
    assert names(api, known, chosen) == ["changed", "made"]
    assert api.json("/accounts?$filter=name eq 'of the server''s id'")["value"]


BAD_TARGETS = [
    ("CreateMultiple", {}, 400, "0x80048d19", "The missing parameters are: Targets."),
    ("CreateMultiple", {"Targets": [], "More": 1}, 400, "0x80048d19", "The parameter 'More' in the request payload"),
    ("CreateMultiple", {"Targets": []}, 400, "0x80040203", "holds no records"),
    ("CreateMultiple", {"Targets": None}, 400, "0x80048d19", "must be an array"),
    ("CreateMultiple", {"Targets": {}}, 400, "0x80048d19", "must be an array"),
    ("CreateMultiple", {"Targets": [1]}, 400, "0x80048d19", "holds records only"),
    ("CreateMultiple", {"Targets": [{"name": "x"}]}, 400, "0x80048d19", "The annotation '@odata.type' is missing"),
    ("CreateMultiple", {"Targets": [{"@odata.type": f"{CRM}.contact"}]}, 400, "0x80048d19", "more than one type"),
    ("CreateMultiple", {"Targets": [{"@odata.type": f"{CRM}.nope"}]}, 400, "0x80048d19", "could not be resolved"),
    ("CreateMultiple", {"Targets": [{**ACCOUNT, "nope": 1}]}, 400, "0x80048d19", "Invalid property 'nope'"),
    ("CreateMultiple", {"Targets": [{**ACCOUNT, "name": 1}]}, 400, "0x80048d19", "Edm.String"),
    ("CreateMultiple", {"Targets": [ACCOUNT, {**ACCOUNT, "name": "x" * 161}]}, 400, "0x80044331", "maximum allowed"),
    ("CreateMultiple", {"Targets": [{**ACCOUNT, "name": "x"}, {**ACCOUNT, "accountid": OLD}]}, 412, "0x80040237", ""),
    (
        "CreateMultiple",
        {"Targets": [{**ACCOUNT, "name": "x"}, {**ACCOUNT, "parentaccountid@odata.bind": f"accounts({MISSING})"}]},
        404,
        "0x80040217",
        "Does Not Exist",
    ),
    ("UpdateMultiple", {"Targets": [{"accountid": OLD}]}, 400, "0x80048d19", "'@odata.type' is missing"),
    ("UpdateMultiple", {"Targets": [{**ACCOUNT, "name": "x"}]}, 400, "0x80040203", "must have its 'accountid'"),
    ("UpdateMultiple", {"Targets": [{**ACCOUNT, "accountid": "x"}]}, 400, "0x80040203", "must have its 'accountid'"),
    (
        "UpdateMultiple",
        {"Targets": [{**ACCOUNT, "accountid": OLD, "name": "x"}, {**ACCOUNT, "accountid": MISSING, "name": "y"}]},
        404,
        "0x80040217",
        "Does Not Exist",
    ),
    ("UpsertMultiple", {"Targets": [{**ACCOUNT, "@odata.id": "contacts(x)"}]}, 400, "0x80060888", ""),
    ("UpsertMultiple", {"Targets": [{**ACCOUNT, "@odata.id": f"contacts({OLD})"}]}, 400, "0x80048d19", "than one type"),
    ("UpsertMultiple", {"Targets": [{**ACCOUNT, "@odata.id": "accounts(name='x')"}]}, 400, "0x80060890", "not a def"),
    ("UpsertMultiple", {"Targets": [{**ACCOUNT, "accountid": "x", "name": "y"}]}, 400, "0x80048d19", "Edm.Guid"),
    (
        "DeleteMultiple",
        {"Targets": [{**ACCOUNT, "accountid": OLD}]},
        405,
        "0x80040800",
        "The 'DeleteMultiple' method does not support entities of type 'account'.",
    ),
]


@pytest.mark.parametrize("refused", BAD_TARGETS, ids=range(len(BAD_TARGETS)))
def test_a_refused_request_changes_nothing(api, state, refused):
    action, body, status, code, text = refused
    before = state()
    found = api.error("POST", f"/accounts/{CRM}.{action}", body)
    assert found[0] == status, found
    assert found[1] == code, found
    assert text in found[2]
    assert state() == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/accounts/{CRM}.CreateMultiple", 404),
        ("POST", f"/accounts({OLD})/{CRM}.CreateMultiple", 404),
        ("POST", "/CreateMultiple", 404),
        ("POST", f"/accounts({OLD})/contact_customer_accounts/{CRM}.CreateMultiple", 404),
        ("POST", f"/systemuserrolescollection/{CRM}.CreateMultiple", 405),
    ],
)
def test_it_is_called_on_sets_of_records_only(api, state, method, path, status):
    before = state()
    assert api.error(method, path, {"Targets": [ACCOUNT]})[0] == status
    assert state() == before


def test_who_may_not_create_may_not_create_many(api, state):
    before = state()
    found = api.error(
        "POST", f"/accounts/{CRM}.CreateMultiple", {"Targets": [ACCOUNT]}, authorization="Bearer roleless"
    )
    assert found[0] == 403
    assert state() == before


def test_the_actions_are_declared_for_every_table_with_records(environments):
    document = csdl(environments[0].catalog).decode()
    for action in ("CreateMultiple", "UpdateMultiple", "UpsertMultiple"):
        assert (
            f'<Action Name="{action}" IsBound="true"><Parameter Name="entityset" Type="Collection(mscrm.account)"'
            in document
        )
        assert 'Type="Collection(mscrm.systemuserroles)"' not in document.partition(f'Name="{action}"')[2][:200]
    assert "DeleteMultiple" not in document


def in_change_set(api, *asked: Asked, status: int = 200) -> bytes:
    answer = api("POST", "/$batch", batch(list(asked)), content_type=BATCH_TYPE)
    assert answer.status == status, answer.body
    return answer.body


def created(name: str, *targets: Mapping[str, object]) -> Asked:
    return Asked("POST", f"{name}/{CRM}.CreateMultiple", {"Targets": targets})


def test_many_records_are_created_in_a_change_set(api):
    body = in_change_set(
        api, Asked("POST", "accounts", {"name": "Alone"}), created("accounts", *({**ACCOUNT, "name": "Set"},) * 3)
    )
    assert b"CreateMultipleResponse" in body
    assert len(api.json("/accounts?$select=name&$filter=name eq 'Set'")["value"]) == 3


@pytest.mark.parametrize(
    "failing",
    [
        created("accounts", {**ACCOUNT, "name": "x"}, {**ACCOUNT, "name": "x" * 161}),
        created("accounts", {"name": "x"}),
        Asked("POST", "accounts", {"name": "x" * 161}),
    ],
)
def test_a_change_set_that_fails_takes_them_back(api, state, failing):
    before = state()
    body = in_change_set(api, created("accounts", {**ACCOUNT, "name": "Gone"}), failing, status=400)
    assert b"HTTP/1.1 400" in body
    assert state() == before
