"""InstitutionRegistry: who may issue what, as of a time."""

from __future__ import annotations

import pytest
from evm import COURSE, REGISTRAR, Bench, h

CITY, SCHOOL, CENTRE = h("city"), h("school"), h("centre")
DID, OTHER_DID = h("did:key:z1"), h("did:key:z2")
UNKNOWN, ACCREDITED, PROVISIONAL, NOT_ACCREDITED, SUSPENDED, ENDED, KEY_NOT_VALID = range(7)
ACCREDIT = "accredit(bytes32,bytes32,uint64,uint64,bool)"
SCOPE = "accreditScope(bytes32,bytes32,bytes32,bytes32,uint64,uint64,bool)"
DELEGATE = "delegate(bytes32,bytes32,bytes32,uint64,uint64)"
END = "endAccreditation(bytes32,bytes32,uint64)"
WITHDRAW = "withdraw(bytes32,uint64,bytes32)"
STANDING_FOR = "standingFor(bytes32,bytes32,bytes32,bytes32,uint64)"


def of(bench: Bench, institution: bytes, kind: bytes, time: int) -> int:
    (code,) = bench.ask("standingOf(bytes32,bytes32,uint64)", ["uint8"], institution, kind, time)
    return int(code)


def test_an_unknown_did_is_unknown(bench: Bench) -> None:
    answer = bench.ask(
        "standing(bytes32,bytes32,uint64)", ["bytes32", "uint8"], DID, COURSE, bench.now
    )
    assert answer == (bytes(32), UNKNOWN)


def test_registration_gives_did_kinds_and_signer_at_once(bench: Bench) -> None:
    signer = bench.account_with_funds()
    bench.register(SCHOOL, did=DID, signer=signer.address, kinds=[COURSE, REGISTRAR], since=1000)
    assert bench.standing(DID, COURSE, 1000) == ACCREDITED
    assert bench.standing(DID, COURSE, 999) == KEY_NOT_VALID
    assert bench.standing(DID, h("volunteering"), 1000) == NOT_ACCREDITED
    assert bench.ask("signerOf(address)", ["bytes32"], signer.address) == (SCHOOL,)
    assert bench.ask("kindsOf(bytes32)", ["bytes32[]"], SCHOOL) == ((COURSE, REGISTRAR),)
    since, suspended, withdrawn, successor = bench.ask(
        "institutionOf(bytes32)", ["uint64", "uint64", "uint64", "bytes32"], SCHOOL
    )
    assert since > 1000
    assert (suspended, withdrawn, successor) == (0, 0, bytes(32))


def test_registering_twice_is_refused(bench: Bench) -> None:
    bench.register(SCHOOL)
    with pytest.raises(Exception, match="AlreadyRegistered"):
        bench.register(SCHOOL)


def test_a_second_institution_cannot_take_a_did(bench: Bench) -> None:
    bench.register(SCHOOL, did=DID)
    with pytest.raises(Exception, match="DidTaken"):
        bench.register(CITY, did=DID)


def test_a_second_institution_cannot_take_a_signer(bench: Bench) -> None:
    signer = bench.account_with_funds().address
    bench.register(SCHOOL, signer=signer)
    with pytest.raises(Exception, match="SignerTaken"):
        bench.register(CITY, signer=signer)


def test_zero_is_nobody(bench: Bench) -> None:
    with pytest.raises(Exception, match="ZeroValue"):
        bench.register(bytes(32))
    bench.register(SCHOOL)
    assert bench.refusal("addSigner(bytes32,address)", SCHOOL, "0x" + "00" * 20) == "ZeroValue"
    assert bench.refusal("bindDid(bytes32,bytes32,uint64,uint64)", SCHOOL, bytes(32), 1, 0) == (
        "ZeroValue"
    )
    assert bench.refusal(ACCREDIT, SCHOOL, bytes(32), 1, 0, False) == "ZeroValue"
    assert bench.refusal(ACCREDIT, h("nobody"), COURSE, 1, 0, False) == "UnknownInstitution"


def test_an_accreditation_that_ends_leaves_the_past_good(bench: Bench) -> None:
    bench.register(SCHOOL, did=DID, kinds=[COURSE], since=1000)
    end = bench.now + 50
    bench.send(END, SCHOOL, COURSE, end)
    assert bench.standing(DID, COURSE, end - 1) == ACCREDITED
    assert bench.standing(DID, COURSE, end) == ENDED
    assert bench.standing(DID, COURSE, 2**40) == KEY_NOT_VALID


def test_the_past_of_an_accreditation_cannot_be_taken_away(bench: Bench) -> None:
    bench.register(SCHOOL, did=DID, kinds=[COURSE], since=1000)
    assert bench.refusal(END, SCHOOL, COURSE, bench.now - 1) == "PastIsFixed"
    assert bench.refusal(ACCREDIT, SCHOOL, COURSE, 2000, 0, True) == "PastIsFixed"
    assert bench.refusal(ACCREDIT, SCHOOL, COURSE, 500, 0, False) == "PastIsFixed"
    assert bench.refusal("endDid(bytes32,uint64)", DID, bench.now - 1) == "PastIsFixed"
    assert bench.refusal(WITHDRAW, SCHOOL, bench.now - 1, bytes(32)) == "PastIsFixed"


def test_ending_what_was_never_given_or_later_than_it_ends_is_refused(bench: Bench) -> None:
    bench.register(SCHOOL, kinds=[COURSE], since=1000, until=bench.now + 100)
    assert bench.refusal(END, SCHOOL, h("project"), bench.now + 5) == "NothingToEnd"
    assert bench.refusal(END, SCHOOL, COURSE, bench.now + 100) == "NothingToEnd"


def test_provisional_becomes_full(bench: Bench) -> None:
    bench.register(SCHOOL, did=DID)
    start = bench.now
    bench.send(ACCREDIT, SCHOOL, COURSE, start - 100, 0, True)
    bench.send(ACCREDIT, SCHOOL, COURSE, start + 10, start + 20, False)
    times = {start - 101: NOT_ACCREDITED, start - 100: PROVISIONAL, start + 9: PROVISIONAL}
    times |= {start + 10: ACCREDITED, start + 19: ACCREDITED, start + 20: ENDED}
    assert {time: of(bench, SCHOOL, COURSE, time) for time in times} == times


def test_periods_with_a_gap_are_all_remembered(bench: Bench) -> None:
    bench.register(SCHOOL, kinds=[COURSE], since=100, until=200)
    bench.send(ACCREDIT, SCHOOL, COURSE, 300, 400, False)
    bench.send(ACCREDIT, SCHOOL, COURSE, 500, 0, True)
    found = [of(bench, SCHOOL, COURSE, time) for time in (99, 100, 199, 200, 300, 399, 400, 500)]
    assert found == [
        NOT_ACCREDITED,
        ACCREDITED,
        ACCREDITED,
        ENDED,
        ACCREDITED,
        ACCREDITED,
        ENDED,
        PROVISIONAL,
    ]


def test_a_period_that_has_not_begun_can_be_replaced_but_not_over_an_earlier_one(
    bench: Bench,
) -> None:
    bench.register(SCHOOL, kinds=[COURSE], since=100, until=200)
    future = bench.now + 1000
    bench.send(ACCREDIT, SCHOOL, COURSE, future, 0, False)
    assert bench.refusal(ACCREDIT, SCHOOL, COURSE, 150, 0, False) == "PastIsFixed"
    bench.send(ACCREDIT, SCHOOL, COURSE, future - 500, future, False)
    assert of(bench, SCHOOL, COURSE, future - 500) == ACCREDITED
    assert of(bench, SCHOOL, COURSE, future) == ENDED


def test_empty_and_impossible_periods_are_refused(bench: Bench) -> None:
    bench.register(SCHOOL)
    assert bench.refusal(ACCREDIT, SCHOOL, COURSE, 500, 500, False) == "EmptyPeriod"
    assert bench.refusal(ACCREDIT, SCHOOL, COURSE, 2**41, 0, False) == "TimeOutOfRange"
    assert bench.refusal(ACCREDIT, SCHOOL, COURSE, 1, 2**41, False) == "TimeOutOfRange"


def test_suspension_counts_from_then_to_then(bench: Bench) -> None:
    bench.register(SCHOOL, did=DID, kinds=[COURSE], since=1000)
    first = bench.advance(10)
    bench.send("suspend(bytes32)", SCHOOL)
    assert bench.refusal("suspend(bytes32)", SCHOOL) == "AlreadySuspended"
    second = bench.advance(10)
    bench.send("reinstate(bytes32)", SCHOOL)
    assert bench.refusal("reinstate(bytes32)", SCHOOL) == "NotSuspended"
    third = bench.advance(10)
    bench.send("suspend(bytes32)", SCHOOL)
    expected = {first - 1: ACCREDITED, first: SUSPENDED, second - 1: SUSPENDED}
    expected |= {second: ACCREDITED, third - 1: ACCREDITED, third: SUSPENDED}
    assert {time: bench.standing(DID, COURSE, time) for time in expected} == expected


def test_a_suspended_institution_stays_suspended_in_what_it_is_newly_accredited_for(
    bench: Bench,
) -> None:
    bench.register(SCHOOL, signer=bench.account.address)
    bench.send("suspend(bytes32)", SCHOOL)
    bench.send(ACCREDIT, SCHOOL, COURSE, 1000, 0, False)
    assert of(bench, SCHOOL, COURSE, bench.now) == SUSPENDED
    assert bench.refusal("anchor(bytes32,bytes32)", h("root"), COURSE) == "NotAccredited"


def test_withdrawal_ends_everything_and_names_the_successor(bench: Bench) -> None:
    bench.register(SCHOOL, did=DID, kinds=[COURSE], since=1000)
    bench.register(CENTRE)
    when = bench.now + 100
    bench.send(WITHDRAW, SCHOOL, when, CENTRE)
    bench.send("suspend(bytes32)", SCHOOL)  # still possible until then
    bench.send("reinstate(bytes32)", SCHOOL)
    assert of(bench, SCHOOL, COURSE, when) == ENDED
    assert bench.standing(DID, COURSE, when - 1) == ACCREDITED
    *_, withdrawn, successor = bench.ask(
        "institutionOf(bytes32)", ["uint64", "uint64", "uint64", "bytes32"], SCHOOL
    )
    assert (withdrawn, successor) == (when, CENTRE)
    bench.advance(100)
    assert bench.refusal(ACCREDIT, SCHOOL, COURSE, when + 5, 0, False) == "InstitutionGone"
    assert bench.refusal("suspend(bytes32)", SCHOOL) == "InstitutionGone"


def test_a_withdrawn_institution_is_not_brought_back_by_reinstating(bench: Bench) -> None:
    bench.register(SCHOOL, signer=bench.account.address, kinds=[COURSE])
    bench.send("suspend(bytes32)", SCHOOL)
    bench.send(WITHDRAW, SCHOOL, bench.now + 10, bytes(32))
    bench.send("reinstate(bytes32)", SCHOOL)
    bench.send("anchor(bytes32,bytes32)", h("before"), COURSE)
    bench.advance(10)
    assert bench.refusal("anchor(bytes32,bytes32)", h("after"), COURSE) == "NotAccredited"


def test_a_withdrawal_called_again_names_the_successor_anew_or_none(bench: Bench) -> None:
    bench.register(SCHOOL)
    bench.register(CENTRE)
    for successor in (CENTRE, bytes(32)):
        bench.send(WITHDRAW, SCHOOL, bench.now + 100, successor)
        *_, found = bench.ask(
            "institutionOf(bytes32)", ["uint64", "uint64", "uint64", "bytes32"], SCHOOL
        )
        assert found == successor


def test_nobody_succeeds_itself_or_an_unknown(bench: Bench) -> None:
    bench.register(SCHOOL)
    assert bench.refusal(WITHDRAW, SCHOOL, bench.now + 1, SCHOOL) == "AlreadyRegistered"
    assert bench.refusal(WITHDRAW, SCHOOL, bench.now + 1, CITY) == "UnknownInstitution"


def test_keys_have_their_own_dates(bench: Bench) -> None:
    bench.register(SCHOOL, did=DID, kinds=[COURSE], since=1000)
    end = bench.now + 10
    bench.send("endDid(bytes32,uint64)", DID, end)
    bench.send("bindDid(bytes32,bytes32,uint64,uint64)", SCHOOL, OTHER_DID, end, end + 10)
    assert [bench.standing(DID, COURSE, time) for time in (end - 1, end)] == [1, KEY_NOT_VALID]
    found = [bench.standing(OTHER_DID, COURSE, time) for time in (end - 1, end, end + 10)]
    assert found == [KEY_NOT_VALID, ACCREDITED, KEY_NOT_VALID]
    assert bench.refusal("endDid(bytes32,uint64)", DID, end + 5) == "PastIsFixed"
    assert bench.refusal("endDid(bytes32,uint64)", h("did:no"), end + 5) == "UnknownDid"
    assert bench.ask("didOf(bytes32)", ["bytes32", "uint64", "uint64"], OTHER_DID) == (
        SCHOOL,
        end,
        end + 10,
    )


def test_signing_addresses_are_remembered_after_their_removal(bench: Bench) -> None:
    signer = bench.account_with_funds()
    bench.register(SCHOOL)
    added = bench.advance(10)
    bench.send("addSigner(bytes32,address)", SCHOOL, signer.address)
    removed = bench.advance(10)
    bench.send("removeSigner(address)", signer.address)
    answers = [
        bench.ask("signerAt(address,uint64)", ["bytes32"], signer.address, time)[0]
        for time in (added - 1, added, removed - 1, removed)
    ]
    assert answers == [bytes(32), SCHOOL, SCHOOL, bytes(32)]
    assert bench.refusal("removeSigner(address)", signer.address) == "UnknownSigner"
    assert bench.refusal("addSigner(bytes32,address)", SCHOOL, signer.address) == "SignerTaken"


def test_accreditation_for_one_course_or_one_term(bench: Bench) -> None:
    ai, history, spring, autumn = h("ai"), h("history"), h("2026-1"), h("2026-2")
    bench.register(SCHOOL, did=DID)
    bench.send(SCOPE, SCHOOL, COURSE, ai, bytes(32), 1000, 0, True)
    bench.send(SCOPE, SCHOOL, COURSE, history, spring, 1000, 0, False)

    def asked(course: bytes, term: bytes) -> int:
        found = bench.ask(STANDING_FOR, ["bytes32", "uint8"], DID, COURSE, course, term, bench.now)
        return int(found[1])

    assert asked(ai, bytes(32)) == PROVISIONAL
    assert asked(ai, autumn) == PROVISIONAL
    assert asked(history, spring) == ACCREDITED
    assert asked(history, autumn) == NOT_ACCREDITED
    assert asked(history, bytes(32)) == NOT_ACCREDITED
    assert bench.standing(DID, COURSE, bench.now) == NOT_ACCREDITED
    bench.send(ACCREDIT, SCHOOL, COURSE, 1000, 0, False)
    assert asked(history, autumn) == ACCREDITED
    assert bench.refusal(SCOPE, SCHOOL, COURSE, bytes(32), spring, 1, 0, False) == "ZeroValue"


def test_a_scope_cannot_be_anchored_under_while_suspended(bench: Bench) -> None:
    bench.register(SCHOOL, signer=bench.account.address)
    bench.send(SCOPE, SCHOOL, COURSE, h("ai"), bytes(32), 1000, 0, False)
    (scope,) = bench.ask(
        "scopeOf(bytes32,bytes32,bytes32)", ["bytes32"], COURSE, h("ai"), bytes(32)
    )
    bench.send("anchor(bytes32,bytes32)", h("good"), scope)
    bench.send("suspend(bytes32)", SCHOOL)
    assert bench.refusal("anchor(bytes32,bytes32)", h("bad"), scope) == "NotAccredited"


def test_a_scope_renewed_as_if_it_were_a_kind_still_cannot_be_anchored_under_while_suspended(
    bench: Bench,
) -> None:
    bench.register(SCHOOL, signer=bench.account.address)
    bench.send(SCOPE, SCHOOL, COURSE, h("ai"), bytes(32), 1000, bench.now + 10, False)
    (scope,) = bench.ask(
        "scopeOf(bytes32,bytes32,bytes32)", ["bytes32"], COURSE, h("ai"), bytes(32)
    )
    bench.send(ACCREDIT, SCHOOL, scope, bench.now + 10, 0, False)
    bench.advance(10)
    bench.send("anchor(bytes32,bytes32)", h("good"), scope)
    bench.send("suspend(bytes32)", SCHOOL)
    assert bench.refusal("anchor(bytes32,bytes32)", h("bad"), scope) == "NotAccredited"


def test_a_delegate_stands_as_long_as_its_delegator_and_not_beyond_its_end(bench: Bench) -> None:
    bench.register(CITY, kinds=[COURSE], since=1000)
    bench.register(CENTRE, did=DID, signer=bench.account.address)
    assert bench.refusal(DELEGATE, CENTRE, COURSE, CITY, 1000, 0) == "DelegationNeedsEnd"
    end = bench.now + 100
    bench.send(DELEGATE, CENTRE, COURSE, CITY, 1000, end)
    assert bench.standing(DID, COURSE, bench.now) == ACCREDITED
    bench.send("anchor(bytes32,bytes32)", h("one"), COURSE)
    cut = bench.advance(10)
    bench.send("suspend(bytes32)", CITY)
    assert bench.refusal("anchor(bytes32,bytes32)", h("two"), COURSE) == "NotAccredited"
    assert [bench.standing(DID, COURSE, t) for t in (cut - 1, cut)] == [ACCREDITED, SUSPENDED]
    again = bench.advance(10)
    bench.send("reinstate(bytes32)", CITY)
    assert bench.standing(DID, COURSE, again) == ACCREDITED
    assert bench.standing(DID, COURSE, end) == ENDED


def test_only_who_is_accredited_itself_can_delegate(bench: Bench) -> None:
    bench.register(CITY, kinds=[COURSE], since=1000)
    bench.register(SCHOOL)
    bench.register(CENTRE)
    end = bench.now + 100
    assert bench.refusal(DELEGATE, CENTRE, COURSE, SCHOOL, 1000, end) == "DelegatorCannotDelegate"
    bench.send(DELEGATE, SCHOOL, COURSE, CITY, 1000, end)
    assert bench.refusal(DELEGATE, CENTRE, COURSE, SCHOOL, 1000, end) == "DelegatorCannotDelegate"
    assert bench.refusal(DELEGATE, CITY, COURSE, CITY, 1000, end) == "DelegatorCannotDelegate"


def test_delegations_made_into_a_ring_give_nobody_anything(bench: Bench) -> None:
    now = bench.now
    for institution in (CITY, SCHOOL, CENTRE):
        bench.register(institution, kinds=[COURSE], since=1000, until=now + 100)
    ring = now + 200
    for one, other in ((CITY, SCHOOL), (SCHOOL, CENTRE), (CENTRE, CITY)):
        bench.send(DELEGATE, one, COURSE, other, ring, ring + 100)
        bench.send(ACCREDIT, one, COURSE, ring + 100, 0, False)
    assert {of(bench, who, COURSE, ring + 50) for who in (CITY, SCHOOL, CENTRE)} == {ENDED}


def test_a_flood_of_kinds_is_refused(bench: Bench) -> None:
    bench.register(SCHOOL, kinds=[h(f"kind {n}") for n in range(32)])
    assert bench.refusal(ACCREDIT, SCHOOL, COURSE, 1, 0, False) == "TooManyKinds"
    bench.send("suspend(bytes32)", SCHOOL)
    assert of(bench, SCHOOL, h("kind 31"), bench.now) == SUSPENDED
