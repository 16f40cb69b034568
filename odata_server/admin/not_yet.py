"""Commands and flags of the contract that this release does not have: each says so, and what to use instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "snapshot": "use 'talentverse reset', or copy the data directory of a stopped server",
        "restore": "use 'talentverse reset', or copy the data directory of a stopped server",
        "virtual-table": "generate Human Resources tables with 'talentverse setup talent-hub'",
        "trust": "give clients the certificate bundle that 'talentverse env' names",
    }
)

SERVE_FLAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "--entra-host": "leave it out, and give clients the authority that 'talentverse env' names",
    }
)
