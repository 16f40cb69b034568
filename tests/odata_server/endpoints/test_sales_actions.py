"""Closing opportunities and cases, and qualifying leads, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from things import dump

CRM = "Microsoft.Dynamics.CRM"
ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "0c000000-0000-4000-8000-0000000000ff"


@pytest.fixture(scope="module")
def state(environments) -> Callable[[], Mapping[str, object]]:
    return lambda: dump(environments[0].database)


@pytest.fixture(scope="module")
def customer(api):
    return api.created("accounts", name="Fabrikam")


@pytest.fixture
def opportunity(api, customer):
    return lambda **more: api.created(
        "opportunities",
        **{"name": "Chairs", "customerid_account@odata.bind": f"/accounts({customer})", **more},
    )


@pytest.fixture
def case(api, customer):
    bind = {"customerid_account@odata.bind": f"/accounts({customer})"}
    return lambda **more: api.created("incidents", **{"title": "It squeaks", **bind, **more})


def post(api, path, body, status=204):
    answer = api("POST", path, body)
    assert answer.status == status, answer.body
    return json.loads(answer.body) if answer.body else None


def refused(api, path, body, method="POST"):
    answer = api(method, path, body)
    return answer.status, json.loads(answer.body)["error"]["code"]


def closing(opportunity, status, **more):
    bind = {"opportunityid@odata.bind": f"/opportunities({opportunity})"}
    return {"Status": status, "OpportunityClose": {"subject": "Done", **bind, **more}}


@pytest.mark.parametrize(
    ("action", "status", "states", "probability"),
    [
        ("WinOpportunity", 3, (1, 3), 100),
        ("WinOpportunity", -1, (1, 3), 100),
        ("LoseOpportunity", 4, (2, 4), 0),
        ("LoseOpportunity", 5, (2, 5), 0),
        ("LoseOpportunity", -1, (2, 4), 0),
    ],
)
def test_an_opportunity_is_closed_with_an_activity(api, opportunity, action, status, states, probability):
    made = opportunity(estimatedvalue=1200)
    post(api, f"/{action}", closing(made, status, actualrevenue=1000, actualend="2026-03-04T10:00:00Z"))
    row = api.json(f"/opportunities({made})")
    assert (row["statecode"], row["statuscode"]) == states
    assert (row["actualvalue"], row["actualclosedate"], row["closeprobability"]) == (1000, "2026-03-04", probability)
    (activity,) = api.json(f"/opportunities({made})/Opportunity_OpportunityClose")["value"]
    assert (activity["subject"], activity["statecode"], activity["statuscode"]) == ("Done", 1, 2)
    assert (activity["opportunitystatecode"], activity["opportunitystatuscode"]) == states
    assert activity["_regardingobjectid_value"] == made


def test_a_won_opportunity_brings_what_was_estimated_where_nothing_else_is_said(api, opportunity):
    won, lost = opportunity(estimatedvalue=1200), opportunity(estimatedvalue=1200)
    post(api, "/WinOpportunity", closing(won, 3))
    post(api, "/LoseOpportunity", closing(lost, 4))
    assert api.json(f"/opportunities({won})")["actualvalue"] == 1200
    assert api.json(f"/opportunities({lost})")["actualvalue"] is None
    assert api.json(f"/opportunities({won})")["actualclosedate"] is not None


def test_an_activity_may_say_its_type(api, opportunity):
    made = opportunity()
    body = closing(made, 3, **{"@odata.type": f"{CRM}.opportunityclose"})
    post(api, "/WinOpportunity", body)
    assert api.json(f"/opportunities({made})")["statecode"] == 1


def test_an_opportunity_is_not_closed_twice_but_can_be_opened_again(api, opportunity, state):
    made = opportunity()
    post(api, "/WinOpportunity", closing(made, 3))
    before = state()
    assert refused(api, "/LoseOpportunity", closing(made, 4)) == (400, "0x80040515")
    assert state() == before
    assert api("PATCH", f"/opportunities({made})", {"statecode": 0, "statuscode": 1}).status == 204
    activities = f"/opportunities({made})/Opportunity_OpportunityClose?$select=statecode&$orderby=statecode"
    assert [one["statecode"] for one in api.json(activities)["value"]] == [2]
    post(api, "/LoseOpportunity", closing(made, 4))
    assert [one["statecode"] for one in api.json(activities)["value"]] == [1, 2]


@pytest.mark.parametrize(
    ("action", "body", "refusal"),
    [
        ("WinOpportunity", {"Status": 3, "OpportunityClose": {"subject": "x"}}, (400, "0x80043b15")),
        ("LoseOpportunity", {"Status": 4, "OpportunityClose": {"subject": "x"}}, (400, "0x80043b15")),
        ("WinOpportunity", closing("{id}", 4), (400, "0x80048408")),
        ("WinOpportunity", closing("{id}", 99), (400, "0x80048408")),
        ("LoseOpportunity", closing("{id}", 3), (400, "0x80048408")),
        ("WinOpportunity", closing(NOBODY, 3), (404, "0x80040217")),
        ("WinOpportunity", {"Status": 3}, (400, "0x80048d19")),
        ("WinOpportunity", {**closing("{id}", 3), "Status": None}, (400, "0x80048d19")),
        ("WinOpportunity", closing("{id}", 3, nonsense=1), (400, "0x80048d19")),
    ],
)
def test_what_closes_no_opportunity_is_refused(api, opportunity, state, action, body, refusal):
    made = opportunity()
    before = state()
    assert refused(api, f"/{action}", json.loads(json.dumps(body).replace("{id}", made))) == refusal
    assert state() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"statecode": 1, "statuscode": 3}, "0x80100005"),
        ({"statecode": 2, "statuscode": 4}, "0x80100005"),
        ({"statecode": 2}, "0x80100005"),
        ({"statuscode": 3}, "0x80100005"),
    ],
)
def test_an_update_does_not_close_an_opportunity(api, opportunity, state, body, code):
    made = opportunity()
    before = state()
    assert refused(api, f"/opportunities({made})", body, "PATCH") == (400, code)
    rows = [{"@odata.type": f"{CRM}.opportunity", "opportunityid": made, **body}]
    assert refused(api, f"/opportunities/{CRM}.UpdateMultiple", {"Targets": rows}) == (400, code)
    assert state() == before


def resolving(case, status, **more):
    bind = {"incidentid@odata.bind": f"/incidents({case})"}
    return {"Status": status, "IncidentResolution": {"subject": "Oiled", "timespent": 20, **bind, **more}}


@pytest.mark.parametrize(("status", "reason"), [(5, 5), (1000, 1000), (-1, 5)])
def test_a_case_is_resolved_with_a_resolution(api, case, status, reason):
    made = case()
    post(api, "/CloseIncident", resolving(made, status))
    row = api.json(f"/incidents({made})?$select=statecode,statuscode")
    assert (row["statecode"], row["statuscode"]) == (1, reason)
    (resolution,) = api.json(f"/incidents({made})/Incident_IncidentResolutions")["value"]
    assert (resolution["subject"], resolution["timespent"], resolution["statecode"]) == ("Oiled", 20, 1)
    assert resolution["resolutiontypecode"] == reason


def test_a_case_with_open_activities_is_neither_resolved_nor_cancelled(api, case, state):
    made = case()
    task = api.created(
        "tasks", subject="Buy oil", **{"regardingobjectid_incident_task@odata.bind": f"/incidents({made})"}
    )
    before = state()
    assert refused(api, "/CloseIncident", resolving(made, 5)) == (400, "0x8004440a")
    cancel = {"statecode": 2, "statuscode": 6}
    assert refused(api, f"/incidents({made})", cancel, "PATCH") == (400, "0x8004440e")
    assert state() == before
    assert api("PATCH", f"/tasks({task})", {"statecode": 1, "statuscode": 5}).status == 204
    post(api, "/CloseIncident", resolving(made, 5))
    assert api("PATCH", f"/incidents({made})", {"statecode": 0, "statuscode": 1}).status == 204
    assert api.json(f"/incidents({made})/Incident_IncidentResolutions")["value"][0]["statecode"] == 2
    other = case()
    assert api("PATCH", f"/incidents({other})", cancel).status == 204
    assert refused(api, "/CloseIncident", resolving(other, 5)) == (400, "0x80044411")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"Status": 5, "IncidentResolution": {"subject": "x"}}, 400, "0x80044409"),
        (resolving("{id}", 6), 400, "0x80048408"),
        (resolving(NOBODY, 5), 404, "0x80040217"),
        ({"IncidentResolution": {"subject": "x"}}, 400, "0x80048d19"),
    ],
)
def test_what_resolves_no_case_is_refused(api, case, state, body, status, code):
    made = case()
    before = state()
    assert refused(api, "/CloseIncident", json.loads(json.dumps(body).replace("{id}", made))) == (status, code)
    assert state() == before


def test_an_update_does_not_resolve_a_case(api, case, state):
    made = case()
    before = state()
    body = {"statecode": 1, "statuscode": 5}
    assert refused(api, f"/incidents({made})", body, "PATCH") == (400, "0x80040203")
    assert state() == before


LEAD = {
    "subject": "Three hundred chairs",
    "firstname": "Ada",
    "lastname": "Berg",
    "companyname": "Berg AS",
    "emailaddress1": "ada@berg.test",
    "telephone1": "555",
    "address1_city": "Oslo",
    "estimatedamount": 5000,
    "estimatedclosedate": "2026-12-01",
}


def qualify(account=True, contact=True, opportunity=True, status=3, **more):
    made = {"CreateAccount": account, "CreateContact": contact, "CreateOpportunity": opportunity}
    return {**made, "Status": status, **more}


def qualified(api, lead, body):
    answer = post(api, f"/leads({lead})/{CRM}.QualifyLead", body, 200)
    assert answer["@odata.context"].endswith(f"$metadata#Collection({CRM}.crmbaseentity)")
    return {one.pop("@odata.type").rpartition(".")[2]: next(iter(one.values())) for one in answer["value"]}


def test_a_lead_becomes_an_account_a_contact_and_an_opportunity(api):
    lead = api.created("leads", **LEAD)
    assert api.json(f"/leads({lead})?$select=fullname")["fullname"] == "Ada Berg"
    made = qualified(api, lead, qualify())
    assert set(made) == {"account", "contact", "opportunity"}
    account = api.json(f"/accounts({made['account']})")
    assert (account["name"], account["address1_city"], account["telephone1"]) == ("Berg AS", "Oslo", "555")
    assert (account["_originatingleadid_value"], account["_primarycontactid_value"]) == (lead, made["contact"])
    contact = api.json(f"/contacts({made['contact']})")
    assert (contact["fullname"], contact["emailaddress1"]) == ("Ada Berg", "ada@berg.test")
    assert (contact["_parentcustomerid_value"], contact["_originatingleadid_value"]) == (made["account"], lead)
    opportunity = api.json(f"/opportunities({made['opportunity']})")
    assert (opportunity["name"], opportunity["estimatedvalue"]) == ("Three hundred chairs", 5000)
    assert opportunity["estimatedclosedate"] == "2026-12-01"
    assert (opportunity["_customerid_value"], opportunity["_originatingleadid_value"]) == (made["account"], lead)
    row = api.json(f"/leads({lead})")
    assert (row["statecode"], row["statuscode"]) == (1, 3)
    assert row["_qualifyingopportunityid_value"] == made["opportunity"]
    assert (row["_parentaccountid_value"], row["_parentcontactid_value"]) == (made["account"], made["contact"])


@pytest.mark.parametrize(
    ("lead", "body", "tables"),
    [
        ({}, qualify(opportunity=False), {"account", "contact"}),
        ({}, qualify(account=False, opportunity=False), {"contact"}),
        ({"companyname": None}, qualify(), {"contact", "opportunity"}),
        ({}, qualify(False, False, False, status=-1), set()),
    ],
)
def test_only_what_is_asked_for_and_has_a_name_is_made(api, lead, body, tables):
    made = api.created("leads", **{k: v for k, v in {**LEAD, **lead}.items() if v is not None})
    assert set(qualified(api, made, body)) == tables
    assert api.json(f"/leads({made})?$select=statuscode")["statuscode"] == 3


def test_an_account_that_the_lead_has_already_is_the_customer(api, customer):
    bind = {"parentaccountid@odata.bind": f"/accounts({customer})"}
    lead = api.created("leads", **LEAD, **bind)
    made = qualified(api, lead, qualify())
    assert set(made) == {"contact", "opportunity"}
    assert api.json(f"/opportunities({made['opportunity']})")["_customerid_value"] == customer


def test_the_caller_may_name_customer_and_campaign(api, customer):
    lead = api.created("leads", **LEAD)
    currency = api.json("/transactioncurrencies?$top=1")["value"][0]["transactioncurrencyid"]
    campaign = api.created("campaigns", name="Spring")
    body = qualify(
        account=False,
        contact=False,
        OpportunityCustomerId={"@odata.type": f"{CRM}.account", "accountid": customer},
        OpportunityCurrencyId={"transactioncurrencyid": currency},
        SourceCampaignId={"campaignid": campaign},
    )
    made = qualified(api, lead, body)
    row = api.json(f"/opportunities({made['opportunity']})")
    assert (row["_customerid_value"], row["_campaignid_value"]) == (customer, campaign)
    assert row["_transactioncurrencyid_value"] == currency


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (qualify(status=1), 400, "0x80048408"),
        (qualify(status=4), 400, "0x80048408"),
        (qualify(OpportunityCustomerId={"@odata.type": f"{CRM}.account", "accountid": NOBODY}), 404, "0x80040217"),
        ({"CreateAccount": True, "Status": 3}, 400, "0x80048d19"),
    ],
)
def test_what_qualifies_no_lead_is_refused(api, state, body, status, code):
    lead = api.created("leads", **LEAD)
    before = state()
    assert refused(api, f"/leads({lead})/{CRM}.QualifyLead", body) == (status, code)
    assert state() == before


def test_a_lead_is_not_qualified_twice(api, state):
    lead = api.created("leads", **LEAD)
    qualified(api, lead, qualify())
    before = state()
    assert refused(api, f"/leads({lead})/{CRM}.QualifyLead", qualify()) == (400, "0x80040519")
    assert refused(api, f"/leads({NOBODY})/{CRM}.QualifyLead", qualify()) == (404, "0x80040217")
    assert state() == before
