"""The embedded chain as an endpoint: who may write, who reads meanwhile, and the way to a block."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from credential.text import Text
from ledger.chain.embedded.faults import ChainDamaged, ChainMissing, ChainReadOnly
from ledger.chain.embedded.owner import OwnerLock
from ledger.chain.embedded.values import (
    METHOD_NOT_FOUND,
    hexed,
    invalid,
    param,
    refused,
    to_bytes,
)
from ledger.chain.endpoint import EndpointError

if TYPE_CHECKING:
    from ledger.chain.embedded.node import Node

_FILE = "chain.sqlite"
# Chain ids of embedded chains: far above every registered one, exact in a JavaScript number.
_FIRST_ID = 1 << 40


class EmbeddedChain:
    """An endpoint. Open it with :meth:`open`; close it, or use it as a context manager.

    Calls may come from several threads: reads run side by side, transactions one after another.
    """

    def __init__(
        self, path: Path, owner: OwnerLock | None, writer: Node | None, clock: Callable[[], int]
    ) -> None:
        from ledger.chain.embedded.methods import READ_METHODS

        self._methods = READ_METHODS
        self._path = path
        self._owner = owner
        self._writer = writer
        self._clock = clock
        self._write_lock = threading.Lock()
        self._idle: list[Node] = []
        self._idle_lock = threading.Lock()
        self._closed = False
        with self._reader() as node:
            self._chain_id = node.chain_id
            self._operator = node.genesis_account

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        read_only: bool = False,
        operator: str | None = None,
        chain_id: int | None = None,
        clock: Callable[[], int] = lambda: int(time.time()),
    ) -> Self:
        """Open the chain in a directory.

        When there is none yet and ``operator`` (an address) is given it is made: its first block
        funds that address, and its chain id is ``chain_id`` or a random one of the range that
        embedded chains use, so that two of them are never taken for one another. ``clock`` gives
        Unix seconds. Raises ChainOwned, ChainMissing, ChainDamaged.
        """
        from ledger.chain.embedded.node import Node

        path = directory / _FILE
        if not path.is_file() and (read_only or operator is None):
            raise ChainMissing(directory)
        owner = None
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            owner = OwnerLock(directory)
        try:
            if not path.is_file():
                assert operator is not None
                number = chain_id or _FIRST_ID + secrets.randbelow(1 << 31)
                Node.create(path, chain_id=number, operator=operator, now=clock())
            node = Node(path, read_only=read_only)
            node.check(path)
        except (sqlite3.DatabaseError, KeyError, ValueError) as error:
            if owner is not None:
                owner.release()
            raise ChainDamaged(path, f"{type(error).__name__}: {error}") from error
        except BaseException:
            if owner is not None:
                owner.release()
            raise
        if read_only:
            node.store.close()
        return cls(path, owner, None if read_only else node, clock)

    @property
    def chain_id(self) -> int:
        return self._chain_id

    @property
    def operator(self) -> str:
        """The address the first block funds."""
        return self._operator

    @property
    def read_only(self) -> bool:
        return self._writer is None

    def call(self, method: str, params: list[Any]) -> Any:
        """One JSON-RPC request. Raises EndpointError, and ChainReadOnly for a transaction."""
        try:
            return self._answer(method, params)
        except RecursionError as error:
            raise refused("calls are nested too deep for this chain") from error

    def _answer(self, method: str, params: list[Any]) -> Any:
        if method == "eth_sendRawTransaction":
            return self._send(to_bytes(param(params, 0, "raw transaction"), "raw transaction"))
        answer = self._methods.get(method)
        if answer is None:
            raise EndpointError(
                METHOD_NOT_FOUND, f"the method {method} does not exist/is not available"
            )
        if not isinstance(params, list):
            raise invalid("params must be a list")
        with self._reader() as node, node.store.snapshot():
            return answer(node, params, self._clock())

    def close(self) -> None:
        """Let go of the file and of the ownership. Safe to call twice."""
        with self._idle_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for node in idle:
            node.store.close()
        with self._write_lock:
            if self._writer is not None:
                self._writer.store.close()
                self._writer = None
            if self._owner is not None:
                self._owner.release()
                self._owner = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, raw: bytes) -> str:
        from ledger.chain.embedded.admission import admit, include

        with self._write_lock:
            if self._writer is None:
                raise ChainReadOnly(
                    Text(
                        "읽기 전용 체인에 거래를 보냈습니다", "A transaction was sent to a reader"
                    ),
                    Text(
                        "체인을 소유한 프로세스로 보내 주세요",
                        "Send it to the process that owns the chain",
                    ),
                )
            now = self._clock()
            transaction = admit(self._writer, raw, now)
            include(self._writer, transaction, now)
            return hexed(transaction.hash)

    @contextmanager
    def _reader(self) -> Iterator[Node]:
        from ledger.chain.embedded.node import Node

        with self._idle_lock:
            node = self._idle.pop() if self._idle else None
        if node is None:
            node = Node(self._path, read_only=True)
        try:
            yield node
        finally:
            with self._idle_lock:
                if self._closed:
                    node.store.close()
                else:
                    self._idle.append(node)
