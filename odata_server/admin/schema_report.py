"""What an imported schema brought, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_MOST_NAMED: Final = 10


def report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a report: counts, then what was refused, then what was guessed and how to supply it.

    Args:
        report: the answer of the server.
    """
    tables, columns, related = report["tables"], report["columns"], report["relationships"]
    if report["dry_run"]:
        yield "nothing is changed: this is what an import would bring"
    yield f"tables         {len(tables['added'])} added, {len(tables['changed'])} changed, {tables['kept']} kept"
    yield f"columns        {columns['added']} added, {len(columns['changed'])} changed"
    yield f"relationships  {related['added']} added, {related['changed']} changed, {related['kept']} kept"
    choices = report["choices"]
    yield f"choices        {len(choices['added'])} added, {len(choices['changed'])} changed"
    yield from _some(
        [f"refused  {_place(refusal, 'name')}: {refusal['why']}" for refusal in report["refused"]], "refused"
    )
    yield from _guesses(report["guessed"])


def _guesses(guesses: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Yield each kind of guess once, with the number of its places and the first of them."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for guess in guesses:
        kinds.setdefault((guess["what"], guess["supply"]), []).append(_place(guess, "column"))
    ordered = sorted(kinds.items(), key=lambda kind: -len(kind[1]))
    lines = [f"guessed  {_places(places)}: {what} {supply}" for (what, supply), places in ordered]
    yield from (line.rstrip() for line in _some(lines, "guessed"))


def _some(lines: Sequence[str], what: str) -> Iterator[str]:
    yield from lines[:_MOST_NAMED]
    if len(lines) > _MOST_NAMED:
        yield f"{what}  {len(lines) - _MOST_NAMED} more: --json lists all of them"


def _place(found: Mapping[str, str], part: str) -> str:
    return ".".join(name for name in (found["table"], found[part]) if name)


def _places(places: Sequence[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{places[0] or 'everywhere'}{more}"
