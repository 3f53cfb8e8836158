"""Whose registries count. Trust is the verifier's own configuration and is never taken from
what is being verified: a receipt may name any chain, only the ones listed here are believed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from credential.errors import BaeumError
from credential.text import Text

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class TrustUnreadable(BaeumError):
    """A trust file that cannot be used; it is never skipped silently."""

    code: ClassVar[str] = "trust-unreadable"
    title: ClassVar[Text] = Text(
        "신뢰 설정 파일을 읽을 수 없습니다", "The trust file cannot be read"
    )


@dataclass(frozen=True, slots=True)
class Validators:
    """Who seals the blocks of a permissioned network: ``kind`` qbft or clique, addresses 20 bytes.

    Lets an evidence bundle be checked without a trusted block hash.
    """

    kind: str
    addresses: frozenset[bytes]

    @classmethod
    def from_json(cls, body: object) -> Validators:
        """Raises ``ValueError`` naming the member that is wrong."""
        if not isinstance(body, Mapping) or body.get("kind") not in ("qbft", "clique"):
            raise ValueError("validators.kind")
        listed = body.get("addresses")
        if not isinstance(listed, list) or not listed:
            raise ValueError("validators.addresses")
        for address in listed:
            if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
                raise ValueError("validators.addresses")
        return cls(body["kind"], frozenset(bytes.fromhex(address[2:]) for address in listed))


@dataclass(frozen=True, slots=True)
class TrustedNetwork:
    """A chain and the two contracts on it that this verifier believes.

    Addresses are lower-case 0x-hex of 20 bytes. ``self_run`` says that one party runs the chain
    alone, which proves nothing to others. ``confirmations`` counts the anchor's own block.
    ``quorum`` of the ``rpc`` addresses must agree; None means more than half.
    """

    chain_id: int
    registry: str
    anchor: str
    self_run: bool
    confirmations: int
    name: Text
    rpc: tuple[str, ...] = ()
    quorum: int | None = None
    validators: Validators | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> TrustedNetwork:
        """Raises ``ValueError`` naming the member that is wrong."""
        chain_id = body.get("chainId")
        if type(chain_id) is not int or not 0 < chain_id < 2**64:
            raise ValueError("chainId")
        confirmations = body.get("confirmations", 1)
        if type(confirmations) is not int or confirmations < 1:
            raise ValueError("confirmations")
        self_run = body.get("selfRun", False)
        if self_run is not True and self_run is not False:
            raise ValueError("selfRun")
        rpc = body.get("rpc", [])
        if not isinstance(rpc, list) or not all(isinstance(url, str) for url in rpc):
            raise ValueError("rpc")
        quorum = body.get("quorum")
        if quorum is not None and (type(quorum) is not int or not 1 <= quorum <= len(rpc)):
            raise ValueError("quorum")
        sealed_by = body.get("validators")
        return cls(
            chain_id=chain_id,
            registry=_address(body, "registry"),
            anchor=_address(body, "anchor"),
            self_run=self_run,
            confirmations=confirmations,
            name=_name(body.get("name"), chain_id),
            rpc=tuple(rpc),
            quorum=quorum,
            validators=None if sealed_by is None else Validators.from_json(sealed_by),
        )


def _address(body: Mapping[str, Any], member: str) -> str:
    value = body.get(member)
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError(member)
    return value.lower()


def _name(value: object, chain_id: int) -> Text:
    if value is None:
        return Text(f"체인 {chain_id}", f"chain {chain_id}")
    if isinstance(value, str):
        return Text(value, value)
    if isinstance(value, Mapping):
        ko, en = value.get("ko"), value.get("en")
        if isinstance(ko, str) and isinstance(en, str):
            return Text(ko, en)
    raise ValueError("name")


@dataclass(frozen=True, slots=True)
class Trust:
    """All the networks a verifier believes. An empty trust believes nobody."""

    networks: tuple[TrustedNetwork, ...] = ()

    def on_chain(self, chain_id: int) -> tuple[TrustedNetwork, ...]:
        return tuple(network for network in self.networks if network.chain_id == chain_id)

    def find(self, chain_id: int, anchor: str) -> TrustedNetwork | None:
        """The network whose anchor contract this is, on this chain."""
        for network in self.on_chain(chain_id):
            if network.anchor == anchor.lower():
                return network
        return None

    @classmethod
    def from_json(cls, body: object) -> Trust:
        """From ``{"networks": [...]}``. Raises ``TrustUnreadable``."""
        networks = body.get("networks") if isinstance(body, Mapping) else None
        if not isinstance(networks, list):
            raise _unreadable("networks")
        found = []
        for index, entry in enumerate(networks):
            try:
                found.append(TrustedNetwork.from_json(entry if isinstance(entry, dict) else {}))
            except ValueError as wrong:
                raise _unreadable(f"networks[{index}].{wrong}") from wrong
        return cls(tuple(found))

    @classmethod
    def load(cls, paths: Iterable[Path]) -> Trust:
        """The union of several trust files. Raises ``TrustUnreadable`` naming the file."""
        networks: list[TrustedNetwork] = []
        for path in paths:
            try:
                body = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as wrong:
                raise _unreadable(str(path)) from wrong
            networks.extend(cls.from_json(body).networks)
        return cls(tuple(dict.fromkeys(networks)))


def _unreadable(what: str) -> TrustUnreadable:
    return TrustUnreadable(
        Text(
            f"신뢰할 체인 목록에서 잘못된 곳: {what}",
            f"Wrong in the list of trusted chains: {what}",
        ),
        Text(
            "network.json의 형식을 확인하거나, `baeum`으로 다시 만들어 주십시오.",
            "Check the form of network.json, or let `baeum` write it again.",
        ),
        {"where": what},
    )
