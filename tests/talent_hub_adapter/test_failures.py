"""What the adapter advises for each kind of failure, and which failures concern every candidate."""

import pytest

from integration.tokens import TokenError
from integration.web_api import ServerNotTrustedError, ServerUnreachableError, WebApiError
from talent_hub_adapter.failures import RowLostError, TableUnusableError, explain


@pytest.mark.parametrize(
    ("error", "advice", "concerns_all"),
    [
        (TokenError("x"), "the application's id and secret", True),
        (ServerUnreachableError("x"), "Start the server", True),
        (ServerNotTrustedError("x"), "Trust it", True),
        (TableUnusableError("x"), "Generate/refresh", True),
        (RowLostError("x"), "Run the same command again", False),
        (WebApiError(400, "0x80048d19", "x"), "Correct the record", False),
        (WebApiError(401, None, "x"), "does not accept the token", True),
        (WebApiError(403, None, "A token was obtained, but it rejected the call as not authorized."), "no Entra", True),
        (WebApiError(404, None, "x"), "not generated", True),
        (WebApiError(429, None, "x"), "again later", True),
        (WebApiError(500, None, "x"), "server's log", False),
        (WebApiError(503, None, "x"), "when the server is well", True),
    ],
)
def test_each_failure_says_what_to_do_next(error, advice, concerns_all):
    failure = explain(error)
    assert advice in failure.next_step
    assert failure.concerns_all is concerns_all
    assert failure.message == str(error).split(" [")[0]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WebApiError(400, "0x80040203", "No."), "No. [0x80040203] Correct"),
        (WebApiError(404, None, "No."), "No. [HTTP 404] The"),
        (TokenError("No."), "No. Check"),
    ],
)
def test_the_line_holds_text_then_code_then_advice(error, text):
    assert str(explain(error)).startswith(text)
