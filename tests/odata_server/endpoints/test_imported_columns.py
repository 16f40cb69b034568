"""A small metadata document imported into an environment: rows with a value in every kind of column, over HTTP."""

import pytest
from project_document import ACTIVITIES, NAMES, OPERATIONS, TYPES, VISITS, document

from entities.metadata.catalog import CatalogChange
from entities.standard.sdk_messages import message_rows
from odata_server.admin.csdl_import import apply_schema, read_csdl
from odata_server.engine.environment import fill

LONG = "word " * 10_000
PROJECT = {
    "new_name": "Bridge",
    "new_code": "B-1",
    "new_description": LONG,
    "new_kindcode": 7,
    "new_count": -3,
    "new_budget": 1250.5,
    "new_share": 0.125,
    "new_day": "2024-02-29",
    "new_moment": "2024-02-29T12:30:00Z",
    "new_done": True,
    "new_otherid": "0c000000-0000-4000-8000-000000000001",
}


@pytest.fixture(scope="module")
def service(environments):
    fill(environments[0], message_rows(()))
    apply_schema(environments[0], read_csdl(document(TYPES + OPERATIONS)))
    return environments[0]


@pytest.fixture(scope="module")
def account(api, service):
    return api.created("accounts", name="Contoso", new_grade=3)


@pytest.fixture(scope="module")
def project(api, account):
    return api.created("new_projectset", **PROJECT, **{"new_CustomerId_account@odata.bind": f"/accounts({account})"})


def test_values_of_every_kind_come_back(api, project):
    found = api.json(f"/new_projectset({project})")
    assert {name: found[name] for name in PROJECT} == PROJECT
    assert (found["statecode"], found["statuscode"], found["iscustomizable"]["Value"]) == (0, 1, True)
    assert found["_ownerid_value"]
    assert found["new_budget_base"] == 1250.5


def test_lookups_lead_to_records_and_back(api, project, account):
    found = api.json(f"/new_projectset({project})?$expand=new_CustomerId_account($select=name,new_grade)")
    assert (found["new_CustomerId_account"]["name"], found["new_CustomerId_account"]["new_grade"]) == ("Contoso", 3)
    other = api.json(f"/accounts({account})?$select=name&$expand=account_new_projects($select=new_name)")
    assert [row["new_name"] for row in other["account_new_projects"]] == ["Bridge"]
    assert api.json("/new_projectset?$filter=new_CustomerId_account/new_grade eq 3&$count=true")["@odata.count"] == 1


def test_the_alternate_key_names_the_record(api, project, account):
    by_key = f"/new_projectset(new_code='B-1',_new_customerid_value={account})"
    assert api.json(by_key)["new_projectid"] == project
    twice = {**PROJECT, "new_CustomerId_account@odata.bind": f"/accounts({account})"}
    assert api.error("POST", "/new_projectset", twice)[0] == 412


def test_pairs_are_made_and_read(api, project):
    tag = api.created("new_tagset")
    link = {"@odata.id": f"https://org.test:8443/api/data/v9.2/new_tagset({tag})"}
    assert api("POST", f"/new_projectset({project})/new_project_tag/$ref", link).status == 204
    assert [row["new_tagid"] for row in api.json(f"/new_projectset({project})/new_project_tag")["value"]] == [tag]
    assert [row["new_projectid"] for row in api.json("/new_project_tagset")["value"]] == [project]


@pytest.mark.parametrize(
    "body",
    [
        {"new_name": "x" * 851},
        {"new_day": "2024-02-30"},
        {"new_count": 2**31},
        {"statuscode": 9},
        {"new_CustomerId_contact@odata.bind": "/accounts(0c000000-0000-4000-8000-000000000009)"},
    ],
)
def test_values_that_do_not_fit_are_refused(api, service, body):
    before = api.json("/new_projectset?$count=true&$top=1")["@odata.count"]
    assert api.error("POST", "/new_projectset", body)[0] == 400
    assert api.json("/new_projectset?$count=true&$top=1")["@odata.count"] == before


def test_a_second_import_changes_nothing(service):
    before = service.catalog
    assert apply_schema(service, read_csdl(document(TYPES + OPERATIONS))) == CatalogChange()
    assert service.catalog.tables == before.tables
    assert service.catalog.custom_apis == before.custom_apis


def test_activities_of_a_file_are_activities(api, service):
    types = TYPES.replace('<NavigationProperty Name="ownerid"', f'{VISITS}<NavigationProperty Name="ownerid"')
    apply_schema(service, read_csdl(document(types + ACTIVITIES, {*NAMES, "new_visit"})))
    project = api.created("new_projectset", new_name="Tunnel", new_code="T")
    visit = api.created(
        "new_visitset",
        subject="Site",
        new_mood=3,
        **{"regardingobjectid_new_project_new_visit@odata.bind": f"/new_projectset({project})"},
    )
    found = api.json(f"/activitypointers({visit})?$select=subject,activitytypecode,_regardingobjectid_value")
    assert (found["subject"], found["activitytypecode"], found["_regardingobjectid_value"]) == (
        "Site",
        "new_visit",
        project,
    )
    other = api.json(f"/new_projectset({project})?$select=new_name&$expand=new_project_new_visits($select=new_mood)")
    assert [row["new_mood"] for row in other["new_project_new_visits"]] == [3]
