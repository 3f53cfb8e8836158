"""``baeum verify`` looks a Blockcert's transaction up on the node of the settings: a real one."""

from __future__ import annotations

import json

import pytest
from blockcert import SENDER, blockcert
from eth_account import Account
from evm import anvil

from baeum.cli import run
from ledger.chain.transactions import transact
from verifier.blockcerts_nodes import NodeTransactions, NotFinal

SEPOLIA = 11155111
ELSEWHERE = "0x" + "42" * 20


@pytest.fixture(scope="module")
def node():
    with anvil("--chain-id", str(SEPOLIA)) as endpoint:
        yield endpoint


@pytest.fixture
def verify(node, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BAEUM_BLOCKCERTS_NODES", f"eth:sepolia={node.url}")

    def proof_of(body):
        (tmp_path / "shown.json").write_text(json.dumps(body))
        run(["verify", "shown.json", "--json"])
        report = json.loads(capsys.readouterr().out)
        return next(check for check in report["checks"] if check["id"] == "proof")

    return proof_of


def sent(node, data, key=SENDER, blocks=12):
    """The id of a transaction that carries the data, ``blocks`` deep."""
    account = Account.from_key(key.to_bytes() if hasattr(key, "to_bytes") else key)
    node.call("anvil_setBalance", [account.address, hex(10**20)])
    receipt = transact(node, account, chain_id=SEPOLIA, to=ELSEWHERE, data=data)
    node.call("anvil_mine", [hex(blocks - 1)])
    return bytes.fromhex(receipt["transactionHash"][2:])


@pytest.mark.anvil
def test_the_anchor_is_found_on_the_configured_node(node, verify, still_world):
    document = still_world.document()
    _, root = blockcert(document)
    good, _ = blockcert(document, sent(node, root))
    assert (verify(good)["outcome"], verify(good)["code"]) == ("passed", "signature-right")
    forged, _ = blockcert(document, sent(node, bytes(32)))
    assert verify(forged)["code"] == "another-root"
    absent, _ = blockcert(document)
    assert verify(absent)["code"] == "another-root"
    by_another, _ = blockcert(document, sent(node, root, b"\x08" * 32))
    assert verify(by_another)["code"] == "another-sender"


@pytest.mark.anvil
def test_what_cannot_be_told_is_not_run(node, verify, still_world, monkeypatch):
    document = still_world.document()
    _, root = blockcert(document)
    recent, _ = blockcert(document, sent(node, root, blocks=11))
    assert verify(recent)["outcome"] == "not_run"
    node.call("anvil_mine", ["0x1"])
    assert verify(recent)["outcome"] == "passed"
    for nodes in (
        f"eth:mainnet={node.url}",  # none of that chain
        "eth:sepolia=http://127.0.0.1:9",  # nobody there
        "",
    ):
        monkeypatch.setenv("BAEUM_BLOCKCERTS_NODES", nodes)
        assert verify(recent)["code"] == "anchor-not-looked-up"


@pytest.mark.anvil
def test_a_node_of_another_chain_is_not_believed(node):
    looked_up = NodeTransactions({"eth:mainnet": node.call})
    with pytest.raises(Exception, match="11155111"):
        looked_up("eth:mainnet", "11" * 32)


@pytest.mark.anvil
def test_a_recent_transaction_is_not_final(node):
    transaction = sent(node, b"\x01", blocks=1).hex()
    with pytest.raises(NotFinal):
        NodeTransactions({"eth:sepolia": node.call})("eth:sepolia", transaction)
    found = NodeTransactions({"eth:sepolia": node.call}, 1)("eth:sepolia", transaction)
    assert found is not None
    assert (found.data, found.sender) == (b"\x01", SENDER.public_key.to_address())


@pytest.mark.parametrize("nodes", ["btc:mainnet=http://x", "eth:sepolia", "eth:sepolia=file:///x"])
def test_a_wrong_setting_is_named(nodes, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BAEUM_BLOCKCERTS_NODES", nodes)
    (tmp_path / "shown.json").write_text("{}")
    assert run(["verify", "shown.json"]) == 2
    assert "blockcerts_nodes" in capsys.readouterr().err
