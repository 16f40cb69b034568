"""Rows go into an environment and come out of it as JSON Lines, JSON and CSV."""

from __future__ import annotations

import json
from decimal import Decimal
from uuid import uuid4

import pytest

from odata_server.admin.exact_json import from_json


def lines(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def named(api, name: str, *columns: str) -> list[dict]:
    chosen = ",".join(("name", *columns))
    return api.rows(f"accounts?$select={chosen}&$filter=startswith(name,'{name}')&$orderby=name")


def test_a_csv_file_is_matched_by_label_schema_name_and_logical_name(talentverse, file, api):
    text = "\ufeffAccount Name,AccountNumber,creditlimit,Industry,donotfax,address1_latitude,Unused\n"
    text += 'Csv One,C-1,12345678901.1234,Accounting,yes,1.5,x\n"Csv\nTwo",C-2,,1,FALSE,,\n'
    answer = talentverse("import", "data", file("a.csv", text), "--table", "account", "--map", "Unused=")
    assert (answer.exit_code, answer.stdout) == (0, "2 rows imported\n"), answer.stderr
    columns = ("accountnumber", "creditlimit", "industrycode", "donotfax", "address1_latitude")
    answer = api.send("GET", f"accounts?$select=name,{','.join(columns)}&$filter=startswith(name,'Csv')&$orderby=name")
    found = [tuple(row[name] for name in ("name", *columns)) for row in from_json(answer.content)["value"]]
    assert sorted(found) == [
        ("Csv\nTwo", "C-2", None, 1, False, None),
        ("Csv One", "C-1", Decimal("12345678901.1234"), 1, True, Decimal("1.5")),
    ]


def test_lookups_are_found_by_id_url_key_and_name_whatever_the_order(talentverse, file, api, refusals):
    first, second = str(uuid4()), str(uuid4())
    rows = (
        {"accountid": first, "name": "Look 1", "parentaccountid": "Look 3"},
        {"accountid": second, "name": "Look 2", "parentaccountid@odata.bind": f"/accounts({first})"},
        {"name": "Look 3", "primarycontactid.emailaddress1": "look@x.test"},
        {"name": "Look 4", "_parentaccountid_value": second},
        {
            "@odata.type": "#Microsoft.Dynamics.CRM.contact",
            "lastname": "Look",
            "emailaddress1": "look@x.test",
            "parentcustomerid.account.name": "look 4",
        },
    )
    answer = talentverse("import", "data", file("look.jsonl", lines(*rows)), "--table", "account")
    assert answer.exit_code == 0, (answer.stderr, refusals("look.jsonl"))
    path = "accounts?$select=name&$expand=parentaccountid($select=name),primarycontactid($select=emailaddress1)"
    found = api.rows(f"{path}&$filter=startswith(name,'Look')&$orderby=name")
    parents = [row["parentaccountid"] and row["parentaccountid"]["name"] for row in found]
    assert parents == ["Look 3", "Look 1", None, "Look 2"]
    assert found[2]["primarycontactid"]["emailaddress1"] == "look@x.test"
    (contact,) = api.rows(
        "contacts?$filter=emailaddress1 eq 'look@x.test'&$expand=parentcustomerid_account($select=name)"
    )
    assert contact["parentcustomerid_account"]["name"] == "Look 4"


def test_rows_that_are_refused_are_listed_and_can_be_put_right(talentverse, file, api, refusals, tmp_path):
    text = 'name,creditlimit,parentaccountid\nBad 1,1000,\nBad 2,"1,000",\nBad 3,5,Nobody\nBad 4,-922337203685478,\n'
    answer = talentverse("import", "data", file("b.csv", text), "--table", "account")
    assert (answer.exit_code, answer.stdout) == (1, "2 rows imported\n")
    assert answer.stderr == "talentverse: 3 refused: b.csv.refused.jsonl holds them and says why\n"
    assert [row["name"] for row in named(api, "Bad")] == ["Bad 1", "Bad 3"]
    listed = refusals("b.csv")
    assert [(row.get("name"), row["@talentverse.error"]["row"]) for row in listed] == [
        ("Bad 2", 2),
        ("Bad 4", 4),
        (None, 3),
    ]
    reasons = [row["@talentverse.error"]["message"] for row in listed]
    assert "'1,000' in column 'creditlimit' is no number" in reasons[0]
    assert listed[1]["@talentverse.error"]["code"] == "0x80044330"
    assert "there is no record 'Nobody' for 'parentaccountid'" in reasons[2]
    (tmp_path / "b.csv.refused.jsonl").rename(tmp_path / "again.jsonl")
    put_right = (tmp_path / "again.jsonl").read_text().replace("1,000", "1000").replace("-922337203685478", "0")
    again = talentverse("import", "data", file("again.jsonl", put_right.replace("Nobody", "Bad 1")))
    assert (again.exit_code, again.stdout) == (0, "3 rows imported\n"), again.stderr
    assert [row["name"] for row in named(api, "Bad")] == ["Bad 1", "Bad 2", "Bad 3", "Bad 4"]
    assert not list(tmp_path.glob("*.state.jsonl"))


def test_a_text_that_stands_for_two_records_is_refused(talentverse, file, refusals):
    text = lines({"name": "Twin"}, {"name": "Twin"}, {"name": "Child", "parentaccountid": "twin"})
    assert talentverse("import", "data", file("t.jsonl", text), "--table", "account").exit_code == 1
    (refused,) = refusals("t.jsonl")
    assert "stands for 2 records" in refused["@talentverse.error"]["message"]


@pytest.mark.parametrize(
    ("name", "content", "options", "said"),
    [
        ("a.csv", "nam\nx\n", ("--table", "account"), "table 'account' has no column 'nam' (is 'name' meant?)"),
        ("a.csv", "name\nx\n", ("--table", "acount"), "the environment has no table 'acount'"),
        ("a.csv", "name\nx\n", (), "name it with --table"),
        ("a.csv", "", ("--table", "account"), "the first line names the columns"),
        ("a.csv", "name,name\nx,y\n", ("--table", "account"), "two columns are called 'name'"),
        ("a.csv", 'name\n"x\n', ("--table", "account"), "this is no CSV"),
        ("a.csv", "name\nx,y\n", ("--table", "account"), "line 2: there are 2 cells under 1 headings"),
        ("a.jsonl", '{"name": "x"}\n', (), "line 1: this line does not say its table"),
        ("a.jsonl", '{"name": \n', ("--table", "account"), "line 1: this is no JSON"),
        ("a.jsonl", '{"name": NaN}\n', ("--table", "account"), "NaN is no JSON number"),
        ("a.jsonl", "[1]\n", ("--table", "account"), "line 1: a line is one JSON object"),
        ("a.jsonl", '{"parentaccountid.nothing": "x"}\n', ("--table", "account"), "is no column of account"),
        ("a.json", '{"name": "x"}', ("--table", "account"), "neither an array"),
        ("a.txt", "x", ("--table", "account"), "rows come as .jsonl, .json, .csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(talentverse, file, name, content, options, said):
    answer = talentverse("import", "data", file(name, content), *options)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_an_import_that_is_repeated_changes_nothing(talentverse, file, api):
    name = file("r.csv", "name,statecode\nAgain 1,Inactive\nAgain 2,0\n")
    for _ in range(2):
        assert talentverse("import", "data", name, "--table", "account").stdout == "2 rows imported\n"
    found = named(api, "Again", "statecode", "statuscode")
    assert [(row["name"], row["statecode"], row["statuscode"]) for row in found] == [
        ("Again 1", 1, 2),
        ("Again 2", 0, 1),
    ]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_rows_that_are_exported_deleted_and_imported_are_the_same(talentverse, file, api, form, tmp_path):
    kept = "accountid,name,creditlimit,numberofemployees,industrycode,statecode,statuscode,_primarycontactid_value"
    path = (
        f"accounts?$select={kept}&$orderby=accountid&$filter=startswith(name,'Contoso') or startswith(name,'Fabrikam')"
    )
    query = "accounts?$filter=startswith(name,'Contoso') or startswith(name,'Fabrikam')"
    before = from_json(api.send("GET", path).content)["value"]
    assert len(before) == 3
    assert talentverse("export", "data", f"e.{form}", "--query", query).exit_code == 0
    for row in before:
        assert api.send("PATCH", f"accounts({row['accountid']})", {"name": "Changed", "creditlimit": 1}).ok
    answer = talentverse("import", "data", f"e.{form}", "--table", "account")
    assert answer.exit_code == 0, (answer.stderr, answer.exception)
    after = from_json(api.send("GET", path).content)["value"]
    assert [{**row, "@odata.etag": ""} for row in after] == [{**row, "@odata.etag": ""} for row in before]


def test_an_export_turns_the_pages_of_a_query(talentverse, api, tmp_path):
    fetch = "<fetch count='7'><entity name='contact'><attribute name='lastname'/></entity></fetch>"
    assert talentverse("export", "data", "f.csv", "--query", fetch).exit_code == 0
    rows = (tmp_path / "f.csv").read_text().splitlines()
    assert rows[0] == "contactid,lastname"
    assert len(rows) - 1 == len(set(rows[1:])) == len(api.rows("contacts?$select=contactid"))


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("x.jsonl",), 2, "either --table, or --query"),
        (("x.jsonl", "--table", "nothing"), 1, "no table 'nothing'"),
        (("x.jsonl", "--table", "account", "--select", "nothing"), 1, "no column 'nothing'"),
        (("x.csv", "--table", "account", "--table", "contact"), 1, "holds one table"),
        (("x.txt", "--table", "account"), 1, "rows are written as"),
        (("x.csv", "--query", "<fetch>"), 1, "the query is no FetchXML"),
        (("x.csv", "--query", "accounts?$filter=x eq 1"), 1, "0x"),
    ],
)
def test_an_export_that_is_not_possible_writes_no_file(talentverse, tmp_path, arguments, status, said):
    answer = talentverse("export", "data", *arguments)
    assert answer.exit_code == status
    assert said in answer.stderr
    assert not (tmp_path / arguments[0]).exists()
