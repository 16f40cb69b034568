"""Dataverse's query functions as `$metadata` declares them (Learn: "Web API query function reference").

They are unbound functions that answer yes or no and have no import: they stand in `$filter` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from odata_server.edm.definition_values import PropertyType
from odata_server.edm.operations import Operation, operation_xml

_STRING: Final = PropertyType("String", is_nullable=False)
_INTEGER: Final = PropertyType("Int64", is_nullable=False)
_TEXT: Final = {"PropertyValue": _STRING}
_NUMBER: Final = {"PropertyValue": _INTEGER}
_LIST: Final = {"PropertyValues": PropertyType("String", is_collection=True, is_nullable=False)}
_PAIR: Final = {"PropertyValue1": _INTEGER, "PropertyValue2": _INTEGER}
_BOOLEAN: Final = PropertyType("Boolean")


def _declared(names: str, parameters: Mapping[str, PropertyType] = MappingProxyType({})) -> Iterator[Operation]:
    for name in names.split():
        yield Operation(name, parameters={"PropertyName": _STRING, **parameters}, result=_BOOLEAN)


QUERY_FUNCTIONS: Final = (
    *_declared("In NotIn Between NotBetween ContainValues DoesNotContainValues", _LIST),
    *_declared("Contains On OnOrBefore OnOrAfter Above AboveOrEqual Under UnderOrEqual NotUnder", _TEXT),
    *_declared(
        "Yesterday Today Tomorrow Last7Days Next7Days LastWeek ThisWeek NextWeek LastMonth ThisMonth NextMonth "
        "LastYear ThisYear NextYear LastFiscalYear ThisFiscalYear NextFiscalYear LastFiscalPeriod ThisFiscalPeriod "
        "NextFiscalPeriod EqualUserId NotEqualUserId EqualBusinessId NotEqualBusinessId EqualUserLanguage "
        "EqualUserTeams EqualUserOrUserTeams EqualUserOrUserHierarchy EqualUserOrUserHierarchyAndTeams"
    ),
    *_declared(
        "LastXHours NextXHours LastXDays NextXDays LastXWeeks NextXWeeks LastXMonths NextXMonths LastXYears NextXYears "
        "LastXFiscalYears NextXFiscalYears LastXFiscalPeriods NextXFiscalPeriods OlderThanXMinutes OlderThanXHours "
        "OlderThanXDays OlderThanXWeeks OlderThanXMonths OlderThanXYears InFiscalYear InFiscalPeriod",
        _NUMBER,
    ),
    *_declared("InFiscalPeriodAndYear InOrBeforeFiscalPeriodAndYear InOrAfterFiscalPeriodAndYear", _PAIR),
)
"""`Contains` is declared and refused: it searches columns with a full-text index, of which there are none."""


def query_functions_xml() -> Iterator[str]:
    """Yield the CSDL of the query functions."""
    for function in QUERY_FUNCTIONS:
        yield from operation_xml(function)
