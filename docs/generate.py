"""Write the parts of the reference pages that follow from the code; `--check` only says which pages are stale.

A page holds text by hand and, between `<!-- generated: NAME -->` and `<!-- end -->`, what a function of this module
gives. Example: python docs/generate.py
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from entities.errors import DataverseError
from odata_server.admin import not_yet
from odata_server.cli import main as talentverse
from odata_server.edm.operation_list import AVAILABLE, operation_list
from odata_server.render.errors import STATUS
from security.authority.errors import AuthorityError
from security.authority.grants.registry import GRANTS, NOT_AVAILABLE
from security.authority.routes import AUTHORITY_ROUTES, GRAPH_ROUTES, Route
from talent_hub_adapter.cli import main as talent_hub_adapter

REPOSITORY: Final = Path(__file__).parents[1]
REFERENCE: Final = REPOSITORY / "docs" / "reference"
PACKAGES: Final = ("entities", "security", "odata_server")
WIDTH: Final = 100
_MARKED: Final = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NOT_IMPLEMENTED: Final = 501


def visible_commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Give every command that a user sees, with the words that call it."""
    for name, program in (("talentverse", talentverse), ("talent-hub-adapter", talent_hub_adapter)):
        yield from _below(program, _context(program, name, None))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = {"terminal_width": WIDTH, "max_content_width": WIDTH, **command.context_settings}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _below(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            if not child.hidden:
                yield from _below(child, _context(child, name, context))


def commands() -> str:
    """Return the help of every command."""
    sections = [f"## {path}\n\n```text\n{cmd.get_help(context)}\n```\n" for path, cmd, context in visible_commands()]
    return "\n".join(line.rstrip() for line in "\n".join(sections).splitlines()) + "\n"


def variables() -> str:
    """Return the environment variables that stand for flags, with the commands that read them."""
    readers: dict[tuple[str, str], list[str]] = {}
    for path, command, context in visible_commands():
        for parameter in command.params:
            if getattr(parameter, "hidden", False):
                continue
            for name in _variables_of(parameter, context):
                readers.setdefault((name, parameter.opts[0]), []).append(path)
    lines = [
        f"| `{name}` | `{flag}` | {', '.join(f'`{path}`' for path in paths)} |"
        for (name, flag), paths in sorted(readers.items())
    ]
    return "\n".join(("| variable | stands for | read by |", "|---|---|---|", *lines)) + "\n"


def _variables_of(parameter: click.Parameter, context: click.Context) -> list[str]:
    named = [parameter.envvar] if isinstance(parameter.envvar, str) else list(parameter.envvar or ())
    written = re.findall(r"\[env: (\w+)\]", getattr(parameter, "help", None) or "")
    automatic = context.auto_envvar_prefix
    if automatic and not named and isinstance(parameter, click.Option) and parameter.allow_from_autoenv:
        named = [f"{automatic}_{parameter.name}".upper()]
    return list(dict.fromkeys((*named, *written)))


def families() -> Iterator[type[DataverseError]]:
    """Give every class of errors, parents before children."""
    for path in source_files():
        module = path.relative_to(REPOSITORY).with_suffix("").as_posix().removesuffix("/__init__").replace("/", ".")
        importlib.import_module(module)
    waiting = [DataverseError]
    while waiting:
        family = waiting.pop(0)
        yield family
        children = (c for c in family.__subclasses__() if c.__module__.partition(".")[0] in PACKAGES)
        waiting.extend(sorted(children, key=lambda child: child.__name__))


def errors() -> str:
    """Return the table of error families with status and code."""
    rows = sorted(
        (_status(family), family.__name__, family.family_code, (family.__doc__ or "").strip().splitlines()[0])
        for family in families()
        if family is not DataverseError
    )
    lines = [f"| {status} | {name} | {code} | {text} |" for status, name, code, text in rows]
    return "\n".join(("| status | family | code | meaning |", "|--:|---|---|---|", *lines)) + "\n"


def _status(family: type[DataverseError]) -> int:
    return next(STATUS[kind] for kind in family.__mro__ if kind in STATUS)


def refusals() -> str:
    """Return the texts of everything that is answered with 501 in the Web API and `/data`, with their module."""
    doors = [path for path in source_files() if path.is_relative_to(REPOSITORY / "odata_server")]
    found = {
        (text, path.relative_to(REPOSITORY / "odata_server").with_suffix("").as_posix())
        for path in doors
        for text in _refusals_in(ast.parse(path.read_text("utf-8")))
    }
    lines = [f"| {text} | `{module}` |" for text, module in sorted(found, key=lambda pair: (pair[1], pair[0]))]
    return "\n".join(("| text | from |", "|---|---|", *lines)) + "\n"


def _refusals_in(tree: ast.Module) -> Iterator[str]:
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "NotSupported":
            yield _text(node.args[0], constants)


def _text(node: ast.expr, constants: Mapping[str, ast.expr]) -> str:
    """Return a text with … for what is filled in.

    Raises:
        ValueError: the refusal is no literal text, so this page could not show it.
    """
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if name in constants:
            return _text(constants[name], constants)
        case ast.JoinedStr(values=parts):
            return "".join(_filled(part, constants) for part in parts)
        case _:
            raise ValueError(f"A refusal is not written as a literal: {ast.unparse(node)}")


def _filled(part: ast.expr, constants: Mapping[str, ast.expr]) -> str:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name)) if name in constants:
            return _text(constants[name], constants)
        case _:
            return "…"


def absent() -> str:
    """Return the commands and flags that say they are not there yet, with what to do instead."""
    rows = [(f"talentverse {name}", advice) for name, advice in not_yet.COMMANDS.items()]
    rows += [(f"talentverse serve {flag}", advice) for flag, advice in not_yet.SERVE_FLAGS.items()]
    return "\n".join(("| command or flag | instead |", "|---|---|", *(f"| `{w}` | {a} |" for w, a in rows))) + "\n"


def grants() -> str:
    """Return which grants the authority has, and which Entra has besides."""
    here = ", ".join(f"`{name}`" for name in sorted(GRANTS))
    missing = ", ".join(f"`{name}`" for name in sorted(NOT_AVAILABLE))
    texts = [f"- {error.text}" for error in AuthorityError.__subclasses__() if error.status == _NOT_IMPLEMENTED]
    return "\n".join((f"Available: {here}.", f"Answered with 501: {missing}.", "", *sorted(texts))) + "\n"


def operations() -> str:
    """Return the functions and actions of Dataverse that work, and those that are refused by name."""
    listed = operation_list().by_name
    here = ", ".join(f"`{name}`" for name in sorted(AVAILABLE))
    missing = ", ".join(f"`{name}`" for name in sorted(listed.keys() - AVAILABLE, key=str.lower))
    return f"Available ({len(AVAILABLE)}): {here}.\n\nAnswered with 501 ({len(listed) - len(AVAILABLE)}): {missing}.\n"


def routes() -> str:
    """Return the URLs of the authority and of the Graph slice."""
    lines = [_route(route) for route in (*AUTHORITY_ROUTES, *GRAPH_ROUTES)]
    return "\n".join(("| URL | methods |", "|---|---|", *lines)) + "\n"


def _route(route: Route) -> str:
    url = re.sub(r"<(\w+)>", r"{\1}", route.rule)
    return f"| `{url}` | {', '.join(route.answers)} |"


def source_files() -> list[Path]:
    """Return the modules of the server's packages."""
    return [path for package in PACKAGES for path in sorted((REPOSITORY / package).rglob("*.py"))]


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "commands": commands,
    "variables": variables,
    "errors": errors,
    "refusals": refusals,
    "grants": grants,
    "absent": absent,
    "operations": operations,
    "routes": routes,
}


def refreshed(page: str) -> str:
    """Return a page with its generated parts written anew."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[3]}", page)


def stale_pages() -> dict[Path, str]:
    """Return the pages whose text differs from what the code says, with the text they should have."""
    pages = {path: path.read_text("utf-8") for path in sorted(REFERENCE.glob("*.md"))}
    return {path: new for path, old in pages.items() if (new := refreshed(old)) != old}


def main(arguments: list[str]) -> int:
    """Write the stale pages, or with `--check` name them and return 1."""
    stale = stale_pages()
    for path, text in stale.items():
        if "--check" not in arguments:
            path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.relative_to(REPOSITORY)}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
