"""Every condition operator of FetchXML: what it finds, and what it refuses (Learn: "Condition operators")."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from moments import CALLER, DATED

from entities.query import ConditionOperator
from odata_server.bind.functions import _FUNCTIONS

OWN_OF_ODATA = {"contains", "has", "not-contains"}
NAMES = {operator.value for operator in ConditionOperator} - OWN_OF_ODATA | {"neq"}


@pytest.fixture(scope="module")
def family(dated_api):
    """Accounts below one another: H over I and J, K below I; L alone, with values of several kinds."""
    ids = {}
    for name, parent in (("H", None), ("I", "H"), ("J", "H"), ("K", "I"), ("L", None)):
        more = {"parentaccountid@odata.bind": f"/accounts({ids[parent]})"} if parent else {"fax": "50%"}
        ids[name] = dated_api.created("accounts", name=name, accountcategorycode=1, numberofemployees=ord(name), **more)
    return ids


def fetch(column, operator, *values, category=None):
    listed = "".join(f"<value>{value}</value>" for value in values)
    first = "<condition attribute='accountcategorycode' operator='{}'/>".format("not-null" if category else "null")
    condition = f"<condition attribute='{column}' operator='{operator}'>{listed}</condition>"
    order = "<order attribute='name'/>"
    inside = f"<attribute name='name'/><filter>{first}{condition}</filter>{order}"
    text = f"<fetch><entity name='account'>{inside}</entity></fetch>"
    return f"/accounts?fetchXml={quote(text)}"


def found(api, *condition, **more):
    return "".join(row["name"] for row in api.json(fetch(*condition, **more))["value"])


def operator_of(function):
    return _FUNCTIONS[function][0].value


@pytest.mark.parametrize(("function", "values", "expected"), DATED)
def test_an_operator_on_dates_finds_what_its_query_function_finds(dated_api, function, values, expected):
    texts = [str(value).strip("'") for value in values.values()]
    assert found(dated_api, "createdon", operator_of(function), *texts) == expected


@pytest.mark.parametrize(("function", "column", "expected"), CALLER)
def test_an_operator_about_the_caller_finds_what_its_query_function_finds(dated_api, function, column, expected):
    assert found(dated_api, column.removeprefix("_").removesuffix("_value"), operator_of(function)) == expected


BASIC = [
    ("name", "eq", ("h",), "H"),
    ("name", "ne", ("h",), "IJKL"),
    ("name", "neq", ("H",), "IJKL"),
    ("name", "gt", ("J",), "KL"),
    ("name", "ge", ("J",), "JKL"),
    ("name", "lt", ("J",), "HI"),
    ("name", "le", ("J",), "HIJ"),
    ("name", "like", ("[H-J]%",), "HIJ"),
    ("name", "not-like", ("[H-J]%",), "KL"),
    ("name", "begins-with", ("h",), "H"),
    ("name", "not-begin-with", ("h",), "IJKL"),
    ("name", "ends-with", ("h",), "H"),
    ("name", "not-end-with", ("h",), "IJKL"),
    ("name", "in", ("H", "K"), "HK"),
    ("name", "not-in", ("H", "K"), "IJL"),
    ("name", "between", ("I", "K"), "IJK"),
    ("name", "not-between", ("I", "K"), "HL"),
    ("numberofemployees", "eq", ("72",), "H"),
    ("numberofemployees", "gt", ("75",), "L"),
    ("numberofemployees", "in", ("72", "73"), "HI"),
    ("numberofemployees", "between", ("73", "74"), "IJ"),
    ("accountcategorycode", "eq", ("1",), "HIJKL"),
    ("fax", "null", (), "IJK"),
    ("fax", "not-null", (), "HL"),
    ("createdon", "ge", ("2024-02-29T12:30:15Z",), "HIJKL"),
    ("createdon", "lt", ("2024-02-29",), ""),
    ("donotemail", "eq", ("0",), "HIJKL"),
]


@pytest.mark.parametrize(("column", "operator", "values", "expected"), BASIC)
def test_a_basic_operator_compares(dated_api, family, column, operator, values, expected):
    assert found(dated_api, column, operator, *values, category=True) == expected


HIERARCHY = [
    ("under", "H", "IJK"),
    ("eq-or-under", "I", "IK"),
    ("not-under", "H", "HL"),
    ("above", "K", "HI"),
    ("eq-or-above", "K", "HIK"),
]


@pytest.mark.parametrize(("operator", "start", "expected"), HIERARCHY)
@pytest.mark.parametrize("form", ["{}", "{{{}}}"])
def test_a_hierarchical_operator_finds_what_is_above_or_below(dated_api, family, operator, start, expected, form):
    assert found(dated_api, "accountid", operator, form.format(family[start]), category=True) == expected


def test_the_callers_language_is_the_organizations(dated_api):
    inside = "<attribute name='name'/><filter><condition attribute='{}' operator='eq-userlanguage'/></filter>"
    text = f"<fetch><entity name='organization'>{inside}</entity></fetch>"
    for column, expected in (("languagecode", ["Contoso"]), ("fiscalperiodtype", [])):
        rows = dated_api.json(f"/organizations?fetchXml={quote(text.format(column))}")["value"]
        assert [row["name"] for row in rows] == expected


def test_every_operator_is_asked_here_but_those_for_choices():
    asked = {operator for _, operator, *_ in BASIC} | {operator for operator, *_ in HIERARCHY} | {"eq-userlanguage"}
    asked |= {operator_of(function) for function, *_ in (*DATED, *CALLER)}
    assert asked | {"contain-values", "not-contain-values"} == NAMES
    assert len(NAMES) == 83


NO_VALUE = sorted({operator_of(f) for f, values, _ in DATED if not values} | {"null", "not-null"})
ONE_VALUE = sorted(
    {operator_of(f) for f, values, _ in DATED if len(values) == 1}
    | {"eq", "ne", "neq", "gt", "ge", "lt", "le", "like", "not-like", "begins-with", "ends-with", "under", "above"}
)


@pytest.mark.parametrize("operator", ONE_VALUE)
@pytest.mark.parametrize("values", [(), ("1", "2")], ids=["none", "two"])
def test_an_operator_with_the_wrong_number_of_values_is_refused(dated_api, operator, values):
    status, code, told = dated_api.error("GET", fetch("name", operator, *values))
    assert (status, code) == (400, "0x80041106")
    assert "takes 1 value;" in told


@pytest.mark.parametrize(
    ("operator", "values"),
    [("in", ()), ("not-in", ()), ("between", ("1",)), ("not-between", ("1", "2", "3")), ("contain-values", ())],
)
def test_a_list_of_the_wrong_length_is_refused(dated_api, operator, values):
    assert dated_api.error("GET", fetch("name", operator, *values))[:2] == (400, "0x80041106")


DATES = sorted({operator_of(function) for function, *_ in DATED})
VALUES = {operator_of(function): [str(v).strip("'") for v in values.values()] for function, values, _ in DATED}


@pytest.mark.parametrize("operator", DATES)
def test_an_operator_on_dates_refuses_other_columns(dated_api, operator):
    status, code, told = dated_api.error("GET", fetch("name", operator, *VALUES[operator]))
    assert (status, code) == (400, "0x80041106")
    assert "account.name" in told


@pytest.mark.parametrize("column", ["name", "createdon", "numberofemployees"])
@pytest.mark.parametrize("operator", sorted({operator_of(function) for function, *_ in CALLER}))
def test_an_operator_about_the_caller_refuses_what_is_no_id(dated_api, operator, column):
    assert dated_api.error("GET", fetch(column, operator))[:2] == (400, "0x80041106")


@pytest.mark.parametrize(
    ("column", "operator", "values", "code"),
    [
        ("name", "eq-userlanguage", (), "0x80041106"),
        ("name", "under", ("00000000-0000-0000-0000-000000000001",), "0x80041106"),
        ("primarycontactid", "under", ("00000000-0000-0000-0000-000000000001",), "0x80047020"),
        ("accountid", "under", ("x",), "0x80040203"),
        ("createdon", "like", ("2%",), "0x80041106"),
        ("createdon", "begins-with", ("2",), "0x80041106"),
        ("accountcategorycode", "contain-values", ("1",), "0x80041106"),
        ("accountcategorycode", "not-contain-values", ("1",), "0x80041106"),
        ("numberofemployees", "gt", ("many",), "0x80040203"),
        ("numberofemployees", "in", ("1", "x"), "0x80040203"),
        ("createdon", "last-x-days", ("0",), "0x8004110c"),
        ("createdon", "last-x-days", ("x",), "0x80040203"),
        ("createdon", "on", ("yesterday",), "0x80040203"),
        ("createdon", "in-fiscal-period", ("5",), "0x80044814"),
        ("name", "contains", ("x",), "0x80041120"),
        ("name", "is", ("x",), "0x80041120"),
    ],
)
def test_what_an_operator_cannot_do_is_refused(dated_api, column, operator, values, code):
    assert dated_api.error("GET", fetch(column, operator, *values))[:2] == (400, code)
