"""SD-JWT VC and Token Status List against @sd-jwt: theirs read by us, ours read by them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.signing import SigningKey

from credential import did, multibase, multikey, sd_jwt, sd_jwt_vc, status, token_status
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
    head, payload, signature = token.jwt.split(".")
    forged = f"{head}.{payload[:-4]}AAAA.{signature}"
    changed = sd_jwt.SdJwt(forged, token.disclosures, token.key_binding)
    assert not node(tmp_path, "verify", asked("ES256", changed))["ok"]


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
