"""Exporting against a Web API that loses answers, throttles, refuses and recovers."""

import json
from pathlib import Path

import pytest

from talent_hub_adapter.hired_file import read_records
from talent_hub_adapter.payload import validate_records
from talent_hub_adapter.writer import Status, export_candidates

DEFINITION = "EntityDefinitions(LogicalName='mshr_hcmlinkedinexportedcandidateentity')"
DENIED = {"error": {"code": "0x80040265", "message": "Access denied: you may not create in table X."}}


@pytest.fixture
def export(web_api, policy):
    def run(*candidates):
        return list(export_candidates(candidates, web_api, policy))

    return run


def test_a_candidate_is_written_once_and_named_by_the_id_human_resources_gave(export, environment, make_candidate):
    (first,) = export(make_candidate())
    assert (first.status, first.exported_candidate_id, first.failure) == (Status.EXPORTED, "LEC-000001", None)
    (again,) = export(make_candidate())
    assert (again.status, again.exported_candidate_id) == (Status.ALREADY_EXPORTED, "LEC-000001")
    assert (len(environment.rows), environment.count("POST")) == (1, 1)


def test_the_example_file_arrives_unaltered_and_a_second_run_writes_nothing(export, environment):
    content = (Path(__file__).parents[2] / "examples" / "hired-candidates.json").read_bytes()
    candidates = validate_records(read_records(content))
    assert {outcome.status for outcome in export(*candidates)} == {Status.EXPORTED}
    expected = [
        (value["candidateProfile"]["firstName"], value["candidateProfile"]["lastName"], value["jobTitle"])
        for value in json.loads(content)
    ]
    assert [(row["mshr_firstname"], row["mshr_lastname"], row["mshr_jobtitle"]) for row in environment.rows] == expected
    assert {outcome.status for outcome in export(*candidates)} == {Status.ALREADY_EXPORTED}
    assert environment.count("POST") == 25


def test_the_definition_is_read_before_anything_is_written(export, environment, make_candidate):
    export(make_candidate())
    assert [path for _, path in environment.requests[:2]] == [DEFINITION, f"{DEFINITION}/ManyToOneRelationships"]


def test_ids_with_quotes_and_other_signs_are_found_again(export, environment, make_candidate):
    odd = make_candidate(hris_request_id="o'b''r & 50% + #1 / ü 名")
    assert [export(odd)[0].status, export(odd)[0].status] == [Status.EXPORTED, Status.ALREADY_EXPORTED]
    assert len(environment.rows) == 1


def test_throttling_is_waited_out_and_the_candidate_arrives_once(
    export, environment, make_candidate, make_fault, waits
):
    text = (
        "A token was obtained to call Finance and Operations, but Finance and Operations returned an error of type 429."
    )
    body = {"error": {"code": "0x80040265", "message": text}}
    environment.faults = [make_fault("POST", status=429, body=body, retry_after="120") for _ in range(2)]
    (outcome,) = export(make_candidate())
    assert (outcome.status, waits, len(environment.rows)) == (Status.EXPORTED, [120.0, 120.0], 1)


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("status", [None, 503, 504])
def test_an_answer_lost_before_or_after_the_write_leaves_one_row(
    export, environment, make_candidate, make_fault, written, status
):
    environment.faults = [make_fault("POST", status=status, body={}, written=written)]
    (outcome,) = export(make_candidate())
    assert (outcome.status, outcome.exported_candidate_id) == (Status.EXPORTED, "LEC-000001")
    assert len(environment.rows) == 1
    assert environment.count("POST") == (1 if written else 2)


def test_a_lost_answer_whose_row_shows_late_ends_as_a_duplicate_and_still_counts(
    export, environment, make_candidate, make_fault
):
    environment.faults = [
        make_fault("POST", written=True),
        # The first two look-ups: before the write, and in the second attempt, where the row does not show yet.
        make_fault("GET", status=200, body={"value": []}),
        make_fault("GET", status=200, body={"value": []}),
    ]
    (outcome,) = export(make_candidate())
    assert (outcome.status, outcome.exported_candidate_id) == (Status.EXPORTED, "LEC-000001")
    assert (len(environment.rows), environment.count("POST")) == (1, 2)


def test_a_row_that_another_run_wrote_meanwhile_counts_as_already_exported(
    export, environment, make_candidate, make_fault
):
    export(make_candidate())
    environment.faults = [make_fault("GET", status=200, body={"value": []})]
    (outcome,) = export(make_candidate())
    assert outcome.status is Status.ALREADY_EXPORTED
    assert len(environment.rows) == 1


def test_a_failing_read_back_does_not_undo_what_the_server_acknowledged(
    export, environment, make_candidate, make_fault
):
    environment.faults = [
        make_fault("GET", status=200, body={"value": []}),
        *(make_fault("GET", status=503, body={}) for _ in range(20)),
    ]
    (outcome,) = export(make_candidate())
    assert (outcome.status, outcome.exported_candidate_id) == (Status.EXPORTED, None)
    assert environment.count("POST") == 1


def test_an_acknowledged_row_that_is_not_there_is_a_failure(export, environment, make_candidate, make_fault):
    environment.faults = [make_fault("POST", status=204)]
    first, second = export(make_candidate(1), make_candidate(2))
    assert "acknowledged the row, but it is not there" in first.failure.message
    assert second.status is Status.EXPORTED


def test_a_business_error_fails_its_candidate_alone(export, environment, make_candidate, make_fault):
    body = {"error": {"code": "0x80040265", "message": "The start date lies after the end of service."}}
    environment.faults = [make_fault("POST", status=400, body=body)]
    first, second = export(make_candidate(1), make_candidate(2))
    assert (first.status, first.failure.code) == (Status.FAILED, "0x80040265")
    assert str(first.failure).startswith("The start date lies after the end of service. [0x80040265] Correct")
    assert second.status is Status.EXPORTED


def test_a_row_that_differs_in_case_only_is_another_candidates(export, environment, make_candidate):
    export(make_candidate(hris_request_id="hr-a"))
    (outcome,) = export(make_candidate(hris_request_id="HR-A"))
    assert (outcome.status, outcome.failure.code) == (Status.FAILED, "0x80040265")
    assert len(environment.rows) == 1


def test_an_error_500_fails_its_candidate_alone_and_points_at_the_log(export, environment, make_candidate, make_fault):
    environment.faults = [make_fault("POST", status=500, body={"error": {"code": "0x80040216", "message": "Oh."}})]
    first, second = export(make_candidate(1), make_candidate(2))
    assert "log" in first.failure.next_step
    assert second.status is Status.EXPORTED


def test_the_same_error_500_after_a_write_is_found_exported_by_the_next_run(
    export, environment, make_candidate, make_fault
):
    environment.faults = [make_fault("POST", status=500, body={}, written=True)]
    assert export(make_candidate())[0].status is Status.FAILED
    assert export(make_candidate())[0].status is Status.ALREADY_EXPORTED


def refusal(code, message):
    return {"error": {"code": code, "message": message}}


SET_UP = [
    (DEFINITION, 403, refusal("0x80072560", "The user is not a member of the organization."), "application user"),
    (DEFINITION, 403, refusal("0x80040225", "The specified user(Id = 1) is disabled."), "user is disabled"),
    (DEFINITION, 403, refusal("0x80040220", "You lack something."), "lacks a privilege"),
    (DEFINITION, 403, refusal("0x80048405", "Access denied."), "A piece of the set-up is missing"),
    (DEFINITION, 403, refusal("0x80042f09", "The user with id 1 has not been assigned any roles."), "lacks the role"),
    (
        DEFINITION,
        403,
        refusal("0x80040220", "Principal user (Id=1, type=8) is missing prvReadEntity privilege (Id=2) on OTC=9800"),
        "lacks Read on Entity",
    ),
    (
        f"{DEFINITION}/Many",
        403,
        refusal("0x80040220", "Principal user (Id=1) is missing prvReadRelationship privilege"),
        "lacks Read on Relationship",
    ),
    (
        "mshr_",
        403,
        refusal("0x80040265", "User x was not found in finance and operations. Please ensure this user exists."),
        "no Entra application",
    ),
    ("mshr_", 403, DENIED, "may not write"),
    (DEFINITION, 404, refusal("0x80040217", "Could not find an entity with specified name"), "not generated"),
    ("mshr_", 404, refusal("0x80060888", "Resource not found for the segment 'mshr_x'."), "not generated"),
]


@pytest.mark.parametrize("missing", SET_UP)
def test_a_missing_piece_of_the_set_up_is_named_for_every_candidate(
    export, environment, make_candidate, make_fault, missing
):
    path, status, body, piece = missing
    environment.faults = [make_fault("GET", path, status=status, body=body)]
    outcomes = export(make_candidate(1), make_candidate(2), make_candidate(3))
    assert {outcome.status for outcome in outcomes} == {Status.FAILED}
    for outcome in outcomes:
        assert body["error"]["message"] in str(outcome.failure)
        assert piece in outcome.failure.next_step
        assert "talentverse setup talent-hub --check" in outcome.failure.next_step
    assert environment.rows == []
    assert environment.count("POST") == 0


def test_a_user_who_may_read_but_not_write_is_found_out_by_the_first_write(
    export, environment, make_candidate, make_fault
):
    environment.faults = [make_fault("POST", status=403, body=DENIED)]
    outcomes = export(make_candidate(1), make_candidate(2))
    assert ["may not write" in outcome.failure.next_step for outcome in outcomes] == [True, True]
    assert environment.count("POST") == 1


def test_a_refused_token_is_explained(export, environment, make_candidate, make_fault):
    environment.faults = [make_fault("GET", DEFINITION, status=401), make_fault("GET", DEFINITION, status=401)]
    (outcome,) = export(make_candidate())
    assert (outcome.failure.http_status, "token" in outcome.failure.next_step) == (401, True)


def test_a_table_without_the_columns_is_reported_before_anything_is_written(export, environment, make_candidate):
    environment.columns -= {"mshr_jobtitle", "mshr_startdate"}
    (outcome,) = export(make_candidate())
    assert "lacks the columns mshr_jobtitle, mshr_startdate" in outcome.failure.message
    assert "Generate/refresh" in outcome.failure.next_step
    assert environment.count("POST") == 0


def test_a_definition_without_an_entity_set_is_no_place_to_write(export, environment, make_candidate, make_fault):
    whole = {"EntitySetName": None, "Attributes": [{"LogicalName": name} for name in environment.columns]}
    environment.faults = [make_fault("GET", DEFINITION, status=200, body=whole)]
    assert "has no entity set" in export(make_candidate())[0].failure.message


def test_an_answer_that_is_no_collection_ends_the_export(export, environment, make_candidate, make_fault):
    environment.faults = [make_fault("GET", status=200, body={"rows": []})]
    outcomes = export(make_candidate(1), make_candidate(2))
    assert ["holds no value" in outcome.failure.message for outcome in outcomes] == [True, True]


def test_a_dead_server_ends_the_export_with_what_to_do(export, environment, make_candidate, make_fault, waits):
    environment.faults = [make_fault("GET", DEFINITION) for _ in range(8)]
    outcomes = export(make_candidate(1), make_candidate(2))
    assert [outcome.failure.next_step for outcome in outcomes] == [
        "Start the server, then run the same command again."
    ] * 2
    assert len(waits) == 7


def test_a_server_that_stays_down_is_given_up_once_for_all(export, environment, make_candidate, make_fault, waits):
    export(make_candidate(1))
    environment.faults = [make_fault("GET", status=503, body={}) for _ in range(30)]
    outcomes = export(make_candidate(2), make_candidate(3))
    assert [outcome.failure.http_status for outcome in outcomes] == [503, 503]
    assert len(waits) == 7


def test_without_candidates_nothing_fails(export):
    assert export() == []
