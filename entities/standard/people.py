"""Users and teams: the two kinds of principal that own records and hold roles."""

from __future__ import annotations

from entities.metadata.columns import RequiredLevel
from entities.metadata.declare import (
    ENTITY_IMAGE,
    SERVER_SET,
    audit_columns,
    boolean,
    choice,
    decimal,
    integer,
    lookup,
    memo,
    options,
    plain,
    primary_id,
    string,
    unique_identifier,
    version_column,
    with_ids,
)
from entities.metadata.relationships import ManyToMany, Relationship
from entities.metadata.tables import Ownership, Table, TableKind
from entities.standard.choices import ACCESS_MODE, address
from entities.standard.references import PARENTAL, RESTRICT, hierarchical, reference, system_references

_LICENSE = options(
    "Professional",
    "Administrative",
    "Basic",
    "Device Professional",
    "Device Basic",
    "Essential",
    "Device Essential",
    "Enterprise",
    "Device Enterprise",
    "Sales",
    "Service",
    "Field Service",
    "Project Service",
)
_INVITATION = options(
    "Invitation Not Sent",
    "Invited",
    "Invitation Near Expired",
    "Invitation Expired",
    "Invitation Accepted",
    "Invitation Rejected",
    "Invitation Revoked",
)
_DELIVERY = options(
    "None",
    "Microsoft Dynamics 365 for Outlook",
    "Server-Side Synchronization or Email Router",
    "Forward Mailbox",
)
_EMAIL_APPROVAL = options("Empty", "Approved", "Pending Approval", "Rejected")

SYSTEM_USER = with_ids(
    Table(
        "systemuser",
        "SystemUser",
        "systemusers",
        8,
        "systemuserid",
        "fullname",
        (
            primary_id("SystemUserId", "User"),
            unique_identifier("OwnerId", "Owner", **SERVER_SET),
            string("FullName", 200, "Full Name", **SERVER_SET),
            string("FirstName", 256, "First Name"),
            string("MiddleName", 50, "Middle Name"),
            string("LastName", 256, "Last Name"),
            string("NickName", 50, "Nickname"),
            string("Salutation", 20, "Salutation"),
            string("Title", 128, "Title"),
            string("JobTitle", 100, "Job Title"),
            string("EmployeeId", 100, "Employee"),
            string("DomainName", 1024, "User Name"),
            string("InternalEMailAddress", 100, "Primary Email"),
            string("PersonalEMailAddress", 100, "Email 2"),
            string("MobileAlertEMail", 100, "Mobile Alert Email"),
            string("WindowsLiveID", 1024, "Windows Live ID"),
            string("HomePhone", 50, "Home Phone"),
            string("MobilePhone", 64, "Mobile Phone"),
            lookup("BusinessUnitId", "businessunit", text="Business Unit", required=RequiredLevel.SYSTEM),
            lookup("ParentSystemUserId", "systemuser", text="Manager"),
            unique_identifier("OrganizationId", "Organization", **SERVER_SET),
            choice("AccessMode", ACCESS_MODE, "Access Mode", default=0),
            choice("CALType", _LICENSE, "License Type", default=0),
            boolean("IsDisabled", "Status", yes="Disabled", no="Enabled"),
            string("DisabledReason", 500, "Disabled Reason", **SERVER_SET),
            boolean("IsLicensed", "User Licensed"),
            boolean("IsSyncWithDirectory", "User Synced"),
            boolean("IsIntegrationUser", "Integration user mode"),
            boolean("SetupUser", "Restricted Access Mode"),
            boolean("DefaultFiltersPopulated", "Default Filters Populated", **SERVER_SET),
            boolean("DisplayInServiceViews", "Display in Service Views", default=True),
            unique_identifier("ApplicationId", "Application ID", valid_for_update=False),
            string("ApplicationIdUri", 1024, "Application ID URI", **SERVER_SET),
            unique_identifier("AzureActiveDirectoryObjectId", "Azure AD Object ID"),
            string("UserPuid", 100, "User PUID", **SERVER_SET),
            integer("IdentityId", "Unique user identity id", **SERVER_SET),
            integer("UserLicenseType", "User License Type"),
            choice("InviteStatusCode", _INVITATION, "Invitation Status", default=0),
            choice("IncomingEmailDeliveryMethod", _DELIVERY, "Incoming Email Delivery Method", default=1),
            choice("OutgoingEmailDeliveryMethod", _DELIVERY[:3], "Outgoing Email Delivery Method", default=1),
            choice("EmailRouterAccessApproval", _EMAIL_APPROVAL, "Primary Email Status", default=0),
            boolean("IsEmailAddressApprovedByO365Admin", "Email Address O365 Admin Approval Status", **SERVER_SET),
            string("Skills", 100, "Skills"),
            lookup("TransactionCurrencyId", "transactioncurrency", text="Currency"),
            decimal("ExchangeRate", "Exchange Rate", precision=10, **SERVER_SET),
            *address(1, addressee=False),
            memo("Address1_Composite", 1000, "Address", **SERVER_SET),
            *audit_columns(),
            *ENTITY_IMAGE,
        ),
        plain("User"),
        plain("Users"),
        plain("Person with access to the Microsoft CRM system and who owns objects in the Microsoft CRM database."),
        Ownership.BUSINESS,
        base_type="principal",
    )
)

TEAM = with_ids(
    Table(
        "team",
        "Team",
        "teams",
        9,
        "teamid",
        "name",
        (
            primary_id("TeamId", "Team"),
            unique_identifier("OwnerId", "Owner", **SERVER_SET),
            string("Name", 160, "Team Name", required=RequiredLevel.SYSTEM),
            lookup("BusinessUnitId", "businessunit", text="Business Unit", required=RequiredLevel.SYSTEM),
            lookup("AdministratorId", "systemuser", text="Administrator", required=RequiredLevel.SYSTEM),
            choice(
                "TeamType",
                options("Owner", "Access", "AAD Security Group", "AAD Office Group"),
                "Team Type",
                default=0,
                valid_for_update=False,
            ),
            choice(
                "MembershipType",
                options("Members and guests", "Members", "Owners", "Guests"),
                "Membership Type",
                default=0,
            ),
            unique_identifier("AzureActiveDirectoryObjectId", "Azure AD Object Id for a group"),
            boolean("IsDefault", "Is Default", **SERVER_SET),
            boolean("SystemManaged", "Is System Managed", **SERVER_SET),
            memo("Description", 2000, "Description"),
            string("EMailAddress", 100, "Email"),
            unique_identifier("OrganizationId", "Organization", **SERVER_SET),
            lookup("TransactionCurrencyId", "transactioncurrency", text="Currency"),
            decimal("ExchangeRate", "Exchange Rate", precision=10, **SERVER_SET),
            *audit_columns(),
        ),
        plain("Team"),
        plain("Teams"),
        plain("Collection of system users that routinely collaborate."),
        Ownership.BUSINESS,
        base_type="principal",
    )
)

TEAM_MEMBERSHIP = with_ids(
    Table(
        "teammembership",
        "TeamMembership",
        "teammemberships",
        23,
        "teammembershipid",
        None,
        (
            primary_id("TeamMembershipId"),
            unique_identifier("TeamId", **SERVER_SET),
            unique_identifier("SystemUserId", **SERVER_SET),
            version_column(),
        ),
        plain("Team Membership"),
        plain("Team Memberships"),
        ownership=Ownership.NONE,
        kind=TableKind.INTERSECT,
    )
)

TABLES = (SYSTEM_USER, TEAM, TEAM_MEMBERSHIP)

RELATIONSHIPS: tuple[Relationship, ...] = (
    reference("systemuser", "businessunitid", "businessunit", "business_unit_system_users", cascade=RESTRICT),
    hierarchical("systemuser", "parentsystemuserid", "user_parent_user"),
    reference(
        "systemuser",
        "transactioncurrencyid",
        "transactioncurrency",
        "TransactionCurrency_SystemUser",
        cascade=RESTRICT,
    ),
    *system_references(
        SYSTEM_USER, {"createdby": "lk_systemuserbase_createdby", "modifiedby": "lk_systemuserbase_modifiedby"}
    ),
    reference("team", "businessunitid", "businessunit", "business_unit_teams", cascade=PARENTAL),
    reference("team", "administratorid", "systemuser", "lk_teambase_administratorid", cascade=RESTRICT),
    reference("team", "transactioncurrencyid", "transactioncurrency", "TransactionCurrency_Team", cascade=RESTRICT),
    *system_references(TEAM, {"createdby": "lk_teambase_createdby", "modifiedby": "lk_teambase_modifiedby"}),
    ManyToMany(
        "teammembership_association",
        "teammembership",
        "team",
        "teamid",
        "teammembership_association",
        "systemuser",
        "systemuserid",
        "teammembership_association",
    ),
)
