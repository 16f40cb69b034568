"""The finance-and-operations provider: who runs what in the source, and what becomes of its refusals."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from entities.errors import (
    AccessDenied,
    DataverseError,
    DuplicateRecord,
    EngineFault,
    InvalidArgument,
    InvalidOperation,
    MethodNotAllowed,
    RecordNotFound,
    StepRejected,
    TooManyRequests,
)
from entities.generation import virtual_table
from entities.human_resources.model import PUBLIC_TABLES, RELATIONSHIPS, TABLES
from entities.messages import Create, Delete, Done, Message, Response, RetrieveMultiple, Rows, Update, Written
from entities.metadata.catalog import catalog
from entities.pipeline import Caller
from entities.query import (
    And,
    ColumnComparison,
    ColumnRef,
    ComparisonOperator,
    Condition,
    ConditionOperator,
    Exists,
    Expansion,
    Group,
    LinkEntity,
    Not,
    Or,
    Order,
    Page,
    PageAnchor,
    QueryExpression,
    equals,
)
from entities.values import EntityReference, Guid
from odata_server.providers.finance_operations import FinanceOperationsProvider
from odata_server.providers.query_translation import primary_field
from security.principals import Principal

APPLICATION = Guid("3a225c96-d62a-44ce-b3ec-bd4e8e9befef")
UNIT = Guid("44444444-4444-4444-8444-444444444444")
ROW = Guid("00000d7c-0000-0000-0001-500000000001")
PERSON = Guid("00000d10-0000-0000-0001-500000000002")
UMA = Principal(
    Caller(Guid("55555555-5555-4555-8555-555555555555"), UNIT, "Uma"), 0, is_disabled=False, role_count=1, grants={}
)
ADAPTER = Caller(UNIT, UNIT, "Dynamics365 HR LinkedIn HRIS Integration", application_id=APPLICATION)
ADA = Caller(UNIT, UNIT, "Ada Example", domain_name="ada@contoso.onmicrosoft.com")

ALL = frozenset(table.logical_name for table in PUBLIC_TABLES)
VIRTUAL = {t.schema_name: virtual_table(t, relationships=RELATIONSHIPS, generated=ALL) for t in PUBLIC_TABLES}
EXPORT = VIRTUAL["HcmLinkedInExportedCandidateEntity"]
CANDIDATE = VIRTUAL["HcmCandidateToHireEntity"]


@dataclass
class RecordingDirectory:
    """Knows the adapter's application and nobody else."""

    def application_user(self, application_id, object_id):
        if application_id != APPLICATION:
            raise AccessDenied("not in the list")
        return UMA

    def user(self, object_id, upn):
        raise AccessDenied(f"The user '{upn}' was not found.")


@dataclass
class RecordingSource:
    """Stands for the Human Resources environment: remembers messages, answers what it was told to."""

    answer: Response | DataverseError = field(default_factory=Done)
    sent: list[tuple[Message, Principal]] = field(default_factory=list)
    catalog = catalog(1, TABLES, RELATIONSHIPS)
    directory = RecordingDirectory()

    def execute(self, message: Message, principal: Principal) -> Response:
        self.sent.append((message, principal))
        if isinstance(self.answer, DataverseError):
            raise self.answer
        return self.answer


def asked(query: QueryExpression, table=EXPORT) -> QueryExpression:
    """Return the query that reaches the source."""
    source = RecordingSource(Rows(0))
    FinanceOperationsProvider(source).retrieve_multiple(table, query, ADAPTER)
    ((message, _),) = source.sent
    assert isinstance(message, RetrieveMultiple)
    return message.query


def condition(name, operator, *values):
    return Condition(ColumnRef(name), operator, values)


def test_a_record_is_written_as_the_mapped_user_under_the_sources_names():
    made = EntityReference("hcmlinkedinexportedcandidateentity", ROW)
    source = RecordingSource(Written(made, created=True))
    record = {"mshr_firstname": "Ann", "mshr_startdate": date(2021, 7, 1), "mshr_phonenumber": None}
    assert FinanceOperationsProvider(source).create(EXPORT, record, ADAPTER) == ROW
    expected = {"firstname": "Ann", "startdate": date(2021, 7, 1), "phonenumber": None}
    assert source.sent == [(Create("hcmlinkedinexportedcandidateentity", expected), UMA)]


def test_changes_and_deletions_name_the_same_row():
    source = RecordingSource()
    provider = FinanceOperationsProvider(source)
    provider.update(CANDIDATE, ROW, {"mshr_gender": 200000002, "mshr_birthdate": date(1900, 1, 1)}, ADAPTER)
    provider.delete(CANDIDATE, ROW, ADAPTER)
    target = EntityReference("hcmcandidatetohireentity", ROW)
    assert [message for message, _ in source.sent] == [
        Update(target, {"gender": 2, "birthdate": None}),
        Delete(target),
    ]


def test_an_option_that_does_not_exist_is_refused_before_the_source_is_asked():
    source = RecordingSource()
    with pytest.raises(InvalidArgument, match="200000009"):
        FinanceOperationsProvider(source).update(CANDIDATE, ROW, {"mshr_gender": 200000009}, ADAPTER)
    assert source.sent == []


@pytest.mark.parametrize(
    ("caller", "text"),
    [
        (
            Caller(UNIT, UNIT, "Dynamics365 for Talent", application_id=UNIT),
            "User Dynamics365 for Talent was not found in finance and operations. Please ensure this user exists.",
        ),
        (ADA, "User Ada Example was not found in finance and operations. Please ensure this user exists."),
        (Caller(UNIT, UNIT, "SYSTEM"), "Unable to determine the user in CDS"),
    ],
)
def test_a_caller_unknown_in_the_source_gets_the_documented_text(caller, text):
    source = RecordingSource()
    with pytest.raises(AccessDenied) as refused:
        FinanceOperationsProvider(source).create(EXPORT, {}, caller)
    assert (refused.value.message, refused.value.code) == (text, "0x80040265")
    assert source.sent == []


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("Create", lambda provider: provider.create(EXPORT, {}, ADAPTER)),
        ("Read", lambda provider: provider.retrieve_multiple(EXPORT, QueryExpression(EXPORT.logical_name), ADAPTER)),
        ("Write", lambda provider: provider.update(EXPORT, ROW, {}, ADAPTER)),
        ("Delete", lambda provider: provider.delete(EXPORT, ROW, ADAPTER)),
    ],
)
def test_a_user_without_the_right_gets_the_sources_own_denial(operation, call):
    provider = FinanceOperationsProvider(RecordingSource(AccessDenied("prv missing")))
    with pytest.raises(AccessDenied) as refused:
        call(provider)
    assert refused.value.code == "0x80040265"
    assert refused.value.message == (
        f"Access denied in finance and operations: user 'Uma' doesn't have the right {operation} on table "
        "'LinkedIn exported candidate' (HcmLinkedInExportedCandidateEntity)."
    )


@pytest.mark.parametrize(
    "refusal",
    [
        StepRejected("Field 'FirstName' must be filled in."),
        DuplicateRecord("A record with matching key values already exists."),
        InvalidArgument("too long"),
        MethodNotAllowed("cannot be deleted"),
    ],
)
def test_business_errors_carry_the_sources_text_and_the_plug_ins_code(refusal):
    with pytest.raises(StepRejected) as refused:
        FinanceOperationsProvider(RecordingSource(refusal)).create(EXPORT, {}, ADAPTER)
    assert (refused.value.message, refused.value.code) == (refusal.message, "0x80040265")


def test_a_missing_row_is_missing_under_the_virtual_tables_name():
    gone = RecordNotFound(f"Entity 'hcmcandidatetohireentity' With Id = {ROW} Does Not Exist")
    with pytest.raises(RecordNotFound, match="Entity 'mshr_hcmcandidatetohireentity' With Id"):
        FinanceOperationsProvider(RecordingSource(gone)).delete(CANDIDATE, ROW, ADAPTER)


def test_throttling_is_passed_on_with_the_documented_text():
    with pytest.raises(TooManyRequests, match=r"returned an error of type 429\.") as refused:
        FinanceOperationsProvider(RecordingSource(TooManyRequests("slow", retry_after=7))).delete(EXPORT, ROW, ADAPTER)
    assert refused.value.retry_after == 7


def test_a_fault_of_the_simulator_is_not_dressed_up_as_a_business_error():
    with pytest.raises(EngineFault):
        FinanceOperationsProvider(RecordingSource(EngineFault("bug"))).delete(EXPORT, ROW, ADAPTER)


def test_columns_filter_order_and_page_run_in_the_source():
    query = QueryExpression(
        EXPORT.logical_name,
        columns=("mshr_firstname",),
        filter=And((equals("mshr_hrisrequestid", "hr-1"), Not(equals("mshr_applicantintegrationresult", 200000003)))),
        orders=(Order(ColumnRef("mshr_startdate"), descending=True),),
        top=5,
        page=Page(2),
        count=True,
    )
    assert asked(query) == QueryExpression(
        "hcmlinkedinexportedcandidateentity",
        columns=("hcmlinkedinexportedcandidateentityid", "firstname"),
        filter=And((equals("hrisrequestid", "hr-1"), Not(equals("applicantintegrationresult", 3)))),
        orders=(Order(ColumnRef("startdate"), descending=True),),
        top=5,
        page=Page(2),
        count=True,
    )


NULL, NOT_NULL = ConditionOperator.NULL, ConditionOperator.NOT_NULL
EQ, NE, LT = ConditionOperator.EQUAL, ConditionOperator.NOT_EQUAL, ConditionOperator.LESS_THAN
NO_DATE = date(1900, 1, 1)


@pytest.mark.parametrize(
    ("virtual", "source"),
    [
        (
            condition("mshr_phonenumber", NULL),
            Or((condition("phonenumber", NULL), condition("phonenumber", EQ, ""))),
        ),
        (
            condition("mshr_phonenumber", NOT_NULL),
            And((condition("phonenumber", NOT_NULL), condition("phonenumber", NE, ""))),
        ),
        (
            condition("mshr_phonenumber", EQ, ""),
            Or((condition("phonenumber", NULL), condition("phonenumber", EQ, ""))),
        ),
        (
            condition("mshr_phonenumber", NE, ""),
            And((condition("phonenumber", NOT_NULL), condition("phonenumber", NE, ""))),
        ),
        (condition("mshr_phonenumber", EQ, "x"), condition("phonenumber", EQ, "x")),
        (
            condition("mshr_startdate", NULL),
            Or((condition("startdate", NULL), condition("startdate", EQ, NO_DATE))),
        ),
        (
            condition("mshr_startdate", LT, date(2021, 1, 1)),
            And((condition("startdate", LT, date(2021, 1, 1)), condition("startdate", NE, NO_DATE))),
        ),
        (
            condition("mshr_startdate", ConditionOperator.IN_FISCAL_PERIOD, 1, "2019-01-01", 2002, "UTC"),
            And(
                (
                    condition("startdate", ConditionOperator.IN_FISCAL_PERIOD, 1, "2019-01-01", 2002, "UTC"),
                    condition("startdate", NE, NO_DATE),
                )
            ),
        ),
        (
            condition("mshr_applicantintegrationresult", ConditionOperator.IN, 200000001, 200000003, 5),
            condition("applicantintegrationresult", ConditionOperator.IN, 1, 3, -1),
        ),
        (
            condition("mshr_applicantintegrationresult", LT, 300000000),
            condition("applicantintegrationresult", LT, 2**31 - 1),
        ),
        (
            condition("mshr_fk_candidatetohire_id", EQ, EntityReference("mshr_hcmcandidatetohireentity", ROW)),
            condition("fk_candidatetohire_id", EQ, EntityReference("hcmcandidatetohireentity", ROW)),
        ),
        (
            condition("mshr_hcmlinkedinexportedcandidateentityid", EQ, ROW),
            condition("hcmlinkedinexportedcandidateentityid", EQ, ROW),
        ),
    ],
)
def test_a_condition_means_the_same_in_the_source(virtual, source):
    assert asked(QueryExpression(EXPORT.logical_name, filter=virtual)).filter == source


LINK = LinkEntity("l1", "mshr_hcmcandidatetohireentity", "x", "y")
NAME = ColumnRef("mshr_firstname")


@pytest.mark.parametrize(
    "changes",
    [
        {"links": (LINK,)},
        {"linked_columns": (ColumnRef("mshr_firstname", "l1"),)},
        {"groups": (Group(NAME, "g"),)},
        {"distinct": True},
        {"expansions": (Expansion("mshr_FK_Person_id", QueryExpression("mshr_dirpersonentity")),)},
        {"filter": Exists(LINK)},
        {"filter": ColumnComparison(NAME, ComparisonOperator.EQUAL, NAME)},
        {"filter": Condition(ColumnRef("mshr_firstname", "l1"), EQ, ("x",))},
        {"filter": equals("mshr_primaryfield", "000012")},
        {"orders": (Order(ColumnRef("mshr_primaryfield")),)},
        {"orders": (Order(ColumnRef("mshr_fk_person_id")),)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_shape_the_source_cannot_run_is_refused(changes):
    with pytest.raises(InvalidOperation, match="not supported for virtual entity") as refused:
        asked(QueryExpression(CANDIDATE.logical_name, **changes), CANDIDATE)
    assert refused.value.code == "0x80044822"


def test_the_primary_name_of_a_single_key_can_be_filtered():
    query = QueryExpression(EXPORT.logical_name, filter=equals("mshr_exportedcandidateid", "000001"))
    assert asked(query).filter == equals("exportedcandidateid", "000001")


def test_rows_come_back_under_the_virtual_tables_names_and_numbers():
    record = {
        "hcmcandidatetohireentityid": ROW,
        "dataareaid": "",
        "candidateid": "000012",
        "gender": 2,
        "birthdate": date(1900, 1, 1),
        "comments": "",
        "fk_person_id": EntityReference("dirpersonentity", PERSON),
        "fk_position_id": None,
    }
    source = RecordingSource(Rows(1, records=(record,), total=7))
    columns = (
        "mshr_primaryfield",
        "mshr_dataareaid",
        "mshr_gender",
        "mshr_birthdate",
        "mshr_comments",
        "mshr_fk_person_id",
        "mshr_fk_position_id",
    )
    query = QueryExpression(CANDIDATE.logical_name, columns=columns, count=True)
    rows = FinanceOperationsProvider(source).retrieve_multiple(CANDIDATE, query, ADAPTER)
    assert (rows.count, rows.total) == (1, 7)
    assert rows.records == (
        {
            "mshr_hcmcandidatetohireentityid": ROW,
            "mshr_primaryfield": "000012",
            "mshr_dataareaid": None,
            "mshr_gender": 200000002,
            "mshr_birthdate": None,
            "mshr_comments": None,
            "mshr_fk_person_id": EntityReference("mshr_dirpersonentity", PERSON),
            "mshr_fk_position_id": None,
        },
    )
    ((message, _),) = source.sent
    assert isinstance(message, RetrieveMultiple)
    assert set(message.query.columns or ()) >= {"dataareaid", "candidateid"}


def test_a_page_anchor_goes_out_and_comes_back_unchanged():
    orders = (Order(ColumnRef("mshr_applicantintegrationresult")), Order(ColumnRef("mshr_phonenumber")))
    anchor = PageAnchor(2, (1, "", ROW))
    source = RecordingSource(Rows(1, records=({},), next=anchor))
    query = QueryExpression(EXPORT.logical_name, orders=orders, page=Page(1))
    found = FinanceOperationsProvider(source).retrieve_multiple(EXPORT, query, ADAPTER).next
    assert found == PageAnchor(2, (200000001, "", ROW))
    following = asked(QueryExpression(EXPORT.logical_name, orders=orders, page=Page(1, found)))
    assert following.page == Page(1, anchor)


def test_the_label_of_an_option_is_the_same_place_in_both_systems():
    orders = (Order(ColumnRef("mshr_applicantintegrationresult"), labels=1033),)
    anchor = PageAnchor(2, ("pending", ROW))
    source = RecordingSource(Rows(1, records=({},), next=anchor))
    query = QueryExpression(EXPORT.logical_name, orders=orders, page=Page(1))
    assert FinanceOperationsProvider(source).retrieve_multiple(EXPORT, query, ADAPTER).next == anchor
    following = asked(QueryExpression(EXPORT.logical_name, orders=orders, page=Page(1, anchor)))
    assert following.page == Page(1, anchor)
    assert following.orders == (Order(ColumnRef("applicantintegrationresult"), labels=1033),)


@pytest.mark.parametrize(
    ("key", "record", "text"),
    [
        (("a", "b"), {"a": "USMF-000001", "b": "000426"}, "USMF-000001 | 000426"),
        (("a", "b"), {"a": "", "b": "000012"}, "000012"),
        (("a", "b"), {"a": "x", "b": datetime(2021, 7, 1, tzinfo=UTC)}, "x | 2021-07-01T00:00:00Z"),
        (("a", "b"), {"a": "x", "b": date(2021, 7, 1)}, "x | 2021-07-01"),
        (("a",), {"a": "x" * 300}, "x" * 255),
    ],
)
def test_the_primary_field_joins_the_key(key, record, text):
    assert primary_field(key, record) == text
