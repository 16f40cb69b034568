"""Settings of users, one row per user, and the time zones (Learn: tables UserSettings and TimeZoneDefinition)."""

from __future__ import annotations

from entities.metadata.columns import RequiredLevel
from entities.metadata.declare import (
    SERVER_SET,
    audit_columns,
    boolean,
    date_time,
    integer,
    lookup,
    memo,
    plain,
    primary_id,
    string,
    unique_identifier,
    version_column,
    with_ids,
)
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany, Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.references import NO_ACTION, RESTRICT, reference, system_references

DELETED_WITH_USER = CascadeConfiguration(delete=Cascade.CASCADE)

_ZONE_COLUMNS = tuple(
    integer(name, text, **SERVER_SET)
    for name, text in (
        ("TimeZoneBias", "Time Zone Bias"),
        ("TimeZoneStandardBias", "Time Zone Standard Bias"),
        ("TimeZoneStandardYear", "Time Zone Standard Year"),
        ("TimeZoneStandardMonth", "Time Zone Standard Month"),
        ("TimeZoneStandardDay", "Time Zone Standard Day"),
        ("TimeZoneStandardDayOfWeek", "Time Zone Standard Day Of Week"),
        ("TimeZoneStandardHour", "Time Zone Standard Hour"),
        ("TimeZoneStandardMinute", "Time Zone Standard Minute"),
        ("TimeZoneStandardSecond", "Time Zone Standard Second"),
        ("TimeZoneDaylightBias", "Time Zone Daylight Bias"),
        ("TimeZoneDaylightYear", "Time Zone Daylight Year"),
        ("TimeZoneDaylightMonth", "Time Zone Daylight Month"),
        ("TimeZoneDaylightDay", "Time Zone Daylight Day"),
        ("TimeZoneDaylightDayOfWeek", "Time Zone Daylight Day Of Week"),
        ("TimeZoneDaylightHour", "Time Zone Daylight Hour"),
        ("TimeZoneDaylightMinute", "Time Zone Daylight Minute"),
        ("TimeZoneDaylightSecond", "Time Zone Daylight Second"),
    )
)

USER_SETTINGS = with_ids(
    Table(
        "usersettings",
        "UserSettings",
        "usersettingscollection",
        150,
        "systemuserid",
        None,
        (
            primary_id("SystemUserId", "User"),
            unique_identifier("BusinessUnitId", "Business Unit", **SERVER_SET),
            integer("TimeZoneCode", "Time Zone Code", minimum=-1),
            *_ZONE_COLUMNS,
            integer("LocaleId", "Locale", minimum=0),
            integer("UILanguageId", "User Interface Language", minimum=0),
            integer("HelpLanguageId", "Help Language", minimum=0),
            string("DateFormatString", 255, "Date Format String"),
            integer("DateFormatCode", "Date Format Code", minimum=0),
            integer("LongDateFormatCode", "Long Date Format", minimum=0),
            string("DateSeparator", 5, "Date Separator"),
            string("TimeFormatString", 255, "Time Format String"),
            integer("TimeFormatCode", "Time Format Code", minimum=0),
            string("TimeSeparator", 5, "Time Separator"),
            string("AMDesignator", 25, "AM Designator"),
            string("PMDesignator", 25, "PM Designator"),
            boolean("ShowWeekNumber", "Show Week Number"),
            integer("CalendarType", "Calendar Type", minimum=0),
            string("DecimalSymbol", 5, "Decimal Symbol"),
            string("NumberSeparator", 5, "Number Separator"),
            string("NumberGroupFormat", 25, "Number Grouping Format"),
            integer("NegativeFormatCode", "Negative Format", minimum=0, maximum=4),
            string("CurrencySymbol", 13, "Currency Symbol"),
            integer("CurrencyFormatCode", "Currency Format Code", minimum=0, maximum=3),
            integer("NegativeCurrencyFormatCode", "Negative Currency Format", minimum=0, maximum=15),
            lookup("TransactionCurrencyId", "transactioncurrency", text="Currency"),
            integer("FullNameConventionCode", "Full Name Display Order", minimum=0, maximum=7),
            string("WorkdayStartTime", 5, "Workday Start Time"),
            string("WorkdayStopTime", 5, "Workday Stop Time"),
            integer("PagingLimit", "Paging Limit", minimum=0, maximum=250),
            integer("DefaultCalendarView", "Default Calendar View", minimum=0),
            integer("AdvancedFindStartupMode", "Advanced Find Startup Mode", minimum=1, maximum=2),
            integer("DefaultSearchExperience", "Default Search Experience", minimum=0),
            string("DefaultCountryCode", 30, "Default Country Code"),
            boolean("IsDefaultCountryCodeCheckEnabled", "Enable Default Country Code"),
            string("HomepageArea", 200, "Homepage Area"),
            string("HomepageSubarea", 200, "Homepage Subarea"),
            memo("PersonalizationSettings", 1_073_741_823, "Personalization Settings"),
            boolean("IsSendAsAllowed", "Is Send As Allowed"),
            *audit_columns(),
        ),
        plain("User Settings"),
        plain("User Settings"),
        plain("User's preferred settings."),
        Ownership.BUSINESS,
    )
)

TIME_ZONE_DEFINITION = with_ids(
    Table(
        "timezonedefinition",
        "TimeZoneDefinition",
        "timezonedefinitions",
        4810,
        "timezonedefinitionid",
        "userinterfacename",
        (
            primary_id("TimeZoneDefinitionId", "Time Zone Definition"),
            integer("TimeZoneCode", "Time Zone Code", required=RequiredLevel.SYSTEM),
            string("StandardName", 100, "Standard Name", required=RequiredLevel.SYSTEM),
            string("DaylightName", 100, "Daylight Name"),
            string("UserInterfaceName", 100, "User Interface Name"),
            integer("Bias", "Bias"),
            integer("RetiredOrder", "Retired Order"),
            date_time("CreatedOn", "Created On", **SERVER_SET),
            date_time("ModifiedOn", "Modified On", **SERVER_SET),
            version_column(),
        ),
        plain("Time Zone Definition"),
        plain("Time Zone Definitions"),
        plain("Time zone definition, including name and time zone code."),
        Ownership.NONE,
    )
)

TABLES = (USER_SETTINGS, TIME_ZONE_DEFINITION)

# The key is the user's id, and the business unit a plain GUID: neither is a lookup in $metadata.
RELATIONSHIPS: tuple[Relationship, ...] = (
    OneToMany(
        "user_settings",
        "systemuser",
        "systemuserid",
        "usersettings",
        "systemuserid",
        "systemuserid_systemuser",
        "user_settings",
        DELETED_WITH_USER,
    ),
    OneToMany(
        "business_unit_user_settings",
        "businessunit",
        "businessunitid",
        "usersettings",
        "businessunitid",
        "businessunitid_businessunit",
        "business_unit_user_settings",
        NO_ACTION,
    ),
    reference(
        "usersettings",
        "transactioncurrencyid",
        "transactioncurrency",
        "transactioncurrency_usersettings",
        cascade=RESTRICT,
    ),
    *system_references(
        USER_SETTINGS, {"createdby": "lk_usersettingsbase_createdby", "modifiedby": "lk_usersettingsbase_modifiedby"}
    ),
)
