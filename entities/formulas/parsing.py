"""The text of a formula, read by recursive descent.

```
formula    = conjunction { "OR" conjunction }
conjunction= negation { "AND" negation }
negation   = [ "NOT" ] comparison
comparison = sum [ ( "=" | "<>" | "<" | "<=" | ">" | ">=" ) sum ]
sum        = product { ( "+" | "-" ) product }
product    = factor { ( "*" | "/" ) factor }
factor     = "-" factor | "(" formula ")" | number | text | "TRUE" | "FALSE" | "NULL"
           | function "(" [ formula { "," formula } ] ")" | column | lookup "." column
```

Words are read in any case; a text stands between single quotation marks, of which two mean one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from entities.errors import InvalidArgument
from entities.formulas.tree import (
    MEASURING,
    MOVING,
    TRIMMING,
    Arithmetic,
    Called,
    Compared,
    Either,
    Expression,
    HasData,
    Joined,
    Literal,
    Negative,
    Operand,
    Opposite,
)

_TOKEN = re.compile(
    r"\s*(?:(\d+(?:\.\d+)?)|('(?:[^']|'')*')|([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)|(<>|<=|>=|[-+*/(),=<>]))"
)
_ARGUMENTS = {
    **dict.fromkeys((*MOVING, *MEASURING, *TRIMMING), 2),
    "IF": 3,
    "CONTAINSDATA": 1,
    "NOW": 0,
}
_CONSTANTS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}
_LONGEST = 4_000
_DEEPEST = 40
_LARGEST = 1e15


@lru_cache(maxsize=1024)
def parse_formula(text: str) -> Expression:
    """Return what the text of a formula says.

    Raises:
        InvalidArgument: the text cannot be read (0x80060424), or it calls a function that is not there (0x80060427).
    """
    if len(text) > _LONGEST:
        raise _unreadable(f"It is longer than {_LONGEST} characters.")
    reader = _Reader(_tokens(text))
    found = reader.formula(0)
    if reader.word:
        raise _unreadable(f"'{reader.word}' is not expected there.")
    return found


def _unreadable(reason: str) -> InvalidArgument:
    return InvalidArgument(f"The formula cannot be read. {reason}", code="0x80060424")


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    bare = text.rstrip()
    while place < len(bare):
        match = _TOKEN.match(bare, place)
        if match is None:
            raise _unreadable(f"Nothing begins with '{bare[place : place + 10].strip()}'.")
        tokens.append(match[0].strip() if match[2] is None else match[2])
        place = match.end()
    return tokens


class _Reader:
    """The tokens of a formula, and how far they are read; `word` is empty at the end."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def word(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _keyword(self) -> str:
        return self.word.upper()

    def _take(self) -> str:
        word = self.word
        self._place += 1
        return word

    def _expect(self, word: str) -> None:
        if self.word != word:
            raise _unreadable(f"'{word}' is missing before '{self.word}'." if self.word else f"'{word}' is missing.")
        self._place += 1

    def formula(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise _unreadable("It is nested too deeply.")
        found = self._conjunction(depth)
        while self._keyword() == "OR":
            self._take()
            found = Joined("OR", found, self._conjunction(depth))
        return found

    def _conjunction(self, depth: int) -> Expression:
        found = self._negation(depth)
        while self._keyword() == "AND":
            self._take()
            found = Joined("AND", found, self._negation(depth))
        return found

    def _negation(self, depth: int) -> Expression:
        if self._keyword() == "NOT":
            self._take()
            return Opposite(self._comparison(depth))
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Expression:
        left = self._sum(depth)
        if self.word in {"=", "<>", "<", "<=", ">", ">="}:
            return Compared(self._take(), left, self._sum(depth))
        return left

    def _sum(self, depth: int) -> Expression:
        found = self._product(depth)
        while self.word in {"+", "-"}:
            found = Arithmetic(self._take(), found, self._product(depth))
        return found

    def _product(self, depth: int) -> Expression:
        found = self._factor(depth)
        while self.word in {"*", "/"}:
            found = Arithmetic(self._take(), found, self._factor(depth))
        return found

    def _factor(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise _unreadable("It is nested too deeply.")
        word = self._take()
        if word == "-":
            return Negative(self._factor(depth + 1))
        if word == "(":
            found = self.formula(depth + 1)
            self._expect(")")
            return found
        if word[:1].isdigit():
            return _number(word)
        if word[:1] == "'":
            return Literal(word[1:-1].replace("''", "'"))
        return self._name(word, depth)

    def _name(self, word: str, depth: int) -> Expression:
        if not (word[:1].isalpha() or word[:1] == "_"):
            raise _unreadable(f"'{word}' is not expected there." if word else "It ends too early.")
        if self.word == "(":
            return self._call(word.upper(), depth)
        if word.upper() in _CONSTANTS:
            return Literal(_CONSTANTS[word.upper()])
        lookup, _, column = word.lower().rpartition(".")
        return Operand(column, lookup)

    def _call(self, function: str, depth: int) -> Expression:
        self._expect("(")
        arguments = []
        while self.word != ")":
            arguments.append(self.formula(depth + 1))
            if self.word != ")":
                self._expect(",")
        self._expect(")")
        return _called(function, tuple(arguments))


def _number(word: str) -> Literal:
    if float(word) > _LARGEST:
        raise _unreadable(f"The number {word} is too large.")
    return Literal(float(word))


def _called(function: str, arguments: tuple[Expression, ...]) -> Expression:
    if function != "CONCAT" and function not in _ARGUMENTS:
        raise InvalidArgument(f"The {function} function doesn't exist.", code="0x80060427")
    if len(arguments) != _ARGUMENTS.get(function, len(arguments)) or (function == "CONCAT" and not arguments):
        raise _unreadable(f"The function {function} takes another number of arguments.")
    match function:
        case "IF":
            return Either(*arguments)
        case "CONTAINSDATA":
            return HasData(*arguments)
        case _:
            return Called(function, arguments)
