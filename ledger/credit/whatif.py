"""What would be if: one more course, one record less, another version of the policy. Pure.

The same engine answers both times; a planned course is a record that is taken as finished and
attended in full, looked at from the day it ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from credential.text import Text
from ledger.credit.audit import Audit, audit
from ledger.credit.errors import InputUnreadable
from ledger.credit.policy import Policy
from ledger.credit.records import parse_context, parse_records

MOST_SUGGESTED = 10
MOST_STEPS = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """What the engine knows of one learner, as JSON values, on a day in Seoul."""

    records: Sequence[Mapping[str, Any]]
    context: Mapping[str, Any]
    as_of: date

    def audit(self, policy: Policy, degree: str) -> Audit:
        known, unreadable = parse_records(self.records)
        return audit(
            policy, degree, known, parse_context(self.context), self.as_of, unreadable=unreadable
        )


def planned(course: Mapping[str, Any]) -> dict[str, Any]:
    """An open course (see ``ledger.catalogue``) as the record it would become."""
    starts, ends = date.fromisoformat(course["startsOn"]), date.fromisoformat(course["endsOn"])
    done = datetime.combine(ends, time(23, 59), ZoneInfo("Asia/Seoul")).astimezone(UTC)
    record = {
        "id": f"planned:{course['id']}",
        "type": course["kind"],
        "category": course.get("category"),
        "level": course.get("level"),
        "code": course.get("code"),
        "course_class": course.get("courseClass"),
        "issuer": course["institution"],
        "status": "verified",
        "start": starts.isoformat(),
        "end": ends.isoformat(),
        "minutes": course["minutes"],
        "attended": course.get("sessions"),
        "sessions": course.get("sessions"),
        "verified_at": done.isoformat(),
    }
    return {name: value for name, value in record.items() if value is not None}


def assume(
    standing: Standing,
    *,
    take: Iterable[Mapping[str, Any]] = (),
    without: Collection[str] = (),
) -> Standing:
    """The standing after the courses ``take`` and without the records ``without``.

    Raises ``InputUnreadable`` naming a record that is not the learner's.
    """
    known = {str(record.get("id")) for record in standing.records}
    strangers = sorted(set(without) - known)
    if strangers:
        listed = ", ".join(strangers)
        raise InputUnreadable(
            Text(f"이 학습자의 기록이 아닙니다: {listed}", f"Not this learner's: {listed}"),
            Text("기록 번호를 확인하세요.", "Check the records' ids."),
            {"records": strangers},
        )
    taken = list(take)
    kept = [record for record in standing.records if record.get("id") not in without]
    ends = [date.fromisoformat(course["endsOn"]) + timedelta(days=1) for course in taken]
    return Standing(
        [*kept, *(planned(course) for course in taken)],
        _issuers(standing.context, taken),
        max([standing.as_of, *ends]),
    )


def _issuers(context: Mapping[str, Any], taken: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The register with the institutions that offer the courses."""
    issuers = context.get("issuers")
    if issuers is None:
        return dict(context)
    more = {course["institution"]: course["issuer"] for course in taken if "issuer" in course}
    return {**context, "issuers": {**more, **issuers}}


def compare(before: Audit, after: Audit) -> dict[str, Any]:
    """What changes, as JSON: eligible, counted and missing minutes, and records that turn."""
    lines = [
        {line["record"]: (line["code"], line["minutes"]) for line in found.document["records"]}
        for found in (before, after)
    ]
    turned = [
        {
            "record": name,
            "before": None if name not in lines[0] else _line(lines[0][name]),
            "after": None if name not in lines[1] else _line(lines[1][name]),
        }
        for name in sorted(lines[0].keys() | lines[1].keys())
        if lines[0].get(name) != lines[1].get(name)
    ]
    return {
        "eligible": [before.eligible, after.eligible],
        "counted": [before.document["counted"], after.document["counted"]],
        "required": [before.document["required"], after.document["required"]],
        "missing": [missing(before), missing(after)],
        "records": turned,
        "why": _sentence(before, after).to_json(),
    }


def missing(found: Audit) -> int:
    """Minutes missing in blocks and overlays together."""
    blocks = sum(entry["minutes"] for entry in found.document["missing"])
    looks = sum(o["missing"] for o in found.document["overlays"] if o["unit"] == "minute")
    return int(max(blocks, looks))


def closest(
    standing: Standing, policy: Policy, degree: str, courses: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Which open courses bring the learner closest: ``{missing, courses, plan}``.

    ``courses``: the best ten by what would still be missing, then by the sooner end, then by the
    shorter; each with the minutes it would add. ``plan``: a way with few courses, best first at
    each step, and whether it gets there; not always the shortest there is.
    """
    now = standing.audit(policy, degree)
    gap = missing(now)
    ranked = _ranked(standing, policy, degree, courses, gap) if gap else []
    plan: list[dict[str, Any]] = []
    left, at, rest = gap, standing, list(courses)
    best = ranked
    while left and best and len(plan) < MOST_STEPS:
        step = best[0]
        course = next(c for c in rest if c["id"] == step["course"]["id"])
        rest.remove(course)
        at, left = assume(at, take=[course]), step["missing"]
        plan.append(step)
        best = _ranked(at, policy, degree, rest, left) if left else []
    return {
        "missing": gap,
        "courses": ranked[:MOST_SUGGESTED],
        "plan": {"courses": plan, "missing": left, "enough": left == 0},
    }


def _ranked(
    standing: Standing,
    policy: Policy,
    degree: str,
    courses: Sequence[Mapping[str, Any]],
    gap: int,
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for course in courses:
        then = assume(standing, take=[course]).audit(policy, degree)
        left = missing(then)
        if left < gap:
            found.append(
                {
                    "course": dict(course),
                    "adds": gap - left,
                    "missing": left,
                    "eligible": then.eligible,
                }
            )
    found.sort(
        key=lambda f: (
            f["missing"],
            f["course"]["endsOn"],
            f["course"]["minutes"],
            f["course"]["id"],
        )
    )
    return found


def _line(line: tuple[str, int]) -> dict[str, Any]:
    return {"code": line[0], "minutes": line[1]}


def _sentence(before: Audit, after: Audit) -> Text:
    if after.eligible:
        if before.eligible:
            return Text("그래도 요건을 모두 채웁니다.", "Every condition is still met.")
        return Text("그러면 요건을 모두 채웁니다.", "Then every condition is met.")
    if before.eligible:
        return Text("그러면 요건을 채우지 못합니다.", "Then the conditions are not met.")
    was, will = missing(before), missing(after)
    if will == 0:
        return Text(
            "그러면 시간은 채우고 다른 조건이 남습니다.",
            "Then the hours are there; other conditions stay open.",
        )
    change = Text("그대로", "as before") if will == was else _less(was - will)
    whole, rest = divmod(will, 60)
    return Text(
        f"그러면 {whole:,}시간 {rest}분이 모자랍니다({change.ko}).",
        f"Then {whole:,} h {rest} min are missing ({change.en}).",
    )


def _less(minutes: int) -> Text:
    whole, rest = divmod(abs(minutes), 60)
    ko, en = ("줄어듦", "less") if minutes > 0 else ("늘어남", "more")
    return Text(f"{whole:,}시간 {rest}분 {ko}", f"{whole:,} h {rest} min {en}")
