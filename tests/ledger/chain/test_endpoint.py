"""The HTTP endpoint against nodes that are down, slow, wrong or honest."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ledger.chain.endpoint import (
    EndpointError,
    EndpointUnreachable,
    HttpEndpoint,
    WrongChain,
    require_chain,
)

Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class Node:
    """A node that answers as the test says."""

    def __init__(self) -> None:
        node = self
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.answer: Answer = lambda handler, request: reply(handler, result="0x1")

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                node.requests.append(request)
                node.headers.append(self.headers)
                node.answer(self, request)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def body(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def reply(handler: BaseHTTPRequestHandler, **members: Any) -> None:
    asked = node_request_id(handler)
    body(handler, json.dumps({"jsonrpc": "2.0", "id": asked} | members).encode())


def node_request_id(handler: BaseHTTPRequestHandler) -> Any:
    node: Node = handler.server.node  # type: ignore[attr-defined]
    return node.requests[-1]["id"]


@pytest.fixture
def node() -> Iterator[Node]:
    node = Node()
    node.server.node = node  # type: ignore[attr-defined]
    yield node
    node.server.shutdown()
    node.server.server_close()


def test_a_request_is_json_rpc_and_the_connection_is_kept(node: Node) -> None:
    endpoint = HttpEndpoint(node.url)
    assert [endpoint.call("eth_chainId", []), endpoint.call("eth_call", [1])] == ["0x1", "0x1"]
    assert [request["method"] for request in node.requests] == ["eth_chainId", "eth_call"]
    assert node.requests[0]["jsonrpc"] == "2.0"
    assert node.requests[0]["id"] != node.requests[1]["id"]


def test_an_error_of_the_node_keeps_code_message_and_data(node: Node) -> None:
    node.answer = lambda handler, _: reply(
        handler, error={"code": 3, "message": "execution reverted", "data": "0x1234"}
    )
    with pytest.raises(EndpointError) as caught:
        HttpEndpoint(node.url).call("eth_call", [])
    assert (caught.value.rpc_code, caught.value.message) == (3, "execution reverted")
    assert caught.value.reverted
    assert caught.value.revert_data() == b"\x12\x34"


def test_a_result_of_null_is_an_answer(node: Node) -> None:
    node.answer = lambda handler, _: reply(handler, result=None)
    assert HttpEndpoint(node.url).call("eth_getTransactionReceipt", ["0x"]) is None


def test_a_node_that_is_down_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(EndpointUnreachable) as caught:
        HttpEndpoint(f"http://127.0.0.1:{port}").call("eth_chainId", [])
    assert caught.value.remedy is not None
    assert str(port) in caught.value.detail.en


def test_a_node_that_never_answers_is_unreachable(node: Node) -> None:
    release = threading.Event()
    node.answer = lambda handler, _: (release.wait(10), None)[1]
    try:
        with pytest.raises(EndpointUnreachable, match="timed out"):
            HttpEndpoint(node.url, timeout=0.2).call("eth_chainId", [])
    finally:
        release.set()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"<html>bad gateway</html>", 502),
        (b"not json", 200),
        (b"[]", 200),
        (b"{}", 200),
        (b'{"jsonrpc": "2.0", "id": 999999, "result": "0x1"}', 200),
        (b"", 200),
        (b"denied", 401),
    ],
    ids=["proxy", "text", "array", "empty object", "another's answer", "nothing", "denied"],
)
def test_what_is_no_json_rpc_answer_is_unreachable_not_believed(
    node: Node, content: bytes, status: int
) -> None:
    node.answer = lambda handler, _: body(handler, content, status)
    with pytest.raises(EndpointUnreachable):
        HttpEndpoint(node.url).call("eth_chainId", [])


def test_a_kept_connection_that_the_node_closed_is_opened_anew(node: Node) -> None:
    def answer_and_close(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
        reply(handler, result="0x1")
        handler.close_connection = True  # without having said so

    node.answer = answer_and_close
    endpoint = HttpEndpoint(node.url)
    assert [endpoint.call("eth_chainId", []) for _ in range(3)] == ["0x1"] * 3


def test_credentials_of_the_url_are_sent_and_never_shown(node: Node) -> None:
    endpoint = HttpEndpoint(f"http://city:s3cr%3At@127.0.0.1:{node.port}/rpc?key=v")
    endpoint.call("eth_chainId", [])
    assert node.headers[0]["Authorization"] == "Basic Y2l0eTpzM2NyOnQ="
    node.server.shutdown()
    node.server.server_close()
    with pytest.raises(EndpointUnreachable) as caught:
        HttpEndpoint(f"http://city:s3cr%3At@127.0.0.1:{node.port}").call("eth_chainId", [])
    assert "s3cr" not in json.dumps(caught.value.to_json(), default=str)


@pytest.mark.parametrize("url", ["", "ftp://node", "localhost:8545", "http://"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(EndpointUnreachable, match="http"):
        HttpEndpoint(url)


def test_a_node_on_another_chain_is_told(node: Node) -> None:
    endpoint = HttpEndpoint(node.url)
    require_chain(endpoint, 1)
    with pytest.raises(WrongChain) as caught:
        require_chain(endpoint, 424242)
    assert caught.value.facts == {"expected": 424242, "found": 1}
