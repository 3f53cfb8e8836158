"""Step 8: what a status list may and may not make a verifier believe."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from credential import status
from credential.multibase import base64url
from verifier import Outcome, Verdict, VerificationPolicy, status_list
from verifier.status_source import DirectorySource, SourceRefused

INDEX = 4242


def judged(world, evidence, **options):
    report = world.verify(evidence, **options)
    return report, report.check("status")


def replaced(world, purpose, document, **signing):
    world.put(world.university, purpose, world.university.sign(document, **signing))


@pytest.mark.parametrize(
    ("purpose", "code"), [("revocation", "revoked"), ("suspension", "suspended")]
)
def test_revoked_and_suspended_are_told_apart(world, purpose, code):
    evidence = world.issue()
    world.publish(world.university, purpose, on=[INDEX])
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.INVALID
    assert (check.outcome, check.code) == (Outcome.FAILED, code)
    assert report.decisive is check
    assert [one["purpose"] for one in check.details["lists"]] == ["revocation", "suspension"]


def test_revoked_wins_over_suspended_and_over_a_broken_list(world):
    evidence = world.issue()
    world.publish(world.university, "revocation", on=[INDEX])
    world.publish(world.university, "suspension", on=[INDEX])
    assert judged(world, evidence)[1].code == "revoked"
    world.lists.bodies[world.list_url(world.university, "suspension")] = b"broken"
    assert judged(world, evidence)[1].code == "revoked"


def test_the_neighbours_bits_do_not_matter(world):
    evidence = world.issue()
    world.publish(world.university, "revocation", on=[INDEX - 1, INDEX + 1])
    assert judged(world, evidence)[0].verdict is Verdict.VALID


def test_status_list_that_cannot_be_reached_is_never_a_pass(world):
    evidence = world.issue()
    world.lists.down = True
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.UNDETERMINED
    assert (check.outcome, check.code) == (Outcome.NOT_RUN, "status-unreachable")


def test_no_source_for_status_lists_is_never_a_pass(world):
    report, check = judged(world, world.issue(), status_source=None)
    assert report.verdict is Verdict.UNDETERMINED
    assert check.code == "no-status-source"


def test_status_list_absent(world):
    evidence = world.issue()
    world.lists.bodies.clear()
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.INVALID
    assert (check.outcome, check.code) == (Outcome.FAILED, "status-list-absent")


def test_status_list_unsigned(world):
    evidence = world.issue()
    world.put(world.university, "revocation", world.list_document(world.university, "revocation"))
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.INVALID
    assert check.code == "status-list-signature-wrong"


def test_status_list_changed_after_signing(world):
    evidence = world.issue()
    signed = world.university.sign(
        world.list_document(
            world.university, "revocation", status.with_bits(bytes(16384), [INDEX], True)
        )
    )
    signed["credentialSubject"]["encodedList"] = status.encode(bytes(16384))
    world.put(world.university, "revocation", signed)
    assert judged(world, evidence)[1].code == "status-list-signature-wrong"


def test_status_list_by_other_issuer(world):
    """The centre publishes a clean list at the university's address."""
    evidence = world.issue()
    document = world.list_document(world.university, "revocation") | {"issuer": world.centre.did}
    world.put(world.university, "revocation", world.centre.sign(document))
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.INVALID
    assert check.code == "status-list-other-issuer"


def test_status_list_in_the_issuers_name_with_another_key(world):
    evidence = world.issue()
    document = world.list_document(world.university, "revocation")
    world.put(world.university, "revocation", world.centre.sign(document))
    assert judged(world, evidence)[1].code == "status-list-other-issuer"


def test_status_list_of_other_purpose(world):
    """The suspension list served in place of the revocation list."""
    evidence = world.issue()
    document = world.list_document(world.university, "revocation")
    document["credentialSubject"]["statusPurpose"] = "suspension"
    replaced(world, "revocation", document)
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.INVALID
    assert check.code == "status-list-other-purpose"


def test_status_list_of_other_shard(world):
    """A clean list of the same issuer, served in place of the one that has the bit set."""
    evidence = world.issue()
    document = world.list_document(world.university, "revocation")
    replaced(world, "revocation", document | {"id": "https://baeum.example/status/x/revocation"})
    assert judged(world, evidence)[1].code == "status-list-other-list"


def test_status_list_too_short(world):
    evidence = world.issue()
    replaced(world, "revocation", world.list_document(world.university, "revocation", bytes(16383)))
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.INVALID
    assert check.code == "status-list-too-short"


def test_status_index_beyond_the_list(world):
    evidence = world.issue(index=131_072)
    assert judged(world, evidence)[1].code == "status-index-out-of-range"


def test_status_list_gzip_bomb(world):
    evidence = world.issue()
    bomb = "u" + base64url(gzip.compress(bytes(256 * 1024 * 1024), compresslevel=9, mtime=0))
    document = world.list_document(world.university, "revocation")
    document["credentialSubject"]["encodedList"] = bomb
    replaced(world, "revocation", document, cryptosuite="eddsa-jcs-2022")
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.INVALID
    assert check.code == "status-list-malformed"


def test_status_list_expired(world):
    """An old list proves a revocation, which is for good, and nothing else."""
    evidence = world.issue()
    over = {"validUntil": "2026-11-19T12:00:00Z"}
    world.publish(world.university, "revocation", **over)
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.UNDETERMINED
    assert (check.outcome, check.code) == (Outcome.NOT_RUN, "status-list-expired")
    world.publish(world.university, "revocation", on=[INDEX], **over)
    assert judged(world, evidence)[1].code == "revoked"
    world.publish(world.university, "revocation")
    world.publish(world.university, "suspension", on=[INDEX], **over)
    assert judged(world, evidence)[1].code == "status-list-expired"


def test_status_list_older_than_the_policy_allows(world):
    evidence = world.issue()
    world.lists.fetched_at = world.now - timedelta(hours=2)
    assert judged(world, evidence)[0].verdict is Verdict.VALID
    policy = VerificationPolicy(max_status_age=timedelta(hours=1))
    report, check = judged(world, evidence, policy=policy)
    assert report.verdict is Verdict.UNDETERMINED
    assert check.code == "status-list-too-old"
    assert check.details["lists"][0]["ageSeconds"] == 7200


def test_status_list_from_the_future(world):
    evidence = world.issue()
    world.publish(world.university, "revocation", validFrom="2026-11-21T00:00:00Z")
    assert judged(world, evidence)[1].outcome is Outcome.NOT_RUN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b"\xff",
        b"[" * 100_000,
        b'{"a":1,"a":2}',
        json.dumps({"proof": {}}).encode(),
    ],
)
def test_status_list_that_is_garbage(world, body):
    evidence = world.issue()
    world.lists.bodies[world.list_url(world.university, "revocation")] = body
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.INVALID
    assert check.outcome is Outcome.FAILED


def test_credential_without_status_is_not_called_unrevoked(world):
    document = world.document()
    del document["credentialStatus"]
    evidence = world.anchor([world.university.sign(document)])[0]
    report, check = judged(world, evidence)
    assert (check.outcome, check.code) == (Outcome.WARNING, "no-status-entry")
    assert report.verdict is Verdict.UNDETERMINED
    others = VerificationPolicy(required=VerificationPolicy().required - {"status"})
    assert judged(world, evidence, policy=others)[0].verdict is Verdict.VALID


def test_status_entry_removed(world):
    """The entry is signed, so a revoked credential cannot lose it."""
    evidence = world.issue()
    del evidence.credential["credentialStatus"]
    assert world.verify(evidence).decisive.id == "proof"


def test_status_of_an_unknown_kind_is_not_a_pass(world):
    document = world.document()
    document["credentialStatus"][0]["statusPurpose"] = "message"
    evidence = world.anchor([world.university.sign(document)])[0]
    report, check = judged(world, evidence)
    assert report.verdict is Verdict.UNDETERMINED
    assert check.code == "status-kind-unknown"


def test_a_list_that_verified_is_not_verified_again(world, monkeypatch):
    evidence = world.issue()
    world.verify(evidence)
    monkeypatch.setattr(status_list, "check_signature", None)
    assert world.verify(evidence).verdict is Verdict.VALID


def test_lists_published_in_a_folder(world, tmp_path):
    evidence = world.issue()
    folder = tmp_path / "status"
    prefix = "https://baeum.example/status"
    source = DirectorySource(prefix, folder, clock=lambda: world.now)
    assert judged(world, evidence, status_source=source)[1].code == "status-unreachable"
    for url, body in world.lists.bodies.items():
        path = folder / (url.removeprefix(prefix + "/") + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    assert judged(world, evidence, status_source=source)[0].verdict is Verdict.VALID
    (folder / f"stl_{world.university.id}" / "revocation.json").unlink()
    assert judged(world, evidence, status_source=source)[0].verdict is Verdict.INVALID


@pytest.mark.parametrize(
    "url",
    [
        "https://baeum.example/status/../../etc/passwd",
        "https://baeum.example/status//etc/passwd",
        "https://baeum.example/status/.hidden/revocation",
        "https://baeum.example/status/a/../b",
        "https://baeum.example/status/",
        "https://baeum.example/statusx/a",
        "https://elsewhere.example/status/a/revocation",
        "https://baeum.example/status/a%2f..%2fb",
        "https://baeum.example/status/a\x00b",
    ],
)
def test_a_folder_answers_only_for_its_own_lists(tmp_path, url):
    (tmp_path / "a").mkdir()
    with pytest.raises(SourceRefused):
        DirectorySource("https://baeum.example/status", tmp_path).fetch(url)


def test_now_is_what_counts_and_not_the_clock(world):
    evidence = world.issue()
    far = datetime(2030, 1, 1, tzinfo=UTC)
    assert world.verify(evidence, now=far).check("status").code == "status-list-expired"
