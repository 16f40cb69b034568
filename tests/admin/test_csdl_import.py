"""Metadata documents read as tables: what follows from names and navigation, what is guessed, what is refused."""

import copy
import random
from dataclasses import replace

import pytest
from lxml import etree
from project_document import ACTIVITIES, NAMES, OPERATIONS, TYPES, VISITS, document

from entities.errors import MalformedRequest
from entities.metadata.catalog import CatalogChange, catalog, changed
from entities.metadata.columns import (
    BooleanType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    FileType,
    ImageType,
    IntegerType,
    LookupKind,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.custom_apis import BindingType, CustomApiParameter, ParameterType
from entities.metadata.declare import lookup
from entities.metadata.relationships import ManyToMany
from entities.metadata.tables import Ownership, TableKind
from entities.standard.environment import standard_catalog
from odata_server.admin.csdl_import import merged, read_csdl
from odata_server.edm.csdl import csdl
from odata_server.edm.csdl_comparing import Difference, differences
from odata_server.edm.csdl_document import schema_of

STANDARD = standard_catalog(1)


@pytest.fixture(scope="module")
def imported():
    return read_csdl(document())


@pytest.fixture(scope="module")
def project(imported):
    return next(table for table in imported.tables if table.logical_name == "new_project")


def test_every_entity_type_but_the_bases_is_a_table(imported):
    assert {table.logical_name for table in imported.tables} == NAMES
    assert {table.entity_set_name for table in imported.tables} == {f"{name}set" for name in NAMES}


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        ("new_name", StringType(850)),
        ("new_code", StringType(4000)),
        ("new_description", MemoType(1_048_576)),
        ("new_kindcode", IntegerType()),
        ("new_budget", MoneyType(precision=4)),
        ("new_budget_base", MoneyType(precision=4)),
        ("new_share", DecimalType(10)),
        ("new_day", DateTimeType(DateTimeBehavior.DATE_ONLY, "DateOnly")),
        ("new_moment", DateTimeType()),
        ("new_done", BooleanType()),
        ("new_plan", FileType(131_072)),
        ("new_model", FileType(131_072)),
        ("new_picture", ImageType()),
        ("new_pictureid", UniqueIdentifierType()),
        ("new_otherid", UniqueIdentifierType()),
        ("iscustomizable", ManagedPropertyType("iscustomizable")),
        ("ownerid", LookupType(("systemuser", "team"), LookupKind.OWNER)),
        ("new_customerid", LookupType(("account", "contact"), LookupKind.CUSTOMER)),
        ("new_lost", LookupType(())),
    ],
)
def test_a_property_is_a_column_of_the_likeliest_type(project, column, type_):
    assert project.by_name[column].type == type_


def test_a_table_is_known_by_its_names_key_and_owner(project):
    assert (project.primary_id, project.primary_name) == ("new_projectid", "new_name")
    assert project.ownership is Ownership.USER
    assert isinstance(project.by_name["statecode"].type, StateType)
    assert isinstance(project.by_name["statuscode"].type, StatusType)
    assert [key.columns for key in project.keys] == [("new_code", "new_customerid")]


def test_users_are_known_by_their_own_id_not_by_the_key_that_they_inherit(imported):
    user = next(table for table in imported.tables if table.logical_name == "systemuser")
    assert (user.primary_id, user.base_type) == ("systemuserid", "principal")
    assert {"systemuserid", "ownerid", "fullname"} == set(user.by_name)


@pytest.mark.parametrize(
    "column",
    [
        "new_budget_base",
        "new_plan",
        "new_plan_name",
        "new_model_name",
        "new_picture_url",
        "new_pictureid",
        "versionnumber",
    ],
)
def test_what_follows_from_other_columns_is_set_by_the_server(project, column):
    assert not project.by_name[column].valid_for_create
    assert not project.by_name[column].valid_for_update


def test_the_schema_name_of_a_lookup_is_what_its_navigation_begins_with(project):
    assert project.by_name["new_customerid"].schema_name == "new_CustomerId"
    assert project.by_name["new_code"].schema_name == "new_code"


def test_columns_that_owned_records_need_are_there_without_being_shown(project):
    hidden = {column.logical_name for column in project.columns if not column.valid_for_read}
    assert hidden == {"owningbusinessunit", "owninguser", "owningteam"}


def test_relationships_bear_the_names_of_the_collections(imported):
    found = {relationship.schema_name: relationship for relationship in imported.relationships}
    assert found.keys() == {"owner_new_projects", "account_new_projects", "contact_new_projects", "new_project_tag"}
    many = found["new_project_tag"]
    assert isinstance(many, ManyToMany)
    assert (many.intersect_table, many.column1, many.column2) == ("new_project_tag", "new_projectid", "new_tagid")
    pair = next(table for table in imported.tables if table.logical_name == many.intersect_table)
    assert (pair.kind, pair.ownership) == (TableKind.INTERSECT, Ownership.NONE)


@pytest.mark.parametrize(
    ("column", "word"),
    [
        ("new_code", "4000"),
        ("new_description", "1048576"),
        ("new_kindcode", "whole number"),
        ("statuscode", "Active"),
        ("new_lost", "targets"),
        ("new_moment", "time zone"),
        ("", "primary name"),
    ],
)
def test_a_guess_names_its_column_and_how_to_say_it(imported, column, word):
    (guess,) = (g for g in imported.guesses if (g.table, g.column) == ("new_project", column))
    assert word in guess.what
    assert guess.supply


@pytest.mark.parametrize("column", ["new_day", "new_count", "new_projectid", "versionnumber", "new_customerid"])
def test_what_the_document_says_is_no_guess(imported, column):
    assert not [g for g in imported.guesses if (g.table, g.column) == ("new_project", column)]


def test_a_file_that_is_written_out_again_is_the_same_but_for_the_type_of_files(imported):
    ours = schema_of(csdl(catalog(1, imported.tables, imported.relationships)))
    found = differences(schema_of(document()), ours)
    tables = [d for d in found if any(d.place.startswith(f"EntityType {name}") for name in NAMES)]
    sets = [d for d in found if "EntitySet " in d.place and "NavigationPropertyBinding" not in d.place]
    assert tables == [Difference("EntityType new_project / Property new_model", "Type=Edm.Binary", "Type=Edm.Guid")]
    assert [d for d in sets if d.theirs is not None] == []


def test_an_operation_that_is_not_known_is_a_custom_api():
    rate, best = read_csdl(document(TYPES + OPERATIONS)).custom_apis
    assert (rate.name, rate.binding, rate.table, rate.is_function) == (
        "new_Rate",
        BindingType.ENTITY,
        "new_project",
        False,
    )
    assert rate.parameters == (
        CustomApiParameter("Words", ParameterType.STRING_ARRAY),
        CustomApiParameter("About", ParameterType.ENTITY_REFERENCE, is_optional=True),
    )
    assert rate.properties == (
        CustomApiParameter("Score", ParameterType.INTEGER, is_optional=True),
        CustomApiParameter("Best", ParameterType.ENTITY, "account"),
    )
    assert (best.is_function, best.table) == (True, None)
    assert best.properties == (CustomApiParameter("Result", ParameterType.ENTITY_COLLECTION, "new_project"),)


@pytest.mark.parametrize("name", ["new_Odd", "new_Lost", "Unprefixed"])
def test_an_operation_that_no_custom_api_can_be_is_told(name):
    read = read_csdl(document(TYPES + OPERATIONS))
    assert name not in {api.name for api in read.custom_apis}
    assert [guess for guess in read.guesses if f"'{name}'" in guess.what]


def test_the_own_document_is_read_without_loss():
    text = csdl(STANDARD)
    read = read_csdl(text)
    again = csdl(catalog(1, read.tables, read.relationships))
    assert differences(schema_of(text), schema_of(again)) == ()


def test_a_table_that_is_there_gets_the_columns_of_the_file_and_keeps_its_own(imported):
    change = merged(STANDARD, imported)
    put = {table.logical_name: table for table in change.put}
    assert put.keys() == {"account", "new_project", "new_tag", "new_project_tag"}
    account = STANDARD.tables["account"]
    assert put["account"].columns[: len(account.columns)] == account.columns
    assert [column.logical_name for column in put["account"].columns[len(account.columns) :]] == ["new_grade"]


def test_new_tables_have_codes_that_nothing_else_has(imported):
    first = merged(STANDARD, imported)
    after = changed(STANDARD, first, version=2)
    assert len(after.by_object_type_code) == len(after.tables)
    assert merged(after, imported) == CatalogChange()


def test_a_relationship_whose_navigation_is_taken_is_left_out(imported):
    taken = replace(STANDARD.relationships["account_primary_contact"], referenced_navigation="contact_new_projects")
    before = changed(STANDARD, CatalogChange(relate=(taken,)), version=2)
    names = {relationship.schema_name for relationship in merged(before, imported).relate}
    assert names == {"owner_new_projects", "account_new_projects", "new_project_tag"}


@pytest.mark.parametrize(("targets", "after"), [(("account", "contact"), 3), (("account",), 1)])
def test_a_lookup_to_several_tables_may_lead_to_those_of_the_file_too(targets, after):
    """One that leads to a single table says with no value which table it is, and stays what it is."""
    wide = lookup("new_AboutId", "account", "contact", "systemuser")
    tag = read_csdl(document()).tables[4]
    read = replace(tag, columns=(*tag.columns, wide))
    known = replace(tag, columns=(*tag.columns, lookup("new_AboutId", *targets)))
    change = merged(
        changed(STANDARD, CatalogChange((known,)), version=2),
        replace(read_csdl(document()), tables=(read,), relationships=()),
    )
    grown = change.put[0] if change.put else known
    assert len(grown.by_name["new_aboutid"].type.targets) == after


def test_what_leads_to_activities_is_known_and_activities_have_the_columns_of_all():
    types = TYPES.replace('<NavigationProperty Name="ownerid"', f'{VISITS}<NavigationProperty Name="ownerid"')
    read = read_csdl(document(types + ACTIVITIES))
    tables = {table.logical_name: table for table in read.tables}
    assert (tables["new_project"].has_activities, tables["new_project"].has_notes) == (True, False)
    assert (tables["new_visit"].is_activity, tables["activitypointer"].kind) == (True, TableKind.BASE)
    put = {table.logical_name: table for table in merged(STANDARD, read).put}
    assert put["new_visit"].by_name.keys() == {*STANDARD.tables["activitypointer"].by_name, "new_mood"}
    assert "new_project" in put["new_visit"].by_name["regardingobjectid"].type.targets


def test_an_amount_without_a_currency_is_a_number():
    read = read_csdl(document(TYPES.replace('<Property Name="_transactioncurrencyid_value" Type="Edm.Guid"/>', "")))
    project = next(table for table in read.tables if table.logical_name == "new_project")
    assert project.by_name["new_budget"].type == project.by_name["new_budget_base"].type == DecimalType(10)


def test_of_two_properties_for_one_column_the_first_counts():
    twice = TYPES.replace(
        '<Property Name="new_done"', '<Property Name="NEW_COUNT" Type="Edm.Int32"/><Property Name="new_done"'
    )
    read = read_csdl(document(twice))
    project = next(table for table in read.tables if table.logical_name == "new_project")
    assert [column.logical_name for column in project.columns if column.logical_name.lower() == "new_count"] == [
        "new_count"
    ]
    assert [guess.what for guess in read.guesses if guess.column == "NEW_COUNT"]


def test_a_key_over_a_column_that_is_not_there_is_left_out():
    read = read_csdl(document(TYPES.replace('PropertyPath="new_code"', 'PropertyPath="new_gone"')))
    assert next(table for table in read.tables if table.logical_name == "new_project").keys == ()


WORDS = (
    "",
    "name",
    "ownerid",
    "mscrm.account",
    "Edm.Guid",
    "Collection(mscrm.account)",
    "_ownerid_value",
    "x y",
    '"<',
    "NAME",
)


def _spoilt(whole, draw):
    """Return a document of which a few elements or attributes are gone, twice there or something else."""
    tree = etree.fromstring(whole)
    for _ in range(draw.randint(1, 4)):
        element = draw.choice([found for found in tree.iter("{*}*") if found.getparent() is not None] or [tree])
        match draw.randrange(4):
            case 0 if element is not tree:
                element.getparent().remove(element)
            case 1 if element is not tree:
                element.getparent().append(copy.deepcopy(element))
            case _ if element.attrib:
                element.set(draw.choice(list(element.attrib)), draw.choice(WORDS))
    return etree.tostring(tree)


def test_whatever_a_document_says_it_is_read_or_refused():
    draw, read = random.Random(7), 0
    whole = document(TYPES + OPERATIONS)
    for _ in range(100):
        try:
            imported = read_csdl(_spoilt(whole, draw))
        except MalformedRequest:
            continue
        read += 1
        alone = catalog(1, imported.tables, imported.relationships)
        etree.fromstring(csdl(alone))
        assert all(table.primary_id in table.by_name for table in imported.tables)
        assert merged(changed(alone, CatalogChange(), version=2), imported) == CatalogChange()
    assert 20 < read < 100


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<html/>",
        document()[:-20],
        document().replace(b'Version="4.0"', b'Version="1.0"'),
        document().replace(b"<edmx:Edmx", b'<!DOCTYPE x [<!ENTITY a "b">]><edmx:Edmx'),
        b"<a>" * 100_000,
        document(TYPES.replace('Name="new_tag"', 'Name="new tag"', 1)),
        document(TYPES.replace('Name="new_code"', 'Name="new:code"')),
        document(TYPES.replace('EntityType Name="new_tag"', 'EntityType Name="New_Project"')),
        document(types="").replace(b"Schema", b"Scheme"),
    ],
)
def test_what_is_no_metadata_document_is_refused(data):
    with pytest.raises(MalformedRequest):
        read_csdl(data)
