"""Whatever is done to a valid evidence file, it is not valid any more, and nothing crashes.

The file's own freedom is white space and JSON escapes: those give equal JSON. Nothing else.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credential import model
from credential.errors import BaeumError
from credential.evidence import Evidence
from verifier import Outcome, Verdict
from verifier.case import Case
from verifier.checks import status
from verifier.policy import DEFAULT_POLICY

QUICK = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def same_json(one: Any, other: Any) -> bool:
    """Equal as JSON: unlike Python, true is not 1, and 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_json(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)


def says_the_same(body: bytes, original: dict[str, Any]) -> bool:
    return same_json(json.loads(body), original)


@pytest.fixture(scope="module")
def body(good: Evidence) -> bytes:
    return good.to_bytes()


@pytest.fixture(scope="module")
def original(body: bytes) -> dict[str, Any]:
    return json.loads(body)


def assert_not_valid_unless_the_same(world, changed: bytes, original: dict[str, Any]) -> None:
    report = world.verify(changed)
    if report.verdict is Verdict.VALID:
        assert says_the_same(changed, original)


@QUICK
@given(data=st.data())
def test_one_byte_changed(still_world, body, original, data):
    at = data.draw(st.integers(0, len(body) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = body[:at] + bytes([byte]) + body[at + 1 :]
    assert_not_valid_unless_the_same(still_world, changed, original)


@QUICK
@given(data=st.data())
def test_one_character_inserted_or_removed(still_world, body, original, data):
    at = data.draw(st.integers(0, len(body)))
    if data.draw(st.booleans()):
        inserted = data.draw(st.sampled_from(list('0123456789abcdefABCDEFxZ"{}[]:,\\ \n.-+eTtn')))
        changed = body[:at] + inserted.encode() + body[at:]
    else:
        changed = body[:at] + body[at + 1 :]
    assert_not_valid_unless_the_same(still_world, changed, original)


def test_every_character_of_the_receipt_changed(still_world, good, body, original):
    """All of them, not a sample: hexadecimal letters and digits, names, punctuation."""
    start = body.index(b'"receipt"')
    for at in range(start, len(body)):
        old = body[at]
        new = old ^ 1 if chr(old).isalnum() else ord("0")
        changed = body[:at] + bytes([new]) + body[at + 1 :]
        assert_not_valid_unless_the_same(still_world, changed, original)


def test_every_letter_of_the_receipt_in_the_other_case(still_world, body, original):
    start = body.index(b'"receipt"')
    for at in range(start, len(body)):
        if chr(body[at]).isalpha():
            changed = body[:at] + bytes([body[at] ^ 0x20]) + body[at + 1 :]
            assert still_world.verify(changed).verdict is not Verdict.VALID


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path, *(p for k, v in value.items() for p in leaves_of(v, (*path, k)))]
    if isinstance(value, list):
        return [path, *(p for k, v in enumerate(value) for p in leaves_of(v, (*path, k)))]
    return [path]


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just("did:key:z6Mk"),
    st.just("did:web:example.com#key"),
    st.just("did:jwk:e30#0"),
    st.just([[]]),
    st.just({"@value": "x", "@language": "ko"}),
    st.just({"id": {}, "type": []}),
    st.lists(st.text(max_size=3), max_size=3),
)


@QUICK
@example(path_index=0, replacement=None)
@given(path_index=st.integers(0, 10_000), replacement=ANYTHING)
def test_any_part_replaced_by_anything(still_world, body, original, path_index, replacement):
    """Structure-aware: every member in turn becomes something of another type."""
    document = json.loads(body)
    paths = [path for path in leaves_of(document) if path]
    path = paths[path_index % len(paths)]
    target = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = copy.deepcopy(replacement)
    assert_not_valid_unless_the_same(still_world, json.dumps(document).encode(), original)


@QUICK
@given(path_index=st.integers(0, 10_000), double=st.booleans())
def test_any_part_removed_or_doubled(still_world, body, original, path_index, double):
    document = json.loads(body)
    paths = [path for path in leaves_of(document) if path]
    path = paths[path_index % len(paths)]
    target = document
    for step in path[:-1]:
        target = target[step]
    if not double:
        del target[path[-1]]
    elif isinstance(target, list):
        target.append(target[path[-1]])
    else:
        target[path[-1] + "2"] = target[path[-1]]
    assert_not_valid_unless_the_same(still_world, json.dumps(document).encode(), original)


@QUICK
@given(noise=st.binary(max_size=300))
def test_noise(still_world, noise):
    assert still_world.verify(noise).verdict is Verdict.INVALID


@QUICK
@given(
    entries=st.lists(
        st.dictionaries(
            st.sampled_from(
                ["type", "statusPurpose", "statusListIndex", "statusListCredential", "statusSize"]
            ),
            st.one_of(
                ANYTHING,
                st.sampled_from(["BitstringStatusListEntry", "revocation", "1", "-1", "٣"]),
            ),
        ),
        max_size=3,
    )
)
def test_signed_nonsense_in_the_status_is_never_a_pass(still_world, entries):
    """Even the issuer's own signature does not make a status entry mean "not revoked"."""
    case = Case(
        b"",
        still_world.trust(),
        lambda _: None,
        still_world.lists,
        still_world.now,
        DEFAULT_POLICY,
        evidence=Evidence({"credentialStatus": entries}),
        issuer=still_world.university.did,
    )
    assert status.check(case).outcome is not Outcome.PASSED


NONSENSE = st.one_of(
    ANYTHING,
    st.sampled_from(
        [
            "2026-13-01T00:00:00Z",
            "9999-12-31T23:59:59-14:00",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00+14:00",
            {"@value": 7},
            ["Course", 7],
            [{"achievement": {}}],
            {"id": {"id": {}}},
            10**15,
        ]
    ),
)


@pytest.mark.parametrize("structure_checked", [True, False])
@QUICK
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), NONSENSE), min_size=1, max_size=3))
def test_nonsense_with_a_good_signature_does_not_crash(
    still_world, monkeypatch, structure_checked, changes
):
    """An accredited issuer signs and anchors anything: the answer is a report. Once with the
    structure checked, once without, so that the later steps meet the nonsense themselves."""
    document = still_world.document()
    for path_index, replacement in changes:
        paths = [path for path in leaves_of(document) if path]
        path = paths[path_index % len(paths)]
        target = document
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = copy.deepcopy(replacement)
    try:
        signed = still_world.university.sign(document, cryptosuite="eddsa-jcs-2022")
    except BaeumError:
        return  # nobody can sign that
    with monkeypatch.context() as patch:
        if not structure_checked:
            patch.setattr(model, "check", lambda _document: [])
        evidence = still_world.anchor([signed])[0]
        report = still_world.verify(evidence.to_bytes())
    assert json.loads(json.dumps(report.to_json())) == report.to_json()
