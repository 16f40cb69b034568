"""How shares go down relationships that cascade Share, Unshare and Reparent to some records or to none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from databases import open_database, remove_database
from things import ORGANIZATION, SYSTEM, SYSTEM_USER, UNIT, USER, Office, gadget_catalog

from entities.messages import Execute, RetrieveMultiple, Rows, Update
from entities.metadata.catalog import CatalogChange, changed
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany
from entities.query import QueryExpression, both, equals
from entities.standard.sharing import OF_PARENT_OWNER, SHARABLE
from entities.standard.sharing_actions import sharing_steps
from entities.values import EntityReference, Value
from odata_server.engine.environment import Blueprint, prepare_database

CASCADES = {
    "account_gadget_maker": CascadeConfiguration(share=Cascade.ACTIVE, unshare=Cascade.ACTIVE),
    "account_gadget_seller": CascadeConfiguration(share=Cascade.CASCADE, unshare=Cascade.NO_CASCADE),
    "account_gadget_partner": CascadeConfiguration(share=Cascade.USER_OWNED, unshare=Cascade.CASCADE),
    "contact_gadget_keeper": CascadeConfiguration(reparent=Cascade.ACTIVE),
    "contact_gadget_secondkeeper": CascadeConfiguration(reparent=Cascade.USER_OWNED, unshare=Cascade.CASCADE),
}
READ, WRITE = "ReadAccess", "WriteAccess"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An organization whose gadgets belong to accounts and contacts in different ways."""
    path = tmp_path_factory.mktemp("shares") / "shares.db"
    declared = gadget_catalog()
    found = declared.relationships
    ways = [
        replace(one, cascade=CASCADES[name])
        for name, one in found.items()
        if isinstance(one, OneToMany) and name in CASCADES
    ]
    with closing(open_database(path)) as database:
        prepare_database(database, Blueprint(ORGANIZATION, changed(declared, CatalogChange(relate=ways), version=1)))
    opened = Office(path, *sharing_steps())
    opened.create("businessunit", SYSTEM, businessunitid=UNIT.id, name="Root")
    for user in (SYSTEM_USER, USER):
        opened.create("systemuser", SYSTEM, systemuserid=user.id, fullname=f"User {user.id}", businessunitid=UNIT)
    yield opened
    opened.close()
    remove_database(path)


def share(office: Office, record: EntityReference, mask: str, action: str = "GrantAccess") -> None:
    given = {"PrincipalAccess": {"AccessMask": mask, "Principal": USER}, "Revokee": USER}
    office.service.execute(Execute(action, {"Target": record, **given}), SYSTEM)


def masks(office: Office, record: EntityReference, principal: EntityReference = USER) -> tuple[Value, Value] | None:
    one = both(equals("objectid", record.id), equals("principalid", principal.id))
    found = office.service.execute(RetrieveMultiple(QueryExpression("principalobjectaccess", filter=one)), SYSTEM)
    assert isinstance(found, Rows)
    return next(((row["accessrightsmask"], row["inheritedaccessrightsmask"]) for row in found.records), None)


def change(office: Office, record: EntityReference, **values: Value) -> None:
    office.service.execute(Update(record, values), SYSTEM)


def test_active_reaches_active_records(office: Office) -> None:
    account = office.create("account", SYSTEM, name="A")
    active = office.create("gadget", SYSTEM, maker=account)
    inactive = office.create("gadget", SYSTEM, maker=account)
    change(office, inactive, statecode=1)
    share(office, account, READ)
    assert (masks(office, active), masks(office, inactive)) == ((0, 1), None)
    change(office, active, statecode=1)
    share(office, account, "", "RevokeAccess")
    assert (masks(office, account), masks(office, active)) == (None, (0, 1))


def test_a_share_that_does_not_cascade_unshare_stays_below(office: Office) -> None:
    account = office.create("account", SYSTEM, name="A")
    gadget = office.create("gadget", SYSTEM, seller=account)
    share(office, account, f"{READ},{WRITE}")
    share(office, account, "", "RevokeAccess")
    assert masks(office, gadget) == (0, 3)


def test_user_owned_reaches_records_of_the_owner_of_the_parent(office: Office) -> None:
    account = office.create("account", SYSTEM, name="A")
    same = office.create("gadget", SYSTEM, partner=account)
    other = office.create("gadget", SYSTEM, partner=account, ownerid=USER)
    share(office, account, READ)
    assert (masks(office, same), masks(office, other)) == ((0, 1), None)


def test_a_new_record_gets_nothing_where_reparent_does_not_cascade(office: Office) -> None:
    account = office.create("account", SYSTEM, name="A")
    share(office, account, READ)
    assert masks(office, office.create("gadget", SYSTEM, seller=account)) is None


@pytest.mark.parametrize(("lookup", "owner", "inherited"), [("keeper", USER, None), ("keeper", SYSTEM_USER, (0, 2))])
def test_a_new_record_gets_the_shares_of_its_parent_where_reparent_cascades(
    office: Office, lookup: str, owner: EntityReference, inherited: tuple[int, int] | None
) -> None:
    contact = office.create("contact", SYSTEM, lastname="C")
    share(office, contact, WRITE)
    gadget = office.create("gadget", SYSTEM, **{lookup: contact, "ownerid": owner})
    assert masks(office, gadget) == inherited


def test_the_owner_of_the_parent_gets_every_right_and_loses_it_with_the_record(office: Office) -> None:
    contact = office.create("contact", SYSTEM, lastname="C", ownerid=USER)
    gadget = office.create("gadget", SYSTEM, keeper=contact)
    assert masks(office, gadget) == (0, SHARABLE | OF_PARENT_OWNER)
    change(office, contact, ownerid=SYSTEM_USER)
    assert masks(office, gadget) is None
    change(office, contact, ownerid=USER)
    assert masks(office, gadget) == (0, SHARABLE | OF_PARENT_OWNER)
    change(office, gadget, keeper=None)
    assert masks(office, gadget) is None


def test_user_owned_gives_the_owner_of_the_parent_nothing(office: Office) -> None:
    """Who owns the parent owns the records that are reached."""
    contact = office.create("contact", SYSTEM, lastname="C", ownerid=USER)
    assert masks(office, office.create("gadget", SYSTEM, secondkeeper=contact)) is None


def test_masks_of_two_parents_add_up_and_go_one_by_one(office: Office) -> None:
    first, second = (office.create("contact", SYSTEM, lastname=name) for name in "CD")
    share(office, first, READ)
    share(office, second, WRITE)
    gadget = office.create("gadget", SYSTEM, keeper=first, secondkeeper=second)
    assert masks(office, gadget) == (0, 3)
    share(office, second, "", "RevokeAccess")
    assert masks(office, gadget) == (0, 1)
    share(office, gadget, WRITE)
    change(office, gadget, keeper=None)
    assert masks(office, gadget) == (2, 0)
