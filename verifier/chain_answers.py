"""What a node answers, checked for form before it is believed, and the errors when it does not.

Values only: nothing here asks anybody anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import ClassVar

from eth_hash.auto import keccak

from credential.errors import BaeumError
from credential.text import Text

ANCHORED_TOPIC = keccak(b"Anchored(bytes32,bytes32,uint64,bytes32,bytes32)")
STANDING_SELECTOR = keccak(b"standing(bytes32,bytes32,uint64)")[:4]
STANDING_OF_SELECTOR = keccak(b"standingOf(bytes32,bytes32,uint64)")[:4]
DID_OF_SELECTOR = keccak(b"didOf(bytes32)")[:4]

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


class ChainUnavailable(BaeumError):
    """The chain could not be asked. Says nothing about the credential."""

    code: ClassVar[str] = "chain-unavailable"
    title: ClassVar[Text] = Text("체인에 물어볼 수 없습니다", "The chain cannot be asked")
    status: ClassVar[int] = 503


class NoEndpoint(ChainUnavailable):
    """Nothing is configured that could be asked about this chain."""

    code: ClassVar[str] = "no-endpoint"


class WrongChain(ChainUnavailable):
    """The endpoint answers for another chain than the one it is configured for."""

    code: ClassVar[str] = "endpoint-wrong-chain"


class AnswerMalformed(ChainUnavailable):
    """The endpoint answers, but not in a form that can be read (no contract there, pruned …)."""

    code: ClassVar[str] = "endpoint-answer-malformed"


class Standing(IntEnum):
    """The registry's answer about an issuer, a kind and a time."""

    UNKNOWN = 0
    ACCREDITED = 1
    PROVISIONAL = 2
    OTHER_KIND = 3
    SUSPENDED = 4
    ENDED = 5
    KEY_NOT_VALID = 6


@dataclass(frozen=True, slots=True)
class AnchorEvent:
    """One ``Anchored`` event. Hashes are 32 bytes; ``contract`` lower-case 0x-hex."""

    contract: str
    root: bytes
    institution: bytes
    sequence: int
    head: bytes
    kind: bytes


@dataclass(frozen=True, slots=True)
class Block:
    number: int
    hash: str
    time: datetime
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction's receipt as the node gives it, reduced to what anchors."""

    transaction: str
    succeeded: bool
    block_number: int
    block_hash: str
    events: tuple[AnchorEvent, ...]


@dataclass(frozen=True, slots=True)
class AnchorSighting:
    """What the chain says about an anchor: ``mined`` is None when the node knows no receipt,
    ``block`` is None when the chain is not that long. ``head`` is the newest block's number."""

    mined: Mined | None
    block: Block | None
    head: int

    @property
    def confirmations(self) -> int:
        """Blocks from the anchor's own (1) to the newest."""
        return 0 if self.block is None else max(0, self.head - self.block.number + 1)


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """``institution`` is its 32-byte on-chain id (zero for an unknown DID)."""

    institution: bytes
    standing: Standing


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """Whose a key is by the registry, and the half-open Unix seconds in which it counts.

    ``institution`` is zero for a key the registry does not know.
    """

    institution: bytes
    start: int
    until: int

    @property
    def known(self) -> bool:
        return self.institution != bytes(32)

    def holds_at(self, moment: datetime) -> bool:
        return self.known and self.start <= moment.timestamp() < self.until


def anchor_event(log: object) -> AnchorEvent | None:
    """The log as an ``Anchored`` event, None when it is another event."""
    if not isinstance(log, dict):
        raise malformed("logs")
    topics, contract = log.get("topics"), log.get("address")
    if not isinstance(topics, list) or not isinstance(contract, str):
        raise malformed("logs")
    if not topics or bytes_of(topics[0]) != ANCHORED_TOPIC:
        return None
    data = bytes_of(log.get("data"))
    if len(topics) != 4 or len(data) != 64:
        return None
    root, institution, sequence = (bytes_of(topic) for topic in topics[1:])
    return AnchorEvent(
        contract=contract.lower(),
        root=root,
        institution=institution,
        sequence=int.from_bytes(sequence, "big"),
        head=data[:32],
        kind=data[32:],
    )


def malformed(what: str) -> AnswerMalformed:
    return AnswerMalformed(
        Text(
            f"체인 노드의 답을 읽을 수 없습니다({what}).",
            f"The node's answer cannot be read ({what}).",
        ),
        Text(
            "신뢰 설정의 계약 주소와 노드 상태를 확인해 주십시오.",
            "Check the contract addresses in the trust file and the state of the node.",
        ),
        {"what": what},
    )


def quantity(value: object) -> int:
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise malformed("quantity")
    return int(value, 16)


def bytes_of(value: object) -> bytes:
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise malformed("data")
    return bytes.fromhex(value[2:])


def hash_of(value: object) -> str:
    raw = bytes_of(value)
    if len(raw) != 32:
        raise malformed("hash")
    return "0x" + raw.hex()
