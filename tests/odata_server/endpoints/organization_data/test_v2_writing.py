"""Writes of the Organization Data Service: bodies in both formats, links, batches, and what is refused."""

from __future__ import annotations

import json
import re

import pytest
from lxml import etree
from organization_data import NOBODY, URL, changes, part
from things import dump

ATOM = {"content_type": "application/atom+xml"}
ENTRY = (
    '<entry xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" '
    'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">{links}<content type="application/xml">'
    "<m:properties>{properties}</m:properties></content></entry>"
)


def entry(properties, links=""):
    return ENTRY.format(properties=properties, links=links).encode()


def reference(identifier, table="contact"):
    return {"Id": identifier, "LogicalName": table}


@pytest.fixture(scope="module")
def shop(v2):
    """An account with a contact."""
    account = v2.made("AccountSet", Name="Shop", Description="old", NumberOfEmployees=3)
    contact = v2.made("ContactSet", LastName="Keeper", ParentCustomerId=reference(account, "account"))
    return account, contact


def at(identifier, entity_set="AccountSet"):
    return f"/{entity_set}(guid'{identifier}')"


def test_a_created_entity_is_answered_with_its_url(v2):
    answer = v2("POST", "/AccountSet", {"Name": "New", "Revenue": {"Value": "12.5"}, "IndustryCode": {"Value": 1}})
    made = json.loads(answer.body)["d"]
    assert (answer.status, dict(answer.headers)["Location"]) == (201, made["__metadata"]["uri"])
    assert (made["Name"], made["Revenue"]["Value"], made["IndustryCode"]["Value"]) == ("New", "12.5000", 1)


def test_the_documented_creation_and_update(v2, shop):
    """Learn: "Do not use the OData v2.0 endpoint", create and update records."""
    body = {
        "OwnershipCode": {"Value": 2},
        "PrimaryContactId": {"Id": shop[1], "LogicalName": "contact"},
        "CustomerSizeCode": {"Value": 1},
        "Telephone1": "555-1234",
        "NumberOfEmployees": 500,
        "Name": "Contoso, Ltd. (sample)",
        "AccountNumber": "12225",
        "DoNotPhone": True,
        "IndustryCode": {"Value": 7},
    }
    made = json.loads(v2.done("POST", "/AccountSet", body).body)["d"]
    assert {name: made[name] for name in ("Telephone1", "DoNotPhone")} == {"Telephone1": "555-1234", "DoNotPhone": True}
    changed = {"OwnershipCode": {"Value": 3}, "PrimaryContactId": {"Id": shop[1]}, "NumberOfEmployees": 501}
    answer = v2("POST", at(made["AccountId"]), changed, x_http_method="MERGE")
    assert (answer.status, answer.body) == (204, b"")
    found = v2.data(f"{at(made['AccountId'])}?$select=OwnershipCode,PrimaryContactId,NumberOfEmployees")
    assert (found["OwnershipCode"]["Value"], found["PrimaryContactId"]["Name"]) == (3, "Keeper")
    assert found["NumberOfEmployees"] == 501


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("NumberOfEmployees", 7, 7),
        ("Address1_Latitude", 1.5, 1.5),
        ("Address1_Latitude", "1.5", 1.5),
        ("DoNotPhone", True, True),
        ("LastUsedInCampaign", "/Date(86400000)/", "/Date(86400000)/"),
        ("LastUsedInCampaign", "/Date(86400000+0120)/", "/Date(86400000)/"),
        ("LastUsedInCampaign", "1970-01-02T00:00:00", "/Date(86400000)/"),
        ("LastUsedInCampaign", "1970-01-02", "/Date(86400000)/"),
        ("LastUsedInCampaign", "1/2/1970", "/Date(86400000)/"),
        ("LastUsedInCampaign", "1/1/1970 12:30 PM", "/Date(45000000)/"),
        ("LastUsedInCampaign", "01/01/1970 12:00:01 am", "/Date(1000)/"),
        ("Description", "<&>\n", "<&>\n"),
        ("Description", None, None),
    ],
)
def test_values_of_every_kind_are_taken(v2, name, given, shown):
    made = v2.made("AccountSet", Name="Values")
    v2.done("MERGE", at(made), {name: given})
    assert v2.data(f"{at(made)}/{name}") == {name: shown}


def test_related_entities_are_made_and_bound_with_a_new_one(v2, shop):
    made = v2.made(
        "AccountSet",
        Name="Deep",
        account_primary_contact={"FirstName": "Deep", "LastName": "One"},
        Referencingaccount_parent_account={"__metadata": {"uri": f"{URL}{at(shop[0])}"}},
        contact_customer_accounts={
            "results": [{"LastName": "Two"}, {"__metadata": {"uri": at(shop[1], "ContactSet")}}]
        },
    )
    found = v2.data(f"{at(made)}?$expand=contact_customer_accounts")
    assert (found["PrimaryContactId"]["Name"], found["ParentAccountId"]["Name"]) == ("Deep One", "Shop")
    assert sorted(one["LastName"] for one in found["contact_customer_accounts"]["results"]) == ["Keeper", "Two"]
    v2.done("MERGE", at(shop[1], "ContactSet"), {"ParentCustomerId": reference(shop[0], "account")})


@pytest.mark.parametrize(("method", "headers"), [("MERGE", {}), ("PATCH", {}), ("POST", {"x_http_method": "MERGE"})])
def test_a_merge_changes_what_it_names(v2, shop, method, headers):
    answer = v2(method, at(shop[0]), {"Description": f"{method}{headers}"}, **headers)
    assert (answer.status, answer.body) == (204, b"")
    found = v2.data(at(shop[0]))
    assert (found["Description"], found["NumberOfEmployees"]) == (f"{method}{headers}", 3)


def test_lookups_are_set_and_cleared(v2, shop):
    v2.done("MERGE", at(shop[0]), {"PrimaryContactId": {"__metadata": {"type": "x"}, **reference(shop[1])}})
    assert v2.data(f"{at(shop[0])}/PrimaryContactId/Name") == {"Name": "Keeper"}
    v2.done("MERGE", at(shop[0]), {"PrimaryContactId": {"Id": None, "LogicalName": None}})
    assert v2.data(f"{at(shop[0])}/PrimaryContactId/Id") == {"Id": None}
    v2.done("MERGE", at(shop[0]), {"account_primary_contact": {"__metadata": {"uri": at(shop[1], "ContactSet")}}})
    v2.done("MERGE", at(shop[0]), {"PrimaryContactId": None})
    assert v2.data(f"{at(shop[0])}/PrimaryContactId/Id") == {"Id": None}


def test_a_replacement_sets_back_what_it_does_not_name(v2, shop):
    made = v2.made("AccountSet", Name="Old", Description="x", DoNotPhone=True, PrimaryContactId=reference(shop[1]))
    v2.done("PUT", at(made), {"Name": "New"})
    found = v2.data(at(made))
    assert (found["Name"], found["Description"], found["DoNotPhone"]) == ("New", None, False)
    assert found["PrimaryContactId"]["Id"] == shop[1]


def test_single_properties_are_changed_and_cleared(v2, shop):
    v2.done("PUT", f"{at(shop[0])}/Description", {"Description": "one"})
    assert v2.data(f"{at(shop[0])}/Description") == {"Description": "one"}
    body = b'<Description xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices">two</Description>'
    v2.done("MERGE", f"{at(shop[0])}/Description", body, content_type="application/xml")
    assert v2.data(f"{at(shop[0])}/Description") == {"Description": "two"}
    v2.done("DELETE", f"{at(shop[0])}/Description/$value")
    assert v2.data(f"{at(shop[0])}/Description") == {"Description": None}


def test_an_entity_behind_a_lookup_is_changed_by_its_path(v2, shop):
    v2.done("MERGE", f"{at(shop[1], 'ContactSet')}/contact_customer_accounts", {"NumberOfEmployees": 4})
    assert v2.data(f"{at(shop[0])}/NumberOfEmployees") == {"NumberOfEmployees": 4}
    v2.done("MERGE", at(shop[0]), {"NumberOfEmployees": 3})


def test_a_new_entity_behind_a_collection_belongs_to_its_owner(v2, shop):
    made = v2("POST", f"{at(shop[0])}/contact_customer_accounts", {"LastName": "Added"})
    assert made.status == 201
    assert json.loads(made.body)["d"]["ParentCustomerId"]["Id"] == shop[0]


def test_entity_tags_guard_changes(v2):
    made = v2.made("AccountSet", Name="Tagged")
    etag = v2.data(at(made))["__metadata"]["etag"]
    v2.done("MERGE", at(made), {"Name": "Once"}, if_match=etag)
    assert v2.error("MERGE", at(made), {"Name": "Twice"}, if_match=etag)[0] == 412
    assert v2.error("DELETE", at(made), if_match=etag)[0] == 412
    v2.done("DELETE", at(made), if_match="*")
    assert v2("GET", at(made)).status == 404


@pytest.mark.parametrize(("method", "headers"), [("DELETE", {}), ("POST", {"x_http_method": "DELETE"})])
def test_deleted_entities_are_gone(v2, method, headers):
    made = v2.made("AccountSet", Name="Gone")
    assert v2(method, at(made), **headers).status == 204
    assert v2(method, at(made), **headers).status == 404


def test_links_are_added_and_removed(v2, shop):
    other = v2.made("ContactSet", LastName="Linked")
    links = f"{at(shop[0])}/$links"
    v2.done("POST", f"{links}/contact_customer_accounts", {"uri": f"{URL}{at(other, 'ContactSet')}"})
    assert v2.data(f"{at(other, 'ContactSet')}/ParentCustomerId/Id") == {"Id": shop[0]}
    v2.done("DELETE", f"{links}/contact_customer_accounts(guid'{other}')")
    assert v2.data(f"{at(other, 'ContactSet')}/ParentCustomerId/Id") == {"Id": None}
    for method in ("PUT", "POST"):
        v2.done(method, f"{links}/account_primary_contact", {"uri": at(other, "ContactSet")})
        assert v2.data(f"{at(shop[0])}/PrimaryContactId/Id") == {"Id": other}
        v2.done("DELETE", f"{links}/account_primary_contact")
        assert v2.data(f"{at(shop[0])}/PrimaryContactId/Id") == {"Id": None}
    body = f'<uri xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices">{URL}{at(other, "ContactSet")}</uri>'
    v2.done("PUT", f"{links}/account_primary_contact", body.encode(), content_type="application/xml")
    assert v2.data(f"{at(shop[0])}/PrimaryContactId/Id") == {"Id": other}


def test_many_to_many_links_have_two_ends(v2):
    role = v2.results("/RoleSet?$top=1&$select=RoleId")[0]["RoleId"]
    unit = v2.results("/BusinessUnitSet?$top=1&$select=BusinessUnitId")[0]["BusinessUnitId"]
    user = v2.results("/SystemUserSet?$top=1&$select=SystemUserId")[0]["SystemUserId"]
    owner = {"BusinessUnitId": reference(unit, "businessunit"), "AdministratorId": reference(user, "systemuser")}
    team = v2.made("TeamSet", Name="Team", **owner)
    v2.done("POST", f"{at(team, 'TeamSet')}/$links/teamroles_association", {"uri": at(role, "RoleSet")})
    assert v2.names(f"{at(role, 'RoleSet')}/teamroles_association") == ["Team"]
    v2.done("DELETE", f"{at(role, 'RoleSet')}/$links/teamroles_association(guid'{team}')")
    assert v2.results(f"{at(team, 'TeamSet')}/teamroles_association") == []


def test_an_entry_of_atom_is_created_and_merged(v2, shop):
    properties = (
        "<d:Name>By Atom &amp; co</d:Name><d:NumberOfEmployees m:type='Edm.Int32'>7</d:NumberOfEmployees>"
        "<d:DoNotPhone m:type='Edm.Boolean'>true</d:DoNotPhone><d:Description m:null='true'/>"
        "<d:Revenue m:type='Microsoft.Crm.Sdk.Data.Services.Money'><d:Value m:type='Edm.Decimal'>5.25</d:Value>"
        "</d:Revenue>"
    )
    related = "http://schemas.microsoft.com/ado/2007/08/dataservices/related/"
    links = (
        f'<link rel="{related}account_primary_contact" href="{URL}{at(shop[1], "ContactSet")}"/>'
        f'<link rel="{related}contact_customer_accounts"><m:inline><feed>'
        f"{entry('<d:LastName>Inline</d:LastName>').decode()}</feed></m:inline></link>"
    )
    answer = v2("POST", "/AccountSet", entry(properties, links), **ATOM)
    made = json.loads(answer.body)["d"]
    assert (answer.status, made["Name"], made["NumberOfEmployees"]) == (201, "By Atom & co", 7)
    assert (made["DoNotPhone"], made["Revenue"]["Value"]) == (True, "5.2500")
    assert made["PrimaryContactId"]["Name"] == "Keeper"
    children = v2.names(f"{at(made['AccountId'])}/contact_customer_accounts", "LastName")
    assert children == ["Inline"]
    v2.done("MERGE", at(made["AccountId"]), entry("<d:Name>Merged</d:Name>"), **ATOM)
    assert v2.data(f"{at(made['AccountId'])}/Name") == {"Name": "Merged"}


def test_what_the_service_sends_it_takes_back(v2, shop):
    sent = v2("GET", f"{at(shop[0])}?$select=Name,NumberOfEmployees,Revenue,PrimaryContactId", accept="")
    assert v2("MERGE", at(shop[0]), sent.body, **ATOM).status == 204
    whole = v2.data(at(shop[0]))
    kept = {name: value for name, value in whole.items() if name not in {"StateCode", "StatusCode"}}
    assert v2("MERGE", at(shop[0]), kept).status == 204
    assert v2("MERGE", at(shop[0]), {"d": {"Name": "Shop"}}).status == 204


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/AccountSet", b"", 400),
        ("POST", "/AccountSet", b"[]", 400),
        ("POST", "/AccountSet", b"{", 400),
        ("POST", "/AccountSet", {"Nope": 1}, 400),
        ("POST", "/AccountSet", {"Name": 5}, 400),
        ("POST", "/AccountSet", {"NumberOfEmployees": "many"}, 400),
        ("POST", "/AccountSet", {"Revenue": {"Amount": 1}}, 400),
        ("POST", "/AccountSet", {"Revenue": {"Value": "much"}}, 400),
        ("POST", "/AccountSet", {"IndustryCode": {"Value": 99999}}, 400),
        ("POST", "/AccountSet", {"LastUsedInCampaign": "/Date(99999999999999999)/"}, 400),
        ("POST", "/AccountSet", {"LastUsedInCampaign": "/Date(9999999999999999)/"}, 400),
        ("MERGE", "{account}", {"LastUsedInCampaign": "13/32/2022"}, 400),
        ("POST", "/AccountSet", {"PrimaryContactId": "x"}, 400),
        ("POST", "/AccountSet", {"PrimaryContactId": {"Id": "x"}}, 400),
        ("POST", "/AccountSet", {"PrimaryContactId": {"Id": NOBODY, "LogicalName": "account"}}, 400),
        ("POST", "/AccountSet", {"PrimaryContactId": {"Id": NOBODY}}, 404),
        ("POST", "/AccountSet", {"StateCode": {"Value": 1}}, 400),
        ("POST", "/AccountSet", {"__metadata": {"type": "Microsoft.Crm.Sdk.Data.Services.Contact"}}, 400),
        ("POST", "/AccountSet", {"__metadata": []}, 400),
        ("POST", "/AccountSet", {"account_primary_contact": []}, 400),
        ("POST", "/AccountSet", {"account_primary_contact": {"Nope": 1}}, 400),
        ("POST", "/AccountSet", {"contact_customer_accounts": 1}, 400),
        ("POST", "/AccountSet", {"contact_customer_accounts": [1]}, 400),
        ("POST", "/AccountSet", {"account_primary_contact": {"__metadata": {"uri": "https://else.test/x"}}}, 400),
        ("POST", "/AccountSet", {"account_primary_contact": {"__metadata": {"uri": "$1"}}}, 400),
        ("POST", "/AccountSet?$select=Name", {"Name": "x"}, 400),
        ("POST", "{account}", {"Name": "x"}, 405),
        ("MERGE", "/AccountSet", {"Name": "x"}, 405),
        ("BREW", "{account}", None, 405),
        ("MERGE", "{account}", {"contact_customer_accounts": [{"LastName": "x"}]}, 400),
        ("MERGE", "{account}", {"StatusCode": {"Value": 2}}, 400),
        ("MERGE", f"/AccountSet(guid'{NOBODY}')", {"Name": "x"}, 404),
        ("PUT", f"/AccountSet(guid'{NOBODY}')", {"Name": "x"}, 404),
        ("PUT", "{account}/Name", {"Description": "x"}, 400),
        ("PUT", "{account}/Name/$value", {"Name": "x"}, 400),
        ("PUT", "{account}/PrimaryContactId/Id", {"Id": NOBODY}, 400),
        ("PUT", "{account}/CreatedOn", {"CreatedOn": None}, 400),
        ("DELETE", "{account}/Name", None, 400),
        ("DELETE", "/AccountSet/$count", None, 405),
        ("POST", "{account}/$links/contact_customer_accounts", {"url": "x"}, 400),
        ("POST", "{account}/$links/contact_customer_accounts", {"uri": "/AccountSet"}, 400),
        ("POST", "{account}/$links/contact_customer_accounts", {"uri": f"/NoSet(guid'{NOBODY}')"}, 404),
        ("POST", "{account}/$links/contact_customer_accounts", {"uri": f"/ContactSet(guid'{NOBODY}')"}, 404),
        ("POST", "{account}/$links/contact_customer_accounts", {"uri": f"/AccountSet(guid'{NOBODY}')"}, 400),
        ("POST", "{account}/$links/contact_customer_accounts", {"uri": "/ContactSet(guid'1')"}, 400),
        ("DELETE", "{account}/$links/contact_customer_accounts", None, 400),
        ("POST", "/", None, 405),
        ("POST", "/$metadata", None, 405),
        ("GET", "/$batch", None, 405),
    ],
)
def test_what_is_refused_changes_nothing(v2, shop, method, path, body, status):
    before = dump(v2.services.dataverse.database)
    assert v2.error(method, path.format(account=at(shop[0])), body)[0] == status
    assert dump(v2.services.dataverse.database) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<entry/>",
        b"<entry",
        b'<!DOCTYPE x [<!ENTITY y "z">]><entry xmlns="http://www.w3.org/2005/Atom"/>',
        b'<?xml version="1.0" encoding="utf-99"?><entry xmlns="http://www.w3.org/2005/Atom"/>',
        b'<a xmlns="http://www.w3.org/2005/Atom">' * 70,
        entry("<d:Nope>1</d:Nope>"),
        entry("<d:NumberOfEmployees m:type='Edm.Int32'>many</d:NumberOfEmployees>"),
        entry("<d:Name><d:x/></d:Name>"),
    ],
)
def test_entries_that_are_refused(v2, body):
    assert v2.error("POST", "/AccountSet", body, **ATOM)[0] == 400


def test_headers_that_are_refused(v2, shop):
    assert v2.error("POST", "/AccountSet", {"Name": "x"}, content_type="text/csv")[0] == 415
    assert v2.error("POST", at(shop[0]), {}, x_http_method="BREW")[0] == 405
    assert v2.error("MERGE", at(shop[0]), {}, if_match="nonsense")[0] == 400


def test_a_caller_without_the_privilege_changes_nothing(v2, shop):
    before = dump(v2.services.dataverse.database)
    for method, path in (("POST", "/AccountSet"), ("MERGE", at(shop[0])), ("DELETE", at(shop[0]))):
        assert v2.error(method, path, {"Name": "x"}, authorization="Bearer roleless")[0] == 403
    assert dump(v2.services.dataverse.database) == before


def batch(v2, *parts):
    body = "".join(f"--b\r\n{one}" for one in parts) + "--b--"
    answer = v2("POST", "/$batch", f"\r\n{body}".encode(), content_type="multipart/mixed;boundary=b")
    assert dict(answer.headers)["Content-Type"].startswith("multipart/mixed; boundary=batchresponse_")
    return answer.status, [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", answer.body)], answer.body


def test_a_batch_answers_each_request(v2, shop):
    status, parts, body = batch(
        v2,
        part("GET", "AccountSet?%24top=1&%24filter=Name+eq+%27Shop%27"),
        part("GET", f"{URL}/AccountSet(guid'{NOBODY}')"),
        part("GET", f"AccountSet%28guid%27{shop[0]}%27%29/Name"),
    )
    assert (status, parts) == (202, [200, 404, 200])
    assert b'{"d":{"Name":"Shop"}}' in body


def test_a_change_set_refers_to_what_it_made(v2):
    status, parts, body = batch(
        v2,
        changes(
            part("POST", "AccountSet", {"Name": "First"}, "1"),
            part("POST", "$1/contact_customer_accounts", {"LastName": "Second"}, "2"),
            part("MERGE", "$1", {"account_primary_contact": {"__metadata": {"uri": "$2"}}}),
            part(
                "POST", "ContactSet", {"LastName": "Third", "contact_customer_accounts": {"__metadata": {"uri": "$1"}}}
            ),
        ),
    )
    assert (status, parts) == (202, [201, 201, 204, 201])
    assert b"--changesetresponse_" in body
    found = v2.results("/AccountSet?$filter=Name%20eq%20'First'&$expand=contact_customer_accounts")[0]
    assert found["PrimaryContactId"]["Name"] == "Second"
    assert sorted(one["LastName"] for one in found["contact_customer_accounts"]["results"]) == ["Second", "Third"]


def test_a_change_set_that_fails_changes_nothing(v2):
    before = dump(v2.services.dataverse.database)
    status, parts, _ = batch(
        v2,
        changes(
            part("POST", "AccountSet", {"Name": "Taken back"}),
            part("MERGE", f"AccountSet(guid'{NOBODY}')", {"Name": "Nobody"}),
        ),
        part("GET", "AccountSet/$count"),
    )
    assert (status, parts) == (202, [404, 200])
    assert dump(v2.services.dataverse.database) == before


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/mixed"])
def test_a_batch_that_cannot_be_read_is_refused(v2, content_type):
    assert v2.error("POST", "/$batch", b"--b--", content_type=content_type)[0] == 400


def test_refusals_of_atom_clients_are_xml(v2):
    answer = v2("POST", "/AccountSet", entry("<d:Nope>1</d:Nope>"), accept="", **ATOM)
    assert answer.status == 400
    assert etree.fromstring(answer.body).tag.endswith("}error")
