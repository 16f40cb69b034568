"""The documentation says what the code says: generated parts are fresh, commands are shown, links lead somewhere."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest


@pytest.fixture(scope="module")
def generator(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", repository / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_fresh(generator: ModuleType):
    stale = sorted(path.name for path in generator.stale_pages())
    assert stale == [], "run: python docs/generate.py"


def test_a_stale_page_is_found(generator: ModuleType):
    page = "# Errors\n\n<!-- generated: errors -->\nold\n<!-- end -->\n"
    assert generator.refreshed(page) != page
    assert generator.refreshed(generator.refreshed(page)) == generator.refreshed(page)


def test_every_generated_part_stands_on_a_page(generator: ModuleType):
    pages = "".join(path.read_text("utf-8") for path in generator.REFERENCE.glob("*.md"))
    assert set(re.findall(r"<!-- generated: (\w+) -->", pages)) == set(generator.PARTS)


def test_every_command_is_on_the_page_of_commands(commands: dict[str, click.Command], repository: Path):
    page = (repository / "docs" / "reference" / "commands.md").read_text("utf-8")
    assert [words for words in commands if f"\n## {words}\n" not in page] == []


def test_the_help_of_every_command_has_an_example(commands: dict[str, click.Command]):
    silent = [words for words, command in commands.items() if "Example" not in (command.help or command.epilog or "")]
    assert silent == []


def test_every_variable_of_the_product_is_on_the_page_of_variables(repository: Path, sources: dict[str, object]):
    texts = [(repository / name).read_text("utf-8") for name in sources]
    known = {name for text in texts for name in re.findall(r"\bTALENTVERSE_[A-Z_]*[A-Z]\b", text)}
    page = (repository / "docs" / "reference" / "environment.md").read_text("utf-8")
    assert sorted(name for name in known if f"`{name}`" not in page) == []


def documents(repository: Path) -> list[Path]:
    return [repository / "README.md", repository / "CHANGELOG.md", *sorted((repository / "docs").rglob("*.md"))]


def test_links_between_documents_lead_somewhere(repository: Path):
    broken = [
        f"{page.relative_to(repository)}: {link}"
        for page in documents(repository)
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []


FORBIDDEN_FILE = "tests/security/__init__.py"  # ADR 0010 names it because it must not exist
ROOMS = ("", "odata_server", "security/authority", "talent_hub_adapter", "docs/reference")


def test_files_named_in_documents_exist(repository: Path):
    named = re.compile(
        r"`([\w-]+(?:/[\w-]+)*\.py|(?:docs|examples|entities|security|integration|odata_server)/[\w./-]*)`"
    )
    missing = [
        f"{page.relative_to(repository)}: {path}"
        for page in documents(repository)
        for path in named.findall(page.read_text("utf-8"))
        if path != FORBIDDEN_FILE and not any((repository / room / path).exists() for room in ROOMS)
    ]
    assert missing == []


def test_modules_and_functions_named_in_the_architecture_exist(repository: Path):
    page = (repository / "docs" / "architecture.md").read_text("utf-8")
    named = re.findall(r"`((?:[a-z_]+\.)+\w+)(?:\([^`]*\))?`", page)
    assert len(named) > 20
    assert [name for name in named if not name.endswith((".py", ".json")) and not exists(name)] == []


def exists(name: str) -> bool:
    """Whether a dotted name leads to a module, class, function or method, seen from the top or from the server."""
    return any(resolves(f"{prefix}{name}") for prefix in ("", "odata_server."))


def resolves(name: str) -> bool:
    words = name.split(".")
    for count in range(len(words), 0, -1):
        module = ".".join(words[:count])
        try:
            found: object = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        for word in words[count:]:
            if not hasattr(found, word):
                return False
            found = getattr(found, word)
        return True
    return False


@pytest.mark.parametrize("name", ["security.nobody.knows", "engine.database.Base", "nowhere.at_all"])
def test_a_name_that_leads_nowhere_is_found(name: str):
    assert not exists(name)


def test_decisions_are_in_the_index(repository: Path):
    folder = repository / "docs" / "adr"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    listed = re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", (folder / "README.md").read_text("utf-8"), re.MULTILINE)
    assert listed == records


def test_decisions_are_one_page_with_a_status(repository: Path):
    for record in (repository / "docs" / "adr").glob("[0-9]*.md"):
        text = record.read_text("utf-8")
        assert text.startswith(f"# {record.name[:4]}: "), record.name
        assert re.search(r"^Status: (accepted|superseded by \d{4})$", text, re.MULTILINE), record.name
        assert len(text.splitlines()) <= 70, record.name


def test_decisions_cited_in_the_code_exist(repository: Path, sources: dict[str, object]):
    folder = repository / "docs" / "adr"
    cited = {
        (name, number)
        for name in sources
        for number in re.findall(r"\bADR (\d{4})\b", (repository / name).read_text("utf-8"))
    }
    assert cited
    assert [found for found in sorted(cited) if not list(folder.glob(f"{found[1]}-*.md"))] == []


def test_documents_are_executed_or_marked_as_shown_only(repository: Path):
    shown = {"text", "json", "yaml", "http", "sql", "xml", "toml"}
    run = {"python", "bash", "console", "javascript"}
    fences = [
        (page.relative_to(repository).as_posix(), language)
        for page in documents(repository)
        for language in re.findall(r"^ *```(\S*)\n.*?^ *```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    ]
    unknown = [found for found in fences if found[1] not in run | shown and "adr/" not in found[0]]
    assert unknown == []
    assert {language for _, language in fences} >= run
