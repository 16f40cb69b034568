"""InitializeFrom: what a new record takes over from the record that it is made for, and the maps behind it."""

from __future__ import annotations

import json

import pytest
from things import dump

CONTEXT = "https://org.test:8443/api/data/v9.2/$metadata#{}/$entity"
MISSING = "0a000000-0000-4000-8000-0000000000ff"


@pytest.fixture(scope="module")
def sources(api):
    account = api.created(
        "accounts", name="Contoso", address1_line1="123 Maple St.", address1_city="Seattle", revenue=5, telephone1="555"
    )
    return {
        "account": f"accounts({account})",
        "contact": f"contacts({api.created('contacts', lastname='Ann', address1_city='Utrecht')})",
    }


def _call(source, target, kind="ValidForCreate"):
    return (
        "/InitializeFrom(EntityMoniker=@p1,TargetEntityName=@p2,TargetFieldType=@p3)"
        f"?@p1={{'@odata.id':'{source}'}}&@p2='{target}'&@p3=Microsoft.Dynamics.CRM.TargetFieldType'{kind}'"
    )


@pytest.fixture(scope="module")
def currency(api, sources):
    found = api.json(f"/{sources['account']}?$select=_transactioncurrencyid_value")
    return f"transactioncurrencies({found['_transactioncurrencyid_value']})"


ANSWERS = [
    (
        "account",
        "account",
        "accounts",
        {"parentaccountid@odata.bind": "{account}", "address1_line1": "123 Maple St.", "address1_city": "Seattle"},
    ),
    (
        "account",
        "contact",
        "contacts",
        {
            "parentcustomerid_account@odata.bind": "{account}",
            "telephone1": "555",
            "address1_line1": "123 Maple St.",
            "address1_city": "Seattle",
        },
    ),
    (
        "contact",
        "contact",
        "contacts",
        {"parentcustomerid_contact@odata.bind": "{contact}", "address1_city": "Utrecht"},
    ),
    ("contact", "account", "accounts", {"primarycontactid@odata.bind": "{contact}", "address1_city": "Utrecht"}),
    ("account", "task", "tasks", {"regardingobjectid_account_task@odata.bind": "{account}"}),
]


@pytest.mark.parametrize("mapped", ANSWERS, ids=range(len(ANSWERS)))
@pytest.mark.parametrize("kind", ["ValidForCreate", "ValidForUpdate", "ValidForRead", "All"])
def test_mapped_values_are_told(api, environments, sources, currency, mapped, kind):
    source, target, entity_set, members = mapped
    before = dump(environments[0].database)
    answer = api.json(_call(sources[source], target, kind))
    assert dump(environments[0].database) == before
    bound = {name: value.format(**sources) for name, value in members.items()}
    told = {name: value for name, value in answer.items() if name in {*bound, "@odata.context", "@odata.type"}}
    assert told == {
        "@odata.context": CONTEXT.format(entity_set),
        "@odata.type": f"#Microsoft.Dynamics.CRM.{target}",
        **bound,
    }
    if source == "account":
        navigation = "transactioncurrencyid_task" if target == "task" else "transactioncurrencyid"
        assert answer[f"{navigation}@odata.bind"] == currency
    assert not {"name", "revenue", "accountid", "contactid"} & answer.keys()


def test_the_answer_is_a_body_that_makes_the_record(api, sources):
    body = api.json(_call(sources["account"], "contact"))
    answer = api("POST", "/contacts?$select=address1_city", body, prefer="return=representation")
    assert (answer.status, json.loads(answer.body)["address1_city"]) == (201, "Seattle")


REFUSED = [
    ("accounts(" + MISSING + ")", "contact", "ValidForCreate", 404, "0x80040217"),
    ("{account}", "nothing", "ValidForCreate", 400, "0x80041102"),
    ("{account}", "role", "ValidForCreate", 400, "0x80040e01"),
    ("{account}", "contact", "Sideways", 400, "0x80048d19"),
]


@pytest.mark.parametrize(("call", "refusal"), [(case[:3], case[3:]) for case in REFUSED])
def test_a_call_is_refused(api, environments, sources, call, refusal):
    source, target, kind = call
    before = dump(environments[0].database)
    assert api.error("GET", _call(source.format(**sources), target, kind))[:2] == refusal
    assert dump(environments[0].database) == before


def test_the_maps_are_rows(api):
    (found,) = api.json(
        "/entitymaps?$filter=sourceentityname eq 'account' and targetentityname eq 'account'"
        "&$expand=entity_map_attribute_maps($filter=issystem eq true)"
    )["value"]
    (pair,) = found["entity_map_attribute_maps"]
    assert (pair["sourceattributename"], pair["targetattributename"]) == ("accountid", "parentaccountid")


def test_columns_are_mapped_by_their_names(api, sources):
    (found,) = api.json("/entitymaps?$filter=sourceentityname eq 'account' and targetentityname eq 'contact'")["value"]
    assert api("POST", "/AutoMapEntity", {"EntityMapId": found["entitymapid"]}).status == 204
    told = api.json(_call(sources["account"], "contact"))
    assert told["parentcustomerid_account@odata.bind"] == sources["account"]
    assert (told["telephone1"], told["address1_city"], told["donotphone"]) == ("555", "Seattle", False)
    assert not {"accountid", "contactid", "name", "ownerid@odata.bind"} & told.keys()
    assert api("POST", "/AutoMapEntity", {"EntityMapId": found["entitymapid"]}).status == 204
    assert api.json(_call(sources["account"], "contact")) == told


@pytest.fixture(scope="module")
def to_contact(api):
    """The map from accounts to contacts."""
    (found,) = api.json("/entitymaps?$filter=sourceentityname eq 'account' and targetentityname eq 'contact'")["value"]
    return {"entitymapid@odata.bind": f"/entitymaps({found['entitymapid']})"}


def test_a_column_is_mapped_and_no_longer(api, sources, to_contact):
    made = api.created("attributemaps", **to_contact, sourceattributename="name", targetattributename="department")
    assert api.json(_call(sources["account"], "contact"))["department"] == "Contoso"
    assert api("PATCH", f"/attributemaps({made})", {"targetattributename": "nickname"}).status == 204
    told = api.json(_call(sources["account"], "contact"))
    assert (told["nickname"], "department" in told) == ("Contoso", False)
    assert api("DELETE", f"/attributemaps({made})").status == 204
    assert "nickname" not in api.json(_call(sources["account"], "contact"))


PAIRS = [("name", "nothing"), ("nothing", "department"), ("name", "birthdate"), ("revenue", "department"), (None, "x")]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_columns_that_do_not_fit_are_not_mapped(api, environments, to_contact, source, target):
    before = dump(environments[0].database)
    body = {**to_contact, "sourceattributename": source, "targetattributename": target}
    assert api.error("POST", "/attributemaps", body)[:2] == (400, "0x80046203")
    assert dump(environments[0].database) == before


def test_the_maps_of_the_system_stay(api, environments):
    (found,) = api.json("/attributemaps?$filter=issystem eq true&$top=1")["value"]
    before = dump(environments[0].database)
    path = f"/attributemaps({found['attributemapid']})"
    assert api.error("PATCH", path, {"targetattributename": "name"})[1] == "0x80046205"
    assert api.error("DELETE", path)[1] == "0x80046205"
    assert dump(environments[0].database) == before
    assert api("POST", "/attributemaps", {"sourceattributename": "a", "targetattributename": "b"}).status == 400
    assert api("POST", "/entitymaps", {"sourceentityname": "account"}).status in {400, 403, 405}
    assert dump(environments[0].database) == before


def test_a_map_that_is_not_there_is_not_changed(api, environments):
    before = dump(environments[0].database)
    assert api.error("POST", "/AutoMapEntity", {"EntityMapId": MISSING})[:2] == (404, "0x80040217")
    assert dump(environments[0].database) == before
