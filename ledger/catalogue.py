"""Courses one can join: a small catalogue, imported from YAML or CSV, for "what if I take this".

One row a course: ``id, institution, kind, category, level, code, course_class, title_ko, title_en,
starts_on, ends_on, minutes, sessions, apply_until``. Importing again changes what changed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from ledger.database.awards import OpenCourse
from ledger.database.models import Institution
from ledger.standing import issuers_of

LARGEST = 4 * 1024 * 1024
MOST = 5_000
_TEXTS = {
    "id": 64, "institution": 64, "kind": 32, "category": 64, "level": 32, "code": 64,
    "course_class": 128, "title_ko": 300, "title_en": 300,
}  # fmt: skip
_NEEDED = ("id", "institution", "kind", "title_ko", "starts_on", "ends_on", "minutes")


class CatalogueInvalid(BaeumError):
    """A catalogue file has a row that cannot be taken in. Facts: ``row``, ``field``."""

    code = "catalogue-invalid"
    title = Text("강좌 목록을 읽을 수 없습니다", "The catalogue cannot be read")


class CourseUnknown(BaeumError):
    """No open course has this id."""

    code = "course-unknown"
    title = Text("없는 강좌입니다", "Unknown course")
    status = 404


def read_catalogue(path: Path) -> list[dict[str, Any]]:
    """The rows of a file (``.csv``, or YAML with ``courses:``), checked; raises
    ``CatalogueInvalid`` naming row and field."""
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            raise _invalid(0, "file", "파일이 너무 큽니다.", "The file is too large.")
        text = content.decode("utf-8-sig")
        raws: Any = (
            list(csv.DictReader(io.StringIO(text)))
            if path.suffix.lower() == ".csv"
            else yaml.safe_load(text)["courses"]
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error, TypeError, KeyError) as error:
        raise _invalid(
            0, "file", f"{path.name} 파일을 읽지 못했습니다.", f"{path.name} could not be read."
        ) from error
    return checked_rows(raws)


def checked_rows(raws: object) -> list[dict[str, Any]]:
    """Rows as they came, checked. Raises ``CatalogueInvalid`` naming row and field."""
    if not isinstance(raws, list) or len(raws) > MOST:
        raise _invalid(0, "courses", "강좌 목록이 아닙니다.", "Not a list of courses.")
    rows = [_row(number, raw) for number, raw in enumerate(raws, start=1)]
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if row["id"] in seen:
            raise _invalid(number, "id", "같은 번호가 두 번 나옵니다.", "The id occurs twice.")
        seen.add(row["id"])
    return rows


def import_courses(session: Session, rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Add and update; ``{added, changed, unchanged}``. Raises ``CatalogueInvalid`` for an
    institution that is not registered; then nothing is written."""
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    for number, row in enumerate(rows, start=1):
        if session.get(Institution, row["institution"]) is None:
            raise _invalid(
                number,
                "institution",
                f"‘{row['institution']}’ 기관이 없습니다.",
                f"There is no institution '{row['institution']}'.",
            )
        values = {("institution_id" if k == "institution" else k): v for k, v in row.items()}
        course = session.get(OpenCourse, row["id"])
        if course is None:
            session.add(OpenCourse(**values))
            counts["added"] += 1
            continue
        differs = {k: v for k, v in values.items() if getattr(course, k) != v}
        for name, value in differs.items():
            setattr(course, name, value)
        counts["changed" if differs else "unchanged"] += 1
    session.flush()
    return counts


def import_rows(session: Session, raws: object) -> dict[str, int]:
    """``import_courses`` of rows that were not checked yet."""
    return import_courses(session, checked_rows(raws))


def open_courses(session: Session, day: date, *, limit: int = 300) -> list[dict[str, Any]]:
    """Courses that can still be joined on ``day``, the sooner first, as JSON. ``issuer`` is what
    the credit engine's register says of the institution for this kind."""
    rows = session.scalars(
        select(OpenCourse)
        .where(
            OpenCourse.starts_on >= day,
            or_(OpenCourse.apply_until.is_(None), OpenCourse.apply_until >= day),
        )
        .order_by(OpenCourse.starts_on, OpenCourse.id)
        .limit(limit)
    ).all()
    return _listed(session, rows)


def courses_named(session: Session, ids: Sequence[str]) -> list[dict[str, Any]]:
    """These courses, in this order. Raises ``CourseUnknown``."""
    found = []
    for ident in ids:
        row = session.get(OpenCourse, ident)
        if row is None:
            raise CourseUnknown(
                Text(f"‘{ident}’ 강좌가 없습니다.", f"There is no open course '{ident}'."),
                Text("강좌 번호를 확인하세요.", "Check the course's id."),
                {"course": ident},
            )
        found.append(row)
    return _listed(session, found)


def _listed(session: Session, rows: Sequence[OpenCourse]) -> list[dict[str, Any]]:
    register = issuers_of(session, sorted({row.institution_id for row in rows}))
    names = {
        row.id: {"ko": row.name_ko, "en": row.name_en}
        for row in session.scalars(
            select(Institution).where(Institution.id.in_({row.institution_id for row in rows}))
        )
    }
    return [
        {
            "id": row.id,
            "institution": _issuer(register, row),
            "institutionName": names[row.institution_id],
            "issuer": register[_issuer(register, row)],
            "kind": row.kind,
            "category": row.category,
            "level": row.level,
            "code": row.code,
            "courseClass": row.course_class,
            "title": {"ko": row.title_ko, "en": row.title_en or row.title_ko},
            "startsOn": row.starts_on.isoformat(),
            "endsOn": row.ends_on.isoformat(),
            "minutes": row.minutes,
            "sessions": row.sessions,
            "applyUntil": None if row.apply_until is None else row.apply_until.isoformat(),
        }
        for row in rows
    ]


def _issuer(register: Mapping[str, Any], row: OpenCourse) -> str:
    """The engine's name of the institution for this kind (see ``ledger.standing``)."""
    special = f"{row.institution_id}:{row.kind}"
    return special if special in register else row.institution_id


def _row(number: int, raw: object) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise _invalid(number, "row", "행이 객체가 아닙니다.", "The row is not an object.")
    row: dict[str, Any] = {}
    for name, longest in _TEXTS.items():
        value = raw.get(name)
        text = None if value in (None, "") else str(value).strip()
        if text is not None and (len(text) > longest or not text.isprintable()):
            raise _invalid(number, name, "글자가 올바르지 않습니다.", "The text is not valid.")
        row[name] = text
    for name in ("starts_on", "ends_on", "apply_until"):
        value = raw.get(name)
        try:
            row[name] = None if value in (None, "") else date.fromisoformat(str(value))
        except ValueError as error:
            raise _invalid(number, name, "날짜가 아닙니다.", "Not a day (2026-06-01).") from error
    for name in ("minutes", "sessions"):
        value = raw.get(name)
        try:
            row[name] = None if value in (None, "") else int(str(value))
        except ValueError as error:
            raise _invalid(number, name, "정수가 아닙니다.", "Not a whole number.") from error
    for name in _NEEDED:
        if row[name] is None:
            raise _invalid(number, name, "값이 없습니다.", "A value is missing.")
    if row["ends_on"] < row["starts_on"] or not 1 <= row["minutes"] <= 100_000:
        raise _invalid(
            number, "minutes", "기간이나 시간이 틀립니다.", "The dates or minutes are wrong."
        )
    return row


def _invalid(row: int, field: str, ko: str, en: str) -> CatalogueInvalid:
    return CatalogueInvalid(
        Text(f"{row}번째 강좌, {field}: {ko}", f"Course {row}, {field}: {en}"),
        Text("파일의 그 부분을 고쳐 주세요.", "Correct that place in the file."),
        {"row": row, "field": field},
    )
