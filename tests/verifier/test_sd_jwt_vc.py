"""SD-JWT VC through the numbered steps: what an employer gets to see, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from nacl.signing import SigningKey
from tokens import (
    AUDIENCE,
    HOLDER,
    INDEX,
    NONCE,
    claims,
    presented,
    publish_token_list,
    sd_jwt_vc_of,
    signer,
    token_list_url,
)

from credential import jose, multibase, sd_jwt, sd_jwt_vc, token_status
from credential.sd_jwt import Disclosure
from verifier import Outcome, Verdict, VerificationPolicy

POLICY = VerificationPolicy(allow_missing_anchor=True)


@pytest.fixture
def town(world):
    publish_token_list(world, world.university)
    publish_token_list(world, world.registrar)
    world.node.dids[_hash(world.registrar.did)] = world.registrar.on_chain
    return world


def _hash(text):
    from eth_utils.crypto import keccak

    return keccak(text=text)


def check(town, token, **changes):
    options = {"policy": POLICY, "nonce": NONCE, "audience": AUDIENCE} | changes
    return town.verify(str(token), **options)


def test_presented_by_its_holder(town):
    report = check(town, presented(town, sd_jwt_vc_of(town, town.university)))
    assert report.verdict is Verdict.VALID
    assert [one.id for one in report.checks][-1] == "holder"
    assert report.check("holder").step == 10
    assert report.facts["title"] == "생활 속 인공지능"
    assert report.facts["minutes"] == 1200
    assert "learner" not in report.facts
    assert "김하늘" not in json.dumps(report.to_json(), ensure_ascii=False)


def test_with_nothing_disclosed_it_says_accredited_hours_category_and_year(town):
    token = presented(town, sd_jwt_vc_of(town, town.registrar), reveal=[])
    report = check(town, token)
    assert report.verdict is Verdict.VALID
    assert {name: report.facts[name] for name in ("accredited", "minutes", "field", "year")} == {
        "accredited": True,
        "minutes": 1200,
        "field": "디지털",
        "year": 2026,
    }
    text = json.dumps(report.to_json(), ensure_ascii=False) + str(token)
    assert town.university.did not in text
    assert "생활 속" not in text
    notes = [note.code for note in report.check("accreditation").notes]
    assert "issued-by-registrar" in notes


def test_json_serialisation_means_the_same(town):
    token = presented(town, sd_jwt_vc_of(town, town.university))
    protected, payload, signature = token.jwt.split(".")
    body = {
        "payload": payload,
        "protected": protected,
        "signature": signature,
        "header": {"disclosures": list(token.disclosures), "kb_jwt": token.key_binding},
    }
    assert check(town, json.dumps(body)).verdict is Verdict.VALID


def test_in_an_envelope_it_is_the_same_credential(town):
    from credential.envelope import wrap

    token = presented(town, sd_jwt_vc_of(town, town.university))
    assert check(town, json.dumps(wrap(str(token)))).verdict is Verdict.VALID


def test_without_a_receipt_it_takes_a_verifier_who_accepts_that(town):
    token = presented(town, sd_jwt_vc_of(town, town.university))
    report = check(town, token, policy=VerificationPolicy())
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check("anchor").code == "no-receipt"


@pytest.mark.parametrize(
    ("lists", "code", "verdict"),
    [
        ({"revoked": [INDEX]}, "revoked", Verdict.INVALID),
        ({"suspended": [INDEX]}, "suspended", Verdict.INVALID),
        ({"revoked": [INDEX - 1, INDEX + 1]}, "in-force", Verdict.VALID),
    ],
)
def test_status(town, lists, code, verdict):
    publish_token_list(town, town.university, **lists)
    report = check(town, presented(town, sd_jwt_vc_of(town, town.university)))
    assert report.check("status").code == code
    assert report.verdict is verdict


def test_expired_and_not_yet_valid(town):
    now = int(town.now.timestamp())
    for changes, code in (
        ({"exp": now - 1}, "expired"),
        ({"nbf": now + 3600}, "not-yet-valid"),
        ({"exp": "soon"}, None),
    ):
        token = jose.sign(
            claims(town, town.university, **changes),
            algorithm="EdDSA",
            typ="dc+sd-jwt",
            kid=town.university.method,
            sign=signer(town.university.key),
        )
        report = check(town, presented(town, sd_jwt.SdJwt(token, ()), reveal=None))
        assert report.verdict is Verdict.INVALID
        if code is None:
            assert report.decisive.id == "schema"
        else:
            assert report.check("validity").code == code


# --- key binding ----------------------------------------------------------------------------------


def test_attack_key_binding_stripped(town):
    token = replace(presented(town, sd_jwt_vc_of(town, town.university)), key_binding=None)
    asked = check(town, token)
    assert asked.verdict is Verdict.INVALID
    assert asked.decisive.code == "key-binding-absent"
    not_asked = check(town, token, nonce=None, audience=None)
    assert not_asked.verdict is Verdict.UNDETERMINED
    assert not_asked.decisive.code == "holder-not-shown"


def test_attack_binding_stripped_from_the_credential(town):
    """A credential that names no holder cannot answer a request for one."""
    made = claims(town, town.university)
    del made["cnf"]
    token = sd_jwt_vc.issue(
        made, {}, algorithm="EdDSA", kid=town.university.method, sign=signer(town.university.key)
    )
    report = check(town, presented(town, token, reveal=None))
    assert report.decisive.code == "not-bound"


@pytest.mark.parametrize("asked", [{"nonce": None}, {"audience": None}])
def test_attack_no_nonce_never_passes(town, asked):
    report = check(town, presented(town, sd_jwt_vc_of(town, town.university)), **asked)
    assert report.check("holder").outcome is Outcome.NOT_RUN
    assert report.verdict is Verdict.UNDETERMINED


def test_attack_no_nonce_in_the_binding(town):
    token = sd_jwt_vc_of(town, town.university)
    body = {
        "iat": int(town.now.timestamp()),
        "aud": AUDIENCE,
        "sd_hash": sd_jwt.digest(token.bound_part.encode()),
    }
    bound = jose.sign(body, algorithm="EdDSA", typ="kb+jwt", sign=signer(HOLDER))
    report = check(town, replace(token, key_binding=bound))
    assert report.decisive.code == "key-binding-nonce"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"nonce": "another"}, "key-binding-nonce"),
        ({"audience": "https://other.example"}, "key-binding-audience"),
        ({"key": SigningKey(b"m" * 32)}, "key-binding-signature-mismatch"),
    ],
)
def test_attack_replay_wrong_audience_another_holder(town, how, code):
    report = check(town, presented(town, sd_jwt_vc_of(town, town.university), **how))
    assert report.verdict is Verdict.INVALID
    assert report.decisive.code == code


@pytest.mark.parametrize("shift", [timedelta(minutes=-6), timedelta(minutes=6), timedelta(days=-9)])
def test_attack_replay_of_an_old_presentation(town, shift):
    token = presented(town, sd_jwt_vc_of(town, town.university), at=town.now + shift)
    assert check(town, token).decisive.code == "key-binding-not-fresh"


def test_attack_disclosure_removed_or_added_after_binding(town):
    token = sd_jwt_vc_of(town, town.university)
    shown = presented(town, token, reveal=[("title",), ("learner",)])
    fewer = replace(shown, disclosures=shown.disclosures[:1])
    assert check(town, fewer).decisive.code == "key-binding-sd-hash"
    more = replace(shown, disclosures=token.disclosures)
    assert check(town, more).decisive.code == "key-binding-sd-hash"


def test_attack_binding_of_another_credential(town):
    one, other = (sd_jwt_vc_of(town, town.university) for _ in range(2))
    swapped = replace(one, key_binding=presented(town, other, reveal=None).key_binding)
    assert check(town, swapped).decisive.code == "key-binding-sd-hash"


def test_attack_credential_offered_as_key_binding(town):
    token = sd_jwt_vc_of(town, town.university)
    report = check(town, replace(token, key_binding=token.jwt))
    assert report.decisive.code == "key-binding-type"


# --- disclosures and signature --------------------------------------------------------------------


def test_attack_disclosure_added_or_doubled(town):
    token = sd_jwt_vc_of(town, town.university)
    forged = Disclosure.make("salt", "degree", "명예박사").text
    for disclosures, code in (
        ((*token.disclosures, forged), "added"),
        ((*token.disclosures, token.disclosures[0]), "doubled"),
    ):
        report = check(town, replace(token, disclosures=disclosures))
        assert report.decisive.code == code
        assert report.facts == {}


def test_attack_claim_changed(town):
    token = sd_jwt_vc_of(town, town.university)
    head, payload, signature = token.jwt.split(".")
    body = json.loads(multibase.from_base64url(payload)) | {"minutes": 9999}
    forged = f"{head}.{multibase.base64url(json.dumps(body).encode())}.{signature}"
    report = check(town, presented(town, replace(token, jwt=forged), reveal=None))
    assert report.decisive.id == "proof"
    assert report.facts == {}


def resigned(town, header, key=None):
    """The credential with another header, signed over it by the issuer or by ``key``; bound to
    its holder where the holder's software would still read the header."""
    body = multibase.base64url(json.dumps(claims(town, town.university)).encode())
    head = multibase.base64url(json.dumps(header).encode())
    signature = (key or town.university.key).sign(f"{head}.{body}".encode()).signature
    token = sd_jwt.SdJwt(f"{head}.{body}.{multibase.base64url(signature)}", ())
    try:
        return presented(town, token, reveal=None)
    except jose.JwsInvalid:
        return token


def test_attack_alg_none(town):
    report = check(town, resigned(town, {"alg": "none", "typ": "dc+sd-jwt"}))
    assert report.decisive.code == "alg-none"
    assert report.verdict is Verdict.INVALID


def test_attack_alg_confusion(town):
    header = {"alg": "ES256", "typ": "dc+sd-jwt", "kid": town.university.method}
    report = check(town, resigned(town, header))
    assert report.decisive.code == "algorithm-confusion"
    header["alg"] = "HS256"
    assert check(town, resigned(town, header)).check("format").outcome is Outcome.NOT_RUN


def test_attack_kid_of_another(town):
    """A stranger's key under the university's name, named by the stranger's own DID."""
    mallory = town.stranger("mallory")
    header = {"alg": "EdDSA", "typ": "dc+sd-jwt", "kid": mallory.method}
    report = check(town, resigned(town, header, mallory.key))
    assert report.decisive.code == "not-the-issuers-key"
    header["kid"] = town.university.method
    assert check(town, resigned(town, header, mallory.key)).decisive.id == "proof"


@pytest.mark.parametrize("kid", ["../../etc/passwd", "#other", "did:key:zBad#zBad", "' or 1=1"])
def test_attack_kid_that_leads_elsewhere(town, kid):
    header = {"alg": "EdDSA", "typ": "dc+sd-jwt", "kid": kid}
    report = check(town, resigned(town, header))
    assert report.verdict is not Verdict.VALID
    assert report.decisive.id == "proof"


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u"])
def test_attack_key_injected_by_the_header(town, member):
    mallory = town.stranger("mallory")
    value = sd_jwt_vc.confirmation(
        sd_jwt_vc.multikey.PublicKey("ed25519", bytes(mallory.key.verify_key))
    )["jwk"]
    header = {
        "alg": "EdDSA",
        "typ": "dc+sd-jwt",
        member: value if member == "jwk" else "https://x.example",
    }
    report = check(town, resigned(town, header, mallory.key))
    assert report.decisive.code == "key-injected"
    assert report.verdict is Verdict.INVALID


def test_attack_unknown_crit(town):
    header = {"alg": "EdDSA", "typ": "dc+sd-jwt", "crit": ["x"], "x": 1}
    assert check(town, resigned(town, header)).decisive.code == "crit-unknown"


@pytest.mark.parametrize("typ", ["JWT", "kb+jwt", "statuslist+jwt", "vc+jwt", None, "at+jwt"])
def test_attack_token_of_another_type(town, typ):
    header = {"alg": "EdDSA", "kid": town.university.method} | ({"typ": typ} if typ else {})
    assert check(town, resigned(town, header)).decisive.code == "typ-wrong"


def test_attack_envelope_with_a_claim_of_its_own(town):
    from credential.envelope import wrap

    token = presented(town, sd_jwt_vc_of(town, town.university))
    body = wrap(str(token)) | {"name": "명예박사", "issuer": town.registrar.did}
    report = check(town, json.dumps(body))
    assert report.verdict is Verdict.VALID  # what the envelope says is nobody's word and not shown
    assert "명예박사" not in json.dumps(report.to_json(), ensure_ascii=False)
    body["id"] = "data:text/html,hello"
    assert check(town, json.dumps(body)).decisive.code == "envelope-malformed"


# --- token status list ----------------------------------------------------------------------------


def status_of(town):
    return check(town, presented(town, sd_jwt_vc_of(town, town.university))).check("status")


def test_attack_status_list_absent(town):
    del town.lists.bodies[token_list_url(town.university)]
    assert status_of(town).code == "status-list-absent"


def test_attack_status_list_unsigned(town):
    url = token_list_url(town.university)
    head, body, signature = town.lists.bodies[url].decode().split(".")
    none = multibase.base64url(b'{"alg":"none","typ":"statuslist+jwt"}')
    for text in (f"{none}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}."):
        town.lists.bodies[url] = text.encode()
        assert status_of(town).code == "status-list-signature-wrong"


def test_attack_status_list_by_another_issuer(town):
    publish_token_list(town, town.university, by=town.centre)
    assert status_of(town).code == "status-list-other-issuer"


def test_attack_status_list_of_another_place(town):
    publish_token_list(town, town.university, uri="https://baeum.example/status/stl_x/token")
    assert status_of(town).code == "status-list-other-list"


def test_attack_status_list_too_short(town):
    publish_token_list(town, town.university, bits=65_536)
    assert status_of(town).code == "status-list-too-short"


def test_attack_status_list_expired(town):
    publish_token_list(town, town.university, expires_at=int(town.now.timestamp()) - 1)
    assert status_of(town).code == "status-list-expired"
    assert status_of(town).outcome is Outcome.NOT_RUN


def test_attack_status_list_past_its_time_to_live(town):
    publish_token_list(town, town.university, ttl=60)
    town.lists.fetched_at = town.now - timedelta(minutes=2)
    assert status_of(town).code == "status-list-too-old"


def test_attack_status_list_bomb(town):
    import zlib

    now = int(town.now.timestamp())
    bomb = multibase.base64url(zlib.compress(bytes(64 * 1024 * 1024), 9))
    body = {
        "iss": town.university.did,
        "sub": token_list_url(town.university),
        "iat": now,
        "status_list": {"bits": 2, "lst": bomb},
    }
    text = jose.sign(
        body,
        algorithm="EdDSA",
        typ="statuslist+jwt",
        kid=town.university.method,
        sign=signer(town.university.key),
    )
    town.lists.bodies[token_list_url(town.university)] = text.encode()
    assert status_of(town).code == "status-list-malformed"


def test_attack_bitstring_list_offered_as_token_list_and_the_reverse(town):
    url = token_list_url(town.university)
    bitstring = town.lists.bodies[town.list_url(town.university, "revocation")]
    token_list = town.lists.bodies[url]
    town.lists.bodies[url] = bitstring
    assert status_of(town).code == "status-list-malformed"
    town.lists.bodies[town.list_url(town.university, "revocation")] = token_list
    report = town.verify(town.issue())
    assert report.check("status").code == "status-list-malformed"


@pytest.mark.parametrize("value", [{"idx": -1, "uri": "https://x.example"}, {"idx": "7"}, {}, 7])
def test_attack_status_reference_malformed(town, value):
    token = sd_jwt_vc_of(town, town.university, status={"status_list": value})
    report = check(town, presented(town, token))
    assert report.check("status").code == "status-entry-malformed"


def test_status_of_a_kind_nobody_knows_is_not_a_pass(town):
    token = sd_jwt_vc_of(town, town.university, status={"other": {}})
    assert check(town, presented(town, token)).check("status").outcome is Outcome.NOT_RUN
    publish_token_list(town, town.university)
    listed = token_status.TokenStatusList(2, b"\xff" * 40_000)
    text = token_status.sign(
        listed,
        uri=token_list_url(town.university),
        issued_at=int(town.now.timestamp()),
        expires_at=int(town.now.timestamp()) + 60,
        ttl=60,
        algorithm="EdDSA",
        kid=town.university.method,
        sign=signer(town.university.key),
    )
    town.lists.bodies[token_list_url(town.university)] = text.encode()
    assert status_of(town).outcome is Outcome.NOT_RUN


def test_the_list_unreachable_is_not_a_pass(town):
    town.lists.down = True
    assert status_of(town).outcome is Outcome.NOT_RUN
