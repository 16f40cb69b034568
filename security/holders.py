"""Who holds a privilege, through its own roles or those of its teams, as a filter over users or teams."""

from __future__ import annotations

from entities.query import ColumnRef, Condition, ConditionOperator, Exists, Filter, LinkEntity, Or
from entities.standard.identifiers import SYSTEM_ADMINISTRATOR_TEMPLATE


def holders(owner_table: str, privilege: str) -> Filter:
    """Return which users or teams hold a privilege at any depth, as a filter over their table.

    Args:
        owner_table: systemuser or team.
        privilege: the privilege's name.
    """
    if owner_table == "team":
        return Exists(_with_role("teamroles", "teamid", "", privilege))
    through_team = LinkEntity(
        "membership",
        "teammembership",
        "systemuserid",
        "systemuserid",
        links=(_with_role("teamroles", "teamid", "membership", privilege),),
    )
    return Or((Exists(_with_role("systemuserroles", "systemuserid", "", privilege)), Exists(through_team)))


def _with_role(intersect: str, column: str, parent: str, privilege: str) -> LinkEntity:
    """Return the link to roles that grant the privilege, or grant everything."""
    granted = LinkEntity(
        "granted",
        "roleprivileges",
        "roleid",
        "roleid",
        "holding",
        links=(
            LinkEntity(
                "privilege",
                "privilege",
                "privilegeid",
                "privilegeid",
                "granted",
                filter=Condition(ColumnRef("name", "privilege"), ConditionOperator.EQUAL, (privilege,)),
            ),
        ),
    )
    administrator = LinkEntity(
        "administrator",
        "role",
        "roleid",
        "roleid",
        "holding",
        filter=Condition(
            ColumnRef("roletemplateid", "administrator"),
            ConditionOperator.EQUAL,
            (SYSTEM_ADMINISTRATOR_TEMPLATE,),
        ),
    )
    return LinkEntity("holding", intersect, column, column, parent, filter=Or((Exists(granted), Exists(administrator))))
