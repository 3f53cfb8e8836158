"""MerkleProof2019: how Blockcerts v3 shows that a blockchain transaction commits to a credential.

W3C CCG lds-merkle-proof-2019. The proof has no signature of its own: the hash of the canonical
credential leads through a Merkle path to a root, and the root is the data of a transaction. Whether
that transaction exists, and who sent it, is for whoever can ask the chain. Here: the path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, Final

import cbor2

from credential import contexts, familiar, multibase
from credential.errors import BaeumError
from credential.text import Text

TYPE: Final = "MerkleProof2019"
CRYPTOSUITE: Final = "merkle-proof-2019"
MAX_PATH: Final = 64
MAX_VALUE: Final = multibase.MAX_BASE58
MOCKNET: Final = "mocknet"
"""What the tools write when they issue on no chain at all, for tests."""

_ROOT, _TARGET, _ANCHORS, _PATH = 0, 1, 2, 3
_LEFT, _RIGHT = 0, 1
_CHAINS: Final[Mapping[int, tuple[str, Mapping[int, str]]]] = {
    0: ("btc", {1: "mainnet", 3: "testnet"}),
    1: ("eth", {1: "mainnet", 3: "ropsten", 4: "rinkeby", 5: "goerli", 11155111: "sepolia"}),
}
ETHEREUM: Final[Mapping[str, int]] = {f"eth:{name}": id for id, name in _CHAINS[1][1].items()}
"""The chain ids of the chains that are asked by JSON-RPC, by the names anchors give them."""

_HEX = re.compile(r"(?:0x)?[0-9a-f]{64}")


class MerkleProofWrong(BaeumError):
    """The credential does not lead to the root; ``facts["reason"]`` says where it breaks off."""

    code: ClassVar[str] = "merkle-proof-wrong"
    title: ClassVar[Text] = Text("머클 증명이 맞지 않습니다", "The Merkle proof does not hold")

    def __init__(self, ko: str, en: str, reason: str) -> None:
        super().__init__(Text(ko, en), None, {"reason": reason})


@dataclass(frozen=True, slots=True)
class Anchor:
    """A transaction that is said to hold the root: ``chain`` as ``eth:sepolia``."""

    chain: str
    transaction: str


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """A proof value taken apart; hashes are 32 bytes, the path from the leaf up."""

    root: bytes
    target: bytes
    anchors: tuple[Anchor, ...]
    path: tuple[tuple[int, bytes], ...]


def is_merkle_proof(proof: Mapping[str, Any]) -> bool:
    """Whether a proof is of this kind, under its old name or as a cryptosuite."""
    kind = proof.get("type")
    return kind == TYPE or (
        kind == "DataIntegrityProof" and proof.get("cryptosuite") == CRYPTOSUITE
    )


def parse(proof_value: object) -> MerkleProof:
    """The parts of a proof value: base58 of CBOR. Raises ``MerkleProofWrong``."""
    if not isinstance(proof_value, str) or not 1 < len(proof_value) <= MAX_VALUE:
        raise _malformed()
    try:
        data = multibase.from_base58(proof_value.removeprefix("z"))
        parts = _pairs(cbor2.loads(data))
        anchors = [_pairs(one) for one in parts[_ANCHORS]]
        path = [_pairs([step]) for step in parts.get(_PATH, [])]
        if len(path) > MAX_PATH or len(anchors) != 1:
            raise _malformed()
        return MerkleProof(
            _hash(parts[_ROOT]),
            _hash(parts[_TARGET]),
            tuple(_anchor(one) for one in anchors),
            tuple((side, _hash(value)) for step in path for side, value in step.items()),
        )
    except (multibase.NotMultibase, cbor2.CBORDecodeError, LookupError, TypeError) as error:
        raise _malformed() from error
    except (ValueError, RecursionError) as error:
        raise _malformed() from error


def check(
    document: Mapping[str, Any],
    proof: Mapping[str, Any],
    *,
    load: contexts.Loader = contexts.load,
) -> MerkleProof:
    """The proof, when the credential without it hashes to the target and that leads to the root.

    Raises ``MerkleProofWrong``, and what the canonical form raises.
    """
    found = parse(proof.get("proofValue"))
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    if sha256(familiar.canonical_nquads(unsecured, load=load)).digest() != found.target:
        raise MerkleProofWrong(
            "증명의 내용이 머클 증명의 해시와 다릅니다.",
            "The content is not what the Merkle proof hashes.",
            "target-elsewhere",
        )
    node = found.target
    for side, sibling in found.path:
        # Chainpoint: hashes are joined as the bytes they are, the sibling on the side named
        pair = sibling + node if side == _LEFT else node + sibling
        node = sha256(pair).digest()
    if node != found.root:
        raise MerkleProofWrong(
            "머클 경로가 뿌리값으로 이어지지 않습니다.",
            "The Merkle path does not lead to the root.",
            "path-elsewhere",
        )
    return found


def _pairs(value: Sequence[Any]) -> dict[int, Any]:
    """``[[key, value], …]`` as this CBOR is written, no key twice."""
    pairs: dict[int, Any] = dict(value)
    if len(pairs) != len(value) or not all(type(key) is int for key in pairs):
        raise ValueError("not a map")
    return pairs


def _hash(value: object) -> bytes:
    """32 bytes, as themselves or as the CBOR text of their hexadecimal form."""
    text = cbor2.loads(value) if isinstance(value, bytes) and len(value) > 32 else value
    if isinstance(text, str):
        if not _HEX.fullmatch(text):
            raise ValueError("not a hash")
        return bytes.fromhex(text.removeprefix("0x"))
    if isinstance(text, bytes) and len(text) == 32:
        return text
    raise ValueError("not a hash")


def _anchor(parts: Mapping[int, Any]) -> Anchor:
    if parts[0] == -1:
        return Anchor(MOCKNET, "")
    chain, networks = _CHAINS[parts[0]]
    network = networks.get(parts[1])
    return Anchor(f"{chain}:{network or parts[1]}", _hash(parts[2]).hex())


def _malformed() -> MerkleProofWrong:
    return MerkleProofWrong(
        "머클 증명의 형식이 잘못되었습니다.", "A malformed Merkle proof.", "malformed"
    )
