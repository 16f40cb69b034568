"""Change tracking over HTTP (Learn: "Use change tracking to synchronize data with external systems")."""

from __future__ import annotations

import json
from contextlib import closing
from threading import Event, Thread
from urllib.parse import unquote

import pytest
from databases import open_database
from things import dump
from tracked_changes import ROOT, TOKEN, TRACK, delta_link, followed, headers_of, local, shown


def test_the_first_answer_has_all_rows_and_a_delta_link(moments):
    api = moments.api
    first = api.created("accounts", name="A")
    api.created("accounts", name="B")
    answer = api("GET", "/accounts?$select=name", **TRACK)
    body = json.loads(answer.body)
    assert headers_of(answer, "Preference-Applied") == ["odata.track-changes"]
    assert list(body) == ["@odata.context", "@odata.deltaLink", "value"]
    assert body["@odata.context"] == f"{ROOT}/$metadata#accounts(name)"
    link, token = body["@odata.deltaLink"].split("&$deltatoken=")
    assert link == f"{ROOT}/accounts?$select=name"
    assert TOKEN.match(token)
    assert unquote(token).partition("!")[2] == "02/29/2024 12:30:15"
    assert shown(body["value"]) == ["A", "B"]
    assert body["value"][0]["accountid"] == first


def test_a_delta_link_gives_what_was_made_changed_and_deleted_since(moments):
    api = moments.api
    kept, changed, gone = (api.created("accounts", name=name) for name in ("kept", "changed", "gone"))
    link = delta_link(api)
    made = api.created("accounts", name="made")
    assert api("PATCH", f"/accounts({changed})", {"name": "renamed"}).status == 204
    assert api("DELETE", f"/accounts({gone})").status == 204
    moments.clock.text = "2024-03-01T08:00:00"
    body = api.json(link)
    assert list(body) == ["@odata.context", "@odata.deltaLink", "value"]
    assert body["@odata.context"] == f"{ROOT}/$metadata#accounts(name)/$delta"
    assert [row.get("accountid") for row in body["value"]] == [made, changed, None]
    assert shown(body["value"]) == ["made", "renamed", "deleted"]
    assert body["value"][2] == {
        "@odata.context": f"{ROOT}/$metadata#accounts/$deletedEntity",
        "id": gone,
        "reason": "deleted",
    }
    assert set(body["value"][0]) == {"@odata.etag", "name", "accountid"}
    assert unquote(body["@odata.deltaLink"]).endswith("!03/01/2024 08:00:00")
    assert kept not in json.dumps(body)


def test_nothing_new_is_an_empty_answer_with_another_link(moments):
    link = delta_link(moments.api)
    body = moments.api.json(link)
    assert body["value"] == []
    assert moments.api.json(local(body["@odata.deltaLink"]))["value"] == []


def test_a_link_can_be_followed_again_and_gives_the_same(moments):
    api = moments.api
    link = delta_link(api)
    gone = api.created("accounts", name="A")
    api("DELETE", f"/accounts({gone})")
    api.created("accounts", name="B")
    once = api.json(link)["value"]
    assert shown(once) == ["B", "deleted"]
    assert api.json(link)["value"] == once


def test_what_other_tables_do_is_not_told(moments):
    api = moments.api
    link = delta_link(api)
    contact = api.created("contacts", lastname="Example")
    api("DELETE", f"/contacts({contact})")
    assert api.json(link)["value"] == []


def test_a_record_that_comes_back_under_its_id_is_new_and_not_deleted(moments):
    api = moments.api
    one = api.created("accounts", name="A")
    link = delta_link(api)
    api("DELETE", f"/accounts({one})")
    assert shown(api.json(link)["value"]) == ["deleted"]
    assert api("PATCH", f"/accounts({one})", {"name": "A again"}).status == 204
    assert shown(api.json(link)["value"]) == ["A again"]


def test_what_a_deletion_takes_along_is_told_too(moments):
    api = moments.api
    account = api.created("accounts", name="A")
    child = api.created("accounts", name="B", **{"parentaccountid@odata.bind": f"/accounts({account})"})
    contact = api.created("contacts", lastname="C", **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    accounts, contacts = delta_link(api), delta_link(api, "/contacts?$select=fullname")
    assert api("DELETE", f"/accounts({account})").status == 204
    assert account in {row.get("id") for row in api.json(accounts)["value"]}
    told = {row.get("id") or row.get("accountid") for row in api.json(accounts)["value"]}
    assert told == {account, child}
    assert [row.get("id") or row["contactid"] for row in api.json(contacts)["value"]] == [contact]


def test_a_refused_deletion_and_a_refused_change_leave_no_trace(moments):
    api = moments.api
    account = api.created("accounts", name="A")
    link = delta_link(api)
    before = dump(moments.service.database)
    assert api("DELETE", f"/accounts({account})", if_match='W/"1"').status == 412
    assert api("PATCH", f"/accounts({account})", {"name": 5}).status == 400
    assert dump(moments.service.database) == before
    assert api.json(link)["value"] == []


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 50])
def test_a_history_comes_in_pages(moments, size):
    api = moments.api
    old = [api.created("accounts", name=f"old {number}") for number in range(5)]
    pages = {"Prefer": f"odata.track-changes,odata.maxpagesize={size}"}
    rows, link, count = followed(api, "/accounts?$select=name", **pages)
    assert shown(rows) == [f"old {number}" for number in range(5)]
    assert count == max(1, -(-5 // size))
    for number in range(4):
        api.created("accounts", name=f"new {number}")
    for account in old[:3]:
        api("DELETE", f"/accounts({account})")
    rows, _, count = followed(api, link, Prefer=f"odata.maxpagesize={size}")
    assert shown(rows) == ["new 0", "new 1", "new 2", "new 3", "deleted", "deleted", "deleted"]
    assert [row["id"] for row in rows[4:]] == old[:3]
    assert count == -(-7 // size)


def test_the_next_link_says_that_changes_are_tracked(moments):
    for name in "ABC":
        moments.api.created("accounts", name=name)
    body = moments.api.json("/accounts?$select=name", Prefer="odata.track-changes,odata.maxpagesize=2")
    token = unquote(unquote(body["@odata.nextLink"].partition("$skiptoken=")[2]))
    assert token.startswith('<cookie pagenumber="2" pagingcookie="')
    assert token.endswith('istracking="True" />')


@pytest.mark.parametrize("size", [1, 2, 4])
def test_what_happens_while_somebody_pages_comes_with_the_delta_link(moments, size):
    api = moments.api
    ids = [api.created("accounts", name=f"{number}") for number in range(6)]
    headers = {"Prefer": f"odata.track-changes,odata.maxpagesize={size}"}
    first = api.json("/accounts?$select=name", **headers)
    api("DELETE", f"/accounts({ids[0]})")
    api("PATCH", f"/accounts({ids[5]})", {"name": "renamed"})
    made = api.created("accounts", name="made")
    rows, link, _ = followed(api, local(first["@odata.nextLink"]), **headers)
    state = {row["accountid"]: row["name"] for row in (*first["value"], *rows)}
    for row in api.json(link)["value"]:
        if "reason" in row:
            state.pop(row["id"], None)
        else:
            state[row["accountid"]] = row["name"]
    assert state == {**{ids[n]: f"{n}" for n in range(1, 5)}, ids[5]: "renamed", made: "made"}


def test_changes_can_be_counted(moments):
    api = moments.api
    gone = api.created("accounts", name="A")
    link = delta_link(api, "/accounts")
    api.created("accounts", name="B")
    api("DELETE", f"/accounts({gone})")
    answer = api("GET", link.replace("/accounts?", "/accounts/$count?"))
    assert answer.body == b"\xef\xbb\xbf2"
    assert headers_of(answer, "Content-Type") == ["text/plain"]
    counted = api.json(f"{link}&$count=true")
    assert counted["@odata.count"] == 2
    assert "$count" not in counted["@odata.deltaLink"]
    assert api("GET", "/accounts/$count").body == b"\xef\xbb\xbf1"


WRITERS, EACH = 4, 12


def written(api, number, failures):
    """Make, change and delete accounts; three of twelve are gone in the end."""
    try:
        for turn in range(EACH):
            account = api.created("accounts", name=f"{number}.{turn}")
            if turn % 3 == 0:
                assert api("PATCH", f"/accounts({account})", {"name": f"{number}.{turn} again"}).status == 204
            if turn % 4 == 0:
                assert api("DELETE", f"/accounts({account})").status == 204
    except AssertionError as error:
        failures.append(error)


def caught_up(api, state, link, **headers):
    """Bring what is known up to date and return the next delta link."""
    rows, link, _ = followed(api, link, **headers)
    for row in rows:
        if "reason" in row:
            state.pop(row["id"], None)
        else:
            state[row["accountid"]] = row["name"]
    return link


def test_delta_links_lose_nothing_while_others_write(moments):
    """Several writers at once, one reader who follows its delta links: in the end it knows what there is."""
    api, failures, state, rounds = moments.api, [], {}, 0
    writers = [Thread(target=written, args=(api, number, failures)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    link = caught_up(api, state, "/accounts?$select=name", Prefer="odata.track-changes,odata.maxpagesize=3")
    are_writing = True
    while are_writing:
        are_writing = any(writer.is_alive() for writer in writers)
        link, rounds = caught_up(api, state, link, Prefer="odata.maxpagesize=3"), rounds + 1
    assert failures == []
    assert rounds > 1
    present = {row["accountid"]: row["name"] for row in api.json("/accounts?$select=name")["value"]}
    assert len(present) == WRITERS * (EACH - 3)
    assert state == present


def test_a_token_never_passes_a_transaction_that_is_still_open(moments):
    """A writer has taken its row version and not committed: what it writes is told by the token that was given then."""
    api = moments.api
    account = api.created("accounts", name="before")
    taken, go_on = Event(), Event()

    def write():
        with closing(open_database(moments.path)) as database, database.writing() as connection:
            (version,) = connection.execute(
                'UPDATE "$state" SET row_version = row_version + 1 RETURNING row_version'
            ).fetchall()[0]
            connection.execute(
                'UPDATE account SET name = $1, "versionnumber" = $2 WHERE accountid = $3', ("after", version, account)
            )
            taken.set()
            assert go_on.wait(10)

    writer = Thread(target=write)
    writer.start()
    assert taken.wait(10)
    rows, link, _ = followed(api, "/accounts?$select=name", **TRACK)
    assert shown(rows) == ["before"]
    go_on.set()
    writer.join()
    assert shown(api.json(link)["value"]) == ["after"]
