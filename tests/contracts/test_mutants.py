"""The evidence notices a broken contract: each of these mutants must fail under forge or halmos.

A mutant (``mutants.yaml``) is one place of a contract changed into what a slip of the hand could
make of it. The tools see it in a copy; it is caught when a property fails, or when a symbolic check
(of those that are quick) finds a counterexample.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from proofs import CONTRACTS, analysis_binary, copy_of_contracts, forge_test, run


class Mutant(NamedTuple):
    name: str
    source: str
    before: str
    after: str


MUTANTS = [
    Mutant(name, source, change["before"], change["after"])
    for source, changes in yaml.safe_load(
        Path(__file__).with_name("mutants.yaml").read_text(encoding="utf-8")
    ).items()
    for name, change in changes.items()
]

# Which files of properties are about a contract.
PROPERTIES = {
    "CredentialAnchor": ("Anchor",),
    "InstitutionRegistry": ("Registry", "Anchor"),
    "PolicyRegistry": ("Policy",),
    "StatusRegistry": ("Status",),
}
NO_SHRINKING = {"FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT": "0"}

pytestmark = [pytest.mark.node, pytest.mark.timeout(1200)]


def caught_by(mutant: Mutant, folder: Path) -> str:
    """What refused the mutant: a property's name, halmos, or nothing ("")."""
    copy = copy_of_contracts(folder)
    source = copy / "src" / f"{mutant.source}.sol"
    text = source.read_text(encoding="utf-8")
    assert text.count(mutant.before) == 1, f"{mutant.name}: the line to change is not there once"
    source.write_text(text.replace(mutant.before, mutant.after), encoding="utf-8")
    for file in (copy / "test").glob("*.t.sol"):
        if file.name.partition(".")[0] not in PROPERTIES[mutant.source]:
            file.unlink()
    found, complaint = forge_test(copy, NO_SHRINKING, "--fail-fast")
    assert not complaint, complaint
    for name, result in found.items():
        if result["status"] != "Success":
            return f"{name}: {result['reason']}"
    shutil.copy2(CONTRACTS / "test" / "Symbolic.t.sol", copy / "test")
    quick = r"^check_(?!a_did|a_stranger_changes|a_stranger_anchors_nothing\\()"
    done = run([analysis_binary("halmos"), "--match-test", quick], copy)
    return "halmos" if done.returncode != 0 and "Counterexample" in done.stdout else ""


def test_a_mutant_is_caught(tmp_path: Path) -> None:
    (mutant,) = (one for one in MUTANTS if one.name == "unrevoked")
    assert caught_by(mutant, tmp_path / "mutant").startswith("StatusInvariants.")


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: f"{one.source}-{one.name}")
def test_every_mutant_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    by = caught_by(mutant, tmp_path / "mutant")
    print(f"{mutant.source} {mutant.name}: {by}")
    assert by, f"{mutant.name} survived: {mutant.before!r} -> {mutant.after!r}"
