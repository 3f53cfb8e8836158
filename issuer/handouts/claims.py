"""What an SD-JWT VC of ours claims, and what of it the holder may withhold.

With everything withheld it says: an accredited institution, so many minutes, this category, this
year. Whatever names a person, an institution or a programme, or could lead to one, can be withheld.
Pure: rows in, claims and frame out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from issuer.templates.facts import RecordFacts, instant

KST: Final = ZoneInfo("Asia/Seoul")
DECOYS: Final = 3
"""Digests of nothing, so that the number of claims does not tell which optional ones there are."""

ALWAYS: Final = ("accredited", "kind", "minutes", "category", "year")

Claims = dict[str, Any]
Frame = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Covered:
    """A credential as a hand-out tells it: its record, its institution's names, its own id."""

    credential_id: str
    record: RecordFacts
    institution_did: str
    institution_ko: str
    institution_en: str


def of_record(covered: Covered) -> tuple[Claims, Frame]:
    """The claims about one recognised activity, without those of the token around it."""
    record = covered.record
    shown: Claims = {
        "accredited": True,
        "kind": record.kind,
        "minutes": record.minutes,
        "year": record.ended_at.astimezone(KST).year,
    }
    if record.category:
        shown["category"] = record.category
    hidden: Claims = {
        "institution": {
            "id": covered.institution_did,
            "name": covered.institution_ko,
            "name_en": covered.institution_en,
        },
        "title": record.title_ko,
        "started_at": instant(record.started_at),
        "ended_at": instant(record.ended_at),
        "credential_id": covered.credential_id,
    }
    optional = {"title_en": record.title_en, "code": record.code, "level": record.level}
    hidden |= {name: value for name, value in optional.items() if value}
    return shown | hidden, {"_sd": list(hidden), "_sd_decoy": DECOYS}


def with_person(
    claims: Claims,
    frame: Frame,
    *,
    subject: str | None,
    name: str | None,
    predicates: Mapping[str, bool],
) -> tuple[Claims, Frame]:
    """The same with what it says of the learner, each of it to be withheld alone."""
    person: Claims = {} if name is None else {"learner": {"name": name}}
    if subject is not None:
        person["sub"] = subject
    person |= predicates
    return claims | person, frame | {"_sd": [*frame.get("_sd", ()), *person]}


def of_transcript(covered: Sequence[Covered], year: int) -> tuple[Claims, Frame]:
    """A transcript: each record can be withheld whole, and within each what ``of_record`` says.

    How many there are does not show: withheld records and decoys look alike.
    """
    records: list[Claims] = []
    frames: Frame = {"_sd": list(range(len(covered))), "_sd_decoy": DECOYS}
    for place, one in enumerate(covered):
        claims, frame = of_record(one)
        records.append(claims)
        frames[place] = frame
    total = sum(one.record.minutes for one in covered)
    claims = {
        "accredited": True,
        "kind": "transcript",
        "year": year,
        "records": records,
        "total_minutes": total,
    }
    return claims, {"_sd": ["total_minutes"], "_sd_decoy": DECOYS, "records": frames}
