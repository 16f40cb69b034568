"""Writes that nobody should send: bodies and headers, and every place of a service that takes them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass

from hostile import HOSTILE_BODIES, KNOWN_ID, headers, records, values, words
from hypothesis import strategies as st

JSON = {"Content-Type": "application/json"}
CRM = "Microsoft.Dynamics.CRM"
WRONG = (
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "1.0",
    "1.5",
    "-0",
    "1e400",
    "-1e400",
    "1e-400",
    "1E5",
    "9" * 30,
    "2147483648",
    "9223372036854775808",
    "0.12345678901234567890123456789",
    '""',
    '"x"',
    '" 1"',
    '"1e400"',
    '"NaN"',
    '"INF"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ufffe"',
    '"\\u001f"',
    '"' + "x" * 9_000 + '"',
    "[]",
    "[1]",
    '["x"]',
    "{}",
    '{"a":1}',
    '"2026-02-30"',
    '"2026-01-31T24:00:00Z"',
    '"0001-01-01"',
    '"9999-12-31T23:59:59.9999999Z"',
    '"2026-01-31T00:00:00+99:99"',
    '"20260131"',
    f'"{KNOWN_ID}"',
    '"{00000000-0000-0000-0000-000000000000}"',
    '"1,2,3"',
    '"5,,6"',
    f'"/accounts({KNOWN_ID})"',
    '"-32000"',
    "[[[[]]]]",
    '{"@odata.type":"#Microsoft.Dynamics.CRM.account"}',
    "6e4932",
    "1" + "0" * 4_400,
)
"""JSON texts, most of them wrong for any type of column."""

MANY_DIGITS = b"1" + b"0" * 100_000
BODIES = (
    *HOSTILE_BODIES,
    b'{"revenue":' + MANY_DIGITS + b"}",
    b'{"revenue":1e400}',
    b'{"revenue":1e-99999}',
    b'{"numberofemployees":' + MANY_DIGITS + b"}",
    b'{"name":"a","NAME":"b"}',
    b'{"value":"a","value":"b"}',
    b'{"@odata.id":"a","@odata.id":"b"}',
    b'{"name":"\\udc00"}',
    b'{"@odata.id":"\\ud800"}',
    b'{"value":"\\ud800"}',
    b'{"value":"\\u0000"}',
    b'{"value":null,"@odata.context":7}',
    b'\xef\xbb\xbf{"name":"b"}',
    '{"name":"b"}'.encode("utf-16"),
    '{"name":"b"}'.encode("utf-16-be"),
    '{"name":"b"}'.encode("utf-32"),
    b'{"primarycontactid@odata.bind":{"a":1}}',
    b'{"primarycontactid@odata.bind":"' + b"/" * 40_000 + b'"}',
    b'{"primarycontactid@odata.bind":"contacts(emailaddress1=\'a\')"}',
    b'{"primarycontactid@odata.bind":"$1"}',
    b'{"primarycontactid":' * 500 + b"{}" + b"}" * 500,
    b'{"contact_customer_accounts":[' * 300 + b"]}" * 300,
    b'{"contact_customer_accounts":[' + b",".join([b"{}"] * 300) + b"," + b"7]}",
    b'{"contact_customer_accounts@odata.bind":[' + b",".join([b'"/contacts(x)"'] * 2_000) + b"]}",
    b'{"Targets":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"Targets":[{},{},{}]}',
    b'{"Targets":[' + b",".join([b'{"@odata.type":"Microsoft.Dynamics.CRM.account","name":7}'] * 3_000) + b"]}",
    b'{"Target":7}',
    b'{"@odata.type":"' + b"x" * 30_000 + b'"}',
    b'{"@odata.type":7}',
    b'{"@odata.id":{}}',
    b'{"@odata.id":"https://[/contacts(1)"}',
    b'{"ownerid@odata.bind":"/accounts(00000000-0000-4000-8000-00000000000a)"}',
    b'{"statecode":1,"statuscode":1}',
    b'{"accountid":"x"}',
    b'{"accountid":null,"versionnumber":"x","createdon":7,"ownerid":7}',
    b'{"overriddencreatedon":"0001-01-01T00:00:00Z"}',
    b"x" * 70_000,
)

GZIP = gzip.compress(b'{"name":"x"}')
ENCODED = (GZIP, GZIP[:-5], GZIP[:3], b"", GZIP + GZIP, b"\x1f\x8b" + b"\0" * 50, gzip.compress(b"[" * 2_000_000))

HEADERS = tuple(
    (name, value)
    for name, found in {
        "If-Match": (
            'W/"',
            '"',
            'W/"99999999999999999999999"',
            '"1","2"',
            "W/1",
            "*,*",
            "\xff",
            'W/"-1"',
            '"' * 9_000,
            "'1'",
            'W/"1e9"',
            'W/"٣"'.encode().decode("latin-1"),
        ),
        "If-None-Match": ('W/"', "*,", "x", 'W/"1"', "**", "\x7f"),
        "Prefer": (
            "return",
            "return=",
            "return=representation=x",
            "return=both",
            ";;;",
            "=,=",
            "return=representation;" * 500,
            "odata.include-annotations=" + "*" * 9_000,
            "respond-async,return=minimal,return=representation",
            '"',
            "odata.maxpagesize=-1,return=representation",
            "odata.track-changes,return=representation",
        ),
        "Content-Type": (
            "",
            "/",
            "application",
            "application/json;charset=utf-16",
            'application/json;charset="',
            "text/plain",
            "multipart/mixed",
            "multipart/form-data; boundary=x",
            "application/json;IEEE754Compatible=true",
            "application/octet-stream",
            "application/x-www-form-urlencoded",
            "\xff/\xff",
            "application/json;" * 2_000,
        ),
        "Content-Length": ("-1", "0", "1", "99999999", "x", "", "+5", "1_0", "0x10", "9" * 400, " 5 ", "\xb2"),
        "Content-Encoding": ("gzip", "deflate", "br", "identity, gzip", "gzip, gzip", "x", ""),
        "Transfer-Encoding": ("chunked", "gzip, chunked", "x"),
        "x-ms-file-name": (
            "",
            "..",
            "../../etc/passwd",
            "a/b",
            "a\\b",
            "x" * 3_000,
            "con.txt",
            "a.exe",
            "\xff",
            "%00",
            "=?utf-8?B?w6Q=?=",
            "=?x?",
            "a\tb",
            '"',
        ),
        "x-ms-transfer-mode": ("", "chunked", "Chunked", "x"),
        "Content-Range": (
            "bytes",
            "bytes 0-",
            "bytes 0-0/1",
            "bytes 9-0/1",
            "bytes 0-99999999999999999999/99999999999999999999",
            "bytes */*",
            "items 0-1/2",
            "bytes -1-5/10",
            "bytes ٠-١/٢".encode().decode("latin-1"),
        ),
        "Range": ("bytes=", "bytes=9-0", "bytes=0-99999999999999999999", "bytes=-0", "bytes=0-0,1-1"),
        "MSCRM.SuppressDuplicateDetection": ("", "x", "false", "TRUE"),
        "MSCRM.BypassCustomPluginExecution": ("x", "true"),
        "MSCRM.BypassBusinessLogicExecution": ("x", "CustomSync,CustomAsync,,"),
        "MSCRM.SolutionUniqueName": ("", "x", "\xff"),
        "MSCRMCallerID": ("", "x", KNOWN_ID, "{", "\xff"),
        "CallerObjectId": ("", "x", KNOWN_ID, "0" * 400),
        "OData-Version": ("", "5.0", "x", "4.01"),
        "OData-MaxVersion": ("3.0", "x", ""),
        "tag": ("x" * 200,),
        "X-HTTP-Method": ("DELETE", "MERGE"),
    }.items()
    for value in found
)


@dataclass(frozen=True)
class Place:
    """A resource that somebody may want to write to."""

    path: str
    query: str = ""


def places(account: str, contact: str, team: str, user: str) -> tuple[Place, ...]:
    """Return every form of a resource, over records that are there and one that is not."""
    row, missing = f"accounts({account})", f"accounts({KNOWN_ID})"
    paths = (
        "accounts",
        row,
        missing,
        "accounts(name='x')",
        f"{row}/name",
        f"{row}/revenue",
        f"{row}/name/$value",
        f"{row}/nothing",
        f"{row}/primarycontactid",
        f"{row}/primarycontactid/$ref",
        f"{row}/primarycontactid/lastname",
        f"{row}/ownerid/$ref",
        f"{row}/contact_customer_accounts",
        f"{row}/contact_customer_accounts/$ref",
        f"{row}/contact_customer_accounts({contact})",
        f"{row}/contact_customer_accounts({contact})/$ref",
        f"{row}/contact_customer_accounts({KNOWN_ID})/$ref",
        f"{missing}/contact_customer_accounts/$ref",
        f"teams({team})/teammembership_association/$ref",
        f"teams({team})/teammembership_association({user})/$ref",
        f"{row}/new_dossier",
        f"{row}/new_dossier/$value",
        f"{missing}/new_dossier",
        f"{row}/new_note",
        f"{row}/entityimage",
        f"{row}/entityimage/$value",
        f"{row}/createdby/$ref",
        f"{row}/_primarycontactid_value",
        f"{row}/accountid",
        f"{row}/statecode",
        f"contacts({contact})/fullname",
        f"{row}/$ref",
        f"{row}/$value",
        f"{row}/$count",
        "accounts/$count",
        "accounts/$ref",
        "contacts/$filter(x)/$each",
        "$batch",
        "$metadata",
        "EntityDefinitions",
        f"EntityDefinitions({KNOWN_ID})",
        "GlobalOptionSetDefinitions",
        "EntityDefinitions(LogicalName='account')/Attributes",
        "mserp_financeandoperationsentities",
        "mshr_hcmlinkedinexportedcandidateentities",
        "systemuserrolescollection",
        "principals",
        "roleprivilegescollection",
        *(f"accounts/{CRM}.{name}Multiple" for name in ("Create", "Update", "Upsert", "Delete")),
        f"{row}/{CRM}.CreateMultiple",
        "Nothing",
        f"{row}/{CRM}.Nothing",
        "WhoAmI",
        "",
    )
    finance = (
        "Workers",
        "Workers(PersonnelNumber='000001')",
        "Workers('x')",
        "LegalEntities",
        "LegalEntities('USMF')",
        "$batch",
        "LegalEntities('USMF')/Name",
        "CandidatesToHire(dataAreaId='usmf',CandidateId='x')/Microsoft.Dynamics.DataEntities.Hire",
        "Workers/$ref",
    )
    queries = (
        Place(f"/api/data/v9.2/{row}/new_dossier", "x-ms-file-name="),
        Place(f"/api/data/v9.2/{row}/new_dossier", "sessiontoken=x"),
        Place(f"/api/data/v9.2/{row}/new_dossier", "sessiontoken=" + "%41" * 9_000),
        Place(f"/api/data/v9.2/{row}/contact_customer_accounts/$ref", "$id=" + "/" * 9_000),
        Place(f"/api/data/v9.2/{row}/contact_customer_accounts/$ref", "$id=contacts(x)"),
        Place(f"/api/data/v9.2/{row}/primarycontactid/$ref", "$id=%00"),
        Place(f"/api/data/v9.2/{row}", "$select=nothing"),
        Place("/api/data/v9.2/accounts", "$expand=primarycontactid($levels=max)"),
        Place("/api/data/v9.2/accounts", "tag=x&partitionId=%00"),
    )
    return (
        *(Place(f"/api/data/v9.2/{path}") for path in paths),
        *(Place(f"/data/{path}") for path in finance),
        *queries,
    )


def action_places(names: tuple[str, ...], account: str, user: str) -> tuple[Place, ...]:
    """Return where actions may be called: alone, on a record, on a set."""
    bases = (
        "",
        f"systemusers({user})/{CRM}.",
        f"accounts({account})/{CRM}.",
        f"accounts/{CRM}.",
        f"roles({KNOWN_ID})/{CRM}.",
        f"teams({KNOWN_ID})/{CRM}.",
    )
    return tuple(Place(f"/api/data/v9.2/{base}{name}") for name in names for base in bases)


def action_bodies(parameters: tuple[str, ...], ids: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """Bodies with the parameters of an action, whose values are records, texts or nonsense."""
    typed = st.builds(
        lambda table, identifier: {"@odata.type": f"{CRM}.{table}", f"{table}id": identifier},
        st.sampled_from(("account", "contact", "systemuser", "team", "role", "nothing")),
        st.sampled_from((*ids, KNOWN_ID, "x", None)),
    )
    value = st.one_of(values, typed, st.lists(typed, max_size=3), records, st.sampled_from(ids))
    named = st.fixed_dictionaries({}, optional=dict.fromkeys(parameters, value))
    return st.one_of(named, named, records).map(lambda record: json.dumps(record).encode())


def wild_bodies(columns: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """Bodies of records: known columns, unfit values, names twice, scraps in the text."""
    member = st.tuples(st.sampled_from(columns), st.sampled_from(WRONG)).map('"{0[0]}":{0[1]}'.format)
    text = st.lists(member, max_size=4).map(lambda found: ("{" + ",".join(found) + "}").encode())
    cut = st.tuples(text, st.integers(0, 80), st.sampled_from((b"", b"\0", b"}", b"{", b'"', b"\xff", b"\\u", b",")))
    return st.one_of(
        text,
        text,
        records.map(lambda record: json.dumps(record).encode()),
        values.map(lambda value: json.dumps({"value": value}).encode()),
        words.map(lambda text: json.dumps({"@odata.id": text}).encode()),
        st.sampled_from(BODIES),
        cut.map(lambda found: found[0][: found[1]] + found[2] + found[0][found[1] :]),
    )


wild_headers = st.one_of(
    st.just(JSON),
    st.just(JSON),
    headers,
    st.lists(st.sampled_from(HEADERS), max_size=3).map(dict).map(lambda h: JSON | h),
)
