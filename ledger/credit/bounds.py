"""The cheap exact path: take records in tie-break order, each as far as it can possibly go.

What comes out is exactly the answer the program would give, or None. It is the answer when every
block is full and every overlay holds: each record in turn took the most any allocation could give
it after the ones before. It is also the answer of a learner who falls short when nothing but the
blocks, or nothing but nested caps, limited anyone. Everything else goes to the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.credit.problem import Problem, Row
from ledger.credit.split import ClassFlow


@dataclass(frozen=True, slots=True)
class Usage:
    """Counted minutes of every cell, and which path found them."""

    cells: list[int]
    path: str

    def of(self, problem: Problem) -> list[int]:
        """Counted minutes of every record."""
        return [sum(self.cells[n] for n in mine) for mine in problem.of]


def overlays_met(problem: Problem, use: Sequence[int]) -> bool:
    """Whether every overlay holds for these minutes per record."""
    return not any(shortages(problem, use))


def shortages(problem: Problem, use: Sequence[int]) -> list[int]:
    """What each overlay misses: minutes, or distinct values."""
    missing = []
    for n, overlay in enumerate(problem.overlays):
        if overlay.distinct is None:
            have = sum(use[i] for i in problem.looks[n])
            missing.append(max(0, overlay.minimum - have))
        else:
            floor = max(1, overlay.each_min)
            reached = sum(
                sum(use[i] for i in members) >= floor for members in problem.distinct[n].values()
            )
            missing.append(max(0, overlay.count - reached))
    return missing


def solve_cheaply(problem: Problem) -> Usage | None:
    """The canonical usage, or None when only the program can tell."""
    walk = _Walk(problem)
    return walk.run()


class _Walk:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.left = [row.limit for row in problem.tight]
        self.rows_of: dict[int, list[int]] = {}
        for r, row in enumerate(problem.tight):
            for cell, _ in row.cells:
                self.rows_of.setdefault(cell, []).append(r)
        self.crowded = [
            len({problem.cells[cell].record for cell, _ in row.cells}) > 1 for row in problem.tight
        ]
        self.used = [0] * len(problem.cells)
        self.capacity = [cell.capacity for cell in problem.cells]
        self.flow = ClassFlow(problem.classes, [b.minimum for b in problem.blocks])
        self.need = problem.required
        self.groups_of: dict[int, list[int]] = {}
        for g, group in enumerate(problem.groups):
            for i in group:
                self.groups_of.setdefault(i, []).append(g)
        self.taken_groups: set[int] = set()
        self.items = [most for _, most, _ in problem.limits]
        self.excluded = False
        self.cut = False

    def run(self) -> Usage | None:
        problem = self.problem
        if any(c != 1 for row in problem.tight for _, c in row.cells):
            return None
        if not self._place_locked():
            return None
        for i in range(len(problem.records)):
            if not self.need:
                break
            if i in problem.shut or not problem.classes[problem.klass[i]]:
                continue
            if not problem.supply[i]:
                continue
            if self._barred(i):
                self.excluded = True
                continue
            if not self._take(i):
                return None
        usage = Usage(self.used, "bounds")
        if not self.need and overlays_met(problem, usage.of(problem)):
            return usage
        if problem.overlays or self.excluded or not self.need:
            return None
        if not self.cut:
            return usage
        live = {problem.klass[i] for i in range(len(problem.records)) if problem.supply[i]}
        if len(live - {k for k in live if not problem.classes[k]}) == 1 and _nested(problem.tight):
            return usage
        return None

    def _place_locked(self) -> bool:
        problem = self.problem
        for i, held in enumerate(problem.locked):
            if not held:
                continue
            cells = problem.of[i]
            if len(cells) == 1:
                self.capacity[cells[0]] -= held
                for r in self.rows_of.get(cells[0], ()):
                    if not problem.tight[r].own:
                        self.left[r] -= held
                        if self.left[r] < 0:
                            return False
            elif any(n in self.rows_of for n in cells):
                return False
            else:
                for n in cells:
                    part = min(held, self.capacity[n])
                    self.capacity[n] -= part
                    held -= part
        return True

    def _barred(self, i: int) -> bool:
        if any(g in self.taken_groups for g in self.groups_of.get(i, ())):
            return True
        return any(
            i in members and not self.items[n]
            for n, (_, _, members) in enumerate(self.problem.limits)
        )

    def _take(self, i: int) -> bool:
        """Count as much of a record as can be; False when the choice is not forced."""
        problem = self.problem
        wanted: list[tuple[int, int]] = []
        left = problem.supply[i]
        residual = {r: self.left[r] for n in problem.of[i] for r in self.rows_of.get(n, ())}
        spare = False
        for n in problem.of[i]:
            rows = self.rows_of.get(n, ())
            most = min([self.capacity[n], *(residual[r] for r in rows)])
            if any(self.crowded[r] and residual[r] < self.capacity[n] for r in rows):
                self.cut = True
            amount = min(most, left)
            spare = spare or amount < most
            for r in rows:
                residual[r] -= amount
            left -= amount
            wanted.append((n, amount))
        total = sum(amount for _, amount in wanted)
        pushed = self.flow.push(problem.klass[i], total)
        self.need -= pushed
        if not pushed:
            return True
        if (spare or pushed < total) and self.need and len(problem.of[i]) > 1 and self._shared(i):
            return False
        for n, amount in wanted:
            amount = min(amount, pushed)
            pushed -= amount
            self.used[n] = amount
            for r in self.rows_of.get(n, ()):
                self.left[r] -= amount
        self.taken_groups.update(self.groups_of.get(i, ()))
        for n, (_, _, members) in enumerate(problem.limits):
            if i in members:
                self.items[n] -= 1
        return True

    def _shared(self, i: int) -> bool:
        """Whether a row over this record's cells also limits another record."""
        return any(self.crowded[r] for n in self.problem.of[i] for r in self.rows_of.get(n, ()))


def _nested(rows: Sequence[Row]) -> bool:
    """Whether any two rows are disjoint or one lies inside the other."""
    sets = sorted((frozenset(n for n, _ in row.cells) for row in rows), key=len)
    if len(sets) > 200:
        return False
    for n, small in enumerate(sets):
        for large in sets[n + 1 :]:
            common = len(small & large)
            if common and common != len(small):
                return False
    return True
