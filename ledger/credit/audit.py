"""The audit: (policy, degree, records, context, as-of) to the answer and its explanation.

Pure and deterministic: the same input, in any order, gives the same bytes. The engine says what
is met; people award.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from credential.jcs import canonical
from credential.text import Text
from ledger.credit import advice
from ledger.credit.admit import Admission, Candidate
from ledger.credit.allocate import allocate, by_block
from ledger.credit.bounds import shortages, solve_cheaply
from ledger.credit.conditions import Condition, active, admission, entry, hours_since, items
from ledger.credit.errors import DegreeUnknown
from ledger.credit.explain import record_lines
from ledger.credit.policy import Block, Degree, Policy
from ledger.credit.problem import Problem, build_problem, caps_on
from ledger.credit.program import allowed, least_missing, prove
from ledger.credit.reasons import CONDITION, hours, say, spoken
from ledger.credit.records import Context, Exemption, Record, Unreadable
from ledger.credit.review import flags

UNHASHED = ("certificate", "path", "trace_hash", "notes")
SENTENCES = ("why", "name")


@dataclass(frozen=True, slots=True)
class Audit:
    """The answer. ``document`` is the whole of it as JSON values; the rest are its main parts."""

    hours_met: bool
    eligible: bool
    path: str
    document: dict[str, Any]

    @property
    def trace_hash(self) -> str:
        return str(self.document["trace_hash"])

    def to_json(self) -> dict[str, Any]:
        return self.document

    def canonical(self) -> bytes:
        """RFC 8785 bytes of the whole document."""
        return canonical(self.document)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer without its explanation: what ``audit`` says, for a fraction of the work.
    ``missing``: minutes over all blocks; ``path``: ``bounds`` or ``program``."""

    hours_met: bool
    eligible: bool
    missing: int
    path: str


def audit(
    policy: Policy,
    degree: str,
    records: Sequence[Record],
    context: Context,
    as_of: date | datetime,
    *,
    unreadable: Sequence[Unreadable] = (),
    method: str = "auto",
) -> Audit:
    """Audit one degree (or ``degree/track``).

    ``as_of``: a local day, whose end is the cut-off, or an aware time. Raises ``DegreeUnknown``,
    and ``SolverDisagrees`` when the solver's answer fails the integer check.
    """
    found = degree_of(policy, degree)
    return _Run(policy, found, context, as_of, method).audit(records, unreadable)


def verdict(
    policy: Policy,
    degree: str,
    records: Sequence[Record],
    context: Context,
    as_of: date | datetime,
) -> Verdict:
    """The answer of ``audit`` alone, for many learners. Raises as ``audit`` does."""
    return _Run(policy, degree_of(policy, degree), context, as_of, "auto").verdict(records)


def degree_of(policy: Policy, degree: str) -> Degree:
    """The degree or track of this id. Raises ``DegreeUnknown``."""
    found = policy.degree(degree)
    if found is None:
        known = ", ".join(d.id for d in policy.degrees)
        raise DegreeUnknown(
            Text(f"‘{degree}’ 학위가 없습니다.", f"'{degree}' is not a degree of {policy.key}."),
            Text(f"가능한 값: {known}", f"One of: {known}"),
            {"degree": degree},
        )
    return found


def holds(
    policy: Policy,
    degree: str,
    records: Sequence[Record],
    context: Context,
    as_of: date | datetime,
    allocation: Mapping[tuple[str, str], int],
) -> bool:
    """Whether this very allocation (record and block → minutes) meets the degree under every cap,
    overlap and same-learning rule. Records it does not name are not used."""
    found = policy.degree(degree)
    if found is None:
        return False
    return _Run(policy, found, context, as_of, "auto").holds(records, allocation)


class _Run:
    def __init__(
        self,
        policy: Policy,
        degree: Degree,
        context: Context,
        as_of: date | datetime,
        method: str,
    ) -> None:
        self.policy, self.degree, self.context, self.method = policy, degree, context, method
        self.given = as_of
        sift = Admission(policy, context, as_of)
        self.day = date.fromordinal(sift.day)
        since = hours_since(degree.after, context, self.day)
        self.sift = sift if since is None else Admission(policy, context, as_of, since)
        self.exemptions, self.notes = active(policy, context, self.day)
        self.blocks = tuple(_reduced(b, self.exemptions) for b in degree.blocks)
        self.admitted: dict[str, list[str]] = {}
        for exemption in self.exemptions:
            if exemption.kind == "accept_record":
                self.admitted.setdefault(exemption.target, []).append(exemption.record)
        self.used = {} if degree.after.hours_from == "all" else context.used

    def problem(self, candidates: Sequence[Candidate], extra: Sequence[Candidate] = ()) -> Problem:
        return build_problem(
            self.policy,
            self.degree,
            candidates,
            self.used,
            blocks=self.blocks,
            admitted=self.admitted,
            extra=extra,
        )

    def conditions(self, records: Sequence[Record]) -> list[Condition]:
        """Everything that is not hours of this degree."""
        found = [
            *items(self.degree, self.context, self.exemptions),
            *entry(self.policy, self.degree, self.context, self.day),
        ]
        if self.degree.recorded:
            whole, _ = Admission(self.policy, self.context, self.given).sift(records, ())
            found += admission(self.policy, self.degree, whole)
        return found

    def verdict(self, records: Sequence[Record]) -> Verdict:
        problem = self.problem(self.sift.sift(records, ())[0])
        usage = solve_cheaply(problem)
        if usage is None:
            missing, looks = least_missing(problem)
        else:
            missing = problem.required - min(problem.required, sum(usage.cells))
            looks = shortages(problem, usage.of(problem))
        hours_met = not missing and not any(looks)
        eligible = hours_met and all(c.met for c in self.conditions(records))
        return Verdict(hours_met, eligible, missing, "program" if usage is None else "bounds")

    def audit(self, records: Sequence[Record], unreadable: Sequence[Unreadable]) -> Audit:
        policy, degree = self.policy, self.degree
        candidates, refusals = self.sift.sift(records, unreadable)
        problem = self.problem(candidates)
        usage = allocate(problem, self.method)
        placed = by_block(problem, usage)
        filled = [sum(mine.get(b, 0) for mine in placed) for b in range(len(self.blocks))]
        short = [max(0, b.minimum - f) for b, f in zip(self.blocks, filled, strict=True)]
        looks = shortages(problem, usage.of(problem))
        hours_met = not any(short) and not any(looks)
        conditions = self.conditions(records)
        eligible = hours_met and all(c.met for c in conditions)
        document: dict[str, Any] = {
            "format": "degree-audit/1",
            "policy": policy.key,
            "policy_hash": policy.hash,
            "taxonomy": policy.taxonomy.version,
            "degree": degree.id,
            "name": degree.name.to_json(),
            "as_of": self._as_of(),
            "hours_met": hours_met,
            "eligible": eligible,
            "counted": sum(filled),
            "required": problem.required,
            "hours": {
                "counted": hours(sum(filled)),
                "required": hours(problem.required),
                "missing": hours(sum(short)),
            },
            "blocks": [
                {
                    "block": b.id,
                    "name": b.name.to_json(),
                    "required": b.minimum,
                    "counted": f,
                    "missing": s,
                }
                for b, f, s in zip(self.blocks, filled, short, strict=True)
            ],
            "allocation": _allocation(problem, placed),
            "records": record_lines(policy, problem, usage, refusals),
            "missing": [
                {"block": b.id, "minutes": s} for b, s in zip(self.blocks, short, strict=True) if s
            ],
            "overlays": self._overlays(problem, looks),
            "conditions": [c.to_json() for c in conditions],
            "reasons": self._reasons(short, problem, looks, conditions),
            "cheapest": [] if hours_met else self._cheapest(candidates, problem, short),
            "flags": flags(policy, candidates),
            "notes": self._notes(records),
            "not_checked": ["issuer"] if self._register_missing() else [],
            "certificate": None,
            "path": usage.path,
        }
        if any(short):
            proof = prove(problem, sum(short))
            document["certificate"] = advice.certificate(policy, problem, proof)
        document["trace_hash"] = trace_hash(document)
        return Audit(hours_met, eligible, usage.path, document)

    def holds(self, records: Sequence[Record], allocation: Mapping[tuple[str, str], int]) -> bool:
        candidates, _ = self.sift.sift(records, ())
        problem = self.problem(candidates)
        place = {record.id: i for i, record in enumerate(problem.records)}
        block = {b.id: n for n, b in enumerate(self.blocks)}
        totals = [0] * len(problem.records)
        filled = [0] * len(self.blocks)
        for (record, into), minutes in allocation.items():
            i, b = place.get(record), block.get(into)
            if i is None or b is None or minutes <= 0:
                return False
            if b not in problem.classes[problem.klass[i]]:
                return False
            totals[i] += minutes
            filled[b] += minutes
        for rule, have in zip(self.blocks, filled, strict=True):
            if have < rule.minimum or (rule.maximum is not None and have > rule.maximum):
                return False
        return allowed(problem, totals)

    def _as_of(self) -> str:
        return self.given.isoformat()

    def _register_missing(self) -> bool:
        return self.context.issuers is None and self.policy.evidence.issuer_registry != "any"

    def _overlays(self, problem: Problem, looks: Sequence[int]) -> list[dict[str, Any]]:
        return [
            {
                "overlay": o.id,
                "name": o.name.to_json(),
                "required": o.minimum if o.distinct is None else o.count,
                "missing": m,
                "unit": "minute" if o.distinct is None else o.distinct,
            }
            for o, m in zip(problem.overlays, looks, strict=True)
        ]

    def _reasons(
        self,
        short: Sequence[int],
        problem: Problem,
        looks: Sequence[int],
        conditions: Sequence[Condition],
    ) -> list[dict[str, Any]]:
        """One line per failed condition, hours first."""
        lines = [
            ("SHORT", b.id, say(CONDITION["SHORT"], name=b.name, minutes=spoken(s)))
            for b, s in zip(self.blocks, short, strict=True)
            if s
        ]
        for overlay, m in zip(problem.overlays, looks, strict=True):
            if m and overlay.distinct is None:
                text = say(CONDITION["OVERLAY"], name=overlay.name, minutes=spoken(m))
                lines.append(("OVERLAY", overlay.id, text))
            elif m:
                text = say(CONDITION["OVERLAY-COUNT"], name=overlay.name, count=m)
                lines.append(("OVERLAY", overlay.id, text))
        lines.extend((c.code, c.id, c.why) for c in conditions if not c.met)
        return [{"code": code, "id": ident, "why": why.to_json()} for code, ident, why in lines]

    def _cheapest(
        self, candidates: Sequence[Candidate], problem: Problem, short: Sequence[int]
    ) -> list[dict[str, Any]]:
        """Ways to close the gap, fewest minutes first: one kind of learning, or a mixture when
        that is less."""
        imagined = advice.kinds(self.policy, self.degree, self.blocks, self.day)
        ways: list[list[dict[str, Any]]] = []
        simple = len(self.blocks) == 1 and not problem.overlays
        for one in imagined:
            if simple and not _capped(self.policy, self.degree, one):
                ways.append([advice.phrase(one, sum(short))])
                continue
            amounts = advice.least(self.problem(candidates, [one]), [one.id])
            if amounts:
                ways.append([advice.phrase(one, amounts[one.id])])
        if len(imagined) > 1 and not simple:
            amounts = advice.least(self.problem(candidates, imagined), [i.id for i in imagined])
            names = {i.id: i for i in imagined}
            if amounts and len(amounts) > 1:
                total = sum(amounts.values())
                if all(total < sum(a["minutes"] for a in way) for way in ways):
                    ways.append([advice.phrase(names[i], m) for i, m in amounts.items()])
        ways.sort(key=lambda way: sum(a["minutes"] for a in way))
        return [
            {
                "minutes": sum(a["minutes"] for a in way),
                "add": way,
                "why": advice.sentence(way).to_json(),
            }
            for way in ways
        ]

    def _notes(self, records: Sequence[Record]) -> list[dict[str, str]]:
        notes = [*self.context.notes, *self.notes]
        known = {r.id: r for r in records}
        for ident, minutes in sorted(self.used.items()):
            record = known.get(ident)
            if minutes and record is None:
                notes.append(
                    Text(
                        f"앞선 학위에 쓰인 ‘{ident}’ 기록이 목록에 없습니다.",
                        f"'{ident}', used by an earlier degree, is not among the records.",
                    )
                )
        if self._register_missing():
            notes.append(
                Text(
                    "기관 인가 목록이 없어 인가 여부를 확인하지 않았습니다.",
                    "No register of issuers was given, so accreditation was not checked.",
                )
            )
        return [note.to_json() for note in notes]


def _capped(policy: Policy, degree: Degree, one: Candidate) -> bool:
    return bool(caps_on(policy, degree, one))


def _reduced(block: Block, exemptions: Sequence[Exemption]) -> Block:
    less = sum(e.minutes for e in exemptions if e.kind == "reduce_block" and e.target == block.id)
    return replace(block, minimum=max(0, block.minimum - less)) if less else block


def _allocation(problem: Problem, placed: Sequence[dict[int, int]]) -> list[dict[str, Any]]:
    rows = [
        (problem.records[i].id, b, minutes)
        for i, mine in enumerate(placed)
        for b, minutes in mine.items()
        if minutes
    ]
    return [
        {"record": record, "block": problem.blocks[b].id, "minutes": minutes}
        for record, b, minutes in sorted(rows)
    ]


def trace_hash(document: dict[str, Any]) -> str:
    """``sha256:`` + hex over the RFC 8785 form of an audit without its proof, path and sentences.

    What is hashed is codes and numbers: correcting a sentence changes no degree that was given.
    """
    kept = {k: v for k, v in document.items() if k not in UNHASHED}
    return "sha256:" + hashlib.sha256(canonical(_silent(kept))).hexdigest()


def _silent(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _silent(v) for k, v in value.items() if k not in SENTENCES}
    return [_silent(v) for v in value] if isinstance(value, list) else value
