"""The directory of Human Resources: an application or a person as one of its users, with the rights of its roles.

An application is looked up in the list of Entra applications (R-160 to R-163), a person by alias or e-mail address.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from entities.errors import AccessDenied
from entities.human_resources.roles import ROLES_BY_IDENTIFIER, SYSTEM_ADMINISTRATOR
from entities.metadata.declare import derived_id
from entities.pipeline import Caller
from entities.values import EMPTY_GUID, Guid
from odata_server.engine.database import Database
from odata_server.engine.hr_directory import (
    UserRow,
    company_of_user,
    create_directory_indexes,
    user_by_id,
    user_by_mail,
    user_of_application,
)
from security.principals import Principal
from security.privileges import Depth

_SYSTEM_ID: Final = derived_id("systemuserentity", "system")


class HumanResourcesDirectory:
    """Implements `security.directory.Directory` on the Human Resources database.

    Args:
        database: the environment's database, with its tables in it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.writing() as connection:
            create_directory_indexes(connection)

    def application_user(self, application_id: Guid, object_id: Guid | None = None) -> Principal:
        """Return the user that an application runs as.

        Raises:
            AccessDenied: the application is not in the list, or its user is disabled.
        """
        row = user_of_application(self._database.reader(), application_id)
        if row is None:
            raise AccessDenied(
                f"The application '{application_id}' is not in the list of Microsoft Entra ID applications."
            )
        return _principal(row, application_id, object_id)

    def user(self, object_id: Guid | None, upn: str | None) -> Principal:
        """Return the user whose alias or e-mail address is a person's user principal name.

        Raises:
            AccessDenied: there is none, or it is disabled.
        """
        row = user_by_mail(self._database.reader(), upn) if upn else None
        if row is None:
            raise AccessDenied(f"The user '{upn or object_id}' was not found.")
        return _principal(row, None, object_id)

    def system(self) -> Principal:
        """Return the system itself: every right, in no table of users."""
        caller = Caller(_SYSTEM_ID, EMPTY_GUID, "SYSTEM")
        return Principal(caller, 0, False, 1, grants_of((SYSTEM_ADMINISTRATOR.identifier.lower(),)), is_system=True)  # noqa: FBT003 - a record's field

    def by_id(self, user_id: Guid) -> Principal:
        """Return the user whose record has this id.

        Raises:
            AccessDenied: there is none, or it is disabled.
        """
        row = user_by_id(self._database.reader(), user_id)
        if row is None:
            raise AccessDenied(f"The user '{user_id}' was not found.")
        return _principal(row, None, None)

    def team(self, team_id: Guid) -> Principal:
        """Refuse: teams are not known here.

        Raises:
            AccessDenied: always.
        """
        raise AccessDenied(f"The team '{team_id}' was not found.")

    def company_of(self, principal: Principal) -> str:
        """Return the default company of a user in lower case, empty when it has none."""
        return company_of_user(self._database.reader(), principal.caller.user_id).lower()


def _principal(row: UserRow, application_id: Guid | None, object_id: Guid | None) -> Principal:
    """Return a user as a principal.

    Raises:
        AccessDenied: the user is disabled.
    """
    if not row.is_enabled:
        raise AccessDenied(f"The user '{row.user_id}' is disabled.")
    caller = Caller(row.id, EMPTY_GUID, row.user_id, application_id, object_id, row.alias or None)
    return Principal(caller, access_mode=0, is_disabled=False, role_count=len(row.roles), grants=grants_of(row.roles))


@lru_cache(maxsize=256)
def grants_of(roles: tuple[str, ...]) -> Mapping[str, Depth]:
    """Return the privileges that roles grant together; a role that is not declared grants nothing.

    Args:
        roles: lower-case identifiers of roles.
    """
    names = {name for role in roles if role in ROLES_BY_IDENTIFIER for name in ROLES_BY_IDENTIFIER[role].privileges()}
    return MappingProxyType(dict.fromkeys(sorted(names), Depth.GLOBAL))
