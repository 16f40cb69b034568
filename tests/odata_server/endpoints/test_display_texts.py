"""Two users look at the same rows from two time zones and in two ways to write numbers; the clock stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

import pytest
from databases import copy_database

from entities.messages import Associate, RetrieveMultiple
from entities.query import QueryExpression, equals
from entities.standard.identifiers import role_id, root_business_unit_id
from entities.standard.seed import SYSTEM_ADMINISTRATOR
from entities.values import EntityReference
from odata_server.endpoints import web_api
from tests.odata_server.endpoints.conftest import ADMIN, ORGANIZATION, ROLELESS, Client, build_services, open_dataverse

NOW = "2024-03-31T12:00:00"
"""In Europe clocks went forward this morning, in America three weeks ago."""

MADE = {
    "A": "2024-03-30T22:59:59",
    "B": "2024-03-30T23:00:00",
    "C": "2024-03-31T21:59:59",
    "D": "2024-03-31T22:00:00",
    "E": "2024-04-01T03:59:59",
    "F": "2024-04-01T04:00:00",
}
BERLIN, NEW_YORK = 110, 35
SHOWN = {"prefer": 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'}
DUTCH = {
    "dateformatstring": "dd/MM/yyyy",
    "dateseparator": "-",
    "timeformatstring": "HH:mm",
    "decimalsymbol": ",",
    "numberseparator": ".",
    "negativeformatcode": 3,
    "currencyformatcode": 2,
    "negativecurrencyformatcode": 12,
}


class Clock:
    def __init__(self) -> None:
        self.text = NOW

    def __call__(self) -> datetime:
        return datetime.fromisoformat(self.text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def api(templates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("displays")
    copy_database(templates / "dataverse.db", folder / "dataverse.db")
    clock = Clock()
    service = open_dataverse(folder / "dataverse.db", clock)
    client = Client(build_services(service, service), web_api.handle, "/api/data/v9.2")
    role = EntityReference("role", role_id(root_business_unit_id(ORGANIZATION), SYSTEM_ADMINISTRATOR))
    for application, zone in ((ADMIN, BERLIN), (ROLELESS, NEW_YORK)):
        query = QueryExpression("systemuser", filter=equals("applicationid", application))
        user = service.execute(RetrieveMultiple(query), service.system).records[0]["systemuserid"]
        if application == ROLELESS:
            reference = EntityReference("systemuser", user)
            service.execute(Associate(reference, "systemuserroles_association", role), service.system)
        changed = {"timezonecode": zone, **(DUTCH if zone == BERLIN else {})}
        assert client("PATCH", f"/usersettingscollection({user})", changed).status == 204
    for name, clock.text in MADE.items():
        client.created("accounts", name=name, accountnumber="made")
    clock.text = NOW
    yield client
    service.database.close()


@pytest.fixture(scope="module")
def berlin(api):
    return partial(_rows, api, {})


@pytest.fixture(scope="module")
def new_york(api):
    return partial(_rows, api, {"authorization": "Bearer roleless"})


def _rows(api, caller, path):
    return api.json(quote(path, safe="/?$=&()',."), **caller, **SHOWN)["value"]


def _display(rows, column):
    return [row.get(f"{column}@OData.Community.Display.V1.FormattedValue") for row in rows]


def _made(condition, options="&$select=name&$orderby=name"):
    return f"/accounts?$filter=accountnumber eq 'made' and {condition}{options}"


def _names(rows):
    return "".join(row["name"] for row in rows)


@pytest.mark.parametrize(
    ("function", "here", "there"),
    [
        ("Today(PropertyName='createdon')", "BC", "CDE"),
        ("Yesterday(PropertyName='createdon')", "A", "AB"),
        ("Tomorrow(PropertyName='createdon')", "DEF", "F"),
        ("On(PropertyName='createdon',PropertyValue='2024-04-01')", "DEF", "F"),
        ("OnOrBefore(PropertyName='createdon',PropertyValue='2024-03-30')", "A", "AB"),
        ("ThisMonth(PropertyName='createdon')", "ABC", "ABCDE"),
        ("ThisFiscalPeriod(PropertyName='createdon')", "ABC", "ABCDE"),
        # Hours are as long everywhere.
        ("LastXHours(PropertyName='createdon',PropertyValue=13)", "B", "B"),
    ],
)
def test_days_and_months_are_those_of_the_caller(berlin, new_york, function, here, there):
    path = _made(f"Microsoft.Dynamics.CRM.{function}")

    assert (_names(berlin(path)), _names(new_york(path))) == (here, there)


def test_date_times_are_shown_in_the_time_zone_and_the_formats_of_the_caller(berlin, new_york):
    path = _made("name ne null", "&$select=name,createdon&$orderby=name")
    here, there = berlin(path), new_york(path)

    assert _display(here, "createdon") == [
        *("30-03-2024 23:59", "31-03-2024 00:00", "31-03-2024 23:59"),
        *("01-04-2024 00:00", "01-04-2024 05:59", "01-04-2024 06:00"),
    ]
    assert _display(there, "createdon") == [
        *("3/30/2024 6:59 PM", "3/30/2024 7:00 PM", "3/31/2024 5:59 PM"),
        *("3/31/2024 6:00 PM", "3/31/2024 11:59 PM", "4/1/2024 12:00 AM"),
    ]
    assert [row["createdon"] for row in here] == [row["createdon"] for row in there]


def test_days_of_groups_are_those_of_the_caller_unless_the_query_says_otherwise(berlin, new_york):
    def grouped(rows_of, time_zone=""):
        fetch = (
            "<fetch aggregate='true'><entity name='account'><attribute name='createdon' alias='day' groupby='true'"
            f" dategrouping='day'{time_zone}/><attribute name='accountid' alias='n' aggregate='count'/>"
            "<filter><condition attribute='accountnumber' operator='eq' value='made'/></filter></entity></fetch>"
        )
        return {(row["day"], row["n"]) for row in rows_of(f"/accounts?fetchXml={fetch}")}

    assert grouped(berlin) == {(30, 1), (31, 2), (1, 3)}
    assert grouped(new_york) == {(30, 2), (31, 3), (1, 1)}
    for caller in (berlin, new_york):
        assert grouped(caller, " usertimezone='false'") == {(30, 2), (31, 2), (1, 2)}


@pytest.fixture(scope="module")
def priced(api):
    """Accounts with amounts in three currencies, and in none."""
    symbols = {"EUR": ("€", 2), "JPY": ("¥", 0), "KWD": ("KD", 3)}
    currencies = {
        code: api.created(
            "transactioncurrencies",
            currencyname=code,
            isocurrencycode=code,
            currencysymbol=symbol,
            currencyprecision=precision,
            exchangerate=1.5,
        )
        for code, (symbol, precision) in symbols.items()
    }
    for number, (code, amount) in enumerate((("EUR", 1234567.5), ("JPY", -1234.5), ("KWD", 0.0625), ("", -20.0))):
        bind = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({currencies[code]})"} if code else {}
        api.created(
            "accounts", name=f"{number}", accountnumber="priced", revenue=amount, numberofemployees=9876, **bind
        )
    return currencies


PRICED = "/accounts?$filter=accountnumber eq 'priced'"


def test_amounts_have_symbol_and_precision_of_their_currency_and_the_separators_of_the_caller(berlin, new_york, priced):
    path = f"{PRICED}&$select=revenue,numberofemployees&$orderby=name"
    here, there = berlin(path), new_york(path)

    assert _display(there, "revenue") == ["€1,234,567.50", "-¥1,235", "KD0.063", "-$20.00"]
    assert _display(here, "revenue") == ["€ 1.234.567,50", "¥ -1.235", "KD 0,063", "$ -20,00"]
    assert {*_display(there, "numberofemployees")} == {"9,876"}
    assert {*_display(here, "numberofemployees")} == {"9.876"}


def test_a_sum_is_shown_in_the_base_currency(berlin, new_york, priced):
    path = "/accounts?$apply=filter(accountnumber eq 'priced')/aggregate(revenue with sum as total)"

    assert _display(new_york(path), "total") == ["$1,233,313.06"]
    assert _display(berlin(path), "total") == ["$ 1.233.313,06"]


def test_a_changed_symbol_or_format_shows_in_the_next_answer(api, new_york, priced):
    path = f"{PRICED} and name eq '0'&$select=revenue"
    assert _display(new_york(path), "revenue") == ["€1,234,567.50"]

    assert api("PATCH", f"/transactioncurrencies({priced['EUR']})", {"currencysymbol": "EUR "}).status == 204

    assert _display(new_york(path), "revenue") == ["EUR 1,234,567.50"]


def test_a_written_row_comes_back_as_its_writer_sees_it(api):
    wanted = {"prefer": f"return=representation,{SHOWN['prefer']}"}

    answer = api("POST", "/accounts?$select=createdon,revenue", {"revenue": -1234.5}, **wanted)

    assert answer.status == 201
    assert b'"createdon@OData.Community.Display.V1.FormattedValue":"31-03-2024 14:00"' in answer.body
    assert b'"revenue@OData.Community.Display.V1.FormattedValue":"$ -1.234,50"' in answer.body
