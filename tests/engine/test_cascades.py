"""What a deletion or a new owner of a record does to the records that point to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from things import CALLER, SYSTEM, USER, Office, OpenOffice

from entities.errors import StepRejected
from entities.messages import Delete, Update
from entities.pipeline import ExecutionContext, Stage, Step
from entities.values import EntityReference, Guid, Value

OTHER = Guid("0a000000-0000-4000-8000-0000000000aa")


def seen(log: list[tuple[str, object]]) -> tuple[Step, ...]:
    """Steps that note every change and deletion of a gadget with what is written."""

    def note(context: ExecutionContext) -> None:
        log.append((type(context.message).__name__, dict(context.record).get("maker", "-")))

    return tuple(Step(message, "gadget", Stage.PRE_OPERATION, note) for message in ("Update", "Delete"))


def test_a_lookup_that_a_deletion_clears_is_an_update_with_its_steps(open_office: OpenOffice) -> None:
    log: list[tuple[str, object]] = []
    office = open_office(*seen(log))
    account = office.create("account", name="A")
    gadget = office.create("gadget", SYSTEM, maker=account)
    office.service.execute(Delete(account), CALLER)
    assert log == [("Update", None)]
    record = office.read(gadget)
    assert (record["maker"], record["modifiedby"]) == (None, USER)


def test_a_step_that_refuses_to_clear_a_lookup_keeps_the_deleted_record(open_office: OpenOffice) -> None:
    def refuse(context: ExecutionContext) -> None:
        if "maker" in context.record:
            raise StepRejected("The maker stays.")

    office = open_office(Step("Update", "gadget", Stage.PRE_OPERATION, refuse))
    account = office.create("account", name="A")
    office.create("gadget", maker=account)
    before = office.dump()
    with pytest.raises(StepRejected):
        office.service.execute(Delete(account), CALLER)
    assert office.dump() == before


def test_a_record_that_goes_is_not_changed_before(open_office: OpenOffice) -> None:
    log: list[tuple[str, object]] = []
    office = open_office(*seen(log))
    contact = office.create("contact", lastname="C")
    office.create("gadget", keeper=contact, partner=contact)
    office.service.execute(Delete(contact), CALLER)
    assert ("Delete", "-") in log
    assert len([entry for entry in log if entry[0] == "Delete"]) == 1


Make = Callable[[Office, EntityReference, EntityReference], EntityReference]


def _gadget(**columns: Value) -> Make:
    def make(office: Office, account: EntityReference, user: EntityReference) -> EntityReference:
        pointing = {name: account if value == "account" else value for name, value in columns.items()}
        owner = user if pointing.pop("mine", None) else USER
        return office.create("gadget", SYSTEM, **pointing, ownerid=owner)

    return make


def _contact(office: Office, account: EntityReference, _: EntityReference) -> EntityReference:
    return office.create("contact", SYSTEM, lastname="C", parentcustomerid=account, ownerid=USER)


def _person_of_person(office: Office, account: EntityReference, user: EntityReference) -> EntityReference:
    return office.create("contact", SYSTEM, lastname="D", parentcustomerid=_contact(office, account, user))


def _part(office: Office, account: EntityReference, user: EntityReference) -> EntityReference:
    whole = _gadget(maker="account")(office, account, user)
    return office.create("gadget", SYSTEM, whole=whole, statuscode=2)


@pytest.mark.parametrize(
    ("make", "goes_along"),
    [
        (_contact, True),
        (_person_of_person, True),
        (_part, True),
        (_gadget(maker="account"), True),
        (_gadget(maker="account", statuscode=2), False),
        (_gadget(partner="account"), True),
        (_gadget(partner="account", mine=True), False),
        (_gadget(seller="account"), False),
        (_gadget(), False),
    ],
    ids=[
        "Cascade",
        "Cascade, further down",
        "Active, then Cascade",
        "Active",
        "Active, inactive record",
        "UserOwned",
        "UserOwned, other owner",
        "NoCascade",
        "not related",
    ],
)
def test_a_new_owner_gets_what_goes_along_with_a_record(office: Office, make: Make, goes_along: bool) -> None:
    user = office.create("systemuser", SYSTEM, systemuserid=OTHER, businessunitid=office.read(USER)["businessunitid"])
    crew = office.create(
        "team", SYSTEM, name="Crew", businessunitid=office.read(USER)["businessunitid"], administratorid=USER
    )
    account = office.create("account", SYSTEM, name="A", ownerid=USER)
    child = make(office, account, user)
    before = office.read(child)["ownerid"]
    office.service.execute(Update(account, {"ownerid": crew}), SYSTEM)
    assert office.read(account)["ownerid"] == crew
    assert office.read(child)["ownerid"] == (crew if goes_along else before)


def test_records_that_own_one_another_change_hands_once(office: Office) -> None:
    crew = office.create(
        "team", SYSTEM, name="Crew", businessunitid=office.read(USER)["businessunitid"], administratorid=USER
    )
    first = office.create("gadget", SYSTEM, ownerid=USER)
    second = office.create("gadget", SYSTEM, ownerid=USER, whole=first)
    office.service.execute(Update(first, {"whole": second}), SYSTEM)
    office.service.execute(Update(first, {"ownerid": crew}), SYSTEM)
    assert [office.read(one)["ownerid"] for one in (first, second)] == [crew, crew]
