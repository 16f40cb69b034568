"""Which members a row has, and in which order."""

from typing import get_args

import pytest

from entities.display import Display
from entities.metadata.catalog import catalog
from entities.metadata.columns import Choice, ColumnType, ImageType, ManagedPropertyType, MultiChoiceType, Option
from entities.metadata.declare import (
    boolean,
    choice,
    column,
    date_only,
    lookup,
    money,
    options,
    plain,
    primary_id,
    string,
    version_column,
)
from entities.metadata.labels import label
from entities.metadata.option_labels import option_labels
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Table, TableKind
from entities.query import ColumnRef
from odata_server.edm.formats import Format
from odata_server.edm.naming import edm_type, enum_name, finance_options, web_api_property
from odata_server.edm.preferences import FORMATTED_VALUE, AnnotationFilter
from odata_server.edm.representation import Facet
from odata_server.edm.shapes import Wanted, finance_shape, web_api_members, web_api_shape

ALL = AnnotationFilter(("*",))
FORMATTED = AnnotationFilter((FORMATTED_VALUE,))


def _names(shape):
    return [member.name for member in shape.members]


@pytest.mark.parametrize(
    ("selected", "annotations", "expected"),
    [
        (("name",), AnnotationFilter(), ["@odata.etag", "name", "accountid"]),
        (("accountid", "name"), AnnotationFilter(), ["@odata.etag", "accountid", "name"]),
        (("name", "name"), AnnotationFilter(), ["@odata.etag", "name", "accountid"]),
        (
            ("revenue", "name"),
            AnnotationFilter(),
            ["@odata.etag", "revenue", "name", "_transactioncurrencyid_value", "accountid"],
        ),
        (("name",), ALL, ["@odata.etag", "name", "accountid"]),
        (
            ("industrycode", "statecode"),
            FORMATTED,
            [
                "@odata.etag",
                f"industrycode@{FORMATTED_VALUE}",
                "industrycode",
                f"statecode@{FORMATTED_VALUE}",
                "statecode",
                "accountid",
            ],
        ),
        (
            ("primarycontactid",),
            ALL,
            [
                "@odata.etag",
                "_primarycontactid_value@Microsoft.Dynamics.CRM.associatednavigationproperty",
                "_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
                f"_primarycontactid_value@{FORMATTED_VALUE}",
                "_primarycontactid_value",
                "accountid",
            ],
        ),
        (
            ("primarycontactid",),
            AnnotationFilter(("Microsoft.Dynamics.CRM.lookuplogicalname",)),
            [
                "@odata.etag",
                "_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
                "_primarycontactid_value",
                "accountid",
            ],
        ),
    ],
)
def test_members_of_an_account(dataverse, selected, annotations, expected):
    account = dataverse.tables["account"]
    assert _names(web_api_shape(dataverse, account, selected, annotations=annotations)) == expected


def test_without_a_selection_every_readable_column_but_images_comes_in_declaration_order(dataverse):
    account = dataverse.tables["account"]
    shape = web_api_shape(dataverse, account, None)
    shown = (c for c in account.columns if c.valid_for_read and c.logical_name != "entityimage")
    assert _names(shape) == ["@odata.etag", *map(web_api_property, shown)]
    assert shape.table == "account"


def test_the_currency_comes_along_with_money_only(dataverse):
    account = dataverse.tables["account"]
    assert "_transactioncurrencyid_value" not in _names(web_api_shape(dataverse, account, ("name",)))


@pytest.mark.parametrize(("table", "key"), [("systemuser", "systemuserid"), ("team", "teamid")])
def test_users_and_teams_carry_both_their_ids(dataverse, table, key):
    shape = web_api_shape(dataverse, dataverse.tables[table], ("createdon",))
    assert _names(shape) == ["@odata.etag", "createdon", key, "ownerid"]


def test_the_etag_shows_the_version_and_needs_one(dataverse):
    shape = web_api_shape(dataverse, dataverse.tables["account"], ("name",))
    assert shape.members[0].facet is Facet.ETAG
    assert shape.members[0].column == ColumnRef("versionnumber")


def _virtual():
    return Table(
        "mshr_worker",
        "mshr_Worker",
        "mshr_workers",
        12_000,
        "mshr_workerid",
        "mshr_name",
        (primary_id("mshr_WorkerId"), string("mshr_Name")),
        plain("Worker"),
        plain("Workers"),
        kind=TableKind.VIRTUAL,
    )


def _note():
    regarding = lookup("RegardingId", "mshr_worker", "new_note", "missing")
    rating = choice("Rating", (Option(1, label("Good", nl="Goed")), Option(2, label("Bad"))))
    tags = column("Tags", MultiChoiceType(Choice("tags", options("a", "b", first=1))))
    columns = (
        primary_id("new_NoteId"),
        string("new_Name"),
        regarding,
        rating,
        tags,
        money("Fee"),
        boolean("Done", yes="Finished", no="Open"),
        date_only("Due"),
        column("Hidden", tags.type, valid_for_read=False),
        column("Photo", ImageType()),
        column("IsCustomizable", ManagedPropertyType("iscustomizable")),
        version_column(),
    )
    return Table(
        "new_note", "new_Note", "new_notes", 12_001, "new_noteid", "new_name", columns, plain("N"), plain("Ns")
    )


@pytest.fixture(scope="module")
def notes():
    relationships = (
        OneToMany("w_n", "mshr_worker", "mshr_workerid", "new_note", "regardingid", "regardingid_mshr_worker", "w_n"),
        OneToMany("n_n", "new_note", "new_noteid", "new_note", "regardingid", "regardingid_new_note", "n_n"),
    )
    return catalog(1, (_virtual(), _note()), relationships)


def test_a_virtual_table_has_no_etag(notes):
    shape = web_api_shape(notes, notes.tables["mshr_worker"], ("mshr_name",))
    assert _names(shape) == ["mshr_name", "mshr_workerid"]


def test_a_lookup_of_several_tables_knows_each_navigation_property(notes):
    members = web_api_shape(notes, notes.tables["new_note"], ("regardingid",), annotations=ALL).members
    navigation, logical_name, formatted, value = members[1:5]
    assert navigation.names == (
        ("mshr_worker", "regardingid_mshr_worker"),
        ("new_note", "regardingid_new_note"),
    )
    assert logical_name.facet is Facet.LOOKUP_LOGICAL_NAME
    assert value.facet is Facet.VALUE
    # Rows of virtual tables are elsewhere, those of missing tables nowhere: only this table has names to look up.
    assert formatted.lookup_names == (("new_note", "new_noteid", "new_name"),)


def test_an_owner_is_reached_by_one_name_whatever_it_is(dataverse):
    members = web_api_shape(dataverse, dataverse.tables["account"], ("ownerid",), annotations=ALL).members
    assert members[1].names == (("systemuser", "ownerid"), ("team", "ownerid"))


@pytest.mark.parametrize(
    ("name", "lcid", "expected"),
    [
        ("rating", 1033, ((1, "Good"), (2, "Bad"))),
        ("rating", 1043, ((1, "Goed"), (2, "Bad"))),
        ("done", 1033, ((0, "Open"), (1, "Finished"))),
        ("tags", 1033, ((1, "a"), (2, "b"))),
        ("fee", 1033, ()),
    ],
)
def test_display_texts_come_in_the_language_asked_for(notes, name, lcid, expected):
    shape = web_api_shape(
        notes, notes.tables["new_note"], (name,), annotations=FORMATTED, form=Format(display=Display(language=lcid))
    )
    (formatted,) = [member for member in shape.members if member.facet is Facet.FORMATTED]
    assert formatted.names == expected


def test_text_and_ids_have_no_display_text(notes):
    columns = ("new_name", "new_noteid", "photo")
    shape = web_api_shape(notes, notes.tables["new_note"], columns, annotations=FORMATTED)
    assert all(member.facet is not Facet.FORMATTED for member in shape.members)


def test_a_column_that_cannot_be_read_is_no_property(notes):
    assert "hidden" not in _names(web_api_shape(notes, notes.tables["new_note"], None))


def test_members_of_an_expanded_record_are_those_of_its_alias(notes):
    members = web_api_members(notes, notes.tables["new_note"], ("new_name",), Wanted(alias="l1", with_etag=False))
    assert [(member.name, member.column.alias) for member in members] == [("new_name", "l1"), ("new_noteid", "l1")]


def test_data_shows_natural_keys_first_and_no_guid(human_resources):
    candidate = human_resources.tables["hcmcandidatetohireentity"]
    shape = finance_shape(candidate, None)
    names = _names(shape)
    assert names[:3] == ["@odata.etag", "dataAreaId", "CandidateId"]
    assert not {"versionnumber", "VersionNumber", "HcmCandidateToHireEntityId"} & set(names)
    assert shape.members[0].facet is Facet.FINANCE_ETAG
    assert shape.members[0].base == candidate.primary_id
    assert {member.facet for member in shape.members[1:]} == {Facet.FINANCE_VALUE}


def test_data_adds_nothing_to_a_selection(human_resources):
    candidate = human_resources.tables["hcmcandidatetohireentity"]
    assert _names(finance_shape(candidate, ("lastname", "gender"))) == ["@odata.etag", "LastName", "Gender"]


def test_data_writes_choices_by_external_name(human_resources):
    candidate = human_resources.tables["hcmcandidatetohireentity"]
    gender = finance_shape(candidate, ("gender",)).members[1]
    assert (1, "Male") in gender.names
    assert finance_options(boolean("Done").type) == ((0, "No"), (1, "Yes"))
    assert enum_name(boolean("Done")) == "NoYes"


def test_every_column_type_has_an_edm_type(notes):
    examples = {type(c.type): c for table in notes.tables.values() for c in table.columns}
    for kind in get_args(ColumnType):
        type_ = examples[kind].type if kind in examples else None
        if type_ is None:
            required = {"choice": Choice("c", ()), "states": (), "statuses": (), "targets": ("account",)}
            type_ = kind(**{key: value for key, value in required.items() if key in kind.__dataclass_fields__})
        assert edm_type(type_).startswith(("Edm.", "mscrm."))
    assert edm_type(date_only("Due").type) == "Edm.Date"
    assert option_labels(string("Name").type) == ()
