"""`$apply` on the Web API: HTTP in, HTTP out (Learn: "Aggregate data using OData")."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

ROLELESS = "0a000000-0000-4000-8000-000000000003"

FORMATTED = "OData.Community.Display.V1.FormattedValue"
ANNOTATED = f'odata.include-annotations="{FORMATTED}"'
ROOT = "https://org.test:8443/api/data/v9.2"


@pytest.fixture(scope="module")
def ledger(api):
    """Accounts with amounts, cities and primary contacts; one of them is inactive."""
    jim = api.created("contacts", firstname="Jim", lastname="Glynn", annualincome=10)
    maria = api.created("contacts", firstname="Maria", lastname="Campbell", annualincome=20.5)
    bind = "primarycontactid@odata.bind"
    ids = {"jim": jim, "maria": maria}
    rows = (
        ("A", 10000, "Redmond", 5, jim, 1),
        ("B", 80000.0001, "redmond", 8, maria, 2),
        ("C", 0.5, "Dallas", None, maria, None),
        ("D", None, None, 2, None, None),
    )
    for name, revenue, city, staff, contact, category in rows:
        members = {"name": name, "revenue": revenue, "address1_city": city, "numberofemployees": staff}
        members |= {"accountcategorycode": category} | ({bind: f"contacts({contact})"} if contact else {})
        ids[name] = api.created("accounts", **{key: value for key, value in members.items() if value is not None})
    assert api("PATCH", f"/accounts({ids['D']})", {"statecode": 1, "statuscode": 2}).status == 204
    return ids


def applied(api, expression, options="", **headers):
    answer = api("GET", f"/accounts?$apply={quote(expression, safe='')}{options}", **headers)
    assert answer.status == 200, answer.body
    return answer


def rows(api, expression, options="", **headers):
    return json.loads(applied(api, expression, options, **headers).body)["value"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("aggregate($count as count)", '{"count":4}'),
        ("aggregate(revenue with sum as total)", '{"total":90000.500100000}'),
        ("aggregate(revenue with average as mean)", '{"mean":30000.166700000}'),
        (
            "aggregate(revenue with min as least,revenue with max as most)",
            '{"least":0.500000000,"most":80000.000100000}',
        ),
        ("aggregate(numberofemployees with sum as s,numberofemployees with average as a)", '{"s":15,"a":5}'),
        ("aggregate(primarycontactid/annualincome with sum as t)", '{"t":51.000000000}'),
        ("filter(name eq 'nobody')/aggregate($count as n,revenue with sum as total)", '{"n":0}'),
        ("filter(revenue gt 1)/filter(name ne 'A')/aggregate($count as n)", '{"n":1}'),
        ("filter(name eq 'nobody')/groupby((statuscode))", ""),
        ("groupby((statuscode))", '{"statuscode":1},{"statuscode":2}'),
        ("groupby((statuscode),aggregate($count as count))", '{"statuscode":1,"count":3},{"statuscode":2,"count":1}'),
        (
            "groupby((statecode,accountcategorycode))",
            '{"statecode":0},{"statecode":0,"accountcategorycode":1},{"statecode":0,"accountcategorycode":2},{"statecode":1}',
        ),
        (
            "groupby((primarycontactid/fullname),aggregate(revenue with sum as total))",
            (
                '{},{"total":10000.000000000,"contact_fullname":"Jim Glynn"},'
                '{"total":80000.500100000,"contact_fullname":"Maria Campbell"}'
            ),
        ),
        (
            "filter(address1_city eq 'redmond')/groupby((address1_city),aggregate($count as n))",
            '{"address1_city":"Redmond","n":2}',
        ),
    ],
)
def test_a_transformation_gives_groups_and_aggregates(api, ledger, expression, expected):
    body = applied(api, expression).body.decode()
    assert body == f'{{"@odata.context":"{ROOT}/$metadata#accounts","value":[{expected}]}}'


def test_display_texts_stand_before_groups_and_aggregates(api, ledger):
    expression = "groupby((statuscode),aggregate($count as count,revenue with sum as total))"
    assert list(rows(api, expression, Prefer=ANNOTATED)[0].items()) == [
        (f"statuscode@{FORMATTED}", "Active"),
        ("statuscode", 1),
        (f"count@{FORMATTED}", "3"),
        ("count", 3),
        (f"total@{FORMATTED}", "$90,000.50"),
        ("total", 90000.5001),
    ]


def test_groups_of_a_lookup_show_the_name_of_its_record(api, ledger):
    expression = "groupby((_primarycontactid_value),aggregate($count as n))"
    found = {row.get("_primarycontactid_value"): row for row in rows(api, expression, Prefer=ANNOTATED)}
    assert found[ledger["jim"]] == {
        f"_primarycontactid_value@{FORMATTED}": "Jim Glynn",
        "_primarycontactid_value": ledger["jim"],
        f"n@{FORMATTED}": "1",
        "n": 1,
    }
    assert found[None]["n"] == 1


def test_the_last_and_the_first_moment_are_date_times(api, ledger):
    expression = "aggregate(createdon with max as last,createdon with min as first)"
    (row,) = rows(api, expression, Prefer=ANNOTATED)
    assert row["first"] <= row["last"]
    assert row["last"].endswith("Z")
    assert row[f"last@{FORMATTED}"].endswith(("AM", "PM"))


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("&$orderby=name desc", ["D", "C", "B", "A"]),
        ("&$orderby=primarycontactid/fullname desc,name", ["B", "C", "A", "D"]),
        ("&$filter=name gt 'B'", ["C", "D"]),
        ("&$filter=primarycontactid/fullname eq null", ["D"]),
        ("&$top=2", ["A", "B"]),
        ("&$top=1&$orderby=name desc&$filter=name lt 'C'", ["B"]),
    ],
)
def test_options_beside_it_see_the_groups(api, ledger, options, names):
    found = rows(api, "groupby((name,primarycontactid/fullname))", options)
    assert [row["name"] for row in found] == names


def test_the_count_is_that_of_the_groups(api, ledger):
    answer = json.loads(applied(api, "groupby((statuscode))", "&$count=true&$top=1").body)
    assert (answer["@odata.count"], len(answer["value"])) == (2, 1)


def test_pages_of_groups_follow_one_another(api, ledger):
    size = {"Prefer": "odata.maxpagesize=3"}
    first = json.loads(applied(api, "groupby((name))", **size).body)
    path = first["@odata.nextLink"].removeprefix(ROOT)
    second = api.json(path, **size)
    assert [row["name"] for row in first["value"] + second["value"]] == ["A", "B", "C", "D"]
    assert "@odata.nextLink" not in second


def test_a_cookie_of_a_query_without_groups_is_refused(api, ledger):
    first = api.json("/accounts?$select=name", Prefer="odata.maxpagesize=1")
    token = first["@odata.nextLink"].partition("$skiptoken=")[2]
    path = f"/accounts?$apply=groupby((name))&$skiptoken={token}"
    assert api.error("GET", path)[:2] == (400, "0x80041129")


def test_exact_numbers_may_be_text(api, ledger):
    accept = "application/json;IEEE754Compatible=true"
    expression = "aggregate(revenue with sum as total,numberofemployees with sum as staff)"
    assert rows(api, expression, Accept=accept) == [{"total": "90000.500100000", "staff": 15}]


def test_related_rows_are_aggregated(api, ledger):
    path = f"/contacts({ledger['maria']})/account_primary_contact?$apply=aggregate($count as n,revenue with sum as t)"
    assert api.json(path)["value"] == [{"n": 2, "t": 80000.5001}]


OPEN = "The query node SingleValueOpenPropertyAccess is not supported"


@pytest.mark.parametrize(
    ("expression", "options", "code", "text"),
    [
        ("groupby((statuscode),aggregate($count as n))", "&$orderby=n", "0x80060888", OPEN),
        ("groupby((statuscode),aggregate($count as n))", "&$filter=n gt 1", "0x80060888", OPEN),
        ("groupby((primarycontactid/fullname))", "&$orderby=contact_fullname", "0x80060888", OPEN),
        ("groupby((statuscode))", "&$orderby=name", "0x80060888", "'name'"),
        ("groupby((statuscode))", "&$filter=name eq 'A'", "0x80060888", "'name'"),
        ("groupby((name))", "&$filter=contact_customer_accounts/any()", "0x80060888", "Lambda"),
        ("groupby((statuscode))", "&$select=statuscode", "0x80060888", "$select"),
        ("groupby((statuscode))", "&$expand=primarycontactid", "0x80060888", "$expand"),
        ("groupby((createdon))", "", "0x80060888", "createdon"),
        ("groupby((nothing))", "", "0x80060888", "'nothing'"),
        ("groupby((name,name))", "", "0x80060888", "'name'"),
        ("groupby((createdby/fullname,modifiedby/fullname))", "", "0x80060888", "systemuser_fullname"),
        ("groupby((name),aggregate($count as name))", "", "0x80060888", "'name'"),
        ("groupby((contact_customer_accounts/fullname))", "", "0x80060888", "single value"),
        ("groupby((rollup(statecode,statuscode)))", "", "0x80060888", "groupby"),
        ("groupby((name),filter(name eq 'x'))", "", "0x80060888", "'filter'"),
        ("groupby((name),aggregate($count as n)/top(1))", "", "0x80060888", "'top'"),
        ("groupby((name))/aggregate($count as n)", "", "0x80060888", "'aggregate'"),
        ("groupby((name))/top(1)", "", "0x80060888", "'top'"),
        (
            "aggregate(name with sum as t)",
            "",
            "0x8004112f",
            "Aggregate Sum is not supported for attribute of type String.",
        ),
        ("aggregate(statuscode with max as t)", "", "0x8004112f", "type Status."),
        ("aggregate(name with countdistinct as t)", "", "0x80060888", "countdistinct"),
        ("aggregate(revenue with My.Method as t)", "", "0x80060888", "My.Method"),
        ("aggregate(revenue mul 2 with sum as t)", "", "0x80060888", "Only property paths"),
        ("aggregate(revenue)", "", "0x80060888", "custom aggregate"),
        ("aggregate(revenue with sum from name with max as t)", "", "0x80060888", "'from'"),
        ("aggregate(contact_customer_accounts/$count as t)", "", "0x80060888", "Only property paths"),
        ("filter(name eq 'A')", "", "0x80060888", "must end"),
        ("identity", "", "0x80060888", "'identity'"),
        ("search(x)", "", "0x80060888", "'search'"),
        ("orderby(name)", "", "0x80060888", "'orderby'"),
        ("skip(1)", "", "0x80060888", "'skip'"),
        ("compute(revenue as r)", "", "0x80060888", "'compute'"),
        ("concat(identity,identity)", "", "0x80060888", "'concat'"),
        ("topcount(1,revenue)", "", "0x80060888", "'topcount'"),
        ("nest(groupby((name)) as N)", "", "0x80060888", "'nest'"),
        ("join(primarycontactid as c)", "", "0x80060888", "'join'"),
        ("expand(primarycontactid)", "", "0x80060888", "'expand'"),
        ("nonsense(name)", "", "0x80060888", ""),
        ("aggregate(revenue with sum)", "", "0x80060888", ""),
    ],
)
def test_what_the_service_lacks_is_refused(api, ledger, expression, options, code, text):
    status, found, message = api.error("GET", f"/accounts?$apply={quote(expression, safe='')}{options}")
    assert (status, found) == (400, code), message
    assert text in message


@pytest.mark.parametrize(
    "path", ["/accounts({A})", "/accounts/$count", "/contacts({maria})/account_primary_contact/$ref"]
)
def test_a_row_a_count_and_references_take_no_groups(api, ledger, path):
    status, code, _ = api.error("GET", f"{path.format_map(ledger)}?$apply=aggregate($count as n)")
    assert (status, code) == (400, "0x80060888")


@pytest.fixture(scope="module")
def seller(api, ledger):
    """A user whose role reads her own accounts and no contacts; she owns account A."""
    unit = api.json("/businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    role = api.created("roles", name="Seller", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    privilege = api.json("/privileges?$select=privilegeid&$filter=name eq 'prvReadAccount'")["value"][0]["privilegeid"]
    body = {"Privileges": [{"PrivilegeId": privilege, "Depth": "Basic", "BusinessUnitId": unit}]}
    assert api("POST", f"/roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", body).status == 204
    user = api.json(f"/systemusers?$select=systemuserid&$filter=applicationid eq {ROLELESS}")["value"][0][
        "systemuserid"
    ]
    reference = {"@odata.id": f"{ROOT}/roles({role})"}
    assert api("POST", f"/systemusers({user})/systemuserroles_association/$ref", reference).status == 204
    owned = {"ownerid@odata.bind": f"systemusers({user})"}
    assert api("PATCH", f"/accounts({ledger['A']})", owned).status == 204
    return {"authorization": "Bearer roleless"}


def test_aggregates_are_made_of_the_rows_in_sight(api, seller):
    expression = "groupby((name),aggregate($count as n,revenue with sum as total))"
    assert rows(api, expression, **seller) == [{"name": "A", "n": 1, "total": 10000}]
    assert rows(api, "aggregate($count as n,revenue with max as most)", **seller) == [{"n": 1, "most": 10000}]


def test_a_table_out_of_sight_is_not_aggregated_through_navigation(api, seller):
    path = "/accounts?$apply=groupby((primarycontactid/fullname))"
    status, code, text = api.error("GET", path, **seller)
    assert (status, code) == (403, "0x80040220")
    assert "prvReadContact" in text


def test_more_than_fifty_thousand_rows_are_not_aggregated(api, services):
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50001)"
    columns = '"asyncoperationid", "name", "name$fold"'
    rows = "SELECT substr(CAST(100000000 + i AS TEXT), 2) || '-0000-0000-0000-000000000000', 'job', 'job' FROM n"
    with services.dataverse.database.writing() as connection:
        connection.execute(f'{numbers} INSERT INTO "asyncoperation" ({columns}) {rows}')
    path = "/asyncoperations?$apply={}aggregate($count as n)"
    refused = (400, "0x8004e023", "The maximum record limit is exceeded. Reduce the number of records.")
    assert api.error("GET", path.format("")) == refused
    narrow = "filter(asyncoperationid ne 00000001-0000-0000-0000-000000000000)/"
    assert api.json(path.format(narrow))["value"] == [{"n": 50_000}]


def test_dates_are_grouped_by_the_fiscal_calendar_of_the_organization(api, ledger, services):
    assert api("PATCH", f"/contacts({ledger['jim']})", {"birthdate": "2000-08-15"}).status == 204
    period = "<attribute name='birthdate' groupby='true' dategrouping='fiscal-period' alias='p'/>"
    known = "<filter><condition attribute='birthdate' operator='not-null'/></filter>"
    fetch = quote(f"<fetch aggregate='true'><entity name='contact'>{period}{known}</entity></fetch>", safe="")
    path = f"/contacts?fetchXml={fetch}"
    assert api.json(path)["value"] == [{"p": 200003}]
    with services.dataverse.database.writing() as connection:
        connection.execute("UPDATE organization SET fiscalcalendarstart = '2019-07-01T00:00:00Z'")
    (row,) = api.json(path, Prefer=ANNOTATED)["value"]
    assert (row["p"], row[f"p@{FORMATTED}"]) == (200001, "Quarter 1 FY2000")
