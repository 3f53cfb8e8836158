"""A small JSON-RPC caller, so that the verifier works where nothing else of Baeum is installed.

The address comes from the verifier's own trust file, so private addresses and plain http are
allowed here; what a *credential* names is fetched by ``verifier.guarded`` alone.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
import orjson

from credential.errors import BaeumError
from credential.quorum import Quorum, majority
from credential.text import Text

MAX_ANSWER = 8 * 1024 * 1024


class RpcRefused(BaeumError):
    """The node answered with an error, or with something that is not JSON-RPC."""

    code: ClassVar[str] = "endpoint-error"
    title: ClassVar[Text] = Text("체인 노드가 오류로 답했습니다", "The node answered with an error")
    status: ClassVar[int] = 502


class HttpRpc:
    """``HttpRpc(url)(method, params)`` is the ``result``.

    Raises ``OSError`` when the node cannot be reached and ``RpcRefused`` when it says no.
    Connections are kept open; one object may be used from several threads.
    """

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        self._url = url
        self._client = httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False)
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def __call__(self, method: str, params: list[Any]) -> Any:
        with self._lock:
            number = next(self._ids)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        try:
            response = self._client.post(self._url, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise ConnectionError(str(failure)) from failure
        if response.status_code >= 500:
            raise ConnectionError(f"HTTP {response.status_code}")
        if len(response.content) > MAX_ANSWER:
            raise _refused("answer too large", None)
        try:
            answer = orjson.loads(response.content)  # bounded depth, unlike the standard parser
        except orjson.JSONDecodeError as wrong:
            raise _refused(f"HTTP {response.status_code}, not JSON", None) from wrong
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise _refused("not JSON-RPC", None)
        error = answer.get("error")
        if error is not None:
            message = error.get("message") if isinstance(error, dict) else None
            raise _refused(str(message or "error"), error if isinstance(error, dict) else None)
        return answer["result"]

    def close(self) -> None:
        self._client.close()


def rpc_at(urls: Sequence[str], required: int | None = None) -> Callable[[str, list[Any]], Any]:
    """A caller of the node at one address, or of those at several: then ``required`` of them
    (more than half unless it is said) must agree, or ``NodesDisagree`` or ``TooFewAnswers``."""
    if len(urls) == 1:
        return HttpRpc(urls[0])
    return Quorum(
        [(urlsplit(url).netloc.rpartition("@")[2], HttpRpc(url)) for url in urls],
        majority(len(urls)) if required is None else required,
        lambda error: error.code if isinstance(error, BaeumError) else None,
    )


def _refused(what: str, error: dict[str, Any] | None) -> RpcRefused:
    return RpcRefused(
        Text(f"체인 노드의 답: {what}", f"The node says: {what}"),
        Text(
            "노드의 상태와 허용된 메서드를 확인해 주십시오.",
            "Check the state of the node and the methods it allows.",
        ),
        {"rpcCode": error.get("code")} if error else {},
    )
