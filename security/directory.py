"""Who a validated token stands for in an environment."""

from __future__ import annotations

from typing import Protocol

from entities.values import Guid
from security.principals import Principal


class Directory(Protocol):
    """Finds the principal behind a token; every environment brings its own."""

    def application_user(self, application_id: Guid, object_id: Guid | None) -> Principal:
        """Return the principal of an application: by its application id, else by its object id.

        Raises:
            AccessDenied: no such user (0x80072560), disabled (0x80040225) or without roles (0x80042f09).
        """
        ...

    def user(self, object_id: Guid | None, upn: str | None) -> Principal:
        """Return the principal of a person: by object id, else by user principal name.

        Raises:
            AccessDenied: no such user (0x80072560), disabled (0x80040225) or without roles (0x80042f09).
        """
        ...

    def system(self) -> Principal:
        """Return the principal of the environment itself, which may do everything."""
        ...

    def by_id(self, user_id: Guid) -> Principal:
        """Return the principal of a user by the id of its row.

        Raises:
            AccessDenied: no such user (0x80072560), disabled (0x80040225) or without roles (0x80042f09).
        """
        ...

    def team(self, team_id: Guid) -> Principal:
        """Return what a team may do by itself.

        Raises:
            AccessDenied: there is no such team (0x80072560).
        """
        ...
