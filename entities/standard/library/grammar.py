"""The text form of declarations, line by line.

```text
# a comment
choice NAME(OPTIONS) "Display"                          a global choice
table NAME Schema SET CODE OWNERSHIP [WORD ...] "Display" "Plural" ["Description"]
complete NAME                                           further columns of a table that is declared elsewhere
  Schema TYPE [WORD ...] ["Display"]                    a column; its logical name is the schema name in lower case
    -> TABLE [SCHEMA=]COLLECTION[/NAVIGATION] [CASCADE] a table that it points to
  +BUNDLE [COLUMN=COLLECTION[/NAVIGATION] ...]          columns that many tables have
  key NAME(COLUMN, COLUMN) ["Display"]                  an alternate key
pairs NAME Schema SET CODE ID SCHEMA TABLE.COLUMN/NAVIGATION TABLE.COLUMN/NAVIGATION
                                                        a many-to-many relationship with its intersect table
```

OWNERSHIP is `user`, `business`, `organization` or `none`. Words of a table: `activity` (a type of activity), `base`
(its rows are those of the tables whose base type it is), `changes` (changes are tracked), `private`.

TYPE is one of (`?` for a length that is not documented; it is then unlimited):

```text
id                  the primary id                 string(100)  string(100,Email)  string(?)
guid                                               memo(2000)   memo(?)
integer             integer(0..100)                boolean      boolean(Allow|Do Not Allow)     (false|true)
bigint              decimal(10)  double(5)         choice(1 Bill To|Ship To|4 Other)            (numbers go on)
money(2)            date  datetime  zoneless       choice(@NAME)  multichoice(@NAME)            (a global choice)
lookup  customer    owner                          choice(?)     (options that are not documented)
entityname          managed                        states(Open: 2 Not Started|3 Deferred; Completed: 5 Completed)
file(32768)         image
```

`states` brings `StateCode` and `StatusCode`; `owner` points to `principal`, which is a user or a team; `image` brings
its three companions, `file` its name. Limits of `decimal` and `double` stand behind the precision: `double(5,-90..90)`.

Words of a column: `name` (the primary name), `required` (by the system), `needed` (by the application), `recommended`,
`server` (only the server sets it), `once` (set when the record is made), `later` (not set when it is made), `secured`,
`indexed`, `default=VALUE`, `base` (an amount that has one in the base currency beside it), `number=PREFIX` (numbered by
the server where nothing is given: prefix, number, random characters).

Bundles: `+audit` (made and changed: by whom, for whom, when; and the version), `+owner` (owner, its business unit, user
and team), `+version`. Their relationships are `lk_TABLE_COLUMN`, `owner_TABLE`, `business_unit_TABLE`, `user_TABLE` and
`team_TABLE` unless they are given.

COLLECTION is the navigation property of the table that is pointed to, and the schema name unless one stands before it,
or `-` where the lookup has no navigation property;
NAVIGATION is the one of the lookup, by default the name of the column (of an activity: `COLUMN_TABLE`). CASCADE is
`unlink` (the default), `restrict`, `parental`, `delete` (deleted with what it points to) or `none`; `hierarchy` marks
the lookup to the parent. A target may also stand on the line of its column. What points to a table that is not declared
is left out, and so is a lookup that points to none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_STATEMENT: Final = re.compile(r"(\S+) *(.*)")
_TEXT: Final = re.compile(r'"([^"]*)"')
_COLUMN: Final = re.compile(
    r"(?P<name>\w+) +(?P<type>\w+)(?:\((?P<of>(?:[^()]|\([^()]*\))*)\))?"
    r'(?P<words>(?: +[\w=.+-]+)*)(?: +"(?P<text>[^"]*)")?'
)
_TARGET: Final = re.compile(
    r"(?P<table>\w+) +(?:(?P<schema>\w+)=)?(?P<collection>\w+|-)(?:/(?P<navigation>\w+))?(?P<words>(?: +\w+)*)"
)
_BUNDLED: Final = re.compile(r"(?P<column>\w+)=(?P<collection>\w+|-)(?:/(?P<navigation>\w+))?")


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A table that a lookup points to."""

    table: str
    collection: str
    navigation: str
    schema: str
    words: tuple[str, ...]


@dataclass(slots=True)
class ColumnLine:
    """A column with what it points to."""

    name: str
    type: str
    of: str
    words: tuple[str, ...]
    text: str
    targets: list[TargetLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BundleLine:
    """Columns that many tables have, with the names of relationships that differ."""

    name: str
    names: dict[str, tuple[str, str]]


@dataclass(slots=True)
class TableText:
    """The lines of a table; `words` are empty where it completes one that is declared elsewhere."""

    name: str
    words: tuple[str, ...]
    texts: tuple[str, ...]
    columns: list[ColumnLine | BundleLine] = field(default_factory=list)
    keys: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ChoiceText:
    """A global choice."""

    name: str
    options: str
    text: str


@dataclass(frozen=True, slots=True)
class PairsText:
    """A many-to-many relationship: words in the order of the line."""

    words: tuple[str, ...]


def read(text: str) -> Iterator[TableText | ChoiceText | PairsText]:
    """Yield the declarations of a text.

    Raises:
        ValueError: A line has another form; the message has the line.
    """
    table = TableText("", (), ())
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if line[0] != " ":
            declared = _statement(bare)
            yield declared
            table = declared if isinstance(declared, TableText) else TableText("", (), ())
        else:
            _add(table, bare)


def _statement(line: str) -> TableText | ChoiceText | PairsText:
    found = _STATEMENT.fullmatch(line)
    kind, rest = (found[1], found[2]) if found else ("", "")
    texts = tuple(_TEXT.findall(rest))
    words = tuple(rest.partition('"')[0].split())
    match kind:
        case "table":
            return TableText(words[0], words[1:], texts)
        case "complete":
            return TableText(words[0], (), ())
        case "pairs":
            return PairsText(words)
        case "choice":
            name, _, options = rest.partition('"')[0].strip().removesuffix(")").partition("(")
            return ChoiceText(name, options, texts[0])
        case _:
            raise _other_form(line)


def _add(table: TableText, line: str) -> None:
    """Add a line to the table it belongs to."""
    if line.startswith("->"):
        last = table.columns[-1]
        if not isinstance(last, ColumnLine):
            raise _other_form(line)
        last.targets.append(_target(line))
    elif line.startswith("+"):
        words = line[1:].split()
        found = [m for m in map(_BUNDLED.fullmatch, words[1:]) if m]
        if len(found) != len(words) - 1:
            raise _other_form(line)
        table.columns.append(
            BundleLine(words[0], {m["column"]: (m["collection"], m["navigation"] or "") for m in found})
        )
    elif line.startswith("key "):
        name, _, columns = line[4:].partition('"')[0].strip().removesuffix(")").partition("(")
        table.keys.append((name, tuple(columns.replace(",", " ").split()), "".join(_TEXT.findall(line))))
    else:
        table.columns.append(_column(line))


def _column(line: str) -> ColumnLine:
    declared, *targets = line.split(" -> ")
    found = _COLUMN.fullmatch(declared.rstrip())
    if found is None:
        raise _other_form(line)
    words = tuple(found["words"].split())
    column = ColumnLine(found["name"], found["type"], found["of"] or "", words, found["text"] or "")
    column.targets.extend(_target(f"-> {target}") for target in targets)
    return column


def _target(line: str) -> TargetLine:
    found = _TARGET.fullmatch(line[2:].strip())
    if found is None:
        raise _other_form(line)
    collection, words = found["collection"], tuple(found["words"].split())
    return TargetLine(found["table"], collection, found["navigation"] or "", found["schema"] or collection, words)


def _other_form(line: str) -> ValueError:
    return ValueError(f"The library of tables has a line of another form: {line}")
