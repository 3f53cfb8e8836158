"""What the outbox and the operator ask of a chain: one account, our contracts, any endpoint.

Speaks JSON-RPC itself and decodes its one event itself: web3 costs two seconds to import and
decodes events a hundred times more slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from eth_abi.abi import decode

from ledger.chain.abi import call_data, selectors_of, topic
from ledger.chain.endpoint import Endpoint, EndpointError, require_chain
from ledger.chain.names import did_hash, first_head, institution_id, kind_id
from ledger.chain.network import Network, no_contract
from ledger.chain.transactions import (
    ContractRefused,
    Fees,
    NotMined,
    Refusal,
    SignedTransaction,
    TransactionRefused,
    require_funds,
    send,
    sign,
    suggest_fees,
    transact,
)

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = [
    "AnchorEvent",
    "AnchorReceipt",
    "ContractRefused",
    "Fees",
    "Gateway",
    "NotMined",
    "Refusal",
    "SignedTransaction",
    "TransactionRefused",
]

ANCHORED = topic("Anchored(bytes32,bytes32,uint64,bytes32,bytes32)")
REGISTRAR = "registrar"
# An anchor takes 40,000 gas, 65,000 when the accreditation has to be looked up the long way.
ANCHOR_GAS = 120_000
_LOG_SPAN = 50_000


@dataclass(frozen=True, slots=True)
class AnchorReceipt:
    """A mined transaction. ``sequence`` and ``head`` (0x-hex) are None when it anchored nothing."""

    succeeded: bool
    block_number: int
    block_hash: str
    block_time: datetime
    gas_used: int
    sequence: int | None
    head: str | None

    @property
    def anchored(self) -> bool:
        """Whether it did what it was sent for; one to an address without a contract does not."""
        return self.succeeded and self.sequence is not None


@dataclass(frozen=True, slots=True)
class AnchorEvent:
    """One anchor as the chain tells it. Hashes of contents are bytes, of transactions 0x-hex."""

    root: bytes
    institution: bytes
    sequence: int
    head: bytes
    kind: bytes
    transaction: str
    block_number: int
    block_hash: str


class Accreditation(Protocol):
    """One kind for a time; ``ledger.institutions.Accredited`` is one."""

    @property
    def kind(self) -> str: ...
    @property
    def valid_from(self) -> datetime: ...
    @property
    def valid_to(self) -> datetime | None: ...


class Registration(Protocol):
    """An institution to be registered; ``ledger.institutions.Entry`` is one."""

    @property
    def id(self) -> str: ...
    @property
    def accredited(self) -> Sequence[Accreditation]: ...


class Gateway:
    """One sending account on one network."""

    def __init__(self, endpoint: Endpoint, network: Network, account: LocalAccount) -> None:
        self._endpoint = endpoint
        self.network = network
        self.account = account
        self._anchors_as: bytes | None = None

    # --- the outbox

    @property
    def address(self) -> str:
        """The sending account, lower-case 0x-hex."""
        return self.account.address.lower()

    def chain_id(self) -> int:
        """The node's, which may not be the network's."""
        return int(self._endpoint.call("eth_chainId", []), 16)

    def require_chain(self) -> None:
        """Raises WrongChain when the node is on another chain than the contracts."""
        require_chain(self._endpoint, self.network.chain_id)

    def require_contract(self) -> None:
        """Raises CodeDiffers when there is no contract at the network's address."""
        self.anchor_state()

    def require_funds(self, fees: Fees) -> None:
        """Raises AccountEmpty naming the address when it cannot pay for an anchor at these fees."""
        require_funds(self._endpoint, self.account.address, ANCHOR_GAS * fees.max_fee_per_gas)

    def nonce(self, address: str, block: int | None = None) -> int:
        """Of the next transaction, counting mined ones only; as of a block, else the newest."""
        at = "latest" if block is None else hex(block)
        return int(self._endpoint.call("eth_getTransactionCount", [address, at]), 16)

    def balance(self, address: str | None = None) -> int:
        """In wei; of the sending account unless another is named."""
        return int(self._endpoint.call("eth_getBalance", [address or self.address, "latest"]), 16)

    def suggest_fees(self, cap: int | None = None) -> Fees:
        """Prices that get a transaction mined soon, at most ``cap`` wei per gas."""
        return suggest_fees(self._endpoint, cap)

    def sign_anchor(
        self, root: bytes, nonce: int, fees: Fees, kind: str | None = None
    ) -> SignedTransaction:
        """The transaction that anchors a root; a registrar's has exactly the root as its data.

        ``kind``: anchor as that kind instead; None means what this account may anchor, registrar
        first. The node is asked once for that, and not again.
        """
        wanted = kind_id(kind) if kind is not None else self._own_kind()
        # A root that begins like a function's selector would be taken for a call of it.
        plain = wanted == kind_id(REGISTRAR) and root[:4] not in selectors_of("CredentialAnchor")
        return sign(
            self.account,
            chain_id=self.network.chain_id,
            nonce=nonce,
            to=self.network.anchor,
            data=root if plain else call_data("anchor(bytes32,bytes32)", [root, wanted]),
            gas=ANCHOR_GAS,
            fees=fees,
        )

    def rehearse_anchor(self, root: bytes) -> None:
        """Ask the node what anchoring this root now would do. Raises ContractRefused if not that.

        A transaction that reverts costs its gas and spends its nonce; this costs nothing.
        """
        wanted = self._own_kind()
        request = {
            "from": self.address,
            "to": self.network.anchor,
            "data": "0x" + call_data("anchor(bytes32,bytes32)", [root, wanted]).hex(),
        }
        try:
            self._endpoint.call("eth_call", [request, "latest"])
        except EndpointError as error:
            if error.reverted:
                raise ContractRefused(error.revert_data()) from error
            raise

    def send(self, raw: bytes) -> str:
        """Its hash; a transaction the node already has is a success. Raises TransactionRefused."""
        return send(self._endpoint, raw)

    def receipt(self, transaction: str) -> AnchorReceipt | None:
        """What became of a transaction; None while it is not mined."""
        found = self._endpoint.call("eth_getTransactionReceipt", [transaction])
        if found is None:
            return None
        block = self._endpoint.call("eth_getBlockByHash", [found["blockHash"], False])
        if block is None:
            return None  # a reorganisation came between the two questions
        events = [event for event in map(self._event, found["logs"]) if event is not None]
        return AnchorReceipt(
            succeeded=int(found["status"], 16) == 1,
            block_number=int(found["blockNumber"], 16),
            block_hash=found["blockHash"].lower(),
            block_time=datetime.fromtimestamp(int(block["timestamp"], 16), UTC),
            gas_used=int(found["gasUsed"], 16),
            sequence=events[0].sequence if events else None,
            head="0x" + events[0].head.hex() if events else None,
        )

    def head(self) -> int:
        """The number of the newest block."""
        return int(self._endpoint.call("eth_blockNumber", []), 16)

    def block_hash(self, number: int) -> str | None:
        """Of the canonical block of that number, None when the chain is shorter."""
        block = self._endpoint.call("eth_getBlockByNumber", [hex(number), False])
        return None if block is None else str(block["hash"]).lower()

    # --- the history of anchors

    def first_block(self) -> int:
        """No anchor is older."""
        return self.network.deployed_block

    def first_head(self) -> bytes:
        """The head before the first anchor."""
        return first_head(self.network.chain_id, self.network.anchor)

    def anchor_state(self) -> tuple[int, bytes]:
        """How many anchors there are and the head they chain to, as the contract counts."""
        (sequence,) = self._ask("sequence()", ["uint64"])
        (head,) = self._ask("head()", ["bytes32"])
        return sequence, head

    def anchors(self, first_block: int) -> list[AnchorEvent]:
        """Every anchor from a block on, by anyone, in the order of the chain."""
        return list(self._history(first_block, self.head()))

    def _history(self, first: int, last: int) -> Iterator[AnchorEvent]:
        span = _LOG_SPAN
        while first <= last:
            until = min(first + span - 1, last)
            try:
                logs = self._logs(first, until)
            except EndpointError:
                # Nodes bound the blocks or the events of one answer, each in its own words.
                if span == 1:
                    raise
                span = max(1, span // 4)
                continue
            yield from (event for event in map(self._event, logs) if event is not None)
            first = until + 1

    def _logs(self, first: int, last: int) -> list[dict[str, Any]]:
        wanted = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": self.network.anchor,
            "topics": [ANCHORED],
        }
        logs: list[dict[str, Any]] = self._endpoint.call("eth_getLogs", [wanted])
        return logs

    def _event(self, log: dict[str, Any]) -> AnchorEvent | None:
        topics = log["topics"]
        if log["address"].lower() != self.network.anchor or topics[:1] != [ANCHORED]:
            return None
        data = bytes.fromhex(log["data"][2:])
        return AnchorEvent(
            root=bytes.fromhex(topics[1][2:]),
            institution=bytes.fromhex(topics[2][2:]),
            sequence=int(topics[3], 16),
            head=data[:32],
            kind=data[32:64],
            transaction=log["transactionHash"].lower(),
            block_number=int(log["blockNumber"], 16),
            block_hash=log["blockHash"].lower(),
        )

    # --- the register

    def sender_institution(self) -> bytes:
        """The on-chain id of the institution this account signs for, zero when none."""
        (institution,) = self._ask("signerOf(address)", ["bytes32"], self.address)
        return bytes(institution)

    def institution_registered(self, institution: str) -> bool:
        (since, *_) = self._ask(
            "institutionOf(bytes32)",
            ["uint64", "uint64", "uint64", "bytes32"],
            institution_id(institution),
        )
        return bool(since)

    def register_institution(
        self,
        institution: str,
        did: str | None,
        kinds: Iterable[str],
        valid_from: datetime,
        *,
        valid_until: datetime | None = None,
        signer: str | None = None,
    ) -> str:
        """Put an institution with its DID and kinds on record; the transaction's hash.

        ``signer`` is the address that will anchor for it; a registrar's is this account unless
        another is named, everybody else needs none. Raises ContractRefused.
        """
        wanted = list(kinds)
        if signer is None and REGISTRAR in wanted:
            signer = self.address
        receipt = self._transact(
            "register(bytes32,bytes32,address,bytes32[],uint64,uint64)",
            institution_id(institution),
            did_hash(did) if did is not None else bytes(32),
            signer or "0x" + "00" * 20,
            [kind_id(kind) for kind in wanted],
            int(valid_from.timestamp()),
            int(valid_until.timestamp()) if valid_until is not None else 0,
        )
        self._anchors_as = None
        return str(receipt["transactionHash"])

    def register(self, entry: Registration, did: str | None) -> None:
        """Register an entry of the register, each kind with its own dates. Safe to repeat.

        The DID is valid from the first day of the first accreditation. Raises ContractRefused.
        """
        kinds = sorted(entry.accredited, key=lambda accredited: accredited.valid_from)
        if not self.institution_registered(entry.id):
            start = kinds[0].valid_from if kinds else datetime.now(UTC)
            same = [k.kind for k in kinds if k.valid_from == start and k.valid_to is None]
            signer = self.address if REGISTRAR in (k.kind for k in kinds) else None
            self.register_institution(entry.id, did, same, start, signer=signer)
        for accredited in kinds:
            if not self._covered(entry.id, accredited):
                self.accredit(entry.id, accredited.kind, accredited.valid_from, accredited.valid_to)

    def accredit(
        self,
        institution: str,
        kind: str,
        valid_from: datetime,
        valid_until: datetime | None = None,
        *,
        provisional: bool = False,
    ) -> None:
        """Accredit an institution for a kind. Raises ContractRefused."""
        self._transact(
            "accredit(bytes32,bytes32,uint64,uint64,bool)",
            institution_id(institution),
            kind_id(kind),
            int(valid_from.timestamp()),
            int(valid_until.timestamp()) if valid_until is not None else 0,
            provisional,
        )

    def bind_did(self, institution: str, name: str, valid_from: datetime) -> None:
        """Let a further key sign for an institution, from a time on. Raises ContractRefused.

        ``name``: what ``credential.did.bound_name`` gives for its verification method.
        """
        self._transact(
            "bindDid(bytes32,bytes32,uint64,uint64)",
            institution_id(institution),
            did_hash(name),
            int(valid_from.timestamp()),
            0,
        )

    def end_did(self, name: str, when: datetime) -> None:
        """End a key's validity at a time that has not passed. Raises ContractRefused."""
        self._transact("endDid(bytes32,uint64)", did_hash(name), int(when.timestamp()))

    def did_period(self, name: str) -> tuple[bytes, int, int]:
        """(institution, from, until) of a key in Unix seconds; zeros when it is not on record."""
        institution, start, end = self._ask(
            "didOf(bytes32)", ["bytes32", "uint64", "uint64"], did_hash(name)
        )
        return bytes(institution), start, end

    def block_time(self) -> int:
        """The newest block's, in Unix seconds."""
        block = self._endpoint.call("eth_getBlockByNumber", ["latest", False])
        return int(block["timestamp"], 16)

    def suspend(self, institution: str) -> None:
        """From now on nothing the institution issues counts. Raises ContractRefused."""
        self._transact("suspend(bytes32)", institution_id(institution))

    def reinstate(self, institution: str) -> None:
        """End a suspension now. Raises ContractRefused."""
        self._transact("reinstate(bytes32)", institution_id(institution))

    def _covered(self, institution: str, accredited: Accreditation) -> bool:
        # 1 accredited, 2 provisional, 4 suspended: the period itself is on record.
        (standing,) = self._ask(
            "standingOf(bytes32,bytes32,uint64)",
            ["uint8"],
            institution_id(institution),
            kind_id(accredited.kind),
            int(accredited.valid_from.timestamp()),
        )
        return standing in (1, 2, 4)

    def _own_kind(self) -> bytes:
        """The kind this account anchors as: registrar when it may, else its only one."""
        if self._anchors_as is None:
            (kinds,) = self._ask("kindsOf(bytes32)", ["bytes32[]"], self.sender_institution())
            single = len(kinds) == 1 and kinds[0] != kind_id(REGISTRAR)
            self._anchors_as = bytes(kinds[0]) if single else kind_id(REGISTRAR)
        return self._anchors_as

    def _ask(self, signature: str, returns: list[str], *values: Any) -> tuple[Any, ...]:
        request = {
            "to": self.network.registry,
            "data": "0x" + call_data(signature, values).hex(),
        }
        answer = self._endpoint.call("eth_call", [request, "latest"])
        if answer == "0x":
            raise no_contract("CredentialAnchor", self.network.registry)
        return tuple(decode(returns, bytes.fromhex(answer[2:])))

    def _transact(self, signature: str, *values: Any) -> dict[str, Any]:
        return transact(
            self._endpoint,
            self.account,
            chain_id=self.network.chain_id,
            to=self.network.registry,
            data=call_data(signature, values),
        )
