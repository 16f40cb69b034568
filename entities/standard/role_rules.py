"""Rules of business units and roles: every unit has its default team and its copy of every role above it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from entities.errors import InvalidArgument, InvalidOperation
from entities.messages import Create, Delete, Update
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import ALL_ROWS, QueryExpression, both, equals
from entities.standard.identifiers import (
    ACTIVE_SOLUTION,
    SYSTEM_ADMINISTRATOR_TEMPLATE,
    SYSTEM_CUSTOMIZER_TEMPLATE,
    default_team_id,
    role_copy_id,
    role_privilege_id,
    system_user_id,
)
from entities.standard.lookups import by_id, first, referenced
from entities.values import EntityReference, Guid, Record, Value

NEVER_OVERWRITTEN = datetime(1900, 1, 1, tzinfo=UTC)

_STANDARD_ROLE_DELETION: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        SYSTEM_ADMINISTRATOR_TEMPLATE: ("The System Administrator Role cannot be deleted.", "0x80041d2e"),
        SYSTEM_CUSTOMIZER_TEMPLATE: ("The System Customizer Role cannot be deleted.", "0x80041d4a"),
    }
)


def role_steps(organization_id: Guid) -> tuple[Step, ...]:
    """Return the steps of the tables businessunit and role.

    Args:
        organization_id: the environment's organization.
    """
    prepare_unit = partial(check_new_unit, organization_id=organization_id)
    furnish = partial(furnish_unit, administrator=system_user_id(organization_id))
    return (
        Step("Create", "businessunit", Stage.PRE_OPERATION, prepare_unit),
        Step("Create", "businessunit", Stage.POST_OPERATION, furnish),
        Step("Update", "businessunit", Stage.PRE_OPERATION, check_unit_change),
        Step("Update", "businessunit", Stage.POST_OPERATION, rename_default_team),
        Step("Delete", "businessunit", Stage.PRE_OPERATION, check_unit_deletion),
        Step("Create", "role", Stage.PRE_OPERATION, partial(check_new_role, organization_id=organization_id)),
        Step("Create", "role", Stage.POST_OPERATION, copy_role_down),
        Step("Update", "role", Stage.PRE_OPERATION, check_role_change),
        Step("Update", "role", Stage.POST_OPERATION, rename_copies),
        Step("Delete", "role", Stage.PRE_OPERATION, check_role_deletion),
    )


def check_new_unit(context: ExecutionContext, *, organization_id: Guid) -> None:
    """Fill in a new business unit.

    Raises:
        InvalidOperation: it would be a second root (0x80041d35).
    """
    parent = referenced(context.record.get("parentbusinessunitid"))
    if parent is None and first(context.system, "businessunit", ALL_ROWS, "businessunitid"):
        raise InvalidOperation("Only one organization and one root business are allowed.", code="0x80041d35")
    context.record.update({"organizationid": EntityReference("organization", organization_id), "inheritancemask": 1023})


def furnish_unit(context: ExecutionContext, *, administrator: Guid) -> None:
    """Give a business unit below the root its default team and a copy of every role of its parent."""
    parent = referenced(context.record.get("parentbusinessunitid"))
    if parent is None or context.reference is None:
        return
    unit = context.reference
    context.system.execute(Create("team", default_team(unit, str(context.record["name"]), administrator)))
    inherited = QueryExpression("role", filter=equals("businessunitid", EntityReference("businessunit", parent)))
    for role in context.system.records(inherited):
        _copy(context.system, role, unit)


def default_team(unit: EntityReference, name: str, administrator: Guid) -> Record:
    """Return the default team of a business unit: same name, members are the users of the unit."""
    return {
        "teamid": default_team_id(unit.id),
        "name": name,
        "businessunitid": unit,
        "administratorid": EntityReference("systemuser", administrator),
        "description": f"Default team for the parent business unit {name}. Its members are the users of the unit.",
        "teamtype": 0,
        "isdefault": True,
        "systemmanaged": True,
    }


def check_unit_change(context: ExecutionContext) -> None:
    """Refuse changes that would break the tree of business units.

    Raises:
        InvalidOperation: the root is disabled (0x80041d63) or moved, or a unit would stand below itself (0x80047004).
    """
    before, record = context.pre_image or {}, context.record
    is_root = referenced(before.get("parentbusinessunitid")) is None
    if is_root and record.get("isdisabled") is True:
        raise InvalidOperation("Root Business unit cannot be disabled.", code="0x80041d63")
    if "parentbusinessunitid" not in record:
        return
    parent = referenced(record["parentbusinessunitid"])
    if is_root != (parent is None):
        raise InvalidOperation("Only one organization and one root business are allowed.", code="0x80041d35")
    while parent is not None:
        if parent == before.get("businessunitid"):
            raise InvalidOperation("The specified relationship will result in a cycle.", code="0x80047004")
        above = by_id(context.system, EntityReference("businessunit", parent), "parentbusinessunitid")
        parent = referenced(above.get("parentbusinessunitid"))


def rename_default_team(context: ExecutionContext) -> None:
    """Carry a business unit's new name to its default team."""
    if "name" in context.record and context.reference is not None:
        of_unit = both(equals("businessunitid", context.reference), equals("isdefault", value=True))
        for team in context.system.records(QueryExpression("team", ("teamid",), filter=of_unit)):
            reference = EntityReference("team", Guid(str(team["teamid"])))
            context.system.execute(Update(reference, {"name": context.record["name"]}))


def check_unit_deletion(context: ExecutionContext) -> None:
    """Refuse to delete a business unit that is in use; let go of its role copies otherwise.

    Raises:
        InvalidOperation: it is not disabled (0x80041d60) or has units below (0x80041d61).
    """
    before = context.pre_image or {}
    unit = EntityReference("businessunit", Guid(str(before.get("businessunitid"))))
    if not before.get("isdisabled"):
        raise InvalidOperation("Not disabled business unit cannot be deleted.", code="0x80041d60")
    if first(context.system, "businessunit", equals("parentbusinessunitid", unit), "businessunitid"):
        raise InvalidOperation("Business unit has a child business unit and cannot be deleted.", code="0x80041d61")
    for role in context.system.records(QueryExpression("role", ("roleid",), filter=equals("businessunitid", unit))):
        _cut_loose(context.system, Guid(str(role["roleid"])))


def check_new_role(context: ExecutionContext, *, organization_id: Guid) -> None:
    """Fill in a new role.

    Raises:
        InvalidArgument: the business unit has a role of this name (0x80041403).
    """
    record, unit = context.record, context.record.get("businessunitid")
    if context.reference is None or not isinstance(unit, EntityReference):
        return  # the missing business unit is refused with all other required columns
    same = both(equals("businessunitid", unit), equals("name", record.get("name")))
    found = first(context.system, "role", same, "roleid")
    if found is not None:
        name, existing = str(record.get("name")), str(found["roleid"])
        raise InvalidArgument(
            f"A role with the specified name '{name}' already exists on business unit {unit.id} "
            f"and Solution Id {ACTIVE_SOLUTION}. Role id: {existing}",
            code="0x80041403",
        )
    if record.get("parentrootroleid") is None:
        record["parentrootroleid"] = context.reference
    record.setdefault("iscustomizable", True)
    record.setdefault("canbedeleted", True)
    record.update(
        {
            "roleidunique": context.reference.id,
            "organizationid": organization_id,
            "solutionid": ACTIVE_SOLUTION,
            "overwritetime": NEVER_OVERWRITTEN,
        }
    )


def copy_role_down(context: ExecutionContext) -> None:
    """Copy a new role into every business unit below its own; a copy points to the one above it."""
    unit = context.record.get("businessunitid")
    if context.record.get("parentroleid") is not None or not isinstance(unit, EntityReference):
        return
    waiting: list[tuple[EntityReference, Record]] = [(unit, dict(context.record))]
    while waiting:
        above, role = waiting.pop()
        below = QueryExpression("businessunit", ("businessunitid",), filter=equals("parentbusinessunitid", above))
        for found in context.system.records(below):
            child = EntityReference("businessunit", Guid(str(found["businessunitid"])))
            waiting.append((child, _copy(context.system, role, child)))


def _copy(system: Operations, role: Record, unit: EntityReference) -> Record:
    """Make a business unit's copy of the role of its parent, privileges included; return the copy."""
    source = Guid(str(role["roleid"]))
    root = referenced(role.get("parentrootroleid")) or source
    copy: dict[str, Value] = {
        "roleid": role_copy_id(unit.id, root),
        "name": role["name"],
        "businessunitid": unit,
        "parentroleid": EntityReference("role", source),
        "parentrootroleid": EntityReference("role", root),
        **{
            name: role.get(name)
            for name in ("description", "isinherited", "roletemplateid", "ismanaged", "iscustomizable", "canbedeleted")
            if role.get(name) is not None
        },
    }
    system.execute(Create("role", copy))
    granted = QueryExpression("roleprivileges", filter=equals("roleid", source))
    for row in system.records(granted):
        mask = row["privilegedepthmask"]
        assert isinstance(mask, int)
        grant = role_privilege(Guid(str(copy["roleid"])), Guid(str(row["privilegeid"])), mask)
        system.execute(Create("roleprivileges", grant))
    return copy


def role_privilege(role: Guid, privilege: Guid, mask: int) -> Record:
    """Return the row by which a role grants a privilege; `mask` is `1 << depth`."""
    identifier = role_privilege_id(role, privilege)
    return {
        "roleprivilegeid": identifier,
        "roleprivilegeidunique": identifier,
        "roleid": role,
        "privilegeid": privilege,
        "privilegedepthmask": mask,
        "canbedeleted": True,
        "ismanaged": False,
        "componentstate": 0,
        "overwritetime": NEVER_OVERWRITTEN,
        "solutionid": ACTIVE_SOLUTION,
    }


def copies_of(system: Operations, role: Guid) -> tuple[Guid, ...]:
    """Return the copies of a role in the business units below its own."""
    query = QueryExpression("role", ("roleid",), filter=equals("parentrootroleid", EntityReference("role", role)))
    return tuple(Guid(str(found["roleid"])) for found in system.records(query) if found["roleid"] != role)


def check_role_change(context: ExecutionContext) -> None:
    """Refuse to rename the System Administrator role.

    Raises:
        InvalidOperation: it would be (0x80041d31).
    """
    before = context.pre_image or {}
    changes_name = context.record.get("name", before.get("name")) != before.get("name")
    if changes_name and referenced(before.get("roletemplateid")) == SYSTEM_ADMINISTRATOR_TEMPLATE:
        raise InvalidOperation("The System Administrator Role cannot be modified.", code="0x80041d31")


def rename_copies(context: ExecutionContext) -> None:
    """Carry a role's new name and description to its copies."""
    changed: dict[str, Value] = {
        name: context.record[name] for name in ("name", "description") if name in context.record
    }
    if changed and context.reference and not (context.pre_image or {}).get("parentroleid"):
        for copy in copies_of(context.system, context.reference.id):
            context.system.execute(Update(EntityReference("role", copy), changed))


def check_role_deletion(context: ExecutionContext) -> None:
    """Refuse to delete standard roles and copies; delete the copies with their root.

    Raises:
        InvalidOperation: it is a standard role (0x80041d2e, 0x80041d4a) or inherited (0x8004140c).
    """
    before = context.pre_image or {}
    if before.get("parentroleid") is not None:
        raise InvalidOperation("Cannot delete a role that is inherited from a parent business.", code="0x8004140c")
    is_root = referenced(before.get("parentrootroleid")) == before.get("roleid")
    refusal = _STANDARD_ROLE_DELETION.get(str(referenced(before.get("roletemplateid"))))
    if is_root and refusal is not None:
        raise InvalidOperation(refusal[0], code=refusal[1])
    for copy in copies_of(context.system, Guid(str(before["roleid"]))):
        _cut_loose(context.system, copy)
        context.system.execute(Delete(EntityReference("role", copy)))


def _cut_loose(system: Operations, role: Guid) -> None:
    """Let a copy forget the role above it, so that it may be deleted with its business unit or its root."""
    system.execute(Update(EntityReference("role", role), {"parentroleid": None}))
