"""The Web API with rules that find duplicates."""

from __future__ import annotations

from functools import partial

import pytest
from duplicates import PUBLISH, draft, run_all
from things import dump

from odata_server.engine.jobs import JobWorker
from odata_server.environments import background_work
from odata_server.providers.system_jobs import report


@pytest.fixture(scope="module")
def worker(environments):
    dataverse, finance = environments
    return JobWorker(dataverse.database, background_work(dataverse, finance), partial(report, dataverse))


@pytest.fixture
def state(environments):
    return lambda: dump(environments[0].database)


@pytest.fixture
def clean(api, worker):
    """Take away what a test has made: records, rules and jobs, the rules of the seed not among them."""
    seeded = {row["duplicateruleid"] for row in api.json("/duplicaterules?$select=name")["value"]}
    yield
    for entity_set in ("contacts", "accounts", "tasks"):
        key = {"tasks": "activityid"}.get(entity_set, f"{entity_set[:-1]}id")
        for row in api.json(f"/{entity_set}?$select={key}")["value"]:
            assert api("DELETE", f"/{entity_set}({row[key]})").status == 204
    for row in api.json("/duplicaterules?$select=statuscode")["value"]:
        if row["duplicateruleid"] in seeded:
            continue
        if row["statuscode"] == 2:
            assert api("POST", "/UnpublishDuplicateRule", {"DuplicateRuleId": row["duplicateruleid"]}).status == 204
        assert api("DELETE", f"/duplicaterules({row['duplicateruleid']})").status == 204
    run_all(worker)


@pytest.fixture
def rule(api, worker, clean):
    """Make a published rule."""

    def make(base="account", matching="account", *conditions, **more):
        identifier = draft(api, base, matching, *conditions, **more)
        answer = api("POST", f"/duplicaterules({identifier})/{PUBLISH}")
        assert answer.status == 200, answer.body
        run_all(worker)
        return identifier

    return make
