"""VC-JOSE (``vc+jwt``) and the JWTs of VC 1.1 and Open Badges 3.0 through the numbered steps."""

from __future__ import annotations

import json

import pytest
from tokens import signer
from vectors import vectors

from credential import jose
from credential.envelope import wrap
from verifier import Outcome, Verdict, VerificationPolicy

POLICY = VerificationPolicy(allow_missing_anchor=True)
WALTID = "waltid-obv3/waltid-applications/waltid-cli/src/jvmTest/resources/vc"


def secured(issuer, payload, *, typ="vc+jwt", kid=None, **header):
    return jose.sign(
        payload,
        algorithm="EdDSA",
        typ=typ,
        kid=issuer.method if kid is None else kid,
        sign=signer(issuer.key),
        **header,
    )


@pytest.fixture
def document(world):
    return world.document()


def check(world, text):
    return world.verify(text, policy=POLICY)


def test_a_document_as_payload(world, document):
    report = check(world, secured(world.university, document, cty="vc"))
    assert report.verdict is Verdict.VALID
    assert report.facts["title"] == "생활 속 인공지능 이수증"
    assert report.check("proof").details["cryptosuite"] == "EdDSA"
    assert len(report.checks) == 9


def test_in_an_envelope(world, document):
    body = json.dumps(wrap(secured(world.university, document)))
    assert check(world, body).verdict is Verdict.VALID


def test_status_and_dates_count_as_ever(world, document):
    world.publish(world.university, "revocation", on=[4242])
    assert check(world, secured(world.university, document)).decisive.code == "revoked"
    late = world.document(index=7, validUntil="2026-11-02T00:00:00Z")
    assert check(world, secured(world.university, late)).decisive.code == "expired"
    expired = document | {"exp": int(world.now.timestamp()) - 1}
    assert check(world, secured(world.university, expired)).check("validity").code == "expired"


def test_a_status_list_secured_the_same_way(world, document):
    for purpose in ("revocation", "suspension"):
        text = secured(world.university, world.list_document(world.university, purpose))
        world.lists.bodies[world.list_url(world.university, purpose)] = text.encode()
    assert check(world, secured(world.university, document)).verdict is Verdict.VALID
    text = secured(world.centre, world.list_document(world.university, "revocation"))
    world.lists.bodies[world.list_url(world.university, "revocation")] = text.encode()
    code = check(world, secured(world.university, document)).check("status").code
    assert code == "status-list-other-issuer"


def test_open_badges_and_version_1_put_claims_beside_or_around(world, document):
    claims = {
        "iss": world.university.did,
        "jti": document["id"],
        "sub": document["credentialSubject"]["id"],
        "nbf": int(world.now.timestamp()) - 60,
    }
    for payload in (document | claims, claims | {"vc": document}):
        assert check(world, secured(world.university, payload, typ="JWT")).verdict is Verdict.VALID


@pytest.mark.parametrize(
    "claims", [{"iss": "did:key:z6MkOther"}, {"jti": "urn:uuid:other"}, {"sub": "did:example:2"}]
)
def test_attack_claims_that_contradict_the_credential(world, document, claims):
    for payload in (document | claims, {"vc": document} | claims):
        report = check(world, secured(world.university, payload, typ="JWT"))
        assert report.verdict is Verdict.INVALID
        assert report.decisive.id in ("schema", "issuer-key")


def test_attack_payload_changed(world, document):
    head, _, signature = secured(world.university, document).split(".")
    other = secured(world.university, document | {"name": "명예박사"}).split(".")[1]
    assert check(world, f"{head}.{other}.{signature}").decisive.id == "proof"


def test_attack_signed_by_another(world, document):
    text = secured(world.centre, document)
    assert check(world, text).decisive.code == "not-the-issuers-key"
    text = secured(world.centre, document, kid=world.university.method)
    assert check(world, text).decisive.id == "proof"


@pytest.mark.parametrize("typ", ["kb+jwt", "statuslist+jwt", "vp+jwt", "dc+sd-jwt"])
def test_attack_a_token_made_for_something_else(world, document, typ):
    assert check(world, secured(world.university, document, typ=typ)).decisive.code == "typ-wrong"


def test_attack_inline_context_in_a_token(world, document):
    payload = document | {"@context": [*document["@context"], {"name": "https://x.example/y"}]}
    assert check(world, secured(world.university, payload)).decisive.code == "context-inline"


def test_a_token_is_no_evidence_with_a_receipt(world, document):
    evidence = world.issue()
    body = evidence.to_json() | {"credential": wrap(secured(world.university, document))}
    assert check(world, json.dumps(body)).decisive.code == "envelope-malformed"


# --- samples that others published ----------------------------------------------------------------


def sample(name):
    return (vectors(WALTID) / name).read_text().strip()


def test_walt_id_sample_names_another_issuer_in_the_credential_than_in_the_token(still_world):
    """Its signature holds, but ``iss`` and the badge's issuer differ, so it is nobody's badge."""
    text = sample("openbadgecredential_sample.signed.json")
    report = check(still_world, text)
    assert report.decisive.id == "schema"
    from verifier.tokens import check_token, read_token

    assert check_token(read_token(text)).did.startswith("did:key:z6Mkp7AV")


@pytest.mark.parametrize("name", ["expired", "invalidschema"])
def test_walt_id_samples_that_are_wrong(still_world, name):
    report = check(still_world, sample(f"openbadgecredential_sample.{name}.signed.json"))
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize("name", ["simple.jwt", "velocity.jwt"])
def test_1edtech_samples_with_rsa_are_not_judged(still_world, name):
    folder = vectors("1edtech-validator/inspector-vc/src/test/resources/ob30")
    report = check(still_world, (folder / name).read_bytes())
    assert report.check("format").outcome is Outcome.NOT_RUN
    assert report.verdict is Verdict.UNDETERMINED
