"""Work that runs later, tasks of people, and the catalog of finance and operations entities."""

from __future__ import annotations

from dataclasses import replace

from entities.metadata.columns import BigIntType, EntityNameType, RequiredLevel
from entities.metadata.declare import (
    SERVER_SET,
    audit_columns,
    boolean,
    choice,
    column,
    date_time,
    integer,
    lookup,
    memo,
    options,
    owner_columns,
    plain,
    primary_id,
    state_and_status,
    string,
    unique_identifier,
    with_ids,
)
from entities.metadata.relationships import OneToMany, Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.choices import numbered
from entities.standard.references import PARENTAL, RESTRICT, reference, system_references

_ASYNC_STATES = (
    ("Ready", ((0, "Waiting For Resources"),)),
    ("Suspended", ((10, "Waiting"),)),
    ("Locked", ((20, "In Progress"), (21, "Pausing"), (22, "Canceling"))),
    ("Completed", ((30, "Succeeded"), (31, "Failed"), (32, "Canceled"))),
)
_OPERATION_TYPES = numbered(
    {
        1: "System Event",
        2: "Bulk Email",
        3: "Import File Parse",
        4: "Transform Parse Data",
        5: "Import",
        7: "Duplicate Detection Rule Publish",
        8: "Bulk Duplicate Detection",
        10: "Workflow",
        13: "Bulk Delete",
        31: "Storage Limit Notification",
        40: "Cleanup inactive workflow assemblies",
        50: "Import Organization",
        57: "Calculate Rollup Field",
        58: "Mass Calculate Rollup Field",
        73: "Entity Key Index Creation",
        202: "Export Solution Async Operation",
        203: "Import Solution Async Operation",
        207: "Provision language for user",
        210: "Refresh Runtime Integration Components",
        12003: "Migrate Article Content",
    }
)
_REGARDING = {
    "account": "Account_AsyncOperations",
    "contact": "Contact_AsyncOperations",
    "systemuser": "SystemUser_AsyncOperations",
    "team": "Team_AsyncOperations",
    "role": "Role_AsyncOperations",
    "businessunit": "BusinessUnit_AsyncOperations",
    "transactioncurrency": "TransactionCurrency_AsyncOperations",
    "task": "Task_AsyncOperations",
    "mserp_financeandoperationsentity": "mserp_financeandoperationsentity_AsyncOperations",
}

REGARDED = frozenset(_REGARDING)
"""The tables that a system job may be about."""

ASYNC_OPERATION = with_ids(
    Table(
        "asyncoperation",
        "AsyncOperation",
        "asyncoperations",
        4700,
        "asyncoperationid",
        "name",
        (
            primary_id("AsyncOperationId", "System Job"),
            string("Name", 256, "System Job Name"),
            choice("OperationType", _OPERATION_TYPES, "System Job Type", valid_for_update=False),
            string("MessageName", 160, "Message Name", **SERVER_SET),
            memo("Message", 1_073_741_823, "Message"),
            memo("FriendlyMessage", 1_073_741_823, "Friendly message"),
            memo("Data", 1_073_741_823, "Data"),
            integer("ErrorCode", "Error Code", **SERVER_SET),
            integer("Depth", "Depth", **SERVER_SET),
            integer("RetryCount", "Retry Count", **SERVER_SET),
            column("Sequence", BigIntType(), "Sequence", **SERVER_SET),
            column("PrimaryEntityType", EntityNameType(), "Primary Entity Type", **SERVER_SET),
            unique_identifier("RequestId", "Request"),
            unique_identifier("CorrelationId", "Correlation"),
            lookup("RegardingObjectId", *_REGARDING, text="Regarding"),
            lookup("OwningExtensionId", "sdkmessageprocessingstep", text="Owning Extension", **SERVER_SET),
            date_time("StartedOn", "Started On", **SERVER_SET),
            date_time("CompletedOn", "Completed On", **SERVER_SET),
            date_time("PostponeUntil", "Postpone Until"),
            string("DependencyToken", 256, "Dependency Token"),
            string("RecurrencePattern", 4000, "Recurrence Pattern", **SERVER_SET),
            date_time("RecurrenceStartTime", "Recurrence Start", **SERVER_SET),
            *state_and_status(*_ASYNC_STATES),
            *owner_columns(),
            # $metadata shows no versionnumber on system jobs.
            *audit_columns()[:-1],
        ),
        plain("System Job"),
        plain("System Jobs"),
        plain("Process whose execution can proceed independently or in the background."),
        Ownership.USER,
    )
)

_TASK_STATES = (
    ("Open", ((2, "Not Started"), (3, "In Progress"), (4, "Waiting on someone else"), (7, "Deferred"))),
    ("Completed", ((5, "Completed"),)),
    ("Canceled", ((6, "Canceled"),)),
)

TASK = with_ids(
    Table(
        "task",
        "Task",
        "tasks",
        4212,
        "activityid",
        "subject",
        (
            primary_id("ActivityId", "Task"),
            column("ActivityTypeCode", EntityNameType(), "Activity Type", **SERVER_SET),
            string("Subject", 200, "Subject", required=RequiredLevel.APPLICATION),
            memo("Description", 2000, "Description"),
            string("Category", 250, "Category"),
            string("Subcategory", 250, "Sub-Category"),
            integer("PercentComplete", "Percent Complete", minimum=0, maximum=100),
            choice("PriorityCode", options("Low", "Normal", "High"), "Priority", default=1),
            lookup("RegardingObjectId", "account", "contact", text="Regarding"),
            date_time("ScheduledStart", "Start Date"),
            date_time("ScheduledEnd", "Due Date"),
            date_time("ActualStart", "Actual Start"),
            date_time("ActualEnd", "Actual End"),
            integer("ScheduledDurationMinutes", "Scheduled Duration", minimum=0, **SERVER_SET),
            integer("ActualDurationMinutes", "Duration", minimum=0),
            boolean("IsBilled", "Is Billed"),
            boolean("IsRegularActivity", "Is Regular Activity", default=True, **SERVER_SET),
            boolean("IsWorkflowCreated", "Is Workflow Created"),
            lookup("TransactionCurrencyId", "transactioncurrency", text="Currency"),
            *state_and_status(*_TASK_STATES),
            *owner_columns(),
            *audit_columns(),
        ),
        plain("Task"),
        plain("Tasks"),
        plain("Generic activity representing work needed to be done."),
        Ownership.USER,
        base_type="activitypointer",
    )
)

FINANCE_AND_OPERATIONS_ENTITY = with_ids(
    Table(
        "mserp_financeandoperationsentity",
        "mserp_financeandoperationsentity",
        "mserp_financeandoperationsentities",
        10_600,
        "mserp_financeandoperationsentityid",
        "mserp_physicalname",
        (
            primary_id("mserp_financeandoperationsentityid", "Finance and Operations Entity"),
            string("mserp_physicalname", 500, "Name", valid_for_update=False, is_custom=True),
            string("mserp_cdsentitylogicalname", 500, "Dataverse entity logical name", is_custom=True, **SERVER_SET),
            string("mserp_displayname", 500, "Display name", is_custom=True, valid_for_update=False),
            boolean("mserp_hasbeengenerated", "Visible", is_custom=True),
            boolean("mserp_refresh", "Refresh", is_custom=True),
            boolean("mserp_changetrackingenabled", "Change tracking enabled", is_custom=True),
            *audit_columns(),
        ),
        plain("Available finance and operations Entity"),
        plain("Available finance and operations Entities"),
        plain("The data entities of finance and operations that can be made visible as virtual tables."),
        is_custom=True,
    )
)

TABLES = (ASYNC_OPERATION, TASK, FINANCE_AND_OPERATIONS_ENTITY)


def _of_task(relationship: OneToMany) -> OneToMany:
    """Name a task's navigation property as the EDM does for activities: with the table's name behind."""
    return replace(relationship, referencing_navigation=f"{relationship.referencing_navigation}_task")


def _regarding(target: str, name: str) -> OneToMany:
    whole = reference(
        "asyncoperation", "regardingobjectid", target, name, navigation=f"regardingobjectid_{target}", cascade=PARENTAL
    )
    return replace(whole, referenced_column="activityid") if target == "task" else whole


RELATIONSHIPS: tuple[Relationship, ...] = (
    *(_regarding(target, name) for target, name in _REGARDING.items()),
    reference(
        "asyncoperation", "owningextensionid", "sdkmessageprocessingstep", "SdkMessageProcessingStep_AsyncOperations"
    ),
    *system_references(
        ASYNC_OPERATION,
        {"ownerid": "owner_asyncoperations", "owninguser": "system_user_asyncoperation"},
    ),
    _of_task(
        reference(
            "task",
            "regardingobjectid",
            "account",
            "Account_Tasks",
            navigation="regardingobjectid_account",
            cascade=PARENTAL,
        )
    ),
    _of_task(
        reference(
            "task",
            "regardingobjectid",
            "contact",
            "Contact_Tasks",
            navigation="regardingobjectid_contact",
            cascade=PARENTAL,
        )
    ),
    _of_task(
        reference("task", "transactioncurrencyid", "transactioncurrency", "TransactionCurrency_Task", cascade=RESTRICT)
    ),
    *(
        _of_task(relationship)
        for relationship in system_references(
            TASK, {"ownerid": "owner_tasks", "owningbusinessunit": "business_unit_task_activities"}
        )
    ),
    *system_references(FINANCE_AND_OPERATIONS_ENTITY),
)
