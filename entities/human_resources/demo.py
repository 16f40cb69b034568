"""Sample rows of Human Resources: two companies, twenty positions, ten workers, users with and without rights.

Position 000601 is open. 000610 was retired at the end of 2020 and 000611 is activated in 2022, so that a refused hire
can be shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from entities.human_resources.choices import EMPLOYED
from entities.human_resources.fields import NEVER
from entities.human_resources.roles import EMPLOYEE, HUMAN_RESOURCE_MANAGER, SYSTEM_ADMINISTRATOR
from entities.human_resources.seed import SeedRow, user_rows
from entities.values import Value

_OPENING = datetime(2015, 1, 1, tzinfo=UTC)
_FIRST_POSITION = 601
_RETIRED, _LATER = "000610", "000611"

_COMPANIES = (
    ("USMF", "Contoso Entertainment System USA", "en-US", "USA"),
    ("DEMF", "Contoso Entertainment System Germany", "de-DE", "DEU"),
)

_REASONS = (
    ("QUALIFIED", "Another candidate is better qualified"),
    ("SALARY", "Salary expectation"),
    ("WITHDREW", "Candidate withdrew"),
)

_TITLES = (
    "Software engineer",
    "Recruiter",
    "Human resources manager",
    "Hiring manager",
    "Analyst",
    "Cook",
    "Nurse",
    "Controller",
    "Office manager",
    "Systems administrator",
)


@dataclass(frozen=True, slots=True)
class _Worker:
    """A sample worker; `position` is None for one without assignment."""

    first_name: str
    last_name: str
    company: str
    started: datetime
    position: str | None


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


_WORKERS = (
    _Worker("Ada", "Example", "USMF", _day(2016, 3, 1), "000602"),
    _Worker("Rita", "Example", "USMF", _day(2016, 9, 1), "000603"),
    _Worker("Hilda", "Example", "USMF", _day(2017, 1, 16), "000604"),
    _Worker("Ivan", "Example", "USMF", _day(2017, 6, 1), "000605"),
    _Worker("Rob", "Example", "USMF", _day(2018, 2, 1), "000606"),
    _Worker("Sam", "Example", "USMF", _day(2018, 5, 14), "000607"),
    _Worker("Uma", "Example", "DEMF", _day(2018, 10, 1), "000608"),
    _Worker("Rex", "Example", "DEMF", _day(2019, 4, 1), "000609"),
    _Worker("Leo", "Example", "DEMF", _day(2019, 8, 1), None),
    _Worker("Zed", "Unique", "USMF", _day(2020, 1, 2), None),
)


def demo_rows(*, domain: str) -> tuple[SeedRow, ...]:
    """Return the sample rows, to be executed in order after `seed_rows`.

    Args:
        domain: the tenant's domain, of which addresses are made.
    """
    return (
        *_companies(),
        *_reason_codes(),
        *_positions(),
        *(row for number, worker in enumerate(_WORKERS, 1) for row in _worker(f"{number:06}", worker, domain)),
        *user_rows("Uma", "Uma Example", HUMAN_RESOURCE_MANAGER.identifier, domain),
        *user_rows("Rex", "Rex Example", EMPLOYEE.identifier, domain),
        *user_rows("Sam", "Sam Example", SYSTEM_ADMINISTRATOR.identifier, domain),
    )


def _companies() -> Iterator[SeedRow]:
    for identifier, name, language, country in _COMPANIES:
        row = {"legalentityid": identifier, "name": name, "languageid": language, "addresscountryregionid": country}
        yield "omlegalentity", row


def _reason_codes() -> Iterator[SeedRow]:
    for code, description in _REASONS:
        row: dict[str, Value] = {"reasoncodeid": code, "description": description, "isapplicationapplicable": 1}
        yield "hcmreasoncodeentity", row


def _positions() -> Iterator[SeedRow]:
    for place in range(20):
        identifier = f"{_FIRST_POSITION + place:06}"
        activation = _day(2022, 1, 1) if identifier == _LATER else _OPENING
        yield (
            "hcmpositionv2entity",
            {
                "positionid": identifier,
                "description": _TITLES[place % len(_TITLES)],
                "fulltimeequivalent": 1,
                "availableforassignment": activation,
                "activation": activation,
                "retirement": datetime(2020, 12, 31, 23, 59, 59, tzinfo=UTC) if identifier == _RETIRED else NEVER,
            },
        )


def _worker(number: str, worker: _Worker, domain: str) -> Iterator[SeedRow]:
    yield (
        "hcmworkerentity",
        {
            "personnelnumber": number,
            "firstname": worker.first_name,
            "lastname": worker.last_name,
            "primarycontactemail": f"{worker.first_name.lower()}@{domain}",
            "workerstatus": EMPLOYED,
        },
    )
    yield (
        "hcmemploymententity",
        {
            "legalentityid": worker.company,
            "personnelnumber": number,
            "employmentstartdate": worker.started,
            "employmentenddate": NEVER,
        },
    )
    if worker.position is not None:
        yield (
            "hcmpositionworkerassignmententity",
            {"positionid": worker.position, "personnelnumber": number, "validfrom": worker.started, "validto": NEVER},
        )
