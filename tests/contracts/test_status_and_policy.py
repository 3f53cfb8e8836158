"""StatusRegistry and PolicyRegistry."""

from __future__ import annotations

from evm import COURSE, Bench, h

SCHOOL, CITY, LIST, DEGREE = h("school"), h("city"), h("list"), h("bachelor")
FULL = 2**256 - 1
REVOKE = "revoke(bytes32,uint256,uint256)"
SUSPEND = "setSuspended(bytes32,uint256,uint256)"
PUBLISH = "publish(bytes32,bytes32)"
PUBLISH_POLICY = "publish(bytes32,bytes32,uint64)"


def status(bench: Bench, index: int, institution: bytes = SCHOOL) -> tuple[bool, bool]:
    revoked, suspended = bench.ask(
        "statusOf(bytes32,bytes32,uint256)",
        ["bool", "bool"],
        institution,
        LIST,
        index,
        to=bench.network.status,
    )
    return revoked, suspended


def test_revocations_add_up_and_are_final(bench: Bench) -> None:
    bench.register(SCHOOL, signer=bench.account.address)
    registry = bench.network.status
    bench.send(REVOKE, LIST, 2, 1 << 5, to=registry)
    bench.send(REVOKE, LIST, 2, (1 << 9) | (1 << 5), to=registry)
    assert status(bench, 512 + 5) == (True, False)
    assert status(bench, 512 + 9) == (True, False)
    assert status(bench, 512 + 6) == (False, False)
    assert bench.refusal(REVOKE, LIST, 2, 1 << 5, to=registry) == "NothingChanges"
    assert bench.refusal(REVOKE, LIST, 2, 0, to=registry) == "NothingChanges"


def test_suspension_comes_and_goes(bench: Bench) -> None:
    bench.register(SCHOOL, signer=bench.account.address)
    registry = bench.network.status
    bench.send(SUSPEND, LIST, 0, 1 << 7, to=registry)
    assert status(bench, 7) == (False, True)
    bench.send(SUSPEND, LIST, 0, 0, to=registry)
    assert status(bench, 7) == (False, False)
    assert bench.refusal(SUSPEND, LIST, 0, 0, to=registry) == "NothingChanges"


def test_nobody_writes_into_another_institutions_lists(bench: Bench) -> None:
    other = bench.account_with_funds()
    bench.register(SCHOOL, signer=bench.account.address)
    bench.register(CITY, signer=other.address)
    bench.send(REVOKE, LIST, 0, FULL, to=bench.network.status, by=other)
    assert status(bench, 3) == (False, False)
    assert status(bench, 3, CITY) == (True, False)
    stranger = bench.account_with_funds()
    for call, values in ((REVOKE, (LIST, 0, 1)), (SUSPEND, (LIST, 0, 1)), (PUBLISH, (LIST, LIST))):
        assert bench.refusal(call, *values, to=bench.network.status, by=stranger) == (
            "SignerUnknown"
        )


def test_an_institution_can_still_revoke_after_its_accreditation_ended(bench: Bench) -> None:
    bench.register(SCHOOL, signer=bench.account.address, kinds=[COURSE], since=1, until=2)
    bench.send(REVOKE, LIST, 0, 1, to=bench.network.status)
    assert status(bench, 0) == (True, False)


def test_digests_of_published_lists_count_their_versions(bench: Bench) -> None:
    bench.register(SCHOOL, signer=bench.account.address)
    registry = bench.network.status

    def published() -> tuple[bytes, int, int]:
        digest, when, version = bench.ask(
            "publishedOf(bytes32,bytes32)",
            ["bytes32", "uint64", "uint64"],
            SCHOOL,
            LIST,
            to=registry,
        )
        return digest, when, version

    assert published() == (bytes(32), 0, 0)
    bench.send(PUBLISH, LIST, h("v1"), to=registry)
    later = bench.advance(60)
    bench.send(PUBLISH, LIST, h("v2"), to=registry)
    assert published() == (h("v2"), later, 2)
    assert bench.refusal(PUBLISH, LIST, h("v2"), to=registry) == "NothingChanges"
    assert bench.refusal(PUBLISH, LIST, bytes(32), to=registry) == "ZeroValue"


def test_both_words_can_be_read_at_once(bench: Bench) -> None:
    bench.register(SCHOOL, signer=bench.account.address)
    bench.send(REVOKE, LIST, 1, 6, to=bench.network.status)
    bench.send(SUSPEND, LIST, 1, 9, to=bench.network.status)
    words = bench.ask(
        "words(bytes32,bytes32,uint256)",
        ["uint256", "uint256"],
        SCHOOL,
        LIST,
        1,
        to=bench.network.status,
    )
    assert words == (6, 9)


def test_the_policy_in_force_at_a_time(bench: Bench) -> None:
    registry = bench.network.policy
    bench.send(PUBLISH_POLICY, DEGREE, h("v1"), 1000, to=registry)
    bench.send(PUBLISH_POLICY, DEGREE, h("v2"), 2000, to=registry)
    answers = {
        time: bench.ask(
            "policyAt(bytes32,uint64)",
            ["uint256", "bytes32", "uint64"],
            DEGREE,
            time,
            to=registry,
        )
        for time in (999, 1000, 1999, 2000)
    }
    one, two = (1, h("v1"), 1000), (2, h("v2"), 2000)
    assert answers == {999: (0, bytes(32), 0), 1000: one, 1999: one, 2000: two}
    assert bench.ask("versionsOf(bytes32)", ["uint256"], DEGREE, to=registry) == (2,)
    found = bench.ask(
        "versionOf(bytes32,uint256)", ["bytes32", "uint64", "uint64"], DEGREE, 1, to=registry
    )
    assert found == (h("v1"), 1000, bench.now)


def test_a_policy_is_never_changed_behind_its_back(bench: Bench) -> None:
    registry = bench.network.policy
    bench.send(PUBLISH_POLICY, DEGREE, h("v1"), 1000, to=registry)
    assert bench.refusal(PUBLISH_POLICY, DEGREE, h("v0"), 1000, to=registry) == "NotInOrder"
    assert bench.refusal(PUBLISH_POLICY, DEGREE, h("v0"), 999, to=registry) == "NotInOrder"
    assert bench.refusal(PUBLISH_POLICY, DEGREE, bytes(32), 1001, to=registry) == "ZeroValue"
    stranger = bench.account_with_funds()
    assert (
        bench.refusal(PUBLISH_POLICY, DEGREE, h("v2"), 2000, to=registry, by=stranger)
        == "NotAllowed"
    )


def test_the_publisher_of_policies_needs_no_other_role(bench: Bench) -> None:
    publisher = bench.account_with_funds()
    bench.send("grantRole(bytes32,address)", h("POLICY_ROLE"), publisher.address)
    bench.send(PUBLISH_POLICY, DEGREE, h("v1"), 1000, to=bench.network.policy, by=publisher)
    assert bench.refusal("pause()", by=publisher) == "AccessControlUnauthorizedAccount"
