"""Any Ethereum node behind one method: ``call(method, params)``.

The HTTP client here is small on purpose: a bare ``eth_call`` through it costs a tenth of one
through web3, whose import alone takes two seconds. Credentials may stand in the URL
(``https://user:pass@``); they are sent as an Authorization header and never appear in an error.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import ssl
import threading
from typing import Any, ClassVar, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from credential.errors import BaeumError
from credential.text import Text

_LARGEST_ANSWER = 64 * 2**20


class Endpoint(Protocol):
    """A node. Raises EndpointUnreachable or EndpointError."""

    def call(self, method: str, params: list[Any]) -> Any:
        """The ``result`` of one JSON-RPC request."""
        ...


class EndpointUnreachable(BaeumError):
    """The node did not answer: down, too slow, or not a node. Says nothing about the chain."""

    code: ClassVar[str] = "endpoint-unreachable"
    title: ClassVar[Text] = Text(
        "체인 노드에 연결할 수 없습니다", "The chain node cannot be reached"
    )
    status: ClassVar[int] = 503


class EndpointError(BaeumError):
    """The node answered with an error. ``rpc_code``, ``message`` and ``data`` are the node's."""

    code: ClassVar[str] = "endpoint-error"
    title: ClassVar[Text] = Text(
        "체인 노드가 요청을 거절했습니다", "The chain node refused the request"
    )
    status: ClassVar[int] = 502

    def __init__(self, rpc_code: int, message: str, data: Any = None) -> None:
        super().__init__(
            Text(
                f"체인 노드가 오류 {rpc_code}을(를) 돌려주었습니다: {message}",
                f"The chain node answered with error {rpc_code}: {message}",
            ),
            None,
            {"rpcCode": rpc_code, "rpcMessage": message},
        )
        self.rpc_code = rpc_code
        self.message = message
        self.data = data

    @property
    def reverted(self) -> bool:
        """Whether a contract refused (rather than the node)."""
        return self.rpc_code == 3 or "execution reverted" in self.message

    def revert_data(self) -> bytes:
        """What the contract reverted with, empty when the node does not say."""
        data = self.data.get("data") if isinstance(self.data, dict) else self.data
        if isinstance(data, str) and data.startswith("0x"):
            try:
                return bytes.fromhex(data[2:])
            except ValueError:
                return b""
        return b""


class WrongChain(BaeumError):
    """The node is on another chain than the one configured."""

    code: ClassVar[str] = "wrong-chain"
    title: ClassVar[Text] = Text("다른 체인의 노드입니다", "The node is on another chain")
    status: ClassVar[int] = 503


class HttpEndpoint:
    """A JSON-RPC node over HTTP or HTTPS. Safe to use from several threads.

    ``timeout`` is in seconds, for connecting and for each wait on the answer.
    """

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EndpointUnreachable(
                Text(
                    "체인 노드 주소가 http(s) 주소가 아닙니다",
                    "The node address is not an http(s) URL",
                ),
                Text("BAEUM_CHAIN_URL을 확인해 주세요", "Check BAEUM_CHAIN_URL"),
            )
        self._parts: SplitResult = parts
        self._timeout = timeout
        self._ids = itertools.count(1)
        self._local = threading.local()
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            token = base64.b64encode(pair.encode()).decode("ascii")
            self._headers["Authorization"] = f"Basic {token}"

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        port = f":{self._parts.port}" if self._parts.port else ""
        return f"{self._parts.scheme}://{self._parts.hostname}{port}"

    @property
    def url(self) -> str:
        """The address, without a user name or password."""
        port = f":{self._parts.port}" if self._parts.port else ""
        return f"{self._parts.scheme}://{self._parts.hostname}{port}{self._path}"

    def call(self, method: str, params: list[Any]) -> Any:
        number = next(self._ids)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        answer = self._json(self._post(json.dumps(request).encode()))
        error = answer.get("error")
        if isinstance(error, dict):
            code = error.get("code")
            raise EndpointError(
                code if isinstance(code, int) else -32603,
                str(error.get("message", "")),
                error.get("data"),
            )
        if "result" not in answer or answer.get("id") != number:
            raise self._unreachable("the answer is not a JSON-RPC answer")
        return answer["result"]

    def _post(self, body: bytes) -> bytes:
        # Every request can be repeated: a raw transaction sent twice is the same transaction. So a
        # connection that the node closed while it lay idle is opened anew, once.
        kept = self._kept()
        if kept is not None:
            try:
                return self._exchange(kept, body)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._drop()
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                raise self._unreachable(str(error) or type(error).__name__) from error
        try:
            return self._exchange(self._connect(), body)
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise self._unreachable(str(error) or type(error).__name__) from error

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> bytes:
        connection.request("POST", self._path, body, self._headers)
        response = connection.getresponse()
        content = response.read(_LARGEST_ANSWER + 1)
        if len(content) > _LARGEST_ANSWER:
            self._drop()
            raise self._unreachable("the answer is larger than 64 MiB")
        if response.status in (401, 403):
            raise self._unreachable(f"HTTP {response.status}: access denied")
        if response.status >= 500 and not content.lstrip().startswith(b"{"):
            raise self._unreachable(f"HTTP {response.status}")
        return content

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        connection: http.client.HTTPConnection
        if self._parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        self._local.connection = connection
        return connection

    def _kept(self) -> http.client.HTTPConnection | None:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        return connection

    def _drop(self) -> None:
        connection = self._kept()
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _json(self, content: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._unreachable("the answer is not JSON") from error
        if not isinstance(answer, dict):
            raise self._unreachable("the answer is not a JSON-RPC answer")
        return answer

    def _unreachable(self, why: str) -> EndpointUnreachable:
        return EndpointUnreachable(
            Text(
                f"체인 노드 {self.place}이(가) 답하지 않습니다: {why}",
                f"The chain node {self.place} does not answer: {why}",
            ),
            Text(
                "노드가 켜져 있는지, BAEUM_CHAIN_URL이 맞는지 확인한 뒤 다시 시도해 주세요",
                "Check that the node runs and that BAEUM_CHAIN_URL is right, then try again",
            ),
            {"endpoint": self.place},
        )


def require_chain(endpoint: Endpoint, chain_id: int) -> None:
    """Raises WrongChain when the node is on another chain, EndpointUnreachable when it is down."""
    found = int(endpoint.call("eth_chainId", []), 16)
    if found != chain_id:
        raise WrongChain(
            Text(
                f"노드는 체인 {found}에 있지만 설정은 체인 {chain_id}입니다",
                f"The node is on chain {found}, the configuration says chain {chain_id}",
            ),
            Text(
                "BAEUM_CHAIN_URL과 network.json이 같은 체인을 가리키는지 확인해 주세요",
                "Check that BAEUM_CHAIN_URL and network.json mean the same chain",
            ),
            {"expected": chain_id, "found": found},
        )
