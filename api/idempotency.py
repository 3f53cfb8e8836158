"""``Idempotency-Key``: a write that is sent again under its key is done once, answered the same.

A route takes ``once: GivenOnce`` and answers with ``await once(work)``; without the header the work
is simply done. The key belongs to who sends it. What failed may be tried again under its key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from api.access import door_of
from api.problems import MalformedRequest
from api.routes.given import reading
from credential.text import Text
from ledger.access import answered

HEADER = "idempotency-key"
_LONGEST = 255


class Once:
    """One request's key, if it sent one."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def __call__(self, who: str, work: Callable[[], Awaitable[Response]]) -> Response:
        """What ``work`` answers, or answered when it was done before for ``who``.

        Raises ``KeyReused`` (422), ``StillRunning`` (409), ``MalformedRequest``.
        """
        key = self._request.headers.get(HEADER)
        if key is None:
            return await work()
        if not key.isascii() or not key.isprintable() or not 1 <= len(key) <= _LONGEST:
            raise MalformedRequest(
                Text(
                    f"Idempotency-Key는 {_LONGEST}자 이하의 글자여야 합니다.",
                    f"An Idempotency-Key has 1 to {_LONGEST} printable ASCII characters.",
                )
            )
        door, pool = door_of(self._request), reading(self._request)
        digest = await self._digest()
        known = await pool.run(lambda: answered.take(door.database, who, key, digest, door.now()))
        if known is not None:
            return Response(
                known.body,
                known.status,
                {"Idempotency-Replayed": "true", "Cache-Control": "no-store"},
                media_type=known.content_type,
            )
        try:
            answer = await work()
        except BaseException:
            await pool.run(lambda: answered.give_back(door.database, who, key))
            raise
        kept = answered.Answer(
            answer.status_code, answer.headers.get("content-type", ""), bytes(answer.body)
        )
        await pool.run(lambda: answered.keep(door.database, who, key, kept))
        return answer

    async def _digest(self) -> bytes:
        total = hashlib.sha256()
        for part in (
            self._request.method.encode(),
            self._request.url.path.encode(),
            self._request.url.query.encode(),
            await self._request.body(),
        ):
            total.update(len(part).to_bytes(8, "big") + part)
        return total.digest()


GivenOnce = Annotated[Once, Depends(Once)]
