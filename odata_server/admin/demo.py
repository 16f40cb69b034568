"""`make demo`: the whole Talent Hub chain against a server of its own, with what each step did, in under a minute.

    server -> set-up -> export of 25 hired candidates, twice -> hire of two -> worker records
           -> three pieces of the set-up missing, one at a time: what the adapter is told

Everything goes through the public interfaces: the commands as processes of their own, HTTPS, tokens. What is not as
expected ends the demo with exit status 1.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from rich.console import Console
from rich.table import Table

from integration.connection import ConnectionFlags, resolve_connection
from integration.web_api import literal
from odata_server.admin import talent_hub_setup
from odata_server.admin.services import AdminServices, open_services, rows, text_of
from odata_server.admin.talent_hub_setup import PIECES, Setup

_SERVER: Final = (sys.executable, "-m", "odata_server.cli", "serve", "--port", "0")
_READY: Final = "Talentverse is ready at "
_START_SECONDS: Final = 30.0
_COMPANY: Final = "USMF"
_POSITION: Final = "000601"
# exactly these five come from the export into the worker record; the start date is the employment's.
_DETAILS: Final = ("FirstName", "LastName", "PrimaryContactEmail", "PrimaryContactPhone")
_NOT_CARRIED: Final = ("TitleId", "OfficeLocation")
_REMOVED: Final = {
    "privileges": "the role lacks its privileges",
    "entra-application": "Human Resources does not know the application",
    "table": "the virtual table is not generated",
}


class DemoError(Exception):
    """Something is not as expected; one line that says what."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the steps of the demo share."""

    console: Console
    data: Path
    services: AdminServices
    hired: Sequence[Mapping[str, object]]

    @property
    def setup(self) -> Setup:
        """Return the set-up of this server, with the default user."""
        return Setup(self.services)


def run_demo(examples: Path, console: Console) -> None:
    """Run the demo with the file of hired candidates in `examples`.

    Raises:
        DemoError: a step did something else than expected.
    """
    hired = json.loads((examples / "hired-candidates.json").read_bytes())
    with tempfile.TemporaryDirectory(prefix="talentverse-demo-") as directory:
        data = Path(directory)
        _title(console, "Starting the simulator")
        with _running_server(data) as url:
            console.print(f"  ready at [cyan]{url}[/]")
            connection = resolve_connection(ConnectionFlags(data=str(data)), "admin", {})
            with open_services(connection) as services:
                demo = Demo(console, data, services, hired)
                _set_up(demo)
                _export_twice(demo)
                _hire_two(demo)
                _show_denials(demo)
    console.print("\n[bold green]The whole chain works.[/]")


@contextmanager
def _running_server(data: Path) -> Iterator[str]:
    """Run the real command on a free port; give its URL, and stop it in the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALENTVERSE_")}
    process = subprocess.Popen(  # noqa: S603 - the interpreter that runs this, with fixed arguments
        [*_SERVER, "--data", str(data), "--sample-data", "demo"], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    late = threading.Timer(_START_SECONDS, process.kill)
    late.start()
    try:
        yield _ready_url(process.stdout)
        late.cancel()
        process.send_signal(signal.SIGTERM)
        if process.wait(_START_SECONDS) != 0:
            raise DemoError(f"the server ended with status {process.returncode} instead of 0")
    finally:
        late.cancel()
        if process.poll() is None:
            process.terminate()
            process.wait()
        process.stdout.close()


def _ready_url(output: IO[str]) -> str:
    line = output.readline()
    if not line.startswith(_READY):
        raise DemoError(f"the server did not become ready (it said: {line.strip() or 'nothing'})")
    return line.removeprefix(_READY).strip()


def _set_up(demo: Demo) -> None:
    _title(demo.console, "Setting up Human Resources for Talent Hub, as its administrator")
    for name in PIECES:
        made = talent_hub_setup.make(demo.setup, name)
        _expect(made, f"the piece {name} was there before the set-up")
        demo.console.print(f"  [green]made[/]  {name}")


def _export_twice(demo: Demo) -> None:
    _title(demo.console, "Exporting hired candidates, as Talent Hub's adapter")
    path = demo.data / "hired-candidates.json"
    path.write_text(json.dumps(demo.hired), encoding="utf-8")
    first = _adapter(demo, path)
    lines = first.stdout.splitlines()
    for line in lines[:3]:
        demo.console.print(f"  {line}", markup=False, highlight=False)
    demo.console.print(f"  … and {len(lines) - 4} more", highlight=False)
    total = len(demo.hired)
    _expect_summary(demo, first, f"{total} candidates: {total} exported, 0 already exported, 0 failed")
    second = _adapter(demo, path)
    _expect_summary(demo, second, f"{total} candidates: 0 exported, {total} already exported, 0 failed")
    found = rows(demo.services.human_resources, "LinkedInExportedCandidates", {"$select": "HrisRequestId"})
    requests = sorted(text_of(row, "HrisRequestId") for row in found)
    _expect(
        requests == sorted(str(candidate["hrisRequestId"]) for candidate in demo.hired),
        f"Human Resources holds {len(requests)} exported candidates instead of each of the {total} once",
    )
    demo.console.print(f"  Human Resources holds each of the {total} exactly once")


def _expect_summary(demo: Demo, done: subprocess.CompletedProcess[str], summary: str) -> None:
    said = (done.stdout.splitlines() or [done.stderr.strip()])[-1]
    _expect(done.returncode == 0 and said == summary, f"the adapter said {said!r} instead of {summary!r}")
    demo.console.print(f"  [bold]{said}[/]", highlight=False)


def _adapter(demo: Demo, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the real command, installed beside the interpreter."""
    installed = Path(sys.executable).with_name("talent-hub-adapter")
    command = (
        [str(installed)]
        if installed.exists()
        else [sys.executable, "-c", "from talent_hub_adapter.cli import main; main()"]
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALENTVERSE_")}
    return subprocess.run(  # noqa: S603 - fixed arguments and files of this demo
        [*command, "export", "--file", str(path), "--data", str(demo.data)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=environment | {"PYTHONUTF8": "1"},
    )


def _hire_two(demo: Demo) -> None:
    _title(demo.console, "Hiring two of them, as Human Resources does")
    workers = []
    for hired, position in ((demo.hired[0], _POSITION), (demo.hired[1], None)):
        number = _hire(demo, hired, position)
        workers.append(_worker(demo, hired, number, position))
    table = Table("worker", *(worker["PersonnelNumber"] for worker in workers))
    for name in workers[0]:
        table.add_row(name, *(worker[name] for worker in workers))
    demo.console.print(table)


def _hire(demo: Demo, hired: Mapping[str, object], position: str | None) -> str:
    """Hire the candidate that the export has made; return the personnel number."""
    exported = _one(
        demo,
        "LinkedInExportedCandidates",
        f"HrisRequestId eq {literal(str(hired['hrisRequestId']))}",
    )
    first, last = (literal(text_of(exported, name)) for name in ("FirstName", "LastName"))
    candidate = text_of(_one(demo, "CandidatesToHire", f"FirstName eq {first} and LastName eq {last}"), "CandidateId")
    path = f"CandidatesToHire(dataAreaId='',CandidateId={literal(candidate)})/Microsoft.Dynamics.DataEntities.Hire"
    body = {"LegalEntityId": _COMPANY, "EmploymentStartDate": f"{_start_of(hired)}T00:00:00Z"}
    answer = demo.services.human_resources.request(
        "POST", path, body=body | ({"PositionId": position} if position else {})
    )
    return text_of(answer.body, "PersonnelNumber")


def _worker(demo: Demo, hired: Mapping[str, object], number: str, position: str | None) -> dict[str, str]:
    """Read the worker back and compare: the five details are there, job title and location are not (R-195)."""
    key = f"PersonnelNumber eq {literal(number)}"
    worker = _one(demo, "Workers", key)
    employment = _one(demo, "Employments", key)
    start = text_of(employment, "EmploymentStartDate")[:10]
    expected = {**_details_of(hired), "EmploymentStartDate": _start_of(hired)}
    found = {name: text_of(worker, name) for name in _DETAILS} | {"EmploymentStartDate": start}
    _expect(found == expected, f"worker {number} has {found} instead of {expected}")
    carried = [name for name in _NOT_CARRIED if worker.get(name)]
    _expect(not carried, f"worker {number} has {', '.join(carried)}, which no export carries over")
    assignments = rows(demo.services.human_resources, "PositionWorkerAssignments", {"$filter": key})
    assigned = [text_of(row, "PositionId") for row in assignments]
    _expect(assigned == ([position] if position else []), f"worker {number} has the positions {assigned}")
    return {"PersonnelNumber": number, **found, "PositionId": position or "(none)"}


def _details_of(hired: Mapping[str, object]) -> dict[str, str]:
    match hired["candidateProfile"]:
        case {
            "firstName": str(first),
            "lastName": str(last),
            "emailAddresses": [str(mail), *_],
            "phoneNumbers": [{"number": str(phone)}, *_],
        }:
            return dict(zip(_DETAILS, (first, last, mail, phone), strict=True))
        case profile:
            raise DemoError(f"the example cannot be hired with all its details: {profile}")


def _start_of(hired: Mapping[str, object]) -> str:
    match hired["startDate"]:
        case {"year": int(year), "month": int(month), "day": int(day)}:
            return f"{year:04}-{month:02}-{day:02}"
        case start:
            raise DemoError(f"the example has no start date: {start}")


def _show_denials(demo: Demo) -> None:
    _title(demo.console, "Taking away one piece of the set-up at a time")
    for number, (name, meaning) in enumerate(_REMOVED.items(), start=1):
        _expect(talent_hub_setup.take_away(demo.setup, name), f"the piece {name} was not there")
        path = demo.data / f"new-candidate-{number}.json"
        path.write_text(json.dumps([_new_candidate(demo.hired[0], number)]), encoding="utf-8")
        done = _adapter(demo, path)
        _expect(done.returncode == 1, f"the adapter exported a candidate although {meaning}")
        demo.console.print(f"  without [bold]{name}[/] ({meaning}):")
        demo.console.print(
            f"    {done.stdout.splitlines()[0]}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        _expect(talent_hub_setup.make(demo.setup, name), f"the piece {name} was still there")
    found = rows(demo.services.human_resources, "LinkedInExportedCandidates", {"$select": "HrisRequestId"})
    _expect(len(found) == len(demo.hired), f"{len(found) - len(demo.hired)} refused candidates were exported after all")
    demo.console.print("  all pieces are back, and none of the refused candidates is in Human Resources")


def _new_candidate(model: Mapping[str, object], number: int) -> dict[str, object]:
    """Return a candidate like the first one, in a request of its own."""
    profile = {
        "firstName": "Bo",
        "lastName": "Nobody",
        "emailAddresses": ["bo@x.test"],
        "phoneNumbers": [],
    }
    return {**model, "hrisRequestId": f"hr-denied-{number}", "candidateProfile": profile}


def _one(demo: Demo, path: str, condition: str) -> Mapping[str, object]:
    found = rows(demo.services.human_resources, path, {"$filter": condition})
    _expect(len(found) == 1, f"/data/{path} has {len(found)} rows with {condition} instead of one")
    return found[0]


def _expect(as_expected: object, otherwise: str) -> None:
    if not as_expected:
        raise DemoError(otherwise)


def _title(console: Console, text: str) -> None:
    console.print(f"\n[bold blue]{text}[/]")
