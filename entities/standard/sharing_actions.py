"""GrantAccess, ModifyAccess and RevokeAccess, and the functions that tell who may do what with a record.

Learn: "Security and user access: sharing and assigning", "Verify access in code".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from entities.errors import InvalidArgument, InvalidOperation
from entities.metadata.catalog import Catalog
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.standard.inherited_access import Cause, pass_on
from entities.standard.lookups import by_id
from entities.standard.shares import NO_SHARE, NO_SHARES, keep, note_table, shares_of
from entities.standard.sharing import PRINCIPALS
from entities.values import EntityReference, EntityValue, Guid, KeyReference, guid

RIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "ReadAccess": 1,
        "WriteAccess": 2,
        "AppendAccess": 4,
        "AppendToAccess": 16,
        "CreateAccess": 32,
        "DeleteAccess": 65_536,
        "ShareAccess": 262_144,
        "AssignAccess": 524_288,
    }
)
"""The members of the enumeration AccessRights."""

_ACCESS_TEAM: Final = 1


def sharing_steps() -> tuple[Step, ...]:
    """Return the handlers of the actions and functions of sharing."""
    return (
        Step("GrantAccess", None, Stage.MAIN, grant_access),
        Step("ModifyAccess", None, Stage.MAIN, modify_access),
        Step("RevokeAccess", None, Stage.MAIN, revoke_access),
        Step("RetrieveSharedPrincipalsAndAccess", None, Stage.MAIN, shared_principals),
        *(Step("RetrievePrincipalAccess", table, Stage.MAIN, principal_access) for table in sorted(PRINCIPALS)),
        Step("RetrievePrincipalAccess", "organization", Stage.MAIN, organization_access),
        *(Step("RetrievePrincipalAccessInfo", table, Stage.MAIN, access_info) for table in sorted(PRINCIPALS)),
    )


def mask_of(names: object) -> int:
    """Return the flags of an AccessRights value, which is given as names joined by commas; None is none of them."""
    return sum({RIGHTS.get(name.strip(), 0) for name in str(names).split(",")}) if names else 0


def named(mask: int) -> str:
    """Return flags as the names of an AccessRights value."""
    return ", ".join(name for name, flag in RIGHTS.items() if mask & flag) or "None"


def grantee(parameter: object) -> tuple[EntityReference | KeyReference, int]:
    """Return the principal and the mask of a PrincipalAccess.

    Raises:
        InvalidArgument: it names neither a user nor a team (0x8004020c).
    """
    access = parameter if isinstance(parameter, Mapping) else {}
    return sharee(access.get("Principal")), mask_of(access.get("AccessMask"))


def sharee(parameter: object) -> EntityReference | KeyReference:
    """Return the user or team that a parameter names.

    Raises:
        InvalidArgument: it names neither (0x8004020c).
    """
    found = parameter.target if isinstance(parameter, EntityValue) else parameter
    if not isinstance(found, EntityReference | KeyReference) or found.table not in PRINCIPALS:
        raise InvalidArgument("Invalid share id.", code="0x8004020c")
    return found


def grant_access(context: ExecutionContext) -> None:
    """Give a user or team rights on a record, beside those that it was given before.

    Raises:
        InvalidOperation: records of the table have no owner (0x80040800), or the team is the server's own (0x80048339).
        InvalidArgument: the principal is neither user nor team (0x8004020c), or a parameter has another form.
        RecordNotFound: there is no such record, user or team.
    """
    principal, mask = grantee(context.parameters.get("PrincipalAccess"))
    _share(context, principal, lambda before: before | mask)


def modify_access(context: ExecutionContext) -> None:
    """Give a user or team rights on a record in place of those that it was given before.

    Raises:
        DataverseError: as `grant_access`.
    """
    principal, mask = grantee(context.parameters.get("PrincipalAccess"))
    _share(context, principal, lambda _: mask)


def revoke_access(context: ExecutionContext) -> None:
    """Take from a user or team what it was given on a record; what it inherits stays.

    Raises:
        DataverseError: as `grant_access`.
    """
    _share(context, sharee(context.parameters.get("Revokee")), lambda _: 0)


def _share(context: ExecutionContext, sharer: EntityReference | KeyReference, granted: Callable[[int], int]) -> None:
    system, record, principal = context.system, _target(context), _by_id(sharer, "Principal")
    if not system.catalog.tables[record.table].is_user_owned:
        name = getattr(context.message, "name", "")
        raise InvalidOperation(
            f"The '{name}' method does not support entities of type '{record.table}'. "
            "MessageProcessorCache returned MessageProcessor.Empty. ",
            code="0x80040800",
        )
    by_id(system, record, "ownerid")
    _check_principal(system, principal)
    before = shares_of(system, (record.id,)).get(record.id, NO_SHARES).get(principal, NO_SHARE)
    after = replace(before, granted=granted(before.granted))
    if after == before:
        return
    keep(system, context.caller, record, principal, after)
    if after.granted:
        note_table(system, context.caller, record.table, principal)
    if after.granted & ~before.granted:
        pass_on(system, context.caller, record, Cause.SHARED)
    if before.granted & ~after.granted:
        pass_on(system, context.caller, record, Cause.UNSHARED)


def _target(context: ExecutionContext) -> EntityReference:
    given = context.parameters.get("Target")
    return _by_id(given.target if isinstance(given, EntityValue) else given, "Target")


def _by_id(found: object, name: str) -> EntityReference:
    match found:
        case EntityReference():
            return found
        case KeyReference():
            raise InvalidArgument(f"The parameter '{name}' must name its record by id.")
        case _:
            raise InvalidArgument(f"The parameter '{name}' must name a record.")


def _check_principal(system: Operations, principal: EntityReference) -> None:
    if principal.table == "systemuser":
        by_id(system, principal, "systemuserid")
        return
    team = by_id(system, principal, "teamtype", "systemmanaged")
    if team.get("teamtype") == _ACCESS_TEAM and team.get("systemmanaged"):
        text = "You can't share or unshare a record with a system-generated access team."
        raise InvalidOperation(text, code="0x80048339")


def shared_principals(context: ExecutionContext) -> None:
    """Answer RetrieveSharedPrincipalsAndAccess: the users and teams that were given rights on a record, and which.

    Raises:
        RecordNotFound: there is no such record.
    """
    record = _target(context)
    _check_there(context.system, record)
    shares = shares_of(context.system, (record.id,)).get(record.id, NO_SHARES)
    context.result = {
        "PrincipalAccesses": [
            {
                "AccessMask": named(share.granted),
                "Principal": {
                    "@odata.type": f"#Microsoft.Dynamics.CRM.{principal.table}",
                    "ownerid": principal.id,
                },
            }
            for principal, share in sorted(shares.items(), key=lambda found: found[0].id)
            if share.granted
        ]
    }


def principal_access(context: ExecutionContext) -> None:
    """Answer RetrievePrincipalAccess: what a user or team may do with a record.

    Raises:
        RecordNotFound: there is no such record.
    """
    by_roles, by_shares = _access(context, _target(context))
    context.result = {"AccessRights": named(by_roles | by_shares)}


def organization_access(context: ExecutionContext) -> None:
    """Answer RetrievePrincipalAccess of the organization, with which no record is shared.

    Raises:
        RecordNotFound: there is no such record.
    """
    _check_there(context.system, _target(context))
    context.result = {"AccessRights": named(0)}


def access_info(context: ExecutionContext) -> None:
    """Answer RetrievePrincipalAccessInfo: what a user or team may do with a record, and where it has that from.

    Raises:
        InvalidArgument: there is no such table, or the id is no GUID.
        RecordNotFound: there is no such record.
    """
    by_roles, by_shares = _access(context, named_object(context.parameters, context.system.catalog))
    context.result = {
        "AccessInfo": json.dumps(
            {
                "RoleAccessRights": named(by_roles),
                "PoaAccessRights": named(by_shares),
                "HsmAccessRights": named(0),
                "GrantedAccessRights": named(by_roles | by_shares),
            }
        )
    }


def named_object(parameters: Mapping[str, object], catalog: Catalog) -> EntityReference:
    """Return the record that the parameters ObjectId and EntityName name.

    Raises:
        InvalidArgument: there is no such table, or the id is no GUID.
    """
    name, identifier = str(parameters.get("EntityName")), guid(str(parameters.get("ObjectId")))
    if name not in catalog.tables:
        text = f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache."
        raise InvalidArgument(text, code="0x80060888")
    return EntityReference(name, _identified(identifier))


def _identified(identifier: Guid | None) -> Guid:
    if identifier is None:
        raise InvalidArgument("The parameter 'ObjectId' must be a GUID.")
    return identifier


def _access(context: ExecutionContext, record: EntityReference) -> tuple[int, int]:
    assert context.reference is not None
    _check_there(context.system, record)
    return context.system.access(context.reference, record)


def _check_there(system: Operations, record: EntityReference) -> None:
    """Check that there is a record, where its rows are here: virtual tables have theirs elsewhere."""
    if system.catalog.tables[record.table].source is None:
        by_id(system, record)
