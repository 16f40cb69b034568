"""Calculated and rollup columns over HTTP, on tables that a fixture file declares."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from shops import open_shop
from things import dump

from entities.query import QueryExpression, equals
from entities.values import EntityReference
from odata_server.engine.jobs import JobWorker
from odata_server.providers.rollup_job import calculate_rollups, schedule_rollups
from odata_server.providers.system_jobs import report

ROLLUPS = {"con_total": 0, "con_lines": 0, "con_small": 0}


@pytest.fixture(scope="module")
def shop(api, environments, tmp_path_factory):
    return open_shop(api, environments, tmp_path_factory.mktemp("derived"))


def _rollup(shop, order, name, entity_set="con_orders"):
    call = f"/CalculateRollupField(Target=@t,FieldName=@f)?@t={{'@odata.id':'{entity_set}({order})'}}&@f='{name}'"
    return shop("GET", call)


def test_a_calculated_column_is_read_with_its_record(shop):
    order = shop.order({"con_quantity": 3, "con_price": 40.5}, con_due="2024-02-20")
    (line,) = shop.json(f"/con_lines?$filter=_con_order_value eq {order}")["value"]
    assert (line["con_amount"], line["con_label"], line["con_large"]) == (121.5, "First: x", True)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(line["con_now"])) < timedelta(minutes=1)
    assert shop.json(f"/con_orders({order})?$select=con_late")["con_late"] == "2024-03-05"


def test_a_change_of_the_related_record_is_seen_at_once(shop):
    order = shop.order({"con_quantity": 1, "con_price": 1})
    assert shop("PATCH", f"/con_orders({order})", {"con_name": "Zweite"}).status == 204
    (line,) = shop.json(f"/con_lines?$filter=_con_order_value eq {order}&$select=con_label")["value"]
    assert line["con_label"] == "Zweite: x"


def test_a_calculated_column_filters_sorts_groups_and_expands(shop):
    order = shop.order(*({"con_quantity": n, "con_price": 50} for n in (1, 4, 2)))
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
    order = shop.order({"con_quantity": 3})
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
    order = shop.order(*({"con_quantity": n, "con_price": 10} for n in (1, 2, 3)))
    fetch = (
        "<fetch aggregate='true'><entity name='con_line'><attribute name='con_amount' aggregate='max' alias='most'/>"
        f"<filter><condition attribute='con_order' operator='eq' value='{order}'/>"
        "<condition attribute='con_amount' operator='lt' value='30'/></filter></entity></fetch>"
    )
    assert shop.json(f"/con_lines?fetchXml={quote(fetch)}")["value"][0]["most"] == 20


def test_a_new_record_has_no_rollups_yet(shop):
    found = shop.json(f"/con_orders({shop.order(con_total=7)})")
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
    order = shop.order(
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
    order = shop.order({"con_count": 1})
    child = shop.order({}, {}, **{"con_Parent@odata.bind": f"/con_orders({order})"})
    grandchild = shop.order({}, **{"con_Parent@odata.bind": f"/con_orders({child})"})
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
    order = order or shop.order()
    before = dump(shop.service.database)
    answer = _rollup(shop, order, name)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert dump(shop.service.database) == before


def test_a_sum_that_has_no_room_is_an_overflow(shop):
    order = shop.order({"con_count": 2_000_000_000}, {"con_count": 2_000_000_000})
    before = dump(shop.service.database)
    answer = _rollup(shop, order, "con_small")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "0x80060558")
    assert dump(shop.service.database) == before
    calculate_rollups(shop.service)
    assert shop.json(f"/con_orders({order})")["con_small_state"] == 2


def test_a_hierarchy_that_is_too_deep_has_no_value(shop):
    order = top = shop.order()
    for _ in range(10):
        order = shop.order(**{"con_Parent@odata.bind": f"/con_orders({order})"})
    answer = _rollup(shop, top, "con_lines")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "0x80060547")
    calculate_rollups(shop.service)
    assert shop.json(f"/con_orders({top})")["con_lines_state"] == 5


def test_the_job_calculates_all_records_and_waits_for_the_next_hour(shop):
    order = shop.order({"con_quantity": 2, "con_price": 5})
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
