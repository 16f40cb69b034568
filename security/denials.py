"""The texts of refusals, word for word as Dataverse writes them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from entities.errors import AccessDenied, InvalidOperation
from entities.messages import Target
from entities.metadata.tables import Table
from entities.standard.identifiers import privilege_id
from entities.values import EntityReference, Guid
from security.principals import ACCESS_MODES, TEAM_TYPE, USER_TYPE, Principal
from security.privileges import RIGHT_NAMES, AccessRight, privilege_name

_METADATA_TYPE_CODES: Mapping[str, int] = MappingProxyType(
    {"Entity": 9800, "Attribute": 9808, "OptionSet": 9809, "Relationship": 9810}
)


def describe(principal: Principal) -> str:
    """Return how a denial introduces a principal, with the figures that help an administrator."""
    caller = principal.caller
    unit = f"businessUnitId={caller.business_unit_id}"
    cache = f"MetadataCachePrivilegesCount={principal.privilege_total}"
    privileges = f"privilegeCount={len(principal.grants)}"
    if principal.object_type == TEAM_TYPE:
        facts = f"teamType={principal.team_type}, {privileges}, {cache}, {unit}"
        return f"Principal team (Id={caller.user_id}, type={TEAM_TYPE}, {facts})"
    mode = f"accessMode='{principal.access_mode} {ACCESS_MODES[principal.access_mode]}'"
    directory_id = f"AADObjectId='{caller.object_id or ''}'"
    facts = f"roleCount={principal.role_count}, {privileges}, {mode}, {directory_id}, {cache}, {unit}"
    return f"Principal user (Id={caller.user_id}, type={principal.object_type}, {facts})"


def _missing(principal: Principal, name: str, identifier: Guid, place: str) -> AccessDenied:
    return AccessDenied(
        f"{describe(principal)}, is missing {name} privilege (Id={identifier}){place}. "
        f"context.Caller={principal.caller.user_id}. "
        "Consider adding missed privilege to one of the principal (user/team) roles."
    )


def _place(code: int, name: str, label: str) -> str:
    return f" on OTC={code} for entity '{name}' (LocalizedName='{label}')"


def table_privilege_missing(principal: Principal, table: Table, right: AccessRight) -> AccessDenied:
    """Return the refusal that a principal lacks a privilege on a table, at any depth."""
    label = table.display_name.text() or table.logical_name
    place = _place(table.object_type_code, table.logical_name, label)
    name = privilege_name(table, right)
    return _missing(principal, name, privilege_id(name), place)


def metadata_privilege_missing(principal: Principal, part: str) -> AccessDenied:
    """Return the refusal to read definitions; `part` is Entity, Attribute, Relationship or OptionSet."""
    name = f"prvRead{part}"
    code = _METADATA_TYPE_CODES.get(part)
    place = "" if code is None else _place(code, part.lower(), part)
    return _missing(principal, name, privilege_id(name), place)


def privilege_missing(principal: Principal, name: str) -> AccessDenied:
    """Return the refusal that a principal lacks a privilege that belongs to no table."""
    return _missing(principal, name, privilege_id(name), "")


def row_denied(principal: Principal, right: AccessRight, reference: EntityReference) -> AccessDenied:
    """Return the refusal for one record that exists but lies outside the principal's reach.

    Args:
        principal: who asks.
        right: the right that does not reach the record.
        reference: the record.
    """
    return AccessDenied(
        f"{describe(principal)} does not have {RIGHT_NAMES[right]}Access right(s) for record with id "
        f"{reference.id} of entity {reference.table}. context.Caller={principal.caller.user_id}."
    )


def owner_cannot_read(owner: Target, table: Table) -> AccessDenied:
    """Return the refusal to give a record to a user or team that may not read its table."""
    kind, code = ("team", TEAM_TYPE) if owner.table == "team" else ("user", USER_TYPE)
    label = table.display_name.text() or table.logical_name
    name = privilege_name(table, AccessRight.READ)
    identity = f"Id={owner.id}, " if isinstance(owner, EntityReference) else ""
    return AccessDenied(
        f"Read Privilege Check For Owner failed with exception: Principal {kind} ({identity}type={code}), "
        f"is missing {name} privilege (Id={privilege_id(name)})"
        f"{_place(table.object_type_code, table.logical_name, label)}.",
        code="0x80040299",
    )


def message_not_supported(table: Table, message: str) -> InvalidOperation:
    """Return the refusal of a message that a table does not have."""
    return InvalidOperation(
        f"The '{message}' method does not support entities of type '{table.logical_name}'. "
        "MessageProcessorCache returned MessageProcessor.Empty. ",
        code="0x80040800",
    )


def read_only_user(principal: Principal) -> AccessDenied:
    """Return the refusal of a write by a user whose access mode is Read."""
    return AccessDenied(
        f"{describe(principal)} has the access mode Read and may not change data. "
        f"context.Caller={principal.caller.user_id}."
    )
