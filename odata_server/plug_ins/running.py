"""The functions of plug-in packages at work: as steps of the event pipeline, as custom APIs, as background jobs.

A function ends its message by `InvalidPluginExecution`, or by a refusal of the organization that it lets through.
Whatever else it raises is an error of its code: 400 for the caller, a traceback in the log.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, cast

import structlog

from entities.errors import DataverseError, NotSupported, StepRejected
from entities.messages import Delete, Execute, name_of, table_of
from entities.metadata.columns import LookupType
from entities.pipeline import CUSTOM_ASYNC, CUSTOM_SYNC, ExecutionContext, Operations, Stage, Step
from entities.plugins import (
    InvalidPluginExecution,
    Mode,
    PluginContext,
    PluginFunction,
    PluginStep,
    Service,
    type_name,
)
from entities.standard.kept_values import kept, restored
from entities.standard.system_jobs import JOB_TABLE, SystemJob, queue
from entities.values import EntityReference, Guid
from odata_server.engine.jobs import JobFailed
from odata_server.engine.organization import OrganizationService
from odata_server.plug_ins.api_values import checked_result, given_parameters
from odata_server.plug_ins.changes import check_changes
from odata_server.plug_ins.loading import Package, functions_of
from odata_server.plug_ins.traces import Trace

PLUG_IN_JOB: Final = "plug-in step"
_SYSTEM_EVENT: Final = 1
_UNEXPECTED: Final = "0x80040224"
_CANNOT_LOAD: Final = "0x80044190"
_FAR: Final = 1_000_000
"""Functions of packages run around the rules of the standard tables: what they change before is checked by these."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PlugIns:
    """What the installed packages do in one environment.

    `note` takes what their functions trace, `system` is the user that has every right.
    """

    packages: tuple[Package, ...]
    note: Callable[[Trace], None]
    system: Guid

    def steps(self) -> tuple[Step, ...]:
        """Return the steps of the packages."""
        return tuple(self._step(step) for package in self.packages for step in package.plugin.steps)

    def _step(self, step: PluginStep) -> Step:
        later = step.mode is Mode.ASYNCHRONOUS
        return Step(
            step.message,
            step.table,
            step.stage,
            partial(self._queue, step) if later else partial(self._run, step.function, step.stage),
            step.rank + _FAR if step.stage is Stage.POST_OPERATION else step.rank - _FAR,
            frozenset(step.filtering),
            pre_image=None if step.pre_image is None else tuple(step.pre_image),
            post_image=None if step.post_image is None else tuple(step.post_image),
            custom=frozenset({CUSTOM_ASYNC if later else CUSTOM_SYNC}),
        )

    def main(self, context: ExecutionContext) -> None:
        """Do the main operation of a custom API; one without a plug-in type does nothing.

        Raises:
            NotSupported: there is no custom API of this name.
            StepRejected: its plug-in type is not installed.
            DataverseError: its function refuses.
        """
        name = name_of(context.message)
        api = context.system.catalog.custom_apis.get(name)
        if api is None:
            raise NotSupported(f"The operation '{name}' is not available in this version of Talentverse.")
        if not api.plug_in_type:
            return
        function = functions_of(self.packages).get(api.plug_in_type)
        if function is None:
            raise StepRejected(f"Unable to load plug-in type '{api.plug_in_type}'.", code=_CANNOT_LOAD)
        context.parameters = given_parameters(api, context.parameters)
        self._run(function, Stage.MAIN, context)
        context.result = checked_result(api, context.result, context.system.catalog)

    def _run(self, function: PluginFunction, stage: Stage, context: ExecutionContext) -> None:
        seen, before = self._seen(context, stage), dict(context.record)
        with _Running(type_name(function), table_of(context.message), seen, self.note):
            function(seen)
            if stage is not Stage.POST_OPERATION:
                check_changes(context, before)
        if isinstance(context.message, Execute) and seen.output_parameters:
            context.result = seen.output_parameters

    def run_job(self, dataverse: OrganizationService, payload: Mapping[str, object]) -> None:
        """Run a step in asynchronous mode, in a transaction of its own.

        Args:
            dataverse: the environment.
            payload: what `_queue` wrote.

        Raises:
            JobFailed: the function refuses, fails or is not installed any more; it is not tried again.
        """
        name = str(payload["type"])
        function = functions_of(self.packages).get(name)
        if function is None:
            raise JobFailed(f"Unable to load plug-in type '{name}'.", code=_CANNOT_LOAD)
        given = cast("dict[str, Any]", restored(payload["context"]))
        given |= {"stage": Stage(given["stage"]), "mode": Mode(given["mode"])}
        user = Guid(str(given["user_id"]))
        try:
            with dataverse.changing() as transaction:
                transaction.depth = int(str(given["depth"]))
                services = self._services(transaction, user)
                seen = PluginContext(**given, user=services[0], system=services[1])
                table = seen.reference.table if seen.reference else None
                with _Running(name, table, seen, self.note):
                    function(seen)
        except DataverseError as refusal:
            raise JobFailed(refusal.message, code=refusal.code) from refusal

    def _seen(self, context: ExecutionContext, stage: Stage) -> PluginContext:
        """Return what a function sees of a message."""
        operations, user_id = context.system, context.caller.user_id
        user, system = self._services(operations, user_id)
        return PluginContext(
            message_name=name_of(context.message),
            stage=stage,
            mode=Mode.SYNCHRONOUS,
            depth=max(operations.depth, 1),
            user_id=user_id,
            reference=context.reference,
            target=context.record,
            input_parameters=context.parameters,
            output_parameters=dict(context.result or {}),
            pre_images=context.pre_images,
            post_images=context.post_images,
            shared_variables=context.shared,
            user=user,
            system=system,
        )

    def _queue(self, step: PluginStep, context: ExecutionContext) -> None:
        """Put the work of a step on the durable queue, with what its function will see."""
        seen = self._seen(context, step.stage)
        given = {
            "message_name": seen.message_name,
            "stage": step.stage.value,
            "mode": Mode.ASYNCHRONOUS.value,
            "depth": seen.depth,
            "user_id": seen.user_id,
            "reference": seen.reference,
            "target": seen.target,
            "input_parameters": seen.input_parameters,
            "output_parameters": seen.output_parameters,
            "pre_images": seen.pre_images,
            "post_images": seen.post_images,
            "shared_variables": seen.shared_variables,
        }
        payload = {"type": type_name(step.function), "context": kept(given)}
        table, regarding = table_of(context.message), _regarding(context)
        job = SystemJob(step.name, seen.message_name, _SYSTEM_EVENT, regarding, primary_table=table, depth=seen.depth)
        queue(context, PLUG_IN_JOB, payload, job)

    def _services(self, operations: Operations, user: Guid) -> tuple[Service, Service]:
        """Return the organization as a user sees it, and as the system does."""
        return (
            Service(lambda message: operations.execute_as(message, user)),
            Service(lambda message: operations.execute_as(message, self.system)),
        )


def _regarding(context: ExecutionContext) -> EntityReference | None:
    """Return the record that a job is about, where the row of a job can name it."""
    column = context.system.catalog.tables[JOB_TABLE].by_name["regardingobjectid"]
    assert isinstance(column.type, LookupType)
    found = context.reference
    if found is None or isinstance(context.message, Delete) or found.table not in column.type.targets:
        return None
    return found


class _Running:
    """The run of a function: notes its trace, and turns errors of its code into refusals."""

    def __init__(self, name: str, table: str | None, seen: PluginContext, note: Callable[[Trace], None]) -> None:
        self._name = name
        self._table = table
        self._seen = seen
        self._note = note
        self._started = datetime.now(UTC)
        self._clock = time.monotonic()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        swallowed = error is None and (self._seen.user.failed or self._seen.system.failed)
        told = "".join(traceback.format_exception(error)) if error is not None else ""
        self._note(self._trace(_NO_TRANSACTION if swallowed else told))
        if swallowed:
            raise InvalidPluginExecution(_NO_TRANSACTION)
        if isinstance(error, DataverseError):
            error.message = _writable(str(error.message))
            return
        if not isinstance(error, Exception | SystemExit):
            return
        _log.error("plug-in failed", plug_in=self._name, message=self._seen.message_name, traceback=told)
        shown = _writable("".join(traceback.format_exception_only(error)).strip())
        raise StepRejected(
            "An unexpected error occurred from ISV code. (ErrorType = ClientError) Unexpected exception from plug-in "
            f"(Execute): {self._name}: {shown}",
            code=_UNEXPECTED,
        ) from error

    def _trace(self, error: str) -> Trace:
        seen = self._seen
        spent = round((time.monotonic() - self._clock) * 1000)
        text = "\n".join(map(str, seen.traces))
        return Trace(
            self._name, seen.message_name, self._table, seen.mode, seen.depth, self._started, spent, text, error
        )


def _writable(text: str) -> str:
    """Return a text that UTF-8 can write."""
    return text.encode("utf-8", "replace").decode()


_NO_TRANSACTION: Final = (
    "There is no active transaction. This error is usually caused by custom plug-ins that ignore errors from service"
    " calls and continue processing."
)
