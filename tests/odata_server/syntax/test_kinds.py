"""Texts for users call every kind of expression by words, never by the name of a class."""

from typing import get_args

import pytest

from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.kinds import _KINDS, kind_of
from odata_server.syntax.trees import Expression


def test_every_kind_of_expression_has_words():
    assert set(_KINDS) == set(get_args(Expression))
    assert all(words.startswith(("a ", "an ")) and words.islower() for words in _KINDS.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [("1", "a literal"), ("a/b", "a path"), ("[1]", "an array"), ("isof(a,Edm.String)", "a type check")],
)
def test_an_expression_is_called_by_its_kind(text, words):
    assert kind_of(parse_filter(text)) == words
