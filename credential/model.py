"""What a credential must look like: the rules of VC Data Model 2.0 (and 1.1) and Open Badges 3.0.

``check`` only reports; whoever calls decides. It looks at structure, not at signatures or time,
and never needs JSON-LD processing: the contexts must be URLs of bundled ones, which makes the
plain JSON mean what it says (VC 2.0 section 6.2, "credential type-specific processing").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jsonschema
import jsonschema_rs

from credential import contexts, rdf
from credential.text import Text

OB_SCHEMA = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
)
OB_TYPES = {"OpenBadgeCredential", "AchievementCredential"}
MAX_SCHEMA_PROBLEMS = 10

_TIME = re.compile(
    r"-?\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d):[0-5]\d)"
)
_INDEX = re.compile(r"0|[1-9]\d{0,15}")
# members that are typed objects, and whether they need an id too (VC 2.0 sections 4.9 to 5.6)
_TYPED = {
    "credentialStatus": False,
    "credentialSchema": True,
    "refreshService": False,
    "termsOfUse": False,
    "evidence": False,
    "proof": False,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule a document breaks: a stable code, the JSON pointer, and what is wrong."""

    code: str
    pointer: str
    reason: Text

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "pointer": self.pointer, "reason": self.reason.to_json()}


def check(document: object, *, load: contexts.Loader = contexts.load) -> list[Problem]:
    """Every rule the credential breaks, in document order; an empty list when it is well formed.

    Does not raise for any JSON value.
    """
    if not isinstance(document, dict):
        return [_problem("not-an-object", "", "JSON 객체가 아닙니다.", "Not a JSON object.")]
    problems = context_problems(document, load)
    first = contexts.VC_V2 if problems else _list(document["@context"])[0]
    problems += _identity(document)
    problems += _subjects(document)
    problems += _times(document, first)
    problems += _typed_members(document)
    problems += _related(document)
    problems += _words(document, "")
    if isinstance(document.get("issuer"), dict):
        problems += _words(document["issuer"], "/issuer")
    if OB_TYPES & {kind for kind in _list(document.get("type")) if isinstance(kind, str)}:
        problems += _open_badge(document)
    return problems


def context_problems(document: dict[str, Any], load: contexts.Loader) -> list[Problem]:
    """What is wrong with the contexts of a credential or presentation (section 4.3)."""
    problems = list(_contexts(document, load))
    if not problems and _list(document["@context"])[0] not in (contexts.VC_V1, contexts.VC_V2):
        problems.append(
            _problem(
                "base-context",
                "/@context",
                "첫 컨텍스트가 검증 가능한 증명의 기본 컨텍스트가 아닙니다.",
                "The first context is not the Verifiable Credentials base context.",
            )
        )
    return problems


def types(document: dict[str, Any]) -> list[str]:
    """The document's types, one or many as it may be written."""
    return [kind for kind in _list(document.get("type")) if isinstance(kind, str)]


def issuer_id(document: dict[str, Any]) -> str | None:
    """The issuer's identifier, from either form it may be written in."""
    issuer = document.get("issuer")
    identifier = issuer.get("id") if isinstance(issuer, dict) else issuer
    return identifier if isinstance(identifier, str) else None


def _contexts(document: dict[str, Any], load: contexts.Loader) -> Iterator[Problem]:
    """Contexts anywhere in the document are URLs of known ones (models.md: context replaced)."""
    if _only_known_on_top(document, load):
        return
    if "@context" not in document:
        yield _problem("base-context", "/@context", "@context가 없습니다.", "There is no @context.")
    pending: list[tuple[str, Any, int]] = [("", document, 0)]
    while pending:
        pointer, value, depth = pending.pop()
        if depth > rdf.MAX_DEPTH:
            yield _problem("too-deep", pointer, "너무 깊습니다.", "Nested too deeply.")
        elif isinstance(value, dict):
            for key, item in value.items():
                at = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
                if key == "@context":
                    yield from _context(item, at, load)
                else:
                    pending.append((at, item, depth + 1))
        elif isinstance(value, list):
            pending += [(f"{pointer}/{n}", item, depth + 1) for n, item in enumerate(value)]


def _only_known_on_top(document: dict[str, Any], load: contexts.Loader) -> bool:
    """Whether there is one ``@context``, on top, of known URLs, and nothing nests too deeply."""
    if any(_context(document.get("@context"), "", load)):
        return False
    pending = [(item, 1) for name, item in document.items() if name != "@context"]
    for value, depth in pending:  # grows while it is read
        kind = type(value)
        if kind is not dict and kind is not list:
            continue
        if depth > rdf.MAX_DEPTH or (kind is dict and "@context" in value):
            return False
        pending += [(item, depth + 1) for item in (value.values() if kind is dict else value)]
    return True


def _context(value: Any, pointer: str, load: contexts.Loader) -> Iterator[Problem]:
    entries = _list(value)
    if not entries or not all(isinstance(entry, str) for entry in entries):
        yield _problem(
            "inline-context",
            pointer,
            "증명 안에 적힌 컨텍스트는 허용하지 않습니다.",
            "A context written into the credential is not allowed.",
        )
        return
    for entry in entries:
        try:
            load(entry)
        except contexts.UnknownContext as error:
            yield Problem("unknown-context", pointer, error.detail)


def _identity(document: dict[str, Any]) -> Iterator[Problem]:
    """``id``, ``type`` and ``issuer`` (sections 4.4, 4.5 and 4.7)."""
    if "id" in document and not _url(document["id"]):
        yield _not_url("/id")
    kinds = _list(document.get("type"))
    if not kinds or not all(isinstance(kind, str) for kind in kinds):
        yield _problem("type", "/type", "type이 없거나 글자가 아닙니다.", "No type, or not text.")
    elif "VerifiableCredential" not in kinds:
        yield _problem(
            "type",
            "/type",
            "VerifiableCredential 유형이 없습니다.",
            "The type VerifiableCredential is missing.",
        )
    issuer = document.get("issuer")
    if not _url(issuer.get("id") if isinstance(issuer, dict) else issuer):
        yield _not_url("/issuer/id" if isinstance(issuer, dict) else "/issuer")


def _subjects(document: dict[str, Any]) -> Iterator[Problem]:
    """``credentialSubject`` says something about someone (section 4.8)."""
    subjects = _list(document.get("credentialSubject"))
    if not subjects or not all(isinstance(subject, dict) and subject for subject in subjects):
        yield _problem(
            "credential-subject",
            "/credentialSubject",
            "증명할 내용(credentialSubject)이 없습니다.",
            "There is no credentialSubject, or an empty one.",
        )
        return
    for subject in subjects:
        if "id" in subject and not _url(subject["id"]):
            yield _not_url("/credentialSubject/id")


def _times(document: dict[str, Any], base: object) -> Iterator[Problem]:
    """The validity period, as aware times (sections 4.9; VC 1.1 sections 4.6 and 4.7)."""
    names = ("validFrom", "validUntil")
    if base == contexts.VC_V1:
        names = ("issuanceDate", "expirationDate")
        if "issuanceDate" not in document and "validFrom" not in document:
            yield _problem(
                "time", "/issuanceDate", "발급 시각이 없습니다.", "There is no issuanceDate."
            )
    for name in names:
        value = document.get(name)
        if name in document and (not isinstance(value, str) or not _TIME.fullmatch(value)):
            yield _problem(
                "time",
                f"/{name}",
                "시간대가 있는 시각(예: 2026-11-23T09:00:00+09:00)이 아닙니다.",
                "Not a time with a zone, such as 2026-11-23T09:00:00+09:00.",
            )
    start, end = (_moment(document.get(name)) for name in names)
    if start is not None and end is not None and end < start:
        yield _problem(
            "time",
            f"/{names[1]}",
            "끝나는 때가 시작하는 때보다 앞섭니다.",
            "The validity ends before it begins.",
        )


def _moment(value: object) -> datetime | None:
    """The instant, where the calendar has it; what is not one is reported elsewhere."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _related(document: dict[str, Any]) -> Iterator[Problem]:
    """``relatedResource``: objects with an id of their own and a digest (section 5.3).

    The resources are not fetched, so their digests are not compared.
    """
    seen: set[Any] = set()
    for place, entry in enumerate(_list(document.get("relatedResource"))):
        pointer = f"/relatedResource/{place}"
        if not isinstance(entry, dict):
            yield _problem("related-resource", pointer, "객체가 아닙니다.", "Not an object.")
            continue
        identifier = entry.get("id")
        if not _url(identifier):
            yield _not_url(f"{pointer}/id")
        elif identifier in seen:
            yield _problem("related-resource", pointer, "같은 id가 두 번 나옵니다.", "An id twice.")
        else:
            seen.add(identifier)
        if not {"digestSRI", "digestMultibase"} & entry.keys():
            yield _problem(
                "related-resource",
                pointer,
                "해시가 없습니다.",
                "It has no digestSRI or digestMultibase.",
            )


def _typed_members(document: dict[str, Any]) -> Iterator[Problem]:
    """Members that are objects with a type, and status entries in particular."""
    for name, needs_id in _TYPED.items():
        for place, entry in enumerate(_list(document[name]) if name in document else []):
            pointer = f"/{name}/{place}" if isinstance(document[name], list) else f"/{name}"
            if not isinstance(entry, dict) or not types(entry):
                yield _problem(
                    "typed-object",
                    pointer,
                    "유형(type)이 없는 항목입니다.",
                    "An entry without type.",
                )
                continue
            if ("id" in entry or needs_id) and not _url(entry.get("id")):
                yield _not_url(f"{pointer}/id")
            if name == "credentialStatus" and "BitstringStatusListEntry" in types(entry):
                yield from _status_entry(entry, pointer)


def _status_entry(entry: dict[str, Any], pointer: str) -> Iterator[Problem]:
    """Bitstring Status List v1.0 section 2.1."""
    index = entry.get("statusListIndex")
    if not isinstance(index, str) or _INDEX.fullmatch(index) is None:
        yield _problem(
            "status-entry",
            f"{pointer}/statusListIndex",
            "상태 목록의 번호가 십진수 글자가 아닙니다.",
            "The index into the status list is not decimal text.",
        )
    if not isinstance(entry.get("statusPurpose"), str):
        yield _problem(
            "status-entry",
            f"{pointer}/statusPurpose",
            "상태의 용도가 없습니다.",
            "The purpose of the status is missing.",
        )
    if not _url(entry.get("statusListCredential")):
        yield _not_url(f"{pointer}/statusListCredential")


def _words(document: dict[str, Any], pointer: str) -> Iterator[Problem]:
    """``name`` and ``description``: text, or text with a language (section 11.1)."""
    for name in ("name", "description"):
        for value in _list(document[name]) if name in document else []:
            tagged = isinstance(value, dict) and isinstance(value.get("@value"), str)
            if tagged and not value.keys() - {"@value", "@language", "@direction"}:
                continue
            if not isinstance(value, str):
                yield _problem(
                    "language-value",
                    f"{pointer}/{name}",
                    "글자도, 언어가 표시된 글자도 아닙니다.",
                    "Neither text nor text with a language.",
                )


def _open_badge(document: dict[str, Any]) -> Iterator[Problem]:
    """The Open Badges 3.0 JSON Schema, except that a credential may have several status entries.

    The published schema wants one; VC 2.0 section 4.10 allows more, and so does the standard's
    text. Each entry is checked above.
    """
    checked = {name: value for name, value in document.items() if name != "credentialStatus"}
    if _fits(checked):
        return
    for count, error in enumerate(_validator().iter_errors(checked)):
        if count == MAX_SCHEMA_PROBLEMS:
            return
        pointer = "".join(f"/{part}" for part in error.absolute_path)
        rule = f"{error.validator}: {error.schema_path[-1] if error.schema_path else ''}"
        yield _problem(
            "schema",
            pointer,
            f"Open Badges 3.0 스키마에 맞지 않습니다({_short(error.message, rule)}).",
            f"Does not fit the Open Badges 3.0 schema ({_short(error.message, rule)}).",
        )


def _fits(document: dict[str, Any]) -> bool:
    """Whether the fast validator finds nothing; the slow one has the words for what it finds."""
    try:
        return _fast_validator().is_valid(document)
    except ValueError:  # a value this validator cannot hold, such as a lone surrogate
        return False


@cache
def _fast_validator() -> jsonschema_rs.Draft201909Validator:
    return jsonschema_rs.Draft201909Validator(contexts.schema(OB_SCHEMA))


@cache
def _validator() -> jsonschema.protocols.Validator:
    return jsonschema.Draft201909Validator(contexts.schema(OB_SCHEMA))


def _short(message: str, rule: str) -> str:
    return message if len(message) <= 160 else rule


def _url(value: object) -> bool:
    return isinstance(value, str) and rdf.IRI.fullmatch(value) is not None


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _problem(code: str, pointer: str, ko: str, en: str) -> Problem:
    return Problem(code, pointer, Text(ko, en))


def _not_url(pointer: str) -> Problem:
    return _problem("not-a-url", pointer, "주소(URL) 하나가 아닙니다.", "Not a single URL.")
