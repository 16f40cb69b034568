"""`$search`: words, phrases, NOT, AND, OR (OData 4.01 Part 2 §5.1.8), with its own tokens.

search  = all *( OR all )            AND, OR, NOT are operators only where an operand can follow;
all     = single *( [ AND ] single )     otherwise they are words
single  = NOT single / "(" search ")" / '"' phrase '"' / word / "'" unfinished "'"
"""

import re

from odata_server.syntax.tokens import MAX_DEPTH, Dialect, Span, SyntaxRefused
from odata_server.syntax.trees import Connective, Search, SearchIncomplete, SearchJoin, SearchNot, SearchTerm

_SPACE = re.compile(r"\s*+").match
_WORD = re.compile(r"[^\s()\"';][^\s()\";]*+").match
_WORD_WITH_SEMICOLON = re.compile(r"[^\s()\"'][^\s()\"]*+").match
_PHRASE = re.compile(r'"([^"]++)"').match
_INCOMPLETE = re.compile(r"'((?:[^']++|'')*+)'").match
_OPERATOR_NOT = re.compile(r"NOT\s++(?![);])(?=.)").match
_OPERATOR_AND = re.compile(r"AND\s++(?![);])(?=.)").match
_OPERATOR_OR = re.compile(r"OR\s++(?![);])(?=.)").match
_INCOMPLETE_WHOLE = re.compile(r"\s*+'(?:[^']++|'')*+'").match


def parse_search(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> Search:
    """Read a whole `$search` value, percent-decoded.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    del dialect  # the operators are upper-case in both
    tree, end = read_search(text, 0, len(text), is_nested=False)
    if _SPACE(text, end).end() != len(text):  # type: ignore[union-attr]  # an optional pattern always matches
        raise SyntaxRefused("Syntax error", text, end)
    return tree


def read_search(text: str, start: int, limit: int, *, is_nested: bool) -> tuple[Search, int]:
    """Read the search that starts at `start`; return it with the position behind it.

    Inside `$expand=Nav($search=…)` a semicolon ends the search; a whole value may hold one.

    Raises:
        SyntaxRefused: no search starts there, or it is not well-formed.
    """
    unfinished = _INCOMPLETE_WHOLE(text, start, limit)
    reader = _SearchReader(text, start, limit, is_nested=is_nested)
    if unfinished is not None:
        reader.skip_space()
        return reader.read_incomplete(), reader.position
    tree = reader.read_any()
    return tree, reader.position


class _SearchReader:
    """A position in a search text."""

    __slots__ = ("_word", "depth", "limit", "position", "text")

    def __init__(self, text: str, start: int, limit: int, *, is_nested: bool) -> None:
        self.text = text
        self.position = start
        self.limit = limit
        self.depth = 0
        self._word = _WORD if is_nested else _WORD_WITH_SEMICOLON

    def refusal(self, message: str = "Syntax error") -> SyntaxRefused:
        return SyntaxRefused(message, self.text, self.position)

    def skip_space(self) -> None:
        found = _SPACE(self.text, self.position, self.limit)
        if found is not None:
            self.position = found.end()

    def is_at_end(self) -> bool:
        return self.position >= self.limit or self.text[self.position] in ");"

    def read_any(self) -> Search:
        """Read operands joined by OR."""
        self.skip_space()
        start = self.position
        operands = [self.read_all()]
        while (found := _OPERATOR_OR(self.text, self.position, self.limit)) is not None:
            self.position = found.end()
            operands.append(self.read_all())
        return self._joined(Connective.OR, operands, start)

    def read_all(self) -> Search:
        """Read operands joined by AND or by white space."""
        start = self.position
        operands = [self.read_single()]
        while self._has_space_before_operand():
            found = _OPERATOR_AND(self.text, self.position, self.limit)
            if found is not None:
                self.position = found.end()
            operands.append(self.read_single())
        return self._joined(Connective.AND, operands, start)

    def _has_space_before_operand(self) -> bool:
        end = self.position
        self.skip_space()
        if self.is_at_end() or _OPERATOR_OR(self.text, self.position, self.limit) is not None:
            return False
        if self.position == end:
            raise self.refusal()
        return True

    def read_single(self) -> Search:
        """Read a term, a negation or a group."""
        found = _OPERATOR_NOT(self.text, self.position, self.limit)
        if found is not None:
            start = self.position
            self.position = found.end()
            operand = self._deeper(group=False)
            return SearchNot(operand, Span(start, self.position))
        if self.position < self.limit and self.text[self.position] == "(":
            self.position += 1
            return self._deeper(group=True)
        return self.read_term()

    def _deeper(self, *, group: bool) -> Search:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refusal("Recursion depth exceeded allowed limit")
        tree = self.read_any() if group else self.read_single()
        self.depth -= 1
        if group:
            self.skip_space()
            if self.position >= self.limit or self.text[self.position] != ")":
                raise self.refusal()
            self.position += 1
        return tree

    def read_term(self) -> Search:
        """Read a phrase or a word."""
        start = self.position
        phrase = _PHRASE(self.text, start, self.limit)
        if phrase is not None:
            self.position = phrase.end()
            return SearchTerm(phrase[1], quoted=True, span=Span(start, self.position))
        word = self._word(self.text, start, self.limit)
        if word is None:
            raise self.refusal()
        self.position = word.end()
        return SearchTerm(word[0], quoted=False, span=Span(start, self.position))

    def read_incomplete(self) -> Search:
        """Read the single-quoted text of a person still typing."""
        start = self.position
        found = _INCOMPLETE(self.text, start, self.limit)
        if found is None:
            raise self.refusal()
        self.position = found.end()
        return SearchIncomplete(found[1].replace("''", "'"), Span(start, self.position))

    def _joined(self, connective: Connective, operands: list[Search], start: int) -> Search:
        if len(operands) == 1:
            return operands[0]
        return SearchJoin(connective, tuple(operands), Span(start, self.position))
