"""Actions on users: their business unit, their manager, and what becomes of their records.

Learn: "Web API Action Reference" and "Web API Function Reference", the pages of these actions and functions.
"""

from __future__ import annotations

from entities.errors import InvalidArgument
from entities.messages import Update
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import ColumnRef, Condition, ConditionOperator, QueryExpression, equals
from entities.standard.lookups import by_id, named_record
from entities.standard.reassigning import reassign
from entities.values import EntityReference, Guid

_MANAGER = "parentsystemuserid"
_PRINCIPALS = frozenset({"systemuser", "team"})


def user_action_steps() -> tuple[Step, ...]:
    """Return the handlers of these actions and functions."""
    return (
        Step("SetBusinessSystemUser", "systemuser", Stage.MAIN, set_business_unit),
        Step("SetParentSystemUser", "systemuser", Stage.MAIN, set_manager),
        Step("RemoveParent", None, Stage.MAIN, remove_manager),
        Step("ReassignObjectsSystemUser", "systemuser", Stage.MAIN, reassign_of_user),
        Step("ReassignObjectsOwner", None, Stage.MAIN, reassign_of_owner),
        Step("RetrieveAllChildUsersSystemUser", "systemuser", Stage.MAIN, retrieve_users_below),
        Step("RetrieveBusinessHierarchyBusinessUnit", "businessunit", Stage.MAIN, retrieve_units_below),
    )


def set_business_unit(context: ExecutionContext) -> None:
    """Move a user to a business unit, and give its records to somebody, who may be the user itself.

    Raises:
        InvalidArgument: the records would go to somebody who is neither user nor team.
        RecordNotFound: there is no such unit, user or team.
        AccessDenied: they would go to somebody who may not read them (0x80040299).
    """
    system, user = context.system, _bound(context)
    unit = named_record(system, context.parameters["BusinessUnit"], "BusinessUnit")
    successor = _principal(context, "ReassignPrincipal")
    if successor != user:
        _hand_over(context, user, successor)
    system.execute(Update(user, {"businessunitid": unit}), context.caller)


def set_manager(context: ExecutionContext) -> None:
    """Give a user a manager; whoever the user manages goes to its former manager, unless they are kept.

    Raises:
        InvalidArgument: the user is its own manager (0x80041d06) or above the new one (0x80041d25).
        RecordNotFound: there is no such user.
    """
    system, user = context.system, _bound(context)
    manager = named_record(system, context.parameters["Parent"], "Parent")
    if manager == user:
        raise InvalidArgument("The user can not be its own parent user.", code="0x80041d06")
    if context.parameters["KeepChildUsers"] is not True:
        former = by_id(system, user, _MANAGER).get(_MANAGER)
        for below in _managed_by(system, user):
            system.execute(Update(below, {_MANAGER: former}), context.caller)
    system.execute(Update(user, {_MANAGER: manager}), context.caller)


def remove_manager(context: ExecutionContext) -> None:
    """Take the manager from a user.

    Raises:
        InvalidArgument: the target is no user, or has no manager (0x80041d1e).
        RecordNotFound: there is no such user.
    """
    system = context.system
    user = named_record(system, context.parameters["Target"], "Target")
    if user.table != "systemuser":
        raise InvalidArgument("The parameter 'Target' of RemoveParent must name a user.")
    if by_id(system, user, _MANAGER).get(_MANAGER) is None:
        raise InvalidArgument("This user does not have a parent user.", code="0x80041d1e")
    system.execute(Update(user, {_MANAGER: None}), context.caller)


def reassign_of_user(context: ExecutionContext) -> None:
    """Give all records of a user to another principal.

    Raises:
        InvalidArgument: the other one is neither user nor team.
        RecordNotFound: there is no such one.
        AccessDenied: it may not read what it would get (0x80040299).
    """
    _hand_over(context, _bound(context), _principal(context, "ReassignPrincipal"))


def reassign_of_owner(context: ExecutionContext) -> None:
    """Give all records of a user or team to another one.

    Raises:
        InvalidArgument: one of them is neither user nor team.
        RecordNotFound: one of them does not exist.
        AccessDenied: the other one may not read what it would get (0x80040299).
    """
    owner, successor = (_principal(context, name) for name in ("FromPrincipal", "ToPrincipal"))
    _hand_over(context, owner, successor)


def retrieve_users_below(context: ExecutionContext) -> None:
    """Answer RetrieveAllChildUsersSystemUser: the users that a user manages, those that these manage, and so on."""
    below = Condition(ColumnRef("systemuserid"), ConditionOperator.UNDER, (_bound(context).id,))
    context.result = {"value": QueryExpression("systemuser", filter=below)}


def retrieve_units_below(context: ExecutionContext) -> None:
    """Answer RetrieveBusinessHierarchyBusinessUnit: a business unit and all units below it."""
    below = Condition(ColumnRef("businessunitid"), ConditionOperator.EQUAL_OR_UNDER, (_bound(context).id,))
    context.result = {"value": QueryExpression("businessunit", filter=below)}


def _hand_over(context: ExecutionContext, owner: EntityReference, successor: EntityReference) -> None:
    """Give all records of somebody to another one as the caller: who cannot read a record does not get it."""
    system, caller = context.system, context.caller.user_id
    reassign(system, owner, successor, lambda change: system.execute_as(change, caller))


def _bound(context: ExecutionContext) -> EntityReference:
    if context.reference is None:
        raise InvalidArgument("The operation is bound to a record.")
    return context.reference


def _principal(context: ExecutionContext, name: str) -> EntityReference:
    found = named_record(context.system, context.parameters[name], name)
    if found.table not in _PRINCIPALS:
        raise InvalidArgument(f"The parameter '{name}' must name a user or a team.")
    return found


def _managed_by(system: Operations, user: EntityReference) -> list[EntityReference]:
    managed = QueryExpression("systemuser", ("systemuserid",), filter=equals(_MANAGER, user))
    return [EntityReference("systemuser", Guid(str(row["systemuserid"]))) for row in system.records(managed)]
