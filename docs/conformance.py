"""Write docs/reference/conformance.md: what becomes of the OASIS ABNF test cases here; `--check` only compares.

Example: python docs/conformance.py
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import pytest
from conformance_cases import (
    HEADER_RULES,
    PREFERENCE_RULES,
    REPOSITORY,
    SERVER_ERROR,
    Answer,
    Case,
    Outcome,
    answers,
    cases,
    kind,
    readers,
    with_names_of_dataverse,
)

PAGE: Final = REPOSITORY / "docs" / "reference" / "conformance.md"
_NAMES_IN_TEXT: Final = re.compile(r"'.*?'(?=[\s.,:;)]|\Z)|\".*?\"|\d+", re.DOTALL)

_CONTEXT: Final = "context URLs are written into answers, never read"
_IN_BODIES: Final = "a value in a JSON body: the type of the column decides there, not a URL"
_IN_HEADERS: Final = "an HTTP header; what is not understood there is ignored (RFC 7240 §2), so nothing is refused"
_IN_OTHERS: Final = "a part of other rules, which are read whole"
_ELSEWHERE: Final = "a service root of another server, or a fragment, which no client sends"

NOT_MAPPED: Final[Mapping[str, str]] = {
    "context": _CONTEXT,
    **dict.fromkeys((*HEADER_RULES, *PREFERENCE_RULES), _IN_HEADERS),
    **dict.fromkeys(("odataIdentifier", "entitySetName", "functionParameter", "stringInUrl"), _IN_OTHERS),
}


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

What becomes of the {count} test cases that OASIS publishes for the URL grammar of OData 4.01
([files]({source})). This page is written by
`python docs/conformance.py`; a test compares it with the code where the case files are present (environment variable
`TALENTVERSE_REFERENCE`). A case is named by its number in its file, counted from 1.

Three numbers matter:

- **the language**: {good} of {mapped} cases about requests come out as their file says;
- **the dialect**: of the {read} valid cases that are read, with the names of their model replaced where Dataverse has a
  counterpart, {runs} execute, {refused} are refused with 4xx because Dataverse's dialect is smaller or other than the
  standard, {unknown} because a name or segment is unknown, {absent} are answered with 501;
- **robustness**: all {count} inputs are sent to the Web API, as they are and with names replaced; {errors} end in an
  error of the server, and {accepted} of the {invalid} invalid inputs about requests execute.
"""

_SOURCE: Final = "https://github.com/oasis-tcs/odata-abnf/tree/main/abnf"
_DIALECT: Final = """## The dialect

The valid cases that are read, sent to the Web API of an environment with one account, as administrator. The names of
the cases' model are replaced by names of Dataverse (`docs/conformance_names.py`): entity sets by `accounts`, navigation
properties by `parentaccountid` and `account_parent_account`, properties by columns of accounts, keys by the account's.
Options are sent for `accounts`, expressions as `$filter`, literals in a `$filter` that compares a column with them.

*Unknown name* counts what is refused as a name: functions, actions, derived types, complex and stream properties and
annotations, which have no counterpart; the segments `$all`, `$crossjoin`, `$entity` and `$filter`, `$query` or `$value`
behind a record; a navigation property where a column is needed. *Not in Dataverse's dialect* counts literals of types
that no column has (binary, geography, duration, …) too. Options without `$` execute as custom options: they have no
effect in OData 4.0, which Dataverse speaks. A *syntax* refusal of a valid case is for what only OData 4.01 allows
(keywords and options in other cases) or what Dataverse reads otherwise."""
_OWN_NAMES: Final = """The same cases as they are, where a missing name hides whatever else would follow."""


def page(found: list[Case], said: list[Answer]) -> str:
    """Return the page as it should be.

    Args:
        found: all cases.
        said: the answers to them, and after these the answers to them with names of Dataverse.
    """
    own_names, names_of_dataverse = said[: len(found)], said[len(found) :]
    parts = [_summary(found, said, _sent(names_of_dataverse))]
    parts += ["## The language\n\nValid cases that are read, invalid cases that are refused, per rule."]
    for file in readers().FLOORS:
        own = [case for case in found if case.file == file]
        parts += [f"### `{file}`", per_rule(own), "Differently from the file:", differences(own)]
        if not all(case.is_mapped for case in own):
            parts += ["Without a reader of their own:", left_out(own)]
    parts += [_DIALECT, outcomes(_sent(names_of_dataverse))]
    parts += ["The texts of refusals that are not about a name:", refusals(_sent(names_of_dataverse))]
    parts += ["### With the names of the cases", _OWN_NAMES, outcomes(_sent(own_names))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _sent(said: Iterable[Answer]) -> list[Answer]:
    """Return the answers to valid cases that are read."""
    return [answer for answer in said if answer.case.is_valid and answer.case.is_read]


def all_answers(found: list[Case]) -> list[Answer]:
    """Return the answers to all cases, then those to all cases with names of Dataverse."""
    return answers([*found, *map(with_names_of_dataverse, found)])


def _summary(found: list[Case], said: list[Answer], sent: list[Answer]) -> str:
    counts = Counter(answer.outcome for answer in sent)
    return _TEXT.format(
        source=_SOURCE,
        count=f"{len(found):,}",
        mapped=sum(case.is_mapped for case in found),
        good=sum(case.is_mapped and case.is_as_expected for case in found),
        errors=sum(answer.status == SERVER_ERROR for answer in said),
        accepted=len(
            {answer.case for answer in said if answer.outcome is Outcome.RUNS and answer.case.is_invalid_request}
        ),
        invalid=sum(case.is_invalid_request for case in found),
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
    text = page(found, all_answers(found))
    is_stale = not PAGE.exists() or PAGE.read_text("utf-8") != text
    if is_stale and "--check" not in arguments:
        PAGE.write_text(text, "utf-8")
    if is_stale:
        sys.stdout.write(f"{PAGE.relative_to(REPOSITORY)}\n")
    return 1 if is_stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
