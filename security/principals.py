"""Who a request is executed for: a user, an application user or the system, with everything that grants rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from entities.pipeline import Caller
from entities.values import Guid
from security.privileges import Depth


@dataclass(frozen=True, slots=True)
class Principal:
    """A resolved user of an environment at one security version.

    `grants` maps privilege names to the greatest depth that any role gives (user's own and team roles). `units_below`
    are the business units that depth Deep covers: the user's own and all below it. `team_ids` are the teams whose
    records count as the user's own.
    """

    caller: Caller
    access_mode: int
    is_disabled: bool
    role_count: int
    grants: Mapping[str, Depth]
    team_ids: tuple[Guid, ...] = ()
    units_below: tuple[Guid, ...] = ()
    is_system: bool = False
