"""py-evm over one store: the genesis block, the state after a block, and the making of blocks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.consensus.applier import ConsensusApplier
from eth.consensus.context import ConsensusContext
from eth.consensus.noproof import NoProofConsensus
from eth.exceptions import HeaderNotFound
from eth.typing import AccountDetails
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague import PragueVM
from eth_utils.address import to_canonical_address

from ledger.chain.embedded.faults import ChainDamaged, ChainMissing
from ledger.chain.embedded.store import Store

# py-evm lifts Python's recursion limit to 100,000 for the whole process. Deep JSON from a stranger
# would then overflow the C stack and end the process instead of raising RecursionError, so the
# interpreter's own limit is put back; a transaction nested too deep for it is refused.
sys.setrecursionlimit(1_000)

GAS_LIMIT = 30_000_000
GENESIS_BALANCE = 10**27  # wei; worth nothing, there only to pay the chain's own gas


class _Vm(PragueVM):
    """Prague, but several blocks may carry the same second.

    Ethereum wants each block later than its parent. A chain that makes a block of each transaction
    would then run ahead of the clock whenever more than one comes in a second, and the time of a
    block here is evidence of when something was recorded. So it is the real time, never earlier
    than the parent's.
    """

    consensus_class = NoProofConsensus

    @classmethod
    def validate_header(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        if header.timestamp == parent_header.timestamp:
            parent_header = parent_header.copy(timestamp=parent_header.timestamp - 1)
        super().validate_header(header, parent_header)


_VMS = ConsensusApplier(NoProofConsensus).amend_vm_configuration(((0, _Vm),))


def _chain_class(number: int) -> type[MiningChain]:
    class Chain(MiningChain):
        chain_id = number
        vm_configuration = _VMS
        consensus_context_class = ConsensusContext

    return Chain


def base_fee(header: BlockHeaderAPI) -> int:
    """Of a block, in wei per gas; every Prague block has one."""
    return header.base_fee_per_gas or 0


class Node:
    """One view of the chain over its own connection. For one thread at a time."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        if not path.is_file():
            raise ChainMissing(path.parent)
        self.store = Store(path, read_only=read_only)
        names = dict(self.store.rows("SELECT name, value FROM meta"))
        self.chain_id = int(names["chain_id"])
        self.genesis_account: str = names["operator"]
        self._chain = _chain_class(self.chain_id)(self.store)
        self._context = ChainContext(self.chain_id)

    @classmethod
    def create(cls, path: Path, *, chain_id: int, operator: str, now: int) -> None:
        """Write the genesis block, which funds ``operator``, to a file that appears only whole."""
        partial = path.with_suffix(".partial")
        for leftover in (partial, Path(f"{partial}-wal"), Path(f"{partial}-shm")):
            leftover.unlink(missing_ok=True)
        store = Store(partial, read_only=False, create=True)
        store.run("PRAGMA journal_mode=DELETE")
        with store.transaction():
            store.create_tables()
            store.run("INSERT INTO meta VALUES ('chain_id', ?)", (str(chain_id),))
            store.run("INSERT INTO meta VALUES ('operator', ?)", (operator,))
            account: AccountDetails = {
                "balance": GENESIS_BALANCE,
                "nonce": 0,
                "code": b"",
                "storage": {},
            }
            chain = _chain_class(chain_id).from_genesis(
                store,
                {
                    "difficulty": 0,
                    "gas_limit": GAS_LIMIT,
                    "timestamp": now,
                    "extra_data": b"baeum",
                    "coinbase": bytes(20),
                    "mix_hash": bytes(32),
                    "nonce": bytes(8),
                },
                {to_canonical_address(operator): account},
            )
            genesis = chain.get_canonical_head()
            store.run("INSERT INTO block VALUES (0, ?)", (genesis.hash,))
        store.close()
        partial.rename(path)

    def check(self, path: Path) -> None:
        """Raises ChainDamaged unless the index and py-evm's own store end in the same block."""
        ((number, found),) = self.store.rows(
            "SELECT number, hash FROM block ORDER BY number DESC LIMIT 1"
        )
        head = self.head()
        if (head.block_number, head.hash) != (number, found):
            raise ChainDamaged(path, f"index ends at block {number}, chain at {head.block_number}")

    # --- blocks

    def head(self) -> BlockHeaderAPI:
        return self._chain.get_canonical_head()

    def header(self, number: int) -> BlockHeaderAPI | None:
        """The canonical header of that number."""
        try:
            return self._chain.get_canonical_block_header_by_number(number)  # type: ignore[arg-type]
        except HeaderNotFound:
            return None

    def number_of(self, block_hash: bytes) -> int | None:
        rows = self.store.rows("SELECT number FROM block WHERE hash=?", (block_hash,))
        return rows[0][0] if rows else None

    def block(self, header: BlockHeaderAPI) -> BlockAPI:
        return self._chain.get_block_by_header(header)

    def receipts(self, header: BlockHeaderAPI) -> Sequence[ReceiptAPI]:
        return self.block(header).get_receipts(self._chain.chaindb)

    def next_header(self, now: int) -> BlockHeaderAPI:
        """The header a block made now begins with."""
        parent = self.head()
        return self._chain.create_header_from_parent(
            parent, timestamp=max(now, parent.timestamp), gas_limit=parent.gas_limit
        )

    def state(self, header: BlockHeaderAPI, *, free: bool = False) -> StateAPI:
        """The state after a block (or, for ``next_header``, before it), in that block's context.

        ``free`` sets the base fee to zero, for executions nobody pays. Changes are never stored.
        """
        if free:
            header = header.copy(base_fee_per_gas=0)
        return _Vm.build_state(self.store, header, self._context, self._earlier(header))

    def _earlier(self, header: BlockHeaderAPI) -> Any:
        # For the BLOCKHASH instruction; read only when a contract asks.
        for number in range(header.block_number - 1, max(-1, header.block_number - 257), -1):
            earlier = self.header(number)
            if earlier is None:
                return
            yield earlier.hash

    # --- transactions

    def decode(self, raw: bytes) -> SignedTransactionAPI:
        """Raises ValueError and its like for bytes that are no transaction."""
        return _Vm.get_transaction_builder().decode(raw)

    def place_of(self, transaction_hash: bytes) -> tuple[int, int, int] | None:
        """Block number, position in it, and number of logs before it; None when unknown."""
        rows = self.store.rows(
            "SELECT block, position, first_log FROM tx WHERE hash=?", (transaction_hash,)
        )
        return rows[0] if rows else None

    def mine(self, transactions: Sequence[SignedTransactionAPI], now: int) -> BlockHeaderAPI:
        """Make a block of the transactions; when this returns it is on disk, index rows and all."""
        with self.store.transaction():
            self._chain.header = self.next_header(now)
            try:
                result, receipts, _ = self._chain.mine_all(transactions)
            finally:
                self._chain.header = self._chain.ensure_header()
            header = result.imported_block.header
            self._index(header, transactions, receipts)
        return header

    def _index(
        self,
        header: BlockHeaderAPI,
        transactions: Sequence[SignedTransactionAPI],
        receipts: Sequence[ReceiptAPI],
    ) -> None:
        number = header.block_number
        self.store.run("INSERT INTO block VALUES (?, ?)", (number, header.hash))
        logs: list[tuple[Any, ...]] = []
        for position, (transaction, receipt) in enumerate(zip(transactions, receipts, strict=True)):
            self.store.run(
                "INSERT INTO tx VALUES (?, ?, ?, ?)",
                (transaction.hash, number, position, len(logs)),
            )
            for log in receipt.logs:
                topics = [topic.to_bytes(32, "big") for topic in log.topics]
                padded = [*topics, None, None, None, None][:4]
                logs.append(
                    (number, len(logs), position, transaction.hash, log.address, *padded, log.data)
                )
        self.store.run_many("INSERT INTO log VALUES (?,?,?,?,?,?,?,?,?,?)", logs)
