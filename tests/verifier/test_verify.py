"""The report of good credentials, the order of the steps, and what stops what."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from credential import integrity
from credential.evidence import Evidence
from credential.multibase import base58
from credential.text import Text
from verifier import Outcome, Verdict, VerificationPolicy, verify
from verifier.report import CHECK_IDS, Check, failed, not_run, verdict_of, warning

steps = importlib.import_module("verifier.verify")  # the name in the package is the function


def outcomes(report) -> dict[str, str]:
    return {check.id: check.outcome.value for check in report.checks}


def test_a_good_credential_is_valid_and_every_step_is_reported(still_world, good):
    report = still_world.verify(good)
    assert report.verdict is Verdict.VALID
    assert [check.id for check in report.checks] == list(CHECK_IDS)
    assert [check.step for check in report.checks] == list(range(1, 10))
    assert set(outcomes(report).values()) == {"passed"}
    assert report.decisive is None


def test_bytes_text_and_object_give_the_same_report(still_world, good):
    body = good.to_bytes()
    reports = [still_world.verify(form).to_json() for form in (body, body.decode(), good)]
    assert reports[0] == reports[1] == reports[2]


def test_the_facts_are_in_plain_words(still_world, good):
    facts = still_world.verify(good).facts
    assert facts["issuer"]["name"] == "서울시민대학"
    assert facts["learner"]["name"] == "김하늘"
    assert facts["achievement"] == "생활 속 인공지능"
    assert facts["minutes"] == 1200
    assert facts["kindName"] == {"ko": "학습 과정", "en": "Course"}


def test_no_facts_are_shown_that_nobody_signed(world):
    evidence = world.issue()
    evidence.credential["name"] = "박사 학위"
    report = world.verify(evidence)
    assert report.facts == {}
    assert "박사" not in json.dumps(report.to_json(), ensure_ascii=False)


def test_every_reason_is_in_both_languages(world):
    evidence = world.issue()
    worlds = [world.verify(evidence)]
    world.node.down = True
    worlds.append(world.verify(evidence))
    world.lists.down = True
    worlds.append(world.verify(Evidence(evidence.credential)))
    for report in worlds:
        for check in report.to_json()["checks"]:
            assert check["reason"]["ko"]
            assert check["reason"]["en"]
            assert check["reason"]["ko"] != check["reason"]["en"]


def test_report_json_is_stable(still_world, good):
    body = still_world.verify(good).to_json()
    assert list(body) == ["verdict", "summary", "checkedAt", "facts", "checks"]
    assert body["checkedAt"] == "2026-11-20T03:00:00Z"
    assert json.loads(json.dumps(body)) == body


def test_a_fatal_step_stops_the_later_ones(world):
    evidence = world.issue()
    evidence.credential["validFrom"] = "2026-11-01T00:00:01Z"
    report = world.verify(evidence)
    assert report.verdict is Verdict.INVALID
    assert report.decisive.id == "proof"
    for check in report.checks[3:]:
        assert check.outcome is Outcome.NOT_RUN
        assert check.code == "earlier-step-failed"
        assert check.details == {"step": 3, "check": "proof"}


def test_a_wrong_path_leaves_status_and_dates_to_be_checked(world):
    evidence = world.issue()
    other = replace(evidence.receipt, leaf_index=1)
    report = world.verify(Evidence(evidence.credential, other))
    assert outcomes(report) | {"merkle-path": "", "anchor": "", "accreditation": ""} == {
        **dict.fromkeys(CHECK_IDS, "passed"),
        "merkle-path": "",
        "anchor": "",
        "accreditation": "",
    }
    assert report.check("merkle-path").outcome is Outcome.FAILED
    assert report.check("anchor").code == "earlier-step-failed"
    assert report.check("accreditation").code == "earlier-step-failed"


@pytest.mark.parametrize("name", CHECK_IDS)
@pytest.mark.parametrize("worse", [failed, not_run, warning])
def test_result_computed_then_ignored(still_world, good, monkeypatch, name, worse):
    """Whichever step comes out as anything but passed, the verdict is not ``valid``."""
    bad = worse("made-up", Text("지어낸 결과", "made up"))
    changed = tuple(
        replace(step, check=lambda _case: bad) if step.id == name else step for step in steps.STEPS
    )
    monkeypatch.setattr(steps, "STEPS", changed)
    report = still_world.verify(good)
    assert report.verdict is (Verdict.INVALID if worse is failed else Verdict.UNDETERMINED)
    assert report.check(name).code == "made-up"


def test_a_missing_required_check_is_not_a_pass():
    done = Check("format", 1, Outcome.PASSED, True, "x", Text("가", "a"))
    assert verdict_of([done], ["format", "proof"]) is Verdict.UNDETERMINED
    assert verdict_of([done], ["format"]) is Verdict.VALID


def test_unknown_check_in_a_policy_is_refused():
    with pytest.raises(ValueError, match="acreditation"):
        VerificationPolicy(required=frozenset({"acreditation"}))


def test_a_naive_now_is_refused(still_world, good):
    with pytest.raises(ValueError, match="naive"):
        verify(
            good,
            trust=still_world.trust(),
            chain=lambda _: None,
            status_source=None,
            now=datetime(2026, 1, 1),  # noqa: DTZ001
        )


def test_a_check_that_is_not_required_does_not_decide(world):
    evidence = world.issue()
    world.publish(world.university, "suspension", on=[4242])
    policy = VerificationPolicy(required=frozenset(CHECK_IDS) - {"status"})
    report = world.verify(evidence, policy=policy)
    assert report.check("status").outcome is Outcome.FAILED
    assert not report.check("status").required
    assert report.verdict is Verdict.VALID


def test_not_yet_valid_and_expired(world):
    early = world.issue(validFrom="2026-12-01T00:00:00Z")
    late = world.issue(validUntil="2026-11-19T00:00:00Z")
    assert world.verify(early).decisive.code == "not-yet-valid"
    assert world.verify(late).decisive.code == "expired"
    on_the_day = world.verify(late, now=datetime(2026, 11, 19, tzinfo=UTC))
    assert on_the_day.check("validity").outcome is Outcome.PASSED


def test_a_proof_that_expired_is_expired(world):
    document = world.document()
    signed = world.university.sign(document)
    assert world.verify(world.anchor([signed])[0]).verdict is Verdict.VALID
    proof = {**signed["proof"], "expires": "2026-11-10T00:00:00Z"}
    proof.pop("proofValue")
    signature = world.university.key.sign(integrity.hash_data(document, proof)).signature
    expired = {**document, "proof": {**proof, "proofValue": "z" + base58(signature)}}
    report = world.verify(world.anchor([expired])[0])
    assert report.decisive.code == "expired"


def test_without_a_receipt_the_remedy_is_to_ask_for_the_evidence_file(world):
    evidence = world.issue()
    report = world.verify(evidence.credential)
    assert report.verdict is Verdict.UNDETERMINED
    for check_id in ("merkle-path", "anchor"):
        check = report.check(check_id)
        assert (check.outcome, check.code) == (Outcome.NOT_RUN, "no-receipt")
        assert ".baeum.json" in check.remedy.ko
    assert report.check("accreditation").code == "time-not-proven"
    assert report.check("proof").outcome is Outcome.PASSED


def test_a_policy_may_do_without_the_anchor(world):
    evidence = world.issue()
    policy = VerificationPolicy(allow_missing_anchor=True)
    report = world.verify(evidence.credential, policy=policy)
    assert report.verdict is Verdict.VALID
    assert [note.code for note in report.check("accreditation").notes] == ["time-claimed"]
    world.accredit(world.university, "course", lambda time: 1 if time < 1_793_000_000 else 5)
    assert world.verify(evidence.credential, policy=policy).verdict is Verdict.UNDETERMINED


def test_allowing_a_missing_anchor_does_not_forgive_a_wrong_one(world):
    evidence = world.issue()
    wrong = Evidence(evidence.credential, replace(evidence.receipt, leaf_index=3))
    policy = VerificationPolicy(allow_missing_anchor=True)
    assert world.verify(wrong, policy=policy).verdict is Verdict.INVALID


def test_a_credential_by_somebody_unknown_is_not_called_forged(world):
    stranger = world.stranger("a-university-abroad")
    signed = stranger.sign(world.document(stranger))
    report = world.verify(signed)
    assert report.check("proof").outcome is Outcome.PASSED
    assert report.check("accreditation").code == "issuer-not-registered"
    assert "위조라는 뜻은 아닙니다" in report.check("accreditation").reason.ko


def test_a_self_run_chain_is_said_plainly_but_does_not_fail(still_world, good):
    report = still_world.verify(good, trust=still_world.trust(self_run=True))
    assert report.verdict is Verdict.VALID
    notes = report.check("anchor").to_json()["notes"]
    assert [note["code"] for note in notes] == ["self-run-chain"]
    assert "proves nothing to others" in notes[0]["reason"]["en"]


def test_ages_of_cached_facts_are_in_the_report(world):
    evidence = world.issue()
    reader = world.reader()

    def at(now):
        return world.verify(evidence, now=now, chain=lambda _: reader)

    at(world.now)
    asked = world.node.calls
    later = at(world.now + timedelta(minutes=5))
    assert world.node.calls == asked, "final answers are remembered"
    assert later.check("anchor").details["ageSeconds"] == 300
    assert later.check("accreditation").details["ageSeconds"] == 300
    assert later.check("status").details["lists"][0]["ageSeconds"] == 300
    at(world.now + timedelta(minutes=11))
    assert world.node.calls > asked, "and asked again when they are too old"
