"""The rows that a fresh Human Resources environment has: its roles, the user Admin, the administrator's application.

Rows are pairs of table and record, to be created in order with the system's rights: numbers, persons and references
come from the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from entities.human_resources.roles import ROLES, SYSTEM_ADMINISTRATOR
from entities.values import Record

SeedRow: TypeAlias = tuple[str, Record]

ADMIN_USER = "Admin"


def seed_rows(*, admin_client_id: str, domain: str) -> tuple[SeedRow, ...]:
    """Return the rows of a fresh environment.

    Args:
        admin_client_id: the client id of the administrator's application, which runs as Admin.
        domain: the tenant's domain, of which Admin's address is made.
    """
    return (
        *_roles(),
        *user_rows(ADMIN_USER, "Administrator", SYSTEM_ADMINISTRATOR.identifier, domain),
        (
            "sysaadcliententity",
            {"clientid": admin_client_id, "name": "Talentverse administration", "userid": ADMIN_USER},
        ),
    )


def _roles() -> Iterator[SeedRow]:
    for role in ROLES:
        yield (
            "securityroleentity",
            {
                "securityroleidentifier": role.identifier,
                "securityrolename": role.name,
                "description": role.description,
            },
        )


def user_rows(user_id: str, name: str, role: str, domain: str, company: str = "USMF") -> tuple[SeedRow, ...]:
    """Return a user with one role; the alias is the user principal name by which persons are found."""
    address = f"{user_id.lower()}@{domain}"
    return (
        (
            "systemuserentity",
            {
                "userid": user_id,
                "username": name,
                "enabled": 1,
                "alias": address,
                "email": address,
                "company": company,
            },
        ),
        ("securityuserroleentity", {"userid": user_id, "securityroleidentifier": role}),
    )
