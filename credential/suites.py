"""The kinds of proof that are checked: how each hashes a document, and which keys it may use.

A suite not in this table is not judged. Ours are the two of ``eddsa``; the others are there because
others issue with them: ``ecdsa-rdfc-2019`` and ``ecdsa-jcs-2019`` (W3C vc-di-ecdsa 1.0 sections 3.2
and 3.3), and Ed25519Signature2020, the form before Data Integrity (vc-di-eddsa section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from nacl.exceptions import BadSignatureError
from nacl.exceptions import ValueError as NaclValueError
from nacl.signing import VerifyKey

from credential import contexts, familiar, jcs
from credential.multikey import ED25519, P256, P384, PublicKey

RDFC = "eddsa-rdfc-2022"
JCS = "eddsa-jcs-2022"
ECDSA_RDFC = "ecdsa-rdfc-2019"
ECDSA_JCS = "ecdsa-jcs-2019"
ECDSA_SD = "ecdsa-sd-2023"
ED25519_2020 = "Ed25519Signature2020"

LENGTHS = {ED25519: (32, 64), P256: (33, 64), P384: (49, 96)}
"""Bytes of a raw key and of a signature by it."""

_CURVES: Mapping[str, tuple[ec.EllipticCurve, SHA256 | SHA384]] = {
    P256: (ec.SECP256R1(), SHA256()),
    P384: (ec.SECP384R1(), SHA384()),
}


@dataclass(frozen=True, slots=True)
class Suite:
    """``jcs``: it hashes the JSON itself (RFC 8785), not its RDF; ``keys`` it is used with."""

    name: str
    jcs: bool
    keys: frozenset[str]

    def hash_data(
        self,
        unsecured: dict[str, Any],
        options: dict[str, Any],
        kind: str = ED25519,
        *,
        load: contexts.Loader = contexts.load,
    ) -> bytes:
        """What is signed: the hash of the proof options, then of the document. P-384 keys hash
        with SHA-384 (vc-di-ecdsa section 3.2.4), all others with SHA-256."""
        digest = sha384 if kind == P384 else sha256
        if self.jcs:
            first, second = jcs.canonical(options), jcs.canonical(unsecured)
        else:
            config = {**options, "@context": unsecured.get("@context")}
            first = familiar.canonical_nquads(config, load=load)
            second = familiar.canonical_nquads(unsecured, load=load)
        return digest(first).digest() + digest(second).digest()


_EDDSA, _ECDSA = frozenset({ED25519}), frozenset({P256, P384})
SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(RDFC, False, _EDDSA),
        Suite(JCS, True, _EDDSA),
        Suite(ECDSA_RDFC, False, _ECDSA),
        Suite(ECDSA_JCS, True, _ECDSA),
        Suite(ED25519_2020, False, _EDDSA),
    )
}


def suite_name(proof: Mapping[str, Any]) -> str | None:
    """The suite a proof names, by its cryptosuite or, before Data Integrity, by its type."""
    kind = proof.get("type")
    name = proof.get("cryptosuite") if kind == "DataIntegrityProof" else kind
    if kind != "DataIntegrityProof" and (kind != ED25519_2020 or "cryptosuite" in proof):
        return None
    return name if isinstance(name, str) else None


def holds(key: PublicKey, data: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is the key's over ``data``; ECDSA as r ‖ s, hashed for its curve."""
    if LENGTHS.get(key.kind) != (len(key.raw), len(signature)):
        return False
    try:
        if key.kind == ED25519:
            VerifyKey(key.raw).verify(data, signature)
            return True
        curve, digest = _CURVES[key.kind]
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, key.raw)
        public.verify(encode_dss_signature(r, s), data, ec.ECDSA(digest))
    except (BadSignatureError, NaclValueError, InvalidSignature, ValueError):
        return False
    return True
