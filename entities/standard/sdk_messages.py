"""Messages as rows: what can be asked of the organization, and of which table (Learn: "Use messages with the SDK").

A step is registered for a row of `sdkmessage`, and for one table through a row of `sdkmessagefilter`. The rows follow
from the catalog: they are made with the environment and with each table, never while a request is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from entities.metadata.columns import EntityNameType
from entities.metadata.declare import (
    SERVER_SET,
    audit_columns,
    boolean,
    column,
    derived_id,
    integer,
    lookup,
    plain,
    primary_id,
    string,
    with_ids,
)
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Ownership, Table, TableKind
from entities.standard.identifiers import ACTIVE_SOLUTION
from entities.standard.references import PARENTAL, reference, system_references
from entities.standard.solution_parts import solution_part_columns
from entities.values import EntityReference, Guid, Record

BACKGROUND_COMPLETE: Final = "OnBackgroundOperationComplete"

RECORD_EVENTS: Final = ("Create", "Update", "Delete", "Associate", "Disassociate")
"""Messages about one record, for which steps can be registered."""

_READS: Final = ("Retrieve", "RetrieveMultiple")
_BULK: Final = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple")
WITHOUT_STEPS: Final = frozenset((*_READS, *_BULK, "Upsert"))
"""Messages about records for which no step can be registered: a bulk message and Upsert run those of its records."""

_UNBOUND_EVENTS: Final = (BACKGROUND_COMPLETE,)

_OF_THE_PLATFORM: Final = frozenset(
    {
        "asyncoperation",
        "backgroundoperation",
        "plugintype",
        "privilege",
        "sdkmessage",
        "sdkmessagefilter",
        "sdkmessageprocessingstep",
        "sdkmessageprocessingstepimage",
        "serviceendpoint",
    }
)
"""Tables of the machinery that runs steps: no step can be registered for them, or it might cause itself."""

_MANAGED: Final = (
    integer("CustomizationLevel", "Customization Level", **SERVER_SET),
    string("IntroducedVersion", 48, "Introduced Version", **SERVER_SET),
    boolean("IsManaged", "State", yes="Managed", no="Unmanaged", **SERVER_SET),
)

SDK_MESSAGE: Final = with_ids(
    Table(
        "sdkmessage",
        "SdkMessage",
        "sdkmessages",
        4606,
        "sdkmessageid",
        "name",
        (
            primary_id("SdkMessageId", "Sdk Message"),
            string("Name", 256, "Name", **SERVER_SET),
            string("CategoryName", 25, "Category Name", **SERVER_SET),
            boolean("AutoTransact", "Auto Transact", **SERVER_SET),
            integer("Availability", "Availability", **SERVER_SET),
            boolean("Expand", "Expand", **SERVER_SET),
            boolean("IsActive", "Is Active", **SERVER_SET),
            boolean("IsPrivate", "Is Private", **SERVER_SET),
            boolean("IsReadOnly", "Intent", **SERVER_SET),
            boolean("IsValidForExecuteAsync", "Is Valid for Execute Async", **SERVER_SET),
            boolean("Template", "Template", **SERVER_SET),
            string("ThrottleSettings", 512, "Throttle Settings", **SERVER_SET),
            boolean("WorkflowSdkStepEnabled", "WorkflowSdkStepEnabled", **SERVER_SET),
            *_MANAGED,
            *solution_part_columns("SdkMessageId"),
            *audit_columns(),
        ),
        plain("Sdk Message"),
        plain("Sdk Messages"),
        plain("Message that is supported by the SDK."),
        Ownership.ORGANIZATION,
    )
)

SDK_MESSAGE_FILTER: Final = with_ids(
    Table(
        "sdkmessagefilter",
        "SdkMessageFilter",
        "sdkmessagefilters",
        4607,
        "sdkmessagefilterid",
        None,
        (
            primary_id("SdkMessageFilterId", "Sdk Message Filter"),
            lookup("SdkMessageId", "sdkmessage", text="SDK Message ID", **SERVER_SET),
            column("PrimaryObjectTypeCode", EntityNameType(), "Primary Object Type Code", **SERVER_SET),
            column("SecondaryObjectTypeCode", EntityNameType(), "Secondary Object Type Code", **SERVER_SET),
            integer("Availability", "Availability", **SERVER_SET),
            boolean("IsCustomProcessingStepAllowed", "Custom Processing Step Allowed", **SERVER_SET),
            boolean("IsVisible", "Is Visible", **SERVER_SET),
            integer("RestrictionLevel", "Restriction Level", **SERVER_SET),
            boolean("WorkflowSdkStepEnabled", "WorkflowSdkStepEnabled", **SERVER_SET),
            *_MANAGED,
            *solution_part_columns("SdkMessageFilterId"),
            *audit_columns(),
        ),
        plain("Sdk Message Filter"),
        plain("Sdk Message Filters"),
        plain("Filter that defines which SDK messages are valid for each type of entity."),
        Ownership.ORGANIZATION,
    )
)

TABLES: Final = (SDK_MESSAGE, SDK_MESSAGE_FILTER)

RELATIONSHIPS: Final[tuple[Relationship, ...]] = (
    *system_references(SDK_MESSAGE, {"createdby": "createdby_sdkmessage", "modifiedby": "modifiedby_sdkmessage"}),
    reference("sdkmessage", "organizationid", "organization", "organization_sdkmessage"),
    *system_references(
        SDK_MESSAGE_FILTER,
        {"createdby": "createdby_sdkmessagefilter", "modifiedby": "modifiedby_sdkmessagefilter"},
    ),
    reference("sdkmessagefilter", "organizationid", "organization", "organization_sdkmessagefilter"),
    reference("sdkmessagefilter", "sdkmessageid", "sdkmessage", "sdkmessageid_sdkmessagefilter", cascade=PARENTAL),
)


def message_id(name: str) -> Guid:
    """Return the id of a message, the same in every environment."""
    return derived_id("sdkmessage", name)


def filter_id(name: str, table: str) -> Guid:
    """Return the id of the row for a message on a table, the same in every environment."""
    return derived_id("sdkmessagefilter", name, table)


def takes_steps(table: Table) -> bool:
    """Say whether steps can be registered for what happens to the records of a table."""
    return table.kind is TableKind.STANDARD and table.logical_name not in _OF_THE_PLATFORM


def message_rows(operations: Iterable[str]) -> Iterator[tuple[str, Record]]:
    """Yield the rows of `sdkmessage`.

    Args:
        operations: the functions and actions that work.
    """
    yield from own_message_rows((*RECORD_EVENTS, "Upsert", *_READS, *_BULK, *_UNBOUND_EVENTS, *operations))


def own_message_rows(names: Iterable[str]) -> Iterator[tuple[str, Record]]:
    """Yield the rows of `sdkmessage` for messages, once each."""
    for name in dict.fromkeys(names):
        yield (
            "sdkmessage",
            {
                "sdkmessageid": message_id(name),
                "sdkmessageidunique": derived_id("sdkmessage unique", name),
                "name": name,
                "autotransact": True,
                "availability": 0,
                "expand": False,
                "isactive": True,
                "isprivate": False,
                "isreadonly": name in _READS,
                "template": False,
                "ismanaged": True,
                "solutionid": ACTIVE_SOLUTION,
                "componentstate": 0,
            },
        )


def filter_rows(tables: Iterable[Table]) -> Iterator[tuple[str, Record]]:
    """Yield the rows of `sdkmessagefilter` that tables bring; they exist as long as the table does."""
    for table in tables:
        if table.kind is TableKind.INTERSECT:
            continue
        bulk = _BULK if table.kind is TableKind.STANDARD else ()
        for name in (*RECORD_EVENTS, *_READS, *bulk):
            yield "sdkmessagefilter", _filter(name, table)


def _filter(name: str, table: Table) -> Record:
    return {
        "sdkmessagefilterid": filter_id(name, table.logical_name),
        "sdkmessagefilteridunique": derived_id("sdkmessagefilter unique", name, table.logical_name),
        "sdkmessageid": EntityReference("sdkmessage", message_id(name)),
        "primaryobjecttypecode": table.logical_name,
        "secondaryobjecttypecode": "none",
        "availability": 0,
        "iscustomprocessingstepallowed": name in RECORD_EVENTS and takes_steps(table),
        "isvisible": True,
        "restrictionlevel": 0,
        "ismanaged": True,
        "solutionid": ACTIVE_SOLUTION,
        "componentstate": 0,
    }
