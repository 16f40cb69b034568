"""The style that a linter does not watch: sizes, names, docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
FORBIDDEN = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "core", "misc"})

# Longer for a reason; whoever adds a line argues for it.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Give every function and class of a module or class with its qualified name; nested functions are bodies."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from definitions(node, f"{prefix}{node.name}.")


def test_files_are_short(sources: dict[str, ast.Module], repository: Path):
    lines = {name: len((repository / name).read_text(encoding="utf-8").splitlines()) for name in sources}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE and name not in LONG_FILES} == {}


def test_functions_are_short(sources: dict[str, ast.Module]):
    spans = {
        f"{name}:{qualified}": node.end_lineno - node.lineno + 1
        for name, tree in sources.items()
        for qualified, node in definitions(tree)
        if not isinstance(node, ast.ClassDef) and node.end_lineno is not None
    }
    assert {name: span for name, span in spans.items() if span > LONGEST_FUNCTION and name not in LONG_FUNCTIONS} == {}


def test_exceptions_are_still_needed(sources: dict[str, ast.Module], repository: Path):
    lengths = {name: len((repository / name).read_text(encoding="utf-8").splitlines()) for name in LONG_FILES}
    assert {name for name, length in lengths.items() if length <= LONGEST_FILE} == set()
    known = {f"{name}:{qualified}" for name, tree in sources.items() for qualified, _ in definitions(tree)}
    assert set(LONG_FUNCTIONS) - known == set()


def test_modules_say_what_they_hold(sources: dict[str, ast.Module]):
    words = {name: PurePosixPath(name).with_suffix("").parts for name in sources}
    assert [name for name, parts in words.items() if not FORBIDDEN.isdisjoint(parts)] == []


def test_everything_public_is_documented(sources: dict[str, ast.Module]):
    silent = [name for name, tree in sources.items() if not ast.get_docstring(tree)]
    silent += [
        f"{name}:{qualified}"
        for name, tree in sources.items()
        for qualified, node in definitions(tree)
        if not any(part.startswith("_") for part in qualified.split(".")) and not _overloads(node)
        if not ast.get_docstring(node)
    ]
    assert silent == []


def _overloads(node: Definition) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)


def test_the_check_for_documentation_finds_what_is_missing():
    tree = ast.parse("class Shown:\n    'Said.'\n    def silent(self): ...\n    def _hidden(self): ...\n")
    silent = [name for name, node in definitions(tree) if not ast.get_docstring(node)]
    assert silent == ["Shown.silent", "Shown._hidden"]
