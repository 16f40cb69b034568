"""Rules of giving roles to users and teams, and members to teams."""

from __future__ import annotations

from entities.errors import InvalidArgument, InvalidOperation
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.standard.identifiers import SYSTEM_ADMINISTRATOR_TEMPLATE
from entities.standard.lookups import by_id, referenced
from entities.standard.user_rules import is_last_administrator
from entities.values import EntityReference

_ADDED_TO_DEFAULT_TEAM = ("Can't add members to the default business unit team.", "0x8004830b")
_REMOVED_FROM_DEFAULT_TEAM = ("Can't remove members from the default business unit team.", "0x8004830c")


def association_steps() -> tuple[Step, ...]:
    """Return the steps of relations between users, teams, roles and privileges."""
    return tuple(
        Step(message, table, Stage.PRE_OPERATION, handler)
        for message, handler in (("Associate", check_association), ("Disassociate", check_disassociation))
        for table in ("systemuser", "team", "role", "privilege")
    )


def _pair(context: ExecutionContext) -> dict[str, EntityReference]:
    ends = (context.parameters.get("target"), context.parameters.get("related"))
    return {end.table: end for end in ends if isinstance(end, EntityReference)}


def check_association(context: ExecutionContext) -> None:
    """Refuse relations that security does not allow.

    Raises:
        InvalidArgument: the role is of another business unit than the user (0x80041409) or team (0x8004140d).
        InvalidOperation: the privilege of a role, or a member of a default team, is set in another way.
    """
    pair = _pair(context)
    match context.parameters.get("relationship"):
        case "systemuserroles_association":
            _check_same_unit(context.system, pair["systemuser"], pair["role"])
        case "teamroles_association":
            _check_same_unit(context.system, pair["team"], pair["role"])
        case "roleprivileges_association":
            raise InvalidOperation("Privileges are added to a role with the action AddPrivilegesRole.")
        case "teammembership_association":
            _check_members(context.system, pair["team"], *_ADDED_TO_DEFAULT_TEAM)
        case _:
            return


def check_disassociation(context: ExecutionContext) -> None:
    """Refuse to end relations that security needs.

    Raises:
        InvalidOperation: the last administrator would lose the role (0x80041d30), or the relation is set elsewhere.
    """
    pair = _pair(context)
    match context.parameters.get("relationship"):
        case "systemuserroles_association":
            role = by_id(context.system, pair["role"], "roletemplateid")
            is_administrator = referenced(role.get("roletemplateid")) == SYSTEM_ADMINISTRATOR_TEMPLATE
            if is_administrator and is_last_administrator(context.system, pair["systemuser"].id):
                raise InvalidOperation(
                    "A user cannot be removed from the System Administrator Role if they are the only user that has "
                    "the role.",
                    code="0x80041d30",
                )
        case "roleprivileges_association":
            raise InvalidOperation("Privileges are removed from a role with the action RemovePrivilegeRole.")
        case "teammembership_association":
            _check_members(context.system, pair["team"], *_REMOVED_FROM_DEFAULT_TEAM)
        case _:
            return


def _check_same_unit(system: Operations, holder: EntityReference, role: EntityReference) -> None:
    unit = referenced(by_id(system, holder, "businessunitid").get("businessunitid"))
    role_unit = referenced(by_id(system, role, "businessunitid").get("businessunitid"))
    if unit == role_unit:
        return
    if holder.table == "team":
        raise InvalidArgument(
            f"The team with id={holder.id} belongs to a different business unit={unit} than the role with "
            f"roleId={role.id} and roleBusinessUnit={role_unit}.",
            code="0x8004140d",
        )
    raise InvalidArgument(
        f"The user with id={holder.id} belongs to a different business unit={unit} than the role with "
        f"roleId={role.id} and rolebusinessUnit={role_unit}.",
        code="0x80041409",
    )


def _check_members(system: Operations, team: EntityReference, text: str, code: str) -> None:
    """Leave the members of a default team alone: they are the users of its business unit."""
    if by_id(system, team, "isdefault").get("isdefault"):
        raise InvalidOperation(text, code=code)
