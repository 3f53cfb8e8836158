"""The database's side of anchoring: batches, their signed transactions, and who may sign next.

Each method is one transaction. Every one that changes something looks again, under the batch's row
lock, whether the batch is still what its caller saw: what a slower worker concluded from an older
look changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Executable, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ledger.chain.gateway import AnchorReceipt, SignedTransaction
from ledger.database.models import Batch, ChainAccount, ChainTransaction


class BatchState(StrEnum):
    """The life of a batch; ``open`` and ``sealed`` are the issuer's, the rest is anchoring's."""

    OPEN = "open"
    SEALED = "sealed"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    MINED = "mined"
    FINAL = "final"


PENDING = (BatchState.SEALED, BatchState.SIGNED, BatchState.BROADCAST, BatchState.MINED)


class Sessions(Protocol):
    """Opens transactions: one that may write (committed at the end of the block, rolled back when
    it raises) and one that only reads."""

    def session(self) -> AbstractContextManager[Session]: ...
    def reading(self) -> AbstractContextManager[Session]: ...


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


class Outbox:
    """The stored transactions of one chain."""

    def __init__(
        self, database: Sessions, chain_id: int, sender: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._chain_id = chain_id
        self._sender = sender
        self._clock = clock

    # --- looking

    def pending(self) -> list[int]:
        return pending_batches(self._database, self._chain_id)

    def state(self, batch_id: int) -> BatchState:
        with self._database.reading() as session:
            return BatchState(session.get_one(Batch, batch_id).state)

    def root(self, batch_id: int) -> bytes:
        with self._database.reading() as session:
            root = session.get_one(Batch, batch_id).root
        if root is None:
            raise ValueError(f"batch {batch_id} is not sealed")
        return root

    def live(self, batch_id: int) -> list[ChainTransaction]:
        """The batch's transactions that count, newest first."""
        return self._transactions(batch_id, given_up=False)

    def given_up(self, batch_id: int) -> list[ChainTransaction]:
        """Those that failed, newest first."""
        return self._transactions(batch_id, given_up=True)

    def finals(self, page: int = 64) -> Iterator[ChainTransaction]:
        """What made batches final, from the newest block down."""
        found, seen = page, 0
        while found == page:
            with self._database.reading() as session:
                rows = session.scalars(
                    select(ChainTransaction)
                    .join(Batch, Batch.id == ChainTransaction.batch_id)
                    .where(
                        Batch.chain_id == self._chain_id,
                        Batch.state == BatchState.FINAL,
                        ChainTransaction.block_number.is_not(None),
                        ChainTransaction.failure.is_(None),
                    )
                    .order_by(ChainTransaction.block_number.desc(), ChainTransaction.id.desc())
                    .offset(seen)
                    .limit(page)
                ).all()
            yield from rows
            found, seen = len(rows), seen + len(rows)

    def holds(self, nonce: int) -> bool:
        """Whether a transaction that counts has this nonce."""
        with self._database.reading() as session:
            return nonce in self._nonces(session, nonce)

    # --- changing

    def sign(
        self, batch_id: int, chain_nonce: int, sign: Callable[[int], SignedTransaction]
    ) -> None:
        """Take the next nonce, sign with it, store the bytes: sealed → signed.

        The next nonce is the lowest one that neither the chain nor a stored transaction has used,
        so that a nonce somebody gave up is taken again and leaves no gap.
        """
        with self._database.session() as session:
            account = self._locked_account(session, chain_nonce)
            batch = self._locked(session, batch_id)
            if batch.state != BatchState.SEALED:
                return  # another worker was faster
            taken = self._nonces(session, chain_nonce)
            nonce = chain_nonce
            while nonce in taken:
                nonce += 1
            session.add(self._row(batch_id, sign(nonce)))
            account.next_nonce = nonce + 1
            batch.state = BatchState.SIGNED

    def sent(self, batch_id: int, transaction: ChainTransaction) -> None:
        """signed → broadcast."""
        with self._database.session() as session:
            batch = self._locked(session, batch_id)
            session.get_one(ChainTransaction, transaction.id).sent_at = self._clock()
            if batch.state == BatchState.SIGNED:
                batch.state = BatchState.BROADCAST

    def replace(
        self, batch_id: int, old: ChainTransaction, signed: SignedTransaction
    ) -> ChainTransaction | None:
        """Store a replacement of the newest transaction; None when that is not the newest now."""
        with self._database.session() as session:
            batch = self._locked(session, batch_id)
            newest = next(iter(self._of(session, batch_id, given_up=False)), None)
            if batch.state != BatchState.BROADCAST or newest is None or newest.id != old.id:
                return None
            row = self._row(batch_id, signed)
            session.add(row)
            session.flush()
            return row

    def mined(self, batch_id: int, transaction: ChainTransaction, receipt: AnchorReceipt) -> None:
        """Write the receipt down: → mined, from sealed for one given up too soon."""
        with self._database.session() as session:
            batch = self._locked(session, batch_id)
            if batch.state not in (BatchState.BROADCAST, BatchState.SEALED):
                return
            row = session.get_one(ChainTransaction, transaction.id)
            row.failure = None
            row.block_number = receipt.block_number
            row.block_hash = receipt.block_hash
            row.block_time = receipt.block_time
            row.gas_used = receipt.gas_used
            row.sequence = receipt.sequence
            row.head = receipt.head
            batch.state = BatchState.MINED

    def unmine(self, batch_id: int, transaction: ChainTransaction) -> None:
        """The block is gone: mined → broadcast, or final → broadcast."""
        with self._database.session() as session:
            row = self._still_in_block(
                session, batch_id, transaction, BatchState.MINED, BatchState.FINAL
            )
            if row is None:
                return
            row.block_number = row.block_hash = row.block_time = None
            row.gas_used = row.sequence = row.head = None
            batch = self._locked(session, batch_id)
            batch.state = BatchState.BROADCAST
            batch.final_at = None

    def finish(self, batch_id: int, transaction: ChainTransaction) -> None:
        """The block is deep enough: mined → final."""
        with self._database.session() as session:
            if self._still_in_block(session, batch_id, transaction, BatchState.MINED) is None:
                return
            batch = self._locked(session, batch_id)
            batch.state = BatchState.FINAL
            batch.final_at = self._clock()

    def give_up(self, batch_id: int, seen: Iterable[ChainTransaction], reason: str) -> bool:
        """None of these can be mined any more: broadcast → sealed, to be signed anew.

        False when the batch has gone on since, or has transactions the caller did not see.
        """
        with self._database.session() as session:
            batch = self._locked(session, batch_id)
            rows = self._of(session, batch_id, given_up=False)
            if batch.state != BatchState.BROADCAST or {r.id for r in rows} != {s.id for s in seen}:
                return False
            for row in rows:
                row.failure = reason
            batch.state = BatchState.SEALED
            return True

    # --- rows

    def _transactions(self, batch_id: int, *, given_up: bool) -> list[ChainTransaction]:
        with self._database.reading() as session:
            return self._of(session, batch_id, given_up=given_up)

    def _of(self, session: Session, batch_id: int, *, given_up: bool) -> list[ChainTransaction]:
        failure = ChainTransaction.failure
        return list(
            session.scalars(
                select(ChainTransaction)
                .where(
                    ChainTransaction.batch_id == batch_id,
                    failure.is_not(None) if given_up else failure.is_(None),
                )
                .order_by(ChainTransaction.id.desc())
            )
        )

    def _nonces(self, session: Session, first: int) -> set[int]:
        """Of the transactions that count, from ``first`` on."""
        return set(
            session.scalars(
                select(ChainTransaction.nonce).where(
                    ChainTransaction.chain_id == self._chain_id,
                    ChainTransaction.sender == self._sender,
                    ChainTransaction.nonce >= first,
                    ChainTransaction.failure.is_(None),
                )
            )
        )

    def _still_in_block(
        self,
        session: Session,
        batch_id: int,
        transaction: ChainTransaction,
        *states: BatchState,
    ) -> ChainTransaction | None:
        """The row, while the batch is in one of the states and in the block that was seen."""
        batch = self._locked(session, batch_id)
        row = session.get_one(ChainTransaction, transaction.id)
        same = row.block_hash == transaction.block_hash
        return row if batch.state in states and same else None

    @staticmethod
    def _locked(session: Session, batch_id: int) -> Batch:
        return session.get_one(Batch, batch_id, with_for_update=True)

    def _locked_account(self, session: Session, chain_nonce: int) -> ChainAccount:
        key = (self._chain_id, self._sender)
        account = session.get(ChainAccount, key, with_for_update=True)
        if account is None:
            # Of two workers that start at once one waits here for the other's row.
            dialect = session.get_bind().dialect.name
            session.execute(_insert_account(dialect, *key, chain_nonce))
            account = session.get_one(ChainAccount, key, with_for_update=True)
        return account

    def _row(self, batch_id: int, signed: SignedTransaction) -> ChainTransaction:
        return ChainTransaction(
            batch_id=batch_id,
            chain_id=self._chain_id,
            sender=self._sender,
            nonce=signed.nonce,
            hash=signed.hash,
            raw=signed.raw,
            max_fee_per_gas=signed.fees.max_fee_per_gas,
            max_priority_fee_per_gas=signed.fees.max_priority_fee_per_gas,
            signed_at=self._clock(),
        )


def _insert_account(dialect: str, chain_id: int, address: str, next_nonce: int) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    row = {"chain_id": chain_id, "address": address, "next_nonce": next_nonce}
    return insert(ChainAccount).values(row).on_conflict_do_nothing()
