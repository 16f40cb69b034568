"""The organization that the engine's tests work in: the standard tables, a table of gadgets, a root unit and a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from databases import open_database

from entities.messages import Create, Retrieve, Rows, Written
from entities.metadata.catalog import Catalog, catalog
from entities.metadata.declare import (
    audit_columns,
    boolean,
    choice,
    date_only,
    decimal,
    integer,
    lookup,
    money,
    options,
    owner_columns,
    primary_id,
    state_and_status,
    string,
    unique_identifier,
    version_column,
    with_ids,
)
from entities.metadata.labels import label
from entities.metadata.relationships import Cascade, CascadeConfiguration, ManyToMany, OneToMany
from entities.metadata.tables import AlternateKey, Ownership, Table, TableKind
from entities.pipeline import Caller, Step, pipeline
from entities.standard.environment import standard_catalog
from entities.values import EntityReference, Guid, Record, Value
from odata_server.engine.database import Database, Durability, quoted
from odata_server.engine.organization import OrganizationService, Parts
from security.principals import EveryPrivilege, Principal

ORGANIZATION = Guid("0a000000-0000-4000-8000-000000000001")
UNIT = EntityReference("businessunit", Guid("0a000000-0000-4000-8000-000000000002"))
SYSTEM_USER = EntityReference("systemuser", Guid("0a000000-0000-4000-8000-000000000003"))
USER = EntityReference("systemuser", Guid("0a000000-0000-4000-8000-000000000004"))
MISSING = Guid("0a000000-0000-4000-8000-0000000000ff")

SYSTEM = Principal(Caller(SYSTEM_USER.id, UNIT.id, "SYSTEM"), 0, False, 1, {}, is_system=True)
CALLER = Principal(Caller(USER.id, UNIT.id, "Caller"), 0, False, 1, EveryPrivilege(0, lambda: iter(())))

GADGET = with_ids(
    Table(
        "gadget",
        "Gadget",
        "gadgets",
        10_001,
        "gadgetid",
        "name",
        (
            primary_id("GadgetId"),
            string("Name", 20),
            string("Code", 10),
            string("Serial", autonumber="G-{SEQNUM:5}"),
            integer("Size", minimum=0, maximum=100),
            integer("Shelf"),
            boolean("IsNew", default=True),
            choice("Color", options("Red", "Green", first=5), default=6),
            money("Price"),
            decimal("Ratio", precision=10),
            date_only("SoldOn"),
            lookup("Maker", "account"),
            lookup("Keeper", "contact"),
            lookup("SecondKeeper", "contact"),
            lookup("Seller", "account"),
            lookup("Partner", "account", "contact"),
            lookup("Whole", "gadget"),
            *state_and_status(("Active", ((1, "Active"), (3, "Paused"))), ("Inactive", ((2, "Inactive"),))),
            *owner_columns(),
            *audit_columns(),
        ),
        label("Gadget"),
        label("Gadgets"),
        ownership=Ownership.USER,
        keys=(
            AlternateKey("codekey", ("code",), display_name=label("Code key")),
            AlternateKey("placekey", ("size", "shelf"), display_name=label("Place key")),
        ),
    )
)
PAIRS = with_ids(
    Table(
        "gadget_contact",
        "gadget_contact",
        "gadget_contacts",
        10_002,
        "gadget_contactid",
        None,
        (
            primary_id("gadget_contactId"),
            unique_identifier("GadgetId"),
            unique_identifier("ContactId"),
            version_column(),
        ),
        label("Pair"),
        label("Pairs"),
        kind=TableKind.INTERSECT,
    )
)


def _many(
    column: str, referenced: str, on_delete: Cascade, collection: str = "", on_assign: Cascade = Cascade.NO_CASCADE
) -> OneToMany:
    navigation = f"{column}_{referenced}" if column == "partner" else column
    return OneToMany(
        f"{referenced}_gadget_{column}",
        referenced,
        f"{referenced}id",
        "gadget",
        column,
        navigation,
        collection or f"gadgets_{navigation}",
        CascadeConfiguration(assign=on_assign, delete=on_delete),
    )


RELATIONSHIPS = (
    _many("maker", "account", Cascade.REMOVE_LINK, on_assign=Cascade.ACTIVE),
    _many("seller", "account", Cascade.RESTRICT),
    _many("keeper", "contact", Cascade.CASCADE),
    _many("secondkeeper", "contact", Cascade.CASCADE),
    _many("partner", "account", Cascade.REMOVE_LINK, on_assign=Cascade.USER_OWNED),
    _many("partner", "contact", Cascade.REMOVE_LINK),
    _many("whole", "gadget", Cascade.CASCADE, "parts", Cascade.CASCADE),
    ManyToMany(
        "gadget_contact", "gadget_contact", "gadget", "gadgetid", "users", "contact", "contactid", "gadgets_used"
    ),
)


def gadget_catalog() -> Catalog:
    """Return the standard tables and the gadgets."""
    standard = standard_catalog(1)
    tables = (*standard.tables.values(), GADGET, PAIRS)
    return catalog(1, tables, (*standard.relationships.values(), *RELATIONSHIPS))


class Directory:
    """A directory that only knows the system."""

    def system(self) -> Principal:
        return SYSTEM

    def application_user(self, application_id: Guid, object_id: Guid | None) -> Principal:
        raise AssertionError

    def user(self, object_id: Guid | None, upn: str | None) -> Principal:
        raise AssertionError


def open_service(path: Path, *steps: Step) -> OrganizationService:
    """Open the organization with pipeline steps of the test's own."""
    parts = Parts(pipeline(*steps), lambda _database, _stamp: Directory(), frozenset({"role"}), {})
    return OrganizationService(open_database(path, Durability.NORMAL), parts)


class Office:
    """An organization with short ways to do and to see things."""

    def __init__(self, path: Path, *steps: Step) -> None:
        self.path = path
        self.service = open_service(path, *steps)

    def create(self, table: str, principal: Principal = CALLER, /, **record: Value) -> EntityReference:
        done = self.service.execute(Create(table, record), principal)
        assert isinstance(done, Written)
        return done.reference

    def read(self, reference: EntityReference) -> Record:
        found = self.service.execute(Retrieve(reference), SYSTEM)
        assert isinstance(found, Rows)
        return found.records[0]

    def dump(self) -> Mapping[str, list[tuple[object, ...]]]:
        return dump(self.service.database)

    def close(self) -> None:
        self.service.database.close()


OpenOffice = Callable[..., Office]


def dump(database: Database) -> Mapping[str, list[tuple[object, ...]]]:
    """Return the rows of every SQL table, internal ones included."""
    connection = database.reader()
    names = [str(name) for (name,) in connection.execute(database.dialect.schema_tables)]
    return {name: sorted(connection.execute(f"SELECT * FROM {quoted(name)}"), key=repr) for name in names}
