"""Steps of an installed package: what they change and refuse, what happens when they fail, and what they trace."""

from __future__ import annotations

import time

import pytest
from contoso_plugins import SPOILED
from driving import refusal

from odata_server.plug_ins.traces import TraceLog


def _until(read):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = read()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came")


def test_a_step_changes_what_is_written_and_another_acts_as_the_user(administrator, fresh):
    made = administrator.create("accounts", {"name": "Follow Coffee"})
    assert administrator.get(f"accounts({made})")["description"] == "Account Follow Coffee"
    me = administrator.get("WhoAmI")["UserId"]
    task = administrator.rows("tasks?$filter=subject eq 'PRE_OPERATION 1'")[0]
    assert (task["_createdby_value"], task["_ownerid_value"]) == (me, me)


def test_a_step_that_acts_as_the_user_has_that_users_rights(writer, state):
    before = state()
    status, code, text = refusal(writer.send("POST", "accounts", {"name": "Follow Coffee"}))
    assert (status, code) == (403, "0x80040220")
    assert "prvCreateActivity" in text
    assert state() == before


def test_a_step_refuses_in_its_own_words(administrator, state):
    made = administrator.create("accounts", {"name": "Fourth Coffee"})
    administrator.patch(f"accounts({made})", {"creditlimit": 1000})
    before = state()
    answer = administrator.send("PATCH", f"accounts({made})", {"creditlimit": 1000001})
    assert refusal(answer) == (400, "0x80040265", "The limit of Fourth Coffee needs the board.")
    assert state() == before


def test_a_step_runs_for_its_filtering_columns_only(administrator):
    made = administrator.create("accounts", {"name": "Fourth Coffee"})
    administrator.patch(f"accounts({made})", {"telephone1": "1"})
    assert administrator.get(f"accounts({made})")["telephone1"] == "1"


def test_steps_that_cause_one_another_without_end_are_stopped(administrator, state):
    made = administrator.create("accounts", {"name": "Fourth Coffee"})
    before = state()
    status, code, text = refusal(administrator.send("PATCH", f"accounts({made})", {"fax": "1"}))
    assert (status, code) == (405, "0x80044182")
    assert "infinite loop" in text
    assert state() == before


@pytest.mark.parametrize(
    ("last_name", "code", "text"),
    [
        ("Broken", "0x80040224", "contoso_plugins.misbehave: KeyError: 'nothing there'"),
        ("Silent", "0x80040224", "contoso_plugins.misbehave: contoso_plugins.Silent: <exception str() failed>"),
        ("Odd text", "0x80040265", "? and so on"),
        ("Nonsense", "0x80040224", "contoso_plugins.misbehave: KeyError: 'nosuch'"),
        ("Leaving", "0x80040224", "contoso_plugins.misbehave: SystemExit: 3"),
        ("Swallow", "0x80040265", "There is no active transaction."),
    ],
)
def test_an_error_of_the_code_is_a_refusal_and_takes_everything_back(administrator, state, last_name, code, text):
    before = state()
    answer = refusal(administrator.send("POST", "contacts", {"lastname": last_name}))
    assert answer[:2] == (400, code)
    assert text in answer[2]
    assert state() == before


@pytest.mark.parametrize("name", SPOILED)
def test_what_a_step_sets_must_fit_the_table(administrator, state, name):
    before = state()
    answer = administrator.send("POST", "accounts", {"name": name})
    assert answer.status_code in {400, 404}, answer.text
    assert state() == before


@pytest.mark.parametrize(
    ("headers", "synchronous", "asynchronous"),
    [
        ({}, True, True),
        ({"MSCRM.BypassCustomPluginExecution": "false"}, True, True),
        ({"MSCRM.BypassCustomPluginExecution": "true"}, False, True),
        ({"MSCRM.BypassBusinessLogicExecution": "CustomSync"}, False, True),
        ({"MSCRM.BypassBusinessLogicExecution": "customasync"}, True, False),
        ({"MSCRM.BypassBusinessLogicExecution": "CustomSync, CustomAsync"}, False, False),
        ({"MSCRM.BypassBusinessLogicExecutionStepIds": "0a000000-0000-4000-8000-0000000000ff"}, True, True),
    ],
)
def test_a_request_may_leave_custom_steps_out(administrator, fresh, headers, synchronous, asynchronous):
    made = administrator.post("accounts", {"name": "One"}, headers=headers).headers["OData-EntityId"]
    found = administrator.get(made.removeprefix("https://localhost:8443"))
    assert found["description"] == ("Account One" if synchronous else None)
    administrator.post("contacts", {"lastname": "Quiet"}, headers=headers)
    jobs = administrator.rows("asyncoperations?$filter=startswith(name,'contoso_plugins.later')")
    assert bool(jobs) is asynchronous


def test_leaving_custom_steps_out_takes_a_privilege(writer, state):
    before = state()
    answer = writer.send("POST", "accounts", {"name": "One"}, headers={"MSCRM.BypassCustomPluginExecution": "true"})
    status, code, text = refusal(answer)
    assert (status, code) == (403, "0x80040220")
    assert "prvBypassCustomPlugins" in text
    assert state() == before


def test_steps_run_for_each_record_of_a_bulk_message(administrator, fresh, state):
    rows = [{"@odata.type": "Microsoft.Dynamics.CRM.account", "name": name} for name in ("One", "Two", "Wrong type")]
    administrator.post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": rows[:2]})
    made = administrator.rows("accounts?$select=description&$orderby=name")
    assert [row["description"] for row in made] == ["Account One", "Account Two"]
    before = state()
    assert (
        administrator.send("POST", "accounts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": rows}).status_code
        == 400
    )
    assert state() == before


def test_asynchronous_steps_that_cause_one_another_without_end_are_stopped(administrator, fresh):
    made = administrator.create("contacts", {"lastname": "Loop"})
    administrator.patch(f"contacts({made})", {"pager": "0"})
    jobs = f"asyncoperations?$filter=_regardingobjectid_value eq {made} and messagename eq 'Update' and statecode eq 3"
    failed = _until(lambda: administrator.rows(f"{jobs} and statuscode eq 31"))
    assert "infinite loop" in failed[0]["message"]
    depths = [row["depth"] for row in administrator.rows(f"{jobs}&$orderby=depth")]
    assert depths == list(range(1, len(depths) + 1))
    assert 4 < len(depths) <= 8


def test_an_asynchronous_step_is_a_system_job(administrator, fresh):
    made = administrator.create("contacts", {"lastname": "Later", "birthdate": "1980-02-03"})
    job = _until(
        lambda: administrator.rows(
            f"asyncoperations?$filter=_regardingobjectid_value eq {made} and statecode eq 3&$select=name,statuscode"
        )
    )[0]
    assert (job["name"], job["statuscode"]) == ("contoso_plugins.later: Create of contact", 30)
    assert administrator.get(f"contacts({made})")["description"] == "Later 1980-02-03"


def test_an_asynchronous_step_that_refuses_is_a_failed_job_and_the_message_stands(administrator, fresh):
    made = administrator.create("contacts", {"lastname": "Late failure"})
    job = _until(
        lambda: administrator.rows(f"asyncoperations?$filter=_regardingobjectid_value eq {made} and statecode eq 3")
    )[0]
    assert (job["statuscode"], job["retrycount"]) == (31, 0)
    assert "Not even later." in job["message"]


@pytest.mark.parametrize(("setting", "kept"), [(0, []), (1, ["failed"]), (2, ["done", "failed"])])
def test_traces_are_kept_as_the_organization_says_and_outlive_the_message(
    administrator, environments, fresh, setting, kept
):
    organization = administrator.rows("organizations?$select=organizationid")[0]["organizationid"]
    administrator.patch(f"organizations({organization})", {"plugintracelogsetting": setting})
    made = administrator.create("accounts", {"name": "Fourth Coffee"})
    administrator.patch(f"accounts({made})", {"creditlimit": 1})
    administrator.send("PATCH", f"accounts({made})", {"creditlimit": 1000001})
    environments[0].traces.stop()
    environments[0].traces.start(environments[0].dataverse)
    administrator.patch(f"organizations({organization})", {"plugintracelogsetting": 2})
    administrator.patch(f"accounts({made})", {"creditlimit": 3})

    path = "plugintracelogs?$filter=typename eq 'contoso_plugins.check_limit'&$orderby=createdon"
    rows = _until(lambda: administrator.rows(path)[len(kept) :] and administrator.rows(path))
    shown = ["failed" if "needs the board" in (row["exceptiondetails"] or "") else "done" for row in rows]
    assert sorted(shown) == sorted([*kept, "done"])
    assert {(r["messagename"], r["primaryentity"], r["mode"], r["depth"], r["messageblock"]) for r in rows} == {
        ("Update", "account", 0, 1, "limit of Fourth Coffee")
    }


def test_a_trace_log_that_was_never_started_ends():
    TraceLog().stop()
