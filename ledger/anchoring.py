"""Carries sealed batches to the chain: ``sealed → signed → broadcast → mined → final``.

Every arrow is one database transaction (``ledger.outbox``), and every effect on the chain can be
repeated:

1. *sign*: under the lock of the sending account's row the next nonce is taken, the transaction is
   signed, and its raw bytes are stored. Nothing has been sent yet.
2. *send*: the stored bytes go to the node. Sent twice they are the same transaction.
3. *mine*: the receipt of one of the batch's transactions is found and written down.
4. *settle*: the block is still the canonical one and deep enough. If a reorganisation took it away
   the batch goes back to ``broadcast`` and the same bytes are sent again.

A reorganisation deeper than the confirmations takes ``final`` batches away too: *recover* finds
those and takes them the same way back.

A crash between any two lines is resumed from the database alone. A transaction is given up, and
its batch signed anew, only when what took its place is as deep as a batch must be to be final: a
reorganisation must not bring back both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from credential.errors import BaeumError
from credential.text import Text
from ledger.chain.gateway import (
    AnchorReceipt,
    ContractRefused,
    Fees,
    Refusal,
    SignedTransaction,
    TransactionRefused,
)
from ledger.database.models import ChainTransaction
from ledger.outbox import PENDING, BatchState, Outbox, Sessions, pending_batches

__all__ = [
    "PENDING",
    "AnchorGateway",
    "AnchorPolicy",
    "AnchorRefused",
    "Anchorer",
    "BatchState",
    "FeeAboveCap",
    "NonceGap",
    "Sessions",
    "Step",
    "pending_batches",
]


class AnchorRefused(BaeumError):
    """The contract refused the root: the batch stays sealed and nothing was lost."""

    code = "anchor-refused"
    title = Text("기록망이 묶음을 거절했습니다", "The chain refused the batch")
    status: ClassVar[int] = 409


class FeeAboveCap(BaeumError):
    """The network asks more for a transaction than the operator allows."""

    code = "fee-above-cap"
    title = Text("수수료가 상한보다 높습니다", "The fee is above the cap")
    status: ClassVar[int] = 503


class NonceGap(BaeumError):
    """The account's next number belongs to no transaction, so the later ones wait for ever."""

    code = "nonce-gap"
    title = Text("계정의 거래 번호가 비어 있습니다", "A transaction number is vacant")
    status: ClassVar[int] = 503


_CHECK_STANDING = Text(
    "기관 인증과 계약 상태를 확인한 뒤 baeum anchor를 다시 실행해 주세요",
    "Check the institution's accreditation and the contract, then run baeum anchor again",
)


class AnchorGateway(Protocol):
    """What anchoring needs of a chain; ``ledger.chain.gateway.Gateway`` is one."""

    @property
    def address(self) -> str: ...
    def require_chain(self) -> None: ...
    def require_contract(self) -> None: ...
    def require_funds(self, fees: Fees) -> None: ...
    def nonce(self, address: str, block: int | None = None) -> int: ...
    def suggest_fees(self) -> Fees: ...
    def rehearse_anchor(self, root: bytes) -> None: ...
    def sign_anchor(self, root: bytes, nonce: int, fees: Fees) -> SignedTransaction: ...
    def send(self, raw: bytes) -> str: ...
    def receipt(self, transaction_hash: str) -> AnchorReceipt | None: ...
    def head(self) -> int: ...
    def block_hash(self, number: int) -> str | None: ...


@dataclass(frozen=True, slots=True)
class AnchorPolicy:
    """What the operator wants: depth, patience and the highest price."""

    confirmations: int = 1
    replace_after: timedelta = timedelta(minutes=3)
    max_fee_per_gas: int = 200 * 10**9


@dataclass(frozen=True, slots=True)
class Step:
    """One arrow taken by one batch; ``before == after`` when it has to wait."""

    batch_id: int
    before: BatchState
    after: BatchState


class Anchorer:
    """Drives the batches of one chain. Several may run: the database decides who takes a step."""

    def __init__(
        self,
        database: Sessions,
        gateway: AnchorGateway,
        *,
        chain_id: int,
        policy: AnchorPolicy,
        clock: Callable[[], datetime],
    ) -> None:
        self._outbox = Outbox(database, chain_id, gateway.address, clock)
        self._gateway = gateway
        self._policy = policy
        self._clock = clock

    def pending(self) -> list[int]:
        """Ids of this chain's batches that are sealed but not final, oldest first."""
        return self._outbox.pending()

    def advance(self) -> Iterator[Step]:
        """One step of every pending batch."""
        for batch_id in self.pending():
            yield self.step(batch_id)

    def step(self, batch_id: int) -> Step:
        """Take the batch one arrow further, or leave it when it has to wait for the chain.

        Raises ``AnchorRefused``, ``FeeAboveCap`` and ``AccountEmpty`` (the batch stays sealed or
        waits), ``WrongChain`` (before anything is signed or sent), ``NonceGap``, and
        ``EndpointUnreachable`` and ``EndpointError`` (nothing changed; try again later).
        """
        before = self._outbox.state(batch_id)
        if before in PENDING:
            self._gateway.require_chain()
        match before:
            case BatchState.SEALED:
                self._sign(batch_id)
            case BatchState.SIGNED:
                self._send(batch_id)
            case BatchState.BROADCAST:
                self._mine(batch_id)
            case BatchState.MINED:
                self._settle(batch_id)
            case BatchState.OPEN | BatchState.FINAL:
                pass
        return Step(batch_id, before, self._outbox.state(batch_id))

    def recover(self) -> list[Step]:
        """Take back to ``broadcast`` every ``final`` batch whose block is gone; which those were.

        A chain that has a block has all before it, so the newest are asked about until one is
        there: two questions in the ordinary case. A node that has not come as far as a block tells
        nothing about it. Taking back is safe even when the node is wrong: what is sent again are
        the same bytes. Receipts handed out before name a block that is gone, and are to be handed
        out anew. Raises ``WrongChain``, ``EndpointUnreachable``, ``EndpointError``, and
        ``CodeDiffers`` for a chain without our contract, which is no fork of ours.
        """
        looked_at: list[ChainTransaction] = []
        gone = 0
        head = -1
        for transaction in self._outbox.finals():
            if not looked_at:
                self._gateway.require_chain()
                head = self._gateway.head()
            looked_at.append(transaction)
            number = transaction.block_number
            canonical = self._gateway.block_hash(number) if number and number <= head else None
            if canonical == transaction.block_hash:
                break
            if canonical is not None:
                gone = len(looked_at)  # and with it every block after it
        if gone:
            self._gateway.require_contract()
        return [self._take_back(transaction) for transaction in looked_at[:gone]]

    def _take_back(self, transaction: ChainTransaction) -> Step:
        self._outbox.unmine(transaction.batch_id, transaction)
        after = self._outbox.state(transaction.batch_id)
        return Step(transaction.batch_id, BatchState.FINAL, after)

    # --- the arrows -------------------------------------------------------------------------------

    def _sign(self, batch_id: int) -> None:
        for transaction in self._outbox.given_up(batch_id):
            receipt = self._gateway.receipt(transaction.hash)
            if receipt is not None and receipt.anchored:
                self._outbox.mined(batch_id, transaction, receipt)  # given up too soon
                return
        fees = self._gateway.suggest_fees()
        if fees.max_fee_per_gas > self._policy.max_fee_per_gas:
            raise FeeAboveCap(
                Text(
                    f"요구 수수료 {fees.max_fee_per_gas} wei가 상한 "
                    f"{self._policy.max_fee_per_gas} wei보다 높습니다",
                    f"The network asks {fees.max_fee_per_gas} wei per gas; the cap is "
                    f"{self._policy.max_fee_per_gas} wei",
                ),
                Text(
                    "잠시 뒤 다시 시도하거나 BAEUM_MAX_FEE_GWEI를 올려 주세요",
                    "Try again later, or raise BAEUM_MAX_FEE_GWEI",
                ),
            )
        self._gateway.require_funds(fees)
        root = self._outbox.root(batch_id)
        try:
            self._gateway.rehearse_anchor(root)
        except ContractRefused as error:
            if self._outbox.state(batch_id) is not BatchState.SEALED:
                return  # another worker was faster, and what refuses it is that one's anchor
            raise AnchorRefused(error.detail, _CHECK_STANDING, {"batch": batch_id}) from error
        self._outbox.sign(
            batch_id,
            self._gateway.nonce(self._gateway.address),
            lambda nonce: self._gateway.sign_anchor(root, nonce, fees),
        )

    def _send(self, batch_id: int) -> None:
        for transaction in self._outbox.live(batch_id)[:1]:
            self._offer(transaction)
            self._outbox.sent(batch_id, transaction)

    def _mine(self, batch_id: int) -> None:
        transactions = self._outbox.live(batch_id)
        if not transactions:
            return  # another worker gave them up meanwhile
        for transaction in transactions:
            receipt = self._gateway.receipt(transaction.hash)
            if receipt is not None and receipt.anchored:
                self._outbox.mined(batch_id, transaction, receipt)
                return
            if receipt is not None:
                self._refused(batch_id, transactions, transaction, receipt)
                return
        newest = transactions[0]
        next_nonce = self._gateway.nonce(newest.sender)
        if next_nonce > newest.nonce:
            self._overtaken(batch_id, transactions)
            return
        taken = self._offer(newest)
        # A clock that was set back makes an age negative; that is no reason to wait the longer.
        age = self._clock() - newest.signed_at
        if taken and timedelta(0) <= age < self._policy.replace_after:
            return
        if next_nonce < newest.nonce:
            # It waits for the one before it, whatever it offers.
            if not self._outbox.holds(next_nonce):
                raise _gap(newest, next_nonce)
            return
        self._replace(batch_id, newest)

    def _settle(self, batch_id: int) -> None:
        mined = next((t for t in self._outbox.live(batch_id) if t.block_hash is not None), None)
        if mined is None or mined.block_number is None:
            return  # another worker took it back meanwhile
        head = self._gateway.head()
        if head < mined.block_number:
            return  # a node that lags behind tells nothing
        canonical = self._gateway.block_hash(mined.block_number)
        if canonical is None:
            return
        if canonical != mined.block_hash:
            self._outbox.unmine(batch_id, mined)
        elif head - mined.block_number + 1 >= self._policy.confirmations:
            self._outbox.finish(batch_id, mined)

    # --- what they are made of --------------------------------------------------------------------

    def _refused(
        self,
        batch_id: int,
        transactions: list[ChainTransaction],
        transaction: ChainTransaction,
        receipt: AnchorReceipt,
    ) -> None:
        """It was mined and anchored nothing. Given up only when that cannot be undone."""
        depth = self._gateway.head() - receipt.block_number + 1
        if depth < self._policy.confirmations:
            return
        if self._gateway.block_hash(receipt.block_number) != receipt.block_hash:
            return
        reason = "the transaction was mined but the contract reverted"
        if self._outbox.give_up(batch_id, transactions, reason):
            raise AnchorRefused(
                Text(
                    f"묶음 {batch_id}의 거래 {transaction.hash}가 거절되었습니다",
                    f"Transaction {transaction.hash} of batch {batch_id} was reverted",
                ),
                _CHECK_STANDING,
                {"batch": batch_id, "transaction": transaction.hash},
            )

    def _overtaken(self, batch_id: int, transactions: list[ChainTransaction]) -> None:
        """The nonce is spent and none of ours has a receipt. The transaction that has it must be
        deep, and a node may index late: so ask for the nonce further back, then once more for ours.
        """
        newest = transactions[0]
        deep = max(0, self._gateway.head() - self._policy.confirmations + 1)
        if self._gateway.nonce(newest.sender, deep) <= newest.nonce:
            return
        if all(self._gateway.receipt(t.hash) is None for t in transactions):
            self._outbox.give_up(
                batch_id,
                transactions,
                "the nonce was used by a transaction unknown to this database",
            )

    def _offer(self, transaction: ChainTransaction) -> bool:
        """Hand the bytes to the node. False when it asks for more; what waits or is spent already
        is settled by the next look for a receipt. Raises what only the operator can mend."""
        try:
            self._gateway.send(transaction.raw)
        except TransactionRefused as error:
            match error.reason:
                case Refusal.FEE_TOO_LOW:
                    return False
                case Refusal.NONCE_TOO_LOW | Refusal.NONCE_TOO_HIGH | Refusal.UNDERPRICED:
                    return True
                case Refusal.INSUFFICIENT_FUNDS:
                    self._gateway.require_funds(_fees(transaction))
            raise
        return True

    def _replace(self, batch_id: int, old: ChainTransaction) -> None:
        """Sign the same nonce again for more: nodes ask at least a tenth, we give an eighth."""
        suggested = self._gateway.suggest_fees()
        fees = Fees(
            max_fee_per_gas=min(
                self._policy.max_fee_per_gas,
                max(suggested.max_fee_per_gas, old.max_fee_per_gas * 9 // 8 + 1),
            ),
            max_priority_fee_per_gas=max(
                suggested.max_priority_fee_per_gas, old.max_priority_fee_per_gas * 9 // 8 + 1
            ),
        )
        if (
            fees.max_fee_per_gas * 10 < old.max_fee_per_gas * 11
            or fees.max_priority_fee_per_gas > fees.max_fee_per_gas
        ):
            return  # at the cap: the old one keeps its place and goes on waiting
        signed = self._gateway.sign_anchor(self._outbox.root(batch_id), old.nonce, fees)
        replacement = self._outbox.replace(batch_id, old, signed)
        if replacement is not None:
            self._offer(replacement)


def _fees(transaction: ChainTransaction) -> Fees:
    return Fees(transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas)


def _gap(waiting: ChainTransaction, vacant: int) -> NonceGap:
    return NonceGap(
        Text(
            f"계정 {waiting.sender}의 거래 {vacant}번이 비어 있어 {waiting.nonce}번이 기다립니다",
            f"Number {vacant} of account {waiting.sender} is vacant, so number {waiting.nonce} "
            "waits",
        ),
        Text(
            "묶음을 하나 더 봉인해 기록하면 빈 번호부터 채웁니다. 급하면 이 계정에서 그 번호로 "
            "0원짜리 거래를 보내 주세요",
            "The next batch takes the vacant number; if it cannot wait, send a transaction of "
            "value zero with that number from this account",
        ),
        {"address": waiting.sender, "nonce": vacant},
    )
