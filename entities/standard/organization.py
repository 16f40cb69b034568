"""The organization, its business units and currencies, and the solutions that hold its customizations."""

from __future__ import annotations

from entities.metadata.columns import MemoType, RequiredLevel
from entities.metadata.declare import (
    ACTIVE_INACTIVE,
    SERVER_SET,
    audit_columns,
    boolean,
    choice,
    column,
    date_time,
    decimal,
    double,
    integer,
    lookup,
    memo,
    plain,
    primary_id,
    state_and_status,
    string,
    unique_identifier,
    with_ids,
)
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.choices import WEEKDAY, address, numbered
from entities.standard.references import RESTRICT, delegate_names, hierarchical, reference, system_references

ORGANIZATION = with_ids(
    Table(
        "organization",
        "Organization",
        "organizations",
        1019,
        "organizationid",
        "name",
        (
            primary_id("OrganizationId", "Organization"),
            string("Name", 160, "Organization Name", required=RequiredLevel.APPLICATION),
            lookup("BaseCurrencyId", "transactioncurrency", text="Currency", **SERVER_SET),
            string("BaseCurrencySymbol", 5, "Base Currency Symbol", **SERVER_SET),
            integer("BaseCurrencyPrecision", "Base Currency Precision", minimum=0, maximum=4, **SERVER_SET),
            integer("CurrencyDecimalPrecision", "Currency Decimal Precision", minimum=0, maximum=10),
            integer("PricingDecimalPrecision", "Pricing Decimal Precision", minimum=0, maximum=4),
            integer("LanguageCode", "Language", **SERVER_SET),
            integer("LocaleId", "Locale"),
            string("DateFormatString", 255, "Date Format String"),
            string("TimeFormatString", 255, "Time Format String"),
            string("DecimalSymbol", 5, "Decimal Symbol"),
            string("NumberSeparator", 5, "Number Separator"),
            choice("WeekStartDayCode", WEEKDAY, "Week Start Day Code", default=0),
            date_time("FiscalCalendarStart", "Fiscal Calendar Start"),
            integer("FiscalPeriodType", "Fiscal Period Type"),
            integer("FiscalYearDisplayCode", "Fiscal Year Display"),
            choice(
                "FullNameConventionCode",
                numbered({0: "Last Name, First Name", 1: "First Name"}),
                "Full Name Display Order",
                default=1,
            ),
            string("SchemaNamePrefix", 8, "Customization Name Prefix"),
            integer("MaxUploadFileSize", "Max Upload File Size", minimum=0),
            boolean("IsAuditEnabled", "Is Auditing Enabled"),
            boolean("IsReadAuditEnabled", "Is Read Auditing Enabled"),
            integer("AuditRetentionPeriodV2", "Audit Retention Period Settings"),
            integer(
                "ExpireChangeTrackingInDays",
                "Days to Expire Change Tracking Deleted Records",
                minimum=0,
                maximum=365,
            ),
            boolean("IsDisabled", "Is Organization Disabled", **SERVER_SET),
            boolean("IsDuplicateDetectionEnabled", "Is Duplicate Detection Enabled", default=True),
            boolean(
                "IsDuplicateDetectionEnabledForOnlineCreateUpdate",
                "Is Duplicate Detection Enabled for Online Create/Update",
                default=True,
            ),
            boolean(
                "IsDuplicateDetectionEnabledForOfflineSync",
                "Is Duplicate Detection Enabled For Offline Synchronization",
                default=True,
            ),
            boolean("IsDuplicateDetectionEnabledForImport", "Is Duplicate Detection Enabled For Import", default=True),
            boolean("IsHierarchicalSecurityModelEnabled", "Enable Hierarchical Security Model"),
            integer("MaxDepthForHierarchicalSecurityModel", "Maximum depth for hierarchy security propagation"),
            boolean("UsePositionHierarchy", "Use position hierarchy"),
            boolean("QuickFindRecordLimitEnabled", "Quick Find Record Limit Enabled"),
            choice(
                "PluginTraceLogSetting",
                numbered({0: "Off", 1: "Exception", 2: "All"}),
                "Plug-in Trace Log Setting",
                default=0,
            ),
            unique_identifier("SystemUserId", "System User", **SERVER_SET),
            unique_identifier("IntegrationUserId", "Integration User", **SERVER_SET),
            memo("BlockedAttachments", 1_073_741_823, "Block Attachments"),
            memo("OrgDbOrgSettings", 1_073_741_823, "Organization Database Organization Settings"),
            *audit_columns(),
        ),
        plain("Organization"),
        plain("Organizations"),
        plain("Top level of the business hierarchy. The organization can be a specific business or a corporation."),
        is_private=True,
    )
)

BUSINESS_UNIT = with_ids(
    Table(
        "businessunit",
        "BusinessUnit",
        "businessunits",
        10,
        "businessunitid",
        "name",
        (
            primary_id("BusinessUnitId", "Business Unit"),
            string("Name", 160, "Name", required=RequiredLevel.SYSTEM),
            lookup("ParentBusinessUnitId", "businessunit", text="Parent Business"),
            lookup("OrganizationId", "organization", text="Organization", **SERVER_SET),
            string("DivisionName", 100, "Division"),
            string("CostCenter", 100, "Cost Center"),
            double("CreditLimit", "Credit Limit", precision=4),
            memo("Description", 2000, "Description"),
            string("EmailAddress", 100, "Email"),
            string("FileAsName", 100, "File as Name"),
            string("FtpSiteUrl", 200, "FTP Site"),
            string("StockExchange", 20, "Stock Exchange"),
            string("TickerSymbol", 10, "Ticker Symbol"),
            string("WebSiteUrl", 200, "Website"),
            integer("UTCOffset", "UTC Offset", minimum=-1500, maximum=1500),
            boolean("IsDisabled", "Is Disabled", valid_for_create=False),
            string("DisabledReason", 500, "Disable Reason", **SERVER_SET),
            integer("InheritanceMask", "Inheritance Mask", **SERVER_SET),
            boolean("WorkflowSuspended", "Workflow Suspended"),
            lookup("TransactionCurrencyId", "transactioncurrency", text="Currency"),
            decimal("ExchangeRate", "Exchange Rate", precision=10, **SERVER_SET),
            *address(1, addressee=False),
            *address(2, addressee=False),
            *audit_columns(),
        ),
        plain("Business Unit"),
        plain("Business Units"),
        plain("Business, division, or department in the Microsoft Dynamics 365 database."),
        Ownership.BUSINESS,
    )
)

TRANSACTION_CURRENCY = with_ids(
    Table(
        "transactioncurrency",
        "TransactionCurrency",
        "transactioncurrencies",
        9105,
        "transactioncurrencyid",
        "currencyname",
        (
            primary_id("TransactionCurrencyId", "Transaction Currency"),
            string("CurrencyName", 100, "Currency Name", required=RequiredLevel.SYSTEM),
            string("ISOCurrencyCode", 5, "Currency Code", required=RequiredLevel.SYSTEM, valid_for_update=False),
            string("CurrencySymbol", 13, "Currency Symbol", required=RequiredLevel.SYSTEM),
            integer("CurrencyPrecision", "Currency Precision", minimum=0, maximum=4, required=RequiredLevel.SYSTEM),
            decimal("ExchangeRate", "Exchange Rate", precision=10, required=RequiredLevel.SYSTEM),
            lookup("OrganizationId", "organization", text="Organization", **SERVER_SET),
            *state_and_status(*ACTIVE_INACTIVE),
            *audit_columns(),
        ),
        plain("Currency"),
        plain("Currencies"),
        plain("Currency in which a financial transaction is carried out."),
    )
)

PUBLISHER = with_ids(
    Table(
        "publisher",
        "Publisher",
        "publishers",
        7101,
        "publisherid",
        "friendlyname",
        (
            primary_id("PublisherId", "Publisher Identifier"),
            string("FriendlyName", 256, "Display Name", required=RequiredLevel.SYSTEM),
            string("UniqueName", 256, "Name", required=RequiredLevel.SYSTEM, valid_for_update=False),
            string("CustomizationPrefix", 8, "Prefix", required=RequiredLevel.SYSTEM),
            integer("CustomizationOptionValuePrefix", "Option Value Prefix", minimum=10_000, maximum=99_999),
            memo("Description", 2000, "Description"),
            string("EMailAddress", 100, "Email"),
            string("SupportingWebsiteUrl", 200, "Website"),
            boolean("IsReadOnly", "Is Read-Only Publisher", **SERVER_SET),
            lookup("OrganizationId", "organization", text="Organization", **SERVER_SET),
            *audit_columns(),
        ),
        plain("Publisher"),
        plain("Publishers"),
        plain("A publisher of a CRM solution."),
    )
)

SOLUTION = with_ids(
    Table(
        "solution",
        "Solution",
        "solutions",
        7100,
        "solutionid",
        "friendlyname",
        (
            primary_id("SolutionId", "Solution Identifier"),
            string("FriendlyName", 256, "Display Name", required=RequiredLevel.SYSTEM),
            string("UniqueName", 65, "Name", required=RequiredLevel.SYSTEM, valid_for_update=False),
            string("Version", 256, "Version", required=RequiredLevel.SYSTEM),
            lookup("PublisherId", "publisher", text="Publisher", required=RequiredLevel.SYSTEM),
            lookup("ParentSolutionId", "solution", text="Parent Solution", **SERVER_SET),
            lookup("OrganizationId", "organization", text="Organization", **SERVER_SET),
            column("Description", MemoType(2000), "Description"),
            date_time("InstalledOn", "Installed On", **SERVER_SET),
            date_time("UpdatedOn", "Updated On", **SERVER_SET),
            boolean("IsManaged", "Package Type", yes="Managed", no="Unmanaged", **SERVER_SET),
            boolean("IsVisible", "Is Visible Outside Platform", default=True, **SERVER_SET),
            string("SolutionPackageVersion", 256, "Solution Package Version", **SERVER_SET),
            *audit_columns(),
        ),
        plain("Solution"),
        plain("Solutions"),
        plain("A solution which contains CRM customizations."),
    )
)

TABLES = (ORGANIZATION, BUSINESS_UNIT, TRANSACTION_CURRENCY, PUBLISHER, SOLUTION)

RELATIONSHIPS: tuple[Relationship, ...] = (
    reference("organization", "basecurrencyid", "transactioncurrency", "basecurrency_organization", cascade=RESTRICT),
    *system_references(
        ORGANIZATION,
        {"createdby": "lk_organizationbase_createdby", "modifiedby": "lk_organizationbase_modifiedby"},
    ),
    hierarchical("businessunit", "parentbusinessunitid", "business_unit_parent_business_unit", RESTRICT),
    reference("businessunit", "organizationid", "organization", "organization_business_units", cascade=RESTRICT),
    reference(
        "businessunit",
        "transactioncurrencyid",
        "transactioncurrency",
        "TransactionCurrency_BusinessUnit",
        cascade=RESTRICT,
    ),
    *system_references(
        BUSINESS_UNIT,
        {"createdby": "lk_businessunitbase_createdby", "modifiedby": "lk_businessunitbase_modifiedby"},
    ),
    reference("transactioncurrency", "organizationid", "organization", "organization_transactioncurrencies"),
    *system_references(
        TRANSACTION_CURRENCY,
        {"createdby": "lk_transactioncurrencybase_createdby", "modifiedby": "lk_transactioncurrencybase_modifiedby"},
    ),
    reference("publisher", "organizationid", "organization", "organization_publisher"),
    *system_references(PUBLISHER, delegate_names("publisherbase")),
    reference("solution", "publisherid", "publisher", "publisher_solution", cascade=RESTRICT),
    reference("solution", "parentsolutionid", "solution", "solution_parent_solution"),
    reference("solution", "organizationid", "organization", "organization_solution"),
    *system_references(SOLUTION, delegate_names("solutionbase")),
)
