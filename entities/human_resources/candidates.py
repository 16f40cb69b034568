"""Candidates to hire, and the candidates that LinkedIn Talent Hub exports (domain rules d.2, d.6, d.8)."""

from __future__ import annotations

from entities.human_resources.choices import INTEGRATION_RESULT, NO_YES, NOT_PROCESSED, PERSON_GENDER
from entities.human_resources.declaring import DataEntity, Reference, data_entity, names
from entities.human_resources.people import REQUIRED, by_key, name_columns
from entities.metadata.declare import SERVER_SET, choice, date_only, memo, string
from entities.metadata.tables import AlternateKey

EXPORT_REQUIRED = (
    "hiringcontext",
    "hrisrequestid",
    "firstname",
    "lastname",
    "emailaddress",
    "startdate",
    "jobtitle",
    "joblocation",
)
"""What an export must carry (R-186 to R-189); the phone number alone is optional."""

_WRITE_ONCE = {"required": REQUIRED, "valid_for_update": False}

CANDIDATES = data_entity(
    names("HcmCandidateToHireEntity", "CandidatesToHire", "Candidate to hire", "Candidates to hire"),
    0x0D2D,
    ("dataareaid", "candidateid"),
    (
        string("dataAreaId", 4, "Company", valid_for_update=False),
        string("CandidateId", 20, "Candidate ID", autonumber="{SEQNUM:6}", **SERVER_SET),
        *name_columns(),
        choice("Gender", PERSON_GENDER, "Gender", default=0),
        date_only("BirthDate", "Birth date"),
        string("CitizenshipCountryCode", 10, "Citizenship country/region"),
        string("VeteranStatusId", 15, "Veteran status"),
        choice("IsDisabledVeteran", NO_YES, "Disabled veteran", default=0),
        date_only("MilitaryServiceStartDate", "Military service start date"),
        date_only("MilitaryServiceEndDate", "Military service end date"),
        date_only("AvailabilityDate", "Availability date"),
        choice("IsWillingToRelocate", NO_YES, "Willing to relocate", default=0),
        memo("Comments", 4000, "Comments"),
        string("PositionId", 25, "Position"),
        string("RecruitingRequestId", 20, "Recruiting request", valid_for_update=False),
        string("PartyNumber", 40, "Party ID", valid_for_update=False),
        string("PartyType", 20, "Party type", **SERVER_SET),
        choice("ApplicantIntegrationResult", INTEGRATION_RESULT, "Result", default=NOT_PROCESSED),
        string("DoNotHireReasonCodeId", 15, "Do not hire reason code"),
    ),
    by_key("Person", "PersonRelation", "dirpersonentity", "partynumber"),
    by_key("Position", "Position", "hcmpositionv2entity", "positionid"),
    Reference("ReasonCode", "ReasonCode", "hcmreasoncodeentity", (("donothirereasoncodeid", "reasoncodeid"),)),
)

OPEN_PERSON = "openpersonkey"
"""Internal column: who the exported person is while the export is not dismissed; unique, so nobody is open twice."""


def _exported_candidates() -> DataEntity:
    """Declare exported candidates with the keys that keep exports from being made twice."""
    return data_entity(
        names(
            "HcmLinkedInExportedCandidateEntity",
            "LinkedInExportedCandidates",
            "LinkedIn exported candidate",
            "LinkedIn exported candidates",
            nl="Geëxporteerde kandidaten voor LinkedIn",
        ),
        0x0D7C,
        ("exportedcandidateid",),
        (
            string("ExportedCandidateId", 20, "Exported candidate ID", autonumber="{SEQNUM:6}", **SERVER_SET),
            string("HiringContext", 255, "Hiring context", **_WRITE_ONCE),
            string("HrisRequestId", 255, "HRIS request ID", **_WRITE_ONCE),
            string("FirstName", 25, "First name", required=REQUIRED),
            string("LastName", 60, "Last name", required=REQUIRED),
            string("EmailAddress", 255, "Email address", required=REQUIRED),
            string("PhoneNumber", 255, "Phone number"),
            date_only("StartDate", "Start date", required=REQUIRED),
            string("JobTitle", 200, "Job title", required=REQUIRED),
            string("JobLocation", 255, "Job location", required=REQUIRED),
            choice("ApplicantIntegrationResult", INTEGRATION_RESULT, "Result", default=NOT_PROCESSED, **SERVER_SET),
            string("dataAreaId", 4, "Company", **SERVER_SET),
            string("OpenPersonKey", 64, "Open person", valid_for_read=False, **SERVER_SET),
        ),
        Reference("CandidateToHire", "CandidateToHire", "hcmcandidatetohireentity", ()),
        keys=(
            AlternateKey("request", ("hiringcontext", "hrisrequestid")),
            AlternateKey("candidate", ("fk_candidatetohire_id",)),
            AlternateKey("openperson", (OPEN_PERSON,)),
        ),
    )


EXPORTED_CANDIDATES = _exported_candidates()

ENTITIES = (CANDIDATES, EXPORTED_CANDIDATES)
