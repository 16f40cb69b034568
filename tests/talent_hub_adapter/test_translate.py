"""LinkedIn's words to Human Resources' columns."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from talent_hub_adapter.payload import HiredCandidate
from talent_hub_adapter.translate import translate

TEXT = st.text(min_size=1)
CANDIDATES = st.builds(
    HiredCandidate,
    hiring_context=TEXT,
    hris_request_id=TEXT,
    first_name=TEXT,
    last_name=TEXT,
    email_addresses=st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    phone_numbers=st.lists(TEXT, max_size=3).map(tuple),
    job_title=TEXT,
    job_location=TEXT,
    start_date=st.dates(),
)


def test_ann_becomes_a_row_of_nine_columns():
    ann = HiredCandidate(
        "urn:li:contract:123",
        "hr-0001",
        "Ann",
        "Example",
        ("ann@x.test", "ann@example.org"),
        ("+31 20 555 0100", "+31 20 555 0101"),
        "Engineer",
        "Utrecht",
        date(2021, 7, 1),
    )
    assert translate(ann) == {
        "mshr_hiringcontext": "urn:li:contract:123",
        "mshr_hrisrequestid": "hr-0001",
        "mshr_firstname": "Ann",
        "mshr_lastname": "Example",
        "mshr_emailaddress": "ann@x.test",
        "mshr_phonenumber": "+31 20 555 0100",
        "mshr_startdate": "2021-07-01",
        "mshr_jobtitle": "Engineer",
        "mshr_joblocation": "Utrecht",
    }


@settings(deadline=None)
@given(CANDIDATES)
def test_no_text_is_lost_or_altered(candidate):
    values = translate(candidate)
    assert values.get("mshr_phonenumber") == next(iter(candidate.phone_numbers), None)
    assert values["mshr_emailaddress"] == candidate.email_addresses[0]
    assert date.fromisoformat(values["mshr_startdate"]) == candidate.start_date
    assert {
        "mshr_hiringcontext": candidate.hiring_context,
        "mshr_hrisrequestid": candidate.hris_request_id,
        "mshr_firstname": candidate.first_name,
        "mshr_lastname": candidate.last_name,
        "mshr_jobtitle": candidate.job_title,
        "mshr_joblocation": candidate.job_location,
    }.items() <= values.items()


@settings(deadline=None)
@given(CANDIDATES)
def test_a_candidate_without_telephone_number_has_no_such_column(candidate):
    assert ("mshr_phonenumber" in translate(candidate)) == bool(candidate.phone_numbers)
