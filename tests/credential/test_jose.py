"""Compact JWS: what is signed verifies, and the header cannot talk its way in."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.signing import SigningKey

from credential import jose, multibase, multikey
from credential.multikey import PublicKey

SEED = SigningKey(b"j" * 32)
PAYLOAD = {"iss": "did:example:1", "name": "김하늘"}


def ecdsa(curve, digest, size, kind):
    private = ec.derive_private_key(0x1234567890ABCDEF, curve)
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def sign(data):
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(digest)))
        return r.to_bytes(size) + s.to_bytes(size)

    return sign, PublicKey(kind, point)


KEYS = {
    "EdDSA": (lambda data: SEED.sign(data).signature, PublicKey("ed25519", bytes(SEED.verify_key))),
    "ES256": ecdsa(ec.SECP256R1(), SHA256(), 32, multikey.P256),
    "ES384": ecdsa(ec.SECP384R1(), SHA384(), 48, multikey.P384),
}


def token(algorithm="EdDSA", **header):
    return jose.sign(
        PAYLOAD, algorithm=algorithm, typ="vc+jwt", kid="k", sign=KEYS[algorithm][0], **header
    )


def with_header(text, header):
    _, payload, signature = text.split(".")
    head = multibase.base64url(json.dumps(header).encode())
    signed = f"{head}.{payload}".encode()
    return f"{head}.{payload}.{multibase.base64url(SEED.sign(signed).signature)}", signature


@pytest.mark.parametrize("algorithm", KEYS)
def test_sign_and_verify(algorithm):
    parsed = jose.parse(token(algorithm))
    jose.verify(parsed, KEYS[algorithm][1])
    assert parsed.claims() == PAYLOAD


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("part", [0, 1, 2])
def test_any_change_is_noticed(algorithm, part):
    parts = token(algorithm).split(".")
    data = bytearray(multibase.from_base64url(parts[part]))
    data[-2] ^= 1
    parts[part] = multibase.base64url(bytes(data))
    with pytest.raises(jose.JwsInvalid):
        jose.verify(jose.parse(".".join(parts)), KEYS[algorithm][1])


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_attack_alg_none(name, signature):
    head, payload, _ = token().split(".")
    head = multibase.base64url(json.dumps({"alg": name, "typ": "vc+jwt"}).encode())
    with pytest.raises(jose.JwsRefused) as caught:
        jose.parse(f"{head}.{payload}.{signature}")
    assert caught.value.facts["reason"] == "alg-none"


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "PS256", "ES256K", "ES512", "", "es256"])
def test_attack_algorithm_that_is_not_on_the_list(algorithm):
    text, _ = with_header(token(), {"alg": algorithm})
    with pytest.raises(jose.JwsUnsupported):
        jose.parse(text)


@pytest.mark.parametrize("named", KEYS)
@pytest.mark.parametrize("actual", KEYS)
def test_attack_algorithm_confusion(named, actual):
    if named == actual:
        return
    with pytest.raises(jose.JwsRefused) as caught:
        jose.verify(jose.parse(token(named)), KEYS[actual][1])
    assert caught.value.facts["reason"] == "algorithm-confusion"


def test_attack_public_key_as_hmac_secret():
    """HS256 with the bytes of the public key as its secret: the oldest confusion of all."""
    import hashlib
    import hmac

    head = multibase.base64url(b'{"alg":"HS256","typ":"vc+jwt","kid":"k"}')
    body = token().split(".")[1]
    mac = hmac.digest(KEYS["EdDSA"][1].raw, f"{head}.{body}".encode(), hashlib.sha256)
    with pytest.raises(jose.JwsUnsupported):
        jose.parse(f"{head}.{body}.{multibase.base64url(mac)}")


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u"])
def test_attack_header_brings_its_own_key(member):
    value = multikey.to_jwk(KEYS["EdDSA"][1]) if member == "jwk" else "https://evil.example/keys"
    with pytest.raises(jose.JwsRefused) as caught:
        jose.parse(token(**{member: value}))
    assert caught.value.facts["reason"] == "key-injected"


@pytest.mark.parametrize("member", ["x5c", "x5t", "x5t#S256"])
def test_a_signer_named_by_certificates_is_not_judged(member):
    with pytest.raises(jose.JwsUnsupported):
        jose.parse(token(**{member: ["MIIB"]}))


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "b64", ["alg"], None])
def test_attack_unknown_crit(crit):
    with pytest.raises(jose.JwsRefused) as caught:
        jose.parse(token(crit=crit, exp=1, b64=False))
    assert caught.value.facts["reason"] == "crit-unknown"


def test_attack_unencoded_payload():
    with pytest.raises(jose.JwsInvalid):
        jose.parse(token(b64=False))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        "eyJhbGciOiJFZERTQSJ9.e30.!!!",
        "eyJhbGciOiJFZERTQSJ9.e30.AA==",
        "eyJhbGciOiJFZERTQSJ9 .e30.AA",
        "eyJhbGciOiJFZERTQSJ9\n.e30.AA",
        "e30.e30.AA",
        "W10.e30.AA",
        multibase.base64url(b'{"alg":"EdDSA","alg":"none"}') + ".e30.AA",
        multibase.base64url(b'{"alg":["EdDSA"]}') + ".e30.AA",
        multibase.base64url(b'{"alg":"EdDSA","kid":7}') + ".e30.AA",
        multibase.base64url(b'{"alg":"EdDSA","kid":"' + b"k" * 9000 + b'"}') + ".e30.AA",
    ],
)
def test_malformed(text):
    with pytest.raises(jose.JwsInvalid):
        jose.parse(text)


def test_base64url_with_unused_bits_set_is_another_token():
    head, body, signature = token().split(".")
    last = signature[-1]
    others = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c != last]
    for other in others:
        with pytest.raises(jose.JwsInvalid):
            jose.verify(jose.parse(f"{head}.{body}.{signature[:-1]}{other}"), KEYS["EdDSA"][1])


def test_a_payload_that_is_not_one_json_object():
    for payload in (b"[]", b'{"a":1,"a":2}', b"{", b"\xff"):
        text = jose.sign(payload, algorithm="EdDSA", typ="t", sign=KEYS["EdDSA"][0])
        with pytest.raises(jose.JwsMalformed):
            jose.parse(text).claims()


def test_signing_with_an_algorithm_off_the_list_is_a_mistake():
    with pytest.raises(ValueError, match="not an algorithm"):
        jose.sign(PAYLOAD, algorithm="none", typ="t", sign=lambda _: b"")
