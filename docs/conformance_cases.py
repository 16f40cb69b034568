"""The OASIS ABNF test cases: what their readers make of them, and what the Web API of a small environment answers.

The cases are read from the folder of TALENTVERSE_REFERENCE and never copied. The readers of the rules and the
environment are those of the tests.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from conformance_names import ACCOUNT, renamed, renamed_url

from odata_server.endpoints import web_api
from odata_server.endpoints.exchange import ODataRequest, ODataResponse

REPOSITORY: Final = Path(__file__).parents[1]
_ROOT: Final = "/api/data/v9.2"
_COLLECTION: Final = f"{_ROOT}/accounts"
_SUCCESS: Final = range(200, 300)
_NOT_IMPLEMENTED: Final = 501
SERVER_ERROR: Final = 500
_UNKNOWN_NAME: Final = re.compile(r"Could not find a property named|Resource not found for the segment")
_SYNTAX: Final = re.compile(r" at position \d+ in '")
_ADDRESS: Final = re.compile(r"\w+://[^/?#]*/?")
HEADER_RULES: Final = ("header", "request-id", "prefer")
PREFERENCE_RULES: Final = ("preference", "maxpagesizePreference", "includeAnnotationsPreference")
_OPTION_RULES: Final = (
    *("queryOptions", "systemQueryOption", "customQueryOption", "filter", "orderby", "orderBy", "select", "expand"),
    *("compute", "search", "skiptoken", "deltatoken"),
)
_PATH_RULES: Final = ("odataRelativeUri", "resourcePath")
_COLUMNS: Final[Mapping[str, str]] = {
    "boolean": "donotemail",
    "guid": "accountid",
    **dict.fromkeys(("date", "dateTimeOffsetLiteral", "dateTimeOffsetValueInUrl"), "createdon"),
    **dict.fromkeys(("sbyteLiteral", "int16Literal", "int32Literal", "int64Literal"), "numberofemployees"),
    **dict.fromkeys(("decimalLiteral", "doubleLiteral", "singleLiteral"), "revenue"),
}


class Outcome(StrEnum):
    """What the Web API does with a case that the language can say."""

    RUNS = "executes"
    UNKNOWN_NAME = "4xx, unknown name"
    REFUSED = "4xx, not in Dataverse's dialect"
    SYNTAX = "4xx, syntax"
    ABSENT = "501"


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a file, with its place in it, counted from 1."""

    file: str
    number: int
    name: str
    rule: str
    text: str
    is_valid: bool
    is_mapped: bool
    is_read: bool

    @property
    def is_as_expected(self) -> bool:
        """Whether a valid case is read, or an invalid one refused."""
        return self.is_read is self.is_valid

    @property
    def is_invalid_request(self) -> bool:
        """Whether it is about requests and its file calls it invalid."""
        return self.is_mapped and not self.is_valid


@dataclass(frozen=True, slots=True)
class Answer:
    """What the Web API said to a case."""

    case: Case
    status: int
    message: str

    @property
    def outcome(self) -> Outcome:
        """The kind of this answer."""
        if self.status in _SUCCESS:
            return Outcome.RUNS
        if self.status == _NOT_IMPLEMENTED:
            return Outcome.ABSENT
        if _SYNTAX.search(self.message):
            return Outcome.SYNTAX
        return Outcome.UNKNOWN_NAME if _UNKNOWN_NAME.search(self.message) else Outcome.REFUSED


def _loaded(name: str, path: str) -> ModuleType:
    """Return a module of the tests, which are no package."""
    support = str(REPOSITORY / "tests" / "support")
    if support not in sys.path:
        sys.path.append(support)
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, REPOSITORY / path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def readers() -> ModuleType:
    """Return the module that knows how each rule is read."""
    return _loaded("conformance_readers", "tests/odata_server/syntax/test_oasis_abnf.py")


def cases() -> list[Case]:
    """Return all cases of both files.

    Raises:
        pytest.skip.Exception: the case files are not there.
    """
    oasis = readers()
    return [_case(name, at, raw) for name in oasis.FLOORS for at, raw in enumerate(oasis.load_cases(name), start=1)]


def _case(file: str, number: int, raw: Mapping[str, Any]) -> Case:
    oasis = readers()
    is_mapped = oasis.is_about_requests(raw)
    is_read = is_mapped and oasis.is_read(raw)
    return Case(file, number, raw["Name"], raw["Rule"], raw["Input"], "FailAt" not in raw, is_mapped, is_read)


@contextmanager
def web_api_of_a_small_environment() -> Iterator[Callable[[ODataRequest], ODataResponse]]:
    """Give the Web API over a fresh environment with one account; the token `good` is an administrator's."""
    doors = _loaded("conformance_doors", "tests/odata_server/endpoints/conftest.py")
    with tempfile.TemporaryDirectory() as directory:
        dataverse, finance = Path(directory) / "dataverse.db", Path(directory) / "finance.db"
        doors.seed_dataverse(dataverse)
        doors.seed_finance(finance)
        first, second = doors.open_dataverse(dataverse), doors.open_finance(finance)
        with closing(first.database), closing(second.database):
            services = doors.build_services(first, second)
            account = json.dumps({"accountid": ACCOUNT, "name": "Contoso"}).encode()
            created = web_api.handle(_request("POST", _COLLECTION, {}, account), services)
            assert created.status in _SUCCESS, created.body
            yield lambda request: web_api.handle(request, services)


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> ODataRequest:
    path, _, query = url.partition("?")
    sent = {**headers, "authorization": "Bearer good"}
    return ODataRequest(method, "https", "org.test:8443", path, query, sent, body)


def with_names_of_dataverse(case: Case) -> Case:
    """Return a valid case about requests with its names replaced by those of accounts; others as they are.

    What makes a case invalid is often its key or a name, so invalid cases keep theirs.
    """
    if case.is_invalid_request or not case.is_mapped or case.rule in _literal_rules():
        return case
    if case.rule == "odataUri":
        return replace(case, rule="odataRelativeUri", text=renamed_url(_relative(case.text)))
    return replace(case, text=(renamed_url if case.rule in _PATH_RULES else renamed)(case.text))


def request_for(case: Case) -> ODataRequest:
    """Return the GET request that carries a case: as URL, query of `accounts`, `$filter`, value in it, or header."""
    headers, url = dict[str, str](), _COLLECTION
    if case.rule in PREFERENCE_RULES:
        headers["prefer"] = case.text
    elif case.rule in HEADER_RULES:
        name, _, value = case.text.partition(":")
        headers[name.lower()] = value.strip()
    elif case.rule == "odataUri":
        url = f"{_ROOT}/{_relative(case.text)}"
    elif case.rule in _PATH_RULES:
        url = f"{_ROOT}/{case.text}"
    else:
        url += f"?{case.text}" if case.rule in _OPTION_RULES else f"?$filter={_condition(case)}"
    return _request("GET", url, headers)


def _condition(case: Case) -> str:
    if case.rule == "anyExpr":
        return f"Items/{case.text}"
    return f"{_COLUMNS.get(case.rule, 'name')} eq {case.text}" if case.rule in _literal_rules() else case.text


def _relative(url: str) -> str:
    roots = (root for root in readers().SERVICE_ROOTS if url.startswith(root))
    return url.removeprefix(next(roots, "")) if url.startswith(readers().SERVICE_ROOTS) else _ADDRESS.sub("", url, 1)


def answers(all_cases: Iterable[Case]) -> list[Answer]:
    """Return what the Web API says to every case."""
    with web_api_of_a_small_environment() as ask:
        return [_answer(case, ask(request_for(case))) for case in all_cases]


def _answer(case: Case, response: ODataResponse) -> Answer:
    is_error = response.status not in _SUCCESS and response.body
    message: str = json.loads(response.body)["error"]["message"] if is_error else ""
    return Answer(case, response.status, message)


def kind(case: Case) -> str:
    """Return what a case is about: one system option, several, a path, an expression or a literal."""
    if case.rule in (*_PATH_RULES, "odataUri"):
        return "path with options" if "?" in case.text else "path"
    if case.rule not in _OPTION_RULES:
        return "literal, in `$filter`" if case.rule in _literal_rules() else "expression, in `$filter`"
    names = {option.partition("=")[0].lower().lstrip("$") for option in case.text.split("&")}
    if len(names) > 1:
        return "several options"
    return f"`${names.pop()}`" if case.text.startswith("$") else "option without `$`, custom option"


def _literal_rules() -> frozenset[str]:
    others = {*_OPTION_RULES, *_PATH_RULES, "odataUri"}
    return frozenset(rule for rule in readers().READERS if not rule.endswith("Expr") and rule not in others)
