"""Whatever bytes come: a thumbnail is made of them, or they are no image; never anything else."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture
from PIL import Image

from odata_server.engine.files.thumbnails import thumbnail

FORMS = [
    *(("PNG", mode) for mode in ("RGB", "RGBA", "P", "1", "I;16")),
    *(("GIF", mode) for mode in ("RGB", "P")),
    *(("JPEG", mode) for mode in ("RGB", "CMYK")),
    *(("TIFF", mode) for mode in ("RGB", "1", "F")),
    *(("BMP", mode) for mode in ("RGB", "P")),
]
GOOD = [picture((32, 24), form, mode, None) for form, mode in FORMS]


def check(data):
    found = thumbnail(data)
    if found is not None:
        with Image.open(BytesIO(found.data)) as small:
            assert small.format == "JPEG"
            assert 0 < small.width == small.height <= 144


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=12))
def test_damaged_images(data, changes):
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    check(bytes(damaged))


@given(st.sampled_from(GOOD), st.integers(0, 4000), st.integers(0, 60), st.binary(max_size=60))
def test_images_that_are_cut_and_pasted(data, place, length, inserted):
    begin = place % len(data)
    check(data[:begin] + inserted + data[begin + length :])


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe0", b"II*\0", b"MM\0*", b"BM"])
@given(tail=st.binary(max_size=300))
def test_noise_behind_the_beginning_of_an_image(head, tail):
    check(head + tail)
