"""Reads of the Organization Data Service: documents, paths, properties, counts, links, pages, both formats."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from lxml import etree
from organization_data import NOBODY, URL, V2Client, account, xml

from odata_server.endpoints.v2.organization_data import ROOT


def test_the_service_document_names_every_set(v2):
    sets = v2.data("/")["EntitySets"]
    assert {"AccountSet", "ContactSet", "TaskSet"} <= set(sets)
    answer = v2("GET", "", accept="")
    headers = dict(answer.headers)
    assert headers["Content-Type"] == "application/atomsvc+xml;charset=utf-8"
    assert headers["DataServiceVersion"] == "1.0;"
    assert xml(answer, "app:workspace/app:collection/@href") == sets


def test_every_set_is_answered_in_both_formats(v2):
    for name in v2.data("/")["EntitySets"]:
        entities = v2.results(f"/{name}?$top=1")
        feed = v2("GET", f"/{name}?$top=1", accept="")
        assert (feed.status, len(xml(feed, "a:entry"))) == (200, len(entities)), name


def test_metadata_is_edmx_of_version_one(v2):
    answer = v2("GET", "/$metadata")
    headers = dict(answer.headers)
    assert (headers["Content-Type"], headers["DataServiceVersion"]) == ("application/xml", "2.0;")
    assert "OData-Version" not in headers
    assert v2("GET", "/$metadata", if_none_match=headers["ETag"]).status == 304
    root = etree.fromstring(answer.body)
    assert root.get("Version") == "1.0"
    space = {"e": "http://schemas.microsoft.com/ado/2008/09/edm"}
    assert root.xpath("//e:EntityContainer/@Name", namespaces=space) == ["ContosoContext"]
    key = root.xpath("//e:EntityType[@Name='Account']/e:Key/e:PropertyRef/@Name", namespaces=space)
    assert key == ["AccountId"]
    types = {
        one.get("Name"): one.get("Type")
        for one in root.xpath("//e:EntityType[@Name='Account']/e:Property", namespaces=space)
    }
    assert types["AccountId"] == "Edm.Guid"
    assert types["CreatedOn"] == "Edm.DateTime"
    assert types["Revenue"] == "Microsoft.Crm.Sdk.Data.Services.Money"
    assert types["IndustryCode"] == "Microsoft.Crm.Sdk.Data.Services.OptionSetValue"
    assert types["PrimaryContactId"] == "Microsoft.Crm.Sdk.Data.Services.EntityReference"
    associations = set(root.xpath("//e:Association/@Name", namespaces=space))
    used = {name.rpartition(".")[2] for name in root.xpath("//e:NavigationProperty/@Relationship", namespaces=space)}
    in_sets = {name.rpartition(".")[2] for name in root.xpath("//e:AssociationSet/@Association", namespaces=space)}
    assert associations == used == in_sets


def test_both_ends_of_a_hierarchy_have_names_of_their_own(v2, people):
    child = v2.made("AccountSet", Name="Child", ParentAccountId={"Id": people["Litware"]})
    parent = v2.data(f"/AccountSet(guid'{child}')/Referencingaccount_parent_account")
    assert parent["Name"] == "Litware"
    assert v2.names(f"{account(people, 'Litware')}/Referencedaccount_parent_account") == ["Child"]


def test_an_entity_shows_every_kind_of_value(v2, people):
    found = v2.data(account(people))
    assert found["__metadata"]["uri"] == f"{URL}{account(people)}"
    assert found["__metadata"]["type"] == "Microsoft.Crm.Sdk.Data.Services.Account"
    assert found["Revenue"] == {
        "__metadata": {"type": "Microsoft.Crm.Sdk.Data.Services.Money"},
        "Value": "20000.5000",
    }
    assert found["PrimaryContactId"] == {
        "__metadata": {"type": "Microsoft.Crm.Sdk.Data.Services.EntityReference"},
        "Id": people["Ann"],
        "LogicalName": "contact",
        "Name": "Ann O'Neil",
        "RowVersion": None,
    }
    assert found["StateCode"]["Value"] == 0
    assert found["MarketCap"]["Value"] is None
    assert found["VersionNumber"].isdecimal()
    assert found["CreatedOn"].startswith("/Date(1")
    assert found["DoNotPhone"] is False
    deferred = found["contact_customer_accounts"]["__deferred"]["uri"]
    assert deferred == f"{URL}{account(people)}/contact_customer_accounts"


def test_an_entity_is_an_entry_of_atom(v2, people):
    answer = v2("GET", f"{account(people)}?$expand=account_primary_contact,contact_customer_accounts", accept="")
    assert dict(answer.headers)["Content-Type"] == "application/atom+xml;type=entry;charset=utf-8"
    assert xml(answer, "a:id/text()") == [f"{URL}{account(people)}"]
    assert xml(answer, "a:title/text()") == ["Contoso"]
    properties = "a:content/m:properties"
    assert xml(answer, f"{properties}/d:Revenue/d:Value/text()") == ["20000.5000"]
    assert xml(answer, f"{properties}/d:Revenue/@m:type") == ["Microsoft.Crm.Sdk.Data.Services.Money"]
    assert xml(answer, f"{properties}/d:Description/@m:null") == ["true"]
    assert xml(answer, f"{properties}/d:CreatedOn/text()")[0].endswith("Z")
    inline = "a:link[@title='{}']/m:inline//a:content/m:properties/d:FullName/text()"
    assert xml(answer, inline.format("account_primary_contact")) == ["Ann O'Neil"]
    assert sorted(xml(answer, inline.format("contact_customer_accounts"))) == ["Ann O'Neil", "Bob Berg", "Cid Arger"]
    assert "contact_customer_accounts" in xml(answer, "a:link[contains(@type,'feed')]/@title")


def test_a_collection_is_a_feed_of_atom(v2, people):
    answer = v2("GET", "/ContactSet?$inlinecount=allpages&$filter=startswith(FirstName,'B')", accept="*/*")
    assert dict(answer.headers)["Content-Type"] == "application/atom+xml;type=feed;charset=utf-8"
    assert xml(answer, "m:count/text()") == ["1"]
    assert xml(answer, "a:entry/a:id/text()") == [f"{URL}/ContactSet(guid'{people['Bob']}')"]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("Name", {"Name": "Contoso"}, "Contoso"),
        ("Name/", {"Name": "Contoso"}, None),
        ("Revenue/Value", {"Value": "20000.5000"}, "20000.5000"),
        ("PrimaryContactId/Name", {"Name": "Ann O'Neil"}, "Ann O'Neil"),
        ("StateCode/Value", {"Value": 0}, "0"),
        ("DoNotPhone", {"DoNotPhone": False}, "false"),
        ("account_primary_contact/FirstName", {"FirstName": "Ann"}, "Ann"),
    ],
)
def test_properties_and_their_values(v2, people, path, body, text):
    assert v2.data(f"{account(people)}/{path}") == body
    if text is not None:
        answer = v2("GET", f"{account(people)}/{path}/$value", accept="")
        assert (answer.status, answer.body.decode()) == (200, text)
        assert dict(answer.headers)["Content-Type"] == "text/plain;charset=utf-8"


def test_a_complex_property_in_both_formats(v2, people):
    assert v2.data(f"{account(people)}/Revenue")["Revenue"]["Value"] == "20000.5000"
    answer = v2("GET", f"{account(people)}/Revenue", accept="")
    assert xml(answer, "d:Value/text()") == ["20000.5000"]
    assert etree.fromstring(v2("GET", f"{account(people)}/Name", accept="").body).text == "Contoso"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/NoSet", 404),
        ("/AccountSet/NoProperty", 404),
        ("/AccountSet/Name", 400),
        (f"/AccountSet(guid'{NOBODY}')", 404),
        (f"/AccountSet(guid'{NOBODY}')/Name", 404),
        ("{account}/NoProperty", 404),
        ("{account}/Name/$value/x", 400),
        ("{account}/Description/$value", 404),
        ("{account}/Revenue/$value", 400),
        ("{account}/Revenue/Currency", 404),
        ("{account}/Revenue/Value/Value", 404),
        ("{account}/Name(1)", 404),
        ("{account}/$count", 404),
        ("{account}/$ref", 404),
        ("{account}/$links", 400),
        ("{account}/$links/Name", 404),
        ("{litware}/account_primary_contact", 404),
        ("{litware}/$links/account_primary_contact", 404),
        ("/AccountSet(guid'nonsense')", 400),
        ("/AccountSet('text')", 400),
        ("/AccountSet(Name='x')", 400),
        ("/AccountSet(1,2)", 400),
        ("/$crossjoin(AccountSet)", 404),
        ("/AccountSet/$links/x", 404),
    ],
)
def test_paths_to_nowhere(v2, people, path, status):
    path = path.format(account=account(people), litware=account(people, "Litware"))
    assert v2("GET", path).status == status


def test_keys_are_written_in_several_ways(v2, people):
    for key in (f"guid'{people['Contoso']}'", f"AccountId=guid'{people['Contoso'].upper()}'"):
        assert v2.data(f"/AccountSet({quote(key)})")["Name"] == "Contoso"
    assert len(v2.results("/AccountSet()?$top=2")) == 2


def test_counts(v2, people):
    answer = v2("GET", "/ContactSet/$count", accept="")
    assert answer.body == b"5"
    assert v2("GET", "/ContactSet/$count?$filter=NumberOfChildren%20eq%202").body == b"2"
    assert v2("GET", "/ContactSet/$count?$skip=1&$top=3").body == b"3"
    assert v2("GET", f"{account(people)}/contact_customer_accounts/$count").body == b"3"
    found = v2.data("/ContactSet?$inlinecount=allpages&$top=1&$skip=1&$select=FirstName")
    assert (found["__count"], len(found["results"])) == ("5", 1)
    assert "__count" not in v2.data("/ContactSet?$inlinecount=none&$top=1")


def test_links(v2, people):
    found = v2.data(f"{account(people)}/$links/contact_customer_accounts")["results"]
    assert {"uri": f"{URL}/ContactSet(guid'{people['Ann']}')"} in found
    single = v2.data(f"{account(people)}/$links/account_primary_contact")
    assert single == {"uri": f"{URL}/ContactSet(guid'{people['Ann']}')"}
    member = v2.data(f"{account(people)}/$links/contact_customer_accounts(guid'{people['Bob']}')")
    assert member == {"uri": f"{URL}/ContactSet(guid'{people['Bob']}')"}
    answer = v2("GET", f"{account(people)}/$links/contact_customer_accounts", accept="")
    assert len(xml(answer, "d:uri/text()")) == 3


def test_a_long_collection_comes_in_pages_of_fifty(v2):
    for number in range(120):
        v2.made("AccountSet", Name=f"Page {number:03}")
    path = "/AccountSet?$select=Name&$orderby=Name%20desc&$filter=startswith(Name,'Page')"
    seen = []
    url = f"{URL}{path}&$inlinecount=allpages"
    while url:
        page = v2.data(url.removeprefix(URL))
        assert page["__count"] == "120"
        seen += [one["Name"] for one in page["results"]]
        url = page.get("__next")
    assert seen == [f"Page {number:03}" for number in reversed(range(120))]
    first = v2.data(f"{path}&$top=70&$skip=10")
    second = v2.data(first["__next"].removeprefix(URL))
    names = [one["Name"] for one in first["results"] + second["results"]]
    assert names == [f"Page {number:03}" for number in range(109, 39, -1)]
    assert "__next" not in second
    assert xml(v2("GET", path, accept=""), "a:link[@rel='next']/@href")[0].startswith(f"{URL}/AccountSet?")


def test_an_entity_that_is_known_already_is_not_sent_again(v2, people):
    etag = v2.data(account(people))["__metadata"]["etag"]
    assert v2("GET", account(people), if_none_match=etag).status == 304
    assert v2("GET", account(people), if_none_match='W/"1"').status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"dataserviceversion": "2.0;NetFx"}, 200),
        ({"dataserviceversion": "1.0"}, 200),
        ({"dataserviceversion": "3.0"}, 400),
        ({"dataserviceversion": "two"}, 400),
        ({"maxdataserviceversion": "2.0;NetFx"}, 200),
        ({"maxdataserviceversion": "3.0"}, 200),
        ({"maxdataserviceversion": "1.0"}, 400),
        ({"maxdataserviceversion": "?"}, 400),
        ({"accept": "application/json;odata=verbose"}, 200),
        ({"accept": "application/atom+xml,application/xml"}, 200),
        ({"accept": "image/png"}, 415),
        ({"accept": "image/png, application/json;q=0.5"}, 200),
    ],
)
def test_versions_and_formats_that_are_agreed_on(v2, people, headers, status):
    assert v2("GET", "/AccountSet?$top=1", **headers).status == status


def test_a_single_entity_is_of_version_one(v2, people):
    answer = v2("GET", account(people), maxdataserviceversion="1.0")
    assert dict(answer.headers)["DataServiceVersion"] == "1.0;"


def test_the_option_format_wins_over_the_header(v2, people):
    assert v2.data("/AccountSet?$top=1&$format=json", accept="application/atom+xml")["results"]
    assert xml(v2("GET", "/AccountSet?$top=1&$format=atom"), "a:entry")
    assert v2("GET", "/AccountSet?$format=yaml").status == 415


def test_refusals_are_in_the_format_that_was_asked_for(v2):
    assert v2.error("GET", f"/AccountSet(guid'{NOBODY}')")[:2] == (404, "-2147220969")
    answer = v2("GET", f"/AccountSet(guid'{NOBODY}')", accept="")
    assert dict(answer.headers)["Content-Type"] == "application/xml;charset=utf-8"
    assert xml(answer, "m:code/text()") == ["-2147220969"]
    named = v2.error("GET", f"/AccountSet(guid'{NOBODY}')?$format=json", accept="")
    assert named[:2] == (404, "-2147220969")
    assert NOBODY in xml(answer, "m:message/text()")[0]


@pytest.mark.parametrize(("token", "status"), [("", 401), ("Bearer expired", 401), ("Bearer stranger", 403)])
def test_who_is_no_member_is_refused(v2, token, status):
    assert v2("GET", "/AccountSet", authorization=token).status == status


def test_a_caller_without_the_privilege_is_refused(v2):
    status, code, _ = v2.error("GET", "/AccountSet", authorization="Bearer roleless")
    assert (status, int(code) < 0) == (403, True)


def test_the_path_is_read_in_any_case(v2, people):
    lower = V2Client(v2.services, ROOT.lower())
    found = lower.data(account(people))
    assert found["__metadata"]["uri"] == f"https://org.test:8443{ROOT.lower()}{account(people)}"
