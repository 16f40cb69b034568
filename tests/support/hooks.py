"""An environment whose registered steps call a program of the test, and short ways to register them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from listening import Heard, Listener

from entities.standard.sdk_messages import filter_id, filter_rows, message_id, message_rows
from entities.standard.webhooks import Sender
from entities.values import Guid
from odata_server.engine.environment import fill
from odata_server.engine.jobs import JobWorker
from odata_server.engine.organization import OrganizationService
from odata_server.environments import background_work
from odata_server.providers.background import report_job
from odata_server.providers.webhooks import Handlers, registered_steps

SENDER = Sender(Guid("0a000000-0000-4000-8000-000000000001"), "Contoso", "org.test:8443")
KEY = {"authtype": 4, "authvalue": "secret"}


def with_registration(service: OrganizationService) -> OrganizationService:
    """Return an environment over the same database that runs registered steps and knows the messages."""
    parts = replace(service._parts, registered=registered_steps(Handlers(SENDER, lambda _name, place, _mode: place)))
    made = OrganizationService(service.database, parts)
    fill(made, message_rows(["WhoAmI", "AddPrivilegesRole", "RetrieveVersion"]))
    fill(made, filter_rows(made.catalog.tables.values()))
    return made


@dataclass
class Hooks:
    """The Web API of an environment, its job worker, and the program that listens."""

    api: Any
    service: OrganizationService
    listener: Listener

    def __post_init__(self) -> None:
        work = background_work(self.service, self.service)
        self.worker = JobWorker(self.service.database, work, partial(report_job, self.service))
        self.usual = self.endpoint()

    def endpoint(self, path: str = "/hook", **members: object) -> str:
        body = {"name": "Hook", "contract": 8, "url": f"{self.listener.url}{path}", **KEY, **members}
        return self.api.created("serviceendpoints", **body)

    def step_body(self, message: str, table: str | None, endpoint: str, **members: object) -> dict[str, object]:
        body: dict[str, object] = {
            "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
            "sdkmessageid@odata.bind": f"/sdkmessages({message_id(message)})",
            "stage": 40,
            "mode": 1,
            "rank": 1,
        }
        if table is not None:
            body["sdkmessagefilterid@odata.bind"] = f"/sdkmessagefilters({filter_id(message, table)})"
        return body | members

    def step(self, message: str, table: str | None, endpoint: str | None = None, **members: object) -> str:
        body = self.step_body(message, table, endpoint or self.usual, **members)
        return self.api.created("sdkmessageprocessingsteps", **body)

    def run(self) -> list[Heard]:
        """Run every job that is due and return what the program was sent."""
        while self.worker.run_one():
            pass
        return self.listener.take()

    def forget(self) -> None:
        """Take all steps away."""
        for row in self.api.json("/sdkmessageprocessingsteps?$select=sdkmessageprocessingstepid")["value"]:
            self.api("DELETE", f"/sdkmessageprocessingsteps({row['sdkmessageprocessingstepid']})")
        self.listener.take()
        self.listener.statuses.clear()
