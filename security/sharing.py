"""What it takes to share a record: rights of who shares it, and privileges of who gets it.

Learn: "Security and user access: sharing and assigning". Who shares must have Share on the record and every right that
it gives; who gets it must hold the privilege of each of them on the table. An access team holds none: its members do.
"""

from __future__ import annotations

from collections.abc import Iterator

from entities.errors import AccessDenied
from entities.messages import Execute, Target
from entities.metadata.catalog import Catalog
from entities.query import ALL_ROWS, Filter, Or, both, equals
from entities.standard.sharing_actions import grantee, named_object, sharee
from entities.values import EntityReference
from security.holders import holders
from security.named_records import target_of
from security.principals import Principal
from security.privileges import RIGHT_NAMES, AccessRight, privilege_name

_GRANTS = frozenset({"GrantAccess", "ModifyAccess"})
_TELLS_ACCESS = frozenset({"RetrievePrincipalAccess", "RetrievePrincipalAccessInfo"})
_ACCESS_TEAM = 1


def shared_in(message: Execute, sender: Principal, catalog: Catalog) -> Iterator[tuple[Target, AccessRight]]:
    """Yield the records that a message of sharing is about, with the rights that its sender must have on them.

    Everybody may ask for the own access to a record that it may read; of others it takes Read on the user or team.

    Raises:
        InvalidArgument: it names no user or team to share with, or no table.
    """
    who = message.target
    is_sender = isinstance(who, EntityReference) and who.id == sender.caller.user_id
    if who is not None and message.name in _TELLS_ACCESS and not is_sender:
        yield who, AccessRight.READ
    match message.name:
        case "GrantAccess" | "ModifyAccess" | "RevokeAccess":
            rights = [AccessRight.SHARE, *(right for right in _given(message) if right is not AccessRight.SHARE)]
        case "RetrieveSharedPrincipalsAndAccess" | "RetrievePrincipalAccess":
            rights = [AccessRight.READ]
        case "RetrievePrincipalAccessInfo":
            yield named_object(message.parameters, catalog), AccessRight.READ
            return
        case _:
            return
    target = target_of(message.parameters.get("Target"))
    if target is not None:
        yield from ((target, right) for right in rights)


def _given(message: Execute) -> Iterator[AccessRight]:
    """Yield the rights that a message gives; a share gives no Create, whatever its mask says."""
    if message.name not in _GRANTS:
        sharee(message.parameters.get("Revokee"))
        return
    _, mask = grantee(message.parameters.get("PrincipalAccess"))
    yield from (right for right in RIGHT_NAMES if mask & right and right is not AccessRight.CREATE)


def grantee_rows(message: Execute, catalog: Catalog) -> tuple[Target, Filter, AccessDenied] | None:
    """Return who gets access, which users or teams may have it, and the refusal; None where nobody gets any."""
    record = target_of(message.parameters.get("Target"))
    if message.name not in _GRANTS or record is None:
        return None
    principal, _ = grantee(message.parameters.get("PrincipalAccess"))
    rows: Filter = ALL_ROWS
    for right in _given(message):
        rows = both(rows, holders(principal.table, privilege_name(catalog.tables[record.table], right)))
    if principal.table == "team":
        rows = Or((equals("teamtype", _ACCESS_TEAM), rows))
    denial = AccessDenied("Target user or team does not hold required privileges.", code="0x80040231")
    return principal, rows, denial
