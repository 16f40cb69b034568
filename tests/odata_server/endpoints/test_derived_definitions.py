"""Definitions of calculated, rollup and autonumber columns, their refusals, and the sequences of numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from shops import open_shop
from things import dump

from entities.errors import AccessDenied
from entities.messages import Execute
from entities.values import EntityReference
from odata_server.admin.fixture_file import FixtureError
from odata_server.render.definition_columns import column_values
from security.authorize import authorize


@pytest.fixture(scope="module")
def shop(api, environments, tmp_path_factory):
    return open_shop(api, environments, tmp_path_factory.mktemp("derived"))


DEFINITIONS = [
    ("con_line", "con_amount", {"SourceType": 1, "SourceTypeMask": 1, "FormulaDefinition": "con_quantity * con_price"}),
    ("con_line", "con_label", {"SourceType": 1, "SourceTypeMask": 3}),
    ("con_line", "con_large", {"SourceType": 1, "SourceTypeMask": 9}),
    ("con_order", "con_net", {"SourceType": 1, "SourceTypeMask": 17}),
    (
        "con_order",
        "con_total",
        {"SourceType": 2, "FormulaDefinition": "SUM(con_line.con_amount) by con_order where statecode eq 0"},
    ),
    ("con_order", "con_lines", {"SourceType": 2, "FormulaDefinition": "COUNT(con_line) by con_order below con_parent"}),
]


@pytest.mark.parametrize(("table", "column", "told"), DEFINITIONS)
def test_definitions_tell_where_values_come_from(shop, table, column, told):
    declared = shop.service.catalog.tables[table]
    found = column_values(declared, declared.by_name[column], 1)
    assert found.items() >= told.items()
    assert (found["IsValidForCreate"], found["IsValidForUpdate"], found["IsValidForRead"]) == (False, False, True)


ACCOUNT = EntityReference("account", "0a000000-0000-4000-8000-0000000000aa")
CALLS = [
    ("CalculateRollupField", {"Target": ACCOUNT, "FieldName": "con_contacts"}, "prvWriteAccount"),
    ("InitializeFrom", {"EntityMoniker": ACCOUNT}, "prvReadAccount"),
    ("GetAutoNumberSeed", {}, "prvReadAttribute"),
    ("GetNextAutoNumberValue", {}, "prvReadAttribute"),
    ("SetAutoNumberSeed", {}, "prvWriteAttribute"),
    ("AutoMapEntity", {}, "prvWriteAttribute"),
]


@pytest.mark.parametrize(("name", "parameters", "privilege"), CALLS)
def test_each_operation_takes_its_privilege(shop, name, parameters, privilege):
    catalog, everything = shop.service.catalog, shop.service.system
    nobody = replace(everything, grants={"prvReadContact": 8}, is_system=False)
    with pytest.raises(AccessDenied, match=privilege):
        authorize(Execute(name, parameters), nobody, catalog)
    allowed = replace(nobody, grants={privilege: 8})
    assert authorize(Execute(name, parameters), allowed, catalog).message.name == name


def _column(**members):
    return {"columns": {"account": [{"schemaName": "con_New", **members}]}}


def _over(function="COUNT", table="contact", lookup="parentcustomerid", **more):
    return {"function": function, "table": table, "lookup": lookup, **more}


UNSOUND = [
    (_column(formula="name +"), "cannot be read"),
    (_column(formula="(name"), "cannot be read"),
    (_column(formula="nothing"), "field doesn't exist"),
    (_column(formula="FLOOR(name)"), "function doesn't exist"),
    (_column(formula="name + 1", type="Integer"), "operator"),
    (_column(formula="1 + 1"), "type number"),
    (_column(formula="con_new"), "circular reference"),
    (_column(formula="ownerid.name"), "invalid reference"),
    (_column(formula="ADDHOURS(1, name)"), "current function"),
    (_column(formula="CONCAT(name, revenue)"), "current function"),
    (_column(formula="NULL"), "type nothing"),
    (_column(formula="1" + "*1" * 14, type="Decimal"), "multiplications"),
    (_column(formula="'a'", type="Memo"), "cannot be a calculated field"),
    (_column(type="Integer", rollup=_over(table="nothing")), "not allowed for rollups"),
    (_column(type="Integer", rollup=_over(lookup="ownerid")), "doesn't exist"),
    (_column(type="Integer", rollup=_over("MEDIAN")), "isn't allowed"),
    (_column(type="Integer", rollup=_over("SUM", column="fullname")), "isn't allowed"),
    (_column(type="Integer", rollup=_over("SUM", column="creditlimit")), "isn't allowed"),
    (_column(type="Integer", rollup=_over("SUM", column="nothing")), "doesn't belong"),
    (_column(type="Integer", rollup=_over(table="account", lookup="parentaccountid")), "Self referential"),
    (_column(type="Integer", rollup=_over(conditions=[{"column": "x", "operator": "eq", "values": ["1"]}])), "valid"),
    (_column(type="Integer", rollup=_over(conditions=[{"column": "statecode", "operator": "eq"}])), "valid"),
    (_column(type="Integer", rollup=_over(hierarchy="ownerid")), "hierarchy"),
    (_column(type="String", rollup=_over()), "isn't valid"),
    (_column(type="Integer", autoNumberFormat="{SEQNUM:4}"), "automatic numbers"),
    (_column(autoNumberFormat="{SEQNUM}"), "no format"),
    (_column(type="Lookup", targets=["contact"]), "only a declared table"),
    ({"columns": {"nothing": [{"schemaName": "con_X"}]}}, "there is no table"),
    ({"columns": {"account": [{"schemaName": "Name"}]}}, "already"),
]


@pytest.mark.parametrize(("document", "reason"), UNSOUND, ids=range(len(UNSOUND)))
def test_an_unsound_definition_is_refused(shop, document, reason):
    before = dump(shop.service.database)
    with pytest.raises(FixtureError, match=reason):
        shop.declare(document)
    assert dump(shop.service.database) == before


def test_numbers_begin_with_a_thousand_and_go_on(shop):
    def number():
        made = shop("POST", "/con_orders?$select=con_number,con_stamp", {}, prefer="return=representation")
        return json.loads(made.body)

    taken = [number() for _ in range(2)]
    first = int(taken[0]["con_number"].split("-")[1])
    assert first >= 1000
    assert [row["con_number"][:18] for row in taken] == [
        f"O-{first + n:06}-{datetime.now(UTC):%Y%m%d}-" for n in range(2)
    ]
    assert len(taken[0]["con_stamp"]) == 4
    of_column = {"EntityName": "con_order", "AttributeName": "con_number"}
    called = shop("POST", "/GetNextAutoNumberValue", of_column)
    assert json.loads(called.body)["NextAutoNumberValue"] == first + 2
    assert shop("POST", "/SetAutoNumberSeed", {**of_column, "Value": 50_000}).status == 204
    assert json.loads(shop("POST", "/GetAutoNumberSeed", of_column).body)["AutoNumberSeedValue"] == 50_000
    assert number()["con_number"].startswith("O-050000-")
    assert json.loads(shop("POST", "/GetAutoNumberSeed", of_column).body)["AutoNumberSeedValue"] == 50_000


SEEDS = [
    ({"EntityName": "nothing", "AttributeName": "con_number"}, "0x80041102"),
    ({"EntityName": "con_order", "AttributeName": "nothing"}, "0x80041103"),
    ({"EntityName": "con_order", "AttributeName": "con_name"}, "0x80060884"),
    ({"EntityName": "con_order", "AttributeName": "con_stamp"}, "0x80060885"),
]


@pytest.mark.parametrize(("parameters", "code"), SEEDS)
def test_a_sequence_that_is_not_there_is_refused(shop, parameters, code):
    before = dump(shop.service.database)
    for action, more in (
        ("GetAutoNumberSeed", {}),
        ("GetNextAutoNumberValue", {}),
        ("SetAutoNumberSeed", {"Value": 5}),
    ):
        assert shop.error("POST", f"/{action}", {**parameters, **more})[:2] == (400, code)
    assert dump(shop.service.database) == before


@pytest.mark.parametrize(("seed", "code"), [(-1, "0x80060886"), (10**16, "0x80040203"), (2**63 - 1, "0x80040203")])
def test_a_seed_out_of_range_is_refused(shop, seed, code):
    parameters = {"EntityName": "con_order", "AttributeName": "con_number", "Value": seed}
    before = dump(shop.service.database)
    assert shop.error("POST", "/SetAutoNumberSeed", parameters)[:2] == (400, code)
    assert dump(shop.service.database) == before
