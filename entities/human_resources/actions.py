"""The OData actions of Human Resources: names, parameters and results (contract of `/data`; domain rule b.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an action: its name, its EDM type, whether it must be given."""

    name: str
    edm_type: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """An action bound to one row of a table.

    Attributes:
        name: the message's name.
        table: the logical name of the table it is bound to.
        parameters: what the body may hold.
        result: member names and EDM types of the answer; empty: nothing is returned.
        rights: what the caller needs, as pairs of right and table.
    """

    name: str
    table: str
    parameters: tuple[Parameter, ...] = ()
    result: tuple[tuple[str, str], ...] = ()
    rights: tuple[tuple[str, str], ...] = ()


_CANDIDATE = "hcmcandidatetohireentity"
_PROCESS = ("Write", _CANDIDATE)

HIRE = Action(
    "Hire",
    _CANDIDATE,
    (
        Parameter("LegalEntityId", "Edm.String", required=True),
        Parameter("EmploymentStartDate", "Edm.DateTimeOffset", required=True),
        Parameter("PositionId", "Edm.String"),
        Parameter("PersonnelNumber", "Edm.String"),
    ),
    (("PersonnelNumber", "Edm.String"),),
    (_PROCESS, ("Create", "hcmworkerentity"), ("Create", "hcmemploymententity")),
)
DO_NOT_HIRE = Action(
    "DoNotHire",
    _CANDIDATE,
    (Parameter("ReasonCodeId", "Edm.String", required=True), Parameter("Comments", "Edm.String")),
    rights=(_PROCESS,),
)
DISMISS = Action("Dismiss", _CANDIDATE, rights=(_PROCESS,))

ACTIONS = (HIRE, DO_NOT_HIRE, DISMISS)

ACTIONS_BY_NAME: Mapping[str, Action] = MappingProxyType({action.name: action for action in ACTIONS})
