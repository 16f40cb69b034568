"""Tables written over HTTP: made, read back, filled, changed, deleted; and what is refused, which changes nothing."""

import json

import pytest
from definition_bodies import CRM, column, many_to_many, one_to_many, options, table, text
from things import dump

from entities.standard.customization.system_columns import plural

TABLES = "/EntityDefinitions"
BANK = "/EntityDefinitions(LogicalName='new_bank')"


@pytest.fixture
def state(environments):
    return lambda: dump(environments[0].database)


@pytest.fixture
def bank(api):
    """A table with notes, a column of money and a choice; it is gone behind the test."""
    columns = (column("Money", "new_Sum"), column("Picklist", "new_Kind", OptionSet=options("Near", "Far")))
    answer = api("POST", TABLES, table("new_Bank", *columns, HasNotes=True))
    assert answer.status == 204, answer.body
    yield dict(answer.headers)["OData-EntityId"].rpartition("(")[2].rstrip(")")
    assert api("DELETE", BANK).status in {204, 404}


def share(api, row):
    """Give the caller the right to read a record once more."""
    user = {"@odata.type": f"{CRM}.systemuser", "systemuserid": api.json("/WhoAmI()")["UserId"]}
    target = {"@odata.type": f"{CRM}.new_bank", "new_bankid": row}
    access = {"Principal": user, "AccessMask": "ReadAccess"}
    assert api("POST", "/GrantAccess", {"Target": target, "PrincipalAccess": access}).status == 204


def names(api, path):
    return {item["LogicalName"] for item in api.json(f"{path}?$select=LogicalName")["value"]}


def test_a_new_table_has_what_it_was_given_and_what_every_table_has(api, bank):
    made = api.json(BANK)
    assert made["MetadataId"] == bank
    given = {name: made[name] for name in ("SchemaName", "EntitySetName", "OwnershipType", "PrimaryNameAttribute")}
    assert given == {
        "SchemaName": "new_Bank",
        "EntitySetName": "new_banks",
        "OwnershipType": "UserOwned",
        "PrimaryNameAttribute": "new_name",
    }
    assert made["ObjectTypeCode"] >= 10_000
    assert (made["IsCustomEntity"], made["IsManaged"], made["HasNotes"], made["TableType"]) == (
        *(True, False, True),
        "Standard",
    )
    assert made["DisplayCollectionName"]["UserLocalizedLabel"]["Label"] == "Banks"
    assert len(made["Privileges"]) == 8
    assert names(api, f"{BANK}/Attributes") == {
        *("new_bankid", "new_name", "new_sum", "new_sum_base", "new_kind", "transactioncurrencyid", "exchangerate"),
        *("statecode", "statuscode", "ownerid", "owningbusinessunit", "owninguser", "owningteam", "versionnumber"),
        *("createdon", "createdby", "createdonbehalfby", "modifiedon", "modifiedby", "modifiedonbehalfby"),
        *("overriddencreatedon", "importsequencenumber", "timezoneruleversionnumber", "utcconversiontimezonecode"),
    }
    related = api.json(f"{BANK}/ManyToOneRelationships?$select=SchemaName,ReferencedEntity")["value"]
    assert ("lk_new_bank_createdby", "systemuser") in {(r["SchemaName"], r["ReferencedEntity"]) for r in related}


def test_records_of_a_new_table_are_written_and_read_by_the_next_request(api, bank):
    row = api.created("new_banks", new_name="First", new_sum=5, new_kind=100_000_001)
    read = api.json(f"/new_banks({row})?$select=new_name,new_sum,new_kind,statecode")
    assert (read["new_name"], read["new_sum"], read["new_kind"], read["statecode"]) == ("First", 5.0, 100_000_001, 0)
    note = api.created("annotations", subject="About it", **{"objectid_new_bank@odata.bind": f"/new_banks({row})"})
    assert api("DELETE", f"/new_banks({row})").status == 204
    assert api("GET", f"/annotations({note})").status == 404


def test_a_table_goes_with_its_rows_notes_privileges_and_views_and_its_code_never_comes_back(api, bank):
    code = api.json(BANK)["ObjectTypeCode"]
    row = api.created("new_banks", new_name="First")
    note = api.created("annotations", subject="About it", **{"objectid_new_bank@odata.bind": f"/new_banks({row})"})
    share(api, row)
    assert len(api.json("/principalobjectaccessset?$filter=objecttypecode eq 'new_bank'")["value"]) == 1
    assert api("DELETE", BANK).status == 204
    assert api.json("/principalobjectaccessset?$filter=objecttypecode eq 'new_bank'")["value"] == []
    assert api("GET", "/new_banks").status == 404
    assert api("GET", f"/annotations({note})").status == 404
    assert api.json("/privileges?$filter=name eq 'prvReadnew_Bank'")["value"] == []
    assert api("POST", TABLES, table("new_Bank")).status == 204
    again = api.json(BANK)
    assert again["ObjectTypeCode"] > code
    assert again["MetadataId"] != bank


def test_a_new_table_has_views_of_its_active_and_inactive_rows(api, bank):
    found = api.json("/savedqueries?$filter=returnedtypecode eq 'new_bank'&$select=name,isdefault&$orderby=name")
    views = {view["name"]: view["savedqueryid"] for view in found["value"] if view["name"] != "Inactive Banks"}
    assert [(view["name"], view["isdefault"]) for view in found["value"]] == [
        ("Active Banks", True),
        ("Inactive Banks", False),
    ]
    row = api.created("new_banks", new_name="First")
    shown = api.json(f"/new_banks?savedQuery={views['Active Banks']}")["value"]
    assert [one["new_bankid"] for one in shown] == [row]
    assert api("DELETE", BANK).status == 204
    assert api.json("/savedqueries?$filter=returnedtypecode eq 'new_bank'")["value"] == []


def test_a_table_goes_with_whatever_is_about_it(api, bank):
    assert api("PUT", BANK, {"HasActivities": True}).status == 204
    restrict = {"CascadeConfiguration": {"Delete": "Restrict"}}
    own = one_to_many("new_bank_bank", "new_bank", "new_bank", "new_ParentId", **restrict)
    for body in (own, many_to_many("new_banks_banks", "new_bank", "new_bank")):
        assert api("POST", "/RelationshipDefinitions", body).status == 204
    (unit,) = api.json("/businessunits?$select=businessunitid")["value"]
    role = api.created("roles", name="R", **{"businessunitid@odata.bind": f"/businessunits({unit['businessunitid']})"})
    (right,) = api.json("/privileges?$filter=name eq 'prvReadnew_Bank'&$select=privilegeid")["value"]
    given = [{"PrivilegeId": right["privilegeid"], "Depth": "Global", "BusinessUnitId": unit["businessunitid"]}]
    assert api("POST", f"/roles({role})/{CRM}.AddPrivilegesRole", {"Privileges": given}).status == 204
    top = api.created("new_banks", new_name="Top")
    api.created("new_banks", new_name="Low", **{"new_ParentId@odata.bind": f"/new_banks({top})"})
    task = api.created("tasks", subject="A", **{"regardingobjectid_new_bank_task@odata.bind": f"/new_banks({top})"})
    api.created("duplicaterules", name="D", baseentityname="new_bank", matchingentityname="new_bank")
    assert api("DELETE", BANK).status == 204
    assert api("GET", f"/tasks({task})").status == 404
    assert api.json("/duplicaterules?$filter=baseentityname eq 'new_bank'")["value"] == []
    assert api("GET", "/EntityDefinitions(LogicalName='new_banks_banks')").status == 404
    names_left = [r["SchemaName"] for r in api.json("/RelationshipDefinitions?$select=SchemaName")["value"]]
    assert not [name for name in names_left if "new_bank" in name]


def test_a_table_of_the_organization_has_no_owner(api):
    assert api("POST", TABLES, table("new_Rate", OwnershipType="OrganizationOwned")).status == 204
    found = names(api, f"{TABLES}(LogicalName='new_rate')/Attributes")
    assert "organizationid" in found
    assert "ownerid" not in found
    row = api.created("new_rates", new_name="A")
    (organization,) = api.json("/organizations?$select=organizationid")["value"]
    assert api.json(f"/new_rates({row})")["_organizationid_value"] == organization["organizationid"]
    assert api("DELETE", f"{TABLES}(LogicalName='new_rate')").status == 204


@pytest.mark.parametrize(
    ("name", "entity_set"),
    [("new_city", "new_cities"), ("new_key", "new_keys"), ("new_box", "new_boxes"), ("new_branch", "new_branches")],
)
def test_an_entity_set_is_the_english_plural(name, entity_set):
    assert plural(name) == entity_set


def test_the_next_request_of_another_process_sees_a_change(moments):
    other = moments.another()
    try:
        assert other("GET", "/new_banks").status == 404
        assert moments.api("POST", TABLES, table("new_Bank")).status == 204
        assert other.created("new_banks", new_name="A")
        added = column("Integer", "new_A")
        assert other("POST", f"{BANK}/Attributes", added).status == 204
        assert moments.api.created("new_banks", new_name="B", new_a=5)
        assert moments.api("DELETE", BANK).status == 204
        assert other("GET", "/new_banks").status == 404
    finally:
        other.services.dataverse.database.close()


def test_an_activity_has_the_columns_of_activities_and_is_among_them(api, bank):
    subject = column("String", "Subject", IsPrimaryName=True, MaxLength=80)
    attributes = [subject, column("Integer", "new_Miles")]
    body = table("new_Visit", IsActivity=True, HasNotes=True, Attributes=attributes)
    answer = api("POST", TABLES, body)
    assert answer.status == 204, answer.body
    visit = f"{TABLES}(LogicalName='new_visit')"
    read = api.json(visit)
    assert (read["IsActivity"], read["PrimaryIdAttribute"], read["PrimaryNameAttribute"]) == (
        *(True, "activityid"),
        "subject",
    )
    assert api.json(f"{visit}/Attributes(LogicalName='subject')")["MaxLength"] == 80
    assert {"new_miles", "regardingobjectid", "scheduledend"} <= names(api, f"{visit}/Attributes")
    account = api.created("accounts", name="A")
    about = {"regardingobjectid_account_new_visit@odata.bind": f"/accounts({account})"}
    row = api.created("new_visits", subject="Coffee", new_miles=3, **about)
    among = api.json(f"/activitypointers?$filter=activityid eq {row}&$select=subject,activitytypecode")["value"]
    assert [(one["subject"], one["activitytypecode"]) for one in among] == [("Coffee", "new_visit")]
    behind = api.json(f"/accounts({account})/account_new_visits?$select=subject")["value"]
    assert [one["activityid"] for one in behind] == [row]
    assert api("PUT", BANK, {"HasActivities": True}).status == 204
    assert "new_bank_new_Visits" in {
        one["SchemaName"] for one in api.json(f"{BANK}/OneToManyRelationships?$select=SchemaName")["value"]
    }
    assert api("DELETE", visit).status == 204
    assert api.json(f"/activitypointers?$filter=activityid eq {row}&$select=subject")["value"] == []
    assert api.json("/tasks?$top=1&$select=subject")["value"] == []


def test_a_definition_that_was_read_can_be_put_back_and_is_the_same(api, bank):
    before = api.json(BANK)
    assert api("PUT", BANK, before).status == 204
    assert {**api.json(BANK), "ModifiedOn": before["ModifiedOn"]} == before


def test_labels_are_merged_where_the_request_asks_for_it(api, bank):
    dutch = {"DisplayName": text("Bank", lcid_1043="De bank"), "Description": text("A bank", lcid_1043="Een bank")}
    assert api("PUT", BANK, dutch).status == 204
    assert api("PUT", BANK, {"DisplayName": text("House")}, **{"mscrm.mergelabels": "true"}).status == 204
    languages = api.json(BANK)["DisplayName"]["LocalizedLabels"]
    assert [(one["LanguageCode"], one["Label"]) for one in languages] == [(1033, "House"), (1043, "De bank")]
    assert api("PUT", BANK, {"DisplayName": text("House")}).status == 204
    assert [one["LanguageCode"] for one in api.json(BANK)["DisplayName"]["LocalizedLabels"]] == [1033]
    assert len(api.json(BANK)["Description"]["LocalizedLabels"]) == 2


def test_properties_that_decide_nothing_are_kept(api, bank):
    given = {
        "IsQuickCreateEnabled": True,
        "EntityColor": "#aabbcc",
        "IsMailMergeEnabled": {"Value": True, "CanBeChanged": True, "ManagedPropertyLogicalName": "canmodifymailmerge"},
        "IsAuditEnabled": {"Value": True},
    }
    assert api("PUT", BANK, given).status == 204
    read = api.json(BANK)
    assert read["IsQuickCreateEnabled"] is True
    assert read["EntityColor"] == "#aabbcc"
    assert read["IsMailMergeEnabled"]["Value"] is True
    kept = {"Value": True, "CanBeChanged": True, "ManagedPropertyLogicalName": "canmodifyauditsettings"}
    assert read["IsAuditEnabled"] == kept


def _without(body, *members):
    return {name: value for name, value in body.items() if name not in members}


NEW = table("new_Other")
REFUSED = {
    "taken": (table("new_Bank"), "0x80044363"),
    "taken in other letters": (table("NEW_bank"), "0x80044363"),
    "no prefix": (table("Bank"), "0x80044366"),
    "prefix of nobody": (table("abc_Bank"), "0x80044366"),
    "no name": (_without(NEW, "SchemaName"), "0x80044366"),
    "characters": (table("new_B-nk"), "0x80044364"),
    "first character": (table("1new_Bank"), "0x80044365"),
    "too long": (table(f"new_{'x' * 80}"), "0x80044367"),
    "no columns": (_without(NEW, "Attributes"), "0x80047014"),
    "no primary name": ({**NEW, "Attributes": [column("String", "new_A")]}, "0x80044355"),
    "primary name is no text": (
        {**NEW, "Attributes": [column("Integer", "new_A", IsPrimaryName=True)]},
        "0x8004700e",
    ),
    "two primary names": (table("new_Other", column("String", "new_A", IsPrimaryName=True)), "0x8004701e"),
    "column of the system": (table("new_Other", column("String", "new_Otherid")), "0x80047013"),
    "column twice": (table("new_Other", *[column("String", "new_A")] * 2), "0x80047013"),
    "ownership": (table("new_Other", OwnershipType="BusinessOwned"), "0x8004700d"),
    "unknown ownership": (table("new_Other", OwnershipType="Nobody"), "0x80048d19"),
    "unknown property": (table("new_Other", Nothing=1), "0x80048d19"),
    "property of another type": (table("new_Other", HasNotes="yes"), "0x80048d19"),
    "unknown type of column": (table("new_Other", column("Nothing", "new_A")), "0x80048d19"),
    "lookup": (table("new_Other", column("Lookup", "new_A")), "0x8004700f"),
    "activity of the organization": (
        table("new_Other", IsActivity=True, OwnershipType="OrganizationOwned"),
        "0x8004f120",
    ),
    "characters of an entity set": (table("new_Other", EntitySetName="a b"), "0x80044364"),
    "entity set": (table("new_Other", EntitySetName="accounts"), "0x80044363"),
    "not an object": ([1], "0x80048d19"),
    "no body": (b"", "0x80048d19"),
}


def test_a_refused_table_changes_nothing(api, bank, state):
    before = state()
    found = {what: api.error("POST", TABLES, body)[:2] for what, (body, _) in REFUSED.items()}
    assert found == {what: (400, code) for what, (_, code) in REFUSED.items()}
    assert state() == before


NOWHERE = f"{TABLES}(LogicalName='new_nothing')"
REFUSED_CHANGES = {
    ("PATCH", BANK): ({"DisplayName": text("x")}, 405, "0x80060888"),
    ("PUT", TABLES): (NEW, 405, "0x80060888"),
    ("DELETE", TABLES): (None, 405, "0x80060888"),
    ("PUT", NOWHERE): (NEW, 404, "0x80040217"),
    ("DELETE", NOWHERE): (None, 404, "0x80040217"),
    ("DELETE", f"{TABLES}(LogicalName='account')"): (None, 400, "0x8004f032"),
    ("PUT", f"{TABLES}(LogicalName='contact')"): ({"LogicalName": "account"}, 400, "0x80040203"),
    ("PUT", BANK): ({"HasNotes": False}, 400, "0x80047008"),
    ("POST", f"{BANK}/Nothing"): ({}, 404, "0x80060888"),
    ("PUT", f"{BANK}/{CRM}.EntityMetadata/DisplayName"): ({}, 404, "0x80060888"),
}


def test_refused_changes_of_tables(api, bank, state):
    before = state()
    found = {request: api.error(*request, body)[:2] for request, (body, *_) in REFUSED_CHANGES.items()}
    assert found == {request: (status, code) for request, (_, status, code) in REFUSED_CHANGES.items()}
    assert state() == before


def test_a_table_to_which_others_lead_stays(api, bank, state):
    assert api("POST", TABLES, table("new_Branch")).status == 204
    relationship = one_to_many("new_bank_branch", "new_bank", "new_branch", "new_BankId")
    assert api("POST", "/RelationshipDefinitions", relationship).status == 204
    before = state()
    status, code, message = api.error("DELETE", BANK)
    assert (status, code) == (400, "0x8004f01f")
    assert "referenced by 1 other components" in message
    assert state() == before
    assert api("DELETE", f"{TABLES}(LogicalName='new_branch')").status == 204


def test_who_may_read_definitions_only_makes_none(api, state):
    before = state()
    assert api.error("POST", TABLES, NEW, authorization="Bearer roleless")[0] == 403
    assert state() == before


def test_definitions_in_a_change_set_are_made_together_or_not_at_all(api, state):
    def part(number, path, body):
        return (
            f"--c\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
            f"POST /api/data/v9.2{path} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{json.dumps(body)}\r\n"
        )

    def send(*parts):
        head = "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
        body = f"{head}{''.join(parts)}--c--\r\n--b--\r\n".encode()
        return api("POST", "/$batch", body, content_type="multipart/mixed; boundary=b").body

    other = f"{TABLES}(LogicalName='new_other')"
    before = state()
    refused = send(part(1, TABLES, NEW), part(2, f"{other}/Attributes", column("String", "A")))
    assert b"0x80044366" in refused
    assert state() == before
    done = send(part(1, TABLES, NEW), part(2, f"{other}/Attributes", column("String", "new_A")))
    assert done.count(b"204 No Content") == 2
    assert "new_a" in names(api, f"{other}/Attributes")
    assert api("DELETE", other).status == 204
