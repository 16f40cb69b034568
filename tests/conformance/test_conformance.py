"""What becomes of the OASIS ABNF test cases, and that the page about it is fresh."""

import importlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CASES = {"odata-abnf-testcases.yaml": 840, "odata-aggregation-testcases.yaml": 201}


@pytest.fixture(scope="module")
def conformance():
    """The generator of the page, a script beside its modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "docs"))
        yield importlib.import_module("conformance")


@pytest.fixture(scope="module")
def cases(conformance):
    """All cases; skips, naming the folder, where the reference material is not there."""
    return conformance.cases()


@pytest.fixture(scope="module")
def answers(conformance, cases):
    return conformance.all_answers(cases)


def test_the_page_is_fresh(conformance, cases, answers):
    assert conformance.PAGE.read_text("utf-8") == conformance.page(cases, answers), "run: python docs/conformance.py"


def test_a_stale_page_is_found(conformance, cases, answers):
    at = next(i for i, answer in enumerate(answers) if answer.case.is_invalid_request)
    other = [*answers[:at], replace(answers[at], status=200), *answers[at + 1 :]]
    assert conformance.page(cases, other) != conformance.page(cases, answers)


def test_every_case_of_both_files_is_sent(cases, answers):
    assert Counter(case.file for case in cases) == CASES
    assert len(answers) == 2 * sum(CASES.values())


def test_no_case_ends_in_an_error_of_the_server(answers):
    allowed = {*range(200, 300), *range(400, 500), 501}
    assert [(a.case.file, a.case.number, a.status) for a in answers if a.status not in allowed] == []


def test_no_invalid_request_executes(conformance, answers):
    runs = [a.case for a in answers if a.outcome is conformance.Outcome.RUNS]
    assert runs
    assert [case for case in runs if case.is_invalid_request] == []


def test_every_difference_has_its_reason(conformance, cases):
    differing = [case for case in cases if case.is_mapped and not case.is_as_expected]
    assert differing
    assert [case.text for case in differing if case.text not in conformance.readers().OTHERWISE] == []


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        (200, "", "RUNS"),
        (204, "", "RUNS"),
        (501, "ManagedPropertyDefinitions is not supported yet.", "ABSENT"),
        (400, "Could not find a property named 'A' on type 'B'.", "UNKNOWN_NAME"),
        (404, "Resource not found for the segment 'As'.", "UNKNOWN_NAME"),
        (400, "Syntax error at position 3 in 'a b c'.", "SYNTAX"),
        (400, "The operator 'has' is not supported in $filter.", "REFUSED"),
    ],
)
def test_an_answer_is_of_one_kind(conformance, status, message, outcome):
    case = conformance.Case("file", 1, "name", "filter", "$filter=a", True, True, True)
    assert conformance.Answer(case, status, message).outcome is conformance.Outcome[outcome]


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([4], "4"), ([4, 5], "4–5"), ([9, 1, 2, 3], "1–3, 9"), ([1, 3, 5], "1, 3, 5")]
)
def test_neighboring_numbers_are_a_range(conformance, numbers, text):
    found = [conformance.Case("file", number, "", "filter", "", True, True, True) for number in numbers]
    assert conformance.numbers(found) == text


def test_without_the_cases_the_generator_says_where_it_looked(conformance, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TALENTVERSE_REFERENCE", str(tmp_path))
    assert conformance.main([]) == 2
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("$filter=Name eq 'Name'", "$filter=name eq 'Name'"),
        ("$expand=Orders($select=Amount)", "$expand=account_parent_account($select=revenue)"),
        ("$apply=groupby((Customer/Country))", "$apply=groupby((parentaccountid/parentaccountid))"),
        ("$filter=Sales.Pattern'Yellow' eq style", "$filter=Sales.Pattern'Yellow' eq style"),
        ("@Name=1", "@Name=1"),
    ],
)
def test_names_of_the_model_become_names_of_accounts(conformance, text, changed):
    case = conformance.Case("file", 1, "", "queryOptions", text, True, True, True)
    assert conformance.with_names_of_dataverse(case).text == changed


def test_keys_of_the_model_become_the_key_of_an_account(conformance):
    case = conformance.Case("file", 1, "", "odataRelativeUri", "Products(ID=1)/Name?$select=Price", True, True, True)
    key = "0d000000-0000-4000-8000-000000000001"
    assert conformance.with_names_of_dataverse(case).text == f"accounts({key})/name?$select=revenue"
