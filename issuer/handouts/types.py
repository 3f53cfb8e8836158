"""The types of our SD-JWT VCs (``vct``) and the metadata published under them.

SD-JWT VC draft, section 6: a wallet reads there how to name the claims in the holder's language
and which of them can be withheld. The credential names the document's digest, so what is shown to
a holder cannot change behind the issuer's back.
"""

from __future__ import annotations

from typing import Any, Final

from credential import jcs
from issuer.templates import kinds

TRANSCRIPT: Final = "transcript"

_LABELS: Final[dict[str, tuple[str, str]]] = {
    "accredited": ("시가 인증한 기관", "Accredited institution"),
    "kind": ("종류", "Kind"),
    "minutes": ("인정 시간(분)", "Minutes recognised"),
    "category": ("분야", "Category"),
    "year": ("연도", "Year"),
    "institution": ("기관", "Institution"),
    "title": ("과정명", "Programme"),
    "title_en": ("과정명(영문)", "Programme (English)"),
    "code": ("과정 번호", "Code"),
    "level": ("수준", "Level"),
    "started_at": ("시작", "Started"),
    "ended_at": ("종료", "Ended"),
    "credential_id": ("증명 번호", "Credential id"),
    "learner": ("받은 사람", "Learner"),
    "sub": ("학습자 가명", "Pseudonym of the learner"),
    "age_over_65": ("만 65세 이상", "Over 65"),
    "resident_of_seoul": ("서울시 거주", "Resident of Seoul"),
    "total_minutes": ("인정 시간 합계(분)", "Minutes in total"),
}
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "course": ("이수증", "Course completed"),
    "volunteering": ("자원봉사 확인서", "Volunteering"),
    "certificate": ("자격 확인서", "Certificate"),
    "project": ("프로젝트 확인서", "Project"),
    "mentoring": ("멘토링 확인서", "Mentoring"),
    "enrolment": ("수강 확인서", "Enrolment in progress"),
    "attendance": ("출석 확인서", "Attendance"),
    "level": ("수준 확인서", "Level reached"),
    "role-appointment": ("위촉 확인서", "Role appointment"),
    "award": ("수상 확인서", "Award"),
    "institution-accreditation": ("기관 인증서", "Institution accreditation"),
    "degree": ("명예 학위(비공인)", "Honorary degree (unofficial)"),
    TRANSCRIPT: ("학습 이력서", "Transcript"),
}
_SHOWN: Final = ("accredited", "kind", "minutes", "category", "year")


def names() -> list[str]:
    """The types there are: one for each kind of record that has a template, and the transcript."""
    return [*kinds(), TRANSCRIPT]


def vct(public_url: str, name: str) -> str:
    """The identifier of a type, which is also where its metadata is published."""
    return f"{public_url}/vct/{name}"


def metadata(public_url: str, name: str) -> bytes:
    """The type's metadata document, always the same bytes. Raises ``KeyError``."""
    if name not in names():
        raise KeyError(name)
    ko, en = _KINDS.get(name, (name, name))
    body: dict[str, Any] = {
        "vct": vct(public_url, name),
        "name": en,
        "description": f"{ko} / {en}",
        "display": [{"locale": "ko-KR", "name": ko}, {"locale": "en", "name": en}],
        "claims": _transcript() if name == TRANSCRIPT else [_claim([c]) for c in _record()],
    }
    return jcs.canonical(body)


def _record() -> list[str]:
    return [name for name in _LABELS if name != "total_minutes"]


def _transcript() -> list[dict[str, Any]]:
    of_person = ("learner", "sub", "age_over_65", "resident_of_seoul")
    top = [_claim([name]) for name in ("accredited", "kind", "year", "total_minutes", *of_person)]
    within = [name for name in _record() if name not in of_person]
    return top + [_claim(["records", None, name]) for name in within]


def _claim(path: list[str | None]) -> dict[str, Any]:
    name = str(path[-1])
    ko, en = _LABELS[name]
    return {
        "path": path,
        "display": [{"locale": "ko-KR", "label": ko}, {"locale": "en", "label": en}],
        "sd": "never" if name in _SHOWN else "always",
    }
