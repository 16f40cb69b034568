"""What kinds of expressions are called in texts for users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from odata_server.syntax import trees

_KINDS: Final[Mapping[type[trees.Expression], str]] = {
    trees.Literal: "a literal",
    trees.EnumLiteral: "a member of an enumeration",
    trees.ArrayExpression: "an array",
    trees.ObjectExpression: "an object",
    trees.ListExpression: "a list",
    trees.Alias: "a parameter alias",
    trees.Variable: "a variable",
    trees.Path: "a path",
    trees.Call: "a function call",
    trees.KeyAccess: "a path with a key",
    trees.Filtered: "a path with a filter",
    trees.Count: "a count",
    trees.Lambda: "a lambda operator",
    trees.Cast: "a cast",
    trees.IsOf: "a type check",
    trees.Case: "a case expression",
    trees.Binary: "an expression with an operator",
    trees.Logical: "a condition",
    trees.Not: "a condition",
    trees.Negate: "a negated expression",
    trees.Aggregate: "an aggregation",
}


def kind_of(expression: trees.Expression) -> str:
    """Return what an expression is, with its article: `a literal`, `an array`."""
    return _KINDS[type(expression)]
