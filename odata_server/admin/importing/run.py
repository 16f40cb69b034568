"""Brings the rows of a file into an environment: first all rows, then what had to wait for other rows.

A lookup whose record is not there yet waits, and so does a state other than the first: it can be set only once the
record is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar, assert_never

from integration.web_api import WebApi
from odata_server.admin.importing.drafts import Draft, Drafting, Reference
from odata_server.admin.importing.journal import Journal, Progress, digest_of
from odata_server.admin.importing.json_lines import PAIR_TYPE
from odata_server.admin.importing.json_lines import TYPE as _TYPE
from odata_server.admin.importing.matching import Matcher
from odata_server.admin.importing.references import ReferenceFinder, absent
from odata_server.admin.importing.source import Source, SourceItem, SourcePair, SourceRow
from odata_server.admin.importing.values import ValueRefusedError
from odata_server.admin.importing.writing import Change, Refused, Writer
from odata_server.admin.remote_tables import RemoteTable, RemoteTables

T = TypeVar("T")

_ERROR: Final = "@talentverse.error"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How rows are imported.

    Attributes:
        mapping: names of the file, and the columns that they mean; an empty one means that it is left out.
        key: columns that name a record; empty where its id does.
        batch: rows per request.
        resume: whether to go on with an import that ended early.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    batch: int = 500
    resume: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows: how many the server has now, how many were refused, and the list of those."""

    written: int
    refused: int
    refusals: Path


@dataclass(frozen=True, slots=True)
class _Late:
    """What a row writes in the second pass."""

    row: int
    table: str
    address: str
    id: str | None
    identity: Mapping[str, object]
    values: Mapping[str, object]
    references: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]


def import_rows(
    source: Source, service: WebApi, url: str, options: ImportOptions, advance: Callable[[int], None]
) -> ImportReport:
    """Import a file.

    Args:
        source: the file.
        service: the environment's Web API.
        url: where it is, for the journal.
        options: how.
        advance: told how many bytes of the file are done.

    Raises:
        SourceError: the file is broken; what stands before the defect is imported.
        UnknownColumnError, NoTableError: it names what is not there; what stands before that is imported.
        ResumeError: the import cannot go on where it ended.
        WebApiError, ServerUnreachableError, TokenError: the server is not to be had; the import can go on later.
    """
    digest = digest_of(source.path)
    about = {
        "file": digest.hex(),
        "server": url,
        "mapping": dict(options.mapping),
        "key": list(options.key),
    }
    journal = Journal(_beside(source.path, "state.jsonl"), about=about, resume=options.resume)
    tables = RemoteTables(service)
    drafting = Drafting(tables, Matcher(tables, options.mapping), options.key, digest)
    run = _Run(service, tables, drafting, journal, _beside(source.path, "refused.jsonl"))
    done = False
    try:
        run.first_pass(source, options.batch, advance)
        run.second_pass(options.batch)
        done = True
    finally:
        journal.close(done=done)
    progress = journal.progress
    return ImportReport(progress.written, progress.refused, run.refusals)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


class _Run:
    """One import."""

    def __init__(
        self, service: WebApi, tables: RemoteTables, drafting: Drafting, journal: Journal, refusals: Path
    ) -> None:
        self._tables = tables
        self._drafting = drafting
        self._journal = journal
        self._finder = ReferenceFinder(service, tables)
        self._writer = Writer(service)
        self.refusals = refusals
        if journal.progress.refusals:
            with refusals.open("r+b") as file:
                file.truncate(journal.progress.refusals)
        else:
            refusals.unlink(missing_ok=True)

    def first_pass(self, source: Source, batch: int, advance: Callable[[int], None]) -> None:
        """Write all rows and pairs that are not done yet."""
        items = islice(source.items(), self._journal.progress.items, None)
        for chunk in _chunks(items, batch):
            rows = [item for item in chunk if isinstance(item, SourceRow)]
            pairs = [item for item in chunk if isinstance(item, SourcePair)]
            refused, later = self._write_rows(rows) if rows else (self._write_pairs(pairs), [])
            self._note(len(chunk), refused, later)
            advance(chunk[-1].offset)

    def second_pass(self, batch: int) -> None:
        """Write what had to wait."""
        waiting = map(_late_of, islice(self._journal.later(), self._journal.progress.later, None))
        for chunk in _grouped(waiting, batch, lambda late: late.table):
            refused = self._write_late(chunk)
            length = self._list(refused)
            before = self._journal.progress
            self._journal.note(
                replace(
                    before,
                    later=before.later + len(chunk),
                    refused=before.refused + len(refused),
                    refusals=length,
                )
            )

    def _write_rows(self, rows: Sequence[SourceRow]) -> tuple[list[Mapping[str, object]], list[Mapping[str, object]]]:
        """Write rows of one table; return the refused ones and what follows later."""
        drafts, refused = [], []
        for row in rows:
            try:
                drafts.append(self._drafting.draft(row))
            except ValueRefusedError as error:
                refused.append(_listed(row, Refused(None, str(error))))
        drafts = self._new_ones(drafts)
        self._finder.look_up(reference for draft in drafts for reference in draft.references)
        ready, changes, lates = [], [], []
        here: set[tuple[str, str]] = set()
        for draft in drafts:
            try:
                members, waiting = self._bound(draft, here)
            except ValueRefusedError as error:
                refused.append(_listed(draft.row, Refused(None, str(error))))
                continue
            if draft.id is not None:
                here.add((draft.table.name, draft.id))
            ready.append(draft)
            changes.append(Change(draft.address, draft.id, members))
            lates.append(waiting)
        answers = self._writer.put(ready[0].table, changes) if ready else {}
        refused += [_listed(ready[position].row, why) for position, why in answers.items()]
        later = [
            _noted(draft, waiting)
            for position, (draft, waiting) in enumerate(zip(ready, lates, strict=True))
            if position not in answers and (waiting or draft.late)
        ]
        return refused, later

    def _new_ones(self, drafts: list[Draft]) -> list[Draft]:
        """Return drafts without those that stay out of records that are there."""
        asked = {draft.row.number: _itself(draft) for draft in drafts if draft.row.only_new}
        self._finder.look_up(asked.values())
        return [d for d in drafts if d.row.number not in asked or self._finder.target(asked[d.row.number]) is None]

    def _bound(self, draft: Draft, here: set[tuple[str, str]]) -> tuple[dict[str, object], tuple[Reference, ...]]:
        """Return the members of a row with those lookups whose records are there, and the lookups that wait."""
        members, waiting = dict(draft.body), []
        for reference in draft.references:
            found = next(((t, reference.text) for t, _ in reference.by if (t, reference.text) in here), None)
            found = found or self._finder.target(reference)
            if found is None:
                waiting.append(reference)
            else:
                self._bind(members, reference, found)
        return members, tuple(waiting)

    def _bind(self, members: dict[str, object], reference: Reference, found: tuple[str, str]) -> None:
        table, id_ = found
        members[f"{reference.column.navigation(table)}@odata.bind"] = f"/{self._tables.table(table).entity_set}({id_})"

    def _write_pairs(self, pairs: Sequence[SourcePair]) -> list[Mapping[str, object]]:
        """Join pairs of records; return the refused ones."""
        requests, asked, refused = [], [], []
        for pair in pairs:
            table = self._tables.table(pair.table)
            pairing = table.pairing(pair.relationship)
            if pairing is None:
                why = Refused(None, f"table '{pair.table}' has no many-to-many relationship '{pair.relationship}'")
                refused.append(_listed(pair, why))
                continue
            target = self._tables.table(pairing.target).entity_set
            requests.append((f"{table.entity_set}({pair.source})/{pairing.navigation}", f"{target}({pair.target})"))
            asked.append(pair)
        answers = self._writer.pair(requests) if requests else {}
        return refused + [_listed(asked[position], why) for position, why in answers.items()]

    def _write_late(self, lates: Sequence[_Late]) -> list[Mapping[str, object]]:
        """Write what waited, of records of one table; return what is refused."""
        table = self._tables.table(lates[0].table)
        wanted = [[Reference(table.columns[name], text, by) for name, text, by in late.references] for late in lates]
        self._finder.look_up(reference for references in wanted for reference in references)
        refused, changes, sent = [], [], []
        for late, references in zip(lates, wanted, strict=True):
            members = dict(late.values)
            for reference in references:
                try:
                    found = self._finder.target(reference)
                except ValueRefusedError as error:
                    refused.append(_listed_late(late, reference, str(error), table))
                    continue
                if found is None:
                    refused.append(_listed_late(late, reference, absent(reference), table))
                else:
                    self._bind(members, reference, found)
            if members:
                changes.append(Change(late.address, late.id, members))
                sent.append(late)
        answers = self._writer.update(table, changes) if changes else {}
        return refused + [
            _refusal_of({_TYPE: _type(table.name), **sent[p].identity, **changes[p].members}, why, sent[p].row)
            for p, why in answers.items()
        ]

    def _note(self, items: int, refused: Sequence[Mapping[str, object]], later: Sequence[Mapping[str, object]]) -> None:
        length = self._list(refused)
        before = self._journal.progress
        progress = Progress(
            before.items + items,
            before.later,
            before.written + items - len(refused),
            before.refused + len(refused),
            length,
        )
        self._journal.note(progress, later)

    def _list(self, refused: Sequence[Mapping[str, object]]) -> int:
        """Add to the list of refused rows; return how long it is."""
        if not refused:
            return self._journal.progress.refusals
        with self.refusals.open("a", encoding="utf-8") as file:
            for line in refused:
                file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            return file.tell()


def _chunks(items: Iterable[SourceItem], size: int) -> Iterator[list[SourceItem]]:
    """Divide items: those of a chunk are rows of one table, or pairs of one relationship."""
    return _grouped(items, size, lambda item: (type(item), item.table))


def _grouped(items: Iterable[T], size: int, kind: Callable[[T], object]) -> Iterator[list[T]]:
    """Divide items, in their order, into groups of one kind that are not larger than a size."""
    group: list[T] = []
    for item in items:
        if group and (len(group) == size or kind(item) != kind(group[0])):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _itself(draft: Draft) -> Reference:
    """Return a reference to the record that a draft is to write."""
    table = draft.table
    name, value = next(iter(draft.identity.items()))
    return Reference(table.columns[name], str(value), ((table.name, name),))


def _noted(draft: Draft, waiting: Iterable[Reference]) -> Mapping[str, object]:
    """Return what a row writes in the second pass, as it stands in the journal."""
    return {
        "row": draft.row.number,
        "table": draft.table.name,
        "address": draft.address,
        "id": draft.id,
        "identity": {n: v if isinstance(v, str | int) else str(v) for n, v in draft.identity.items()},
        "values": dict(draft.late),
        "references": [(reference.column.name, reference.text, reference.by) for reference in waiting],
    }


def _late_of(noted: Mapping[str, Any]) -> _Late:
    references = tuple((name, text, tuple((t, c) for t, c in by)) for name, text, by in noted["references"])
    identity, values = noted["identity"], noted["values"]
    return _Late(noted["row"], noted["table"], noted["address"], noted["id"], identity, values, references)


def _listed(item: SourceItem, why: Refused) -> Mapping[str, object]:
    """Return a refused row as it came, so that it can be imported when it is put right."""
    match item:
        case SourceRow():
            return _refusal_of({_TYPE: _type(item.table), **item.values}, why, item.number)
        case SourcePair():
            pair = {
                "table": item.table,
                "relationship": item.relationship,
                "source": item.source,
                "target": item.target,
            }
            return _refusal_of({_TYPE: PAIR_TYPE, **pair}, why, item.number)
        case _:
            assert_never(item)


def _listed_late(late: _Late, reference: Reference, why: str, table: RemoteTable) -> Mapping[str, object]:
    """Return a lookup that could not be set; the record is there without it."""
    members = {_TYPE: _type(table.name), **late.identity, reference.column.name: reference.text}
    return _refusal_of(members, Refused(None, why), late.row)


def _type(table: str) -> str:
    return f"#Microsoft.Dynamics.CRM.{table}"


def _refusal_of(members: Mapping[str, object], why: Refused, row: int) -> Mapping[str, object]:
    return {**members, _ERROR: {"row": row, "code": why.code, "message": why.message}}
