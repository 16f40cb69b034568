"""The table of functions and actions: complete, consistent, and true about what works."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from entities.pipeline import Stage
from entities.standard.rules import standard_steps
from entities.values import Guid
from odata_server.edm.operation_list import AVAILABLE, BULK, FILES, available_operations, operation_list
from odata_server.edm.operations import declared

SIGNATURE = re.compile(r"(?:FUNC|ACT ) ?(\w+)\(")


def test_every_operation_of_a_real_document_is_known(reference):
    lines = (reference / "reference" / "operations-v9.1.txt").read_text("utf-8").splitlines()
    names = {found[1] for line in lines if (found := SIGNATURE.match(line)) and "PropertyName: Edm.String" not in line}
    assert len(names) > 280
    assert names <= operation_list().by_name.keys()


def test_what_is_said_to_work_has_a_handler():
    steps = standard_steps({}.get, tenant_domain="contoso.test", organization_id=Guid(str(uuid4())), version="9.2.0.0")
    handled = {step.message for step in steps if step.stage is Stage.MAIN}
    # The server has messages of its own, which no URL names.
    assert (handled | BULK | FILES) & operation_list().by_name.keys() == AVAILABLE


def test_every_overload_is_bound_in_another_way():
    for found in operation_list().by_name.values():
        places = [(one.bound.name, one.bound.is_collection) if one.bound else None for one in found]
        assert len(places) == len(set(places))


@pytest.mark.parametrize("operation", available_operations(), ids=lambda operation: operation.name)
def test_every_type_of_an_operation_that_is_declared_is_known(operation, dataverse):
    if not declared(dataverse, (operation,)):
        # Their parameters are of a table, or of a type of queries, that is not there.
        assert operation.name in {"BulkDelete", "BulkDetectDuplicates", "QueryExpressionToFetchXml"}
        return
    listed = operation_list()
    types, enums = listed.types_of((operation,))
    inner = {type_.name for one in types for type_ in one.properties.values()}
    known = {*listed.complex_types, *listed.enums, *dataverse.tables, "crmbaseentity"}
    primitive = {"Binary", "Boolean", "DateTimeOffset", "Decimal", "Double", "Guid", "Int32", "Int64", "String"}
    assert inner <= known | primitive
    assert operation.entity_types <= known
    assert all(enum.members for enum in enums)
