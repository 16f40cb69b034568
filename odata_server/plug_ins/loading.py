"""The plug-in packages that are installed beside the server: distributions with an entry point of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import TracebackType
from typing import Final

from entities.metadata.custom_apis import AllowedSteps
from entities.plugins import Mode, Plugin, PluginApi, PluginFunction, PluginStep

GROUP: Final = "talentverse.plugins"
"""The group of entry points; each names an object of `entities.plugins.Plugin`."""


class PackageError(Exception):
    """A plug-in package cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package: its distribution's name and version, and what it registers."""

    name: str
    version: str
    plugin: Plugin

    def __str__(self) -> str:
        steps, apis = len(self.plugin.steps), len(self.plugin.custom_apis)
        return f"{self.name} {self.version} (steps: {steps}, custom APIs: {apis})"


def installed_packages() -> tuple[Package, ...]:
    """Load the installed packages, in the order of their names.

    Raises:
        PackageError: one cannot be loaded, or two of them do not fit together.
    """
    found = sorted(entry_points(group=GROUP), key=lambda point: (_distribution(point)[0], point.name))
    return checked(_loaded(point) for point in found)


def checked(packages: Iterable[Package]) -> tuple[Package, ...]:
    """Return packages that fit together.

    Raises:
        PackageError: two of them have a custom API of one name, or one has a step where another allows none.
    """
    found = tuple(packages)
    owners: dict[str, tuple[Package, PluginApi]] = {}
    for package in found:
        for api in package.plugin.custom_apis:
            if api.name in owners:
                raise PackageError(f"The custom API {api.name} is in {owners[api.name][0].name} and in {package.name}.")
            owners[api.name] = (package, api)
    for package in found:
        for step in package.plugin.steps:
            owner, declared = owners.get(step.message, (package, None))
            if declared is not None and owner is not package and not _allows(declared.allowed_steps, step):
                raise PackageError(f"{owner.name} does not allow the step '{step.name}' of {package.name}.")
    return found


def functions_of(packages: Iterable[Package]) -> Mapping[str, PluginFunction]:
    """Return the functions of packages by the names of their plug-in types."""
    return {name: function for package in packages for name, function in package.plugin.functions().items()}


def _allows(allowed: AllowedSteps, step: PluginStep) -> bool:
    return allowed is AllowedSteps.ALL or (allowed is AllowedSteps.ASYNCHRONOUS and step.mode is Mode.ASYNCHRONOUS)


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist is not None else (point.module, "0")


def _loaded(point: EntryPoint) -> Package:
    name, version = _distribution(point)
    with _Loading(name):
        plugin = point.load()
    if not isinstance(plugin, Plugin):
        raise PackageError(f"The plug-in package {name} names {point.value}, which is no Plugin.")
    return Package(name, version, plugin)


class _Loading:
    """Turns whatever the code of a package raises while it is imported into a refusal that names the package."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, Exception | SystemExit):
            reason = f"{type(error).__name__}: {error}"
            raise PackageError(f"The plug-in package {self._name} cannot be loaded: {reason}") from error
