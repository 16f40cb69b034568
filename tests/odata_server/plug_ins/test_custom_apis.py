"""Custom APIs of packages and of rows: called as functions and actions, told by `$metadata`, guarded, refused."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from contoso_plugins import LIES
from driving import refusal

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def account(administrator):
    return administrator.create("accounts", {"name": "Fourth Coffee"})


def test_a_function_of_a_package_answers_a_complex_type(administrator):
    assert administrator.get("new_Double(Number=21,Note='x')") == {
        "@odata.context": "https://localhost:8443/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.new_DoubleResponse",
        "Note": "x",
        "Result": 42,
    }


def test_a_parameter_may_stand_behind_an_alias_and_an_optional_one_may_be_missing(administrator):
    assert administrator.get("new_Double(Number=@n)?@n=4")["Result"] == 8


def test_a_function_that_sets_nothing_answers_204(administrator):
    assert administrator.send("GET", "new_Double(Number=0)").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "new_Double()", None, (404, "0x80060888")),
        ("GET", "new_Double(Number=1,Other=2)", None, (404, "0x80060888")),
        ("GET", "new_Double(Number='one')", None, (400, "0x80060888")),
        ("POST", "new_Double", {"Number": 1}, (404, "0x8006088a")),
        ("GET", "new_Guarded", None, (404, "0x8006088a")),
        ("POST", "new_Guarded", {}, (400, "0x80048d19")),
        ("POST", "new_Guarded", {"Number": "one"}, (400, "0x80048d19")),
        ("POST", "new_Guarded", {"Number": 1, "Other": 2}, (400, "0x80048d19")),
        ("GET", "new_Absent()", None, (404, "0x80060888")),
        ("GET", "accounts/Microsoft.Dynamics.CRM.new_Double(Number=1)", None, (404, "0x80060888")),
        ("POST", "new_Close", {"Reason": "x"}, (404, "0x80060888")),
    ],
)
def test_a_call_that_does_not_fit_is_refused_and_changes_nothing(administrator, state, method, path, body, expected):
    before = state()
    assert refusal(administrator.send(method, path, body))[:2] == expected
    assert state() == before


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_of_another_type_than_is_declared_is_an_error_of_the_code(administrator, lie):
    status, code, text = refusal(administrator.send("POST", "new_Lie", {"Lie": lie}))
    assert (status, code) == (400, "0x80040224")
    assert f"The response property '{LIES[lie][0]}' of new_Lie" in text


def test_steps_around_a_custom_api_see_its_parameters_and_may_change_its_answer(administrator):
    assert administrator.get("new_Double(Number=1000)")["Result"] == 2001


def test_an_action_is_bound_to_a_row_and_runs_as_its_caller(writer, account):
    path = f"accounts({account})"
    answer = writer.post(f"{path}/Microsoft.Dynamics.CRM.new_Close", {"Reason": "moved"})
    assert answer.status_code == 204
    assert writer.get(path)["description"] == "moved"


def test_what_the_caller_may_not_do_a_plug_in_may_not_do_for_it(reader, state, account):
    before = state()
    answer = reader.send("POST", f"accounts({account})/Microsoft.Dynamics.CRM.new_Close", {"Reason": "moved"})
    status, code, text = refusal(answer)
    assert (status, code) == (403, "0x80040220")
    assert "prvWriteAccount" in text
    assert state() == before


def test_an_action_bound_to_a_row_that_is_not_there_is_refused(administrator):
    missing = "0a000000-0000-4000-8000-0000000000ff"
    answer = administrator.send("POST", f"accounts({missing})/Microsoft.Dynamics.CRM.new_Close", {"Reason": "moved"})
    assert refusal(answer)[:2] == (404, "0x80040217")


def test_records_that_are_the_whole_answer_come_as_they_are(administrator, account):
    found = administrator.get("accounts/Microsoft.Dynamics.CRM.new_Names()")
    assert found["@odata.context"].endswith("$metadata#accounts")
    assert {"name": "Fourth Coffee", "accountid": account, "_primarycontactid_value": None}.items() <= next(
        row for row in found["value"] if row["accountid"] == account
    ).items()


def test_one_record_that_is_the_whole_answer_comes_as_it_is(administrator, account):
    found = administrator.get(f"new_Find(Target=@t)?@t={{'@odata.id':'accounts({account})'}}")
    assert found["@odata.context"].endswith("$metadata#accounts/$entity")
    assert (found["name"], found["accountid"]) == ("Fourth Coffee", account)


def test_every_type_goes_in_and_comes_out(administrator, account):
    record = {"@odata.type": "#Microsoft.Dynamics.CRM.account", "name": "Given"}
    given = {
        "Boolean": True,
        "Date_Time": "2026-01-02T03:04:05Z",
        "Decimal": 1.25,
        "Entity": record,
        "Entity_Collection": [record, record],
        "Float": 0.5,
        "Integer": 7,
        "Money": 10.5,
        "Picklist": 3,
        "String": "text",
        "String_Array": ["a", "b"],
        "Guid": account,
    }
    named = {"@odata.type": "#Microsoft.Dynamics.CRM.account", "accountid": account}
    answer = administrator.post("new_Echo", {**given, "Entity_Reference": named}).get_json()
    assert {name: value for name, value in answer.items() if name != "@odata.context"} == {
        **given,
        "Entity_Reference": named,
    }


def test_a_custom_api_may_take_a_privilege(writer, reader):
    assert writer.post("new_Guarded", {"Number": 2}).get_json()["Result"] == 4
    status, code, text = refusal(reader.send("POST", "new_Guarded", {"Number": 2}))
    assert (status, code) == (403, "0x80040220")
    assert "prvWriteAccount" in text


def test_metadata_declares_custom_apis_but_no_private_ones(administrator):
    schema = ET.fromstring(administrator.send("GET", "$metadata").data)
    found = {node.get("Name"): node for node in schema.iter() if (node.get("Name") or "").startswith("new_")}
    assert found["new_Double"].get("Function") == "Microsoft.Dynamics.CRM.new_Double"
    function = next(node for node in schema.iter(f"{EDM}Function") if node.get("Name") == "new_Double")
    assert [(p.get("Name"), p.get("Type"), p.get("Nullable")) for p in function.iter(f"{EDM}Parameter")] == [
        ("Note", "Edm.String", None),
        ("Number", "Edm.Int32", "false"),
    ]
    assert function.find(f"{EDM}ReturnType").get("Type") == "mscrm.new_DoubleResponse"
    assert [p.get("Name") for p in found["new_DoubleResponse"]] == ["Note", "Result"]
    bound = next(node for node in schema.iter(f"{EDM}Function") if node.get("Name") == "new_Names")
    assert bound.find(f"{EDM}Parameter").get("Type") == "Collection(mscrm.account)"
    assert bound.find(f"{EDM}ReturnType").get("Type") == "Collection(mscrm.account)"
    assert "new_Secret" not in found


def test_a_private_custom_api_can_be_called(administrator):
    assert administrator.post("new_Secret", {"Number": 1}).get_json()["Result"] == 2


def _api(name, **more):
    return {"uniquename": name, "name": name, "displayname": name, **more}


def test_a_custom_api_of_rows_is_there_at_once_and_goes_with_its_row(administrator, fresh):
    free = administrator.rows("plugintypes?$filter=endswith(typename,'.free')")[0]["plugintypeid"]
    parts = {
        "CustomAPIRequestParameters": [_api("Word", type=10, isoptional=True)],
        "CustomAPIResponseProperties": [_api("Answer", type=10)],
    }
    made = administrator.create(
        "customapis", _api("new_Hello", **parts, **{"PluginTypeId@odata.bind": f"/plugintypes({free})"})
    )
    assert administrator.post("new_Hello", {"Word": "x"}).get_json()["Answer"].startswith("new_Hello of ")
    assert b'Name="new_Hello"' in administrator.send("GET", "$metadata").data
    administrator.delete(f"customapis({made})")
    assert refusal(administrator.send("POST", "new_Hello", {}))[:2] == (404, "0x80060888")
    assert b'Name="new_Hello"' not in administrator.send("GET", "$metadata").data
    assert not administrator.rows("customapirequestparameters?$filter=uniquename eq 'Word'")


def test_without_a_plug_in_type_a_custom_api_does_nothing(administrator, fresh):
    administrator.create("customapis", _api("new_Event", CustomAPIResponseProperties=[_api("Answer", type=10)]))
    assert administrator.send("POST", "new_Event", {}).status_code == 204


def test_a_function_without_response_property_is_not_found(administrator, fresh):
    made = administrator.create("customapis", _api("new_Empty", isfunction=True))
    assert refusal(administrator.send("GET", "new_Empty()"))[:2] == (404, "0x80060888")
    assert b'Name="new_Empty"' not in administrator.send("GET", "$metadata").data
    bind = {"CustomAPIId@odata.bind": f"/customapis({made})"}
    administrator.create("customapiresponseproperties", _api("Answer", type=10, **bind))
    assert administrator.send("GET", "new_Empty()").status_code == 204


@pytest.mark.parametrize(
    ("entity_set", "body", "expected"),
    [
        ("customapis", _api("Hello"), (400, "0x80040203")),
        ("customapis", _api("new-Hello"), (400, "0x80040203")),
        ("customapis", _api("new_Double"), (412, "0x80040237")),
        ("customapis", _api("new_Hello", bindingtype=1), (400, "0x80040203")),
        ("customapis", _api("new_Hello", boundentitylogicalname="account"), (400, "0x80040203")),
        ("customapis", _api("new_Hello", bindingtype=1, boundentitylogicalname="absent"), (400, "0x80041102")),
        ("customapis", _api("new_Hello", bindingtype=9, boundentitylogicalname="account"), (400, "0x8004431a")),
        (
            "customapis",
            _api("new_Hello", CustomAPIRequestParameters=[_api("A", type=10), _api("a", type=10)]),
            (412, "0x80040237"),
        ),
        (
            "customapis",
            _api("new_Hello", CustomAPIResponseProperties=[_api("A", type=10, logicalentityname="account")]),
            (400, "0x80040203"),
        ),
        ("plugintypes", {"typename": "some.function", "name": "x"}, (501, "0x80040315")),
        ("pluginassemblies", {"name": "x"}, (501, "0x80040315")),
    ],
)
def test_a_row_that_cannot_be_a_custom_api_is_refused_and_nothing_is_left(
    administrator, state, entity_set, body, expected
):
    before = state()
    assert refusal(administrator.send("POST", entity_set, body))[:2] == expected
    assert state() == before


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"displayname": "x"}), ("DELETE", None)])
def test_the_rows_of_a_package_are_not_changed_by_others(administrator, state, method, body):
    row = administrator.rows("customapis?$filter=uniquename eq 'new_Double'")[0]["customapiid"]
    before = state()
    assert refusal(administrator.send(method, f"customapis({row})", body))[:2] == (405, "0x8004023b")
    assert state() == before
