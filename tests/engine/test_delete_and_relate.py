"""Deleting and relating records: what happens to those that point to one another."""

from collections.abc import Callable

import pytest
from things import CALLER, MISSING, SYSTEM, SYSTEM_USER, USER, Office

from entities.errors import (
    DataverseError,
    DuplicateRecord,
    InvalidArgument,
    MalformedRequest,
    MethodNotAllowed,
    RecordNotFound,
)
from entities.messages import Associate, Delete, Disassociate, Message, RetrieveMultiple, Rows
from entities.query import QueryExpression
from entities.values import EntityReference


def exists(office: Office, reference: EntityReference) -> bool:
    try:
        office.read(reference)
    except RecordNotFound:
        return False
    return True


def run(office: Office, message: Message) -> None:
    office.service.execute(message, CALLER)


def pairs(office: Office) -> set[tuple[object, object]]:
    found = office.service.execute(RetrieveMultiple(QueryExpression("gadget_contact")), SYSTEM)
    assert isinstance(found, Rows)
    return {(record["gadgetid"], record["contactid"]) for record in found.records}


def test_a_deletion_clears_lookups_that_are_only_links(office: Office) -> None:
    account = office.create("account", name="A")
    gadget = office.create("gadget", maker=account, partner=account)
    other = office.create("gadget", partner=office.create("contact", contactid=account.id, lastname="Same id"))
    version = office.read(gadget)["versionnumber"]

    run(office, Delete(account))

    record = office.read(gadget)
    assert (record["maker"], record["partner"]) == (None, None)
    assert int(str(record["versionnumber"])) > int(str(version))
    assert office.read(other)["partner"] == EntityReference("contact", account.id)


def test_a_deletion_takes_dependent_records_with_it(office: Office) -> None:
    contact = office.create("contact", lastname="C")
    kept = office.create("gadget")
    gone = office.create("gadget", keeper=contact, secondkeeper=contact)
    part = office.create("gadget", whole=gone)

    run(office, Delete(contact))

    assert [exists(office, one) for one in (contact, gone, part, kept)] == [False, False, False, True]


def test_a_tall_hierarchy_is_deleted_from_its_top(office: Office) -> None:
    tower = [office.create("gadget")]
    for _ in range(30):
        tower.append(office.create("gadget", whole=tower[-1]))
    run(office, Delete(tower[0]))
    assert not any(exists(office, one) for one in tower)


def test_records_that_depend_on_one_another_are_deleted_together(office: Office) -> None:
    first = office.create("gadget")
    second = office.create("gadget", whole=first)
    run(office, Associate(first, "whole", second))
    run(office, Delete(first))
    assert not exists(office, first)
    assert not exists(office, second)


def test_a_restricting_link_forbids_the_deletion_until_it_is_gone(office: Office) -> None:
    account = office.create("account", name="A")
    gadget = office.create("gadget", seller=account)
    before = office.dump()

    with pytest.raises(MethodNotAllowed) as refusal:
        run(office, Delete(account))
    assert refusal.value.code == "0x80040227"
    assert office.dump() == before

    run(office, Disassociate(gadget, "seller"))
    run(office, Delete(account))
    assert not exists(office, account)


def test_a_refused_deletion_down_the_line_undoes_all_of_it(office: Office) -> None:
    contact = office.create("contact", lastname="C")
    account = office.create("account", name="A", primarycontactid=contact)
    office.create("gadget", keeper=contact)
    office.create("gadget", seller=account)
    office.create("contact", lastname="D", parentcustomerid=account)
    before = office.dump()

    with pytest.raises(MethodNotAllowed):
        office.service.execute_transaction((Delete(contact), Delete(account)), CALLER)

    assert office.dump() == before


def test_relations_of_many_to_many_begin_and_end_from_both_sides(office: Office) -> None:
    gadget, contact = office.create("gadget"), office.create("contact", lastname="C")

    run(office, Associate(gadget, "users", contact))
    assert pairs(office) == {(gadget.id, contact.id)}
    run(office, Disassociate(contact, "gadgets_used", gadget))
    assert pairs(office) == set()
    run(office, Associate(contact, "gadgets_used", gadget))
    assert pairs(office) == {(gadget.id, contact.id)}
    run(office, Delete(contact))
    assert pairs(office) == set()


def test_relations_of_one_to_many_are_set_from_both_sides(office: Office) -> None:
    account = office.create("account", name="A")
    gadget = office.create("gadget", SYSTEM)
    assert office.read(gadget)["modifiedby"] == SYSTEM_USER

    run(office, Associate(account, "gadgets_maker", gadget))
    assert office.read(gadget)["maker"] == account
    assert office.read(gadget)["modifiedby"] == USER
    run(office, Disassociate(account, "gadgets_maker", gadget))
    assert office.read(gadget)["maker"] is None
    run(office, Associate(gadget, "maker", account))
    assert office.read(gadget)["maker"] == account
    run(office, Disassociate(gadget, "maker"))
    assert office.read(gadget)["maker"] is None


def test_a_relation_of_one_to_many_is_not_ended_for_the_child_of_another_parent(office: Office) -> None:
    account, other = office.create("account", name="A"), office.create("account", name="B")
    gadget = office.create("gadget", maker=account)

    with pytest.raises(RecordNotFound):
        run(office, Disassociate(other, "gadgets_maker", gadget))
    assert office.read(gadget)["maker"] == account


@pytest.mark.parametrize(
    ("build", "error", "code"),
    [
        (lambda g, c: Associate(g, "users", c), DuplicateRecord, "0x80040237"),
        (lambda g, c: Associate(c, "gadgets_used", g), DuplicateRecord, "0x80040237"),
        (lambda g, _: Associate(g, "users", EntityReference("contact", MISSING)), RecordNotFound, "0x80040217"),
        (lambda _, c: Associate(EntityReference("gadget", MISSING), "users", c), RecordNotFound, "0x80040217"),
        (lambda g, _: Disassociate(g, "users"), MalformedRequest, "0x80060888"),
        (lambda g, _: Disassociate(g, "users", EntityReference("contact", MISSING)), RecordNotFound, "0x80040217"),
        (lambda g, c: Associate(g, "whole", c), InvalidArgument, None),
        (lambda g, _: Delete(EntityReference("gadget", MISSING)), RecordNotFound, "0x80040217"),
    ],
)
def test_an_impossible_relation_or_deletion_changes_nothing(
    office: Office,
    build: Callable[[EntityReference, EntityReference], Message],
    error: type[DataverseError],
    code: str | None,
) -> None:
    gadget, contact = office.create("gadget"), office.create("contact", lastname="C")
    run(office, Associate(gadget, "users", contact))
    before = office.dump()

    with pytest.raises(error) as refusal:
        run(office, build(gadget, contact))

    assert code is None or refusal.value.code == code
    assert office.dump() == before


def test_a_repeated_relation_is_refused_in_dataverse_s_words(office: Office) -> None:
    gadget, contact = office.create("gadget"), office.create("contact", lastname="C")
    run(office, Associate(gadget, "users", contact))
    with pytest.raises(DuplicateRecord, match=r"^Cannot insert duplicate key\.$"):
        run(office, Associate(gadget, "users", contact))
