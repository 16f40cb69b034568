import pytest

from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.tokens import Dialect, SyntaxRefused
from odata_server.syntax.trees import (
    Alias,
    ArrayExpression,
    Binary,
    Call,
    Connective,
    Count,
    EnumLiteral,
    Filtered,
    KeyAccess,
    Lambda,
    ListExpression,
    Literal,
    LiteralKind,
    Logical,
    NamedArgument,
    Negate,
    Not,
    Operator,
    Path,
    Quantifier,
    SearchTerm,
    Variable,
)

A, B, C = Path(("a",)), Path(("b",)), Path(("c",))


def number(text):
    return Literal(LiteralKind.INTEGER, text, None)


def string(text):
    return Literal(LiteralKind.STRING, text, None)


@pytest.mark.parametrize("operator", Operator)
def test_every_binary_operator_joins_two_operands(operator):
    assert parse_filter(f"a {operator.value} b") == Binary(operator, A, B)
    with pytest.raises(SyntaxRefused):
        parse_filter(f"a {operator.value}")
    with pytest.raises(SyntaxRefused):
        parse_filter(f"{operator.value} b")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (
            "a eq 1 and b eq 2 or c",
            Logical(
                Connective.OR,
                (
                    Logical(Connective.AND, (Binary(Operator.EQ, A, number("1")), Binary(Operator.EQ, B, number("2")))),
                    C,
                ),
            ),
        ),
        ("a and b and c", Logical(Connective.AND, (A, B, C))),
        ("a and (b and c)", Logical(Connective.AND, (A, Logical(Connective.AND, (B, C))))),
        ("not a eq b", Binary(Operator.EQ, Not(A), B)),
        ("not (a eq b)", Not(Binary(Operator.EQ, A, B))),
        ("not a in (1)", Not(Binary(Operator.IN, A, ListExpression((number("1"),))))),
        ("a add b mul c", Binary(Operator.ADD, A, Binary(Operator.MUL, B, C))),
        ("(a add b) mul c", Binary(Operator.MUL, Binary(Operator.ADD, A, B), C)),
        ("a sub b sub c", Binary(Operator.SUB, Binary(Operator.SUB, A, B), C)),
        ("a eq b gt c", Binary(Operator.EQ, A, Binary(Operator.GT, B, C))),
        ("-a", Negate(A)),
        ("-5", number("-5")),
        ("- 5", Negate(number("5"))),
        ("a sub -5", Binary(Operator.SUB, A, number("-5"))),
        (" a ", A),
        ("a/b/Ns.C/d", Path(("a", "b", "Ns.C", "d"))),
        ("$it/a", Path(("a",), Variable("$it"))),
        ("@p/a", Path(("a",), Alias("p"))),
        ("@p eq 'x'", Binary(Operator.EQ, Alias("p"), string("'x'"))),
        ("a/@Ns.Term#q", Path(("a", "@Ns.Term#q"))),
        ("a in ()", Binary(Operator.IN, A, ListExpression(()))),
        ("a in (b)", Binary(Operator.IN, A, B)),
        ("a in ['x',\"y\"]", Binary(Operator.IN, A, ArrayExpression((string("'x'"), string('"y"'))))),
        ("a has Ns.T'V,W'", Binary(Operator.HAS, A, EnumLiteral("Ns.T", ("V", "W")))),
        ("contains(a,'x')", Call("contains", (A, string("'x'")))),
        ("contains( a , 'x' )", Call("contains", (A, string("'x'")))),
        ("now()", Call("now")),
        ("a/any()", Lambda(A, Quantifier.ANY)),
        ("a/all(x:x/b)", Lambda(A, Quantifier.ALL, "x", Path(("x", "b")))),
        (
            "a/any(x:x/b/any(y:y/c eq x/c))",
            Lambda(
                A,
                Quantifier.ANY,
                "x",
                Lambda(Path(("x", "b")), Quantifier.ANY, "y", Binary(Operator.EQ, Path(("y", "c")), Path(("x", "c")))),
            ),
        ),
        ("a/$count gt 1", Binary(Operator.GT, Count(A), number("1"))),
        ("a/$count($filter=b;$search=red)", Count(A, B, SearchTerm("red"))),
        ("a/$filter(b)(1)", KeyAccess(Filtered(A, B), (number("1"),))),
        ("$root/People('x')/a", Path(("a",), Call("People", (string("'x'"),), (), Variable("$root")))),
        ("a/Ns.F(P=1)/b", Path(("b",), Call("Ns.F", (), (NamedArgument("P", number("1")),), A))),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)",
            Call(
                "Microsoft.Dynamics.CRM.In",
                (),
                (NamedArgument("PropertyName", Alias("p1")), NamedArgument("PropertyValues", Alias("p2"))),
            ),
        ),
    ],
)
def test_expressions_become_trees(text, tree):
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lastname eq 'O'Bryan'", "There is an unterminated literal at position 21 in 'lastname eq 'O'Bryan''."),
        ("a eq eq", "Syntax error at position 5 in 'a eq eq'."),
        ("a eq 'open", "There is an unterminated string literal at position 10 in 'a eq 'open'."),
        ("a eq", "Expression expected at position 4 in 'a eq'."),
        ("", "Expression expected at position 0 in ''."),
        ("(a", "')' or operator expected at position 2 in '(a'."),
        ("f(a b)", "')' or ',' expected at position 4 in 'f(a b)'."),
        ("a b", "Syntax error at position 2 in 'a b'."),
        ("a eq 1 2", "Syntax error at position 7 in 'a eq 1 2'."),
        ("a eq ~", "Syntax error at position 5 in 'a eq ~'."),
        ("f (a)", "Syntax error at position 2 in 'f (a)'."),
        ("a in (b,c)", "Syntax error at position 7 in 'a in (b,c)'."),
        ("a in (1,b)", "Syntax error at position 8 in 'a in (1,b)'."),
        ("a eq (1,2)", "')' or operator expected at position 7 in 'a eq (1,2)'."),
        ("Ns.Name", "Syntax error at position 0 in 'Ns.Name'."),
        ("any()", "Syntax error at position 0 in 'any()'."),
        ("a/all()", "Syntax error at position 6 in 'a/all()'."),
        ("a/any(x)", "Syntax error at position 7 in 'a/any(x)'."),
        ("a/any(Ns.X:true)", "Syntax error at position 6 in 'a/any(Ns.X:true)'."),
        ("a/", "Syntax error at position 2 in 'a/'."),
        ("a/$count/b", "Syntax error at position 8 in 'a/$count/b'."),
        ("'x'/b", "Syntax error at position 3 in ''x'/b'."),
        ("(a)/b", "Syntax error at position 3 in '(a)/b'."),
        ("$root", "Syntax error at position 5 in '$root'."),
        ("$other", "Syntax error at position 0 in '$other'."),
        ("f(A=1,b)", "Syntax error at position 7 in 'f(A=1,b)'."),
        ("f(A=1,A=2)", "The parameter 'A' is given more than once at position 6 in 'f(A=1,A=2)'."),
        ("a/$count($top=1)", "Syntax error at position 9 in 'a/$count($top=1)'."),
        ("['it's']", "There is an unterminated literal at position 8 in '['it's']'."),
        (
            "['a' 'b']",
            (
                "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two elements in an array and "
                "properties of an object must be separated by commas."
            ),
        ),
        ("cast(a)b", "Syntax error at position 7 in 'cast(a)b'."),
        ("case(a)", "Syntax error at position 6 in 'case(a)'."),
        ("eq/a", "Syntax error at position 0 in 'eq/a'."),
        ("a EQ b", "Syntax error at position 2 in 'a EQ b'."),
    ],
)
def test_what_is_not_well_formed_is_refused_with_its_position(text, message):
    with pytest.raises(SyntaxRefused) as refused:
        parse_filter(text)
    assert str(refused.value) == message


def test_a_refusal_points_into_its_text():
    with pytest.raises(SyntaxRefused) as refused:
        parse_filter("a eq eq")
    assert refused.value.pointer() == "a eq eq\n     ^"


def test_the_standard_dialect_ignores_case_and_refuses_white_space_around():
    assert parse_filter("a EQ 1 AND NOT b", dialect=Dialect.STANDARD) == parse_filter("a eq 1 and not b")
    assert parse_filter("tRUe", dialect=Dialect.STANDARD).value is True
    for text in (" a", "a "):
        with pytest.raises(SyntaxRefused):
            parse_filter(text, dialect=Dialect.STANDARD)


def test_spans_say_where_each_tree_stood():
    text = "a eq 1 and startswith(b,'x')"
    tree = parse_filter(text)
    left, right = tree.operands
    assert text[slice(*tree.span)] == text
    assert text[slice(*left.span)] == "a eq 1"
    assert text[slice(*left.right.span)] == "1"
    assert text[slice(*right.span)] == "startswith(b,'x')"
    assert text[slice(*right.arguments[1].span)] == "'x'"
