"""Time zones by Dataverse's codes: what the list says of them, and the rules of their clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from entities.time_zones import TIME_ZONES, UTC_CODE, Change, Rule, rule_of, zone_info, zone_named


@pytest.mark.parametrize("zone", TIME_ZONES.values(), ids=lambda zone: zone.standard_name)
def test_every_zone_is_known_and_has_the_standard_offset_of_the_list(zone):
    place = zone_info(zone.zone)
    offsets = (datetime(2024, month, 1, tzinfo=place).utcoffset() for month in (1, 7))

    assert min(offsets) == timedelta(minutes=-zone.bias)


def test_names_are_unique_and_show_the_offset():
    assert len({zone.standard_name for zone in TIME_ZONES.values()}) == len(TIME_ZONES)
    shown = [TIME_ZONES[code].interface_name.partition(" ")[0] for code in (0, 4, UTC_CODE, 110, 193)]
    assert shown == ["(GMT-12:00)", "(GMT-08:00)", "(GMT)", "(GMT+01:00)", "(GMT+05:45)"]
    assert TIME_ZONES[110].daylight_name == "W. Europe Daylight Time"


@pytest.mark.parametrize("code", [-1, 7_000, None, "110", 110.5])
def test_what_is_no_code_names_no_zone(code):
    assert zone_named(code) is None


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (UTC_CODE, Rule(0)),
        (190, Rule(-330)),
        (35, Rule(300, -60, Change(11, 1, 0, 2), Change(3, 2, 0, 2))),
        (110, Rule(-60, -60, Change(10, 5, 0, 3), Change(3, 5, 0, 2))),
        (255, Rule(-600, -60, Change(4, 1, 0, 3), Change(10, 1, 0, 2))),
    ],
)
def test_the_rule_of_a_year_says_when_clocks_change(code, rule):
    assert rule_of(TIME_ZONES[code].zone, 2024) == rule


@pytest.mark.parametrize("code", [4, 110, 290])
def test_a_rule_gives_the_offsets_of_the_year(code):
    zone = zone_info(TIME_ZONES[code].zone)
    rule = rule_of(TIME_ZONES[code].zone, 2024)
    offsets = {(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=n)).astimezone(zone).utcoffset() for n in range(366)}

    assert offsets == {timedelta(minutes=-minutes) for minutes in (rule.bias, rule.bias + rule.daylight_bias)}
