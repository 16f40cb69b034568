"""The table of functions and actions: complete, consistent, and true about what works."""

from __future__ import annotations

import re
from uuid import uuid4

from sales_tables import SALES_TABLES

from entities.pipeline import Stage
from entities.standard.rules import standard_steps
from entities.values import Guid
from odata_server.admin.solution_messages import solution_file_steps
from odata_server.edm.operation_list import AVAILABLE, BULK, FILES, documented_operations, operation_list
from odata_server.endpoints.entity_functions import OF_DEFINITIONS

SIGNATURE = re.compile(r"(?:FUNC|ACT ) ?(\w+)\(")


def test_every_operation_of_a_real_document_is_known(reference):
    lines = (reference / "reference" / "operations-v9.1.txt").read_text("utf-8").splitlines()
    names = {found[1] for line in lines if (found := SIGNATURE.match(line)) and "PropertyName: Edm.String" not in line}
    assert len(names) > 280
    assert names <= operation_list().by_name.keys()


def test_what_is_said_to_work_has_a_handler():
    steps = standard_steps({}.get, tenant_domain="contoso.test", organization_id=Guid(str(uuid4())), version="9.2.0.0")
    handled = {step.message for step in (*steps, *solution_file_steps()) if step.stage is Stage.MAIN}
    # The server has messages of its own, which no URL names.
    assert (handled | BULK | FILES | OF_DEFINITIONS.keys()) & operation_list().by_name.keys() == AVAILABLE


def test_every_overload_is_bound_in_another_way():
    for found in operation_list().by_name.values():
        places = [(one.bound.name, one.bound.is_collection) if one.bound else None for one in found]
        assert len(places) == len(set(places))


def test_every_type_of_an_operation_and_of_its_parts_is_known(reference):
    listed = operation_list()
    tables = set(
        re.findall(r'EntityType Name="(\w+)"', (reference / "data" / "dataverse-v9.1-metadata.xml").read_text())
    )
    tables |= {"crmbaseentity", *SALES_TABLES}
    primitive = {
        "Binary",
        "Boolean",
        "DateTimeOffset",
        "Decimal",
        "Double",
        "Guid",
        "Int16",
        "Int32",
        "Int64",
        "String",
    }
    for operation in documented_operations():
        assert operation.entity_types <= tables, operation.name
    for type_ in listed.told_types.values():
        parts = {part.name for part in type_.properties.values()} | ({type_.base} - {""})
        assert parts <= {*listed.told_types, *listed.told_enums, *tables} | primitive, type_.name
    assert all(enum.members for enum in listed.told_enums.values())


def test_types_that_only_metadata_tells_are_not_read_by_the_binder():
    listed = operation_list()
    assert listed.complex_types.keys() < listed.told_types.keys()
    assert "QueryExpression" in listed.told_types.keys() - listed.complex_types.keys()


def test_the_messages_about_several_records_are_those_of_any_table():
    assert {operation.name for operation in documented_operations() if operation.is_of_any_table} == BULK - {
        "DeleteMultiple"
    }
