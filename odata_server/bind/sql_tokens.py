"""The words of an SQL text, and a cursor over them.

token = name / number / text in single quotes / symbol      name = word / "[" word "]" / '"' word '"'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from entities.errors import MalformedRequest

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<name>[A-Za-z_]\w*|\[\w+\]|"\w+")
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<text>N?'(?:[^']|'')*')
    |(?P<symbol><>|!=|<=|>=|[=<>(),.*])
    )""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_BLANK: Final = re.compile(r"\s*\Z")
_LONGEST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Token:
    """A word: what kind it is, its text without quotes, and where it stands."""

    kind: str
    text: str
    place: int

    @property
    def word(self) -> str:
        """A name that is not in brackets, in capital letters; a keyword is one of these."""
        return self.text.upper() if self.kind == "name" else ""


def read_tokens(text: str) -> tuple[Token, ...]:
    """Return the words of a text.

    Raises:
        MalformedRequest: a character begins no word, or the text is too long.
    """
    if len(text) > _LONGEST:
        raise refusal(f"the text is longer than {_LONGEST} characters")
    tokens: list[Token] = []
    place = 0
    while not _BLANK.match(text, place):
        found = _TOKEN.match(text, place)
        if found is None:
            raise refusal(f"unexpected character at position {place}")
        kind = str(found.lastgroup)
        tokens.append(Token(*_plain(kind, found[kind]), found.start(kind)))
        place = found.end()
    return tuple(tokens)


def _plain(kind: str, raw: str) -> tuple[str, str]:
    if kind == "name" and raw[0] in '["':
        return "quoted", raw[1:-1]
    if kind == "text":
        return kind, raw[raw.index("'") + 1 : -1].replace("''", "'")
    return kind, raw


def refusal(why: str) -> MalformedRequest:
    """Return the refusal for a statement that is not in the subset."""
    return MalformedRequest(f"The SQL query is not supported: {why}.")


@dataclass(slots=True)
class Cursor:
    """The place of the next word."""

    tokens: tuple[Token, ...]
    place: int = 0

    def peek(self) -> Token:
        """Return the next word, an empty symbol at the end."""
        return self.tokens[self.place] if self.place < len(self.tokens) else Token("end", "", -1)

    def next(self) -> Token:
        """Return the next word and go behind it."""
        token = self.peek()
        self.place += 1
        return token

    def took(self, *words: str) -> bool:
        """Go behind some keywords or symbols where they come next."""
        ahead = self.tokens[self.place : self.place + len(words)]
        if tuple(token.word or token.text for token in ahead) != words or any(t.kind == "text" for t in ahead):
            return False
        self.place += len(words)
        return True

    def expect(self, word: str) -> None:
        """Go behind a keyword or symbol that must come next.

        Raises:
            MalformedRequest: something else comes.
        """
        if not self.took(word):
            self.fail(word)

    def fail(self, wanted: str) -> NoReturn:
        """Refuse the next word."""
        token = self.peek()
        found = "the text ends" if token.kind == "end" else f"'{token.text[:100]}' at position {token.place}"
        raise refusal(f"{found} where {wanted} is expected")
