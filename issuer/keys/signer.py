"""What signs for an institution, wherever its key is; no method gives the key away."""

from __future__ import annotations

import hashlib
import hmac
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.signing import SigningKey

from credential import multikey
from credential.did import did_key
from issuer.names import name_based_urn

ED25519: Final = multikey.ED25519
P256: Final = multikey.P256
ALGORITHMS: Final = (ED25519, P256)

_PSEUDONYM: Final = b"baeum/pseudonym/1:"


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """One key of an institution as anybody may know it.

    ``multikey`` is its Multikey text (``z6Mk…``), ``backend`` where its other half is: ``file`` or
    ``pkcs11``; ``number`` counts the institution's keys of this algorithm from 1.
    """

    institution: str
    algorithm: str
    multikey: str
    backend: str
    number: int

    @property
    def did(self) -> str:
        """The key as an identifier of its own."""
        return f"did:key:{self.multikey}"

    def method(self, did: str | None = None) -> str:
        """Its verification method under ``did``; both did:key and our did:web name it so."""
        return f"{did or self.did}#{self.multikey}"


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """A PKCS#11 token: the vendor's library, the token's label, and the PIN that opens it."""

    module: Path
    label: str
    pin: str = field(repr=False)


class Signer(ABC):
    """Signs as one verification method of one institution."""

    __slots__ = ("algorithm", "did", "institution", "verification_method")

    def __init__(self, institution: str, algorithm: str, method: str) -> None:
        self.institution = institution
        self.algorithm = algorithm
        self.verification_method = method
        self.did = method.partition("#")[0]

    @abstractmethod
    def sign(self, message: bytes) -> bytes:
        """64 bytes over ``message``: Ed25519 (RFC 8032), or ECDSA P-256 with SHA-256 as r ‖ s."""

    @abstractmethod
    def pseudonym(self, learner_id: str) -> str:
        """The learner as this institution's credentials name them: ``urn:uuid:…``.

        The same learner gets the same name from the same institution, whichever of its keys signs,
        and unrelated ones from two institutions: the HMAC key is the institution's own. UUID
        version 8 (RFC 9562 section 5.8).
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.institution!r}, {self.verification_method!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signing key is never pickled; open the keystore where it is needed")


class FileSigner(Signer):
    """Holds the secret in this process's memory, opened from an encrypted file."""

    __slots__ = ("__pseudonyms", "__secret")

    def __init__(
        self, institution: str, algorithm: str, method: str, secret: bytes, pseudonyms: bytes
    ) -> None:
        super().__init__(institution, algorithm, method)
        self.__secret = _private(algorithm, secret)
        self.__pseudonyms = pseudonyms

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.__secret, SigningKey):
            return self.__secret.sign(message).signature
        return fixed_length(self.__secret.sign(message, ec.ECDSA(SHA256())))

    def pseudonym(self, learner_id: str) -> str:
        return name_based_urn(
            hmac.digest(self.__pseudonyms, pseudonym_message(learner_id), hashlib.sha256)
        )


def pseudonym_message(learner_id: str) -> bytes:
    """What is put through the institution's HMAC-SHA-256 to name a learner."""
    return _PSEUDONYM + learner_id.encode("utf-8")


def public_of(algorithm: str, secret: bytes) -> str:
    """The did:key of a secret: the public half is computed, never believed."""
    private = _private(algorithm, secret)
    if isinstance(private, SigningKey):
        return did_key(bytes(private.verify_key))
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return did_key(point, P256)


def fixed_length(der: bytes) -> bytes:
    """An ECDSA signature as r ‖ s of 32 bytes each (RFC 7518 section 3.4)."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32) + s.to_bytes(32)


def _private(algorithm: str, secret: bytes) -> SigningKey | ec.EllipticCurvePrivateKey:
    if algorithm == ED25519:
        return SigningKey(secret)
    if algorithm == P256:
        return ec.derive_private_key(int.from_bytes(secret), ec.SECP256R1())
    raise ValueError(f"no such algorithm: {algorithm}")
