"""The command talent-hub-adapter: its lines, its exit statuses, and what it refuses before sending."""

import io
import json
import os
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import talent_hub_adapter.cli as command
from integration.connection import Connection
from integration.tokens import TokenError

EXAMPLES = Path(__file__).parents[2] / "examples"
ADAPTER = "3a225c96-d62a-44ce-b3ec-bd4e8e9befef"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command as if in an empty directory without variables."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TALENTVERSE_")]:
        monkeypatch.delenv(name)

    def invoke(*arguments, **options):
        return CliRunner().invoke(command.main, [str(argument) for argument in arguments], **options)

    return invoke


@pytest.fixture
def connected(environment, policy, monkeypatch):
    """Let the command reach the stub with a fixed token and without waiting."""
    found = Connection(environment.url, "https://login.test/t", "t", ADAPTER, "secret", None)
    monkeypatch.setattr(command, "resolve_connection", lambda *_: found)
    monkeypatch.setattr(command, "TokenClient", lambda _: lambda *, fresh=False: "fixed")
    monkeypatch.setattr(command, "RetryPolicy", lambda: policy)
    return environment


@pytest.fixture
def three(tmp_path):
    """The first three candidates of the example."""
    path = tmp_path / "three.json"
    path.write_text(json.dumps(json.loads((EXAMPLES / "hired-candidates.json").read_bytes())[:3]))
    return path


def test_every_candidate_has_its_line_and_a_second_run_says_already(run, connected, three):
    first = run("export", "--file", three)
    assert first.stdout.splitlines() == [
        "exported  hr-0001  Ann Example  ->  LEC-000001",
        "exported  hr-0002  Specimen O'Brien  ->  LEC-000002",
        "exported  hr-0003  Ben Sample  ->  LEC-000003",
        "3 candidates: 3 exported, 0 already exported, 0 failed",
    ]
    assert (first.exit_code, first.stderr) == (0, "")
    second = run("export", "--file", three)
    assert second.stdout.splitlines()[0] == "already   hr-0001  Ann Example  ->  LEC-000001"
    assert second.exit_code == 0
    assert len(connected.rows) == 3


def test_a_failure_has_its_line_with_text_code_and_next_step(run, connected, three, make_fault):
    body = {"error": {"code": "0x80040220", "message": "Principal user is missing prvReadRelationship privilege."}}
    connected.faults = [make_fault("GET", "EntityDefinitions", status=403, body=body)]
    result = run("export", "--file", three)
    lines = result.stdout.splitlines()
    assert lines[0] == (
        "failed    hr-0001  Ann Example : Principal user is missing prvReadRelationship privilege. [0x80040220] "
        "The role LinkedIn Talent Hub HRIS Integration lacks Read on Relationship at organization level: "
        "see 'talentverse setup talent-hub --check'."
    )
    assert lines[3] == "3 candidates: 0 exported, 0 already exported, 3 failed"
    assert result.exit_code == 1


def test_one_failure_among_successes_is_enough_for_exit_status_one(run, connected, three, make_fault):
    connected.faults = [make_fault("POST", status=400, body={"error": {"code": "0x80040203", "message": "No."}})]
    result = run("export", "--file", three)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "3 candidates: 2 exported, 0 already exported, 1 failed"


def test_json_output_holds_every_result(run, connected, three, make_fault):
    connected.faults = [make_fault("POST", status=400, body={"error": {"code": "0x80040203", "message": "No."}})]
    result = run("export", "--file", three, "--json")
    content = json.loads(result.stdout)
    assert (content["exported"], content["already_exported"], content["failed"]) == (2, 0, 1)
    refused, exported, _ = content["candidates"]
    assert refused["status"] == "failed"
    assert refused["exported_candidate_id"] is None
    assert (refused["error"]["code"], refused["error"]["http_status"]) == ("0x80040203", 400)
    assert (exported["status"], exported["exported_candidate_id"]) == ("exported", "LEC-000001")
    assert exported["hris_request_id"] == "hr-0002"
    assert exported["error"] is None


def test_standard_input_and_json_lines_are_read(run, connected, three):
    lines = "\n".join(json.dumps(value) for value in json.loads(three.read_bytes()))
    result = run("export", "--file", "-", input=lines)
    assert (result.exit_code, len(connected.rows)) == (0, 3)


def test_a_refused_token_fails_every_candidate(run, connected, three, monkeypatch):
    def refuse(*, fresh=False):
        raise TokenError("no token for application x: AADSTS7000215: Invalid client secret provided.")

    monkeypatch.setattr(command, "TokenClient", lambda _: refuse)
    result = run("export", "--file", three)
    assert result.exit_code == 1
    assert result.stdout.count("AADSTS7000215") == 3


def test_running_as_another_application_is_said(run, connected, three, monkeypatch):
    other = Connection(connected.url, "https://login.test/t", "t", "other", "secret", None)
    monkeypatch.setattr(command, "resolve_connection", lambda *_: other)
    assert run("export", "--file", three).stderr == (
        f"note: running as application other, not as the adapter's {ADAPTER}\n"
    )


def test_defects_are_listed_one_a_line_and_nothing_is_sent(run, connected):
    result = run("export", "--file", EXAMPLES / "broken-candidates.json")
    lines = result.stderr.splitlines()
    assert result.exit_code == 2
    assert len(lines) == len(json.loads((EXAMPLES / "broken-candidates.json").read_bytes()))
    assert lines[0].endswith("broken-candidates.json: record 1, broken-0001: hiringContext: is required")
    assert (result.stdout, connected.requests) == ("", [])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"\xff", "is not UTF-8"),
        (b"[", "invalid JSON"),
        (b"3", "a JSON array or JSON Lines"),
    ],
)
def test_an_unreadable_file_is_refused_in_one_line(run, connected, tmp_path, content, complaint):
    (tmp_path / "bad.json").write_bytes(content)
    result = run("export", "--file", "bad.json")
    assert (result.exit_code, connected.requests) == (2, [])
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("export",), "name the file"),
        (("export", "--file", "nowhere.json"), "nowhere.json: cannot be read: No such file"),
        (("export", "--file", "."), "cannot be read: Is a directory"),
        (("export", "--from-sandbox"), "--from-sandbox is not available yet"),
        (("export", "--file", "x", "--protocol", "v2"), "--protocol v2 is not available yet"),
        (("serve", "--port", "1"), "serve is not available yet"),
        (("status",), "status is not available yet"),
        (("retry", "hr-0001"), "retry is not available yet"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(run, arguments, complaint):
    result = run(*arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_a_server_the_line_says_what_to_do(run, three):
    result = run("export", "--file", three)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "talentverse serve" in result.stderr


def test_help_shows_examples_and_only_what_works(run):
    text = run("export", "--help").output
    assert "talent-hub-adapter export --file examples/hired-candidates.json" in text
    assert "--from-sandbox" not in text
    assert "--protocol" not in text
    group = run("--help").output
    assert "serve" not in group
    assert "export" in group


def test_a_terminal_that_cannot_show_a_name_gets_it_escaped(monkeypatch):
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", narrow)
    command.main.callback()
    click.echo("exported  hr-0007  例 Übung")
    assert narrow.buffer.getvalue() == rb"exported  hr-0007  \u4f8b " + "Übung\n".encode("latin-1")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_bar_on_the_terminal_leaves_the_results_on_standard_output_alone(connected, monkeypatch, capfd, flags):
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with pytest.raises(SystemExit) as ended:
            command.main(["export", "--file", str(EXAMPLES / "hired-candidates.json"), *flags])
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    results = capfd.readouterr().out
    assert ended.value.code == 0
    assert "Exporting" in shown
    assert "hr-0001" not in shown
    if flags:
        assert json.loads(results)["exported"] == 25
    else:
        assert len(results.splitlines()) == 26
        assert "\x1b" not in results


def test_without_a_terminal_there_is_no_bar(run, connected):
    assert run("export", "--file", EXAMPLES / "hired-candidates.json").stderr == ""
