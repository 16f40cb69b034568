"""What runs when rows of Human Resources are written: completion, references by natural key, derived columns.

Handlers read and write through `ctx.system`, inside the message's transaction; the decisions are in `rules` and
`hiring`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from entities.errors import StepRejected
from entities.human_resources.candidates import OPEN_PERSON
from entities.human_resources.declaring import Reference
from entities.human_resources.fields import check_filled, found, is_filled, text_of
from entities.human_resources.finding import key_values, reference_to, row_of, row_where, rows_where
from entities.human_resources.hiring import (
    assignment_period,
    check_employment,
    check_vacant,
    holder_of,
    period_of,
)
from entities.human_resources.model import REFERENCES
from entities.human_resources.people import NAME_COLUMNS, PERSONAL_COLUMNS
from entities.human_resources.rules import (
    candidate_of_export,
    check_candidate_person,
    check_new_person,
    check_new_request,
    check_service,
    full_name,
    open_person_key,
    person_of_export,
    personal_details,
)
from entities.messages import Create, Update, Written, table_of
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations
from entities.text import fold
from entities.values import EntityReference, Record, Value

PERSON = "dirpersonentity"
WORKER = "hcmworkerentity"
EMPLOYMENT = "hcmemploymententity"
LEGAL_ENTITY = "omlegalentity"
POSITION = "hcmpositionv2entity"
ASSIGNMENT = "hcmpositionworkerassignmententity"
REASON_CODE = "hcmreasoncodeentity"
CANDIDATE = "hcmcandidatetohireentity"
EXPORT = "hcmlinkedinexportedcandidateentity"

_PERSONNEL_NUMBERS = f"{WORKER}.personnelnumber"


def _table(ctx: ExecutionContext) -> Table:
    name = table_of(ctx.message)
    assert name is not None
    return ctx.system.catalog.tables[name]


def _merged(ctx: ExecutionContext) -> Record:
    """Return the row as it is after the message."""
    return {**(ctx.pre_image or {}), **ctx.record}


def create(system: Operations, table: str, record: Mapping[str, Value]) -> Record:
    """Create a row and return it as it is stored, numbers and defaults filled in."""
    written = system.execute(Create(table, record))
    assert isinstance(written, Written)
    return row_of(system, written.reference)


def require_fields(ctx: ExecutionContext) -> None:
    """Refuse a row that lacks what its table requires."""
    check_filled(_table(ctx), ctx.record, is_new=isinstance(ctx.message, Create))


def take_keys(ctx: ExecutionContext) -> None:
    """Give a row that comes with the one it is part of the key of that one.

    Raises:
        StepRejected: it names another one itself.
    """
    table = _table(ctx)
    for reference in REFERENCES[table.logical_name]:
        whole = ctx.record.get(reference.lookup)
        if not isinstance(whole, EntityReference) or not reference.columns:
            continue
        row = row_of(ctx.system, whole)
        for own, theirs in reference.columns:
            given = text_of(ctx.record, own)
            if given and fold(given) != fold(text_of(row, theirs)):
                name = table.by_name[own].schema_name
                raise StepRejected(f"The value '{given}' in field '{name}' is not that of the record it is part of.")
            ctx.record[own] = row[theirs]


def resolve_references(ctx: ExecutionContext) -> None:
    """Turn natural keys into internal references, and refuse values that name nothing."""
    table = _table(ctx)
    for reference in REFERENCES[table.logical_name]:
        if any(own in ctx.record for own, _ in reference.columns):
            ctx.record[reference.lookup] = _resolved(ctx, table, reference)


def _resolved(ctx: ExecutionContext, table: Table, reference: Reference) -> EntityReference | None:
    values = key_values(reference, _merged(ctx))
    if not all(is_filled(value) for _, value in values):
        return None
    own, _ = reference.columns[-1]
    where = ctx.system.catalog.tables[reference.target].display_name.text() or reference.target
    row = found(row_where(ctx.system, reference.target, *values), table.by_name[own].schema_name, values[-1][1], where)
    for name, theirs in reference.columns:
        if name in ctx.record:
            # Keys compare without regard to case; the stored spelling is that of the referenced row.
            ctx.record[name] = row[theirs]
    return reference_to(ctx.system, reference.target, row)


def complete_person(ctx: ExecutionContext) -> None:
    """Keep a person's name in step with its parts."""
    if any(name in ctx.record for name in NAME_COLUMNS):
        ctx.record["name"] = full_name(_merged(ctx))


def complete_worker(ctx: ExecutionContext) -> None:
    """Give a new worker a person and a personnel number unless it brings them."""
    _take_person(ctx)
    ctx.record["name"] = full_name(ctx.record)
    if not is_filled(ctx.record.get("personnelnumber")):
        ctx.record["personnelnumber"] = _next_personnel_number(ctx.system)


def share_person(ctx: ExecutionContext) -> None:
    """Carry what a worker or candidate says about the person over to the person, whose details they only repeat."""
    details = personal_details(ctx.record)
    if not details or ctx.pre_image is None:
        return
    if "name" in _table(ctx).by_name:
        ctx.record["name"] = full_name(_merged(ctx))
    _update_where_different(ctx.system, PERSON, ("partynumber", ctx.pre_image.get("partynumber")), details)


def show_person(ctx: ExecutionContext) -> None:
    """Show a person's changed details on the worker."""
    if ctx.pre_image is not None:
        party = ctx.pre_image["partynumber"]
        _update_where_different(ctx.system, WORKER, ("partynumber", party), personal_details(ctx.record))


def _update_where_different(
    system: Operations, table: str, key: tuple[str, Value], details: Mapping[str, Value]
) -> None:
    row = row_where(system, table, key) if is_filled(key[1]) else None
    if row is None:
        return
    changes = {name: value for name, value in details.items() if row.get(name) != value}
    if changes:
        system.execute(Update(reference_to(system, table, row), changes))


def _take_person(ctx: ExecutionContext) -> None:
    """Use the person that a new row names, with its names, or make one from the row's own columns."""
    party_number = ctx.record.get("partynumber")
    if is_filled(party_number):
        person = found(
            row_where(ctx.system, PERSON, ("partynumber", party_number)), "PartyNumber", party_number, "Person"
        )
        own = {name: value for name, value in ctx.record.items() if is_filled(value)}
        ctx.record.update({name: own.get(name, person.get(name)) for name in PERSONAL_COLUMNS})
    else:
        person = create(ctx.system, PERSON, personal_details(ctx.record))
        ctx.record["partynumber"] = person["partynumber"]


def _next_personnel_number(system: Operations) -> str:
    """Take the next personnel number; those that were given by hand are passed over."""
    while True:
        number = str(system.next_number(_PERSONNEL_NUMBERS)).zfill(6)
        if row_where(system, WORKER, ("personnelnumber", number)) is None:
            return number


def check_employment_dates(ctx: ExecutionContext) -> None:
    """Refuse an employment that ends before it starts."""
    check_employment(_merged(ctx))


def check_assignment(ctx: ExecutionContext) -> None:
    """Refuse an assignment to a position that is not open over its period."""
    assignment = _merged(ctx)
    position_id, start, end = assignment.get("positionid"), assignment.get("validfrom"), assignment.get("validto")
    if not isinstance(start, datetime):
        return  # the required field is refused by its own step
    position = found(
        row_where(ctx.system, POSITION, ("positionid", position_id)), "PositionId", position_id, "Position"
    )
    period = assignment_period(position, start, end if isinstance(end, datetime) and is_filled(end) else None)
    ctx.record["validto"] = period.end
    check_vacant(text_of(position, "positionid"), period, _other_rows(ctx, ASSIGNMENT, ("positionid", position_id)))


def _other_rows(ctx: ExecutionContext, table: str, *values: tuple[str, Value]) -> tuple[Record, ...]:
    """Return the rows with these values except the one that is being changed."""
    primary_id = ctx.system.catalog.tables[table].primary_id
    own = (ctx.pre_image or {}).get(primary_id)
    return tuple(row for row in rows_where(ctx.system, table, values) if row[primary_id] != own)


def show_holder(ctx: ExecutionContext) -> None:
    """Show on the position who was assigned to it last."""
    position_id = _merged(ctx)["positionid"]
    position = row_where(ctx.system, POSITION, ("positionid", position_id))
    if position is None:
        return
    assignments = rows_where(ctx.system, ASSIGNMENT, (("positionid", position_id),))
    last = max(assignments, key=lambda row: period_of(row).start, default=None)
    worker = row_where(ctx.system, WORKER, ("personnelnumber", last["personnelnumber"])) if last else None
    ctx.system.execute(Update(reference_to(ctx.system, POSITION, position), holder_of(last, worker)))


def complete_candidate(ctx: ExecutionContext) -> None:
    """Give a new candidate a person, and a company only where one is named (b.9)."""
    check_candidate_person(ctx.record)
    company = text_of(ctx.record, "dataareaid").lower()
    if company:
        found(row_where(ctx.system, LEGAL_ENTITY, ("legalentityid", company)), "dataAreaId", company, "Legal entity")
    ctx.record["dataareaid"] = company
    ctx.record["partytype"] = "Person"
    _take_person(ctx)


def carry_result(ctx: ExecutionContext) -> None:
    """Carry a candidate's result over to the exported row it came from."""
    if "applicantintegrationresult" not in ctx.record or ctx.pre_image is None:
        return
    candidate = reference_to(ctx.system, CANDIDATE, ctx.pre_image)
    export = row_where(ctx.system, EXPORT, ("fk_candidatetohire_id", candidate))
    if export is not None:
        result = {"applicantintegrationresult": ctx.record["applicantintegrationresult"]}
        change = {**result, OPEN_PERSON: open_person_key({**export, **result})}
        ctx.system.execute(Update(reference_to(ctx.system, EXPORT, export), change))


def receive_export(ctx: ExecutionContext, end_of_service: date | None) -> None:
    """Check a candidate exported by LinkedIn Talent Hub and make the person and the candidate to hire."""
    record, system = ctx.record, ctx.system
    check_service(system.now.date(), end_of_service)
    check_filled(_table(ctx), record, is_new=True)
    request: tuple[tuple[str, Value], ...] = tuple((n, record[n]) for n in ("hiringcontext", "hrisrequestid"))
    check_new_request(record, rows_where(system, EXPORT, request))
    record[OPEN_PERSON] = open_person_key(record)
    check_new_person(record, rows_where(system, EXPORT, ((OPEN_PERSON, record[OPEN_PERSON]),)))
    person = create(system, PERSON, person_of_export(record))
    candidate = create(system, CANDIDATE, candidate_of_export(record, person["partynumber"]))
    record["fk_candidatetohire_id"] = reference_to(system, CANDIDATE, candidate)


def change_export(ctx: ExecutionContext) -> None:
    """Keep an exported row's person unique when its names or e-mail address change."""
    if any(name in ctx.record for name in ("emailaddress", "firstname", "lastname")):
        export = _merged(ctx)
        key = ctx.record[OPEN_PERSON] = open_person_key(export)
        if key is not None:
            check_new_person(export, _other_rows(ctx, EXPORT, (OPEN_PERSON, key)))
