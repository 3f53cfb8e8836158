"""Signs a person should look at. They never change an answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from ledger.credit.admit import Candidate
from ledger.credit.policy import Policy

TWIN_MINUTES = 10
STREAK_DAYS = 30


def flags(policy: Policy, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """``{code, records, day?}``: R-TWIN (two institutions, same kind, nearly the same time),
    R-24H (more than a day's minutes in one day), R-STREAK (8 hours every day for 30 days)."""
    found: list[dict[str, Any]] = []
    timed = sorted((c for c in candidates if c.spans), key=lambda c: (c.spans[0][0], c.id))
    for n, one in enumerate(timed):
        for other in timed[n + 1 :]:
            if other.spans[0][0] - one.spans[0][0] > TWIN_MINUTES:
                break
            near = abs(other.spans[-1][1] - one.spans[-1][1]) <= TWIN_MINUTES
            if near and one.type == other.type and one.record.issuer != other.record.issuer:
                found.append({"code": "R-TWIN", "records": sorted([one.id, other.id])})
    days: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.first == candidate.last:
            days[candidate.last].append(candidate)
    long_days = []
    for day, members in sorted(days.items()):
        total = sum(c.supply for c in members)
        length = policy.clock.midnight(day + 1) - policy.clock.midnight(day)
        if total > length and len(members) > 1:
            found.append(
                {
                    "code": "R-24H",
                    "day": str(date.fromordinal(day)),
                    "records": sorted(c.id for c in members),
                }
            )
        if total >= 480:
            long_days.append(day)
    run: list[int] = []
    for day in long_days:
        run = [*run, day] if run and day == run[-1] + 1 else [day]
        if len(run) == STREAK_DAYS:
            found.append({"code": "R-STREAK", "day": str(date.fromordinal(day)), "records": []})
    return sorted(found, key=str)
