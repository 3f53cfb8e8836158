"""CredentialAnchor: what is accepted, what is refused, and what an anchor leaves behind."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak
from evm import COURSE, REGISTRAR, Bench, h, typed

from ledger.chain.abi import call_data, error_name
from ledger.chain.endpoint import EndpointError
from ledger.chain.gateway import ANCHORED
from ledger.chain.names import first_head, next_head
from ledger.chain.transactions import ContractRefused

CITY, SCHOOL = h("city"), h("school")
ANCHOR = "anchor(bytes32,bytes32)"
ANCHOR_AT = "anchorAt(bytes32,bytes32,uint64)"
ANCHOR_FOR = "anchorFor(bytes32,bytes32,address,uint256,bytes)"


@pytest.fixture
def city(bench: Bench) -> Bench:
    """The bench's account signs for a registrar."""
    bench.register(CITY, signer=bench.account.address, kinds=[REGISTRAR, COURSE], since=1000)
    return bench


def state(bench: Bench) -> tuple[int, bytes]:
    (sequence,) = bench.ask("sequence()", ["uint64"])
    (head,) = bench.ask("head()", ["bytes32"])
    return sequence, head


def raw_refusal(bench: Bench, data: bytes, by: LocalAccount | None = None) -> str | None:
    with pytest.raises(ContractRefused) as caught:
        bench.send_raw(data, by=by)
    return error_name(caught.value.data)


def test_calldata_that_is_the_root_anchors_it(city: Bench) -> None:
    root = secrets.token_bytes(32)
    first = first_head(city.network.chain_id, city.network.anchor)
    assert state(city) == (0, first)
    receipt = city.send_raw(root)
    (log,) = receipt["logs"]
    head = next_head(first, root, CITY, 1)
    assert log["topics"] == [
        ANCHORED,
        "0x" + root.hex(),
        "0x" + CITY.hex(),
        "0x" + (1).to_bytes(32, "big").hex(),
    ]
    assert log["data"] == "0x" + head.hex() + REGISTRAR.hex()
    assert state(city) == (1, head)
    transaction = city.endpoint.call("eth_getTransactionByHash", [receipt["transactionHash"]])
    assert transaction["input"] == "0x" + root.hex()


def test_heads_chain_over_every_way_to_anchor(city: Bench) -> None:
    _, head = state(city)
    for number in range(1, 9):
        root = secrets.token_bytes(32)
        if number % 2:
            city.send_raw(root)
        else:
            city.send(ANCHOR, root, COURSE)
        head = next_head(head, root, CITY, number)
    assert state(city) == (8, head)


def test_an_institution_anchors_its_own_kind_and_no_other(city: Bench) -> None:
    school = city.account_with_funds()
    city.register(SCHOOL, signer=school.address, kinds=[COURSE], since=1000)
    city.send(ANCHOR, h("root"), COURSE, by=school)
    assert city.refusal(ANCHOR, h("other"), REGISTRAR, by=school) == "NotAccredited"
    assert city.refusal(ANCHOR, h("other"), h("project"), by=school) == "NotAccredited"
    assert raw_refusal(city, h("other"), by=school) == "NotAccredited"


def test_zero_is_no_root(city: Bench) -> None:
    assert raw_refusal(city, bytes(32)) == "ZeroRoot"
    assert city.refusal(ANCHOR, bytes(32), COURSE) == "ZeroRoot"


@pytest.mark.parametrize("length", [0, 1, 4, 31, 33, 64])
def test_calldata_of_another_length_is_refused(city: Bench, length: int) -> None:
    assert raw_refusal(city, b"\xfe" * length) == "CallUnknown"


def test_coins_are_refused(city: Bench) -> None:
    request = {
        "from": city.account.address,
        "to": city.network.anchor,
        "value": "0x1",
        "data": "0x" + h("root").hex(),
    }
    with pytest.raises(EndpointError) as caught:
        city.endpoint.call("eth_call", [request, "latest"])
    assert caught.value.reverted


def test_a_root_sent_again_is_refused_while_it_is_among_the_latest_six(city: Bench) -> None:
    roots = [secrets.token_bytes(32) for _ in range(7)]
    for root in roots[:6]:
        city.send_raw(root)
    for root in roots[:6]:
        assert raw_refusal(city, root) == "DuplicateRoot"
    assert city.refusal(ANCHOR, roots[0], COURSE) == "DuplicateRoot"
    city.send_raw(roots[6])
    city.send_raw(roots[0])  # seven anchors ago: accepted, and shows in the history
    assert state(city)[0] == 8


def test_copying_another_institutions_root_does_not_block_it(city: Bench) -> None:
    thief = city.account_with_funds()
    city.register(SCHOOL, signer=thief.address, kinds=[COURSE], since=1000)
    root = secrets.token_bytes(32)
    city.send(ANCHOR, root, COURSE, by=thief)
    city.send_raw(root)
    assert state(city)[0] == 2


def test_a_stranger_cannot_anchor(city: Bench) -> None:
    stranger = city.account_with_funds()
    assert raw_refusal(city, h("root"), by=stranger) == "SignerUnknown"
    assert city.refusal(ANCHOR, h("root"), COURSE, by=stranger) == "SignerUnknown"


def test_a_removed_signer_cannot_anchor(city: Bench) -> None:
    school = city.account_with_funds()
    city.register(SCHOOL, signer=school.address, kinds=[COURSE], since=1000)
    city.send("removeSigner(address)", school.address)
    assert city.refusal(ANCHOR, h("root"), COURSE, by=school) == "SignerUnknown"


def test_accreditation_is_checked_at_that_moment(city: Bench) -> None:
    school = city.account_with_funds()
    start, end = city.now + 100, city.now + 200
    city.register(SCHOOL, signer=school.address, kinds=[COURSE], since=start, until=end)
    assert city.refusal(ANCHOR, h("early"), COURSE, by=school) == "NotAccredited"
    city.advance(100)
    city.send(ANCHOR, h("in time"), COURSE, by=school)
    city.advance(100)
    assert city.refusal(ANCHOR, h("late"), COURSE, by=school) == "NotAccredited"


def test_nothing_is_anchored_while_suspended_or_paused(city: Bench) -> None:
    city.send("suspend(bytes32)", CITY)
    assert raw_refusal(city, h("root")) == "NotAccredited"
    city.send("reinstate(bytes32)", CITY)
    city.send("pause()")
    assert raw_refusal(city, h("root")) == "AnchoringIsPaused"
    assert city.refusal("pause()") == "AnchoringIsPaused"
    assert city.ask("paused()", ["bool"]) == (True,)
    city.send("resume()")
    assert city.refusal("resume()") == "AnchoringNotPaused"
    city.send_raw(h("root"))
    assert state(city)[0] == 1


def test_pausing_keeps_number_head_and_fingerprints(city: Bench) -> None:
    root = secrets.token_bytes(32)
    city.send_raw(root)
    before = state(city)
    city.send("pause()")
    city.send("resume()")
    assert state(city) == before
    assert raw_refusal(city, root) == "DuplicateRoot"


def test_an_anchor_for_a_stated_number_is_refused_when_another_came_first(city: Bench) -> None:
    city.send(ANCHOR_AT, h("one"), COURSE, 1)
    assert city.refusal(ANCHOR_AT, h("two"), COURSE, 1) == "SequenceMoved"
    assert city.refusal(ANCHOR_AT, h("two"), COURSE, 3) == "SequenceMoved"
    city.send(ANCHOR_AT, h("two"), COURSE, 2)


# --- a relayer pays


def signature(account: LocalAccount, data: dict[str, Any]) -> bytes:
    return bytes(account.sign_message(encode_typed_data(full_message=data)).signature)


def relay(bench: Bench, by: LocalAccount, signed: bytes, **changes: Any) -> dict[str, Any]:
    message = typed(bench, **changes)["message"]
    return bench.send(
        ANCHOR_FOR,
        message["root"],
        message["kind"],
        message["signer"],
        message["deadline"],
        signed,
        by=by,
    )


def test_a_relayer_pays_for_the_institution_that_signed(city: Bench) -> None:
    relayer = city.account_with_funds()
    receipt = relay(city, relayer, signature(city.account, typed(city)))
    (log,) = receipt["logs"]
    assert log["topics"][2] == "0x" + CITY.hex()
    assert state(city)[0] == 1
    assert city.ask("nonces(address)", ["uint256"], city.account.address) == (1,)


def test_a_relayed_anchor_cannot_be_replayed(city: Bench) -> None:
    relayer = city.account_with_funds()
    signed = signature(city.account, typed(city))
    relay(city, relayer, signed)
    with pytest.raises(ContractRefused, match="SignatureInvalid"):
        relay(city, relayer, signed)


@pytest.mark.parametrize(
    "changes",
    [{"root": h("swapped")}, {"kind": REGISTRAR}, {"deadline": 2**40}],
    ids=["root", "kind", "deadline"],
)
def test_what_was_signed_cannot_be_changed(city: Bench, changes: dict[str, Any]) -> None:
    relayer = city.account_with_funds()
    signed = signature(city.account, typed(city))
    with pytest.raises(ContractRefused, match="SignatureInvalid"):
        relay(city, relayer, signed, **changes)


def test_a_signature_does_not_serve_another_signer(city: Bench) -> None:
    forger = city.account_with_funds()
    signed = signature(forger, typed(city))
    with pytest.raises(ContractRefused, match="SignatureInvalid"):
        relay(city, forger, signed)
    own = signature(forger, typed(city, signer=forger.address))
    with pytest.raises(ContractRefused, match="SignerUnknown"):
        relay(city, forger, own, signer=forger.address)


def test_a_signature_for_another_chain_or_contract_is_refused(city: Bench) -> None:
    relayer = city.account_with_funds()
    for member, value in (("chainId", 1), ("verifyingContract", city.network.status)):
        data = typed(city)
        data["domain"][member] = value
        with pytest.raises(ContractRefused, match="SignatureInvalid"):
            relay(city, relayer, signature(city.account, data))


def test_an_expired_signature_is_refused(city: Bench) -> None:
    relayer = city.account_with_funds()
    deadline = city.now
    signed = signature(city.account, typed(city, deadline=deadline))
    city.advance(1)
    with pytest.raises(ContractRefused, match="SignatureExpired"):
        relay(city, relayer, signed, deadline=deadline)


def test_the_twin_of_an_ecdsa_signature_is_refused(city: Bench) -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    signed = signature(city.account, typed(city))
    s = order - int.from_bytes(signed[32:64], "big")
    twin = signed[:32] + s.to_bytes(32, "big") + bytes([55 - signed[64]])
    with pytest.raises(ContractRefused, match="SignatureInvalid"):
        relay(city, city.account_with_funds(), twin)


def test_a_suspended_institution_cannot_hide_behind_a_relayer(city: Bench) -> None:
    signed = signature(city.account, typed(city))
    city.send("suspend(bytes32)", CITY)
    relayer = city.account_with_funds()
    with pytest.raises(ContractRefused, match="NotAccredited"):
        relay(city, relayer, signed)


def test_a_root_that_begins_like_a_function_is_anchored_by_the_abi_call(city: Bench) -> None:
    # As raw calldata it would be taken for a call of head(), which succeeds and anchors nothing.
    root = call_data("head()") + secrets.token_bytes(28)
    receipt = city.send_raw(root)
    assert receipt["logs"] == []
    city.send(ANCHOR, root, REGISTRAR)
    assert state(city)[0] == 1


def test_encoding_matches_solidity(city: Bench) -> None:
    root = secrets.token_bytes(32)
    head = state(city)[1]
    city.send_raw(root)
    packed = encode(["bytes32", "bytes32", "bytes32", "uint64"], [head, root, CITY, 1])
    assert state(city)[1] == keccak(packed) == next_head(head, root, CITY, 1)
