"""Wildcards as LIKE in SQL Server has them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entities.query import And, ColumnRef, Condition, ConditionOperator
from entities.wildcards import expression, matches, text_condition


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("a%", "a", True),
        ("a%", "ba", False),
        ("%a", "bba", True),
        ("%a", "bab", False),
        ("%a%", "bab", True),
        ("a%a", "a", False),
        ("a%a", "aa", True),
        ("%ab%ab%", "ab", False),
        ("%ab%ab%", "xabyabz", True),
        ("%ab%ab", "abab", True),
        ("%aab", "aaab", True),
        ("a%%b", "ab", True),
        ("a_c", "abc", True),
        ("a_c", "ac", False),
        ("a_c", "a\nc", True),
        ("_", "😀", True),
        ("%_", "", False),
        ("[abc]x", "bx", True),
        ("[abc]x", "dx", False),
        ("[a-c]x", "bx", True),
        ("[a-c]x", "-x", False),
        ("[c-a]", "b", False),
        ("[-a]", "-", True),
        ("[a-]", "-", True),
        ("[^a]x", "bx", True),
        ("[^a]x", "ax", False),
        ("[^a]x", "x", False),
        ("[a^]", "^", True),
        ("50[%]", "50%", True),
        ("50[%]", "50x", False),
        ("a[_]b", "a_b", True),
        ("a[_]b", "axb", False),
        ("[[]a]", "[a]", True),
        ("a]", "a]", True),
        ("[]", "", False),
        ("[]", "a", False),
        ("[^]", "a", True),
        ("[a", "[a", False),
        ("a%[", "a[", False),
        (".*", "ab", False),
        (".*", ".*", True),
        (r"\d", "1", False),
        (r"[\d]", "1", False),
        (r"[\d]", "\\", True),
        ("[&&a]", "&", True),
        ("a%b", "a\0b", True),
    ],
)
def test_a_pattern_matches_whole_texts(pattern, text, expected):
    assert matches(expression(pattern), text) is expected


def naive(pattern: str, text: str) -> bool:
    """Say what LIKE says, by trying everything (patterns without sets)."""
    if not pattern:
        return not text
    head, tail = pattern[0], pattern[1:]
    if head == "%":
        return any(naive(tail, text[skipped:]) for skipped in range(len(text) + 1))
    return bool(text) and head in ("_", text[0]) and naive(tail, text[1:])


@given(pattern=st.text("ab%_", max_size=8), text=st.text("ab", max_size=10))
def test_every_way_of_matching_is_found(pattern, text):
    assert matches(expression(pattern), text) is naive(pattern, text)


@given(pattern=st.text(max_size=12), text=st.text(max_size=12))
def test_any_text_is_a_pattern(pattern, text):
    assert matches(expression(pattern), text) in {True, False}


@pytest.mark.parametrize("pattern", ["%a" * 40 + "b", "%a_" * 30 + "[b]%", "%" * 500 + "b"])
def test_no_pattern_takes_long(pattern):
    regular, text = expression(pattern), "a" * 4_000
    began = time.perf_counter()
    assert not matches(regular, text)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("operator", "text", "like", "pattern"),
    [
        ("contains", "a%b", "like", "%a%b%"),
        ("begins-with", "[ab]", "like", "[ab]%"),
        ("eq", "%a_", "like", "%a_"),
        ("eq", "_", "like", "_"),
        ("ne", "a_b", "not-like", "a_b"),
        ("like", "%", "like", "%"),
        ("like", "plain", "like", "plain"),
        ("gt", "a%", "gt", "a%"),
        ("in", "a%", "in", "a%"),
        ("ends-with", "_", "like", "%_"),
        ("not-contains", "%", "not-like", "%%%"),
        ("not-begin-with", "_", "not-like", "_%"),
        ("not-end-with", "_", "not-like", "%_"),
        ("contains", "a]b^-", "contains", "a]b^-"),
        ("eq", "a]b^-", "eq", "a]b^-"),
        ("ne", "a", "ne", "a"),
    ],
)
def test_a_text_operator_with_wildcards_becomes_like(operator, text, like, pattern):
    column = ColumnRef("name")
    expected = Condition(column, ConditionOperator(like), (pattern,))
    assert text_condition(column, ConditionOperator(operator), text) == expected


@pytest.mark.parametrize(
    ("operator", "text", "begin", "pattern"),
    [
        ("eq", "ann_b@x.nl", "ann", "ann_b@x.nl"),
        ("eq", "a%", "a", "a%"),
        ("begins-with", "a[bc]", "a", "a[bc]%"),
        ("like", "Contoso%", "Contoso", "Contoso%"),
    ],
)
def test_what_stands_before_the_first_wildcard_is_a_condition_for_the_index(operator, text, begin, pattern):
    column = ColumnRef("name")
    started = Condition(column, ConditionOperator.BEGINS_WITH, (begin,))
    expected = And((started, Condition(column, ConditionOperator.LIKE, (pattern,))))
    assert text_condition(column, ConditionOperator(operator), text) == expected
