"""May this principal send this message? The answer is the message itself, narrowed to the rows it may touch.

`authorize` is pure: it reads the principal's grants and the catalog. What only the database can tell (is this record
among the rows, where does that owner live) is handed on as filters and checks that the engine applies inside the
transaction. The engine takes nothing but an `Authorized` message, and only this module makes one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar, assert_never, cast

from entities.errors import AccessDenied, ResourceNotFound
from entities.messages import (
    Associate,
    Create,
    Delete,
    Disassociate,
    Execute,
    Message,
    ReadMetadata,
    Retrieve,
    RetrieveChanges,
    RetrieveMultiple,
    Target,
    Update,
    Upsert,
    name_of,
)
from entities.metadata.catalog import Catalog, CollectionNavigation, LookupNavigation, ManyToManyNavigation
from entities.metadata.tables import Ownership, Table, TableKind
from entities.query import ALL_ROWS, Filter, both
from entities.values import EntityReference, EntityValue, KeyReference, Record, references_in
from security.denials import (
    message_not_supported,
    metadata_privilege_missing,
    owner_cannot_read,
    privilege_missing,
    read_only_user,
    table_privilege_missing,
)
from security.holders import holders
from security.named_records import bound_in, named_in, tables_told, target_of
from security.operation_privileges import (
    EXECUTE_BY_PRIVILEGE,
    EXECUTE_CHANGES,
    EXECUTE_ON_BOUND_ROW,
    EXECUTE_ON_TABLES,
    EXECUTE_REASSIGNS,
)
from security.principals import ADMINISTRATIVE, READ_ONLY, Principal, depth_held
from security.privileges import AccessRight, Depth, privilege_name, rights_of
from security.row_access import Narrowing, row_access
from security.sharing import grantee_rows, shared_in

OVERRIDE_CREATED_ON = "prvOverrideCreatedOnCreatedBy"
"""What it takes to say when a record was made (Learn: "Security roles and privileges", miscellaneous)."""

M = TypeVar("M", bound=Message)
M_co = TypeVar("M_co", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """A record that the message binds to: it must be among `rows` of its table, else `right` is denied on it."""

    target: Target
    right: AccessRight
    rows: Filter
    reason: str


@dataclass(frozen=True, slots=True)
class OwnerCheck:
    """Someone who gets the record, or access to it: a user or team among `rows`, those whose privileges allow it."""

    target: Target
    rows: Filter
    denial: AccessDenied


@dataclass(frozen=True, slots=True)
class Authorized(Generic[M_co]):
    """A message that may run.

    Attributes:
        message: the message; its query is narrowed already.
        principal: for whom.
        right: what the filter `rows` stands for, for the refusal's text.
        rows: the rows of the message's own table that a single-row operation may touch; a record that is made must
            be among them once it is stored (its owner decides).
        reasons: why, one line per table.
        targets: records the message binds to, to be checked in the transaction.
        owner: the owner the record gets when that is someone else, to be checked in the transaction.
    """

    message: M_co
    principal: Principal
    right: AccessRight = AccessRight.NONE
    rows: Filter = ALL_ROWS
    reasons: tuple[str, ...] = ()
    targets: tuple[TargetCheck, ...] = ()
    owner: OwnerCheck | None = None


def authorize(message: M, principal: Principal, catalog: Catalog) -> Authorized[M]:
    """Return the message as the principal may run it.

    Args:
        message: any message; names in it have been bound against `catalog`.
        principal: who asks; enabled and with roles, as the directory gives it.
        catalog: the catalog the message was bound with.

    Raises:
        AccessDenied: a privilege is missing; the text names it.
        InvalidOperation: the table does not have the message at all.
    """
    if principal.is_system:
        return Authorized(message, principal, reasons=("the system may do everything",))
    return cast("Authorized[M]", _authorize(message, principal, catalog))


def is_plain(message: Create) -> bool:
    """Tell a new record that points to none, belongs to its maker, is made now, and brings no others along.

    Whether it may be made depends on its table and its maker alone: what is decided about one holds for all of them.
    """
    record = message.record
    return not message.related and "overriddencreatedon" not in record and not references_in(record)


def _authorize(message: Message, principal: Principal, catalog: Catalog) -> Authorized[Message]:
    desk = _Desk(principal, catalog, name_of(message))
    match message:
        case RetrieveMultiple() | RetrieveChanges():
            return desk.query(message) if isinstance(message, RetrieveMultiple) else desk.changes(message)
        case Retrieve():
            return desk.retrieve(message)
        case Create():
            return desk.create(message)
        case Update(target, record) | Upsert(target, record):
            return desk.change(message, target.table, record)
        case Delete(target):
            return desk.on_rows(message, target.table, AccessRight.DELETE)
        case Associate(target, navigation, related) | Disassociate(target, navigation, related):
            return desk.relate(message, target, navigation, related)
        case Execute():
            return desk.execute(message)
        case ReadMetadata():
            return desk.read_metadata(message)
        case _:
            assert_never(message)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One message being judged: who sends it, over which catalog, under which name."""

    principal: Principal
    catalog: Catalog
    message_name: str

    def depth(self, table: Table, right: AccessRight) -> Depth:
        """Return how far a right reaches.

        Raises:
            AccessDenied: the principal does not hold it, or its access mode keeps it from it.
            InvalidOperation: the table has no such right.
        """
        if right not in rights_of(table):
            raise message_not_supported(table, self.message_name)
        if right is not AccessRight.READ and self.principal.access_mode == READ_ONLY:
            raise read_only_user(self.principal)
        depth = depth_held(self.principal, table, right)
        if depth is None or (self.principal.access_mode == ADMINISTRATIVE and _is_business_data(table)):
            raise table_privilege_missing(self.principal, table, right)
        return depth

    def read_depth(self, table: Table) -> Depth:
        """Return how far Read reaches."""
        return self.depth(table, AccessRight.READ)

    def rows(self, table: Table, right: AccessRight) -> tuple[Filter, str]:
        """Return the rows that a right reaches, and why."""
        if right is AccessRight.READ and (table.ownership is Ownership.NONE or table.kind is TableKind.INTERSECT):
            return self._readable(table)
        access = row_access(self.principal, table, right, self.depth(table, right))
        return access.filter, access.reason

    def _readable(self, table: Table) -> tuple[Filter, str]:
        """Return the rows of a table without privileges: pairs follow their ends, templates are open."""
        reasons: list[str] = []
        narrowing = Narrowing(self.principal, self.catalog, self.read_depth)
        return narrowing.rows(table.logical_name, "", reasons), "; ".join(reasons)

    def query(self, message: RetrieveMultiple) -> Authorized[Message]:
        """Authorize a query: Read on every table it touches, rows narrowed in each."""
        reasons: list[str] = []
        narrowed = Narrowing(self.principal, self.catalog, self.read_depth).query(message.query, reasons)
        allowed = message if narrowed is message.query else RetrieveMultiple(narrowed)
        return Authorized(allowed, self.principal, AccessRight.READ, reasons=tuple(reasons))

    def changes(self, message: RetrieveChanges) -> Authorized[Message]:
        """Authorize reading a table's changes: it takes Read on all rows (Learn: "Use change tracking …").

        What somebody may read can change without a change of the row, so changes could not tell it.
        """
        table = self.catalog.tables[message.query.table]
        rows, reason = self.rows(table, AccessRight.READ)
        if rows != ALL_ROWS:
            raise table_privilege_missing(self.principal, table, AccessRight.READ)
        return Authorized(message, self.principal, AccessRight.READ, reasons=(reason,))

    def retrieve(self, message: Retrieve) -> Authorized[Message]:
        """Authorize reading one record: Read on it, and on the tables of the records that come with it."""
        found = self.on_rows(message, message.target.table, AccessRight.READ)
        if not message.expansions:
            return found
        reasons = list(found.reasons)
        narrowing = Narrowing(self.principal, self.catalog, self.read_depth)
        allowed = replace(message, expansions=narrowing.expansions(message.expansions, reasons))
        return Authorized(allowed, self.principal, AccessRight.READ, found.rows, tuple(reasons))

    def read_metadata(self, message: ReadMetadata) -> Authorized[Message]:
        """Authorize reading definitions: one privilege per part."""
        for part in sorted(message.parts):
            if f"prvRead{part}" not in self.principal.grants:
                raise metadata_privilege_missing(self.principal, part)
        return Authorized(message, self.principal, AccessRight.READ, reasons=("definitions: organization-wide",))

    def on_rows(self, message: Message, name: str, *rights: AccessRight) -> Authorized[Message]:
        """Authorize an operation on one record that takes all of some rights on it."""
        table = self.catalog.tables[name]
        rows: Filter = ALL_ROWS
        reasons = []
        for right in rights:
            reached, reason = self.rows(table, right)
            rows = reached if reached == rows else both(rows, reached)
            reasons.append(f"{right.name}: {reason}")
        return Authorized(message, self.principal, rights[0], rows, tuple(reasons))

    def create(self, message: Create) -> Authorized[Message]:
        """Authorize a new record: Create, Append and AppendTo for what it binds to, Assign for another owner.

        Records that come with it need the same; who they belong to is known, and checked, when they are made.
        """
        for other in message.related:
            for new in other.made:
                self.create(new)
        table, record = self.catalog.tables[message.table], message.record
        if record.get("overriddencreatedon") is not None and OVERRIDE_CREATED_ON not in self.principal.grants:
            raise privilege_missing(self.principal, OVERRIDE_CREATED_ON)
        rows, reason = self.rows(table, AccessRight.CREATE)
        targets = self._targets(table, record)
        if targets:
            self.depth(table, AccessRight.APPEND)
        owner = self._other_owner(table, record)
        if owner is not None:
            self.depth(table, AccessRight.ASSIGN)
        return Authorized(message, self.principal, AccessRight.CREATE, rows, (reason,), targets, owner)

    def change(self, message: Message, name: str, record: Record) -> Authorized[Message]:
        """Authorize a changed record (and a new one, where an upsert may make it)."""
        table = self.catalog.tables[name]
        # Where records are never created by a message (user settings, the organization), an upsert can only change one.
        if isinstance(message, Upsert) and AccessRight.CREATE in rights_of(table):
            self.depth(table, AccessRight.CREATE)
        targets = self._targets(table, record)
        rights = [AccessRight.WRITE, *([AccessRight.APPEND] if targets else [])]
        if table.is_user_owned and record.get("ownerid") is not None:
            rights.append(AccessRight.ASSIGN)
        found = self.on_rows(message, name, *rights)
        owner = self._other_owner(table, record)
        return Authorized(message, self.principal, AccessRight.WRITE, found.rows, found.reasons, targets, owner)

    def _targets(self, table: Table, record: Record) -> tuple[TargetCheck, ...]:
        return tuple(self._target(target, AccessRight.APPEND_TO) for target in bound_in(table, record))

    def _target(self, target: Target, right: AccessRight) -> TargetCheck:
        rows, reason = self.rows(self.catalog.tables[target.table], right)
        return TargetCheck(target, right, rows, reason)

    def _other_owner(self, table: Table, record: Record) -> OwnerCheck | None:
        owner = record.get("ownerid") if table.is_user_owned else None
        if not isinstance(owner, EntityReference | KeyReference):
            return None
        if isinstance(owner, EntityReference) and owner.id == self.principal.caller.user_id:
            return None
        return owner_check(owner, table)

    def relate(self, message: Message, target: Target, navigation: str, related: Target | None) -> Authorized[Message]:
        """Authorize a new or ended relation.

        Over a many-to-many relationship it takes Append on both tables (Learn: "Security roles and privileges"),
        over a lookup Write and Append on the record that holds it and AppendTo on the other; giving a role to a user
        or team takes prvAssignRole.
        """
        near: tuple[AccessRight, ...]
        far: tuple[AccessRight, ...]
        found = self.catalog.navigation(target.table, navigation)
        match found:
            case ManyToManyNavigation(relationship=relationship, target=other):
                tables = (self.catalog.tables[target.table], self.catalog.tables[other])
                if relationship.intersect_table in ("systemuserroles", "teamroles"):
                    self.depth(self.catalog.tables["role"], AccessRight.ASSIGN)
                near, far = (AccessRight.APPEND,), (AccessRight.APPEND,)
                self.depth(tables[1], AccessRight.APPEND)
            case CollectionNavigation():
                near, far = (AccessRight.APPEND_TO,), (AccessRight.WRITE, AccessRight.APPEND)
                for right in far:
                    self.depth(self.catalog.tables[found.target], right)
            case LookupNavigation():
                near, far = (AccessRight.WRITE, AccessRight.APPEND), (AccessRight.APPEND_TO,)
            case None:
                raise ResourceNotFound(f"Resource not found for the segment '{navigation}'.")
            case _:
                assert_never(found)
        authorized = self.on_rows(message, target.table, *near)
        targets = () if related is None else tuple(self._target(related, right) for right in far)
        return Authorized(message, self.principal, near[0], authorized.rows, authorized.reasons, targets)

    def execute(self, message: Execute) -> Authorized[Message]:
        """Authorize a function or action; one that is listed nowhere is refused."""
        name = message.name
        if name in EXECUTE_REASSIGNS:
            self._check_gives_all()
        if name in EXECUTE_ON_TABLES:
            (table, right), *others = EXECUTE_ON_TABLES[name]
            for other, other_right in others:
                self.depth(self.catalog.tables[other], other_right)
            return replace(self.on_rows(message, table, right), targets=self._changed_by(message))
        if name in EXECUTE_ON_BOUND_ROW and message.target is not None:
            return self.on_rows(message, message.target.table, EXECUTE_ON_BOUND_ROW[name])
        for told in tables_told(message, self.catalog):
            self.read_depth(told)
        targets = self._changed_by(message)
        api = self.catalog.custom_apis.get(name)
        required = EXECUTE_BY_PRIVILEGE.get(name, (f"prv{name}",)) if api is None else api.privileges
        for privilege in required:
            if privilege not in self.principal.grants:
                raise privilege_missing(self.principal, privilege)
        if required and self.principal.access_mode == READ_ONLY:
            raise read_only_user(self.principal)
        if api is not None and message.target is not None:
            return self.on_rows(message, message.target.table, AccessRight.READ)
        reasons = (f"{name}: {', '.join(required) or 'open to every user'}",)
        found = grantee_rows(message, self.catalog)
        return Authorized(message, self.principal, reasons=reasons, targets=targets, owner=found and OwnerCheck(*found))

    def _check_gives_all(self) -> None:
        """Refuse to give away records of any table where the principal may not assign all of them."""
        for table in self.catalog.tables.values():
            is_assigned = table.is_user_owned and AccessRight.ASSIGN in rights_of(table)
            if is_assigned and self.rows(table, AccessRight.ASSIGN)[0] != ALL_ROWS:
                raise table_privilege_missing(self.principal, table, AccessRight.ASSIGN)

    def _changed_by(self, message: Execute) -> tuple[TargetCheck, ...]:
        """Return the checks of the records that parameters name: what is told of, what changes, what that points to."""
        named = (*named_in(message), *shared_in(message, self.principal, self.catalog))
        checks = [self._target(target, right) for target, right in named]
        for name in EXECUTE_CHANGES.get(message.name, ()):
            value = message.parameters.get(name)
            record = value.record if isinstance(value, EntityValue) else {}
            target = target_of(value)
            if target is not None:
                checks.append(self._target(target, AccessRight.WRITE))
            if isinstance(value, EntityValue):
                table = self.catalog.tables[value.table]
                bound = self._targets(table, record)
                if bound:
                    self.depth(table, AccessRight.APPEND)
                checks.extend(bound)
        return tuple(checks)


def owner_check(owner: Target, table: Table) -> OwnerCheck:
    """Return the check that a new owner may read the table of the record it gets."""
    name = privilege_name(table, AccessRight.READ)
    return OwnerCheck(owner, holders(owner.table, name), owner_cannot_read(owner, table))


def _is_business_data(table: Table) -> bool:
    """Tell business tables from those of administration: users of access mode Administrative see only the latter."""
    return table.is_user_owned or table.is_custom or table.kind is TableKind.VIRTUAL
