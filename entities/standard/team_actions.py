"""Actions on teams: who belongs to one, and what kind of team it is (Learn: "Web API Action Reference")."""

from __future__ import annotations

from collections.abc import Iterator

from entities.errors import InvalidArgument, InvalidOperation
from entities.messages import Associate, Disassociate, Update
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import QueryExpression, both, equals
from entities.standard.lookups import by_id, first, named_record
from entities.standard.reassigning import owned_tables
from entities.values import EntityReference

_MEMBERS = "teammembership_association"
_OWNER_TEAM, _ACCESS_TEAM = 0, 1


def team_action_steps() -> tuple[Step, ...]:
    """Return the handlers of these actions."""
    return (
        Step("AddMembersTeam", "team", Stage.MAIN, add_members),
        Step("RemoveMembersTeam", "team", Stage.MAIN, remove_members),
        Step("ConvertOwnerTeamToAccessTeam", "team", Stage.MAIN, convert_to_access_team),
    )


def add_members(context: ExecutionContext) -> None:
    """Add users to a team; who is a member already stays one.

    Raises:
        InvalidOperation: it is the default team of a business unit (0x8004830b).
        RecordNotFound: there is no such user.
    """
    team, members = _team(context), list(_members(context))
    for member in members:
        if not _belongs(context.system, team, member):
            context.system.execute(Associate(team, _MEMBERS, member), context.caller)


def remove_members(context: ExecutionContext) -> None:
    """Take users out of a team; who is no member is left alone.

    Raises:
        InvalidOperation: it is the default team of a business unit (0x8004830c).
        RecordNotFound: there is no such user.
    """
    team, members = _team(context), list(_members(context))
    for member in members:
        if _belongs(context.system, team, member):
            context.system.execute(Disassociate(team, _MEMBERS, member), context.caller)


def convert_to_access_team(context: ExecutionContext) -> None:
    """Make an owner team an access team, which owns nothing and holds no roles.

    Raises:
        InvalidOperation: it is no owner team or a default one, holds roles (0x80048336) or owns records (0x80048337).
    """
    system, team = context.system, _team(context)
    row = by_id(system, team, "teamtype", "isdefault")
    if row.get("teamtype") != _OWNER_TEAM or row.get("isdefault"):
        raise InvalidOperation("Only an owner team that is no default team can be made an access team.")
    if first(system, "teamroles", equals("teamid", team.id)) is not None:
        raise InvalidOperation(
            "You cannot modify the type of the team because there are security roles or field security profiles"
            " assigned to the team.",
            code="0x80048336",
        )
    for table in owned_tables(system.catalog):
        owned = QueryExpression(table.logical_name, (table.primary_id,), filter=equals("ownerid", team), top=1)
        if system.records(owned):
            raise InvalidOperation(
                "You cannot modify the type of the team because there are records owned by the team.",
                code="0x80048337",
            )
    system.execute(Update(team, {"teamtype": _ACCESS_TEAM}), context.caller)


def _team(context: ExecutionContext) -> EntityReference:
    if context.reference is None:
        raise InvalidArgument("The action is bound to a team.")
    return context.reference


def _members(context: ExecutionContext) -> Iterator[EntityReference]:
    given = context.parameters["Members"]
    assert isinstance(given, list)
    for value in given:
        yield named_record(context.system, value, "Members")


def _belongs(system: Operations, team: EntityReference, user: EntityReference) -> bool:
    pair = both(equals("teamid", team.id), equals("systemuserid", user.id))
    return first(system, "teammembership", pair, "teammembershipid") is not None
