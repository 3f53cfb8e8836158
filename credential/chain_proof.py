"""Block headers and Merkle-Patricia proofs, checked with nothing but Keccak and RLP.

A proof is a bag of trie nodes found by their hash: what is not in the bag is not proven, and a
node that was changed has another hash, so it is not found either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import rlp
from eth_hash.auto import keccak

from credential.errors import BaeumError
from credential.text import Text

EMPTY_TRIE = keccak(rlp.encode(b""))
_FEWEST_FIELDS, _MOST_FIELDS = 15, 32
_EXTRA_DATA = 12


class NotProven(BaeumError):
    """The proofs do not show it: incomplete, damaged, or of another block. Not a forgery."""

    code: ClassVar[str] = "not-proven"
    title: ClassVar[Text] = Text("증거로 확인할 수 없습니다", "The proofs do not show it")
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str) -> None:
        super().__init__(
            Text(ko, en),
            Text(
                "발급 기관에 증거 묶음을 다시 요청하거나, 네트워크에 연결해 검증해 주십시오.",
                "Ask the issuer for a new evidence bundle, or verify with a network connection.",
            ),
        )


@dataclass(frozen=True, slots=True)
class Header:
    """An execution block header. ``fields`` are the RLP items in the order of the Yellow Paper and
    of the forks after it; hashes and roots are 32 bytes, ``time`` is in Unix seconds."""

    fields: tuple[bytes, ...]

    @classmethod
    def decode(cls, encoded: bytes) -> Header:
        """Raises ``NotProven`` for anything but a header's RLP."""
        items = decode_rlp(encoded)
        if (
            not isinstance(items, list)
            or not _FEWEST_FIELDS <= len(items) <= _MOST_FIELDS
            or not all(isinstance(item, bytes) for item in items)
            or any(len(items[place]) != 32 for place in (0, 3, 4, 5))
            or any(len(items[place]) > 8 for place in (8, 11))
        ):
            raise NotProven("블록 머리가 아닙니다.", "Not a block header.")
        return cls(tuple(items))

    def encode(self) -> bytes:
        return bytes(rlp.encode(list(self.fields)))

    def with_extra_data(self, extra: bytes) -> Header:
        """The same header with other extra data, as seals are computed over."""
        return Header((*self.fields[:_EXTRA_DATA], extra, *self.fields[_EXTRA_DATA + 1 :]))

    @property
    def hash(self) -> bytes:
        return bytes(keccak(self.encode()))

    @property
    def parent(self) -> bytes:
        return self.fields[0]

    @property
    def state_root(self) -> bytes:
        return self.fields[3]

    @property
    def transactions_root(self) -> bytes:
        return self.fields[4]

    @property
    def receipts_root(self) -> bytes:
        return self.fields[5]

    @property
    def number(self) -> int:
        return int.from_bytes(self.fields[8])

    @property
    def time(self) -> int:
        return int.from_bytes(self.fields[11])

    @property
    def extra_data(self) -> bytes:
        return self.fields[_EXTRA_DATA]


class Nodes:
    """Trie nodes by hash, of any number of tries."""

    def __init__(self, encoded: Iterable[bytes]) -> None:
        self._by_hash = {keccak(node): node for node in encoded}

    def value(self, root: bytes, key: bytes) -> bytes | None:
        """What the trie of ``root`` holds under ``key``; None when it is proven to hold nothing.

        Raises ``NotProven`` when a node on the way is missing or malformed.
        """
        if root == EMPTY_TRIE:
            return None
        path = [nibble for byte in key for nibble in (byte >> 4, byte & 15)]
        node = self._load(root)
        while True:
            if len(node) == 17:
                if not path:
                    return _leaf(node[16])
                child, path = node[path[0]], path[1:]
            elif len(node) == 2:
                prefix, is_leaf = _prefix(node[0])
                if path[: len(prefix)] != prefix:
                    return None
                path = path[len(prefix) :]
                if is_leaf:
                    return None if path else _leaf(node[1])
                child = node[1]
            else:
                raise _bad_node()
            if child == b"":
                return None
            node = child if isinstance(child, list) else self._load(child)

    def _load(self, hash_: bytes) -> list[Any]:
        encoded = self._by_hash.get(hash_)
        if encoded is None:
            raise NotProven(
                "증거 묶음에 필요한 부분이 빠져 있습니다.", "A part of the proof is missing."
            )
        node = decode_rlp(encoded)
        if not isinstance(node, list):
            raise _bad_node()
        return node


def decode_rlp(encoded: bytes) -> Any:
    """Nested lists of bytes; raises ``NotProven``."""
    try:
        return rlp.decode(encoded)
    except (rlp.exceptions.DecodingError, TypeError, RecursionError) as wrong:
        raise NotProven("RLP 형식이 아닙니다.", "Not RLP.") from wrong


def _prefix(packed: object) -> tuple[list[int], bool]:
    """Hex-prefix encoding (Yellow Paper, appendix C): the nibbles, and whether it is a leaf's."""
    if not isinstance(packed, bytes) or not packed or packed[0] >> 4 > 3:
        raise _bad_node()
    nibbles = [nibble for byte in packed for nibble in (byte >> 4, byte & 15)]
    flags = nibbles[0]
    return nibbles[1:] if flags & 1 else nibbles[2:], bool(flags & 2)


def _leaf(value: object) -> bytes | None:
    if not isinstance(value, bytes):
        raise _bad_node()
    return value or None


def _bad_node() -> NotProven:
    return NotProven("증거의 한 마디가 잘못되었습니다.", "A node of the proof is malformed.")
