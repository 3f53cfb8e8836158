"""The contracts before halmos (every value, not drawn ones) and slither (102 detectors).

Both need an older web3 than Baeum and so have an environment of their own, ``.venv-analysis``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from proofs import CONTRACTS, analysis_binary, copy_of_contracts, run

# What takes longest has its own command: `scripts/test tests/contracts/test_analysis.py -m soak`.
QUICK = {
    "AnchorSymbolic": (
        "check_a_known_root_is_refused",
        "check_a_new_root_is_accepted",
        "check_a_stranger_anchors_nothing_by_raw_calldata",
        "check_an_anchor_chains_and_counts",
        "check_who_may_not_issue_now_cannot_anchor",
    ),
    "PolicySymbolic": ("check_a_version_is_final",),
    "RegistrySymbolic": (
        "check_an_accreditation_never_shortens_one_that_ran",
        "check_taking_away_leaves_the_past",
    ),
    "StatusSymbolic": ("check_a_revocation_is_final", "check_nobody_else_writes"),
}
SLOW = {
    "AnchorSymbolic": ("check_a_stranger_anchors_nothing",),
    "RegistrySymbolic": (
        "check_a_did_stays_with_its_institution",
        "check_a_stranger_changes_nothing",
    ),
}

# Half a minute of one core; the limit is for machines that have much else to do.
pytestmark = [
    pytest.mark.node,
    pytest.mark.xdist_group("forge"),
    pytest.mark.timeout(1200),
]


def prove(checks: dict[str, tuple[str, ...]], folder: Path, answer: Path) -> dict[str, Any]:
    """halmos' verdict on each check, by "Contract.check"; every bound must have been reached."""
    names = {name for of_one in checks.values() for name in of_one}
    done = run(
        [
            analysis_binary("halmos"),
            "--match-contract",
            f"^({'|'.join(checks)})$",
            "--match-test",
            rf"^({'|'.join(sorted(names))})\(",
            "--json-output",
            answer,
        ],
        folder,
    )
    output = done.stdout + done.stderr
    assert answer.is_file(), output
    assert done.returncode == 0, output
    assert "loop-bound" not in output, output
    found = {
        f"{suite.rpartition(':')[2]}.{result['name'].partition('(')[0]}": result
        for suite, results in json.loads(answer.read_text())["test_results"].items()
        for result in results
    }
    wanted = {f"{contract}.{name}" for contract, names in checks.items() for name in names}
    assert set(found) == wanted, output
    return found


def test_what_holds_for_every_value(tmp_path: Path) -> None:
    found = prove(QUICK, CONTRACTS, tmp_path / "halmos.json")
    assert {name for name, result in found.items() if result["exitcode"] != 0} == set()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_call_at_all_does_what_it_must_not(tmp_path: Path) -> None:
    found = prove(SLOW, CONTRACTS, tmp_path / "halmos.json")
    assert {name for name, result in found.items() if result["exitcode"] != 0} == set()


def test_static_analysis_finds_nothing(tmp_path: Path) -> None:
    # In a copy: slither begins with `forge clean`, and would take forge's results away.
    done = run([analysis_binary("slither"), "."], copy_of_contracts(tmp_path / "contracts"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "analyzed" in done.stderr + done.stdout
    assert " 0 result(s) found" in done.stderr + done.stdout
