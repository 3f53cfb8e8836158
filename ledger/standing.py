"""What the database knows of one learner, as the credit engine's plain input, and the audit of it.

The engine reads no database; this reads no policy. ``records_of`` and ``context_of`` give the same
JSON that ``ledger.credit`` reads from files, so an audit can be exported and repeated elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from ledger.credit import (
    Audit,
    Policy,
    audit,
    bundled,
    choose,
    parse_context,
    parse_records,
)
from ledger.database.awards import LearnerPrior, SignedException
from ledger.database.models import (
    Accreditation,
    Award,
    Credential,
    Institution,
    Learner,
    LearnerItem,
    LearningRecord,
    StatusChange,
)
from ledger.holds import Hold, holds_in_force

KST = ZoneInfo("Asia/Seoul")
POLICY = "seoul.citizen-degree"
DEGREE = "degree"
"""The kind of the record a degree's credential is made from."""


class LearnerUnknown(BaeumError):
    """No learner has this id."""

    code = "learner-unknown"
    title = Text("학습자를 찾을 수 없습니다", "Unknown learner")
    status = 404


def unknown_learner(learner_id: str) -> LearnerUnknown:
    return LearnerUnknown(
        Text(f"‘{learner_id}’ 학습자가 없습니다.", f"There is no learner '{learner_id}'."),
        Text("학습자 번호를 확인하세요.", "Check the learner's id."),
        {"learner": learner_id},
    )


def audit_learner(
    session: Session,
    learner_id: str,
    degree: str,
    as_of: date | datetime,
    *,
    policy: Policy | None = None,
) -> Audit:
    """Audit one degree of one learner from the database, as of a day in Seoul (its end) or a time.

    ``policy``: the version that applies; without it the Seoul policy in force on that day.
    Raises LearnerUnknown and the engine's errors (DegreeUnknown, PolicyNotFound …).
    """
    if session.get(Learner, learner_id) is None:
        raise unknown_learner(learner_id)
    day = as_of.astimezone(KST).date() if isinstance(as_of, datetime) else as_of
    chosen = policy if policy is not None else choose(bundled(), POLICY, day)
    records, unreadable = parse_records(records_of(session, learner_id, as_of))
    context = parse_context(context_of(session, learner_id, as_of))
    return audit(chosen, degree, records, context, as_of, unreadable=unreadable)


def records_of(
    session: Session,
    learner_id: str,
    as_of: date | datetime,
    *,
    verified_before: datetime | None = None,
    more_holds: Sequence[Hold] = (),
) -> list[dict[str, Any]]:
    """The learner's records as JSON, by id. Superseded ones are left out: what replaced them is in.
    So are degrees: they are made of learning and are none.

    A record whose credential was revoked or suspended by then says so and does not count; so does
    one that an order holds back (``more_holds``: as if these were given too). ``verified_before``
    leaves out what arrived later: the cut-off of an application.
    """
    wanted = select(*_AUDITED).where(
        LearningRecord.learner_id == learner_id,
        LearningRecord.status != "superseded",
        LearningRecord.kind != DEGREE,
    )
    if verified_before is not None:
        wanted = wanted.where(LearningRecord.recorded_at < verified_before)
    rows = session.execute(wanted.order_by(LearningRecord.id)).all()
    changed = _credential_states(session, learner_id, _cutoff(as_of))
    for hold in [*holds_in_force(session, _cutoff(as_of)), *more_holds]:
        for row in rows:
            if hold.covers(row.institution_id, row.kind, row.ended_at.astimezone(KST).date()):
                changed.setdefault(row.id, "suspended")
    usual = _usual_kinds(session, {row.institution_id for row in rows})
    return [_record(row, changed.get(row.id), usual) for row in rows]


def register_of(session: Session) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    """The whole register of issuers as ``context_of`` shows it, and the (institution, kind) pairs
    that are listed under the institution's own name."""
    names = session.scalars(select(Institution.id)).all()
    return issuers_of(session, names), _usual_kinds(session, names)


def cutoff_of(as_of: date | datetime) -> datetime:
    """The first instant that an audit as of a day in Seoul, or a time, no longer sees."""
    return _cutoff(as_of)


def context_of(
    session: Session, learner_id: str, as_of: date | datetime, *, without: str | None = None
) -> dict[str, Any]:
    """Accreditations, degrees held, items and other entries decided, exceptions signed and minutes
    locked by then, as JSON. A withdrawn degree locks nothing. ``without``: a degree that is left
    out, for an audit of that very degree after it was given.
    """
    day = _cutoff(as_of).astimezone(KST) - timedelta(microseconds=1)
    awards = session.scalars(
        select(Award)
        .where(Award.learner_id == learner_id, Award.awarded_on <= day.date())
        .order_by(Award.id)
    ).all()
    awards = [award for award in awards if award.degree != without]
    items = session.scalars(
        select(LearnerItem)
        .where(LearnerItem.learner_id == learner_id, LearnerItem.decided_on <= day.date())
        .order_by(LearnerItem.item)
    )
    used: dict[str, int] = {}
    for award in awards:
        if award.state == "withdrawn":
            continue
        for record_id, minutes in award.used.items():
            used[record_id] = used.get(record_id, 0) + int(minutes)
    institutions = session.scalars(
        select(LearningRecord.institution_id)
        .where(LearningRecord.learner_id == learner_id, LearningRecord.kind != DEGREE)
        .distinct()
    ).all()
    return {
        "issuers": issuers_of(session, institutions),
        "held": {
            award.degree: {"state": award.state, "awarded": award.awarded_on.isoformat()}
            for award in awards
        },
        "items": [[item.item, item.state] for item in items],
        "priors": {
            prior.prior: prior.value
            for prior in session.scalars(
                select(LearnerPrior)
                .where(
                    LearnerPrior.learner_id == learner_id,
                    LearnerPrior.decided_at < _cutoff(as_of),
                )
                .order_by(LearnerPrior.prior)
            )
        },
        "used": used,
        "exceptions": _exceptions(session, learner_id, _cutoff(as_of)),
    }


def _exceptions(session: Session, learner_id: str, before: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": signed.id,
            "kind": signed.kind,
            "target": signed.target,
            "by": signed.signed_by,
            "why": signed.why,
            "minutes": signed.minutes,
            "record": signed.record_id or "",
            "expires": signed.expires_on.isoformat(),
        }
        for signed in session.scalars(
            select(SignedException)
            .where(SignedException.learner_id == learner_id, SignedException.signed_at < before)
            .order_by(SignedException.id)
        )
    ]


def _cutoff(as_of: date | datetime) -> datetime:
    """The first instant that is no longer seen."""
    if isinstance(as_of, datetime):
        return as_of.astimezone(UTC)
    return datetime.combine(as_of + timedelta(days=1), time.min, KST).astimezone(UTC)


# What an audit reads of a record: not its title, and not as an object the session keeps.
_AUDITED = (
    LearningRecord.id,
    LearningRecord.kind,
    LearningRecord.category,
    LearningRecord.level,
    LearningRecord.institution_id,
    LearningRecord.status,
    LearningRecord.started_at,
    LearningRecord.ended_at,
    LearningRecord.exact_interval,
    LearningRecord.minutes,
    LearningRecord.attended,
    LearningRecord.sessions,
    LearningRecord.offering,
    LearningRecord.course_class,
    LearningRecord.code,
    LearningRecord.source_key,
    LearningRecord.recorded_at,
    LearningRecord.approved,
)


def _record(
    row: Row[*tuple[Any, ...]], credential_state: str | None, usual: set[tuple[str, str]]
) -> dict[str, Any]:
    start, end = row.started_at.astimezone(KST), row.ended_at.astimezone(KST)
    whole: dict[str, Any] = {
        "id": row.id,
        "type": row.kind,
        "category": row.category,
        "level": row.level,
        "issuer": _issuer(row.institution_id, row.kind, usual),
        "status": credential_state or row.status,
        "start": start.isoformat() if row.exact_interval else start.date().isoformat(),
        "end": end.isoformat() if row.exact_interval else end.date().isoformat(),
        "minutes": row.minutes,
        "attended": row.attended,
        "sessions": row.sessions,
        "offering": row.offering,
        "course_class": row.course_class,
        "code": row.code,
        "issuer_record": row.source_key,
        "verified_at": row.recorded_at.isoformat(),
        "approved": row.approved,
    }
    return {name: value for name, value in whole.items() if value is not None}


def _credential_states(session: Session, learner_id: str, before: datetime) -> dict[str, str]:
    """By record id: revoked (for good) or suspended (until reinstated)."""
    states: dict[str, str] = {}
    for record_id, action in session.execute(
        select(Credential.record_id, StatusChange.action)
        .join(StatusChange, StatusChange.credential_id == Credential.id)
        .where(
            Credential.learner_id == learner_id,
            StatusChange.at < before,
            # One that was replaced, or will be, says nothing of the record.
            Credential.replaced_by.is_(None),
            Credential.renew_at.is_(None),
        )
        .order_by(StatusChange.id)
    ):
        if action == "revoke":
            states[record_id] = "revoked"
        elif states.get(record_id) != "revoked":
            if action == "suspend":
                states[record_id] = "suspended"
            else:
                states.pop(record_id, None)
    return states


# --- accreditation --------------------------------------------------------------------------------
# The engine knows one accreditation an issuer; the city accredits kinds. A kind whose periods
# differ from the institution's others is therefore shown as an issuer of its own, "ID:kind".

_Periods = list[list[str | None]]


def _periods(session: Session, institutions: Iterable[str]) -> dict[str, dict[str, _Periods]]:
    """Institution → kind → [[from, to|null], …], days in Seoul."""
    found: dict[str, dict[str, _Periods]] = {name: {} for name in institutions}
    for row in session.scalars(
        select(Accreditation)
        .where(Accreditation.institution_id.in_(list(found)))
        .order_by(Accreditation.kind, Accreditation.valid_from)
    ):
        period = [_day(row.valid_from), None if row.valid_to is None else _day(row.valid_to)]
        found[row.institution_id].setdefault(row.kind, []).append(period)
    return found


def _day(moment: datetime) -> str:
    return moment.astimezone(KST).date().isoformat()


def _usual(kinds: dict[str, _Periods]) -> _Periods:
    """The periods of the institution's first kind of learning; a registrar's right is none."""
    return next((kinds[kind] for kind in sorted(kinds) if kind != "registrar"), [])


def _usual_kinds(session: Session, institutions: Iterable[str]) -> set[tuple[str, str]]:
    """(institution, kind) whose accreditation runs as the institution's usual one."""
    return {
        (name, kind)
        for name, kinds in _periods(session, institutions).items()
        for kind, periods in kinds.items()
        if periods == _usual(kinds)
    }


def _issuer(institution: str, kind: str, usual: set[tuple[str, str]]) -> str:
    return institution if (institution, kind) in usual else f"{institution}:{kind}"


def issuers_of(session: Session, institutions: Iterable[str]) -> dict[str, Any]:
    """The engine's register of these institutions: group and accredited periods."""
    names = list(institutions)
    groups = {
        row.id: row.issuer_group
        for row in session.scalars(select(Institution).where(Institution.id.in_(names)))
    }
    result: dict[str, Any] = {}
    for name, kinds in _periods(session, names).items():
        group = groups.get(name)
        usual = _usual(kinds)
        result[name] = {"group": group, "periods": usual}
        for kind, periods in kinds.items():
            if periods != usual:
                result[f"{name}:{kind}"] = {"group": group, "periods": periods}
    return result
