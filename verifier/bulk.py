"""Many verifications at once: all cores, in the order they came, never the whole batch in memory.

Each worker process is given its own verifier, with caches of its own, by a function that can be
pickled; evidence goes out in chunks, and what comes back is each report as JSON bytes, which cost a
tenth of a pickled report. The report is the one ``verifier.verify`` gives.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import count, islice
from multiprocessing import connection, get_context, parent_process
from typing import ClassVar, Self

import orjson

from credential.errors import BaeumError
from credential.text import Text
from verifier.report import Report, Verdict

CHUNK = 64
"""Pieces of evidence that travel together."""

Verify = Callable[[bytes], Report]
Make = Callable[[], AbstractContextManager[Verify]]
"""Makes a verifier inside a worker; must be picklable (a function or object of a module)."""


class VerificationInterrupted(BaeumError):
    """A worker process ended without an answer: killed, or out of memory."""

    code: ClassVar[str] = "verification-interrupted"
    title: ClassVar[Text] = Text("검증 작업이 중단되었습니다", "Verification was interrupted")
    status: ClassVar[int] = 503


@dataclass(frozen=True, slots=True)
class Verified:
    """One answer. ``number`` is the place among the evidence given, from 0; ``report`` is the JSON
    of ``Report.to_json``."""

    number: int
    verdict: Verdict
    report: bytes


class BulkVerifier:
    """Verifies in ``workers`` processes (in this one, when there is one). Use in a ``with`` block.

    The processes stay between calls, so that their caches are warm for the next.
    """

    def __init__(self, make: Make, *, workers: int = 2, chunk: int = CHUNK) -> None:
        if workers < 1 or chunk < 1:
            raise ValueError("at least one worker and one piece of evidence a chunk")
        self._make = make
        self._workers = workers
        self._chunk = chunk
        self._stack = ExitStack()
        self._submit: Callable[[list[bytes]], Future[list[_Answer]]] | None = None

    def __enter__(self) -> Self:
        if self._workers == 1:
            verify = self._stack.enter_context(self._make())
            self._submit = lambda chunk: _done([_answer(verify, one) for one in chunk])
        else:
            pool = self._stack.enter_context(
                ProcessPoolExecutor(
                    self._workers,
                    mp_context=get_context("spawn"),
                    initializer=_start,
                    initargs=(self._make,),
                )
            )
            self._submit = lambda chunk: pool.submit(_verify_in_worker, chunk)
        return self

    def __exit__(self, *_: object) -> None:
        self._submit = None
        self._stack.close()

    def verify(self, evidence: Iterable[bytes]) -> Iterator[Verified]:
        """The answers in the order of the evidence, as they are ready.

        Reads ahead by a few chunks and no more. Raises ``VerificationInterrupted``, and whatever
        making a verifier raises (for one worker; in several it shows as an interruption).
        """
        if self._submit is None:
            raise ValueError("use the verifier in a with block")
        numbers = count()
        pending: deque[Future[list[_Answer]]] = deque()
        try:
            source = iter(evidence)
            while chunk := list(islice(source, self._chunk)):
                pending.append(self._submit(chunk))
                if len(pending) > 2 * self._workers:
                    yield from _numbered(numbers, pending.popleft())
            while pending:
                yield from _numbered(numbers, pending.popleft())
        except BrokenProcessPool as error:
            raise VerificationInterrupted(
                Text(
                    "검증하던 프로세스가 갑자기 끝났습니다.",
                    "A verifying process ended unexpectedly.",
                ),
                Text(
                    "설정과 메모리를 확인하고 다시 실행해 주십시오.",
                    "Check the settings and the memory, then run it again.",
                ),
            ) from error
        finally:
            for future in pending:
                future.cancel()


_Answer = tuple[str, bytes]


def _numbered(numbers: Iterator[int], future: Future[list[_Answer]]) -> Iterator[Verified]:
    for verdict, report in future.result():
        yield Verified(next(numbers), Verdict(verdict), report)


def _answer(verify: Verify, evidence: bytes) -> _Answer:
    report = verify(evidence)
    return report.verdict.value, orjson.dumps(report.to_json())


def _done(answers: list[_Answer]) -> Future[list[_Answer]]:
    future: Future[list[_Answer]] = Future()
    future.set_result(answers)
    return future


# --- in a worker ----------------------------------------------------------------------------------

_worker: Verify | None = None
_open = ExitStack()


def _start(make: Make) -> None:
    global _worker
    # A worker waits on a queue whose other end it holds too, so it would outlive a parent that was
    # killed. The parent's own handle tells.
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _worker = _open.enter_context(make())


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _verify_in_worker(chunk: list[bytes]) -> list[_Answer]:
    assert _worker is not None, "the pool's initializer ran"
    return [_answer(_worker, one) for one in chunk]
