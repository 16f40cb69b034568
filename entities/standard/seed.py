"""The rows a fresh environment starts with: organization, root unit, SYSTEM, standard roles, currency, solutions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

from entities.metadata.declare import derived_id
from entities.relative.settings import PeriodType
from entities.standard.duplicate_seed import duplicate_rule_rows
from entities.standard.identifiers import (
    ACTIVE_SOLUTION,
    BASIC_USER_TEMPLATE,
    DEFAULT_PUBLISHER,
    DEFAULT_SOLUTION,
    DELEGATE_TEMPLATE,
    FINANCE_AND_OPERATIONS_TEMPLATE,
    SYSTEM_ADMINISTRATOR_TEMPLATE,
    SYSTEM_CUSTOMIZER_TEMPLATE,
    currency_id,
    privilege_id,
    role_id,
    root_business_unit_id,
    system_user_id,
)
from entities.standard.mappings import mapping_rows
from entities.standard.queries import view_rows
from entities.standard.role_rules import default_team, role_privilege
from entities.standard.user_settings_rules import time_zone_rows
from entities.values import EntityReference, Guid, Record

SYSTEM_ADMINISTRATOR = "System Administrator"
SYSTEM_CUSTOMIZER = "System Customizer"
BASIC_USER = "Basic User"
DELEGATE = "Delegate"
FINANCE_AND_OPERATIONS_BASIC_USER = "Finance and operations Basic User"

_BASIC, _GLOBAL = 1, 8

_OWN_RECORDS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share")
_DEFINITIONS = ("Entity", "Attribute", "Relationship", "OptionSet")


def _grants(mask: int, rights: Iterable[str], suffixes: Iterable[str]) -> dict[str, int]:
    return {f"prv{right}{suffix}": mask for suffix in suffixes for right in rights}


_READ_DEFINITIONS = _grants(_GLOBAL, ("Read",), _DEFINITIONS)
_SURROUNDINGS = _grants(
    _GLOBAL,
    ("Read",),
    (
        *("User", "Team", "BusinessUnit", "Role", "Organization", "TransactionCurrency", "Privilege", "Query"),
        *("DuplicateRule", "EntityMap", "AttributeMap"),
        *("ConnectionRole", "CustomerAddress", "Position", "Queue", "QueueItem", "Subject", "Territory"),
        *("AppModule", "SavedQueryVisualization", "SiteMap", "SystemForm", "Theme", "WebResource", "Workflow"),
    ),
) | _grants(_GLOBAL, ("AppendTo",), ("User", "Team", "TransactionCurrency"))
_OWN_DATA = _grants(
    _BASIC, _OWN_RECORDS, ("Account", "Contact", "Activity", "Note", "Connection", "UserQuery")
) | _grants(_BASIC, ("Read", "Write", "Create", "Append", "AppendTo"), ("AsyncOperation",))
# Everyone reads and changes his own settings (Learn: "Security roles and privileges", minimum privileges).
_OWN_SETTINGS = _grants(_BASIC, ("Read", "Write", "Append"), ("UserSettings",))

STANDARD_ROLES: Mapping[str, tuple[Guid, Mapping[str, int]]] = MappingProxyType(
    {
        # Grants everything, so no privilege is listed.
        SYSTEM_ADMINISTRATOR: (SYSTEM_ADMINISTRATOR_TEMPLATE, {}),
        SYSTEM_CUSTOMIZER: (
            SYSTEM_CUSTOMIZER_TEMPLATE,
            {
                **_SURROUNDINGS,
                **_OWN_DATA,
                **_OWN_SETTINGS,
                **_grants(_GLOBAL, ("Create", "Read", "Write", "Delete"), _DEFINITIONS),
                **_grants(_GLOBAL, ("Create", "Read", "Write", "Delete"), ("Solution", "Publisher")),
                **_grants(_GLOBAL, ("Read", "Publish", "Import", "Export"), ("Customization",)),
                **_grants(_GLOBAL, (*_OWN_RECORDS, "Publish"), ("DuplicateRule",)),
            },
        ),
        BASIC_USER: (BASIC_USER_TEMPLATE, {**_SURROUNDINGS, **_OWN_DATA, **_OWN_SETTINGS, **_READ_DEFINITIONS}),
        DELEGATE: (DELEGATE_TEMPLATE, {"prvActOnBehalfOfAnotherUser": _GLOBAL}),
        # Held implicitly by everyone with a role; what it opens follows from the generated tables.
        FINANCE_AND_OPERATIONS_BASIC_USER: (FINANCE_AND_OPERATIONS_TEMPLATE, {}),
    }
)
"""Name, role template and privilege depth masks of the roles of every environment."""


@dataclass(frozen=True, slots=True)
class NewOrganization:
    """What distinguishes one environment from another at its start."""

    organization_id: Guid
    name: str


def seed_rows(organization: NewOrganization, privileges: Iterable[Record]) -> Iterator[tuple[str, Record]]:
    """Yield (table, record) in an order in which every reference exists.

    Args:
        organization: id and name of the organization.
        privileges: the rows of the table privilege, which follow from the catalog.
    """
    root = root_business_unit_id(organization.organization_id)
    yield from _organization_rows(organization, root)
    yield from (("privilege", row) for row in privileges)
    for name, (template, grants) in STANDARD_ROLES.items():
        yield from _role_rows(root, name, template, grants)
    yield from view_rows(organization.organization_id)
    yield from duplicate_rule_rows()
    yield from mapping_rows()
    yield from time_zone_rows()


def application_administrator_rows(organization_id: Guid, application_id: Guid) -> Iterator[tuple[str, Record]]:
    """Yield the application user of an app registration in the root business unit, as System Administrator.

    Args:
        organization_id: the environment's organization.
        application_id: the application, known to the steps' `find_application`.
    """
    root = root_business_unit_id(organization_id)
    user, role = derived_id(organization_id, "systemuser", application_id), role_id(root, SYSTEM_ADMINISTRATOR)
    yield (
        "systemuser",
        {
            "systemuserid": user,
            "applicationid": application_id,
            "businessunitid": EntityReference("businessunit", root),
        },
    )
    yield (
        "systemuserroles",
        {
            "systemuserroleid": derived_id(user, "systemuserroles", role),
            "systemuserid": user,
            "roleid": role,
        },
    )


def _organization_rows(organization: NewOrganization, root: Guid) -> Iterator[tuple[str, Record]]:
    identifier = organization.organization_id
    dollar = EntityReference("transactioncurrency", currency_id(identifier, "USD"))
    unit, system = EntityReference("businessunit", root), system_user_id(identifier)
    yield "transactioncurrency", _dollar(dollar.id)
    yield "organization", _organization(organization, dollar)
    for name, (template, _) in STANDARD_ROLES.items():
        yield "roletemplate", {"roletemplateid": template, "name": name}
    yield "businessunit", {"businessunitid": root, "name": organization.name, "transactioncurrencyid": dollar}
    yield (
        "systemuser",
        {
            "systemuserid": system,
            "fullname": "SYSTEM",
            "lastname": "SYSTEM",
            "businessunitid": unit,
            "accessmode": 3,
            "setupuser": True,
            "islicensed": False,
        },
    )
    yield "team", default_team(unit, organization.name, system)
    yield from _solution_rows()


def _dollar(identifier: Guid) -> Record:
    return {
        "transactioncurrencyid": identifier,
        "currencyname": "US Dollar",
        "isocurrencycode": "USD",
        "currencysymbol": "$",
        "currencyprecision": 2,
        "exchangerate": Decimal(1),
    }


def _organization(organization: NewOrganization, currency: EntityReference) -> Record:
    return {
        "organizationid": organization.organization_id,
        "name": organization.name,
        "basecurrencyid": currency,
        "basecurrencysymbol": "$",
        "basecurrencyprecision": 2,
        "currencydecimalprecision": 2,
        "pricingdecimalprecision": 2,
        "languagecode": 1033,
        "localeid": 1033,
        "dateformatstring": "M/d/yyyy",
        "timeformatstring": "h:mm tt",
        "decimalsymbol": ".",
        "numberseparator": ",",
        "fiscalcalendarstart": datetime(2019, 1, 1, tzinfo=UTC),
        "fiscalperiodtype": int(PeriodType.QUARTERLY),
        "fiscalyeardisplaycode": 1,
        "schemanameprefix": "new",
        "maxuploadfilesize": 5_242_880,
        "maxdepthforhierarchicalsecuritymodel": 3,
        "systemuserid": system_user_id(organization.organization_id),
    }


def _solution_rows() -> Iterator[tuple[str, Record]]:
    publisher = EntityReference("publisher", DEFAULT_PUBLISHER)
    yield (
        "publisher",
        {
            "publisherid": DEFAULT_PUBLISHER,
            "friendlyname": "Default Publisher",
            "uniquename": "DefaultPublisher",
            "customizationprefix": "new",
            "customizationoptionvalueprefix": 10_000,
        },
    )
    for identifier, name, unique_name, visible in (
        (DEFAULT_SOLUTION, "Default Solution", "Default", True),
        (ACTIVE_SOLUTION, "Active Solution", "Active", False),
    ):
        yield (
            "solution",
            {
                "solutionid": identifier,
                "friendlyname": name,
                "uniquename": unique_name,
                "version": "1.0",
                "publisherid": publisher,
                "isvisible": visible,
            },
        )


def _role_rows(root: Guid, name: str, template: Guid, grants: Mapping[str, int]) -> Iterator[tuple[str, Record]]:
    identifier = role_id(root, name)
    yield (
        "role",
        {
            "roleid": identifier,
            "name": name,
            "businessunitid": EntityReference("businessunit", root),
            "roletemplateid": EntityReference("roletemplate", template),
            "ismanaged": True,
            "isinherited": 1,
            "canbedeleted": template not in (SYSTEM_ADMINISTRATOR_TEMPLATE, SYSTEM_CUSTOMIZER_TEMPLATE),
            "iscustomizable": template != SYSTEM_ADMINISTRATOR_TEMPLATE,
        },
    )
    for privilege, mask in grants.items():
        yield "roleprivileges", role_privilege(identifier, privilege_id(privilege), mask)
