"""Columns of every type written over HTTP: made, read back, filled, changed, deleted, and refused."""

import json

import pytest
from definition_bodies import CRM, column, one_to_many, options, table, text
from things import dump

SHELF = "/EntityDefinitions(LogicalName='new_shelf')"
COLUMNS = f"{SHELF}/Attributes"
BOOLEAN = {
    "@odata.type": f"{CRM}.BooleanOptionSetMetadata",
    "TrueOption": {"Value": 1, "Label": text("Open")},
    "FalseOption": {"Value": 0, "Label": text("Shut")},
}
GLOBAL = {
    "@odata.type": f"{CRM}.OptionSetMetadata",
    "Name": "new_sizes",
    "DisplayName": text("Sizes"),
    "IsGlobal": True,
    "OptionSetType": "Picklist",
    "Options": options("Small", "Large", first=7)["Options"],
}


@pytest.fixture(scope="module", autouse=True)
def shelf(api):
    assert api("POST", "/GlobalOptionSetDefinitions", GLOBAL).status == 204
    assert api("POST", "/EntityDefinitions", table("new_Shelf")).status == 204


@pytest.fixture
def state(environments):
    return lambda: dump(environments[0].database)


def one(name):
    return f"{COLUMNS}(LogicalName='{name}')"


def limits(low, high, **more):
    return {"MinValue": low, "MaxValue": high, **more}


def bind(name):
    return {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions(Name='{name}')"}


MADE = {
    # name: type, properties that are given, properties that are read back, and a value for a record
    "new_Text": ("String", {"MaxLength": 34, "FormatName": {"Value": "Email"}}, {"Format": "Email"}, "a@x.test"),
    "new_Json": ("String", {"MaxLength": 4000, "FormatName": {"Value": "Json"}}, {"Format": "Text"}, "{}"),
    "new_Memo": ("Memo", {"MaxLength": 5000, "Format": "TextArea"}, {}, "a\nb"),
    "new_Whole": ("Integer", limits(-5, 100, Format="Duration"), {}, 60),
    "new_Big": ("BigInt", {}, {"AttributeType": "BigInt"}, 2**40),
    "new_Exact": ("Decimal", limits(0, 1000, Precision=4), {}, 1.2345),
    "new_Double": ("Double", limits(0.0, 10.0, Precision=3), {}, 1.5),
    "new_Money": ("Money", limits(0.0, 1e6, Precision=2, PrecisionSource=1), {}, 12.5),
    "new_Flag": ("Boolean", {"DefaultValue": True, "OptionSet": BOOLEAN}, {"DefaultValue": True}, False),
    "new_Moment": (
        "DateTime",
        {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "TimeZoneIndependent"}},
        {},
        "2026-01-02T03:04:05Z",
    ),
    "new_Day": ("DateTime", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}, {}, "2026-01-02"),
    "new_Local": (
        "DateTime",
        {"Format": "DateOnly", "ImeMode": "Inactive"},
        {"DateTimeBehavior": {"Value": "UserLocal"}},
        "2026-01-02T00:00:00Z",
    ),
    "new_Kind": (
        "Picklist",
        {"OptionSet": options("Near", "Far", first=1), "DefaultFormValue": 2},
        {"DefaultFormValue": 2},
        1,
    ),
    "new_Size": ("Picklist", bind("new_sizes"), {"DefaultFormValue": -1}, 7),
    "new_Tags": (
        "MultiSelectPicklist",
        {"OptionSet": options("Old", "Rare", "New", first=1)},
        {"AttributeType": "Virtual", "AttributeTypeName": {"Value": "MultiSelectPicklistType"}},
        "1,3",
    ),
    "new_Sizes": ("MultiSelectPicklist", bind("new_sizes"), {}, "7,8"),
    "new_Photo": (
        "Image",
        {"MaxSizeInKB": 2048, "CanStoreFullImage": True},
        {"IsPrimaryImage": True},
        None,
    ),
    "new_Paper": ("File", {"MaxSizeInKB": 100}, {"IsValidForCreate": False}, None),
    "new_Code": ("String", {"AutoNumberFormat": "S-{SEQNUM:4}"}, {"MaxLength": 100}, None),
    "new_Twice": (
        "Integer",
        {"SourceType": 1, "FormulaDefinition": "new_whole * 2"},
        {"IsValidForCreate": False, "SourceTypeMask": 1},
        None,
    ),
}


@pytest.fixture(scope="module", autouse=True)
def made(api, shelf):
    """Every column, with what the server answered to it."""
    answers = {}
    for name, (kind, given, _, _) in MADE.items():
        level = {"Value": "Recommended", "CanBeChanged": True}
        body = column(kind, name, Description=text(f"About {name}"), RequiredLevel=level, **given)
        answers[name] = api("POST", COLUMNS, body)
    return answers


@pytest.mark.parametrize("name", MADE)
def test_a_new_column_is_read_back_as_it_was_given(api, made, name):
    kind, given, shown, _ = MADE[name]
    assert (made[name].status, made[name].body) == (204, b"")
    url = dict(made[name].headers)["OData-EntityId"]
    table_url, slash, column_url = url.rpartition("/Attributes")
    assert table_url.endswith(SHELF)
    read = api.json(f"/EntityDefinitions(LogicalName='new_shelf'){slash}{column_url}")
    assert (read["@odata.type"], read["SchemaName"]) == (f"#{CRM}.{kind}AttributeMetadata", name)
    assert (read["IsCustomAttribute"], read["IsManaged"]) == (True, False)
    assert read["RequiredLevel"]["Value"] == "Recommended"
    assert read["Description"]["UserLocalizedLabel"]["Label"] == f"About {name}"
    plain = {member: value for member, value in given.items() if member != "OptionSet" and "@" not in member}
    assert {member: read[member] for member in plain} == plain
    assert {member: read[member] for member in shown} == shown


def test_a_record_holds_a_value_of_every_type(api):
    values = {name.lower(): value for name, (_, _, _, value) in MADE.items() if value is not None}
    row = api.created("new_shelfs", new_name="A", **values)
    read = api.json(f"/new_shelfs({row})")
    assert {name: read[name] for name in values} == values
    assert read["new_code"].startswith("S-1000")
    assert read["new_twice"] == 120
    assert (read["new_money_base"], read["exchangerate"]) == (12.5, 1.0)
    assert api("PATCH", f"/new_shelfs({row})", {"new_money": None}).status == 204
    assert api.json(f"/new_shelfs({row})?$select=new_money_base")["new_money_base"] is None
    assert api("DELETE", f"/new_shelfs({row})").status == 204


def test_options_are_those_that_were_given_and_free_values_are_the_publishers(api):
    cast = f"{CRM}.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet,GlobalOptionSet"
    size = api.json(f"{one('new_size')}/{cast}")
    assert (size["GlobalOptionSet"]["Name"], size["OptionSet"]["IsGlobal"]) == ("new_sizes", True)
    kind = api.json(f"{one('new_kind')}/{cast}")
    assert kind["GlobalOptionSet"] is None
    assert [o["Value"] for o in kind["OptionSet"]["Options"]] == [1, 2]
    assert api("POST", COLUMNS, column("Picklist", "new_Free", OptionSet=options("A", "B"))).status == 204
    free = api.json(f"{one('new_free')}/{cast}")["OptionSet"]["Options"]
    assert [o["Value"] for o in free] == [100_000_000, 100_000_001]
    assert api("DELETE", one("new_free")).status == 204


@pytest.mark.parametrize("name", [*MADE, "new_name", "createdon", "statecode", "ownerid"])
def test_a_definition_that_was_read_can_be_put_back_and_is_the_same(api, name):
    before = api.json(one(name.lower()))
    assert api("PUT", one(name.lower()), before, **{"mscrm.mergelabels": "true"}).status == 204
    assert {**api.json(one(name.lower())), "ModifiedOn": before["ModifiedOn"]} == before


def test_a_definition_that_was_read_as_its_type_is_put_back_as_it(api):
    url = f"{one('new_text')}/{CRM}.StringAttributeMetadata"
    read = api.json(url)
    given = {name: value for name, value in read.items() if not name.startswith("@")}
    assert api("PUT", url, given).status == 204
    again = api.json(url)
    assert {**again, "ModifiedOn": read["ModifiedOn"]} == read
    assert api("PUT", one("new_text"), given).status == 400
    assert api("PUT", f"{one('new_text')}/{CRM}.MemoAttributeMetadata", given).status == 400
    assert api.json(url) == again


def test_what_can_be_changed_of_a_column_changes_and_its_values_stay(api):
    row = api.created("new_shelfs", new_name="A", new_text="a@x.test")
    by_id = f"{COLUMNS}({api.json(one('new_text'))['MetadataId']})"
    change = column("String", "new_Text", MaxLength=50, DisplayName=text("Mail", lcid_1043="Post"))
    change["RequiredLevel"] = {"Value": "ApplicationRequired"}
    assert api("PUT", by_id, change).status == 204
    read = api.json(f"{one('new_text')}/{CRM}.StringAttributeMetadata")
    assert (read["MaxLength"], read["Format"], read["RequiredLevel"]["Value"]) == (50, "Email", "ApplicationRequired")
    assert len(read["DisplayName"]["LocalizedLabels"]) == 2
    assert read["Description"]["UserLocalizedLabel"]["Label"] == "About new_Text"
    assert api.json(f"/new_shelfs({row})?$select=new_text")["new_text"] == "a@x.test"
    assert api("PUT", by_id, {**change, "MaxLength": 34, "RequiredLevel": {"Value": "Recommended"}}).status == 204
    assert api("DELETE", f"/new_shelfs({row})").status == 204


def test_a_behavior_changes_once_and_values_become_dates(api):
    day = {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}
    assert api("POST", COLUMNS, column("DateTime", "new_When", Format="DateOnly")).status == 204
    row = api.created("new_shelfs", new_name="A", new_when="2026-01-02T03:04:05Z")
    assert api("PUT", one("new_when"), column("DateTime", "new_When", **day)).status == 204
    assert api.json(one("new_when"))["DateTimeBehavior"] == {"Value": "DateOnly"}
    assert api.json(f"/new_shelfs({row})?$select=new_when")["new_when"] == "2026-01-02"
    back = {**day, "DateTimeBehavior": {"Value": "UserLocal"}}
    assert api.error("PUT", one("new_when"), column("DateTime", "new_When", **back))[0] == 400
    assert api("DELETE", f"/new_shelfs({row})").status == 204
    assert api("DELETE", one("new_when")).status == 204


@pytest.mark.parametrize(("digits", "shown"), [(2, 1.24), (4, 1.235), (0, 1)])
def test_the_digits_of_exact_numbers_change_with_their_values(api, digits, shown):
    assert api("POST", COLUMNS, column("Decimal", "new_Ratio", Precision=3)).status == 204
    row = api.created("new_shelfs", new_name="A", new_ratio=1.235)
    assert api("PUT", one("new_ratio"), column("Decimal", "new_Ratio", Precision=digits)).status == 204
    assert api.json(f"/new_shelfs({row})?$select=new_ratio")["new_ratio"] == shown
    assert api.json(f"/new_shelfs?$filter=new_ratio eq {shown}&$select=new_name")["value"]
    assert api("DELETE", f"/new_shelfs({row})").status == 204
    assert api("DELETE", one("new_ratio")).status == 204


def test_a_column_goes_with_what_it_brought_and_comes_again_under_another_id(api):
    assert api("POST", COLUMNS, column("Money", "new_Price")).status == 204
    before = api.json(one("new_price"))["MetadataId"]
    assert api.error("DELETE", one("new_price_base"))[:2] == (400, "0x8004f032")
    assert api("DELETE", one("new_price")).status == 204
    for gone in ("new_price", "new_price_base"):
        assert api("GET", one(gone)).status == 404
    assert api("GET", "/new_shelfs?$select=new_price").status == 400
    assert api("POST", COLUMNS, column("Money", "new_Price")).status == 204
    assert api.json(one("new_price"))["MetadataId"] != before
    assert api("DELETE", one("new_price")).status == 204


def test_a_rollup_column_adds_up_what_its_definition_says(api):
    assert api("POST", "/EntityDefinitions", table("new_Book", column("Integer", "new_Pages"))).status == 204
    related = one_to_many("new_shelf_book", "new_shelf", "new_book", "new_ShelfId")
    assert api("POST", "/RelationshipDefinitions", related).status == 204
    written = "SUM(new_book.new_pages) by new_shelfid where new_pages gt 10 and statecode eq 0"
    rollup = column("Integer", "new_Pages", SourceType=2, FormulaDefinition=written)
    assert api("POST", COLUMNS, rollup).status == 204
    read = api.json(one("new_pages"))
    assert (read["SourceType"], read["FormulaDefinition"], read["IsValidForCreate"]) == (2, written, False)
    assert api("PUT", one("new_pages"), read).status == 204
    shelf = api.created("new_shelfs", new_name="A")
    for pages in (5, 20, 30):
        bind = {"new_ShelfId@odata.bind": f"/new_shelfs({shelf})"}
        api.created("new_books", new_name="B", new_pages=pages, **bind)
    target = {"@odata.id": f"new_shelfs({shelf})"}
    path = f"/CalculateRollupField(Target=@t,FieldName=@f)?@t={json.dumps(target)}&@f='new_pages'"
    assert api("GET", path).status == 200
    found = api.json(f"/new_shelfs({shelf})?$select=new_pages,new_pages_state,new_pages_date")
    assert (found["new_pages"], found["new_pages_state"]) == (50, 1)
    assert api.error("DELETE", "/EntityDefinitions(LogicalName='new_book')")[1] == "0x8004f01f"
    assert api("DELETE", one("new_pages")).status == 204
    assert api("GET", one("new_pages_state")).status == 404
    assert api("DELETE", "/EntityDefinitions(LogicalName='new_book')").status == 204
    assert api("DELETE", f"/new_shelfs({shelf})").status == 204


def test_a_second_image_is_not_the_primary_one(api):
    assert api("POST", COLUMNS, column("Image", "new_Second")).status == 204
    assert api.json(one("new_second"))["IsPrimaryImage"] is False
    assert api.json(f"{SHELF}?$select=PrimaryImageAttribute")["PrimaryImageAttribute"] == "new_photo"
    assert api("DELETE", one("new_second")).status == 204


def new(kind, **more):
    return column(kind, "new_New", **more)


REFUSED = {
    "taken": (column("String", "new_Text"), "0x80047013"),
    "taken in other letters": (column("String", "NEW_TEXT"), "0x80047013"),
    "name of a column that another one brings": (column("String", "new_Money_Base"), "0x80047013"),
    "no prefix": (column("String", "Text"), "0x80044366"),
    "no type": ({"SchemaName": "new_New"}, "0x80044815"),
    "abstract type": (new("Enum", SchemaName="new_New"), "0x80044815"),
    "lookup": (new("Lookup", Targets=["account"]), "0x8004700f"),
    "state": (new("State"), "0x80044815"),
    "unique identifier": (new("UniqueIdentifier"), "0x80044815"),
    "too long a text": (new("String", MaxLength=4001), "0x80040203"),
    "no length": (new("String", MaxLength=0), "0x80040203"),
    "too long a memo": (new("Memo", MaxLength=1_048_577), "0x80040203"),
    "unknown format": (new("String", FormatName={"Value": "Nothing"}), "0x80040203"),
    "limits": (new("Integer", **limits(5, 4)), "0x80040203"),
    "limit of another type": (new("Integer", MaxValue=1.5), "0x80048d19"),
    "limit that no number has": (new("Double", MaxValue=1e300), "0x80048d19"),
    "digits": (new("Decimal", Precision=11), "0x80040203"),
    "digits of money": (new("Money", Precision=5), "0x80040203"),
    "no options": (new("Picklist"), "0x80048403"),
    "options twice": (
        new("Picklist", OptionSet={"Options": [{"Value": 1, "Label": text("A")}] * 2}),
        "0x80044310",
    ),
    "negative option": (new("Picklist", OptionSet=options("A", first=-1)), "0x8004431a"),
    "default": (new("Picklist", OptionSet=options("A", first=1), DefaultFormValue=2), "0x8004431a"),
    "options of yes and no": (
        new("Boolean", OptionSet={**BOOLEAN, "TrueOption": {"Value": 2}}),
        "0x8004431c",
    ),
    "format of a date": (
        new("DateTime", Format="DateAndTime", DateTimeBehavior={"Value": "DateOnly"}),
        "0x80040203",
    ),
    "behavior": (new("DateTime", DateTimeBehavior={"Value": "Nothing"}), "0x80040203"),
    "automatic number of a number": (new("Integer", AutoNumberFormat="{SEQNUM:4}"), "0x80060884"),
    "format of automatic numbers": (new("String", AutoNumberFormat="{NOTHING}"), "0x80060885"),
    "formula without end": (new("Integer", SourceType=1, FormulaDefinition="new_whole *"), "0x80060424"),
    "formula over nothing": (new("Integer", SourceType=1, FormulaDefinition="new_x"), "0x80060428"),
    "no formula": (new("Integer", SourceType=1), "0x80060424"),
    "rollup that cannot be read": (new("Integer", SourceType=2, FormulaDefinition="SUM"), "0x80060424"),
    "conditions that cannot be read": (
        new("Integer", SourceType=2, FormulaDefinition="SUM(new_shelf.new_whole) by new_a where x"),
        "0x80060424",
    ),
    "rollup of no table": (
        new("Integer", SourceType=2, FormulaDefinition="SUM(new_nothing.new_a) by new_b"),
        "0x80060552",
    ),
    "rollup of no function": (
        new("Integer", SourceType=2, FormulaDefinition="TIMES(new_shelf.new_whole) by new_a"),
        "0x80060546",
    ),
    "label twice": (
        new("String", DisplayName={"LocalizedLabels": [{"Label": "A", "LanguageCode": 1033}] * 2}),
        "0x80040203",
    ),
    "label of another type": (new("String", DisplayName="A"), "0x80048d19"),
    "large file": (new("File", MaxSizeInKB=10_485_761), "0x80040203"),
    "required by the system": (new("String", RequiredLevel={"Value": "SystemRequired"}), "0x80040203"),
}


def test_a_refused_column_changes_nothing(api, state):
    before = state()
    found = {what: api.error("POST", COLUMNS, body)[:2] for what, (body, _) in REFUSED.items()}
    assert found == {what: (400, code) for what, (_, code) in REFUSED.items()}
    missing = {**column("Picklist", "new_New"), **bind("new_nothing")}
    assert api.error("POST", COLUMNS, missing)[:2] == (404, "0x80040217")
    assert state() == before


REFUSED_CHANGES = {
    ("PATCH", one("new_text")): (column("String", "new_Text"), 405, "0x80060888"),
    ("PUT", COLUMNS): (column("String", "new_Text"), 405, "0x80060888"),
    ("PUT", one("new_nothing")): (column("String", "new_Nothing"), 404, "0x80040217"),
    ("PUT", one("new_text")): (column("Integer", "new_Text"), 400, "0x80044354"),
    ("PUT", one("new_memo")): ({"LogicalName": "new_text"}, 400, "0x80040203"),
    ("PUT", one("new_twice")): (new("Integer", SourceType=0), 400, "0x80060425"),
    ("PUT", one("ownerid")): ({"RequiredLevel": {"Value": "None"}}, 400, "0x80040203"),
    ("DELETE", one("new_nothing")): (None, 404, "0x80040217"),
    ("DELETE", one("new_name")): (None, 400, "0x80047002"),
    ("DELETE", one("new_shelfid")): (None, 400, "0x80047002"),
    ("DELETE", one("createdon")): (None, 400, "0x8004f032"),
    ("DELETE", one("new_paper_name")): (None, 400, "0x8004f032"),
    ("DELETE", one("new_whole")): (None, 400, "0x8004f01f"),
    ("DELETE", "/EntityDefinitions(LogicalName='account')/Attributes(LogicalName='revenue')"): (
        *(None, 400),
        "0x8004f032",
    ),
}


def test_refused_changes_of_columns(api, state):
    before = state()
    found = {request: api.error(*request, body)[:2] for request, (body, *_) in REFUSED_CHANGES.items()}
    assert found == {request: (status, code) for request, (_, status, code) in REFUSED_CHANGES.items()}
    assert state() == before


def test_a_column_of_a_table_of_the_system_is_the_users(api):
    account = "/EntityDefinitions(LogicalName='account')/Attributes"
    assert api("POST", account, column("String", "new_Nickname", MaxLength=20)).status == 204
    row = api.created("accounts", name="A", new_nickname="B")
    assert api.json(f"/accounts({row})?$select=new_nickname")["new_nickname"] == "B"
    assert api("DELETE", f"{account}(LogicalName='new_nickname')").status == 204
    assert "new_nickname" not in api.json(f"/accounts({row})")
