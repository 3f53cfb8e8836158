"""RFC 8785: published vectors, agreement with the reference package, and what is refused."""

from __future__ import annotations

import csv
import json
import struct

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from vectors import vectors

from credential import jcs

NAMES = ["arrays", "french", "structures", "unicode", "values", "weird"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-jcs.MAX_SAFE_INTEGER, jcs.MAX_SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", NAMES)
def test_published_vectors(name):
    folder = vectors("rfc8785-jcs")
    value = json.loads((folder / "input" / f"{name}.json").read_bytes())
    assert jcs.canonical(value) == (folder / "output" / f"{name}.json").read_bytes().strip()
    expected = bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())
    assert jcs.canonical(value) == expected


def test_es6_numbers():
    rows = list(csv.reader((vectors("rfc8785-jcs") / "es6-numbers.csv").open(encoding="utf-8")))
    checked = 0
    for bits, text, *_ in rows:
        if bits.startswith("#") or not all(c in "0123456789abcdefABCDEF" for c in bits):
            continue
        value = struct.unpack(">d", bytes.fromhex(bits.rjust(16, "0")))[0]
        if text in ("null", ""):
            with pytest.raises(jcs.NotCanonical):
                jcs.canonical(value)
        else:
            assert jcs.canonical(value) == text.encode()
        checked += 1
    assert checked >= 10


@given(values)
def test_equals_the_reference_implementation(value):
    try:
        expected = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        return
    assert jcs.canonical(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e7, max_value=1e7))
def test_equals_the_reference_on_ordinary_floats(value):
    assert jcs.canonical([value]) == rfc8785.dumps([value])


def test_members_sort_by_utf16_unit_not_code_point():
    # U+FB33 is below U+1F600 as code points and above its first surrogate as UTF-16 units
    assert jcs.canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [(180.0, "180"), (-0.0, "0"), (1e21, "1e+21"), (1e16, "10000000000000000"), (2e-6, "0.000002")],
)
def test_float_forms(value, text):
    assert jcs.canonical(value).decode() == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2**53, "unsafe integer"),
        (-(2**53), "unsafe integer"),
        (10**400, "unsafe integer"),
        (float("nan"), "not finite"),
        (float("inf"), "not finite"),
        ("\ud800", "lone surrogate"),
        ({"\udfff": 1}, "lone surrogate"),
        ({1: 2}, "not JSON"),
        (b"bytes", "not JSON"),
        ({"a": {1, 2}}, "not JSON"),
    ],
)
def test_refuses(value, reason):
    with pytest.raises(jcs.NotCanonical) as caught:
        jcs.canonical(value)
    assert caught.value.facts["reason"] == reason


def test_refuses_deep_nesting():
    value: list[object] = []
    for _ in range(10_000):
        value = [value]
    with pytest.raises(jcs.NotCanonical) as caught:
        jcs.canonical(value)
    assert caught.value.facts["reason"] == "too deep"
