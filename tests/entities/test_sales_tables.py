"""The tables of sales and service are declared as the documentation of Dynamics 365 lists them."""

from __future__ import annotations

import pytest
from sales_tables import COLUMNS_OF_OTHERS, PAIR_TABLES, SALES_TABLES

from entities.metadata.columns import (
    BooleanType,
    ChoiceType,
    DateTimeBehavior,
    DateTimeType,
    LookupKind,
    LookupType,
    MoneyType,
    RequiredLevel,
    SourceType,
    StateType,
    StatusType,
    StringType,
)
from entities.metadata.relationships import Cascade, ManyToMany, OneToMany
from entities.metadata.tables import Ownership, TableKind
from entities.rollups import check_rollups
from entities.standard.environment import standard_catalog

CATALOG = standard_catalog(1)


@pytest.mark.parametrize("name", [*SALES_TABLES, *PAIR_TABLES])
def test_the_table_is_there(name):
    is_pair = CATALOG.tables[name].kind is TableKind.INTERSECT
    assert is_pair == (name in PAIR_TABLES)


@pytest.mark.parametrize(("table", "column"), sorted(COLUMNS_OF_OTHERS))
def test_other_tables_have_the_columns_that_these_applications_add(table, column):
    found = CATALOG.tables[table].by_name[column]
    assert isinstance(found.type, LookupType) == column.endswith("id")


@pytest.mark.parametrize(
    ("name", "names", "code", "primaries", "ownership"),
    [
        ("lead", ("Lead", "leads"), 4, ("leadid", "fullname"), Ownership.USER),
        ("opportunity", ("Opportunity", "opportunities"), 3, ("opportunityid", "name"), Ownership.USER),
        (
            "opportunityclose",
            ("OpportunityClose", "opportunitycloses"),
            4208,
            ("activityid", "subject"),
            Ownership.USER,
        ),
        ("competitor", ("Competitor", "competitors"), 123, ("competitorid", "name"), Ownership.ORGANIZATION),
        ("quote", ("Quote", "quotes"), 1084, ("quoteid", "name"), Ownership.USER),
        ("quotedetail", ("QuoteDetail", "quotedetails"), 1085, ("quotedetailid", "quotedetailname"), Ownership.USER),
        ("salesorder", ("SalesOrder", "salesorders"), 1088, ("salesorderid", "name"), Ownership.USER),
        ("invoice", ("Invoice", "invoices"), 1090, ("invoiceid", "name"), Ownership.USER),
        ("product", ("Product", "products"), 1024, ("productid", "name"), Ownership.ORGANIZATION),
        ("pricelevel", ("PriceLevel", "pricelevels"), 1022, ("pricelevelid", "name"), Ownership.ORGANIZATION),
        ("uom", ("UoM", "uoms"), 1055, ("uomid", "name"), Ownership.ORGANIZATION),
        ("uomschedule", ("UoMSchedule", "uomschedules"), 1056, ("uomscheduleid", "name"), Ownership.ORGANIZATION),
        ("incident", ("Incident", "incidents"), 112, ("incidentid", "title"), Ownership.USER),
        (
            "incidentresolution",
            ("IncidentResolution", "incidentresolutions"),
            4206,
            ("activityid", "subject"),
            Ownership.USER,
        ),
        ("entitlement", ("Entitlement", "entitlements"), 9700, ("entitlementid", "name"), Ownership.USER),
        ("contract", ("Contract", "contracts"), 1010, ("contractid", "title"), Ownership.USER),
        ("campaign", ("Campaign", "campaigns"), 4400, ("campaignid", "name"), Ownership.USER),
        ("list", ("List", "lists"), 4300, ("listid", "listname"), Ownership.USER),
        ("territory", ("Territory", "territories"), 2013, ("territoryid", "name"), Ownership.ORGANIZATION),
        ("subject", ("Subject", "subjects"), 129, ("subjectid", "title"), Ownership.ORGANIZATION),
        ("goal", ("Goal", "goals"), 9600, ("goalid", "title"), Ownership.USER),
        ("metric", ("Metric", "metrics"), 9603, ("metricid", "name"), Ownership.ORGANIZATION),
    ],
)
def test_a_table_has_its_documented_names_and_code(name, names, code, primaries, ownership):
    table = CATALOG.tables[name]
    assert (table.schema_name, table.entity_set_name) == names
    assert (table.primary_id, table.primary_name) == primaries
    assert (table.object_type_code, table.ownership) == (code, ownership)


@pytest.mark.parametrize(
    ("table", "column", "length"),
    [
        ("lead", "subject", 300),
        ("lead", "companyname", 100),
        ("lead", "firstname", 50),
        ("lead", "lastname", 50),
        ("lead", "fullname", 160),
        ("lead", "mobilephone", 20),
        ("opportunity", "name", 300),
        ("opportunity", "stepname", 200),
        ("incident", "title", 200),
        ("incident", "ticketnumber", 100),
        ("quote", "quotenumber", 100),
        ("quote", "billto_contactname", 150),
        ("quotedetail", "productdescription", 500),
        ("product", "productnumber", 100),
        ("product", "producturl", 255),
        ("uomschedule", "name", 200),
        ("campaign", "codename", 32),
        ("list", "purpose", 512),
        ("contractdetail", "title", 500),
    ],
)
def test_text_has_its_documented_length(table, column, length):
    column_type = CATALOG.tables[table].by_name[column].type
    assert isinstance(column_type, StringType)
    assert column_type.max_length == length


@pytest.mark.parametrize(
    ("table", "column", "column_type", "required"),
    [
        ("lead", "estimatedamount", MoneyType, RequiredLevel.NONE),
        ("lead", "estimatedamount_base", MoneyType, RequiredLevel.NONE),
        ("lead", "decisionmaker", BooleanType, RequiredLevel.NONE),
        ("opportunity", "estimatedvalue", MoneyType, RequiredLevel.NONE),
        ("opportunity", "customerid", LookupType, RequiredLevel.APPLICATION),
        ("incident", "customerid", LookupType, RequiredLevel.SYSTEM),
        ("quote", "pricelevelid", LookupType, RequiredLevel.APPLICATION),
        ("quotedetail", "quoteid", LookupType, RequiredLevel.SYSTEM),
        ("productpricelevel", "uomid", LookupType, RequiredLevel.SYSTEM),
    ],
)
def test_a_column_has_its_documented_type_and_level(table, column, column_type, required):
    found = CATALOG.tables[table].by_name[column]
    assert isinstance(found.type, column_type)
    assert found.required is required


@pytest.mark.parametrize(
    ("table", "column", "behavior"),
    [
        ("opportunity", "estimatedclosedate", DateTimeBehavior.DATE_ONLY),
        ("opportunity", "actualclosedate", DateTimeBehavior.DATE_ONLY),
        ("lead", "estimatedclosedate", DateTimeBehavior.DATE_ONLY),
        ("quote", "expireson", DateTimeBehavior.DATE_ONLY),
        ("quote", "effectivefrom", DateTimeBehavior.USER_LOCAL),
        ("invoice", "duedate", DateTimeBehavior.DATE_ONLY),
        ("salesorder", "datefulfilled", DateTimeBehavior.USER_LOCAL),
        ("incident", "resolveby", DateTimeBehavior.USER_LOCAL),
    ],
)
def test_a_date_behaves_as_documented(table, column, behavior):
    column_type = CATALOG.tables[table].by_name[column].type
    assert isinstance(column_type, DateTimeType)
    assert column_type.behavior is behavior


@pytest.mark.parametrize(
    ("table", "column", "options", "default"),
    [
        ("opportunity", "opportunityratingcode", {1: "Hot", 2: "Warm", 3: "Cold"}, 2),
        ("opportunity", "salesstage", {0: "Qualify", 1: "Develop", 2: "Propose", 3: "Close"}, None),
        ("lead", "leadqualitycode", {1: "Hot", 2: "Warm", 3: "Cold"}, 2),
        ("lead", "budgetstatus", {0: "No Committed Budget", 1: "May Buy", 2: "Can Buy", 3: "Will Buy"}, None),
        ("incident", "prioritycode", {1: "High", 2: "Normal", 3: "Low"}, 2),
        ("incident", "casetypecode", {1: "Question", 2: "Problem", 3: "Request"}, None),
        (
            *("incident", "caseorigincode"),
            {1: "Phone", 2: "Email", 3: "Web", 2483: "Facebook", 3986: "Twitter", 700610000: "IoT"},
            None,
        ),
        ("product", "productstructure", {1: "Product", 2: "Product Family", 3: "Product Bundle"}, 1),
        ("quote", "paymenttermscode", {1: "Net 30", 2: "2% 10, Net 30", 3: "Net 45", 4: "Net 60"}, None),
        ("list", "createdfromcode", {1: "Account", 2: "Contact", 4: "Lead"}, None),
        ("quotedetail", "propertyconfigurationstatus", {0: "Edit", 1: "Rectify", 2: "Not Configured"}, 2),
    ],
)
def test_a_choice_has_its_documented_options(table, column, options, default):
    column_type = CATALOG.tables[table].by_name[column].type
    assert isinstance(column_type, ChoiceType)
    assert {option.value: option.label.text() for option in column_type.choice.options} == options
    assert column_type.default == default


@pytest.mark.parametrize(
    ("table", "states"),
    [
        ("lead", {"Open": (1, 2), "Qualified": (3,), "Disqualified": (4, 5, 6, 7)}),
        ("opportunity", {"Open": (1, 2), "Won": (3,), "Lost": (4, 5)}),
        ("incident", {"Active": (1, 2, 3, 4), "Resolved": (5, 1000), "Cancelled": (6, 2000)}),
        ("quote", {"Draft": (1,), "Active": (2, 3), "Won": (4,), "Closed": (5, 6, 7)}),
        (
            "salesorder",
            {
                "Active": (1, 2),
                "Submitted": (3,),
                "Canceled": (4,),
                "Fulfilled": (100001, 100002),
                "Invoiced": (100003,),
            },
        ),
        ("product", {"Active": (1,), "Retired": (2,), "Draft": (0,), "Under Revision": (3,)}),
        ("pricelevel", {"Active": (100001,), "Inactive": (100002,)}),
        ("entitlement", {"Draft": (0,), "Active": (1,), "Cancelled": (2,), "Expired": (3,), "Waiting": (1200,)}),
        ("campaign", {"Active": (0, 1, 2, 3, 4, 5), "Inactive": (6,)}),
        ("opportunityclose", {"Open": (1,), "Completed": (2,), "Canceled": (3,)}),
    ],
)
def test_states_and_status_reasons_are_those_of_the_documentation(table, states):
    state, status = (CATALOG.tables[table].by_name[name].type for name in ("statecode", "statuscode"))
    assert isinstance(state, StateType)
    assert isinstance(status, StatusType)
    found = {s.label.text(): tuple(r.value for r in status.statuses if r.state == s.value) for s in state.states}
    assert found == states
    assert [s.default_status for s in state.states] == [reasons[0] for reasons in states.values()]


@pytest.mark.parametrize(
    ("schema_name", "table", "column", "navigation", "target"),
    [
        ("opportunity_customer_accounts", "opportunity", "customerid", "customerid_account", "account"),
        ("opportunity_customer_contacts", "opportunity", "customerid", "customerid_contact", "contact"),
        ("opportunity_originating_lead", "opportunity", "originatingleadid", "originatingleadid", "lead"),
        ("opportunity_parent_account", "opportunity", "parentaccountid", "parentaccountid", "account"),
        ("price_level_opportunties", "opportunity", "pricelevelid", "pricelevelid", "pricelevel"),
        ("product_opportunities", "opportunityproduct", "opportunityid", "opportunityid", "opportunity"),
        ("lead_master_lead", "lead", "masterid", "masterid", "lead"),
        ("lead_customer_contacts", "lead", "customerid", "customerid_contact", "contact"),
        (
            *("lead_qualifying_opportunity", "lead", "qualifyingopportunityid"),
            *("qualifyingopportunityid", "opportunity"),
        ),
        ("account_originating_lead", "account", "originatingleadid", "originatingleadid", "lead"),
        ("incident_customer_contacts", "incident", "customerid", "customerid_contact", "contact"),
        ("incident_parent_incident", "incident", "parentcaseid", "parentcaseid", "incident"),
        ("subject_incidents", "incident", "subjectid", "subjectid", "subject"),
        ("Incident_IncidentResolutions", "incidentresolution", "incidentid", "incidentid", "incident"),
        ("Opportunity_OpportunityClose", "opportunityclose", "opportunityid", "opportunityid", "opportunity"),
        (
            *("lead_OpportunityCloses", "opportunityclose", "regardingobjectid"),
            *("regardingobjectid_lead_opportunityclose", "lead"),
        ),
        ("lk_quoteclose_createdby", "quoteclose", "createdby", "createdby_quoteclose", "systemuser"),
        ("Opportunity_Tasks", "task", "regardingobjectid", "regardingobjectid_opportunity_task", "opportunity"),
        ("order_customer_accounts", "salesorder", "customerid", "customerid_account", "account"),
        ("quote_orders", "salesorder", "quoteid", "quoteid", "quote"),
        ("order_invoices", "invoice", "salesorderid", "salesorderid", "salesorder"),
        (
            *("msdyn_quotedetail_salesorderdetail", "salesorderdetail", "quotedetailid"),
            *("QuoteDetailId", "quotedetail"),
        ),
        ("unit_of_measurement_products", "product", "defaultuomid", "defaultuomid", "uom"),
        ("price_level_product_price_levels", "productpricelevel", "pricelevelid", "pricelevelid", "pricelevel"),
        ("PriceList_Campaigns", "campaign", "pricelistid", "pricelistid", "pricelevel"),
        ("owner_opportunitys", "opportunity", "ownerid", "ownerid", "systemuser"),
        ("opportunity_owning_user", "opportunity", "owninguser", "owninguser", "systemuser"),
        ("lk_lead_createdonbehalfby", "lead", "createdonbehalfby", "createdonbehalfby", "systemuser"),
        ("territory_system_users", "systemuser", "territoryid", "territoryid", "territory"),
    ],
)
def test_a_lookup_has_its_documented_relationship(schema_name, table, column, navigation, target):
    found = CATALOG.relationships[schema_name]
    assert isinstance(found, OneToMany)
    assert (found.referencing_table, found.referencing_column) == (table, column)
    assert (found.referencing_navigation, found.referenced_table) == (navigation, target)
    assert found.referenced_navigation == schema_name


@pytest.mark.parametrize("table", ["lead", "opportunity", "incident", "quote", "salesorder", "invoice", "contract"])
def test_a_customer_is_an_account_or_a_contact(table):
    column_type = CATALOG.tables[table].by_name["customerid"].type
    assert column_type == LookupType(("account", "contact"), LookupKind.CUSTOMER)


@pytest.mark.parametrize(
    ("schema_name", "delete", "assign"),
    [
        ("opportunity_customer_accounts", Cascade.CASCADE, Cascade.CASCADE),
        ("incident_customer_accounts", Cascade.CASCADE, Cascade.CASCADE),
        ("quote_details", Cascade.CASCADE, Cascade.CASCADE),
        ("price_level_quotes", Cascade.RESTRICT, Cascade.NO_CASCADE),
        ("opportunity_originating_lead", Cascade.REMOVE_LINK, Cascade.NO_CASCADE),
    ],
)
def test_what_happens_to_records_below_is_declared(schema_name, delete, assign):
    found = CATALOG.relationships[schema_name]
    assert isinstance(found, OneToMany)
    assert (found.cascade.delete, found.cascade.assign) == (delete, assign)


@pytest.mark.parametrize(
    ("schema_name", "table1", "table2", "intersect"),
    [
        ("accountleads_association", "account", "lead", "accountleads"),
        ("leadcompetitors_association", "lead", "competitor", "leadcompetitors"),
        ("opportunitycompetitors_association", "opportunity", "competitor", "opportunitycompetitors"),
        ("contactorders_association", "contact", "salesorder", "contactorders"),
        ("entitlementcontacts_association", "entitlement", "contact", "entitlementcontacts"),
    ],
)
def test_tables_are_related_many_to_many(schema_name, table1, table2, intersect):
    found = CATALOG.relationships[schema_name]
    assert isinstance(found, ManyToMany)
    assert (found.table1, found.table2, found.intersect_table) == (table1, table2, intersect)
    assert (found.navigation1, found.navigation2) == (schema_name, schema_name)


def test_an_account_adds_up_its_open_opportunities():
    account = CATALOG.tables["account"]
    check_rollups(CATALOG.tables, account)
    shipped = {column.logical_name for column in account.columns if column.source_type is SourceType.ROLLUP}
    assert shipped == {"opendeals", "openrevenue"}
    for name in shipped:
        assert account.by_name[name].display_name.text() == {"opendeals": "Open Deals"}.get(name, "Open Revenue")
        assert not account.by_name[f"{name}_date"].valid_for_update
