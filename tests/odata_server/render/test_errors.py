"""Every refusal has an HTTP status, and its body is what clients parse."""

from __future__ import annotations

import json

import pytest

from entities import errors
from odata_server.render.errors import STATUS, finance_body, status_of, web_api_body


def families():
    return [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DataverseError)
    ]


def test_every_family_of_errors_is_in_the_table():
    assert set(families()) == set(STATUS)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.DataverseError("x"), 500),
        (errors.MalformedRequest("x"), 400),
        (errors.StepRejected("x"), 400),
        (errors.AccessDenied("x"), 403),
        (errors.ResourceNotFound("x"), 404),
        (errors.MethodNotAllowed("x"), 405),
        (errors.DuplicateRecord("x"), 412),
        (errors.TooManyRequests("x", retry_after=3), 429),
        (errors.NotSupported("x"), 501),
        (errors.TemporarilyUnavailable("x"), 503),
    ],
)
def test_the_nearest_listed_class_decides_the_status(error, status):
    child = type("Child", (type(error),), {})
    assert status_of(error) == status
    assert status_of(child.__new__(child)) == status


def test_the_body_holds_code_and_message():
    body = web_api_body(errors.RecordNotFound('No "é"'))
    assert json.loads(body) == {"error": {"code": "0x80040217", "message": 'No "é"'}}


def test_annotations_bring_a_help_link_with_the_code():
    error = json.loads(web_api_body(errors.StepRejected("x"), annotated=True))["error"]
    assert "error=Microsoft.Crm.CrmException%3a80040265&" in error["@Microsoft.PowerApps.CDS.HelpLink"]


def test_finance_and_operations_puts_the_text_into_the_inner_error():
    error = json.loads(finance_body(errors.StepRejected("x")))["error"]
    assert error["code"] == ""
    assert error["innererror"]["message"] == "x"
