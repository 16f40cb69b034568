"""Security roles, the privileges they grant and who holds them."""

from __future__ import annotations

from entities.metadata.columns import ManagedPropertyType, RequiredLevel
from entities.metadata.declare import (
    SERVER_SET,
    audit_columns,
    boolean,
    choice,
    column,
    date_time,
    integer,
    lookup,
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
from entities.standard.choices import COMPONENT_STATE
from entities.standard.references import NO_ACTION, PARENTAL, reference, system_references

ROLE = with_ids(
    Table(
        "role",
        "Role",
        "roles",
        1036,
        "roleid",
        "name",
        (
            primary_id("RoleId", "Role"),
            string("Name", 100, "Name", required=RequiredLevel.SYSTEM),
            string("Description", 2000, "Description"),
            lookup("BusinessUnitId", "businessunit", text="Business Unit", required=RequiredLevel.SYSTEM),
            lookup("ParentRoleId", "role", text="Parent Role", **SERVER_SET),
            lookup("ParentRootRoleId", "role", text="Parent Root Role", **SERVER_SET),
            lookup("RoleTemplateId", "roletemplate", text="Role Template ID", **SERVER_SET),
            choice(
                "IsInherited",
                options("Team privileges only", "Direct User (Basic) access level and Team privileges"),
                "Member's privilege inheritance",
                default=1,
            ),
            column("IsCustomizable", ManagedPropertyType("iscustomizable"), "Customizable"),
            column("CanBeDeleted", ManagedPropertyType("canbedeleted"), "Can Be Deleted"),
            boolean("IsManaged", "State", yes="Managed", no="Unmanaged", **SERVER_SET),
            choice("ComponentState", COMPONENT_STATE, "Component State", default=0, **SERVER_SET),
            date_time("OverwriteTime", "Record Overwrite Time", **SERVER_SET),
            unique_identifier("RoleIdUnique", "Unique Id", **SERVER_SET),
            unique_identifier("SolutionId", "Solution", **SERVER_SET),
            unique_identifier("OrganizationId", "Organization", **SERVER_SET),
            *audit_columns(),
        ),
        plain("Security Role"),
        plain("Security Roles"),
        plain("Grouping of security privileges. Users are assigned roles that authorize their access to the system."),
        Ownership.BUSINESS,
    )
)

ROLE_TEMPLATE = with_ids(
    Table(
        "roletemplate",
        "RoleTemplate",
        "roletemplates",
        1037,
        "roletemplateid",
        "name",
        (
            primary_id("RoleTemplateId", "Role Template"),
            string("Name", 100, "Name", **SERVER_SET),
        ),
        plain("Role Template"),
        plain("Role Templates"),
        plain("Template for a role. Defines initial attributes that will be used when creating a new role."),
        Ownership.NONE,
    )
)

PRIVILEGE = with_ids(
    Table(
        "privilege",
        "Privilege",
        "privileges",
        1023,
        "privilegeid",
        "name",
        (
            primary_id("PrivilegeId", "Privilege"),
            string("Name", 100, "Name", **SERVER_SET),
            integer("AccessRight", "Access Right", **SERVER_SET),
            boolean("CanBeBasic", "Can Be Basic", **SERVER_SET),
            boolean("CanBeLocal", "Can Be Local", **SERVER_SET),
            boolean("CanBeDeep", "Can Be Deep", **SERVER_SET),
            boolean("CanBeGlobal", "Can Be Global", **SERVER_SET),
            boolean("CanBeEntityReference", "Can Be Entity Reference", **SERVER_SET),
            boolean("CanBeParentEntityReference", "Can Be Parent Entity Reference", **SERVER_SET),
            boolean("IsManaged", "State", yes="Managed", no="Unmanaged", **SERVER_SET),
            choice("ComponentState", COMPONENT_STATE, "Component State", default=0, **SERVER_SET),
            date_time("OverwriteTime", "Record Overwrite Time", **SERVER_SET),
            unique_identifier("PrivilegeRowId", "Privilege Row Id", **SERVER_SET),
            unique_identifier("SolutionId", "Solution", **SERVER_SET),
            string("IntroducedVersion", 48, "Introduced Version", **SERVER_SET),
            version_column(),
        ),
        plain("Privilege"),
        plain("Privileges"),
        plain("Permission to perform an action in Microsoft CRM. The platform checks for the privilege."),
    )
)

ROLE_PRIVILEGES = with_ids(
    Table(
        "roleprivileges",
        "RolePrivileges",
        "roleprivilegescollection",
        12,
        "roleprivilegeid",
        None,
        (
            primary_id("RolePrivilegeId"),
            unique_identifier("RoleId", **SERVER_SET),
            unique_identifier("PrivilegeId", **SERVER_SET),
            integer("PrivilegeDepthMask", **SERVER_SET),
            column("CanBeDeleted", ManagedPropertyType("canbedeleted"), **SERVER_SET),
            boolean("IsManaged", **SERVER_SET),
            choice("ComponentState", COMPONENT_STATE, default=0, **SERVER_SET),
            date_time("OverwriteTime", **SERVER_SET),
            unique_identifier("RolePrivilegeIdUnique", **SERVER_SET),
            unique_identifier("SolutionId", **SERVER_SET),
            version_column(),
        ),
        plain("Role Privilege"),
        plain("Role Privileges"),
        ownership=Ownership.NONE,
        kind=TableKind.INTERSECT,
    )
)

SYSTEM_USER_ROLES = with_ids(
    Table(
        "systemuserroles",
        "SystemUserRoles",
        "systemuserrolescollection",
        15,
        "systemuserroleid",
        None,
        (
            primary_id("SystemUserRoleId"),
            unique_identifier("SystemUserId", **SERVER_SET),
            unique_identifier("RoleId", **SERVER_SET),
            version_column(),
        ),
        plain("User Role"),
        plain("User Roles"),
        ownership=Ownership.NONE,
        kind=TableKind.INTERSECT,
    )
)

TEAM_ROLES = with_ids(
    Table(
        "teamroles",
        "TeamRoles",
        "teamrolescollection",
        40,
        "teamroleid",
        None,
        (
            primary_id("TeamRoleId"),
            unique_identifier("TeamId", **SERVER_SET),
            unique_identifier("RoleId", **SERVER_SET),
            version_column(),
        ),
        plain("Team Role"),
        plain("Team Roles"),
        ownership=Ownership.NONE,
        kind=TableKind.INTERSECT,
    )
)

TABLES = (ROLE, ROLE_TEMPLATE, PRIVILEGE, ROLE_PRIVILEGES, SYSTEM_USER_ROLES, TEAM_ROLES)

RELATIONSHIPS: tuple[Relationship, ...] = (
    reference("role", "businessunitid", "businessunit", "business_unit_roles", cascade=PARENTAL),
    reference("role", "parentroleid", "role", "role_parent_role", cascade=NO_ACTION),
    reference("role", "parentrootroleid", "role", "role_parent_root_role", cascade=NO_ACTION),
    reference("role", "roletemplateid", "roletemplate", "role_template_roles", cascade=NO_ACTION),
    *system_references(ROLE, {"createdby": "lk_rolebase_createdby", "modifiedby": "lk_rolebase_modifiedby"}),
    ManyToMany(
        "roleprivileges_association",
        "roleprivileges",
        "role",
        "roleid",
        "roleprivileges_association",
        "privilege",
        "privilegeid",
        "roleprivileges_association",
    ),
    ManyToMany(
        "systemuserroles_association",
        "systemuserroles",
        "systemuser",
        "systemuserid",
        "systemuserroles_association",
        "role",
        "roleid",
        "systemuserroles_association",
    ),
    ManyToMany(
        "teamroles_association",
        "teamroles",
        "team",
        "teamid",
        "teamroles_association",
        "role",
        "roleid",
        "teamroles_association",
    ),
)
