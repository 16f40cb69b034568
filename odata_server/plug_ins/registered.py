"""Steps that rows register for plug-in types: the function of the type runs there as a step of its package does."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from entities.errors import StepRejected
from entities.pipeline import ExecutionContext, Step
from entities.plugins import Mode, Plugin, PluginStep
from odata_server.plug_ins.loading import Package, functions_of
from odata_server.plug_ins.running import PlugIns

_CANNOT_LOAD: Final = "0x80044190"


def step_of_type(plug_ins: PlugIns, name: str, place: Step, mode: int) -> Step:
    """Return the function of a plug-in type as a step that a row registers.

    Args:
        plug_ins: what is installed.
        name: the name of the type; where it is not installed, the step refuses its message.
        place: where the step stands, with its filter and images.
        mode: 0 for synchronous, 1 for asynchronous.
    """
    function = functions_of(plug_ins.packages).get(name)
    if function is None:
        return replace(place, handler=partial(_refuse, name))
    at = (place.message, place.table, place.stage)
    step = PluginStep(*at, function, place.rank, Mode(mode), place.filtering, place.pre_image, place.post_image)
    alone = Package("registered", "1", Plugin(steps=[step]))
    (made,) = replace(plug_ins, packages=(alone,)).steps()
    return replace(made, custom=place.custom)


def _refuse(name: str, _context: ExecutionContext) -> None:
    raise StepRejected(f"Unable to load plug-in type '{name}'.", code=_CANNOT_LOAD)
