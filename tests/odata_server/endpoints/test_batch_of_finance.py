"""`/data/$batch`: the same batches over Human Resources, answered as `/data` answers."""

from __future__ import annotations

import pytest
from batches import BATCH_TYPE, Asked, answers, batch
from things import dump

ROOT = "https://org.test:8443/data"


@pytest.fixture(scope="module", autouse=True)
def company(data):
    """The callers' company."""
    assert data("POST", "/LegalEntities", {"LegalEntityId": "USMF", "Name": "USMF"}).status == 201


@pytest.fixture
def send(data):
    def answered(*items, line_end="\r\n", status=200, **headers):
        headers.setdefault("content_type", BATCH_TYPE)
        answer = data("POST", "/$batch", batch(*items, line_end=line_end), **headers)
        assert answer.status == status, answer.body
        return answers(dict(answer.headers)["Content-Type"], answer.body)

    return answered


def candidate(first, content_id=None, **more):
    return Asked("POST", "CandidatesToHire", {"FirstName": first, "LastName": "Example", **more}, content_id)


def problem(part):
    return part.status, part.json["error"]["innererror"]["message"]


@pytest.mark.parametrize("url", ["CandidatesToHire", "/data/CandidatesToHire", f"{ROOT}/CandidatesToHire"])
def test_requests_are_answered_in_order(send, url):
    made, read = send(
        Asked("POST", url, {"FirstName": "Ann", "LastName": "Example"}),
        Asked("GET", f"{url}?$filter=FirstName eq 'Ann'"),
    )
    assert (made.status, made.json["FirstName"]) == (201, "Ann")
    assert made.headers["Location"].startswith(f"{ROOT}/CandidatesToHire(")
    assert [row["FirstName"] for row in read.json["value"]][:1] == ["Ann"]


def test_a_reference_stands_for_the_record_by_its_natural_key(send, data):
    told = send(
        [
            candidate("Bob", "1"),
            Asked("PATCH", "$1", {"Comments": "later"}, "2"),
            Asked("PATCH", "/data/$1", {"MiddleName": "M"}, "3"),
        ]
    )
    assert [(part.status, part.content_id) for part in told] == [(201, "1"), (204, "2"), (204, "3")]
    row = data.json(told[0].headers["Location"].removeprefix(ROOT))
    assert (row["Comments"], row["MiddleName"]) == ("later", "M")


@pytest.mark.parametrize(
    ("failing", "status", "text"),
    [
        (candidate("x", "9", Gender="Nope"), 400, "'Nope'"),
        (Asked("PATCH", "$7", {"Comments": "x"}, "9"), 400, "Content-ID Reference: '$7' does not exist"),
        (Asked("PATCH", "CandidatesToHire(dataAreaId='',CandidateId='nope')", {"Comments": "x"}, "9"), 404, ""),
        (Asked("POST", "Nopes", {}, "9"), 404, "'Nopes'"),
        (Asked("POST", "$batch", "x", "9"), 400, "other batch requests"),
        (Asked("POST", "/api/data/v9.2/accounts", {"name": "x"}, "9"), 404, "'accounts'"),
    ],
)
def test_a_change_set_that_fails_is_taken_back(send, services, failing, status, text):
    before = dump(services.human_resources.database)
    (told,) = send([candidate("Cid", "1"), Asked("PATCH", "$1", {"Comments": "x"}, "2"), failing], status=status)
    assert (told.status, told.content_id, told.group) == (status, "9", None)
    assert text in problem(told)[1]
    assert dump(services.human_resources.database) == before


def test_with_the_preference_the_others_are_executed(send):
    told = send([candidate("Dan"), Asked("POST", "Nopes", {})], [candidate("Eve")], prefer="odata.continue-on-error")
    assert [part.status for part in told] == [404, 201]


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        ({"content_type": "application/json"}, b"{}", "'multipart/mixed' as the media type"),
        ({"content_type": BATCH_TYPE}, b"", "closing boundary"),
        ({"content_type": BATCH_TYPE}, batch([Asked("GET", "Workers")]), "HTTP method 'GET'"),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(data, services, headers, body, text):
    before = dump(services.human_resources.database)
    answer = data("POST", "/$batch", body, **headers)
    assert answer.status == 400
    assert text in answer.body.decode()
    assert dump(services.human_resources.database) == before


def test_a_caller_who_is_nobody_sends_no_batch(data):
    answer = data("POST", "/$batch", batch(candidate("x")), content_type=BATCH_TYPE, authorization="Bearer stranger")
    assert answer.status == 401
