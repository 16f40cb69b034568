"""Generated virtual tables: names exactly as domain rules d.1 and d.6 say."""

import pytest

from entities.generation import catalog_rows, virtual_relationships, virtual_table
from entities.human_resources.declaring import public_columns
from entities.human_resources.model import PUBLIC_TABLES, RELATIONSHIPS, TABLES
from entities.human_resources.roles import EMPLOYEE, HUMAN_RESOURCE_MANAGER, SYSTEM_ADMINISTRATOR
from entities.metadata.catalog import catalog
from entities.metadata.columns import ChoiceType, DateTimeBehavior, DateTimeType, LookupType, StringType
from entities.metadata.tables import Ownership, TableKind
from security.privileges import table_privileges

SOURCES = {table.schema_name: table for table in TABLES}
EXPORTED = SOURCES["HcmLinkedInExportedCandidateEntity"]
CANDIDATE = SOURCES["HcmCandidateToHireEntity"]
ALL = frozenset(table.logical_name for table in PUBLIC_TABLES)


def test_the_exported_candidate_table_has_the_documented_names():
    table = virtual_table(EXPORTED, relationships=RELATIONSHIPS, generated=ALL)
    assert table.logical_name == "mshr_hcmlinkedinexportedcandidateentity"
    assert table.schema_name == "mshr_HcmLinkedInExportedCandidateEntity"
    assert table.entity_set_name == "mshr_hcmlinkedinexportedcandidateentities"
    assert table.primary_id == "mshr_hcmlinkedinexportedcandidateentityid"
    assert table.primary_name == "mshr_exportedcandidateid"
    assert [c.logical_name for c in table.columns] == [
        "mshr_hcmlinkedinexportedcandidateentityid",
        "mshr_exportedcandidateid",
        "mshr_hiringcontext",
        "mshr_hrisrequestid",
        "mshr_firstname",
        "mshr_lastname",
        "mshr_emailaddress",
        "mshr_phonenumber",
        "mshr_startdate",
        "mshr_jobtitle",
        "mshr_joblocation",
        "mshr_applicantintegrationresult",
        "mshr_dataareaid",
        "mshr_fk_candidatetohire_id",
    ]
    assert table.display_name.text() == "LinkedIn exported candidate"
    assert table.display_name.text(1043) == "Geëxporteerde kandidaten voor LinkedIn"
    assert table.plural_name.text() == "LinkedIn exported candidates"


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("exportedcandidateid", 20),
        ("hiringcontext", 255),
        ("hrisrequestid", 255),
        ("firstname", 25),
        ("lastname", 60),
        ("emailaddress", 255),
        ("phonenumber", 255),
        ("jobtitle", 200),
        ("joblocation", 255),
    ],
)
def test_texts_of_the_exported_candidate_have_the_documented_lengths(name: str, length: int):
    assert virtual_table(EXPORTED).by_name[f"mshr_{name}"].type == StringType(length)


def test_dates_choices_and_lookups_have_the_documented_types():
    columns = virtual_table(EXPORTED, relationships=RELATIONSHIPS, generated=ALL).by_name
    assert columns["mshr_startdate"].type == DateTimeType(DateTimeBehavior.DATE_ONLY, "DateOnly")
    result = columns["mshr_applicantintegrationresult"].type
    assert isinstance(result, ChoiceType)
    assert result.choice.name == "mshr_hcmapplicantintegrationresult"
    assert result.choice.is_global
    assert result.default == 200000000
    assert [(o.value, o.label.text(), o.external_value) for o in result.choice.options] == [
        (200000000, "Not processed", "NotProcessed"),
        (200000001, "Hired", "Hired"),
        (200000002, "Not hired", "NotHired"),
        (200000003, "Dismissed", "Dismissed"),
    ]
    assert columns["mshr_fk_candidatetohire_id"].type == LookupType(("mshr_hcmcandidatetohireentity",))


def test_write_once_columns_cannot_be_changed_and_numbers_cannot_be_set():
    columns = virtual_table(EXPORTED).by_name
    assert columns["mshr_hrisrequestid"].valid_for_create
    assert not columns["mshr_hrisrequestid"].valid_for_update
    assert not columns["mshr_exportedcandidateid"].valid_for_create
    assert not columns["mshr_hcmlinkedinexportedcandidateentityid"].valid_for_create


@pytest.mark.parametrize("source", PUBLIC_TABLES, ids=lambda t: t.schema_name)
def test_a_generated_table_keeps_to_what_virtual_tables_can_do(source):
    table = virtual_table(source, relationships=RELATIONSHIPS, generated=ALL)
    assert (table.kind, table.ownership) == (TableKind.VIRTUAL, Ownership.ORGANIZATION)
    assert not table.keys
    assert not table.optimistic_concurrency
    assert not table.change_tracking
    assert not table.by_name.keys() & {"versionnumber", "createdon", "ownerid", "statecode", "mshr_versionnumber"}
    assert not any(column.is_secured for column in table.columns)
    assert table.primary_name in table.by_name
    assert table == virtual_table(source, relationships=RELATIONSHIPS, generated=ALL)
    assert table.source.name == source.schema_name


@pytest.mark.parametrize(
    ("aot", "entity_set", "primary"),
    [
        ("HcmCandidateToHireEntity", "mshr_hcmcandidatetohireentities", "mshr_primaryfield"),
        ("HcmWorkerEntity", "mshr_hcmworkerentities", "mshr_personnelnumber"),
        ("HcmPositionV2Entity", "mshr_hcmpositionv2entities", "mshr_positionid"),
        ("DirPersonEntity", "mshr_dirpersonentities", "mshr_partynumber"),
        ("OMLegalEntity", "mshr_omlegalentities", "mshr_legalentityid"),
    ],
)
def test_sets_are_in_the_plural_and_composite_keys_get_a_primary_field(aot: str, entity_set: str, primary: str):
    table = virtual_table(SOURCES[aot])
    assert (table.entity_set_name, table.primary_name) == (entity_set, primary)


def test_object_type_codes_are_unique_and_custom():
    codes = [virtual_table(source).object_type_code for source in PUBLIC_TABLES]
    assert len(set(codes)) == len(codes)
    assert min(codes) >= 10_000


def test_a_relation_needs_its_target_generated():
    alone = virtual_table(EXPORTED, relationships=RELATIONSHIPS)
    assert "mshr_fk_candidatetohire_id" not in alone.by_name
    assert virtual_relationships(EXPORTED, RELATIONSHIPS, ()) == ()
    (relation,) = virtual_relationships(EXPORTED, RELATIONSHIPS, {CANDIDATE.logical_name})
    assert relation.schema_name == "mshr_FK_HcmLinkedInExportedCandidateEntity_CandidateToHire"
    assert relation.referencing_navigation == "mshr_FK_CandidateToHire_id"
    assert relation.referencing_column == "mshr_fk_candidatetohire_id"
    assert relation.referenced_table == "mshr_hcmcandidatetohireentity"
    assert relation.referenced_column == "mshr_hcmcandidatetohireentityid"


def test_generated_tables_and_relations_make_a_catalog():
    tables = [virtual_table(s, relationships=RELATIONSHIPS, generated=ALL) for s in PUBLIC_TABLES]
    relations = [r for s in PUBLIC_TABLES for r in virtual_relationships(s, RELATIONSHIPS, ALL)]
    found = catalog(1, tables, relations)
    assert found.navigation("mshr_hcmcandidatetohireentity", "mshr_FK_Person_id") is not None
    people = found.navigation("mshr_dirpersonentity", "mshr_FK_HcmCandidateToHireEntity_Person")
    assert people is not None
    for relation in relations:
        assert relation.referencing_column in found.tables[relation.referencing_table].by_name
        assert relation.referenced_column in found.tables[relation.referenced_table].by_name


def test_the_catalog_lists_public_entities_not_yet_generated():
    rows = {row["mserp_physicalname"]: row for row in catalog_rows()}
    assert "SystemUserEntity" not in rows
    row = rows["HcmLinkedInExportedCandidateEntity"]
    assert row["mserp_displayname"] == "LinkedIn exported candidate"
    assert (row["mserp_hasbeengenerated"], row["mserp_refresh"]) == (False, False)
    assert len({row["mserp_financeandoperationsentityid"] for row in rows.values()}) == len(PUBLIC_TABLES)
    dutch = {row["mserp_physicalname"]: row["mserp_displayname"] for row in catalog_rows(1043)}
    assert dutch["HcmLinkedInExportedCandidateEntity"] == "Geëxporteerde kandidaten voor LinkedIn"
    assert dutch["HcmWorkerEntity"] == "Worker"


def test_data_shows_no_ids_versions_or_internal_columns():
    shown = {column.schema_name for column in public_columns(EXPORTED)}
    assert {"ExportedCandidateId", "HiringContext", "dataAreaId", "StartDate"} <= shown
    assert not shown & {
        "HcmLinkedInExportedCandidateEntityId",
        "VersionNumber",
        "FK_CandidateToHire_id",
        "OpenPersonKey",
    }


def test_roles_grant_privileges_that_exist():
    existing = {privilege.name for table in TABLES for privilege in table_privileges(table)}
    assert SYSTEM_ADMINISTRATOR.privileges() == existing
    assert "prvCreateHcmLinkedInExportedCandidateEntity" in HUMAN_RESOURCE_MANAGER.privileges()
    assert not any("SecurityUserRole" in name for name in HUMAN_RESOURCE_MANAGER.privileges())
    assert all(name.startswith("prvRead") for name in EMPLOYEE.privileges())
