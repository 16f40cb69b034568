"""The library of tables: what it lacks of the real metadata and why, and how its text is read."""

from __future__ import annotations

import pytest
from real_metadata import EDM, NEWER_TABLES, edm_property, real_properties, real_types

from entities.metadata.columns import (
    ChoiceType,
    DoubleType,
    IntegerType,
    LookupKind,
    LookupType,
    MoneyType,
    MultiChoiceType,
    RequiredLevel,
    StringType,
)
from entities.metadata.relationships import Cascade, ManyToMany, OneToMany
from entities.metadata.tables import Ownership, TableKind
from entities.standard.environment import standard_library
from entities.standard.library.assembly import assembled
from entities.standard.library.grammar import read

LIBRARY = standard_library()
TABLES = {table.logical_name: table for table in LIBRARY.tables}
COMPARED = sorted(TABLES.keys() - NEWER_TABLES)

BYTES = "the same content as bytes: the column beside it has it in base 64"
OWNERS_OF_PARENTS = "whose the row is that it belongs to: rows have no owner of their own"
OTHER_TABLE = "it points to a table that is not declared"
ANY_TABLE = "it points to records of any table, which nothing notes yet"
EXTERNAL_PARTY = "external parties are not declared"
FILES_OF_LOGS = "processes of that kind do not run here, so nothing is logged"
COMPUTED = "the parts of the customer lookup, which nothing computes yet"

_OWN = ("_ownerid_value", "_owningbusinessunit_value", "_owninguser_value")
_PARTIES = ("_createdbyexternalparty_value", "_modifiedbyexternalparty_value")

LACKING = {
    ("organization", ("_defaultmobileofflineprofileid_value",)): OTHER_TABLE,
    ("systemuser", ("_mobileofflineprofileid_value",)): OTHER_TABLE,
    ("account", _PARTIES): EXTERNAL_PARTY,
    ("contact", _PARTIES): EXTERNAL_PARTY,
    ("contact", ("_accountid_value", "_parentcontactid_value")): COMPUTED,
    ("subject", _PARTIES): EXTERNAL_PARTY,
    ("pluginassembly", ("content_binary",)): BYTES,
    ("activitymimeattachment", ("body_binary",)): BYTES,
    ("attachment", ("body_binary",)): BYTES,
    ("webresource", ("content_binary",)): BYTES,
    ("annotation", ("documentbody_binary",)): BYTES,
    ("processsession", ("processstate_binary",)): BYTES,
    ("report", ("bodybinary_binary",)): BYTES,
    ("activityparty", ("_ownerid_value",)): OWNERS_OF_PARENTS,
    ("activitymimeattachment", _OWN): OWNERS_OF_PARENTS,
    ("queueitem", _OWN): OWNERS_OF_PARENTS,
    ("customeraddress", _OWN): OWNERS_OF_PARENTS,
    ("slaitem", _OWN): OWNERS_OF_PARENTS,
    ("bulkdeleteoperation", ("_ownerid_value", "_owninguser_value")): OWNERS_OF_PARENTS,
    ("bulkdeletefailure", ("_ownerid_value", "owningbusinessunit", "owninguser")): OWNERS_OF_PARENTS,
    ("processstage", ("_ownerid_value", "owningbusinessunit")): OWNERS_OF_PARENTS,
    ("processtrigger", ("_ownerid_value", "owningbusinessunit", "owninguser")): OWNERS_OF_PARENTS,
    ("reportcategory", ("_ownerid_value", "owningbusinessunit", "owninguser")): OWNERS_OF_PARENTS,
    ("post", ("_regardingobjectownerid_value", "_regardingobjectowningbusinessunit_value")): OWNERS_OF_PARENTS,
    ("tracelog", ("_regardingobjectownerid_value", "_regardingobjectowningbusinessunit_value")): OWNERS_OF_PARENTS,
    ("recurringappointmentmaster", ("_groupid_value",)): OTHER_TABLE,
    ("dependency", ("_dependentcomponentnodeid_value", "_requiredcomponentnodeid_value")): OTHER_TABLE,
    ("kbarticle", ("_kbarticletemplateid_value",)): OTHER_TABLE,
    ("knowledgearticle", ("_languagelocaleid_value",)): OTHER_TABLE,
    ("slaitem", ("_msdyn_slakpiid_value",)): OTHER_TABLE,
    ("emailserverprofile", ("_incomingpartnerapplication_value", "_outgoingpartnerapplication_value")): OTHER_TABLE,
    ("audit", ("_objectid_value", "_regardingobjectid_value")): ANY_TABLE,
    ("workflowlog", ("inputs", "inputs_name", "outputs", "outputs_name")): FILES_OF_LOGS,
}
"""Properties of the real metadata that the tables here do not have, with the reason."""

PLAIN_ID = "the column is a plain GUID there: nothing checks what it points to"
SAME_ROW = "an activity and its row among all activities are one row here"
NO_COLUMN = "the real metadata has no property of the lookup either"

LACKING_NAVIGATIONS = {
    "businessclosurecalendarid_calendar": PLAIN_ID,
    "organizationid_organization": PLAIN_ID,
    "stageid_processstage": PLAIN_ID,
    "solution_role": PLAIN_ID,
    "solution_privilege": PLAIN_ID,
    "solution_fieldsecurityprofile": PLAIN_ID,
    "solution_fieldpermission": PLAIN_ID,
    "principalid_owner": PLAIN_ID,
    "rootsolutioncomponentid_solutioncomponent": PLAIN_ID,
    "seriesid_recurringappointmentmaster": PLAIN_ID,
    "activityid_activitypointer": SAME_ROW,
    "activityid_recurrencerule": SAME_ROW,
    "businessunitid": NO_COLUMN,
    "primaryuserid": NO_COLUMN,
    "plugintypeid": NO_COLUMN,
    "fileid": NO_COLUMN,
    "datablobid": NO_COLUMN,
}
"""Navigation properties between declared tables that are not declared, with the reason."""


@pytest.mark.parametrize("name", COMPARED)
def test_a_table_has_every_property_of_the_real_metadata_but_those_listed(name):
    lacking = real_properties(name).keys() - {edm_property(column)[0] for column in TABLES[name].columns}
    assert lacking == {column for (table, columns) in LACKING for column in columns if table == name}


def test_every_navigation_property_of_a_lookup_between_declared_tables_is_there_but_those_listed():
    lacking = set()
    for name in COMPARED:
        own = {r.referencing_navigation for r in LIBRARY.relationships if _is_of(r, name)}
        for navigation in real_types(name)[0].iterfind("e:NavigationProperty", EDM):
            target = navigation.get("Type").rpartition(".")[2]
            if navigation.get("Name") not in own and (target in TABLES or target == "principal"):
                lacking.add(navigation.get("Name"))
    assert lacking == LACKING_NAVIGATIONS.keys()


def _is_of(relationship, name):
    return isinstance(relationship, OneToMany) and relationship.referencing_table == name


def test_the_tables_that_integrations_touch_first_are_declared():
    first = """
        account contact lead opportunity incident activitypointer activityparty task email phonecall appointment letter
        fax annotation queue queueitem product pricelevel productpricelevel quote quotedetail salesorder
        salesorderdetail invoice invoicedetail transactioncurrency systemuser team role businessunit organization
        solution publisher workflow plugintype pluginassembly sdkmessage sdkmessagefilter sdkmessageprocessingstep
        connection connectionrole principalobjectaccess savedquery userquery asyncoperation privilege territory
        subject customeraddress systemform webresource appmodule sitemap template report sharepointsite
        sharepointdocumentlocation mailbox calendar position fieldsecurityprofile fieldpermission teamtemplate
        solutioncomponent environmentvariabledefinition environmentvariablevalue importjob audit bulkdeleteoperation
    """
    assert set(first.split()) <= TABLES.keys()
    assert len(TABLES) > 150


def test_lengths_that_are_not_documented_are_unlimited_and_told():
    assert ("importfile", "size") not in LIBRARY.guessed
    assert ("theme", "maincolor") in LIBRARY.guessed
    column = TABLES["theme"].by_name["maincolor"]
    assert isinstance(column.type, StringType)
    assert column.type.max_length == 4000


def test_activities_notes_and_what_they_are_about_are_marked():
    assert {n for n, t in TABLES.items() if t.is_activity} >= {"activitypointer", "task", "email", "opportunityclose"}
    assert TABLES["account"].has_notes
    assert TABLES["account"].has_activities
    assert not TABLES["role"].has_notes
    assert TABLES["activitypointer"].kind is TableKind.BASE


EXAMPLE = """
# what a comment says is not read
choice color(1 Red|Green|10 Blue|Black) "Color"

table new_shop new_Shop new_shops 12000 user changes "Shop" "Shops" "Where things are sold."
  new_ShopId    id                            "Shop"
  new_Name      string(80)   required name    "Name"
  new_Site      string(200,Url)
  new_Text      memo(?)      indexed
  new_Floor     integer(-2..40) default=0
  new_Size      double(3,0..10.5)
  new_Turnover  money(2)     base             "Turnover"
  new_Color     choice(@color) default=10
  new_Colors    multichoice(@color)
  new_Kind      choice(Small|Large|7 (Huge)) default=7 recommended
  new_Closed    boolean(Open|Closed) default=1
  new_Owner     customer     "Belongs to"
    -> account new_account_shops/new_Owner_account parental
    -> contact new_contact_shops/new_Owner_contact
    -> nowhere new_nowhere_shops
  new_Above     lookup       once -> new_shop new_up=new_shop_shops hierarchy
  new_Lost      lookup       -> nowhere new_lost
  StateCode     states(Active: 1 Active|3 Busy; Inactive: 2 Inactive)
  +owner ownerid=owner_shops owningteam=-
  +audit createdby=made_by/Maker
  key new_key(new_name, new_site) "Name and site"

complete account
  new_Shop lookup server -> new_shop new_shop_accounts delete

pairs new_sa new_SA new_sas 12001 new_SAId new_shops_accounts new_shop.new_ShopId/new_here account.AccountId/new_there
"""


@pytest.fixture(scope="module")
def example():
    others = [TABLES[name] for name in ("account", "contact", "systemuser", "team", "businessunit")]
    return assembled(read(EXAMPLE), others)


def test_a_table_is_read_from_its_text(example):
    table = next(t for t in example.tables if t.logical_name == "new_shop")
    assert (table.schema_name, table.entity_set_name, table.object_type_code) == ("new_Shop", "new_shops", 12000)
    assert (table.primary_id, table.primary_name, table.ownership) == ("new_shopid", "new_name", Ownership.USER)
    assert table.change_tracking
    assert table.indexed == ("new_text",)
    assert table.keys[0].columns == ("new_name", "new_site")
    assert table.metadata_id is not None
    assert None not in {column.metadata_id for column in table.columns}
    assert example.guessed == {("new_shop", "new_text")}


def test_columns_are_read_from_their_lines(example):
    columns = next(t for t in example.tables if t.logical_name == "new_shop").by_name
    assert columns["new_name"].type == StringType(80)
    assert columns["new_name"].required is RequiredLevel.SYSTEM
    assert columns["new_site"].type == StringType(200, "Url")
    assert columns["new_floor"].type == IntegerType(-2, 40)
    assert columns["new_size"].type == DoubleType(3, 0, 10.5)
    assert columns["new_turnover_base"].type == MoneyType(4)
    assert not columns["new_turnover_base"].valid_for_create
    kind, color, colors = (columns[name].type for name in ("new_kind", "new_color", "new_colors"))
    assert isinstance(kind, ChoiceType)
    assert isinstance(color, ChoiceType)
    assert isinstance(colors, MultiChoiceType)
    assert [(o.value, o.label.text()) for o in kind.choice.options] == [(0, "Small"), (1, "Large"), (7, "(Huge)")]
    assert [o.value for o in color.choice.options] == [1, 2, 10, 11]
    assert color.choice is colors.choice
    assert color.choice.is_global
    assert (color.default, kind.default) == (10, 7)
    assert columns["new_owner"].type == LookupType(("account", "contact"), LookupKind.CUSTOMER)
    assert columns["statuscode"].type.statuses[1].value == 3
    assert not columns["new_above"].valid_for_update
    assert "new_lost" not in columns


def test_relationships_are_read_with_their_names_and_behavior(example):
    found = {r.schema_name: r for r in example.relationships}
    parental, up, there = found["new_account_shops"], found["new_up"], found["new_shop_accounts"]
    assert (parental.referencing_navigation, parental.cascade.assign) == ("new_Owner_account", Cascade.CASCADE)
    assert found["new_contact_shops"].cascade.delete is Cascade.REMOVE_LINK
    assert (up.referenced_navigation, up.is_hierarchical, up.referencing_navigation) == (
        "new_shop_shops",
        True,
        "new_above",
    )
    assert (there.referencing_table, there.cascade.delete) == ("account", Cascade.CASCADE)
    assert (found["made_by"].referencing_navigation, found["owner_shops"].referenced_table) == ("Maker", "systemuser")
    assert "team_new_shop" not in found
    assert "new_nowhere_shops" not in found
    pair = found["new_shops_accounts"]
    assert isinstance(pair, ManyToMany)
    assert (pair.table1, pair.column1, pair.navigation1) == ("new_shop", "new_shopid", "new_here")
    assert next(t for t in example.tables if t.logical_name == pair.intersect_table).kind is TableKind.INTERSECT


@pytest.mark.parametrize(
    "line",
    [
        "  new_Name",
        "  new_Name text(20)",
        "  new_Name string(20) sometimes",
        "  new_Name string(some)",
        "  new_Shop lookup -> account",
        "  new_Shop lookup -> account new_a sideways",
        "  +owner nobody=x",
        "  +owner owner",
        "  -> account new_a",
        "tables new_x",
    ],
)
def test_a_line_of_another_form_is_refused(line):
    text = 'table new_x new_X new_xs 12000 user "X" "Xs"\n  new_XId id\n  +owner\n' + line
    others = [TABLES[name] for name in ("account", "systemuser", "team", "businessunit")]
    with pytest.raises(ValueError, match=r"new_|owner|account"):
        assembled(read(text), others)
