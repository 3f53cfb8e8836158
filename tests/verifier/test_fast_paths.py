"""The quick ways of the verifier give the report the slow ones give, whatever is presented.

Three of them: bytes that are as we write them are read once (``credential.evidence``), a document
the fast validator accepts is not walked by the wordy one (``credential.model``), a shape seen
before is not expanded again (``credential.familiar``). Here each is switched off in turn.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credential import evidence, familiar, model, rdf
from credential.errors import BaeumError

SOME = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [[], {}, [[]], "ko", "ko\n", "en-US", "en-us", "Course", "ext:Course", "ext:", "x ext:a",
         ["Profile", "Profile"], {"id": "urn:x", "type": "Profile"}, {"@context": []},
         {"@value": "x", "@language": "ko"}, "did:key:z6Mk", "2026-13-01T00:00:00Z", "2026-01-01",
         "\u0661", "a@b", "https://a.example/ b", 10**15, 10**16, 1e15, 1e16, -0.0, 30.0, 1e400]
    ),
)  # fmt: skip


def slow_ways(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(evidence, "_as_written", lambda _data: None)
    patch.setattr(model, "_fits", lambda _document: False)
    patch.setattr(model, "_only_known_on_top", lambda _document, _load: False)
    patch.setattr(familiar, "canonical_nquads", rdf.canonical_nquads)


@pytest.fixture
def both(still_world, monkeypatch):
    """The reports of the quick and of the slow ways on the same bytes."""

    def reports(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        for _ in range(2):  # the third time a shape is compiled
            still_world.verify(body)
        quick = still_world.verify(body).to_json()
        with monkeypatch.context() as patch:
            slow_ways(patch)
            return quick, still_world.verify(body).to_json()

    return reports


def parts(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path, *(p for key, item in items for p in parts(item, (*path, key)))]


def changed(document: dict[str, Any], place: int, replacement: Any, how: str) -> None:
    paths = [path for path in parts(document) if path]
    *above, last = paths[place % len(paths)]
    target: Any = document
    for step in above:
        target = target[step]
    if how == "replaced":
        target[last] = copy.deepcopy(replacement)
    elif how == "removed":
        del target[last]
    elif isinstance(target, dict):
        target[str(replacement)[:12]] = target[last]
    else:
        target.insert(0, copy.deepcopy(replacement))


HOW = st.sampled_from(["replaced", "removed", "added"])
CHANGES = st.lists(st.tuples(st.integers(0, 10_000), ANYTHING, HOW), min_size=1, max_size=2)
WRITERS = st.sampled_from(
    [
        lambda value: json.dumps(value).encode("utf-8", "surrogatepass"),
        lambda value: orjson.dumps(value, option=evidence._PRETTY),
        orjson.dumps,
        lambda value: orjson.dumps(value) + b"\n",
    ]
)


def written(value: Any, write: Any) -> bytes:
    try:
        return write(value)
    except TypeError:  # orjson does not write every integer
        return json.dumps(value).encode("utf-8", "surrogatepass")


@SOME
@given(changes=CHANGES, write=WRITERS)
def test_on_mutated_evidence(both, good, changes, write):
    document = json.loads(good.to_bytes())
    for change in changes:
        changed(document, *change)
    quick, slow = both(written(document, write))
    assert quick == slow


@SOME
@given(changes=CHANGES, write=WRITERS)
def test_on_mutations_that_were_signed_and_anchored(both, still_world, changes, write):
    """Past the signature, so that structure, shapes and all later steps are compared."""
    document = still_world.document()
    for change in changes:
        changed(document, *change)
    try:
        signed = still_world.university.sign(document)
        found = still_world.anchor([signed])[0]
    except (BaeumError, AttributeError, TypeError, KeyError):
        return  # nobody can sign that
    quick, slow = both(written(found.to_json(), write))
    assert quick == slow


def test_on_valid_evidence(both, good):
    quick, slow = both(good.to_bytes())
    assert quick == slow
    assert quick["verdict"] == "valid"


def test_the_quick_ways_are_taken_by_what_we_issue(still_world, good, monkeypatch):
    """Otherwise the comparison above compares nothing."""
    for _ in range(3):
        still_world.verify(good.to_bytes())

    def unreachable(*_args: Any, **_options: Any) -> Any:
        raise AssertionError("the slow way was taken")

    monkeypatch.setattr(evidence, "_read", unreachable)
    monkeypatch.setattr(model, "_validator", unreachable)
    monkeypatch.setattr(rdf, "quads", unreachable)
    assert still_world.verify(good.to_bytes()).verdict == "valid"
