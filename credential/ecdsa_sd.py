"""``ecdsa-sd-2023``: a proof whose holder shows some statements and hides the others.

W3C vc-di-ecdsa 1.0 section 3.6. The issuer gives the holder a *base* proof, which holds the secret
that hides the others (``credential.ecdsa_sd_base``); what a verifier is shown is a *derived* proof,
checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar

import cbor2

from credential import contexts, familiar, multibase, suites
from credential.errors import BaeumError
from credential.multikey import P256, PublicKey
from credential.text import Text

KEYS = frozenset({P256})
MAX_PROOF_VALUE = 262_144
MAX_STATEMENTS = 20_000

P256_PREFIX = b"\x80\x24"
_DERIVED = b"\xd9\x5d\x01"
_BLANK = re.compile(r"_:(c14n\d+)")


class ProofValueMalformed(BaeumError):
    """Not the proof value of a selective proof."""

    code: ClassVar[str] = "proof-malformed"
    title: ClassVar[Text] = Text("서명이 올바르지 않습니다", "The proof is not valid")


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived proof value taken apart (section 3.5.8)."""

    base_signature: bytes
    public_key: bytes
    signatures: Sequence[bytes]
    labels: Mapping[str, str]
    mandatory: Sequence[int]


def holds(
    unsecured: dict[str, Any],
    options: dict[str, Any],
    proof_value: object,
    issuer: PublicKey,
    *,
    load: contexts.Loader = contexts.load,
) -> bool:
    """Verify a derived proof (section 3.6.7).

    1. The statements shown, with the labels of the whole credential, in canonical order.
    2. The issuer signed the proof options, the proof's own key, and the mandatory statements.
    3. The proof's own key signed each of the other statements, one signature each.

    Raises ``ProofValueMalformed``, and what the canonical form raises.
    """
    derived = parse(proof_value)
    config = {**options, "@context": unsecured.get("@context")}
    proof_hash = sha256(familiar.canonical_nquads(config, load=load)).digest()
    statements = relabelled(familiar.canonical_nquads(unsecured, load=load), derived.labels)
    places = set(derived.mandatory)
    if any(place >= len(statements) for place in places):
        return False
    mandatory = [line for place, line in enumerate(statements) if place in places]
    others = [line for place, line in enumerate(statements) if place not in places]
    if len(others) != len(derived.signatures):
        return False
    signed = proof_hash + derived.public_key + hashed(mandatory)
    if not suites.holds(issuer, signed, derived.base_signature):
        return False
    own = PublicKey(P256, derived.public_key.removeprefix(P256_PREFIX))
    pairs = zip(others, derived.signatures, strict=True)
    return all(suites.holds(own, line.encode(), signature) for line, signature in pairs)


def parse(proof_value: object) -> Derived:
    """The parts of a derived proof value. Raises ``ProofValueMalformed``."""
    base_signature, public_key, signatures, labels, mandatory = parts_of(proof_value, _DERIVED)
    if (
        not is_bytes(base_signature, 64)
        or not is_bytes(public_key, 35)
        or not public_key.startswith(P256_PREFIX)
        or not isinstance(signatures, list)
        or not all(is_bytes(one, 64) for one in signatures)
        or not isinstance(labels, Mapping)
        or not all(_index(key) and is_bytes(value, 32) for key, value in labels.items())
        or not isinstance(mandatory, list)
        or not all(_index(place) for place in mandatory)
        or len(set(mandatory)) != len(mandatory)
    ):
        raise malformed()
    named = {f"c14n{key}": "u" + multibase.base64url(value) for key, value in labels.items()}
    return Derived(base_signature, public_key, signatures, named, mandatory)


def parts_of(proof_value: object, header: bytes) -> list[Any]:
    """The five parts after a header of three bytes. Raises ``ProofValueMalformed``."""
    if not isinstance(proof_value, str) or len(proof_value) > MAX_PROOF_VALUE:
        raise malformed()
    try:
        data = multibase.decode(proof_value) if proof_value.startswith("u") else b""
    except multibase.NotMultibase as error:
        raise malformed() from error
    if not data.startswith(header):
        raise malformed()
    try:
        parts = cbor2.loads(data[len(header) :])
    except (cbor2.CBORDecodeError, ValueError, RecursionError) as error:
        raise malformed() from error
    if not isinstance(parts, list) or len(parts) != 5:
        raise malformed()
    return parts


def relabelled(canonical: bytes, labels: Mapping[str, str]) -> list[str]:
    """The statements with the whole credential's blank node labels, sorted anew. A label the
    proof does not give stays as it is and fits no signature."""
    lines = canonical.decode().splitlines(keepends=True)
    return sorted(_line(line, labels) for line in lines)


def _line(line: str, labels: Mapping[str, str]) -> str:
    """Subject, object and graph are terms; a literal may hold any text and is left alone."""
    subject, predicate, rest = line.split(" ", 2)
    parts = rest.rsplit(" ", 2) if rest.startswith('"') else rest.split(" ")
    terms = [_term(part, labels) for part in parts]
    return " ".join([_term(subject, labels), predicate, *terms])


def _term(term: str, labels: Mapping[str, str]) -> str:
    found = _BLANK.fullmatch(term)
    return term if found is None else f"_:{labels.get(found.group(1), found.group(1))}"


def hashed(statements: Iterable[str]) -> bytes:
    """SHA-256 of the statements one after another."""
    return sha256("".join(statements).encode()).digest()


def is_bytes(value: object, length: int) -> bool:
    """Whether it is a byte string of this length."""
    return isinstance(value, bytes) and len(value) == length


def _index(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_STATEMENTS


def malformed() -> ProofValueMalformed:
    """The one answer to every proof value that is not one."""
    return ProofValueMalformed(
        Text("서명의 형식이 잘못되었습니다.", "The proof value is malformed.")
    )
