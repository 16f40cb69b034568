"""Privileges: what a role may grant, derived from the metadata (Learn: "Security roles and privileges")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from entities.values import Guid


class Depth(IntEnum):
    """How far a privilege reaches (enum PrivilegeDepth); the mask stored in RolePrivileges is `1 << depth`."""

    BASIC = 0
    LOCAL = 1
    DEEP = 2
    GLOBAL = 3


class AccessRight(IntFlag):
    """Dataverse's AccessRights flags."""

    NONE = 0
    READ = 1
    WRITE = 2
    APPEND = 4
    APPEND_TO = 16
    CREATE = 32
    DELETE = 65_536
    SHARE = 262_144
    ASSIGN = 524_288


@dataclass(frozen=True, slots=True)
class Privilege:
    """One privilege: `prvReadAccount` and its like. `depths` are those at which a role may hold it."""

    privilege_id: Guid
    name: str
    right: AccessRight
    depths: frozenset[Depth]
