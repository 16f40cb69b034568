"""LinkedIn's words to Human Resources' columns: a hired candidate as a row of *LinkedIn exported candidate*."""

from talent_hub_adapter.payload import HiredCandidate


def translate(candidate: HiredCandidate) -> dict[str, str]:
    """Return the column values of a candidate, by the logical names of the virtual table.

    Texts pass unaltered. The first e-mail address and the first telephone number count; without a number the
    column is absent. The start date is written as Edm.Date.
    """
    values = {
        "mshr_hiringcontext": candidate.hiring_context,
        "mshr_hrisrequestid": candidate.hris_request_id,
        "mshr_firstname": candidate.first_name,
        "mshr_lastname": candidate.last_name,
        "mshr_emailaddress": candidate.email_addresses[0],
        "mshr_startdate": candidate.start_date.isoformat(),
        "mshr_jobtitle": candidate.job_title,
        "mshr_joblocation": candidate.job_location,
    }
    if candidate.phone_numbers:
        values["mshr_phonenumber"] = candidate.phone_numbers[0]
    return values
