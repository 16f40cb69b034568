"""Wildcards in text: which operators read them, in OData and in FetchXML (Learn: "Use wildcard characters")."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from databases import on_sqlite_only

from odata_server.endpoints.explain import SYSTEM, explain

TEXTS = ("abc", "aXc", "a_c", "50%", "50 %", "[x]", "x", None)


@pytest.fixture(scope="module")
def accounts(api):
    for number, text in enumerate(TEXTS):
        api.created("accounts", name=f"{number}", description=text)


def filtered(api, condition):
    return [
        row["name"] for row in api.json(f"/accounts?$select=name&$orderby=name&$filter={quote(condition)}")["value"]
    ]


def fetched(api, operator, value):
    condition = f"<filter><condition attribute='description' operator='{operator}' value='{value}'/></filter>"
    text = (
        f"<fetch><entity name='account'><attribute name='name'/>{condition}<order attribute='name'/></entity></fetch>"
    )
    return [row["name"] for row in api.json(f"/accounts?fetchXml={quote(text)}")["value"]]


def numbers(*texts):
    return [str(TEXTS.index(text)) for text in texts]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("description eq 'ABC'", ("abc",)),
        ("description eq 'a_c'", ("abc", "aXc", "a_c")),
        ("'a_c' eq description", ("abc", "aXc", "a_c")),
        ("description eq 'a[_]c'", ("a_c",)),
        ("description eq 'a[^b]c'", ("aXc", "a_c")),
        ("description eq '%'", ("abc", "aXc", "a_c", "50%", "50 %", "[x]", "x")),
        ("description eq '50%'", ("50%", "50 %")),
        ("description eq '50[%]'", ("50%",)),
        ("description eq '%c'", ("abc", "aXc", "a_c")),
        ("description eq '[x]'", ("x",)),
        ("description eq '[[]x]'", ("[x]",)),
        ("description ne 'a_c'", ("50%", "50 %", "[x]", "x", None)),
        ("description ne 'abc'", ("aXc", "a_c", "50%", "50 %", "[x]", "x", None)),
        ("not (description eq 'a_c')", ("50%", "50 %", "[x]", "x", None)),
        ("startswith(description,'a_')", ("abc", "aXc", "a_c")),
        ("endswith(description,'[0-9]%')", ("50%", "50 %")),
        ("contains(description,'0[%]')", ("50%",)),
        # Comparisons and lists take the characters for what they are.
        ("description ge 'a_c' and description le 'a_c'", ("a_c",)),
        ("Microsoft.Dynamics.CRM.In(PropertyName='description',PropertyValues=['a_c'])", ("a_c",)),
    ],
)
def test_equality_and_text_functions_read_wildcards(api, accounts, condition, found):
    assert filtered(api, condition) == sorted(numbers(*found))


def test_wildcards_come_by_alias_too(api, accounts):
    answer = api.json("/accounts?$select=name&$orderby=name&$filter=description eq @p&@p='a_c'")
    assert [row["name"] for row in answer["value"]] == numbers("abc", "aXc", "a_c")


def test_the_same_filter_with_and_without_wildcards_is_two_plans(api, accounts):
    for _ in range(2):
        assert filtered(api, "description eq 'a_c'") == numbers("abc", "aXc", "a_c")
        assert filtered(api, "description eq 'abc'") == numbers("abc")


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("like", "a_c", ("abc", "aXc", "a_c")),
        ("not-like", "a_c", ("50%", "50 %", "[x]", "x", None)),
        ("begins-with", "_b", ("abc",)),
        ("not-begin-with", "a[^b]", ("abc", "50%", "50 %", "[x]", "x", None)),
        ("ends-with", "0[%]", ("50%",)),
        ("not-end-with", "0%", ("abc", "aXc", "a_c", "[x]", "x", None)),
        ("eq", "a_c", ("a_c",)),
        ("ne", "a_c", ("abc", "aXc", "50%", "50 %", "[x]", "x", None)),
    ],
)
def test_fetchxml_reads_wildcards_in_its_operators_on_text_alone(api, accounts, operator, value, found):
    assert fetched(api, operator, value) == sorted(numbers(*found))


@on_sqlite_only
@pytest.mark.parametrize(
    ("condition", "is_sought"),
    [
        ("name eq 'plain'", True),
        ("name eq 'ann_b'", True),
        ("startswith(name,'ann_')", True),
        ("name eq '%25b'", False),
    ],
)
def test_an_index_serves_equality_and_what_stands_before_the_first_wildcard(services, condition, is_sought):
    found = explain(
        f"GET /api/data/v9.2/accounts?$select=name&$filter={condition}", SYSTEM, services, "https://org.test"
    )
    plan = " ".join(line for statement in found.steps[0].statements for line in statement.plan)
    assert ("name$fold" in plan) is is_sought, plan
