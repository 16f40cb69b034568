"""Functions of an installed package as steps that rows register for their plug-in types."""

from __future__ import annotations

import pytest
from driving import refusal, until

from entities.standard.sdk_messages import filter_id, message_id


def body(administrator, function, message, table, **members):
    (found,) = administrator.rows(f"plugintypes?$select=typename&$filter=endswith(typename,'{function}')")
    return {
        "eventhandler_plugintype@odata.bind": f"/plugintypes({found['plugintypeid']})",
        "sdkmessageid@odata.bind": f"/sdkmessages({message_id(message)})",
        "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({filter_id(message, table)})",
        "stage": 20,
        "mode": 0,
        "rank": 1,
        **members,
    }


@pytest.fixture
def registered(administrator):
    """A way to register a function; what it registered is taken away in the end."""
    made = []

    def register(*place, **members):
        made.append(administrator.create("sdkmessageprocessingsteps", body(administrator, *place, **members)))
        return made[-1]

    yield register
    for step in made:
        administrator.send("DELETE", f"sdkmessageprocessingsteps({step})")


def test_a_function_runs_where_a_row_registers_it(administrator, registered):
    step = registered("describe", "Create", "contact")
    contact = administrator.create("contacts", {"lastname": "x"})
    assert administrator.get(f"contacts({contact})")["description"] == "Account None"
    administrator.send("DELETE", f"sdkmessageprocessingsteps({step})")
    contact = administrator.create("contacts", {"lastname": "x"})
    assert administrator.get(f"contacts({contact})")["description"] is None


def test_a_function_refuses_where_a_row_registers_it(administrator, registered, state):
    account = administrator.create("accounts", {"name": "Fourth Coffee"})
    step = registered("check_limit", "Update", "account", filteringattributes="numberofemployees")
    image = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})", "imagetype": 0}
    administrator.create(
        "sdkmessageprocessingstepimages", {**image, "entityalias": "PreImage", "messagepropertyname": "Target"}
    )
    before = state()
    answer = administrator.send("PATCH", f"accounts({account})", {"numberofemployees": 1, "creditlimit": 2_000_000})
    assert refusal(answer) == (400, "0x80040265", "The limit of Fourth Coffee needs the board.")
    assert state() == before


def test_an_asynchronous_function_runs_behind_the_answer(administrator, registered):
    step = registered("later", "Update", "contact", stage=40, mode=1)
    image = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})", "imagetype": 1}
    administrator.create(
        "sdkmessageprocessingstepimages", {**image, "entityalias": "PostImage", "messagepropertyname": "Target"}
    )
    contact = administrator.create("contacts", {"lastname": "Sooner"})
    administrator.patch(f"contacts({contact})", {"lastname": "Later"})
    until(lambda: administrator.get(f"contacts({contact})")["description"] == "Later None")
