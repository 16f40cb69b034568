"""What was made before is found again, as long as there is room for it."""

import pytest

from odata_server.endpoints.cache import BoundCache


@pytest.mark.parametrize(
    ("size", "values", "left"),
    [
        (4, ["a", "b"], ["a", "b"]),
        (4, ["aa", "bb", "cc"], ["bb", "cc"]),
        (4, ["a", "bb", "a", "cc"], ["a", "cc"]),
        (4, ["a", "too long"], ["a"]),
        (0, ["a"], []),
    ],
)
def test_the_least_recently_used_goes_first(size, values, left):
    cache = BoundCache(size, len)
    for value in values:
        if cache.get((value,)) is None:
            cache.put((value,), value)
    assert [value for value in sorted(set(values)) if cache.get((value,)) == value] == left
    assert len(cache) == len(left)


def test_a_value_put_again_weighs_once():
    cache = BoundCache(10, len)
    for value in ("aaaa", "bb", "aaaaa"):
        cache.put((value[0],), value)
    assert (cache.get(("a",)), cache.get(("b",))) == ("aaaaa", "bb")
