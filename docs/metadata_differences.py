"""Write docs/reference/metadata-differences.md: a real metadata document against ours; `--check` only compares.

The document is read, merged into a new environment's tables, and written out again; what differs is told by kind, with
the reason. A difference of no kind is an error of the product, and ends the script.
Example: python docs/metadata_differences.py
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from entities.metadata.catalog import catalog, changed
from entities.standard.environment import standard_catalog
from odata_server.admin.csdl_import import ImportedSchema, merged, read_csdl
from odata_server.edm.csdl import csdl
from odata_server.edm.csdl_comparing import Difference, differences
from odata_server.edm.csdl_document import Element, schema_of

REPOSITORY: Final = Path(__file__).parents[1]
PAGE: Final = REPOSITORY / "docs" / "reference" / "metadata-differences.md"
REFERENCE: Final = Path(os.environ.get("TALENTVERSE_REFERENCE", REPOSITORY.parent / "shared"))
FILE: Final = REFERENCE / "data" / "dataverse-v9.1-metadata.xml"
_LISTED: Final = 40
"""More of a kind than this are told in groups, and of more in a group only the first."""

_COUNTED: Final = ("EntityType", "ComplexType", "EnumType", "Action", "Function", "EntitySet")
_PARTS: Final = ("Property", "NavigationProperty", "NavigationPropertyBinding", "Parameter")

Matches: TypeAlias = Callable[[Difference], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """Differences that have the same reason."""

    title: str
    reason: str
    matches: Matches


def kinds(document: Element) -> tuple[Kind, ...]:
    """Return the kinds of differences; the first that matches counts.

    Args:
        document: the schema of the real document.
    """
    theirs = {element.get("Name") for element in document.named("EntityType")}
    library = standard_catalog(1)
    sets = {table.entity_set_name: name for name, table in library.tables.items()}

    def is_of_another_table(difference: Difference) -> bool:
        """Say whether a declaration is about a table that the document does not have."""
        words = set(re.findall(r"\w+", f"{difference.place} {difference.ours}"))
        named = {sets.get(word, word) for word in words} & library.tables.keys()
        return difference.theirs is None and bool(named - theirs)

    def is_of_the_library(difference: Difference) -> bool:
        """Say whether a declaration of a shared table is one that only the library has."""
        found = re.match(r"EntityType (\w+) / |EntityContainer System / EntitySet (\w+) / ", difference.place)
        table = found and (found[1] or sets.get(found[2], ""))
        return difference.theirs is None and table in library.tables

    return (
        Kind(
            "Messages about several records",
            '`CreateMultiple`, `UpdateMultiple` and `UpsertMultiple` are bound to every table since 9.2 (Learn: "Use '
            'bulk operation messages"); the document is of 9.1.',
            _added(r"Action (Create|Update|Upsert)Multiple on |ComplexType CreateMultipleResponse$"),
        ),
        Kind(
            "Operations and types that the environment of the document has not",
            "They are in the reference on Learn: messages of 9.2, of sales and of service, which it lacks.",
            _added(
                r"(Action|Function) \w+( on \S+)?$|(ComplexType|EnumType) \w+$"
                r"|EntityContainer System / (Action|Function)Import \w+$"
            ),
        ),
        Kind(
            "Members that later versions added",
            "They are in the 9.2 reference on Learn: properties of definitions and of answers, and a parameter.",
            _added(
                r"EntityType \w+Metadata(Base)? / Property |ComplexType \w+ / Property "
                r"|Action RemovePrivilegeRole on role / Parameter PrivilegeId$"
            ),
        ),
        Kind(
            "A privilege may be named by its id",
            "`RemovePrivilegeRole` takes a record or an id since 9.2, so neither is required (Learn: "
            '"RemovePrivilegeRole Action").',
            _place(r"Action RemovePrivilegeRole on role / Parameter Privilege$"),
        ),
        Kind(
            "Edits of the public copy",
            "Somebody changed the file by hand: `expando` is commented out, and three navigation properties of "
            "`EntityMetadata` got a 2 at the end, while its own bindings name them without.",
            _place(
                r"EntityType expando$"
                r"|EntityType EntityMetadata / NavigationProperty (ManyToMany|ManyToOne|OneToMany)Relationships2?$"
            ),
        ),
        Kind(
            "Files are GUIDs",
            'A file column holds the id of a file, and JSON shows it as a GUID (Learn: "Web API types and operations", '
            '"Use file column data"); the document types it `Edm.Binary`, as if it were the bytes.',
            lambda d: (d.theirs, d.ours) == ("Type=Edm.Binary", "Type=Edm.Guid"),
        ),
        Kind(
            "Descriptions of terms",
            "The two terms are there with our own words; no client reads them.",
            _place(r"Term \w+ / Annotation Org\.OData\.Core\.V1\.Description$"),
        ),
        Kind(
            "The owner behind a plain GUID",
            "`principalid` of `principalentitymap` is a GUID and no lookup, so it has no table beside it and nothing "
            "can be expanded by it. The column is there.",
            _place(
                r"EntityType \w+ / NavigationProperty (owner_principalentitymap|principalid_owner)$"
                r"|.* / EntitySet principalentitymaps / NavigationPropertyBinding principalid_owner$"
            ),
        ),
        Kind(
            "Lookups hold primary ids",
            "In Dataverse a component of an app points to `appmoduleidunique`; here a lookup of the library holds "
            "the primary id of what it points to, always.",
            _place(r"EntityType appmodulecomponent / NavigationProperty appmoduleid / ReferentialConstraint "),
        ),
        Kind(
            "Secrets are not shown",
            '`authvalue` of a service endpoint is written and never read (Learn: "ServiceEndpoint table/entity '
            'reference"), so it is no property here.',
            _place(r"EntityType serviceendpoint / Property authvalue$"),
        ),
        Kind(
            "Tables that the library has besides",
            "A new environment has tables of sales, service and of 9.2 that the document's environment has not; here "
            "also count what leads to them and what is bound to them.",
            is_of_another_table,
        ),
        Kind(
            "Columns, keys and navigation that the library has besides",
            "Definitions that are there stay as they are, with what 9.2 or an app added to them.",
            is_of_the_library,
        ),
    )


def _place(pattern: str) -> Matches:
    compiled = re.compile(pattern)
    return lambda difference: compiled.match(difference.place) is not None


def _added(pattern: str) -> Matches:
    at = _place(pattern)
    return lambda difference: difference.theirs is None and at(difference)


def schemas() -> tuple[Element, ImportedSchema]:
    """Return the real document and what is read from it.

    Raises:
        FileNotFoundError: the reference folder is not there.
    """
    data = FILE.read_bytes()
    return schema_of(data), read_csdl(data)


def alone(document: Element, imported: ImportedSchema) -> tuple[Difference, ...]:
    """Return what differs when the tables of the document are the only ones."""
    return differences(document, schema_of(csdl(catalog(1, imported.tables, imported.relationships))))


def in_an_environment(document: Element, imported: ImportedSchema) -> tuple[Difference, ...]:
    """Return what differs when the document is imported into a new environment."""
    library = standard_catalog(1)
    return differences(document, schema_of(csdl(changed(library, merged(library, imported), version=2))))


def by_kind(found: Iterable[Difference], known: tuple[Kind, ...]) -> Mapping[str, list[Difference]]:
    """Return differences by the title of their kind; those of no kind have an empty title."""
    sorted_: dict[str, list[Difference]] = {kind.title: [] for kind in known}
    for difference in found:
        title = next((kind.title for kind in known if kind.matches(difference)), "")
        sorted_.setdefault(title, []).append(difference)
    return sorted_


@dataclass(frozen=True, slots=True)
class Comparison:
    """The real document, what is read from it, and what differs: alone, and imported into a new environment."""

    document: Element
    imported: ImportedSchema
    alone: tuple[Difference, ...]
    whole: tuple[Difference, ...]


def compared() -> Comparison:
    """Return everything that the page tells.

    Raises:
        FileNotFoundError: the reference folder is not there.
    """
    document, imported = schemas()
    return Comparison(document, imported, alone(document, imported), in_an_environment(document, imported))


def page(found: Comparison) -> str:
    """Return the page."""
    document, imported = found.document, found.imported
    known = kinds(document)
    lone, whole = by_kind(found.alone, known), by_kind(found.whole, known)
    rows = [f"| {kind.title} | {len(lone[kind.title])} | {len(whole[kind.title])} |" for kind in known]
    return "\n".join(
        (
            "# Differences from a real metadata document\n",
            "A public copy of a Dataverse 9.1 `$metadata` is imported and written out again, and both documents are",
            "compared by meaning: types, properties, navigation, keys, operations, sets, bindings and annotations;",
            "order and white space do not count. Written by `python docs/metadata_differences.py`; a difference of",
            "no kind below fails the tests.\n",
            "## What is compared\n",
            _sizes(document),
            "## Kinds\n",
            "*Alone*: the tables of the document are the only ones. *In an environment*: it is imported into a new",
            "environment (`talentverse import schema FILE`), whose own definitions stay.\n",
            "| kind | alone | in an environment |",
            "|---|--:|--:|",
            *rows,
            f"| **together** | {sum(map(len, lone.values()))} | {sum(map(len, whole.values()))} |\n",
            *(_section(kind, whole[kind.title]) for kind in known),
            _guesses(imported),
        )
    )


def _sizes(document: Element) -> str:
    container = next(document.named("EntityContainer"))
    counted = {name: sum(1 for _ in document.named(name)) for name in _COUNTED} | {
        "EntitySet": sum(1 for _ in container.named("EntitySet"))
    }
    counted |= {name: sum(1 for _ in document.everywhere(name)) for name in _PARTS}
    rows = [f"| {name} | {number} |" for name, number in counted.items()]
    return "\n".join(("| declaration | in the document |", "|---|--:|", *rows)) + "\n"


def _section(kind: Kind, found: list[Difference]) -> str:
    lines = [shown(difference) for difference in found] if len(found) <= _LISTED else list(_grouped(found))
    return "\n".join((f"## {kind.title}\n", f"{kind.reason}\n", *(f"- {line}" for line in lines))) + "\n"


def _grouped(found: list[Difference]) -> Iterator[str]:
    """Yield many differences in few lines: what stands in the same place, and is only on one side, stands together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for difference in found:
        outer, _, name = difference.place.rpartition(" ")
        side = "only in the document" if difference.ours is None else "only here"
        groups.setdefault((outer, side), []).append(name)
    for (outer, side), names in groups.items():
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        yield f"`{outer}`, {side}: {', '.join(names[:_LISTED])}{more}"


def shown(difference: Difference) -> str:
    """Return a difference as a line: where it is, and what each document says."""
    if difference.ours is None:
        return f"`{difference.place}`: only in the document"
    if difference.theirs is None:
        return f"`{difference.place}`: only here"
    return f"`{difference.place}`: `{difference.theirs}` in the document, `{difference.ours}` here"


def _guesses(imported: ImportedSchema) -> str:
    counted: dict[str, int] = {}
    for guess in imported.guesses:
        counted[re.sub(r"'[^']*'", "'…'", guess.what)] = counted.get(re.sub(r"'[^']*'", "'…'", guess.what), 0) + 1
    rows = [f"| {what} | {number} |" for what, number in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))]
    head = (
        "## What had to be guessed\n",
        "CSDL has no lengths, options, labels or cascades. The import tells each guess with its table and column, and",
        "how to say what it really is; for this document:\n",
        "| guess | times |",
        "|---|--:|",
    )
    return "\n".join((*head, *rows)) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say that it is stale and return 1; differences of no kind return 1, too."""
    found = compared()
    unknown = by_kind((*found.alone, *found.whole), kinds(found.document)).get("", [])
    for difference in unknown:
        sys.stdout.write(f"of no kind: {shown(difference)}\n")
    new = page(found)
    stale = not PAGE.is_file() or PAGE.read_text("utf-8") != new
    if stale:
        sys.stdout.write(f"{PAGE.relative_to(REPOSITORY)}\n")
        if "--check" not in arguments:
            PAGE.write_text(new, "utf-8")
    return 1 if unknown or (stale and "--check" in arguments) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
