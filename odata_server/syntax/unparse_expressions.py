"""Expressions and searches back to decoded text, with the fewest parentheses that read back as the same tree."""

import json
from typing import assert_never

from odata_server.syntax.trees import (
    Aggregate,
    AggregateItem,
    Alias,
    ArrayExpression,
    Binary,
    Call,
    Case,
    Cast,
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
    NamedArgument,
    Negate,
    Not,
    ObjectExpression,
    Operator,
    Path,
    Search,
    SearchIncomplete,
    SearchJoin,
    SearchNot,
    SearchTerm,
    Variable,
)

_OR, _AND, _EQUALITY, _RELATION, _SUM, _PRODUCT, _UNARY, _MEMBERSHIP, _MEMBER = range(1, 10)

_PRECEDENCE: dict[Operator, int] = {
    Operator.EQ: _EQUALITY,
    Operator.NE: _EQUALITY,
    Operator.GT: _RELATION,
    Operator.GE: _RELATION,
    Operator.LT: _RELATION,
    Operator.LE: _RELATION,
    Operator.ADD: _SUM,
    Operator.SUB: _SUM,
    Operator.MUL: _PRODUCT,
    Operator.DIV: _PRODUCT,
    Operator.DIVBY: _PRODUCT,
    Operator.MOD: _PRODUCT,
    Operator.HAS: _MEMBERSHIP,
    Operator.IN: _MEMBERSHIP,
}


def unparse_expression(tree: Expression) -> str:
    """Write an expression as decoded text that reads back as the same tree."""
    match tree:
        case Binary() | Logical() | Not() | Negate():
            return _operation(tree)
        case Path(names=names, root=root):
            return _after(root) + "/".join(names)
        case Call(name=name, arguments=arguments, named=named, target=target):
            return f"{_after(target)}{name}({unparse_arguments(arguments, named)})"
        case KeyAccess(target=inner, arguments=arguments, named=named):
            return f"{unparse_expression(inner)}({unparse_arguments(arguments, named)})"
        case Filtered() | Count() | Lambda() | Aggregate():
            return _step(tree)
        case Cast() | IsOf() | Case():
            return _form(tree)
        case _:
            return _atom(tree)


def _atom(
    tree: Literal | EnumLiteral | ArrayExpression | ListExpression | ObjectExpression | Alias | Variable,
) -> str:
    match tree:
        case Literal(text=text):
            return text
        case EnumLiteral(type_name=type_name, members=members):
            return f"{type_name}'{','.join(members)}'"
        case ArrayExpression(items=items):
            return f"[{_joined(items)}]"
        case ListExpression(items=literals):
            return f"({_joined(literals)})"
        case ObjectExpression(members=pairs):
            return "{" + ",".join(f"{_json(pair.name)}:{unparse_expression(pair.value)}" for pair in pairs) + "}"
        case Alias(name=name):
            return f"@{name}"
        case Variable(name=name):
            return name
        case _:
            assert_never(tree)


def _step(tree: Filtered | Count | Lambda | Aggregate) -> str:
    match tree:
        case Filtered(target=target, predicate=predicate):
            return f"{_after(target)}$filter({unparse_expression(predicate)})"
        case Count():
            return _count(tree)
        case Lambda():
            return _lambda(tree)
        case Aggregate(target=target, item=item):
            return f"{_after(target)}aggregate({unparse_aggregate_item(item)})"
        case _:
            assert_never(tree)


def _form(tree: Cast | IsOf | Case) -> str:
    match tree:
        case Cast(type_name=type_name, operand=operand):
            return f"cast({_typed(type_name, operand)})"
        case IsOf(type_name=type_name, operand=operand):
            return f"isof({_typed(type_name, operand)})"
        case Case(branches=branches):
            # The spaces keep two numbers from reading as a time of day.
            pairs = (f"{unparse_expression(b.condition)} : {unparse_expression(b.value)}" for b in branches)
            return f"case({','.join(pairs)})"
        case _:
            assert_never(tree)


def unparse_arguments(positional: tuple[Expression, ...], named: tuple[NamedArgument, ...]) -> str:
    """Write what stands between the parentheses of a call or a key."""
    return ",".join([*map(unparse_expression, positional), *(f"{n.name}={unparse_expression(n.value)}" for n in named)])


def unparse_aggregate_item(item: AggregateItem) -> str:
    """Write `operand with method from … as alias`."""
    words = ["$count" if item.operand is None else unparse_expression(item.operand)]
    if item.method is not None:
        words.append(f"with {item.method}")
    for origin in item.origins:
        words.append(f"from {_joined(origin.paths)}")
        if origin.method is not None:
            words.append(f"with {origin.method}")
    if item.alias is not None:
        words.append(f"as {item.alias}")
    return " ".join(words)


def _operation(tree: Binary | Logical | Not | Negate) -> str:
    match tree:
        case Binary(operator=operator, left=left, right=right):
            precedence = _PRECEDENCE[operator]
            return f"{_within(left, precedence)} {operator.value} {_within(right, precedence + 1)}"
        case Logical(connective=connective, operands=operands):
            floor = _AND if connective is Connective.OR else _EQUALITY
            return f" {connective.value} ".join(_within(operand, floor) for operand in operands)
        case Not(operand=operand):
            return f"not {_within(operand, _UNARY)}"
        case Negate(operand=operand):
            # The space keeps the sign from becoming part of a number.
            return f"- {_within(operand, _UNARY)}"
        case _:
            assert_never(tree)


def _within(tree: Expression, floor: int) -> str:
    text = unparse_expression(tree)
    return text if _precedence(tree) >= floor else f"({text})"


def _precedence(tree: Expression) -> int:
    if isinstance(tree, Binary):
        return _PRECEDENCE[tree.operator]
    if isinstance(tree, Logical):
        return _AND if tree.connective is Connective.AND else _OR
    return _UNARY if isinstance(tree, Not | Negate) else _MEMBER


def _after(target: Expression | None) -> str:
    return "" if target is None else f"{unparse_expression(target)}/"


def _count(tree: Count) -> str:
    options: list[str] = []
    if tree.filter is not None:
        options.append(f"$filter={unparse_expression(tree.filter)}")
    if tree.search is not None:
        options.append(f"$search={unparse_search(tree.search)}")
    suffix = f"({';'.join(options)})" if options else ""
    return f"{_after(tree.target)}$count{suffix}"


def _lambda(tree: Lambda) -> str:
    inner = "" if tree.predicate is None else f"{tree.variable}:{unparse_expression(tree.predicate)}"
    return f"{_after(tree.target)}{tree.quantifier.value}({inner})"


def _typed(type_name: str, operand: Expression | None) -> str:
    return type_name if operand is None else f"{unparse_expression(operand)},{type_name}"


def _joined(items: tuple[Expression, ...]) -> str:
    return ",".join(map(unparse_expression, items))


def _json(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def unparse_search(tree: Search) -> str:
    """Write a search as decoded text that reads back as the same tree."""
    match tree:
        case SearchTerm(text=text, quoted=quoted):
            return f'"{text}"' if quoted else text
        case SearchIncomplete(text=text):
            return "'" + text.replace("'", "''") + "'"
        case SearchNot(operand=operand):
            return f"NOT {_search_within(operand, None)}"
        case SearchJoin(connective=connective, operands=operands):
            joint = f" {connective.value.upper()} "
            return joint.join(_search_within(operand, connective) for operand in operands)
        case _:
            assert_never(tree)


def _search_within(tree: Search, outer: Connective | None) -> str:
    text = unparse_search(tree)
    if not isinstance(tree, SearchJoin):
        return text
    binds_tighter = outer is Connective.OR and tree.connective is Connective.AND
    return text if binds_tighter else f"({text})"
