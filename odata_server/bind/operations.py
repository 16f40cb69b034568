"""The functions and actions that the Web API knows here, and how they are called.

Signatures: Learn, "Web API Function Reference", "Web API Action Reference".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from entities.errors import MalformedRequest
from odata_server.syntax import trees


@dataclass(frozen=True, slots=True)
class Signature:
    """A function (GET, parameters in the URL) or action (POST, parameters in the body); `table` it is bound to."""

    is_function: bool
    table: str | None = None


_FUNCTION: Final = Signature(is_function=True)
_ACTION: Final = Signature(is_function=False)


def _function_on(table: str) -> Signature:
    return Signature(is_function=True, table=table)


def _action_on(table: str) -> Signature:
    return Signature(is_function=False, table=table)


OPERATIONS: Final[Mapping[str, tuple[Signature, ...]]] = {
    "WhoAmI": (_FUNCTION,),
    "RetrieveVersion": (_FUNCTION,),
    "RetrieveCurrentOrganization": (_FUNCTION,),
    "RetrieveTimestamp": (_FUNCTION,),
    "RetrieveProvisionedLanguages": (_FUNCTION,),
    "RetrieveTotalRecordCount": (_FUNCTION,),
    "RetrieveRolePrivilegesRole": (_FUNCTION,),
    "RetrieveSharedPrincipalsAndAccess": (_FUNCTION,),
    "RetrieveUserPrivileges": (_function_on("systemuser"),),
    "RetrieveUserPrivilegeByPrivilegeName": (_function_on("systemuser"),),
    "RetrieveUserPrivilegeByPrivilegeId": (_function_on("systemuser"),),
    "RetrieveTeamPrivileges": (_function_on("team"),),
    "RetrievePrincipalAccess": (_function_on("systemuser"), _function_on("team"), _function_on("organization")),
    "RetrievePrivilegeSet": (_function_on("privilege"),),
    "AddPrivilegesRole": (_action_on("role"),),
    "ReplacePrivilegesRole": (_action_on("role"),),
    "RemovePrivilegeRole": (_action_on("role"),),
    "AddMembersTeam": (_action_on("team"),),
    "RemoveMembersTeam": (_action_on("team"),),
    "SetBusinessSystemUser": (_action_on("systemuser"),),
    "GrantAccess": (_ACTION,),
    "ModifyAccess": (_ACTION,),
    "RevokeAccess": (_ACTION,),
    "Merge": (_ACTION,),
    "PublishXml": (_ACTION,),
    "PublishAllXml": (_ACTION,),
}

UNBOUND: Final = frozenset(name for name, found in OPERATIONS.items() if any(s.table is None for s in found))


def signature(name: str, table: str | None) -> Signature | None:
    """Return how an operation is called on a table (None: unbound), None when there is no such operation."""
    return next((found for found in OPERATIONS.get(name, ()) if found.table == table), None)


def plain_value(expression: trees.Expression, aliases: Mapping[str, trees.Expression]) -> object:
    """Return a function's argument as the JSON value it stands for; GUIDs and enumeration members are text.

    Raises:
        MalformedRequest: the argument is no literal, array or object.
    """
    match expression:
        case trees.Alias(name=name):
            return plain_value(aliases[name], aliases) if name in aliases else None
        case trees.Literal(value=UUID() as found):
            return str(found)
        case trees.Literal(value=bool() | int() | float() | Decimal() | str() | None as found):
            return found
        case trees.EnumLiteral(members=members):
            return ",".join(members)
        case trees.ArrayExpression(items=items):
            return [plain_value(item, aliases) for item in items]
        case trees.ObjectExpression(members=members):
            return {member.name: plain_value(member.value, aliases) for member in members}
        case _:
            raise MalformedRequest("The parameter of a function must be a literal, an array or an object.")
