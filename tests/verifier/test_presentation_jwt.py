"""Presentations as ``vp+jwt``: who presented, to whom, and whose the credentials are."""

from __future__ import annotations

import json

import pytest
from nacl.signing import SigningKey
from tokens import AUDIENCE, HOLDER, NONCE, presented, publish_token_list, sd_jwt_vc_of, signer

from credential import jose
from credential.did import did_key, key_method
from credential.envelope import wrap
from verifier import Outcome, Verdict, VerificationPolicy
from verifier.did_web import KeptDids
from verifier.presentation_jwt import is_presentation_jwt, verify_presentation_jwt

DID = did_key(bytes(HOLDER.verify_key))
STRANGER = SigningKey(b"s" * 32)
CLAIMS = {"aud": AUDIENCE, "nonce": NONCE}


@pytest.fixture
def world(still_world):
    """Nothing here changes it."""
    return still_world


def present(*credentials, key=HOLDER, kid=None, typ="vp+jwt", **changes):
    did = did_key(bytes(key.verify_key))
    payload = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": did,
        "verifiableCredential": list(credentials),
    } | changes
    kid = key_method(did) if kid is None else kid
    return jose.sign(payload, algorithm="EdDSA", typ=typ, kid=kid, sign=signer(key)).encode()


def check(world, text, **changes):
    given = {"nonce": NONCE, "audience": AUDIENCE} | changes
    reader = world.reader()
    return verify_presentation_jwt(
        text,
        trust=world.trust(),
        chain=lambda _: reader,
        status_source=world.lists,
        now=world.now,
        policy=VerificationPolicy(allow_missing_anchor=True),
        **given,
    )


def document(world, subject=DID, **changes):
    body = world.document(**changes)
    body["credentialSubject"]["id"] = subject
    return body


@pytest.fixture
def enveloped(world):
    university = world.university
    token = jose.sign(
        document(world),
        algorithm="EdDSA",
        typ="vc+jwt",
        kid=university.method,
        sign=signer(university.key),
    )
    return wrap(token)


@pytest.fixture
def embedded(world):
    return world.university.sign(document(world))


def test_each_credential_is_verified_and_its_holders(world, enveloped, embedded):
    text = present(enveloped, embedded, **CLAIMS)
    assert is_presentation_jwt(text)
    report = check(world, text)
    assert report.verdict is Verdict.VALID
    assert [one.check("holder").code for one in report.reports] == ["holder-presented"] * 2
    assert report.reports[0].facts["title"] == "생활 속 인공지능 이수증"
    assert json.loads(json.dumps(report.to_json()))["credentials"][1]["verdict"] == "valid"


def test_an_sd_jwt_is_presented_by_its_own_binding(world, enveloped):
    publish_token_list(world, world.university)
    token = sd_jwt_vc_of(world, world.university)
    good = wrap(str(presented(world, token)))
    assert check(world, present(enveloped, good, **CLAIMS)).verdict is Verdict.VALID
    other = wrap(str(presented(world, token, nonce="another")))
    report = check(world, present(enveloped, other, **CLAIMS))
    assert [one.verdict for one in report.reports] == [Verdict.VALID, Verdict.INVALID]
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://other.example"}, "audience"),
        ({"nonce": "replayed"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": 1}, "not-fresh"),
        ({"iat": 1}, "not-fresh"),
        ({"nbf": 9_999_999_999}, "not-fresh"),
        ({"iat": "now"}, "time-malformed"),
        ({"iss": "did:example:another"}, "holder-absent"),
        ({"holder": "did:example:another"}, "another-signer"),
        ({"kid": "#key"}, "key-not-listed"),
        ({"kid": ""}, "another-signer"),
        ({"verifiableCredential": []}, "credentials-malformed"),
        ({"verifiableCredential": ["eyJ"]}, "credentials-malformed"),
        ({"type": ["VerifiableCredential"]}, "presentation-malformed"),
        ({"typ": "vc+jwt"}, "typ-wrong"),
    ],
)
def test_attack_presentation_that_does_not_answer(world, enveloped, changes, code):
    report = check(world, present(enveloped, **(CLAIMS | changes)))
    assert (report.presented.outcome, report.presented.code) == (Outcome.FAILED, code)
    assert report.verdict is Verdict.INVALID
    assert all(one.verdict is Verdict.INVALID for one in report.reports)


def test_attack_anothers_credential(world, enveloped, embedded):
    for credential in (enveloped, embedded):
        report = check(world, present(credential, key=STRANGER, **CLAIMS))
        assert report.presented.outcome is Outcome.PASSED
        assert report.reports[0].check("holder").code == "another-holder"
        assert report.verdict is Verdict.INVALID


def test_a_credential_bound_to_nobody_is_not_judged(world):
    for subject in ("urn:uuid:9a3f1f7e-0000-4000-8000-000000000001",):
        credential = world.university.sign(document(world, subject))
        report = check(world, present(credential, **CLAIMS))
        assert report.reports[0].check("holder").code == "not-bound"
        assert report.verdict is Verdict.UNDETERMINED


def test_one_forged_credential_spoils_it(world, enveloped, embedded):
    report = check(world, present(enveloped, embedded | {"name": "명예박사"}, **CLAIMS))
    assert [one.verdict for one in report.reports] == [Verdict.VALID, Verdict.INVALID]
    assert report.verdict is Verdict.INVALID


def test_attack_content_changed_after_signing(world, enveloped, embedded):
    head, _, signature = present(enveloped, **CLAIMS).split(b".")
    _, body, _ = present(embedded, **CLAIMS).split(b".")
    report = check(world, b".".join((head, body, signature)))
    assert report.presented.code == "signature-mismatch"
    assert report.verdict is Verdict.INVALID


def test_without_a_nonce_nobody_can_tell(world, enveloped):
    report = check(world, present(enveloped, **CLAIMS), nonce=None)
    assert report.presented.code == "nonce-not-given"
    assert report.verdict is Verdict.UNDETERMINED


def test_attack_did_web_holder_with_a_key_of_the_attackers(world, tmp_path):
    """A fragment that spells out a key proves nothing: the DID's document must list it."""
    victim = "did:web:victim.example"
    credential = world.university.sign(document(world, victim))
    kid = f"{victim}#{DID.removeprefix('did:key:')}"
    text = present(credential, holder=victim, kid=kid, **CLAIMS)
    report = check(world, text)
    assert (report.presented.outcome, report.presented.code) == (
        Outcome.NOT_RUN,
        "did-unresolved",
    )
    assert report.verdict is Verdict.UNDETERMINED
    assert check(world, text, did_source=KeptDids(tmp_path)).verdict is not Verdict.VALID


@pytest.mark.parametrize("text", [b"", b"{}", b"a.b.c", b"\xff" * 50])
def test_what_is_no_presentation(world, text):
    assert not is_presentation_jwt(text)
    assert check(world, text).verdict is Verdict.INVALID
