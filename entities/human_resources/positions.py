"""Legal entities, positions, assignments of workers to positions, reason codes (domain rules b.9, d.5)."""

from __future__ import annotations

from entities.human_resources.choices import NO_YES
from entities.human_resources.declaring import data_entity, names
from entities.human_resources.people import REQUIRED, by_key, moment
from entities.metadata.declare import SERVER_SET, choice, decimal, string

LEGAL_ENTITIES = data_entity(
    names("OMLegalEntity", "LegalEntities", "Legal entity", "Legal entities"),
    0x0A01,
    ("legalentityid",),
    (
        string("LegalEntityId", 4, "Company", required=REQUIRED, valid_for_update=False),
        string("Name", 100, "Name", required=REQUIRED),
        string("PartyNumber", 40, "Party ID"),
        string("LanguageId", 7, "Language"),
        string("AddressCountryRegionId", 10, "Country/region"),
    ),
)

POSITIONS = data_entity(
    names("HcmPositionV2Entity", "PositionsV2", "Position V2", "Positions V2"),
    0x0D51,
    ("positionid",),
    (
        string("PositionId", 25, "Position", required=REQUIRED, valid_for_update=False),
        string("Description", 60, "Description"),
        string("JobId", 25, "Job"),
        string("TitleId", 100, "Title"),
        string("DepartmentNumber", 40, "Department"),
        string("PositionTypeId", 15, "Position type"),
        decimal("FullTimeEquivalent", "Full-time equivalent"),
        moment("AvailableForAssignment", "Available for assignment"),
        moment("Activation", "Activation"),
        moment("Retirement", "Retirement"),
        string("WorkerPersonnelNumber", 25, "Worker", **SERVER_SET),
        string("WorkerName", 100, "Worker name", **SERVER_SET),
        moment("WorkerAssignmentStart", "Assignment start", **SERVER_SET),
        moment("WorkerAssignmentEnd", "Assignment end", **SERVER_SET),
    ),
)

ASSIGNMENTS = data_entity(
    names(
        "HcmPositionWorkerAssignmentEntity",
        "PositionWorkerAssignments",
        "Position worker assignment",
        "Position worker assignments",
    ),
    0x0D55,
    ("positionid", "personnelnumber", "validfrom"),
    (
        string("PositionId", 25, "Position", required=REQUIRED, valid_for_update=False),
        string("PersonnelNumber", 25, "Personnel number", required=REQUIRED, valid_for_update=False),
        moment("ValidFrom", "Assignment start", required=REQUIRED, valid_for_update=False),
        moment("ValidTo", "Assignment end"),
        string("ReasonCodeId", 15, "Reason code"),
        choice("IsPrimaryPosition", NO_YES, "Primary position", default=1),
    ),
    by_key("Position", "Position", "hcmpositionv2entity", "positionid"),
    by_key("Worker", "Worker", "hcmworkerentity", "personnelnumber"),
    by_key("ReasonCode", "ReasonCode", "hcmreasoncodeentity", "reasoncodeid"),
)

REASON_CODES = data_entity(
    names("HcmReasonCodeEntity", "ReasonCodes", "Reason code", "Reason codes"),
    0x0D60,
    ("reasoncodeid",),
    (
        string("ReasonCodeId", 15, "Reason code", required=REQUIRED, valid_for_update=False),
        string("Description", 60, "Description"),
        choice("IsHireApplicable", NO_YES, "Hire", default=0),
        choice("IsTransferApplicable", NO_YES, "Transfer", default=0),
        choice("IsTerminationApplicable", NO_YES, "Termination", default=0),
        choice("IsApplicationApplicable", NO_YES, "Application", default=0),
    ),
)

ENTITIES = (LEGAL_ENTITIES, POSITIONS, ASSIGNMENTS, REASON_CODES)
