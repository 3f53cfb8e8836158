"""A bounded place for work that blocks: so many at once, so many waiting, so long.

The event loop stays free while a credential is checked. Someone who floods the service fills the
queue and is told to come back; memory and threads stay as they were.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from api.problems import Busy, TookTooLong
from credential.text import Text

Result = TypeVar("Result")


class Workshop:
    """``workers`` threads; at most ``waiting`` jobs beside them; ``seconds`` for each caller."""

    def __init__(self, *, workers: int, waiting: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="baeum-verify")
        self._places = workers + waiting
        self._seconds = seconds
        self._inside = 0
        self._lock = threading.Lock()

    async def run(self, job: Callable[[], Result]) -> Result:
        """What ``job`` returns or raises.

        Raises `Busy` when every place is taken and `TookTooLong` after the time limit. A thread
        cannot be stopped, so a job that took too long keeps its place until it really ends.
        """
        with self._lock:
            if self._inside >= self._places:
                raise Busy(
                    Text("확인을 기다리는 요청이 가득 찼습니다.", "The queue of checks is full."),
                    Text("몇 초 뒤 다시 보내 주세요.", "Please send it again in a few seconds."),
                )
            self._inside += 1
        future = self._pool.submit(job)
        future.add_done_callback(self._leave)
        waiter = asyncio.wrap_future(future)
        done, _ = await asyncio.wait({waiter}, timeout=self._seconds)
        if waiter not in done:
            waiter.cancel()
            raise TookTooLong(
                Text(
                    f"{self._seconds:g}초 안에 끝나지 않았습니다. 증명서가 가짜라는 뜻이 아닙니다.",
                    f"It did not finish within {self._seconds:g} seconds. "
                    "This does not mean that the certificate is false.",
                ),
                Text("잠시 뒤 다시 해 주세요.", "Please try again in a moment."),
            )
        return waiter.result()

    def _leave(self, _future: Future[Result]) -> None:
        with self._lock:
            self._inside -= 1

    def close(self) -> None:
        """Take no more; what waits is dropped, what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
