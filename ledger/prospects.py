"""A learner's way to a degree from the database: where they stand, and what would be if.

Reads only; the answers come from the pure engine (``ledger.credit.whatif``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from ledger.awards.recommendation import policy_of
from ledger.catalogue import courses_named, open_courses
from ledger.credit import Policy, bundled, choose
from ledger.credit.whatif import Standing, assume, closest, compare
from ledger.database.models import Learner
from ledger.standing import POLICY, context_of, records_of, unknown_learner


def standing_of(session: Session, learner_id: str, day: date) -> Standing:
    """What the engine knows of the learner at the end of a day. Raises ``LearnerUnknown``."""
    if session.get(Learner, learner_id) is None:
        raise unknown_learner(learner_id)
    return Standing(records_of(session, learner_id, day), context_of(session, learner_id, day), day)


def what_if(
    session: Session,
    learner_id: str,
    degree: str,
    day: date,
    *,
    take: Sequence[str] = (),
    without: Sequence[str] = (),
    policy: str | None = None,
) -> dict[str, Any]:
    """``{now, then, difference, assumed}``: the audit today and under the assumptions.

    ``take``: ids of open courses; ``without``: record ids as if they were revoked; ``policy``:
    ``id@version`` to be judged by. Raises ``CourseUnknown``, ``InputUnreadable``, ``Unknown``,
    ``DegreeUnknown``, ``LearnerUnknown``.
    """
    standing = standing_of(session, learner_id, day)
    current = choose(bundled(), POLICY, day)
    then = current if policy is None else policy_of(policy)
    courses = courses_named(session, take)
    before = standing.audit(current, degree)
    after = assume(standing, take=courses, without=without).audit(then, degree)
    return {
        "learner": learner_id,
        "degree": degree,
        "assumed": {"take": courses, "without": list(without), "policy": then.key},
        "now": before.document,
        "then": after.document,
        "difference": compare(before, after),
    }


def suggestions(session: Session, learner_id: str, degree: str, day: date) -> dict[str, Any]:
    """Which open courses bring the learner closest (see ``ledger.credit.whatif.closest``)."""
    standing = standing_of(session, learner_id, day)
    policy = choose(bundled(), POLICY, day)
    found = closest(standing, policy, degree, open_courses(session, day))
    return {"learner": learner_id, "degree": degree, "policy": policy.key, **found}


def ways(session: Session, learner_id: str, day: date) -> list[dict[str, Any]]:
    """The audit of every degree of the policy in force, tracks included."""
    standing = standing_of(session, learner_id, day)
    policy = choose(bundled(), POLICY, day)
    return [standing.audit(policy, degree.id).document for degree in policy.degrees]


def versions() -> list[Policy]:
    """Every version of the city's policy, oldest first: what one can be judged by in thought."""
    return [policy for policy in bundled() if policy.id == POLICY]
