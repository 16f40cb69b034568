"""Members of marketing lists (Learn: "AddMemberList Action", "RemoveMemberList Action" and their kin)."""

from __future__ import annotations

from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Create, Delete, Update, Written
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import QueryExpression, both, equals
from entities.standard.lookups import by_id, first, named_record
from entities.values import EntityReference, Guid, Record

_TABLES: Final = {1: "account", 2: "contact", 4: "lead"}
"""Tables of members by the list's `createdfromcode`."""


def list_steps() -> tuple[Step, ...]:
    """Return the handlers of the actions, and the steps that count members."""
    return (
        Step("AddMemberList", "list", Stage.MAIN, add_member),
        Step("RemoveMemberList", "list", Stage.MAIN, remove_member),
        Step("AddListMembersList", None, Stage.MAIN, add_members),
        Step("Create", "listmember", Stage.PRE_OPERATION, check_member),
        Step("Create", "listmember", Stage.POST_OPERATION, count_members),
        Step("Delete", "listmember", Stage.POST_OPERATION, count_members),
    )


def add_member(context: ExecutionContext) -> None:
    """Add a record to a list; who is a member already stays the one it is.

    Raises:
        InvalidArgument: the list is dynamic or locked.
        RecordNotFound: the list's table has no such record.
    """
    assert context.reference is not None
    context.result = {"Id": _added(context, context.reference, Guid(str(context.parameters["EntityId"])))}


def add_members(context: ExecutionContext) -> None:
    """Add records to a list.

    Raises:
        InvalidArgument: a parameter names no record, or the list is dynamic or locked.
        RecordNotFound: there is no such list, or the list's table has no such record.
    """
    target = named_record(context.system, context.parameters["List"], "List")
    members = context.parameters["Members"]
    assert isinstance(members, list)
    for member in members:
        _added(context, target, named_record(context.system, member, "Members").id)


def remove_member(context: ExecutionContext) -> None:
    """Take a record out of a list; who is no member is left alone."""
    assert context.reference is not None
    found = _member(context.system, context.reference, Guid(str(context.parameters["EntityId"])))
    if found is not None:
        member = EntityReference("listmember", Guid(str(found["listmemberid"])))
        context.system.execute(Delete(member), context.caller)


def check_member(context: ExecutionContext) -> None:
    """Refuse a member of a dynamic or locked list, or of another table than the list's, and name its table.

    Raises:
        InvalidArgument: the list does not take it.
    """
    target, member = context.record.get("listid"), context.record.get("entityid")
    if not isinstance(target, EntityReference) or not isinstance(member, EntityReference):
        return
    stored = by_id(context.system, target, "createdfromcode", "type", "lockstatus")
    if stored.get("type") or stored.get("lockstatus"):
        raise InvalidArgument("Members cannot be added to a list that is dynamic or locked.")
    if _table(stored) != member.table:
        raise InvalidArgument(f"The list has members of the table '{_table(stored)}' only.")
    context.record["entitytype"] = member.table


def count_members(context: ExecutionContext) -> None:
    """Keep the number of members with the list."""
    member = {**(context.pre_image or {}), **context.record}
    target = member.get("listid")
    if isinstance(target, EntityReference) and first(context.system, "list", equals("listid", target.id)) is not None:
        query = QueryExpression("listmember", ("listmemberid",), filter=equals("listid", target))
        context.system.execute(Update(target, {"membercount": len(context.system.records(query))}), context.caller)


def _added(context: ExecutionContext, target: EntityReference, member: Guid) -> Guid:
    known = _member(context.system, target, member)
    if known is not None:
        return Guid(str(known["listmemberid"]))
    table = _table(by_id(context.system, target, "createdfromcode"))
    reference = EntityReference(table, member)
    by_id(context.system, reference, context.system.catalog.tables[table].primary_id)
    made = context.system.execute(Create("listmember", {"listid": target, "entityid": reference}), context.caller)
    assert isinstance(made, Written)
    return made.reference.id


def _member(system: Operations, target: EntityReference, member: Guid) -> Record | None:
    return first(system, "listmember", both(equals("listid", target), equals("entityid", member)), "listmemberid")


def _table(stored: Record) -> str:
    code = stored.get("createdfromcode")
    if not isinstance(code, int) or code not in _TABLES:
        raise InvalidArgument("The list does not say which members it has.")
    return _TABLES[code]
