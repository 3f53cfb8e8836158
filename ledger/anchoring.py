"""Carries sealed batches to the chain: ``sealed → signed → broadcast → mined → final``.

Every arrow is one database transaction, and every effect on the chain can be repeated:

1. *sign*: under the lock of the sending account's row the next nonce is taken, the transaction is
   signed, and its raw bytes are stored. Nothing has been sent yet.
2. *send*: the stored bytes go to the node. Sent twice they are the same transaction.
3. *mine*: the receipt of one of the batch's transactions is found and written down.
4. *settle*: the block is still the canonical one and deep enough. If a reorganisation took it away
   the batch goes back to ``broadcast`` and the same bytes are sent again.

A crash between any two lines is resumed from the database alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

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
from ledger.database.models import Batch, ChainAccount, ChainTransaction


class BatchState(StrEnum):
    """The life of a batch; ``open`` and ``sealed`` are the issuer's, the rest happen here."""

    OPEN = "open"
    SEALED = "sealed"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    MINED = "mined"
    FINAL = "final"


PENDING = (BatchState.SEALED, BatchState.SIGNED, BatchState.BROADCAST, BatchState.MINED)


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


_CHECK_STANDING = Text(
    "기관 인증과 계약 상태를 확인한 뒤 baeum anchor를 다시 실행해 주세요",
    "Check the institution's accreditation and the contract, then run baeum anchor again",
)


class AnchorGateway(Protocol):
    """What the outbox needs of a chain; ``ledger.chain.gateway.Gateway`` is one."""

    @property
    def address(self) -> str: ...
    def nonce(self, address: str) -> int: ...
    def suggest_fees(self) -> Fees: ...
    def rehearse_anchor(self, root: bytes) -> None: ...
    def sign_anchor(self, root: bytes, nonce: int, fees: Fees) -> SignedTransaction: ...
    def send(self, raw: bytes) -> str: ...
    def receipt(self, transaction_hash: str) -> AnchorReceipt | None: ...
    def head(self) -> int: ...
    def block_hash(self, number: int) -> str | None: ...


class Sessions(Protocol):
    """Opens transactions: one that may write (committed at the end of the block, rolled back when
    it raises) and one that only reads."""

    def session(self) -> AbstractContextManager[Session]: ...
    def reading(self) -> AbstractContextManager[Session]: ...


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


def pending_batches(database: Sessions, chain_id: int) -> list[int]:
    """Ids of a chain's batches that are sealed but not final, oldest first."""
    with database.reading() as session:
        return list(
            session.scalars(
                select(Batch.id)
                .where(Batch.chain_id == chain_id, Batch.state.in_(PENDING))
                .order_by(Batch.id)
            )
        )


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
        self._database = database
        self._gateway = gateway
        self._chain_id = chain_id
        self._policy = policy
        self._clock = clock

    def pending(self) -> list[int]:
        """Ids of this chain's batches that are sealed but not final, oldest first."""
        return pending_batches(self._database, self._chain_id)

    def advance(self) -> Iterator[Step]:
        """One step of every pending batch."""
        for batch_id in self.pending():
            yield self.step(batch_id)

    def step(self, batch_id: int) -> Step:
        """Take the batch one arrow further, or leave it when it has to wait for the chain.

        Raises ``AnchorRefused`` and ``FeeAboveCap`` (the batch stays sealed), and
        ``EndpointUnreachable`` (nothing changed; try again later).
        """
        before = self._state(batch_id)
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
        return Step(batch_id, before, self._state(batch_id))

    # --- the arrows -------------------------------------------------------------------------------

    def _sign(self, batch_id: int) -> None:
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
        root = self._root(batch_id)
        try:
            self._gateway.rehearse_anchor(root)
        except ContractRefused as error:
            raise AnchorRefused(error.detail, _CHECK_STANDING, {"batch": batch_id}) from error
        address = self._gateway.address
        chain_nonce = self._gateway.nonce(address)
        with self._database.session() as session:
            account = self._lock_account(session, address, chain_nonce)
            batch = session.get_one(Batch, batch_id, with_for_update=True)
            if batch.state != BatchState.SEALED:
                return  # another worker was faster
            # Transactions the database does not know of (another tool used the account) only ever
            # move the chain's nonce up.
            nonce = max(account.next_nonce, chain_nonce)
            signed = self._gateway.sign_anchor(root, nonce, fees)
            session.add(self._row(batch_id, signed))
            account.next_nonce = nonce + 1
            batch.state = BatchState.SIGNED

    def _send(self, batch_id: int) -> None:
        transaction = self._transactions(batch_id)[0]
        self._offer(transaction)
        with self._database.session() as session:
            session.execute(
                update(ChainTransaction)
                .where(ChainTransaction.id == transaction.id)
                .values(sent_at=self._clock())
            )
            session.execute(
                update(Batch)
                .where(Batch.id == batch_id, Batch.state == BatchState.SIGNED)
                .values(state=BatchState.BROADCAST)
            )

    def _mine(self, batch_id: int) -> None:
        transactions = self._transactions(batch_id)
        for transaction in transactions:
            receipt = self._gateway.receipt(transaction.hash)
            if receipt is not None:
                self._record(batch_id, transaction, receipt)
                return
        newest = transactions[0]
        if self._gateway.nonce(newest.sender) > newest.nonce:
            # The nonce is spent and none of ours has a receipt. A node may index late, so ask once
            # more before giving the nonce up.
            if all(self._gateway.receipt(t.hash) is None for t in transactions):
                self._release(
                    batch_id, "the nonce was used by a transaction unknown to this database"
                )
            return
        taken = self._offer(newest)
        if not taken or self._clock() - newest.signed_at >= self._policy.replace_after:
            self._replace(batch_id, newest)
            self._offer(self._transactions(batch_id)[0])

    def _settle(self, batch_id: int) -> None:
        mined = next(t for t in self._transactions(batch_id) if t.block_hash is not None)
        assert mined.block_number is not None
        canonical = self._gateway.block_hash(mined.block_number)
        if canonical != mined.block_hash:
            self._unmine(batch_id, mined.id)
            return
        if self._gateway.head() - mined.block_number + 1 < self._policy.confirmations:
            return
        with self._database.session() as session:
            session.execute(
                update(Batch)
                .where(Batch.id == batch_id, Batch.state == BatchState.MINED)
                .values(state=BatchState.FINAL, final_at=self._clock())
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
                case _:
                    raise
        return True

    # --- what they are made of --------------------------------------------------------------------

    def _record(self, batch_id: int, transaction: ChainTransaction, receipt: AnchorReceipt) -> None:
        if not receipt.succeeded:
            self._release(batch_id, "the transaction was mined but the contract reverted")
            raise AnchorRefused(
                Text(
                    f"묶음 {batch_id}의 거래 {transaction.hash}가 거절되었습니다",
                    f"Transaction {transaction.hash} of batch {batch_id} was reverted",
                ),
                _CHECK_STANDING,
                {"batch": batch_id, "transaction": transaction.hash},
            )
        with self._database.session() as session:
            row = session.get_one(ChainTransaction, transaction.id)
            row.block_number = receipt.block_number
            row.block_hash = receipt.block_hash
            row.block_time = receipt.block_time
            row.gas_used = receipt.gas_used
            row.sequence = receipt.sequence
            row.head = receipt.head
            session.execute(
                update(Batch)
                .where(Batch.id == batch_id, Batch.state == BatchState.BROADCAST)
                .values(state=BatchState.MINED)
            )

    def _release(self, batch_id: int, reason: str) -> None:
        """Give up the nonce: the batch is sealed again and will be signed anew."""
        with self._database.session() as session:
            session.execute(
                update(ChainTransaction)
                .where(ChainTransaction.batch_id == batch_id, ChainTransaction.failure.is_(None))
                .values(failure=reason)
            )
            session.execute(
                update(Batch).where(Batch.id == batch_id).values(state=BatchState.SEALED)
            )

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
        if fees.max_fee_per_gas * 10 < old.max_fee_per_gas * 11:
            return  # at the cap: the old one keeps its place and goes on waiting
        signed = self._gateway.sign_anchor(self._root(batch_id), old.nonce, fees)
        with self._database.session() as session:
            batch = session.get_one(Batch, batch_id, with_for_update=True)
            if batch.state == BatchState.BROADCAST:
                session.add(self._row(batch_id, signed))

    def _unmine(self, batch_id: int, transaction_id: int) -> None:
        with self._database.session() as session:
            session.execute(
                update(ChainTransaction)
                .where(ChainTransaction.id == transaction_id)
                .values(
                    block_number=None,
                    block_hash=None,
                    block_time=None,
                    gas_used=None,
                    sequence=None,
                    head=None,
                )
            )
            session.execute(
                update(Batch)
                .where(Batch.id == batch_id, Batch.state == BatchState.MINED)
                .values(state=BatchState.BROADCAST)
            )

    def _lock_account(self, session: Session, address: str, chain_nonce: int) -> ChainAccount:
        account = session.get(ChainAccount, (self._chain_id, address), with_for_update=True)
        if account is None:
            account = ChainAccount(chain_id=self._chain_id, address=address, next_nonce=chain_nonce)
            session.add(account)
            session.flush()
        return account

    def _row(self, batch_id: int, signed: SignedTransaction) -> ChainTransaction:
        return ChainTransaction(
            batch_id=batch_id,
            chain_id=self._chain_id,
            sender=self._gateway.address,
            nonce=signed.nonce,
            hash=signed.hash,
            raw=signed.raw,
            max_fee_per_gas=signed.fees.max_fee_per_gas,
            max_priority_fee_per_gas=signed.fees.max_priority_fee_per_gas,
            signed_at=self._clock(),
        )

    def _transactions(self, batch_id: int) -> list[ChainTransaction]:
        """The batch's live transactions, newest first."""
        with self._database.reading() as session:
            return list(
                session.scalars(
                    select(ChainTransaction)
                    .where(
                        ChainTransaction.batch_id == batch_id, ChainTransaction.failure.is_(None)
                    )
                    .order_by(ChainTransaction.id.desc())
                )
            )

    def _root(self, batch_id: int) -> bytes:
        with self._database.reading() as session:
            root = session.get_one(Batch, batch_id).root
        if root is None:
            raise ValueError(f"batch {batch_id} is not sealed")
        return root

    def _state(self, batch_id: int) -> BatchState:
        with self._database.reading() as session:
            return BatchState(session.get_one(Batch, batch_id).state)
