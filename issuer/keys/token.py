"""Keys in a PKCS#11 token: made inside it, not extractable, used through it and never seen here.

PKCS#11 3.0: ``CKM_EDDSA`` over the message (section 6.3.16), ``CKM_ECDSA`` over its SHA-256, and
``CKM_SHA256_HMAC`` with a generic secret for the pseudonyms. One session a process and token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeVar

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from credential.did import did_key
from credential.text import Text
from issuer.keys.keyfile import KeyfileError, KeyMissing
from issuer.keys.signer import ED25519, P256, Signer, TokenPlace, pseudonym_message
from issuer.names import name_based_urn

NEEDED: Final = {
    "CKM_EC_EDWARDS_KEY_PAIR_GEN": Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
    "CKM_EDDSA": Mechanism.EDDSA,
    "CKM_EC_KEY_PAIR_GEN": Mechanism.EC_KEY_PAIR_GEN,
    "CKM_ECDSA": Mechanism.ECDSA,
    "CKM_SHA256_HMAC": Mechanism.SHA256_HMAC,
}
"""What a token must be able to do."""

_ED25519 = b"\x13\x0cedwards25519"  # a PrintableString; PKCS#11 3.0 section 6.3.5
_P256 = bytes.fromhex("06082a8648ce3d030107")  # OID 1.2.840.10045.3.1.7
_SECRET: Final = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.SIGN: True,
}
_T = TypeVar("_T")


class TokenError(KeyfileError):
    """The PKCS#11 token could not be used."""

    code = "token-unusable"
    title = Text("보안 토큰을 쓸 수 없습니다", "The security token cannot be used")
    status: ClassVar[int] = 503


class WrongPin(TokenError):
    """The PIN does not open the token. Tokens lock after a few of these."""

    code = "token-pin-wrong"
    title = Text("보안 토큰의 PIN이 맞지 않습니다", "The token's PIN is wrong")


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a token says of itself. ``missing``: mechanisms it lacks; empty when it will do."""

    label: str
    manufacturer: str
    model: str
    serial: str
    missing: tuple[str, ...]


class Token:
    """An open session. Every call holds one lock: a PKCS#11 session is used by one at a time."""

    def __init__(self, place: TokenPlace) -> None:
        self.place = place
        self._lock = threading.Lock()
        try:
            library = pkcs11.lib(str(place.module))
            token = library.get_token(token_label=place.label)
            self._session = token.open(rw=True, user_pin=place.pin)
        except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinLocked) as error:
            raise WrongPin(
                Text(
                    f"토큰 {place.label}을 PIN으로 열 수 없습니다({type(error).__name__})",
                    f"The PIN does not open the token {place.label} ({type(error).__name__})",
                ),
                Text(
                    "BAEUM_PKCS11_PIN 또는 BAEUM_PKCS11_PIN_FILE을 확인해 주세요",
                    "Check BAEUM_PKCS11_PIN or BAEUM_PKCS11_PIN_FILE",
                ),
            ) from error
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise _unusable(place, error) from error
        self._token = token

    def info(self) -> TokenInfo:
        def read() -> TokenInfo:
            able = set(self._token.slot.get_mechanisms())
            missing = tuple(name for name, which in NEEDED.items() if which not in able)
            serial = self._token.serial
            return TokenInfo(
                str(self._token.label).strip(),
                str(self._token.manufacturer_id).strip(),
                str(self._token.model).strip(),
                serial.decode("ascii", "replace").strip("\0 "),
                missing,
            )

        return self._run(read)

    def generate(self, institution: str, algorithm: str) -> tuple[str, str]:
        """Make a key pair in the token: ``(label, did:key)``. The private half cannot leave it."""
        label = f"baeum/{institution}/{algorithm}/{secrets.token_hex(8)}"
        edwards = algorithm == ED25519
        kind = KeyType.EC_EDWARDS if edwards else KeyType.EC

        def make() -> str:
            parameters = self._session.create_domain_parameters(
                kind, {Attribute.EC_PARAMS: _ED25519 if edwards else _P256}, local=True
            )
            public, _ = parameters.generate_keypair(
                mechanism=NEEDED[
                    "CKM_EC_EDWARDS_KEY_PAIR_GEN" if edwards else "CKM_EC_KEY_PAIR_GEN"
                ],
                store=True,
                label=label,
                private_template=_SECRET,
            )
            return _did(algorithm, public[Attribute.EC_POINT])

        return label, self._run(make)

    def keep_pseudonyms(self, institution: str, secret: bytes | None) -> None:
        """See that the institution's HMAC key is in the token: taken in, or made there."""
        label = _pseudonyms(institution)

        def keep() -> None:
            there = list(self._session.get_objects({Attribute.LABEL: label}))
            if there:
                if secret is not None and not _same(there[0], secret):
                    raise _other_pseudonyms(institution)
                return
            if secret is None:
                self._session.generate_key(
                    KeyType.GENERIC_SECRET,
                    256,
                    store=True,
                    label=label,
                    mechanism=Mechanism.GENERIC_SECRET_KEY_GEN,
                    template=_SECRET,
                )
                return
            self._session.create_object(
                {
                    Attribute.CLASS: ObjectClass.SECRET_KEY,
                    Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
                    Attribute.LABEL: label,
                    Attribute.VALUE: secret,
                    **_SECRET,
                }
            )

        self._run(keep)

    def signer(
        self, institution: str, algorithm: str, method: str, label: str, public: str
    ) -> Signer:
        """The signer of a key made here; ``KeyMissing`` when the token does not hold it."""

        def find() -> tuple[Any, Any]:
            private = self._only(ObjectClass.PRIVATE_KEY, label)
            shown = self._only(ObjectClass.PUBLIC_KEY, label)
            if _did(algorithm, shown[Attribute.EC_POINT]) != public:
                raise KeyMissing(
                    Text(
                        f"토큰의 키 {label}이 기록된 공개 키와 다릅니다",
                        f"The key {label} in the token is not the one on record",
                    ),
                    Text("토큰을 백업에서 되돌려 주세요", "Restore the token from its backup"),
                )
            return private, self._only(ObjectClass.SECRET_KEY, _pseudonyms(institution))

        private, pseudonyms = self._run(find)
        return TokenSigner(institution, algorithm, method, self, private, pseudonyms)

    def sign(self, key: Any, mechanism: Mechanism, data: bytes) -> bytes:
        return bytes(self._run(lambda: key.sign(data, mechanism=mechanism)))

    def _only(self, kind: ObjectClass, label: str) -> Any:
        found = list(self._session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label}))
        if len(found) != 1:
            raise KeyMissing(
                Text(
                    f"토큰 {self.place.label}에 키 {label}이 없습니다",
                    f"The token {self.place.label} does not hold the key {label}",
                ),
                Text("토큰을 백업에서 되돌려 주세요", "Restore the token from its backup"),
            )
        return found[0]

    def _run(self, call: Callable[[], _T]) -> _T:
        with self._lock:
            try:
                return call()
            except pkcs11.PKCS11Error as error:
                raise _unusable(self.place, error) from error


class TokenSigner(Signer):
    """Signs in the token. What is kept here are handles, worth nothing outside the session."""

    __slots__ = ("_private", "_pseudonyms", "_token")

    def __init__(
        self,
        institution: str,
        algorithm: str,
        method: str,
        token: Token,
        private: Any,
        pseudonyms: Any,
    ) -> None:
        super().__init__(institution, algorithm, method)
        self._token, self._private, self._pseudonyms = token, private, pseudonyms

    def sign(self, message: bytes) -> bytes:
        if self.algorithm == ED25519:
            return self._token.sign(self._private, Mechanism.EDDSA, message)
        digest = hashlib.sha256(message).digest()
        return self._token.sign(self._private, Mechanism.ECDSA, digest)

    def pseudonym(self, learner_id: str) -> str:
        digest = self._token.sign(
            self._pseudonyms, Mechanism.SHA256_HMAC, pseudonym_message(learner_id)
        )
        return name_based_urn(digest)


@lru_cache(maxsize=4)
def open_token(place: TokenPlace) -> Token:
    """The token's session of this process. Raises ``WrongPin``, ``TokenError``."""
    return Token(place)


def _did(algorithm: str, point: bytes) -> str:
    octets = point[2:]  # CKA_EC_POINT is a DER OCTET STRING: 04, length, content
    if point[:2] != bytes([4, 65 if algorithm == P256 else 32]) or len(octets) != point[1]:
        raise TokenError(
            Text("토큰의 공개 키를 읽을 수 없습니다", "The token's public key is unreadable"),
            Text("토큰의 설명서를 확인해 주세요", "Check the token's manual (CKA_EC_POINT)"),
        )
    if algorithm == P256:
        octets = bytes([2 + (octets[-1] & 1)]) + octets[1:33]
    return did_key(octets, algorithm)


def _same(key: Any, secret: bytes) -> bool:
    """Whether the token's HMAC key is this one, which it does not show."""
    probe = b"baeum/same"
    return hmac.compare_digest(
        bytes(key.sign(probe, mechanism=Mechanism.SHA256_HMAC)),
        hmac.digest(secret, probe, hashlib.sha256),
    )


def _other_pseudonyms(institution: str) -> TokenError:
    return TokenError(
        Text(
            f"토큰에 {institution}의 다른 가명 키가 이미 있습니다",
            f"The token holds another pseudonym key of {institution} already",
        ),
        Text(
            "다른 토큰을 쓰거나 그 키를 먼저 지워 주세요", "Use another token, or remove that key"
        ),
    )


def _pseudonyms(institution: str) -> str:
    return f"baeum/{institution}/pseudonyms"


def _unusable(place: TokenPlace, error: Exception) -> TokenError:
    what = f"{type(error).__name__} {error}".strip()
    return TokenError(
        Text(f"토큰 {place.label}: {what}", f"Token {place.label}: {what}"),
        Text(
            "BAEUM_PKCS11_MODULE, BAEUM_PKCS11_TOKEN과 토큰의 연결을 확인해 주세요",
            "Check BAEUM_PKCS11_MODULE, BAEUM_PKCS11_TOKEN and the connection to the token",
        ),
    )
