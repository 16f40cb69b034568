"""Processes that die: what was acknowledged stays, and nothing is half there."""

import random
import time

import pytest
from things import OpenOffice
from writers import check_whole, rows_of, start_writer


@pytest.mark.parametrize("durability", ["NORMAL", "FULL"])
def test_what_was_acknowledged_survives_a_killed_process(open_office: OpenOffice, durability: str) -> None:
    office, chance = open_office(), random.Random(4)
    acknowledged: set[str] = set()
    for attempt in range(4):
        writer = start_writer(office, f"{attempt}-", 100_000, durability)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.02, 0.4))
        writer.kill()
        text = writer.communicate(timeout=60)[0]
        # The last line may have been cut by the signal.
        acknowledged |= set(text.rpartition("\n")[0].split())

    assert len(acknowledged) > 4
    reopened = open_office()
    assert acknowledged <= {record["name"] for record in rows_of(reopened, "gadget")}
    check_whole(reopened)
    reopened.create("gadget", name="after")
