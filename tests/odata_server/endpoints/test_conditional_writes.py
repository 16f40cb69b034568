"""What If-Match and If-None-Match make of PATCH, PUT, DELETE and GET, by id and by alternate key."""

from __future__ import annotations

import itertools
import json
from contextlib import closing
from dataclasses import replace

import pytest
from databases import open_database
from things import (
    CALLER,
    GADGET,
    ORGANIZATION,
    PAIRS,
    RELATIONSHIPS,
    SYSTEM,
    SYSTEM_USER,
    UNIT,
    USER,
    Directory,
    dump,
)

from entities.messages import Create
from entities.metadata.catalog import catalog
from entities.metadata.tables import AlternateKey
from entities.pipeline import pipeline
from entities.standard.environment import standard_catalog
from odata_server.endpoints import web_api
from odata_server.engine.database import Durability
from odata_server.engine.environment import Blueprint, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from tests.odata_server.endpoints.conftest import Client, build_services

ROOT = "https://org.test:8443/api/data/v9.2"
CHOSEN = "0c000000-0000-4000-8000-000000000001"
NOBODY = "0c000000-0000-4000-8000-0000000000ff"
EXISTS = (412, "0x80040237", "A record with matching key values already exists.")
CHANGED = (412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided.")
KNOWN = (412, "0x80060882", "The version of the existing record matches the entity tag in If-None-Match.")
NO_ID = (404, "0x80040217", f"Entity 'gadget' With Id = {CHOSEN} Does Not Exist")
NO_KEY = (404, "0x80060891", "A record with the specified key values does not exist in gadget entity")


class Everyone(Directory):
    """A directory in which each application is the caller."""

    def application_user(self, application_id, object_id):
        return CALLER


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    path = tmp_path_factory.mktemp("conditions") / "data.db"
    gadget = replace(GADGET, keys=(*GADGET.keys, AlternateKey("sellerkey", ("seller",))))
    standard = standard_catalog(1)
    declared = catalog(
        1, (*standard.tables.values(), gadget, PAIRS), (*standard.relationships.values(), *RELATIONSHIPS)
    )
    with closing(open_database(path)) as database:
        prepare_database(database, Blueprint(ORGANIZATION, declared))
    parts = Parts(pipeline(), lambda _database, _stamp: Everyone(), frozenset({"role"}), {})
    service = OrganizationService(open_database(path, Durability.NONE), parts)
    service.execute(Create("businessunit", {"businessunitid": UNIT.id, "name": "Root"}), SYSTEM)
    for user in (SYSTEM_USER, USER):
        service.execute(Create("systemuser", {"systemuserid": user.id, "businessunitid": UNIT}), SYSTEM)
    yield service
    service.database.close()


@pytest.fixture(scope="module")
def api(service):
    return Client(build_services(service, service), web_api.handle, "/api/data/v9.2")


@pytest.fixture
def fresh(api):
    """Take away what earlier tests made; give fresh numbers for keys."""
    for row in api.json("/gadgets?$select=name")["value"]:
        assert api("DELETE", f"/gadgets({row['gadgetid']})").status == 204


PATHS = {"id": f"/gadgets({CHOSEN})", "key": "/gadgets(code='K')", "two columns": "/gadgets(size=1,shelf=2)"}
FIRST = {"gadgetid": CHOSEN, "name": "Before", "code": "K", "size": 1, "shelf": 2}


def present(api, exists):
    if exists:
        assert api("POST", "/gadgets", FIRST).status == 204


def outcome(answer):
    if answer.status in {200, 201, 204}:
        return answer.status
    error = json.loads(answer.body)["error"]
    return answer.status, error["code"], error["message"]


def missing(path):
    return NO_ID if path == "id" else NO_KEY


MATRIX = [
    # (headers, what is there, what happens: None is the refusal for a record that is not there)
    ({}, True, 204),
    ({}, False, 204),
    ({"If_Match": "*"}, True, 204),
    ({"If_Match": "*"}, False, None),
    ({"If_None_Match": "*"}, True, EXISTS),
    ({"If_None_Match": "*"}, False, 204),
    ({"If_Match": 'W/"1"'}, True, CHANGED),
    ({"If_Match": '"1"'}, True, CHANGED),
    ({"If_Match": 'W/"x"'}, True, CHANGED),
    ({"If_Match": 'W/"1"'}, False, None),
    ({"If_Match": "null"}, False, 204),
    ({"If_None_Match": "null"}, True, 204),
    ({"If_None_Match": "null"}, False, 204),
    ({"If_Match": "null", "If_None_Match": "null"}, True, 204),
    ({"If_Match": "null", "If_None_Match": "*"}, True, EXISTS),
    ({"If_Match": "*", "If_None_Match": "null"}, False, None),
    ({"If_None_Match": 'W/"1"'}, True, 204),
    ({"If_None_Match": 'W/"1"'}, False, 204),
    ({"If_None_Match": 'W/"1"', "If_Match": "*"}, True, 204),
    ({"If_None_Match": 'W/"1"', "If_Match": "*"}, False, None),
    ({"If_Match": "nonsense"}, True, (400, "0x80060888", "The entity tag 'nonsense' is malformed.")),
    ({"If_None_Match": "nonsense"}, True, (400, "0x80060888", "The entity tag 'nonsense' is malformed.")),
    (
        {"If_Match": "*", "If_None_Match": "*"},
        True,
        (400, "0x80060888", "If-Match and If-None-Match cannot be used together."),
    ),
]


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(("path", "row"), list(itertools.product(PATHS, MATRIX)))
def test_a_patch_makes_or_changes_the_record_as_its_conditions_say(api, service, path, row):
    headers, exists, expected = row
    present(api, exists)
    before = dump(service.database)
    answer = api("PATCH", PATHS[path], {"name": "After"}, **headers)
    assert outcome(answer) == (missing(path) if expected is None else expected)
    if answer.status == 204:
        assert api.json(f"{PATHS[path]}?$select=name")["name"] == "After"
        url = dict(answer.headers)["OData-EntityId"]
        assert api.json(f"{url.removeprefix(ROOT)}?$select=name")["name"] == "After"
    else:
        assert dump(service.database) == before


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("verb", ["PATCH", "PUT", "DELETE", "DELETE property"])
def test_the_current_entity_tag_lets_one_write_through(api, service, path, verb):
    present(api, exists=True)
    tag = dict(api("GET", PATHS[path]).headers)["ETag"]
    method, _, rest = verb.partition(" ")
    where = PATHS[path] + ("/name" if method == "PUT" or rest else "")
    body = {"PATCH": {"name": "x"}, "PUT": {"value": "x"}}.get(method)
    stale = dump(service.database)
    assert outcome(api(method, where, body, If_Match='W/"1"')) == CHANGED
    assert dump(service.database) == stale
    assert api(method, where, body, If_Match=tag).status == 204
    after = dump(service.database)
    again = outcome(api(method, where, body, If_Match=tag))
    assert again == (missing(path) if verb == "DELETE" else CHANGED)
    assert dump(service.database) == after


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("verb", ["PATCH", "PUT", "DELETE property", "DELETE"])
def test_a_version_that_must_not_be_there_keeps_a_write_away(api, service, path, verb):
    present(api, exists=True)
    tag = dict(api("GET", PATHS[path]).headers)["ETag"]
    method, _, rest = verb.partition(" ")
    where = PATHS[path] + ("/name" if method == "PUT" or rest else "")
    body = {"PATCH": {"name": "x"}, "PUT": {"value": "x"}}.get(method)
    before = dump(service.database)
    for same in (tag, tag.removeprefix("W/")):
        assert outcome(api(method, where, body, If_None_Match=same)) == KNOWN
    assert dump(service.database) == before
    assert api("PATCH", PATHS[path], {"name": "Changed"}).status == 204
    assert api(method, where, body, If_None_Match=tag).status == 204


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("related", ["whole", "parts", "users"])
def test_relations_change_at_the_version_that_is_named(api, service, path, related):
    present(api, exists=True)
    other = api.created("contacts", lastname="O") if related == "users" else api.created("gadgets", name="Other")
    other_set = "contacts" if related == "users" else "gadgets"
    url, where = f"{ROOT}/{other_set}({other})", f"{PATHS[path]}/{related}"
    added = ("PUT" if related == "whole" else "POST", f"{where}/$ref", {"@odata.id": url})
    removed = ("DELETE", f"{where}/$ref" if related == "whole" else f"{where}/$ref?$id={url}", None)
    for change in (added, removed):
        tag = dict(api("GET", PATHS[path]).headers)["ETag"]
        before = dump(service.database)
        assert outcome(api(*change, If_Match='W/"1"')) == CHANGED
        assert outcome(api(*change, If_None_Match=tag)) == KNOWN
        assert outcome(api(*change, If_Match="nonsense"))[0] == 400
        assert dump(service.database) == before
        assert api(*change, If_Match=tag, If_None_Match='W/"1"').status == 204
        assert dump(service.database) != before
    for change in (added, removed):
        assert api(*change, If_Match="*").status == 204


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("path", PATHS)
def test_relations_of_nothing_have_no_version(api, service, path):
    other = api.created("gadgets", name="Other")
    before = dump(service.database)
    for headers in ({"If_Match": "*"}, {"If_Match": 'W/"1"'}, {"If_None_Match": 'W/"1"'}):
        body = {"@odata.id": f"{ROOT}/gadgets({other})"}
        assert outcome(api("POST", f"{PATHS[path]}/parts/$ref", body, **headers)) == missing(path)
    assert dump(service.database) == before


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [{}, {"If_Match": "*"}, {"If_Match": "null"}, {"If_Match": 'W/"1"'}])
@pytest.mark.parametrize("verb", ["DELETE", "PUT", "DELETE property"])
def test_nothing_but_a_patch_makes_a_record(api, service, path, headers, verb):
    method, _, rest = verb.partition(" ")
    before = dump(service.database)
    where = PATHS[path] + ("/name" if method == "PUT" or rest else "")
    body = {"value": "x"} if method == "PUT" else None
    assert outcome(api(method, where, body, **headers)) == missing(path)
    assert dump(service.database) == before


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"If_None_Match": "current"}, "", 304),
        ({"If_None_Match": "current"}, "?$select=name", 304),
        ({"If_None_Match": 'W/"1"'}, "", 200),
        ({"If_None_Match": "null"}, "", 200),
        ({}, "", 200),
        ({"If_None_Match": "current"}, "?$expand=maker", 200),
        ({"If_None_Match": "current", "Prefer": 'odata.include-annotations="*"'}, "", 200),
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_a_record_that_the_caller_has_is_not_sent_again(api, path, headers, query, status):
    present(api, exists=True)
    tag = dict(api("GET", PATHS[path]).headers)["ETag"]
    answer = api("GET", PATHS[path] + query, **{k: tag if v == "current" else v for k, v in headers.items()})
    assert (answer.status, answer.body == b"") == (status, status == 304)


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("path", PATHS)
def test_an_upsert_answers_with_the_record_and_whether_it_is_new(api, path):
    prefer = "return=representation"
    made = api("PATCH", f"{PATHS[path]}?$select=name", {"name": "New"}, Prefer=prefer)
    assert (made.status, json.loads(made.body)["name"]) == (201, "New")
    changed = api("PATCH", f"{PATHS[path]}?$select=name&$expand=maker", {"name": "Newer"}, Prefer=prefer)
    assert (changed.status, json.loads(changed.body)["name"]) == (200, "Newer")
    assert "maker" not in json.loads(changed.body)


@pytest.mark.usefixtures("fresh")
def test_a_record_made_under_its_key_has_the_values_of_the_key(api):
    assert api("PATCH", PATHS["two columns"], {"name": "Made", "code": "X"}).status == 204
    row = api.json("/gadgets(code='X')?$select=size,shelf,name")
    assert (row["size"], row["shelf"], row["name"]) == (1, 2, "Made")


@pytest.mark.usefixtures("fresh")
def test_a_record_is_made_under_a_key_over_a_lookup(api):
    account = api.created("accounts", name="Seller")
    path = f"/gadgets(_seller_value={account})"
    assert api("PATCH", path, {"name": "Sold"}, If_None_Match="*").status == 204
    assert api.json(f"{path}/seller?$select=name")["name"] == "Seller"
    assert outcome(api("PATCH", path, {"name": "Again"}, If_None_Match="*")) == EXISTS
    assert api("PATCH", path, {"name": "Changed"}).status == 204
    assert api.json(f"{path}?$select=name")["name"] == "Changed"


def many(api, *targets):
    typed = [{"@odata.type": "Microsoft.Dynamics.CRM.gadget", **target} for target in targets]
    return api("POST", "/gadgets/Microsoft.Dynamics.CRM.UpsertMultiple", {"Targets": typed})


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("prefix", ["", "/", f"{ROOT}/"])
def test_many_records_are_changed_or_made_by_their_keys(api, prefix):
    present(api, exists=True)
    named = [
        {"@odata.id": f"{prefix}gadgets(code='K')", "name": "Changed"},
        {"@odata.id": f"{prefix}gadgets(size=3,shelf=4)", "name": "Made", "code": "M"},
    ]
    assert many(api, *named).status == 204
    rows = api.json("/gadgets?$select=name,code,size,shelf&$orderby=name")["value"]
    shown = [[row[name] for name in ("name", "code", "size", "shelf")] for row in rows]
    assert shown == [["Changed", "K", 1, 2], ["Made", "M", 3, 4]]
    assert many(api, *named).status == 204
    assert len(api.json("/gadgets?$select=name")["value"]) == 2


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ({"@odata.id": "gadgets(name='x')"}, 400, "0x80060890"),
        ({"@odata.id": "gadgets(code='Other')", "size": 1, "shelf": 2}, 412, "0x80060892"),
        ({"@odata.id": "gadgets(code='Other')", "size": 101}, 400, "0x80044330"),
    ],
)
def test_one_of_many_that_no_key_names_or_that_does_not_fit_takes_all_back(api, service, target, status, code):
    present(api, exists=True)
    before = dump(service.database)
    assert outcome(many(api, {"@odata.id": "gadgets(code='K')", "name": "x"}, target))[:2] == (status, code)
    assert dump(service.database) == before


@pytest.mark.usefixtures("fresh")
def test_another_key_in_the_way_of_a_new_record_is_named(api, service):
    present(api, exists=True)
    before = dump(service.database)
    status, code, text = outcome(api("PATCH", "/gadgets(code='Other')", {"size": 1, "shelf": 2}, If_None_Match="*"))
    assert (status, code) == (412, "0x80060892")
    assert text.startswith("Entity Key Place key violated.")
    assert dump(service.database) == before


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("key", ["code='K'", "size=1,shelf=2", CHOSEN, f"gadgetid={CHOSEN}"])
@pytest.mark.parametrize("prefix", ["", "/", "/api/data/v9.2/", f"{ROOT}/"])
def test_a_record_is_bound_and_related_by_any_of_its_keys(api, key, prefix):
    present(api, exists=True)
    url = f"{prefix}gadgets({key})"
    part = api.created("gadgets", name="Part", **{"whole@odata.bind": url})
    assert api.json(f"/gadgets({part})/whole?$select=name")["name"] == "Before"
    assert api("PATCH", f"/gadgets({part})", {"whole@odata.bind": None}).status == 204
    assert api("PUT", f"/gadgets({part})/whole/$ref", {"@odata.id": url}).status == 204
    assert [row["gadgetid"] for row in api.json(f"/gadgets({key})/parts?$select=name")["value"]] == [part]
    assert api("DELETE", f"/gadgets({key})/parts({part})/$ref").status == 204
    assert api("POST", f"/gadgets({key})/parts/$ref", {"@odata.id": f"{ROOT}/gadgets({part})"}).status == 204
    assert api("DELETE", f"/gadgets({part})/whole/$ref").status == 204


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("code='none'", 404, "0x80060891"),
        ("name='x'", 400, "0x80060890"),
        ("size=1", 400, "0x80060890"),
        (NOBODY, 404, "0x80040217"),
    ],
)
def test_a_record_that_no_key_names_is_not_bound_or_related(api, service, key, status, code):
    present(api, exists=True)
    before = dump(service.database)
    for method, path, body in (
        ("POST", "/gadgets", {"name": "x", "whole@odata.bind": f"/gadgets({key})"}),
        ("POST", "/gadgets", {"name": "x", "parts@odata.bind": [f"/gadgets({key})"]}),
        ("PATCH", PATHS["key"], {"whole@odata.bind": f"/gadgets({key})"}),
        ("PUT", f"{PATHS['key']}/whole/$ref", {"@odata.id": f"/gadgets({key})"}),
        ("POST", f"{PATHS['key']}/parts/$ref", {"@odata.id": f"/gadgets({key})"}),
        ("DELETE", f"{PATHS['key']}/parts({key})/$ref", None),
    ):
        assert outcome(api(method, path, body))[:2] == (status, code), (method, path)
    assert dump(service.database) == before


@pytest.mark.usefixtures("fresh")
def test_records_of_many_to_many_come_with_a_new_one_and_are_related_in_every_form(api, service):
    one, two, three = (api.created("contacts", lastname=name) for name in ("1", "2", "3"))
    body = {"users": [{"lastname": "new"}], "users@odata.bind": [f"/contacts({one})"]}
    gadget = api.created("gadgets", name="G", **body)
    path = f"/gadgets({gadget})/users"

    def users():
        return sorted(row["lastname"] for row in api.json(f"{path}?$select=lastname")["value"])

    assert users() == ["1", "new"]
    assert api("POST", f"{path}/$ref", {"@odata.id": f"{ROOT}/contacts({two})"}).status == 204
    assert api("POST", f"/contacts({three})/gadgets_used/$ref", {"@odata.id": f"gadgets({gadget})"}).status == 204
    assert api("POST", path, {"lastname": "made there"}).status == 204
    assert users() == ["1", "2", "3", "made there", "new"]
    before = dump(service.database)
    assert outcome(api("POST", f"{path}/$ref", {"@odata.id": f"contacts({two})"})) == (
        412,
        "0x80040237",
        "Cannot insert duplicate key.",
    )
    assert outcome(api("DELETE", f"{path}({NOBODY})/$ref"))[:2] == (404, "0x80040217")
    assert dump(service.database) == before
    assert api("DELETE", f"{path}({one})/$ref").status == 204
    assert api("DELETE", f"{path}/$ref?$id={ROOT}/contacts({two})").status == 204
    assert api("DELETE", f"/contacts({three})/gadgets_used({gadget})/$ref").status == 204
    assert users() == ["made there", "new"]
