"""Definitions for clients that keep them: what a query wants, what has changed, what is gone, old stamps."""

import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from things import dump

from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Choice, ChoiceType
from entities.metadata.declare import choice, column, label, options, plain, primary_id, string, with_ids
from entities.metadata.tables import Table
from odata_server.engine.catalog_store import read_row_version, read_stamp, resume

FUNCTION = "Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse"
SIZES = Choice("new_boxsizes", options("Small", "Large"), label("Sizes", nl="Maten"), is_global=True)


def box(name="new_box", code=11_600, *more):
    columns = (primary_id(f"{name}Id"), string(f"{name}_Name", 40, is_custom=True))
    colored = choice("new_Color", options("Red", "Blue"), is_custom=True)
    sized = column("new_Size", ChoiceType(SIZES), is_custom=True)
    texts = (label("Box", nl="Doos"), plain("Boxes"))
    key, shown = f"{name}id", f"{name}_name"
    table = Table(name, name, f"{name}es", code, key, shown, (*columns, colored, sized, *more), *texts, is_custom=True)
    return with_ids(table)


@pytest.fixture(autouse=True, scope="module")
def boxes(services):
    """A table with columns of several types."""
    put(services, box())


def put(services, *tables, **more):
    with services.dataverse.changing() as transaction:
        transaction.change_catalog(CatalogChange(put=tables, **more))


def condition(name, operator="Equals", value=None, type_="System.String"):
    return {"PropertyName": name, "ConditionOperator": operator, "Value": {"Type": type_, "Value": value}}


def where(*conditions, operator="And", filters=()):
    return {"FilterOperator": operator, "Conditions": list(conditions), "Filters": list(filters)}


ONE = where(condition("LogicalName", value="new_box"))


def wanting(*names, criteria=ONE, **more):
    return {"Criteria": criteria, "Properties": {"AllProperties": False, "PropertyNames": list(names)}, **more}


def path(query=None, **parameters):
    given = {name: quote(value) for name, value in parameters.items()}
    if query is not None:
        given["Query"] = quote(json.dumps(query))
    names = ",".join(f"{name}=@p{number}" for number, name in enumerate(given))
    values = "&".join(f"@p{number}={value}" for number, value in enumerate(given.values()))
    return f"/RetrieveMetadataChanges({names})?{values}"


def asked(api, query=None, **parameters):
    answer = api.json(path(query, **parameters))
    assert answer["@odata.context"].endswith(f"$metadata#{FUNCTION}")
    return answer


def tables(api, query):
    return asked(api, query)["EntityMetadata"]


def test_only_wanted_properties_come_with_names_and_id(api):
    (found,) = tables(api, wanting("DisplayName", "OwnershipType"))
    assert set(found) == {"LogicalName", "SchemaName", "MetadataId", "HasChanged", "DisplayName", "OwnershipType"}
    assert found["HasChanged"] is None
    assert [one["Label"] for one in found["DisplayName"]["LocalizedLabels"]] == ["Box", "Doos"]


def test_all_properties_come_where_all_are_wanted(api):
    (found,) = tables(api, {"Criteria": ONE, "Properties": {"AllProperties": True}})
    whole = api.json("/EntityDefinitions(LogicalName='new_box')")
    assert {name: found[name] for name in whole if name != "@odata.context"} | {"HasChanged": None} == {
        name: value for name, value in whole.items() if name != "@odata.context"
    }
    assert {"Attributes", "Keys", "OneToManyRelationships"} <= set(found)


def test_columns_come_with_their_type_and_the_properties_of_that_type(api):
    columns = {"Properties": {"PropertyNames": ["LogicalName", "MaxLength", "OptionSet"]}}
    (found,) = tables(api, wanting("Attributes", AttributeQuery=columns))
    by_name = {one["LogicalName"]: one for one in found["Attributes"]}
    assert by_name["new_box_name"]["@odata.type"] == "#Microsoft.Dynamics.CRM.ComplexStringAttributeMetadata"
    assert by_name["new_box_name"]["MaxLength"] == 40
    assert "MaxLength" not in by_name["new_color"]
    assert [option["Value"] for option in by_name["new_color"]["OptionSet"]["Options"]] == [0, 1]


def test_the_query_of_the_client_for_python_finds_one_column(api):
    criteria = {"Conditions": [condition("LogicalName", value="new_box_name")]}
    names = [
        "LogicalName",
        "AttributeType",
        "AttributeTypeName",
        "DisplayName",
        "RequiredLevel",
        "MaxLength",
        "Precision",
    ]
    query = {
        "Properties": {"PropertyNames": ["LogicalName", "Attributes"]},
        "Criteria": {"Conditions": [condition("LogicalName", value="new_box")]},
        "AttributeQuery": {"Properties": {"PropertyNames": names}, "Criteria": criteria},
    }
    (found,) = tables(api, query)
    (column_,) = found["Attributes"]
    assert (column_["AttributeType"], column_["MaxLength"]) == ("String", 40)


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        (where(condition("LogicalName", "In", "['new_box','account']", "System.String[]")), {"new_box", "account"}),
        (where(condition("LogicalName", "In", ["new_box", "team"], "System.String[]")), {"new_box", "team"}),
        (where(condition("ObjectTypeCode", value=1, type_="System.Int32")), {"account"}),
        (where(condition("SchemaName", value="Account"), condition("IsCustomEntity", value="true")), set()),
        (
            where(condition("LogicalName", value="team"), condition("LogicalName", value="account"), operator="Or"),
            {"team", "account"},
        ),
        (
            where(
                condition("ObjectTypeCode", "LessThan", "3", "System.Int32"),
                filters=[where(condition("LogicalName", "NotEquals", "account"))],
            ),
            {"contact"},
        ),
        (
            where(
                condition("ObjectTypeCode", "GreaterThan", "11599", "System.Int32"),
                condition("IsCustomizable", value="True", type_="System.Boolean"),
                condition("LogicalName", "NotIn", "['account']", "System.String[]"),
            ),
            {"new_box"},
        ),
    ],
)
def test_criteria_choose_tables(api, criteria, names):
    assert {one["LogicalName"] for one in tables(api, wanting("LogicalName", criteria=criteria))} == names


def test_relationships_and_keys_come_where_they_are_wanted(api):
    criteria = where(condition("SchemaName", value="contact_customer_accounts"))
    query = wanting(
        "OneToManyRelationships",
        "Keys",
        criteria=where(condition("LogicalName", value="account")),
        RelationshipQuery={"Criteria": criteria, "Properties": {"PropertyNames": ["ReferencingEntity"]}},
        KeyQuery={"Properties": {"PropertyNames": ["KeyAttributes"]}},
    )
    (found,) = tables(api, query)
    (one,) = found["OneToManyRelationships"]
    assert (one["SchemaName"], one["ReferencingEntity"]) == ("contact_customer_accounts", "contact")
    assert "ReferencedEntity" not in one
    assert found["Keys"] == []


def test_labels_come_in_the_languages_that_are_wanted(api):
    (found,) = tables(api, wanting("DisplayName", LabelQuery={"FilterLanguages": [1043], "MissingLabelBehavior": 0}))
    assert [one["Label"] for one in found["DisplayName"]["LocalizedLabels"]] == ["Doos"]


def test_a_client_that_was_here_before_gets_what_has_changed_since(api, services):
    put(services, box("new_crate", 11_601))
    first = asked(api, wanting("LogicalName", criteria=where()))
    assert first["DeletedMetadata"] is None
    assert {"new_box", "new_crate", "account"} <= {one["LogicalName"] for one in first["EntityMetadata"]}
    stamp = first["ServerVersionStamp"]
    everything = wanting("LogicalName", "Attributes", criteria=where())
    assert asked(api, everything, ClientVersionStamp=f"'{stamp}'")["EntityMetadata"] == []
    new = string("new_Extra", 9, is_custom=True)
    put(services, box("new_box", 11_600, new))
    later = asked(api, everything, ClientVersionStamp=f"'{stamp}'")
    (found,) = later["EntityMetadata"]
    assert (found["LogicalName"], found["HasChanged"]) == ("new_box", True)
    assert "new_extra" in {one["LogicalName"] for one in found["Attributes"]}
    assert later["DeletedMetadata"] == {"Count": 0, "IsReadOnly": False, "Keys": [], "Values": []}


def test_a_client_is_told_what_is_gone(api, services):
    extra = with_ids(replace(box(), columns=(*box().columns, string("new_Extra", 9, is_custom=True))))
    put(services, box("new_crate", 11_601), extra)
    stamp = asked(api, wanting("LogicalName"))["ServerVersionStamp"]
    put(services, box(), remove=("new_crate",))
    tables_gone = asked(api, wanting("LogicalName"), ClientVersionStamp=f"'{stamp}'")["DeletedMetadata"]
    crate = box("new_crate", 11_601)
    assert (tables_gone["Keys"], tables_gone["Values"]) == (["Default"], [{"Items": [crate.metadata_id]}])
    kind = "Microsoft.Dynamics.CRM.DeletedMetadataFilters'Attribute'"
    columns_gone = asked(api, ClientVersionStamp=f"'{stamp}'", DeletedMetadataFilters=kind)["DeletedMetadata"]
    assert columns_gone["Values"] == [{"Items": [extra.by_name["new_extra"].metadata_id]}]


def test_a_changed_global_choice_changes_its_tables(api, services):
    stamp = asked(api, wanting("LogicalName"))["ServerVersionStamp"]
    put(services, choices=(replace(SIZES, options=options("Small", "Large", "Huge")),))
    (found,) = asked(api, wanting("Attributes"), ClientVersionStamp=f"'{stamp}'")["EntityMetadata"]
    sizes = next(one["OptionSet"] for one in found["Attributes"] if one["LogicalName"] == "new_size")
    assert len(sizes["Options"]) == 3
    put(services, choices=(SIZES,))


@pytest.mark.parametrize(
    "stamp",
    ["5!10/01/1969 00:00:00", "999999999!01/12/1970 13:46:40"],
    ids=["too old", "of other data"],
)
def test_an_old_stamp_asks_for_everything_anew(api, stamp):
    status, code, message = api.error("GET", path(wanting("LogicalName"), ClientVersionStamp=f"'{stamp}'"))
    assert (status, code) == (400, "0x80044352")
    assert message == "Version stamp associated with the client has expired. Please perform a full sync."


def test_after_the_data_are_put_back_everything_is_asked_for_anew(api, services):
    stamp = asked(api, wanting("LogicalName"))["ServerVersionStamp"]
    assert api("GET", path(wanting("LogicalName"), ClientVersionStamp=f"'{stamp}'")).status == 200
    with services.dataverse.database.writing() as connection:
        resume(connection, read_stamp(connection), read_row_version(connection))
    found = api.error("GET", path(wanting("LogicalName"), ClientVersionStamp=f"'{stamp}'"))
    assert found[:2] == (400, "0x80044352")
    later = asked(api, wanting("LogicalName"))["ServerVersionStamp"]
    assert asked(api, wanting("LogicalName"), ClientVersionStamp=f"'{later}'")["EntityMetadata"] == []


REFUSED = [
    (wanting("Nothing"), "0x80040203"),
    (wanting("LogicalName", criteria=where(condition("Nothing"))), "0x80040203"),
    (wanting("LogicalName", criteria=where(condition("LogicalName", "Like", "a"))), "0x80040203"),
    (wanting("LogicalName", criteria={"FilterOperator": "Xor"}), "0x80040203"),
    (wanting("LogicalName", criteria=[1]), "0x80040203"),
    (wanting("LogicalName", LabelQuery={"FilterLanguages": "1033"}), "0x80040203"),
    (wanting("LogicalName", AttributeQuery={}), "0x80072527"),
    (wanting("LogicalName", RelationshipQuery={}), "0x80072528"),
    (wanting("LogicalName", KeyQuery={}), "0x80072529"),
    (wanting(["LogicalName"]), "0x80040203"),
    (wanting("LogicalName", criteria=where(condition(["LogicalName"]))), "0x80040203"),
    (wanting("LogicalName", criteria=where(condition("LogicalName", ["Equals"]))), "0x80040203"),
    (wanting("LogicalName", criteria=where(operator=["And"])), "0x80040203"),
    (wanting("LogicalName", criteria=where(1)), "0x80040203"),
    (wanting("LogicalName", criteria={"Filters": 1}), "0x80040203"),
    ({"Properties": [1]}, "0x80040203"),
]


@pytest.mark.parametrize(("query", "code"), REFUSED)
def test_a_query_that_is_none_is_refused(api, services, query, code):
    before = dump(services.dataverse.database)
    assert api.error("GET", path(query))[:2] == (400, code)
    assert dump(services.dataverse.database) == before


@pytest.mark.parametrize("stamp", ["", "x", "1!13/45/2020 00:00:00", "-1!01/01/2020 00:00:00"])
def test_a_stamp_that_is_none_is_refused_unless_it_is_empty(api, stamp):
    answer = api("GET", path(wanting("LogicalName"), ClientVersionStamp=f"'{stamp}'"))
    assert answer.status == (400 if stamp else 200), answer.body


def test_definitions_of_an_app_are_not_there(api):
    missing = "00000000-0000-0000-0000-000000000001"
    assert api("GET", path(wanting("LogicalName"), AppModuleId=missing)).status == 404


def one_entity(filters, name="'new_box'", identifier="00000000-0000-0000-0000-000000000000"):
    flags = quote(f"Microsoft.Dynamics.CRM.EntityFilters'{filters}'")
    rest = f"LogicalName={name},MetadataId={identifier},RetrieveAsIfPublished=true"
    return f"/RetrieveEntity(EntityFilters={flags},{rest})"


def test_a_table_comes_with_the_parts_that_the_filters_name(api):
    answer = api.json(one_entity("Entity"))
    assert answer["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.RetrieveEntityResponse")
    assert answer["EntityMetadata"]["DisplayName"]["UserLocalizedLabel"]["Label"] == "Box"
    assert not {"Attributes", "Privileges", "OneToManyRelationships"} & set(answer["EntityMetadata"])
    whole = api.json(one_entity("Attributes, Relationships, Privileges"))["EntityMetadata"]
    assert {"Attributes", "Privileges", "OneToManyRelationships", "Keys"} <= set(whole)
    assert api.json(one_entity("All"))["EntityMetadata"] == whole
    by_id = api.json(one_entity("3", "null", box().metadata_id))["EntityMetadata"]
    assert (by_id["LogicalName"], "Attributes" in by_id) == ("new_box", True)


def test_all_tables_come_at_once(api):
    flags = quote("Microsoft.Dynamics.CRM.EntityFilters'Entity'")
    answer = api.json(f"/RetrieveAllEntities(EntityFilters={flags},RetrieveAsIfPublished=false)")
    names = {one["LogicalName"] for one in answer["EntityMetadata"]}
    assert {"account", "new_box"} <= names
    assert answer["Timestamp"] == api.json("/RetrieveTimestamp()")["Timestamp"]


@pytest.mark.parametrize(
    ("asked_for", "status", "code"),
    [
        (one_entity("Entity", "'new_none'"), 404, "0x80040217"),
        (one_entity("Entity", "null"), 404, "0x80040217"),
        (one_entity("Nothing"), 400, "0x80040203"),
        (one_entity("16"), 400, "0x80040203"),
        (one_entity("999"), 400, "0x80040203"),
    ],
)
def test_a_table_that_is_none_is_not_found(api, asked_for, status, code):
    assert api.error("GET", asked_for)[:2] == (status, code)
