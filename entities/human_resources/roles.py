"""Roles of Human Resources: which rights on which tables a user gets (domain rules R-163, b.10).

A right on a table is granted as a privilege with the same naming scheme as in Dataverse
(`prvReadHcmWorkerEntity`), at organization level: finance-and-operations has no depths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from entities.human_resources.model import PUBLIC_TABLES, TABLES
from entities.metadata.tables import Table

ALL_RIGHTS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo")
READ_ONLY = ("Read",)


@dataclass(frozen=True, slots=True)
class Role:
    """A security role: rights per table."""

    identifier: str
    name: str
    description: str
    rights: Mapping[str, tuple[str, ...]]

    def privileges(self) -> frozenset[str]:
        """Return the names of the privileges that the role grants."""
        return frozenset(
            f"prv{right}{table.schema_name}" for table in TABLES for right in self.rights.get(table.logical_name, ())
        )


def _on(tables: tuple[Table, ...], rights: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({table.logical_name: rights for table in tables})


SYSTEM_ADMINISTRATOR = Role("-SYSADMIN-", "System administrator", "Full access to everything", _on(TABLES, ALL_RIGHTS))
HUMAN_RESOURCE_MANAGER = Role(
    "HcmHumanResourceManager",
    "Human resource manager",
    "May read and write data in Personnel management",
    _on(PUBLIC_TABLES, ALL_RIGHTS),
)
EMPLOYEE = Role("HcmEmployee", "Employee", "May read, but not write, personnel data", _on(PUBLIC_TABLES, READ_ONLY))

ROLES = (SYSTEM_ADMINISTRATOR, HUMAN_RESOURCE_MANAGER, EMPLOYEE)

ROLES_BY_IDENTIFIER: Mapping[str, Role] = MappingProxyType({role.identifier.lower(): role for role in ROLES})
"""Roles by lower-case identifier: identifiers compare without regard to case, as all keys here do."""
