"""Activities: types that share a base type, the collection of all of them, who takes part, and what belongs to them."""

from __future__ import annotations

import json

import pytest
from things import dump

ROOT = "https://org.test:8443/api/data/v9.2"
TYPES = ("tasks", "phonecalls", "emails", "letters", "faxes", "appointments", "socialactivities")


@pytest.fixture(scope="module")
def account(api):
    return api.created("accounts", name="Contoso")


@pytest.fixture(scope="module")
def activities(api, account):
    """One activity of each type, about an account."""
    times = {"scheduledstart": "2026-03-02T09:00:00Z", "scheduledend": "2026-03-02T10:00:00Z"}
    return {
        entity_set: api.created(
            entity_set,
            subject=f"About {entity_set}",
            **{f"regardingobjectid_account_{_type(api, entity_set)}@odata.bind": f"/accounts({account})"},
            **(times if entity_set == "appointments" else {}),
        )
        for entity_set in TYPES
    }


def _type(api, entity_set):
    return api.services.dataverse.catalog.by_entity_set[entity_set].logical_name


def test_activities_of_all_types_are_read_in_one_collection(api, activities, account):
    chosen = "$select=subject,activitytypecode,_regardingobjectid_value,instancetypecode"
    about = f"$filter=_regardingobjectid_value eq {account}&$orderby=subject"
    rows = api.json(f"/activitypointers?{chosen}&{about}&$count=true")
    assert rows["@odata.count"] == len(TYPES)
    assert [row["subject"] for row in rows["value"]] == sorted(f"About {name}" for name in TYPES)
    assert {row["activitytypecode"] for row in rows["value"]} == {_type(api, name) for name in TYPES}
    assert {row["activityid"] for row in rows["value"]} == set(activities.values())
    assert {row["_regardingobjectid_value"] for row in rows["value"]} == {account}


def test_what_changes_in_an_activity_is_seen_among_all_of_them_and_it_goes_from_there_when_it_is_deleted(api, account):
    letter = api.created("letters", subject="First")
    path = f"/activitypointers({letter})?$select=subject,statecode"
    before = api.json(path)["@odata.etag"]
    assert api("PATCH", f"/letters({letter})", {"subject": "Second", "statecode": 1, "statuscode": 4}).status == 204
    changed = api.json(path)
    assert (changed["subject"], changed["statecode"]) == ("Second", 1)
    assert changed["@odata.etag"] != before
    assert changed["@odata.etag"] == api.json(f"/letters({letter})?$select=subject")["@odata.etag"]
    assert api("DELETE", f"/letters({letter})").status == 204
    assert api("GET", path).status == 404


def test_the_activities_of_an_account_are_reached_from_it(api, activities, account):
    (row,) = api.json(
        f"/accounts?$select=name&$filter=accountid eq {account}&$expand=Account_ActivityPointers($select=subject)"
    )["value"]
    assert len(row["Account_ActivityPointers"]) == len(TYPES)
    expanded = api.json(
        f"/activitypointers({activities['faxes']})?$select=subject&$expand=regardingobjectid_account($select=name)"
    )
    assert expanded["regardingobjectid_account"]["name"] == "Contoso"
    some = "Account_Phonecalls/any(p:p/subject eq 'About phonecalls')"
    assert [r["accountid"] for r in api.json(f"/accounts?$select=name&$filter={some}")["value"]] == [account]


def test_fetchxml_reads_and_counts_activities_of_all_types(api, activities, account):
    fetch = (
        '<fetch aggregate="true"><entity name="activitypointer">'
        '<attribute name="activityid" aggregate="count" alias="n"/>'
        '<attribute name="activitytypecode" groupby="true" alias="t"/>'
        f'<filter><condition attribute="regardingobjectid" operator="eq" value="{account}"/></filter></entity></fetch>'
    )
    rows = api.json(f"/activitypointers?fetchXml={fetch.replace('%', '%25').replace(' ', '%20')}")["value"]
    assert {row["t"]: row["n"] for row in rows} == {_type(api, name): 1 for name in TYPES}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/activitypointers", {"subject": "No type"}),
        ("PATCH", "/activitypointers({})", {"subject": "Changed"}),
        ("DELETE", "/activitypointers({})", None),
    ],
)
def test_an_activity_is_written_by_its_type_only(api, activities, method, path, body):
    before = dump(api.services.dataverse.database)
    status, _, message = api.error(method, path.format(activities["tasks"]), body)
    assert status == 405
    assert "activitypointer" in message
    assert dump(api.services.dataverse.database) == before


def test_an_email_is_made_with_those_who_take_part(api, account):
    (me,) = api.json("/systemusers?$select=systemuserid&$filter=fullname eq '%23 Admin'")["value"]
    contact = api.created("contacts", lastname="Example", emailaddress1="someone@contoso.test")
    email = api.created(
        "emails",
        subject="Hello",
        description="How are you?",
        email_activity_parties=[
            {"partyid_systemuser@odata.bind": f"/systemusers({me['systemuserid']})", "participationtypemask": 1},
            {"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 2},
            {"partyid_account@odata.bind": f"/accounts({account})", "participationtypemask": 2},
            {"addressused": "nobody@contoso.test", "participationtypemask": 3},
        ],
    )
    chosen = "$select=participationtypemask,_partyid_value,addressused"
    read = api.json(f"/emails({email})?$select=subject&$expand=email_activity_parties({chosen})")
    parties = [
        (p["participationtypemask"], p["_partyid_value"], p["addressused"]) for p in read["email_activity_parties"]
    ]
    assert sorted(parties, key=repr) == [
        (1, me["systemuserid"], None),
        *sorted([(2, contact, None), (2, account, None)], key=repr),
        (3, None, "nobody@contoso.test"),
    ]
    of_contact = api.json(f"/contacts({contact})/contact_activity_parties?$expand=activityid_email($select=subject)")
    assert [p["activityid_email"]["subject"] for p in of_contact["value"]] == ["Hello"]
    assert api("DELETE", f"/emails({email})").status == 204
    assert api.json(f"/activityparties?$filter=_activityid_value eq {email}")["value"] == []


def test_a_party_with_an_unknown_part_is_refused_and_no_email_is_made(api):
    before = dump(api.services.dataverse.database)
    parties = [{"addressused": "nobody@contoso.test", "participationtypemask": 99}]
    status, code, _ = api.error("POST", "/emails", {"subject": "Hello", "email_activity_parties": parties})
    assert (status, code) == (400, "0x8004431a")
    assert dump(api.services.dataverse.database) == before


def test_notes_are_about_activities_and_go_with_them(api):
    call = api.created("phonecalls", subject="Call", phonenumber="+47 22 00 00 00")
    note = api.created("annotations", subject="Note", **{"objectid_phonecall@odata.bind": f"/phonecalls({call})"})
    assert [n["annotationid"] for n in api.json(f"/phonecalls({call})/PhoneCall_Annotation")["value"]] == [note]
    assert api("DELETE", f"/phonecalls({call})").status == 204
    assert api("GET", f"/annotations({note})").status == 404


@pytest.fixture(scope="module")
def own_activities(api):
    """A user who may do everything with its own activities."""
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=systemuserid&$filter=fullname eq '%23 Roleless'")["value"]
    role = api.created("roles", name="Own activities", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref"
    assert api("POST", path, {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    names = [f"prv{right}Activity" for right in ("Create", "Read", "Write", "Delete", "Append", "AppendTo")]
    ids = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name,privilegeid")["value"]}
    privileges = [{"PrivilegeId": ids[name], "Depth": "Basic", "BusinessUnitId": unit} for name in names]
    path = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
    assert api("POST", path, {"Privileges": privileges}).status == 204


@pytest.mark.usefixtures("own_activities")
def test_who_may_use_own_activities_reads_those_and_who_takes_part_in_them_only(api):
    party = {"addressused": "someone@contoso.test", "participationtypemask": 2}
    theirs = api.created("emails", subject="Theirs", email_activity_parties=[party])

    def ask(method, path, body=None):
        answer = api(method, path, body, authorization="Bearer roleless")
        return answer.status, json.loads(answer.body) if answer.body else None

    assert ask("POST", "/emails", {"subject": "Own", "email_activity_parties": [party]})[0] == 204
    assert [row["subject"] for row in ask("GET", "/activitypointers?$select=subject")[1]["value"]] == ["Own"]
    (own,) = ask("GET", "/activityparties")[1]["value"]
    assert own["_activityid_value"] != theirs
    more = {**party, "activityid_email@odata.bind": f"/emails({theirs})"}
    assert ask("POST", "/activityparties", more)[0] == 403
    assert len(api.json(f"/emails({theirs})/email_activity_parties")["value"]) == 1
    assert ask("GET", "/annotations")[0] == 403


@pytest.mark.usefixtures("own_activities")
def test_an_activity_that_is_shared_is_seen_among_all_activities(api):
    (user,) = api.json("/systemusers?$select=systemuserid&$filter=fullname eq '%23 Roleless'")["value"]
    letter = api.created("letters", subject="Shared")
    access = {
        "Target": {"@odata.type": "Microsoft.Dynamics.CRM.letter", "activityid": letter},
        "PrincipalAccess": {
            "Principal": {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": user["systemuserid"]},
            "AccessMask": "ReadAccess",
        },
    }
    path = f"/activitypointers({letter})"
    assert api("GET", path, authorization="Bearer roleless").status == 403
    assert api("POST", "/GrantAccess", access).status == 204
    assert api("GET", path, authorization="Bearer roleless").status == 200
    assert api("GET", f"/letters({letter})", authorization="Bearer roleless").status == 200
