"""What an audit is asked about: the learner's records and what is known besides.

A record is a JSON object. ``id``, ``type``, ``issuer``, ``status`` and one of the time forms are
needed; the rest is optional, unknown members are ignored.

======================  ==========================================================================
``id``                  text, unique within the list
``type``                ``course``, ``volunteering``, ``certificate``, ``project``, ``mentoring``…
``category``            subject: a leaf of the policy's taxonomy or one of its aliases
``issuer``              institution id; ``issuer_group`` its group when the context names none
``status``              ``verified`` counts; pending, suspended, revoked, superseded… do not
``start``, ``end``      RFC 3339 with offset, half-open: the exact clock minutes of the activity
``start``, ``end``,     the activity lay somewhere inside the interval (a course from March to
``minutes``             May with 1,200 minutes); both may then also be plain dates
``date``, ``minutes``   a day and minutes; which clock minutes is unknown
``date``                alone: for what a table gives minutes to (a certificate)
``intervals``           instead of start and end: ``[[start, end], …]``, exact session times
``lessons``             instead of minutes: number of lessons; the issuer's lesson length counts
``attended, sessions``  whole numbers; cancelled sessions are not sessions
``offering``            one run of one course (same learning when equal)
``course_class``        equivalence class over institutions (same learning when equal)
``code``                course or certificate code; ``number`` its serial number
``level``               level of the course
``issuer_record``       the issuer's own number of this record (same learning when equal)
``about``               id of the record or activity this one tells about (an article, a project)
``verified_at``         RFC 3339: when the record was verified
``late_approved``       true or ``{"by", "at", "why"}``: a late record a person let in
``approved``            true or false: a project's approval
======================  ==========================================================================

The context is a JSON object: ``issuers`` ``{ID: {"group", "periods": [[from, to|null], …],
"lesson_minutes"}}`` (half-open dates of accreditation), ``held`` ``{DEGREE: {"state",
"awarded"}}``, ``items`` ``[[item, state], …]``, ``priors`` ``{name: true or number}`` (or a list),
``used`` ``{record: minutes}`` locked by an earlier degree, ``exceptions`` (see
docs/credit-policies.md).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from credential.text import Text
from ledger.credit.clock import length, merge

MOST_MINUTES = 1_000_000
LONGEST_EXACT = 7 * 1440
LONGEST_SPAN_DAYS = 1100
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Record:
    """One record, understood. ``spans``: half-open UTC minutes when clock times are known;
    ``first``/``last``: plain days when only days are; ``exact``: every minute of the spans is
    activity. ``minutes`` None: a table or the lesson length has to say."""

    id: str
    type: str
    issuer: str
    status: str
    spans: tuple[tuple[int, int], ...] = ()
    first: date | None = None
    last: date | None = None
    minutes: int | None = None
    exact: bool = False
    lessons: int | None = None
    category: str | None = None
    issuer_group: str | None = None
    attended: int | None = None
    sessions: int | None = None
    offering: str | None = None
    course_class: str | None = None
    code: str | None = None
    number: str | None = None
    level: str | None = None
    issuer_record: str | None = None
    about: str | None = None
    verified_at: int | None = None
    late_approved: bool = False
    approved: bool | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that was not understood: it is reported and not counted."""

    id: str
    why: Text


@dataclass(frozen=True, slots=True)
class IssuerStanding:
    """When an issuer was accredited: half-open days, ``None`` = still."""

    group: str | None
    periods: tuple[tuple[date, date | None], ...]
    lesson_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A degree the learner holds: its state (``valid``, ``suspended``…) and day of award."""

    state: str
    awarded: date | None


@dataclass(frozen=True, slots=True)
class Exemption:
    """A human exception: ``waive_item`` (target an item id), ``reduce_block`` (target a block id,
    ``minutes``), ``accept_record`` (target a block id, ``record``); signed, with an expiry."""

    id: str
    kind: str
    target: str
    by: str
    why: str
    minutes: int = 0
    record: str = ""
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What is known besides the records. ``issuers`` None: no register was given, so accreditation
    is not checked and the audit says so."""

    issuers: Mapping[str, IssuerStanding] | None = None
    held: Mapping[str, Held] = field(default_factory=dict)
    items: frozenset[tuple[str, str]] = frozenset()
    priors: Mapping[str, int] = field(default_factory=dict)
    used: Mapping[str, int] = field(default_factory=dict)
    exceptions: tuple[Exemption, ...] = ()
    notes: tuple[Text, ...] = ()


class _NotUnderstood(ValueError):
    def __init__(self, ko: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(ko, en)


def instant(value: object, *, up: bool = False) -> int:
    """RFC 3339 to minutes since 1970Z, seconds cut off (``up``: rounded up). ValueError if not."""
    if not isinstance(value, str) or not (match := _RFC3339.fullmatch(value)):
        raise ValueError(f"not an RFC 3339 time: {value!r:.60}")
    head, seconds, fraction, zone = value[:16], int(match[6]), match[7], match[8]
    if seconds > 59 and not (seconds == 60 and not fraction):
        raise ValueError(f"not a time: {value!r:.60}")
    moment = datetime.fromisoformat(head.upper() + ("+00:00" if zone in "Zz" else zone))
    if not 1900 <= moment.year <= 2200:
        raise ValueError(f"year out of range: {value!r:.60}")
    minute = int(moment.timestamp() // 60)
    return minute + (1 if up and (seconds or (fraction and int(fraction[1:]))) else 0)


def day(value: object) -> date:
    """``YYYY-MM-DD`` to a date. ValueError if not."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(f"not a date: {value!r:.60}")
    found = date.fromisoformat(value)
    if not 1900 <= found.year <= 2200:
        raise ValueError(f"year out of range: {value!r:.60}")
    return found


def _whole(raw: Mapping[str, Any], name: str, most: int = MOST_MINUTES) -> int | None:
    value = raw.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= most:
        raise _NotUnderstood(
            f"‘{name}’ 값은 0에서 {most} 사이의 정수여야 합니다.",
            f"'{name}' must be a whole number from 0 to {most}.",
        )
    return value


def _text(raw: Mapping[str, Any], name: str, *, needed: bool = False) -> str | None:
    value = raw.get(name)
    if value is None and not needed:
        return None
    if (
        not isinstance(value, str)
        or len(value) > 500
        or (needed and not value)
        or any("\ud800" <= c <= "\udfff" for c in value)
    ):
        raise _NotUnderstood(f"‘{name}’ 값은 글자여야 합니다.", f"'{name}' must be text.")
    return value or None


def _when(raw: Mapping[str, Any], minutes: int | None) -> dict[str, Any]:
    """The time form of a record: spans or days, and whether the spans are exact."""
    if raw.get("intervals") is not None:
        pairs = raw["intervals"]
        if not isinstance(pairs, list) or not 1 <= len(pairs) <= 500:
            raise ValueError("intervals must be a list of [start, end]")
        spans = []
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                raise ValueError("intervals must be a list of [start, end]")
            spans.append((instant(pair[0], up=True), instant(pair[1])))
    elif raw.get("start") is not None or raw.get("end") is not None:
        start, end = raw.get("start"), raw.get("end")
        if isinstance(start, str) and isinstance(end, str) and len(start) == len(end) == 10:
            return _days(day(start), day(end), minutes)
        spans = [(instant(start, up=True), instant(end))]
    else:
        only = day(raw.get("date"))
        return _days(only, only, minutes)
    if any(start >= end for start, end in spans):
        raise _NotUnderstood("끝난 때가 시작한 때보다 늦어야 합니다.", "It ends before it starts.")
    union = merge(spans)
    total = length(union)
    if union[-1][1] - union[0][0] > LONGEST_SPAN_DAYS * 1440:
        raise _NotUnderstood("기간이 3년을 넘습니다.", "The interval is longer than three years.")
    if minutes is None and any(b - a > LONGEST_EXACT for a, b in union):
        raise _NotUnderstood(
            "일주일이 넘는 활동은 실제 활동한 분(minutes)이 있어야 합니다.",
            "An activity longer than a week needs its minutes.",
        )
    if minutes is not None and minutes > total:
        raise _NotUnderstood(
            f"활동 시간({minutes}분)이 시작과 끝 사이({total}분)보다 깁니다.",
            f"It claims {minutes} minutes between times only {total} minutes apart.",
        )
    return {
        "spans": union,
        "minutes": total if minutes is None else minutes,
        "exact": minutes is None or minutes == total,
    }


def _days(first: date, last: date, minutes: int | None) -> dict[str, Any]:
    if last < first:
        raise _NotUnderstood("끝난 날이 시작한 날보다 앞섭니다.", "It ends before it starts.")
    if last - first > timedelta(days=LONGEST_SPAN_DAYS):
        raise _NotUnderstood("기간이 3년을 넘습니다.", "The interval is longer than three years.")
    return {"first": first, "last": last, "minutes": minutes}


def parse_record(raw: object) -> Record | Unreadable:
    """One JSON value to a record; never raises."""
    if not isinstance(raw, dict):
        return Unreadable(_nameless(raw), Text("기록이 객체가 아닙니다.", "Not a JSON object."))
    try:
        ident = _text(raw, "id", needed=True)
        minutes = _whole(raw, "minutes")
        when = _when(raw, minutes)
        late, approved = raw.get("late_approved"), raw.get("approved")
        if approved is not None and not isinstance(approved, bool):
            raise _NotUnderstood(
                "‘approved’ 값은 참·거짓이어야 합니다.", "'approved' is not true/false."
            )
        record = Record(
            id=ident or "",
            type=_text(raw, "type", needed=True) or "",
            issuer=_text(raw, "issuer", needed=True) or "",
            status=_text(raw, "status") or "",
            lessons=_whole(raw, "lessons", 10_000),
            category=_text(raw, "category"),
            issuer_group=_text(raw, "issuer_group"),
            attended=_whole(raw, "attended", 10_000),
            sessions=_whole(raw, "sessions", 10_000),
            offering=_text(raw, "offering"),
            course_class=_text(raw, "course_class"),
            code=_text(raw, "code"),
            number=_text(raw, "number"),
            level=_text(raw, "level"),
            issuer_record=_text(raw, "issuer_record"),
            about=_text(raw, "about"),
            verified_at=None
            if raw.get("verified_at") is None
            else instant(raw["verified_at"], up=True),
            late_approved=late is True or (isinstance(late, dict) and bool(late.get("by"))),
            approved=approved,
            **when,
        )
    except _NotUnderstood as problem:
        return Unreadable(_id_of(raw), problem.text)
    except (ValueError, OverflowError) as problem:
        why = Text(
            "날짜나 시각을 이해할 수 없습니다. 2025-03-01 또는 "
            "2025-03-01T09:00:00+09:00 형식이어야 합니다.",
            f"A date or time is not understood: {problem}.",
        )
        return Unreadable(_id_of(raw), why)
    if (record.attended or 0) > (record.sessions if record.sessions is not None else 10_000):
        why = Text("출석 횟수가 수업 횟수보다 많습니다.", "Attended more sessions than were held.")
        return Unreadable(record.id, why)
    return record


def _id_of(raw: dict[str, Any]) -> str:
    try:
        return _text(raw, "id", needed=True) or ""
    except _NotUnderstood:
        return _nameless(raw)


def _nameless(raw: object) -> str:
    text = json.dumps(raw, sort_keys=True, default=repr, ensure_ascii=True)
    return "#" + hashlib.sha256(text.encode()).hexdigest()[:12]


def parse_records(raws: Iterable[object]) -> tuple[list[Record], list[Unreadable]]:
    """A JSON list to records and what was not understood, both in order of id.

    The same record twice is one; one id for two different records is not understood, because a
    decision names records by id.
    """
    seen: dict[str, Record | Unreadable] = {}
    clash: set[str] = set()
    for raw in raws:
        record = parse_record(raw)
        if seen.setdefault(record.id, record) != record:
            clash.add(record.id)
    for ident in clash:
        seen[ident] = Unreadable(
            ident,
            Text(
                "같은 번호를 가진 서로 다른 기록이 있습니다.", "Two different records bear this id."
            ),
        )
    ordered = [seen[ident] for ident in sorted(seen)]
    return (
        [r for r in ordered if isinstance(r, Record)],
        [r for r in ordered if isinstance(r, Unreadable)],
    )


def parse_context(raw: Mapping[str, Any]) -> Context:
    """A JSON object to a context. What is not understood is left out and noted, never guessed."""
    notes: list[Text] = []

    def entries(name: str) -> list[tuple[str, Any]]:
        value = raw.get(name)
        if value is None:
            return []
        if not isinstance(value, dict):
            note(name)
            return []
        return sorted(value.items())

    def note(name: str) -> None:
        notes.append(
            Text(
                f"‘{name}’ 항목을 이해할 수 없어 쓰지 않았습니다.",
                f"'{name}' is not understood and was not used.",
            )
        )

    issuers: dict[str, IssuerStanding] = {}
    for ident, value in entries("issuers"):
        try:
            issuers[ident] = _standing(value)
        except (ValueError, TypeError, AttributeError, KeyError):
            note(f"issuers.{ident}")
    held: dict[str, Held] = {}
    for ident, value in entries("held"):
        try:
            awarded = value.get("awarded")
            held[ident] = Held(str(value["state"]), None if awarded is None else day(awarded))
        except (ValueError, TypeError, AttributeError, KeyError):
            note(f"held.{ident}")
    items: set[tuple[str, str]] = set()
    listed = raw.get("items") or []
    for pair in listed if isinstance(listed, list) else [listed]:
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair):
            items.add((pair[0], pair[1]))
        else:
            note("items")
    used: dict[str, int] = {}
    for ident, value in entries("used"):
        if type(value) is int and 0 <= value <= MOST_MINUTES:
            used[ident] = value
        else:
            note(f"used.{ident}")
    priors: dict[str, int] = {}
    given = raw.get("priors") or {}
    pairs = given.items() if isinstance(given, dict) else given if isinstance(given, list) else [0]
    for entry in pairs:
        name, value = (
            (entry, True)
            if isinstance(entry, str)
            else (
                tuple(entry) if isinstance(entry, list | tuple) and len(entry) == 2 else ("", None)
            )
        )
        if isinstance(name, str) and name and isinstance(value, int) and abs(value) < 10**9:
            priors[name] = max(int(value), priors.get(name, 0))
        else:
            note("priors")
    exceptions = []
    signed = raw.get("exceptions") or []
    for value in signed if isinstance(signed, list) else [signed]:
        try:
            exceptions.append(_exemption(value))
        except (ValueError, TypeError, AttributeError, KeyError):
            note("exceptions")
    return Context(
        issuers=issuers if raw.get("issuers") is not None else None,
        held=held,
        items=frozenset(items),
        priors=priors,
        used=used,
        exceptions=tuple(sorted(exceptions, key=lambda e: e.id)),
        notes=tuple(sorted(set(notes))),
    )


def _standing(value: Any) -> IssuerStanding:
    group, lesson = value.get("group"), value.get("lesson_minutes")
    if not (group is None or isinstance(group, str)):
        raise ValueError("group")
    if not (lesson is None or (type(lesson) is int and 1 <= lesson <= 240)):
        raise ValueError("lesson_minutes")
    periods = []
    for pair in value.get("periods", []):
        start, end = pair
        periods.append((day(start), None if end is None else day(end)))
    return IssuerStanding(group, tuple(sorted(periods, key=str)), lesson)


def _exemption(value: Any) -> Exemption:
    if value["kind"] not in ("waive_item", "reduce_block", "accept_record"):
        raise ValueError("kind")
    minutes, expires = value.get("minutes", 0), value.get("expires")
    texts = [value["id"], value["target"], value["by"], value["why"], value.get("record", "")]
    if not all(isinstance(t, str) for t in texts) or not all(texts[:4]):
        raise ValueError("signer")
    if type(minutes) is not int or not 0 <= minutes <= MOST_MINUTES:
        raise ValueError("minutes")
    return Exemption(
        texts[0],
        value["kind"],
        texts[1],
        texts[2],
        texts[3],
        minutes,
        texts[4],
        None if expires is None else day(expires),
    )
