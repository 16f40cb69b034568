"""Rules of Human Resources, each success with its failing twin."""

from datetime import UTC, date, datetime, timedelta

import pytest

from entities.errors import StepRejected
from entities.human_resources.fields import NEVER, date_parameter, is_filled, required_text, text_parameter
from entities.human_resources.hiring import Period, assignment_period, check_employment, check_vacant, holder_of
from entities.human_resources.rules import (
    check_candidate_person,
    check_new_person,
    check_not_dismissed,
    check_service,
    check_unprocessed,
    full_name,
    not_hired,
    open_person_key,
)

START = datetime(2021, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
POSITION = {"positionid": "000601", "activation": START - DAY, "retirement": NEVER}
ANN = {"firstname": "Ann", "lastname": "Example", "emailaddress": "ann@x.test"}


@pytest.mark.parametrize("value", [None, "", "  ", date(1900, 1, 1), datetime(1900, 1, 1, tzinfo=UTC)])
def test_blank_text_and_1900_are_no_values(value):
    assert not is_filled(value)


@pytest.mark.parametrize("value", ["x", 0, False, date(1900, 1, 2)])
def test_anything_else_is_a_value(value):
    assert is_filled(value)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2021-07-01", START),
        ("2021-07-01T00:00:00Z", START),
        ("2021-07-01T12:00:00Z", START + timedelta(hours=12)),
        ("2021-07-01T02:00:00+02:00", START),
        ("2021-07-01T00:00:00.999Z", START),
        ("2021-07-01T00:00:00", START),
        (date(2021, 7, 1), START),
        (START, START),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_start_date_is_a_date_or_a_date_and_time(given, moment):
    assert date_parameter("EmploymentStartDate", given) == moment


@pytest.mark.parametrize(
    "given",
    ["soon", "2021-02-29", "2021-13-01", "20210701", "2021-W26-4", "01-07-2021", 20210701, "0001-01-01", "9999-12-31"],
)
def test_what_is_no_date_is_refused_with_the_value(given):
    with pytest.raises(StepRejected) as refused:
        date_parameter("EmploymentStartDate", given)
    assert refused.value.message == f"The value '{given}' in field 'EmploymentStartDate' isn't a valid date."


@pytest.mark.parametrize("given", [None, "", "1900-01-01", "1900-01-01T00:00:00Z"])
def test_a_missing_start_date_must_be_filled_in(given):
    with pytest.raises(StepRejected, match=r"^Field 'EmploymentStartDate' must be filled in\.$"):
        date_parameter("EmploymentStartDate", given)


def test_text_parameters_are_texts():
    assert text_parameter("PositionId", " 000601 ") == "000601"
    assert text_parameter("PositionId", "  ") is None
    with pytest.raises(StepRejected, match="The value '601' in field 'PositionId' isn't a text"):
        text_parameter("PositionId", 601)
    with pytest.raises(StepRejected, match="Field 'LegalEntityId' must be filled in"):
        required_text("LegalEntityId", None)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"activation": START},
        {"retirement": START},
        {"retirement": None},
        {"availableforassignment": START},
        {"availableforassignment": datetime(1900, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_position_that_is_active_on_the_start_date_can_be_filled(changes):
    assert assignment_period({**POSITION, **changes}, START).start == START


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"activation": None}, "isn't activated"),
        ({"activation": START + DAY}, "is activated on 2021-07-02T00:00:00Z, after 2021-07-01T00:00:00Z"),
        ({"availableforassignment": START + DAY}, "is available for assignment on 2021-07-02"),
        ({"retirement": START - DAY}, "is retired on 2021-06-30T00:00:00Z, before 2021-07-01T00:00:00Z"),
    ],
)
def test_a_position_outside_its_life_cannot_be_filled(changes, text):
    with pytest.raises(StepRejected) as refused:
        assignment_period({**POSITION, **changes}, START)
    assert text in refused.value.message


def test_an_assignment_ends_with_the_position():
    retirement = START + 30 * DAY
    assert assignment_period({**POSITION, "retirement": retirement}, START) == Period(START, retirement)
    assert assignment_period(POSITION, START, START + DAY) == Period(START, START + DAY)
    with pytest.raises(StepRejected, match="can't end before it begins"):
        assignment_period(POSITION, START, START - DAY)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "is_free"),
    [
        (START - 10 * DAY, START - DAY, True),
        (START - 10 * DAY, START, False),
        (START - 10 * DAY, None, False),
        (START - 10 * DAY, datetime(1900, 1, 1, tzinfo=UTC), False),
        (START + DAY, NEVER, False),
    ],
)
def test_a_position_is_free_when_no_assignment_overlaps(valid_from, valid_to, is_free):
    held = [{"personnelnumber": "000001", "validfrom": valid_from, "validto": valid_to}]
    if is_free:
        check_vacant("000601", Period(START), held)
    else:
        with pytest.raises(StepRejected, match=r"Position '000601' already has a worker assigned \(000001\)"):
            check_vacant("000601", Period(START), held)


def test_a_later_assignment_leaves_an_earlier_period_free():
    held = [{"personnelnumber": "000001", "validfrom": START + 10 * DAY, "validto": NEVER}]
    check_vacant("000601", Period(START, START + 9 * DAY), held)


def test_an_employment_ends_after_it_starts():
    check_employment({"employmentstartdate": START, "employmentenddate": START})
    check_employment({"employmentstartdate": START, "employmentenddate": None})
    with pytest.raises(StepRejected, match="EmploymentEndDate 2021-06-30T00:00:00Z is before"):
        check_employment({"employmentstartdate": START, "employmentenddate": START - DAY})


def test_the_last_day_of_service_is_a_day_of_service():
    check_service(date(2021, 12, 31), date(2021, 12, 31))
    check_service(date(2030, 1, 1), None)
    with pytest.raises(StepRejected, match="ended on 2021-12-31"):
        check_service(date(2022, 1, 1), date(2021, 12, 31))


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({"emailaddress": "ANN@X.TEST"}, True),
        ({"lastname": "EXAMPLE "}, True),
        ({"emailaddress": "ann2@x.test"}, False),
        ({"firstname": "Anna"}, False),
    ],
)
def test_a_person_is_known_by_address_and_names(changes, is_same):
    assert (open_person_key({**ANN, **changes}) == open_person_key(ANN)) is is_same


def test_a_dismissed_export_keeps_nobody_out():
    assert open_person_key({**ANN, "applicantintegrationresult": 3}) is None
    assert open_person_key({**ANN, "applicantintegrationresult": 2}) is not None
    check_new_person(ANN, [])
    with pytest.raises(StepRejected, match=r"Ann Example with EmailAddress 'ann@x\.test' was exported before"):
        check_new_person(ANN, [{"exportedcandidateid": "000001"}])


def test_a_candidate_names_a_person_or_describes_one():
    check_candidate_person({"firstname": "Bo", "partynumber": None})
    check_candidate_person({"partynumber": "000000001", "gender": 0})
    with pytest.raises(StepRejected, match="Field 'gender' must not be given"):
        check_candidate_person({"partynumber": "000000001", "gender": 2})


@pytest.mark.parametrize(("result", "label"), [(1, "Hired"), (2, "Not hired"), (3, "Dismissed")])
def test_a_decided_candidate_is_not_decided_again(result, label):
    check_unprocessed({"candidateid": "000001", "applicantintegrationresult": 0})
    with pytest.raises(StepRejected, match=f"Candidate '000001' has already been processed. Result: {label}"):
        check_unprocessed({"candidateid": "000001", "applicantintegrationresult": result})


def test_whoever_is_not_dismissed_can_be():
    for result in (0, 1, 2):
        check_not_dismissed({"candidateid": "000001", "applicantintegrationresult": result})
    with pytest.raises(StepRejected, match="has already been dismissed"):
        check_not_dismissed({"candidateid": "000001", "applicantintegrationresult": 3})


def test_comments_are_kept_when_given():
    assert "comments" not in not_hired("SALARY", None)
    assert not_hired("SALARY", "Too much")["comments"] == "Too much"


def test_names_and_holders_are_made_of_what_there_is():
    assert full_name({"firstname": "Ann", "middlename": " ", "lastnameprefix": "van", "lastname": "Example"}) == (
        "Ann van Example"
    )
    assert len(full_name({"firstname": "x" * 60, "lastname": "y" * 60})) == 100
    assert set(holder_of(None, None).values()) == {None}
