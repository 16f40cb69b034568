"""Relationships, alternate keys and global choices written over HTTP."""

import json
from functools import partial

import pytest
from definition_bodies import CRM, column, many_to_many, one_to_many, options, table, text
from duplicates import run_all
from things import dump

from odata_server.engine.jobs import JobWorker
from odata_server.environments import background_work
from odata_server.providers.system_jobs import report

RELATIONSHIPS = "/RelationshipDefinitions"
CHOICES = "/GlobalOptionSetDefinitions"
PARCEL, ROUTE = (f"/EntityDefinitions(LogicalName='{name}')" for name in ("new_parcel", "new_route"))
KEYS = f"{PARCEL}/Keys"


@pytest.fixture(scope="module", autouse=True)
def tables(api):
    number = column("String", "new_Number", MaxLength=20)
    bodies = (table("new_Parcel", number, column("Memo", "new_Remark")), table("new_Route"))
    for body in (*bodies, table("new_Rate", OwnershipType="OrganizationOwned")):
        assert api("POST", "/EntityDefinitions", body).status == 204


@pytest.fixture
def state(environments):
    return lambda: dump(environments[0].database)


@pytest.fixture(scope="module")
def worker(environments):
    dataverse, finance = environments
    return JobWorker(dataverse.database, background_work(dataverse, finance), partial(report, dataverse))


@pytest.fixture
def made(api):
    """Make a definition and delete it behind the test."""
    urls = []

    def make(path, body):
        answer = api("POST", path, body)
        assert (answer.status, answer.body) == (204, b"")
        urls.append(dict(answer.headers)["OData-EntityId"].partition("/api/data/v9.2")[2])
        return urls[-1]

    yield make
    for url in reversed(urls):
        assert api("DELETE", url).status in {204, 404}


def attribute(name):
    return f"{PARCEL}/Attributes(LogicalName='{name}')"


def test_a_one_to_many_relationship_brings_its_lookup(api, made):
    cascade = {"Assign": "Cascade", "Delete": "Restrict", "Merge": "NoCascade", "Reparent": "NoCascade"}
    menu = {"Behavior": "UseLabel", "Group": "Details", "Order": 10_000, "Label": text("Parcels")}
    more = {"CascadeConfiguration": cascade, "AssociatedMenuConfiguration": menu, "ReferencedAttribute": "new_routeid"}
    url = made(RELATIONSHIPS, one_to_many("new_route_parcel", "new_route", "new_parcel", "new_RouteId", **more))
    read = api.json(f"{url}/{CRM}.OneToManyRelationshipMetadata?$expand=Lookup")
    expected = {
        "SchemaName": "new_route_parcel",
        "ReferencedEntity": "new_route",
        "ReferencedAttribute": "new_routeid",
        "ReferencingEntity": "new_parcel",
        "ReferencingAttribute": "new_routeid",
        "ReferencingEntityNavigationPropertyName": "new_RouteId",
        "ReferencedEntityNavigationPropertyName": "new_route_parcel",
        "IsCustomRelationship": True,
        "IsManaged": False,
    }
    assert {name: read[name] for name in expected} == expected
    assert {name: read["CascadeConfiguration"][name] for name in cascade} == cascade
    assert read["AssociatedMenuConfiguration"]["Label"]["UserLocalizedLabel"]["Label"] == "Parcels"
    assert (read["AssociatedMenuConfiguration"]["Order"], read["Lookup"]["Targets"]) == (10_000, ["new_route"])
    route = api.created("new_routes", new_name="North")
    parcel = api.created("new_parcels", new_name="A", **{"new_RouteId@odata.bind": f"/new_routes({route})"})
    rows = api.json(f"/new_routes({route})/new_route_parcel?$select=new_name")["value"]
    assert [row["new_parcelid"] for row in rows] == [parcel]
    assert api.error("DELETE", f"/new_routes({route})")[1] == "0x80040227"
    for row in (f"/new_parcels({parcel})", f"/new_routes({route})"):
        assert api("DELETE", row).status == 204


def test_the_prefix_of_a_relationship_may_stand_behind_the_name_of_a_table(api, made):
    url = made(RELATIONSHIPS, one_to_many("account_new_parcel_new_BuyerId", "account", "new_parcel", "new_BuyerId"))
    assert api.json(f"{url}?$select=SchemaName")["SchemaName"] == "account_new_parcel_new_BuyerId"


def test_a_relationship_is_put_back_as_it_was_read_and_cascades_otherwise_when_it_says_so(api, made):
    url = made(RELATIONSHIPS, one_to_many("new_route_parcel", "new_route", "new_parcel", "new_RouteId"))
    before = api.json(f"{url}/{CRM}.OneToManyRelationshipMetadata")
    assert api("PUT", url, before).status == 204
    assert api.json(f"{url}/{CRM}.OneToManyRelationshipMetadata") == before
    before["CascadeConfiguration"]["Delete"] = "Cascade"
    assert api("PUT", f"{url}/{CRM}.OneToManyRelationshipMetadata", before).status == 204
    route = api.created("new_routes", new_name="North")
    parcel = api.created("new_parcels", new_name="A", **{"new_RouteId@odata.bind": f"/new_routes({route})"})
    assert api("DELETE", f"/new_routes({route})").status == 204
    assert api("GET", f"/new_parcels({parcel})").status == 404


def test_a_lookup_goes_with_its_relationship_and_the_relationship_with_its_lookup(api, made):
    body = one_to_many("new_route_parcel", "new_route", "new_parcel", "new_RouteId")
    url = made(RELATIONSHIPS, body)
    assert api("DELETE", url).status == 204
    assert api("GET", attribute("new_routeid")).status == 404
    url = made(RELATIONSHIPS, body)
    assert api("DELETE", attribute("new_routeid")).status == 204
    assert api("GET", url).status == 404


def test_a_lookup_leads_to_one_more_table_and_back(api, made):
    made(RELATIONSHIPS, one_to_many("new_route_parcel", "new_route", "new_parcel", "new_TargetId"))
    route = api.created("new_routes", new_name="North")
    parcel = api.created("new_parcels", new_name="A", **{"new_TargetId@odata.bind": f"/new_routes({route})"})
    wider = made(RELATIONSHIPS, one_to_many("new_account_parcel", "account", "new_parcel", "new_TargetId"))
    targets = api.json(f"{attribute('new_targetid')}/{CRM}.LookupAttributeMetadata")["Targets"]
    assert targets == ["new_route", "account"]
    kept = api.json(f"/new_parcels({parcel})?$expand=new_TargetId($select=new_name)")
    assert (kept["_new_targetid_value"], kept["new_TargetId"]["new_name"]) == (route, "North")
    account = api.created("accounts", name="A")
    bind = {"new_TargetId_account@odata.bind": f"/accounts({account})"}
    other = api.created("new_parcels", new_name="B", **bind)
    assert api.json(f"/new_parcels({other})")["_new_targetid_value"] == account
    assert api("DELETE", wider).status == 204
    assert api.json(f"/new_parcels({other})")["_new_targetid_value"] is None
    assert api.json(f"/new_parcels({parcel})")["_new_targetid_value"] == route
    for row in (parcel, other):
        assert api("DELETE", f"/new_parcels({row})").status == 204


def test_a_table_has_one_hierarchy_at_most_and_only_with_itself(api, made):
    own = one_to_many("new_route_route", "new_route", "new_route", "new_ParentId", IsHierarchical=True)
    url = made(RELATIONSHIPS, own)
    assert api.json(f"{url}/{CRM}.OneToManyRelationshipMetadata")["IsHierarchical"] is True
    top = api.created("new_routes", new_name="Top")
    low = api.created("new_routes", new_name="Low", **{"new_ParentId@odata.bind": f"/new_routes({top})"})
    under = api.json(
        f"/new_routes?$filter=Microsoft.Dynamics.CRM.Under(PropertyName='new_routeid',PropertyValue='{top}')"
    )
    assert [row["new_routeid"] for row in under["value"]] == [low]
    for row in (low, top):
        assert api("DELETE", f"/new_routes({row})").status == 204


def test_many_to_many_relationships_have_a_table_of_pairs(api, made):
    url = made(RELATIONSHIPS, many_to_many("new_parcel_contact", "new_parcel", "contact"))
    read = api.json(f"{url}/{CRM}.ManyToManyRelationshipMetadata")
    assert (read["IntersectEntityName"], read["Entity1IntersectAttribute"]) == ("new_parcel_contact", "new_parcelid")
    pairs = api.json("/EntityDefinitions(LogicalName='new_parcel_contact')?$select=IsIntersect,EntitySetName")
    assert (pairs["IsIntersect"], pairs["EntitySetName"]) == (True, "new_parcel_contactset")
    assert api("PUT", url, read).status == 204
    assert api.json(f"{url}/{CRM}.ManyToManyRelationshipMetadata") == read
    parcel, contact = api.created("new_parcels", new_name="A"), api.created("contacts", lastname="B")
    reference = {"@odata.id": f"https://org.test:8443/api/data/v9.2/contacts({contact})"}
    assert api("POST", f"/new_parcels({parcel})/new_parcel_contact/$ref", reference).status == 204
    found = api.json(f"/contacts({contact})/new_parcel_contact?$select=new_name")["value"]
    assert [row["new_parcelid"] for row in found] == [parcel]
    assert api("DELETE", url).status == 204
    assert api("GET", "/EntityDefinitions(LogicalName='new_parcel_contact')").status == 404
    assert api("DELETE", f"/new_parcels({parcel})").status == 204


REFUSED = {
    "taken": (one_to_many("new_account_rate", "account", "new_rate", "new_OtherId"), 400, "0x8004432b"),
    "taken column": (one_to_many("new_a", "account", "new_parcel", "new_Number"), 400, "0x80047013"),
    "no name": (one_to_many("", "account", "new_parcel", "new_A"), 400, "0x8004432a"),
    "no prefix": (one_to_many("account_parcel", "account", "new_parcel", "new_A"), 400, "0x80044366"),
    "prefix inside a word": (one_to_many("account_renew_a", "account", "new_parcel", "new_A"), 400, "0x80044366"),
    "no prefix of the lookup": (one_to_many("new_a", "account", "new_parcel", "A"), 400, "0x80044366"),
    "no lookup": ({**one_to_many("new_a", "account", "new_parcel", "x"), "Lookup": None}, 400, "0x800404c8"),
    "no such table": (one_to_many("new_a", "new_nothing", "new_parcel", "new_A"), 404, "0x80040217"),
    "column of the other table": (
        one_to_many("new_a", "account", "new_parcel", "new_A", ReferencedAttribute="name"),
        *(400, "0x80047003"),
    ),
    "hierarchy of two tables": (
        one_to_many("new_a", "account", "new_parcel", "new_A", IsHierarchical=True),
        *(400, "0x8004701f"),
    ),
    "owners of nothing": (
        one_to_many("new_a", "account", "new_rate", "new_A", CascadeConfiguration={"Assign": "UserOwned"}),
        *(400, "0x80044156"),
    ),
    "behavior": (
        one_to_many("new_a", "account", "new_parcel", "new_A", CascadeConfiguration={"Delete": "Active"}),
        *(400, "0x80045601"),
    ),
    "navigation property": (
        one_to_many("new_a", "account", "new_parcel", "new_A", ReferencedEntityNavigationPropertyName="createdby"),
        *(400, "0x80072551"),
    ),
    "navigation property as a column": (
        one_to_many("new_a", "account", "new_parcel", "new_A", ReferencingEntityNavigationPropertyName="new_number"),
        *(400, "0x80072551"),
    ),
    "characters of a navigation property": (
        one_to_many("new_a", "account", "new_parcel", "new_A", ReferencedEntityNavigationPropertyName="a/b"),
        *(400, "0x80044364"),
    ),
    "lookup of the system": (one_to_many("new_a", "account", "contact", "parentcustomerid"), 400, "0x80072551"),
    "no type": ({"SchemaName": "new_a"}, 400, "0x80048d19"),
    "pairs of no table": (many_to_many("new_a", "new_nothing", "account"), 404, "0x80040217"),
    "pairs that are a table": (
        many_to_many("new_a", "account", "contact", IntersectEntityName="new_parcel"),
        *(400, "0x80044363"),
    ),
}


def test_a_refused_relationship_changes_nothing(api, made, state):
    made(RELATIONSHIPS, one_to_many("new_account_rate", "account", "new_rate", "new_AccountId"))
    before = state()
    found = {what: api.error("POST", RELATIONSHIPS, body)[:2] for what, (body, *_) in REFUSED.items()}
    assert found == {what: (status, code) for what, (_, status, code) in REFUSED.items()}
    path = f"{RELATIONSHIPS}(SchemaName='new_account_rate')"
    assert api.error("PATCH", path, {})[:2] == (405, "0x80060888")
    assert api.error("DELETE", f"{RELATIONSHIPS}(SchemaName='account_primary_contact')")[:2] == (400, "0x8004f032")
    assert api.error("DELETE", f"{RELATIONSHIPS}(SchemaName='nothing')")[:2] == (404, "0x80040217")
    assert api.error("DELETE", f"{RELATIONSHIPS}(LogicalName='new_account_rate')")[0] == 400
    assert state() == before


def key(name, *columns, **more):
    return {"@odata.type": f"{CRM}.EntityKeyMetadata", "SchemaName": name, "KeyAttributes": list(columns), **more}


def status_of(api, url):
    return api.json(f"{url}?$select=EntityKeyIndexStatus")["EntityKeyIndexStatus"]


def test_a_key_names_records_as_soon_as_a_job_has_made_its_index(api, made, worker):
    run_all(worker)
    url = made(KEYS, key("new_NumberKey", "new_number", DisplayName=text("Number")))
    read = api.json(url)
    assert (read["LogicalName"], read["KeyAttributes"], read["EntityKeyIndexStatus"]) == (
        *("new_numberkey", ["new_number"]),
        "Pending",
    )
    job = api.json(f"/asyncoperations({read['AsyncJob']})?$select=name,operationtype")
    assert job["name"] == "Create index for new_NumberKey for new_parcel"
    assert api.error("PATCH", "/new_parcels(new_number='1')", {"new_name": "A"})[1] == "0x80060890"
    run_all(worker)
    assert status_of(api, url) == "Active"
    assert api("PATCH", "/new_parcels(new_number='1')", {"new_name": "A"}).status == 204
    assert api.json("/new_parcels(new_number='1')?$select=new_name")["new_name"] == "A"
    assert api.error("POST", "/new_parcels", {"new_name": "B", "new_number": "1"})[1] == "0x80060892"
    assert api.error("DELETE", attribute("new_number"))[1] == "0x8004f01f"
    assert api("DELETE", url).status == 204
    assert api.error("GET", "/new_parcels(new_number='1')")[1] == "0x80060890"
    twin = api.created("new_parcels", new_name="B", new_number="1")
    failed = made(KEYS, key("new_NumberKey", "new_number"))
    run_all(worker)
    assert status_of(api, failed) == "Failed"
    job = api.json(f"/asyncoperations({api.json(failed)['AsyncJob']})?$select=statuscode,message")
    assert job["statuscode"] == 31
    assert "have the same values" in job["message"]
    for row in api.json("/new_parcels?$filter=new_number eq '1'")["value"]:
        assert api("DELETE", f"/new_parcels({row['new_parcelid']})").status == 204
    assert twin


def test_a_key_of_a_table_of_the_system_is_the_users(api, made, worker):
    url = made("/EntityDefinitions(LogicalName='account')/Keys", key("new_AccountKey", "accountnumber"))
    run_all(worker)
    read = api.json(url)
    assert (read["EntityKeyIndexStatus"], read["IsManaged"], read["IsCustomizable"]["CanBeChanged"]) == (
        *("Active", False),
        True,
    )


KEYS_REFUSED = {
    "taken": (key("new_Key", "new_name"), "0x80060893"),
    "same columns": (key("new_Other", "new_number"), "0x80060894"),
    "no prefix": (key("Key", "new_name"), "0x80044366"),
    "no columns": (key("new_Other"), "0x8006088f"),
    "column twice": (key("new_Other", "new_name", "new_name"), "0x8006088f"),
    "unknown column": (key("new_Other", "new_nothing"), "0x8006088f"),
    "column of a type that no key has": (key("new_Other", "new_remark"), "0x8006088f"),
    "columns that are no array": ({**key("new_Other"), "KeyAttributes": "new_name"}, "0x80048d19"),
    "column that is no text": ({**key("new_Other"), "KeyAttributes": [1]}, "0x80048d19"),
}


def test_a_refused_key_changes_nothing(api, made, state):
    made(KEYS, key("new_Key", "new_number"))
    before = state()
    found = {what: api.error("POST", KEYS, body)[:2] for what, (body, _) in KEYS_REFUSED.items()}
    assert found == {what: (400, code) for what, (_, code) in KEYS_REFUSED.items()}
    assert api.error("DELETE", f"{KEYS}(LogicalName='new_nothing')")[:2] == (404, "0x80040217")
    assert api.error("PUT", f"{KEYS}(LogicalName='new_key')", {})[:2] == (405, "0x80060888")
    assert state() == before


def choice(name, **more):
    body = {"@odata.type": f"{CRM}.OptionSetMetadata", "Name": name, "DisplayName": text("Sizes"), "IsGlobal": True}
    return {**body, "Options": options("Small", "Large", first=7)["Options"], **more}


def test_a_global_choice_is_made_read_changed_and_deleted(api, made):
    url = made(CHOICES, choice("new_Sizes", Description=text("How large")))
    read = api.json(f"{url}/{CRM}.OptionSetMetadata")
    assert (read["Name"], read["IsGlobal"], read["IsCustomOptionSet"], read["IsManaged"]) == (
        *("new_Sizes", True, True),
        False,
    )
    assert [(o["Value"], o["Label"]["UserLocalizedLabel"]["Label"]) for o in read["Options"]] == [
        (7, "Small"),
        (8, "Large"),
    ]
    assert api("PUT", url, read).status == 204
    assert api.json(f"{url}/{CRM}.OptionSetMetadata") == read
    named = f"{CHOICES}(Name='new_Sizes')"
    labels = {"mscrm.mergelabels": "true"}
    assert api("PUT", named, choice("new_Sizes", DisplayName=text("Sizes", lcid_1043="Maten")), **labels).status == 204
    texts = api.json(named)["DisplayName"]["LocalizedLabels"]
    assert [one["Label"] for one in texts] == ["Sizes", "Maten"]


def test_a_global_choice_that_columns_use_stays(api, made, state):
    url = made(CHOICES, choice("new_sizes"))
    bind = {"GlobalOptionSet@odata.bind": url}
    path = made(f"{PARCEL}/Attributes", column("Picklist", "new_Size", **bind))
    before = state()
    status, code, message = api.error("DELETE", url)
    assert (status, code, "new_parcel" in message) == (400, "0x80048417", True)
    assert state() == before
    assert api("DELETE", path).status == 204
    assert api("DELETE", url).status == 204


CHOICES_REFUSED = {
    "taken": (choice("new_sizes"), "0x80044345"),
    "taken in other letters": (choice("NEW_Sizes"), "0x80044345"),
    "no prefix": (choice("sizes"), "0x80044366"),
    "no name": ({"@odata.type": f"{CRM}.OptionSetMetadata"}, "0x80044366"),
    "options twice": (choice("new_other", Options=options("A", first=1)["Options"] * 2), "0x80044310"),
    "yes and no": ({"@odata.type": f"{CRM}.BooleanOptionSetMetadata", "Name": "new_other"}, "0x80048d19"),
    "option that is none": (choice("new_other", Options=["A"]), "0x80048d19"),
}


def test_a_refused_choice_changes_nothing(api, made, state):
    made(CHOICES, choice("new_sizes"))
    before = state()
    found = {what: api.error("POST", CHOICES, body)[:2] for what, (body, _) in CHOICES_REFUSED.items()}
    assert found == {what: (400, code) for what, (_, code) in CHOICES_REFUSED.items()}
    assert api.error("DELETE", f"{CHOICES}(Name='new_nothing')")[:2] == (404, "0x80040217")
    assert api.error("PATCH", f"{CHOICES}(Name='new_sizes')", {})[:2] == (405, "0x80060888")
    assert state() == before


def test_definitions_are_put_into_the_solution_that_a_header_names(api, made):
    publisher = api.json("/publishers?$select=publisherid")["value"][0]["publisherid"]
    bind = {"publisherid@odata.bind": f"/publishers({publisher})"}
    solution = api.created("solutions", uniquename="Parcels", friendlyname="Parcels", version="1.0.0.0", **bind)
    header = {"mscrm.solutionuniquename": "Parcels"}
    answer = api("POST", CHOICES, choice("new_colors"), **header)
    assert answer.status == 204
    url = dict(answer.headers)["OData-EntityId"].partition("/api/data/v9.2")[2]
    found = api.json(f"/solutioncomponents?$filter=_solutionid_value eq {solution}&$select=componenttype,objectid")
    rows = [(row["componenttype"], row["objectid"]) for row in found["value"]]
    assert rows == [(9, url.rpartition("(")[2].rstrip(")"))]
    assert api.error("POST", CHOICES, choice("new_others"), **{"mscrm.solutionuniquename": "No"})[0] == 400
    assert api("GET", f"{CHOICES}(Name='new_others')").status == 404
    assert api("DELETE", url).status == 204
    assert json.loads(api("GET", CHOICES).body)["value"]
