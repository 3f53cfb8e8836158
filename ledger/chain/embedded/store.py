"""The SQLite file of an embedded chain: py-evm's key-value store and the indexes beside it.

Everything a block brings, trie nodes and index rows alike, is one SQLite transaction, so the file
holds a whole block or none of it. ``synchronous=FULL`` in WAL mode: a commit that returned survives
a kill and a power cut. Readers see the last commit before their request and never wait for the
writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth.db.atomic import AtomicDBWriteBatch
from eth.db.backends.base import BaseAtomicDB

SCHEMA = """
CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE);
CREATE TABLE tx (
  hash BLOB PRIMARY KEY, block INTEGER NOT NULL, position INTEGER NOT NULL,
  first_log INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE log (
  block INTEGER NOT NULL, position INTEGER NOT NULL, tx_position INTEGER NOT NULL, tx BLOB NOT NULL,
  address BLOB NOT NULL, topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB, data BLOB NOT NULL,
  PRIMARY KEY (block, position)
) WITHOUT ROWID;
CREATE INDEX log_by_topic ON log (topic0, topic1, block);
CREATE INDEX log_by_address ON log (address, block);
"""


class Store(BaseAtomicDB):
    """One connection. Not for use by two threads at once; open one for each."""

    def __init__(self, path: Path, *, read_only: bool, create: bool = False) -> None:
        mode = "rwc" if create else "rw"
        # Readers are opened for writing but told to query only: after a crash the first to come
        # has to bring the write-ahead log in order, whoever that is.
        self._connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        execute = self._connection.execute
        execute("PRAGMA busy_timeout=10000")
        if not read_only:
            execute("PRAGMA journal_mode=WAL")
            execute("PRAGMA synchronous=FULL")
            execute("PRAGMA fullfsync=ON")  # macOS: through the drive's own cache as well
        else:
            execute("PRAGMA query_only=ON")
        self._depth = 0

    # --- the key-value store py-evm asks for

    def __getitem__(self, key: bytes) -> bytes:
        row = self._connection.execute("SELECT v FROM kv WHERE k=?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        value: bytes = row[0]
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO kv VALUES (?, ?)", (key, value))

    def __delitem__(self, key: bytes) -> None:
        self._connection.execute("DELETE FROM kv WHERE k=?", (key,))

    def _exists(self, key: bytes) -> bool:
        row = self._connection.execute("SELECT 1 FROM kv WHERE k=?", (key,)).fetchone()
        return row is not None

    @contextmanager
    def atomic_batch(self) -> Iterator[Any]:
        with self.transaction(), AtomicDBWriteBatch._commit_unless_raises(self) as batch:
            yield batch

    # --- transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an inner one is part of the outer one."""
        if self._depth == 0:
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self._connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads that see the same state of the file."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._connection.execute(query, values).fetchall()

    def run(self, query: str, values: Sequence[Any] = ()) -> None:
        self._connection.execute(query, values)

    def run_many(self, query: str, values: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(query, values)

    def create_tables(self) -> None:
        for statement in SCHEMA.split(";"):
            self._connection.execute(statement)

    def close(self) -> None:
        self._connection.close()


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
