"""Privileges: what a role may grant, derived from the metadata (Learn: "Security roles and privileges")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from types import MappingProxyType
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.declare import derived_id
from entities.metadata.tables import Ownership, Table, TableKind
from entities.standard.identifiers import ACTIVE_SOLUTION, privilege_id
from entities.values import Guid, Record

ACTIVITY: Final = "activitypointer"
"""The base type of all activities."""

FINANCE_AND_OPERATIONS = "finance_operations"
"""The provider of generated tables (`Table.source.provider`)."""


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


RIGHT_NAMES: Mapping[AccessRight, str] = MappingProxyType(
    {
        AccessRight.CREATE: "Create",
        AccessRight.READ: "Read",
        AccessRight.WRITE: "Write",
        AccessRight.DELETE: "Delete",
        AccessRight.APPEND: "Append",
        AccessRight.APPEND_TO: "AppendTo",
        AccessRight.ASSIGN: "Assign",
        AccessRight.SHARE: "Share",
    }
)
"""The rights that tables have privileges for, as `PrivilegeType` and privilege names spell them."""

ROW_RIGHTS = frozenset(
    (
        AccessRight.CREATE,
        AccessRight.READ,
        AccessRight.WRITE,
        AccessRight.DELETE,
        AccessRight.APPEND,
        AccessRight.APPEND_TO,
    )
)
"""What there is to do with rows that have no owner."""

_OWNED_RIGHTS = ROW_RIGHTS | {AccessRight.ASSIGN, AccessRight.SHARE}
_NO_RIGHTS: frozenset[AccessRight] = frozenset()

_RIGHTS_BY_OWNERSHIP: Mapping[Ownership, frozenset[AccessRight]] = MappingProxyType(
    {
        Ownership.NONE: _NO_RIGHTS,
        Ownership.USER: _OWNED_RIGHTS,
        Ownership.BUSINESS: ROW_RIGHTS,
        Ownership.ORGANIZATION: ROW_RIGHTS,
    }
)
_RIGHTS_BY_TABLE: Mapping[str, frozenset[AccessRight]] = MappingProxyType(
    {
        "role": ROW_RIGHTS | {AccessRight.ASSIGN},  # prvAssignRole: giving a role to a user or team
        "privilege": frozenset((AccessRight.READ,)),
        # A request for an operation makes its row.
        "backgroundoperation": ROW_RIGHTS - {AccessRight.CREATE},
        # The rows follow from the tables and the operations that there are.
        "sdkmessage": frozenset((AccessRight.READ, AccessRight.APPEND_TO)),
        "sdkmessagefilter": frozenset((AccessRight.READ, AccessRight.APPEND_TO)),
        # A map comes with the relationship of its tables.
        "entitymap": frozenset((AccessRight.READ, AccessRight.APPEND_TO)),
        "organization": ROW_RIGHTS - {AccessRight.CREATE, AccessRight.DELETE},
        # The row comes and goes with its user.
        "usersettings": ROW_RIGHTS - {AccessRight.CREATE, AccessRight.DELETE},
        "duplicaterulecondition": ROW_RIGHTS,
        # Only jobs make them, and they go with their job.
        "duplicaterecord": frozenset((AccessRight.READ,)),
        # The rows are those of the types of activities.
        "activitypointer": frozenset((AccessRight.READ, AccessRight.APPEND, AccessRight.APPEND_TO)),
        "activityparty": ROW_RIGHTS,
        "activitymimeattachment": ROW_RIGHTS,
        # The server notes them.
        **dict.fromkeys(
            (
                *("appmodulecomponent", "audit", "bulkdeletefailure", "importdata", "importjob", "importlog"),
                *("plugintypestatistic", "recurrencerule", "tracelog", "workflowlog"),
            ),
            frozenset((AccessRight.READ,)),
        ),
        "bulkdeleteoperation": frozenset((AccessRight.READ, AccessRight.DELETE)),
    }
)
_DEPTHS_BY_OWNERSHIP: Mapping[Ownership, frozenset[Depth]] = MappingProxyType(
    {
        Ownership.NONE: frozenset(),
        Ownership.USER: frozenset(Depth),
        Ownership.BUSINESS: frozenset((Depth.LOCAL, Depth.DEEP, Depth.GLOBAL)),
        Ownership.ORGANIZATION: frozenset((Depth.GLOBAL,)),
    }
)
OF_ONE_USER: frozenset[str] = frozenset(("systemuser", "usersettings"))
"""Tables whose rows are those of one user each, by the user's id: depth Basic reaches the caller's own row."""

PARENT_OF: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "duplicaterulecondition": ("regardingobjectid", "duplicaterule"),
        "duplicaterecord": ("asyncoperationid", "asyncoperation"),
        "activityparty": ("activityid", ACTIVITY),
        "activitymimeattachment": ("objectid", ACTIVITY),
    }
)
"""Tables whose rows belong to a row of another, user-owned table: who may use that one may use them (Learn: "Duplicate
rule tables", "Activity tables"). By table: the lookup and the table of the parent."""

_SUFFIX_BY_TABLE: Mapping[str, str] = MappingProxyType(
    {
        "systemuser": "User",
        **dict.fromkeys((ACTIVITY, "activityparty", "activitymimeattachment", "recurrencerule"), "Activity"),
        "annotation": "Note",
        "template": "EmailTemplate",
        "savedquery": "Query",
        "duplicaterulecondition": "DuplicateRule",
        "duplicaterecord": "AsyncOperation",
    }
)
"""Where the suffix is not the table's schema name; types of activities share that of activities."""


def rights_of(table: Table) -> frozenset[AccessRight]:
    """Return the rights a table has privileges for (none for intersect tables)."""
    if table.kind is TableKind.INTERSECT:
        return _NO_RIGHTS
    return _RIGHTS_BY_TABLE.get(table.logical_name, _RIGHTS_BY_OWNERSHIP[table.ownership])


def privilege_name(table: Table, right: AccessRight) -> str:
    """Return the name of a table's privilege for a right: the suffix is the table's schema name."""
    named = table.base_type if table.base_type == ACTIVITY else table.logical_name
    return f"prv{RIGHT_NAMES[right]}{_SUFFIX_BY_TABLE.get(named, table.schema_name)}"


def depths_of(table: Table) -> frozenset[Depth]:
    """Return the depths at which a role may hold a table's privileges.

    Virtual tables are always organization-wide (Learn: "Get started with virtual tables", limitations).
    """
    if table.kind is TableKind.VIRTUAL:
        return _DEPTHS_BY_OWNERSHIP[Ownership.ORGANIZATION]
    if table.logical_name in OF_ONE_USER or table.logical_name in PARENT_OF:
        return frozenset(Depth)
    return _DEPTHS_BY_OWNERSHIP[table.ownership]


def table_privilege(table: Table, right: AccessRight) -> Privilege | None:
    """Return a table's privilege for one right, None when the table has none."""
    if right not in rights_of(table):
        return None
    name = privilege_name(table, right)
    return Privilege(privilege_id(name), name, right, depths_of(table))


def table_privileges(table: Table) -> tuple[Privilege, ...]:
    """Return every privilege of a table, in the order Create, Read, Write, Delete, Append, AppendTo, Assign, Share."""
    return tuple(found for right in RIGHT_NAMES if (found := table_privilege(table, right)) is not None)


def _task_privilege(name: str, right: AccessRight = AccessRight.NONE) -> Privilege:
    return Privilege(privilege_id(name), name, right, frozenset((Depth.GLOBAL,)))


METADATA_PARTS = ("Entity", "Attribute", "Relationship", "OptionSet")
"""What definitions consist of; each part has its own four privileges."""

CUSTOMIZATION_PRIVILEGES: tuple[Privilege, ...] = (
    *(
        _task_privilege(f"prv{RIGHT_NAMES[right]}{part}", right)
        for part in METADATA_PARTS
        for right in (AccessRight.CREATE, AccessRight.READ, AccessRight.WRITE, AccessRight.DELETE)
    ),
    _task_privilege("prvReadCustomization", AccessRight.READ),
    _task_privilege("prvPublishCustomization"),
    _task_privilege("prvImportCustomization"),
    _task_privilege("prvExportCustomization"),
)
"""The privileges of the Customization tab."""

TASK_PRIVILEGES: tuple[Privilege, ...] = (
    _task_privilege("prvActOnBehalfOfAnotherUser"),
    _task_privilege("prvBypassCustomPlugins"),
    _task_privilege("prvBypassCustomBusinessLogic"),
    _task_privilege("prvBulkDelete"),
    _task_privilege("prvMerge"),
    _task_privilege("prvOverrideCreatedOnCreatedBy"),
    _task_privilege("prvPublishDuplicateRule"),
    _task_privilege("prvReadFieldPermission", AccessRight.READ),
)
"""Privileges that belong to no table and to no customization."""

_BY_NAME: Mapping[str, Privilege] = MappingProxyType(
    {privilege.name: privilege for privilege in (*CUSTOMIZATION_PRIVILEGES, *TASK_PRIVILEGES)}
)


def privilege_named(name: str) -> Privilege | None:
    """Return a customization or task privilege by name, None when there is none."""
    return _BY_NAME.get(name)


def environment_privileges(catalog: Catalog) -> tuple[Privilege, ...]:
    """Return every privilege of an environment once (activities share theirs)."""
    found = dict(_BY_NAME)
    for table in catalog.tables.values():
        found.update((privilege.name, privilege) for privilege in table_privileges(table))
    return tuple(found.values())


def privilege_record(privilege: Privilege) -> Record:
    """Return the row of the table `privilege` for a privilege."""
    return {
        "privilegeid": privilege.privilege_id,
        "name": privilege.name,
        "accessright": int(privilege.right),
        "canbebasic": Depth.BASIC in privilege.depths,
        "canbelocal": Depth.LOCAL in privilege.depths,
        "canbedeep": Depth.DEEP in privilege.depths,
        "canbeglobal": Depth.GLOBAL in privilege.depths,
        "canbeentityreference": False,
        "canbeparententityreference": False,
        "ismanaged": True,
        "componentstate": 0,
        "overwritetime": datetime(1900, 1, 1, tzinfo=UTC),
        "privilegerowid": derived_id("privilegerow", privilege.name),
        "solutionid": ACTIVE_SOLUTION,
        "introducedversion": "5.0.0.0",
    }


def privilege_records(tables: Iterable[Table]) -> tuple[Record, ...]:
    """Return the rows that tables bring to the table `privilege`, for when tables are added or removed."""
    found = {privilege.name: privilege for table in tables for privilege in table_privileges(table)}
    return tuple(privilege_record(privilege) for privilege in found.values())


def environment_privilege_records(catalog: Catalog) -> tuple[Record, ...]:
    """Return all rows of the table `privilege` of an environment."""
    return tuple(privilege_record(privilege) for privilege in environment_privileges(catalog))
