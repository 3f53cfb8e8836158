"""The line for every record: counted or not, which rule cut it, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from credential.text import Text
from ledger.credit.admit import Refusal
from ledger.credit.bounds import Usage
from ledger.credit.policy import Policy
from ledger.credit.problem import Problem
from ledger.credit.reasons import RECORD, say, spoken


def record_lines(
    policy: Policy, problem: Problem, usage: Usage, refusals: Sequence[Refusal]
) -> list[dict[str, Any]]:
    """``{record, code, minutes, of, cap, why}`` for every record, in order of id."""
    lines = [
        {
            "record": r.id,
            "code": r.code,
            "minutes": 0,
            "of": r.of,
            "cap": None,
            "why": r.why.to_json(),
        }
        for r in refusals
    ]
    lines.extend(_Lines(policy, problem, usage).all())
    return sorted(lines, key=lambda line: str(line["record"]))


class _Lines:
    def __init__(self, policy: Policy, problem: Problem, usage: Usage) -> None:
        self.policy, self.problem, self.usage = policy, problem, usage
        self.use = usage.of(problem)
        self.held = _held_cells(problem)
        self.full: dict[int, list[int]] = {}
        for r, row in enumerate(problem.rows):
            load = sum(
                k * (usage.cells[n] + (0 if row.own else self.held[n])) for n, k in row.cells
            )
            if load >= row.limit:
                for n, _ in row.cells:
                    self.full.setdefault(n, []).append(r)

    def all(self) -> list[dict[str, Any]]:
        return [self._line(i) for i in range(len(self.problem.records))]

    def _line(self, i: int) -> dict[str, Any]:
        candidate, minutes = self.problem.records[i], self.use[i]
        code, template, cap, facts = self._judge(i)
        why = say(
            RECORD[template],
            minutes=spoken(minutes),
            of=spoken(candidate.supply),
            locked=spoken(self.problem.locked[i]),
            **facts,
        )
        return {
            "record": candidate.id,
            "code": code,
            "minutes": minutes,
            "of": candidate.supply,
            "cap": cap,
            "why": why.to_json(),
        }

    def _judge(self, i: int) -> tuple[str, str, str | None, dict[str, object]]:
        """(code, template, cap id, facts)."""
        problem = self.problem
        cap, clock = self._cut(i)
        if self.use[i]:
            if self.use[i] == problem.records[i].supply:
                return "OK", "OK", None, {}
            if self.use[i] == problem.supply[i]:
                return "OK", "OK-LOCKED", None, {}
            if cap is not None:
                return "OK", "OK-CAP", cap[0], {"cap": cap[1]}
            return "OK", "OK-OVERLAP" if clock else "OK-PART", None, {}
        if i in problem.shut:
            return "D-SAME", "D-SAME", None, {"other": problem.records[problem.shut[i]].id}
        if not problem.supply[i]:
            return "LOCKED", "LOCKED", None, {}
        if not problem.classes[problem.klass[i]]:
            return "E-BLOCK", "E-BLOCK", None, {}
        for group in problem.groups:
            rival = next((j for j in group if i in group and self.use[j]), None)
            if rival is not None:
                return "D-SAME", "D-SAME", None, {"other": problem.records[rival].id}
        for rule, most, members in problem.limits:
            if i in members and sum(self.use[j] > 0 for j in members) >= most:
                return "D-ITEMS", "D-ITEMS", rule, {"rule": rule}
        if cap is not None:
            return "CAP", "CAP", cap[0], {"cap": cap[1]}
        return ("OVERLAP", "OVERLAP", None, {}) if clock else ("UNUSED", "UNUSED", None, {})

    def _cut(self, i: int) -> tuple[tuple[str, Text] | None, bool]:
        """The first cap, and whether clock time, that holds back the rest of a record."""
        caps: list[int] = []
        clock = False
        for n in self.problem.of[i]:
            if self.usage.cells[n] + self.held[n] >= self.problem.cells[n].capacity:
                continue
            for r in self.full.get(n, ()):
                if self.problem.rows[r].cap >= 0:
                    caps.append(self.problem.rows[r].cap)
                else:
                    clock = True
        if not caps:
            return None, clock
        first = self.policy.caps[min(caps)]
        return (first.id, first.name), clock


def _held_cells(problem: Problem) -> list[int]:
    """Locked minutes on cells, earliest first: enough to say which limit is full."""
    held = [0] * len(problem.cells)
    for i, mine in enumerate(problem.of):
        left = problem.locked[i]
        for n in mine:
            held[n] = min(left, problem.cells[n].capacity)
            left -= held[n]
    return held
