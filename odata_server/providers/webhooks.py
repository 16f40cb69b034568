"""Webhooks at work: registered steps as steps of the event pipeline, and the request that each of them sends.

A synchronous step sends inside the transaction of its message, which fails with it. An asynchronous step puts the
request on the durable queue in that transaction, and a job sends it (Learn: "Use webhooks to create external handlers
for server events").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, TypeAlias

import orjson
import requests
from urllib3.exceptions import HTTPError

from entities.errors import StepRejected
from entities.messages import RetrieveMultiple, Rows, name_of
from entities.metadata.catalog import Catalog
from entities.pipeline import CUSTOM_ASYNC, CUSTOM_SYNC, ExecutionContext, Handler, Pipeline, Stage, Step, pipeline
from entities.query import QueryExpression, equals
from entities.standard.operations import REGARDED
from entities.standard.registration_rules import known_columns
from entities.standard.remote_context import remote_context
from entities.standard.sdk_messages import RECORD_EVENTS, takes_steps
from entities.standard.step_registration import ASYNCHRONOUS, ENABLED, POST_IMAGE, PRE_IMAGE
from entities.standard.system_jobs import AUTO_DELETE, SystemJob, queue
from entities.standard.webhooks import LARGEST, Endpoint, Event, Registered, Sender, request_headers, without_long_parts
from entities.values import EntityReference, Guid, Record
from odata_server.engine.identifiers import sequential_id
from odata_server.engine.jobs import ATTEMPTS, JobFailed
from odata_server.engine.organization import OrganizationService
from odata_server.engine.registered_steps import LoadSteps, ReadRecords

WEBHOOK_JOB: Final = "webhook"
TIMED_OUT: Final = "0x80050202"

_STEP: Final = "sdkmessageprocessingstep"
_IMAGE: Final = "sdkmessageprocessingstepimage"
_TABLES: Final = frozenset({_STEP, _IMAGE, "sdkmessage", "sdkmessagefilter", "serviceendpoint"})
_SYSTEM_EVENT: Final = 1
_CONNECT_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 60.0
_ONCE_MORE: Final = frozenset({502, 503, 504})
"""Learn: "Use webhooks", troubleshooting: one more attempt after these answers, and after no others."""

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str]], int]
"""Sends a body to a URL and returns the status of the answer, or raises WebhookFailed."""


class WebhookFailed(Exception):
    """A call of a webhook that did not succeed, with Dataverse's number of the error.

    `status` is that of the answer, None where there was none.
    """

    def __init__(self, text: str, code: str, status: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.status = status


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a body and return the status of the answer, whose body nobody reads.

    Raises:
        WebhookFailed: nobody answered, or not in time.
    """
    try:
        with requests.Session() as session:
            # The environment's proxies and passwords are those of the user, not of the organization.
            session.trust_env = False
            with session.post(
                url,
                data=body,
                headers=dict(headers),
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return answer.status_code
    except requests.Timeout as error:
        raise WebhookFailed(
            "The webhook call failed because the Http request timed out at client side. Please check your webhook "
            "request handler.",
            TIMED_OUT,
        ) from error
    except (requests.RequestException, HTTPError) as error:
        raise WebhookFailed(
            "The webhook call failed during http post. Please check the exception for more details. "
            f"{type(error).__name__}",
            "0x80050205",
        ) from error


@dataclass(frozen=True, slots=True)
class Letter:
    """A request to a webhook before it is addressed: its body and the headers that tell what it is about."""

    body: bytes
    headers: Mapping[str, str]


def letter(context: ExecutionContext, step: Registered, sender: Sender, event: Event) -> Letter:
    """Return what a webhook is told of a message; what is too long is left out."""
    told = remote_context(context, step, sender, event)
    table = str(told["PrimaryEntityName"])
    headers = request_headers(sender, table, name_of(context.message), event)
    body = orjson.dumps(told, default=_exact)
    if len(body) > LARGEST:
        body = orjson.dumps(without_long_parts(told), default=_exact)
        headers["x-ms-dynamics-msg-size-exceeded"] = "true"
    return Letter(body, headers)


def _exact(value: object) -> object:
    return orjson.Fragment(format(value, "f"))


def deliver(endpoint: Endpoint, sent: Letter, send: Post) -> None:
    """Call a webhook once.

    Raises:
        WebhookFailed: it did not answer with success.
    """
    deliver_to(endpoint.target(), Letter(sent.body, {**sent.headers, **endpoint.headers()}), send)


def deliver_to(url: str, sent: Letter, send: Post) -> None:
    """Send a request to a URL once.

    Raises:
        WebhookFailed: nobody answered with success.
    """
    status = send(url, sent.body, sent.headers)
    if status not in range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES):
        raise WebhookFailed(
            "The webhook call failed because the http request received non-success httpStatus code. Please check your "
            f"webhook request handler. Status code: {status}.",
            "0x80050201",
            status,
        )


StepOfType: TypeAlias = Callable[[str, Step, int], Step]
"""Gives the function of a plug-in type, by its name, as a step at a place and in a mode."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """What steps that rows register do: call webhooks for an organization, or run functions of plug-in types."""

    sender: Sender
    of_type: StepOfType
    send: Post = post


def registered_steps(handlers: Handlers) -> LoadSteps:
    """Return what reads the registered steps of an organization.

    Args:
        handlers: what the steps do.
    """

    def load(catalog: Catalog, records: ReadRecords) -> Pipeline | None:
        if not catalog.tables.keys() >= _TABLES:
            return None
        rows = records(QueryExpression(_STEP, filter=equals("statecode", ENABLED)))
        found = [step for row in rows for step in _steps(row, catalog, records, handlers)]
        return pipeline(*found) if found else None

    return load


def _steps(row: Record, catalog: Catalog, records: ReadRecords, handlers: Handlers) -> list[Step]:
    """Return the steps of one registration: one per table."""
    images = tuple(_image(image) for image in records(QueryExpression(_IMAGE, filter=equals(f"{_STEP}id", _own(row)))))
    place = _place(row, catalog, records, {kind for _, kind, _ in images})
    handler, mode = row["eventhandler"], int(str(row["mode"]))
    target = _row(records, handler)
    if isinstance(handler, EntityReference) and handler.table == "plugintype":
        step = handlers.of_type(str(target["typename"]), place, mode)
    else:
        step = replace(place, handler=_handler(_registered(row, target, images), handlers))
    if place.table is not None or place.message not in RECORD_EVENTS:
        return [step]
    return [replace(step, table=name) for name, found in catalog.tables.items() if takes_steps(found)]


def _place(row: Record, catalog: Catalog, records: ReadRecords, kinds: set[int]) -> Step:
    """Return where a step is registered, with its filter and the images it gets, before anything is done there."""
    table: str | None = None
    if row["sdkmessagefilterid"] is not None:
        table = str(_row(records, row["sdkmessagefilterid"])["primaryobjecttypecode"])
    of_table = catalog.tables.get(table or "")
    return Step(
        str(_row(records, row["sdkmessageid"])["name"]),
        table,
        Stage(int(str(row["stage"]))),
        lambda _context: None,
        int(str(row["rank"])),
        known_columns(str(row["filteringattributes"] or ""), of_table) if of_table else frozenset(),
        () if kinds - {POST_IMAGE} else None,
        () if kinds - {PRE_IMAGE} else None,
        frozenset({CUSTOM_ASYNC if row["mode"] else CUSTOM_SYNC, str(row[f"{_STEP}id"])}),
    )


def _own(row: Record) -> EntityReference:
    return EntityReference(_STEP, Guid(str(row[f"{_STEP}id"])))


def _row(records: ReadRecords, reference: object) -> Record:
    """Return the record of a lookup that must have a value."""
    assert isinstance(reference, EntityReference)
    return records(QueryExpression(reference.table, filter=equals(f"{reference.table}id", reference.id)))[0]


def _registered(row: Record, endpoint: Record, images: tuple[tuple[str, int, frozenset[str]], ...]) -> Registered:
    user = row["impersonatinguserid"]
    return Registered(
        _own(row).id,
        str(row["name"]),
        Guid(str(endpoint["serviceendpointid"])),
        endpoint_of(endpoint),
        int(str(row["mode"])),
        int(str(row["stage"])),
        bool(row["asyncautodelete"]),
        user.id if isinstance(user, EntityReference) else None,
        images,
    )


def endpoint_of(row: Record) -> Endpoint:
    """Return where the webhook of a service endpoint is."""
    return Endpoint(str(row["url"]), int(str(row["authtype"])), str(row["authvalue"]))


def _image(row: Record) -> tuple[str, int, frozenset[str]]:
    columns = frozenset(name.strip().lower() for name in str(row["attributes"] or "").split(",") if name.strip())
    return str(row["entityalias"]), int(str(row["imagetype"])), columns


def _handler(step: Registered, handlers: Handlers) -> Handler:
    def post_now(context: ExecutionContext) -> None:
        event = Event(sequential_id(), sequential_id())
        try:
            _deliver_with_second_try(step.endpoint, letter(context, step, handlers.sender, event), handlers.send)
        except WebhookFailed as failed:
            raise StepRejected(failed.text, code=failed.code) from failed

    def post_later(context: ExecutionContext) -> None:
        event = Event(sequential_id(), sequential_id())
        sent = letter(context, step, handlers.sender, event)
        payload = {
            "endpoint": step.endpoint_id,
            "headers": dict(sent.headers),
            "body": sent.body.decode(),
            AUTO_DELETE: step.auto_delete,
        }
        queue(context, WEBHOOK_JOB, payload, _system_job(context, step, event))

    return post_later if step.mode == ASYNCHRONOUS else post_now


def _deliver_with_second_try(endpoint: Endpoint, sent: Letter, send: Post) -> None:
    try:
        deliver(endpoint, sent, send)
    except WebhookFailed as failed:
        if failed.status not in _ONCE_MORE:
            raise
        deliver(endpoint, sent, send)


def _system_job(context: ExecutionContext, step: Registered, event: Event) -> SystemJob:
    reference, message = context.reference, name_of(context.message)
    is_there = reference is not None and reference.table in REGARDED and message != "Delete"
    return SystemJob(
        step.name,
        message,
        _SYSTEM_EVENT,
        reference if is_there else None,
        primary_table=reference.table if reference else None,
        step=EntityReference(_STEP, step.id),
        correlation_id=event.correlation_id,
        depth=max(context.system.depth, 1),
    )


def send_letter(dataverse: OrganizationService, payload: Mapping[str, object], send: Post = post) -> None:
    """Do the job of an asynchronous step: call its webhook.

    Args:
        dataverse: the environment, which says where the webhook is now.
        payload: `endpoint`, `headers` and `body`.
        send: how a webhook is called.

    Raises:
        JobFailed: the webhook did not take it. After an answer that speaks of a bad connection it is sent once more,
            where nobody answered at all as often as any job is tried, and after another answer not again.
    """
    headers = payload["headers"]
    assert isinstance(headers, dict)
    key = equals("serviceendpointid", Guid(str(payload["endpoint"])))
    found = dataverse.execute(RetrieveMultiple(QueryExpression("serviceendpoint", filter=key)), dataverse.system)
    assert isinstance(found, Rows)
    if not found.records:
        raise JobFailed("The service endpoint of the step does not exist any more.", code="0x80040217")
    try:
        deliver(endpoint_of(found.records[0]), Letter(str(payload["body"]).encode(), headers), send)
    except WebhookFailed as failed:
        raise JobFailed(failed.text, code=failed.code, attempts=attempts_after(failed)) from failed


def attempts_after(failed: WebhookFailed) -> int:
    """Return how often a request may be sent that went wrong this way, this time counted."""
    if failed.status is not None:
        return 2 if failed.status in _ONCE_MORE else 1
    return 1 if failed.code == TIMED_OUT else ATTEMPTS
