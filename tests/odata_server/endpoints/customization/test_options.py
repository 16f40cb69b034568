"""Options of columns and of global choices: inserted, changed, deleted and put in order over HTTP."""

import json

import pytest
from things import dump

from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Choice, ChoiceType, MultiChoiceType
from entities.metadata.declare import (
    boolean,
    choice,
    column,
    label,
    options,
    plain,
    primary_id,
    state_and_status,
    string,
    with_ids,
)
from entities.metadata.tables import Table

SIZES = Choice("new_sizes", options("Small", "Large", first=100_000_000), label("Sizes"), is_global=True)
TOY = with_ids(
    Table(
        "new_toy",
        "new_Toy",
        "new_toies",
        11_500,
        "new_toyid",
        "new_name",
        (
            primary_id("new_ToyId"),
            string("new_Name", is_custom=True),
            choice("new_Color", options("Red", "Blue", first=100_000_000), default=100_000_001, is_custom=True),
            column("new_Tags", MultiChoiceType(Choice("new_tags", options("Old", "Rare", first=1))), is_custom=True),
            column("new_Size", ChoiceType(SIZES, 100_000_001), is_custom=True),
            column("new_Spare", MultiChoiceType(SIZES), is_custom=True),
            boolean("new_Sold", is_custom=True),
            *state_and_status(("Active", ((1, "Active"), (3, "Lent"))), ("Inactive", ((2, "Inactive"),))),
        ),
        plain("Toy"),
        plain("Toys"),
        is_custom=True,
    )
)
COLOR = {"EntityLogicalName": "new_toy", "AttributeLogicalName": "new_color"}
STATUS = {"EntityLogicalName": "new_toy", "AttributeLogicalName": "statuscode"}
STATE = {"EntityLogicalName": "new_toy", "AttributeLogicalName": "statecode"}
SOLD = {"EntityLogicalName": "new_toy", "AttributeLogicalName": "new_sold"}
NAME = {"EntityLogicalName": "new_toy", "AttributeLogicalName": "new_name"}
GLOBAL = {"OptionSetName": "new_sizes"}


def text(english, **others):
    languages = {"english": 1033, "dutch": 1043}
    texts = {"english": english, **others}
    return {"LocalizedLabels": [{"Label": t, "LanguageCode": languages[name]} for name, t in texts.items()]}


@pytest.fixture(autouse=True)
def toys(services):
    """The table of toys and its global choice as they are declared."""
    with services.dataverse.changing() as transaction:
        put = () if transaction.catalog.tables.get("new_toy") == TOY else (TOY,)
        transaction.change_catalog(CatalogChange(put=put, choices=(SIZES,)))


def option_set(api, column="new_color", kind="PicklistAttributeMetadata"):
    path = f"/EntityDefinitions(LogicalName='new_toy')/Attributes(LogicalName='{column}')/Microsoft.Dynamics.CRM.{kind}"
    return api.json(f"{path}?$select=LogicalName&$expand=OptionSet")["OptionSet"]


def shown(answer):
    return [(option["Value"], option["Label"]["UserLocalizedLabel"]["Label"]) for option in answer["Options"]]


def done(api, action, **parameters):
    answer = api("POST", f"/{action}", parameters)
    assert answer.status == 204, answer.body


def inserted(api, action, **parameters):
    answer = api("POST", f"/{action}", parameters)
    assert answer.status == 200, answer.body
    body = json.loads(answer.body)
    assert body["@odata.context"].endswith(f"$metadata#Microsoft.Dynamics.CRM.{action}Response")
    return body["NewOptionValue"]


def test_a_new_option_gets_the_next_value_of_the_publisher(api):
    assert inserted(api, "InsertOptionValue", **COLOR, Label=text("Green")) == 100_000_002
    assert shown(option_set(api)) == [(100_000_000, "Red"), (100_000_001, "Blue"), (100_000_002, "Green")]


def test_a_new_option_has_the_value_label_description_and_color_that_it_is_given(api):
    given = {"Value": 7, "Label": text("Green", dutch="Groen"), "Description": text("As grass"), "Color": "#00FF00"}
    assert inserted(api, "InsertOptionValue", **COLOR, **given) == 7
    option = option_set(api)["Options"][2]
    assert [one["Label"] for one in option["Label"]["LocalizedLabels"]] == ["Green", "Groen"]
    assert option["Description"]["UserLocalizedLabel"]["Label"] == "As grass"
    assert option["Color"] == "#00FF00"


def test_a_new_option_of_a_global_choice_is_in_all_its_columns(api):
    assert inserted(api, "InsertOptionValue", **GLOBAL, Label=text("Huge"), ParentValues=[1]) == 100_000_002
    assert (100_000_002, "Huge") in shown(option_set(api, "new_size"))
    assert (100_000_002, "Huge") in shown(option_set(api, "new_spare", "MultiSelectPicklistAttributeMetadata"))
    found = api.json("/GlobalOptionSetDefinitions(Name='new_sizes')")
    assert found["Options"][2]["ParentValues"] == [1]


def test_a_column_of_a_global_choice_stands_for_that_choice(api):
    column = {"EntityLogicalName": "new_toy", "AttributeLogicalName": "new_size"}
    assert inserted(api, "InsertOptionValue", **column, Label=text("Huge")) == 100_000_002
    assert (100_000_002, "Huge") in shown(api.json("/GlobalOptionSetDefinitions(Name='new_sizes')"))


def test_records_take_a_new_option_at_once(api):
    account = api.created("accounts", name="Options")
    column = {"EntityLogicalName": "account", "AttributeLogicalName": "industrycode"}
    value = inserted(api, "InsertOptionValue", **column, Label=text("Circus"))
    assert api("PATCH", f"/accounts({account})", {"industrycode": value}).status == 204
    prefer = 'odata.include-annotations="*"'
    read = api.json(f"/accounts({account})?$select=industrycode", prefer=prefer)
    assert read["industrycode@OData.Community.Display.V1.FormattedValue"] == "Circus"
    done(api, "DeleteOptionValue", **column, Value=value)
    assert api.json(f"/accounts({account})?$select=industrycode")["industrycode"] == value
    status, code, _ = api.error("PATCH", f"/accounts({account})", {"industrycode": value})
    assert (status, code) == (400, "0x8004431a")


def test_a_new_status_reason_belongs_to_its_state(api):
    assert inserted(api, "InsertStatusValue", **STATUS, Label=text("Broken"), StateCode=1) == 100_000_000
    option = option_set(api, "statuscode", "StatusAttributeMetadata")["Options"][3]
    assert (option["Value"], option["State"]) == (100_000_000, 1)


def test_an_update_replaces_labels_or_adds_to_them(api):
    done(api, "UpdateOptionValue", **COLOR, Value=100_000_000, Label=text("Rouge", dutch="Rood"), MergeLabels=False)
    done(api, "UpdateOptionValue", **COLOR, Value=100_000_000, Label=text("Crimson"), MergeLabels=True)
    labels = option_set(api)["Options"][0]["Label"]["LocalizedLabels"]
    assert [(one["LanguageCode"], one["Label"]) for one in labels] == [(1033, "Crimson"), (1043, "Rood")]
    done(api, "UpdateOptionValue", **COLOR, Value=100_000_000, Label=text("Scarlet"), MergeLabels=False, Color="#F00")
    option = option_set(api)["Options"][0]
    assert [one["Label"] for one in option["Label"]["LocalizedLabels"]] == ["Scarlet"]
    assert option["Color"] == "#F00"


def test_the_labels_of_yes_and_no_can_be_changed(api):
    done(api, "UpdateOptionValue", **SOLD, Value=1, Label=text("Gone"), MergeLabels=True)
    found = option_set(api, "new_sold", "BooleanAttributeMetadata")
    assert found["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Gone"
    assert found["FalseOption"]["Label"]["UserLocalizedLabel"]["Label"] == "No"


def test_a_state_gets_another_label_and_another_default(api):
    given = {"Value": 0, "Label": text("Here"), "MergeLabels": True, "DefaultStatusCode": 3}
    done(api, "UpdateStateValue", **STATE, **given)
    option = option_set(api, "statecode", "StateAttributeMetadata")["Options"][0]
    assert (option["Label"]["UserLocalizedLabel"]["Label"], option["DefaultStatus"]) == ("Here", 3)


def test_an_option_can_be_deleted_and_is_no_default_any_more(api):
    done(api, "DeleteOptionValue", **COLOR, Value=100_000_001)
    done(api, "DeleteOptionValue", **GLOBAL, Value=100_000_001)
    done(api, "DeleteOptionValue", **STATUS, Value=3)
    assert shown(option_set(api)) == [(100_000_000, "Red")]
    assert shown(option_set(api, "new_size")) == [(100_000_000, "Small")]
    columns = "/EntityDefinitions(LogicalName='new_toy')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    assert {one["DefaultFormValue"] for one in api.json(columns)["value"]} <= {None, -1}


def test_options_come_in_the_order_that_they_are_put_in(api):
    done(api, "OrderOption", **COLOR, Values=[100_000_001, 100_000_000])
    done(api, "OrderOption", **GLOBAL, Values=[100_000_001, 100_000_000])
    done(api, "OrderOption", **STATUS, Values=[2, 3, 1])
    assert [value for value, _ in shown(option_set(api))] == [100_000_001, 100_000_000]
    assert [value for value, _ in shown(option_set(api, "new_size"))] == [100_000_001, 100_000_000]
    assert [value for value, _ in shown(option_set(api, "statuscode", "StatusAttributeMetadata"))] == [2, 3, 1]


REFUSED = [
    ("InsertOptionValue", {**SOLD, "Label": text("x")}, "0x8004431d"),
    ("InsertOptionValue", {**STATE, "Label": text("x")}, "0x8004431e"),
    ("InsertOptionValue", {**STATUS, "Label": text("x")}, "0x80044321"),
    ("InsertOptionValue", {**NAME, "Label": text("x")}, "0x80044320"),
    ("InsertOptionValue", {**COLOR}, "0x80040203"),
    ("InsertOptionValue", {**COLOR, "Label": {"LocalizedLabels": [{"Label": "x"}]}}, "0x80040203"),
    ("InsertOptionValue", {**COLOR, "Label": text("x"), "Value": 100_000_000}, "0x80040203"),
    ("InsertOptionValue", {**COLOR, **GLOBAL, "Label": text("x")}, "0x80040203"),
    ("InsertOptionValue", {"OptionSetName": "new_none", "Label": text("x")}, "0x8004024a"),
    ("InsertOptionValue", {**COLOR, "EntityLogicalName": "new_none", "Label": text("x")}, "0x80041102"),
    ("InsertOptionValue", {**COLOR, "AttributeLogicalName": "new_none", "Label": text("x")}, "0x80041103"),
    ("InsertOptionValue", {**COLOR, "Label": text("x"), "SolutionUniqueName": "None"}, "0x80048037"),
    ("InsertStatusValue", {**STATUS, "Label": text("x"), "StateCode": 5}, "0x80044322"),
    ("InsertStatusValue", {**COLOR, "Label": text("x"), "StateCode": 0}, "0x80044320"),
    ("InsertStatusValue", {**STATUS, "Label": text("x"), "StateCode": 0, "Value": 1}, "0x80040203"),
    ("UpdateOptionValue", {**COLOR, "Value": 9, "MergeLabels": True}, "0x80040203"),
    ("UpdateOptionValue", {**GLOBAL, "Value": 9, "MergeLabels": True}, "0x80040203"),
    ("UpdateOptionValue", {**SOLD, "Value": 2, "MergeLabels": True}, "0x8004431c"),
    ("UpdateOptionValue", {**NAME, "Value": 2, "MergeLabels": True}, "0x80044320"),
    ("UpdateStateValue", {**STATE, "Value": 0, "MergeLabels": True, "DefaultStatusCode": 2}, "0x80048408"),
    ("UpdateStateValue", {**STATE, "Value": 7, "MergeLabels": True}, "0x80040203"),
    ("UpdateStateValue", {**STATUS, "Value": 1, "MergeLabels": True}, "0x80044320"),
    ("DeleteOptionValue", {**COLOR, "Value": 9}, "0x80040203"),
    ("DeleteOptionValue", {**STATUS, "Value": 9}, "0x80040203"),
    ("DeleteOptionValue", {**STATUS, "Value": 1}, "0x80044341"),
    ("DeleteOptionValue", {**SOLD, "Value": 1}, "0x80044323"),
    ("DeleteOptionValue", {**STATE, "Value": 1}, "0x80044323"),
    ("OrderOption", {**COLOR, "Values": [100_000_000]}, "0x80044324"),
    ("OrderOption", {**COLOR, "Values": [100_000_000, 9]}, "0x80044325"),
    ("OrderOption", {**COLOR, "Values": [100_000_000, 100_000_000]}, "0x80044325"),
    ("OrderOption", {**NAME, "Values": []}, "0x80044320"),
]


@pytest.mark.parametrize(("action", "parameters", "code"), REFUSED)
def test_a_refused_action_changes_nothing(api, services, action, parameters, code):
    before = dump(services.dataverse.database)
    status, found, _ = api.error("POST", f"/{action}", parameters)
    assert (status, found) == (400, code)
    assert dump(services.dataverse.database) == before


def test_options_take_a_privilege(api):
    status, code, message = api.error("POST", "/OrderOption", {**COLOR, "Values": []}, authorization="Bearer roleless")
    assert (status, code) == (403, "0x80042f09"), message
