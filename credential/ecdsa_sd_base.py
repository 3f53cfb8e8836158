"""``ecdsa-sd-2023`` base proofs: what an issuer gives the holder, with everything in it.

W3C vc-di-ecdsa 1.0 sections 3.5.1 to 3.5.3 and 3.6.1 to 3.6.5, run backwards. The Recommendation
has verifiers see derived proofs only; a base proof that is shown all the same can be judged, and
tells the verifier every statement and the key that would have hidden the others.
"""

from __future__ import annotations

import copy
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from credential import contexts, ecdsa_sd, familiar, multibase, rdf, rdfc, suites
from credential.multikey import P256, PublicKey
from credential.rdfc import Quad

MAX_POINTERS = 1_000
MAX_POINTER = 1_000

_BASE = b"\xd9\x5d\x00"
_BASE_TEXT = "u2V0A"
_NAME = "urn:bnid:"


@dataclass(frozen=True, slots=True)
class Base:
    """A base proof value taken apart (section 3.5.3). ``hmac_key`` names the blank nodes."""

    base_signature: bytes
    public_key: bytes
    hmac_key: bytes
    signatures: Sequence[bytes]
    pointers: Sequence[str]


def is_base(proof_value: object) -> bool:
    """Whether a proof value says that it is a base proof's; the first three bytes do."""
    return isinstance(proof_value, str) and proof_value.startswith(_BASE_TEXT)


def holds(
    unsecured: dict[str, Any],
    options: dict[str, Any],
    proof_value: object,
    issuer: PublicKey,
    *,
    load: contexts.Loader = contexts.load,
) -> bool:
    """Verify a base proof.

    1. All statements, blank nodes named by the HMAC of their canonical labels, in order.
    2. The issuer signed the proof options, the proof's own key, and the mandatory statements.
    3. The proof's own key signed each of the other statements, one signature each.

    Raises ``ProofValueMalformed``, and what the canonical form raises.
    """
    base = parse(proof_value)
    config = {**options, "@context": unsecured.get("@context")}
    proof_hash = sha256(familiar.canonical_nquads(config, load=load)).digest()
    mandatory, others = grouped(unsecured, base, load=load)
    if len(others) != len(base.signatures):
        return False
    signed = proof_hash + base.public_key + ecdsa_sd.hashed(mandatory)
    if not suites.holds(issuer, signed, base.base_signature):
        return False
    own = PublicKey(P256, base.public_key.removeprefix(ecdsa_sd.P256_PREFIX))
    pairs = zip(others, base.signatures, strict=True)
    return all(suites.holds(own, line.encode(), signature) for line, signature in pairs)


def parse(proof_value: object) -> Base:
    """The parts of a base proof value. Raises ``ProofValueMalformed``."""
    base_signature, public_key, hmac_key, signatures, pointers = ecdsa_sd.parts_of(
        proof_value, _BASE
    )
    if (
        not ecdsa_sd.is_bytes(base_signature, 64)
        or not ecdsa_sd.is_bytes(public_key, 35)
        or not public_key.startswith(ecdsa_sd.P256_PREFIX)
        or not ecdsa_sd.is_bytes(hmac_key, 32)
        or not isinstance(signatures, list)
        or not all(ecdsa_sd.is_bytes(one, 64) for one in signatures)
        or not isinstance(pointers, list)
        or len(pointers) > MAX_POINTERS
        or not all(isinstance(one, str) and len(one) <= MAX_POINTER for one in pointers)
    ):
        raise ecdsa_sd.malformed()
    return Base(base_signature, public_key, hmac_key, signatures, pointers)


def grouped(
    unsecured: dict[str, Any], base: Base, *, load: contexts.Loader = contexts.load
) -> tuple[list[str], list[str]]:
    """The mandatory statements and the others (section 3.4.16, canonicalizeAndGroup).

    Raises ``ProofValueMalformed`` for a pointer to nothing, and for one to a list: the cells of a
    list have no names by which to find them again.
    """
    document = rdf.named(unsecured, _NAME, load=load)
    quads = {_unnamed(quad) for quad in rdf.quads(document, load=load)}
    names = rdfc.canonical_names(quads)
    labels = {node: f"_:{_label(base.hmac_key, name)}" for node, name in names.items()}
    if _lines(quads, names) != familiar.canonical_nquads(unsecured, load=load).decode():
        raise ecdsa_sd.malformed()  # it has identifiers of the kind we gave
    everything = sorted(rdfc.line(_renamed(quad, labels)) for quad in quads)
    selected: set[str] = set()
    selection = select(document, base.pointers)
    if selection is not None:
        chosen = {_unnamed(quad) for quad in rdf.quads(selection, load=load)}
        if not chosen <= quads or any(_of_a_list(quad) for quad in chosen):
            raise ecdsa_sd.malformed()
        selected = {rdfc.line(_renamed(quad, labels)) for quad in chosen}
    mandatory = [line for line in everything if line in selected]
    return mandatory, [line for line in everything if line not in selected]


def select(document: dict[str, Any], pointers: Sequence[str]) -> dict[str, Any] | None:
    """What JSON pointers (RFC 6901) point at, with the identifiers and types of everything on the
    way (section 3.4.13, selectJsonLd). None for no pointers. Raises ``ProofValueMalformed``."""
    if not pointers:
        return None
    chosen: dict[str, Any] = {}
    for pointer in pointers:
        _mark(chosen, document, _path(pointer))
    selection = _picked(document, chosen)
    if not isinstance(selection, dict):
        raise ecdsa_sd.malformed()
    return {"@context": document["@context"], **selection}


_ALL = "all of it"
"""A key no path can hold: paths hold texts and places of arrays under ``(step,)``."""


def _mark(chosen: dict[Any, Any], value: Any, path: list[str]) -> None:
    """Notes a path in a tree of the paths wanted; checks that it leads somewhere."""
    for step in path:
        if isinstance(value, list):
            if not (step.isascii() and step.isdigit() and len(step) < 7 and int(step) < len(value)):
                raise ecdsa_sd.malformed()
            key: Any = int(step)
        elif isinstance(value, dict) and step in value:
            key = step
        else:
            raise ecdsa_sd.malformed()
        value = value[key]
        chosen = chosen.setdefault((key,), {})
    chosen[_ALL] = True


def _picked(value: Any, chosen: dict[Any, Any]) -> Any:
    if _ALL in chosen or not isinstance(value, dict | list):
        return copy.deepcopy(value)
    if isinstance(value, list):
        return [_picked(value[key[0]], chosen[key]) for key in sorted(chosen)]
    kept = {name: value[name] for name in ("id", "@id", "type", "@type") if name in value}
    return kept | {key[0]: _picked(value[key[0]], below) for key, below in chosen.items()}


def _path(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise ecdsa_sd.malformed()
    steps = pointer.split("/")[1:]
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def _label(key: bytes, name: str) -> str:
    """Section 3.5.1 (createHmacIdLabelMapFunction): the canonical label without ``_:``, keyed."""
    digest = hmac.digest(key, name.removeprefix("_:").encode(), "sha256")
    return "u" + multibase.base64url(digest)


def _unnamed(quad: Quad) -> Quad:
    """With the nodes that were given a name blank again; the cells of lists are ``_:b0`` ..."""
    lead = f"<{_NAME}"
    terms = [
        f"_:n{term[len(lead) : -1]}" if term.startswith(lead) and term.endswith(">") else term
        for term in quad
    ]
    return Quad(*terms)


def _of_a_list(quad: Quad) -> bool:
    return any(term.startswith("_:b") for term in quad)


def _renamed(quad: Quad, labels: dict[str, str]) -> Quad:
    subject, predicate, object_, graph = quad
    return Quad(
        labels.get(subject, subject),
        predicate,
        labels.get(object_, object_),
        labels.get(graph, graph),
    )


def _lines(quads: set[Quad], names: dict[str, str]) -> str:
    return "".join(sorted(rdfc.line(_renamed(quad, names)) for quad in quads))
