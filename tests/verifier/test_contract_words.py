"""The words the chain reader speaks are those of the compiled contracts."""

from __future__ import annotations

from eth_hash.auto import keccak

import contracts
from verifier.chain_answers import ANCHORED_TOPIC, STANDING_OF_SELECTOR, STANDING_SELECTOR
from verifier.kinds import REGISTRAR


def entry(name: str) -> dict:
    abi = contracts.load("CredentialAnchor").abi
    (found,) = [item for item in abi if item.get("name") == name]
    return found


def signature(name: str) -> bytes:
    types = ",".join(given["type"] for given in entry(name)["inputs"])
    return keccak(f"{name}({types})".encode())


def test_the_anchored_event():
    assert signature("Anchored") == ANCHORED_TOPIC
    inputs = entry("Anchored")["inputs"]
    assert [given["name"] for given in inputs if given["indexed"]] == [
        "root",
        "institution",
        "sequence",
    ]
    assert [given["name"] for given in inputs if not given["indexed"]] == ["head", "kind"]


def test_the_registry_calls():
    assert signature("standing")[:4] == STANDING_SELECTOR
    assert [given["type"] for given in entry("standing")["outputs"]] == ["bytes32", "uint8"]
    assert signature("standingOf")[:4] == STANDING_OF_SELECTOR
    assert [given["type"] for given in entry("standingOf")["outputs"]] == ["uint8"]


def test_the_registrar_kind():
    assert keccak(b"registrar") == REGISTRAR
