"""Labels of options, to read and to sort by."""

from __future__ import annotations

import pytest

from entities.metadata.columns import Choice, ChoiceType, MultiChoiceType, Option
from entities.metadata.declare import boolean, integer, state_and_status
from entities.metadata.labels import label
from entities.metadata.option_labels import has_sorted_labels, label_order, option_labels

CHOICE = Choice("color", (Option(1, label("Green", nl="Groen")), Option(2, label("Blue", nl="Blauw", sv="Blå"))))
STATE, STATUS = state_and_status(("Active", ((1, "Open"),)), ("Inactive", ((2, "Done"),)))


@pytest.mark.parametrize(
    ("lcid", "labels", "order"),
    [
        (1033, ((1, "Green"), (2, "Blue")), {1: "green", 2: "blue"}),
        (1043, ((1, "Groen"), (2, "Blauw")), {1: "groen", 2: "blauw"}),
        (1053, ((1, "Green"), (2, "Blå")), {1: "green", 2: "bla"}),
    ],
)
def test_options_have_labels_in_a_language_and_english_ones_otherwise(lcid, labels, order):
    assert option_labels(ChoiceType(CHOICE), lcid) == labels
    assert label_order(ChoiceType(CHOICE), lcid) == order


@pytest.mark.parametrize(
    ("type_", "sorts"),
    [
        (ChoiceType(CHOICE), True),
        (STATE.type, True),
        (STATUS.type, True),
        (MultiChoiceType(CHOICE), False),
        (boolean("IsNew").type, False),
        (integer("Size").type, False),
    ],
)
def test_choices_states_and_status_reasons_sort_by_label(type_, sorts):
    assert has_sorted_labels(type_) is sorts
