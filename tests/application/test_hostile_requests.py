"""Whatever is sent, the answer is one of ours: never a fault, always in its format, and a refusal changes nothing."""

from __future__ import annotations

import json
import os
import re
import tracemalloc
from urllib.parse import quote

import pytest
from attacking import Attack
from driving import CONTROL, WEB_API, Caller
from hostile import (
    HOSTILE_BODIES,
    KNOWN_ID,
    LONG,
    HostileRequest,
    Target,
    plausible_requests,
    wild_requests,
)
from hostile_texts import LONG_TEXT, PATTERNS, REFUSED_BODIES, REFUSED_QUERIES, conditions, fetch, like
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from set_up import set_talent_hub_up

from entities.human_resources import model
from entities.metadata.columns import LookupType
from entities.standard.environment import standard_catalog
from odata_server.admin.talent_hub_setup import ENTITY_SET
from odata_server.edm.naming import finance_columns, finance_property, key_columns

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
EXAMPLES = 30_000 if NIGHTLY else 450
MEGABYTES = 48
"""How much memory an answer may take at most, beyond what was taken before."""


@pytest.fixture(scope="module")
def attack(application, administrator, narrow, directory, databases):
    """Sends hostile requests over data with a generated table."""

    def put_back():
        Caller(application).post("/_talentverse/reset", headers=CONTROL)
        set_talent_hub_up(administrator)

    put_back()
    return Attack(administrator, narrow, directory, databases, put_back)


DEEPLY = settings(
    max_examples=EXAMPLES,
    derandomize=not NIGHTLY,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@DEEPLY
@given(request=wild_requests)
def test_no_wild_request_is_answered_by_a_fault(attack, request):
    attack(request)


@pytest.fixture(scope="module")
def targets(attack, administrator):
    """Every table of both environments, with keys of rows that are there."""
    found = []
    for table in standard_catalog(1).tables.values():
        answer = administrator.send("GET", f"{table.entity_set_name}?$top=2")
        rows = answer.json["value"] if answer.status_code == 200 else []
        names = tuple(
            f"_{c.logical_name}_value" if isinstance(c.type, LookupType) else c.logical_name for c in table.columns
        )
        keys = tuple(row[table.primary_id] for row in rows if table.primary_id in row)
        found.append(Target(f"{WEB_API}{table.entity_set_name}", samples(names, rows), keys))
    found.append(virtual_target(administrator))
    for table in model.TABLES:
        path = f"/data/{table.entity_set_name}"
        rows = administrator.rows(f"{path}?$top=2&cross-company=true")
        names = tuple(finance_property(column) for column in finance_columns(table))
        columns = [finance_property(table.by_name[name]) for name in key_columns(table)]
        keys = tuple(",".join(f"{name}={literal(row[name])}" for name in columns) for row in rows)
        found.append(Target(path, samples(names, rows), keys))
    return found


def virtual_target(administrator):
    """The generated table, which holds no rows of its own."""
    definition = f"EntityDefinitions(LogicalName='{ENTITY_SET.replace('entities', 'entity')}')/Attributes"
    names = tuple(row["LogicalName"] for row in administrator.rows(f"{definition}?$select=LogicalName"))
    return Target(f"{WEB_API}{ENTITY_SET}", samples(names, []), ())


def samples(names, rows):
    """Return what rows that are there hold in the named properties."""
    return {name: (None, *(row[name] for row in rows if name in row)) for name in names}


def literal(value):
    """Return a value as it stands in a key."""
    return f"'{value}'" if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value) else json.dumps(value)


@DEEPLY
@given(data=st.data())
def test_no_plausible_request_is_answered_by_a_fault(attack, targets, data):
    attack(data.draw(plausible_requests(targets)))


@pytest.mark.parametrize("path", ["accounts", f"accounts({KNOWN_ID})", f"accounts({KNOWN_ID})/name", "/data/Workers"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_no_body_is_answered_by_a_fault(attack, path, method):
    url = path if path.startswith("/") else WEB_API + path
    for body in HOSTILE_BODIES:
        attack(HostileRequest(method, url, body=body))


@pytest.mark.parametrize("long", LONG, ids=lambda text: text[:10])
@pytest.mark.parametrize("root", [f"{WEB_API}accounts", "/data/Workers"])
def test_what_is_too_long_or_too_deep_is_refused(attack, root, long):
    assert attack(HostileRequest("GET", root, f"$filter={long}")) == 400
    assert attack(HostileRequest("GET", f"{root}({long})")) in {400, 404}


@pytest.fixture(scope="module")
def weigh(attack):
    """Send a hostile request, and check how much memory the answer took as well."""

    def send(request):
        tracemalloc.start()
        try:
            status = attack(request)
            assert tracemalloc.get_traced_memory()[1] < MEGABYTES * 2**20
        finally:
            tracemalloc.stop()
        return status

    return send


@pytest.mark.parametrize("is_narrow", [False, True], ids=["administrator", "narrow role"])
@pytest.mark.parametrize("name", REFUSED_QUERIES)
def test_a_query_that_asks_too_much_is_refused(weigh, name, is_narrow):
    query = REFUSED_QUERIES[name]
    refused = weigh(HostileRequest("GET", f"{WEB_API}accounts", query, is_narrow=is_narrow))
    assert refused in ({400, 403} if is_narrow else {400})


@pytest.mark.parametrize("name", REFUSED_QUERIES)
def test_a_query_that_asks_a_virtual_table_too_much_is_refused(weigh, name):
    assert weigh(HostileRequest("GET", f"{WEB_API}{ENTITY_SET}", REFUSED_QUERIES[name])) in {400, 501}


@pytest.mark.parametrize("name", REFUSED_QUERIES)
def test_a_query_that_asks_human_resources_too_much_is_refused(weigh, name):
    query = REFUSED_QUERIES[name]
    # Options of other languages are custom options here, which are not looked at (OData 4.01 Part 2 §5.2).
    expected = {400, 501} if query.startswith("$") or "%00" in query else {200}
    assert weigh(HostileRequest("GET", "/data/Workers", query)) in expected


@pytest.mark.parametrize("name", REFUSED_BODIES)
@pytest.mark.parametrize("root", [f"{WEB_API}accounts", f"{WEB_API}{ENTITY_SET}", "/data/Workers"])
def test_a_body_that_asks_too_much_is_refused(weigh, root, name):
    request = HostileRequest("POST", root, headers={"Content-Type": "application/json"}, body=REFUSED_BODIES[name])
    assert weigh(request) == 400


@pytest.fixture(scope="module")
def long_text(attack, administrator):
    """Accounts whose texts are long enough for a matcher that goes back to lose its way."""
    for _ in range(3):
        administrator.create("accounts", {"name": "long", "description": LONG_TEXT})


@pytest.mark.usefixtures("long_text")
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda text: text[:8])
def test_no_pattern_takes_long(weigh, pattern):
    encoded = quote(pattern)
    assert weigh(HostileRequest("GET", f"{WEB_API}accounts", "fetchXml=" + quote(like(pattern)))) == 200
    assert weigh(HostileRequest("GET", f"{WEB_API}accounts", f"$filter=contains(description,'{encoded}')")) == 200
    text = quote(f"SELECT accountid FROM account WHERE description LIKE '{pattern}'")
    assert weigh(HostileRequest("GET", f"{WEB_API}accounts", f"sql={text}")) == 200


def test_five_hundred_conditions_are_answered_and_one_more_is_not(weigh):
    for count_, status in ((500, 200), (501, 400)):
        text = fetch(conditions(count_))
        assert weigh(HostileRequest("GET", f"{WEB_API}accounts", f"fetchXml={quote(text)}")) == status


@pytest.mark.parametrize("path", ["accounts(%00)", "accounts(name='a%00')", "a%00", f"accounts({KNOWN_ID})/na%00me"])
def test_no_path_holds_null(application, administrator, path):
    assert administrator.send("GET", path).status_code in {400, 404}
