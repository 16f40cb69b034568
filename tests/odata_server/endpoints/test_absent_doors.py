"""Doors that are planned and not there yet say so."""

from __future__ import annotations

import pytest
from flask import Flask

from odata_server.endpoints.control import Control, control_routes


@pytest.fixture
def browser():
    application = Flask("test", static_folder=None)
    application.register_blueprint(control_routes(Control("key", "1", lambda: None, lambda data, dry_run: {})))
    return application.test_client()


@pytest.mark.parametrize("path", ["/", "/linkedin/", "/linkedin/v2/hireThirdPartyHrisProfiles"])
def test_pages_and_the_sandbox_answer_501_and_name_what_is_there(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 501
    assert "/api/data/v9.2/" in answer.json["error"]["message"]


def test_what_is_not_planned_is_not_found(browser):
    assert browser.get("/linkedout").status_code == 404
