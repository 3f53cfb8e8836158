"""An issuer of ``ecdsa-sd-2023`` base proofs, so that verifiers can be shown one."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credential import ecdsa_sd, ecdsa_sd_base, multibase, multikey, rdf
from credential.did import did_key, key_method

_ISSUER = ec.derive_private_key(7, ec.SECP256R1())
_OWN = ec.derive_private_key(8, ec.SECP256R1())


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


ISSUER = did_key(_public(_ISSUER), multikey.P256)


def issue_base(document: dict[str, Any], pointers: list[str]) -> dict[str, Any]:
    """The document, issued by ``ISSUER``, with a base proof."""
    issuer = document.get("issuer")
    named = {**issuer, "id": ISSUER} if isinstance(issuer, dict) else ISSUER
    unsecured = document | {"issuer": named}
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-sd-2023",
        "created": "2026-11-01T00:00:00Z",
        "verificationMethod": key_method(ISSUER),
        "proofPurpose": "assertionMethod",
    }
    config = options | {"@context": unsecured["@context"]}
    proof_hash = sha256(rdf.canonical_nquads(config)).digest()
    public_key, secret = b"\x80\x24" + _public(_OWN), bytes(range(32))
    base = ecdsa_sd_base.Base(b"", public_key, secret, (), pointers)
    mandatory, others = ecdsa_sd_base.grouped(unsecured, base)
    signature = _sign(_ISSUER, proof_hash + public_key + ecdsa_sd.hashed(mandatory))
    signatures = [_sign(_OWN, line.encode()) for line in others]
    parts = [signature, public_key, secret, signatures, pointers]
    value = "u" + multibase.base64url(b"\xd9\x5d\x00" + cbor2.dumps(parts))
    return unsecured | {"proof": options | {"proofValue": value}}
