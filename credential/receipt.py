"""What proves that a credential was anchored: its leaf, its path, and the transaction.

The leaf commits to the canonical secured credential and to the place it is anchored at (chain,
contract, issuing institution), so a receipt of one network or institution is worth nothing for
another. The credential's proof carries a salt of 128 bits or more, so the leaf can be published
and reveals nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar

from credential import jcs, merkle
from credential.errors import BaeumError
from credential.text import Text

TYPE = "MerkleAnchorReceipt2026"
MAX_PATH = 63

_HASH = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NUMBERS = {
    "leafIndex": merkle.MAX_SIZE,
    "treeSize": merkle.MAX_SIZE,
    "chainId": 2**64 - 1,
    "blockNumber": 2**64 - 1,
    "sequence": 2**64 - 1,
}
_HASHES = ("root", "institution", "anchoredBy", "transaction", "blockHash", "head")
_MEMBERS = {"type", "path", "contract", "blockTime", *_NUMBERS, *_HASHES}


class ReceiptMalformed(BaeumError):
    """The receipt lacks a member, has one too many, or one of the wrong form."""

    code: ClassVar[str] = "receipt-malformed"
    title: ClassVar[Text] = Text("영수증을 읽을 수 없습니다", "The receipt cannot be read")
    status: ClassVar[int] = 422

    def __init__(self, member: str, ko: str, en: str) -> None:
        super().__init__(
            Text(f"영수증의 {member}: {ko}", f"The receipt's {member}: {en}"),
            Text(
                "발급 기관에서 증명 파일을 다시 받으십시오.",
                "Get the credential file again from the issuer.",
            ),
            {"member": member},
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a credential's leaf is and which transaction anchored its tree.

    ``institution`` issued it, ``anchored_by`` sent the root (both on-chain ids of 32 bytes);
    ``root`` is the anchored one, ``merkle.commitment`` of the tree's size and head;
    ``contract`` is the CredentialAnchor's address, 20 bytes; ``block_time`` an RFC 3339 UTC text;
    ``sequence`` and ``head`` are those of the anchoring event.
    """

    leaf_index: int
    tree_size: int
    path: tuple[bytes, ...]
    root: bytes
    chain_id: int
    contract: bytes
    institution: bytes
    anchored_by: bytes
    transaction: bytes
    block_number: int
    block_hash: bytes
    block_time: str
    sequence: int
    head: bytes

    @property
    def place(self) -> bytes:
        """The place this receipt says the leaf commits to."""
        return place(chain_id=self.chain_id, contract=self.contract, institution=self.institution)

    def check_inclusion(self, credential: dict[str, Any]) -> None:
        """Check that the secured credential is in the tree; raises ``merkle.PathInvalid``.

        Says nothing about the chain: the root still has to be found there.
        """
        leaf = leaf_from_digest(sha256(jcs.canonical(credential)).digest(), self.place)
        place = self.leaf_index, self.tree_size
        if merkle.commitment_from_path(leaf, *place, self.path) != self.root:
            raise merkle.elsewhere()

    def to_json(self) -> dict[str, Any]:
        """The receipt as JSON: camelCase names, hashes as 0x-hex."""
        return {
            "type": TYPE,
            "leafIndex": self.leaf_index,
            "treeSize": self.tree_size,
            "path": [_hex(entry) for entry in self.path],
            "root": _hex(self.root),
            "chainId": self.chain_id,
            "contract": _hex(self.contract),
            "institution": _hex(self.institution),
            "anchoredBy": _hex(self.anchored_by),
            "transaction": _hex(self.transaction),
            "blockNumber": self.block_number,
            "blockHash": _hex(self.block_hash),
            "blockTime": self.block_time,
            "sequence": self.sequence,
            "head": _hex(self.head),
        }

    @classmethod
    def from_json(cls, value: object) -> Receipt:
        """Read a receipt strictly; raises ``ReceiptMalformed`` naming the member at fault."""
        if not isinstance(value, dict):
            raise ReceiptMalformed("receipt", "객체가 아닙니다.", "not an object.")
        for name in sorted(_MEMBERS - value.keys()):
            raise ReceiptMalformed(name, "없습니다.", "missing.")
        for name in sorted(map(str, value.keys() - _MEMBERS)):
            raise ReceiptMalformed(name[:60], "알 수 없는 항목입니다.", "unknown member.")
        if value["type"] != TYPE:
            raise ReceiptMalformed("type", f"{TYPE}이 아닙니다.", f"not {TYPE}.")
        numbers = {name: _number(value, name, limit) for name, limit in _NUMBERS.items()}
        hashes = {name: _hash(value[name], name) for name in _HASHES}
        path = value["path"]
        if not isinstance(path, list) or len(path) > MAX_PATH:
            raise ReceiptMalformed("path", "해시 목록이 아닙니다.", "not a list of hashes.")
        if not isinstance(value["blockTime"], str) or not _TIME.fullmatch(value["blockTime"]):
            raise ReceiptMalformed("blockTime", "UTC 시각이 아닙니다.", "not a UTC time.")
        contract = value["contract"]
        if not isinstance(contract, str) or not _ADDRESS.fullmatch(contract):
            raise ReceiptMalformed("contract", "주소가 아닙니다.", "not an address.")
        return cls(
            leaf_index=numbers["leafIndex"],
            tree_size=numbers["treeSize"],
            path=tuple(_hash(entry, "path") for entry in path),
            root=hashes["root"],
            chain_id=numbers["chainId"],
            contract=bytes.fromhex(contract[2:]),
            institution=hashes["institution"],
            anchored_by=hashes["anchoredBy"],
            transaction=hashes["transaction"],
            block_number=numbers["blockNumber"],
            block_hash=hashes["blockHash"],
            block_time=value["blockTime"],
            sequence=numbers["sequence"],
            head=hashes["head"],
        )


def place(*, chain_id: int, contract: bytes, institution: bytes) -> bytes:
    """The 32 bytes that name a chain, an anchoring contract and an issuing institution."""
    if len(contract) != 20 or len(institution) != 32 or not 0 <= chain_id < 2**64:
        raise ValueError("contract: 20 bytes, institution: 32 bytes, chain_id: 64 bits")
    data = b"baeum/place/1" + chain_id.to_bytes(8) + contract + institution
    return sha256(data).digest()


def leaf_input(
    document: dict[str, Any], *, chain_id: int, contract: bytes, institution: bytes
) -> bytes:
    """The data whose ``merkle.leaf_hash`` is the leaf of a secured credential (proof included)."""
    where = place(chain_id=chain_id, contract=contract, institution=institution)
    return _leaf_data(sha256(jcs.canonical(document)).digest(), where)


def leaf_from_digest(jcs_sha256: bytes, place: bytes) -> bytes:
    """The leaf hash from the SHA-256 of the secured credential's RFC 8785 form and its place."""
    return merkle.leaf_hash(_leaf_data(jcs_sha256, place))


def _leaf_data(jcs_sha256: bytes, place: bytes) -> bytes:
    return b"baeum/leaf/1" + place + jcs_sha256


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _hash(value: object, member: str) -> bytes:
    if not isinstance(value, str) or _HASH.fullmatch(value) is None:
        raise ReceiptMalformed(member, "0x로 시작하는 해시가 아닙니다.", "not a 0x-hex hash.")
    return bytes.fromhex(value[2:])


def _number(value: dict[str, Any], member: str, limit: int) -> int:
    number = value[member]
    if type(number) is not int or not 0 <= number <= limit:
        raise ReceiptMalformed(member, "음이 아닌 정수가 아닙니다.", "not a whole number.")
    return number
