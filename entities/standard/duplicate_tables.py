"""Duplicate detection: rules, their conditions, and what jobs have found (Learn: "Duplicate rule tables")."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import Final

from entities.metadata.columns import Column, LookupKind, RequiredLevel
from entities.metadata.declare import (
    SERVER_SET,
    audit_columns,
    boolean,
    choice,
    integer,
    lookup,
    owner_columns,
    plain,
    primary_id,
    state_and_status,
    string,
    unique_identifier,
    with_ids,
)
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany, Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.choices import numbered
from entities.standard.references import NO_ACTION, PARENTAL, delegate_names, reference, system_references

RULE: Final = "duplicaterule"
CONDITION: Final = "duplicaterulecondition"
FOUND: Final = "duplicaterecord"


class RuleStatus(IntEnum):
    """Values of the status reason of a rule; a published rule is active."""

    UNPUBLISHED = 0
    PUBLISHING = 1
    PUBLISHED = 2


class MatchOperator(IntEnum):
    """How a condition compares two columns (column `operatorcode`)."""

    EXACT = 0
    FIRST_CHARACTERS = 1
    LAST_CHARACTERS = 2
    SAME_DATE = 3
    SAME_DATE_AND_TIME = 4
    PICK_LIST_LABEL = 5
    PICK_LIST_VALUE = 6


_OPERATORS: Final = numbered(
    {
        0: "Exact Match",
        1: "Same First Characters",
        2: "Same Last Characters",
        3: "Same Date",
        4: "Same Date and Time",
        5: "Exact Match (Pick List Label)",
        6: "Exact Match (Pick List Value)",
    }
)
_STATES: Final = (("Inactive", ((0, "Unpublished"), (1, "Publishing"))), ("Active", ((2, "Published"),)))


def _owner_of_parent() -> tuple[Column, ...]:
    """Return whose a row is that belongs to another one; $metadata has no navigation properties over it."""
    return (
        lookup("OwnerId", "systemuser", "team", text="Owner", kind=LookupKind.OWNER, **SERVER_SET),
        unique_identifier("OwningBusinessUnit", "Owning Business Unit", **SERVER_SET),
        unique_identifier("OwningUser", "Owning User", **SERVER_SET),
    )


DUPLICATE_RULE: Final = with_ids(
    Table(
        RULE,
        "DuplicateRule",
        "duplicaterules",
        4414,
        "duplicateruleid",
        "name",
        (
            primary_id("DuplicateRuleId", "Duplicate Detection Rule"),
            string("Name", 160, "Rule Name", required=RequiredLevel.SYSTEM),
            string("Description", 2000, "Description"),
            string(
                "BaseEntityName",
                160,
                "Base Record Type",
                required=RequiredLevel.APPLICATION,
                valid_for_update=False,
            ),
            string("MatchingEntityName", 160, "Matching Record Type", valid_for_update=False),
            integer("BaseEntityTypeCode", "Base Record Type", **SERVER_SET),
            integer("MatchingEntityTypeCode", "Matching Record Type", **SERVER_SET),
            string("BaseEntityMatchCodeTable", 50, "Base Record Type Match Code Table", **SERVER_SET),
            string("MatchingEntityMatchCodeTable", 50, "Matching Record Type Match Code Table", **SERVER_SET),
            boolean("IsCaseSensitive", "Case Sensitive", yes="True", no="False"),
            boolean("ExcludeInactiveRecords", "Exclude Inactive Records", yes="True", no="False"),
            integer("TimeZoneRuleVersionNumber", "Time Zone Rule Version Number", minimum=-1),
            integer("UTCConversionTimeZoneCode", "UTC Conversion Time Zone Code", minimum=-1),
            *state_and_status(*_STATES),
            *owner_columns(),
            # $metadata shows no versionnumber on the three tables.
            *audit_columns()[:-1],
        ),
        plain("Duplicate Detection Rule"),
        plain("Duplicate Detection Rules"),
        plain("Rule used to identify potential duplicates."),
        Ownership.USER,
    )
)

DUPLICATE_RULE_CONDITION: Final = with_ids(
    Table(
        CONDITION,
        "DuplicateRuleCondition",
        "duplicateruleconditions",
        4416,
        "duplicateruleconditionid",
        None,
        (
            primary_id("DuplicateRuleConditionId", "Duplicate Rule Condition"),
            lookup("RegardingObjectId", RULE, text="Regarding", valid_for_update=False),
            string("BaseAttributeName", 128, "Base Field", required=RequiredLevel.SYSTEM),
            string("MatchingAttributeName", 128, "Matching Field"),
            choice("OperatorCode", _OPERATORS, "Operator Code", default=MatchOperator.EXACT.value),
            integer("OperatorParam", "Operator Parameter", minimum=1),
            boolean("IgnoreBlankValues", "Ignore Blank Values", yes="True", no="False"),
            *_owner_of_parent(),
            *audit_columns()[:-1],
        ),
        plain("Duplicate Rule Condition"),
        plain("Duplicate Rule Conditions"),
        plain("Condition of a duplicate detection rule."),
        Ownership.NONE,
    )
)

_RECORDS: Final = {
    "account": "Account",
    "contact": "Contact",
    "systemuser": "SystemUser",
    "team": "Team",
    "transactioncurrency": "TransactionCurrency",
    "publisher": "Publisher",
    "task": "Task",
}
"""The tables whose duplicates jobs look for, as their relationships are called."""

DETECTABLE: Final = frozenset(_RECORDS)

DUPLICATE_RECORD: Final = with_ids(
    Table(
        FOUND,
        "DuplicateRecord",
        "duplicaterecords",
        4415,
        "duplicateid",
        None,
        (
            primary_id("DuplicateId", "Duplicate"),
            # Callers make no rows of this table; lookups that could be set are indexed, for the deletions to follow.
            lookup("AsyncOperationId", "asyncoperation", text="System Job", valid_for_update=False),
            lookup("BaseRecordId", *_RECORDS, text="Base Record ID", valid_for_update=False),
            lookup("DuplicateRecordId", *_RECORDS, text="Duplicate Record ID", valid_for_update=False),
            lookup("DuplicateRuleId", RULE, text="Duplicate Rule", valid_for_update=False),
            *_owner_of_parent(),
            audit_columns()[0],
        ),
        plain("Duplicate Record"),
        plain("Duplicate Records"),
        plain("Potential duplicate record."),
        Ownership.NONE,
    )
)

TABLES: Final = (DUPLICATE_RULE, DUPLICATE_RULE_CONDITION, DUPLICATE_RECORD)

_WITH_PARENT: Final = CascadeConfiguration(delete=Cascade.CASCADE)


def _found(target: str, column: str, name: str) -> OneToMany:
    whole = reference(FOUND, column, target, name, navigation=f"{column}_{target}", cascade=_WITH_PARENT)
    return replace(whole, referenced_column="activityid") if target == "task" else whole


RELATIONSHIPS: Final[tuple[Relationship, ...]] = (
    *system_references(
        DUPLICATE_RULE,
        {
            "createdby": "lk_duplicaterulebase_createdby",
            "modifiedby": "lk_duplicaterulebase_modifiedby",
            "ownerid": "owner_duplicaterules",
            "owningbusinessunit": "BusinessUnit_DuplicateRules",
            "owninguser": "SystemUser_DuplicateRules",
            "owningteam": "team_DuplicateRules",
        },
    ),
    reference(CONDITION, "regardingobjectid", RULE, "DuplicateRule_DuplicateRuleConditions", cascade=PARENTAL),
    reference(CONDITION, "createdby", "systemuser", "lk_duplicateruleconditionbase_createdby", cascade=NO_ACTION),
    reference(CONDITION, "modifiedby", "systemuser", "lk_duplicateruleconditionbase_modifiedby", cascade=NO_ACTION),
    *(
        reference(CONDITION, column, "systemuser", name, cascade=NO_ACTION)
        for column, name in delegate_names(CONDITION).items()
    ),
    reference(FOUND, "asyncoperationid", "asyncoperation", "AsyncOperation_DuplicateBaseRecord", cascade=_WITH_PARENT),
    reference(FOUND, "duplicateruleid", RULE, "DuplicateRule_DuplicateBaseRecord", cascade=_WITH_PARENT),
    *(_found(target, "baserecordid", f"{name}_DuplicateBaseRecord") for target, name in _RECORDS.items()),
    *(_found(target, "duplicaterecordid", f"{name}_DuplicateMatchingRecord") for target, name in _RECORDS.items()),
)
