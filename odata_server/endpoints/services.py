"""What the doors need of the world, as one frozen value made by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from entities.messages import Create, Message, Response, Update, Upsert, Written
from entities.metadata.catalog import Catalog
from entities.values import Guid
from odata_server.bind.query import BoundRow, BoundRows
from odata_server.edm.representation import RowShape
from odata_server.endpoints.cache import BoundCache
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.protection.gate import Gates, open_gates
from odata_server.endpoints.v2_state import OrganizationData
from odata_server.render.definitions import KeptDefinitions
from security.authenticate import Validator
from security.directory import Directory
from security.principals import Principal


class Organization(Protocol):
    """An environment as the doors see it (`odata_server.engine.organization.OrganizationService`)."""

    organization_id: Guid

    @property
    def directory(self) -> Directory:
        """The principals as they are now."""
        ...

    @property
    def catalog(self) -> Catalog:
        """The metadata as it is now."""
        ...

    @property
    def members(self) -> Directory:
        """The principals as they were when somebody asked for the catalog last: a request looks once."""
        ...

    def execute(self, message: Message, principal: Principal, *, shape: RowShape | None = None) -> Response:
        """Execute one message or raise a DataverseError."""
        ...

    def execute_multiple(
        self, changes: Sequence[Create | Update | Upsert], principal: Principal
    ) -> tuple[Written, ...]:
        """Make and change records of one table: all of them, or none."""
        ...

    def unit_of_work(self) -> AbstractContextManager[Organization]:
        """Give this environment inside one transaction, which is committed when the block ends."""
        ...


ReadDefinitions: TypeAlias = Callable[[frozenset[str]], Catalog]
"""Gives the definitions to a caller who may read the named parts of them."""

MetadataHandler: TypeAlias = Callable[[ODataRequest, tuple[str, ...], ReadDefinitions], ODataResponse]
"""Answers the service document (no segments), `$metadata` and the definitions."""


@dataclass(frozen=True, slots=True)
class Services:
    """Environments, the token check, names of this server, clock and identifiers.

    Attributes:
        dataverse: the Dataverse environment.
        human_resources: the Human Resources environment.
        validator: the check of access tokens.
        tenant_id: the tenant whose authority the challenge of a 401 names.
        audiences: the URLs and ids by which a token may name the Web API; `finance_audiences` those of `/data`.
        hosts: the host names (without port, lower case) that this server answers to.
        default_company: the company in which a Human Resources principal works.
        now: seconds since 1970-01-01 UTC.
        new_id: a fresh identifier per request.
        metadata, finance_metadata: what answers service documents, `$metadata` and definitions.
        definitions: the definitions of the newest catalog.
        rows, row: queries bound before, by exact text.
        max_body: the longest request body in bytes.
        organization_data: what the Organization Data Service keeps, its mode among it.
        gates: count what each user asks.
        of_a_batch: whether the answers are parts of the answer to a batch, which says much for all of them.
    """

    dataverse: Organization
    human_resources: Organization
    validator: Validator
    tenant_id: str
    audiences: frozenset[str]
    finance_audiences: frozenset[str]
    hosts: frozenset[str]
    default_company: Callable[[Principal], str]
    now: Callable[[], float]
    new_id: Callable[[], str]
    metadata: MetadataHandler
    finance_metadata: MetadataHandler
    definitions: KeptDefinitions = field(default_factory=KeptDefinitions)
    rows: BoundCache[BoundRows] = field(default_factory=BoundCache)
    row: BoundCache[BoundRow] = field(default_factory=BoundCache)
    max_body: int = 128 * 1024 * 1024
    organization_data: OrganizationData = field(default_factory=OrganizationData)
    gates: Gates = field(default_factory=open_gates)
    of_a_batch: bool = False

    def answers_to(self, host: str) -> bool:
        """Tell whether a host, with or without port, is this server (an IPv6 address stands in brackets)."""
        name = host.lower()
        return name.strip("[]") in self.hosts or name.rpartition(":")[0].strip("[]") in self.hosts
