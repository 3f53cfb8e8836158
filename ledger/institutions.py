"""Institutions and what the city lets them issue, from a register file into the database.

The register is YAML: ids, names, issuer group, and for each kind the days from and to which the
accreditation holds (KST, ``to`` exclusive, null = open). The chain holds the authoritative copy.
``discreet: true`` marks an institution whose name alone says something about its learners.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from ledger.database.handouts import DiscreetInstitution
from ledger.database.models import Accreditation, Institution

KST = ZoneInfo("Asia/Seoul")

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["institutions"],
    "additionalProperties": False,
    "properties": {
        "institutions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "name", "accredited"],
                "additionalProperties": False,
                "properties": {
                    "id": {
                        "type": "string",
                        "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
                        "maxLength": 64,
                    },
                    "name": {
                        "type": "object",
                        "required": ["ko", "en"],
                        "additionalProperties": False,
                        "properties": {
                            "ko": {"type": "string", "minLength": 1, "maxLength": 200},
                            "en": {"type": "string", "minLength": 1, "maxLength": 200},
                        },
                    },
                    "issuer_group": {"type": ["string", "null"], "maxLength": 32},
                    "discreet": {"type": "boolean"},
                    "did": {"enum": ["key", "web"]},
                    "accredited": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["kind", "from"],
                            "additionalProperties": False,
                            "properties": {
                                "kind": {"type": "string", "pattern": "^[a-z][a-z-]{0,31}$"},
                                "from": {"type": "string", "format": "date"},
                                "to": {"type": ["string", "null"], "format": "date"},
                            },
                        },
                    },
                },
            },
        }
    },
}


class RegisterInvalid(BaeumError):
    """The register file says something that cannot be."""

    code = "register-invalid"
    title = Text("기관 목록을 읽을 수 없습니다", "The register of institutions cannot be read")


class UnknownInstitution(BaeumError):
    """No institution has this id."""

    code = "unknown-institution"
    title = Text("등록되지 않은 기관입니다", "Unknown institution")
    status = 404


@dataclass(frozen=True, slots=True)
class Accredited:
    """One kind, half-open in time."""

    kind: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One institution of the register."""

    id: str
    name: Text
    issuer_group: str | None
    accredited: tuple[Accredited, ...]
    discreet: bool = False
    did: str = "key"
    """Under what it signs: ``key`` (did:key) or ``web`` (a did:web under the public address)."""


def read_register(path: Path) -> list[Entry]:
    """The institutions of a register file; raises RegisterInvalid."""
    remedy = Text("파일의 그 부분을 고쳐 주세요.", "Correct that place in the file.")
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
        jsonschema.validate(document, _SCHEMA, format_checker=jsonschema.FormatChecker())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RegisterInvalid(
            Text(f"{path.name} 파일을 읽지 못했습니다.", f"{path.name} could not be read."), remedy
        ) from error
    except jsonschema.ValidationError as error:
        place = error.json_path
        raise RegisterInvalid(
            Text(f"{place} 항목이 올바르지 않습니다.", f"{place}: {error.message}"), remedy
        ) from error
    return [
        Entry(
            item["id"],
            Text(item["name"]["ko"], item["name"]["en"]),
            item.get("issuer_group"),
            tuple(
                Accredited(row["kind"], _midnight(row["from"]), _midnight_or_none(row.get("to")))
                for row in item["accredited"]
            ),
            bool(item.get("discreet", False)),
            item.get("did", "key"),
        )
        for item in document["institutions"]
    ]


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.min, KST).astimezone(UTC)


def _midnight_or_none(day: str | None) -> datetime | None:
    return None if day is None else _midnight(day)


def register(session: Session, entries: Iterable[Entry], now: datetime) -> list[str]:
    """Add what is new, update names and end dates; returns the ids that were new."""
    fresh: list[str] = []
    for entry in entries:
        institution = session.get(Institution, entry.id)
        if institution is None:
            institution = Institution(id=entry.id, created_at=now)
            session.add(institution)
            fresh.append(entry.id)
        institution.name_ko, institution.name_en = entry.name.ko, entry.name.en
        institution.issuer_group = entry.issuer_group
        session.flush()
        _keep_discreet(session, entry)
        for scope in entry.accredited:
            known = session.scalar(
                select(Accreditation).where(
                    Accreditation.institution_id == entry.id,
                    Accreditation.kind == scope.kind,
                    Accreditation.valid_from == scope.valid_from,
                )
            )
            if known is None:
                known = Accreditation(
                    institution_id=entry.id, kind=scope.kind, valid_from=scope.valid_from
                )
                session.add(known)
            known.valid_to = scope.valid_to
    session.flush()
    return fresh


def _keep_discreet(session: Session, entry: Entry) -> None:
    known = session.get(DiscreetInstitution, entry.id)
    if entry.discreet and known is None:
        session.add(DiscreetInstitution(institution_id=entry.id))
    elif not entry.discreet and known is not None:
        session.delete(known)


def require(session: Session, institution_id: str) -> Institution:
    """The institution; raises UnknownInstitution with the nearest names."""
    institution = session.get(Institution, institution_id)
    if institution is not None:
        return institution
    near = closest(session, institution_id)
    listed = ", ".join(near)
    raise UnknownInstitution(
        Text(
            f"‘{institution_id}’ 기관은 등록되어 있지 않습니다.",
            f"No institution is registered as '{institution_id}'.",
        ),
        Text(f"혹시 이 기관인가요: {listed}", f"Did you mean: {listed}")
        if near
        else Text("기관을 먼저 등록하세요.", "Register the institution first."),
        {"institution": institution_id, "near": near},
    )


def is_registrar(session: Session, institution_id: str) -> bool:
    """Whether it is, or was, the city's registrar: the one that anchors for the others."""
    found = session.scalar(
        select(Accreditation.id)
        .where(Accreditation.institution_id == institution_id, Accreditation.kind == "registrar")
        .limit(1)
    )
    return found is not None


def closest(session: Session, words: str, limit: int = 3) -> list[str]:
    """Ids of the institutions whose id or name is nearest to ``words``, best first."""
    asked = _plain(words)
    scored: list[tuple[float, str]] = []
    for institution in session.scalars(select(Institution).order_by(Institution.id)):
        names = (institution.id, institution.name_ko, institution.name_en)
        score = max(_likeness(asked, _plain(name)) for name in names)
        scored.append((score, institution.id))
    best = sorted(scored, key=lambda pair: (-pair[0], pair[1]))
    return [name for score, name in best[:limit] if score >= 0.5]


def _plain(words: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", words).casefold() if c.isalnum())


def _likeness(asked: str, name: str) -> float:
    if asked and (asked in name or name in asked):
        return 0.95
    return difflib.SequenceMatcher(None, asked, name).ratio()


def accredited(session: Session, institution_id: str, kind: str, at: datetime) -> bool:
    """Whether the institution may issue ``kind`` at that moment, as the database knows it."""
    rows = session.scalars(
        select(Accreditation).where(
            Accreditation.institution_id == institution_id, Accreditation.kind == kind
        )
    )
    return any(row.valid_from <= at and (row.valid_to is None or at < row.valid_to) for row in rows)
