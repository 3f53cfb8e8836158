"""A Blockcert we make ourselves, to see one pass whose anchor a test can send."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import cbor2
from eth_keys import keys

from credential import multibase, multikey, rdf
from credential.did import did_key, key_method

SENDER = keys.PrivateKey(b"\x07" * 32)
ISSUER = did_key(SENDER.public_key.to_compressed_bytes(), multikey.SECP256K1)
_SIBLING = bytes(range(32))


def blockcert(
    document: dict[str, Any], transaction: bytes = b"\x11" * 32, **changes: Any
) -> tuple[dict[str, Any], bytes]:
    """A VC 2.0 credential by a did:key of secp256k1, hashed as Blockcerts tools do, said to be
    anchored on Sepolia; and the root its transaction must carry."""
    body = document | {"issuer": {"id": ISSUER, "type": ["Profile"], "name": "대학"}}
    body.pop("credentialStatus")
    body |= changes
    target = sha256(rdf.canonical_nquads(body)).digest()
    root = sha256(_SIBLING + target).digest()

    def text(value: bytes) -> bytes:
        return cbor2.dumps(value.hex())

    anchor = [[0, 1], [1, 11155111], [2, text(transaction)]]
    parts = [[0, text(root)], [1, text(target)], [2, [anchor]], [3, [[0, text(_SIBLING)]]]]
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "merkle-proof-2019",
        "created": "2026-11-01T00:00:00Z",
        "verificationMethod": key_method(ISSUER),
        "proofPurpose": "assertionMethod",
        "proofValue": "z" + multibase.base58(cbor2.dumps(parts)),
    }
    return body | {"proof": proof}, root
