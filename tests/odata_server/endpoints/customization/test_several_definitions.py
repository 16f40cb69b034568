"""Several definitions in one action: tables with relationships and keys, and lookups to several tables."""

import json

import pytest
from things import dump

from entities.metadata.catalog import CatalogChange
from entities.metadata.tables import KeyIndexStatus
from entities.standard.customization.key_changes import with_key_status

CRM = "Microsoft.Dynamics.CRM"
NAME = {"@odata.type": f"{CRM}.ComplexStringAttributeMetadata", "MaxLength": 80, "IsPrimaryName": True}


def text(english):
    labels = [{"@odata.type": f"{CRM}.LocalizedLabel", "Label": english, "LanguageCode": 1033}]
    return {"@odata.type": f"{CRM}.Label", "LocalizedLabels": labels}


def table(name, *columns, **more):
    primary = {**NAME, "SchemaName": f"{name}_name", "DisplayName": text("Name")}
    return {
        "@odata.type": f"{CRM}.ComplexEntityMetadata",
        "SchemaName": name,
        "DisplayName": text(name),
        "DisplayCollectionName": text(f"{name}s"),
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "IsActivity": False,
        "Attributes": [primary, *columns],
        **more,
    }


def column(name, kind, **more):
    return {
        "@odata.type": f"{CRM}.Complex{kind}AttributeMetadata",
        "SchemaName": name,
        "DisplayName": text(name),
        **more,
    }


def relationship(name, referenced, referencing, **more):
    return {"SchemaName": name, "ReferencedEntity": referenced, "ReferencingEntity": referencing, **more}


SHIP = table(
    "new_Ship",
    column("new_Tons", "Integer", MinValue=0, MaxValue=900, Format="None"),
    column("new_Harbor", "Lookup", AttributeType="Lookup"),
    ManyToOneRelationships=[
        relationship("new_harbor_ship", "new_harbor", "new_ship", ReferencingAttribute="new_harbor"),
    ],
    ManyToManyRelationships=[
        {
            "SchemaName": "new_ship_account",
            "IntersectEntityName": "new_ship_account",
            "Entity1LogicalName": "new_ship",
            "Entity2LogicalName": "account",
        }
    ],
    Keys=[{"SchemaName": "new_ByName", "KeyAttributes": ["new_ship_name"], "DisplayName": text("By name")}],
)
HARBOR = table("new_Harbor")
OPTIONS = {
    "@odata.type": f"{CRM}.ComplexOptionSetMetadata",
    "IsGlobal": False,
    "Options": [{"@odata.type": f"{CRM}.OptionMetadata", "Value": 1, "Label": text("Small")}],
}


@pytest.fixture(scope="module")
def ships(api):
    """The tables of ships and harbors, made in one request."""
    answer = api("POST", "/CreateEntities", {"Entities": [SHIP, HARBOR]})
    assert answer.status == 204, answer.body


def test_tables_come_with_their_relationships_and_keys(api, ships):
    harbor = api.created("new_harbors", new_harbor_name="Utrecht")
    ship = api.created(
        "new_ships", new_ship_name="Ann", new_tons=5, **{"new_Harbor@odata.bind": f"/new_harbors({harbor})"}
    )
    found = api.json(f"/new_ships({ship})?$select=new_tons&$expand=new_Harbor($select=new_harbor_name)")
    assert (found["new_tons"], found["new_Harbor"]["new_harbor_name"]) == (5, "Utrecht")
    assert api.json("/EntityDefinitions(LogicalName='new_ship')/Keys")["value"][0]["LogicalName"] == "new_byname"
    many = api.json("/RelationshipDefinitions(SchemaName='new_ship_account')")
    assert many["@odata.type"] == f"#{CRM}.ManyToManyRelationshipMetadata"


def test_a_table_as_the_client_for_python_makes_it_goes_into_the_solution_of_the_url(api):
    publisher = "/publishers(d21aab71-79e7-11dd-8874-00188b01e34f)"
    bound = {"publisherid@odata.bind": publisher}
    solution = api.created("solutions", uniquename="Fleet", friendlyname="Fleet", version="1.0.0.0", **bound)
    columns = (
        column("new_Kind", "Picklist", OptionSet=OPTIONS, IsPrimaryName=False, RequiredLevel={"Value": "None"}),
        column("new_Built", "DateTime", Format="DateOnly", ImeMode="Inactive"),
        column("new_Weight", "Decimal", MinValue=-1.5, MaxValue=9.5, Precision=2),
        column("new_Notes", "Memo", MaxLength=4000, FormatName={"Value": "Text"}, ImeMode="Auto"),
    )
    answer = api("POST", "/CreateEntities?SolutionUniqueName=Fleet", {"Entities": [table("new_Raft", *columns)]})
    assert answer.status == 204, answer.body
    listed = "$select=MetadataId,EntitySetName&$filter=LogicalName eq 'new_raft'"
    (made,) = api.json(f"/EntityDefinitions?{listed}", consistency="Strong")["value"]
    assert made["EntitySetName"] == "new_rafts"
    (part,) = api.json(f"/solutioncomponents?$filter=_solutionid_value eq {solution}")["value"]
    assert part["objectid"] == made["MetadataId"]
    assert api("DELETE", f"/EntityDefinitions({made['MetadataId']})", if_match="*").status == 204


def customer(name="new_CustomerId", targets=("account", "contact"), **more):
    lookup = column(name, "Lookup", AttributeType="Lookup", AttributeTypeName={"Value": "LookupType"})
    related = [relationship(f"new_ship_{target}_{name.lower()}", target, "new_ship") for target in targets]
    return {"Lookup": lookup, "OneToManyRelationships": related, **more}


def test_a_customer_is_an_account_or_a_contact(api, ships):
    answer = api("POST", "/CreateCustomerRelationships", customer())
    assert answer.status == 200, answer.body
    made = json.loads(answer.body)
    assert made["@odata.context"].endswith(f"#{CRM}.CreateCustomerRelationshipsResponse")
    found = api.json(f"/EntityDefinitions(LogicalName='new_ship')/Attributes({made['AttributeId']})")
    assert (found["AttributeType"], sorted(found["Targets"])) == ("Customer", ["account", "contact"])
    names = [api.json(f"/RelationshipDefinitions({one})")["ReferencedEntity"] for one in made["RelationshipIds"]]
    assert names == ["account", "contact"]
    account = api.created("accounts", name="Owner")
    bound = {"new_CustomerId_account@odata.bind": f"/accounts({account})"}
    ship = api.created("new_ships", new_ship_name="Berta", **bound)
    assert api.json(f"/new_ships({ship})")["_new_customerid_value"] == account


def test_a_lookup_can_lead_to_several_tables_from_the_start(api, ships):
    body = customer("new_Media", ("new_harbor", "account", "contact"))
    answer = api("POST", "/CreatePolymorphicLookupAttribute", body)
    assert answer.status == 200, answer.body
    made = json.loads(answer.body)
    assert made["@odata.context"].endswith(f"#{CRM}.CreatePolymorphicLookupAttributeResponse")
    assert len(made["RelationshipIds"]) == 3
    found = api.json(f"/EntityDefinitions(LogicalName='new_ship')/Attributes({made['AttributeId']})")
    assert (found["AttributeType"], len(found["Targets"])) == ("Lookup", 3)
    harbor = api.created("new_harbors", new_harbor_name="Delft")
    bound = {"new_Media_new_harbor@odata.bind": f"/new_harbors({harbor})"}
    ship = api.created("new_ships", new_ship_name="Carla", **bound)
    assert api.json(f"/new_ships({ship})")["_new_media_value"] == harbor


REFUSED = [
    ("CreateEntities", {"Entities": []}, 400, "0x80040203"),
    ("CreateEntities", {"Entities": [table("new_Good"), table("bad_Prefix")]}, 400, "0x80044366"),
    ("CreateEntities", {"Entities": [table("new_Good"), table("new_Good")]}, 400, "0x80044363"),
    ("CreateEntities", {"Entities": [table("new_Good", column("new_To", "Lookup"))]}, 400, "0x800404c8"),
    ("CreateEntities", {"Entities": [{"SchemaName": "new_Empty"}]}, 400, "0x80047014"),
    ("CreateEntities", {"Entities": ["new_Good"]}, 400, "0x80048d19"),
    ("CreateEntities", {"Entities": [table("new_Good", Nothing=1)]}, 400, "0x80048d19"),
    ("CreateEntities", {"Entities": [table("new_Good")], "SolutionUniqueName": "None"}, 400, "0x80048037"),
    (
        "CreateEntities",
        {"Entities": [table("new_Good", OneToManyRelationships=[relationship("new_a", "new_good", "new_none")])]},
        404,
        "0x80040217",
    ),
    ("CreateCustomerRelationships", customer("new_Other", ("account",)), 400, "0x80040203"),
    ("CreateCustomerRelationships", customer("new_Other", ("account", "systemuser")), 400, "0x80040203"),
    ("CreateCustomerRelationships", customer("other_Id"), 400, "0x80044366"),
    ("CreateCustomerRelationships", customer("new_Tons"), 400, "0x80047013"),
    ("CreateCustomerRelationships", {**customer("new_Other"), "Lookup": None}, 400, "0x80048d19"),
    ("CreatePolymorphicLookupAttribute", customer("new_Other", ()), 400, "0x80040203"),
    ("CreatePolymorphicLookupAttribute", customer("new_Other", ("new_none",)), 404, "0x80040217"),
    ("CreatePolymorphicLookupAttribute", customer("new_Other", ("account", "account")), 400, "0x80040203"),
    ("ReactivateEntityKey", {"EntityLogicalName": "new_none", "EntityKeyLogicalName": "x"}, 404, "0x80040217"),
    ("ReactivateEntityKey", {"EntityLogicalName": "new_ship", "EntityKeyLogicalName": "x"}, 404, "0x80040217"),
    ("ReactivateEntityKey", {"EntityLogicalName": "new_ship", "EntityKeyLogicalName": "new_byname"}, 400, "0x8006088f"),
]


@pytest.mark.usefixtures("ships")
@pytest.mark.parametrize(("action", "body", "status", "code"), REFUSED)
def test_a_refused_action_makes_nothing(api, services, action, body, status, code):
    before = dump(services.dataverse.database)
    found = api.error("POST", f"/{action}", body)
    assert found[:2] == (status, code), found
    assert dump(services.dataverse.database) == before


def test_a_key_whose_index_failed_is_tried_again(api, services, ships):
    with services.dataverse.changing() as transaction:
        failed = with_key_status(transaction.catalog.tables["new_ship"], "new_byname", KeyIndexStatus.FAILED)
        transaction.change_catalog(CatalogChange((failed,)))
    body = {"EntityLogicalName": "new_ship", "EntityKeyLogicalName": "new_byname"}
    assert api("POST", "/ReactivateEntityKey", body).status == 204
    (key,) = api.json("/EntityDefinitions(LogicalName='new_ship')/Keys")["value"]
    assert key["EntityKeyIndexStatus"] == "Pending"


ODD = [None, 1, True, "x", [], {}, [None], [[]], {"a": 1}, {"@odata.type": 5}, "Microsoft.Dynamics.CRM.Nothing"]


@pytest.mark.usefixtures("ships")
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_whatever_stands_in_the_body_it_is_read_or_refused(api, odd):
    plain, lookup = table("new_Odd"), customer("new_Odd")
    for member in ("SchemaName", "DisplayName", "Attributes", "ManyToOneRelationships", "Keys", "@odata.type"):
        assert refused(api, "CreateEntities", {"Entities": [{**plain, member: odd, "OwnershipType": "None"}]})
    for member in ("@odata.type", "SchemaName", "OptionSet", "RequiredLevel", "MaxLength"):
        columns = [{**column("new_Odd", "Picklist"), member: odd}, *plain["Attributes"]]
        assert refused(api, "CreateEntities", {"Entities": [{**plain, "Attributes": columns, "OwnershipType": "None"}]})
    for name, member in (("Lookup", "SchemaName"), ("Lookup", "@odata.type"), ("Lookup", "DisplayName")):
        body = {**lookup, name: {**lookup[name], member: odd}, "OneToManyRelationships": []}
        assert refused(api, "CreateCustomerRelationships", body)
    for member in ("SchemaName", "ReferencedEntity", "ReferencingEntity", "CascadeConfiguration", "@odata.type"):
        related = [{**lookup["OneToManyRelationships"][0], member: odd}]
        assert refused(api, "CreateCustomerRelationships", {**lookup, "OneToManyRelationships": related})


def refused(api, action, body):
    return api("POST", f"/{action}", body).status in {400, 404}
