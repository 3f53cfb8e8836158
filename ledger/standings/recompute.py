"""What a change would do to people, before it is done: a policy's new version, or an institution
whose records cannot be trusted.

``dry_run`` changes nothing. It audits everybody the change can touch, before and after, and lists
who gains, who loses, and whose degrees would no longer be earned. Its report has a digest, and only
the very same report can be confirmed: what a person agreed to is what happens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.jcs import canonical
from credential.text import Text
from ledger.credit import Policy, parse_context, parse_records, verdict
from ledger.credit.difference import Touched, touched
from ledger.database.models import Award, LearningRecord
from ledger.database.standings import RecordHold
from ledger.holds import Hold
from ledger.standing import KST, context_of, records_of
from ledger.standings.reading import read_stretch
from ledger.standings.sweep import Standing, Sweep, refresh_learner, stretches


class ReportOutdated(BaeumError):
    """The report that is confirmed is not the one that would come out now."""

    code = "report-outdated"
    title = Text("보고서가 더 이상 맞지 않습니다", "The report is out of date")
    status = 409


@dataclass(frozen=True, slots=True)
class Change:
    """One learner whose answer changes: the standing before and after."""

    learner: str
    degree: str
    before: Standing | None
    after: Standing | None

    @property
    def gains(self) -> bool:
        return _worth(self.after) > _worth(self.before)

    def to_json(self) -> dict[str, Any]:
        return {
            "learner": self.learner,
            "degree": self.degree,
            "before": _shown(self.before),
            "after": _shown(self.after),
        }


def _worth(standing: Standing | None) -> tuple[bool, bool, int]:
    if standing is None:
        return False, False, -(1 << 40)
    return standing.eligible, standing.hours_met, -standing.missing


def _shown(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "hours_met": standing.hours_met,
        "eligible": standing.eligible,
        "missing": standing.missing,
    }


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A degree that the records left would no longer earn: a matter for a hearing."""

    learner: str
    degree: str
    awarded_on: date
    missing: int

    def to_json(self) -> dict[str, Any]:
        return {
            "learner": self.learner,
            "degree": self.degree,
            "awarded_on": self.awarded_on.isoformat(),
            "missing": self.missing,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a change would do. ``affected``: learners audited; ``records``: records held back."""

    cause: dict[str, Any]
    as_of: date
    affected: int
    records: int
    gain: list[Change]
    lose: list[Change]
    at_risk: list[AtRisk]

    def to_json(self) -> dict[str, Any]:
        body = {
            "cause": self.cause,
            "as_of": self.as_of.isoformat(),
            "affected": self.affected,
            "records": self.records,
            "unchanged": self.affected - len(self.gain) - len(self.lose),
            "gain": [c.to_json() for c in self.gain],
            "lose": [c.to_json() for c in self.lose],
            "at_risk": [a.to_json() for a in self.at_risk],
        }
        digest = hashlib.sha256(canonical(body)).hexdigest()
        return {**body, "digest": f"sha256:{digest}"}

    @property
    def digest(self) -> str:
        return str(self.to_json()["digest"])


def dry_run(
    session: Session,
    policy: Policy,
    as_of: date,
    *,
    hold: Hold | None = None,
    new_policy: Policy | None = None,
) -> Report:
    """The report of holding records back, or of replacing ``policy`` by ``new_policy``.

    Raises what the engine raises. Nothing is written.
    """
    before = Sweep(session, policy, as_of)
    after = Sweep(session, new_policy or policy, as_of, [hold] if hold else ())
    if hold is not None:
        people = _learners_of(session, hold)
        changes = list(_one_by_one(session, before, after, sorted(people)))
        affected, records = len(people), sum(people.values())
        at_risk = _degrees_at_risk(session, policy, hold, sorted(people))
        cause: dict[str, Any] = {
            "hold": {
                "institution": hold.institution,
                "kind": hold.kind,
                "from": hold.since and hold.since.isoformat(),
                "to": hold.until and hold.until.isoformat(),
            },
            "policy": policy.key,
        }
    else:
        assert new_policy is not None
        reach = touched(policy, new_policy)
        affected, changes = _all_touched(session, before, after, reach)
        records, at_risk = 0, []
        cause = {
            "policy": {"from": policy.key, "to": new_policy.key, "hash": new_policy.hash},
            "touches": reach.to_json(),
        }
    return Report(
        cause,
        as_of,
        affected,
        records,
        [c for c in changes if c.gains],
        [c for c in changes if not c.gains],
        at_risk,
    )


def confirm(
    session: Session,
    policy: Policy,
    as_of: date,
    digest: str,
    *,
    hold: Hold | None = None,
    new_policy: Policy | None = None,
    reason: str = "",
    by: str = "",
    now: datetime,
) -> Report:
    """Do what the report with this digest says: give the order, and store the new standings.

    In the caller's transaction. Degrees at risk are not touched: a person opens a case for each.
    Raises ``ReportOutdated`` when the same question has another answer now.
    """
    report = dry_run(session, policy, as_of, hold=hold, new_policy=new_policy)
    if report.digest != digest:
        raise ReportOutdated(
            Text(
                "그 사이 자료가 바뀌어 결과가 달라졌습니다.",
                "The data has changed since, and the outcome with it.",
            ),
            Text(
                "보고서를 다시 만들어 확인하고, 그 digest로 실행하세요.",
                "Make the report again, read it, and confirm its digest.",
            ),
            {"confirmed": digest, "now": report.digest},
        )
    if hold is not None:
        session.add(
            RecordHold(
                institution_id=hold.institution,
                kind=hold.kind,
                ended_from=hold.since,
                ended_to=hold.until,
                reason=reason,
                ordered_by=by,
                ordered_at=now,
                report=digest,
            )
        )
        session.flush()
    after = Sweep(session, new_policy or policy, as_of)
    # the order counts from now on, also where the day's end is still to come
    after.holds = [*after.holds, hold] if hold and hold not in after.holds else after.holds
    for change in [*report.gain, *report.lose]:
        refresh_learner(session, after, change.learner)
    return report


# --- who is affected ------------------------------------------------------------------------------


def _held(hold: Hold) -> Select[str, str, datetime]:
    rows = select(LearningRecord.learner_id, LearningRecord.kind, LearningRecord.ended_at).where(
        LearningRecord.institution_id == hold.institution,
        LearningRecord.status == "verified",
        # said in the index's own words, so that it is used instead of a look at every record
        text("status <> 'superseded'"),
    )
    return rows if hold.kind is None else rows.where(LearningRecord.kind == hold.kind)


def _learners_of(session: Session, hold: Hold) -> dict[str, int]:
    """Learners with records that would be held back, and how many."""
    people: dict[str, int] = {}
    for learner, kind, ended in session.execute(_held(hold)):
        if hold.covers(hold.institution, kind, ended.astimezone(KST).date()):
            people[learner] = people.get(learner, 0) + 1
    return people


def _one_by_one(
    session: Session, before: Sweep, after: Sweep, people: Sequence[str]
) -> Iterator[Change]:
    for learner in people:
        first, second = (_standing(session, sweep, learner) for sweep in (before, after))
        yield from _changed(learner, first, second)


def _standing(session: Session, sweep: Sweep, learner: str) -> Standing | None:
    if learner in sweep.special:
        return next(sweep.one(session, learner), None)
    stretch = read_stretch(
        session.connection(), learner, learner, sweep.context, sweep.aliases, sweep.holds
    )
    return next(sweep.standings(session, stretch), None)


def _changed(learner: str, before: Standing | None, after: Standing | None) -> Iterator[Change]:
    known = after or before
    if known is None or _worth(before) == _worth(after):
        return
    # which path decided is no change
    yield Change(
        learner,
        known.degree,
        before and replace(before, path=""),
        after and replace(after, path=""),
    )


def _all_touched(
    session: Session, before: Sweep, after: Sweep, reach: Touched
) -> tuple[int, list[Change]]:
    """Everybody with a kind of record the change of policy speaks of, stretch by stretch."""
    affected = 0
    changes: list[Change] = []
    if reach.nothing:
        return 0, []
    for low, high in list(stretches(session)):
        stretch = read_stretch(
            session.connection(), low, high, before.context, before.aliases, before.holds
        )
        first = {s.learner: s for s in before.standings(session, stretch)}
        second = {s.learner: s for s in after.standings(session, stretch)}
        kinds = reach.kinds
        for place, learner in enumerate(stretch.ids):
            if kinds is not None and not kinds & stretch.kinds(place):
                continue
            affected += 1
            changes.extend(_changed(learner, first.get(learner), second.get(learner)))
    return affected, changes


def _degrees_at_risk(
    session: Session, policy: Policy, hold: Hold, people: Sequence[str]
) -> list[AtRisk]:
    """Degrees of these learners that the records verified before the award, without those held
    back, would not earn."""
    found = []
    for start in range(0, len(people), 500):
        awards = session.scalars(
            select(Award)
            .where(Award.learner_id.in_(people[start : start + 500]), Award.state == "valid")
            .order_by(Award.learner_id, Award.awarded_on)
        ).all()
        for award in awards:
            degree = policy.degree(award.degree)
            if degree is None or award.basis == "paper":
                continue
            day = award.awarded_on
            records = records_of(session, award.learner_id, day, more_holds=[hold])
            context = context_of(session, award.learner_id, day, without=award.degree)
            answer = verdict(
                policy, award.degree, parse_records(records)[0], parse_context(context), day
            )
            if not answer.hours_met:
                found.append(AtRisk(award.learner_id, award.degree, day, answer.missing))
    return found
