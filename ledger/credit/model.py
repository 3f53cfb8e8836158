"""A small integer program in exact integers, solved by HiGHS and checked here.

The model keeps its own integer rows and bounds. Whatever the solver returns is rounded and put
through every row again in integer arithmetic; what does not fit is not believed. A lower bound is
believed only when weak duality in fractions proves it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import highspy
import numpy

from credential.text import Text
from ledger.credit.errors import SolverDisagrees

FREE = 1 << 40
_NEAR = 1e-5
MOST_NODES = 200_000  # a count, not a time: the same input gives up at the same place


@dataclass(slots=True)
class Line:
    """``low <= sum(coefficient * column) <= high``; ``name`` says what it is."""

    terms: list[tuple[int, int]]
    low: int
    high: int
    name: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Solution:
    """Integer values of all columns and the objective."""

    values: list[int]
    objective: int


@dataclass(slots=True)
class Model:
    """Columns with integer bounds and lines; grows, never shrinks."""

    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    names: list[tuple[Any, ...]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    _linear: Any = None
    _whole: Any = None

    def column(self, high: int, name: tuple[Any, ...], low: int = 0) -> int:
        self.low.append(low)
        self.high.append(high)
        self.names.append(name)
        return len(self.low) - 1

    def line(
        self, terms: Iterable[tuple[int, int]], low: int, high: int, name: tuple[Any, ...]
    ) -> None:
        """Add a line, also after the first solve."""
        kept = [(c, k) for c, k in terms if k]
        self.lines.append(Line(kept, low, high, name))
        for solver in (self._linear, self._whole):
            if solver is not None:
                solver.addRow(
                    _bound(low),
                    _bound(high),
                    len(kept),
                    numpy.array([c for c, _ in kept], dtype=numpy.int32),
                    numpy.array([k for _, k in kept], dtype=numpy.float64),
                )

    def fix(self, column: int, low: int, high: int) -> None:
        """Narrow the bounds of a column."""
        self.low[column], self.high[column] = low, high
        for solver in (self._linear, self._whole):
            if solver is not None:
                solver.changeColBounds(column, float(low), float(high))

    def minimise(self, costs: Mapping[int, int], below: int | None = None) -> Solution | None:
        """The least of an objective; None when no assignment satisfies the lines, or when the
        linear relaxation shows that nothing is less than ``below``.

        The linear relaxation first: when its optimum is whole it is the optimum. Raises
        ``SolverDisagrees`` when the solver's answer does not survive the integer check.
        """
        for whole in (False, True):
            solver = self._solver(whole)
            _set_costs(solver, len(self.low), costs)
            solver.run()
            status = solver.getModelStatus()
            if status == highspy.HighsModelStatus.kInfeasible:
                return None
            if status != highspy.HighsModelStatus.kOptimal:
                raise _disagrees(f"status {status}")
            if below is not None and solver.getObjectiveValue() > below - 1 + _NEAR:
                return None
            raw = list(solver.getSolution().col_value)
            if not whole and any(abs(v - round(v)) > _NEAR for v in raw):
                continue
            values = [round(v) for v in raw]
            if self.holds(values):
                return Solution(values, sum(k * values[c] for c, k in costs.items()))
        raise _disagrees("an assignment that breaks a line")

    def holds(self, values: list[int]) -> bool:
        """Whether integer values satisfy every bound and line, exactly."""
        if any(
            not low <= v <= high for v, low, high in zip(values, self.low, self.high, strict=True)
        ):
            return False
        return all(
            line.low <= sum(k * values[c] for c, k in line.terms) <= line.high
            for line in self.lines
        )

    def relaxed(self) -> list[float]:
        """Column values of the linear relaxation's last solve."""
        return list(self._solver(False).getSolution().col_value)

    def duals(self, costs: Mapping[int, int]) -> list[Fraction] | None:
        """Row multipliers of the linear relaxation, as small fractions; None when infeasible."""
        solver = self._solver(False)
        _set_costs(solver, len(self.low), costs)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return [
            Fraction(d).limit_denominator(5040) if math.isfinite(d) else Fraction(0)
            for d in solver.getSolution().row_dual
        ]

    def bound(self, costs: Mapping[int, int], duals: list[Fraction]) -> Fraction | None:
        """What these multipliers prove the objective is at least (weak duality), exactly."""
        reduced = [Fraction(costs.get(c, 0)) for c in range(len(self.low))]
        total = Fraction(0)
        for line, dual in zip(self.lines, duals, strict=True):
            if not dual:
                continue
            side = line.low if dual > 0 else line.high
            if abs(side) >= FREE:
                return None
            total += dual * side
            for column, k in line.terms:
                reduced[column] -= dual * k
        for column, cost in enumerate(reduced):
            if cost:
                side = self.low[column] if cost > 0 else self.high[column]
                if abs(side) >= FREE:
                    return None
                total += cost * side
        return total

    def _solver(self, whole: bool) -> Any:
        solver = self._whole if whole else self._linear
        if solver is None:
            solver = _load(self, whole)
            if whole:
                self._whole = solver
            else:
                self._linear = solver
        return solver


def _bound(value: int) -> float:
    if value >= FREE:
        return highspy.kHighsInf
    return -highspy.kHighsInf if value <= -FREE else float(value)


def _set_costs(solver: Any, columns: int, costs: Mapping[int, int]) -> None:
    dense = numpy.zeros(columns)
    for column, cost in costs.items():
        dense[column] = cost
    solver.changeColsCost(columns, numpy.arange(columns, dtype=numpy.int32), dense)


def _load(model: Model, whole: bool) -> Any:
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.5),
        ("mip_max_nodes", MOST_NODES),
        ("presolve", "on" if whole else "off"),
    ):
        solver.setOptionValue(option, value)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.low), len(model.lines)
    lp.col_cost_ = numpy.zeros(len(model.low))
    lp.col_lower_ = numpy.array([_bound(v) for v in model.low])
    lp.col_upper_ = numpy.array([_bound(v) for v in model.high])
    lp.row_lower_ = numpy.array([_bound(line.low) for line in model.lines])
    lp.row_upper_ = numpy.array([_bound(line.high) for line in model.lines])
    starts: list[int] = [0]
    index: list[int] = []
    factors: list[float] = []
    for line in model.lines:
        index.extend(c for c, _ in line.terms)
        factors.extend(float(k) for _, k in line.terms)
        starts.append(len(index))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = numpy.array(starts, dtype=numpy.int32)
    lp.a_matrix_.index_ = numpy.array(index, dtype=numpy.int32)
    lp.a_matrix_.value_ = numpy.array(factors, dtype=numpy.float64)
    if whole:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(model.low)
    solver.passModel(lp)
    return solver


def _disagrees(detail: str) -> SolverDisagrees:
    return SolverDisagrees(
        Text(
            "정수 계산으로 확인하지 못해 결과를 내지 않았습니다.",
            f"The solver's answer did not survive the integer check: {detail}.",
        ),
        Text(
            "기록과 기준 파일을 담당자에게 보내 주십시오.",
            "Send the records and the policy to the operator.",
        ),
    )
