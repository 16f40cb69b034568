"""What rows of custom APIs must be, and who writes those of plug-ins (Learn: "CustomAPI tables", "Plug-ins")."""

from __future__ import annotations

from functools import partial

from entities.errors import DuplicateRecord, InvalidArgument, InvalidOperation, NotSupported
from entities.metadata.custom_apis import BindingType, ParameterType, flaw_of_api
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import both, equals
from entities.standard.custom_apis import API, PARAMETER, PROPERTY
from entities.standard.identifiers import system_user_id
from entities.standard.lookups import first, referenced
from entities.standard.plugin_types import INSTALLED
from entities.values import Guid

_RECORDS = frozenset((ParameterType.ENTITY, ParameterType.ENTITY_COLLECTION, ParameterType.ENTITY_REFERENCE))
_WRITES = ("Create", "Update", "Delete")


def custom_api_steps(organization_id: Guid) -> tuple[Step, ...]:
    """Return the rules of custom APIs and of the rows that say what is installed.

    Args:
        organization_id: the environment's organization.
    """
    system = system_user_id(organization_id)
    installed = partial(refuse_unless_system, system=system)
    kept = partial(keep_of_packages, system=system)
    return (
        Step("Create", API, Stage.PRE_OPERATION, check_api),
        *(Step("Create", part, Stage.PRE_OPERATION, check_part) for part in (PARAMETER, PROPERTY)),
        *(Step(m, table, Stage.PRE_VALIDATION, installed) for m in _WRITES for table in sorted(INSTALLED)),
        *(Step(m, table, Stage.PRE_VALIDATION, kept) for m in _WRITES[1:] for table in (API, PARAMETER, PROPERTY)),
    )


def check_api(context: ExecutionContext) -> None:
    """Check a new custom API.

    Raises:
        InvalidArgument: its name has no prefix, or it names no table where it must, or one that is not there.
        DuplicateRecord: there is one of this name.
    """
    record = context.record
    name, table = str(record.get("uniquename") or ""), record.get("boundentitylogicalname")
    flaw = flaw_of_api(name, is_bound=record.get("bindingtype") != BindingType.GLOBAL, table=str(table or ""))
    if flaw is not None:
        raise InvalidArgument(flaw)
    if table:
        _check_table(context, str(table))
    if first(context.system, API, equals("uniquename", name), "customapiid"):
        raise DuplicateRecord(f"A custom API with the unique name '{name}' exists already.")


def check_part(context: ExecutionContext) -> None:
    """Check a new request parameter or response property.

    Raises:
        InvalidArgument: it names a table that is not there, or one where its type has none.
        DuplicateRecord: its custom API has one of this name.
    """
    record = context.record
    name, table = str(record.get("uniquename") or ""), str(record.get("logicalentityname") or "")
    if not name.isidentifier():
        raise InvalidArgument(f"The unique name '{name}' of a parameter must be letters, digits and underscores.")
    if table and record.get("type") not in _RECORDS:
        raise InvalidArgument(
            f"The type of the parameter '{name}' has no records, so it cannot name the table '{table}'."
        )
    if table:
        _check_table(context, table)
    api = referenced(record.get("customapiid"))
    assert context.reference is not None
    same = both(equals("customapiid", api), equals("uniquename", name))
    if api is not None and first(context.system, context.reference.table, same, "uniquename"):
        raise DuplicateRecord(f"The custom API has a parameter or property with the unique name '{name}' already.")


def _check_table(context: ExecutionContext, name: str) -> None:
    if name not in context.system.catalog.tables:
        raise InvalidArgument(
            f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache.",
            code="0x80041102",
        )


def refuse_unless_system(context: ExecutionContext, *, system: Guid) -> None:
    """Refuse to write what the server finds out at its start.

    Raises:
        NotSupported: somebody else writes it.
    """
    if context.caller.user_id != system:
        raise NotSupported(
            "Plug-ins are not uploaded: install a package beside the server, which registers it at its next start."
        )


def keep_of_packages(context: ExecutionContext, *, system: Guid) -> None:
    """Refuse to change what belongs to an installed package.

    Raises:
        InvalidOperation: the row is one of a package.
    """
    if context.caller.user_id != system and (context.pre_image or {}).get("ismanaged"):
        raise InvalidOperation("The custom API belongs to an installed plug-in package and cannot be changed here.")
