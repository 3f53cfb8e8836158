"""Which kind of learning record a credential is about.

Accreditation is per kind, so issuer and verifier must read the same kind from the same place. The
issuer's templates follow this table: ``credentialSubject.achievement.achievementType`` is

    achievementType (OB 3.0, or an ``ext:`` value)              kind
    Course, ext:Course                                          course
    CommunityService, ext:Volunteering                          volunteering
    Certification, Certificate, License, ext:Certificate        certificate
    Project, ext:Project                                        project
    ext:Mentoring                                               mentoring
    Degree, BachelorDegree, MasterDegree, DoctoralDegree,
      AssociateDegree, ext:HonoraryDegree                       degree

    Award                                                       award
    any other ext:CamelCase, e.g. ext:NightWatch                night-watch

A credential about several achievements of one kind has that kind; of several kinds, none.
A ClrCredential, which bundles others, is a transcript.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from eth_hash.auto import keccak

KIND_OF_TYPE: Mapping[str, str] = {
    "Course": "course",
    "ext:Course": "course",
    "CommunityService": "volunteering",
    "ext:Volunteering": "volunteering",
    "Certification": "certificate",
    "Certificate": "certificate",
    "License": "certificate",
    "ext:Certificate": "certificate",
    "Project": "project",
    "ext:Project": "project",
    "ext:Mentoring": "mentoring",
    "Award": "award",
    "Degree": "degree",
    "AssociateDegree": "degree",
    "BachelorDegree": "degree",
    "MasterDegree": "degree",
    "DoctoralDegree": "degree",
    "ext:HonoraryDegree": "degree",
}

_OWN_TYPE = re.compile(r"ext:((?:[A-Z][a-z]+){1,6})", re.ASCII)
_WORD = re.compile(r"([A-Z])")

TRANSCRIPT = "transcript"
"""The kind of a Comprehensive Learner Record; the registrar's standing covers it."""

REGISTRAR = keccak(b"registrar")
"""The kind of an institution that may anchor batches holding other institutions' credentials."""


def kind_of(document: Mapping[str, Any]) -> str | None:
    """The record kind of a credential, e.g. ``"course"``; None when it cannot be told."""
    if "ClrCredential" in as_list(document.get("type")):
        return TRANSCRIPT
    kinds = {_kind(achievement) for achievement in achievements(document)}
    return kinds.pop() if len(kinds) == 1 else None


@lru_cache(maxsize=256)
def kind_hash(kind: str) -> bytes:
    """The kind as the contracts know it: keccak256 of its name, 32 bytes."""
    return keccak(kind.encode())


def achievements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every achievement object of every subject, in order."""
    found: list[Mapping[str, Any]] = []
    for subject in as_list(document.get("credentialSubject")):
        if isinstance(subject, Mapping):
            found.extend(a for a in as_list(subject.get("achievement")) if isinstance(a, Mapping))
    return found


def as_list(value: object) -> list[Any]:
    """JSON-LD lets one value stand for a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _kind(achievement: Mapping[str, Any]) -> str | None:
    kind = achievement.get("achievementType")
    if not isinstance(kind, str):
        return None
    own = _OWN_TYPE.fullmatch(kind)
    return KIND_OF_TYPE.get(kind) or (
        None if own is None else _WORD.sub(r"-\1", own[1]).lower().lstrip("-")
    )
