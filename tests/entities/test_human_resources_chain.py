"""Exporting, hiring, refusing and dismissing over the real engine (ACC-66 to ACC-72, ACC-75)."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from databases import copy_database, open_database

from entities.errors import AccessDenied, StepRejected
from entities.human_resources.demo import demo_rows
from entities.human_resources.fields import NEVER
from entities.human_resources.model import RELATIONSHIPS, TABLES
from entities.human_resources.seed import seed_rows
from entities.human_resources.steps import human_resources_steps
from entities.messages import Create, Delete, Execute, Executed, Message, RetrieveMultiple, Rows, Update, Written
from entities.metadata.catalog import catalog
from entities.pipeline import pipeline
from entities.query import And, QueryExpression, equals
from entities.values import EntityReference, Guid, Record, Value
from odata_server.engine.database import Durability
from odata_server.engine.environment import Blueprint, fill, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.providers.hr_directory import HumanResourcesDirectory
from security.principals import Principal

ADMIN_APPLICATION = "11111111-1111-4111-8111-111111111111"
DOMAIN = "contoso.onmicrosoft.com"
CANDIDATE = "hcmcandidatetohireentity"
EXPORT = "hcmlinkedinexportedcandidateentity"
ANN: Record = {
    "hiringcontext": "urn:li:contract:123",
    "hrisrequestid": "hr-0001",
    "firstname": "Ann",
    "lastname": "Example",
    "emailaddress": "ann@x.test",
    "phonenumber": "+31 20 555 0100",
    "startdate": date(2021, 7, 1),
    "jobtitle": "Engineer",
    "joblocation": "Utrecht",
}
HIRE = {"LegalEntityId": "USMF", "EmploymentStartDate": "2021-07-01"}


@dataclass
class HumanResources:
    service: OrganizationService
    uma: Principal

    def rows(self, table: str, **values: Value) -> tuple[Record, ...]:
        query = QueryExpression(table, filter=And(tuple(equals(n, v) for n, v in values.items())))
        answer = self.service.execute(RetrieveMultiple(query), self.service.system)
        assert isinstance(answer, Rows)
        return answer.records

    def row(self, table: str, **values: Value) -> Record:
        (found,) = self.rows(table, **values)
        return found

    def send(self, message: Message) -> object:
        return self.service.execute(message, self.uma)

    def export(self, **changes: Value) -> Record:
        written = self.send(Create(EXPORT, {**ANN, **changes}))
        assert isinstance(written, Written)
        return self.row(EXPORT, hcmlinkedinexportedcandidateentityid=written.reference.id)

    def candidate_of(self, export: Record) -> EntityReference:
        reference = export["fk_candidatetohire_id"]
        assert isinstance(reference, EntityReference)
        return reference

    def act(self, name: str, candidate: EntityReference, **parameters: object) -> object:
        return self.send(Execute(name, parameters, candidate))

    def result(self, candidate: EntityReference) -> Value:
        return self.row(CANDIDATE, hcmcandidatetohireentityid=candidate.id)["applicantintegrationresult"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled database, copied for every test."""
    path = tmp_path_factory.mktemp("hr") / "made.db"
    blueprint = Blueprint(Guid("22222222-2222-4222-8222-222222222222"), catalog(1, TABLES, RELATIONSHIPS))
    with closing(open_database(path)) as database:
        prepare_database(database, blueprint)
    service = opened(path)
    fill(service, (*seed_rows(admin_client_id=ADMIN_APPLICATION, domain=DOMAIN), *demo_rows(domain=DOMAIN)))
    service.database.close()
    return path


def opened(path: Path, today: date = date(2021, 6, 1), end_of_service: date | None = None) -> OrganizationService:
    parts = Parts(
        pipeline(*human_resources_steps(end_of_service=end_of_service)),
        lambda database, _: HumanResourcesDirectory(database),
        frozenset(),
        {},
        lambda: datetime(today.year, today.month, today.day, 12, tzinfo=UTC),
    )
    return OrganizationService(open_database(path, Durability.NONE), parts)


@pytest.fixture
def start(made: Path, tmp_path: Path) -> Iterator[Callable[..., HumanResources]]:
    services: list[OrganizationService] = []

    def begin(**options: date) -> HumanResources:
        path = tmp_path / f"hr{len(services)}.db"
        copy_database(made, path)
        service = opened(path, **options)
        services.append(service)
        return HumanResources(service, service.directory.user(None, f"uma@{DOMAIN}"))

    yield begin
    for service in services:
        service.database.close()


@pytest.fixture
def hr(start: Callable[..., HumanResources]) -> HumanResources:
    return start()


def test_an_export_makes_a_person_and_a_candidate_without_company(hr: HumanResources) -> None:
    export = hr.export()
    candidate = hr.row(CANDIDATE, hcmcandidatetohireentityid=hr.candidate_of(export).id)
    person = hr.row("dirpersonentity", partynumber=candidate["partynumber"])

    assert (export["exportedcandidateid"], export["applicantintegrationresult"]) == ("000001", 0)
    assert (candidate["dataareaid"], candidate["candidateid"], candidate["partytype"]) == ("", "000001", "Person")
    assert (candidate["firstname"], candidate["lastname"]) == ("Ann", "Example")
    assert (candidate["availabilitydate"], candidate["applicantintegrationresult"]) == (date(2021, 7, 1), 0)
    assert person["primarycontactemail"] == "ann@x.test"
    assert person["primarycontactphone"] == "+31 20 555 0100"


def test_hiring_for_a_position_brings_the_five_details_and_an_assignment(hr: HumanResources) -> None:
    export = hr.export()
    candidate = hr.candidate_of(export)
    answer = hr.act("Hire", candidate, **HIRE, PositionId="000601")

    assert answer == Executed({"PersonnelNumber": "000011"})
    worker = hr.row("hcmworkerentity", personnelnumber="000011")
    employment = hr.row("hcmemploymententity", personnelnumber="000011")
    assignment = hr.row("hcmpositionworkerassignmententity", personnelnumber="000011")
    start = datetime(2021, 7, 1, tzinfo=UTC)
    details = ("firstname", "lastname", "primarycontactemail", "primarycontactphone", "titleid", "officelocation")
    assert [worker[name] for name in details] == ["Ann", "Example", "ann@x.test", "+31 20 555 0100", None, None]
    assert (employment["legalentityid"], employment["employmentstartdate"]) == ("USMF", start)
    assert (assignment["positionid"], assignment["validfrom"], assignment["validto"]) == ("000601", start, NEVER)
    assert hr.row("hcmpositionv2entity", positionid="000601")["workerpersonnelnumber"] == "000011"
    assert hr.result(candidate) == 1
    assert hr.row(EXPORT, exportedcandidateid="000001")["applicantintegrationresult"] == 1


def test_hiring_without_a_position_makes_no_assignment(hr: HumanResources) -> None:
    before = len(hr.rows("hcmpositionworkerassignmententity"))
    hr.act("Hire", hr.candidate_of(hr.export()), **HIRE, PersonnelNumber="A-7")
    assert hr.row("hcmemploymententity", personnelnumber="A-7")["legalentityid"] == "USMF"
    assert len(hr.rows("hcmpositionworkerassignmententity")) == before


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"LegalEntityId": ""}, "Field 'LegalEntityId' must be filled in."),
        ({"LegalEntityId": "NONE"}, "'NONE' in field 'LegalEntityId' is not found"),
        ({"EmploymentStartDate": None}, "Field 'EmploymentStartDate' must be filled in."),
        ({"EmploymentStartDate": "soon"}, "'soon' in field 'EmploymentStartDate' isn't a valid date."),
        ({"PositionId": "999999"}, "'999999' in field 'PositionId' is not found"),
        ({"PositionId": "000602"}, "Position '000602' already has a worker assigned (000001)"),
        ({"PositionId": "000610"}, "Position '000610' is retired on 2020-12-31"),
        ({"PositionId": "000611"}, "Position '000611' is activated on 2022-01-01"),
        ({"PersonnelNumber": "000001"}, "'000001' in field 'PersonnelNumber' is already in use."),
    ],
)
def test_a_wrong_hire_names_the_field_and_leaves_no_trace(
    hr: HumanResources, parameters: dict[str, object], text: str
) -> None:
    candidate = hr.candidate_of(hr.export())
    with pytest.raises(StepRejected) as refused:
        hr.act("Hire", candidate, **{**HIRE, **parameters})
    assert text in refused.value.message
    assert len(hr.rows("hcmworkerentity")) == 10
    assert hr.result(candidate) == 0


def test_a_position_is_taken_by_the_first_who_is_hired_for_it(hr: HumanResources) -> None:
    hr.act("Hire", hr.candidate_of(hr.export()), **HIRE, PositionId="000601")
    second = hr.candidate_of(hr.export(hrisrequestid="hr-0002", emailaddress="bo@x.test"))
    with pytest.raises(StepRejected, match="already has a worker assigned"):
        hr.act("Hire", second, **HIRE, PositionId="000601")


def test_a_candidate_is_hired_once(hr: HumanResources) -> None:
    candidate = hr.candidate_of(hr.export())
    hr.act("Hire", candidate, **HIRE)
    with pytest.raises(StepRejected, match=r"has already been processed\. Result: Hired"):
        hr.act("Hire", candidate, **HIRE)


def test_not_hiring_needs_a_reason_that_exists(hr: HumanResources) -> None:
    candidate = hr.candidate_of(hr.export())
    with pytest.raises(StepRejected, match="Field 'ReasonCodeId' must be filled in"):
        hr.act("DoNotHire", candidate)
    with pytest.raises(StepRejected, match="'MOOD' in field 'ReasonCodeId' is not found"):
        hr.act("DoNotHire", candidate, ReasonCodeId="MOOD")
    hr.act("DoNotHire", candidate, ReasonCodeId="salary", Comments="Too much")
    row = hr.row(CANDIDATE, hcmcandidatetohireentityid=candidate.id)
    assert (row["applicantintegrationresult"], row["donothirereasoncodeid"], row["comments"]) == (
        2,
        "SALARY",
        "Too much",
    )
    assert len(hr.rows("hcmworkerentity")) == 10


def test_dismissing_works_after_hiring_but_only_once(hr: HumanResources) -> None:
    candidate = hr.candidate_of(hr.export())
    hr.act("Hire", candidate, **HIRE)
    hr.act("Dismiss", candidate)
    assert hr.result(candidate) == 3
    with pytest.raises(StepRejected, match="has already been dismissed"):
        hr.act("Dismiss", candidate)


def test_the_same_request_is_exported_once(hr: HumanResources) -> None:
    hr.export()
    with pytest.raises(StepRejected, match=r"The record already exists \(ExportedCandidateId: 000001\)") as refused:
        hr.export(emailaddress="other@x.test")
    assert refused.value.code == "0x80040265"
    assert len(hr.rows(EXPORT)) == 1


def test_the_same_person_is_exported_again_only_after_dismissal(hr: HumanResources) -> None:
    first = hr.export()
    with pytest.raises(StepRejected, match="Dismiss that candidate"):
        hr.export(hrisrequestid="hr-0002", emailaddress="ANN@X.test")
    hr.act("Dismiss", hr.candidate_of(first))
    second = hr.export(hrisrequestid="hr-0002", emailaddress="ANN@X.test")
    assert second["exportedcandidateid"] != first["exportedcandidateid"]
    assert hr.result(hr.candidate_of(second)) == 0


@pytest.mark.parametrize("field", sorted(ANN.keys() - {"phonenumber"}))
@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_export_without_a_required_field_names_it(hr: HumanResources, field: str, empty: Value) -> None:
    if field == "startdate" and empty is not None:
        empty = date(1900, 1, 1)
    with pytest.raises(StepRejected, match="must be filled in") as refused:
        hr.export(**{field: empty})
    assert f"'{field}'" in refused.value.message.lower()
    assert hr.rows(EXPORT) == hr.rows(CANDIDATE) == ()


def test_an_export_needs_no_phone_number(hr: HumanResources) -> None:
    assert hr.export(phonenumber=None)["exportedcandidateid"] == "000001"


def test_exports_end_with_the_service(start: Callable[..., HumanResources]) -> None:
    last = date(2021, 12, 31)
    start(today=last, end_of_service=last).export()
    with pytest.raises(StepRejected, match="ended on 2021-12-31"):
        start(today=date(2022, 1, 1), end_of_service=last).export()


def test_a_reader_may_neither_export_nor_hire(hr: HumanResources) -> None:
    candidate = hr.candidate_of(hr.export())
    rex = hr.service.directory.user(None, f"Rex@{DOMAIN}")
    with pytest.raises(AccessDenied, match="prvCreateHcmLinkedInExportedCandidateEntity"):
        hr.service.execute(Create(EXPORT, {**ANN, "hrisrequestid": "hr-0009"}), rex)
    with pytest.raises(AccessDenied, match="prvWriteHcmCandidateToHireEntity"):
        hr.service.execute(Execute("Hire", HIRE, candidate), rex)
    assert isinstance(hr.service.execute(RetrieveMultiple(QueryExpression(CANDIDATE)), rex), Rows)


def test_a_candidate_is_a_new_person_or_an_existing_one_but_not_both(hr: HumanResources) -> None:
    hr.send(Create(CANDIDATE, {"dataareaid": "USMF", "firstname": "Bo", "lastname": "Nobody"}))
    made = hr.row(CANDIDATE, firstname="Bo")
    assert made["dataareaid"] == "usmf"
    hr.send(Create(CANDIDATE, {"partynumber": made["partynumber"]}))
    assert [row["lastname"] for row in hr.rows(CANDIDATE, partynumber=made["partynumber"])] == ["Nobody", "Nobody"]
    with pytest.raises(StepRejected, match=r"names an existing person\. Field 'firstname' must not be given"):
        hr.send(Create(CANDIDATE, {"partynumber": made["partynumber"], "firstname": "Bob"}))
    with pytest.raises(StepRejected, match="'zzzz' in field 'dataAreaId' is not found"):
        hr.send(Create(CANDIDATE, {"dataareaid": "ZZZZ", "firstname": "Bo"}))


def test_personnel_numbers_given_by_hand_are_passed_over(hr: HumanResources) -> None:
    hr.send(Create("hcmworkerentity", {"personnelnumber": "000011", "firstname": "Bo"}))
    hr.send(Create("hcmworkerentity", {"firstname": "Ann", "lastname": "Example"}))
    assert hr.row("hcmworkerentity", firstname="Ann")["personnelnumber"] == "000012"


def test_a_corrected_candidate_is_hired_under_the_corrected_name(hr: HumanResources) -> None:
    candidate = hr.candidate_of(hr.export())
    hr.send(Update(candidate, {"lastname": "Sample", "gender": 2}))
    hr.act("Hire", candidate, **HIRE)
    worker = hr.row("hcmworkerentity", personnelnumber="000011")
    assert (worker["name"], worker["gender"]) == ("Ann Sample", 2)


def test_worker_and_person_show_the_same_details(hr: HumanResources) -> None:
    ada = hr.row("hcmworkerentity", personnelnumber="000001")
    worker = EntityReference("hcmworkerentity", Guid(str(ada["hcmworkerentityid"])))
    hr.send(Update(worker, {"middlename": "M.", "primarycontactphone": "1"}))
    person = hr.row("dirpersonentity", partynumber=ada["partynumber"])
    assert (person["name"], person["primarycontactphone"]) == ("Ada M. Example", "1")
    hr.send(Update(EntityReference("dirpersonentity", Guid(str(person["dirpersonentityid"]))), {"middlename": None}))
    assert hr.row("hcmworkerentity", personnelnumber="000001")["name"] == "Ada Example"
    with pytest.raises(StepRejected, match="Field 'FirstName' must be filled in"):
        hr.send(Update(worker, {"firstname": ""}))
    assert hr.row("dirpersonentity", partynumber=ada["partynumber"])["firstname"] == "Ada"


def test_an_assignment_that_ends_frees_the_position(hr: HumanResources) -> None:
    held = hr.row("hcmpositionworkerassignmententity", positionid="000602")
    reference = EntityReference(
        "hcmpositionworkerassignmententity", Guid(str(held["hcmpositionworkerassignmententityid"]))
    )
    hr.send(Update(reference, {"validto": datetime(2021, 6, 30, 23, 59, 59, tzinfo=UTC)}))
    hr.act("Hire", hr.candidate_of(hr.export()), **HIRE, PositionId="000602")
    assert hr.row("hcmpositionv2entity", positionid="000602")["workername"] == "Ann Example"
    hr.send(Delete(reference))
    assert hr.row("hcmpositionv2entity", positionid="000602")["workername"] == "Ann Example"


def test_a_changed_role_counts_at_once(hr: HumanResources) -> None:
    assert "prvWriteHcmWorkerEntity" in hr.uma.grants
    row = hr.row("securityuserroleentity", userid="Uma")
    reference = EntityReference("securityuserroleentity", Guid(str(row["securityuserroleentityid"])))
    hr.service.execute(Delete(reference), hr.service.system)
    assert not hr.service.directory.user(None, f"uma@{DOMAIN}").grants


def test_applications_run_as_their_user_while_it_is_enabled(hr: HumanResources) -> None:
    directory = hr.service.directory
    assert directory.application_user(Guid(ADMIN_APPLICATION), None).caller.full_name == "Admin"
    with pytest.raises(AccessDenied, match="not in the list"):
        directory.application_user(Guid("33333333-3333-4333-8333-333333333333"), None)
    admin = hr.row("systemuserentity", userid="Admin")
    reference = EntityReference("systemuserentity", Guid(str(admin["systemuserentityid"])))
    hr.service.execute(Update(reference, {"enabled": 0}), hr.service.system)
    with pytest.raises(AccessDenied, match="disabled"):
        directory.application_user(Guid(ADMIN_APPLICATION), None)


def test_an_application_needs_a_user_that_exists(hr: HumanResources) -> None:
    with pytest.raises(StepRejected, match="'Nobody' in field 'UserId' is not found"):
        hr.service.execute(
            Create("sysaadcliententity", {"clientid": "x", "name": "y", "userid": "Nobody"}), hr.service.system
        )
