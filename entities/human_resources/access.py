"""Who may use Human Resources: registered applications, users, roles (domain rule a.15, R-160 to R-163).

These tables are on `/data`, but not in the catalog of virtual tables.
"""

from __future__ import annotations

from entities.human_resources.choices import NO_YES
from entities.human_resources.declaring import data_entity, names
from entities.human_resources.people import REQUIRED, by_key
from entities.metadata.declare import choice, string

ENTRA_APPLICATIONS = data_entity(
    names("SysAADClientEntity", "EntraApplications", "Microsoft Entra application", "Microsoft Entra ID applications"),
    0x0101,
    ("clientid",),
    (
        string("ClientId", 50, "Client ID", required=REQUIRED, valid_for_update=False),
        string("Name", 100, "Name", required=REQUIRED),
        string("UserId", 20, "User ID", required=REQUIRED),
    ),
    by_key("User", "User", "systemuserentity", "userid"),
    is_public=False,
)

SYSTEM_USERS = data_entity(
    names("SystemUserEntity", "SystemUsers", "System user", "System users"),
    0x0102,
    ("userid",),
    (
        string("UserID", 20, "User ID", required=REQUIRED, valid_for_update=False),
        string("UserName", 100, "User name", required=REQUIRED),
        choice("Enabled", NO_YES, "Enabled", default=1),
        string("Alias", 255, "Email (alias)"),
        string("Email", 255, "Email"),
        string("Company", 4, "Company"),
    ),
    is_public=False,
)

SECURITY_ROLES = data_entity(
    names("SecurityRoleEntity", "SecurityRoles", "Security role", "Security roles"),
    0x0103,
    ("securityroleidentifier",),
    (
        string("SecurityRoleIdentifier", 64, "Role identifier", required=REQUIRED, valid_for_update=False),
        string("SecurityRoleName", 100, "Role name", required=REQUIRED),
        string("Description", 255, "Description"),
    ),
    is_public=False,
)

SECURITY_USER_ROLES = data_entity(
    names("SecurityUserRoleEntity", "SecurityUserRoles", "User role assignment", "User role assignments"),
    0x0104,
    ("userid", "securityroleidentifier"),
    (
        string("UserId", 20, "User ID", required=REQUIRED, valid_for_update=False),
        string("SecurityRoleIdentifier", 64, "Role identifier", required=REQUIRED, valid_for_update=False),
    ),
    by_key("User", "User", "systemuserentity", "userid"),
    by_key("SecurityRole", "SecurityRole", "securityroleentity", "securityroleidentifier"),
    is_public=False,
)

ENTITIES = (ENTRA_APPLICATIONS, SYSTEM_USERS, SECURITY_ROLES, SECURITY_USER_ROLES)
