"""Service protection over HTTP: who is counted, what is left, and the refusals of the three limits."""

import json
from dataclasses import dataclass, replace

import pytest
from batches import BATCH_TYPE, Asked, answers, batch

from entities.errors import DataverseError, TooManyRequests
from entities.messages import Retrieve, RetrieveMultiple
from entities.query import QueryExpression
from entities.values import EntityReference, Guid
from integration.retry import RetryPolicy, with_retry
from integration.web_api import WebApiError
from odata_server.endpoints import human_resources, web_api
from odata_server.endpoints.exchange import ODataRequest
from odata_server.endpoints.protection.gate import open_gates
from odata_server.endpoints.protection.sources import MeteredSource
from odata_server.endpoints.v2 import organization_data
from odata_server.settings import DATAVERSE_LIMITS, FINANCE_LIMITS, Limits, ServiceProtection

BURST, TIME = "x-ms-ratelimit-burst-remaining-xrm-requests", "x-ms-ratelimit-time-remaining-xrm-requests"
REQUESTS = ("0x80072322", "Number of requests exceeded the limit of 3 over time window of 300 seconds.")
EXECUTION = (
    "0x80072321",
    (
        "Combined execution time of incoming requests exceeded limit of 20,000 milliseconds over time window of 300 "
        "seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later."
    ),
)
CONCURRENCY = ("0x80072326", "Number of concurrent requests exceeded the limit of 1.")
NOBODY = "00000000-0000-0000-0000-0000000000ee"
ROOT = "/api/data/v9.2"


@dataclass
class Host:
    """The doors of a host with limits, and its clock. While a request runs, `took` seconds pass."""

    services: object
    protection: ServiceProtection | None = None
    now: float = 1_700_000_000.0
    took: float = 0.0

    def __post_init__(self):
        self.services = replace(self.services, gates=open_gates(None, self.protection), now=self.tick)

    def tick(self):
        self.now += self.took
        return self.now

    def __call__(self, method="GET", path=f"{ROOT}/WhoAmI", body=b"", door=web_api, token="good", **headers):
        bare, _, query = path.partition("?")
        sent = {"authorization": f"Bearer {token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return door.handle(ODataRequest(method, "https", "org.test:8443", bare, query, sent, body), self.services)

    @property
    def user(self):
        return web_api.caller(ODataRequest("GET", "https", "x", "/", headers=GOOD), self.services).caller.user_id


GOOD = {"authorization": "Bearer good"}


@pytest.fixture
def host(services):
    def with_figures(window=300, **figures):
        return Host(services, ServiceProtection(replace(DATAVERSE_LIMITS, **figures), FINANCE_LIMITS, window))

    return with_figures


def left(answer):
    headers = dict(answer.headers)
    return headers[BURST], headers[TIME]


def refusal(answer):
    error = json.loads(answer.body)["error"]
    return answer.status, error["code"], error["message"], dict(answer.headers).get("Retry-After")


def test_answers_say_what_is_left_of_the_real_figures(services):
    host = Host(services)
    assert left(host()) == ("5999", "1,200.00")
    host.took = 0.1
    seconds = [left(host())[1] for _ in range(3)]
    assert [int(left(host())[0])] == [5995]
    assert sorted(seconds, reverse=True) == seconds
    assert seconds[-1] < "1,199.70"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{ROOT}/accounts?$top=1", 200),
        ("GET", f"{ROOT}/accounts/$count", 200),
        ("GET", f"{ROOT}/", 200),
        ("GET", f"{ROOT}/$metadata", 200),
        ("POST", f"{ROOT}/contacts", 400),
        ("GET", f"{ROOT}/nothings", 404),
        ("PUT", f"{ROOT}/accounts", 405),
        ("GET", f"{ROOT}/accounts?$filter=", 400),
    ],
)
def test_every_request_of_a_user_counts_also_one_that_is_refused(host, method, path, status):
    there = host(requests=10)
    answer = there(method, path, b"[]")
    assert answer.status == status
    assert left(answer) == ("9", "1,200.00")
    assert [name for name, _ in answer.headers].count(BURST) == 1


@pytest.mark.parametrize(("token", "status"), [("stranger", 403), ("roleless", 403), ("forged", 401)])
def test_nobodys_requests_are_not_counted(host, token, status):
    there = host(requests=1)
    for _ in range(3):
        answer = there(token=token)
        assert answer.status == status
        assert dict(answer.headers).get(BURST) == (None if status == 401 else "1")
    assert there().status == 200


def test_without_enforcement_nothing_is_refused_and_nothing_is_less_than_zero(services):
    host = Host(services)
    gates = open_gates(None, ServiceProtection(Limits(2, 1.0, 52)))
    gates = replace(gates, dataverse=replace(gates.dataverse, is_enforced=False))
    host.services = replace(host.services, gates=gates)
    host.took = 0.5
    answers = [host() for _ in range(4)]
    assert {answer.status for answer in answers} == {200}
    assert left(answers[-1]) == ("0", "0.00")


def test_more_requests_than_the_limit_are_refused_until_the_window_has_moved_on(host):
    there = host(requests=3)
    for _ in range(3):
        assert there().status == 200
        there.now += 100
    there.now -= 1
    assert refusal(there()) == (429, *REQUESTS, "1")
    assert left(there()) == ("0", "1,200.00")
    there.now += 1
    assert there().status == 200
    assert refusal(there()) == (429, *REQUESTS, "100")


def test_more_execution_time_than_the_limit_is_refused_until_the_window_has_moved_on(host):
    there = host(execution_seconds=20)
    there.took = 6.0
    while there().status == 200:
        pass
    there.took = 0.0
    status, code, text, wait = refusal(there())
    assert (status, code, text) == (429, *EXECUTION)
    there.now += int(wait) - 1
    assert refusal(there()) == (429, *EXECUTION, "1")
    there.now += 1
    assert there().status == 200


def test_more_requests_at_once_than_the_limit_are_refused_until_one_ends(host):
    there = host(concurrent=1)
    gate = there.services.gates.dataverse
    gate.enter(there.user, there.now)
    assert refusal(there()) == (429, *CONCURRENCY, "1")
    gate.leave(there.user, there.now, there.now)
    assert there().status == 200


def test_a_request_that_ends_in_a_fault_runs_no_more(host, monkeypatch):
    there = host(concurrent=1)
    monkeypatch.setattr(web_api, "answered", lambda *_: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            there()
    monkeypatch.undo()
    assert there().status == 200


def test_a_batch_is_one_request_and_its_parts_say_nothing_of_what_is_left(host):
    there = host(requests=3)
    sent = batch(*(Asked("GET", "WhoAmI") for _ in range(5)))
    answer = there("POST", f"{ROOT}/$batch", sent, **{"content-type": BATCH_TYPE})
    assert answer.status == 200
    assert left(answer) == ("2", "1,200.00")
    parts = answers(dict(answer.headers)["Content-Type"], answer.body)
    assert [part.status for part in parts] == [200] * 5
    assert BURST.encode() not in answer.body


def test_both_protocols_of_dataverse_count_for_a_user_and_human_resources_does_not(host):
    there = host(requests=2)
    sets = f"{organization_data.ROOT}/AccountSet?$top=1"
    assert there("GET", sets, door=organization_data).status == 200
    assert there("GET", "/data/", door=human_resources).status == 200
    assert left(there()) == ("0", "1,200.00")
    answer = there("GET", sets, door=organization_data, accept="application/json")
    assert answer.status == 429
    assert dict(answer.headers)["Retry-After"] == "300"
    assert json.loads(answer.body)["error"]["code"] == str(0x80072322 - 2**32)


def test_users_of_human_resources_have_limits_of_their_own(services):
    there = Host(services, ServiceProtection(finance=Limits(2, 300.0, 25)))
    for _ in range(2):
        answer = there("GET", "/data/LegalEntities?$top=1", door=human_resources)
        assert answer.status == 200
        assert BURST not in dict(answer.headers)
    refused = there("GET", "/data/LegalEntities?$top=1", door=human_resources)
    assert (refused.status, dict(refused.headers)["Retry-After"]) == (429, "300")
    assert json.loads(refused.body)["error"]["innererror"]["message"] == "Too many requests"
    assert there().status == 200
    there.now += 300
    assert there("GET", "/data/LegalEntities?$top=1", door=human_resources).status == 200


def test_what_virtual_tables_ask_counts_in_human_resources(services):
    there = Host(services, ServiceProtection(finance=Limits(1, 300.0, 1)))
    finance = services.human_resources
    source = MeteredSource(finance, there.services.gates.finance, there.tick)
    assert (source.catalog, source.directory.system()) == (finance.catalog, finance.directory.system())
    message = RetrieveMultiple(QueryExpression("omlegalentity"))
    principal = finance.directory.system()
    with pytest.raises(DataverseError) as fault:
        source.execute(Retrieve(EntityReference("omlegalentity", Guid(NOBODY)), ("name",)), principal)
    assert not isinstance(fault.value, TooManyRequests)
    with pytest.raises(TooManyRequests, match="limit of 1 over"):
        source.execute(message, principal)
    assert there("GET", "/data/LegalEntities?$top=1", door=human_resources).status == 429
    there.now += 300
    assert source.execute(message, principal).records == ()


def test_a_preflight_needs_no_token_and_counts_for_nobody(host):
    there = host(requests=1)
    for _ in range(3):
        assert there("OPTIONS", token="forged").status == 200
    assert there().status == 200


def test_who_impersonates_is_counted_itself(host):
    there = host(requests=3)
    there(mscrmcallerid=NOBODY)
    assert left(there()) == ("1", "1,200.00")


def test_a_client_that_waits_as_it_is_told_succeeds(host):
    there = host(requests=3, window=60)
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        there.now += seconds

    def attempt():
        answer = there()
        if answer.status != 200:
            status, code, text, wait = refusal(answer)
            raise WebApiError(status, code, text, float(wait))
        return left(answer)[0]

    policy = RetryPolicy(sleep=sleep)
    assert [with_retry(policy, attempt) for _ in range(5)] == ["2", "1", "0", "2", "1"]
    assert waits == [60.0]


def test_a_client_that_does_not_wait_is_refused_again(host):
    there = host(requests=1, window=60)
    assert there().status == 200
    for _ in range(3):
        assert refusal(there())[0] == 429
        there.now += 1
    assert refusal(there())[3] == "57"
