"""Whatever is written, wherever it is sent: never a fault, little time, and a refusal changes nothing."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest
from attacking import Attack
from driving import CONTROL, WEB_API, Caller
from file_columns import with_file_columns
from hostile import HostileRequest
from hostile_batches import BATCHES
from hostile_writes import (
    BODIES,
    ENCODED,
    HEADERS,
    JSON,
    WRONG,
    Place,
    action_bodies,
    action_places,
    places,
    wild_bodies,
    wild_headers,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entities.metadata.columns import LookupType
from entities.standard.environment import standard_catalog
from odata_server.edm.operation_list import available_operations

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
EXAMPLES = 20_000 if NIGHTLY else 80
METHODS = ("POST", "PATCH", "PUT", "DELETE")
DEEPLY = settings(
    max_examples=EXAMPLES,
    derandomize=not NIGHTLY,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TABLES = ("account", "contact", "team", "systemuser", "businessunit", "role", "transactioncurrency")
ACTIONS = {operation.name: tuple(operation.parameters) for operation in available_operations() if operation.is_action}


@pytest.fixture(scope="module")
def data(administrator, narrow, directory, databases):
    """What the requests are about, made anew after each reset; ids stay the same."""
    ids = {name: f"0e000000-0000-4000-8000-00000000000{n}" for n, name in enumerate(("account", "contact", "team"))}

    def put_back():
        Caller(administrator.application).post("/_talentverse/reset", headers=CONTROL)
        with_file_columns(databases[0], {"new_Dossier": 64, "new_Note": 1})
        administrator.post("accounts", {"accountid": ids["account"], "name": "Target"})
        owner = {"parentcustomerid_account@odata.bind": f"/accounts({ids['account']})"}
        administrator.post("contacts", {"contactid": ids["contact"], "lastname": "Target", **owner})
        unit = administrator.rows("businessunits?$filter=_parentbusinessunitid_value eq null")[0]["businessunitid"]
        me = administrator.get("WhoAmI")["UserId"]
        binds = {
            "businessunitid@odata.bind": f"/businessunits({unit})",
            "administratorid@odata.bind": f"/systemusers({me})",
        }
        administrator.post("teams", {"teamid": ids["team"], "name": "Target", "teamtype": 0, **binds})
        return me, unit

    me, unit = put_back()
    found = places(ids["account"], ids["contact"], ids["team"], me)
    return SimpleNamespace(
        attack=Attack(administrator, narrow, directory, databases, put_back, lasting=500),
        places=found,
        actions=action_places(tuple(ACTIONS), ids["account"], me),
        ids=(*ids.values(), me, unit),
        account=ids["account"],
    )


def sent(data, method, place, body=b"", headers=JSON, *, is_narrow=False):
    return data.attack(HostileRequest(method, place.path, place.query, dict(headers), body, is_narrow=is_narrow))


def members(table):
    """Return the members of a record's body: columns, lookups as those are written."""
    return tuple(
        f"{column.logical_name}{'@odata.bind' if isinstance(column.type, LookupType) else ''}"
        for column in table.columns
    )


CATALOG = standard_catalog(1)
COLUMNS = (
    *(name for table in TABLES for name in members(CATALOG.tables[table])),
    *("value", "@odata.id", "@odata.type", "primarycontactid", "contact_customer_accounts", "Targets", "Target"),
)


@DEEPLY
@given(drawn=st.data())
def test_no_write_is_answered_by_a_fault(data, drawn):
    place = drawn.draw(st.sampled_from(data.places))
    body, headers = drawn.draw(wild_bodies(COLUMNS)), drawn.draw(wild_headers)
    sent(data, drawn.draw(st.sampled_from(METHODS)), place, body, headers, is_narrow=drawn.draw(st.booleans()))


@DEEPLY
@given(drawn=st.data())
def test_no_table_takes_a_write_with_a_fault(data, drawn):
    table = drawn.draw(st.sampled_from(tuple(CATALOG.tables.values())))
    key = drawn.draw(st.sampled_from(("", f"({data.account})", f"({table.primary_id}={data.account})")))
    body, headers = drawn.draw(wild_bodies(members(table))), drawn.draw(wild_headers)
    method = drawn.draw(st.sampled_from(("PATCH", "PATCH", "DELETE") if key else ("POST",)))
    sent(data, method, Place(f"{WEB_API}{table.entity_set_name}{key}"), body, headers)


@DEEPLY
@given(drawn=st.data())
def test_no_action_is_answered_by_a_fault(data, drawn):
    place = drawn.draw(st.sampled_from(data.actions))
    name = place.path.rpartition(".")[2].rpartition("/")[2]
    body = drawn.draw(action_bodies(ACTIONS[name], data.ids))
    sent(data, "POST", place, body, is_narrow=drawn.draw(st.booleans()))


@pytest.mark.parametrize("number", range(0, len(BODIES), 30))
def test_no_body_is_answered_by_a_fault_anywhere(data, number):
    for step, place in enumerate(data.places):
        body = BODIES[(number + step) % len(BODIES)]
        for method in METHODS[:3]:
            sent(data, method, place, body)


def one_column_of_each_type():
    found = {}
    for name in TABLES[:3]:
        table = CATALOG.tables[name]
        for column in table.columns:
            if column.valid_for_create and column.logical_name != table.primary_id:
                found.setdefault(type(column.type), (table, column))
    return [pytest.param(*pair, id=kind.__name__) for kind, pair in found.items()]


@pytest.mark.parametrize(("table", "column"), one_column_of_each_type())
def test_no_value_is_too_wrong_for_a_column(data, table, column):
    name = column.logical_name
    member = f"{name}@odata.bind" if isinstance(column.type, LookupType) else name
    at = data.ids[TABLES.index(table.logical_name)]
    for value in WRONG:
        sent(data, "POST", Place(f"{WEB_API}{table.entity_set_name}"), f'{{"{member}":{value}}}'.encode())
    for value in WRONG[::3]:
        sent(data, "PATCH", Place(f"{WEB_API}{table.entity_set_name}({at})"), f'{{"{member}":{value}}}'.encode())
    for value in WRONG[1::5]:
        sent(data, "PUT", Place(f"{WEB_API}{table.entity_set_name}({at})/{name}"), f'{{"value":{value}}}'.encode())


@pytest.mark.parametrize("name", sorted({name for name, _ in HEADERS}))
def test_no_header_is_answered_by_a_fault(data, name):
    row = f"{WEB_API}accounts({data.account})"
    forms = (
        ("POST", f"{WEB_API}accounts", b'{"name":"h"}'),
        ("PATCH", row, b'{"name":"h"}'),
        ("PUT", f"{row}/name", b'{"value":"h"}'),
        ("PATCH", f"{row}/new_dossier", b"content"),
        ("POST", f"{WEB_API}accounts/Microsoft.Dynamics.CRM.CreateMultiple", b'{"Targets":[]}'),
        ("POST", "/data/LegalEntities", b"{}"),
    )
    for value in (found for header, found in HEADERS if header == name):
        for method, path, body in forms:
            is_file = path.endswith("new_dossier")
            usual = {"Content-Type": "application/octet-stream", "x-ms-file-name": "f.txt"} if is_file else JSON
            sent(data, method, Place(path), body, {**usual, name: value})


@pytest.mark.parametrize("is_narrow", [False, True], ids=["administrator", "narrow role"])
@pytest.mark.parametrize("body", ENCODED, ids=range(len(ENCODED)))
def test_no_compressed_body_is_answered_by_a_fault(data, body, is_narrow):
    for path in ("accounts", "$batch", f"accounts({data.account})/new_dossier"):
        for coding in ("gzip", "deflate"):
            headers = {**JSON, "Content-Encoding": coding}
            sent(data, "POST", Place(WEB_API + path), body, headers, is_narrow=is_narrow)


REFUSED_AS_A_WHOLE = {
    "many parts",
    "many change sets without requests",
    "1,001 requests",
    "1,001 requests in a change set",
    "nested 50 deep",
    "ids twice",
}


@pytest.mark.parametrize("root", [WEB_API, "/data/"])
@pytest.mark.parametrize("name", BATCHES)
def test_no_batch_is_answered_by_a_fault(data, name, root):
    content_type, body = BATCHES[name]
    place, raw = Place(f"{root}$batch"), body.encode("latin-1", "replace")
    status = sent(data, "POST", place, raw, {"Content-Type": content_type})
    assert status == 400 or name not in REFUSED_AS_A_WHOLE


@pytest.mark.parametrize(
    "url", ["https://[/contacts(1)", "//]/contacts(1)", "https://[x]/contacts(1)", "x:/contacts(1)", "http:", "$9"]
)
def test_a_url_that_is_none_of_ours_names_no_record(data, url):
    row, told = f"{WEB_API}accounts({data.account})", json.dumps(url)
    for method, path, body in (
        ("POST", f"{row}/contact_customer_accounts/$ref", f'{{"@odata.id":{told}}}'),
        ("PUT", f"{row}/primarycontactid/$ref", f'{{"@odata.id":{told}}}'),
        ("PATCH", row, f'{{"primarycontactid@odata.bind":{told}}}'),
        ("POST", f"{WEB_API}accounts", f'{{"contact_customer_accounts@odata.bind":[{told}]}}'),
    ):
        assert sent(data, method, Place(path), body.encode()) in {400, 404}
