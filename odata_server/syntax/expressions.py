"""Expressions: conditions, arithmetic, paths and calls (OData 4.01 Part 2 §5.1.1, ABNF §4).

    expression  = all *( "or" all )            lowest precedence first (Part 2 §5.1.1.17)
    all         = comparison *( "and" comparison )
    comparison  = unary *( operator unary ), climbing: eq ne < gt ge lt le < add sub < mul div divby mod
    unary       = "not" unary / "-" unary / member *( ( "has" / "in" ) operand )
    member      = head *( "/" step )
    head        = literal / array / object / "(" expression ")" / variable / alias / name / call / case / cast / isof
    step        = name / call / $count / $filter(…) / any(…) / all(…) / aggregate(…) / @annotation

A word of the operators (eq, and, in, …) is refused where an operand must stand.
"""

from collections.abc import Callable

from odata_server.syntax.forms import (
    read_aggregate_item,
    read_arguments,
    read_array,
    read_case,
    read_cast,
    read_count_options,
    read_isof,
    read_lambda,
    read_object,
)
from odata_server.syntax.literals import LITERALS, WORD_LITERALS, read_word_literal
from odata_server.syntax.tokens import Cursor, Dialect, Span, open_text
from odata_server.syntax.trees import (
    Aggregate,
    Alias,
    Binary,
    Call,
    Connective,
    Count,
    EnumLiteral,
    Expression,
    Filtered,
    IsOf,
    KeyAccess,
    Lambda,
    ListExpression,
    Literal,
    Logical,
    Negate,
    Not,
    Operator,
    Path,
    Quantifier,
    Variable,
)

_EQUALITY, _RELATION, _SUM, _PRODUCT = 1, 2, 3, 4

BINARY_OPERATORS: dict[str, tuple[Operator, int]] = {
    "eq": (Operator.EQ, _EQUALITY),
    "ne": (Operator.NE, _EQUALITY),
    "gt": (Operator.GT, _RELATION),
    "ge": (Operator.GE, _RELATION),
    "lt": (Operator.LT, _RELATION),
    "le": (Operator.LE, _RELATION),
    "add": (Operator.ADD, _SUM),
    "sub": (Operator.SUB, _SUM),
    "mul": (Operator.MUL, _PRODUCT),
    "div": (Operator.DIV, _PRODUCT),
    "divby": (Operator.DIVBY, _PRODUCT),
    "mod": (Operator.MOD, _PRODUCT),
}
_MEMBERSHIP_WORDS = frozenset({"has", "in"})
_OPERATOR_WORDS = frozenset(BINARY_OPERATORS) | _MEMBERSHIP_WORDS | {"and", "or"}
_STEPS = frozenset({"/", "("})
_PATH_HEADS = frozenset({"word", "alias", "system"})
_VARIABLES = frozenset({"$it", "$this", "$root", "$these"})
_QUANTIFIERS: dict[str, Quantifier] = {"any": Quantifier.ANY, "all": Quantifier.ALL}


def parse_filter(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> Expression:
    """Read a whole `$filter` value, percent-decoded; any expression is taken, the binder wants a Boolean.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    cursor = open_text(text, dialect)
    tree = read_expression(cursor)
    cursor.finish()
    return tree


def read_expression(cursor: Cursor) -> Expression:
    """Read the expression that starts at the current token.

    Raises:
        SyntaxRefused: none does, it is not well-formed, or it is nested too deeply.
    """
    cursor.enter()
    start = cursor.start
    tree = _read_all(cursor)
    if cursor.keyword == "or":
        operands = [tree]
        while cursor.keyword == "or":
            cursor.advance()
            operands.append(_read_all(cursor))
        tree = Logical(Connective.OR, tuple(operands), Span(start, cursor.last_end))
    cursor.leave()
    return tree


def _read_all(cursor: Cursor) -> Expression:
    start = cursor.start
    tree = _read_comparison(cursor)
    if cursor.keyword == "and":
        operands = [tree]
        while cursor.keyword == "and":
            cursor.advance()
            operands.append(_read_comparison(cursor))
        tree = Logical(Connective.AND, tuple(operands), Span(start, cursor.last_end))
    return tree


def _read_comparison(cursor: Cursor) -> Expression:
    start = cursor.start
    left = _read_unary(cursor)
    return _climb(cursor, left, _EQUALITY, start) if cursor.keyword in BINARY_OPERATORS else left


def _climb(cursor: Cursor, left: Expression, floor: int, start: int) -> Expression:
    """Extend `left` by every operator that binds at least as tightly as `floor`."""
    is_chain = False
    while (entry := BINARY_OPERATORS.get(cursor.keyword)) is not None and entry[1] >= floor:
        if is_chain:
            cursor.link()
        is_chain = True
        operator, precedence = entry
        cursor.advance()
        right_start = cursor.start
        right = _read_unary(cursor)
        if cursor.keyword in BINARY_OPERATORS:
            right = _climb(cursor, right, precedence + 1, right_start)
        left = Binary(operator, left, right, Span(start, cursor.last_end))
    return left


def _read_unary(cursor: Cursor) -> Expression:
    start = cursor.start
    kind = cursor.kind
    if kind == "word":
        if cursor.keyword == "not":
            return Not(_read_deeper(cursor), cursor.span_from(start))
        left = _read_word(cursor)
    elif kind == "minus":
        return Negate(_read_deeper(cursor), cursor.span_from(start))
    else:
        left = _read_head(cursor)
    if cursor.kind in _STEPS and kind in _PATH_HEADS:
        left = _read_steps(cursor, left, start)
    return _read_membership(cursor, left, start) if cursor.keyword in _MEMBERSHIP_WORDS else left


def _read_membership(cursor: Cursor, left: Expression, start: int) -> Expression:
    while cursor.keyword in _MEMBERSHIP_WORDS:
        operator = Operator(cursor.keyword)
        cursor.link()
        cursor.advance()
        right = _read_in_operand(cursor) if operator is Operator.IN else _read_member(cursor)
        left = Binary(operator, left, right, cursor.span_from(start))
    return left


def _read_deeper(cursor: Cursor) -> Expression:
    cursor.enter()
    cursor.advance()
    operand = _read_unary(cursor)
    cursor.leave()
    return operand


def _read_in_operand(cursor: Cursor) -> Expression:
    """Read `( literal, … )` as a list; other parentheses and operands as ever."""
    if cursor.kind != "(":
        return _read_member(cursor)
    start = cursor.start
    cursor.advance()
    if cursor.take_if(")"):
        return ListExpression((), cursor.span_from(start))
    first = read_expression(cursor)
    if not isinstance(first, Literal | EnumLiteral):
        cursor.take(")")
        return first
    items: list[Literal | EnumLiteral] = [first]
    while cursor.take_if(","):
        item_start = cursor.start
        item = read_expression(cursor)
        if not isinstance(item, Literal | EnumLiteral):
            raise cursor.refusal(position=item_start)
        items.append(item)
    cursor.take(")")
    return ListExpression(tuple(items), cursor.span_from(start))


def _read_member(cursor: Cursor) -> Expression:
    start, kind = cursor.start, cursor.kind
    tree = _read_word(cursor) if kind == "word" else _read_head(cursor)
    return _read_steps(cursor, tree, start) if kind in _PATH_HEADS else tree


def _read_steps(cursor: Cursor, tree: Expression, start: int) -> Expression:
    if cursor.kind == "(" and isinstance(tree, Call | Filtered):
        tree = _read_key(cursor, tree, start)
    while cursor.kind == "/":
        tree = _read_step(cursor, tree, start)
    return tree


def _read_head(cursor: Cursor) -> Expression:
    kind = cursor.kind
    reader = LITERALS.get(kind) or _HEADS.get(kind)
    if reader is None:
        raise cursor.refusal("Expression expected" if kind == "end" else "Syntax error")
    return reader(cursor)


def _read_word(cursor: Cursor) -> Expression:
    start, end, name = cursor.start, cursor.end, cursor.value
    following = cursor.text[end] if end < cursor.limit else ""
    if following == "(":
        return _read_head_call(cursor)
    if following != "/":
        literal = read_word_literal(cursor) if cursor.keyword in WORD_LITERALS else None
        if literal is not None:
            return literal
        if cursor.keyword in _OPERATOR_WORDS or "." in name:
            raise cursor.refusal()
        cursor.advance()
        return Path((name,), None, Span(start, end))
    if cursor.keyword in _OPERATOR_WORDS:
        raise cursor.refusal()
    names = [name]
    cursor.advance()
    _read_names(cursor, names)
    return Path(tuple(names), None, Span(start, cursor.last_end))


def _read_names(cursor: Cursor, names: list[str]) -> None:
    """Read `/name/name/@annotation` as long as plain names follow; stop on the slash before anything else."""
    while cursor.kind == "/":
        position = cursor.start
        cursor.advance()
        is_name = cursor.kind == "alias" or (cursor.kind == "word" and not cursor.follows("("))
        if not is_name:
            cursor.restart(position)
            return
        names.append(cursor.value)
        cursor.advance()


def _read_head_call(cursor: Cursor) -> Expression:
    start = cursor.start
    if cursor.keyword in _OPERATOR_WORDS or cursor.value in _QUANTIFIERS or cursor.keyword in WORD_LITERALS:
        raise cursor.refusal()
    special = _SPECIAL_CALLS.get(cursor.keyword)
    name = cursor.value
    cursor.advance()
    if special is not None:
        return special(cursor)
    arguments, named = read_arguments(cursor, read_expression)
    return Call(name, arguments, named, None, Span(start, cursor.last_end))


def _read_key(cursor: Cursor, target: Expression, start: int) -> Expression:
    if not cursor.is_glued():
        raise cursor.refusal()
    cursor.link()
    arguments, named = read_arguments(cursor, read_expression)
    return KeyAccess(target, arguments, named, cursor.span_from(start))


def _read_step(cursor: Cursor, target: Expression, start: int) -> Expression:
    if isinstance(target, Literal | Count | Lambda | Aggregate | IsOf):
        raise cursor.refusal()
    cursor.link()
    cursor.advance()
    if cursor.kind == "system":
        return _read_system_step(cursor, target, start)
    if cursor.kind == "word" and cursor.follows("("):
        return _read_step_call(cursor, target, start)
    if cursor.kind not in {"word", "alias"}:
        raise cursor.refusal()
    names = [cursor.value]
    cursor.advance()
    _read_names(cursor, names)
    return Path(tuple(names), target, cursor.span_from(start))


def _read_step_call(cursor: Cursor, target: Expression, start: int) -> Expression:
    name = cursor.value
    quantifier = _QUANTIFIERS.get(cursor.keyword)
    cursor.advance()
    if quantifier is not None:
        return read_lambda(cursor, target, quantifier, start, read_expression)
    if name == "aggregate":
        cursor.take("(")
        item = read_aggregate_item(cursor, read_expression)
        cursor.take(")")
        return Aggregate(target, item, cursor.span_from(start))
    arguments, named = read_arguments(cursor, read_expression)
    tree: Expression = Call(name, arguments, named, target, cursor.span_from(start))
    return _read_key(cursor, tree, start) if cursor.kind == "(" else tree


def _read_system_step(cursor: Cursor, target: Expression, start: int) -> Expression:
    name = cursor.value
    if name == "$count":
        cursor.advance()
        if cursor.kind != "(":
            return Count(target, None, None, cursor.span_from(start))
        predicate, search = read_count_options(cursor, read_expression)
        return Count(target, predicate, search, cursor.span_from(start))
    if name != "$filter":
        raise cursor.refusal()
    cursor.advance()
    cursor.take("(")
    predicate = read_expression(cursor)
    cursor.take(")")
    step: Expression = Filtered(target, predicate, cursor.span_from(start))
    return _read_key(cursor, step, start) if cursor.kind == "(" else step


def _read_group(cursor: Cursor) -> Expression:
    cursor.advance()
    tree = read_expression(cursor)
    if cursor.kind != ")":
        raise cursor.refusal("')' or operator expected")
    cursor.advance()
    return tree


def _read_alias(cursor: Cursor) -> Expression:
    span = Span(cursor.start, cursor.end)
    name = cursor.value
    cursor.advance()
    # A dot or a qualifier makes it an annotation; a plain @name is an alias unless the binder knows better.
    if "." in name or "#" in name:
        names = [name]
        _read_names(cursor, names)
        return Path(tuple(names), None, cursor.span_from(span.start))
    return Alias(name[1:], span)


def _read_variable(cursor: Cursor) -> Expression:
    if cursor.value not in _VARIABLES:
        raise cursor.refusal()
    variable = Variable(cursor.value, Span(cursor.start, cursor.end))
    cursor.advance()
    if variable.name in {"$root", "$these"} and cursor.kind != "/":
        raise cursor.refusal()
    return variable


def _read_array_of_expressions(cursor: Cursor) -> Expression:
    return read_array(cursor, read_expression)


def _read_object_of_expressions(cursor: Cursor) -> Expression:
    return read_object(cursor, read_expression)


_HEADS: dict[str, Callable[[Cursor], Expression]] = {
    "(": _read_group,
    "[": _read_array_of_expressions,
    "{": _read_object_of_expressions,
    "alias": _read_alias,
    "system": _read_variable,
}

_SPECIAL_CALLS: dict[str, Callable[[Cursor], Expression]] = {
    "case": lambda cursor: read_case(cursor, read_expression),
    "cast": lambda cursor: read_cast(cursor, read_expression),
    "isof": lambda cursor: read_isof(cursor, read_expression),
}
