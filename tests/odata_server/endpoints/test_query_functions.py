"""Every query function of the Web API, on rows made at chosen moments; the clock stands still."""

from __future__ import annotations

import pytest
from moments import CALLER, DATED

from odata_server.bind.functions import _FUNCTIONS
from tests.odata_server.endpoints.conftest import ORGANIZATION


@pytest.fixture(scope="module")
def api(dated_api):
    return dated_api


def of_table(api, condition):
    """Return the names of the accounts of the first table here that a condition finds."""
    condition, *aliases = condition.split("&")
    return names(api, "&".join((f"accountcategorycode eq null and ({condition})", *aliases)))


def names(api, condition, entity_set="accounts"):
    answer = api.json(f"/{entity_set}?$select=name&$orderby=name&$filter={condition}")
    return "".join(row["name"] for row in answer["value"])


def call(function, column="createdon", **values):
    given = "".join(f",{name}={value}" for name, value in values.items())
    return f"Microsoft.Dynamics.CRM.{function}(PropertyName='{column}'{given})"


@pytest.mark.parametrize(("function", "values", "found"), DATED)
def test_a_date_function_finds_what_lies_in_its_range(api, function, values, found):
    assert of_table(api, call(function, **values)) == found


@pytest.mark.parametrize(("function", "column", "found"), CALLER)
def test_a_function_about_the_caller_compares_with_its_ids(api, function, column, found):
    assert of_table(api, call(function, column)) == found


def test_the_callers_language_is_the_organizations(api):
    assert names(api, call("EqualUserLanguage", "languagecode"), "organizations") == "Contoso"
    assert names(api, call("EqualUserLanguage", "fiscalperiodtype"), "organizations") == ""


@pytest.fixture(scope="module")
def family(api):
    """Accounts below one another: H over I and J, K below I; L alone."""
    ids = {}
    for name, parent in (("H", None), ("I", "H"), ("J", "H"), ("K", "I"), ("L", None)):
        bind = {"parentaccountid@odata.bind": f"/accounts({ids[parent]})"} if parent else {}
        ids[name] = api.created("accounts", name=name, accountcategorycode=1, **bind)
    return ids


@pytest.mark.parametrize(
    ("function", "column", "start", "found"),
    [
        ("Under", "accountid", "H", "IJK"),
        ("Under", "accountid", "L", ""),
        ("UnderOrEqual", "accountid", "I", "IK"),
        ("NotUnder", "accountid", "H", "HL"),
        ("Above", "accountid", "K", "HI"),
        ("AboveOrEqual", "accountid", "K", "HIK"),
        ("UnderOrEqual", "parentaccountid", "I", "K"),
        ("Under", "_parentaccountid_value", "H", "K"),
    ],
)
def test_a_hierarchy_is_searched_upward_and_downward(api, family, function, column, start, found):
    condition = call(function, column, PropertyValue=f"'{family[start]}'")
    assert names(api, f"accountcategorycode eq 1 and {condition}") == found


def test_every_function_but_those_for_choices_is_called_here():
    called = {function for function, *_ in (*DATED, *CALLER)}
    called |= {"Under", "UnderOrEqual", "NotUnder", "Above", "AboveOrEqual", "EqualUserLanguage"}
    elsewhere = {"In", "NotIn", "Between", "NotBetween", "ContainValues", "DoesNotContainValues"}
    assert called == set(_FUNCTIONS) - elsewhere


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Microsoft.Dynamics.CRM.LastXDays(PropertyName=@p1,PropertyValue=@p2)&@p1='createdon'&@p2=1", "DE"),
        ("Microsoft.Dynamics.CRM.LastXDays(PropertyValue=1,PropertyName='createdon')", "DE"),
        (f"{call('ThisYear')} and {call('OlderThanXDays', PropertyValue=1)}", "BC"),
        (f"{call('Today')} or {call('Tomorrow')}", "EF"),
        (call("Today", "createdby/createdon"), ""),
        ("contains(name,'[a-c]')", "ABC"),
        ("startswith(name,'[^a-e]')", "FG"),
        ("endswith(name,'_')  and name lt 'C'", "AB"),
        ("not contains(name,'[^ab]')", "AB"),
        ("contains(name,'%25') and name lt 'B'", "A"),
        ("contains(name,'[%25]')", ""),
    ],
)
def test_functions_and_wildcards_combine_with_everything_else(api, condition, found):
    assert of_table(api, condition) == found


def test_inside_a_lambda_operator_a_function_is_called_on_the_variable(api):
    path = "/systemusers?$select=fullname&$filter=lk_accountbase_createdby/any(o:o/{})"
    assert len(api.json(path.format(call("LastYear")))["value"]) == 1
    assert api.json(path.format(call("OlderThanXYears", PropertyValue=1)))["value"] == []


NOBODY = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize(
    ("condition", "code", "text"),
    [
        (call("Noon"), "0x80060888", "An unknown function with name 'Microsoft.Dynamics.CRM.Noon' was found."),
        (f"not {call('Today')}", "0x80060888", "Not operator along with the Custom Named Condition operators"),
        (call("Today", PropertyValue=1), "0x80060888", "Microsoft.Dynamics.CRM.Today(PropertyName)."),
        (call("LastXDays"), "0x80060888", "Microsoft.Dynamics.CRM.LastXDays(PropertyName, PropertyValue)."),
        ("Microsoft.Dynamics.CRM.Today(createdon)", "0x80060888", "No function signature"),
        (call("LastXDays", PropertyValue="1.5"), "0x80060888", "'Edm.Int64'"),
        (call("LastXDays", PropertyValue="'a week'"), "0x80060888", "'Edm.Int64'"),
        (call("LastXDays", PropertyValue="9223372036854775808"), "0x80060888", "'Edm.Int64'"),
        (call("LastXDays", PropertyValue="null"), "0x80060888", "'Edm.Int64'"),
        (call("LastXDays", PropertyValue=0), "0x8004110c", "A value greater than zero must be specified."),
        (call("LastXDays", "name", PropertyValue=1), "0x80041106", "'account.name'"),
        (call("Today", "nope"), "0x80060888", "Could not find a property named 'nope'"),
        (call("On", PropertyValue="'2024-02-30'"), "0x80040239", "date-time format is invalid"),
        (call("On", PropertyValue=5), "0x80060888", "'Edm.String'"),
        (call("InFiscalPeriod", PropertyValue=5), "0x80044814", "The fiscal period 5 does not fall"),
        (call("Under", "accountid", PropertyValue="'root'"), "0x80041108", "'root'"),
        (call("Under", "name", PropertyValue=f"'{NOBODY}'"), "0x80041106", "'account.name'"),
        (call("Under", "primarycontactid", PropertyValue=f"'{NOBODY}'"), "0x80047020", "the contact entity"),
        (call("ContainValues", "industrycode", PropertyValues="['1']"), "0x80041106", "'account.industrycode'"),
        (call("Contains", "name", PropertyValue="'a'"), "0x80043e06", "Full text operation failed."),
    ],
)
def test_what_a_function_cannot_do_is_refused(api, condition, code, text):
    status, found, message = api.error("GET", f"/accounts?$filter={condition}")
    assert (status, found) == (400, code), message
    assert text in message


@pytest.fixture
def organization(api):
    """The organization's row; what a test changes is put back."""
    path = f"/organizations({ORGANIZATION})"
    columns = ("weekstartdaycode", "fiscalcalendarstart", "fiscalperiodtype", "fiscalyeardisplaycode")
    switches = ("ishierarchicalsecuritymodelenabled", "maxdepthforhierarchicalsecuritymodel")
    before = api.json(f"{path}?$select={','.join((*columns, *switches))}")
    yield lambda **values: api("PATCH", path, values, if_match="*").status
    restored = {name: before[name] for name in (*columns, *switches)}
    assert api("PATCH", path, restored, if_match="*").status == 204


def test_the_organizations_calendar_decides_weeks_and_fiscal_periods(api, organization):
    assert organization(weekstartdaycode=4) == 204
    assert of_table(api, call("ThisWeek")) == "EF"
    # The United Kingdom's year, by months, named after the year it ends in.
    changed = {"fiscalcalendarstart": "2020-04-06T00:00:00Z", "fiscalperiodtype": 2003, "fiscalyeardisplaycode": 2}
    assert organization(**changed) == 204
    assert of_table(api, call("InFiscalYear", PropertyValue=2024)) == "ABCDEF"
    assert of_table(api, call("InFiscalYear", PropertyValue=2025)) == "G"
    assert of_table(api, call("InFiscalPeriod", PropertyValue=9)) == "ABG"
    assert of_table(api, call("ThisFiscalPeriod")) == "CDEF"


def test_the_hierarchy_of_managers_counts_once_it_is_switched_on(api, organization):
    me = api.json("/WhoAmI")["UserId"]
    users = "/systemusers?$select=systemuserid&$filter="
    condition = call("EqualUserOrUserHierarchy", "systemuserid")
    everyone = [row["systemuserid"] for row in api.json(f"{users}systemuserid ne {me}")["value"]]
    below = {"parentsystemuserid@odata.bind": f"/systemusers({me})"}
    report = next(user for user in everyone if api("PATCH", f"/systemusers({user})", below).status == 204)

    def found():
        return {row["systemuserid"] for row in api.json(users + condition)["value"]}

    assert found() == {me}
    assert organization(ishierarchicalsecuritymodelenabled=True) == 204
    assert found() == {me, report}
    assert organization(maxdepthforhierarchicalsecuritymodel=0) == 204
    assert found() == {me}
