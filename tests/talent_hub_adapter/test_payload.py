"""Hired candidates: what is accepted, and every defect by record and field."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talent_hub_adapter.hired_file import RawRecord, read_records
from talent_hub_adapter.payload import DefectiveRecordsError, HiredCandidate, is_email_address, validate_records

EXAMPLES = Path(__file__).parents[2] / "examples"
ANN = HiredCandidate(
    hiring_context="urn:li:contract:123",
    hris_request_id="hr-0001",
    first_name="Ann",
    last_name="Example",
    email_addresses=("ann@x.test",),
    phone_numbers=("+31 20 555 0100",),
    job_title="Engineer",
    job_location="Utrecht",
    start_date=date(2021, 7, 1),
)


def record(**changes):
    """Ann's record with members replaced; `profile` members replace those of the candidate profile."""
    profile = {
        "firstName": "Ann",
        "lastName": "Example",
        "emailAddresses": ["ann@x.test"],
        "phoneNumbers": [{"number": "+31 20 555 0100"}],
    } | changes.pop("profile", {})
    return {
        "hiringContext": "urn:li:contract:123",
        "hrisRequestId": "hr-0001",
        "candidateProfile": profile,
        "jobTitle": "Engineer",
        "jobLocation": "Utrecht",
        "startDate": {"year": 2021, "month": 7, "day": 1},
    } | changes


def validated(*values):
    return validate_records(tuple(RawRecord(number, None, value) for number, value in enumerate(values, start=1)))


def defects_of(*values):
    with pytest.raises(DefectiveRecordsError) as refused:
        validated(*values)
    return refused.value.defects


def test_the_documented_record_is_read():
    assert validated(record()) == (ANN,)


def test_the_example_file_holds_twenty_five_sound_candidates_and_begins_with_ann():
    content = (EXAMPLES / "hired-candidates.json").read_bytes()
    candidates = validate_records(read_records(content))
    assert candidates[0] == ANN
    assert [candidate.hris_request_id for candidate in candidates] == [f"hr-{n:04}" for n in range(1, 26)]


def test_the_example_file_as_json_lines_holds_the_same_candidates():
    content = (EXAMPLES / "hired-candidates.json").read_bytes()
    lines = "\n".join(json.dumps(value) for value in json.loads(content)).encode()
    assert validate_records(read_records(lines)) == validate_records(read_records(content))


BROKEN = [
    (1, "hiringContext"),
    (2, "hiringContext"),
    (3, "hiringContext"),
    (4, "hrisRequestId"),
    (5, "hrisRequestId"),
    (6, "hrisRequestId"),
    (7, "candidateProfile"),
    (8, "candidateProfile"),
    (9, "candidateProfile.firstName"),
    (10, "candidateProfile.firstName"),
    (11, "candidateProfile.firstName"),
    (12, "candidateProfile.firstName"),
    (13, "candidateProfile.lastName"),
    (14, "candidateProfile.lastName"),
    (15, "candidateProfile.lastName"),
    (16, "candidateProfile.emailAddresses"),
    (17, "candidateProfile.emailAddresses"),
    (18, "candidateProfile.emailAddresses"),
    (19, "candidateProfile.emailAddresses[0]"),
    (20, "candidateProfile.emailAddresses[1]"),
    (21, "candidateProfile.emailAddresses[0]"),
    (22, "candidateProfile.phoneNumbers"),
    (23, "candidateProfile.phoneNumbers[0]"),
    (24, "candidateProfile.phoneNumbers[0].number"),
    (25, "candidateProfile.phoneNumbers[0].number"),
    (26, "jobTitle"),
    (27, "jobTitle"),
    (28, "jobTitle"),
    (29, "jobLocation"),
    (30, "jobLocation"),
    (31, "startDate"),
    (32, "startDate"),
    (33, "startDate"),
    (34, "startDate"),
    (35, "startDate.day"),
    (36, "startDate.year"),
    (37, "startDate.month"),
    (38, "startDate"),
    (39, "hrisRequestId"),
    (40, ""),
]


def broken_defects():
    with pytest.raises(DefectiveRecordsError) as refused:
        validate_records(read_records((EXAMPLES / "broken-candidates.json").read_bytes()))
    return refused.value.defects


def test_the_broken_example_holds_exactly_one_defect_in_each_record():
    content = json.loads((EXAMPLES / "broken-candidates.json").read_bytes())
    assert [defect.record for defect in broken_defects()] == list(range(1, len(content) + 1))
    assert len(BROKEN) == len(content)


@pytest.mark.parametrize(("number", "field"), BROKEN)
def test_each_broken_record_is_refused_naming_record_and_field(number, field):
    (defect,) = [defect for defect in broken_defects() if defect.record == number]
    assert defect.field == field
    assert f"record {number}" in str(defect)
    assert field in str(defect)


def test_a_defect_names_the_request_and_for_json_lines_the_line():
    with pytest.raises(DefectiveRecordsError) as refused:
        validate_records((RawRecord(2, 7, record(hrisRequestId="hr-7", jobTitle="")),))
    assert str(refused.value) == "record 2, line 7, hr-7: jobTitle: must not be empty"


def test_all_defects_of_all_records_are_found_at_once():
    found = defects_of(record(jobTitle="", jobLocation=5), record(hrisRequestId="hr-2"), {})
    assert [(defect.record, defect.field) for defect in found] == [
        (1, "jobTitle"),
        (1, "jobLocation"),
        (3, "hiringContext"),
        (3, "hrisRequestId"),
        (3, "candidateProfile"),
        (3, "jobTitle"),
        (3, "jobLocation"),
        (3, "startDate"),
    ]


def test_unknown_members_are_ignored_at_every_level():
    extended = record(profile={"pronouns": "she"}, startDate={"year": 2021, "month": 7, "day": 1, "hour": 9}, more=[1])
    assert validated(extended) == (ANN,)


def test_an_empty_list_of_telephone_numbers_is_accepted_but_a_missing_one_is_not():
    assert validated(record(profile={"phoneNumbers": []}))[0].phone_numbers == ()
    assert defects_of(record(profile={"phoneNumbers": None}))[0].field == "candidateProfile.phoneNumbers"


@pytest.mark.parametrize(("member", "limit"), [("jobTitle", 200), ("jobLocation", 255), ("hrisRequestId", 255)])
def test_a_text_may_fill_its_column_and_not_one_character_more(member, limit):
    assert validated(record(**{member: "x" * limit}))
    (defect,) = defects_of(record(**{member: "x" * (limit + 1)}))
    assert (defect.field, str(limit) in defect.message) == (member, True)


@pytest.mark.parametrize(("member", "limit"), [("firstName", 25), ("lastName", 60)])
def test_a_name_may_fill_its_column_counted_in_utf16_units(member, limit):
    assert validated(record(profile={member: "x" * limit}))
    assert defects_of(record(profile={member: "x" * (limit + 1)}))
    assert validated(record(profile={member: "𠮷" * (limit // 2)}))
    assert defects_of(record(profile={member: "𠮷" * (limit // 2 + 1)}))


@pytest.mark.parametrize(
    ("year", "month", "day"), [(2024, 2, 29), (2000, 2, 29), (2021, 12, 31), (1900, 1, 2), (2154, 12, 31)]
)
def test_a_date_of_the_calendar_is_read(year, month, day):
    assert validated(record(startDate={"year": year, "month": month, "day": day}))[0].start_date == date(
        year, month, day
    )


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (2023, 2, 29),
        (2100, 2, 29),
        (2021, 4, 31),
        (2021, 0, 1),
        (2021, 1, 0),
        (0, 1, 1),
        (-1, 1, 1),
        (10**30, 1, 1),
        (1900, 1, 1),
        (2155, 1, 1),
    ],
)
def test_a_date_beyond_the_calendar_is_refused(year, month, day):
    (defect,) = defects_of(record(startDate={"year": year, "month": month, "day": day}))
    assert defect.field == "startDate"


@pytest.mark.parametrize("value", [2021.0, "2021", None, True, [2021]])
def test_a_year_that_is_no_whole_number_is_refused(value):
    (defect,) = defects_of(record(startDate={"year": value, "month": 7, "day": 1}))
    assert defect.field == "startDate.year"


@pytest.mark.parametrize(
    "context", ["urn:li:contract:", "urn:li:contract:1x", "urn:li:contract:1\n", "urn:li:contract:٣", "contract:1"]
)
def test_a_hiring_context_that_names_no_contract_is_refused(context):
    (defect,) = defects_of(record(hiringContext=context))
    assert defect.field == "hiringContext"


def test_one_request_may_appear_once_in_each_contract():
    assert len(validated(record(), record(hiringContext="urn:li:contract:124"))) == 2
    (defect,) = defects_of(record(), record(hrisRequestId="HR-0001"))
    assert (defect.record, defect.field) == (2, "hrisRequestId")
    assert "record 1" in defect.message


@pytest.mark.parametrize(
    "address",
    [
        "ann@x.test",
        "ann+talent.hub@x.test",
        "o'brien@x.test",
        "δοκιμή@παράδειγμα.example.com",
        "नमूना@example.org",
        "用户@例子.example.com",
        "ann@xn--e1afmkfd.test",
        "1@2.example.org",
    ],
)
def test_a_well_formed_address_is_accepted(address):
    assert is_email_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "ann",
        "@",
        "ann@",
        "@x.test",
        "ann@x",
        "ann@@x.test",
        "a@b@x.test",
        "ann@x..test",
        "ann@.x.test",
        "ann@-x.test",
        "ann@x-.test",
        "a..b@x.test",
        ".ann@x.test",
        "ann.@x.test",
        "a b@x.test",
        "ann@x.test ",
        "ann@x.test\n",
        "ann,bo@x.test",
        "<ann@x.test>",
        "ann@x_y.test",
        "ann@" + "a" * 64 + ".test",
        "a" * 65 + "@x.test",
        "ann\u200b@x.test",
    ],
)
def test_an_ill_formed_address_is_refused(address):
    assert not is_email_address(address)


ANY_TEXT = st.text(st.characters(codec=None), max_size=8)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(ANY_TEXT, below, max_size=3),
    max_leaves=6,
)
PLACES = [
    ("hiringContext",),
    ("hrisRequestId",),
    ("candidateProfile",),
    ("candidateProfile", "firstName"),
    ("candidateProfile", "emailAddresses"),
    ("candidateProfile", "emailAddresses", 0),
    ("candidateProfile", "phoneNumbers"),
    ("candidateProfile", "phoneNumbers", 0),
    ("candidateProfile", "phoneNumbers", 0, "number"),
    ("jobTitle",),
    ("startDate",),
    ("startDate", "month"),
]


def defects_if_any(value):
    try:
        validated(value)
    except DefectiveRecordsError as error:
        return error.defects
    return ()


@settings(deadline=None)
@given(st.sampled_from(PLACES), ANY_JSON)
def test_whatever_stands_in_a_field_is_accepted_or_refused_by_the_name_of_that_field(place, value):
    broken = record()
    parent = broken
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = value
    found = defects_if_any(broken)
    assert {(defect.record, defect.field.startswith(place[0])) for defect in found} <= {(1, True)}
    assert all("\n" not in defect.message for defect in found)


@settings(deadline=None)
@given(ANY_JSON)
def test_a_record_of_any_shape_is_refused_by_its_number(value):
    assert {defect.record for defect in defects_of(value)} == {1}
