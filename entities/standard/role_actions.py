"""Actions on the privileges of roles, and who is asking."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from entities.errors import AccessDenied, InvalidArgument, InvalidOperation
from entities.messages import Create, Delete, Update
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import both, equals
from entities.standard.identifiers import SYSTEM_ADMINISTRATOR_TEMPLATE
from entities.standard.lookups import by_id, first, referenced
from entities.standard.privilege_functions import DEPTHS, granted, privilege_named
from entities.standard.role_rules import copies_of, role_privilege
from entities.values import EntityReference, Guid, Record

_POSSIBLE = ("canbebasic", "canbelocal", "canbedeep", "canbeglobal")


def action_steps(organization_id: Guid, version: str) -> tuple[Step, ...]:
    """Return the handlers of these actions and functions.

    Args:
        organization_id: the environment's organization.
        version: what RetrieveVersion answers.
    """
    return (
        Step("AddPrivilegesRole", "role", Stage.MAIN, add_privileges),
        Step("ReplacePrivilegesRole", "role", Stage.MAIN, replace_privileges),
        Step("RemovePrivilegeRole", "role", Stage.MAIN, remove_privilege),
        Step("WhoAmI", None, Stage.MAIN, partial(who_am_i, organization_id=organization_id)),
        Step("RetrieveVersion", None, Stage.MAIN, partial(retrieve_version, version=version)),
    )


def who_am_i(context: ExecutionContext, *, organization_id: Guid) -> None:
    """Answer WhoAmI: the ids of the caller, its business unit and the organization."""
    context.result = {
        "BusinessUnitId": context.caller.business_unit_id,
        "UserId": context.caller.user_id,
        "OrganizationId": organization_id,
    }


def retrieve_version(context: ExecutionContext, *, version: str) -> None:
    """Answer RetrieveVersion."""
    context.result = {"Version": version}


def add_privileges(context: ExecutionContext) -> None:
    """Add privileges to a role and its copies, or change their depth.

    Raises:
        RecordNotFound: there is no such privilege.
        AccessDenied: the privilege cannot be held at this depth (0x800404bb).
        InvalidOperation: the role is inherited or the System Administrator role (0x80041d31).
        InvalidArgument: the parameter has another form.
    """
    family = _editable(context)
    for privilege, mask in _requested(context):
        for role in family:
            _grant(context.system, role, privilege, mask)


def replace_privileges(context: ExecutionContext) -> None:
    """Give a role and its copies exactly some privileges.

    Raises:
        DataverseError: as `add_privileges`.
    """
    family = _editable(context)
    wanted = dict(_requested(context))
    for role in family:
        for row in granted(context.system, role):
            if row["privilegeid"] not in wanted:
                _revoke(context.system, row)
        for privilege, mask in wanted.items():
            _grant(context.system, role, privilege, mask)


def remove_privilege(context: ExecutionContext) -> None:
    """Take a privilege from a role and its copies; one that is not held is no error.

    Raises:
        RecordNotFound: there is no such privilege.
        InvalidOperation: the role is inherited or the System Administrator role (0x80041d31).
    """
    family = _editable(context)
    given = context.parameters.get("Privilege", context.parameters.get("PrivilegeId"))
    privilege = Guid(str(privilege_named(context.system, given)["privilegeid"]))
    for role in family:
        row = _held(context.system, role, privilege)
        if row is not None:
            _revoke(context.system, row)


def _editable(context: ExecutionContext) -> tuple[Guid, ...]:
    """Return the role of the action and its copies; privileges are edited on the role that the copies come from."""
    if context.reference is None:
        raise InvalidArgument("The action is bound to a role.")
    role = by_id(context.system, context.reference, "roleid", "parentroleid", "roletemplateid")
    if referenced(role.get("roletemplateid")) == SYSTEM_ADMINISTRATOR_TEMPLATE:
        raise InvalidOperation("The System Administrator Role cannot be modified.", code="0x80041d31")
    if role.get("parentroleid") is not None:
        raise InvalidOperation("The privileges of an inherited role are those of the role it is inherited from.")
    return (context.reference.id, *copies_of(context.system, context.reference.id))


def _requested(context: ExecutionContext) -> list[tuple[Guid, int]]:
    """Return the privileges and depth masks of the parameter Privileges."""
    given = context.parameters.get("Privileges")
    if not isinstance(given, list | tuple):
        raise InvalidArgument("The parameter 'Privileges' must be a collection of RolePrivilege.")
    requested: dict[Guid, int] = {}
    for item in given:
        if not isinstance(item, Mapping):
            raise InvalidArgument("The parameter 'Privileges' must be a collection of RolePrivilege.")
        privilege = privilege_named(context.system, item.get("PrivilegeId"), item.get("PrivilegeName"))
        identifier = Guid(str(privilege["privilegeid"]))
        if identifier in requested:
            raise InvalidArgument(f"Privilege {identifier} is duplicated.", code="0x8004140f")
        depth = _depth(item.get("Depth"))
        if not privilege.get(_POSSIBLE[depth]):
            raise AccessDenied("Invalid privilege depth for user.", code="0x800404bb")
        requested[identifier] = 1 << depth
    return list(requested.items())


def _depth(value: object) -> int:
    """Return a depth given by its name or number (Basic 0, Local 1, Deep 2, Global 3)."""
    text = str(value)
    if text in DEPTHS:
        return DEPTHS[text]
    if text in {"0", "1", "2", "3"}:
        return int(text)
    raise InvalidArgument(f"'{value}' is not a member of the enumeration PrivilegeDepth.")


def _held(system: Operations, role: Guid, privilege: Guid) -> Record | None:
    return first(system, "roleprivileges", both(equals("roleid", role), equals("privilegeid", privilege)))


def _grant(system: Operations, role: Guid, privilege: Guid, mask: int) -> None:
    row = _held(system, role, privilege)
    if row is None:
        system.execute(Create("roleprivileges", role_privilege(role, privilege, mask)))
    elif row["privilegedepthmask"] != mask:
        target = EntityReference("roleprivileges", Guid(str(row["roleprivilegeid"])))
        system.execute(Update(target, {"privilegedepthmask": mask}))


def _revoke(system: Operations, row: Record) -> None:
    system.execute(Delete(EntityReference("roleprivileges", Guid(str(row["roleprivilegeid"])))))
