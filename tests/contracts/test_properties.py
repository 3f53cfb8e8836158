"""The contracts under foundry's fuzzer: properties in three parts over random histories.

The properties themselves are Solidity, in ``contracts/test/``; ``npx forge test`` in ``contracts/``
runs them without pytest. Here each has its own verdict, and it is checked that forge really ran as
many steps as is claimed, on the very bytecode that is deployed.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
from proofs import CONTRACTS, forge_test

import contracts
from contracts.build import CONTRACTS as NAMES

RUNS, CALLS = 256, 256 * 128
INVARIANTS = (
    "AnchorInvariants.invariant_head_and_sequence_are_the_history",
    "PolicyInvariants.invariant_versions_are_appended_in_order_and_never_change",
    "RegistryInvariants.invariant_every_answer_is_what_was_told_and_the_past_stays",
    "StatusInvariants.invariant_status_is_what_was_written_by_its_institution",
)
TESTS = (
    "PolicyInvariants.test_there_is_no_policy_without_a_registry",
    "StatusInvariants.test_there_is_no_status_without_a_registry",
)

# Half a minute of one core; the limit is for machines that have much else to do.
pytestmark = [
    pytest.mark.node,
    pytest.mark.xdist_group("forge"),
    pytest.mark.timeout(1200),
]


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Any]]:
    found, complaint = forge_test()
    assert not complaint, complaint
    return found


@pytest.mark.parametrize("name", INVARIANTS)
def test_a_property_holds_over_random_histories(
    results: dict[str, dict[str, Any]], name: str
) -> None:
    result = results[name]
    assert result["status"] == "Success", json.dumps(result, indent=1)
    ran = result["kind"]["Invariant"]
    assert (ran["runs"], ran["calls"], ran["reverts"]) == (RUNS, CALLS, 0)


def test_nothing_that_forge_runs_fails_or_is_left_out(results: dict[str, dict[str, Any]]) -> None:
    assert set(results) == {*INVARIANTS, *TESTS}
    assert {name for name, result in results.items() if result["status"] != "Success"} == set()


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("name", NAMES)
def test_what_forge_ran_is_the_bytecode_that_is_deployed(name: str) -> None:
    built = json.loads((CONTRACTS / ".forge" / "out" / f"{name}.sol" / f"{name}.json").read_text())
    ran = bytes.fromhex(built["bytecode"]["object"].removeprefix("0x"))
    assert _without_metadata(ran) == _without_metadata(contracts.load(name).creation)


def _without_metadata(code: bytes) -> bytes:
    """The bytecode up to the digest of its sources' names, which forge writes in its own way."""
    start = code.rindex(b"\xa2\x64ipfs\x58\x22")
    return code[:start] + code[start + 2 + 4 + 2 + 34 :]


@pytest.mark.soak
def test_the_properties_hold_over_ten_times_as_many_histories_drawn_anew() -> None:
    seed = "0x" + secrets.token_hex(8)
    more = {"FOUNDRY_INVARIANT_RUNS": str(10 * RUNS), "FOUNDRY_FUZZ_SEED": seed}
    found, complaint = forge_test(CONTRACTS, more)
    assert not complaint, complaint
    assert {name: r for name, r in found.items() if r["status"] != "Success"} == {}, seed
