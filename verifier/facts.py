"""What a credential says, for the person who reads the report.

Only called for a document whose signature was checked. A member that is absent is left out, never
guessed; nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verifier.instants import instant, written
from verifier.kinds import achievements, as_list, kind_of

MAX_TEXT = 500
MINUTES = "ext:CreditedMinutes"
KIND_NAMES: Mapping[str, dict[str, str]] = {
    "course": {"ko": "학습 과정", "en": "Course"},
    "volunteering": {"ko": "자원봉사", "en": "Volunteering"},
    "certificate": {"ko": "자격·수료", "en": "Certificate"},
    "project": {"ko": "프로젝트", "en": "Project"},
    "mentoring": {"ko": "멘토링", "en": "Mentoring"},
    "enrolment": {"ko": "수강 중", "en": "Enrolment in progress"},
    "attendance": {"ko": "출석", "en": "Attendance"},
    "level": {"ko": "수준", "en": "Level"},
    "role-appointment": {"ko": "위촉", "en": "Role appointment"},
    "award": {"ko": "수상", "en": "Award"},
    "institution-accreditation": {"ko": "기관 인증", "en": "Institution accreditation"},
    "transcript": {"ko": "학습이력 증명서", "en": "Transcript"},
    "degree": {"ko": "명예 학위", "en": "Honorary degree"},
}


def facts_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data: ``id, title, issuer{id,name}, learner{id,name}, achievement, kind, kindName,
    minutes, startedAt, endedAt, awardedAt, validFrom, validUntil``, as far as it says them."""
    subject = _first(document.get("credentialSubject"))
    found = achievements(document)
    kind = kind_of(document)
    facts: dict[str, Any] = {
        "id": text_of(document.get("id")),
        "title": text_of(document.get("name")),
        "description": text_of(document.get("description")),
        "issuer": _present({"id": _id(document.get("issuer")), "name": _name(document["issuer"])})
        if "issuer" in document
        else None,
        "learner": _present({"id": text_of(subject.get("id")), "name": learner_name(subject)}),
        "achievement": text_of(found[0].get("name")) if found else None,
        "kind": kind,
        "kindName": KIND_NAMES.get(kind) if kind else None,
        "field": text_of(found[0].get("fieldOfStudy")) if found else None,
        "minutes": credited_minutes(subject),
        "startedAt": _moment(subject.get("activityStartDate")),
        "endedAt": _moment(subject.get("activityEndDate")),
        "awardedAt": _moment(document.get("awardedDate")),
        "validFrom": _moment(document.get("validFrom")),
        "validUntil": _moment(document.get("validUntil")),
    }
    return _present(facts)


def credited_minutes(subject: Mapping[str, Any]) -> int | None:
    """Whole minutes: the result whose description has the type ``ext:CreditedMinutes``; failing
    that, ``creditsEarned`` in hours, when it comes to whole minutes."""
    descriptions = [
        description.get("id")
        for achievement in as_list(subject.get("achievement"))
        if isinstance(achievement, Mapping)
        for description in as_list(achievement.get("resultDescription"))
        if isinstance(description, Mapping) and description.get("resultType") == MINUTES
    ]
    for result in as_list(subject.get("result")):
        if isinstance(result, Mapping) and result.get("resultDescription") in descriptions:
            value = result.get("value")
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
                return int(value)
    hours = subject.get("creditsEarned")
    if isinstance(hours, (int, float)) and not isinstance(hours, bool) and 0 <= hours < 1e6:
        minutes = round(hours * 60)
        return minutes if abs(minutes - hours * 60) < 1e-6 else None
    return None


def learner_name(subject: Mapping[str, Any]) -> str | None:
    """The learner's name, if the credential carries it in plain words."""
    for identity in as_list(subject.get("identifier")):
        if (
            isinstance(identity, Mapping)
            and identity.get("identityType") == "name"
            and identity.get("hashed") is False
        ):
            return text_of(identity.get("identityHash"))
    return text_of(subject.get("name"))


def text_of(value: object) -> str | None:
    """A text, also when it is written as a language-tagged value or a list of those."""
    value = _first_value(value)
    if isinstance(value, Mapping):
        value = value.get("@value")
    return value[:MAX_TEXT] if isinstance(value, str) else None


def _first_value(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _first(value: object) -> Mapping[str, Any]:
    first = _first_value(value)
    return first if isinstance(first, Mapping) else {}


def _id(value: object) -> str | None:
    return text_of(value.get("id") if isinstance(value, Mapping) else value)


def _name(value: object) -> str | None:
    return text_of(value.get("name")) if isinstance(value, Mapping) else None


def _moment(value: object) -> str | None:
    try:
        return written(instant(value))
    except (ValueError, OverflowError):
        return None


def _present(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, {})}
