"""Who a request is executed for: a user, an application user or the system, with everything that grants rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from entities.display import ENGLISH, Display
from entities.metadata.tables import Table, TableKind
from entities.pipeline import Caller
from entities.values import Guid
from security.privileges import (
    FINANCE_AND_OPERATIONS,
    ROW_RIGHTS,
    AccessRight,
    Depth,
    privilege_name,
    rights_of,
)

ACCESS_MODES: Mapping[int, str] = MappingProxyType(
    {
        0: "Read-Write",
        1: "Administrative",
        2: "Read",
        3: "Support User",
        4: "Non-interactive",
        5: "Delegated Admin",
    }
)
"""Column accessmode of a user."""

ADMINISTRATIVE = 1
READ_ONLY = 2

NOTHING_SHARED: Mapping[str, tuple[Guid, ...]] = MappingProxyType({})

USER_TYPE = 8
TEAM_TYPE = 9
"""Object type codes of the two kinds of principal."""


@dataclass(frozen=True, slots=True)
class EveryPrivilege(Mapping[str, Depth]):
    """What the System Administrator role grants: every privilege of the environment, organization-wide.

    Holding no copy keeps a principal small and right when tables are added. `names` lists the privileges when
    someone asks for them one by one.
    """

    count: int
    names: Callable[[], Iterator[str]] = field(compare=False)

    def __getitem__(self, name: str) -> Depth:
        return Depth.GLOBAL

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return self.names()

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True, slots=True)
class Principal:
    """A resolved user of an environment at one security version.

    `grants` maps privilege names to the greatest depth that any role gives (user's own and team roles). `units_below`
    are the business units that depth Deep covers: the user's own and all below it. `team_ids` are the teams whose
    records count as the user's own. `privilege_total` is the number of privileges the environment knows;
    `object_type` tells a team from a user. `display` is how the user sees values. `shared` says, by table, with whom
    records of it are shared: the principal itself, teams that it is a member of; a table without any is absent.
    """

    caller: Caller
    access_mode: int
    is_disabled: bool
    role_count: int
    grants: Mapping[str, Depth]
    team_ids: tuple[Guid, ...] = ()
    units_below: tuple[Guid, ...] = ()
    is_system: bool = False
    privilege_total: int = 0
    object_type: int = USER_TYPE
    team_type: int = 0
    display: Display = ENGLISH
    shared: Mapping[str, tuple[Guid, ...]] = field(default_factory=lambda: NOTHING_SHARED)


def is_generated(table: Table) -> bool:
    """Tell whether a table is a virtual table of finance and operations."""
    return (
        table.kind is TableKind.VIRTUAL and table.source is not None and table.source.provider == FINANCE_AND_OPERATIONS
    )


def depth_held(principal: Principal, table: Table, right: AccessRight) -> Depth | None:
    """Return how far a principal's right on a table reaches, None when it has none.

    Every principal with a role holds *Finance and operations Basic User* as well, which opens the generated tables
    organization-wide; the rows are then checked by finance and operations itself.

    Args:
        principal: who asks.
        table: the table.
        right: one right.
    """
    if principal.is_system:
        return Depth.GLOBAL
    if right not in rights_of(table):
        return None
    if principal.role_count and right in ROW_RIGHTS and is_generated(table):
        return Depth.GLOBAL
    return principal.grants.get(privilege_name(table, right))
