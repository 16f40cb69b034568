"""What a background job is given comes back as it was, and what no job can keep is refused at once."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
import pytest

from entities.errors import InvalidArgument
from entities.standard.kept_values import kept, restored
from entities.values import ChoiceSet, EntityReference, EntityValue, Guid, KeyReference

SOMEBODY = EntityReference("contact", Guid("0c000000-0000-4000-8000-000000000001"), "Somebody")
ANYBODY = KeyReference("contact", (("emailaddress1", "a@contoso.example"),))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**63 - 1,
        -(2**63),
        2**63,
        10**30,
        1.5,
        math.inf,
        "Zoë 😀",
        Decimal("1.50"),
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        b"\x00\xff",
        SOMEBODY,
        ANYBODY,
        ChoiceSet((1, 3)),
        EntityValue("contact", {"lastname": "A", "annualincome": Decimal(1)}, SOMEBODY),
        {"a": [1, {"b": Decimal(2)}], "$c": None},
    ],
)
def test_a_value_comes_back_from_json_as_it_was(value):
    assert restored(orjson.loads(orjson.dumps(kept(value)))) == value


@pytest.mark.parametrize("value", ["half \ud83d", {"a": ["\udc00"]}, {"\udc00": 1}, object(), {1, 2}])
def test_what_no_job_can_keep_is_refused(value):
    with pytest.raises(InvalidArgument, match="A background job cannot be given a"):
        kept(value)
