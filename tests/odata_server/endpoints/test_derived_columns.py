"""Calculated, rollup and autonumber columns over HTTP, on tables that a fixture file declares."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from things import dump

from entities.errors import AccessDenied
from entities.messages import Execute
from entities.query import QueryExpression, equals
from entities.standard.identifiers import root_business_unit_id
from entities.standard.sdk_messages import message_rows
from entities.values import EntityReference
from odata_server.admin.fixture import Target, apply_fixture
from odata_server.admin.fixture_file import FixtureError, read_fixture
from odata_server.engine.environment import fill
from odata_server.engine.jobs import JobWorker
from odata_server.engine.organization import OrganizationService
from odata_server.providers.rollup_job import calculate_rollups, schedule_rollups
from odata_server.providers.system_jobs import report
from odata_server.render.definition_columns import column_values
from security.authorize import authorize

DECLARED = {
    "tables": [
        {
            "schemaName": "con_Order",
            "primaryName": "con_Name",
            "columns": [
                {"schemaName": "con_Name"},
                {"schemaName": "con_Number", "autoNumberFormat": "O-{SEQNUM:6}-{DATETIMEUTC:yyyyMMdd}-{RANDSTRING:4}"},
                {"schemaName": "con_Stamp", "autoNumberFormat": "S{RANDSTRING:3}"},
                {"schemaName": "con_Account", "type": "Lookup", "targets": ["account"]},
                {"schemaName": "con_Parent", "type": "Lookup", "targets": ["con_order"]},
                {"schemaName": "con_Due", "type": "DateOnly"},
                {"schemaName": "con_Late", "type": "DateOnly", "formula": "ADDDAYS(14, con_due)"},
                {"schemaName": "con_Discount", "type": "Decimal"},
                {"schemaName": "con_Total", "type": "Money", "rollup": {
                    "function": "sum", "table": "con_line", "lookup": "con_order", "column": "con_amount",
                    "conditions": [{"column": "statecode", "operator": "eq", "values": ["0"]}]}},
                {"schemaName": "con_Lines", "type": "Integer", "rollup": {
                    "function": "COUNT", "table": "con_line", "lookup": "con_order", "hierarchy": "con_parent"}},
                {"schemaName": "con_Latest", "type": "DateOnly", "rollup": {
                    "function": "MAX", "table": "con_line", "lookup": "con_order", "column": "con_day"}},
                {"schemaName": "con_Average", "type": "Decimal", "rollup": {
                    "function": "AVG", "table": "con_line", "lookup": "con_order", "column": "con_quantity"}},
                {"schemaName": "con_Small", "type": "Integer", "rollup": {
                    "function": "SUM", "table": "con_line", "lookup": "con_order", "column": "con_count"}},
                {"schemaName": "con_Net", "type": "Money", "formula": "con_total * (1 - con_discount / 100)"},
            ],
        },
        {
            "schemaName": "con_Line",
            "primaryName": "con_Name",
            "columns": [
                {"schemaName": "con_Name"},
                {"schemaName": "con_Order", "type": "Lookup", "targets": ["con_order"]},
                {"schemaName": "con_Quantity", "type": "Decimal"},
                {"schemaName": "con_Price", "type": "Money"},
                {"schemaName": "con_Count", "type": "Integer"},
                {"schemaName": "con_Day", "type": "DateOnly"},
                {"schemaName": "con_Amount", "type": "Money", "formula": "con_quantity * con_price"},
                {"schemaName": "con_Now", "type": "DateTime", "formula": "NOW()"},
                {"schemaName": "con_Label", "formula": "CONCAT(con_order.con_name, ': ', con_name)"},
                {"schemaName": "con_Large", "type": "Boolean", "formula": "con_amount >= 100 AND NOT con_quantity = 1"},
            ],
        },
    ],
    "columns": {
        "account": [
            {"schemaName": "con_Contacts", "type": "Integer", "rollup": {
                "function": "COUNT", "table": "contact", "lookup": "parentcustomerid"}},
            {"schemaName": "con_Shown", "formula": "CONCAT(name, ' (', address1_city, ')')"},
        ]
    },
}  # fmt: skip
ROLLUPS = {"con_total": 0, "con_lines": 0, "con_small": 0}


def _declare(path, service, finance, document):
    path.write_text(json.dumps(document))
    apply_fixture(read_fixture(path), Target(service, finance, None, root_business_unit_id(service.organization_id)))


@dataclass
class Shop:
    """The Web API over orders with lines, and what stands behind it."""

    api: object
    service: OrganizationService
    finance: OrganizationService
    folder: Path

    def __getattr__(self, name):
        return getattr(self.api, name)

    def __call__(self, *request, **headers):
        return self.api(*request, **headers)


@pytest.fixture(scope="module")
def shop(api, environments, tmp_path_factory):
    found = Shop(api, *environments, tmp_path_factory.mktemp("derived"))
    # New tables are entered in the list of messages.
    fill(found.service, message_rows(()))
    _declare(found.folder / "fixture.json", found.service, found.finance, DECLARED)
    return found


def _order(shop, *lines, **members):
    order = shop.created("con_orders", con_name="First", **members)
    for line in lines:
        shop.created("con_lines", **{"con_Order@odata.bind": f"/con_orders({order})", "con_name": "x", **line})
    return order


def _rollup(shop, order, name, entity_set="con_orders"):
    call = f"/CalculateRollupField(Target=@t,FieldName=@f)?@t={{'@odata.id':'{entity_set}({order})'}}&@f='{name}'"
    return shop("GET", call)


def test_a_calculated_column_is_read_with_its_record(shop):
    order = _order(shop, {"con_quantity": 3, "con_price": 40.5}, con_due="2024-02-20")
    (line,) = shop.json(f"/con_lines?$filter=_con_order_value eq {order}")["value"]
    assert (line["con_amount"], line["con_label"], line["con_large"]) == (121.5, "First: x", True)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(line["con_now"])) < timedelta(minutes=1)
    assert shop.json(f"/con_orders({order})?$select=con_late")["con_late"] == "2024-03-05"


def test_a_change_of_the_related_record_is_seen_at_once(shop):
    order = _order(shop, {"con_quantity": 1, "con_price": 1})
    assert shop("PATCH", f"/con_orders({order})", {"con_name": "Zweite"}).status == 204
    (line,) = shop.json(f"/con_lines?$filter=_con_order_value eq {order}&$select=con_label")["value"]
    assert line["con_label"] == "Zweite: x"


def test_a_calculated_column_filters_sorts_groups_and_expands(shop):
    order = _order(shop, *({"con_quantity": n, "con_price": 50} for n in (1, 4, 2)))
    of_order = f"_con_order_value eq {order}"
    found = shop.json(f"/con_lines?$select=con_amount&$filter={of_order} and con_amount gt 50&$orderby=con_amount desc")
    assert [row["con_amount"] for row in found["value"]] == [200, 100]
    found = shop.json(f"/con_lines?$apply=filter({of_order})/aggregate(con_amount with sum as total)")
    assert found["value"] == [{"total": 350}]
    found = shop.json(f"/con_orders({order})?$select=con_name&$expand=con_line_con_order_con_order($select=con_large)")
    assert sorted(row["con_large"] for row in found["con_line_con_order_con_order"]) == [False, True, True]
    names = shop.json(f"/con_lines?$filter={of_order} and contains(con_label,'FIRST')&$count=true")
    assert names["@odata.count"] == 3


def test_an_operand_that_is_missing_leaves_no_value(shop):
    order = _order(shop, {"con_quantity": 3})
    (line,) = shop.json(f"/con_lines?$filter=_con_order_value eq {order}")["value"]
    assert (line["con_amount"], line["con_large"]) == (None, None)


@pytest.mark.parametrize("member", [{"con_amount": 7}, {"con_label": "x"}, {"con_large": True}])
def test_writing_a_calculated_column_is_ignored(shop, member):
    line = shop.created("con_lines", con_name="y", con_quantity=2, con_price=3, **member)
    assert shop("PATCH", f"/con_lines({line})", member).status == 204
    found = shop.json(f"/con_lines({line})")
    assert (found["con_amount"], found["con_label"], found["con_large"]) == (6, ": y", False)


@pytest.mark.parametrize(("method", "body"), [("PUT", {"value": 7}), ("DELETE", None)])
@pytest.mark.parametrize("name", ["con_amount", "con_label"])
def test_one_property_that_is_calculated_is_not_written(shop, method, body, name):
    line = shop.created("con_lines", con_name="z", con_quantity=2, con_price=3)
    before = dump(shop.service.database)
    refusal = (400, "0x80040203", f"The property '{name}' cannot be modified.")
    assert shop.error(method, f"/con_lines({line})/{name}", body) == refusal
    assert dump(shop.service.database) == before


def test_fetchxml_sees_calculated_columns(shop):
    order = _order(shop, *({"con_quantity": n, "con_price": 10} for n in (1, 2, 3)))
    fetch = (
        "<fetch aggregate='true'><entity name='con_line'><attribute name='con_amount' aggregate='max' alias='most'/>"
        f"<filter><condition attribute='con_order' operator='eq' value='{order}'/>"
        "<condition attribute='con_amount' operator='lt' value='30'/></filter></entity></fetch>"
    )
    assert shop.json(f"/con_lines?fetchXml={quote(fetch)}")["value"][0]["most"] == 20


def test_a_new_record_has_no_rollups_yet(shop):
    found = shop.json(f"/con_orders({_order(shop, con_total=7)})")
    for name in ROLLUPS:
        assert (found[name], found[f"{name}_date"], found[f"{name}_state"]) == (None, None, 0)


CALCULATED = [
    ("con_total", 96),
    ("con_lines", 3),
    ("con_latest", "2024-02-29"),
    ("con_average", 2),
    ("con_small", 3),
]


@pytest.mark.parametrize(("name", "value"), CALCULATED)
def test_a_rollup_column_is_calculated_at_once(shop, name, value):
    order = _order(
        shop,
        {"con_quantity": 1, "con_price": 16, "con_day": "2024-02-29", "con_count": 1},
        {"con_quantity": 2, "con_price": 40, "con_day": "2024-01-31", "con_count": 2},
        {"con_quantity": 3, "con_price": 4, "con_day": None},
    )
    inactive = shop.json(f"/con_lines?$filter=_con_order_value eq {order} and con_quantity eq 3")["value"][0]
    assert shop("PATCH", f"/con_lines({inactive['con_lineid']})", {"statecode": 1}).status == 204
    before = shop.json(f"/con_orders({order})")
    answer = _rollup(shop, order, name)
    assert answer.status == 200, answer.body
    told = json.loads(answer.body)
    kept = {name: value, f"{name}_date": told[f"{name}_date"], f"{name}_state": 1}
    assert datetime.now(UTC) - datetime.fromisoformat(told[f"{name}_date"]) < timedelta(minutes=1)
    assert told == {
        "@odata.context": "https://org.test:8443/api/data/v9.2/$metadata#con_orders/$entity",
        "@odata.type": "#Microsoft.Dynamics.CRM.con_order",
        "con_orderid": order,
        **kept,
    }
    after = shop.json(f"/con_orders({order})")
    assert {**before, **kept, "@odata.etag": after["@odata.etag"], "versionnumber": after["versionnumber"]} | {
        "con_net": after["con_net"]
    } == after
    assert after["@odata.etag"] != before["@odata.etag"]
    assert _rollup(shop, order, name).status == 200
    assert shop.json(f"/con_orders({order})")["@odata.etag"] == after["@odata.etag"]


def test_records_below_count_where_the_hierarchy_does(shop):
    order = _order(shop, {"con_count": 1})
    child = _order(shop, {}, {}, **{"con_Parent@odata.bind": f"/con_orders({order})"})
    grandchild = _order(shop, {}, **{"con_Parent@odata.bind": f"/con_orders({child})"})
    assert json.loads(_rollup(shop, order, "con_lines").body)["con_lines"] == 4
    assert json.loads(_rollup(shop, grandchild, "con_lines").body)["con_lines"] == 1


def test_contacts_of_an_account_are_counted(shop):
    account = shop.created("accounts", name="Contoso", address1_city="Utrecht")
    shop.created("contacts", lastname="A", **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    assert json.loads(_rollup(shop, account, "con_contacts", "accounts").body)["con_contacts"] == 1
    assert shop.json(f"/accounts({account})")["con_shown"] == "Contoso (Utrecht)"


MISSING = "0a000000-0000-4000-8000-0000000000ff"
REFUSED = [
    (None, "con_discount", 400, "0x80060554"),
    (None, "con_late", 400, "0x80060554"),
    (None, "con_nothing", 400, "0x80041103"),
    (MISSING, "con_total", 404, "0x80040217"),
]


@pytest.mark.parametrize(("order", "name", "status", "code"), REFUSED)
def test_a_calculation_is_refused(shop, order, name, status, code):
    order = order or _order(shop)
    before = dump(shop.service.database)
    answer = _rollup(shop, order, name)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert dump(shop.service.database) == before


def test_a_sum_that_has_no_room_is_an_overflow(shop):
    order = _order(shop, {"con_count": 2_000_000_000}, {"con_count": 2_000_000_000})
    before = dump(shop.service.database)
    answer = _rollup(shop, order, "con_small")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "0x80060558")
    assert dump(shop.service.database) == before
    calculate_rollups(shop.service)
    assert shop.json(f"/con_orders({order})")["con_small_state"] == 2


def test_a_hierarchy_that_is_too_deep_has_no_value(shop):
    order = top = _order(shop)
    for _ in range(10):
        order = _order(shop, **{"con_Parent@odata.bind": f"/con_orders({order})"})
    answer = _rollup(shop, top, "con_lines")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "0x80060547")
    calculate_rollups(shop.service)
    assert shop.json(f"/con_orders({top})")["con_lines_state"] == 5


def test_the_job_calculates_all_records_and_waits_for_the_next_hour(shop):
    order = _order(shop, {"con_quantity": 2, "con_price": 5})
    with shop.service.changing() as transaction:
        for row in transaction.records(QueryExpression("asyncoperation", filter=equals("operationtype", 58))):
            transaction.keep(_job(row), {"statecode": 3, "statuscode": 30}, as_change=False)
    schedule_rollups(shop.service)
    schedule_rollups(shop.service)
    waiting = "/asyncoperations?$filter=name eq 'Calculate Rollup Field' and statecode ne 3"
    (first,) = shop.json(waiting)["value"]
    worker = JobWorker(
        shop.service.database,
        {"rollup columns": lambda _: calculate_rollups(shop.service)},
        lambda *news: report(shop.service, *news),
    )
    while worker.run_one():
        pass
    done = shop.json(f"/asyncoperations({first['asyncoperationid']})")
    assert (done["statuscode"], done["message"].partition(":")[0]) == (30, "Records")
    (second,) = shop.json(waiting)["value"]
    later = datetime.fromisoformat(second["postponeuntil"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < later <= timedelta(hours=1)
    found = shop.json(f"/con_orders({order})?$select=con_total,con_total_state,con_net")
    assert (found["con_total"], found["con_total_state"], found["con_net"]) == (10, 1, None)


def _job(row):
    return EntityReference("asyncoperation", row["asyncoperationid"])


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
        _declare(shop.folder / "unsound.json", shop.service, shop.finance, document)
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
