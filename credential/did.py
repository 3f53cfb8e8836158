"""Decentralised identifiers: did:key and did:jwk, which need no network, the addresses of did:web,
and keys in documents.

A DID document is plain JSON here. ``verification_key`` takes a key from any DID document,
however it was resolved, and only for a purpose its controller lists it under.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson

from credential import multibase, multikey
from credential.errors import BaeumError
from credential.multikey import KeyUnreadable, PublicKey
from credential.text import Text

PURPOSES = (
    "authentication",
    "assertionMethod",
    "keyAgreement",
    "capabilityInvocation",
    "capabilityDelegation",
)
MAX_DID = 512
_HOST = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_WEB = re.compile(
    rf"did:web:(?P<host>{_HOST.pattern})(?:%3[Aa](?P<port>[1-9]\d{{0,4}}))?"
    r"(?P<path>(?::[A-Za-z0-9_-][A-Za-z0-9._-]*)*)"
)
_SIGNING = tuple(purpose for purpose in PURPOSES if purpose != "keyAgreement")
MULTIKEY_CONTEXT = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]


class DidError(BaeumError):
    """A DID cannot be resolved here, or its document does not give the key asked for."""

    code: ClassVar[str] = "did-invalid"
    title: ClassVar[Text] = Text("DID를 해석할 수 없습니다", "The DID cannot be resolved")
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str, **facts: Any) -> None:
        super().__init__(
            Text(ko, en),
            Text(
                "발급 기관의 DID가 올바른지 확인하십시오.", "Check that the issuer's DID is right."
            ),
            facts,
        )


class UnsupportedDidMethod(DidError):
    """The DID is of a method this module does not resolve."""

    code: ClassVar[str] = "did-method-unsupported"


class KeyNotListed(DidError):
    """The document has no such verification method, or not for this purpose."""

    code: ClassVar[str] = "key-not-listed"


def did_key(public: bytes, kind: str = multikey.ED25519) -> str:
    """The did:key of a raw public key; raises ``KeyUnreadable`` on a wrong length."""
    return f"did:key:{multikey.encode(public, kind)}"


def key_method(did: str) -> str:
    """The only verification method of a did:key, as a DID URL."""
    return f"{did}#{did.removeprefix('did:key:')}"


def web_did(url: str, *path: str) -> str:
    """The did:web of a place under an https address: ``did:web:host[%3Aport][:path…]``.

    did:web Method Specification, section 3.2. Raises ``DidError`` for an address that cannot carry
    one: not https, an IP address, or with a query.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    plain = _HOST.fullmatch(host) is not None and not host.replace(".", "").isdigit()
    if parts.scheme != "https" or not plain or parts.query or parts.fragment:
        raise DidError(
            f"did:web은 https 도메인 주소가 필요합니다: {url[:200]}",
            f"A did:web needs an https address with a domain name: {url[:200]}",
            url=url[:200],
        )
    host += f"%3A{parts.port}" if parts.port else ""
    above = [part for part in parts.path.split("/") if part]
    return ":".join(["did:web", host, *above, *path])


def web_url(did: str) -> str:
    """Where the document of a did:web is; raises ``DidError`` for a malformed one.

    Section 3.3.1: ``/.well-known/did.json`` of a bare domain, else ``/PATH/did.json``.
    """
    match = _WEB.fullmatch(did)
    if match is None or len(did) > MAX_DID:
        raise DidError(f"did:web이 아닙니다: {did[:100]}", f"Not a did:web: {did[:100]}")
    host = match["host"] + (f":{match['port']}" if match["port"] else "")
    path = match["path"].replace(":", "/") if match["path"] else "/.well-known"
    return f"https://{host}{path}/did.json"


def bound_name(method_id: str) -> str:
    """The name under which a registry knows the key of a verification method.

    A did:key or did:jwk is its key, so the DID will do. Under a did:web keys come and go: there it
    is the whole DID URL, whose fragment is the key's Multikey text.
    """
    did = subject_of(method_id)
    return method_id if did.startswith("did:web:") else did


def claimed_key(method_id: str) -> PublicKey | None:
    """The key a did:web method spells out in its own fragment, or None.

    That it is the DID's key is a claim until a registry or the DID document says so.
    """
    fragment = method_id.partition("#")[2]
    if not method_id.startswith("did:web:") or not fragment.startswith("z"):
        return None
    try:
        return multikey.decode(fragment)
    except KeyUnreadable:
        return None


def document(did: str) -> dict[str, Any]:
    """The DID document of a did:key or did:jwk.

    Raises ``UnsupportedDidMethod`` for another method and ``DidError`` for a malformed DID.
    """
    try:
        if did.startswith("did:key:"):
            return _key_document(did)
        if did.startswith("did:jwk:"):
            return _jwk_document(did)
    except (KeyUnreadable, multibase.NotMultibase) as error:
        raise DidError(error.detail.ko, error.detail.en, did=did[:200]) from error
    raise UnsupportedDidMethod(
        f"지원하지 않는 DID입니다: {did[:100]}", f"Not a supported DID: {did[:100]}", did=did[:200]
    )


def verification_key(document: dict[str, Any], method_id: str, purpose: str) -> PublicKey:
    """The key ``method_id`` of a DID document, if it is listed under ``purpose``.

    The method must be controlled by the document's own subject. Raises ``KeyNotListed`` or
    ``KeyUnreadable``.
    """
    subject = document.get("id")
    listed = document.get(purpose) if purpose in PURPOSES else None
    for entry in listed if isinstance(listed, list) else []:
        method = entry if isinstance(entry, dict) else _find(document, entry)
        if method is None or _absolute(method.get("id"), subject) != method_id:
            continue
        if method.get("controller") != subject:
            break
        return _method_key(method)
    raise KeyNotListed(
        f"DID 문서에 이 용도({purpose})로 등록되지 않은 키입니다.",
        f"The DID document does not list this key for {purpose}.",
        method=method_id[:300],
        purpose=purpose,
    )


def subject_of(method_id: object) -> str:
    """The DID a verification method's DID URL belongs to; raises ``DidError``."""
    if isinstance(method_id, str) and method_id.startswith("did:"):
        did, mark, fragment = method_id.partition("#")
        if mark and fragment and "?" not in did and "/" not in did:
            return did
    raise DidError(
        "검증 수단이 DID URL이 아닙니다.", "The verification method is not a DID URL with a key."
    )


def _key_document(did: str) -> dict[str, Any]:
    text = did.removeprefix("did:key:")
    key = multikey.decode(text)
    method = {
        "id": key_method(did),
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": text,
    }
    return _document(did, method, key)


def _jwk_document(did: str) -> dict[str, Any]:
    try:
        jwk = orjson.loads(multibase.from_base64url(did.removeprefix("did:jwk:")))
    except orjson.JSONDecodeError as error:
        raise KeyUnreadable("not JSON") from error
    key = multikey.from_jwk(jwk)
    method = {"id": f"{did}#0", "type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk}
    return _document(did, method, key, use=jwk.get("use"))


def _document(
    did: str, method: dict[str, Any], key: PublicKey, use: str | None = None
) -> dict[str, Any]:
    purposes: tuple[str, ...] = PURPOSES
    if key.kind == multikey.X25519 or use == "enc":
        purposes = ("keyAgreement",)
    elif key.kind == multikey.ED25519 or use == "sig" or did.startswith("did:key:"):
        purposes = _SIGNING
    references = {purpose: [method["id"]] for purpose in purposes}
    return {"@context": MULTIKEY_CONTEXT, "id": did, "verificationMethod": [method], **references}


def find_method(document: dict[str, Any], method_id: str) -> dict[str, Any] | None:
    """The verification method of that id in a DID document, if it is listed as one."""
    return _find(document, method_id)


def _find(document: dict[str, Any], reference: object) -> dict[str, Any] | None:
    subject = document.get("id")
    methods = document.get("verificationMethod")
    for method in methods if isinstance(methods, list) else []:
        if isinstance(method, dict):
            identifier = _absolute(method.get("id"), subject)
            if identifier is not None and identifier == _absolute(reference, subject):
                return method
    return None


def _absolute(identifier: object, subject: object) -> str | None:
    """DID documents may name their methods by fragment alone (DID Core section 3.2.2)."""
    if not isinstance(identifier, str):
        return None
    return f"{subject}{identifier}" if identifier.startswith("#") else identifier


def _method_key(method: dict[str, Any]) -> PublicKey:
    kind = method.get("type")
    if kind in ("Multikey", "Ed25519VerificationKey2020"):
        key = multikey.decode(method.get("publicKeyMultibase"))
        if kind == "Ed25519VerificationKey2020" and key.kind != multikey.ED25519:
            raise KeyUnreadable("the method's type and its key differ")
        return key
    if kind in ("JsonWebKey", "JsonWebKey2020"):
        return multikey.from_jwk(method.get("publicKeyJwk"))
    if kind == "Ed25519VerificationKey2018":
        raw = multibase.from_base58(str(method.get("publicKeyBase58", "")))
        if len(raw) != 32:
            raise KeyUnreadable("an Ed25519 key has 32 bytes")
        return PublicKey(multikey.ED25519, raw)
    raise KeyUnreadable(f"unsupported verification method {str(kind)[:60]!r}")
