"""Custom APIs: messages that an organization declares itself (Learn: "Create and use custom APIs")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_CUSTOM_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z0-9_]+")
"""A name behind the customization prefix of a publisher (Learn: "Create a publisher")."""


class BindingType(IntEnum):
    """What a custom API is called on."""

    GLOBAL = 0
    ENTITY = 1
    ENTITY_COLLECTION = 2


class AllowedSteps(IntEnum):
    """Which steps others may register for a custom API."""

    NONE = 0
    ASYNCHRONOUS = 1
    ALL = 2


class ParameterType(IntEnum):
    """The type of a request parameter or response property."""

    BOOLEAN = 0
    DATE_TIME = 1
    DECIMAL = 2
    ENTITY = 3
    ENTITY_COLLECTION = 4
    ENTITY_REFERENCE = 5
    FLOAT = 6
    INTEGER = 7
    MONEY = 8
    PICKLIST = 9
    STRING = 10
    STRING_ARRAY = 11
    GUID = 12


@dataclass(frozen=True, slots=True)
class CustomApiParameter:
    """A request parameter or response property; `table` is that of its records, None for any."""

    name: str
    type: ParameterType
    table: str | None = None
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class CustomApi:
    """A custom API.

    Attributes:
        name: its unique name, which is the name of its message.
        binding: what it is called on.
        table: the table that it is bound to, None where it is global.
        is_function: whether it is called with GET.
        is_private: whether `$metadata` keeps silent about it.
        execute_privilege: the privilege it takes to call it; empty: every user may.
        plug_in_type: the name of the plug-in type that is its main operation; empty: it has none.
        allowed_steps: which steps others may register for it.
        parameters: its request parameters.
        properties: its response properties.
    """

    name: str
    binding: BindingType = BindingType.GLOBAL
    table: str | None = None
    is_function: bool = False
    is_private: bool = False
    execute_privilege: str = ""
    plug_in_type: str = ""
    allowed_steps: AllowedSteps = AllowedSteps.NONE
    parameters: tuple[CustomApiParameter, ...] = ()
    properties: tuple[CustomApiParameter, ...] = ()

    @property
    def is_callable(self) -> bool:
        """Whether it can be called: a function without response property is not valid (Learn: 404)."""
        return bool(self.properties) or not self.is_function

    @property
    def privileges(self) -> tuple[str, ...]:
        """The privileges it takes to call it."""
        return (self.execute_privilege,) if self.execute_privilege else ()


def flaw_of_api(name: str, *, is_bound: bool, table: str) -> str | None:
    """Return why a custom API cannot be, None when it can (Learn: "CustomAPI tables").

    Args:
        name: its unique name.
        is_bound: whether it is called on a row or on rows.
        table: the table it is bound to, an empty text where it names none.
    """
    if not _CUSTOM_NAME.fullmatch(name):
        return f"The unique name '{name}' of the custom API must begin with a customization prefix, such as 'new_'."
    if table and not is_bound:
        return f"The custom API '{name}' is global and cannot be bound to the table '{table}'."
    if is_bound and not table:
        return f"The custom API '{name}' is bound and must name its table."
    return None
