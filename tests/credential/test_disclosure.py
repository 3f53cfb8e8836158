"""A record set under one root: shown whole, in parts or not at all, and never changed unseen."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential.disclosure import (
    DisclosureInvalid,
    View,
    commitments,
    open_disclosure,
    reduce,
    seal,
)

RECORDS = [
    {
        "id": f"rec_{n}",
        "type": "course",
        "category": "seoul",
        "minutes": 600,
        "status": "verified",
        "start": "2025-03-01",
        "end": "2025-05-01",
        "issuer": "uni",
    }
    for n in range(4)
]
FRAME = {"degree": "bachelor"}
CONTEXT = {"issuers": {"uni": {"periods": []}}, "held": {}, "items": [], "used": {"x": 1}}
LINES = [{"record": "rec_2", "block": "B", "minutes": 300}]


def salts() -> Callable[[], bytes]:
    numbers: Iterator[int] = count()
    return lambda: next(numbers).to_bytes(32)


@pytest.fixture
def whole() -> dict[str, Any]:
    return seal(FRAME, CONTEXT, RECORDS, LINES, salts())


def test_every_view_leads_to_the_same_commitments(whole: dict[str, Any]) -> None:
    both = commitments(whole)
    for view in ("full", "counted", "categories"):
        assert commitments(reduce(whole, view)) == both


def test_what_a_view_hides_is_not_in_it(whole: dict[str, Any]) -> None:
    shown = {view: json.dumps(reduce(whole, view)) for view in ("full", "counted", "categories")}
    assert "rec_1" in shown["full"]
    assert "rec_1" not in shown["counted"]
    assert "rec_2" in shown["counted"]
    for secret in ("rec_", "uni", "2025-03-01"):
        assert secret not in shown["categories"]
    opened = open_disclosure(reduce(whole, "categories"), *commitments(whole))
    assert opened.records[4]["category"] == "seoul"
    assert opened.hidden[4] == {"when", "where"}
    assert opened.unseen == {2, 3, 5}
    assert opened.hidden_context == {"issuers", "used"}
    assert opened.allocation == [{"leaf": 4, "block": "B", "minutes": 300}]


def _change(whole: dict[str, Any], where: str) -> dict[str, Any]:
    changed = copy.deepcopy(whole)
    leaves = changed["leaves"]
    if where == "value":
        leaves[2]["parts"]["what"]["value"]["minutes"] = 6000
    elif where == "left out":
        del leaves[3]
    elif where == "added":
        leaves.append(leaves[3])
    elif where == "swapped":
        leaves[2], leaves[3] = leaves[3], leaves[2]
    elif where == "context":
        leaves[1]["parts"]["held"]["value"] = {"master": {"state": "valid"}}
    elif where == "allocation":
        changed["allocation"]["value"][0]["minutes"] = 299
    return changed


@pytest.mark.parametrize(
    ("where", "reason"),
    [(w, "root") for w in ("value", "left out", "added", "swapped", "context")]
    + [("allocation", "allocation")],
)
@pytest.mark.parametrize("view", ["full", "counted"])
def test_a_change_is_refused_and_named(
    whole: dict[str, Any], where: str, reason: str, view: View
) -> None:
    both = commitments(whole)
    changed = _change(whole, where)
    if view == "counted" and where not in ("left out", "added", "allocation", "context"):
        changed = _change(reduce(whole, "counted") | {"leaves": whole["leaves"]}, where)
    with pytest.raises(DisclosureInvalid) as refused:
        open_disclosure(changed, *both)
    assert refused.value.facts["reason"] == reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
PLACES = ("leaves", "allocation", "leaf", "parts", "part", "lines")


@settings(max_examples=200, deadline=None)
@given(put=json_values, place=st.sampled_from(PLACES))
def test_whatever_is_presented_is_refused_with_one_error(put: Any, place: str) -> None:
    whole = seal(FRAME, CONTEXT, RECORDS, LINES, salts())
    both = commitments(whole)
    if place in ("leaves", "allocation"):
        whole[place] = put
    elif place == "leaf":
        whole["leaves"][2] = put
    elif place == "parts":
        whole["leaves"][2]["parts"] = put
    elif place == "part":
        whole["leaves"][2]["parts"]["what"] = put
    else:
        whole["allocation"]["value"] = put
    with pytest.raises(DisclosureInvalid):
        open_disclosure(whole, *both)


@pytest.mark.parametrize(
    "lines",
    [
        [{"leaf": 9, "block": "B", "minutes": 1}],
        [{"leaf": 2, "block": "B", "minutes": 1}, {"leaf": 2, "block": "B", "minutes": 1}],
        [{"leaf": 2, "block": "B", "minutes": 0}],
    ],
)
def test_an_allocation_names_each_place_once_and_only_places_that_are_there(lines: Any) -> None:
    whole = seal(FRAME, CONTEXT, RECORDS, LINES, salts())
    whole["allocation"]["value"] = lines
    with pytest.raises(DisclosureInvalid) as refused:
        open_disclosure(whole, *commitments(whole))
    assert refused.value.facts["reason"] == "allocation-lines"
