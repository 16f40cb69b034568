"""Ids that are the same in every environment, or follow from the organization's id."""

from __future__ import annotations

from entities.metadata.declare import derived_id
from entities.values import Guid

SYSTEM_ADMINISTRATOR_TEMPLATE = Guid("627090ff-40a3-4053-8790-584edc5be201")
SYSTEM_CUSTOMIZER_TEMPLATE = Guid("119f245c-3cc8-4b62-b31c-d1a046ced15d")
BASIC_USER_TEMPLATE = derived_id("roletemplate", "Basic User")
DELEGATE_TEMPLATE = derived_id("roletemplate", "Delegate")
FINANCE_AND_OPERATIONS_TEMPLATE = derived_id("roletemplate", "Finance and operations Basic User")

DEFAULT_SOLUTION = Guid("fd140aaf-4df4-11dd-bd17-0019b9312238")
DEFAULT_PUBLISHER = Guid("d21aab71-79e7-11dd-8874-00188b01e34f")
ACTIVE_SOLUTION = Guid("fd140aae-4df4-11dd-bd17-0019b9312238")

# Seen in a denial that names it; all others follow from their names.
_READ_ACCOUNT = Guid("886b280c-6396-4d56-a0a3-2c1b0a50ceb0")


def privilege_id(name: str) -> Guid:
    """Return the id of a privilege, the same in every environment.

    Args:
        name: `prvReadAccount` and its like.
    """
    return _READ_ACCOUNT if name == "prvReadAccount" else derived_id("privilege", name)


def root_business_unit_id(organization_id: Guid) -> Guid:
    """Return the id of an organization's root business unit."""
    return derived_id(organization_id, "businessunit")


def default_team_id(business_unit_id: Guid) -> Guid:
    """Return the id of the default team of a business unit made by the seed."""
    return derived_id(business_unit_id, "team")


def system_user_id(organization_id: Guid) -> Guid:
    """Return the id of the user SYSTEM."""
    return derived_id(organization_id, "systemuser", "SYSTEM")


def currency_id(organization_id: Guid, iso_code: str) -> Guid:
    """Return the id of a currency made by the seed."""
    return derived_id(organization_id, "transactioncurrency", iso_code)


def time_zone_definition_id(code: int) -> Guid:
    """Return the id of a time zone, the same in every environment."""
    return derived_id("timezonedefinition", str(code))


def role_id(business_unit_id: Guid, role_name: str) -> Guid:
    """Return the id of a standard role in the root business unit."""
    return derived_id(business_unit_id, "role", role_name)


def role_copy_id(business_unit_id: Guid, root_role_id: Guid) -> Guid:
    """Return the id of the copy of a role that a business unit below inherits."""
    return derived_id(business_unit_id, "role copy", root_role_id)


def role_privilege_id(held_by: Guid, privilege: Guid) -> Guid:
    """Return the id of the row that says that a role grants a privilege."""
    return derived_id(held_by, "roleprivileges", privilege)
