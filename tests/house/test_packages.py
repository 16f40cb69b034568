"""Arrows between packages, and where packages come from (ADR 0002, ADR 0010)."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest


def test_import_contracts_hold(repository: Path):
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["entities", "security", "integration", "odata_server", "talent_hub_adapter"])
def test_packages_are_imported_from_this_repository(name: str, repository: Path):
    found = importlib.import_module(name).__file__
    assert found == str(repository / name / "__init__.py")


def test_tests_are_not_a_package(repository: Path):
    assert list((repository / "tests").rglob("__init__.py")) == []


def test_every_package_ships_its_types(repository: Path):
    missing = [
        name for name in ("entities", "security", "odata_server") if not (repository / name / "py.typed").exists()
    ]
    assert missing == []
