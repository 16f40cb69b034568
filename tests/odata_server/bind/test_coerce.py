"""JSON values and URL literals as values of columns."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from entities.errors import InvalidPayload, MalformedRequest
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    Choice,
    ChoiceType,
    Column,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    ImageType,
    IntegerType,
    ManagedPropertyType,
    MoneyType,
    MultiChoiceType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.declare import options
from entities.values import ChoiceSet
from odata_server.bind.coerce import coerce
from odata_server.bind.dialect import FINANCE, WEB_API
from odata_server.bind.literals import literal_value
from odata_server.syntax.literals import parse_literal

GUID = "1b2c3d4e-0000-4000-8000-00000000000a"
DATE_ONLY = DateTimeType(DateTimeBehavior.DATE_ONLY)
MOMENT = datetime(2023, 4, 7, 21, 59, 1, tzinfo=UTC)
NOON = datetime(2023, 4, 7, tzinfo=UTC)
MANY = MultiChoiceType(Choice("c", options("a", "b")))
ONE = ChoiceType(Choice("c", options("Not set", "Done")))


def column(type_):
    return Column("x", type_, "X")


@pytest.mark.parametrize(
    ("type_", "given", "value"),
    [
        (StringType(), "é", "é"),
        (StringType(), None, None),
        (IntegerType(), -(2**31), -(2**31)),
        (BigIntType(), 2**63 - 1, 2**63 - 1),
        (MoneyType(), 5, Decimal(5)),
        (DecimalType(), Decimal("0.10"), Decimal("0.10")),
        (DoubleType(), Decimal("1e-5"), 1e-5),
        (BooleanType(), False, False),
        (ManagedPropertyType(), {"Value": True, "CanBeChanged": True}, True),
        (UniqueIdentifierType(), GUID.upper(), GUID),
        (DateTimeType(), "2023-04-07T21:59:01Z", MOMENT),
        (DateTimeType(), "2023-04-07T23:59:01.999+02:00", MOMENT),
        (DATE_ONLY, "2023-04-07", date(2023, 4, 7)),
        (MANY, "2,1,1", ChoiceSet((1, 2))),
        (MANY, "", None),
        (ONE, 1, 1),
    ],
)
def test_a_json_value_of_the_right_type_becomes_the_columns_value(type_, given, value):
    found = coerce(given, column(type_))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("type_", "given", "expected"),
    [
        (StringType(), 1, "Edm.String"),
        (IntegerType(), True, "Edm.Int32"),
        (IntegerType(), "abc", "Edm.Int32"),
        (IntegerType(), 2**31, "Edm.Int32"),
        (BigIntType(), 2**63, "Edm.Int64"),
        (MoneyType(), "5", "Edm.Decimal"),
        (MoneyType(), Decimal("1e40"), "Edm.Decimal"),
        (DoubleType(), Decimal("1e400"), "Edm.Double"),
        (DoubleType(), 10**400, "Edm.Double"),
        (BooleanType(), 1, "Edm.Boolean"),
        (UniqueIdentifierType(), "x", "Edm.Guid"),
        (DateTimeType(), "2023-04-07", "Edm.DateTimeOffset"),
        (DateTimeType(), "2023-02-30T00:00:00Z", "Edm.DateTimeOffset"),
        (DateTimeType(), "0001-01-01T00:00:00+14:00", "Edm.DateTimeOffset"),
        (DATE_ONLY, "2017-10-10T00:00:00Z", "Edm.Date"),
        (MANY, "a", "Edm.String"),
        (ONE, "Done", "Edm.Int32"),
        (StringType(), {}, "Edm.String"),
        (StringType(), [], "Edm.String"),
        (ImageType(), "!", "Edm.Binary"),
    ],
)
def test_a_json_value_of_another_type_is_refused(type_, given, expected):
    with pytest.raises(InvalidPayload, match=f"Cannot convert the literal '.*' to the expected type '{expected}'"):
        coerce(given, column(type_))


def test_an_image_is_its_bytes():
    assert coerce("aGk=", column(ImageType())) == b"hi"


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (StringType(), "'it''s'", "it's"),
        (IntegerType(), "5", 5),
        (IntegerType(), "5.5", Decimal("5.5")),
        (MoneyType(), "5", Decimal(5)),
        (DoubleType(), "1e3", 1000.0),
        (BooleanType(), "true", True),
        (UniqueIdentifierType(), GUID.upper(), GUID),
        (UniqueIdentifierType(), f"'{GUID}'", GUID),
        (DateTimeType(), "2023-04-07T21:59:01Z", MOMENT),
        (DateTimeType(), "2023-04-07", NOON),
        (DATE_ONLY, "2023-04-07T21:59:01Z", date(2023, 4, 7)),
        (MANY, "'2,1'", ChoiceSet((1, 2))),
        (StringType(), "null", None),
    ],
)
def test_a_literal_becomes_the_value_it_is_compared_with(type_, text, value):
    assert literal_value(parse_literal(text), column(type_), WEB_API) == value


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (StringType(), "5"),
        (IntegerType(), "'5'"),
        (ONE, "'Done'"),
        (ONE, "Microsoft.Dynamics.CRM.x'Done'"),
        (DateTimeType(), "'2023-04-07'"),
        (BooleanType(), "1"),
        (UniqueIdentifierType(), "'x'"),
        (MoneyType(), "1e999"),
        (StringType(), "duration'P1D'"),
    ],
)
def test_a_literal_of_another_type_is_refused(type_, text):
    with pytest.raises(MalformedRequest, match="A binary operator with incompatible types was detected"):
        literal_value(parse_literal(text), column(type_), WEB_API)


@pytest.mark.parametrize("text", ["'Done'", "'done'", "Microsoft.Dynamics.DataEntities.C'Done'"])
def test_finance_and_operations_compares_choices_by_name(text):
    assert literal_value(parse_literal(text), column(ONE), FINANCE) == 1


def test_finance_and_operations_knows_no_option_numbers():
    with pytest.raises(MalformedRequest):
        literal_value(parse_literal("1"), column(ONE), FINANCE)
