import pytest

from odata_server.syntax.search import parse_search
from odata_server.syntax.tokens import SyntaxRefused
from odata_server.syntax.trees import Connective, SearchIncomplete, SearchJoin, SearchNot, SearchTerm

BLUE, GREEN, RED = SearchTerm("blue"), SearchTerm("green"), SearchTerm("red")
BOTH = SearchJoin(Connective.AND, (BLUE, GREEN))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("blue", BLUE),
        (" blue ", BLUE),
        ("blue green", BOTH),
        ("blue AND green", BOTH),
        ("blue green OR red", SearchJoin(Connective.OR, (BOTH, RED))),
        ("blue (green OR red)", SearchJoin(Connective.AND, (BLUE, SearchJoin(Connective.OR, (GREEN, RED))))),
        ("NOT blue green", SearchJoin(Connective.AND, (SearchNot(BLUE), GREEN))),
        ("NOT (blue green)", SearchNot(BOTH)),
        ("NOT", SearchTerm("NOT")),
        ("NOT NOT", SearchNot(SearchTerm("NOT"))),
        ("AND", SearchTerm("AND")),
        ("blue OR", SearchJoin(Connective.AND, (BLUE, SearchTerm("OR")))),
        ('"blue (green"', SearchTerm("blue (green", quoted=True)),
        ("Daniel's", SearchTerm("Daniel's")),
        ("'\"blue'", SearchIncomplete('"blue')),
        ("a;b", SearchTerm("a;b")),
    ],
)
def test_searches_become_trees(text, tree):
    assert parse_search(text) == tree


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        (" ", 1),
        ('"blue', 0),
        ('""', 0),
        ("(blue", 5),
        ("blue)", 4),
        ("()", 1),
        ('blue"green"', 4),
        ("a(b)", 1),
    ],
)
def test_a_search_that_is_not_well_formed_is_refused(text, position):
    with pytest.raises(SyntaxRefused) as refused:
        parse_search(text)
    assert refused.value.position == position
