"""Query options row by row: contexts, what comes along, aliases, orders, and the documented refusals, word for word."""

from __future__ import annotations

import pytest

ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "00000000-0000-0000-0000-000000000001"


@pytest.fixture(scope="module")
def ids(api):
    """Two accounts: one with a primary contact, revenue and a task, one without anything."""
    contoso = api.created("accounts", name="Contoso", revenue=20000.5, address1_city="Delft", numberofemployees=2)
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({contoso})"}
    ann = api.created("contacts", firstname="Ann", lastname="O'Neil", **bind)
    api("PATCH", f"/accounts({contoso})", {"primarycontactid@odata.bind": f"contacts({ann})"})
    api.created("accounts", name="Acme", description="Acme", numberofemployees=1)
    api.created("tasks", subject="t", **{"regardingobjectid_account_task@odata.bind": f"/accounts({contoso})"})
    return {"contoso": contoso, "ann": ann}


@pytest.mark.parametrize(
    ("path", "context"),
    [
        ("accounts?$select=name,revenue", "accounts(name,revenue)"),
        ("accounts", "accounts"),
        ("accounts?$select=*", "accounts"),
        ("accounts({contoso})?$select=name", "accounts(name)/$entity"),
        ("accounts({contoso})", "accounts/$entity"),
        (
            "accounts?$select=name&$expand=primarycontactid($select=fullname),Account_Tasks($select=subject)",
            "accounts(name,primarycontactid(fullname),Account_Tasks(subject))",
        ),
        ("accounts({contoso})/primarycontactid?$select=fullname", "contacts(fullname)/$entity"),
        ("accounts({contoso})/contact_customer_accounts?$select=fullname", "contacts(fullname)"),
        ("accounts({contoso})/name", "accounts({contoso})/name"),
        ("accounts({contoso})/contact_customer_accounts/$ref", "Collection($ref)"),
        ("WhoAmI", "Microsoft.Dynamics.CRM.WhoAmIResponse"),
        ("accounts?$apply=groupby((name))", "accounts"),
    ],
)
def test_the_context_says_what_was_chosen(api, ids, path, context):
    assert api.json("/" + path.format(**ids))["@odata.context"] == f"{ROOT}/$metadata#{context.format(**ids)}"


@pytest.mark.parametrize(
    ("selected", "members"),
    [
        ("name", ["name", "accountid"]),
        ("accountid", ["accountid"]),
        ("revenue", ["revenue", "_transactioncurrencyid_value", "accountid"]),
        ("address1_city", ["address1_city", "address1_composite", "accountid"]),
        ("_primarycontactid_value,name", ["_primarycontactid_value", "name", "accountid"]),
        ("_ownerid_value", ["_ownerid_value", "accountid"]),
    ],
)
def test_what_was_not_selected_may_come_along(api, ids, selected, members):
    (row,) = api.json(f"/accounts?$select={selected}&$filter=name eq 'Contoso'")["value"]
    assert list(row) == ["@odata.etag", *members]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("$orderby=@p1 asc&@p1=numberofemployees", ["Acme", "Contoso"]),
        ("$orderby=@p1 desc&@p1=numberofemployees", ["Contoso", "Acme"]),
        ("$orderby=name desc&$filter=@p1 eq @p2&@p1=name&@p2='acme'", ["Acme"]),
        ("$filter=name eq @unassigned", []),
        ("$filter=description eq @unassigned", ["Contoso"]),
        # Nulls are lowest.
        ("$orderby=revenue", ["Acme", "Contoso"]),
        ("$orderby=revenue desc", ["Contoso", "Acme"]),
        ("$orderby=description,name", ["Contoso", "Acme"]),
        ("$orderby=_primarycontactid_value", ["Acme", "Contoso"]),
        ("$orderby=primarycontactid/fullname desc", ["Contoso", "Acme"]),
        # Columns of one row compare where their types match; numbers do.
        ("$filter=name eq description", ["Acme"]),
        ("$filter=revenue gt numberofemployees", ["Contoso"]),
        ("$filter=createdon le modifiedon&$orderby=name", ["Acme", "Contoso"]),
        ("$filter=primarycontactid/fullname eq 'ann o''neil'", ["Contoso"]),
        ("$filter=primarycontactid/createdby/fullname ne null", ["Contoso"]),
        ("$filter=primarycontactid eq null", ["Acme"]),
        ("$filter=contact_customer_accounts/any(o:o/lastname eq 'O''Neil')", ["Contoso"]),
        ("tag=x&partitionId=y&api-version=9.2&$orderby=name", ["Acme", "Contoso"]),
    ],
)
def test_an_option_selects_and_sorts(api, ids, query, names):
    assert [row["name"] for row in api.json(f"/accounts?$select=name&{query}")["value"]] == names


APOSTROPHE = (
    "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two elements in an array and properties "
    "of an object must be separated by commas."
)
IN = "Microsoft.Dynamics.CRM.In(PropertyName='lastname',PropertyValues={})"
NESTED = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
    "one-to-many relationship."
)
TYPES = (
    "A binary operator with incompatible types was detected. Found operand types '{}' and '{}' for operator kind '{}'."
)


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("Account", 404, "0x80060888", "Resource not found for the segment 'Account'."),
        (
            "accounts?$select=Name",
            400,
            "0x80060888",
            "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'.",
        ),
        (
            "accounts?$filter=Name eq 'x'",
            400,
            "0x80060888",
            "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'.",
        ),
        (
            "accounts?$select=ownerid",
            400,
            "0x80060888",
            "Could not find a property named 'ownerid' on type 'Microsoft.Dynamics.CRM.account'.",
        ),
        (
            "contacts?$filter=lastname eq 'O'Bryan'",
            400,
            "0x80060888",
            "There is an unterminated literal at position 21 in 'lastname eq 'O'Bryan''.",
        ),
        ("contacts?$filter=" + IN.format("['O'Brian','x']"), 400, "0x80060888", APOSTROPHE),
        (f"contacts?$filter={IN.format('@p')}&@p=['O'Brian','x']", 400, "0x80060888", APOSTROPHE),
        (
            "contacts?$filter=not " + IN.format("['x']"),
            400,
            "0x80060888",
            "Not operator along with the Custom Named Condition operators is not allowed",
        ),
        (
            "contacts?$filter=firstname eq createdon",
            400,
            "0x80060888",
            TYPES.format("Edm.String", "Edm.DateTimeOffset", "Equal"),
        ),
        (
            "accounts?$filter=revenue gt createdon",
            400,
            "0x80060888",
            TYPES.format("Edm.Decimal", "Edm.DateTimeOffset", "GreaterThan"),
        ),
        (
            "accounts?$expand=contact_customer_accounts/$ref",
            400,
            "0x80060888",
            "Expand with $ref is only supported on lookup type navigation property.",
        ),
        ("accounts?$expand=contact_customer_accounts($top=1;$expand=createdby)", 400, "0x80060888", NESTED),
        (
            "accounts?$apply=groupby((name),aggregate($count as n))&$orderby=n",
            400,
            "0x80060888",
            "The query node SingleValueOpenPropertyAccess is not supported",
        ),
        (f"accounts({NOBODY})", 404, "0x80040217", f"Entity 'account' With Id = {NOBODY} Does Not Exist"),
        (f"accounts({NOBODY})/name", 404, "0x80040217", f"Entity 'account' With Id = {NOBODY} Does Not Exist"),
        (
            "accounts(name='x')",
            400,
            "0x80060890",
            "The specified key attributes are not a defined key for the account entity",
        ),
    ],
)
def test_a_documented_refusal_is_said_word_for_word(api, ids, path, status, code, message):
    assert api.error("GET", f"/{path}") == (status, code, message)


@pytest.mark.parametrize(
    "path",
    [
        "accounts?$skip=1",
        "accounts?$search=x",
        "accounts?$format=json",
        "accounts?$compute=revenue mul 2 as x",
        "accounts?$levels=2",
        "accounts?$Filter=name eq 'x'",
        "accounts?$filter=name eq 'x'&$filter=name eq 'y'",
        "accounts?$select=name as x",
        "accounts?$expand=contact_customer_accounts($filter=firstname eq @p)&@p='Ann'",
        "accounts?$expand=primarycontactid($filter=firstname eq 'x')",
        "accounts?$expand=primarycontactid($orderby=firstname)",
        "accounts?$orderby=contact_customer_accounts/fullname",
        "accounts?$orderby=name eq 'x'",
        "accounts?$filter=revenue add 1 eq 2",
        "accounts?$filter=tolower(name) eq 'x'",
        "accounts?$filter=primarycontactid/any(o:o/fullname eq 'x')",
    ],
)
def test_what_the_service_does_not_take_is_refused(api, ids, path):
    assert api.error("GET", f"/{path}")[:2] == (400, "0x80060888")
