"""Step 8: what is not minutes of this degree. Items, the degree below, waiting, admission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from credential.text import Text
from ledger.credit.admit import Candidate
from ledger.credit.allocate import allocate
from ledger.credit.policy import After, Block, Degree, Overlay, Policy
from ledger.credit.problem import build_problem
from ledger.credit.reasons import CONDITION, say, spoken
from ledger.credit.records import Context, Exemption, Held


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: met or not, its stable code when not, and the sentence."""

    id: str
    met: bool
    code: str
    why: Text
    facts: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "met": self.met,
            "code": "OK" if self.met else self.code,
            "why": self.why.to_json(),
            **self.facts,
        }


def active(policy: Policy, context: Context, day: date) -> tuple[list[Exemption], list[Text]]:
    """Human exceptions in force on a day, with targets moved to today's ids; and notes on those
    that are not."""
    known = {b.id for d in policy.degrees for b in d.blocks}
    known |= {i.id for d in policy.degrees for i in d.items}
    found, notes = [], []
    for exemption in context.exceptions:
        target = policy.moved.get(exemption.target, exemption.target)
        if exemption.expires is not None and day >= exemption.expires:
            notes.append(
                Text(
                    f"예외 ‘{exemption.id}’의 기한이 지났습니다({exemption.expires}).",
                    f"The exception '{exemption.id}' expired on {exemption.expires}.",
                )
            )
        elif target not in known:
            notes.append(
                Text(
                    f"예외 ‘{exemption.id}’이(가) 가리키는 ‘{target}’이(가) 없습니다.",
                    f"The exception '{exemption.id}' names '{target}', which does not exist.",
                )
            )
        else:
            found.append(replace(exemption, target=target))
    return found, notes


def held_as(context: Context, degree: str) -> Held | None:
    """The learner's standing in a degree or any track of it; a valid one first."""
    found = [
        held
        for key, held in sorted(context.held.items())
        if key == degree or key.startswith(degree + "/")
    ]
    found.sort(key=lambda h: h.state != "valid")
    return found[0] if found else None


def other_entry(after: After, context: Context) -> str | None:
    """The alternative entry that applies, None when none does."""
    for prior in after.either:
        have = context.priors.get(prior.prior, 0)
        if have > 0 and (prior.at_least is None or have >= prior.at_least):
            return prior.prior
    return None


def hours_since(after: After, context: Context, day: date) -> date | None:
    """The first day whose learning counts, None for no such limit."""
    if after.degree is None or after.hours_from != "none":
        return None
    held = held_as(context, after.degree)
    if held is not None and held.awarded is not None and held.awarded <= day:
        return held.awarded
    return None if other_entry(after, context) else day + timedelta(days=1)


def entry(policy: Policy, degree: Degree, context: Context, day: date) -> list[Condition]:
    """The degree below and its waiting time, or another way in."""
    after = degree.after
    if after.degree is None:
        return []
    ident = f"after:{after.degree}"
    prior = other_entry(after, context)
    if prior is not None:
        return [Condition(ident, True, "P-DEGREE", CONDITION["MET"], {"prior": prior})]
    held = held_as(context, after.degree)
    below = policy.degree(after.degree)
    name = below.name if below else Text(after.degree, after.degree)
    if (
        held is None
        or held.state != after.state
        or (held.awarded is not None and held.awarded > day)
        or (held.awarded is None and after.wait_days)
    ):
        why = say(CONDITION["P-DEGREE"], degree=name, state=after.state)
        return [Condition(ident, False, "P-DEGREE", why, {"degree": after.degree})]
    until = None if held.awarded is None else policy.clock.after_days(held.awarded, after.wait_days)
    if until is not None and day < until:
        why = say(CONDITION["P-WAIT"], until=until)
        return [Condition(ident, False, "P-WAIT", why, {"until": str(until)})]
    return [Condition(ident, True, "P-DEGREE", CONDITION["MET"], {})]


def items(degree: Degree, context: Context, waived: Sequence[Exemption]) -> list[Condition]:
    """Conditions that are states of things: an approved output, a residence on a date."""
    found = []
    for item in degree.items:
        by = next((e for e in waived if e.kind == "waive_item" and e.target == item.id), None)
        met = (item.item, item.state) in context.items or by is not None
        why = CONDITION["MET"]
        if not met:
            why = say(CONDITION["P-ITEM"], name=item.name, state=item.state)
        facts = {"item": item.item, "state": item.state}
        found.append(
            Condition(
                item.id, met, "P-ITEM", why, facts if by is None else {**facts, "exception": by.id}
            )
        )
    return found


def admission(policy: Policy, degree: Degree, candidates: Sequence[Candidate]) -> list[Condition]:
    """Minutes done as a condition of admission: nothing consumed, earlier degrees ignored."""
    found = []
    for rule in degree.recorded:
        block = Block(rule.id, rule.minimum, None, rule.accept, rule.name)
        bare = replace(degree, blocks=(block,), overlays=tuple[Overlay, ...]())
        problem = build_problem(policy, bare, candidates, {}, blocks=(block,))
        have = sum(allocate(problem).of(problem))
        short = rule.minimum - have
        why = CONDITION["MET"]
        if short:
            why = say(CONDITION["ADMISSION"], name=rule.name, minutes=spoken(short))
        facts = {"required": rule.minimum, "have": have}
        found.append(Condition(rule.id, not short, "ADMISSION", why, facts))
    return found
