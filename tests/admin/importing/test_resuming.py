"""An import that is killed goes on from where it was, and no row is there twice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

from integration.web_api import ServerUnreachableError
from odata_server.admin.importing.journal import Journal, Progress
from odata_server.admin.importing.writing import Change, Refused, Writer
from odata_server.admin.remote_tables import RemoteTable


class Killed(BaseException):
    """The end of the process, as far as the import can tell."""


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """Kill an import when it is about to note a step: what the step wrote is written, that it is done is not."""
    noted, steps = Journal.note, iter(range(1, 100))

    def note(self: Journal, progress: Progress, later: Iterable[Mapping[str, object]] = ()) -> None:
        if next(steps) == step:
            raise Killed
        noted(self, progress, later)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "note", note)
        yield


ROWS = [
    {"name": f"Phoenix {number}", **({"parentaccountid": f"Phoenix {number - 1}"} if number else {})}
    for number in reversed(range(10))
]


@pytest.mark.parametrize("step", [1, 2, 4, 5, 7])
def test_an_import_that_is_killed_goes_on(talentverse, file, api, step):
    name = file(f"p{step}.jsonl", "".join(json.dumps(row).replace("Phoenix", f"Phoenix{step}") + "\n" for row in ROWS))
    arguments = ("import", "data", name, "--table", "account", "--batch-size", "3", "--json")
    with killed_at(step), pytest.raises(Killed):
        talentverse(*arguments)
    again = talentverse(*arguments, "--resume")
    assert (again.exit_code, json.loads(again.stdout)["written"]) == (0, 10), again.stderr
    query = f"accounts?$select=name&$expand=parentaccountid($select=name)&$filter=startswith(name,'Phoenix{step} ')"
    found = {row["name"]: row["parentaccountid"] and row["parentaccountid"]["name"] for row in api.rows(query)}
    assert len(api.rows(query)) == 10
    assert found == {f"Phoenix{step} {n}": f"Phoenix{step} {n - 1}" if n else None for n in range(10)}


def test_refused_rows_are_listed_once_when_an_import_goes_on(talentverse, file, refusals):
    name = file("q.csv", "name,creditlimit\nQ 1,no\nQ 2,1\nQ 3,no\nQ 4,1\n")
    arguments = ("import", "data", name, "--table", "account", "--batch-size", "2")
    with killed_at(2), pytest.raises(Killed):
        talentverse(*arguments)
    assert len(refusals(name)) == 2
    answer = talentverse(*arguments, "--resume")
    assert (answer.exit_code, answer.stdout) == (1, "2 rows imported\n")
    assert [row["name"] for row in refusals(name)] == ["Q 1", "Q 3"]


@pytest.mark.parametrize("change", ["file", "mapping"])
def test_another_import_does_not_go_on_from_there(talentverse, file, api, change):
    name = file("o.csv", "name\nOther 1\nOther 2\n")
    with killed_at(2), pytest.raises(Killed):
        talentverse("import", "data", name, "--table", "account", "--batch-size", "1")
    if change == "file":
        file("o.csv", "name\nOther 3\nOther 4\n")
    mapping = ("--map", "name=description") if change == "mapping" else ()
    answer = talentverse("import", "data", name, "--table", "account", "--resume", *mapping)
    assert answer.exit_code == 1
    assert "import from the start, without --resume" in answer.stderr
    assert api.rows("accounts?$filter=name eq 'Other 3'") == []


def test_a_server_that_is_lost_leaves_an_import_that_goes_on(talentverse, file, api):
    name = file("l.csv", "name\nLost 1\nLost 2\nLost 3\n")
    arguments = ("import", "data", name, "--table", "account", "--batch-size", "1")
    sent, wrote = iter(range(1, 100)), Writer.put

    def put(self: Writer, table: RemoteTable, changes: Sequence[Change]) -> dict[int, Refused]:
        if next(sent) == 2:
            raise ServerUnreachableError("no answer came")
        return wrote(self, table, changes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "put", put)
        answer = talentverse(*arguments)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == "talentverse: no answer came; the import goes on from there with --resume\n"
    assert len(api.rows("accounts?$filter=startswith(name,'Lost')")) == 1
    assert talentverse(*arguments, "--resume").stdout == "3 rows imported\n"
    assert len(api.rows("accounts?$filter=startswith(name,'Lost')")) == 3
