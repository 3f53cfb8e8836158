"""What fills a template: one record, who issues it, and where its status will be published.

Turns rows into the strings a credential carries. Pure: the ids, the instant and the index of the
status bit are handed in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from issuer.names import name_based_urn

OPTIONAL: Final = frozenset({"learnerName", "code", "category", "level"})
"""Values a record may lack. Without one, the members that need it are left out."""

COMMITMENTS: Final = (
    "policy",
    "policyHash",
    "recordSetRoot",
    "allocationHash",
    "traceHash",
    "taxonomy",
)
"""What a degree's template may name, in the order of ``DegreeFacts``."""


class DegreeFacts(NamedTuple):
    """What a degree commits to (``credential.degree``): hashes are ``sha256:`` and hex."""

    policy: str
    policy_hash: str
    record_set_root: str
    allocation_hash: str
    trace_hash: str
    taxonomy: str


class RecordFacts(NamedTuple):
    """One learning record as its credential tells it. ``minutes`` are whole and recognised.

    ``degree``: only and always for the kind ``degree``.
    """

    record_id: str
    learner_id: str
    kind: str
    category: str | None
    level: str | None
    title_ko: str
    title_en: str | None
    code: str | None
    started_at: datetime
    ended_at: datetime
    minutes: int
    learner_name: str | None
    holder_did: str | None
    degree: DegreeFacts | None = None


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """The institution as it is named in what it issues."""

    institution: str
    did: str
    name_ko: str
    name_en: str


@dataclass(frozen=True, slots=True)
class StatusPlace:
    """The two published lists of one shard; entries name a list and an index in it."""

    revocation: str
    suspension: str

    @classmethod
    def at(cls, public_url: str, status_list_id: str) -> StatusPlace:
        base = f"{public_url}/status/{status_list_id}"
        return cls(f"{base}/revocation", f"{base}/suspension")


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds: ``2026-03-01T00:00:00Z``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def hours(minutes: int) -> int | float:
    """``creditsEarned``: hours. A whole number stays an integer, so 1200 minutes are ``20``."""
    whole, rest = divmod(minutes, 60)
    return whole if rest == 0 else minutes / 60


def time_ko(minutes: int) -> str:
    whole, rest = divmod(minutes, 60)
    if rest == 0:
        return f"{whole}시간"
    return f"{whole}시간 {rest}분" if whole else f"{rest}분"


def time_en(minutes: int) -> str:
    whole, rest = divmod(minutes, 60)
    parts = []
    if whole or not rest:
        parts.append(f"{whole} hour{'' if whole == 1 else 's'}")
    if rest:
        parts.append(f"{rest} minute{'' if rest == 1 else 's'}")
    return " ".join(parts)


def achievement_urn(institution: str, record: RecordFacts) -> str:
    """The same course of the same institution has the same id in every credential about it.

    Made from public facts only. UUID version 8 of SHA-256 (RFC 9562 section 5.8).
    """
    return _achievement_urn(
        institution, record.kind, record.code or record.title_ko, record.level or ""
    )


@lru_cache(maxsize=4096)
def _achievement_urn(*parts: str) -> str:
    text = "\x1f".join(parts)
    return name_based_urn(hashlib.sha256(b"baeum/achievement/1:" + text.encode("utf-8")).digest())


def absent(record: RecordFacts) -> frozenset[str]:
    """The optional values this record lacks; together with the kind they choose the shape."""
    missing = []
    if not record.learner_name:
        missing.append("learnerName")
    if not record.code:
        missing.append("code")
    if not record.category:
        missing.append("category")
    if not record.level:
        missing.append("level")
    return frozenset(missing)


def values(
    record: RecordFacts,
    issuer: IssuerFacts,
    *,
    credential_id: str,
    subject_id: str,
    valid_from: str,
    status: StatusPlace,
    status_index: int,
) -> dict[str, Any]:
    """Every value a template may use, before its phrases. Absent ones are left out."""
    achievement = achievement_urn(issuer.institution, record)
    index = str(status_index)
    ended = instant(record.ended_at)
    filled: dict[str, Any] = {
        "credentialId": credential_id,
        "issuerDid": issuer.did,
        "issuerName": issuer.name_ko,
        "issuerNameEn": issuer.name_en,
        "validFrom": valid_from,
        "awardedDate": ended,
        "subjectId": record.holder_did or subject_id,
        "startedAt": instant(record.started_at),
        "endedAt": ended,
        "hours": hours(record.minutes),
        "minutes": str(record.minutes),
        "time": time_ko(record.minutes),
        "timeEn": time_en(record.minutes),
        "achievementId": achievement,
        "minutesResult": f"{achievement}#minutes",
        "title": record.title_ko,
        "revocationEntry": f"{status.revocation}#{index}",
        "revocationList": status.revocation,
        "suspensionEntry": f"{status.suspension}#{index}",
        "suspensionList": status.suspension,
        "statusIndex": index,
    }
    if record.title_en:
        filled["titleEn"] = record.title_en
    if record.learner_name:
        filled["learnerName"] = record.learner_name
    if record.code:
        filled["code"] = record.code
    if record.category:
        filled["category"] = record.category
    if record.level:
        filled["level"] = record.level
        filled["levelResult"] = f"{achievement}#level"
    if record.degree is not None:
        for name, value in zip(COMMITMENTS, record.degree, strict=True):
            filled[name] = value
            filled[f"{name}Result"] = f"{achievement}#{name}"
    return filled


NAMES: Final = frozenset(
    {
        "credentialId",
        "issuerDid",
        "issuerName",
        "issuerNameEn",
        "validFrom",
        "awardedDate",
        "subjectId",
        "startedAt",
        "endedAt",
        "hours",
        "minutes",
        "time",
        "timeEn",
        "achievementId",
        "minutesResult",
        "title",
        "titleEn",
        "revocationEntry",
        "revocationList",
        "suspensionEntry",
        "suspensionList",
        "statusIndex",
        "levelResult",
        *COMMITMENTS,
        *(f"{name}Result" for name in COMMITMENTS),
        *OPTIONAL,
    }
)
"""What a template and its phrases may name."""
