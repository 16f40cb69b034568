"""GET on the Web API: HTTP in, HTTP out, over a real environment."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "00000000-0000-0000-0000-000000000001"


def header(answer, name):
    return next((value for key, value in answer.headers if key.lower() == name.lower()), None)


@pytest.fixture(scope="module")
def people(api):
    """Five contacts with two accounts, and what a test needs of their ids."""
    contoso = api.created("accounts", name="Contoso", revenue=20000.5, accountnumber="C1", creditonhold=True)
    fabrikam = api.created("accounts", name="Fabrikam", revenue=100, description="Fabrikam")
    ids = {"contoso": contoso, "fabrikam": fabrikam}
    for first, last, account in (
        ("Ann", "O'Neil", contoso),
        ("Bob", "Berg", contoso),
        ("Cid", "Ärger", contoso),
        ("Dan", "50%_[x]", fabrikam),
        ("Eve", None, fabrikam),
    ):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
        ids[first] = api.created("contacts", firstname=first, lastname=last, **bind)
    bound = {"primarycontactid@odata.bind": f"contacts({ids['Ann']})"}
    assert api("PATCH", f"/accounts({contoso})", bound).status == 204
    return ids


def first_names(answer):
    return [row["firstname"] for row in answer["value"]]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("firstname eq 'ann'", ["Ann"]),
        ("firstname ne 'Ann'", ["Bob", "Cid", "Dan", "Eve"]),
        ("firstname gt 'Bob' and firstname le 'Dan'", ["Cid", "Dan"]),
        ("'Bob' lt firstname and firstname lt 'Dan'", ["Cid"]),
        ("firstname eq 'Ann' or firstname eq 'Bob' and lastname eq 'nobody'", ["Ann"]),
        ("(firstname eq 'Ann' or firstname eq 'Bob') and lastname eq 'Berg'", ["Bob"]),
        ("not (firstname eq 'Ann' or firstname eq 'Bob')", ["Cid", "Dan", "Eve"]),
        ("contains(lastname,'erg')", ["Bob"]),
        ("startswith(lastname,'o''n')", ["Ann"]),
        ("endswith(lastname,'rg')", ["Bob"]),
        ("lastname eq 'arger'", ["Cid"]),
        ("lastname eq null", ["Eve"]),
        ("lastname ne null", ["Ann", "Bob", "Cid", "Dan"]),
        ("lastname gt null", []),
        ("firstname in ('Ann','Eve')", ["Ann", "Eve"]),
        ("Microsoft.Dynamics.CRM.In(PropertyName='firstname',PropertyValues=['Ann','Bob'])", ["Ann", "Bob"]),
        (
            'Microsoft.Dynamics.CRM.In(PropertyName=%40p1,PropertyValues=%40p2)&%40p1=%27firstname%27&%40p2=["Bob"]',
            ["Bob"],
        ),
        ("Microsoft.Dynamics.CRM.NotIn(PropertyName='firstname',PropertyValues=['Ann','Bob','Cid'])", ["Dan", "Eve"]),
        ("Microsoft.Dynamics.CRM.Between(PropertyName='firstname',PropertyValues=['B','D'])", ["Bob", "Cid"]),
        ("parentcustomerid_account/name eq 'Fabrikam'", ["Dan", "Eve"]),
        ("parentcustomerid_account/primarycontactid/firstname eq 'Ann'", ["Ann", "Bob", "Cid"]),
        ("parentcustomerid_account/name eq parentcustomerid_account/description", ["Dan", "Eve"]),
        ("contains(firstname,'a') eq true", ["Ann", "Dan"]),
        ("contains(firstname,'a') eq false", ["Bob", "Cid", "Eve"]),
        ("firstname eq @who&@who='Eve'", ["Eve"]),
        ("lastname eq @unassigned", ["Eve"]),
        ("statecode eq 0 and createdon gt 2020-01-01", ["Ann", "Bob", "Cid", "Dan", "Eve"]),
        ("createdon lt 2020-01-01T00:00:00Z", []),
        ("firstname eq 'Ann'+or+firstname eq 'Bob'", ["Ann", "Bob"]),
    ],
)
def test_a_filter_selects_the_rows_that_dataverse_would(api, people, condition, names):
    answer = api.json(f"/contacts?$select=firstname&$orderby=firstname&$filter={condition}")
    assert first_names(answer) == names


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("contact_customer_accounts/any(o:o/firstname eq 'Ann')", ["Contoso"]),
        ("contact_customer_accounts/any()", ["Contoso", "Fabrikam"]),
        ("contact_customer_accounts/all(o:o/firstname ne 'Ann')", ["Fabrikam"]),
        ("contact_customer_accounts/any(o:o/parentcustomerid_account/revenue gt 5000)", ["Contoso"]),
        ("not contact_customer_accounts/any(o:contains(o/firstname,'b') or o/lastname eq null)", []),
        ("contact_customer_accounts/any(o:o/firstname eq 'Bob') and name ne 'x'", ["Contoso"]),
        (
            "contact_customer_accounts/any(o:o/account_primary_contact/any(a:a/name eq 'Contoso'))",
            ["Contoso"],
        ),
    ],
)
def test_a_lambda_operator_looks_into_related_rows(api, people, condition, names):
    answer = api.json(f"/accounts?$select=name&$orderby=name&$filter={condition}")
    assert [row["name"] for row in answer["value"]] == names


def test_a_lambda_operator_looks_through_many_to_many_relationships(api, people):
    path = "/systemusers?$select=systemuserid&$filter=systemuserroles_association/any(r:r/name eq '{}')"
    assert len(api.json(path.format("System Administrator"))["value"]) == 1
    assert api.json(path.format("Delegate"))["value"] == []


@pytest.mark.parametrize("form", ["{}", "'{}'"])
def test_a_lookup_is_compared_with_a_bare_or_quoted_guid(api, people, form):
    wanted = form.format(people["fabrikam"])
    answer = api.json(f"/contacts?$select=firstname&$orderby=firstname&$filter=_parentcustomerid_value eq {wanted}")
    assert first_names(answer) == ["Dan", "Eve"]


@pytest.mark.parametrize(
    ("path", "status", "code", "text"),
    [
        ("/Account", 404, "0x80060888", "Resource not found for the segment 'Account'."),
        ("/accounts?$select=Name", 400, "0x80060888", "Could not find a property named 'Name' on type"),
        ("/accounts?$filter=Name eq 'x'", 400, "0x80060888", "Could not find a property named 'Name' on type"),
        ("/accounts?$filter=lastname eq 'O'Bryan'", 400, "0x80060888", "position 21 in 'lastname eq 'O'Bryan''"),
        ("/accounts?$filter=name eq 5", 400, "0x80060888", "'Edm.String' and 'Edm.Int32' for operator kind 'Equal'"),
        ("/accounts?$filter=revenue gt 'x'", 400, "0x80060888", "'Edm.Decimal' and 'Edm.String' for operator kind 'Gr"),
        ("/accounts?$filter=name", 400, "0x80060888", "must evaluate to a single boolean value"),
        ("/accounts?$filter=[1,2]", 400, "0x80060888", "must evaluate to a single boolean value"),
        ("/accounts?$filter=isof(name,Edm.String)", 400, "0x80060888", "must evaluate to a single boolean value"),
        ("/accounts?$filter=name eq {%22a%22:1}", 400, "0x80060888", "cannot be compared with an object in $filter"),
        ("/accounts?$filter=name eq cast(name,Edm.String)", 400, "0x80060888", "cannot be compared with a cast in"),
        ("/accounts?$filter=revenue add 1 eq 2", 400, "0x80060888", "needs a property on one side"),
        ("/accounts?$filter=tolower(name) eq 'x'", 400, "0x80060888", "A comparison in $filter needs a property"),
        ("/accounts?$filter=contact_customer_accounts/fullname eq 'x'", 400, "0x80060888", "is not a single value"),
        ("/accounts?$filter=contact_customer_accounts/any(o:fullname eq 'x')", 400, "0x80060888", "named 'fullname'"),
        ("/accounts?$filter=primarycontactid/any(o:o/fullname eq 'x')", 400, "0x80060888", "needs a collection-valued"),
        ("/accounts?$filter=Microsoft.Dynamics.CRM.Noon(PropertyName='createdon')", 400, "0x80060888", "CRM.Noon'"),
        (
            "/accounts?$filter=not Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['a'])",
            400,
            "0x80060888",
            "Not operator along with the Custom Named Condition operators is not allowed",
        ),
        ("/accounts?$orderby=nope", 400, "0x80060888", "Could not find a property named 'nope'"),
        ("/accounts?$skip=1", 400, "0x80060888", "Query option '$skip' is not allowed."),
        ("/accounts?$search=x", 400, "0x80060888", "'$search'"),
        ("/accounts?$format=json", 400, "0x80060888", "'$format'"),
        ("/accounts?$nope=1", 400, "0x80060888", "The query parameter '$nope' is not supported"),
        ("/accounts?$top=-1", 400, "0x80060888", ""),
        ("/accounts?fetchXml=x", 400, "0x80040201", "Invalid XML."),
        ("/accounts?savedQuery=x", 400, "0x80060888", "'Edm.Guid'"),
        ("/accounts?$skiptoken=nonsense", 400, "0x80040203", "Paging Cookie"),
        (f"/accounts({NOBODY})", 404, "0x80040217", f"With Id = {NOBODY} Does Not Exist"),
        (f"/accounts({NOBODY})?$filter=name eq 'x'", 400, "0x80060888", "'$filter' cannot be applied"),
        ("/accounts(1)", 400, "0x80060888", "Edm.Guid"),
        ("/accounts('x')", 400, "0x80060888", "Edm.Guid"),
        ("/accounts(name='x')", 400, "0x80060890", "not a defined key for the account entity"),
        ("/accounts(nope=1)", 400, "0x80060890", "not a defined key for the account entity"),
        (f"/accounts({NOBODY})/nope", 404, "0x80060888", "'nope'"),
        (f"/accounts({NOBODY})/contact_customer_accounts", 404, "0x80040217", "Does Not Exist"),
        ("/$batch", 405, "0x80060888", "'GET'"),
        ("/RetrieveNothing()", 404, "0x80060888", "'RetrieveNothing'"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_dataverses_words(api, path, status, code, text):
    found = api.error("GET", path)
    assert found[:2] == (status, code)
    assert text in found[2]


def test_a_collection_shows_the_selected_columns_in_order_and_the_key_last(api, people):
    answer = api.json("/accounts?$select=revenue,name&$orderby=name")
    assert answer["@odata.context"] == f"{ROOT}/$metadata#accounts(revenue,name)"
    names = ["@odata.etag", "revenue", "name", "_transactioncurrencyid_value", "accountid"]
    assert [list(row) for row in answer["value"]] == [names, names]
    assert "@odata.count" not in answer


def test_without_select_all_columns_come_and_nulls_are_shown(api, people):
    answer = api.json(f"/accounts({people['fabrikam']})")
    assert answer["@odata.context"] == f"{ROOT}/$metadata#accounts/$entity"
    assert answer["accountnumber"] is None
    assert answer["_primarycontactid_value"] is None


def test_money_keeps_its_four_digits(api, people):
    answer = api("GET", f"/accounts({people['contoso']})?$select=revenue")
    assert b'"revenue":20000.5000' in answer.body


def test_annotations_come_before_their_property(api, people):
    answer = api(
        "GET",
        f"/accounts({people['contoso']})?$select=revenue,creditonhold,_primarycontactid_value",
        Prefer='odata.include-annotations="*"',
    )
    row = json.loads(answer.body)
    assert [name for name in row if name.startswith("_primarycontactid_value")] == [
        "_primarycontactid_value@Microsoft.Dynamics.CRM.associatednavigationproperty",
        "_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
        "_primarycontactid_value@OData.Community.Display.V1.FormattedValue",
        "_primarycontactid_value",
    ]
    assert row["_primarycontactid_value@OData.Community.Display.V1.FormattedValue"] == "Ann O'Neil"
    assert row["revenue@OData.Community.Display.V1.FormattedValue"] == "$20,000.50"
    assert row["creditonhold@OData.Community.Display.V1.FormattedValue"] == "Yes"
    assert header(answer, "Preference-Applied") == 'odata.include-annotations="*"'


def test_the_count_ignores_the_page_and_its_annotations_say_minus_one_without_it(api, people):
    counted = api.json("/contacts?$select=firstname&$count=true", Prefer="odata.maxpagesize=2")
    assert counted["@odata.count"] == 5
    assert list(counted)[:2] == ["@odata.context", "@odata.count"]
    annotated = api.json("/contacts?$select=firstname", Prefer='odata.include-annotations="*"')
    assert annotated["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    assert annotated["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False


@pytest.mark.parametrize("order", ["", "&$orderby=lastname desc", "&$orderby=_parentcustomerid_value,lastname"])
def test_following_the_next_links_shows_every_row_once(api, people, order):
    path = f"/contacts?$select=firstname&$count=true{order}"
    seen = []
    pages = 0
    while path:
        answer = api.json(path, Prefer="odata.maxpagesize=2")
        seen += first_names(answer)
        link = answer.get("@odata.nextLink", "")
        assert "maxpagesize" not in link
        assert "$count" not in link
        path = link.removeprefix(ROOT)
        pages += 1
    assert pages == 3
    assert sorted(seen) == ["Ann", "Bob", "Cid", "Dan", "Eve"]
    expected = first_names(api.json(f"/contacts?$select=firstname{order}"))
    assert seen == expected


def test_the_next_link_carries_the_documented_cookie(api, people):
    link = api.json("/contacts?$select=firstname", Prefer="odata.maxpagesize=1")["@odata.nextLink"]
    prefix, _, token = link.partition("&$skiptoken=")
    assert prefix == f"{ROOT}/contacts?$select=firstname"
    assert token.startswith(
        "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253ccontactid"
        "%2520last%253d%2522%257b"
    )
    assert token.endswith("%257d%2522%2520%252f%253e%253c%252fcookie%253e%22%20istracking=%22False%22%20/%3E")
    inner = unquote(unquote(token)).partition('last="{')[2].partition("}")[0]
    assert inner == inner.upper()


def test_a_cookie_of_another_order_is_refused(api, people):
    link = api.json("/contacts?$select=firstname", Prefer="odata.maxpagesize=1")["@odata.nextLink"]
    path = link.removeprefix(ROOT).replace("?", "?$orderby=lastname&", 1)
    assert api.error("GET", path)[:2] == (400, "0x80041129")


def test_top_limits_the_answer_and_gives_no_next_link(api, people):
    answer = api.json("/contacts?$select=firstname&$orderby=firstname&$top=2")
    assert first_names(answer) == ["Ann", "Bob"]
    assert "@odata.nextLink" not in answer


def test_the_page_size_wins_over_top(api, people):
    answer = api.json("/contacts?$select=firstname&$top=2", Prefer="odata.maxpagesize=3")
    assert len(answer["value"]) == 3


def test_a_count_segment_answers_digits_after_a_byte_order_mark(api, people):
    answer = api("GET", "/contacts/$count?$filter=startswith(firstname,'A')")
    assert (answer.status, answer.body) == (200, b"\xef\xbb\xbf1")
    assert header(answer, "Content-Type") == "text/plain"
    assert api("GET", f"/accounts({people['contoso']})/contact_customer_accounts/$count").body == b"\xef\xbb\xbf3"


def test_a_row_with_a_known_version_is_not_sent_again(api, people):
    path = f"/accounts({people['fabrikam']})?$select=name"
    tag = header(api("GET", path), "ETag")
    again = api("GET", path, If_None_Match=tag)
    assert (again.status, again.body, header(again, "ETag")) == (304, b"", tag)
    assert api("GET", path, If_None_Match='W/"1"').status == 200
    assert api("GET", path, If_None_Match="null").status == 200
    assert api("GET", path, If_None_Match=tag, Prefer='odata.include-annotations="*"').status == 200


def test_navigation_properties_lead_to_rows_and_references(api, people):
    contoso = people["contoso"]
    one = api.json(f"/accounts({contoso})/primarycontactid?$select=fullname")
    assert one["@odata.context"] == f"{ROOT}/$metadata#contacts(fullname)/$entity"
    assert one["fullname"] == "Ann O'Neil"
    many = api.json(f"/accounts({contoso})/contact_customer_accounts?$select=firstname&$orderby=firstname")
    assert first_names(many) == ["Ann", "Bob", "Cid"]
    references = api.json(f"/accounts({contoso})/contact_customer_accounts/$ref")
    assert references["@odata.context"] == f"{ROOT}/$metadata#Collection($ref)"
    assert {"@odata.id": f"{ROOT}/contacts({people['Bob']})"} in references["value"]
    assert api("GET", f"/accounts({people['fabrikam']})/primarycontactid").status == 204


def test_a_property_is_read_alone(api, people):
    contoso = people["contoso"]
    answer = api.json(f"/accounts({contoso})/name")
    assert answer == {"@odata.context": f"{ROOT}/$metadata#accounts({contoso})/name", "value": "Contoso"}
    assert api("GET", f"/accounts({contoso})/name/$value").body == b"Contoso"
    assert api("GET", f"/accounts({people['fabrikam']})/accountnumber").status == 204


def test_answers_carry_the_headers_that_clients_read(api, people):
    answer = api("GET", "/accounts?$select=name")
    assert header(answer, "Content-Type") == "application/json; odata.metadata=minimal"
    assert header(answer, "OData-Version") == "4.0"
    assert header(answer, "Cache-Control") == "no-cache"
    assert header(answer, "REQ_ID") == header(answer, "x-ms-service-request-id")
    assert int(header(answer, "x-ms-dop-hint")) > 0
    assert header(answer, "x-ms-ratelimit-time-remaining-xrm-requests") == "1,200.00"


def test_urls_and_contexts_echo_the_version_of_the_request(api, people):
    older = type(api)(api.services, api.door, "/api/data/v9.0")
    assert older.json("/accounts?$select=name")["@odata.context"].startswith("https://org.test:8443/api/data/v9.0/")
    assert type(api)(api.services, api.door, "/api/data/v8.2").error("GET", "/accounts")[0] == 404


def test_ids_do_not_fill_the_memory_of_bound_queries(api, people):
    path = "/accounts({})?$select=accountnumber"
    before = len(api.services.row)
    api.json(path.format(people["contoso"]))
    api.json(path.format(people["fabrikam"]))
    assert len(api.services.row) == before + 1


def test_definitions_and_the_service_document_are_left_to_their_own_door(api):
    assert api("GET", "/").body == b""
    document = api("GET", "/$metadata")
    assert document.body == b"$metadata"
    assert header(document, "REQ_ID")
    assert header(document, "OData-Version") == "4.0"
    path = "/EntityDefinitions(LogicalName='account')/Attributes"
    assert api("GET", path).body == b"EntityDefinitions(LogicalName='account')/Attributes"


def test_a_managed_property_shows_its_value_and_whether_it_may_change(api):
    rows = api.json("/roles?$select=iscustomizable&$top=1")["value"]
    assert rows[0]["iscustomizable"] == {
        "Value": True,
        "CanBeChanged": True,
        "ManagedPropertyLogicalName": "iscustomizable",
    }
