"""Functions that tell which privileges roles, users and teams have (Learn: "Web API Function Reference")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from entities.errors import InvalidArgument, RecordNotFound
from entities.pipeline import ExecutionContext, Handler, Operations, Stage, Step
from entities.query import ALL_ROWS, QueryExpression, equals
from entities.standard.identifiers import SYSTEM_ADMINISTRATOR_TEMPLATE
from entities.standard.lookups import by_id, first, referenced
from entities.values import EntityReference, Guid, Record, guid

DEPTHS: Mapping[str, int] = MappingProxyType({"Basic": 0, "Local": 1, "Deep": 2, "Global": 3})
_DEPTH_NAMES = tuple(DEPTHS)


def privilege_function_steps() -> tuple[Step, ...]:
    """Return the handlers of these functions."""
    handlers: Mapping[tuple[str, str | None], Handler] = {
        ("RetrieveRolePrivilegesRole", None): role_privileges,
        ("RetrieveUserPrivileges", "systemuser"): user_privileges,
        ("RetrieveUserPrivilegeByPrivilegeId", "systemuser"): user_privilege,
        ("RetrieveUserPrivilegeByPrivilegeName", "systemuser"): user_privilege,
        ("RetrieveUsersPrivilegesThroughTeams", "systemuser"): privileges_through_teams,
        ("RetrieveTeamPrivileges", "team"): team_privileges,
        ("RetrievePrivilegeSet", None): privilege_set,
    }
    return tuple(Step(name, table, Stage.MAIN, handler) for (name, table), handler in handlers.items())


def role_privileges(context: ExecutionContext) -> None:
    """Answer RetrieveRolePrivilegesRole: what a role grants.

    Raises:
        InvalidArgument: RoleId is not a GUID.
        RecordNotFound: there is no such role.
    """
    role = identifier(context.parameters.get("RoleId"), "RoleId")
    _answer(context, (role,))


def user_privileges(context: ExecutionContext) -> None:
    """Answer RetrieveUserPrivileges: what a user's roles and those of its teams grant, at the greatest depth."""
    user = bound(context)
    _answer(context, (*_own_roles(context.system, user), *_roles_of_teams(context.system, user)))


def user_privilege(context: ExecutionContext) -> None:
    """Answer RetrieveUserPrivilegeByPrivilegeId and RetrieveUserPrivilegeByPrivilegeName: one of them, if it is held.

    Raises:
        RecordNotFound: there is no such privilege.
    """
    given, name = context.parameters.get("PrivilegeId"), context.parameters.get("PrivilegeName")
    wanted = Guid(str(privilege_named(context.system, given, name)["privilegeid"]))
    user = bound(context)
    _answer(context, (*_own_roles(context.system, user), *_roles_of_teams(context.system, user)), wanted)


def privileges_through_teams(context: ExecutionContext) -> None:
    """Answer RetrieveUsersPrivilegesThroughTeams: what a user's teams grant; no privilege is disabled here."""
    _answer(context, _roles_of_teams(context.system, bound(context)))


def team_privileges(context: ExecutionContext) -> None:
    """Answer RetrieveTeamPrivileges: what a team's roles grant."""
    _answer(context, _roles_of_team(context.system, bound(context)))


def privilege_set(context: ExecutionContext) -> None:
    """Answer RetrievePrivilegeSet: every privilege of the environment."""
    context.result = {"value": QueryExpression("privilege")}


def bound(context: ExecutionContext) -> Guid:
    """Return the record that a function or action is bound to.

    Raises:
        InvalidArgument: it is bound to none.
    """
    if context.reference is None:
        raise InvalidArgument("The operation is bound to a record.")
    return context.reference.id


def identifier(value: object, name: str) -> Guid:
    """Return a parameter that must be a GUID.

    Raises:
        InvalidArgument: it is none.
    """
    found = guid(str(value))
    if found is None:
        raise InvalidArgument(f"The parameter '{name}' must be a GUID.")
    return found


def privilege_named(system: Operations, given: object, name: object = None) -> Record:
    """Return the privilege named by a GUID, a reference, a body with `privilegeid`, or its name.

    Raises:
        InvalidArgument: it is none of these.
        RecordNotFound: there is no such privilege.
    """
    match given:
        case None if isinstance(name, str):
            found = first(system, "privilege", equals("name", name))
            if found is None:
                raise RecordNotFound(f"Privilege With Name = {name} Does Not Exist")
            return found
        case EntityReference(id=found_id):
            return by_id(system, EntityReference("privilege", found_id))
        case Mapping():
            return by_id(system, EntityReference("privilege", identifier(given.get("privilegeid"), "privilegeid")))
        case _:
            return by_id(system, EntityReference("privilege", identifier(given, "PrivilegeId")))


def granted(system: Operations, role: Guid) -> tuple[Record, ...]:
    """Return the rows by which a role grants privileges."""
    return system.records(QueryExpression("roleprivileges", filter=equals("roleid", role)))


def _own_roles(system: Operations, user: Guid) -> tuple[Guid, ...]:
    return _roles(system, QueryExpression("systemuserroles", ("roleid",), filter=equals("systemuserid", user)))


def _roles_of_teams(system: Operations, user: Guid) -> tuple[Guid, ...]:
    teams = system.records(QueryExpression("teammembership", ("teamid",), filter=equals("systemuserid", user)))
    return tuple(role for team in teams for role in _roles_of_team(system, Guid(str(team["teamid"]))))


def _roles_of_team(system: Operations, team: Guid) -> tuple[Guid, ...]:
    return _roles(system, QueryExpression("teamroles", ("roleid",), filter=equals("teamid", team)))


def _roles(system: Operations, query: QueryExpression) -> tuple[Guid, ...]:
    return tuple(Guid(str(pair["roleid"])) for pair in system.records(query))


@dataclass(frozen=True, slots=True)
class _Grant:
    """The greatest depth at which a privilege is held, and the business unit of the role that grants it."""

    depth: int
    unit: Guid | None


def _answer(context: ExecutionContext, roles: Iterable[Guid], wanted: Guid | None = None) -> None:
    """Answer with the complex values RolePrivilege of some roles together, of one privilege if it is named."""
    system = context.system
    held: dict[Guid, _Grant] = {}
    for role in dict.fromkeys(roles):
        record = by_id(system, EntityReference("role", role), "businessunitid", "roletemplateid")
        unit = referenced(record.get("businessunitid"))
        for privilege, depth in _grants_of(system, role, record):
            if privilege not in held or held[privilege].depth < depth:
                held[privilege] = _Grant(depth, unit)
    names = _names(system, wanted)
    context.result = {
        "RolePrivileges": [
            {
                "Depth": _DEPTH_NAMES[grant.depth],
                "PrivilegeId": privilege,
                "BusinessUnitId": grant.unit,
                "PrivilegeName": names[privilege],
            }
            for privilege, grant in held.items()
            if privilege in names
        ]
    }


def _names(system: Operations, wanted: Guid | None) -> Mapping[Guid, str]:
    which = ALL_ROWS if wanted is None else equals("privilegeid", wanted)
    found = system.records(QueryExpression("privilege", ("privilegeid", "name"), filter=which))
    return {Guid(str(row["privilegeid"])): str(row["name"]) for row in found}


def _grants_of(system: Operations, role: Guid, record: Record) -> Iterator[tuple[Guid, int]]:
    if referenced(record.get("roletemplateid")) == SYSTEM_ADMINISTRATOR_TEMPLATE:
        for row in system.records(QueryExpression("privilege", ("privilegeid",))):
            yield Guid(str(row["privilegeid"])), DEPTHS["Global"]
        return
    for row in granted(system, role):
        yield Guid(str(row["privilegeid"])), int(str(row["privilegedepthmask"])).bit_length() - 1
