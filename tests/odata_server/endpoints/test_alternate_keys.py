"""One row by its id or by an alternate key (Learn: "Retrieve a table row using the Web API")."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest
from things import CALLER, GADGET, ORGANIZATION, PAIRS, RELATIONSHIPS, SYSTEM, SYSTEM_USER, UNIT, USER, Directory

from entities.messages import Create
from entities.metadata.catalog import catalog
from entities.metadata.tables import AlternateKey
from entities.pipeline import pipeline
from entities.standard.environment import standard_catalog
from odata_server.endpoints import web_api
from odata_server.engine.database import Durability
from odata_server.engine.environment import Blueprint, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.engine.sqlite.database import SqliteDatabase
from tests.odata_server.endpoints.conftest import Client, build_services

ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "00000000-0000-0000-0000-000000000001"
MISSING = "A record with the specified key values does not exist in gadget entity"
UNDEFINED = "The specified key attributes are not a defined key for the gadget entity"


class Everyone(Directory):
    """A directory in which each application is the caller."""

    def application_user(self, application_id, object_id):
        return CALLER


def keyed_catalog():
    """Return the gadgets with a key over a lookup besides those they have."""
    gadget = replace(GADGET, keys=(*GADGET.keys, AlternateKey("sellerkey", ("seller",))))
    standard = standard_catalog(1)
    return catalog(1, (*standard.tables.values(), gadget, PAIRS), (*standard.relationships.values(), *RELATIONSHIPS))


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "data.db"
    with closing(SqliteDatabase(path)) as database:
        prepare_database(database, Blueprint(ORGANIZATION, keyed_catalog()))
    parts = Parts(pipeline(), lambda _database, _stamp: Everyone(), frozenset({"role"}), {})
    service = OrganizationService(SqliteDatabase(path, Durability.NONE), parts)
    service.execute(Create("businessunit", {"businessunitid": UNIT.id, "name": "Root"}), SYSTEM)
    for user in (SYSTEM_USER, USER):
        service.execute(Create("systemuser", {"systemuserid": user.id, "businessunitid": UNIT}), SYSTEM)
    yield Client(build_services(service, service), web_api.handle, "/api/data/v9.2")
    service.database.close()


@pytest.fixture(scope="module")
def ids(api):
    seller = api.created("accounts", name="Seller")
    bind = {"seller@odata.bind": f"/accounts({seller})"}
    one = api.created("gadgets", name="One", code="A'1", size=1, shelf=2, **bind)
    api.created("gadgets", name="Two", code="B 2", size=2, shelf=2)
    return {"one": one, "seller": seller}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("{one}", "One"),
        ("gadgetid={one}", "One"),
        ("code='A''1'", "One"),
        ("code='a''1'", "One"),
        ("code='B%202'", "Two"),
        ("size=1,shelf=2", "One"),
        ("shelf=2,size=2", "Two"),
        ("_seller_value={seller}", "One"),
        ("code=@c", "One"),
    ],
)
def test_a_row_is_found_by_its_id_or_any_key(api, ids, key, name):
    alias = "&@c='A''1'" if "@c" in key else ""
    answer = api("GET", f"/gadgets({key.format(**ids)})?$select=name{alias}")
    assert answer.status == 200, answer.body
    row = json.loads(answer.body)
    assert row["name"] == name
    assert row["@odata.context"] == f"{ROOT}/$metadata#gadgets(name)/$entity"
    assert dict(answer.headers)["ETag"] == row["@odata.etag"]
    assert row["@odata.etag"].startswith('W/"')


def test_what_stands_behind_a_key_is_that_of_the_row(api, ids):
    assert api.json("/gadgets(size=1,shelf=2)/name")["value"] == "One"
    assert api("GET", "/gadgets(code='B%202')/name/$value").body == b"Two"
    assert api.json("/gadgets(code='A''1')/seller?$select=name")["name"] == "Seller"
    assert api("GET", "/gadgets(code='B%202')/seller").status == 204


@pytest.mark.parametrize(
    ("key", "status", "code", "message"),
    [
        (NOBODY, 404, "0x80040217", f"Entity 'gadget' With Id = {NOBODY} Does Not Exist"),
        ("code='nothing'", 404, "0x80060891", MISSING),
        ("size=1,shelf=9", 404, "0x80060891", MISSING),
        (f"_seller_value={NOBODY}", 404, "0x80060891", MISSING),
        ("size=1", 400, "0x80060890", UNDEFINED),
        ("size=1,shelf=2,code='A''1'", 400, "0x80060890", UNDEFINED),
        ("name='One'", 400, "0x80060890", UNDEFINED),
        ("nothing='One'", 400, "0x80060890", UNDEFINED),
        ("size='x',shelf=2", 400, "0x80060888", None),
        ("size=1,size=1", 400, "0x80060888", None),
    ],
)
def test_a_key_that_names_no_row_is_refused(api, ids, key, status, code, message):
    found = api.error("GET", f"/gadgets({key})")
    assert found[:2] == (status, code), found
    assert message in {None, found[2]}


def test_a_key_is_violated_by_a_second_row(api, ids):
    status, code, told = api.error("POST", "/gadgets", {"name": "Three", "code": "a'1", "size": 3, "shelf": 3})
    assert (status, code) == (412, "0x80060892")
    assert told.startswith("Entity Key Code key violated. A record with the same value for ")


def test_a_row_is_created_and_changed_under_its_key(api, ids):
    assert api("PATCH", "/gadgets(code='C%203')", {"name": "Made", "size": 7, "shelf": 7}).status in {201, 204}
    assert api.json("/gadgets(size=7,shelf=7)?$select=name,code")["code"] == "C 3"
    assert api("PATCH", "/gadgets(code='C%203')", {"name": "Changed"}).status == 204
    assert api.json("/gadgets(code='C%203')?$select=name")["name"] == "Changed"
    assert api("DELETE", "/gadgets(code='C%203')").status == 204
    assert api.error("GET", "/gadgets(code='C%203')")[:2] == (404, "0x80060891")
