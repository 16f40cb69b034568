"""A question asked in FetchXML and in OData has the same answer."""

from __future__ import annotations

import os
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXTS = ("Ann", "bob", "B", "O'Neil", "é", "50%", "a&b<c>", "", "_x")
NUMBERS = (-1, 0, 1, 2, 7)


@pytest.fixture(scope="module")
def rows(api):
    """Twelve contacts of two accounts."""
    accounts = [api.created("accounts", name=name, revenue=n) for n, name in enumerate(("Contoso", "Fabrikam"), 1)]
    for n in range(12):
        api.created(
            "contacts",
            firstname=TEXTS[n % len(TEXTS)] or None,
            lastname=TEXTS[n * 5 % len(TEXTS)] or None,
            numberofchildren=NUMBERS[n % len(NUMBERS)] if n % len(NUMBERS) else None,
            donotemail=bool(n % 3),
            **({"parentcustomerid_account@odata.bind": f"/accounts({accounts[n % 2]})"} if n % 4 else {}),
        )
    return accounts


def _text(value):
    return "'" + value.replace("'", "''") + "'"


def _condition(name, operator, value=""):
    given = "" if operator.endswith("null") else f" value={quoteattr(str(value))}"
    return f'<condition attribute="{name}" operator="{operator}"{given}/>'


def _function(name, column, values):
    operator = {"In": "in", "NotIn": "not-in", "Between": "between", "NotBetween": "not-between"}[name]
    listed = ",".join(f"'{value}'" for value in values)
    written = "".join(f"<value>{value}</value>" for value in values)
    return (
        f"Microsoft.Dynamics.CRM.{name}(PropertyName='{column}',PropertyValues=[{listed}])",
        f'<condition attribute="{column}" operator="{operator}">{written}</condition>',
    )


COMPARED = st.sampled_from(("eq", "ne", "gt", "ge", "lt", "le"))
NAMES = st.sampled_from(("firstname", "lastname"))
TEXT = st.sampled_from([text for text in TEXTS if text])
# A percent sign and an underscore are wildcards in one of the languages.
PLAIN = st.sampled_from([text for text in TEXTS if text and not set("%_") & set(text)])
NUMBER = st.sampled_from(NUMBERS)
EXAMPLES = 5_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 500

CONDITIONS = st.one_of(
    st.builds(lambda n, o, v: (f"{n} {o} {_text(v)}", _condition(n, o, v)), NAMES, COMPARED, TEXT),
    st.builds(
        lambda o, v: (f"numberofchildren {o} {v}", _condition("numberofchildren", o, v)),
        COMPARED,
        st.sampled_from(NUMBERS),
    ),
    st.builds(lambda n, v: (f"startswith({n},{_text(v)})", _condition(n, "begins-with", v)), NAMES, TEXT),
    st.builds(lambda n, v: (f"endswith({n},{_text(v)})", _condition(n, "ends-with", v)), NAMES, TEXT),
    st.builds(lambda n: (f"{n} eq null", _condition(n, "null")), NAMES),
    st.builds(lambda n: (f"{n} ne null", _condition(n, "not-null")), NAMES),
    st.builds(lambda n, v: (f"contains({n},{_text(v)})", _condition(n, "like", f"%{v}%")), NAMES, PLAIN),
    st.builds(lambda n, v: (f"not contains({n},{_text(v)})", _condition(n, "not-like", f"%{v}%")), NAMES, PLAIN),
    st.builds(lambda n, v: (f"not startswith({n},{_text(v)})", _condition(n, "not-begin-with", v)), NAMES, PLAIN),
    st.builds(lambda n, v: (f"not endswith({n},{_text(v)})", _condition(n, "not-end-with", v)), NAMES, PLAIN),
    st.builds(
        lambda o, v: _function(o, "numberofchildren", v),
        st.sampled_from(("In", "NotIn")),
        st.lists(NUMBER, min_size=1, max_size=3),
    ),
    st.builds(
        lambda o, v: _function(o, "numberofchildren", v),
        st.sampled_from(("Between", "NotBetween")),
        st.lists(NUMBER, min_size=2, max_size=2),
    ),
    st.sampled_from(
        [
            ("_parentcustomerid_value eq null", _condition("parentcustomerid", "null")),
            ("createdon ge 2020-01-01", _condition("createdon", "on-or-after", "2020-01-01")),
            ("Microsoft.Dynamics.CRM.Today(PropertyName='createdon')", _condition("createdon", "today")),
            ("donotemail eq true", _condition("donotemail", "eq", "1")),
            ("firstname lt lastname", '<condition attribute="firstname" operator="lt" valueof="lastname"/>'),
            (
                "parentcustomerid_account/revenue gt 1",
                '<condition entityname="employer" attribute="revenue" operator="gt" value="1"/>',
            ),
            (
                "Microsoft.Dynamics.CRM.In(PropertyName='firstname',PropertyValues=['Ann','B'])",
                '<condition attribute="firstname" operator="in"><value>Ann</value><value>B</value></condition>',
            ),
        ]
    ),
)


def _joined(kind, parts):
    odata = f" {kind} ".join(f"({one})" for one, _ in parts)
    return odata, f'<filter type="{kind}">{"".join(other for _, other in parts)}</filter>'


FILTERS = st.recursive(
    CONDITIONS,
    lambda inner: st.builds(_joined, st.sampled_from(("and", "or")), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)
ORDERS = st.lists(
    st.tuples(st.sampled_from(("firstname", "lastname", "numberofchildren", "createdon")), st.booleans()),
    max_size=2,
    unique_by=lambda term: term[0],
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=FILTERS, orders=ORDERS, top=st.integers(1, 14))
def test_both_languages_give_the_same_rows_in_the_same_order(api, rows, condition, orders, top):
    odata, fetch = condition
    link = "<link-entity name='account' from='accountid' to='parentcustomerid' link-type='outer' alias='employer'/>"
    sorted_ = "".join(f'<order attribute="{name}" descending="{str(down).lower()}"/>' for name, down in orders)
    text = (
        f"<fetch top='{top}'><entity name='contact'><attribute name='contactid'/>{link}"
        f"<filter>{fetch}</filter>{sorted_}</entity></fetch>"
    )
    query = f"$select=contactid&$top={top}&$filter={quote(odata)}"
    if orders:
        query += "&$orderby=" + ",".join(f"{name}{' desc' if down else ''}" for name, down in orders)
    assert api.json(f"/contacts?fetchXml={quote(text)}")["value"] == api.json(f"/contacts?{query}")["value"]


GROUPED = st.lists(st.sampled_from(("lastname", "numberofchildren", "donotemail")), max_size=2, unique=True)
AGGREGATES = st.sampled_from(("sum", "min", "max", "average"))


@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=FILTERS, grouped=GROUPED, function=AGGREGATES)
def test_both_languages_give_the_same_groups(api, rows, condition, grouped, function):
    odata, fetch = condition
    made = f"aggregate($count as n,numberofchildren with {function} as a)"
    apply = f"filter({odata})/" + (f"groupby(({','.join(grouped)}),{made})" if grouped else made)
    link = "<link-entity name='account' from='accountid' to='parentcustomerid' link-type='outer' alias='employer'/>"
    groups = "".join(f'<attribute name="{name}" groupby="true" alias="{name}"/>' for name in grouped)
    spelled = {"average": "avg"}.get(function, function)
    text = (
        f"<fetch aggregate='true'><entity name='contact'>{groups}"
        "<attribute name='contactid' aggregate='count' alias='n'/>"
        f"<attribute name='numberofchildren' aggregate='{spelled}' alias='a'/>{link}"
        f"<filter>{fetch}</filter></entity></fetch>"
    )
    found = [api.json(f"/contacts?{query}")["value"] for query in (f"fetchXml={quote(text)}", f"$apply={quote(apply)}")]
    one, other = (sorted(str(sorted(row.items())) for row in rows_) for rows_ in found)
    assert one == other
