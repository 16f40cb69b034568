import os
from collections import Counter
from pathlib import Path

import pytest
import yaml

from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.literals import parse_literal
from odata_server.syntax.options import parse_query, split_query
from odata_server.syntax.paths import parse_path
from odata_server.syntax.percent import decode_query
from odata_server.syntax.relative_url import parse_relative_url
from odata_server.syntax.search import parse_search
from odata_server.syntax.tokens import Dialect, SyntaxRefused
from odata_server.syntax.trees import Literal, LiteralKind

STANDARD = Dialect.STANDARD

SERVICE_ROOTS = (
    "http://host/service/",
    "http://services.odata.org/OData/OData.svc/",
    "http://serviceRoot/Model.Container/",
    "http://serviceRoot/",
)

# What the case file decides with its model (36 constraint rules) or differently on purpose; every entry has its reason.
OTHERWISE = {
    "Categories/TheBestProduct()": "the model knows that a function import is not bound",
    "Categories(1)/Address/$value": "the model knows that Address is complex",
    "Categories(1)/Thumbnail/$value": "the model knows that Thumbnail is a stream",
    "Products(1)/Model.BestSellingProduct/Model.BestSellingProduct": "a second qualified name could be a function",
    "$search=more&more": "'more' is a custom option for a parser without the file's list of them",
    "$search=a;b": "a semicolon is only an ending inside parentheses",
    "$expand=Manager($search=a%3Bb)": "options are separated by ';' and '%3B' alike (rule SEMI)",
    "$format=json&$Format=atom&$format=xml&$format=text/html": "a system option is given once (Part 2 §5.1)",
    "$format=JSON&$format=Atom&$format=XML&$format=text/html": "a system option is given once (Part 2 §5.1)",
    "$apply=aggregate(Sales/Amount sub Sales/Cost with sum as TotalAmount)": "the model knows what is a collection",
    "$apply=aggregate(Amount as Total)": "the model knows which names are custom aggregates",
    "$apply=aggregate(Amount)": "the model knows which names are custom aggregates",
    "$apply=aggregate(Amount from Time with average as DailyAverage)": "the model knows custom aggregates",
    "$apply=groupby((Product/Price/Quantity))": "the model knows that Price is no complex property",
    "$apply=groupby((Sales/Product/Name))": "the model knows that Sales is a collection",
    "$apply=join(ShipTo as Detail,identity)": "the model knows that ShipTo is no collection",
}


def read_single_option(text):
    if len(split_query(text, dialect=STANDARD)) != 1:
        raise SyntaxRefused("more than one option", text, 0)
    parse_query(text, dialect=STANDARD)


def read_query(text):
    parse_query(text, dialect=STANDARD)


def read_path(text):
    parse_path(text, dialect=STANDARD)


def read_relative_url(text):
    parse_relative_url(text, dialect=STANDARD)


def read_absolute_url(text):
    for root in SERVICE_ROOTS:
        if text.startswith(root):
            read_relative_url(text.removeprefix(root))
            return
    pytest.fail(f"unknown service root: {text}")


def read_expression(text):
    parse_filter(decode_query(text), dialect=STANDARD)


def read_lambda(text):
    parse_filter("Items/" + decode_query(text), dialect=STANDARD)


def read_search(text):
    parse_search(decode_query(text), dialect=STANDARD)


def literal_reader(*kinds):
    def read(text):
        literal = parse_literal(decode_query(text), dialect=STANDARD)
        if kinds and not (isinstance(literal, Literal) and literal.kind in kinds):
            raise SyntaxRefused("a literal of another kind", text, 0)

    return read


NUMBERS = (LiteralKind.INTEGER, LiteralKind.DECIMAL, LiteralKind.DOUBLE)
SHAPES = ("Collection", "LineString", "MultiLineString", "MultiPoint", "MultiPolygon", "Point", "Polygon")

READERS = {
    "odataUri": read_absolute_url,
    "odataRelativeUri": read_relative_url,
    "resourcePath": read_path,
    "queryOptions": read_query,
    "systemQueryOption": read_single_option,
    "customQueryOption": read_single_option,
    "filter": read_single_option,
    "orderby": read_single_option,
    "orderBy": read_single_option,
    "select": read_single_option,
    "expand": read_single_option,
    "compute": read_single_option,
    "search": read_single_option,
    "skiptoken": read_single_option,
    "deltatoken": read_single_option,
    "searchExpr": read_search,
    "boolCommonExpr": read_expression,
    "boolcommonExpr": read_expression,
    "commonExpr": read_expression,
    "firstMemberExpr": read_expression,
    "propertyPathExpr": read_expression,
    "isofExpr": read_expression,
    "notExpr": read_expression,
    "anyExpr": read_lambda,
    "null": literal_reader(LiteralKind.NULL),
    "boolean": literal_reader(LiteralKind.BOOLEAN),
    "binaryLiteral": literal_reader(LiteralKind.BINARY),
    "date": literal_reader(LiteralKind.DATE),
    "dateTimeOffsetLiteral": literal_reader(LiteralKind.DATE_TIME),
    "dateTimeOffsetValueInUrl": literal_reader(LiteralKind.DATE_TIME),
    "timeOfDayLiteral": literal_reader(LiteralKind.TIME),
    "durationLiteral": literal_reader(LiteralKind.DURATION, LiteralKind.STRING),
    "guid": literal_reader(LiteralKind.GUID),
    "stringLiteral": literal_reader(LiteralKind.STRING),
    "enumLiteral": literal_reader(),
    "primitiveLiteral": literal_reader(),
    **{f"{name}Literal": literal_reader(*NUMBERS) for name in ("decimal", "double", "single", "sbyte")},
    **{f"int{size}Literal": literal_reader(*NUMBERS) for size in (16, 32, 64)},
    **{f"geography{shape}": literal_reader(LiteralKind.GEOGRAPHY) for shape in SHAPES},
    **{f"geometry{shape}": literal_reader(LiteralKind.GEOMETRY) for shape in SHAPES},
}

# (valid, invalid) cases that must come out as the file says, per file and rule; a floor, not a goal.
FLOORS = {
    "odata-abnf-testcases.yaml": {
        "odataRelativeUri": (142, 11),
        "odataUri": (18, 0),
        "resourcePath": (34, 3),
        "queryOptions": (72, 4),
        "filter": (22, 2),
        "orderby": (9, 0),
        "select": (20, 0),
        "expand": (27, 5),
        "boolCommonExpr": (49, 3),
        "commonExpr": (107, 4),
        "firstMemberExpr": (20, 0),
        "date": (5, 2),
        "boolean": (3, 2),
        "stringLiteral": (5, 2),
        "guid": (1, 2),
        "binaryLiteral": (9, 1),
        "search": (1, 2),
        "skiptoken": (1, 1),
    },
    "odata-aggregation-testcases.yaml": {"queryOptions": (157, 16), "odataRelativeUri": (16, 0), "commonExpr": (1, 0)},
}


def reference_folder():
    configured = os.environ.get("TALENTVERSE_REFERENCE")
    folder = Path(configured) if configured else Path(__file__).parents[3].parent / "shared"
    cases = folder / "data" / "odata-abnf"
    if not cases.is_dir():
        pytest.skip(f"the OASIS case files are not at {cases}; set TALENTVERSE_REFERENCE to their folder")
    return cases


def load_cases(name):
    lines = []
    for line in (reference_folder() / name).read_text(encoding="utf-8").split("\n"):
        if "\t" in line:  # one input holds a raw tab, which YAML does not allow outside quotes
            key, value = line.split(":", 1)
            quoted = value.strip().replace('"', '\\"').replace("\t", "\\t")
            lines.append(f'{key}: "{quoted}"')
        else:
            lines.append(line)
    return yaml.load("\n".join(lines), Loader=yaml.BaseLoader)["TestCases"]


def is_about_requests(case):
    """Context URLs are written, never requested: a fragment does not reach a server, a service root is its own."""
    text = case["Input"]
    is_own_root = case["Rule"] == "odataUri" and not text.startswith(SERVICE_ROOTS)
    return case["Rule"] in READERS and "#" not in text.replace("$search=#1", "") and not is_own_root


def is_read(case):
    try:
        READERS[case["Rule"]](case["Input"])
    except SyntaxRefused:
        return False
    return True


@pytest.mark.parametrize("name", FLOORS)
def test_the_oasis_cases_are_read_and_refused_as_the_file_says(name):
    passed = Counter()
    surprises = []
    for case in load_cases(name):
        if not is_about_requests(case):
            continue
        is_valid = "FailAt" not in case
        if is_read(case) == is_valid:
            passed[case["Rule"], is_valid] += 1
        elif case["Input"] not in OTHERWISE:
            surprises.append((case["Rule"], case["Input"]))
    assert surprises == []
    counts = {rule: (passed[rule, True], passed[rule, False]) for rule in FLOORS[name]}
    for rule, (valid, invalid) in FLOORS[name].items():
        assert counts[rule][0] >= valid, rule
        assert counts[rule][1] >= invalid, rule


def test_every_excuse_is_still_needed():
    cases = [case for name in FLOORS for case in load_cases(name) if case["Input"] in OTHERWISE]
    needless = [case["Input"] for case in cases if is_read(case) == ("FailAt" not in case)]
    assert needless == []
    assert {case["Input"] for case in cases} == set(OTHERWISE)
