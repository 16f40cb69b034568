"""The work of the jobs of duplicate detection: a rule is published, duplicates of many records are looked for.

Repeating it changes nothing: a published rule stays so, and what has been found is found once per job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from entities.messages import Create, RetrieveMultiple, Rows, Update
from entities.metadata.catalog import CatalogChange
from entities.pipeline import Operations
from entities.query import QueryExpression, equals
from entities.standard.duplicate_detection import MOST_FOUND, published_rules
from entities.standard.duplicate_jobs import DETECTION_JOB
from entities.standard.duplicate_matching import DetectionRule, duplicates_query, found_by, is_duplicate
from entities.standard.duplicate_tables import FOUND, RULE, RuleStatus
from entities.standard.environment import standard_catalog
from entities.standard.system_jobs import JOB_TABLE
from entities.values import EntityReference, Guid, Record
from odata_server.engine.directory import DataverseDirectory
from odata_server.engine.organization import OrganizationService
from odata_server.engine.transaction import Transaction
from odata_server.providers.system_jobs import begun
from security.principals import Principal


def publish_rule(dataverse: OrganizationService, payload: Mapping[str, object]) -> None:
    """Publish a rule that is waiting for it, and have the columns indexed that published rules find records by.

    Args:
        dataverse: the environment.
        payload: `rule`, the rule's id, and `table`, the one whose records it finds.
    """
    rule = EntityReference(RULE, Guid(str(payload["rule"])))
    with dataverse.changing() as transaction:
        found = transaction.records(QueryExpression(RULE, ("statuscode",), filter=equals("duplicateruleid", rule.id)))
        if found and found[0]["statuscode"] == RuleStatus.PUBLISHING:
            transaction.execute(Update(rule, {"statecode": 1, "statuscode": RuleStatus.PUBLISHED.value}))
        _index(transaction, str(payload["table"]))


def _index(transaction: Transaction, name: str) -> None:
    table = transaction.catalog.tables[name]
    found = (found_by(rule, transaction.catalog) for rule in published_rules(transaction, None, name))
    declared = standard_catalog(1).tables.get(name)
    always = declared.indexed if declared is not None else ()
    wanted = tuple(dict.fromkeys((*always, *(column for column in found if column is not None))))
    if wanted != table.indexed:
        transaction.change_catalog(CatalogChange(put=(replace(table, indexed=wanted),)))


def detect_duplicates(
    dataverse: OrganizationService,
    bind: Callable[[str, str], QueryExpression],
    payload: Mapping[str, object],
) -> str | None:
    """Note which of the records that a query selects have duplicates, as far as the user who asks may read both.

    Where the job recurs, its next run is queued first. One whose row is gone or canceled does nothing.

    Args:
        dataverse: the environment.
        bind: reads the FetchXML of a query on a table.
        payload: `table` and `fetch` of the query, `user`, who asked, and `run`, by which the job's row is known.

    Returns:
        how many records have duplicates; None for a job that nobody wants any more.

    Raises:
        DataverseError: the user may not enter any more, or the query does not fit the tables.
    """
    if not begun(dataverse, DETECTION_JOB, payload):
        return None
    directory = dataverse.directory
    assert isinstance(directory, DataverseDirectory)
    principal = directory.by_id(Guid(str(payload["user"])))
    table = str(payload["table"])
    with dataverse.changing() as transaction:
        rules = published_rules(transaction, table)
        rows = transaction.records(
            QueryExpression(JOB_TABLE, ("asyncoperationid",), filter=equals("correlationid", Guid(str(payload["run"]))))
        )
    if not rows or not rules:
        return "There is nothing to look for."
    records = _read(
        dataverse, replace(bind(table, str(payload["fetch"])), columns=_compared(rules, dataverse)), principal
    )
    key = dataverse.catalog.tables[table].primary_id
    references = (EntityReference(table, Guid(str(record[key]))) for record in records)
    with_duplicates = (
        own
        for own, record in zip(references, records, strict=True)
        if any(next(_duplicates(dataverse, rule, record, own, principal), None) for rule in rules)
    )
    found = tuple(islice(with_duplicates, MOST_FOUND))
    job = EntityReference(JOB_TABLE, Guid(str(rows[0]["asyncoperationid"])))
    with dataverse.changing() as transaction:
        _note(transaction, job, found, principal)
    return f"Records with duplicates: {len(found)}."


def _compared(rules: tuple[DetectionRule, ...], dataverse: OrganizationService) -> tuple[str, ...]:
    """Return the columns of a record that its rules look at, and its id."""
    compared = (condition.base for rule in rules for condition in rule.conditions)
    keys = {dataverse.catalog.tables[rule.base_table].primary_id for rule in rules}
    return tuple(dict.fromkeys((*keys, *compared)))


def _duplicates(
    dataverse: OrganizationService, rule: DetectionRule, record: Record, own: EntityReference, principal: Principal
) -> Iterator[Record]:
    catalog = dataverse.catalog
    query = duplicates_query(rule, record, own, catalog)
    if query is not None:
        found = _read(dataverse, query, principal)
        yield from (other for other in found if is_duplicate(rule, record, other, catalog))


def _read(dataverse: OrganizationService, query: QueryExpression, principal: Principal) -> tuple[Record, ...]:
    found = dataverse.execute(RetrieveMultiple(query), principal)
    assert isinstance(found, Rows)
    return tuple(found.records)


def _note(system: Operations, job: EntityReference, found: tuple[EntityReference, ...], principal: Principal) -> None:
    """Make a row for each record that has duplicates (which ones they are, RetrieveDuplicates tells)."""
    known = {
        row["baserecordid"]
        for row in system.records(QueryExpression(FOUND, ("baserecordid",), filter=equals("asyncoperationid", job)))
    }
    user = principal.caller
    for own in found:
        if own not in known:
            record: Record = {
                "asyncoperationid": job,
                "baserecordid": own,
                "ownerid": EntityReference("systemuser", user.user_id),
                "owninguser": user.user_id,
                "owningbusinessunit": user.business_unit_id,
            }
            system.execute(Create(FOUND, record))
