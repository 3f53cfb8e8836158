"""Signing keys behind one interface that has no way to take a key out.

``Signer`` is that interface. A key lives in an encrypted file (``keyfile``), in a PKCS#11 token
(``token``), or behind a signing process that holds one institution's keys (``process``). The
``Keystore`` finds the one a verification method names.
"""

from issuer.keys.keyfile import KeyMissing
from issuer.keys.signer import ALGORITHMS, ED25519, P256, PublicHalf, Signer, TokenPlace
from issuer.keys.store import Keys, Keystore, NotAnInstitutionId

__all__ = [
    "ALGORITHMS",
    "ED25519",
    "P256",
    "KeyMissing",
    "Keys",
    "Keystore",
    "NotAnInstitutionId",
    "PublicHalf",
    "Signer",
    "TokenPlace",
]
