"""Compiled canonicalisation: many credentials of one template, expanded once.

Canonicalising JSON-LD costs milliseconds because the contexts are processed anew for each
document. Documents of one template differ only in the values of its holes, so a ``Shape`` keeps
the RDF with holes (``credential.plan``) and fills it. The result is byte for byte that of
``rdf.canonical_nquads``, which stays the reference and takes every value that is out of the
ordinary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from credential import contexts, integrity, jcs, multibase, rdf
from credential.holes import CanonicalJson, Scalar, ShapeInvalid, encode, fill, holes, scalars
from credential.plan import INTEGER, STRING, Plan, kind_of

__all__ = ["Shape", "ShapeInvalid", "ShapeSigner", "Signed"]

MAX_PLANS = 64
"""Plans kept for one shape; there is one for each combination of JSON types of its values."""

_PLAIN: dict[type, str] = {str: STRING, int: INTEGER}
_SPARE = "{proofCreated}", "{proofNonce}", "{proofValue}"


class Shape:
    """A template and its compiled form.

    ``template`` is a JSON-LD document in which some values are holes (``"{name}"``). Raises
    ``ShapeInvalid`` for a template that cannot be one.
    """

    def __init__(
        self, template: Mapping[str, Any], *, load: contexts.Loader = contexts.load
    ) -> None:
        self.template: dict[str, Any] = dict(template)
        self.names: tuple[str, ...] = tuple(dict.fromkeys(holes(self.template)))
        self._load = load
        self._plans: dict[str, Plan] = {}

    def document(self, values: Mapping[str, Scalar]) -> dict[str, Any]:
        """The document with its holes filled; values for other names are ignored.

        Raises ``ShapeInvalid`` for a missing value or one that is not a scalar.
        """
        document: dict[str, Any] = fill(self.template, values)
        return document

    def nquads(self, values: Mapping[str, Scalar]) -> bytes:
        """The canonical N-Quads of ``document(values)``; raises what the generic path raises."""
        return self._nquads(values, scalars(self.names, values))

    def _nquads(self, values: Mapping[str, Scalar], found: list[Scalar]) -> bytes:
        """``found``: the values of ``names``, in their order."""
        kinds = "".join([_PLAIN.get(type(value)) or kind_of(value) for value in found])
        try:
            plan = self._plans.get(kinds) or self._compile(kinds)
            text = plan.fill(values)
            if text is not None:
                return text.encode()
        except (rdf.NotLinkedData, UnicodeEncodeError):
            pass  # values of the wrong type, a lone surrogate: refused below in its own words
        return rdf.canonical_nquads(self.document(values), load=self._load)

    def _compile(self, kinds: str) -> Plan:
        plan = Plan(self.template, self.names, kinds, self._load)
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        self._plans[kinds] = plan
        return plan


@dataclass(frozen=True, slots=True)
class Signed:
    """A secured credential: its RFC 8785 bytes (which are the document) and their SHA-256."""

    document_bytes: bytes
    canonical_sha256: bytes


class ShapeSigner:
    """Signs documents of one shape with one verification method, in bulk.

    Gives what ``integrity.sign`` gives for ``shape.document(values)``, as canonical JSON. Safe to
    use from several threads once it has signed a first document.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        verification_method: str,
        cryptosuite: str = integrity.RDFC,
        proof_purpose: str = "assertionMethod",
    ) -> None:
        if cryptosuite not in integrity.SUITES:
            raise integrity.CryptosuiteUnsupported(
                f"지원하지 않는 서명 방식입니다: {cryptosuite}",
                f"Unsupported cryptosuite: {cryptosuite}",
            )
        if "proof" in shape.template or set(_SPARE) & {f"{{{name}}}" for name in shape.names}:
            raise ShapeInvalid(
                "서식에 서명이 이미 들어 있습니다.", "The template holds a proof already."
            )
        created, nonce, value = _SPARE
        context = shape.template["@context"]
        options: dict[str, Any] = {
            "type": "DataIntegrityProof",
            "cryptosuite": cryptosuite,
            "created": created,
            "verificationMethod": verification_method,
            "proofPurpose": proof_purpose,
            "nonce": nonce,
        }
        self._rdf = cryptosuite == integrity.RDFC
        if not self._rdf:
            options = {"@context": context, **options}
        self._shape = shape
        self._config = Shape({**options, "@context": context}, load=shape._load)
        self._options_json = CanonicalJson(options)
        self._unsecured_json = CanonicalJson(shape.template)
        self._secured_json = CanonicalJson(
            {**shape.template, "proof": {**options, "proofValue": value}}
        )

    def sign(
        self,
        values: Mapping[str, Scalar],
        *,
        created: datetime | str,
        nonce: str,
        sign: integrity.Signer,
    ) -> Signed:
        """Sign one document; ``sign`` is Ed25519 over the 64 bytes it is given.

        Raises what ``Shape.nquads`` raises, and ``jcs.NotCanonical``.
        """
        names = self._shape.names
        found = scalars(names, values)
        encoded = dict(zip(names, map(encode, found), strict=True))
        proof = {"proofCreated": integrity.timestamp(created), "proofNonce": nonce}
        encoded.update({name: encode(value) for name, value in proof.items()})
        if self._rdf:
            config, unsecured = self._config.nquads(proof), self._shape._nquads(values, found)
        else:
            config = self._options_json.fill(encoded)
            unsecured = self._unsecured_json.fill(encoded)
        signature = sign(sha256(config).digest() + sha256(unsecured).digest())
        encoded["proofValue"] = jcs.canonical("z" + multibase.base58(signature))
        document = self._secured_json.fill(encoded)
        return Signed(document, sha256(document).digest())
