"""Access that records get from those they belong to: shares and owners of parents, new parents, lost ones."""

from __future__ import annotations

import pytest
from sharing import set_up

EVERYTHING = 135_069_719
"""All rights that a share gives, and the flag that the owner of the parent has them."""
ALL = {
    f"{right}{table}": "Basic"
    for right in ("Create", "Read", "Write", "Append", "AppendTo", "Share")
    for table in ("Account", "Contact", "Activity")
}


@pytest.fixture(scope="module")
def sharing(api):
    found = set_up(api)
    found.allow(**ALL)
    return found


@pytest.fixture
def tree(sharing):
    """Return an account, a contact below it and a task below that, all of the administrator."""
    made = sharing.api.created
    account = made("accounts", name="Top")
    contact = made("contacts", lastname="Middle", **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    task = made("tasks", subject="Low", **{"regardingobjectid_contact_task@odata.bind": f"/contacts({contact})"})
    return account, contact, task


def masks(sharing, tree, principal=None):
    return [sharing.masks(record, principal) for record in tree]


def test_what_belongs_to_a_shared_record_is_shared_along_all_the_way_down(sharing, tree):
    sharing.do("GrantAccess", ("account", tree[0]), "ReadAccess,WriteAccess")
    assert masks(sharing, tree) == [(3, 0), (0, 3), (0, 3)]
    status, found = sharing.send("GET", f"/contacts({tree[1]})/Contact_Tasks?$select=subject")
    assert (status, [row["subject"] for row in found["value"]]) == (200, ["Low"])


def test_rights_that_are_added_or_taken_away_are_so_below(sharing, tree):
    sharing.do("GrantAccess", ("account", tree[0]), "ReadAccess,WriteAccess")
    sharing.do("GrantAccess", ("contact", tree[1]), "AppendAccess")
    assert masks(sharing, tree) == [(3, 0), (4, 3), (0, 7)]
    sharing.do("ModifyAccess", ("account", tree[0]), "ReadAccess")
    assert masks(sharing, tree) == [(1, 0), (4, 1), (0, 5)]
    sharing.do("RevokeAccess", ("account", tree[0]))
    assert masks(sharing, tree) == [None, (4, 0), (0, 4)]
    sharing.do("RevokeAccess", ("contact", tree[1]))
    assert masks(sharing, tree) == [None, None, None]
    assert sharing.send("GET", f"/tasks({tree[2]})")[0] == 403


def test_a_revocation_leaves_what_is_inherited(sharing, tree):
    sharing.do("GrantAccess", ("account", tree[0]))
    sharing.do("RevokeAccess", ("contact", tree[1]))
    assert masks(sharing, tree) == [(1, 0), (0, 1), (0, 1)]


def test_a_new_record_below_a_shared_one_is_shared_as_well(sharing, tree):
    sharing.do("GrantAccess", ("account", tree[0]))
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({tree[0]})"}
    contact = sharing.api.created("contacts", lastname="New", **bind)
    assert sharing.masks(contact) == (0, 1)
    alone = sharing.api.created("contacts", lastname="Alone")
    assert sharing.masks(alone) is None


def test_another_parent_gives_its_access_in_place_of_the_formers(sharing, tree):
    sharing.do("GrantAccess", ("account", tree[0]))
    other = sharing.api.created("accounts", name="Other")
    sharing.do("GrantAccess", ("account", other), "WriteAccess")
    path, bind = f"/contacts({tree[1]})", "parentcustomerid_account@odata.bind"
    assert sharing.api("PATCH", path, {bind: f"/accounts({other})"}).status == 204
    assert masks(sharing, tree) == [(1, 0), (0, 2), (0, 2)]
    assert sharing.api("DELETE", f"{path}/parentcustomerid_account/$ref").status == 204
    assert masks(sharing, tree) == [(1, 0), None, None]


def test_the_owner_of_the_parent_has_every_right_on_what_belongs_to_it(sharing, tree):
    _, contact, task = tree
    owner = {"ownerid@odata.bind": f"/systemusers({sharing.reader})"}
    top = sharing.api.created("accounts", name="Of the reader", **owner)
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({top})"}
    assert sharing.api("PATCH", f"/contacts({contact})", bind).status == 204
    assert masks(sharing, (top, contact, task)) == [None, (0, EVERYTHING), (0, EVERYTHING)]
    status, found = sharing.send("GET", f"/tasks({task})?$select=subject")
    assert (status, found["subject"]) == (200, "Low")
    back = {"ownerid@odata.bind": f"/systemusers({sharing.admin})"}
    assert sharing.api("PATCH", f"/accounts({top})", back).status == 204
    assert masks(sharing, (top, contact, task)) == [None, None, None]


def test_whoever_owns_a_record_needs_no_share_of_it(sharing, tree):
    sharing.do("GrantAccess", ("account", tree[0]))
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({tree[0]})"}
    mine = {"lastname": "Mine", **bind, "ownerid@odata.bind": f"/systemusers({sharing.reader})"}
    contact = sharing.api.created("contacts", **mine)
    assert sharing.masks(contact) is None
    # The administrator owns the account that it belongs to.
    assert sharing.masks(contact, sharing.admin) == (0, EVERYTHING)


def test_with_the_parent_goes_what_came_from_it(sharing, tree):
    account, contact, task = tree
    sharing.do("GrantAccess", ("contact", contact))
    assert sharing.api("PATCH", f"/tasks({task})", {"regardingobjectid_contact_task@odata.bind": None}).status == 204
    assert masks(sharing, (contact, task)) == [(1, 0), None]
    assert sharing.api("DELETE", f"/accounts({account})").status == 204
    assert masks(sharing, (account, contact)) == [None, None]


def test_a_share_changes_no_record(sharing, tree):
    before = sharing.api.json(f"/contacts({tree[1]})?$select=versionnumber")
    sharing.do("GrantAccess", ("account", tree[0]))
    after = sharing.api.json(f"/contacts({tree[1]})?$select=versionnumber")
    assert after["versionnumber"] == before["versionnumber"]
