"""Definitions beside those that Learn prints: "Web API table schema operations sample", requests and answers."""

import json
from pathlib import Path

import pytest
from definition_bodies import CRM, column, many_to_many, one_to_many, table, text

GOLDEN = Path(__file__).parents[2] / "golden"
BANK = "/EntityDefinitions(LogicalName='sample_bankaccount')"
SOLUTION = {"mscrm.solutionuniquename": "examplesolution"}
LEVEL = {"Value": "None", "CanBeChanged": False, "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings"}
LATER = {
    *("IsRetentionEnabled", "ClusterMode", "TableType", "ActivityTypeMask"),
    *("IsRelationshipAttributeDenormalized", "IsDenormalizedLookup", "DenormalizedAttributeName", "Settings"),
}
"""Properties that one of both versions has: the printed one of 2022, and this one."""


def documented(name):
    """Return property names and values of a printed definition, a question mark for what differs each time."""
    lines = (GOLDEN / f"{name}.txt").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def shown(value):
    """Write a value as the printed definitions are noted: labels as their text, managed properties in one line."""
    match value:
        case {"UserLocalizedLabel": {"Label": label}}:
            return json.dumps(label)
        case {"Value": inner, "CanBeChanged": changeable, "ManagedPropertyLogicalName": name}:
            return f"{json.dumps(inner)} {json.dumps(changeable)} {name}"
        case _:
            return json.dumps(value, separators=(",", ":"))


def check(name, definition):
    printed = documented(name)
    found = {n: value for n, value in definition.items() if "@" not in n and (n in printed or n not in LATER)}
    assert list(found) == list(printed)
    assert {n: shown(found[n]) for n, value in printed.items() if value != "?"} == {
        n: value for n, value in printed.items() if value != "?"
    }


@pytest.fixture(scope="module", autouse=True)
def bank(api):
    """The publisher, the solution and the table of the sample."""
    publisher = {"uniquename": "examplepublisher", "friendlyname": "Example Publisher"}
    prefixes = {"customizationprefix": "sample", "customizationoptionvalueprefix": 72_700}
    owner = api.created("publishers", **publisher, **prefixes)
    bind = {"publisherid@odata.bind": f"/publishers({owner})"}
    api.created("solutions", uniquename="examplesolution", friendlyname="Example Solution", version="1.0.0.0", **bind)
    name = column(
        "String",
        "sample_Name",
        DisplayName=text("Account Name"),
        IsPrimaryName=True,
        MaxLength=100,
        RequiredLevel=LEVEL,
    )
    body = table(
        "sample_BankAccount",
        DisplayName=text("Bank Account"),
        DisplayCollectionName=text("Bank Accounts"),
        Description=text("A table to store information about customer bank accounts"),
        PrimaryNameAttribute="sample_name",
        Attributes=[name],
    )
    answer = api("POST", "/EntityDefinitions", body, **SOLUTION)
    assert answer.status == 204, answer.body
    return body


def test_a_new_table_looks_as_documented(api):
    read = api.json(BANK, consistency="Strong")
    assert read["@odata.context"].endswith("/$metadata#EntityDefinitions/$entity")
    check("table", read)
    rights = ("Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo")
    assert [one["Name"] for one in read["Privileges"]] == [f"prv{right}sample_BankAccount" for right in rights]


def test_the_definition_of_accounts_has_the_same_shape(api):
    account, bank_account = api.json("/EntityDefinitions(LogicalName='account')"), api.json(BANK)
    assert list(account) == list(bank_account)
    assert {n for n, v in account.items() if isinstance(v, dict)} == {
        n for n, v in bank_account.items() if isinstance(v, dict)
    }
    for name in ("name", "revenue", "industrycode", "primarycontactid", "createdon"):
        one = api.json(f"/EntityDefinitions(LogicalName='account')/Attributes(LogicalName='{name}')")
        common = [n for n in documented("boolean_column") if n not in {"FormulaDefinition", "SourceTypeMask"}]
        assert [n for n in one if n in common] == [n for n in common if n in one]


def test_a_change_of_a_table_is_answered_as_documented(api):
    change = {"@odata.type": f"{CRM}.EntityMetadata", **api.json(BANK)}
    labels = {**SOLUTION, "mscrm.mergelabels": "true"}
    change["Description"] = text("Contains information about customer bank accounts")
    # Clients write types where none are needed, and a label of the user that is none.
    change["IsAuditEnabled"] = {"@odata.type": f"{CRM}.BooleanManagedProperty", **change["IsAuditEnabled"]}
    no_label = {"@odata.type": f"{CRM}.LocalizedLabel", "LanguageCode": 0, "IsManaged": False}
    change["DisplayName"] = {"LocalizedLabels": [], "UserLocalizedLabel": no_label}
    answer = api("PUT", BANK, {**change, "HasActivities": True}, **labels)
    assert answer.status == 204
    assert dict(answer.headers)["OData-EntityId"] == f"https://org.test:8443/api/data/v9.2{BANK}"
    read = api.json(BANK)
    assert (read["HasActivities"], read["DisplayName"]["UserLocalizedLabel"]["Label"]) == (True, "Bank Account")
    assert "sample_bankaccount_Tasks" in {
        one["SchemaName"] for one in api.json(f"{BANK}/OneToManyRelationships?$select=SchemaName")["value"]
    }


def test_a_new_column_looks_as_documented(api):
    options = {
        "@odata.type": f"{CRM}.BooleanOptionSetMetadata",
        "TrueOption": {"Value": 1, "Label": text("True")},
        "FalseOption": {"Value": 0, "Label": text("False")},
        "OptionSetType": "Boolean",
    }
    body = column(
        "Boolean",
        "sample_Boolean",
        AttributeType="Boolean",
        AttributeTypeName={"Value": "BooleanType"},
        DefaultValue=False,
        OptionSet=options,
        Description=text("Boolean Attribute"),
        DisplayName=text("Sample Boolean"),
        RequiredLevel=LEVEL,
    )
    answer = api("POST", f"{BANK}/Attributes", body, **SOLUTION)
    assert (answer.status, answer.body) == (204, b"")
    assert f"{BANK}/Attributes(" in dict(answer.headers)["OData-EntityId"]
    cast = f"{BANK}/Attributes(LogicalName='sample_boolean')/{CRM}.BooleanAttributeMetadata"
    read = api.json(f"{cast}?$expand=OptionSet", consistency="Strong")
    assert read["@odata.context"].endswith(
        "#EntityDefinitions('sample_bankaccount')/Attributes/"
        "Microsoft.Dynamics.CRM.BooleanAttributeMetadata(OptionSet())/$entity"
    )
    check("boolean_column", read)
    check("boolean_options", read["OptionSet"])
    check("option", read["OptionSet"]["TrueOption"])


def test_new_relationships_look_as_documented(api):
    menu = {"Behavior": "UseLabel", "Group": "Details", "Label": text("Cardholders"), "Order": 10_000}
    names = ("Assign", "Delete", "Merge", "Reparent", "Share", "Unshare", "RollupView")
    asked = dict(zip(names, ("NoCascade", "RemoveLink", "Cascade", *["NoCascade"] * 4), strict=True))
    more = {
        "ReferencedAttribute": "sample_bankaccountid",
        "IsValidForAdvancedFind": False,
        "AssociatedMenuConfiguration": {**menu, "ViewId": "00000000-0000-0000-0000-000000000000"},
        "CascadeConfiguration": asked,
        "SecurityTypes": "None",
    }
    body = one_to_many("sample_BankAccount_Contacts", "sample_bankaccount", "contact", "sample_BankAccountId", **more)
    answer = api("POST", "/RelationshipDefinitions", body, **SOLUTION)
    assert answer.status == 204, answer.body
    path = dict(answer.headers)["OData-EntityId"].partition("/api/data/v9.2")[2]
    read = api.json(f"{path}/{CRM}.OneToManyRelationshipMetadata")
    check("one_to_many", read)
    check("menu", read["AssociatedMenuConfiguration"])
    # Records of this table cannot be merged.
    assert {name: read["CascadeConfiguration"][name] for name in names} == {**asked, "Merge": "NoCascade"}
    pairs = "sample_sample_BankAccounts_Contacts"
    more = {"IsValidForAdvancedFind": False, "Entity1AssociatedMenuConfiguration": menu}
    answer = api("POST", "/RelationshipDefinitions", many_to_many(pairs, "sample_bankaccount", "contact", **more))
    path = dict(answer.headers)["OData-EntityId"].partition("/api/data/v9.2")[2]
    check("many_to_many", api.json(f"{path}/{CRM}.ManyToManyRelationshipMetadata"))


def test_a_new_global_choice_looks_as_documented(api):
    colors = [{"Value": 727_000_000 + n, "Label": text(name)} for n, name in enumerate(("Red", "Yellow", "Green"))]
    body = {
        "@odata.type": f"{CRM}.OptionSetMetadata",
        "Options": colors,
        "Description": text("Color Choice"),
        "DisplayName": text("Colors"),
        "Name": "sample_colors",
        "OptionSetType": "Picklist",
    }
    answer = api("POST", "/GlobalOptionSetDefinitions", body, **SOLUTION)
    path = dict(answer.headers)["OData-EntityId"].partition("/api/data/v9.2")[2]
    check("global_choice", api.json(f"{path}/{CRM}.OptionSetMetadata"))
    bound = {**column("Picklist", "sample_Colors", RequiredLevel=LEVEL), "GlobalOptionSet@odata.bind": path}
    assert api("POST", f"{BANK}/Attributes", bound, **SOLUTION).status == 204
