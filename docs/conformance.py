"""Write docs/reference/conformance.md: what becomes of the OASIS ABNF test cases here; `--check` only compares.

The cases are read from the folder of TALENTVERSE_REFERENCE and never copied. The readers of the rules and the small
environment that answers are those of the tests. Example: python docs/conformance.py
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from odata_server.endpoints import web_api
from odata_server.endpoints.exchange import ODataRequest, ODataResponse

REPOSITORY: Final = Path(__file__).parents[1]
PAGE: Final = REPOSITORY / "docs" / "reference" / "conformance.md"
_ROOT: Final = "/api/data/v9.2"
_COLLECTION: Final = f"{_ROOT}/accounts"
_SUCCESS: Final = range(200, 300)
_NOT_IMPLEMENTED: Final = 501
_SERVER_ERROR: Final = 500
_UNKNOWN_NAME: Final = re.compile(r"Could not find a property named|Resource not found for the segment")
_SYNTAX: Final = re.compile(r" at position \d+ in '")
_NAMES_IN_TEXT: Final = re.compile(r"'.*?'(?=[\s.,:;)]|\Z)|\".*?\"|\d+", re.DOTALL)
_ADDRESS: Final = re.compile(r"\w+://[^/?#]*/?")
_HEADER_RULES: Final = ("header", "request-id", "prefer")
_PREFERENCE_RULES: Final = ("preference", "maxpagesizePreference", "includeAnnotationsPreference")
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

_CONTEXT: Final = "context URLs are written into answers, never read"
_IN_BODIES: Final = "a value in a JSON body: the type of the column decides there, not a URL"
_IN_HEADERS: Final = "an HTTP header; what is not understood there is ignored (RFC 7240 §2), so nothing is refused"
_IN_OTHERS: Final = "a part of other rules, which are read whole"
_ELSEWHERE: Final = "a service root of another server, or a fragment, which no client sends"

NOT_MAPPED: Final[Mapping[str, str]] = {
    "context": _CONTEXT,
    **dict.fromkeys((*_HEADER_RULES, *_PREFERENCE_RULES), _IN_HEADERS),
    **dict.fromkeys(("odataIdentifier", "entitySetName", "functionParameter", "stringInUrl"), _IN_OTHERS),
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
    """Give the Web API over a fresh environment; the token `good` is an administrator's."""
    doors = _loaded("conformance_doors", "tests/odata_server/endpoints/conftest.py")
    with tempfile.TemporaryDirectory() as directory:
        dataverse, finance = Path(directory) / "dataverse.db", Path(directory) / "finance.db"
        doors.seed_dataverse(dataverse)
        doors.seed_finance(finance)
        first, second = doors.open_dataverse(dataverse), doors.open_finance(finance)
        with closing(first.database), closing(second.database):
            services = doors.build_services(first, second)
            yield lambda request: web_api.handle(request, services)


def request_for(case: Case) -> ODataRequest:
    """Return the GET request that carries a case: as URL, query of `accounts`, `$filter`, value in it, or header."""
    headers, url = {"authorization": "Bearer good"}, _COLLECTION
    if case.rule in _PREFERENCE_RULES:
        headers["prefer"] = case.text
    elif case.rule in _HEADER_RULES:
        name, _, value = case.text.partition(":")
        headers[name.lower()] = value.strip()
    elif case.rule == "odataUri":
        url = f"{_ROOT}/{_relative(case.text)}"
    elif case.rule in _PATH_RULES:
        url = f"{_ROOT}/{case.text}"
    else:
        url += f"?{case.text}" if case.rule in _OPTION_RULES else f"?$filter={_condition(case)}"
    path, _, query = url.partition("?")
    return ODataRequest("GET", "https", "org.test:8443", path, query, headers)


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


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; numbers stand right."""
    head, body = list(head), [[_cell(value) for value in row] for row in rows]
    is_number = [all(re.fullmatch(r"[\d /–]*", row[at]) for row in body) for at in range(len(head))]
    lines = [head, ["--:" if number else "---" for number in is_number], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return re.sub(r"\s+", " ", str(value)).strip().replace("|", "\\|").replace("<", "\\<")


def numbers(found: Iterable[Case]) -> str:
    """Return the numbers of cases, neighbors as a range: `3–5, 9`."""
    ranges: list[list[int]] = []
    for number in sorted(case.number for case in found):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    return ", ".join("–".join(str(end) for end in pair) for pair in ranges)


def per_rule(found: list[Case]) -> str:
    """Return how many valid cases of each rule are read and how many invalid ones refused."""
    mapped = [case for case in found if case.is_mapped]
    total = Counter((case.rule, case.is_valid) for case in mapped)
    good = Counter((case.rule, case.is_valid) for case in mapped if case.is_as_expected)
    rules = sorted({case.rule for case in mapped}, key=lambda rule: (-total[rule, True], rule.lower()))
    rows = [
        (f"`{rule}`", *(_share(good[rule, valid], total[rule, valid]) for valid in (True, False))) for rule in rules
    ]
    sums = [
        _share(*(sum(n for (_, is_valid), n in c.items() if is_valid is v) for c in (good, total)))
        for v in (True, False)
    ]
    return table(("rule", "valid, read", "invalid, refused"), [*rows, ("all", *sums)])


def _share(part: int, whole: int) -> str:
    return f"{part} / {whole}" if whole else ""


def differences(found: list[Case]) -> str:
    """Return the cases that come out differently from their file, with the reason."""
    rows = [
        (case.number, f"`{case.rule}`", case.name, "read" if case.is_read else "refused", _reason(case))
        for case in found
        if case.is_mapped and not case.is_as_expected
    ]
    return table(("case", "rule", "name", "here", "reason"), rows)


def _reason(case: Case) -> str:
    reason: str = readers().OTHERWISE[case.text]
    return reason


def left_out(found: list[Case]) -> str:
    """Return the cases that no reader is for, by rule, with the reason."""
    rules = sorted({case.rule for case in found if not case.is_mapped}, key=str.lower)
    groups = [(rule, [case for case in found if case.rule == rule and not case.is_mapped]) for rule in rules]
    rows = [(f"`{rule}`", len(group), numbers(group), _absence(rule)) for rule, group in groups]
    return table(("rule", "cases", "numbers", "reason"), rows)


def _absence(rule: str) -> str:
    if rule in readers().READERS:
        return _ELSEWHERE
    return NOT_MAPPED.get(rule, _IN_BODIES)


def outcomes(said: list[Answer]) -> str:
    """Return what the Web API does with each kind of valid cases that are read."""
    counts = Counter((kind(answer.case), answer.outcome) for answer in said)
    sums = Counter(kind(answer.case) for answer in said)
    kinds = sorted(sums, key=lambda name: (-sums[name], name))
    rows = [(name, sums[name], *(counts[name, outcome] for outcome in Outcome)) for name in kinds]
    total = Counter(answer.outcome for answer in said)
    return table(("kind", "cases", *Outcome), [*rows, ("all", len(said), *(total[outcome] for outcome in Outcome))])


def refusals(said: list[Answer]) -> str:
    """Return the texts of refusals that are not about a name, most frequent first."""
    texts = Counter(
        (answer.status, _NAMES_IN_TEXT.sub("…", answer.message).strip())
        for answer in said
        if answer.outcome in {Outcome.REFUSED, Outcome.ABSENT}
    )
    ordered = sorted(texts.items(), key=lambda entry: (-entry[1], entry[0]))
    return table(("cases", "status", "text"), ((count, status, text) for (status, text), count in ordered))


_TEXT: Final = """# Conformance

What becomes of the {count} test cases that OASIS publishes for the URL grammar of OData 4.01 ([files]({source})).
This page is written by `python docs/conformance.py`; a test compares it with the code where the case files are present
(environment variable `TALENTVERSE_REFERENCE`). A case is named by its number in its file, counted from 1.

Three numbers matter:

- **the language**: {good} of {mapped} cases about requests come out as their file says;
- **the dialect**: of the {read} valid cases that are read, {runs} execute, {refused} are refused with 4xx because
  Dataverse's dialect is smaller or other than the standard, {unknown} because a name of the cases' model is no name of
  Dataverse, {absent} are answered with 501;
- **robustness**: all {count} inputs are sent to the Web API; {errors} end in an error of the server, and {accepted} of
  the {invalid} invalid inputs about requests execute.
"""

_SOURCE: Final = "https://github.com/oasis-tcs/odata-abnf/tree/main/abnf"
_DIALECT: Final = """## The dialect

The valid cases that are read, sent to the Web API of a fresh environment as administrator. Options are sent for
`accounts`, expressions as `$filter`, literals in a `$filter` that compares a column with them. The names in the cases
(`Products`, `Price`, …) are no names of Dataverse; a refusal that says so counts as *unknown name*, whatever else
would follow, so every other number is a lower bound. Options without `$` execute as custom options: they have no
effect in OData 4.0, which Dataverse speaks. A *syntax* refusal of a valid case is for what only OData 4.01 allows
(keywords and options in other cases) or what Dataverse reads otherwise."""


def page(found: list[Case], said: list[Answer]) -> str:
    """Return the page as it should be: what the readers and the Web API do with all cases."""
    sent = [answer for answer in said if answer.case.is_valid and answer.case.is_read]
    parts = [_summary(found, said, sent)]
    parts += ["## The language\n\nValid cases that are read, invalid cases that are refused, per rule."]
    for file in readers().FLOORS:
        own = [case for case in found if case.file == file]
        parts += [f"### `{file}`", per_rule(own), "Differently from the file:", differences(own)]
        if not all(case.is_mapped for case in own):
            parts += ["Without a reader of their own:", left_out(own)]
    parts += [_DIALECT, outcomes(sent), "The texts of refusals that are not about a name:", refusals(sent)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def is_invalid_request(case: Case) -> bool:
    """Whether a case is about requests and its file calls it invalid."""
    return case.is_mapped and not case.is_valid


def _summary(found: list[Case], said: list[Answer], sent: list[Answer]) -> str:
    counts = Counter(answer.outcome for answer in sent)
    return _TEXT.format(
        source=_SOURCE,
        count=f"{len(found):,}",
        mapped=sum(case.is_mapped for case in found),
        good=sum(case.is_mapped and case.is_as_expected for case in found),
        errors=sum(answer.status == _SERVER_ERROR for answer in said),
        accepted=sum(answer.outcome is Outcome.RUNS for answer in said if is_invalid_request(answer.case)),
        invalid=sum(is_invalid_request(case) for case in found),
        read=len(sent),
        runs=counts[Outcome.RUNS],
        unknown=counts[Outcome.UNKNOWN_NAME],
        refused=counts[Outcome.REFUSED] + counts[Outcome.SYNTAX],
        absent=counts[Outcome.ABSENT],
    )


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` return 1 when it is stale; return 2 without the case files."""
    try:
        found = cases()
    except pytest.skip.Exception as absent:
        sys.stderr.write(f"{absent}\n")
        return 2
    text = page(found, answers(found))
    is_stale = not PAGE.exists() or PAGE.read_text("utf-8") != text
    if is_stale and "--check" not in arguments:
        PAGE.write_text(text, "utf-8")
    if is_stale:
        sys.stdout.write(f"{PAGE.relative_to(REPOSITORY)}\n")
    return 1 if is_stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
