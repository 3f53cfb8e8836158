"""The exact path for every problem: a small integer program, solved in stages.

Stages, each fixed before the next: least missing in blocks; least missing in each overlay; least
minutes used; then, record by record in tie-break order, as many minutes as possible; last, the
days of a record that has a choice, earliest first. The result does not depend on the solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ledger.credit.bounds import Usage
from ledger.credit.model import FREE, Model
from ledger.credit.problem import Problem

MOST_LEAVES = 64


@dataclass(slots=True)
class Built:
    """A problem as a model, with the columns of each thing."""

    model: Model
    cells: list[int]
    locked: list[int]
    missing: list[int]
    overlay: list[int]
    chosen: dict[int, int]


def build_model(problem: Problem) -> Built:
    """Columns: minutes of cells, locked minutes, class to block, missing, choices, overlays."""
    model = Model()
    cells = [
        model.column(0 if cell.record in problem.shut else cell.capacity, ("record", cell.record))
        for cell in problem.cells
    ]
    held: dict[int, int] = {}
    for i, mine in enumerate(problem.of):
        if problem.locked[i]:
            for n in mine:
                held[n] = model.column(problem.cells[n].capacity, ("locked", i))
                model.line([(cells[n], 1), (held[n], 1)], 0, problem.cells[n].capacity, ("cell", n))
            model.line([(held[n], 1) for n in mine], 0, problem.locked[i], ("locked", i))
        if len(mine) > 1 or problem.locked[i]:
            model.line([(cells[n], 1) for n in mine], 0, problem.supply[i], ("supply", i))
    for r, row in enumerate(problem.tight):
        terms = [(cells[n], k) for n, k in row.cells]
        if not row.own:
            terms += [(held[n], k) for n, k in row.cells if n in held]
        model.line(terms, 0, row.limit, ("row", r))
    chosen = _choices(problem, model, cells)
    into: list[list[tuple[int, int]]] = [[] for _ in problem.blocks]
    for k, accepted in enumerate(problem.classes):
        members = [
            (cells[n], -1)
            for i, mine in enumerate(problem.of)
            if problem.klass[i] == k
            for n in mine
        ]
        most = sum(problem.supply[i] for i, klass in enumerate(problem.klass) if klass == k)
        flows = [model.column(most, ("flow", k, b)) for b in accepted]
        for b, column in zip(accepted, flows, strict=True):
            into[b].append((column, 1))
        model.line([*members, *((f, 1) for f in flows)], 0, 0, ("class", k))
    missing = []
    over = bool(problem.overlays)
    for b, block in enumerate(problem.blocks):
        short = model.column(block.minimum, ("missing", b))
        missing.append(short)
        model.line([*into[b], (short, 1)], block.minimum, FREE, ("block", b))
        if block.maximum is not None or not over:
            most = block.maximum if over and block.maximum is not None else block.minimum
            model.line(into[b], 0, max(most, block.minimum), ("full", b))
    return Built(
        model, cells, sorted(held.values()), missing, _overlays(problem, model, cells), chosen
    )


def _choices(problem: Problem, model: Model, cells: Sequence[int]) -> dict[int, int]:
    chosen: dict[int, int] = {}
    for i in sorted(
        {i for g in problem.groups for i in g} | {i for *_, m in problem.limits for i in m}
    ):
        chosen[i] = model.column(1, ("chosen", i))
        for n in problem.of[i]:
            most = min(problem.cells[n].capacity, problem.supply[i])
            model.line([(cells[n], 1), (chosen[i], -most)], -FREE, 0, ("only-if", i))
        if len(problem.of[i]) > 1:
            model.line(
                [*((cells[n], 1) for n in problem.of[i]), (chosen[i], -problem.supply[i])],
                -FREE,
                0,
                ("only-if", i),
            )
    for g, group in enumerate(problem.groups):
        model.line([(chosen[i], 1) for i in group], 0, 1, ("same", g))
    for n, (_, most, members) in enumerate(problem.limits):
        model.line([(chosen[i], 1) for i in members], 0, most, ("items", n))
    return chosen


def _overlays(problem: Problem, model: Model, cells: Sequence[int]) -> list[int]:
    columns = []
    for n, overlay in enumerate(problem.overlays):
        if overlay.distinct is None:
            short = model.column(overlay.minimum, ("overlay", n))
            terms = [(cells[c], 1) for i in problem.looks[n] for c in problem.of[i]]
            model.line([*terms, (short, 1)], overlay.minimum, FREE, ("overlay", n))
        else:
            short = model.column(overlay.count, ("overlay", n))
            floor = max(1, overlay.each_min)
            reached = []
            for value, members in problem.distinct[n].items():
                flag = model.column(1, ("reached", n, value))
                terms = [(cells[c], 1) for i in members for c in problem.of[i]]
                model.line([*terms, (flag, -floor)], 0, FREE, ("reached", n, value))
                reached.append((flag, 1))
            model.line([*reached, (short, 1)], overlay.count, FREE, ("overlay", n))
        columns.append(short)
    return columns


def solve_exactly(problem: Problem) -> Usage:
    """The canonical usage by the program. Raises ``SolverDisagrees``."""
    built = build_model(problem)
    model = built.model
    settle_locked(built)
    _settle(built, dict.fromkeys(built.missing, 1))
    for column in built.overlay:
        _settle(built, {column: 1})
    total = _settle(built, dict.fromkeys(built.cells, 1))
    weights = len(problem.records)
    best = model.minimise(
        {built.cells[n]: problem.cells[n].record - weights for n in range(len(built.cells))}
    )
    values = best.values if best is not None else []
    use = _record_by_record(problem, built, values, total)
    return Usage(_days(problem, built, use), "program")


def allowed(problem: Problem, minutes: Sequence[int]) -> bool:
    """Whether every record can be used for exactly these minutes with all overlays met."""
    built = build_model(problem)
    settle_locked(built)
    for mine, total in zip(problem.of, minutes, strict=True):
        if not mine and total:
            return False
        built.model.line([(built.cells[n], 1) for n in mine], total, total, ("given",))
    for column in built.overlay:
        built.model.fix(column, 0, 0)
    return built.model.minimise({}) is not None


def least_missing(problem: Problem) -> tuple[int, list[int]]:
    """Only the first stages: minutes missing in blocks, and what each overlay then misses.

    The same numbers as ``solve_exactly`` leads to, without the allocation. Raises
    ``SolverDisagrees``.
    """
    built = build_model(problem)
    settle_locked(built)
    missing = _settle(built, dict.fromkeys(built.missing, 1))
    return missing, [_settle(built, {column: 1}) for column in built.overlay]


def settle_locked(built: Built) -> None:
    """Keep what earlier degrees hold: all of it, or as much as the limits leave room for."""
    if built.locked:
        _settle(built, dict.fromkeys(built.locked, -1))


def _settle(built: Built, costs: dict[int, int]) -> int:
    """Minimise and keep the result as a line. The zero-cost model is always feasible."""
    solution = built.model.minimise(costs)
    if solution is None:  # every stage keeps the last one's solution, and all-zero starts it
        raise AssertionError("an allocation of nothing is always possible")
    best = solution.objective
    built.model.line(list(costs.items()), -FREE, best, ("stage",))
    return best


def _record_by_record(problem: Problem, built: Built, values: list[int], total: int) -> list[int]:
    model = built.model
    use: list[int] = []
    left = total
    residual = [row.limit for row in problem.tight]
    simple = [
        r
        for r, row in enumerate(problem.tight)
        if all(k == 1 and len(problem.of[problem.cells[n].record]) == 1 for n, k in row.cells)
    ]
    rows_of: dict[int, list[int]] = {}
    for r in simple:
        for n, _ in problem.tight[r].cells:
            rows_of.setdefault(problem.cells[n].record, []).append(r)
    taken: set[int] = set()
    groups_of: dict[int, list[int]] = {}
    for g, group in enumerate(problem.groups):
        for i in group:
            groups_of.setdefault(i, []).append(g)
    for i, mine in enumerate(problem.of):
        now = sum(values[built.cells[n]] for n in mine)
        most = min([problem.supply[i], left, *(residual[r] for r in rows_of.get(i, ()))])
        if (
            i in problem.shut
            or not problem.classes[problem.klass[i]]
            or any(g in taken for g in groups_of.get(i, ()))
        ):
            most = 0
        if now < most:
            better = model.minimise({built.cells[n]: -1 for n in mine}, below=-now)
            if better is not None and -better.objective > now:
                now, values = -better.objective, better.values
        if len(mine) == 1:
            model.fix(built.cells[mine[0]], now, now)
        else:
            model.line([(built.cells[n], 1) for n in mine], now, now, ("stage",))
        use.append(now)
        left -= now
        for r in rows_of.get(i, ()):
            residual[r] -= now
        if now and i in built.chosen:
            taken.update(groups_of.get(i, ()))
            model.fix(built.chosen[i], 1, 1)
    return use


def _days(problem: Problem, built: Built, use: Sequence[int]) -> list[int]:
    """Cells of every record; where a record has a choice of days, the earliest that can be."""
    model = built.model
    found = [0] * len(problem.cells)
    limited = {n for row in problem.tight for n, _ in row.cells}
    for i, mine in enumerate(problem.of):
        left = use[i]
        capacity = sum(problem.cells[n].capacity for n in mine)
        settled = left in (0, capacity) or len(mine) == 1
        for n in mine:
            most = min(problem.cells[n].capacity, left)
            if not settled and most and n in limited:
                best = model.minimise({built.cells[n]: -1})
                if best is None:
                    raise AssertionError("the stage before left a solution")
                most = -best.objective
            if not settled:
                model.fix(built.cells[n], most, most)
            found[n] = most
            left -= most
    return found


@dataclass(frozen=True, slots=True)
class Proof:
    """That at least ``missing`` minutes are missing whatever the allocation: ``leaves`` cases,
    each with the lines that prove it and their multipliers; empty when not proved."""

    missing: int
    leaves: list[tuple[list[int], list[tuple[tuple[object, ...], int, Fraction]]]]


def prove(problem: Problem, missing: int) -> Proof:
    """Prove by weak duality, in fractions, that no allocation misses less in the blocks.

    Choices between duplicates that the relaxation would share are decided case by case, up to 64
    cases; beyond, the proof stays empty.
    """
    built = build_model(problem)
    settle_locked(built)
    costs = dict.fromkeys(built.missing, 1)
    leaves: list[tuple[list[int], list[tuple[tuple[object, ...], int, Fraction]]]] = []
    stack: list[dict[int, int]] = [{}]
    while stack:
        if len(leaves) + len(stack) > MOST_LEAVES:
            return Proof(missing, [])
        case = stack.pop()
        for i, column in built.chosen.items():
            value = case.get(i)
            built.model.fix(column, value or 0, 1 if value is None else value)
        duals = built.model.duals(costs)
        if duals is None:
            leaves.append(([i for i, v in case.items() if v], []))
            continue
        bound = built.model.bound(costs, duals)
        if bound is not None and -(-bound.numerator // bound.denominator) >= missing:
            leaves.append(([i for i, v in case.items() if v], _lines(problem, built, costs, duals)))
            continue
        relaxed = built.model.relaxed()
        open_ = [i for i in built.chosen if i not in case]
        if not open_:
            return Proof(missing, [])
        pick = max(
            open_, key=lambda i: (min(relaxed[built.chosen[i]], 1 - relaxed[built.chosen[i]]), -i)
        )
        stack.append({**case, pick: 0})
        stack.append({**case, pick: 1})
    return Proof(missing, leaves)


def _lines(
    problem: Problem, built: Built, costs: dict[int, int], duals: list[Fraction]
) -> list[tuple[tuple[object, ...], int, Fraction]]:
    """Lines and bounds with a multiplier: (name, its number, multiplier)."""
    model = built.model
    reduced = [Fraction(costs.get(c, 0)) for c in range(len(model.low))]
    found: list[tuple[tuple[object, ...], int, Fraction]] = []
    for line, dual in zip(model.lines, duals, strict=True):
        if dual:
            found.append((line.name, line.low if dual > 0 else line.high, dual))
            for column, k in line.terms:
                reduced[column] -= dual * k
    for column, cost in enumerate(reduced):
        name = model.names[column]
        if cost < 0 and name[0] == "flow":
            # what a class can give is what its records can
            members = [i for i, k in enumerate(problem.klass) if k == name[1]]
            found.extend((("record", i), problem.supply[i], cost) for i in members)
        elif cost < 0 and model.high[column]:
            found.append((name, model.high[column], cost))
    return found
