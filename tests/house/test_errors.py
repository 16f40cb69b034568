"""Every family of errors reaches the wire with a status and a code of Dataverse's form."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator

import pytest

from entities.errors import DataverseError
from odata_server.render.errors import STATUS, status_of


def families() -> Iterator[type[DataverseError]]:
    """Give the error classes of the packages, the root first."""
    waiting = [DataverseError]
    while waiting:
        family = waiting.pop(0)
        yield family
        waiting.extend(child for child in family.__subclasses__() if child.__module__.split(".")[0] != "tests")


@pytest.fixture(scope="module", autouse=True)
def all_modules(sources: dict[str, object]) -> None:
    """Import every module, so that every family is known."""
    for name in sources:
        importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def test_each_family_has_a_status_of_its_own_or_of_a_listed_parent():
    unmapped = [f.__name__ for f in families() if f is not DataverseError and _nearest(f) is DataverseError]
    assert unmapped == []


def _nearest(family: type[DataverseError]) -> type[DataverseError]:
    return next(kind for kind in family.__mro__ if kind in STATUS)


def test_a_family_without_a_listed_parent_would_be_found():
    class Unlisted(DataverseError):
        """Not in the table."""

        __module__ = "tests.house"

    assert _nearest(Unlisted) is DataverseError
    assert status_of(Unlisted("?")) == 500


def test_each_code_is_a_number_of_eight_hexadecimal_digits():
    assert [f.__name__ for f in families() if not re.fullmatch(r"0x[0-9a-f]{8}", f.family_code)] == []


def test_only_a_fault_of_the_simulator_is_answered_with_500():
    assert {family.__name__ for family, status in STATUS.items() if status == 500} == {"DataverseError", "EngineFault"}


def test_nothing_catches_every_exception_but_the_doors(sources: dict[str, ast.Module]):
    catching = {name for name, tree in sources.items() for handler in swallowing(tree)}
    assert catching == {"odata_server/endpoints/routes.py", "odata_server/engine/jobs.py"}


def swallowing(tree: ast.Module) -> Iterator[ast.ExceptHandler]:
    """Give the handlers that catch everything and do not let it go on; cleaning up and raising again is no catching."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and is_broad(node.type):
            last = node.body[-1]
            if not (isinstance(last, ast.Raise) and last.exc is None):
                yield node


def is_broad(caught: ast.expr | None) -> bool:
    match caught:
        case None:
            return True
        case ast.Name(id=name):
            return name in {"Exception", "BaseException"}
        case ast.Tuple(elts=kinds):
            return any(is_broad(kind) for kind in kinds)
        case _:
            return False


@pytest.mark.parametrize(
    ("handler", "swallows"),
    [
        ("except Exception: pass", True),
        ("except (ValueError, Exception): pass", True),
        ("except: pass", True),
        ("except BaseException:\n  undo()\n  raise", False),
        ("except ValueError: pass", False),
    ],
)
def test_a_handler_that_swallows_everything_is_found(handler: str, swallows: bool):
    assert bool(list(swallowing(ast.parse(f"try:\n  work()\n{handler}")))) is swallows
