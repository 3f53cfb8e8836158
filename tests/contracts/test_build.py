"""The committed artifacts are what the pinned compiler makes of the committed sources."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from evm import missing

import contracts
from contracts import build
from contracts.artifact import Artifact

TARGET = 24_576  # EIP-170


@pytest.fixture
def compiler() -> None:
    if shutil.which("node") is None:
        missing("node")
    if not (build.PACKAGES / "solc").is_dir() or not (build.PACKAGES / "@openzeppelin").is_dir():
        missing("the npm packages of contracts/")


@pytest.mark.node
@pytest.mark.usefixtures("compiler")
def test_the_artifacts_are_rebuilt_byte_for_byte() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "contracts.build", "--check"],
        cwd=build.ROOM.parent,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.node
@pytest.mark.usefixtures("compiler")
def test_a_changed_artifact_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts"
    shutil.copytree(build.ARTIFACTS, folder)
    status = folder / "StatusRegistry.json"
    status.write_text(status.read_text().replace('"runtime": "0x60', '"runtime": "0x61'))
    (folder / "PolicyRegistry.json").unlink()
    (folder / "Stranger.json").write_text("{}")
    found = build.differences(folder)
    assert [line.split(":")[0] for line in found] == [
        "PolicyRegistry.json",
        "StatusRegistry.json",
        "Stranger.json",
    ]


@pytest.mark.parametrize("name", contracts.names())
def test_artifacts_name_the_digest_of_every_source_of_ours(name: str) -> None:
    artifact = contracts.load(name)
    ours = {key: digest for key, digest in artifact.sources_sha256.items() if key[:4] == "src/"}
    assert f"src/{name}.sol" in ours
    for key, digest in ours.items():
        assert hashlib.sha256((build.ROOM / key).read_bytes()).hexdigest() == digest
    assert artifact.compiler.startswith(build.COMPILER + "+commit.")
    assert artifact.settings == build.SETTINGS


@pytest.mark.parametrize("name", contracts.names())
def test_contracts_fit_on_a_chain(name: str) -> None:
    assert 0 < len(contracts.load(name).runtime) < TARGET


def test_what_is_committed_holds_no_path_and_no_address_of_a_registry() -> None:
    lock = json.loads((build.ROOM / "package-lock.json").read_text())
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
    assert lock["packages"]["node_modules/solc"]["version"] == build.COMPILER
    for name in contracts.names():
        sources = contracts.load(name).sources_sha256
        assert all(key.startswith(("src/", "@openzeppelin/")) for key in sources)


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(contracts.ArtifactUnreadable, match="CredentialAnchor"):
        contracts.load("../build")


def test_a_damaged_artifact_is_told() -> None:
    with pytest.raises(contracts.ArtifactUnreadable):
        Artifact.from_json({"name": "X"})


def test_code_is_compared_whatever_the_immutables_hold() -> None:
    artifact = contracts.load("StatusRegistry")
    filled = bytearray(artifact.runtime)
    for start, length in artifact.immutables:
        filled[start : start + length] = b"\xaa" * length
    assert artifact.immutables
    assert artifact.same_code(bytes(filled))
    filled[0] ^= 1
    assert not artifact.same_code(bytes(filled))
    assert not artifact.same_code(artifact.runtime[:-1])
    assert not artifact.same_code(b"")
    assert not replace(artifact, immutables=()).same_code(bytes(filled))
