"""The embedded chain: one writer, many readers, and answers like any other node's."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak
from evm import ROOT, Bench, Clock, bench_on, h
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain.embedded import (
    ChainDamaged,
    ChainMissing,
    ChainOwned,
    ChainReadOnly,
    EmbeddedChain,
)
from ledger.chain.endpoint import EndpointError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_on("embedded", tmp_path / "chain") as bench:
        yield bench


def pay(
    chain: EmbeddedChain, account: LocalAccount, nonce: int | None = None, **changes: Any
) -> str:
    if nonce is None:
        count = chain.call("eth_getTransactionCount", [account.address, "latest"])
        nonce = int(count, 16)
    fields = {
        "type": 2,
        "chainId": chain.chain_id,
        "nonce": nonce,
        "to": bytes.fromhex("11" * 20),
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 10**9,
    } | changes
    signed = account.sign_transaction({k: v for k, v in fields.items() if v is not None})
    answer: str = chain.call("eth_sendRawTransaction", ["0x" + bytes(signed.raw_transaction).hex()])
    return answer


def refusal(chain: EmbeddedChain, account: LocalAccount, **changes: Any) -> str:
    with pytest.raises(EndpointError) as caught:
        pay(chain, account, **changes)
    assert caught.value.rpc_code == -32000
    return caught.value.message


# --- opening


def test_two_chains_are_never_taken_for_one_another(tmp_path: Path) -> None:
    operator = Account.create().address
    ids = set()
    for name in ("a", "b"):
        with EmbeddedChain.open(tmp_path / name, operator=operator) as chain:
            ids.add(chain.chain_id)
            assert int(chain.call("eth_chainId", []), 16) == chain.chain_id
            assert chain.call("net_version", []) == str(chain.chain_id)
    assert len(ids) == 2
    assert all(2**40 <= number < 2**53 for number in ids)


def test_a_chain_keeps_its_id_operator_and_blocks(tmp_path: Path) -> None:
    account = Account.create()
    with EmbeddedChain.open(tmp_path, operator=account.address, chain_id=77) as chain:
        hashes = [pay(chain, account) for _ in range(3)]
    with EmbeddedChain.open(tmp_path) as chain:
        assert (chain.chain_id, chain.operator) == (77, account.address)
        assert chain.call("eth_blockNumber", []) == "0x3"
        assert all(chain.call("eth_getTransactionReceipt", [found]) for found in hashes)
        pay(chain, account)
    with EmbeddedChain.open(tmp_path, operator=Account.create().address) as chain:
        assert chain.operator == account.address  # a chain that is there is not made anew


def test_only_the_operator_is_funded(tmp_path: Path) -> None:
    account, other = Account.create(), Account.create()
    with EmbeddedChain.open(tmp_path, operator=account.address) as chain:
        assert int(chain.call("eth_getBalance", [account.address, "latest"]), 16) > 10**24
        assert chain.call("eth_getBalance", [other.address, "latest"]) == "0x0"
        assert chain.call("eth_accounts", []) == []


def test_a_chain_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ChainMissing):
        EmbeddedChain.open(tmp_path / "none")
    with pytest.raises(ChainMissing):
        EmbeddedChain.open(tmp_path / "none", read_only=True, operator=Account.create().address)
    assert not (tmp_path / "none").exists()


def test_a_file_that_is_no_chain_is_told_and_let_go_of(tmp_path: Path) -> None:
    (tmp_path / "chain.sqlite").write_bytes(b"SQLite format 3\x00" + secrets.token_bytes(5000))
    for _ in range(2):
        with pytest.raises(ChainDamaged):
            EmbeddedChain.open(tmp_path)


def test_an_index_that_disagrees_with_the_chain_is_told(tmp_path: Path) -> None:
    account = Account.create()
    with EmbeddedChain.open(tmp_path, operator=account.address) as chain:
        pay(chain, account)
    with sqlite3.connect(tmp_path / "chain.sqlite") as file:
        file.execute("DELETE FROM block WHERE number = 1")
    file.close()
    with pytest.raises(ChainDamaged):
        EmbeddedChain.open(tmp_path)


def test_a_birth_that_was_cut_short_starts_again(tmp_path: Path) -> None:
    (tmp_path / "chain.partial").write_bytes(b"half a genesis block")
    with EmbeddedChain.open(tmp_path, operator=Account.create().address) as chain:
        assert chain.call("eth_blockNumber", []) == "0x0"


def test_opening_is_cheap_to_import() -> None:
    script = """
        import sys
        import ledger.chain.endpoint, ledger.chain.gateway, ledger.chain.network
        import ledger.chain.provider, ledger.chain.embedded, contracts
        heavy = {"web3", "eth", "eth_account"} & set(sys.modules)
        sys.exit(f"imported {heavy}" if heavy else 0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, check=True)


# --- one writer, many readers


def test_a_second_writer_is_told_who_owns_the_chain(tmp_path: Path) -> None:
    with EmbeddedChain.open(tmp_path, operator=Account.create().address):
        with pytest.raises(ChainOwned) as caught:
            EmbeddedChain.open(tmp_path)
        assert caught.value.facts == {"pid": os.getpid()}
        assert str(os.getpid()) in caught.value.detail.en
    EmbeddedChain.open(tmp_path).close()


def test_a_reader_cannot_send(tmp_path: Path) -> None:
    account = Account.create()
    EmbeddedChain.open(tmp_path, operator=account.address).close()
    with (
        EmbeddedChain.open(tmp_path, read_only=True) as reader,
        pytest.raises(ChainReadOnly),
    ):
        pay(reader, account)


def _watch(directory: Path, wanted: int, answer: Any) -> None:
    with EmbeddedChain.open(directory, read_only=True) as reader:
        answer.put("ready")
        while True:
            head = int(reader.call("eth_blockNumber", []), 16)
            block = reader.call("eth_getBlockByNumber", [hex(head), True])
            assert block is not None
            assert len(block["transactions"]) == (1 if head else 0)
            if head >= wanted:
                answer.put(head)
                return


def test_readers_in_another_process_see_whole_blocks_while_the_owner_writes(
    tmp_path: Path,
) -> None:
    account = Account.create()
    spawn = multiprocessing.get_context("spawn")
    with EmbeddedChain.open(tmp_path, operator=account.address) as chain:
        answer: Any = spawn.Queue()
        reader = spawn.Process(target=_watch, args=(tmp_path, 12, answer), daemon=True)
        reader.start()
        assert answer.get(timeout=60) == "ready"
        for _ in range(12):
            pay(chain, account)
        assert answer.get(timeout=60) == 12
        reader.join(timeout=30)
        assert reader.exitcode == 0


def test_threads_share_a_chain(tmp_path: Path) -> None:
    account = Account.create()
    with EmbeddedChain.open(tmp_path, operator=account.address) as chain:

        def work(number: int) -> str:
            if number % 4 == 0:
                return pay(chain, account, nonce=None) if number == 0 else ""
            return str(chain.call("eth_getBalance", [account.address, "latest"]))

        with ThreadPoolExecutor(8) as pool:
            assert all(answer is not None for answer in pool.map(work, range(64)))
        assert chain.call("eth_blockNumber", []) == "0x1"


# --- time


def test_block_time_is_the_clocks_and_never_goes_back(tmp_path: Path) -> None:
    account, clock = Account.create(), Clock(1_900_000_000)
    with EmbeddedChain.open(tmp_path, operator=account.address, clock=clock) as chain:
        times = []
        for step in (0, 0, 5, -100, 200):
            clock.now += step
            pay(chain, account)
            block = chain.call("eth_getBlockByNumber", ["latest", False])
            times.append(int(block["timestamp"], 16) - 1_900_000_000)
    assert times == [0, 0, 5, 5, 105]


# --- transactions


def test_refusals_are_worded_like_other_nodes(tmp_path: Path) -> None:
    account, pauper = Account.create(), Account.create()
    with EmbeddedChain.open(tmp_path, operator=account.address) as chain:
        pay(chain, account)
        assert refusal(chain, account, nonce=0, value=2).startswith("nonce too low")
        assert refusal(chain, account, nonce=0) == "already known"
        assert refusal(chain, account, nonce=5).startswith("nonce too high")
        assert refusal(chain, pauper).startswith("insufficient funds")
        assert "block base fee" in refusal(chain, account, maxFeePerGas=1, maxPriorityFeePerGas=1)
        assert refusal(chain, account, gas=20_999).startswith("intrinsic gas too low")
        assert refusal(chain, account, gas=31_000_000) == "exceeds block gas limit"
        assert "chain id" in refusal(chain, account, chainId=1)
        assert chain.call("eth_blockNumber", []) == "0x1"


def test_legacy_transactions_are_taken_when_replay_protected(tmp_path: Path) -> None:
    account = Account.create()
    legacy = {"type": None, "maxFeePerGas": None, "maxPriorityFeePerGas": None}
    with EmbeddedChain.open(tmp_path, operator=account.address) as chain:
        found = pay(chain, account, gasPrice=10**10, **legacy)
        answer = chain.call("eth_getTransactionByHash", [found])
        assert (answer["type"], answer["from"]) == ("0x0", account.address.lower())
        # Signed for every chain: somebody could repeat it on another one.
        assert "chain id" in refusal(chain, account, gasPrice=10**10, chainId=None, **legacy)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=st.binary(max_size=200) | st.binary(max_size=200).map(lambda b: b"\x02" + b))
def test_junk_sent_as_a_transaction_is_refused(shared: EmbeddedChain, raw: bytes) -> None:
    with pytest.raises(EndpointError):
        shared.call("eth_sendRawTransaction", ["0x" + raw.hex()])


METHODS = st.sampled_from(
    [
        "eth_call",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_getBalance",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getBlockReceipts",
        "eth_getCode",
        "eth_getLogs",
        "eth_getProof",
        "eth_getStorageAt",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_sendRawTransaction",
        "eth_nothing",
    ]
)
WORDS = ["latest", "pending", "0x", "0x0", "0x1", "0xff", "0x" + "11" * 20, "0x" + "22" * 32]
KEYS = ["to", "from", "data", "address", "topics", "blockHash", "fromBlock", "gas"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(method=METHODS, params=st.lists(VALUES, max_size=3))
def test_junk_asked_is_answered_or_refused_never_a_crash(
    shared: EmbeddedChain, method: str, params: list[Any]
) -> None:
    with contextlib.suppress(EndpointError):
        shared.call(method, params)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedChain]:
    with EmbeddedChain.open(
        tmp_path_factory.mktemp("shared"), operator=Account.create().address
    ) as chain:
        yield chain


# --- reading


def test_the_past_can_be_asked(bench: Bench) -> None:
    network = bench.network
    before = bench.endpoint.call("eth_blockNumber", [])
    bench.register(h("school"))
    request = {
        "to": network.anchor,
        "data": "0x" + keccak(b"institutionOf(bytes32)")[:4].hex() + h("school").hex(),
    }
    now = bench.endpoint.call("eth_call", [request, "latest"])
    block = bench.endpoint.call("eth_getBlockByNumber", [before, False])
    for reference in (before, {"blockNumber": before}, {"blockHash": block["hash"]}):
        then = bench.endpoint.call("eth_call", [request, reference])
        assert int(then[2:66], 16) == 0
    assert int(now[2:66], 16) == bench.now
    with pytest.raises(EndpointError, match="header not found"):
        bench.endpoint.call("eth_call", [request, "0xffff"])
    assert bench.endpoint.call("eth_getCode", [network.anchor, "earliest"]) == "0x"


def test_a_block_hash_is_the_hash_of_its_header(bench: Bench) -> None:
    bench.register(h("school"))
    found = bench.endpoint.call("eth_getBlockByNumber", ["latest", False])

    def number(name: str) -> bytes:
        value = int(found[name], 16)
        return value.to_bytes((value.bit_length() + 7) // 8, "big")

    def data(name: str) -> bytes:
        return bytes.fromhex(found[name][2:])

    header = [
        *map(data, ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot")),
        *map(data, ("receiptsRoot", "logsBloom")),
        *map(number, ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")),
        *map(data, ("extraData", "mixHash", "nonce")),
        number("baseFeePerGas"),
        data("withdrawalsRoot"),
        *map(number, ("blobGasUsed", "excessBlobGas")),
        *map(data, ("parentBeaconBlockRoot", "requestsHash")),
    ]
    assert "0x" + keccak(rlp.encode(header)).hex() == found["hash"]
    assert bench.endpoint.call("eth_getBlockByHash", [found["hash"], False]) == found
    for how, reference in (("Hash", found["hash"]), ("Number", found["number"])):
        method = f"eth_getBlockTransactionCountBy{how}"
        assert bench.endpoint.call(method, [reference]) == "0x1"


def test_state_proofs_lead_to_the_state_root(bench: Bench) -> None:
    from trie import HexaryTrie

    network = bench.network
    bench.register(h("school"))
    block = bench.endpoint.call("eth_getBlockByNumber", ["latest", False])
    slot = 1  # the current delay and admin of AccessControlDefaultAdminRules live low
    slots = [hex(number) for number in range(20)]
    proof = bench.endpoint.call("eth_getProof", [network.anchor, slots, "latest"])
    nodes = [rlp.decode(bytes.fromhex(node[2:])) for node in proof["accountProof"]]
    account = HexaryTrie.get_from_proof(
        bytes.fromhex(block["stateRoot"][2:]), keccak(bytes.fromhex(network.anchor[2:])), nodes
    )
    fields = rlp.decode(account)
    assert "0x" + fields[2].hex() == proof["storageHash"]
    assert "0x" + fields[3].hex() == proof["codeHash"]
    seen = 0
    for slot, entry in enumerate(proof["storageProof"]):
        path = [rlp.decode(bytes.fromhex(node[2:])) for node in entry["proof"]]
        value = HexaryTrie.get_from_proof(fields[2], keccak(slot.to_bytes(32, "big")), path)
        expected = bench.endpoint.call("eth_getStorageAt", [network.anchor, hex(slot), "latest"])
        found = int.from_bytes(rlp.decode(value), "big") if value else 0
        assert found == int(entry["value"], 16) == int(expected, 16)
        seen += found != 0
    assert seen >= 3  # among them the head and the counter of the anchors


def test_logs_are_found_by_address_topic_and_block(bench: Bench) -> None:
    network = bench.network
    receipt = bench.register(h("school"), kinds=[h("a"), h("b")], did=h("did"))
    everything = {"fromBlock": "0x0", "toBlock": "latest"}

    def logs(**wanted: Any) -> list[Any]:
        found: list[Any] = bench.endpoint.call("eth_getLogs", [everything | wanted])
        return found

    accredited = "0x" + keccak(b"Accredited(bytes32,bytes32,uint64,uint64,bool,bytes32)").hex()
    school = "0x" + h("school").hex()
    assert len(logs(address=network.anchor)) > len(receipt["logs"]) == 4
    assert len(logs(topics=[accredited])) == 2
    assert logs(topics=[accredited, school, "0x" + h("b").hex()]) == [receipt["logs"][3]]
    assert len(logs(topics=[None, school])) == 4
    assert len(logs(topics=[[accredited, "0x" + "00" * 32], None])) == 2
    assert len(logs(topics=[[]])) == len(logs())
    assert logs(address=network.status) == []
    assert len(logs(address=[network.status, network.anchor])) == len(logs())
    assert (
        bench.endpoint.call("eth_getLogs", [{"blockHash": receipt["blockHash"]}])
        == (receipt["logs"])
    )
    assert bench.endpoint.call("eth_getLogs", [{"fromBlock": "0xfff", "toBlock": "0xffff"}]) == []
    assert [int(log["logIndex"], 16) for log in receipt["logs"]] == [0, 1, 2, 3]


def test_unknown_things_are_null_and_unknown_methods_an_error(bench: Bench) -> None:
    nothing = "0x" + "ab" * 32
    for method in (
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
    ):
        assert bench.endpoint.call(method, [nothing]) is None
    assert bench.endpoint.call("eth_getBlockByHash", [nothing, False]) is None
    assert bench.endpoint.call("eth_getBlockByNumber", ["0xffff", False]) is None
    with pytest.raises(EndpointError) as caught:
        bench.endpoint.call("eth_mine", [])
    assert caught.value.rpc_code == -32601


def test_an_estimate_is_enough_and_not_much_more(bench: Bench) -> None:
    receipt = bench.register(h("school"), kinds=[h("a")])
    used = int(receipt["gasUsed"], 16)
    transaction = bench.endpoint.call("eth_getTransactionByHash", [receipt["transactionHash"]])
    estimate = int(transaction["gas"], 16) * 4 // 5  # as transact() adds a quarter
    assert used <= estimate + 1 <= used * 65 // 64 + 2
