"""Who may close opportunities and qualify leads: the actions do what their caller may do one by one."""

from __future__ import annotations

import pytest
from sharing import CRM, set_up
from things import dump


@pytest.fixture(scope="module")
def sharing(api):
    return set_up(api)


@pytest.fixture(scope="module")
def state(environments):
    return lambda: dump(environments[0].database)


OPPORTUNITY = {
    **dict.fromkeys(("ReadOpportunity", "WriteOpportunity", "AppendToOpportunity"), "Global"),
    **dict.fromkeys(("CreateActivity", "ReadActivity", "AppendActivity", "WriteActivity"), "Global"),
}


def without(privileges, *names):
    return {name: depth for name, depth in privileges.items() if name not in names}


def test_who_may_change_an_opportunity_and_make_activities_may_win_it(api, sharing):
    made = api.created("opportunities", name="Chairs")
    sharing.allow(**OPPORTUNITY)
    bind = {"opportunityid@odata.bind": f"/opportunities({made})"}
    body = {"Status": 3, "OpportunityClose": {"subject": "Won", **bind}}
    assert sharing.send("POST", "/WinOpportunity", body) == (204, None)
    row = api.json(f"/opportunities({made})")
    assert (row["statecode"], row["_modifiedby_value"]) == (1, sharing.reader)
    (activity,) = api.json(f"/opportunities({made})/Opportunity_OpportunityClose")["value"]
    assert activity["_createdby_value"] == sharing.reader


@pytest.mark.parametrize("missing", ["ReadOpportunity", "WriteOpportunity", "AppendToOpportunity", "CreateActivity"])
def test_who_may_not_is_refused(api, sharing, state, missing):
    made = api.created("opportunities", name="Chairs")
    sharing.allow(**without(OPPORTUNITY, missing))
    before = state()
    bind = {"opportunityid@odata.bind": f"/opportunities({made})"}
    status, answer = sharing.send("POST", "/WinOpportunity", {"Status": 3, "OpportunityClose": bind})
    assert (status, answer["error"]["code"]) == (403, "0x80040220")
    assert state() == before


LEAD = {
    **dict.fromkeys(("ReadLead", "WriteLead", "AppendLead", "AppendToLead"), "Global"),
    **dict.fromkeys(("CreateAccount", "ReadAccount", "AppendAccount", "AppendToAccount", "WriteAccount"), "Global"),
    **dict.fromkeys(("CreateContact", "ReadContact", "AppendContact", "AppendToContact"), "Global"),
    **dict.fromkeys(("CreateOpportunity", "ReadOpportunity", "AppendOpportunity", "AppendToOpportunity"), "Global"),
}
QUALIFY = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": True, "Status": 3}


def test_who_may_make_the_records_may_qualify_a_lead(api, sharing):
    lead = api.created("leads", subject="Chairs", lastname="Berg", companyname="Berg AS")
    sharing.allow(**LEAD, AssignAccount="Global", AssignContact="Global", AssignOpportunity="Global")
    status, answer = sharing.send("POST", f"/leads({lead})/{CRM}.QualifyLead", QUALIFY)
    assert (status, len(answer["value"])) == (200, 3)
    assert api.json(f"/leads({lead})")["statecode"] == 1


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("CreateAccount", "0x80081018"),
        ("CreateContact", "0x80040220"),
        ("CreateOpportunity", "0x80040220"),
        ("WriteLead", "0x80040220"),
        ("ReadLead", "0x80040220"),
    ],
)
def test_who_may_not_make_one_of_them_qualifies_nothing(api, sharing, state, missing, code):
    lead = api.created("leads", subject="Chairs", lastname="Berg", companyname="Berg AS")
    sharing.allow(**without(LEAD, missing), AssignAccount="Global", AssignContact="Global", AssignOpportunity="Global")
    before = state()
    status, answer = sharing.send("POST", f"/leads({lead})/{CRM}.QualifyLead", QUALIFY)
    assert (status, answer["error"]["code"]) == (403, code)
    assert state() == before
