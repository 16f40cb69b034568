"""A request explained: the stages are those of the real request, and nothing is changed."""

from __future__ import annotations

import pytest
from flask import Flask

from entities.errors import AccessDenied, InvalidArgument
from entities.messages import Associate, Create, Execute, RetrieveMultiple
from entities.query import QueryExpression, equals
from entities.standard.identifiers import root_business_unit_id
from entities.values import EntityReference
from odata_server.endpoints.explain import SYSTEM, as_text, explain
from odata_server.endpoints.explain_route import explain_routes
from tests.odata_server.endpoints.conftest import ADMIN, ORGANIZATION, ROLELESS, STRANGER

ORIGIN = "https://org.test:8443"
KEY = {"Authorization": "TalentverseControl key"}
READ = "GET /api/data/v9.2/accounts?$select=name&$filter=contains(name,'o b') and statecode eq 0&$top=3"


@pytest.fixture
def explained(services):
    return lambda text, who=SYSTEM: explain(text, who, services, ORIGIN)


@pytest.fixture
def reader_of_own_accounts(services):
    """The application that had no role, with one that reads the accounts it owns."""
    service = services.dataverse
    by_id = QueryExpression("systemuser", filter=equals("applicationid", ROLELESS))
    user = service.execute(RetrieveMultiple(by_id), service.system).records[0]
    unit = EntityReference("businessunit", root_business_unit_id(ORGANIZATION))
    role = service.execute(Create("role", {"name": "Own accounts", "businessunitid": unit}), service.system).reference
    named = QueryExpression("privilege", filter=equals("name", "prvReadAccount"))
    privilege = service.execute(RetrieveMultiple(named), service.system).records[0]["privilegeid"]
    depth = {"Depth": "Basic", "PrivilegeId": privilege}
    service.execute(Execute("AddPrivilegesRole", {"Privileges": [depth]}, role), service.system)
    target = EntityReference("systemuser", user["systemuserid"])
    service.execute(Associate(target, "systemuserroles_association", role), service.system)
    return ROLELESS


@pytest.fixture
def client(services):
    app = Flask("test")
    app.register_blueprint(explain_routes("key", services))
    return app.test_client()


def test_a_read_is_shown_from_its_tree_to_sqlites_plan(explained):
    found = explained(READ)
    assert "accounts" in found.path_tree
    assert "contains" in found.options_tree
    (step,) = found.steps
    assert step.executed
    assert "(name contains 'o b')" in step.message
    assert step.narrowed == step.message
    assert step.reasons == ("the system may do everything",)
    (statement,) = step.statements
    assert statement.sql.startswith("SELECT")
    assert "3" in statement.parameters
    assert any("account" in line for line in statement.plan)
    assert found.status == 200


def test_the_second_time_the_plan_comes_from_the_cache(explained):
    text = "GET /api/data/v9.2/contacts?$select=lastname&$orderby=firstname desc&$top=2"
    first, second = explained(text), explained(text)
    assert (first.steps[0].hits, first.steps[0].misses) == (0, 1)
    assert (second.steps[0].hits, second.steps[0].misses) == (1, 0)
    assert second.cache.hits == first.cache.hits + 1
    assert second.cache.kept == first.cache.kept


def test_a_reader_with_less_than_everything_sees_how_it_is_narrowed(explained, services, reader_of_own_accounts):
    (step,) = explained(READ, reader_of_own_accounts).steps
    assert step.narrowed != step.message
    assert "ownerid" in step.narrowed
    assert step.reasons
    assert step.statements


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('POST /api/data/v9.2/accounts {"name": "Never stored"}', "Create"),
        ('PATCH /api/data/v9.2/accounts(0c000000-0000-4000-8000-0000000000ee) {"name": "Never"}', "Upsert"),
        ("DELETE /api/data/v9.2/accounts(0c000000-0000-4000-8000-0000000000ee)", "Delete"),
    ],
)
def test_a_write_is_shown_and_not_executed(api, explained, text, message):
    before = api("GET", "/accounts/$count").body
    found = explained(text)
    assert found.steps[-1].message.startswith(f"({message}")
    assert not found.steps[-1].executed
    assert found.status == 0
    assert api("GET", "/accounts/$count").body == before


@pytest.mark.parametrize(
    ("text", "status", "word"),
    [
        ("GET /api/data/v9.2/accounts?$filter=nope eq 1", 400, "nope"),
        ("GET /api/data/v9.2/accounts?$filter=(name", 400, "position"),
        ("GET /api/data/v9.2/nopes", 404, "nopes"),
        ("GET /api/data/v9.2/accounts(0c000000-0000-4000-8000-0000000000ee)", 404, "Does Not Exist"),
    ],
)
def test_a_refusal_is_the_answer(explained, text, status, word):
    found = explained(text)
    assert found.status == status
    assert word in found.body


@pytest.mark.parametrize("text", ["", "GET", "/api/data/v9.2/accounts", "GET /data/Workers", "GET accounts"])
def test_what_is_no_request_to_the_web_api_is_refused(explained, text):
    with pytest.raises(InvalidArgument):
        explained(text)


def test_an_unknown_principal_is_refused(explained):
    with pytest.raises(InvalidArgument, match="neither"):
        explained(READ, "nobody")
    with pytest.raises(AccessDenied):
        explained(READ, STRANGER)
    with pytest.raises(AccessDenied):
        explained(READ, "nobody@contoso.test")


def test_the_text_names_each_stage_in_order(explained):
    text = as_text(explained(READ, ADMIN))
    stages = ["request ", "principal ", "path", "options", "message 1", "narrowed to", "because", "sql", "parameters"]
    stages += ["query plan", "plans ", "answer     200", "plan cache "]
    places = [text.index(f"\n{stage}" if number else stage) for number, stage in enumerate(stages)]
    assert places == sorted(places)


def test_the_control_interface_explains_to_holders_of_the_key(client):
    asked = {"request": READ, "as": ADMIN}
    found = client.get("/_talentverse/explain", query_string=asked, headers=KEY)
    assert found.status_code == 200
    assert found.json["steps"][0]["statements"][0]["sql"].startswith("SELECT")
    text = client.get("/_talentverse/explain", query_string=asked | {"format": "text"}, headers=KEY)
    assert text.content_type.startswith("text/plain")
    assert "query plan" in text.text


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer good"}, {"Authorization": "TalentverseControl no"}])
def test_nobody_else_gets_an_explanation(client, headers):
    assert client.get("/_talentverse/explain", query_string={"request": READ}, headers=headers).status_code == 401


def test_the_control_interface_refuses_what_cannot_be_explained(client):
    assert client.get("/_talentverse/explain", headers=KEY).status_code == 400
    asked = {"request": READ, "as": STRANGER}
    assert client.get("/_talentverse/explain", query_string=asked, headers=KEY).status_code == 403
