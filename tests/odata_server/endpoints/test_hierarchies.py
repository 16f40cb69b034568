"""Records of one table above and below one another: a loop is refused, and nothing has changed."""

from __future__ import annotations

import pytest
from things import dump

ACCOUNTS = ("0x80040507", "Creating this parental association would create a loop in Accounts hierarchy.")
CONTACTS = ("0x8004050a", "Creating this parental association would create a loop in Contacts hierarchy.")
KINDS = {
    "accounts": ("name", "parentaccountid", ACCOUNTS),
    "contacts": ("lastname", "parentcustomerid_contact", CONTACTS),
}


def tower(api, entity_set):
    """Return the ids of four records, each below the one before."""
    name, navigation, _ = KINDS[entity_set]
    made = [api.created(entity_set, **{name: "0"})]
    for level in range(1, 4):
        bind = {f"{navigation}@odata.bind": f"/{entity_set}({made[-1]})"}
        made.append(api.created(entity_set, **{name: str(level)}, **bind))
    return made


@pytest.mark.parametrize("entity_set", KINDS)
@pytest.mark.parametrize("below", [0, 1, 2, 3])
@pytest.mark.parametrize("way", ["PATCH", "PUT"])
def test_a_record_does_not_stand_above_itself(api, services, entity_set, below, way):
    _, navigation, refusal = KINDS[entity_set]
    made = tower(api, entity_set)
    before = dump(services.dataverse.database)
    path, url = f"/{entity_set}({made[0]})", f"/{entity_set}({made[below]})"
    if way == "PATCH":
        found = api.error("PATCH", path, {f"{navigation}@odata.bind": url})
    else:
        found = api.error("PUT", f"{path}/{navigation}/$ref", {"@odata.id": url})
    assert found == (400, *refusal)
    assert dump(services.dataverse.database) == before


@pytest.mark.parametrize("entity_set", KINDS)
def test_a_record_moves_to_any_other_parent(api, entity_set):
    _, navigation, _ = KINDS[entity_set]
    first, second = tower(api, entity_set), tower(api, entity_set)
    for parent in (first[0], second[3], None):
        body = {f"{navigation}@odata.bind": parent and f"/{entity_set}({parent})"}
        assert api("PATCH", f"/{entity_set}({first[3]})", body).status == 204


def test_links_that_are_no_hierarchy_may_close_a_circle(api):
    account, contact = api.created("accounts", name="A"), api.created("contacts", lastname="C")
    assert api("PATCH", f"/accounts({account})", {"primarycontactid@odata.bind": f"/contacts({contact})"}).status == 204
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    assert api("PATCH", f"/contacts({contact})", bind).status == 204


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_a_loop_that_several_changes_close_together_is_refused(api, services, order):
    made = [api.created("accounts", name=str(n)) for n in range(3)]
    pairs = [(made[n], made[(n + 1) % 3]) for n in order]
    targets = [
        {
            "@odata.type": "Microsoft.Dynamics.CRM.account",
            "accountid": below,
            "parentaccountid@odata.bind": f"/accounts({above})",
        }
        for below, above in pairs
    ]
    before = dump(services.dataverse.database)
    found = api.error("POST", "/accounts/Microsoft.Dynamics.CRM.UpdateMultiple", {"Targets": targets})
    assert found == (400, *ACCOUNTS)
    assert dump(services.dataverse.database) == before


def test_nobody_is_his_own_manager(api, services):
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    path = f"/systemusers({user['systemuserid']})"
    before = dump(services.dataverse.database)
    status, code, text = api.error("PATCH", path, {"parentsystemuserid@odata.bind": path})
    assert (status, code) == (400, "0x80041d25")
    assert text.startswith("You cannot set the selected user as the manager for this user")
    assert dump(services.dataverse.database) == before
