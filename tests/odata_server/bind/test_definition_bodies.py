"""Bodies of definitions that nobody should send: each is read or refused, whatever stands at any place of them."""

import copy
from decimal import Decimal

import pytest
from definition_bodies import column, many_to_many, one_to_many, options, table, text

from entities.errors import DataverseError, InvalidPayload
from entities.metadata.columns import Choice, Column, StringType
from entities.metadata.declare import options as declared_options
from entities.metadata.labels import Label, label
from entities.metadata.relationships import ManyToMany, OneToMany
from entities.metadata.tables import Table
from odata_server.bind.definitions.checking import checked
from odata_server.bind.definitions.choices import read_choice
from odata_server.bind.definitions.columns import changed_column, read_column
from odata_server.bind.definitions.keys import read_key
from odata_server.bind.definitions.relationships import changed_relationship, read_relationship
from odata_server.bind.definitions.tables import changed_table, read_table
from odata_server.bind.json_body import read_object

CHOICES = {"new_sizes": Choice("new_sizes", declared_options("A", "B"), is_global=True)}
COLUMN = Column("new_a", StringType(), "new_A")
TABLE = Table("new_t", "new_T", "new_ts", 10_000, "new_tid", "new_a", (COLUMN,), Label(), Label())
RELATIONSHIP = OneToMany("new_r", "account", "accountid", "new_t", "new_b", "new_B", "new_r")
PAIRS = ManyToMany("new_p", "new_p", "account", "accountid", "new_p", "contact", "contactid", "new_p")

MONEY = column("Money", "new_A", MinValue=Decimal("0.5"), MaxValue=1e6, Precision=2)
MOMENT = column("DateTime", "new_A", Format="DateOnly", DateTimeBehavior={"Value": "DateOnly"})
FLAG = column("Boolean", "new_A", DefaultValue=True, OptionSet={"TrueOption": {"Value": 1, "Label": text("Y")}})
PICK = column("Picklist", "new_A", OptionSet=options("A", "B", first=1), DefaultFormValue=1)
SHARED = {**column("Picklist", "new_A"), "GlobalOptionSet@odata.bind": "/GlobalOptionSetDefinitions(Name='new_sizes')"}
STRING = column("String", "new_A", MaxLength=10, FormatName={"Value": "Text"}, RequiredLevel={"Value": "None"})
CHOICE = {"Name": "new_c", "IsGlobal": True, "DisplayName": text("C"), **options("A", "B")}
KEY = {"SchemaName": "new_K", "KeyAttributes": ["new_a"], "DisplayName": text("K")}
MANY = one_to_many(
    "new_r", "account", "new_t", "new_B", CascadeConfiguration={"Delete": "Cascade"}, IsHierarchical=False
)

READERS = {
    "table": (table("new_T", PICK, HasNotes=True), lambda body: read_table(body, CHOICES)),
    "changed table": (table("new_T", HasNotes=True), lambda body: changed_table(body, TABLE)),
    "changed column": (STRING, lambda body: changed_column(body, TABLE, COLUMN)),
    "one-to-many": (MANY, read_relationship),
    "many-to-many": (many_to_many("new_p", "account", "contact"), read_relationship),
    "changed one-to-many": (MANY, lambda body: changed_relationship(body, RELATIONSHIP)),
    "changed many-to-many": (many_to_many("new_p", "account", "contact"), lambda b: changed_relationship(b, PAIRS)),
    "key": (KEY, read_key),
    "choice": (CHOICE, lambda body: read_choice(checked(body, "OptionSetMetadataBase"))),
    **{
        f"column {number}": (body, lambda body: read_column(body, "new_t", CHOICES))
        for number, body in enumerate((MONEY, MOMENT, FLAG, PICK, SHARED, STRING))
    },
}
NASTY = (
    *(None, True, 0, -1, 1, 2**31, 2**64, Decimal("1e400"), Decimal("-0.5"), Decimal("NaN"), "", "x", "1", "\ud800"),
    *("a" * 5000, "#Microsoft.Dynamics.CRM.EntityMetadata", "/GlobalOptionSetDefinitions(Name='", [], {}, [None]),
    *([[]], [{}], {"Value": {}}, {"LocalizedLabels": [{}]}, {"LocalizedLabels": {}}, {"@odata.type": 1}, [1, "a"]),
)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


def with_value(body, path, value):
    if not path:
        return value
    changed = copy.deepcopy(body)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


def was_read(read, body):
    """Say whether a body is read; it is refused as Dataverse refuses, or the test fails."""
    try:
        read(body)
    except DataverseError:
        return False
    return True


@pytest.mark.parametrize("what", READERS)
def test_whatever_stands_at_a_place_is_read_or_refused(what):
    body, read = READERS[what]
    assert read(body)
    read_and_refused = [0, 0]
    for path in places(body):
        for value in NASTY:
            is_read = was_read(read, with_value(body, path, value))
            read_and_refused[is_read] += 1
    assert all(read_and_refused)


@pytest.mark.parametrize("what", READERS)
def test_whatever_is_left_out_is_read_or_refused(what):
    body, read = READERS[what]
    for path in places(body):
        if not path or isinstance(path[-1], int):
            continue
        changed = with_value(body, path, None)
        inner = changed
        for name in path[:-1]:
            inner = inner[name]
        del inner[path[-1]]
        was_read(read, changed)


def test_a_deep_body_is_refused_before_it_is_read():
    deep = '{"a":' * 200 + "1" + "}" * 200
    with pytest.raises(InvalidPayload):
        read_object(deep.encode(), "EntityMetadata")


def test_labels_begin_with_english():
    body = column(
        "String", "new_A", DisplayName={"LocalizedLabels": text("Bank", lcid_1043="Bank!")["LocalizedLabels"][::-1]}
    )
    assert read_column(body, "new_t", {}).display_name == Label(((1033, "Bank"), (1043, "Bank!")))
    assert label("Bank").texts == ((1033, "Bank"),)


def test_limits_with_digits_behind_the_point_are_rounded_outwards():
    type_ = read_column(MONEY, "new_t", {}).type
    assert (type_.minimum, type_.maximum) == (0, 1_000_000)
