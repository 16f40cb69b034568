"""Dataverse's query functions as `$metadata` declares them (Learn: "Web API query function reference").

They are unbound functions that answer yes or no and have no import: they stand in `$filter` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from odata_server.edm.operations import Operation, Parameter, operation_xml

_NAME: Final = Parameter("PropertyName", "Edm.String", is_nullable=False)
_TEXT: Final = Parameter("PropertyValue", "Edm.String", is_nullable=False)
_NUMBER: Final = Parameter("PropertyValue", "Edm.Int64", is_nullable=False)
_LIST: Final = Parameter("PropertyValues", "Collection(Edm.String)", is_nullable=False)
_PAIR: Final = tuple(Parameter(f"PropertyValue{place}", "Edm.Int64", is_nullable=False) for place in (1, 2))


def _declared(names: str, *parameters: Parameter) -> Iterator[Operation]:
    for name in names.split():
        yield Operation(name, parameters=(_NAME, *parameters), result="Edm.Boolean")


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
    *_declared("InFiscalPeriodAndYear InOrBeforeFiscalPeriodAndYear InOrAfterFiscalPeriodAndYear", *_PAIR),
)
"""`Contains` is declared and refused: it searches columns with a full-text index, of which there are none."""


def query_functions_xml() -> Iterator[str]:
    """Yield the CSDL of the query functions."""
    for function in QUERY_FUNCTIONS:
        yield from operation_xml(function)
