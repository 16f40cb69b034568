"""Orders with lines, declared in a fixture file with calculated, rollup and autonumber columns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from entities.standard.identifiers import root_business_unit_id
from entities.standard.sdk_messages import message_rows
from odata_server.admin.fixture import Target, apply_fixture
from odata_server.admin.fixture_file import read_fixture
from odata_server.engine.environment import fill
from odata_server.engine.organization import OrganizationService

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


def declare(path, service, finance, document):
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

    def declare(self, document):
        """Put what a fixture file declares into the organization."""
        declare(self.folder / "fixture.json", self.service, self.finance, document)

    def order(self, *lines, **members):
        """Make an order with lines and return its id."""
        made = self.created("con_orders", con_name="First", **members)
        for line in lines:
            self.created("con_lines", **{"con_Order@odata.bind": f"/con_orders({made})", "con_name": "x", **line})
        return made


def open_shop(api, environments, folder):
    """Return the Web API over an organization to which the tables are added."""
    found = Shop(api, *environments, folder)
    # New tables are entered in the list of messages.
    fill(found.service, message_rows(()))
    found.declare(DECLARED)
    return found
