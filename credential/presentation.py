"""What a verifiable presentation must look like: VC Data Model 2.0 sections 4.3 to 4.5 and 4.13.

Only structure; whose proof it is, and for whom it was made, is ``verifier.presentation``'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from credential import contexts, rdf
from credential.model import Problem, context_problems, types
from credential.text import Text

TYPE = "VerifiablePresentation"


def check(document: object, *, load: contexts.Loader = contexts.load) -> list[Problem]:
    """Every rule the presentation breaks; an empty list when it is well formed."""
    if not isinstance(document, dict):
        return [_problem("not-an-object", "", "JSON 객체가 아닙니다.", "Not a JSON object.")]
    return [
        *context_problems(document, load),
        *_identity(document),
        *_credentials(document.get("verifiableCredential")),
        *_proofs(document.get("proof")),
    ]


def credentials(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The credentials of a presentation that ``check`` found nothing wrong with."""
    return _list(document.get("verifiableCredential"))


def holder(document: dict[str, Any]) -> str | None:
    """The holder's identifier, from either form it may be written in."""
    named = document.get("holder")
    found = named.get("id") if isinstance(named, dict) else named
    return found if isinstance(found, str) else None


def _identity(document: dict[str, Any]) -> Iterator[Problem]:
    if "id" in document and not _url(document["id"]):
        yield _not_url("/id")
    if TYPE not in types(document):
        yield _problem("type", "/type", f"{TYPE} 유형이 없습니다.", f"The type {TYPE} is missing.")
    if "holder" in document and not _url(holder(document)):
        yield _not_url("/holder")


def _credentials(value: object) -> Iterator[Problem]:
    for place, entry in enumerate(_list(value)):
        pointer = f"/verifiableCredential/{place}"
        if not isinstance(entry, dict):
            yield _problem("credential", pointer, "객체가 아닙니다.", "Not an object.")
        elif not {"VerifiableCredential", "EnvelopedVerifiableCredential"} & set(types(entry)):
            yield _problem(
                "credential", pointer, "증명이 아닙니다.", "It is not a verifiable credential."
            )


def _proofs(value: object) -> Iterator[Problem]:
    for entry in _list(value):
        if not isinstance(entry, dict) or not types(entry):
            yield _problem(
                "typed-object", "/proof", "유형이 없는 서명입니다.", "A proof without type."
            )


def _url(value: object) -> bool:
    return isinstance(value, str) and rdf.IRI.fullmatch(value) is not None


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _not_url(pointer: str) -> Problem:
    return _problem("not-a-url", pointer, "주소(URL) 하나가 아닙니다.", "Not a single URL.")


def _problem(code: str, pointer: str, ko: str, en: str) -> Problem:
    return Problem(code, pointer, Text(ko, en))
