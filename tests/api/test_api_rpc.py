"""The chain over JSON-RPC: reads only."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import World, bare

from api.routes.rpc import READS


def call(client: httpx.Client, method: str, *params: Any, identity: Any = 1) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": identity, "method": method, "params": list(params)}
    answer = client.post("/rpc", json=body)
    assert answer.status_code == 200
    return dict(answer.json())


def test_another_tool_can_follow_a_receipt(client: httpx.Client, world: World) -> None:
    receipt = json.loads(world.valid)["receipt"]
    assert int(call(client, "eth_chainId")["result"], 16) == receipt["chainId"]
    mined = call(client, "eth_getTransactionReceipt", receipt["transaction"])["result"]
    assert mined["blockHash"] == receipt["blockHash"]
    code = call(client, "eth_getCode", receipt["contract"], "latest")["result"]
    assert len(code) > 100
    filters = {"address": receipt["contract"], "fromBlock": "0x0", "toBlock": "latest"}
    logs = call(client, "eth_getLogs", filters)["result"]
    assert receipt["root"] in {log["topics"][1] for log in logs}


@pytest.mark.parametrize(
    "method",
    [
        "eth_sendRawTransaction",
        "eth_sendTransaction",
        "eth_sign",
        "eth_accounts",
        "evm_mine",
        "personal_unlockAccount",
        "debug_traceTransaction",
        "miner_start",
        "ETH_CHAINID",
        "",
    ],
)
def test_what_does_not_read_is_not_there(client: httpx.Client, method: str) -> None:
    assert call(client, method, "0x")["error"]["code"] == -32601


def test_the_list_of_methods_holds_nothing_that_writes() -> None:
    words = ("send", "sign", "mine", "personal", "debug", "admin", "set", "unlock", "account")
    assert not [name for name in READS if any(word in name.lower() for word in words)]


def test_a_batch_answers_in_order_and_notifications_are_silent(client: httpx.Client) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": "a", "method": "eth_chainId"},
        {"jsonrpc": "2.0", "method": "eth_blockNumber"},
        {"jsonrpc": "2.0", "id": None, "method": "net_version", "params": []},
        7,
    ]
    answers = client.post("/rpc", json=batch).json()
    assert [answer["id"] for answer in answers] == ["a", None, None]
    assert answers[2]["error"]["code"] == -32600
    only_notification = client.post("/rpc", json=batch[1])
    assert only_notification.status_code == 204
    assert only_notification.content == b""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"", -32700),
        (b"\xff", -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', -32602),
        (b"[" * 100 + b"]" * 100, -32700),
    ],
)
def test_error_codes(client: httpx.Client, body: bytes, code: int) -> None:
    answer = client.post("/rpc", content=body)
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == code


def test_limits(client: httpx.Client) -> None:
    many = [{"jsonrpc": "2.0", "id": n, "method": "eth_chainId"} for n in range(51)]
    assert client.post("/rpc", json=many).json()["error"]["code"] == -32005
    assert len(client.post("/rpc", json=many[:50]).json()) == 50
    wide = {"fromBlock": "0x0", "toBlock": hex(10_001)}
    assert call(client, "eth_getLogs", wide)["error"]["code"] == -32005


def test_an_installation_without_a_chain_says_so(node_down: httpx.Client) -> None:
    answer = node_down.post("/rpc", json={})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-offered"


def test_the_network_says_plainly_what_a_self_run_chain_is_worth(
    client: httpx.Client, world: World
) -> None:
    body = client.get("/v1/network").json()
    (network,) = body["networks"]
    assert network["chainId"] == world.network.chain_id
    assert network["selfRun"] is True
    assert "proves nothing to anyone else" in network["notice"]["en"]
    assert "아무것도 증명하지 못합니다" in network["notice"]["ko"]
    assert bare(world.valid)["id"] not in json.dumps(body)


parameters = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(max_size=10)
    | st.sampled_from(["latest", "0x0", "0x1", "0x" + "00" * 32, "0x" + "11" * 20, "0x", "0xzz"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["to", "data", "from", "gas", "fromBlock", "toBlock", "topics", "address"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(sorted(READS)), st.lists(parameters, max_size=4))
def test_no_parameters_make_the_server_fail(
    client: httpx.Client, method: str, params: list[Any]
) -> None:
    answer = client.post(
        "/rpc", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    )
    assert answer.status_code == 200, answer.text
    assert ("result" in answer.json()) != ("error" in answer.json())
