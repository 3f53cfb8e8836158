"""Which version of a policy decides: the one in force on the date the policy names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from credential.text import Text
from ledger.credit.errors import PolicyAmbiguous, PolicyNotFound
from ledger.credit.policy import Policy


def choose(policies: Iterable[Policy], policy_id: str, on: date) -> Policy:
    """The one version of ``policy_id`` in force on ``on`` (half-open ranges).

    ``on`` is the date that ``transition.choose_by`` names: enrolment, application, award or first
    record; the caller knows it. Raises ``PolicyNotFound`` or ``PolicyAmbiguous``.
    """
    found = [
        p
        for p in policies
        if p.id == policy_id
        and p.effective_from <= on
        and (p.effective_to is None or on < p.effective_to)
    ]
    if not found:
        raise PolicyNotFound(
            Text(
                f"{on}에 시행 중인 ‘{policy_id}’ 기준이 없습니다.",
                f"No version of '{policy_id}' is in force on {on}.",
            ),
            Text("시행 기간을 확인해 주십시오.", "Check the ranges of the versions."),
            {"policy": policy_id, "date": str(on)},
        )
    if len(found) > 1:
        names = ", ".join(sorted(p.version for p in found))
        raise PolicyAmbiguous(
            Text(
                f"{on}에 시행 중인 기준이 여럿입니다: {names}.", f"On {on} several apply: {names}."
            ),
            Text("시행 기간이 겹치지 않게 고쳐 주십시오.", "Make the ranges not overlap."),
            {"policy": policy_id, "date": str(on), "versions": sorted(p.version for p in found)},
        )
    return found[0]
