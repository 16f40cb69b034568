"""Accounts made at chosen moments, and what each relative condition finds among them while the clock stands still."""

from datetime import UTC, datetime

NOW = "2024-02-29T12:30:15"
MADE = {
    "A": "2023-12-31T23:59:59",
    "B": "2024-01-01T00:00:00",
    "C": "2024-02-24T23:59:59",
    "D": "2024-02-28T12:00:00",
    "E": NOW,
    "F": "2024-03-01T00:00:00",
    "G": "2025-01-01T00:00:00",
}


class Clock:
    def __init__(self) -> None:
        self.text = NOW

    def __call__(self) -> datetime:
        return datetime.fromisoformat(self.text).replace(tzinfo=UTC)


DATED = [
    ("Yesterday", {}, "D"),
    ("Today", {}, "E"),
    ("Tomorrow", {}, "F"),
    ("Last7Days", {}, "CDE"),
    ("Next7Days", {}, "EF"),
    ("LastWeek", {}, "C"),
    ("ThisWeek", {}, "DEF"),
    ("NextWeek", {}, ""),
    ("LastMonth", {}, "B"),
    ("ThisMonth", {}, "CDE"),
    ("NextMonth", {}, "F"),
    ("LastYear", {}, "A"),
    ("ThisYear", {}, "BCDEF"),
    ("NextYear", {}, "G"),
    ("On", {"PropertyValue": "'2024-02-28'"}, "D"),
    ("On", {"PropertyValue": "'2024-02-28T23:00:00Z'"}, "D"),
    ("On", {"PropertyValue": "2024-02-28"}, "D"),
    ("OnOrBefore", {"PropertyValue": "'2024-01-01'"}, "AB"),
    ("OnOrAfter", {"PropertyValue": "'2024-03-01'"}, "FG"),
    ("LastXHours", {"PropertyValue": 25}, "DE"),
    ("LastXHours", {"PropertyValue": 24}, "DE"),
    ("LastXHours", {"PropertyValue": 23}, "E"),
    ("NextXHours", {"PropertyValue": 12}, "EF"),
    ("NextXHours", {"PropertyValue": 11}, "E"),
    ("LastXDays", {"PropertyValue": 1}, "DE"),
    ("LastXDays", {"PropertyValue": "'1'"}, "DE"),
    ("NextXDays", {"PropertyValue": 1}, "EF"),
    ("LastXWeeks", {"PropertyValue": 1}, "CDE"),
    ("NextXWeeks", {"PropertyValue": 1}, "EF"),
    ("LastXMonths", {"PropertyValue": 2}, "ABCDE"),
    ("NextXMonths", {"PropertyValue": 10}, "EF"),
    ("NextXMonths", {"PropertyValue": 11}, "EFG"),
    ("LastXYears", {"PropertyValue": 1}, "ABCDE"),
    ("NextXYears", {"PropertyValue": 1}, "EFG"),
    ("OlderThanXMinutes", {"PropertyValue": 1}, "ABCD"),
    ("OlderThanXHours", {"PropertyValue": 24}, "ABCD"),
    ("OlderThanXHours", {"PropertyValue": 25}, "ABC"),
    ("OlderThanXDays", {"PropertyValue": 1}, "ABC"),
    ("OlderThanXWeeks", {"PropertyValue": 1}, "AB"),
    ("OlderThanXMonths", {"PropertyValue": 2}, ""),
    ("OlderThanXYears", {"PropertyValue": 1}, ""),
    ("LastFiscalYear", {}, "A"),
    ("ThisFiscalYear", {}, "BCDEF"),
    ("NextFiscalYear", {}, "G"),
    ("LastFiscalPeriod", {}, "A"),
    ("ThisFiscalPeriod", {}, "BCDEF"),
    ("NextFiscalPeriod", {}, ""),
    ("LastXFiscalYears", {"PropertyValue": 1}, "ABCDE"),
    ("NextXFiscalYears", {"PropertyValue": 1}, "EFG"),
    ("LastXFiscalPeriods", {"PropertyValue": 1}, "ABCDE"),
    ("NextXFiscalPeriods", {"PropertyValue": 3}, "EF"),
    ("NextXFiscalPeriods", {"PropertyValue": 4}, "EFG"),
    ("InFiscalYear", {"PropertyValue": 2023}, "A"),
    ("InFiscalPeriod", {"PropertyValue": 1}, "BCDEFG"),
    ("InFiscalPeriodAndYear", {"PropertyValue1": 4, "PropertyValue2": 2023}, "A"),
    ("InOrBeforeFiscalPeriodAndYear", {"PropertyValue1": 1, "PropertyValue2": 2024}, "ABCDEF"),
    ("InOrAfterFiscalPeriodAndYear", {"PropertyValue1": 2, "PropertyValue2": 2024}, "G"),
]
CALLER = [
    ("EqualUserId", "ownerid", "ABCDEFG"),
    ("NotEqualUserId", "_ownerid_value", ""),
    ("EqualUserTeams", "ownerid", ""),
    ("EqualUserOrUserTeams", "ownerid", "ABCDEFG"),
    ("EqualUserOrUserHierarchy", "ownerid", "ABCDEFG"),
    ("EqualUserOrUserHierarchyAndTeams", "ownerid", "ABCDEFG"),
    ("EqualBusinessId", "owningbusinessunit", "ABCDEFG"),
    ("NotEqualBusinessId", "owningbusinessunit", ""),
]
