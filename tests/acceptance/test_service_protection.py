"""Service protection on a live server: one count for two workers, and Human Resources' own limits (ACC-74)."""

from __future__ import annotations

import time

import pytest
from live_servers import start, stop

BURST = "x-ms-ratelimit-burst-remaining-xrm-requests"
POSITIONS = "mshr_hcmpositionv2entities"
THROTTLED = (
    "A token was obtained to call Finance and Operations, but Finance and Operations returned an error of type 429."
)
WAIT = range(1, 301)


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A server whose limits are soon reached."""
    figures = "requests=60,finance-requests=4"
    server = start(tmp_path_factory.mktemp("limited") / "data", "--workers", "2", "--service-protection", figures)
    yield server
    stop(server)


@pytest.fixture(scope="module")
def administrator(limited):
    return limited.client("admin")


def generate_positions(client):
    path = "mserp_financeandoperationsentities"
    query = "$filter=mserp_physicalname eq 'HcmPositionV2Entity'"
    (row,) = client.rows(f"{path}?{query}")
    target = f"{path}({row['mserp_financeandoperationsentityid']})"
    assert client.send("PATCH", target, {"mserp_hasbeengenerated": True}).status_code == 204
    for _ in range(30):
        if client.send("GET", "EntityDefinitions(LogicalName='mshr_hcmpositionv2entity')").status_code == 200:
            return
        time.sleep(0.3)
    raise AssertionError("the table was not generated")


def test_limits_hold_over_all_workers_and_through_virtual_tables(limited, administrator):
    generate_positions(administrator)
    for _ in range(2):
        assert administrator.send("GET", "/data/PositionsV2?$top=1").status_code == 200
        assert administrator.send("GET", f"{POSITIONS}?$top=1").status_code == 200

    refused = administrator.send("GET", "/data/PositionsV2?$top=1")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) in WAIT
    assert refused.json()["error"]["innererror"]["message"] == "Too many requests"
    assert BURST not in refused.headers
    through = administrator.send("GET", f"{POSITIONS}?$top=1")
    assert (through.status_code, through.json()["error"]["message"]) == (429, THROTTLED)
    assert int(through.headers["Retry-After"]) in WAIT

    # Each request comes over a connection of its own, so both workers answer some of them.
    left = int(through.headers[BURST])
    for expected in reversed(range(left)):
        answer = administrator.send("GET", "WhoAmI")
        assert (answer.status_code, answer.headers[BURST]) == (200, str(expected))
    refused = administrator.send("GET", "WhoAmI")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) in WAIT
    assert refused.headers[BURST] == "0"
    assert refused.json()["error"] == {
        "code": "0x80072322",
        "message": "Number of requests exceeded the limit of 60 over time window of 300 seconds.",
    }
    limited.reset()
    assert limited.run("talentverse", "explain", "GET /api/data/v9.2/accounts?$top=1").returncode == 0
