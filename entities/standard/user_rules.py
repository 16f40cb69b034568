"""Rules of users: application users, default teams, disabling and deleting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from entities.errors import InvalidArgument, InvalidOperation
from entities.messages import Create, Delete, Disassociate
from entities.metadata.declare import derived_id
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import ColumnRef, Condition, ConditionOperator, Filter, LinkEntity, QueryExpression, both, equals
from entities.standard.customer_rules import full_name
from entities.standard.identifiers import SYSTEM_ADMINISTRATOR_TEMPLATE
from entities.standard.lookups import first, referenced
from entities.standard.reassigning import reassign
from entities.values import EntityReference, Guid, Record, Value

_NON_INTERACTIVE = 4
_LONGEST_ADDRESS = 100
_FILLED_FOR_APPLICATIONS = ("firstname", "lastname", "internalemailaddress")
# Of an application user only business unit, e-mail and roles are editable (Learn: "Manage application users").
_FIXED_FOR_APPLICATIONS = ("firstname", "middlename", "lastname", "domainname", "accessmode", "caltype")


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration of the tenant, as far as its application user shows it."""

    application_id: Guid
    object_id: Guid
    display_name: str
    identifier_uri: str | None = None


FindApplication: TypeAlias = Callable[[Guid], Application | None]
"""Gives the registration of an application id, None when the tenant knows none."""


def user_steps(find_application: FindApplication, tenant_domain: str, organization_id: Guid) -> tuple[Step, ...]:
    """Return the steps of the table systemuser.

    Args:
        find_application: the tenant's app registrations.
        tenant_domain: the domain of made-up user names of applications.
        organization_id: the environment's organization.
    """
    introduce = partial(
        introduce_user,
        find_application=find_application,
        tenant_domain=tenant_domain,
        organization_id=organization_id,
    )
    return (
        Step("Create", "systemuser", Stage.PRE_OPERATION, introduce),
        Step("Create", "systemuser", Stage.POST_OPERATION, join_default_team),
        Step("Update", "systemuser", Stage.PRE_OPERATION, check_user_change),
        Step("Update", "systemuser", Stage.POST_OPERATION, move_user),
        Step("Delete", "systemuser", Stage.PRE_OPERATION, check_user_deletion),
    )


def introduce_user(
    context: ExecutionContext, *, find_application: FindApplication, tenant_domain: str, organization_id: Guid
) -> None:
    """Fill in a new user.

    Raises:
        InvalidArgument: the application is not registered (0x8004f510), has a user already (0x8004f511), or a column
            that the server would fill is given empty.
    """
    record = context.record
    record["organizationid"] = organization_id
    application_id = record.get("applicationid")
    if not isinstance(application_id, str):
        record.setdefault("fullname", _name_of(record))
        return
    for name in _FILLED_FOR_APPLICATIONS:
        if name in record and not record[name]:
            raise InvalidArgument(
                f"The property '{name}' of an application user must not be empty. Omit it or give it."
            )
    application = find_application(Guid(application_id))
    if application is None:
        correlation = context.reference.id if context.reference else application_id
        raise InvalidArgument(
            f"We didn’t find that application ID {application_id} in your Azure Active Directory (Azure AD) with "
            f"CorrelationID {correlation}. Make sure your application is registered in Azure AD.",
            code="0x8004f510",
        )
    if first(context.system, "systemuser", equals("applicationid", application_id), "systemuserid"):
        raise InvalidArgument(
            f"You are attempting to create an Application ID = {application_id} that already exists.",
            code="0x8004f511",
        )
    _describe_application(record, application, tenant_domain)


def _describe_application(record: dict[str, Value], application: Application, tenant_domain: str) -> None:
    name = "".join(letter for letter in application.display_name if letter.isalnum())
    tail = f"{application.application_id}@{tenant_domain}"
    address = f"{name[: max(0, _LONGEST_ADDRESS - len(tail))]}{tail}"
    record.setdefault("firstname", "#")
    record.setdefault("lastname", application.display_name)
    record.setdefault("internalemailaddress", address)
    record.update(
        {
            "fullname": f"# {application.display_name}",
            "domainname": address,
            "azureactivedirectoryobjectid": application.object_id,
            "applicationiduri": application.identifier_uri or f"api://{application.application_id}",
            "accessmode": _NON_INTERACTIVE,
            "islicensed": False,
            "issyncwithdirectory": True,
        }
    )


def _name_of(record: Record) -> str | None:
    named = full_name(record.get("firstname"), record.get("middlename"), record.get("lastname"))
    return named or str(record.get("domainname") or "") or None


def join_default_team(context: ExecutionContext) -> None:
    """Add a new user to the default team of its business unit."""
    if context.reference is not None:
        _join(context.system, context.reference.id, referenced(context.record.get("businessunitid")))


def _join(system: Operations, user_id: Guid, unit_id: Guid | None) -> None:
    team = _default_team(system, unit_id)
    if team is not None:
        pair = {"teamid": team, "systemuserid": user_id}
        system.execute(Create("teammembership", {"teammembershipid": derived_id(user_id, team), **pair}))


def _leave(system: Operations, user_id: Guid, unit_id: Guid | None) -> None:
    team = _default_team(system, unit_id)
    if team is None:
        return
    membership = first(system, "teammembership", both(equals("systemuserid", user_id), equals("teamid", team)))
    if membership is not None:
        system.execute(Delete(EntityReference("teammembership", Guid(str(membership["teammembershipid"])))))


def _default_team(system: Operations, unit_id: Guid | None) -> Guid | None:
    if unit_id is None:
        return None
    where = both(equals("businessunitid", EntityReference("businessunit", unit_id)), equals("isdefault", value=True))
    team = first(system, "team", where, "teamid")
    return Guid(str(team["teamid"])) if team else None


def check_user_change(context: ExecutionContext) -> None:
    """Refuse changes that are not possible, and keep the full name in step.

    Raises:
        InvalidOperation: a fixed property of an application user (0x80041d48), the object id (0x80041d4f), or the
            last administrator would be disabled (0x80041d2f).
    """
    before, record = context.pre_image or {}, context.record
    known = before.get("azureactivedirectoryobjectid")
    if known and record.get("azureactivedirectoryobjectid", known) != known:
        raise InvalidOperation("The property AzureActiveDirectoryObjectId cannot be modified.", code="0x80041d4f")
    if before.get("applicationid") and any(
        record.get(n, before.get(n)) != before.get(n) for n in _FIXED_FOR_APPLICATIONS
    ):
        raise InvalidOperation("The user representing an OAuth application cannot not be updated", code="0x80041d48")
    if (
        record.get("isdisabled") is True
        and context.reference
        and is_last_administrator(context.system, context.reference.id)
    ):
        raise InvalidOperation(
            "A user cannot be disabled if they are the only user that has the System Administrator Role.",
            code="0x80041d2f",
        )
    if not before.get("applicationid") and any(name in record for name in ("firstname", "middlename", "lastname")):
        record["fullname"] = _name_of({**before, **record})


def is_last_administrator(system: Operations, user_id: Guid) -> bool:
    """Tell whether a user is the only enabled one with the System Administrator role."""
    holders = system.records(
        QueryExpression(
            "systemuserroles",
            ("systemuserid",),
            links=(
                LinkEntity(
                    "r", "role", "roleid", "roleid", filter=_is("r", "roletemplateid", SYSTEM_ADMINISTRATOR_TEMPLATE)
                ),
                LinkEntity(
                    "u", "systemuser", "systemuserid", "systemuserid", filter=_is("u", "isdisabled", value=False)
                ),
            ),
            top=2,
        )
    )
    return [holder["systemuserid"] for holder in holders] == [user_id]


def _is(alias: str, column: str, value: Value) -> Filter:
    return Condition(ColumnRef(column, alias), ConditionOperator.EQUAL, (value,))


def move_user(context: ExecutionContext) -> None:
    """Take the roles from a user that moves to another business unit, and change its default team.

    Roles belong to a business unit; those of the old one mean nothing in the new one. What the user owns moves along.
    """
    if "businessunitid" not in context.record or context.reference is None:
        return
    before = referenced((context.pre_image or {}).get("businessunitid"))
    after = referenced(context.record["businessunitid"])
    if before == after:
        return
    user = context.reference
    held = QueryExpression("systemuserroles", ("roleid",), filter=equals("systemuserid", user.id))
    for pair in context.system.records(held):
        role = EntityReference("role", Guid(str(pair["roleid"])))
        context.system.execute(Disassociate(user, "systemuserroles_association", role))
    _leave(context.system, user.id, before)
    _join(context.system, user.id, after)
    reassign(context.system, user, user, lambda change: context.system.execute(change, context.caller))


def check_user_deletion(context: ExecutionContext) -> None:
    """Refuse to delete a user that is still enabled.

    Raises:
        InvalidOperation: it is.
    """
    before = context.pre_image or {}
    if not before.get("isdisabled"):
        user = context.reference.id if context.reference else ""
        raise InvalidOperation(f"The user with id={user} is enabled. Disable the user before you delete it.")
