"""The users of Human Resources in SQL: who an application or a person is there, and with which roles.

The statements use indexes, so nothing has to be remembered and a changed role counts at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from entities.text import fold
from entities.values import Guid
from odata_server.engine.database import Connection

_USER: Final = """
SELECT u."systemuserentityid", u."userid", u."username", u."enabled", u."alias", u."userid$fold"
"""

_ROLES: Final = """
SELECT "securityroleidentifier$fold" FROM "securityuserroleentity" WHERE "userid$fold" = $1
 ORDER BY "securityroleidentifier$fold"
"""

_BY_APPLICATION: Final = f"""{_USER}
  FROM "sysaadcliententity" AS a JOIN "systemuserentity" AS u ON u."userid$fold" = a."userid$fold"
 WHERE a."clientid$fold" = $1"""

_BY_MAIL: Final = f"""{_USER}
  FROM "systemuserentity" AS u WHERE u."alias$fold" = $1 OR u."email$fold" = $1
 ORDER BY u."alias$fold" = $1 DESC, u."userid$fold" LIMIT 1"""

_BY_ID: Final = f"""{_USER}
  FROM "systemuserentity" AS u WHERE u."systemuserentityid" = $1"""


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user of Human Resources; `roles` are the folded identifiers of its roles, in order."""

    id: Guid
    user_id: str
    name: str
    is_enabled: bool
    alias: str
    roles: tuple[str, ...]


def create_directory_indexes(connection: Connection) -> None:
    """Make the indexes that finding a person needs, where they do not exist yet; the rest are keys."""
    for column in ("alias", "email"):
        connection.execute(
            f'CREATE INDEX IF NOT EXISTS "systemuserentity$by_{column}" ON "systemuserentity" ("{column}$fold")'
        )


def user_of_application(connection: Connection, client_id: str) -> UserRow | None:
    """Return the user that an Entra application is mapped to."""
    return _row(connection, _BY_APPLICATION, client_id)


def user_by_mail(connection: Connection, address: str) -> UserRow | None:
    """Return the user whose alias, or else whose e-mail address, is this."""
    return _row(connection, _BY_MAIL, address)


def user_by_id(connection: Connection, record_id: Guid) -> UserRow | None:
    """Return the user whose record has this id."""
    return _row(connection, _BY_ID, record_id)


def company_of_user(connection: Connection, record_id: Guid) -> str:
    """Return the default company of a user, empty when it has none or there is no such user."""
    sql = 'SELECT "company" FROM "systemuserentity" WHERE "systemuserentityid" = $1'
    row = connection.execute(sql, (record_id,)).fetchone()
    return str(row[0] or "") if row else ""


def _row(connection: Connection, sql: str, value: str) -> UserRow | None:
    row = connection.execute(sql, (fold(value),)).fetchone()
    if row is None:
        return None
    record_id, user_id, name, enabled, alias, folded = row
    roles = connection.execute(_ROLES, (folded,)).fetchall()
    return UserRow(
        Guid(str(record_id)),
        str(user_id),
        str(name or user_id),
        enabled != 0,
        str(alias or ""),
        tuple(str(role) for (role,) in roles),
    )
