"""The tables of the library: what stands in the texts, put together with what is declared elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from entities.metadata import declare
from entities.metadata.columns import Choice, Column, LookupType
from entities.metadata.declare import plain, with_ids
from entities.metadata.labels import label
from entities.metadata.relationships import Cascade, CascadeConfiguration, ManyToMany, OneToMany, Relationship
from entities.metadata.tables import AlternateKey, Ownership, Table, TableKind
from entities.standard.library.columns import LOOKUPS, columns_of, options_of
from entities.standard.library.grammar import BundleLine, ChoiceText, ColumnLine, PairsText, TableText, TargetLine
from entities.standard.references import (
    NO_ACTION,
    PARENTAL,
    REMOVE_LINK,
    RESTRICT,
    system_references,
    with_relationship_id,
)

ACTIVITY: Final = "activitypointer"
WITHOUT_NAVIGATION: Final = "-"

_ABOUT: Final[Mapping[str, str]] = MappingProxyType({"annotation": "objectid", ACTIVITY: "regardingobjectid"})

_OWNERSHIP: Final[Mapping[str, Ownership]] = MappingProxyType(
    {
        "user": Ownership.USER,
        "business": Ownership.BUSINESS,
        "organization": Ownership.ORGANIZATION,
        "none": Ownership.NONE,
    }
)
_CASCADES: Final[Mapping[str, CascadeConfiguration]] = MappingProxyType(
    {
        "unlink": REMOVE_LINK,
        "restrict": RESTRICT,
        "parental": PARENTAL,
        "delete": CascadeConfiguration(delete=Cascade.CASCADE),
        "none": NO_ACTION,
    }
)
_BUNDLES: Final = MappingProxyType(
    {
        "audit": declare.audit_columns(),
        "owner": declare.owner_columns(),
        "version": (declare.version_column(),),
    }
)


@dataclass(frozen=True, slots=True)
class Library:
    """Tables and relationships; `guessed` are (table, column) whose length is not documented."""

    tables: tuple[Table, ...]
    relationships: tuple[Relationship, ...]
    guessed: frozenset[tuple[str, str]]


def assembled(
    texts: Iterable[TableText | ChoiceText | PairsText],
    tables: Iterable[Table] = (),
    relationships: Iterable[Relationship] = (),
) -> Library:
    """Put the declarations of texts together with tables and relationships that are declared elsewhere.

    Raises:
        ValueError: A line names what does not exist, or has an unknown word.
    """
    read = tuple(texts)
    choices = {c.name: _choice(c) for c in read if isinstance(c, ChoiceText)}
    found = {t.logical_name: t for t in tables}
    lines = sorted((t for t in read if isinstance(t, TableText)), key=lambda text: not text.words)
    declared = frozenset(found) | {t.name for t in lines}
    for line in lines:
        before = found.get(line.name)
        columns = _columns(line, declared, choices)
        found[line.name] = _completed(before, columns) if before else _table(line, columns)
    related = {r.schema_name: r for r in relationships}
    for line in lines:
        related.update((r.schema_name, r) for r in _relationships(line, found))
    for pairs in read:
        if isinstance(pairs, PairsText):
            found.update((t.logical_name, t) for t in _intersect(pairs, declared))
            related.update((r.schema_name, r) for r in _many_to_many(pairs, declared))
    _mark(found)
    guessed = frozenset((t.name, c.name.lower()) for t in lines for c in t.columns if _is_guessed(c))
    return Library(tuple(found.values()), tuple(related.values()), guessed)


def _mark(tables: dict[str, Table]) -> None:
    """Mark the tables that are activities, and those that notes and activities can be about."""
    about = {name: _targets_of(tables.get(name), lookup) for name, lookup in _ABOUT.items()}
    for name, table in tables.items():
        tables[name] = replace(
            table,
            is_activity=ACTIVITY in (table.base_type, name),
            has_notes=name in about["annotation"],
            has_activities=name in about[ACTIVITY],
        )


def _targets_of(table: Table | None, lookup: str) -> tuple[str, ...]:
    column = table.by_name.get(lookup) if table is not None else None
    return column.type.targets if column is not None and isinstance(column.type, LookupType) else ()


def _is_guessed(line: ColumnLine | BundleLine) -> bool:
    return isinstance(line, ColumnLine) and line.of.startswith("?")


def _choice(text: ChoiceText) -> Choice:
    identifier = declare.derived_id("choice", text.name)
    return Choice(text.name, options_of(text.options), label(text.text), is_global=True, metadata_id=identifier)


def _targets(line: ColumnLine, declared: frozenset[str]) -> tuple[str, ...]:
    names = [n for t in line.targets for n in (("systemuser", "team") if t.table == "principal" else (t.table,))]
    return tuple(dict.fromkeys(name for name in names if name in declared))


def _columns(text: TableText, declared: frozenset[str], choices: Mapping[str, Choice]) -> tuple[Column, ...]:
    found: list[Column] = []
    for line in text.columns:
        if isinstance(line, BundleLine):
            found.extend(_BUNDLES[line.name])
            continue
        is_lookup = line.type in LOOKUPS
        targets = _targets(line, declared) if is_lookup else ()
        if targets or not is_lookup:
            found.extend(columns_of(text.name, line, targets, choices))
    return tuple(found)


def _table(text: TableText, columns: tuple[Column, ...]) -> Table:
    schema_name, entity_set, code, ownership, *words = text.words
    lines = [line for line in text.columns if isinstance(line, ColumnLine)]
    display, plural, *description = text.texts
    return with_ids(
        Table(
            text.name,
            schema_name,
            entity_set,
            int(code),
            next(line.name.lower() for line in lines if line.type == "id"),
            next((line.name.lower() for line in lines if "name" in line.words), None),
            columns,
            plain(display),
            plain(plural),
            plain("".join(description)),
            _OWNERSHIP[ownership],
            TableKind.BASE if "base" in words else TableKind.STANDARD,
            keys=tuple(AlternateKey(n.lower(), c, n, label(t or n)) for n, c, t in text.keys),
            base_type=ACTIVITY if "activity" in words else None,
            change_tracking="changes" in words,
            is_private="private" in words,
            indexed=tuple(line.name.lower() for line in lines if "indexed" in line.words),
        )
    )


def _completed(table: Table, columns: tuple[Column, ...]) -> Table:
    """Return a table with further columns, and lookups that it has with further targets."""
    further = {column.logical_name: column for column in columns}
    kept = tuple(_with_targets(column, further.pop(column.logical_name, None)) for column in table.columns)
    return with_ids(replace(table, columns=(*kept, *further.values())))


def _with_targets(column: Column, further: Column | None) -> Column:
    if further is None or not isinstance(column.type, LookupType) or not isinstance(further.type, LookupType):
        return column
    targets = tuple(dict.fromkeys((*column.type.targets, *further.type.targets)))
    return replace(column, type=replace(column.type, targets=targets))


def _relationships(text: TableText, tables: Mapping[str, Table]) -> Iterator[Relationship]:
    table = tables[text.name]
    suffix = f"_{text.name}" if table.base_type == ACTIVITY else ""
    for line in text.columns:
        if isinstance(line, BundleLine):
            yield from _bundled(table, line, suffix)
            continue
        for target in line.targets:
            referenced = tables.get("systemuser" if target.table == "principal" else target.table)
            if referenced is not None and target.collection != WITHOUT_NAVIGATION:
                yield _one_to_many(table, line.name.lower(), target, referenced, suffix)


def _one_to_many(table: Table, column: str, line: TargetLine, target: Table, suffix: str) -> Relationship:
    if unknown := set(line.words) - _CASCADES.keys() - {"hierarchy"}:
        raise ValueError(f"{table.logical_name}.{column} has unknown words: {', '.join(sorted(unknown))}")
    default = NO_ACTION if line.table == "principal" else REMOVE_LINK
    return OneToMany(
        line.schema,
        target.logical_name,
        target.primary_id,
        table.logical_name,
        column,
        line.navigation or column + suffix,
        line.collection,
        next((_CASCADES[word] for word in line.words if word in _CASCADES), default),
        metadata_id=declare.derived_id("relationship", line.schema),
        is_hierarchical="hierarchy" in line.words,
    )


def _bundled(table: Table, line: BundleLine, suffix: str) -> Iterator[Relationship]:
    columns = {column.logical_name for column in _BUNDLES[line.name]}
    if unknown := line.names.keys() - columns:
        raise ValueError(f"+{line.name} of {table.logical_name} has no columns {', '.join(sorted(unknown))}")
    for relationship in system_references(table, {column: name for column, (name, _) in line.names.items()}):
        column = relationship.referencing_column
        if column in columns and relationship.schema_name != WITHOUT_NAVIGATION:
            navigation = line.names.get(column, ("", ""))[1] or column + suffix
            identifier = declare.derived_id("relationship", relationship.schema_name)
            yield replace(relationship, referencing_navigation=navigation, metadata_id=identifier)


def _ends(pairs: PairsText) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Return table, column of the intersect table and navigation property of both ends."""

    def end(word: str) -> tuple[str, str, str]:
        place, _, navigation = word.partition("/")
        table, _, column = place.partition(".")
        return table, column, navigation

    return end(pairs.words[6]), end(pairs.words[7])


def _intersect(pairs: PairsText, declared: frozenset[str]) -> Iterator[Table]:
    name, schema_name, entity_set, code, identifier = pairs.words[:5]
    ends = _ends(pairs)
    if not all(end[0] in declared for end in ends):
        return
    columns = (
        declare.primary_id(identifier),
        *(declare.unique_identifier(column, **declare.SERVER_SET) for _, column, _ in ends),
        declare.version_column(),
    )
    yield with_ids(
        Table(
            name,
            schema_name,
            entity_set,
            int(code),
            identifier.lower(),
            None,
            columns,
            plain(schema_name),
            plain(schema_name),
            ownership=Ownership.NONE,
            kind=TableKind.INTERSECT,
        )
    )


def _many_to_many(pairs: PairsText, declared: frozenset[str]) -> Iterator[Relationship]:
    first, second = _ends(pairs)
    if first[0] in declared and second[0] in declared:
        yield with_relationship_id(
            ManyToMany(
                pairs.words[5],
                pairs.words[0],
                first[0],
                first[1].lower(),
                first[2],
                second[0],
                second[1].lower(),
                second[2],
            )
        )
