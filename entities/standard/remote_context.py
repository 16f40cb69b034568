"""The execution context of a step as JSON, the body of a webhook.

Learn: "Use webhooks to create external handlers for server events" (request body): a RemoteExecutionContext as .NET's
DataContractJsonSerializer writes one, with parameters as lists of key and value and dates as `/Date(milliseconds)/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final, assert_never

from entities.messages import Associate, Create, Delete, Disassociate, Execute, Update, name_of
from entities.metadata.catalog import Catalog
from entities.metadata.columns import ChoiceType, Column, ManagedPropertyType, MoneyType, StateType, StatusType
from entities.metadata.tables import Table
from entities.pipeline import POST_IMAGE, PRE_IMAGE, ExecutionContext, Stage
from entities.standard import step_registration as registration
from entities.standard.webhooks import Event, Json, Registered, Sender
from entities.values import EMPTY_GUID, ChoiceSet, EntityReference, EntityValue, KeyReference, Record, Value

_CONTRACTS: Final = "http://schemas.microsoft.com/xrm/2011/Contracts"


def remote_context(context: ExecutionContext, step: Registered, sender: Sender, event: Event) -> Json:
    """Return the members of a RemoteExecutionContext in the order in which .NET writes them.

    Args:
        context: what the step sees.
        step: the step's registration.
        sender: the organization.
        event: the ids of this running.
    """
    own = _members(context, step, sender, event)
    parent = {**own, "Stage": int(Stage.MAIN), "ParentContext": None, "PreEntityImages": [], "PostEntityImages": []}
    if isinstance(context.message, Create | Update):
        parent["InputParameters"] = input_parameters(context, context.message.record)
    return {**own, "ParentContext": parent if step.mode == registration.ASYNCHRONOUS else None}


def _members(context: ExecutionContext, step: Registered, sender: Sender, event: Event) -> dict[str, object]:
    caller, reference = context.caller, context.reference
    is_asynchronous = step.mode == registration.ASYNCHRONOUS
    return {
        "BusinessUnitId": caller.business_unit_id,
        "CorrelationId": event.correlation_id,
        "Depth": max(context.system.depth, 1),
        "InitiatingUserAzureActiveDirectoryObjectId": _object_id(context),
        "InitiatingUserId": caller.delegate_id or caller.user_id,
        "InputParameters": input_parameters(context, context.record),
        "IsExecutingOffline": False,
        "IsInTransaction": not is_asynchronous and step.stage != Stage.PRE_VALIDATION,
        "IsOfflinePlayback": False,
        "IsolationMode": 1,
        "MessageName": name_of(context.message),
        "Mode": step.mode,
        "OperationCreatedOn": moment_text(context.system.now),
        "OperationId": event.operation_id,
        "OrganizationId": sender.organization_id,
        "OrganizationName": sender.name,
        "OutputParameters": _output_parameters(context, step.stage),
        "OwningExtension": _named(EntityReference("sdkmessageprocessingstep", step.id, step.name)),
        "ParentContext": None,
        "PostEntityImages": _images(context, step, context.post_images.get(POST_IMAGE), registration.PRE_IMAGE),
        "PreEntityImages": _images(context, step, context.pre_images.get(PRE_IMAGE), registration.POST_IMAGE),
        "PrimaryEntityId": reference.id if reference else EMPTY_GUID,
        "PrimaryEntityName": reference.table if reference else "none",
        "RequestId": None,
        "SecondaryEntityName": "none",
        "SharedVariables": [
            {"key": name, "value": plain_value(value, context.system.catalog)} for name, value in context.shared.items()
        ],
        "Stage": step.stage,
        "UserAzureActiveDirectoryObjectId": _object_id(context),
        "UserId": step.user_id or caller.user_id,
    }


def _object_id(context: ExecutionContext) -> str:
    return context.caller.object_id or EMPTY_GUID


def input_parameters(context: ExecutionContext, record: Record) -> list[Json]:
    """Return what the message was given, as a list of key and value."""
    message, catalog, reference = context.message, context.system.catalog, context.reference
    match message:
        case Create():
            return _keyed({"Target": entity(catalog.tables[message.table], record, reference, catalog)})
        case Update():
            table = catalog.tables[message.target.table]
            assert reference is not None
            given = {table.primary_id: reference.id, **record}
            return _keyed({"Target": entity(table, given, reference, catalog)})
        case Delete() if reference is not None:
            return _keyed({"Target": _named(reference)})
        case Associate() | Disassociate() if reference is not None:
            relationship = {
                "__type": f"Relationship:{_CONTRACTS}",
                "PrimaryEntityRole": None,
                "SchemaName": context.parameters.get("relationship"),
            }
            related = context.parameters.get("related")
            others = [_named(related)] if isinstance(related, EntityReference) else []
            return _keyed({"Target": _named(reference), "Relationship": relationship, "RelatedEntities": others})
        case Execute():
            parameters = {name: plain_value(value, catalog) for name, value in message.parameters.items()}
            return _keyed({"Target": _named(reference), **parameters} if reference else parameters)
        case _:
            return []


def _output_parameters(context: ExecutionContext, stage: int) -> list[Json]:
    if stage != Stage.POST_OPERATION:
        return []
    if isinstance(context.message, Create) and context.reference:
        return _keyed({"id": context.reference.id})
    return _keyed({name: plain_value(v, context.system.catalog) for name, v in (context.result or {}).items()})


def _images(context: ExecutionContext, step: Registered, record: Record | None, other: int) -> list[Json]:
    reference, catalog = context.reference, context.system.catalog
    if record is None or reference is None:
        return []
    table, found = catalog.tables[reference.table], {}
    for alias, kind, columns in step.images:
        if kind != other:
            shown = {n: v for n, v in record.items() if v is not None and (not columns or n in columns)}
            found[alias] = entity(table, {**shown, table.primary_id: reference.id}, reference, catalog)
    return _keyed(found)


def _keyed(members: Mapping[str, object]) -> list[Json]:
    return [{"key": name, "value": value} for name, value in members.items()]


def _named(reference: EntityReference) -> dict[str, object]:
    return {
        "__type": f"EntityReference:{_CONTRACTS}",
        "Id": reference.id,
        "KeyAttributes": [],
        "LogicalName": reference.table,
        "Name": reference.name,
        "RowVersion": None,
    }


def entity(table: Table, record: Record, reference: EntityReference | None, catalog: Catalog) -> Json:
    """Return a record as .NET writes an Entity; columns that nobody may read stay out."""
    shown = [
        (name, value)
        for name, value in record.items()
        if (column := table.by_name.get(name)) is not None and column.valid_for_read
    ]
    return {
        "__type": f"Entity:{_CONTRACTS}",
        "Attributes": [{"key": n, "value": column_value(v, table.by_name[n], catalog)} for n, v in shown],
        "EntityState": None,
        "FormattedValues": [],
        "Id": reference.id if reference else EMPTY_GUID,
        "KeyAttributes": [],
        "LogicalName": table.logical_name,
        "RelatedEntities": [],
        "RowVersion": None,
    }


def column_value(value: Value, column: Column, catalog: Catalog) -> object:
    """Return the value of a column in the type that .NET has for it."""
    if value is None:
        return None
    match column.type:
        case ChoiceType() | StateType() | StatusType():
            return {"__type": f"OptionSetValue:{_CONTRACTS}", "Value": value}
        case MoneyType():
            return {"__type": f"Money:{_CONTRACTS}", "Value": value}
        case ManagedPropertyType(managed_property=name):
            members = {"CanBeChanged": True, "ManagedPropertyLogicalName": name, "Value": value}
            return {"__type": f"BooleanManagedProperty:{_CONTRACTS}", **members}
        case _:
            return plain_value(value, catalog)


def plain_value(value: object, catalog: Catalog) -> object:
    """Return a value that stands alone, as a parameter does."""
    match value:
        case datetime():
            return moment_text(value)
        case date():
            return moment_text(datetime(value.year, value.month, value.day, tzinfo=UTC))
        case bytes():
            return list(value)
        case Mapping():
            return {str(name): plain_value(inner, catalog) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain_value(inner, catalog) for inner in value]
        case EntityReference() | KeyReference() | EntityValue() | ChoiceSet():
            return _contract(value, catalog)
        case _:
            return value


def _contract(value: EntityReference | KeyReference | EntityValue | ChoiceSet, catalog: Catalog) -> object:
    """Return a value that .NET has a type of its own for."""
    match value:
        case EntityReference():
            return _named(value)
        case KeyReference(table=table, values=values):
            keys = _keyed({name: plain_value(given, catalog) for name, given in values})
            return {**_named(EntityReference(table, EMPTY_GUID)), "KeyAttributes": keys}
        case EntityValue(table=table, record=record, target=target):
            reference = target if isinstance(target, EntityReference) else None
            return entity(catalog.tables[table], record, reference, catalog)
        case ChoiceSet(options=options):
            return [{"__type": f"OptionSetValue:{_CONTRACTS}", "Value": option} for option in options]
        case _:
            assert_never(value)


def moment_text(moment: datetime) -> str:
    """Return a moment as .NET's JSON writes it: milliseconds since 1970 in UTC."""
    return f"/Date({int(moment.timestamp() * 1000)})/"
