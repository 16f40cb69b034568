"""Schema goes into an environment, comes out of it, and goes into another one that then says the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from solutions import CHOICE, CUSTOMIZATIONS, archive, entity, lookup, option, solution

TABLES = ("con_project", "con_task", "con_project_task_pair")


@pytest.fixture
def fresh(server, api, tmp_path):
    """The environment in its first state, and a place for files."""
    server.reset()
    return tmp_path


def imported(talentverse, path: str, content: bytes | str | None = None, *flags: str) -> tuple[int, dict]:
    """Import a file; return the exit status and the report."""
    if content is not None:
        Path(path).write_bytes(content.encode() if isinstance(content, str) else content)
    answer = talentverse("import", "schema", path, "--json", *flags)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, json.loads(answer.stdout) if answer.stdout else {"error": answer.stderr}


def exported(talentverse, path: str, *flags: str) -> dict:
    """Export into a file; return what it holds where that is JSON."""
    answer = talentverse("export", "schema", path, *flags)
    assert answer.exit_code == 0, answer.stderr
    return json.loads(Path(path).read_text("utf-8")) if path.endswith("json") else {}


def definitions(talentverse, path: str) -> dict:
    return exported(talentverse, path, *chosen_tables(TABLES))


def chosen_tables(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for name in names for word in ("--table", name))


def test_a_solution_brings_tables_that_work_as_it_says(talentverse, fresh, api):
    status, report = imported(talentverse, "s.zip", solution())
    assert (status, report["refused"]) == (0, [])
    (guess,) = report["guessed"]
    assert (guess["column"], "not calculated: they can be set" in guess["what"]) == ("con_foreign", True)
    assert report["tables"]["added"] == sorted(TABLES)
    account = api.rows("accounts?$top=1&$select=accountid")[0]["accountid"]
    body = {
        "con_name": "First",
        "con_size": 9,
        "con_tags": "7,8",
        "con_day": "2026-11-21",
        "con_color": 100000001,
        "con_AccountId@odata.bind": f"/accounts({account})",
        "con_Client_account@odata.bind": f"/accounts({account})",
    }
    made = api.send("POST", "con_projects", body, Prefer="return=representation")
    assert made.status_code == 201, made.text
    row = made.json()
    assert (row["con_number"], row["con_shape"], row["con_flag"], row["con_twice"]) == ("P-1000", 2, True, 18)
    assert api.get("con_projects(con_number='P-1000')?$select=con_day")["con_day"] == "2026-11-21"
    for wrong in ({"con_size": 10}, {"con_name": "x" * 78}, {"con_shape": 3}, {"con_color": 1}):
        assert api.send("POST", "con_projects", wrong).status_code == 400, wrong
    task = api.send("POST", "con_tasks", {"con_name": "T"}).headers["OData-EntityId"]
    pair = f"con_projects({row['con_projectid']})/con_project_task_pair/$ref"
    assert api.send("POST", pair, {"@odata.id": task}).status_code == 204
    assert api.refused("DELETE", f"accounts({account})")[1] == "0x80040227", "con_account_project restricts"
    (found,) = api.rows("solutions?$filter=uniquename eq 'ContosoProjects'&$expand=publisherid")
    assert (found["version"], found["publisherid"]["customizationprefix"]) == ("1.2.0.0", "con")


@pytest.mark.parametrize("form", ["json", "zip"])
def test_what_is_exported_makes_another_environment_say_the_same(talentverse, fresh, server, form):
    imported(talentverse, "s.zip", solution())
    before = definitions(talentverse, "before.json")
    assert len(before["EntityDefinitions"]) == 3
    chosen = ("--solution", "ContosoProjects") if form == "zip" else chosen_tables(TABLES)
    exported(talentverse, f"e.{form}", *chosen)
    status, again = imported(talentverse, f"e.{form}")
    assert (status, again["tables"]["changed"], again["choices"]["changed"]) == (0, [], [])
    server.reset()
    status, report = imported(talentverse, f"e.{form}")
    assert (status, report["tables"]["added"], report["refused"]) == (0, sorted(TABLES), [])
    assert definitions(talentverse, "after.json") == before


OF_ALL_KINDS = ("account", "email", "activityparty", "calendar", "systemuser", "role", "teammembership", "workflow",
                "solution", "mserp_financeandoperationsentity")  # fmt: skip


def test_properties_that_decide_nothing_are_kept(talentverse, fresh, server, api):
    imported(talentverse, "s.zip", solution())
    table = "EntityDefinitions(LogicalName='con_task')"
    column = f"{table}/Attributes(LogicalName='con_name')/Microsoft.Dynamics.CRM.StringAttributeMetadata"
    for place in (table, column):
        body = api.get(place)
        audited = {**body["IsAuditEnabled"], "Value": not body["IsAuditEnabled"]["Value"]}
        assert api.send("PUT", place, {**body, "IsAuditEnabled": audited}).status_code == 204
    before = definitions(talentverse, "before.json")
    server.reset()
    assert imported(talentverse, "before.json")[0] == 0
    assert definitions(talentverse, "after.json") == before
    status, report = imported(talentverse, "before.json")
    assert (status, report["tables"]["changed"]) == (0, [])


def test_the_schema_is_kept_by_an_import_of_its_own_export(talentverse, fresh):
    exported(talentverse, "all.json", *chosen_tables(OF_ALL_KINDS))
    status, report = imported(talentverse, "all.json")
    assert (status, report["refused"], report["guessed"]) == (0, [], [])
    assert report["tables"] == {"added": [], "changed": [], "kept": len(OF_ALL_KINDS)}
    assert report["relationships"]["added"] == report["relationships"]["changed"] == 0
    exported(talentverse, "m.xml")
    status, report = imported(talentverse, "m.xml")
    assert (status, report["tables"]["added"]) == (0, [])


def test_definitions_supply_what_a_metadata_document_leaves_out(talentverse, fresh, api):
    imported(talentverse, "s.zip", solution())
    exported(talentverse, "m.xml")
    definitions(talentverse, "d.json")
    talentverse("reset")
    status, report = imported(talentverse, "m.xml")
    assert (status, set(TABLES) <= set(report["tables"]["added"])) == (0, True)
    guessed = {(guess["table"], guess["column"]) for guess in report["guessed"]}
    assert {("con_project", "con_flag"), ("con_project", "con_mail")} <= guessed
    assert api.send("POST", "con_projects", {"con_name": "x", "con_shape": 3}).status_code == 204, "a whole number"
    status, report = imported(talentverse, "d.json")
    assert (status, report["refused"]) == (0, [])
    assert {"con_project.con_shape", "con_project.con_mail"} <= set(report["columns"]["changed"])
    assert api.send("POST", "con_projects", {"con_name": "x", "con_shape": 4}).status_code == 400, "now a choice"
    assert api.rows("con_projects?$filter=con_name eq 'x'&$select=con_shape")[0]["con_shape"] == 3


def test_a_dry_run_only_reports(talentverse, fresh, api):
    status, report = imported(talentverse, "s.zip", solution(), "--dry-run")
    assert (status, report["dry_run"], report["tables"]["added"]) == (0, True, sorted(TABLES))
    assert api.send("GET", "con_projects").status_code == 404
    words = talentverse("import", "schema", "s.zip", "--dry-run").stdout.splitlines()
    assert words[:2] == [
        "nothing is changed: this is what an import would bring",
        "tables         3 added, 0 changed, 0 kept",
    ]


def with_type(customizations: str, column: str, before: str, after: str) -> str:
    """Return customizations in which a column is of another type."""
    head, start, rest = customizations.partition(f'<attribute PhysicalName="{column}">')
    return head + start + rest.replace(f"<Type>{before}</Type>", f"<Type>{after}</Type>", 1)


def test_options_and_labels_of_the_file_win_and_types_with_values_stay(talentverse, fresh, api):
    imported(talentverse, "s.zip", solution())
    api.send("POST", "con_projects", {"con_name": "x", "con_share": 0.5})
    changed = CUSTOMIZATIONS.replace(option(2, "Square"), option(2, "Box") + option(5, "Star"))
    changed = with_type(changed, "con_Share", "float", "ntext").replace("con_Project label", "Undertaking")
    status, report = imported(talentverse, "t.zip", solution(with_type(changed, "con_Twice", "int", "ntext")))
    assert status == 1
    refused = {f"{refusal['table']}.{refusal['name']}": refusal["why"] for refusal in report["refused"]}
    assert "Double with values" in refused["con_project.con_share"]
    assert "cannot be a calculated field" in refused["con_project.con_twice"]
    assert len(refused) == 2
    (found,) = definitions(talentverse, "d.json")["EntityDefinitions"][:1]
    assert found["DisplayName"]["LocalizedLabels"][0]["Label"] == "Undertaking"
    assert api.send("POST", "con_projects", {"con_name": "y", "con_shape": 5}).status_code == 204
    for row in api.rows("con_projects?$select=con_twice"):
        api.send("DELETE", f"con_projects({row['con_projectid']})")
    status, report = imported(talentverse, "t.zip", solution(changed))
    assert (status, report["columns"]["changed"]) == (0, ["con_project.con_share"])
    assert api.send("POST", "con_projects", {"con_name": "z", "con_share": "now a text"}).status_code == 204


def test_a_type_that_others_are_calculated_from_does_not_change(talentverse, fresh):
    imported(talentverse, "s.zip", solution())
    before = definitions(talentverse, "before.json")
    status, report = imported(talentverse, "t.zip", solution(with_type(CUSTOMIZATIONS, "con_Size", "int", "ntext")))
    assert (status, "con_project.con_twice stands in the way" in report["error"]) == (1, True), report
    assert definitions(talentverse, "after.json") == before


def test_what_cannot_be_taken_is_refused_by_name_and_the_rest_comes(talentverse, fresh):
    far = entity("con_Far", "", code=10_779).replace("<Type>primarykey</Type>", "<Type>nvarchar</Type>")
    customizations = (
        CUSTOMIZATIONS.replace("</Entities>", f"{far}</Entities>")
        .replace(
            "</EntityRelationships>",
            lookup("con_elsewhere", "con_Nowhere", "con_X", "Account") + "</EntityRelationships>",
        )
        .replace(
            "</optionsets>",
            CHOICE.replace("con_color", "con_other").replace("100000001", "100000000") + "</optionsets>",
        )
    )
    status, report = imported(talentverse, "s.zip", solution(customizations))
    assert status == 1
    assert report["tables"]["added"] == sorted(TABLES)
    refused = {refusal["table"] or refusal["name"]: refusal["why"] for refusal in report["refused"]}
    assert set(refused) == {"con_far", "con_nowhere", "con_other"}
    assert "does not describe the whole table" in refused["con_far"]
    assert "must be unique" in refused["con_other"]


DOCTYPE = '<!DOCTYPE x [<!ENTITY e "&#97;">]>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "neither a metadata document (XML), nor definitions (JSON), nor a solution (ZIP)"),
        (b"plain text", "neither a metadata document"),
        (b"<a/>", "The document is no CSDL"),
        (b"<a>", "cannot be read"),
        (DOCTYPE.encode() + b"<a/>", "a document type is not allowed"),
        (b"{", "The file is no JSON"),
        (b'{"a": 1}', "holds no definitions"),
        (b'{"value": [1]}', "something else than definitions"),
        (b"PK\x03\x04broken", "no ZIP archive that can be read"),
        (archive(other__xml="<a/>"), "it has no customizations.xml"),
        (archive(customizations__xml="<a>"), "no customizations.xml: it cannot be read"),
        (archive(customizations__xml=DOCTYPE + "<a/>"), "a document type is not allowed"),
        (archive(**{"../x": "y", "customizations__xml": "<a/>"}), "leaves its directory"),
        (archive(**{"/etc/x": "y", "customizations__xml": "<a/>"}), "leaves its directory"),
        (archive(customizations__xml=b" " * 50_000_000), "unpacks to more than it can hold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_schema_is_refused_in_one_line(talentverse, tmp_path, content, said):
    (tmp_path / "f").write_bytes(content)
    answer = talentverse("import", "schema", "f")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("x.txt",), 1, "a schema is written as"),
        (("x.json", "--table", "nothing"), 1, "no table 'nothing'"),
        (("x.zip", "--solution", "Nothing"), 1, "no solution 'Nothing'"),
        (("x.json", "--solution", "Default"), 2, "--solution goes with a FILE.zip"),
    ],
)
def test_a_schema_that_is_not_there_is_not_written(talentverse, tmp_path, arguments, status, said):
    answer = talentverse("export", "schema", *arguments)
    assert (answer.exit_code, said in answer.stderr) == (status, True), answer.stderr
    assert not (tmp_path / arguments[0]).exists()


def test_only_the_control_key_opens_the_schema(server, api):
    answer = api.send("POST", "/_talentverse/schema", {"value": []})
    assert answer.status_code == 401
