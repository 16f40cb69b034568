from uuid import UUID

import pytest

from odata_server.syntax.paths import parse_path
from odata_server.syntax.relative_url import parse_relative_url
from odata_server.syntax.request_trees import (
    CrossJoinSegment,
    FilterSegment,
    NamedSegment,
    ReferenceSegment,
    SystemName,
    SystemSegment,
    ValueSegment,
)
from odata_server.syntax.tokens import SyntaxRefused
from odata_server.syntax.trees import Alias, ArrayExpression, Binary, EnumLiteral, Literal, LiteralKind

GUID = "01234567-89ab-cdef-0123-456789abcdef"


def test_a_set_with_a_guid_key():
    (segment,) = parse_path(f"accounts({GUID})").segments
    assert isinstance(segment, NamedSegment)
    assert segment.name == "accounts"
    ((key,),) = (arguments.positional for arguments in segment.arguments)
    assert isinstance(key, Literal)
    assert key.value == UUID(GUID)


def test_alternate_keys_are_named():
    (segment,) = parse_path("accounts(name='Fabrikam%20%26%20Co',accountnumber=@n)").segments
    (arguments,) = segment.arguments
    assert [(named.name, named.value) for named in arguments.named] == [
        ("name", Literal(LiteralKind.STRING, "'Fabrikam & Co'", None)),
        ("accountnumber", Alias("n")),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("/", []),
        ("accounts", ["accounts"]),
        ("/accounts/", ["accounts"]),
        ("WhoAmI()", ["WhoAmI"]),
        (
            "EntityDefinitions(LogicalName='x')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
            ["EntityDefinitions", "Attributes", "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"],
        ),
        (
            f"systemusers({GUID})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()",
            ["systemusers", "Microsoft.Dynamics.CRM.RetrieveUserPrivileges"],
        ),
    ],
)
def test_named_segments(text, names):
    assert [segment.name for segment in parse_path(text).segments] == names


def test_functions_take_aliases_enums_and_arrays():
    path = parse_path("F(A=@p,B=Microsoft.Dynamics.CRM.EntityFilters'Entity',C=[\"account\",'b'],D=null)")
    (arguments,) = path.segments[0].arguments
    assert [type(named.value) for named in arguments.named] == [Alias, EnumLiteral, ArrayExpression, Literal]


def test_a_composed_function_carries_call_and_key():
    (segment,) = parse_path("ProductsByCategory(id=2)(3)").segments
    assert len(segment.arguments) == 2


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("accounts/$count", SystemSegment(SystemName.COUNT)),
        (f"accounts({GUID})/name/$value", SystemSegment(SystemName.VALUE)),
        (f"accounts({GUID})/nav/$ref", SystemSegment(SystemName.REF)),
        ("$metadata", SystemSegment(SystemName.METADATA)),
        ("$batch", SystemSegment(SystemName.BATCH)),
        ("$entity", SystemSegment(SystemName.ENTITY)),
        ("$all", SystemSegment(SystemName.ALL)),
        ("accounts/$each", SystemSegment(SystemName.EACH)),
        ("accounts/$query", SystemSegment(SystemName.QUERY)),
        ("$crossjoin(A,B)", CrossJoinSegment(("A", "B"))),
        ("$1", ReferenceSegment("1")),
        ("Suppliers(1)/Addresses/-1", ValueSegment("-1")),
        ("People/O%27Neil", ValueSegment("O'Neil")),
        ("Categories/Smartphone%2FTablet", ValueSegment("Smartphone/Tablet")),
    ],
)
def test_the_last_segment(text, last):
    assert parse_path(text).segments[-1] == last


def test_a_filter_segment_holds_its_predicate():
    segment = parse_path("Products/$filter(Age%20gt%203)").segments[1]
    assert isinstance(segment, FilterSegment)
    assert isinstance(segment.predicate, Binary)


def test_spans_count_in_the_decoded_path():
    path = parse_path("a%28%27x%27%29/b")
    assert path.text == "a('x')/b"
    assert [path.text[segment.span.start : segment.span.end] for segment in path.segments] == ["a('x')", "b"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("accounts(", 9),
        ("accounts(1", 10),
        ("accounts(1)x", 11),
        ("accounts (1)", 9),
        ("accounts(1,)", 11),
        ("accounts(name)", 9),
        ("accounts(a=1,a=2)", 13),
        ("accounts(a=b)", 11),
        ("accounts(a=1;b=2)", 12),
        ("accounts//x", 9),
        ("accounts/$count/x", 15),
        ("accounts/$ref/$count", 13),
        ("accounts/$metadata", 9),
        ("accounts/$unknown", 9),
        ("$count", 0),
        ("$ref", 0),
        ("$filter(a eq 1)", 0),
        ("x/$crossjoin(A)", 2),
        ("x/$1", 2),
        ("Ns.Action", 2),
        (".accounts", 0),
        ("accounts.('x')", 8),
        ("Customers('O%27Neil')", 19),
        ("Categories('Tablet/Slate')", 18),
        ("accounts%2", 8),
        ("accounts%zz", 8),
        ("accounts%ff", 8),
        (" accounts", 0),
    ],
)
def test_a_path_that_is_not_well_formed_is_refused_where_it_breaks(text, position):
    with pytest.raises(SyntaxRefused) as refused:
        parse_path(text)
    assert refused.value.position == position


def test_entity_by_id_names_its_type_before_it_is_shaped():
    path, options = parse_relative_url("$entity/Ns.Customer?$id=Customers(1)&$select=Name")
    assert len(path.segments) == 2
    assert options.id == "Customers(1)"
    for text in ("$entity", "$entity?$format=json", "$entity?$id=Customers(1)&$select=Name"):
        with pytest.raises(SyntaxRefused):
            parse_relative_url(text)
