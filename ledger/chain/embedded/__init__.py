"""An EVM chain inside one process: real Prague blocks (py-evm) on a crash-safe SQLite file.

One process owns the chain and makes a block of every transaction it is sent; the block is on disk
before the sender is answered. Any number of other processes may read it meanwhile. It is a real
chain for everything that speaks JSON-RPC, but run by one party: it proves nothing to others.

Importing this package is cheap; py-evm (1.5 s) is loaded when a chain is opened.
"""

from __future__ import annotations

from ledger.chain.embedded.chain import EmbeddedChain
from ledger.chain.embedded.faults import ChainDamaged, ChainMissing, ChainOwned, ChainReadOnly

__all__ = ["ChainDamaged", "ChainMissing", "ChainOwned", "ChainReadOnly", "EmbeddedChain"]
