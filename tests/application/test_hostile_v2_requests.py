"""Whatever is sent to the Organization Data Service, the answer is one of its own, and a refusal changes nothing."""

from __future__ import annotations

import json
import os

import pytest
from attacking import Attack
from driving import CONTROL, Caller
from hostile import HOSTILE_BODIES, KNOWN_ID, LONG, OPERATORS, HostileRequest, deep, headers, scalars, values
from hostile_batches import BATCHES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odata_server.endpoints.v2.organization_data import ROOT

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
EXAMPLES = 20_000 if NIGHTLY else 150
DEEPLY = settings(
    max_examples=EXAMPLES,
    derandomize=not NIGHTLY,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
JSON = {"Accept": "application/json"}
SETS = ("AccountSet", "ContactSet", "SystemUserSet", "RoleSet", "TeamMembershipSet", "TaskSet", "OrganizationSet",
        "mserp_financeandoperationsentitySet", "$metadata", "$batch", "NoSet")  # fmt: skip
NAMES = ("Name", "Revenue", "Revenue/Value", "AccountId", "StateCode", "StateCode/Value", "CreatedOn", "OwnerId",
         "OwnerId/Id", "PrimaryContactId", "PrimaryContactId/Id", "PrimaryContactId/Name", "NumberOfEmployees",
         "account_primary_contact", "account_primary_contact/FullName", "contact_customer_accounts", "EntityImage",
         "Referencingaccount_parent_account", "systemuserroles_association", "VersionNumber", "DoNotPhone", "BirthDate",
         "Address1_Latitude", "ExchangeRate", "IsCustomizable", "IsCustomizable/Value", "Nope")  # fmt: skip
LITERALS = ("null", "true", "'a'", "'%_['", "''", "1", "-1.5", "5L", "9223372036854775808L", "1.5M", "1e400d", "1d",
            "2.5f", "9" * 60, f"guid'{KNOWN_ID}'", "guid'1'", "datetime'2026-01-31T10:00:00'", "datetime'9999-99-99'",
            "datetimeoffset'2026-01-31T10:00:00+99:00'", "time'PT1H'", "X'0A'", "binary'0'", "1M.5", "INF")  # fmt: skip
FUNCTIONS = ("substringof", "startswith", "endswith", "tolower", "length", "indexof", "substring", "year", "month",
             "concat", "trim", "contains", "cast")  # fmt: skip

words = st.one_of(
    st.sampled_from(
        ("", "'", "''", "\0", "\r\n", "%", "%zz", "%00", "%2F", "%ED%A0%80", "\ud800", "ÿ", "😀", "../..", "//", "NaN",
         "-0", ";", "&", "?", "#", "=", "@p", "$it", "$", "$1", "(", ")", "*", "a/*")
    ),
    st.text(max_size=12),
)  # fmt: skip
names = st.one_of(st.sampled_from(NAMES), words)
literals = st.one_of(st.sampled_from(LITERALS), words)
operands = st.one_of(
    names,
    literals,
    st.tuples(st.sampled_from(FUNCTIONS), st.lists(st.one_of(names, literals), max_size=3)).map(
        lambda call: f"{call[0]}({','.join(call[1])})"
    ),
)
conditions = st.recursive(
    st.one_of(operands, st.tuples(operands, st.sampled_from(OPERATORS), operands).map(" ".join)),
    lambda inner: st.tuples(inner, st.sampled_from((" and ", " or ", ") and not (")), inner).map(
        lambda parts: f"({''.join(parts)})"
    ),
    max_leaves=3,
)
paths_listed = st.lists(names, max_size=4).map(",".join)
options = st.one_of(
    conditions.map("$filter={}".format),
    paths_listed.map("$select={}".format),
    paths_listed.map("$expand={}".format),
    paths_listed.map("$orderby={} desc".format),
    st.one_of(st.integers(-1, 10**12).map(str), words).map("$top={}".format),
    st.one_of(st.integers(-1, 10**12).map(str), words).map("$skip={}".format),
    st.sampled_from(("1,'accountid','{x}','{y}'", "1,'name',null,null,'accountid','x','y'", "0", "1,'a',")).map(
        "$skiptoken={}".format
    ),
    words.map("$skiptoken={}".format),
    st.sampled_from(("$inlinecount=allpages", "$inlinecount=x", "$format=json", "$format=atom", "$nope=1", "x=1")),
    deep.map("$filter={}".format),
)
keys = st.one_of(
    st.just(""),
    st.just(f"(guid'{KNOWN_ID}')"),
    literals.map("({})".format),
    st.tuples(names, literals).map(lambda pair: f"({pair[0]}={pair[1]})"),
    deep,
)
tails = st.lists(
    st.one_of(names, st.tuples(names, keys).map("".join), st.sampled_from(("$count", "$value", "$links", "$ref"))),
    max_size=3,
).map(lambda parts: "".join(f"/{part}" for part in parts))
paths = st.tuples(st.sampled_from((ROOT, ROOT, ROOT.lower())), st.just("/"), st.sampled_from(SETS), keys, tails).map(
    "".join
)
inner_values = st.one_of(
    values,
    st.fixed_dictionaries({"Value": scalars}),
    st.fixed_dictionaries({"Id": scalars, "LogicalName": st.sampled_from(("account", "contact", "", None))}),
    st.fixed_dictionaries({"__metadata": st.fixed_dictionaries({"uri": words})}),
    st.fixed_dictionaries({"results": st.lists(values, max_size=2)}),
    st.sampled_from(("/Date(0)/", "/Date(9999999999999999)/", "/Date(x)/", "1.5", "9" * 30)),
)
records = st.dictionaries(
    st.one_of(
        st.sampled_from([name for name in NAMES if "/" not in name]), st.sampled_from(("__metadata", "uri", "d"))
    ),
    inner_values,
    max_size=4,
).map(lambda record: json.dumps(record).encode())
ATOM = (
    b'<entry xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" '
    b'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><link rel="http://schemas.microsoft.com/'
    b'ado/2007/08/dataservices/related/%s" href="%s"/><content><m:properties><d:%s m:type="%s">%s</d:%s>'
    b"</m:properties></content></entry>"
)
TAGS = (b"Name", b"Revenue", b"NumberOfEmployees", b"StateCode", b"Nope")
entries = st.tuples(
    st.sampled_from((b"account_primary_contact", b"contact_customer_accounts", b"Nope", b"")),
    st.sampled_from((b"/ContactSet(guid'1')", f"/ContactSet(guid'{KNOWN_ID}')".encode(), b"", b"$1", b"//x")),
    st.sampled_from(TAGS),
    st.sampled_from((b"Edm.Int32", b"Edm.Boolean", b"", b"Edm.Nope")),
    st.sampled_from((b"x", b"1", b"", b"&#0;", b"&x;", b"<d:Value>1</d:Value>", b"\xff")),
    st.sampled_from(TAGS),
).map(lambda parts: ATOM % parts)
METHODS = ("GET", "GET", "GET", "GET", "POST", "POST", "MERGE", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW")
SENT = st.one_of(
    st.just({}),
    headers,
    st.sampled_from(("application/atom+xml", "application/xml", "text/plain", "x")).map(
        lambda kind: {"Content-Type": kind}
    ),
    st.sampled_from(("MERGE", "PUT", "DELETE", "BREW")).map(lambda method: {"X-HTTP-Method": method}),
    st.sampled_from(("1.0", "2.0;x", "9.9", "x")).map(lambda version: {"MaxDataServiceVersion": version}),
)
BODIES = st.one_of(records, entries, st.sampled_from([body for body in HOSTILE_BODIES if len(body) < 1_000]))
QUERIES = st.lists(options, max_size=3).map("&".join)


@st.composite
def wild_requests(draw):
    """Return requests whose parts look like those of OData v2."""
    return HostileRequest(
        draw(st.sampled_from(METHODS)),
        draw(paths),
        draw(QUERIES),
        {**draw(SENT), **JSON},
        draw(BODIES),
        keeps_raw=draw(st.booleans()),
        is_narrow=draw(st.booleans()),
    )


@pytest.fixture(scope="module")
def attack(application, administrator, narrow, directory, databases):
    """Sends hostile requests."""

    def put_back():
        Caller(application).post("/_talentverse/reset", headers=CONTROL)

    put_back()
    return Attack(administrator, narrow, directory, databases, put_back)


@DEEPLY
@given(request=wild_requests())
def test_no_wild_request_is_answered_by_a_fault(attack, request):
    attack(request)


@pytest.mark.parametrize("content_type", ["application/json", "application/atom+xml"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "AccountSet"),
        ("MERGE", "AccountSet(guid'{id}')"),
        ("PUT", "AccountSet(guid'{id}')/Name"),
        ("POST", "AccountSet(guid'{id}')/$links/contact_customer_accounts"),
    ],
)
def test_no_body_is_answered_by_a_fault(attack, method, path, content_type):
    headers = {**JSON, "Content-Type": content_type}
    for body in HOSTILE_BODIES:
        attack(HostileRequest(method, f"{ROOT}/{path.format(id=KNOWN_ID)}", headers=headers, body=body))


@pytest.mark.parametrize("long", LONG, ids=lambda text: text[:10])
def test_what_is_too_long_or_too_deep_is_refused(attack, long):
    assert attack(HostileRequest("GET", f"{ROOT}/AccountSet", f"$filter={long}", JSON)) == 400
    assert attack(HostileRequest("GET", f"{ROOT}/AccountSet({long})", headers=JSON)) in {400, 404}
    assert attack(HostileRequest("GET", f"{ROOT}/AccountSet", f"$expand={long}", JSON)) == 400


@pytest.mark.parametrize("name", BATCHES)
def test_no_batch_is_answered_by_a_fault(attack, name):
    content_type, body = BATCHES[name]
    headers = {**JSON, "Content-Type": content_type}
    spoken = body.replace("accounts", "AccountSet").replace('"name"', '"Name"').replace("PATCH", "MERGE")
    attack(HostileRequest("POST", f"{ROOT}/$batch", headers=headers, body=spoken.encode()))
