"""Doubles on the wire: 15 significant digits, of the number that the double is."""

import apsw
import pytest

from odata_server.render.values import double

AWKWARD = (0.1, 1e15, -57394040723.83725, 59792850391.74115, 13776037936271.25, 194687711139916.5, 1e-9, 12.5, -2.0)


@pytest.mark.parametrize("number", AWKWARD)
def test_a_double_is_printed_as_sqlite_prints_it(number):
    printed = apsw.Connection(":memory:").execute("SELECT printf('%!.15g', ?)", (number,)).fetchone()
    assert printed == (double(number),)
