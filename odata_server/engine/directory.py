"""Dataverse's directory: users, their roles, teams and business units, read with indexed look-ups.

What a principal may do changes seldom and is asked on every request: principals are kept as long as the stamp of
metadata and security state stays the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from entities.display import NO_CURRENCIES, Currencies
from entities.errors import AccessDenied
from entities.pipeline import Caller
from entities.standard.identifiers import SYSTEM_ADMINISTRATOR_TEMPLATE, root_business_unit_id, system_user_id
from entities.text import fold
from entities.values import Guid
from odata_server.engine.database import Connection, Database, SqlRow, quoted, single
from odata_server.engine.display_settings import currencies, display_of
from security.principals import TEAM_TYPE, EveryPrivilege, Principal
from security.privileges import Depth

NOT_A_MEMBER = "0x80072560"
DISABLED = "0x80040225"
WITHOUT_ROLES = "0x80042f09"

_INDEXES = (
    ("systemuser", ("applicationid",), False),
    ("systemuser", ("azureactivedirectoryobjectid",), False),
    ("systemuser", ("domainname$fold",), False),
    ("businessunit", ("parentbusinessunitid",), False),
    ("systemuserroles", ("systemuserid", "roleid"), True),
    ("systemuserroles", ("roleid",), False),
    ("teamroles", ("teamid", "roleid"), True),
    ("teamroles", ("roleid",), False),
    ("teammembership", ("systemuserid", "teamid"), True),
    ("teammembership", ("teamid",), False),
    ("roleprivileges", ("roleid", "privilegeid"), True),
    ("roleprivileges", ("privilegeid",), False),
    ("principalobjectaccess", ("objectid", "principalid"), True),
    ("principalobjectaccess", ("principalid",), False),
    ("principalentitymap", ("principalid", "objecttypecode"), True),
)
"""Table, columns and uniqueness of the indexes that the look-ups below need."""

_USER = (
    "SELECT systemuserid, businessunitid, fullname, applicationid, azureactivedirectoryobjectid, domainname,"
    " accessmode, isdisabled FROM systemuser WHERE {} LIMIT 1"
)
_ROLES = (
    "SELECT ur.roleid, r.roletemplateid FROM systemuserroles AS ur JOIN role AS r ON r.roleid = ur.roleid"
    " WHERE ur.systemuserid = $1"
    " UNION SELECT tr.roleid, r.roletemplateid FROM teammembership AS tm JOIN teamroles AS tr ON tr.teamid = tm.teamid"
    " JOIN role AS r ON r.roleid = tr.roleid WHERE tm.systemuserid = $1"
)
_GRANTS = (
    "SELECT p.name, max(rp.privilegedepthmask) FROM roleprivileges AS rp"
    " JOIN privilege AS p ON p.privilegeid = rp.privilegeid WHERE rp.roleid IN ({}) GROUP BY p.name"
)
# Access teams (teamtype 1) own nothing.
_TEAMS = (
    "SELECT tm.teamid FROM teammembership AS tm JOIN team AS t ON t.teamid = tm.teamid"
    " WHERE tm.systemuserid = $1 AND coalesce(t.teamtype, 0) <> 1 ORDER BY tm.teamid"
)
# What is shared with an access team is shared with its members all the same.
_SHARED = (
    "SELECT objecttypecode, principalid FROM principalentitymap WHERE principalid = $1"
    " OR principalid IN (SELECT teamid FROM teammembership WHERE systemuserid = $1)"
    " ORDER BY objecttypecode, principalid"
)
_TEAM = "SELECT teamid, businessunitid, name, teamtype FROM team WHERE teamid = $1"
_TEAM_ROLES = (
    "SELECT tr.roleid, r.roletemplateid FROM teamroles AS tr JOIN role AS r ON r.roleid = tr.roleid"
    " WHERE tr.teamid = $1"
)
_UNITS_BELOW = (
    "WITH RECURSIVE unit (id) AS (VALUES ($1) UNION"
    " SELECT b.businessunitid FROM businessunit AS b JOIN unit ON b.parentbusinessunitid = unit.id)"
    " SELECT id FROM unit"
)


def create_directory_indexes(connection: Connection) -> None:
    """Make the indexes that finding a principal needs, where they do not exist yet."""
    for table, columns, unique in _INDEXES:
        name = f"{table}$by_{'_'.join(columns)}"
        kind = "UNIQUE INDEX" if unique else "INDEX"
        listed = ", ".join(quoted(column) for column in columns)
        connection.execute(f"CREATE {kind} IF NOT EXISTS {quoted(name)} ON {quoted(table)} ({listed})")


_Ways: TypeAlias = tuple[tuple[str, str | None], ...]
"""Columns and values that may name one user, tried in this order."""


@dataclass(slots=True)
class _Known:
    """The principals found at one stamp."""

    stamp: int
    privilege_count: int
    currencies: Currencies = NO_CURRENCIES
    principals: dict[_Ways, Principal] = field(default_factory=dict)


class DataverseDirectory:
    """Finds the principals of a Dataverse environment.

    Args:
        database: the environment's database, with the standard tables in it.
        stamp: gives the version of metadata and security state.
        organization_id: the environment's organization.
    """

    def __init__(self, database: Database, stamp: Callable[[], int], organization_id: Guid) -> None:
        self._database = database
        self._stamp = stamp
        self._known = _Known(-1, 0)
        root = root_business_unit_id(organization_id)
        self._system = Principal(
            Caller(system_user_id(organization_id), root, "SYSTEM"),
            access_mode=0,
            is_disabled=False,
            role_count=1,
            grants=EveryPrivilege(0, self._privilege_names),
            is_system=True,
        )
        with database.writing() as connection:
            create_directory_indexes(connection)

    def system(self) -> Principal:
        """Return the principal of the environment itself, which may do everything."""
        return self._system

    def application_user(self, application_id: Guid, object_id: Guid | None) -> Principal:
        """Return the principal of an application: by its application id, else by its object id.

        Raises:
            AccessDenied: no such user (0x80072560), disabled (0x80040225) or without roles (0x80042f09).
        """
        return self._principal((("applicationid", application_id), ("azureactivedirectoryobjectid", object_id)))

    def user(self, object_id: Guid | None, upn: str | None) -> Principal:
        """Return the principal of a person: by object id, else by user principal name.

        Raises:
            AccessDenied: no such user (0x80072560), disabled (0x80040225) or without roles (0x80042f09).
        """
        return self._principal((("azureactivedirectoryobjectid", object_id), ("domainname$fold", upn)))

    def by_id(self, user_id: Guid) -> Principal:
        """Return the principal of a user of this environment by its id (impersonation).

        Raises:
            AccessDenied: no such user (0x80072560), disabled (0x80040225) or without roles (0x80042f09).
        """
        return self._principal((("systemuserid", user_id),))

    def _principal(self, ways: _Ways) -> Principal:
        known = self._current()
        found = known.principals.get(ways)
        if found is None:
            found = known.principals[ways] = self._read(known, ways)
        return found

    def _current(self) -> _Known:
        stamp = self._stamp()
        known = self._known
        if known.stamp != stamp:
            count = int(single(self._database.reader(), "SELECT count(*) FROM privilege"))
            self._known = known = _Known(stamp, count, currencies(self._database.reader()))
        return known

    def _read(self, known: _Known, ways: _Ways) -> Principal:
        row = self._find(ways)
        if row is None:
            raise AccessDenied("The user is not a member of the organization.", code=NOT_A_MEMBER)
        caller, access_mode, is_disabled = row
        if is_disabled:
            raise AccessDenied(
                f"The specified user(Id = {caller.user_id}) is disabled. Consider enabling this user. "
                "Additional Details: ",
                code=DISABLED,
            )
        roles = self._rows(_ROLES, caller.user_id)
        if not roles:
            raise AccessDenied(
                f"The user with id {caller.user_id} has not been assigned any roles. "
                "They need a role with the prvReadUser privilege.",
                code=WITHOUT_ROLES,
            )
        grants = self._grants(known, roles)
        return Principal(
            caller,
            access_mode,
            is_disabled=False,
            role_count=len(roles),
            grants=grants,
            team_ids=tuple(Guid(str(team)) for (team,) in self._rows(_TEAMS, caller.user_id)),
            units_below=self._units_below(caller.business_unit_id, grants),
            privilege_total=known.privilege_count,
            display=display_of(self._database.reader(), caller.user_id, known.currencies),
            shared=self._shared(caller.user_id),
        )

    def team(self, team_id: Guid) -> Principal:
        """Return what a team may do by itself: whose members it is that ask is of no account.

        Raises:
            AccessDenied: there is no such team (0x80072560).
        """
        for team, unit, name, kind in self._rows(_TEAM, team_id):
            roles = self._rows(_TEAM_ROLES, str(team))
            grants: Mapping[str, Depth] = self._grants(self._current(), roles) if roles else {}
            caller = Caller(Guid(str(team)), Guid(str(unit)), str(name or ""))
            return Principal(
                caller,
                access_mode=0,
                is_disabled=False,
                role_count=len(roles),
                grants=grants,
                units_below=self._units_below(caller.business_unit_id, grants),
                object_type=TEAM_TYPE,
                team_type=int(str(kind or 0)),
                shared=self._shared(caller.user_id),
            )
        raise AccessDenied("The team is not a member of the organization.", code=NOT_A_MEMBER)

    def _shared(self, principal: Guid) -> Mapping[str, tuple[Guid, ...]]:
        """Return by table with whom records are shared: the principal itself, teams that it is a member of."""
        found: dict[str, tuple[Guid, ...]] = {}
        for table, grantee in self._rows(_SHARED, principal):
            found[str(table)] = (*found.get(str(table), ()), Guid(str(grantee)))
        return found

    def _find(self, ways: _Ways) -> tuple[Caller, int, bool] | None:
        """Return the first user that one of the columns names."""
        for column, value in ways:
            compared = value if value is None or not column.endswith("$fold") else fold(value)
            rows = self._rows(_USER.format(f"{quoted(column)} = $1"), compared) if compared else []
            for user, unit, name, application, directory_object, domain_name, mode, disabled in rows:
                caller = Caller(
                    Guid(str(user)),
                    Guid(str(unit)),
                    str(name or ""),
                    application_id=Guid(str(application)) if application else None,
                    object_id=Guid(str(directory_object)) if directory_object else None,
                    domain_name=str(domain_name) if domain_name else None,
                )
                return caller, int(str(mode or 0)), bool(disabled)
        return None

    def _grants(self, known: _Known, roles: list[SqlRow]) -> Mapping[str, Depth]:
        if any(template == SYSTEM_ADMINISTRATOR_TEMPLATE for _, template in roles):
            return EveryPrivilege(known.privilege_count, self._privilege_names)
        held = json.dumps([role for role, _ in roles])
        grants = _GRANTS.format(self._database.dialect.members("$1"))
        return {str(name): Depth(int(str(mask)).bit_length() - 1) for name, mask in self._rows(grants, held)}

    def _units_below(self, unit: Guid, grants: Mapping[str, Depth]) -> tuple[Guid, ...]:
        if isinstance(grants, EveryPrivilege) or Depth.DEEP not in grants.values():
            return (unit,)
        return tuple(Guid(str(found)) for (found,) in self._rows(_UNITS_BELOW, unit))

    def _privilege_names(self) -> Iterator[str]:
        return (str(name) for (name,) in self._rows("SELECT name FROM privilege ORDER BY name"))

    def _rows(self, sql: str, *values: str) -> list[SqlRow]:
        return self._database.reader().execute(sql, values).fetchall()
