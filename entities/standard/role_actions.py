"""Actions and functions of security: privileges of roles and users, and who is asking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

from entities.errors import AccessDenied, InvalidArgument, InvalidOperation, RecordNotFound
from entities.messages import Create, Delete, Update
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import ALL_ROWS, QueryExpression, both, equals
from entities.standard.identifiers import SYSTEM_ADMINISTRATOR_TEMPLATE
from entities.standard.lookups import by_id, first, referenced
from entities.standard.role_rules import copies_of, role_privilege
from entities.values import EntityReference, Guid, Record, guid

_DEPTHS: Mapping[str, int] = MappingProxyType({"Basic": 0, "Local": 1, "Deep": 2, "Global": 3})
_DEPTH_NAMES = tuple(_DEPTHS)
_POSSIBLE = ("canbebasic", "canbelocal", "canbedeep", "canbeglobal")


def action_steps(organization_id: Guid, version: str) -> tuple[Step, ...]:
    """Return the handlers of security's actions and functions.

    Args:
        organization_id: the environment's organization.
        version: what RetrieveVersion answers.
    """
    return (
        Step("AddPrivilegesRole", "role", Stage.MAIN, add_privileges),
        Step("ReplacePrivilegesRole", "role", Stage.MAIN, replace_privileges),
        Step("RemovePrivilegeRole", "role", Stage.MAIN, remove_privilege),
        Step("RetrieveRolePrivilegesRole", None, Stage.MAIN, role_privileges),
        Step("RetrieveUserPrivileges", "systemuser", Stage.MAIN, user_privileges),
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
        for row in _granted(context.system, role):
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
    privilege = Guid(str(_privilege(context.system, given)["privilegeid"]))
    for role in family:
        row = _held(context.system, role, privilege)
        if row is not None:
            _revoke(context.system, row)


def role_privileges(context: ExecutionContext) -> None:
    """Answer RetrieveRolePrivilegesRole: what a role grants.

    Raises:
        InvalidArgument: RoleId is not a GUID.
        RecordNotFound: there is no such role.
    """
    role = _identifier(context.parameters.get("RoleId"), "RoleId")
    context.result = {"RolePrivileges": _shown(context.system, (role,))}


def user_privileges(context: ExecutionContext) -> None:
    """Answer RetrieveUserPrivileges: what a user's roles and those of its teams grant, at the greatest depth."""
    if context.reference is None:
        raise InvalidArgument("RetrieveUserPrivileges is bound to a user.")
    context.result = {"RolePrivileges": _shown(context.system, _roles_of(context.system, context.reference.id))}


def _roles_of(system: Operations, user: Guid) -> tuple[Guid, ...]:
    own = system.records(QueryExpression("systemuserroles", ("roleid",), filter=equals("systemuserid", user)))
    teams = system.records(QueryExpression("teammembership", ("teamid",), filter=equals("systemuserid", user)))
    through = [
        pair
        for team in teams
        for pair in system.records(QueryExpression("teamroles", ("roleid",), filter=equals("teamid", team["teamid"])))
    ]
    return tuple(dict.fromkeys(Guid(str(pair["roleid"])) for pair in (*own, *through)))


def _shown(system: Operations, roles: Iterable[Guid]) -> list[dict[str, object]]:
    """Return the complex values RolePrivilege of some roles together."""
    depths: dict[Guid, tuple[int, Guid | None]] = {}
    for role in roles:
        record = by_id(system, EntityReference("role", role), "businessunitid", "roletemplateid")
        unit = referenced(record.get("businessunitid"))
        for privilege, depth in _grants_of(system, role, record):
            if privilege not in depths or depths[privilege][0] < depth:
                depths[privilege] = (depth, unit)
    return [
        {"Depth": _DEPTH_NAMES[depth], "PrivilegeId": privilege, "BusinessUnitId": unit}
        for privilege, (depth, unit) in depths.items()
    ]


def _grants_of(system: Operations, role: Guid, record: Record) -> Iterable[tuple[Guid, int]]:
    if referenced(record.get("roletemplateid")) == SYSTEM_ADMINISTRATOR_TEMPLATE:
        everything = system.records(QueryExpression("privilege", ("privilegeid",), filter=ALL_ROWS))
        return [(Guid(str(row["privilegeid"])), _DEPTHS["Global"]) for row in everything]
    return [
        (Guid(str(row["privilegeid"])), int(str(row["privilegedepthmask"])).bit_length() - 1)
        for row in _granted(system, role)
    ]


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
        privilege = _privilege(context.system, item.get("PrivilegeId"), item.get("PrivilegeName"))
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
    if text in _DEPTHS:
        return _DEPTHS[text]
    if text in {"0", "1", "2", "3"}:
        return int(text)
    raise InvalidArgument(f"'{value}' is not a member of the enumeration PrivilegeDepth.")


def _privilege(system: Operations, given: object, name: object = None) -> Record:
    """Return the privilege named by a GUID, a reference, a body with `privilegeid`, or its name."""
    match given:
        case None if isinstance(name, str):
            found = first(system, "privilege", equals("name", name))
            if found is None:
                raise RecordNotFound(f"Privilege With Name = {name} Does Not Exist")
            return found
        case EntityReference(id=identifier):
            return by_id(system, EntityReference("privilege", identifier))
        case Mapping():
            identifier = _identifier(given.get("privilegeid"), "privilegeid")
            return by_id(system, EntityReference("privilege", identifier))
        case _:
            return by_id(system, EntityReference("privilege", _identifier(given, "PrivilegeId")))


def _identifier(value: object, name: str) -> Guid:
    found = guid(str(value))
    if found is None:
        raise InvalidArgument(f"The parameter '{name}' must be a GUID.")
    return found


def _granted(system: Operations, role: Guid) -> tuple[Record, ...]:
    return system.records(QueryExpression("roleprivileges", filter=equals("roleid", role)))


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
