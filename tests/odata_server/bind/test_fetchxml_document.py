"""Reading FetchXML text: trees, and what is refused however large it is."""

from __future__ import annotations

import time

import pytest

from entities.errors import MalformedRequest
from odata_server.bind.fetchxml_document import read_document


def test_a_document_is_a_tree_of_elements():
    root = read_document("<?xml version='1.0'?><fetch top='3'><!-- note --><value> a&amp;b <x/></value></fetch>")
    (value,) = root.children
    assert (root.name, root.get("top"), root.get("page")) == ("fetch", "3", None)
    assert (value.name, value.text, [child.name for child in value.children]) == ("value", "a&b", ["x"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<a>" * 10_000 + "</a>" * 10_000, "0x80040303"),
        ("<a>" * 10_000, "0x80040303"),
        ("<a b='" + "x" * 1_000_000 + "'/>", "0x80040201"),
        ("<a>" + "<condition/>" * 80_000 + "</a>", "0x8004430c"),
        ("<a>" + "<link-entity/>" * 60_000 + "</a>", "0x8004430d"),
        ("<!DOCTYPE a [" + "".join(f"<!ENTITY e{n} 'x'>" for n in range(20_000)) + "]><a/>", "0x80040201"),
        ("<a>" + "<value>1</value>" * 60_000 + "</a>", "0x80040303"),
        ("<a/><b/>", "0x80040201"),
        ("", "0x80040201"),
        ("<a b='1' b='2'/>", "0x80040201"),
        ("<a>\x00</a>", "0x80040201"),
    ],
)
def test_a_hostile_text_is_refused_quickly(text, code):
    began = time.perf_counter()
    with pytest.raises(MalformedRequest) as refusal:
        read_document(text)
    assert refusal.value.code == code
    assert time.perf_counter() - began < 1


def test_a_long_but_harmless_text_is_read_in_time_that_grows_with_its_length():
    began = time.perf_counter()
    root = read_document("<a>" + "".join(f"<b{n % 10} c='d'/>" for n in range(80_000)) + "</a>")
    assert len(root.children) == 80_000
    assert time.perf_counter() - began < 5
