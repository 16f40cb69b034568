"""The data.zip of a configuration migration goes into an environment and comes out of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zipfile import ZipFile

import pytest
from solutions import archive, solution

FIRST, SECOND, PERSON, NEW = (str(uuid4()) for _ in range(4))
EXPORTED = (datetime.now(UTC) - timedelta(days=17)).replace(microsecond=0)
SCHEMA = """<entities dateMode="absolute">
  <entityImportOrder><entityName>contact</entityName><entityName>account</entityName></entityImportOrder>
  <entity name="account" primaryidfield="accountid" skipupdate="false"><fields>
    <field name="name" type="string" /><field name="lastusedincampaign" type="datetime" dateMode="relative" />
    <field name="overriddencreatedon" type="datetime" />
  </fields></entity>
  <entity name="contact" primaryidfield="contactid" skipupdate="true"><fields>
    <field name="anniversary" type="datetime" dateMode="relativeDaily" /></fields></entity>
</entities>"""


def record(identifier: str, **fields: str) -> str:
    parts = (
        f'<field name="{name}" value="{value}" />'
        if ">" not in value
        else '<field name="{}" value="{}" lookupentity="{}" lookupentityname="x" />'.format(name, *value.split(">"))
        for name, value in fields.items()
    )
    return f'<record id="{identifier}">{"".join(parts)}</record>'


def data(*, contacts: str = "", accounts: str = "") -> str:
    return f"""<entities timestamp="{EXPORTED.isoformat()}">
      <entity name="account" displayname="Account"><records>{accounts}</records></entity>
      <entity name="contact" displayname="Contact"><records>{contacts}</records></entity></entities>"""


def test_records_come_with_their_ids_lookups_and_states(talentverse, api, tmp_path):
    moment = EXPORTED.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    accounts = record(
        FIRST,
        accountid=FIRST,
        name="Zip 1",
        parentaccountid=f"{SECOND}>account",
        creditlimit="10.5000",
        donotfax="True",
        statecode="1",
        statuscode="2",
        lastusedincampaign=moment,
    )
    accounts += record(SECOND, accountid=SECOND, name="Zip 2", primarycontactid=f"{PERSON}>contact")
    contacts = record(
        PERSON, contactid=PERSON, lastname="Zip", parentcustomerid=f"{FIRST}>account", anniversary=moment[:10]
    )
    (tmp_path / "d.zip").write_bytes(
        archive(data__xml=data(accounts=accounts, contacts=contacts), data_schema__xml=SCHEMA)
    )
    answer = talentverse("import", "data", "d.zip")
    assert (answer.exit_code, answer.stdout) == (0, "3 rows imported\n"), answer.stderr
    first = api.get(
        f"accounts({FIRST})?$select=name,creditlimit,donotfax,statecode,lastusedincampaign,_parentaccountid_value"
    )
    assert (first["name"], first["creditlimit"], first["donotfax"], first["statecode"]) == ("Zip 1", 10.5, True, 1)
    assert first["_parentaccountid_value"] == SECOND
    assert first["lastusedincampaign"] == (EXPORTED + timedelta(days=14)).strftime("%Y-%m-%dT%H:%M:%SZ"), "whole weeks"
    assert api.get(f"accounts({SECOND})?$select=_primarycontactid_value")["_primarycontactid_value"] == PERSON
    found = api.get(f"contacts({PERSON})?$select=anniversary,_parentcustomerid_value")
    assert found["_parentcustomerid_value"] == FIRST
    assert found["anniversary"] == (EXPORTED + timedelta(days=17)).strftime("%Y-%m-%d")


def test_a_table_that_skips_updates_leaves_records_that_are_there(talentverse, api, tmp_path):
    there = api.rows("contacts?$top=1&$select=contactid,lastname")[0]
    contacts = record(there["contactid"], lastname="Changed", contactid=there["contactid"])
    contacts += record(NEW, lastname="Added", contactid=NEW)
    (tmp_path / "d.zip").write_bytes(archive(data__xml=data(contacts=contacts), data_schema__xml=SCHEMA))
    assert talentverse("import", "data", "d.zip").exit_code == 0
    assert api.get(f"contacts({there['contactid']})?$select=lastname")["lastname"] == there["lastname"]
    assert api.get(f"contacts({NEW})?$select=lastname")["lastname"] == "Added"


def test_records_and_pairs_that_are_exported_come_again(talentverse, api, server, tmp_path):
    server.reset()
    (tmp_path / "s.zip").write_bytes(solution())
    assert talentverse("import", "schema", "s.zip").exit_code == 0
    projects = [str(uuid4()) for _ in range(2)]
    tasks = [str(uuid4()) for _ in range(3)]
    for place, identifier in enumerate(projects):
        api.send(
            "PATCH", f"con_projects({identifier})", {"con_name": f"P & <{place}>", "con_tags": "7,8", "con_price": 1.25}
        )
    for place, identifier in enumerate(tasks):
        body = {"con_name": f"T {place}", "con_ProjectId@odata.bind": f"/con_projects({projects[0]})"}
        api.send("PATCH", f"con_tasks({identifier})", body)
        link = {"@odata.id": f"{server.url}/api/data/v9.2/con_projects({projects[place % 2]})"}
        assert api.send("POST", f"con_tasks({identifier})/con_project_task_pair/$ref", link).status_code == 204
    paths = ("con_project_task_pair($select=con_name;$orderby=con_name)", "con_project_task($select=con_name)")
    columns = "con_name,con_tags,con_price,con_number"

    def everything() -> list[dict]:
        texts = [api.send("GET", f"con_projects?$select={columns}&$expand={path}").text for path in paths]
        return [row for text in texts for row in json.loads(re.sub(r'W/\\"\d+\\"', "", text))["value"]]

    before = everything()
    assert sorted(len(row["con_project_task_pair"]) for row in before[:2]) == [1, 2]
    answer = talentverse("export", "data", "d.zip", "--table", "con_project", "--table", "con_task")
    assert answer.stdout == "5 rows exported\n", answer.stderr
    with ZipFile(tmp_path / "d.zip") as made:
        assert made.namelist() == ["[Content_Types].xml", "data_schema.xml", "data.xml"]
        assert re.findall(r'm2mTargetEntity="(\w+)"', made.read("data_schema.xml").decode()) == ["con_task"]
    for identifier in (*tasks, *projects):
        for path in (f"con_tasks({identifier})", f"con_projects({identifier})"):
            api.send("DELETE", path)
    assert api.rows("con_projects") == []
    for _ in range(2):
        answer = talentverse("import", "data", "d.zip")
        assert (answer.exit_code, answer.stdout) == (0, "8 rows imported\n"), answer.stderr
    assert everything() == before


PAIR = (
    '<entities><entity name="con_project"><m2mrelationships><m2mrelationship sourceid="{}" m2mrelationshipname="{}">'
    "<targetids><targetid>{}</targetid></targetids></m2mrelationship></m2mrelationships></entity></entities>"
)


def test_a_pair_without_its_records_is_refused(talentverse, api, refusals, tmp_path):
    (tmp_path / "s.zip").write_bytes(solution())
    talentverse("import", "schema", "s.zip")
    for name, said in (
        ("con_project_task_pair", "Does Not Exist"),
        ("nothing", "no many-to-many relationship 'nothing'"),
    ):
        (tmp_path / "d.zip").write_bytes(archive(data__xml=PAIR.format(NEW, name, NEW)))
        assert talentverse("import", "data", "d.zip").exit_code == 1
        (refused,) = refusals("d.zip")
        assert said in refused["@talentverse.error"]["message"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04", "no ZIP archive"),
        (archive(other__xml="<a/>"), "it has no data.xml"),
        (archive(data__xml="<a>"), "cannot be read"),
        (archive(data__xml='<!DOCTYPE a [<!ENTITY x "y">]><a/>'), "a document type is not allowed"),
        (archive(**{"../data.xml": "<a/>"}), "leaves its directory"),
        (archive(data__xml=data(accounts=record(NEW, nothing="x"))), "no column 'nothing'"),
        (archive(data__xml='<entities><entity name="no"><records><record id="1"/></records></entity></entities>'),
         "no table 'no'"),
    ],
)  # fmt: skip
def test_an_archive_that_is_none_is_refused_in_one_line(talentverse, tmp_path, content, said):
    (tmp_path / "d.zip").write_bytes(content)
    answer = talentverse("import", "data", "d.zip")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
