"""The allocation by whichever path is enough: cheap exact bounds first, then the program."""

from __future__ import annotations

from ledger.credit.bounds import Usage, solve_cheaply
from ledger.credit.problem import Problem
from ledger.credit.program import solve_exactly
from ledger.credit.split import split


def allocate(problem: Problem, method: str = "auto") -> Usage:
    """Counted minutes of every cell. ``method`` ``"program"`` skips the cheap path (the answer is
    the same; tests compare). Raises ``SolverDisagrees``."""
    if method == "auto":
        usage = solve_cheaply(problem)
        if usage is not None:
            return usage
    return solve_exactly(problem)


def by_block(problem: Problem, usage: Usage) -> list[dict[int, int]]:
    """For each record its minutes per block (places in ``problem.blocks``)."""
    return split(
        usage.of(problem),
        problem.klass,
        problem.classes,
        [b.minimum for b in problem.blocks],
        [b.maximum for b in problem.blocks],
    )
