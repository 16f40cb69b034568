"""Solutions as files: exported from one state of the environment, and imported into another one."""

import json
from base64 import b64decode, b64encode
from io import BytesIO
from zipfile import ZipFile

import pytest
from things import dump

CRM = "Microsoft.Dynamics.CRM"
JOBS = ("0e000000-0000-4000-8000-000000000001", "0e000000-0000-4000-8000-000000000002")
EXPORT = {"SolutionName": "Zoo", "Managed": False}
SIZES = {
    "@odata.type": f"{CRM}.OptionSetMetadata",
    "Name": "zoo_sizes",
    "IsGlobal": True,
    "OptionSetType": "Picklist",
}


def text(english):
    return {"LocalizedLabels": [{"Label": english, "LanguageCode": 1033}]}


def column(name, kind, **more):
    return {"@odata.type": f"{CRM}.{kind}AttributeMetadata", "SchemaName": name, "DisplayName": text(name), **more}


@pytest.fixture(scope="module")
def exported(api):
    """A solution with a table and a global choice, as the file that is exported; table and choice are gone then."""
    publisher = api.created("publishers", uniquename="zoo", friendlyname="Zoo", customizationprefix="zoo")
    bound = {"publisherid@odata.bind": f"/publishers({publisher})"}
    api.created("solutions", uniquename="Zoo", friendlyname="Zoo", version="1.2.0.0", **bound)
    into = {"mscrm.solutionuniquename": "Zoo"}
    options = [{"Value": 1, "Label": text("Small")}, {"Value": 2, "Label": text("Large")}]
    choice = {**SIZES, "DisplayName": text("Sizes"), "Options": options}
    assert api("POST", "/GlobalOptionSetDefinitions", choice, **into).status == 204
    table = {
        "SchemaName": "zoo_Animal",
        "DisplayName": text("Animal"),
        "DisplayCollectionName": text("Animals"),
        "OwnershipType": "UserOwned",
        "Attributes": [column("zoo_Name", "String", MaxLength=70, IsPrimaryName=True)],
    }
    assert api("POST", "/EntityDefinitions", table, **into).status == 204
    animal = "/EntityDefinitions(LogicalName='zoo_animal')"
    bound = {"GlobalOptionSet@odata.bind": "/GlobalOptionSetDefinitions(Name='zoo_sizes')"}
    size = column("zoo_Size", "Picklist", **bound)
    for new in (column("zoo_Legs", "Integer", MinValue=0, MaxValue=8), size):
        answer = api("POST", f"{animal}/Attributes", new, **into)
        assert answer.status == 204, answer.body
    answer = api("POST", "/ExportSolution", EXPORT)
    assert answer.status == 200, answer.body
    for path in (animal, "/GlobalOptionSetDefinitions(Name='zoo_sizes')"):
        gone = api("DELETE", path)
        assert gone.status == 204, gone.body
    body = json.loads(answer.body)
    assert body["@odata.context"].endswith(f"#{CRM}.ExportSolutionResponse")
    return b64decode(body["ExportSolutionFile"])


def importing(file, job=JOBS[0], **more):
    return {
        "OverwriteUnmanagedCustomizations": True,
        "PublishWorkflows": True,
        "CustomizationFile": b64encode(file).decode(),
        "ImportJobId": job,
        **more,
    }


def test_an_exported_solution_says_what_it_is(exported):
    archive = ZipFile(BytesIO(exported))
    assert set(archive.namelist()) == {"[Content_Types].xml", "solution.xml", "customizations.xml"}
    manifest = archive.read("solution.xml").decode()
    assert "<UniqueName>Zoo</UniqueName>" in manifest
    assert "<Version>1.2.0.0</Version>" in manifest
    assert "<CustomizationPrefix>zoo</CustomizationPrefix>" in manifest
    customizations = archive.read("customizations.xml").decode()
    assert "zoo_animal" in customizations
    assert "account" not in customizations.lower().replace("accountability", "")


def test_an_imported_solution_brings_back_what_it_holds(api, exported):
    answer = api("POST", "/ImportSolution", importing(exported))
    assert answer.status == 204, answer.body
    legs = "/EntityDefinitions(LogicalName='zoo_animal')/Attributes(LogicalName='zoo_legs')"
    assert api.json(f"{legs}/{CRM}.IntegerAttributeMetadata")["MaxValue"] == 8
    choice = api.json("/GlobalOptionSetDefinitions(Name='zoo_sizes')")
    assert [option["Value"] for option in choice["Options"]] == [1, 2]
    animal = api.created("zoo_animals", zoo_name="Ann", zoo_legs=4, zoo_size=2)
    assert api.json(f"/zoo_animals({animal})?$select=zoo_size")["zoo_size"] == 2
    job = api.json(f"/importjobs({JOBS[0]})")
    assert (job["solutionname"], job["progress"]) == ("Zoo", 100)
    (solution,) = api.json("/solutions?$filter=uniquename eq 'Zoo'&$expand=solution_solutioncomponent")["value"]
    assert {one["componenttype"] for one in solution["solution_solutioncomponent"]} >= {1, 9}


def test_the_same_job_cannot_be_started_twice(api, services, exported):
    assert api("POST", "/ImportSolution", importing(exported, JOBS[1])).status == 204
    before = dump(services.dataverse.database)
    assert api.error("POST", "/ImportSolution", importing(exported, JOBS[1]))[:2] == (412, "0x80040237")
    assert dump(services.dataverse.database) == before


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"CustomizationFile": b64encode(b"no archive").decode()}, 400, "0x80048060"),
        ({"CustomizationFile": b64encode(b"PK\x03\x04broken").decode()}, 400, "0x80048060"),
        ({"ConvertToManaged": True}, 501, "0x80040315"),
        ({"HoldingSolution": True}, 501, "0x80040315"),
    ],
)
def test_what_cannot_be_imported_changes_nothing(api, services, exported, changed, status, code):
    before = dump(services.dataverse.database)
    body = {**importing(exported, "0e000000-0000-4000-8000-000000000009"), **changed}
    assert api.error("POST", "/ImportSolution", body)[:2] == (status, code)
    assert dump(services.dataverse.database) == before


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [({"SolutionName": "Nowhere"}, 400, "0x80048037"), ({"Managed": True}, 501, "0x80040315")],
)
def test_what_cannot_be_exported_is_refused(api, exported, changed, status, code):
    assert api.error("POST", "/ExportSolution", {**EXPORT, **changed})[:2] == (status, code)


def test_the_default_solution_holds_all_custom_tables(api, exported):
    answer = api("POST", "/ExportSolution", {"SolutionName": "Default", "Managed": False})
    assert answer.status == 200, answer.body
