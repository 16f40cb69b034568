"""The time zones that Dataverse numbers: code, Windows name, text in lists, and zone of the IANA database.

Codes are those of the column timezonecode (Learn: "Specify time zone settings for a user"; Microsoft's time zone index
values); the zones behind Windows' names are those of Unicode CLDR (`windowsZones`, territory 001).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

UTC_CODE: Final = 92
_DAYS: Final = 366
_WEEK: Final = 7
_NONE: Final = timedelta()
_HOUR: Final = timedelta(hours=1)
_LAST: Final = 5
"""In a rule the fifth of a weekday is the last one of its month."""


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A time zone as Dataverse lists it; `bias` are the minutes that lead from its standard time to UTC."""

    code: int
    standard_name: str
    places: str
    zone: str
    bias: int

    @property
    def interface_name(self) -> str:
        """The text in lists: the standard offset and the places, `(GMT+01:00) Amsterdam, Berlin, …`."""
        hours, minutes = divmod(abs(self.bias), 60)
        offset = f"{'-' if self.bias > 0 else '+'}{hours:02}:{minutes:02}" if self.bias else ""
        return f"(GMT{offset}) {self.places}"

    @property
    def daylight_name(self) -> str:
        """The name in summer, which Windows forms from the standard one."""
        return self.standard_name.replace("Standard", "Daylight")


@dataclass(frozen=True, slots=True)
class Change:
    """When clocks change in a year: the n-th (5: the last) weekday (Sunday is 0) of a month, at a local time."""

    month: int = 0
    day: int = 0
    weekday: int = 0
    hour: int = 0
    minute: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A zone's rule for one year, in minutes that lead from local time to UTC as Windows counts them."""

    bias: int
    daylight_bias: int = 0
    standard: Change = Change()
    daylight: Change = Change()


_LISTED: Final = (
    (0, "Dateline Standard Time", "International Date Line West", "Etc/GMT+12", 720),
    (1, "Samoa Standard Time", "Samoa", "Pacific/Apia", -780),
    (2, "Hawaiian Standard Time", "Hawaii", "Pacific/Honolulu", 600),
    (3, "Alaskan Standard Time", "Alaska", "America/Anchorage", 540),
    (4, "Pacific Standard Time", "Pacific Time (US & Canada)", "America/Los_Angeles", 480),
    (5, "Pacific Standard Time (Mexico)", "Baja California", "America/Tijuana", 480),
    (6, "UTC-11", "Coordinated Universal Time-11", "Etc/GMT+11", 660),
    (10, "Mountain Standard Time", "Mountain Time (US & Canada)", "America/Denver", 420),
    (12, "Mountain Standard Time (Mexico)", "Chihuahua, La Paz, Mazatlan", "America/Mazatlan", 420),
    (15, "US Mountain Standard Time", "Arizona", "America/Phoenix", 420),
    (20, "Central Standard Time", "Central Time (US & Canada)", "America/Chicago", 360),
    (25, "Canada Central Standard Time", "Saskatchewan", "America/Regina", 360),
    (29, "Central Standard Time (Mexico)", "Guadalajara, Mexico City, Monterrey", "America/Mexico_City", 360),
    (33, "Central America Standard Time", "Central America", "America/Guatemala", 360),
    (35, "Eastern Standard Time", "Eastern Time (US & Canada)", "America/New_York", 300),
    (40, "US Eastern Standard Time", "Indiana (East)", "America/Indiana/Indianapolis", 300),
    (45, "SA Pacific Standard Time", "Bogota, Lima, Quito, Rio Branco", "America/Bogota", 300),
    (47, "Venezuela Standard Time", "Caracas", "America/Caracas", 240),
    (50, "Atlantic Standard Time", "Atlantic Time (Canada)", "America/Halifax", 240),
    (55, "SA Western Standard Time", "Georgetown, La Paz, Manaus, San Juan", "America/La_Paz", 240),
    (56, "Pacific SA Standard Time", "Santiago", "America/Santiago", 240),
    (58, "Central Brazilian Standard Time", "Cuiaba", "America/Cuiaba", 240),
    (59, "Paraguay Standard Time", "Asuncion", "America/Asuncion", 240),
    (60, "Newfoundland Standard Time", "Newfoundland", "America/St_Johns", 210),
    (65, "E. South America Standard Time", "Brasilia", "America/Sao_Paulo", 180),
    (69, "Argentina Standard Time", "Buenos Aires", "America/Argentina/Buenos_Aires", 180),
    (70, "SA Eastern Standard Time", "Cayenne, Fortaleza", "America/Cayenne", 180),
    (73, "Greenland Standard Time", "Greenland", "America/Nuuk", 120),
    (74, "Montevideo Standard Time", "Montevideo", "America/Montevideo", 180),
    (76, "UTC-02", "Coordinated Universal Time-02", "Etc/GMT+2", 120),
    (80, "Azores Standard Time", "Azores", "Atlantic/Azores", 60),
    (83, "Cape Verde Standard Time", "Cabo Verde Is.", "Atlantic/Cape_Verde", 60),
    (84, "Morocco Standard Time", "Casablanca", "Africa/Casablanca", -60),
    (85, "GMT Standard Time", "Dublin, Edinburgh, Lisbon, London", "Europe/London", 0),
    (90, "Greenwich Standard Time", "Monrovia, Reykjavik", "Atlantic/Reykjavik", 0),
    (92, "UTC", "Coordinated Universal Time", "UTC", 0),
    (95, "Central Europe Standard Time", "Belgrade, Bratislava, Budapest, Ljubljana, Prague", "Europe/Budapest", -60),
    (100, "Central European Standard Time", "Sarajevo, Skopje, Warsaw, Zagreb", "Europe/Warsaw", -60),
    (105, "Romance Standard Time", "Brussels, Copenhagen, Madrid, Paris", "Europe/Paris", -60),
    (110, "W. Europe Standard Time", "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin", -60),
    (113, "W. Central Africa Standard Time", "West Central Africa", "Africa/Lagos", -60),
    (115, "E. Europe Standard Time", "Chisinau", "Europe/Chisinau", -120),
    (120, "Egypt Standard Time", "Cairo", "Africa/Cairo", -120),
    (125, "FLE Standard Time", "Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius", "Europe/Kyiv", -120),
    (129, "Jordan Standard Time", "Amman", "Asia/Amman", -180),
    (130, "GTB Standard Time", "Athens, Bucharest", "Europe/Bucharest", -120),
    (131, "Middle East Standard Time", "Beirut", "Asia/Beirut", -120),
    (133, "Syria Standard Time", "Damascus", "Asia/Damascus", -180),
    (134, "Turkey Standard Time", "Istanbul", "Europe/Istanbul", -180),
    (135, "Israel Standard Time", "Jerusalem", "Asia/Jerusalem", -120),
    (140, "South Africa Standard Time", "Harare, Pretoria", "Africa/Johannesburg", -120),
    (141, "Namibia Standard Time", "Windhoek", "Africa/Windhoek", -120),
    (145, "Russian Standard Time", "Moscow, St. Petersburg", "Europe/Moscow", -180),
    (150, "Arab Standard Time", "Kuwait, Riyadh", "Asia/Riyadh", -180),
    (155, "E. Africa Standard Time", "Nairobi", "Africa/Nairobi", -180),
    (158, "Arabic Standard Time", "Baghdad", "Asia/Baghdad", -180),
    (159, "Kaliningrad Standard Time", "Kaliningrad", "Europe/Kaliningrad", -120),
    (160, "Iran Standard Time", "Tehran", "Asia/Tehran", -210),
    (165, "Arabian Standard Time", "Abu Dhabi, Muscat", "Asia/Dubai", -240),
    (169, "Azerbaijan Standard Time", "Baku", "Asia/Baku", -240),
    (170, "Caucasus Standard Time", "Yerevan", "Asia/Yerevan", -240),
    (172, "Mauritius Standard Time", "Port Louis", "Indian/Mauritius", -240),
    (173, "Georgian Standard Time", "Tbilisi", "Asia/Tbilisi", -240),
    (175, "Afghanistan Standard Time", "Kabul", "Asia/Kabul", -270),
    (180, "Ekaterinburg Standard Time", "Ekaterinburg", "Asia/Yekaterinburg", -300),
    (184, "Pakistan Standard Time", "Islamabad, Karachi", "Asia/Karachi", -300),
    (185, "West Asia Standard Time", "Ashgabat, Tashkent", "Asia/Tashkent", -300),
    (190, "India Standard Time", "Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata", -330),
    (193, "Nepal Standard Time", "Kathmandu", "Asia/Kathmandu", -345),
    (195, "Central Asia Standard Time", "Bishkek", "Asia/Bishkek", -360),
    (196, "Bangladesh Standard Time", "Dhaka", "Asia/Dhaka", -360),
    (200, "Sri Lanka Standard Time", "Sri Jayawardenepura", "Asia/Colombo", -330),
    (201, "N. Central Asia Standard Time", "Novosibirsk", "Asia/Novosibirsk", -420),
    (203, "Myanmar Standard Time", "Yangon (Rangoon)", "Asia/Yangon", -390),
    (205, "SE Asia Standard Time", "Bangkok, Hanoi, Jakarta", "Asia/Bangkok", -420),
    (207, "North Asia Standard Time", "Krasnoyarsk", "Asia/Krasnoyarsk", -420),
    (210, "China Standard Time", "Beijing, Chongqing, Hong Kong, Urumqi", "Asia/Shanghai", -480),
    (215, "Singapore Standard Time", "Kuala Lumpur, Singapore", "Asia/Singapore", -480),
    (220, "Taipei Standard Time", "Taipei", "Asia/Taipei", -480),
    (225, "W. Australia Standard Time", "Perth", "Australia/Perth", -480),
    (227, "North Asia East Standard Time", "Irkutsk", "Asia/Irkutsk", -480),
    (228, "Ulaanbaatar Standard Time", "Ulaanbaatar", "Asia/Ulaanbaatar", -480),
    (230, "Korea Standard Time", "Seoul", "Asia/Seoul", -540),
    (235, "Tokyo Standard Time", "Osaka, Sapporo, Tokyo", "Asia/Tokyo", -540),
    (240, "Yakutsk Standard Time", "Yakutsk", "Asia/Yakutsk", -540),
    (245, "AUS Central Standard Time", "Darwin", "Australia/Darwin", -570),
    (250, "Cen. Australia Standard Time", "Adelaide", "Australia/Adelaide", -570),
    (255, "AUS Eastern Standard Time", "Canberra, Melbourne, Sydney", "Australia/Sydney", -600),
    (260, "E. Australia Standard Time", "Brisbane", "Australia/Brisbane", -600),
    (265, "Tasmania Standard Time", "Hobart", "Australia/Hobart", -600),
    (270, "Vladivostok Standard Time", "Vladivostok", "Asia/Vladivostok", -600),
    (275, "West Pacific Standard Time", "Guam, Port Moresby", "Pacific/Port_Moresby", -600),
    (280, "Central Pacific Standard Time", "Solomon Is., New Caledonia", "Pacific/Guadalcanal", -660),
    (281, "Magadan Standard Time", "Magadan", "Asia/Magadan", -660),
    (284, "UTC+12", "Coordinated Universal Time+12", "Etc/GMT-12", -720),
    (285, "Fiji Standard Time", "Fiji", "Pacific/Fiji", -720),
    (290, "New Zealand Standard Time", "Auckland, Wellington", "Pacific/Auckland", -720),
    (300, "Tonga Standard Time", "Nuku'alofa", "Pacific/Tongatapu", -780),
)

TIME_ZONES: Final[Mapping[int, TimeZone]] = MappingProxyType({row[0]: TimeZone(*row) for row in _LISTED})
"""The time zones by code."""


def zone_named(code: object) -> str | None:
    """Return the IANA name of a time zone code, None where there is no such code."""
    found = TIME_ZONES.get(code) if isinstance(code, int) else None
    return found.zone if found else None


def zone_info(name: str) -> tzinfo:
    """Return a time zone by its IANA name; UTC needs no database of time zones.

    Raises:
        ZoneInfoNotFoundError: there is no such time zone.
    """
    return UTC if name == "UTC" else ZoneInfo(name)


@lru_cache(maxsize=512)
def rule_of(zone: str, year: int) -> Rule:
    """Return a zone's rule for a year (Learn: "Specify time zone settings for a user", the columns timezone…).

    A zone whose clocks do not change exactly twice in the year has one offset, that of its beginning.

    Args:
        zone: an IANA name.
        year: the year.
    """
    place = zone_info(zone)
    begin = datetime(year, 1, 1, tzinfo=UTC)
    jumps = [jump for day in range(_DAYS) for jump in _jumps(begin + timedelta(days=day), timedelta(days=1), place)]
    if len(jumps) != 2 or jumps[0][1] != jumps[1][2]:  # noqa: PLR2004 - to summer time and back
        return Rule(-_minutes(begin.astimezone(place).utcoffset()))
    to_summer, to_winter = sorted(jumps, key=lambda jump: jump[1] - jump[2])
    return Rule(-_minutes(to_winter[2]), -_minutes(to_summer[2] - to_summer[1]), _change(to_winter), _change(to_summer))


_Jump: TypeAlias = tuple[datetime, timedelta, timedelta]
"""The hour of UTC in which clocks change, and the offsets before and after."""


def _jumps(begin: datetime, span: timedelta, place: tzinfo) -> Iterator[_Jump]:
    """Yield the change of clocks within a span: clocks are asked every day, every hour only where they differ."""
    before, after = ((begin + gone).astimezone(place).utcoffset() or _NONE for gone in (_NONE, span))
    if before == after:
        return
    if span == _HOUR:
        yield begin + span, before, after
        return
    for hour in range(span // _HOUR):
        yield from _jumps(begin + hour * _HOUR, _HOUR, place)


def _minutes(offset: timedelta | None) -> int:
    return round((offset or _NONE).total_seconds() / 60)


def _change(jump: _Jump) -> Change:
    """Return a change by the clock as it showed the time before."""
    moment, before, _ = jump
    local = moment + before
    is_last = (local + timedelta(days=_WEEK)).month != local.month
    nth = _LAST if is_last else (local.day - 1) // _WEEK + 1
    return Change(local.month, nth, (local.weekday() + 1) % _WEEK, local.hour, local.minute)
