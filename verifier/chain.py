"""Reads what a verifier needs from an EVM chain, over any callable that speaks JSON-RPC.

``call(method, params)`` returns the ``result`` member and raises ``OSError`` (``TimeoutError``
included) or a ``BaeumError`` when it cannot. An HTTP endpoint, the embedded chain in process, or
later a callable that asks several endpoints and returns only what k of them agree on, all fit
there; nothing above this module would change.

What a node says is checked for form before it is believed. Final answers are remembered for
``max_age`` at most: a chain does not change its past, but a registry may still learn of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from eth_hash.auto import keccak

from credential.errors import BaeumError
from credential.text import Text
from verifier.cache import Aged, AgedCache
from verifier.chain_answers import (
    DID_OF_SELECTOR,
    STANDING_OF_SELECTOR,
    STANDING_SELECTOR,
    AnchorSighting,
    Block,
    ChainUnavailable,
    KeyPeriod,
    Mined,
    RegistryAnswer,
    Standing,
    WrongChain,
    anchor_event,
    bytes_of,
    hash_of,
    malformed,
    quantity,
)

Rpc = Callable[[str, list[Any]], Any]


@lru_cache(maxsize=512)
def _did_hash(did: str) -> bytes:
    return keccak(did.encode())


class ChainReader:
    """One chain, read. Raises ``ChainUnavailable`` (or a subclass) whenever it cannot tell."""

    def __init__(
        self,
        call: Rpc,
        chain_id: int,
        *,
        max_age: timedelta = timedelta(minutes=10),
        capacity: int = 4096,
    ) -> None:
        self._call = call
        self.chain_id = chain_id
        self._max_age = max_age
        self._identity: AgedCache[str, int] = AgedCache(1)
        self._sightings: AgedCache[tuple[str, int, int], AnchorSighting] = AgedCache(capacity)
        self._standings: AgedCache[tuple[str, bytes, bytes, int], RegistryAnswer] = AgedCache(
            capacity
        )
        self._keys: AgedCache[tuple[str, str], KeyPeriod] = AgedCache(capacity)

    def anchor(
        self,
        transaction: str,
        block_number: int,
        *,
        confirmations: int,
        now: datetime,
        max_age: timedelta | None = None,
    ) -> Aged[AnchorSighting]:
        """The transaction's receipt, the canonical block at ``block_number`` and the head.

        Remembered only once the block has ``confirmations``.
        """
        key = (transaction, block_number, confirmations)
        known = self._sightings.get(key, now=now, max_age=self._age(max_age))
        if known is not None:
            return known
        self._require_chain(now, max_age)
        head = quantity(self._ask("eth_blockNumber", []))
        sighting = AnchorSighting(self._mined(transaction), self._block(block_number), head)
        if sighting.mined is not None and sighting.confirmations >= confirmations:
            return self._sightings.put(key, sighting, now)
        return Aged(sighting, now)

    def standing(
        self,
        registry: str,
        did: str,
        kind: bytes,
        time: datetime,
        *,
        now: datetime,
        max_age: timedelta | None = None,
    ) -> Aged[RegistryAnswer]:
        """``InstitutionRegistry.standing`` of a DID for a kind as of a time (UTC seconds)."""
        asked = (STANDING_SELECTOR, _did_hash(did), 2)
        return self._registry(registry, asked, kind, time, now, max_age)

    def key_period(
        self, registry: str, name: str, *, now: datetime, max_age: timedelta | None = None
    ) -> Aged[KeyPeriod]:
        """``InstitutionRegistry.didOf`` of a key by its ``credential.did.bound_name``."""
        known = self._keys.get((registry, name), now=now, max_age=self._age(max_age))
        if known is not None:
            return known
        self._require_chain(now, max_age)
        data = "0x" + (DID_OF_SELECTOR + keccak(name.encode())).hex()
        raw = bytes_of(self._ask("eth_call", [{"to": registry, "data": data}, "latest"]))
        if len(raw) != 96:
            raise malformed("didOf")
        period = KeyPeriod(raw[:32], int.from_bytes(raw[32:64]), int.from_bytes(raw[64:]))
        return self._keys.put((registry, name), period, now)

    def standing_of(
        self,
        registry: str,
        institution: bytes,
        kind: bytes,
        time: datetime,
        *,
        now: datetime,
        max_age: timedelta | None = None,
    ) -> Aged[RegistryAnswer]:
        """``InstitutionRegistry.standingOf`` of an institution, whichever of its keys it uses."""
        asked = (STANDING_OF_SELECTOR, institution, 1)
        return self._registry(registry, asked, kind, time, now, max_age)

    def _registry(
        self,
        registry: str,
        asked: tuple[bytes, bytes, int],
        kind: bytes,
        time: datetime,
        now: datetime,
        max_age: timedelta | None,
    ) -> Aged[RegistryAnswer]:
        """Every argument and answer is one 32-byte word (Contract ABI: static types), so they are
        put together and taken apart here. ``asked``: selector, subject, words of the answer."""
        selector, subject, words = asked
        seconds = max(0, int(time.timestamp()))
        key = (registry, selector + subject, kind, seconds)
        known = self._standings.get(key, now=now, max_age=self._age(max_age))
        if known is not None:
            return known
        self._require_chain(now, max_age)
        data = "0x" + (selector + subject + kind + seconds.to_bytes(32)).hex()
        raw = bytes_of(self._ask("eth_call", [{"to": registry, "data": data}, "latest"]))
        if len(raw) != 32 * words:
            raise malformed("standing")
        try:
            standing = Standing(int.from_bytes(raw[-32:]))
        except ValueError as wrong:
            raise malformed("standing") from wrong
        answer = RegistryAnswer(raw[:32] if words == 2 else subject, standing)
        if time < now:
            return self._standings.put(key, answer, now)
        return Aged(answer, now)

    def _age(self, max_age: timedelta | None) -> timedelta:
        return self._max_age if max_age is None else min(max_age, self._max_age)

    def _require_chain(self, now: datetime, max_age: timedelta | None) -> None:
        known = self._identity.get("chain", now=now, max_age=self._age(max_age))
        if known is None:
            known = self._identity.put("chain", quantity(self._ask("eth_chainId", [])), now)
        if known.value != self.chain_id:
            raise WrongChain(
                Text(
                    f"이 주소는 체인 {known.value}에 답하지만 설정은 체인 {self.chain_id}입니다.",
                    f"The endpoint answers for chain {known.value}, "
                    f"the configuration says chain {self.chain_id}.",
                ),
                Text(
                    "체인 접속 주소(rpc) 설정을 확인해 주십시오.",
                    "Check the rpc address in the configuration.",
                ),
                {"expected": self.chain_id, "found": known.value},
            )

    def _mined(self, transaction: str) -> Mined | None:
        receipt = self._ask("eth_getTransactionReceipt", [transaction])
        if receipt is None:
            return None
        if not isinstance(receipt, dict):
            raise malformed("eth_getTransactionReceipt")
        logs = receipt.get("logs")
        if not isinstance(logs, list):
            raise malformed("eth_getTransactionReceipt")
        events = tuple(event for event in map(anchor_event, logs) if event is not None)
        return Mined(
            transaction=hash_of(receipt.get("transactionHash")),
            succeeded=quantity(receipt.get("status")) == 1,
            block_number=quantity(receipt.get("blockNumber")),
            block_hash=hash_of(receipt.get("blockHash")),
            events=events,
        )

    def _block(self, number: int) -> Block | None:
        block = self._ask("eth_getBlockByNumber", [hex(number), False])
        if block is None:
            return None
        if not isinstance(block, dict) or not isinstance(block.get("transactions"), list):
            raise malformed("eth_getBlockByNumber")
        try:
            time = datetime.fromtimestamp(quantity(block.get("timestamp")), UTC)
        except (ValueError, OverflowError, OSError) as wrong:
            raise malformed("eth_getBlockByNumber") from wrong
        if quantity(block.get("number")) != number:
            raise malformed("eth_getBlockByNumber")
        hashes = tuple(hash_of(transaction) for transaction in block["transactions"])
        return Block(number, hash_of(block.get("hash")), time, hashes)

    def _ask(self, method: str, params: list[Any]) -> Any:
        try:
            return self._call(method, params)
        except ChainUnavailable:
            raise
        except BaeumError as failure:
            raise ChainUnavailable(failure.detail, failure.remedy, failure.facts) from failure
        except OSError as failure:
            raise ChainUnavailable(
                Text(
                    "체인 노드에 연결되지 않습니다.",
                    "The node of the chain cannot be reached.",
                ),
                Text(
                    "네트워크와 노드를 확인한 뒤 다시 검증해 주십시오.",
                    "Check the network and the node, then verify again.",
                ),
            ) from failure
