"""Reading a chain: a node that is down, lies, lags or belongs to another chain decides nothing."""

from __future__ import annotations

import pytest

from credential.errors import BaeumError
from credential.text import Text
from verifier import ChainReader, Outcome, Verdict
from verifier.chain_answers import AnswerMalformed, ChainUnavailable, Standing, WrongChain
from verifier.kinds import kind_hash


class Refuses(BaeumError):
    code = "endpoint-error"


def undetermined(report, code: str) -> None:
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check("anchor").outcome is Outcome.NOT_RUN
    assert report.check("anchor").code == code
    assert report.check("accreditation").outcome is Outcome.NOT_RUN
    assert report.check("proof").outcome is Outcome.PASSED


def test_node_down_is_not_run_and_never_forged(world):
    evidence = world.issue()
    world.node.down = True
    report = world.verify(evidence)
    undetermined(report, "chain-unavailable")
    assert "node" in report.summary.en
    world.node.down = False
    assert world.verify(evidence).verdict is Verdict.VALID


def test_no_endpoint_for_the_chain(world):
    undetermined(world.verify(world.issue(), chain=lambda _: None), "no-endpoint")


@pytest.mark.parametrize("error", [OSError("gone"), Refuses(Text("없음", "missing"))])
def test_an_endpoint_that_cannot_even_be_opened(world, error):
    def chain(_chain_id):
        raise error

    undetermined(world.verify(world.issue(), chain=chain), "chain-unavailable")


def test_endpoint_of_another_chain(world):
    evidence = world.issue()
    world.node.chain_id = 1
    undetermined(world.verify(evidence), "endpoint-wrong-chain")


def test_node_that_lags_behind(world):
    evidence = world.issue()
    del world.node.blocks[1:]
    world.node.receipts.clear()
    undetermined(world.verify(evidence), "endpoint-behind")


def test_node_that_forgot_old_receipts(world):
    evidence = world.issue()
    world.node.receipts.clear()
    undetermined(world.verify(evidence), "receipt-unavailable")


def test_registry_down_after_the_anchor_was_read(world):
    evidence = world.issue()
    node = world.node

    def no_calls(method, params):
        if method == "eth_call":
            raise TimeoutError
        return node(method, params)

    reader = ChainReader(no_calls, node.chain_id)
    report = world.verify(evidence, chain=lambda _: reader)
    assert report.check("anchor").outcome is Outcome.PASSED
    assert report.check("accreditation").outcome is Outcome.NOT_RUN
    assert report.verdict is Verdict.UNDETERMINED


def test_registry_that_is_not_there(world):
    report = world.verify(world.issue(), trust=world.trust(registry="0x" + "99" * 20))
    assert report.check("accreditation").code == "endpoint-answer-malformed"
    assert report.verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(
    "answer",
    [
        7,
        "yes",
        "0x",
        [],
        {},
        {"logs": None},
        {"logs": [7]},
        {"logs": [{"topics": 1}]},
        {"logs": [{"address": "0x", "topics": ["0xz"], "data": "0x"}]},
        {"logs": [], "transactionHash": "0x1"},
    ],
)
@pytest.mark.parametrize(
    "lies_about",
    ["eth_chainId", "eth_blockNumber", "eth_getTransactionReceipt", "eth_getBlockByNumber"],
)
def test_node_that_answers_nonsense(world, answer, lies_about):
    evidence = world.issue()
    node = world.node

    def lying(method, params):
        return answer if method == lies_about else node(method, params)

    reader = ChainReader(lying, node.chain_id)
    report = world.verify(evidence, chain=lambda _: reader)
    undetermined(report, "endpoint-answer-malformed")


def test_standing_beyond_what_is_known(world):
    evidence = world.issue()
    world.accredit(world.university, "course", lambda _: 9)
    report = world.verify(evidence)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check("accreditation").code == "endpoint-answer-malformed"


def test_errors_of_our_own_endpoints_are_unavailability(world):
    def refuses(_method, _params):
        raise Refuses(Text("거절", "refused"), Text("확인", "check"))

    reader = ChainReader(refuses, 1)
    with pytest.raises(ChainUnavailable) as caught:
        reader.standing("0x" + "11" * 20, "did:key:z", bytes(32), world.now, now=world.now)
    assert caught.value.detail.en == "refused"


def test_errors_are_told_apart(world):
    assert issubclass(WrongChain, ChainUnavailable)
    assert issubclass(AnswerMalformed, ChainUnavailable)
    codes = {error.code for error in (ChainUnavailable, WrongChain, AnswerMalformed)}
    assert len(codes) == 3


def test_what_is_not_final_is_not_remembered(world):
    signed = world.university.sign(world.document())
    evidence = world.anchor([signed], confirmations=1)[0]
    reader = world.reader()
    receipt = evidence.receipt

    def look():
        return reader.anchor(
            "0x" + receipt.transaction.hex(), receipt.block_number, confirmations=3, now=world.now
        )

    assert look().value.confirmations == 1
    world.node.mine(world.anchored_at)
    world.node.mine(world.anchored_at)
    assert look().value.confirmations == 3
    asked = world.node.calls
    assert look().value.confirmations == 3
    assert world.node.calls == asked


def test_the_standing_of_today_is_not_remembered(world):
    reader = world.reader()

    def ask():
        return reader.standing(
            "0x" + "b2" * 20,
            world.university.did,
            kind_hash("course"),
            world.now,
            now=world.now,
        ).value.standing

    assert ask() is Standing.ACCREDITED
    world.accredit(world.university, "course", lambda _: 4)
    assert ask() is Standing.SUSPENDED
