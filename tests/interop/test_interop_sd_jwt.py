"""SD-JWT VC and Token Status List against @sd-jwt and Credo, both ways."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.signing import SigningKey

from credential import (
    contexts,
    did,
    jose,
    multibase,
    multikey,
    sd_jwt,
    sd_jwt_vc,
    status,
    token_status,
)
from credential.errors import BaeumError
from credential.multikey import PublicKey
from verifier.signature import SignatureWrong
from verifier.tokens import check_token, read_token

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
URI = "https://baeum.example/status/stl_1/token"
NOW = 1_795_600_000
ED = SigningKey(b"n" * 32)
EC = ec.derive_private_key(0xBAE0, ec.SECP256R1())


def _ed_jwk(key):
    public = multikey.to_jwk(PublicKey("ed25519", bytes(key.verify_key)))
    return public, public | {"d": multibase.base64url(bytes(key))}


def _ec_jwk(key):
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    public = multikey.to_jwk(PublicKey("p256", point))
    return public, public | {
        "d": multibase.base64url(key.private_numbers().private_value.to_bytes(32))
    }


def _ec_sign(data):
    r, s = decode_dss_signature(EC.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


ISSUERS = {
    "EdDSA": (*_ed_jwk(ED), lambda data: ED.sign(data).signature),
    "ES256": (*_ec_jwk(EC), _ec_sign),
}
HOLDER_KEY = SigningKey(b"h" * 32)
HOLDER, HOLDER_SECRET = _ed_jwk(HOLDER_KEY)


def issuer_did(alg):
    key = multikey.from_jwk(ISSUERS[alg][0])
    return did.did_key(key.raw, key.kind)


def claims(alg):
    return {
        "iss": issuer_did(alg),
        "vct": "https://baeum.example/vct/course",
        "iat": NOW - 86400,
        "exp": NOW + 864000000,
        "cnf": {"jwk": HOLDER},
        "status": token_status.reference(URI, 4242),
        "minutes": 1200,
        "title": "생활 속 인공지능",
        "learner": {"name": "김하늘"},
        "records": [{"title": "가"}, {"title": "나"}],
    }


FRAME = {
    "_sd": ["title", "learner"],
    "_sd_decoy": 2,
    "records": {"_sd": [0, 1], "_sd_decoy": 1, "0": {"_sd": ["title"]}},
}


@pytest.fixture(autouse=True)
def _packages():
    if not (HERE / "node_modules" / "@sd-jwt").is_dir():
        reason = "npm packages absent: run npm ci in tests/interop"
        if os.environ.get("BAEUM_TEST_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


def node(tmp_path, what, body):
    path = tmp_path / "asked.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    done = subprocess.run(
        ["node", "sdjwt.mjs", what, str(path)],
        cwd=HERE,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.splitlines()[-1])


def ours(alg, reveal):
    sign = ISSUERS[alg][2]
    token = sd_jwt_vc.issue(
        claims(alg), FRAME, algorithm=alg, kid=did.key_method(issuer_did(alg)), sign=sign
    )
    return sd_jwt_vc.bind(
        sd_jwt_vc.select(token, reveal),
        audience="https://employer.example",
        nonce="n-1",
        at=NOW,
        algorithm="EdDSA",
        sign=lambda data: HOLDER_KEY.sign(data).signature,
    )


def status_list(alg, *revoked):
    bits = bytes(status.MIN_BITS // 8)
    return token_status.sign(
        token_status.from_bitstrings(status.with_bits(bits, revoked, True), bits),
        uri=URI,
        issued_at=NOW - 60,
        expires_at=NOW + 864000000,
        ttl=43200,
        algorithm=alg,
        kid=did.key_method(issuer_did(alg)),
        sign=ISSUERS[alg][2],
    )


def inflated(token):
    """The token with more minutes than were signed for."""
    head, payload, signature = token.jwt.split(".")
    body = json.loads(urlsafe_b64decode(payload + "==")) | {"minutes": 9200}
    forged = f"{head}.{multibase.base64url(json.dumps(body).encode())}.{signature}"
    return sd_jwt.SdJwt(forged, token.disclosures, token.key_binding)


def asked(alg, token, *revoked):
    return {
        "token": str(token),
        "issuer": ISSUERS[alg][0],
        "holder": HOLDER,
        "alg": alg,
        "nonce": "n-1",
        "statusList": status_list(alg, *revoked),
    }


@pytest.mark.parametrize("alg", ISSUERS)
def test_they_accept_ours_with_key_binding_and_status(tmp_path, alg):
    token = ours(alg, [("title",), ("records", 0)])
    answer = node(tmp_path, "verify", asked(alg, token))
    assert answer["ok"], answer
    assert answer["claims"]["title"] == "생활 속 인공지능"
    assert "learner" not in answer["claims"]
    assert answer["claims"]["records"] == [{}]
    assert answer["kb"]["nonce"] == "n-1"


def test_they_refuse_ours_when_changed_or_revoked(tmp_path):
    token = ours("ES256", [("title",)])
    revoked = node(tmp_path, "verify", asked("ES256", token, 4242))
    assert not revoked["ok"]
    assert "status" in revoked["error"].lower()
    assert not node(tmp_path, "verify", asked("ES256", inflated(token)))["ok"]


@pytest.mark.parametrize("alg", ISSUERS)
def test_we_accept_theirs(tmp_path, alg):
    body = {
        "claims": claims(alg),
        "frame": FRAME,
        "issuer": ISSUERS[alg][1],
        "alg": alg,
        "kid": did.key_method(issuer_did(alg)),
        "holder": HOLDER_SECRET,
        "reveal": {"title": True, "records": {"1": True}},
        "nonce": "n-2",
        "audience": "https://employer.example",
        "at": NOW,
    }
    answer = node(tmp_path, "issue", body)
    assert answer["ok"], answer
    whole = read_token(answer["issued"])
    check_token(whole)
    assert whole.document == claims(alg)
    shown = read_token(answer["presented"])
    check_token(shown)
    assert shown.document["title"] == "생활 속 인공지능"
    assert shown.document["records"] == [{"title": "나"}]
    assert "learner" not in shown.document
    sd_jwt_vc.check_binding(
        shown.sd, shown.payload, shown.holder_key(), audience="https://employer.example",
        nonce="n-2", now=NOW, max_age=60, skew=0,
    )  # fmt: skip
    signature = answer["issued"].split("~")[0].rpartition(".")[2]
    forged = answer["issued"].replace(f".{signature}", f".{signature[:-6]}AAAAAA")
    with pytest.raises(SignatureWrong):
        check_token(read_token(forged))


def vc_jwts():
    """A credential secured with JOSE as the hand-outs do it, for each key; one of them forged."""
    made = {}
    for alg, (_, _, sign) in ISSUERS.items():
        document = {
            "@context": [contexts.VC_V2],
            "type": ["VerifiableCredential"],
            "issuer": {"id": issuer_did(alg), "name": "서울시민대학"},
            "validFrom": "2026-03-02T09:00:00+09:00",
            "credentialSubject": {"id": "urn:uuid:6f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c"},
        }
        made[alg] = jose.sign(
            document,
            algorithm=alg,
            typ="vc+jwt",
            kid=did.key_method(issuer_did(alg)),
            sign=sign,
            cty="vc",
        )
    head, _, signature = made["ES256"].split(".")
    body = json.dumps(document | {"validFrom": "2020-01-01T00:00:00Z"}).encode()
    return made | {"forged": f"{head}.{multibase.base64url(body)}.{signature}"}


@pytest.fixture(scope="module")
def credo(tmp_path_factory):
    """One run of Credo over all cases: what it made of ours, and what it issued."""
    good = {alg: ours(alg, [("title",), ("records", 0)]) for alg in ISSUERS}
    fewer = sd_jwt.SdJwt(good["ES256"].jwt, (), good["ES256"].key_binding)
    bound = {"nonce": "n-1", "audience": "https://employer.example"}
    web = {"good": status_list("ES256"), "revoked": status_list("ES256", 4242)}
    cases = {
        "EdDSA": {"token": str(good["EdDSA"]), **bound, "list": status_list("EdDSA")},
        "ES256": {"token": str(good["ES256"]), **bound, "list": web["good"]},
        "changed": {"token": str(inflated(good["ES256"])), **bound, "list": web["good"]},
        "fewer": {"token": str(fewer), **bound, "list": web["good"]},
        "replayed": {"token": str(good["ES256"]), **bound, "nonce": "n-2", "list": web["good"]},
        "elsewhere": {
            "token": str(good["ES256"]),
            "nonce": "n-1",
            "audience": "https://bank.example",
            "list": web["good"],
        },
        "revoked": {"token": str(good["ES256"]), **bound, "list": web["revoked"]},
        "no list": {"token": str(good["ES256"]), **bound},
    }
    issue = {
        "claims": {
            name: value for name, value in claims("EdDSA").items() if name not in {"iss", "cnf"}
        },
        "frame": FRAME,
        "reveal": {"title": True, "records": {"1": True}},
        "nonce": "n-3",
        "audience": "https://employer.example",
        "at": NOW,
    }
    path = tmp_path_factory.mktemp("credo") / "cases.json"
    path.write_text(
        json.dumps({"uri": URI, "verify": cases, "issue": issue, "jose": vc_jwts()}),
        encoding="utf-8",
    )
    done = subprocess.run(
        ["node", "credo.mjs", str(path)], cwd=HERE, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("alg", ISSUERS)
def test_credo_accepts_ours_with_key_binding_and_status(credo, alg):
    answer = credo["verified"][alg]
    assert answer["valid"] is True, answer
    assert answer["claims"]["title"] == "생활 속 인공지능"
    assert answer["claims"]["records"] == [{}]
    assert "learner" not in answer["claims"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("changed", "signature"),
        ("fewer", "sd_hash"),
        ("replayed", "nonce"),
        ("elsewhere", "audience"),
        ("revoked", "status"),
        ("no list", "status"),
    ],
)
def test_credo_refuses_ours(credo, name, reason):
    answer = credo["verified"][name]
    assert answer["valid"] is False
    assert reason in answer["error"].lower(), answer


def test_we_accept_what_credo_issues_and_presents(credo):
    issued = credo["issued"]
    whole = read_token(issued["token"])
    check_token(whole)
    assert whole.document["iss"] == issued["did"]
    assert whole.document["title"] == "생활 속 인공지능"
    assert whole.document["records"] == [{"title": "가"}, {"title": "나"}]
    shown = read_token(issued["presented"])
    check_token(shown)
    assert shown.document["records"] == [{"title": "나"}]
    assert "learner" not in shown.document
    binding = {"audience": "https://employer.example", "now": NOW, "max_age": 60, "skew": 0}
    sd_jwt_vc.check_binding(shown.sd, shown.payload, shown.holder_key(), nonce="n-3", **binding)
    with pytest.raises(BaeumError):
        sd_jwt_vc.check_binding(shown.sd, shown.payload, shown.holder_key(), nonce="n-4", **binding)


def test_we_refuse_what_credo_issued_when_changed(credo):
    token = credo["issued"]["token"]
    signature = token.split("~")[0].rpartition(".")[2]
    with pytest.raises(SignatureWrong):
        check_token(read_token(token.replace(f".{signature}", f".{signature[:-6]}AAAAAA")))


def test_credo_judges_our_vc_jwt(credo):
    for alg in ISSUERS:
        assert credo["jose"][alg]["valid"] is True, credo["jose"]
    forged = credo["jose"]["forged"]
    assert forged["valid"] is False
    assert forged["steps"]["dataModel"] is True
    assert forged["steps"]["signature"] is False
