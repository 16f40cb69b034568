"""Persons, workers and their employments (domain rules d.5, d.8)."""

from __future__ import annotations

from entities.human_resources.choices import (
    EMPLOYEE,
    MARITAL_STATUS,
    NO_YES,
    PERSON_GENDER,
    WORKER_STATUS,
    WORKER_TYPE,
)
from entities.human_resources.declaring import Reference, data_entity, names
from entities.metadata.columns import Column, DateTimeBehavior, RequiredLevel
from entities.metadata.declare import SERVER_SET, choice, date_only, date_time, string
from entities.metadata.tables import AlternateKey

REQUIRED = RequiredLevel.APPLICATION

NAME_COLUMNS = ("firstname", "middlename", "lastnameprefix", "lastname")
"""The parts of a person's name."""

PERSONAL_COLUMNS = (*NAME_COLUMNS, "gender", "birthdate")
"""What a candidate or worker repeats of the person."""

CONTACT_COLUMNS = ("primarycontactemail", "primarycontactphone")
"""A person's primary contacts."""


def name_columns() -> tuple[Column, ...]:
    """Declare the parts of a person's name, with the lengths of the party model."""
    return (
        string("FirstName", 25, "First name", required=REQUIRED),
        string("MiddleName", 25, "Middle name"),
        string("LastNamePrefix", 25, "Last name prefix"),
        string("LastName", 60, "Last name"),
    )


def moment(name: str, text: str, **more: object) -> Column:
    """Declare a date and time without time zone."""
    return date_time(name, text, behavior=DateTimeBehavior.TIME_ZONE_INDEPENDENT, **more)


def by_key(name: str, navigation: str, target: str, key: str) -> Reference:
    """Declare a relation over one column that is called here as in the target's key."""
    return Reference(name, navigation, target, ((key, key),))


PEOPLE = data_entity(
    names("DirPersonEntity", "People", "Person", "Persons"),
    0x0D10,
    ("partynumber",),
    (
        string("PartyNumber", 40, "Party ID", autonumber="{SEQNUM:9}", **SERVER_SET),
        string("Name", 100, "Name", **SERVER_SET),
        *name_columns(),
        string("KnownAs", 100, "Known as"),
        string("LanguageId", 7, "Language"),
        choice("Gender", PERSON_GENDER, "Gender", default=0),
        choice("MaritalStatus", MARITAL_STATUS, "Marital status", default=0),
        date_only("BirthDate", "Birth date"),
        string("PrimaryContactEmail", 255, "Primary email"),
        string("PrimaryContactPhone", 255, "Primary phone"),
        string("PrimaryContactLinkedIn", 255, "Primary LinkedIn"),
    ),
)

WORKERS = data_entity(
    names("HcmWorkerEntity", "Workers", "Worker", "Workers"),
    0x0D6B,
    ("personnelnumber",),
    (
        string("PersonnelNumber", 25, "Personnel number", valid_for_update=False),
        string("PartyNumber", 40, "Party ID", valid_for_update=False),
        string("Name", 100, "Name", **SERVER_SET),
        *name_columns(),
        string("KnownAs", 100, "Known as"),
        string("LanguageId", 7, "Language"),
        choice("Gender", PERSON_GENDER, "Gender", default=0),
        date_only("BirthDate", "Birth date"),
        string("PrimaryContactEmail", 255, "Primary email"),
        string("PrimaryContactPhone", 255, "Primary phone"),
        string("TitleId", 100, "Title"),
        string("OfficeLocation", 255, "Office location"),
        date_only("SeniorityDate", "Seniority date"),
        moment("OriginalHireDateTime", "Original hire date"),
        choice("WorkerType", WORKER_TYPE, "Worker type", default=EMPLOYEE),
        choice("WorkerStatus", WORKER_STATUS, "Worker status", default=0),
        choice("AllowRehire", NO_YES, "Allow rehire", default=1),
    ),
    by_key("Person", "PersonRelation", "dirpersonentity", "partynumber"),
    keys=(AlternateKey("person", ("partynumber",)),),
)

EMPLOYMENTS = data_entity(
    names("HcmEmploymentEntity", "Employments", "Employment", "Employments"),
    0x0D1D,
    ("legalentityid", "personnelnumber", "employmentstartdate"),
    (
        string("LegalEntityId", 4, "Company", required=REQUIRED, valid_for_update=False),
        string("PersonnelNumber", 25, "Personnel number", required=REQUIRED, valid_for_update=False),
        moment("EmploymentStartDate", "Employment start date", required=REQUIRED, valid_for_update=False),
        moment("EmploymentEndDate", "Employment end date"),
        choice("WorkerType", WORKER_TYPE, "Worker type", default=EMPLOYEE),
        string("CalendarId", 10, "Calendar"),
    ),
    by_key("Worker", "Worker", "hcmworkerentity", "personnelnumber"),
    by_key("LegalEntity", "LegalEntity", "omlegalentity", "legalentityid"),
)

ENTITIES = (PEOPLE, WORKERS, EMPLOYMENTS)
