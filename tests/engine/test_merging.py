"""What a merge does with many-to-many relations of the two records."""

from __future__ import annotations

import pytest
from things import SYSTEM, Office, OpenOffice

from entities.errors import InvalidArgument
from entities.messages import Associate, Execute, RetrieveMultiple, Rows
from entities.query import QueryExpression, equals
from entities.standard.merging import merging_steps
from entities.values import EntityReference


def related(office: Office, contact: EntityReference) -> set[object]:
    pairs = QueryExpression("gadget_contact", ("gadgetid",), filter=equals("contactid", contact.id))
    found = office.service.execute(RetrieveMultiple(pairs), SYSTEM)
    assert isinstance(found, Rows)
    return {row["gadgetid"] for row in found.records}


@pytest.fixture
def merging(open_office: OpenOffice) -> Office:
    return open_office(*merging_steps())


def relate(office: Office, contact: EntityReference, *gadgets: EntityReference) -> None:
    for gadget in gadgets:
        office.service.execute(Associate(contact, "gadgets_used", gadget), SYSTEM)


def test_the_target_gets_the_relations_of_the_subordinate_and_each_stays_one(merging: Office) -> None:
    target, subordinate = (merging.create("contact", lastname=name) for name in "TS")
    own, both, other = (merging.create("gadget", name=name) for name in ("own", "both", "other"))
    relate(merging, target, own, both)
    relate(merging, subordinate, both, other)
    merging.service.execute(Execute("Merge", {"Target": target, "Subordinate": subordinate}), SYSTEM)
    assert related(merging, target) == {own.id, both.id, other.id}
    assert related(merging, subordinate) == set()


def test_a_merge_that_is_refused_leaves_the_relations(merging: Office) -> None:
    contact = merging.create("contact", lastname="C")
    relate(merging, contact, merging.create("gadget", name="G"))
    before = merging.dump()
    with pytest.raises(InvalidArgument):
        merging.service.execute(Execute("Merge", {"Target": contact, "Subordinate": contact}), SYSTEM)
    assert merging.dump() == before
