"""Several nodes that must agree: what one of them says wrongly, late or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from evm import anvil
from town import Make, Town, drive

from credential.quorum import NodesDisagree, Quorum, TooFewAnswers, majority, normal
from credential.text import Text
from ledger.anchoring import Anchorer, AnchorPolicy
from ledger.chain.endpoint import (
    Endpoint,
    EndpointError,
    EndpointUnreachable,
    HttpEndpoint,
    WrongChain,
)
from ledger.chain.quorum import QuorumEndpoint, endpoint_at
from verifier.chain import ChainReader
from verifier.chain_answers import ChainUnavailable
from verifier.rpc import rpc_at


class Node:
    """The real chain, with a hand that may change an answer."""

    def __init__(
        self, chain: Endpoint, hand: Callable[[str, Any], Any] = lambda _method, answer: answer
    ) -> None:
        self._chain = chain
        self._hand = hand
        self.asked: list[str] = []

    def call(self, method: str, params: list[Any]) -> Any:
        self.asked.append(method)
        return self._hand(method, self._chain.call(method, params))


def down(_method: str, _answer: Any) -> Any:
    raise EndpointUnreachable(Text("꺼짐", "down"))


def quorum(required: int, *nodes: Endpoint) -> QuorumEndpoint:
    return QuorumEndpoint([(f"node-{n}", node) for n, node in enumerate(nodes)], required)


def anchorer(town: Town, endpoint: Endpoint) -> Anchorer:
    return Anchorer(
        town.database,
        town.gateway(endpoint),
        chain_id=town.network.chain_id,
        policy=AnchorPolicy(),
        clock=lambda: town.now,
    )


def test_anchored_through_three_nodes_of_which_one_is_down(town: Town) -> None:
    nodes = quorum(2, Node(town.chain), Node(town.chain, down), Node(town.chain))
    drive(anchorer(town, nodes))
    assert town.state() == "final"
    assert town.anchors() == 1


def test_two_of_three_down_is_unreachable_and_changes_nothing(town: Town) -> None:
    nodes = quorum(2, Node(town.chain), Node(town.chain, down), Node(town.chain, down))
    with pytest.raises(EndpointUnreachable) as caught:
        anchorer(town, nodes).step(1)
    assert caught.value.facts["silent"] == ["node-1", "node-2"]
    assert town.state() == "sealed"


def test_one_liar_is_outvoted(town: Town) -> None:
    """It invents a receipt, another chain and a fresh nonce; the others know better."""

    def lie(method: str, answer: Any) -> Any:
        if method == "eth_getTransactionReceipt" and answer is not None:
            return answer | {"blockHash": "0x" + "ab" * 32}
        if method == "eth_getTransactionCount":
            return hex(int(answer, 16) + 5)
        return "0x1" if method == "eth_chainId" else answer

    drive(anchorer(town, quorum(2, Node(town.chain, lie), Node(town.chain), Node(town.chain))))
    assert town.anchors() == 1
    (transaction,) = town.transactions()
    assert town.gateway().block_hash(transaction.block_number) == transaction.block_hash


def test_two_that_contradict_each_other_are_both_not_believed(town: Town) -> None:
    def lie(method: str, answer: Any) -> Any:
        return "0x1" if method == "eth_chainId" else answer

    with pytest.raises(NodesDisagree) as caught:
        anchorer(town, quorum(2, Node(town.chain), Node(town.chain, lie))).step(1)
    assert caught.value.facts["method"] == "eth_chainId"
    assert caught.value.remedy is not None
    assert town.transactions() == []


def test_all_on_another_chain_is_the_wrong_chain(town: Town) -> None:
    def elsewhere(method: str, answer: Any) -> Any:
        return "0x1" if method == "eth_chainId" else answer

    with pytest.raises(WrongChain):
        anchorer(town, quorum(2, Node(town.chain, elsewhere), Node(town.chain, elsewhere))).step(1)


def test_a_node_that_lags_behind_sets_the_newest_block_both_have(town: Town) -> None:
    def lag(method: str, answer: Any) -> Any:
        return hex(int(answer, 16) - 2) if method == "eth_blockNumber" else answer

    head = int(town.chain.call("eth_blockNumber", []), 16)
    both = quorum(2, Node(town.chain), Node(town.chain, lag))
    assert int(both.call("eth_blockNumber", []), 16) == head - 2
    assert int(both.call("eth_getBlockByNumber", ["latest", False])["number"], 16) == head - 2
    two_of_three = quorum(2, Node(town.chain), Node(town.chain, lag), Node(town.chain))
    assert int(two_of_three.call("eth_blockNumber", []), 16) == head


def test_what_fewer_than_enough_know_is_not_there_yet(town: Town) -> None:
    drive(town.anchorer())
    (transaction,) = town.transactions()

    def late(method: str, answer: Any) -> Any:
        return None if method == "eth_getTransactionReceipt" else answer

    question = ("eth_getTransactionReceipt", [transaction.hash])
    both = quorum(2, Node(town.chain), Node(town.chain, late))
    assert both.call(*question) is None
    assert quorum(1, Node(town.chain)).call(*question)["status"] == "0x1"


def test_spelling_and_additions_of_a_client_are_no_disagreement(town: Town) -> None:
    drive(town.anchorer())
    (transaction,) = town.transactions()

    def other_client(method: str, answer: Any) -> Any:
        if isinstance(answer, dict):
            return {
                "clientSays": "hello",
                **{k: v.upper().replace("0X", "0x") if isinstance(v, str) else v
                   for k, v in answer.items()},
            }  # fmt: skip
        return answer

    both = quorum(2, Node(town.chain), Node(town.chain, other_client))
    assert both.call("eth_getTransactionReceipt", [transaction.hash]) is not None
    assert both.call("eth_getBlockByNumber", ["latest", False]) is not None


def test_a_refusal_is_an_answer_too(town: Town) -> None:
    town.office().suspend("seoul-lifelong-education")
    from ledger.anchoring import AnchorRefused

    with pytest.raises(AnchorRefused, match=r"Suspended|NotAccredited"):
        anchorer(town, quorum(2, Node(town.chain), Node(town.chain), Node(town.chain))).step(1)


def test_writes_go_to_every_node_and_one_that_takes_it_is_enough(town: Town) -> None:
    def refuse(method: str, answer: Any) -> Any:
        if method == "eth_sendRawTransaction":
            raise EndpointError(-32000, "pool is full")
        return answer

    nodes = [Node(town.chain), Node(town.chain, refuse), Node(town.chain)]
    drive(anchorer(town, quorum(2, *nodes)))
    assert all("eth_sendRawTransaction" in node.asked for node in nodes)
    assert town.anchors() == 1


def test_a_fault_of_the_program_is_not_a_silent_node(town: Town) -> None:
    def bug(_method: str, _answer: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        quorum(1, Node(town.chain, bug)).call("eth_chainId", [])


@pytest.mark.parametrize("required", [0, 4])
def test_impossible_agreement_is_refused(required: int) -> None:
    with pytest.raises(ValueError, match="cannot agree"):
        Quorum([("a", lambda *_: 1)] * 3, required, lambda _: None)


def test_more_than_half_is_the_default() -> None:
    assert [majority(n) for n in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]
    assert isinstance(endpoint_at(["http://127.0.0.1:9"]), HttpEndpoint)
    assert normal({"hash": "0xAB", "own": 1, "logs": [{"data": "0xCD", "x": None}]}) == {
        "hash": "0xab",
        "logs": [{"data": "0xcd"}],
    }


# --- over HTTP, and on the verifier's side


@pytest.fixture(scope="module")
def node() -> Iterator[HttpEndpoint]:
    with anvil() as endpoint:
        yield endpoint


DEAD = "http://127.0.0.1:9"


@pytest.mark.anvil
def test_the_verifier_reads_through_two_of_three(node: HttpEndpoint) -> None:
    call = rpc_at([node.url, DEAD, node.url])
    reader = ChainReader(call, int(node.call("eth_chainId", []), 16))
    now = datetime.now(UTC)
    seen = reader.anchor("0x" + "00" * 32, 0, confirmations=1, now=now)
    assert seen.value.mined is None


@pytest.mark.anvil
def test_the_verifier_cannot_tell_when_too_few_answer_or_they_disagree(node: HttpEndpoint) -> None:
    now = datetime.now(UTC)
    with pytest.raises(TooFewAnswers):
        rpc_at([node.url, DEAD, DEAD])("eth_chainId", [])
    with pytest.raises(ChainUnavailable):
        ChainReader(rpc_at([node.url, DEAD, DEAD]), 31337).anchor(
            "0x" + "00" * 32, 0, confirmations=1, now=now
        )
    with anvil("--chain-id", "99") as other:
        with pytest.raises(NodesDisagree):
            rpc_at([node.url, other.url])("eth_chainId", [])
        with pytest.raises(ChainUnavailable):
            ChainReader(rpc_at([node.url, other.url]), 31337).anchor(
                "0x" + "00" * 32, 0, confirmations=1, now=now
            )


def test_settings_take_several_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from baeum.home import Home
    from baeum.settings import SettingsInvalid, load

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path))
    monkeypatch.setenv(
        "BAEUM_CHAIN_URL", "http://one:1/, http://user:secret@two:2/,http://three:3/"
    )
    settings = load()
    assert settings.chain_urls == ("http://one:1/", "http://user:secret@two:2/", "http://three:3/")
    assert not settings.embedded_chain
    with Home(settings) as home:
        assert isinstance(home.endpoint(), QuorumEndpoint)
    monkeypatch.setenv("BAEUM_CHAIN_QUORUM", "3")
    assert load().chain_quorum == 3
    monkeypatch.setenv("BAEUM_CHAIN_QUORUM", "4")
    with pytest.raises(SettingsInvalid, match="greater"):
        load()


def test_what_is_handed_to_verifiers_holds_every_address_and_no_password(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from baeum.home import Home
    from baeum.settings import load
    from verifier.trust import Trust

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BAEUM_CHAIN_URL", "http://u:secret@one:1/,http://two:2/")
    monkeypatch.setenv("BAEUM_CHAIN_QUORUM", "2")
    with Home(load()) as home:
        home.write_network(make().network)
        assert "secret" not in home.network_file.read_text()
        (network,) = Trust.load([home.network_file]).networks
    assert network.rpc == ("http://one:1/", "http://two:2/")
    assert network.quorum == 2
