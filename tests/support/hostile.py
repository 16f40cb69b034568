"""Requests that nobody should send: texts, URLs, headers and bodies for the tests that send them anyway."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

WEB_SETS = (
    "accounts", "contacts", "systemusers", "roles", "businessunits", "teams", "organizations", "privileges",
    "roleprivilegescollection", "systemuserrolescollection", "teammemberships", "transactioncurrencies",
    "asyncoperations", "solutions", "mserp_financeandoperationsentities", "mshr_hcmlinkedinexportedcandidateentities",
    "EntityDefinitions", "RelationshipDefinitions", "$metadata", "$batch", "WhoAmI", "nothing",
)  # fmt: skip
FINANCE_SETS = (
    "Workers", "Employments", "Positions", "PositionWorkerAssignments", "CandidatesToHire", "LegalEntities",
    "SystemUsers", "EntraApplications", "LinkedInExportedCandidates", "$metadata", "nothing",
)  # fmt: skip
COLUMNS = (
    "name", "revenue", "accountid", "statecode", "statuscode", "createdon", "ownerid", "_ownerid_value", "fullname",
    "primarycontactid", "_primarycontactid_value", "numberofemployees", "creditonhold", "birthdate", "description",
    "versionnumber", "donotemail", "preferredcontactmethodcode", "parentcustomerid", "isdisabled", "applicationid",
    "privilegedepthmask", "mserp_hasbeengenerated", "mserp_refresh", "mshr_startdate", "mshr_firstname",
    "PersonnelNumber", "dataAreaId", "FirstName", "EmploymentStartDate", "CandidateId", "UserId", "ClientId", "UserID",
    "contact_customer_accounts", "systemuserroles_association", "LogicalName", "Attributes", "nothing",
)  # fmt: skip
KNOWN_ID = "00000000-0000-4000-8000-00000000000a"

words = st.one_of(
    st.sampled_from(
        ("", "'", "''", "\0", "\r\n", "%", "%zz", "%00", "%2F", "%ED%A0%80", "\ud800", "\udfff", "ÿ", "😀", "../..",
         "//",
         "null", "NaN", "-INF", "9" * 400, "1e999", "-0", "a" * 5000, ";", "&", "?", "#", "=", "@p", "$it", "$", "(",
         ")")
    ),
    st.text(max_size=12),
    st.sampled_from(COLUMNS),
)  # fmt: skip
literals = st.one_of(
    st.sampled_from(
        ("null", "true", "'a'", "'O''Neil'", "1", "-1.5", "1e400", "9" * 60, "2026-01-31", "2026-01-31T25:00:00Z",
         "0001-01-01", "9999-12-31T23:59:59Z", KNOWN_ID, "duration'P1D'", "binary'AA'", "@p", "INF", "'%'", "'_'",
         "'[a'",
         "Microsoft.Dynamics.DataEntities.NoYes'Yes'")
    ),
    words.map(lambda text: f"'{text}'"),
    words,
)  # fmt: skip
columns = st.one_of(st.sampled_from(COLUMNS), words, st.tuples(st.sampled_from(COLUMNS), words).map("/".join))
FUNCTIONS = (
    "contains", "startswith", "endswith", "tolower", "length", "indexof", "substring", "year", "date", "round", "now",
    "concat", "trim", "cast", "isof", "Microsoft.Dynamics.CRM.In", "Microsoft.Dynamics.CRM.EqualUserId",
    "Microsoft.Dynamics.CRM.LastXDays", "Microsoft.Dynamics.CRM.ContainValues", "Microsoft.Dynamics.CRM.Nothing",
)  # fmt: skip
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "in", "has", "and", "or", "add", "div", "mod", "xx")


def _deeper(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join),
        st.tuples(st.sampled_from(FUNCTIONS), st.lists(inner, max_size=3)).map(lambda f: f"{f[0]}({','.join(f[1])})"),
        inner.map(lambda text: f"not ({text})"),
        st.tuples(columns, st.sampled_from(("any", "all")), inner).map(lambda t: f"{t[0]}/{t[1]}(o:o/{t[2]})"),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"[{text},{text}]"),
    )


comparisons = st.tuples(columns, st.sampled_from(OPERATORS[:6]), literals).map(" ".join)
expressions = st.recursive(st.one_of(comparisons, columns, literals), _deeper, max_leaves=6)
deep = st.tuples(
    st.sampled_from(("(", "not ", "-", "not(", "a/", "[", "accounts(", "tolower(")), st.integers(50, 9000)
).map(lambda t: t[0] * t[1])
OPTIONS = (
    "$filter", "$select", "$orderby", "$top", "$skip", "$skiptoken", "$count", "$expand", "$apply", "$search",
    "$format",
    "$id", "$compute", "$levels", "$unknown", "cross-company", "fetchXml", "savedQuery", "@p", "api-version",
    "LabelLanguages",
)  # fmt: skip
_NAMES = st.sampled_from(
    ("account", "contact", "name", "revenue", "accountid", "createdon", "x", "", "a'b", "primarycontactid")
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ("name", "attribute", "alias", "operator", "value", "valueof", "entityname", "from", "to", "link-type", "type",
         "aggregate", "groupby", "dategrouping", "distinct", "count", "page", "top", "descending", "paging-cookie",
         "rowaggregate", "returntotalrecordcount", "intersect", "column", "useraworderby", "options", "latematerialize")
    ),
    st.one_of(
        _NAMES, words, st.sampled_from(
            ("eq", "like", "in", "between", "last-x-days", "above", "outer", "exists", "any", "or", "true", "1", "-1",
             "sum", "count", "month", "eq-userid", "%", "<cookie page='1'/>", "9" * 40, "matchfirstrowusingcrossapply")
        )
    ),
    max_size=4,
)  # fmt: skip


def _element(tag, attributes, inside):
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{written}>{inside}</{tag}>"


fetch_elements = st.recursive(
    st.one_of(words.map(escape), st.just("")),
    lambda inner: st.builds(
        _element,
        st.sampled_from(("attribute", "condition", "filter", "link-entity", "order", "value", "all-attributes", "x")),
        _ATTRIBUTES,
        st.lists(inner, max_size=3).map("".join),
    ),
    max_leaves=6,
)
fetch_documents = st.builds(
    lambda top, table, inside: _element("fetch", top, f'<entity name="{table}">{inside}</entity>'),
    _ATTRIBUTES,
    st.sampled_from(("account", "contact", "systemuser", "mshr_hcmlinkedinexportedcandidateentity", "nothing")),
    st.lists(fetch_elements, max_size=3).map("".join),
)
_SQL = st.lists(
    st.sampled_from(
        ("SELECT", "FROM", "WHERE", "ORDER BY", "GROUP BY", "TOP", "DISTINCT", "JOIN", "ON", "AND", "OR", "NOT", "IN",
         "LIKE", "IS NULL", "BETWEEN", "COUNT(*)", "*", ",", "(", ")", "=", "<>", "'a'", "'", "--", "/*", "1", "1e999",
         "account", "name", "a.name", "AS a", "[name]", "N'x'", ";", "DELETE", "UNION", "\0", "contact")
    ),
    max_size=14,
).map(" ".join)  # fmt: skip


def _as_value(text):
    return text.replace("%", "%25").replace("&", "%26").replace("#", "%23").replace("+", "%2B")


queries_of_other_languages = st.one_of(
    fetch_documents.map(_as_value).map("fetchXml={}".format),
    _SQL.map("sql={}".format),
    _SQL.map("sql=SELECT name FROM account {}".format),
)
options = st.tuples(
    st.sampled_from(OPTIONS),
    st.one_of(expressions, words, columns, deep, st.integers(-(10**30), 10**30).map(str), st.sampled_from(
        ("name asc,revenue desc", "name,name", "5", "true", "primarycontactid($select=fullname)", "*", "all", "0", "-1")
    )),
).map("=".join)  # fmt: skip
queries = st.one_of(
    st.lists(options, max_size=3).map("&".join),
    queries_of_other_languages,
    st.tuples(queries_of_other_languages, options).map("&".join),
)
keys = st.one_of(
    st.just(""),
    st.just(f"({KNOWN_ID})"),
    literals.map(lambda text: f"({text})"),
    st.tuples(columns, literals).map(lambda pair: f"({pair[0]}={pair[1]})"),
    deep,
)
tails = st.lists(
    st.one_of(
        st.sampled_from(
            ("$ref", "$count", "$value", "Microsoft.Dynamics.CRM.AddPrivilegesRole", "Microsoft.Dynamics.CRM.WhoAmI",
             "Microsoft.Dynamics.DataEntities.Hire", "Microsoft.Dynamics.CRM.RetrieveUserPrivileges()",
             "ManyToOneRelationships")
        ),
        columns,
        st.tuples(columns, keys).map("".join),
    ),
    max_size=2,
).map(lambda parts: "".join(f"/{part}" for part in parts))  # fmt: skip
paths = st.one_of(
    st.tuples(st.just("/api/data/v9.2/"), st.sampled_from(WEB_SETS), keys, tails).map("".join),
    st.tuples(st.just("/data/"), st.sampled_from(FINANCE_SETS), keys, tails).map("".join),
    st.tuples(st.sampled_from(("/api/data/v9.2/", "/data/", "/api/data/", "/XRMServices/2011/", "/")), words).map(
        "".join
    ),
)
headers = st.dictionaries(
    st.sampled_from(
        ("Prefer", "If-Match", "If-None-Match", "Content-Type", "Accept", "OData-Version", "OData-MaxVersion",
         "MSCRM.SuppressDuplicateDetection", "MSCRM.BypassCustomPluginExecution", "MSCRM.SolutionUniqueName",
         "MSCRM.MergeLabels", "MSCRMCallerID", "CallerObjectId", "Consistency", "OData-Isolation", "Content-Encoding",
         "Content-ID", "Accept-Charset", "Accept-Language", "X-Forwarded-Host", "X-HTTP-Method")
    ),
    st.one_of(
        st.sampled_from(
            ('W/"1"', '"x"', "*", "null", "return=representation", "odata.maxpagesize=0", "true", "False", KNOWN_ID,
             "Strong", "gzip", "a,b;c=d", '"' * 500, "odata.continue-on-error", "odata.track-changes",
             "multipart/mixed;boundary=" + "b" * 100, "multipart/mixed", "return=representation;" * 300,
             'odata.include-annotations="' + "*," * 2_000 + '"', "application/json;" + "q=0.1;" * 1_000,
             "odata.maxpagesize=9" + "9" * 50,
             'odata.include-annotations="*"', 'odata.include-annotations="', "respond-async", "application/json",
             "application/xml", "text/plain;charset=utf-9", "application/json;odata.metadata=full", "4.0", "7",
             ",;=", "\xff")
        ),
        st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=20),
    ),
    max_size=3,
)  # fmt: skip
hosts = st.sampled_from(
    ("localhost:8443",) * 90 + ("", "x", "localhost:x", "[::1", "[::1]:8443", "ÿ", "localhost:8443:1", "a b")
)
numbers = st.one_of(st.integers(-(10**40), 10**40), st.floats(allow_nan=False, allow_infinity=False), st.just(10**4000))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    st.sampled_from(
        (
            "2026-01-31",
            "2026-13-01T00:00:00Z",
            KNOWN_ID,
            f"/accounts({KNOWN_ID})",
            "/accounts(",
            "1,2",
            "\0",
            "x" * 9000,
            "#",
            "Yes",
        )
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=4,
)
members = st.one_of(
    st.sampled_from(COLUMNS),
    st.sampled_from(COLUMNS).map(lambda name: f"{name}@odata.bind"),
    st.sampled_from(
        ("@odata.type", "@odata.id", "@odata.etag", "value", "Privileges", "LegalEntityId", "", "@", "a@b@c")
    ),
)
records = st.dictionaries(members, values, max_size=4)
HOSTILE_BODIES = (
    b"", b"{", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"\xef\xbb\xbf{}", b"\0", b"[" * 10_000, b'{"a":' * 10_000,
    b'{"name":' + b"[" * 10_000 + b"]" * 10_000 + b"}", b'{"name":"a","name":"b"}', b'{"revenue":1e999}',
    b'{"revenue":' + b"9" * 5_000 + b"}", b'{"name":NaN}', b'{"name":"\\ud800"}', b'{"name":"\\u0000"}',
    b'{"\\ud800":1}',
    b'{"name":"\xed\xa0\x80"}', b'{"numberofemployees":1.0}', b'{"name":"x"} trailing', b'{"a":1,}', b"<xml/>",
    b"--batch\r\n",
)  # fmt: skip
bodies = st.one_of(
    records.map(lambda record: json.dumps(record).encode()), st.sampled_from(HOSTILE_BODIES), st.binary(max_size=30)
)
LONG = ("a" * 32_769, "(" * 16_000, "%" * 32_000, "/" * 33_000, "contains(name,'" * 2_000)


@dataclass(frozen=True)
class HostileRequest:
    """A request as it is sent, path and query encoded only as far as a URL must be."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    host: str = "localhost:8443"
    keeps_raw: bool = False
    is_narrow: bool = False
    """Whether the caller with the narrow role sends it, not the administrator."""


METHODS = ("GET", "GET", "GET", "POST", "POST", "PATCH", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW")
wild_requests = st.builds(
    HostileRequest,
    method=st.sampled_from(METHODS),
    path=paths,
    query=queries,
    headers=headers,
    body=bodies,
    host=hosts,
    keeps_raw=st.booleans(),
    is_narrow=st.booleans(),
)


@dataclass(frozen=True)
class Target:
    """A table as requests name it: its set's path, properties with values of theirs, keys of rows that are there."""

    path: str
    properties: dict[str, tuple[object, ...]]
    keys: tuple[str, ...]


typed_literals = st.sampled_from(
    ("null", "true", "false", "'a'", "''", "'%_'", "1", "0", "-1.5", "2147483648", "1e300", "9" * 40, "2026-01-31",
     KNOWN_ID,
     "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.123+14:00", "'1,2'", "INF")
)  # fmt: skip


def plausible_requests(targets):
    """Return requests whose names are right and whose values may be anything."""
    return st.sampled_from(targets).flatmap(_plausible)


def _plausible(target):
    names = st.sampled_from(tuple(target.properties))
    compared = st.one_of(
        st.tuples(names, st.sampled_from(OPERATORS[:6]), st.one_of(typed_literals, names)).map(" ".join),
        st.tuples(st.sampled_from(FUNCTIONS[:3]), names, typed_literals).map(lambda t: f"{t[0]}({t[1]},{t[2]})"),
        st.tuples(names, typed_literals, typed_literals).map(lambda t: f"{t[0]} in ({t[1]},{t[2]})"),
    )
    logical = st.recursive(
        compared,
        lambda inner: st.tuples(inner, st.sampled_from((" and ", " or ", ") and not (")), inner).map(
            lambda t: f"({''.join(t)})"
        ),
        max_leaves=4,
    )
    listed = st.lists(names, min_size=1, max_size=3, unique=True)
    asked = {
        "$filter": logical,
        "$select": listed.map(",".join),
        "$orderby": listed.map(lambda found: ",".join(f"{name} desc" for name in found)),
        "$top": st.sampled_from(("0", "1", "5001", "99999999999999999999")),
        "$count": st.sampled_from(("true", "false")),
    }
    chosen = st.lists(st.sampled_from(tuple(asked)), unique=True, max_size=3)
    query = chosen.flatmap(lambda found: st.tuples(*(asked[name].map(f"{name}={{}}".format) for name in found))).map(
        "&".join
    )
    members = names.flatmap(
        lambda name: st.tuples(st.just(name), st.one_of(st.sampled_from(target.properties[name]), values))
    )
    record = st.lists(members, max_size=5).map(lambda found: json.dumps(dict(found)).encode())
    key = st.sampled_from((*target.keys, KNOWN_ID)).map("({})".format)
    tail = st.one_of(names.map("/{}".format), names.map("/{}/$value".format))
    aim = st.one_of(
        st.tuples(st.sampled_from(("GET", "POST", "POST")), st.just(target.path)),
        st.tuples(st.sampled_from(("GET", "PATCH", "PATCH", "DELETE")), key.map(target.path.__add__)),
        st.tuples(
            st.sampled_from(("GET", "PUT", "DELETE")), st.tuples(key, tail).map(lambda t: target.path + "".join(t))
        ),
    )
    return st.builds(
        lambda at, **rest: HostileRequest(*at, **rest),
        at=aim,
        query=st.one_of(st.just(""), query),
        headers=st.sampled_from(
            (
                {},
                {},
                {"If-Match": "*"},
                {"If-Match": 'W/"1"'},
                {"Prefer": 'return=representation,odata.include-annotations="*"'},
            )
        ),
        body=record,
        is_narrow=st.booleans(),
    )
