"""What `$expand` shows to whom: the tables and rows of the caller, over a real environment."""

from __future__ import annotations

import json

import pytest

ROOT = "https://org.test:8443/api/data/v9.2"


@pytest.fixture(scope="module")
def ids(api):
    """An account with two contacts of the administrator, and a user with a role that starts without privileges."""
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    role = api.created("roles", name="Reader", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    reference = {"@odata.id": f"{ROOT}/roles({role})"}
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref"
    assert api("POST", path, reference).status == 204
    account = api.created("accounts", name="Contoso")
    found = {"unit": unit, "user": user["systemuserid"], "role": role, "account": account}
    for name in ("Ann", "Bob"):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
        found[name] = api.created("contacts", firstname=name, **bind)
    bound = {"primarycontactid@odata.bind": f"/contacts({found['Ann']})"}
    assert api("PATCH", f"/accounts({account})", bound).status == 204
    return found


@pytest.fixture
def granted(api, ids):
    """Give the role exactly some privileges."""

    def grant(**depths):
        known = api.json("/privileges?$select=name,privilegeid")["value"]
        by_name = {row["name"]: row["privilegeid"] for row in known}
        body = {
            "Privileges": [
                {"PrivilegeId": by_name[name], "Depth": depth, "BusinessUnitId": ids["unit"]}
                for name, depth in depths.items()
            ]
        }
        answer = api("POST", f"/roles({ids['role']})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole", body)
        assert answer.status == 204, answer.body

    return grant


def as_reader(api, path, **headers):
    answer = api("GET", path, authorization="Bearer roleless", **headers)
    return answer.status, json.loads(answer.body)


CONTACTS = "contact_customer_accounts($select=firstname)"
PRIMARY = "primarycontactid($select=firstname)"


@pytest.mark.parametrize("expand", [CONTACTS, PRIMARY, "primarycontactid/$ref", "createdby($expand=businessunitid)"])
@pytest.mark.parametrize("row", [False, True])
def test_expanding_takes_read_on_the_expanded_table(api, ids, granted, expand, row):
    granted(prvReadAccount="Global", prvReadUser="Global")
    path = f"/accounts({ids['account']})" if row else "/accounts"
    status, body = as_reader(api, f"{path}?$select=name&$expand={expand}")
    assert status == 403
    missing = "prvReadBusinessUnit" if "businessunitid" in expand else "prvReadContact"
    assert missing in body["error"]["message"]
    assert as_reader(api, f"{path}?$select=name")[0] == 200


@pytest.mark.parametrize(("depth", "names"), [("Global", ["Ann", "Bob"]), ("Basic", [])])
@pytest.mark.parametrize("row", [False, True])
def test_only_records_that_the_caller_reads_are_expanded(api, ids, granted, depth, names, row):
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact=depth)
    path = f"/accounts({ids['account']})" if row else f"/accounts?$filter=accountid eq {ids['account']}"
    joint = "?" if row else "&"
    status, body = as_reader(api, f"{path}{joint}$select=name&$expand={PRIMARY},{CONTACTS}")
    assert status == 200
    account = body if row else body["value"][0]
    assert [contact["firstname"] for contact in account["contact_customer_accounts"]] == names
    assert (account["primarycontactid"] or {}).get("firstname") == (names[0] if names else None)


def test_a_hidden_record_counts_for_no_page_and_no_link(api, ids, granted):
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact="Basic", prvCreateContact="Basic")
    nested = "contact_customer_accounts($select=firstname;$expand=createdby($select=fullname))"
    path = f"/accounts?$select=name&$filter=accountid eq {ids['account']}&$expand={nested}"
    _, body = as_reader(api, path, prefer="odata.maxpagesize=1")
    assert body["value"][0]["contact_customer_accounts"] == []
    assert "contact_customer_accounts@odata.nextLink" not in body["value"][0]
    mine = {"ownerid@odata.bind": f"/systemusers({ids['user']})"}
    assert api("PATCH", f"/contacts({ids['Bob']})", mine).status == 204
    _, body = as_reader(api, path, prefer="odata.maxpagesize=1")
    assert [contact["firstname"] for contact in body["value"][0]["contact_customer_accounts"]] == ["Bob"]
    assert "contact_customer_accounts@odata.nextLink" in body["value"][0]


def test_what_is_nested_in_a_hidden_record_is_hidden_with_it(api, ids, granted):
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact="Basic")
    nested = "primarycontactid($select=firstname;$expand=parentcustomerid_account($select=name))"
    _, body = as_reader(api, f"/accounts({ids['account']})?$select=name&$expand={nested}")
    assert body["primarycontactid"] is None


def test_filters_inside_an_expansion_see_only_what_the_caller_reads(api, ids, granted):
    granted(prvReadAccount="Basic", prvReadUser="Global", prvReadContact="Global")
    path = "/contacts?$select=firstname&$orderby=firstname&$expand=parentcustomerid_account($select=name)"
    _, body = as_reader(api, path)
    assert [(row["firstname"], row["parentcustomerid_account"]) for row in body["value"]] == [
        ("Ann", None),
        ("Bob", None),
    ]
    inner = "lk_contactbase_createdby($select=firstname;$filter=parentcustomerid_account/name eq 'Contoso')"
    path = f"/systemusers?$select=fullname&$expand={inner}"
    assert not any(row["lk_contactbase_createdby"] for row in as_reader(api, path)[1]["value"])
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact="Global")
    assert sum(len(row["lk_contactbase_createdby"]) for row in as_reader(api, path)[1]["value"]) == 2
