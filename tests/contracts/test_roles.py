"""Who may change what, and how the highest role changes hands."""

from __future__ import annotations

import pytest
from evm import COURSE, Bench, h

from ledger.chain.network import HANDOVER_DELAY, deploy

SCHOOL = h("school")
AUTHORITY, GUARDIAN = h("AUTHORITY_ROLE"), h("GUARDIAN_ROLE")
UNAUTHORISED = "AccessControlUnauthorizedAccount"
BY_AUTHORITY = [
    (
        "register(bytes32,bytes32,address,bytes32[],uint64,uint64)",
        (h("x"), bytes(32), "0x" + "00" * 20, [], 1, 0),
    ),
    ("bindDid(bytes32,bytes32,uint64,uint64)", (SCHOOL, h("did"), 1, 0)),
    ("endDid(bytes32,uint64)", (h("did"), 2**35)),
    ("addSigner(bytes32,address)", (SCHOOL, "0x" + "11" * 20)),
    ("removeSigner(address)", ("0x" + "11" * 20,)),
    ("accredit(bytes32,bytes32,uint64,uint64,bool)", (SCHOOL, COURSE, 1, 0, False)),
    (
        "accreditScope(bytes32,bytes32,bytes32,bytes32,uint64,uint64,bool)",
        (SCHOOL, COURSE, h("ai"), bytes(32), 1, 0, False),
    ),
    ("delegate(bytes32,bytes32,bytes32,uint64,uint64)", (SCHOOL, COURSE, h("city"), 1, 9)),
    ("endAccreditation(bytes32,bytes32,uint64)", (SCHOOL, COURSE, 2**35)),
    ("withdraw(bytes32,uint64,bytes32)", (SCHOOL, 2**35, bytes(32))),
]
BY_GUARDIAN = [
    ("suspend(bytes32)", (SCHOOL,)),
    ("reinstate(bytes32)", (SCHOOL,)),
    ("pause()", ()),
    ("resume()", ()),
]


@pytest.mark.parametrize(("signature", "values"), BY_AUTHORITY + BY_GUARDIAN)
def test_a_stranger_changes_nothing(
    bench: Bench, signature: str, values: tuple[object, ...]
) -> None:
    bench.register(SCHOOL)
    stranger = bench.account_with_funds()
    assert bench.refusal(signature, *values, by=stranger) == UNAUTHORISED


def test_a_guardian_can_stop_but_not_accredit(bench: Bench) -> None:
    bench.register(SCHOOL, kinds=[COURSE])
    guardian = bench.account_with_funds()
    bench.send("grantRole(bytes32,address)", GUARDIAN, guardian.address)
    bench.send("suspend(bytes32)", SCHOOL, by=guardian)
    bench.send("pause()", by=guardian)
    for signature, values in BY_AUTHORITY:
        assert bench.refusal(signature, *values, by=guardian) == UNAUTHORISED


def test_the_highest_role_is_not_granted_but_handed_over_in_two_steps_after_the_delay(
    bench: Bench,
) -> None:
    heir = bench.account_with_funds()
    assert (
        bench.refusal("grantRole(bytes32,address)", bytes(32), heir.address)
        == "AccessControlEnforcedDefaultAdminRules"
    )
    bench.send("beginDefaultAdminTransfer(address)", heir.address)
    assert (
        bench.refusal("acceptDefaultAdminTransfer()", by=heir)
        == "AccessControlEnforcedDefaultAdminDelay"
    )
    bench.advance(HANDOVER_DELAY + 1)
    assert bench.refusal("acceptDefaultAdminTransfer()") == "AccessControlInvalidDefaultAdmin"
    bench.send("acceptDefaultAdminTransfer()", by=heir)
    (admin,) = bench.ask("defaultAdmin()", ["address"])
    assert admin == heir.address.lower()
    assert bench.refusal("grantRole(bytes32,address)", AUTHORITY, heir.address) == UNAUTHORISED


def test_a_contract_can_hold_the_highest_role_from_the_start(bench: Bench) -> None:
    multisig = "0x" + "ab" * 20
    network = deploy(bench.endpoint, bench.account, admin=multisig)
    # The one that is there has another admin, so this is a new one.
    assert network.anchor != bench.network.anchor
    assert bench.ask("defaultAdmin()", ["address"], to=network.anchor) == (multisig,)
    again = deploy(bench.endpoint, bench.account, admin=multisig)
    assert (again.anchor, again.status) == (network.anchor, network.status)
