r"""The tokenizer of the URL language: one compiled pattern, one token of look-ahead, refusals that show the source.

Tokens (OData ABNF §4, §6, §7, §9); white space before a token is skipped and remembered:

    word      a name, qualified or not      Microsoft.Dynamics.CRM.In    lastname    eq
    typed     a name glued to a string      duration'P1D'    Sales.Pattern'Yellow'
    string    'O''Neil'                     quoted    "JSON \u0041"
    guid  datetime  date  time  number      alias     @p    @Measures.Currency#Reporting
    suffixed  a number of OData v2          5L    1.5M    2.0d
    system    $it  $count  $filter          ( ) / , : ; = * - [ ] { }   themselves
    end       the end of the text
"""

import re
from enum import Enum
from typing import NamedTuple

_WORD = r"[^\W\d]\w*+(?:\.[^\W\d]\w*+)*+"
_DATE = r"-?(?:0[0-9]{3}|[1-9][0-9]{3,}+)-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_MINUTES = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = _MINUTES + r"(?::(?:[0-5][0-9]|60)(?:\.[0-9]{1,12})?)?"

DATE_PATTERN = _DATE
TIME_PATTERN = _TIME
DATETIME_PATTERN = rf"{_DATE}[Tt]{_TIME}(?:[Zz]|[+-]{_MINUTES})"
GUID_PATTERN = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
NUMBER_PATTERN = r"[+-]?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
STRING_PATTERN = r"'(?:[^']++|'')*+'"

# Every repetition is possessive or bounded, so a token costs time linear in its length.
_TOKENS = re.compile(
    rf"""\s*+(?:
      (?P<guid>{GUID_PATTERN}(?![\w-]))
    | (?P<word>{_WORD})(?:(?P<typed>{STRING_PATTERN})|(?P<open>'))?+
    | (?P<string>{STRING_PATTERN})
    | (?P<punctuation>[()/,:;=*\[\]{{}}])
    | (?P<datetime>{DATETIME_PATTERN}(?!\w))
    | (?P<date>{_DATE}(?![\w-]))
    | (?P<time>{_TIME}(?![\w:.]))
    | (?P<number>{NUMBER_PATTERN}(?![\w.])|-INF(?!\w))
    | (?P<suffixed>{NUMBER_PATTERN}[LlMmDdFf](?!\w))
    | (?P<minus>-)
    | (?P<system>\$[A-Za-z]++)
    | (?P<alias>@{_WORD}(?:\#[^\W\d]\w*+)?+)
    | (?P<quoted>"(?:[^"\\]++|\\.)*+")
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
# Group number -> kind of token; punctuation is its own kind.
_KINDS = ("", *("" if name == "punctuation" else name for name in _TOKENS.groupindex))
_GLUED = frozenset({_TOKENS.groupindex["typed"], _TOKENS.groupindex["open"]})
_TOKEN = _TOKENS.match

# One level of parentheses can hold a node of each precedence, about five; a recursive pass over the deepest tree must
# still fit Python's stack, together with the frames of a server beneath it.
MAX_DEPTH = 30
# Left-deep chains (a add b add c, f()/g()/h()) grow the tree without nesting, so they have their own allowance.
MAX_LINKS = 50


class Dialect(Enum):
    """How strictly words are spelled.

    Dataverse speaks OData 4.0: option names carry their `$` and every word is case-sensitive; white space around an
    option's value is ignored. The standard is OData 4.01 Part 2 §5.1: `$` is optional and the words of the language
    (options, operators, Booleans) are case-insensitive. Version 2 has literals of its own and the case of Dataverse.
    """

    DATAVERSE = "dataverse"
    STANDARD = "standard"
    VERSION_2 = "version 2"


class Span(NamedTuple):
    """Where a tree stands in its text: from `start` up to, not including, `end`."""

    start: int
    end: int


class SyntaxRefused(Exception):
    """Text that is not well-formed, with the position (0-based, in characters) where reading stopped."""

    def __init__(self, message: str, text: str, position: int) -> None:
        """Keep the reason (without position), the whole text and the position in it."""
        super().__init__(message, text, position)
        self.message = message
        self.text = text
        self.position = position

    def __str__(self) -> str:
        """Say it in Microsoft.OData's form: reason, position, text; its reader of JSON names no place."""
        if self.message.endswith("."):
            return self.message
        return f"{self.message} at position {self.position} in '{self.text}'."

    def pointer(self) -> str:
        """Show the text with a caret under the position, for logs and pages."""
        return f"{self.text}\n{' ' * self.position}^"


class Cursor:
    """The current token of a text (or of the part of it up to `limit`) and the way to the next one."""

    __slots__ = (
        "_depth",
        "_is_exact",
        "_links",
        "dialect",
        "end",
        "keyword",
        "kind",
        "last_end",
        "limit",
        "start",
        "text",
        "value",
    )

    def __init__(
        self, text: str, *, dialect: Dialect = Dialect.DATAVERSE, start: int = 0, limit: int | None = None
    ) -> None:
        """Stand on the first token of `text[start:limit]`."""
        self.text = text
        self.limit = len(text) if limit is None else limit
        self.dialect = dialect
        self._is_exact = dialect is not Dialect.STANDARD
        self.kind = self.value = self.keyword = ""
        self.start = self.end = self.last_end = start
        self._depth = self._links = 0
        self.advance()

    def advance(self) -> None:
        """Move to the next token.

        Raises:
            SyntaxRefused: no token starts here, or a literal is not closed.
        """
        self.last_end = end = self.end
        found = _TOKEN(self.text, end, self.limit)
        if found is None:
            raise self._no_token()
        index = found.lastindex or 0
        kind = _KINDS[index]
        self.value = value = found[index]
        self.start, self.end = found.span(index)
        if kind == "word":
            self.keyword = value if self._is_exact else value.lower()
            self.kind = kind
            return
        self.keyword = ""
        self.kind = kind or value
        if index in _GLUED:
            self.start = found.start("word")
            self.value = self.text[self.start : self.end]
            if kind == "open":
                raise SyntaxRefused("There is an unterminated literal", self.text, self.limit)

    def restart(self, position: int) -> None:
        """Stand on the token at `position`, after another grammar has read up to there."""
        self.end = position
        self.advance()

    def take(self, kind: str) -> str:
        """Return the current token's text and move on, if it is of `kind`.

        Raises:
            SyntaxRefused: it is of another kind.
        """
        if self.kind != kind:
            raise self.refusal()
        value = self.value
        self.advance()
        return value

    def take_if(self, kind: str) -> bool:
        """Move past the current token if it is of `kind`; say whether it was."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def is_word(self, keyword: str) -> bool:
        """Say whether the current token is this word of the language."""
        return self.keyword == keyword

    def take_word(self, keyword: str) -> None:
        """Move past this word of the language.

        Raises:
            SyntaxRefused: another token stands here.
        """
        if not self.is_word(keyword):
            raise self.refusal()
        self.advance()

    def take_identifier(self) -> str:
        """Return the current token's text and move on, if it is a name without a namespace.

        Raises:
            SyntaxRefused: it is not.
        """
        if self.kind != "word" or "." in self.value:
            raise self.refusal()
        value = self.value
        self.advance()
        return value

    def is_glued(self) -> bool:
        """Say whether no white space stands before the current token."""
        return self.start == self.last_end

    def follows(self, character: str) -> bool:
        """Say whether `character` stands directly behind the current token."""
        return self.end < self.limit and self.text[self.end] == character

    def enter(self) -> None:
        """Go one level deeper.

        Raises:
            SyntaxRefused: the text is nested too deeply.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.refusal("Recursion depth exceeded allowed limit")

    def leave(self) -> None:
        """Come back from one level."""
        self._depth -= 1

    def link(self) -> None:
        """Count one more link of a left-deep chain.

        Raises:
            SyntaxRefused: the text chains too many operations.
        """
        self._links += 1
        if self._links > MAX_LINKS:
            raise self.refusal("Recursion depth exceeded allowed limit")

    def span_from(self, start: int) -> Span:
        """Return the span from `start` to the end of the token before the current one."""
        return Span(start, self.last_end)

    def finish(self) -> None:
        """Check that nothing is left.

        Raises:
            SyntaxRefused: something is, or (standard dialect) white space stands at either end.
        """
        if self.kind != "end":
            raise self.refusal()
        if self.dialect is Dialect.STANDARD and self.start != self.last_end:
            raise SyntaxRefused("Syntax error", self.text, self.last_end)

    def refusal(self, message: str = "Syntax error", position: int | None = None) -> SyntaxRefused:
        """Make the refusal for `position`, or for the current token."""
        return SyntaxRefused(message, self.text, self.start if position is None else position)

    def _no_token(self) -> SyntaxRefused:
        position = self.end
        while position < self.limit and self.text[position].isspace():
            position += 1
        character = self.text[position]
        if character == "'":
            return SyntaxRefused("There is an unterminated string literal", self.text, self.limit)
        if character == '"':
            return SyntaxRefused("There is an unterminated literal", self.text, self.limit)
        return SyntaxRefused("Syntax error", self.text, position)


def open_text(text: str, dialect: Dialect) -> Cursor:
    """Start reading a whole text.

    Raises:
        SyntaxRefused: its first token is not well-formed, or (standard dialect) white space stands before it.
    """
    cursor = Cursor(text, dialect=dialect)
    if dialect is Dialect.STANDARD and cursor.start != 0:
        raise SyntaxRefused("Syntax error", text, 0)
    return cursor
