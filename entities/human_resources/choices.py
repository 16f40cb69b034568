"""The enumerations of Human Resources, with the names `/data` writes and the integers it stores (domain rule d.3).

The integers count from 0 here; a virtual table's choice counts from 200000000 and is matched by the name.
"""

from __future__ import annotations

from entities.metadata.columns import Choice, Option
from entities.metadata.declare import derived_id
from entities.metadata.labels import label


def _enumeration(name: str, *members: tuple[str, str]) -> Choice:
    """Declare an enumeration from pairs of external name and label."""
    options = tuple(Option(value, label(text), external) for value, (external, text) in enumerate(members))
    return Choice(name, options, label(name), is_global=True, metadata_id=derived_id(name), external_type_name=name)


NO_YES = _enumeration("NoYes", ("No", "No"), ("Yes", "Yes"))

INTEGRATION_RESULT = _enumeration(
    "HcmApplicantIntegrationResult",
    ("NotProcessed", "Not processed"),
    ("Hired", "Hired"),
    ("NotHired", "Not hired"),
    ("Dismissed", "Dismissed"),
)
NOT_PROCESSED, HIRED, NOT_HIRED, DISMISSED = (option.value for option in INTEGRATION_RESULT.options)

PERSON_GENDER = _enumeration(
    "HcmPersonGender", ("None", "None"), ("Male", "Male"), ("Female", "Female"), ("NonSpecific", "Non-specific")
)

MARITAL_STATUS = _enumeration(
    "DirPersonMaritalStatus",
    ("None", "None"),
    ("Single", "Single"),
    ("Married", "Married"),
    ("Divorced", "Divorced"),
    ("Widowed", "Widowed"),
)

WORKER_TYPE = _enumeration("HcmWorkerType", ("Employee", "Employee"), ("Contractor", "Contractor"))
EMPLOYEE = 0

WORKER_STATUS = _enumeration(
    "HcmWorkerStatus", ("NotEmployed", "Not employed"), ("Employed", "Employed"), ("Terminated", "Terminated")
)
EMPLOYED = 1
