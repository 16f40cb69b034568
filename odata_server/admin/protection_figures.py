"""The value of `--service-protection`: `off`, `on`, or figures of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import click

from odata_server.admin.command_line import REFUSED, end
from odata_server.settings import LONGEST_WINDOW, Limits, ServiceProtection

OFF: Final = "off"
ON: Final = "on"
_ADVICE: Final = "neither off nor on nor figures such as requests=100,seconds=20,concurrency=5,window=10"


def _requests(limits: Limits, text: str) -> Limits:
    return replace(limits, requests=_whole(text))


def _seconds(limits: Limits, text: str) -> Limits:
    return replace(limits, execution_seconds=_positive(float(text)))


def _concurrency(limits: Limits, text: str) -> Limits:
    return replace(limits, concurrent=_whole(text))


_FIGURES: Final[Mapping[str, Callable[[Limits, str], Limits]]] = MappingProxyType(
    {"requests": _requests, "seconds": _seconds, "concurrency": _concurrency}
)
_WINDOW: Final = "window"
_FINANCE: Final = "finance-"
_LARGEST: Final = 1_000_000_000


def _whole(text: str) -> int:
    return int(_positive(int(text)))


def _positive(number: float, largest: int = _LARGEST) -> float:
    if not 0 < number <= largest:
        raise ValueError(number)
    return number


def read_limits(text: str) -> ServiceProtection | None:
    """Return the limits that a text stands for, None for `off`; a figure that is left out is the real one.

    Raises:
        ValueError: it is none of the three forms.
    """
    if text == OFF:
        return None
    protection = ServiceProtection()
    if text == ON:
        return protection
    seen = set()
    for part in text.split(","):
        name, _, figure = part.strip().partition("=")
        if name in seen:
            raise ValueError(part)
        seen.add(name)
        protection = _with(protection, name, figure)
    return protection


def _with(protection: ServiceProtection, name: str, figure: str) -> ServiceProtection:
    """Return limits with another figure.

    Raises:
        ValueError: there is none by this name, or it is out of its range.
    """
    change = _FIGURES.get(name.removeprefix(_FINANCE))
    if name == _WINDOW:
        return replace(protection, window=int(_positive(int(figure), LONGEST_WINDOW)))
    if change is None:
        raise ValueError(name)
    if name.startswith(_FINANCE):
        return replace(protection, finance=change(protection.finance, figure))
    return replace(protection, dataverse=change(protection.dataverse, figure))


def limits_of(_: click.Context, parameter: click.Parameter, value: str) -> ServiceProtection | None:
    """Return the value of the flag, or end the command in one line."""
    try:
        return read_limits(value)
    except ValueError:
        end(f"{parameter.opts[0]} {value} is {_ADVICE}", REFUSED)
