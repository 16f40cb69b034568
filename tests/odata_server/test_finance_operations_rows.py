"""Virtual tables over the real Human Resources environment: what is written is found again, page by page."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from databases import open_database

from entities.errors import AccessDenied, RecordNotFound, StepRejected
from entities.generation import virtual_table
from entities.human_resources.demo import demo_rows
from entities.human_resources.model import PUBLIC_TABLES, RELATIONSHIPS, TABLES
from entities.human_resources.seed import seed_rows
from entities.human_resources.steps import human_resources_steps
from entities.messages import Rows
from entities.metadata.catalog import catalog
from entities.pipeline import Caller, pipeline
from entities.query import ColumnRef, Condition, ConditionOperator, Filter, Order, Page, QueryExpression, equals
from entities.values import EntityReference, Guid, Value
from odata_server.engine.database import Durability
from odata_server.engine.environment import Blueprint, fill, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.providers.finance_operations import FinanceOperationsProvider
from odata_server.providers.hr_directory import HumanResourcesDirectory

ADAPTER_APPLICATION = Guid("3a225c96-d62a-44ce-b3ec-bd4e8e9befef")
DOMAIN = "contoso.onmicrosoft.com"
UNIT = Guid("44444444-4444-4444-8444-444444444444")
ADAPTER = Caller(UNIT, UNIT, "LinkedIn adapter", application_id=ADAPTER_APPLICATION)
REX = Caller(UNIT, UNIT, "Rex Example", domain_name=f"rex@{DOMAIN}")
ALL = frozenset(table.logical_name for table in PUBLIC_TABLES)
VIRTUAL = {t.schema_name: virtual_table(t, relationships=RELATIONSHIPS, generated=ALL) for t in PUBLIC_TABLES}
EXPORT = VIRTUAL["HcmLinkedInExportedCandidateEntity"]
CANDIDATE = VIRTUAL["HcmCandidateToHireEntity"]
WORKER = VIRTUAL["HcmWorkerEntity"]
NULL = ConditionOperator.NULL


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrganizationService]:
    """Human Resources with the sample rows, and the adapter mapped to Uma."""
    path = tmp_path_factory.mktemp("hr") / "hr.db"
    declared = Blueprint(Guid("22222222-2222-4222-8222-222222222222"), catalog(1, TABLES, RELATIONSHIPS))
    with closing(open_database(path)) as database:
        prepare_database(database, declared)
    parts = Parts(
        pipeline(*human_resources_steps()),
        lambda database, _: HumanResourcesDirectory(database),
        frozenset(),
        {},
        lambda: datetime(2021, 6, 1, tzinfo=UTC),
    )
    service = OrganizationService(open_database(path, Durability.NONE), parts)
    fill(service, (*seed_rows(admin_client_id=str(UNIT), domain=DOMAIN), *demo_rows(domain=DOMAIN)))
    mapped = {"clientid": ADAPTER_APPLICATION, "name": "LinkedIn Talent Hub HRIS Integration", "userid": "Uma"}
    fill(service, [("sysaadcliententity", mapped)])
    yield service
    service.database.close()


@pytest.fixture(scope="module")
def provider(source: OrganizationService) -> FinanceOperationsProvider:
    return FinanceOperationsProvider(source)


@pytest.fixture(scope="module")
def exported(provider: FinanceOperationsProvider) -> list[Guid]:
    """Five exports; only the first has a phone number."""
    return [provider.create(EXPORT, export(number), ADAPTER) for number in range(5)]


def export(number: int) -> dict[str, Value]:
    return {
        "mshr_hiringcontext": "urn:li:contract:123",
        "mshr_hrisrequestid": f"hr-{number}",
        "mshr_firstname": "Ann",
        "mshr_lastname": "Example",
        "mshr_emailaddress": f"ann{number}@x.test",
        "mshr_phonenumber": "" if number else "+31 20 555 0100",
        "mshr_startdate": date(2021, 7, 1 + number // 2),
        "mshr_jobtitle": "Engineer",
        "mshr_joblocation": "Utrecht",
    }


def requests(rows: Rows) -> list[Value]:
    return [record["mshr_hrisrequestid"] for record in rows.records]


def select(filter_: Filter) -> QueryExpression:
    orders = (Order(ColumnRef("mshr_hrisrequestid")),)
    return QueryExpression(EXPORT.logical_name, ("mshr_hrisrequestid",), filter=filter_, orders=orders)


def test_an_export_reads_back_as_it_was_written(provider, exported):
    query = QueryExpression(EXPORT.logical_name, filter=equals(EXPORT.primary_id, exported[0]))
    (record,) = provider.retrieve_multiple(EXPORT, query, ADAPTER).records
    assert record["mshr_exportedcandidateid"] == "000001"
    assert record["mshr_startdate"] == date(2021, 7, 1)
    assert record["mshr_applicantintegrationresult"] == 200000000
    assert record["mshr_dataareaid"] is None
    candidate = record["mshr_fk_candidatetohire_id"]
    assert isinstance(candidate, EntityReference)
    assert candidate.table == "mshr_hcmcandidatetohireentity"
    found = provider.retrieve_multiple(
        CANDIDATE,
        QueryExpression(CANDIDATE.logical_name, filter=equals(CANDIDATE.primary_id, candidate.id)),
        ADAPTER,
    ).records[0]
    assert (found["mshr_firstname"], found["mshr_primaryfield"], found["mshr_dataareaid"]) == ("Ann", "000001", None)


def test_ids_are_made_of_table_number_and_record_number(exported):
    assert all(record_id.startswith("00000d7c-0000-0000-") for record_id in exported)
    assert len(set(exported)) == 5


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        (equals("mshr_emailaddress", "ANN2@X.TEST"), ["hr-2"]),
        (equals("mshr_phonenumber", None), ["hr-1", "hr-2", "hr-3", "hr-4"]),
        (Condition(ColumnRef("mshr_phonenumber"), ConditionOperator.NOT_NULL), ["hr-0"]),
        (Condition(ColumnRef("mshr_phonenumber"), ConditionOperator.LESS_THAN, ("a",)), ["hr-0"]),
        (equals("mshr_startdate", date(2021, 7, 2)), ["hr-2", "hr-3"]),
        (equals("mshr_applicantintegrationresult", 200000001), []),
        (equals("mshr_applicantintegrationresult", 0), []),
    ],
)
def test_filters_find_the_same_rows_as_if_they_lay_here(provider, exported, filter_, found):
    assert requests(provider.retrieve_multiple(EXPORT, select(filter_), ADAPTER)) == found


def test_pages_hold_every_row_once(provider, exported):
    seen: list[Value] = []
    page: Page | None = Page(2)
    while page is not None:
        orders = (Order(ColumnRef("mshr_phonenumber")), Order(ColumnRef("mshr_startdate"), descending=True))
        query = QueryExpression(EXPORT.logical_name, orders=orders, page=page, count=True)
        rows = provider.retrieve_multiple(EXPORT, query, ADAPTER)
        assert rows.total == 5
        seen += requests(rows)
        page = rows.next and Page(2, rows.next)
    assert seen == ["hr-4", "hr-2", "hr-3", "hr-1", "hr-0"]


def test_the_second_export_of_a_request_is_a_business_error(provider, exported):
    with pytest.raises(StepRejected, match=r"The record already exists \(ExportedCandidateId: 000001\)"):
        provider.create(EXPORT, {**export(0), "mshr_emailaddress": "new@x.test"}, ADAPTER)


def test_an_export_without_e_mail_is_refused_naming_the_field(provider):
    with pytest.raises(StepRejected, match=r"^Field 'EmailAddress' must be filled in\.$") as refused:
        provider.create(EXPORT, {**export(9), "mshr_emailaddress": None}, ADAPTER)
    assert refused.value.code == "0x80040265"


def test_a_person_without_write_permission_may_read_only(provider, exported):
    assert provider.retrieve_multiple(EXPORT, QueryExpression(EXPORT.logical_name), REX).count == 5
    with pytest.raises(AccessDenied, match=r"user 'Rex' doesn't have the right Create .*HcmLinkedInExportedCandidate"):
        provider.create(EXPORT, export(9), REX)


def test_a_row_that_does_not_exist_is_named_by_its_virtual_table(provider):
    nobody = Guid("00000d6b-0000-0000-ffff-ffffffffffff")
    with pytest.raises(RecordNotFound, match=f"'mshr_hcmworkerentity' With Id = {nobody} Does Not Exist"):
        provider.update(WORKER, nobody, {"mshr_knownas": "x"}, ADAPTER)


def test_changes_and_deletions_happen_in_the_source(provider, source):
    made = provider.create(WORKER, {"mshr_firstname": "Bo", "mshr_gender": 200000001}, ADAPTER)
    provider.update(WORKER, made, {"mshr_knownas": "Bobby", "mshr_birthdate": date(1990, 2, 28)}, ADAPTER)
    query = QueryExpression(WORKER.logical_name, filter=equals("mshr_knownas", "bobby"))
    (record,) = provider.retrieve_multiple(WORKER, query, ADAPTER).records
    assert (record["mshr_personnelnumber"], record["mshr_gender"]) == ("000011", 200000001)
    assert record["mshr_birthdate"] == date(1990, 2, 28)
    provider.delete(WORKER, made, ADAPTER)
    assert provider.retrieve_multiple(WORKER, query, ADAPTER).count == 0


def test_what_others_point_to_cannot_be_deleted(provider, source):
    query = QueryExpression(WORKER.logical_name, filter=equals("mshr_personnelnumber", "000001"))
    (ada,) = provider.retrieve_multiple(WORKER, query, ADAPTER).records
    with pytest.raises(StepRejected, match="associated with another object"):
        provider.delete(WORKER, Guid(str(ada[WORKER.primary_id])), ADAPTER)


def test_the_default_company_is_the_users(source):
    directory = source.directory
    assert isinstance(directory, HumanResourcesDirectory)
    assert directory.company_of(directory.application_user(ADAPTER_APPLICATION)) == "usmf"
    assert directory.company_of(directory.system()) == ""
