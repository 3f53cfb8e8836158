"""Mutation testing of the credit engine: change one operator, see whether a test notices.

Every mutant is one change to one place of ``ledger/credit``: a comparison, an arithmetic or boolean
operator, a number, a condition, ``min`` for ``max``, ``any`` for ``all``, a lost ``continue``. Its
process is a fork that imports the changed module and runs the credit tests until one fails. The
sample is drawn with a seed, so anybody gets the same mutants from the same sources.

    .venv/bin/python scripts/mutate.py --sample 300 --seed 5

Words (``reasons.py``, ``errors.py``), annotations and the texts of messages are left alone: their
tests are of another kind.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import random
import signal
import sys
import time
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "ledger" / "credit"
# Words; and what other tests than these are about.
ELSEWHERE = {"__init__", "reasons", "errors", "whatif", "provable"}
# The quick ones whole and some seeds of the long ones; with --whole survivors meet all of them.
QUICK = (
    "admission",
    "changed_operators",
    "tricky_cases",
    "policies",
    "edges",
    "lint",
    "certificate",
    "screen",
    "difference",
    "advice",
)
FROZEN = "test_answers.py::test_every_frozen_answer_comes_out_again_to_the_byte"
SEEDS = {
    "test_every_tiny_case_is_the_one_brute_force_finds": 8,
    "test_the_total_is_the_maximum_flow": 3,
    "test_one_more_valid_record_never_lowers_the_answer": 3,
    "test_the_order_of_the_input_never_shows": 2,
}
FOLDER = "tests/ledger/credit"
# Where a change of a module is most likely to show: these tests run first.
FIRST = {
    "lint": "lint",
    "loader": "lint",
    "build": "lint",
    "advice": "advice",
    "screen": "screen",
    "sieve": "screen",
    "columns": "screen",
    "difference": "difference",
    "records": "hostile",
    "choose": "edges",
}
COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One change: the module, the line, what it was and what it is, and the changed tree."""

    module: str
    line: int
    before: str
    after: str
    place: int
    choice: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line}  {self.before}  ->  {self.after}"


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Every changed form of one node."""
    if isinstance(node, ast.Compare):
        for n, op in enumerate(node.ops):
            other = copy.deepcopy(node)
            other.ops[n] = COMPARE[type(op)]()
            yield other
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        swapped = copy.deepcopy(node)
        swapped.op = ARITHMETIC[type(node.op)]()
        yield swapped
    elif isinstance(node, ast.BoolOp):
        joined = copy.deepcopy(node)
        joined.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield joined
        for n in range(len(node.values)):
            kept = [v for m, v in enumerate(node.values) if m != n]
            yield kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
        called = copy.deepcopy(node)
        called.func = ast.Name(CALLS[node.func.id], ast.Load())
        yield called
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.If | ast.IfExp):
        for value in (True, False):
            settled = copy.deepcopy(node)
            settled.test = ast.Constant(value)
            yield settled


def places(tree: ast.AST) -> list[ast.AST]:
    """Nodes of a module that may be changed, in a stable order."""
    found: list[ast.AST] = []

    def walk(node: ast.AST) -> None:
        called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if called in ("Text", "field", "dataclass"):
            return
        if called == "isinstance":
            walk(node.args[0])  # type: ignore[attr-defined]
            return
        found.append(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_comment"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    walk(child)

    walk(tree)
    return found


def mutants(path: Path) -> list[Mutant]:
    """All mutants of one file."""
    tree = ast.parse(path.read_text("utf-8"))
    found = []
    for place, node in enumerate(places(tree)):
        for choice, changed in enumerate(changes(node)):
            line = getattr(node, "lineno", 0)
            before = ast.unparse(node).split("\n")[0]
            after = ast.unparse(ast.fix_missing_locations(changed)).split("\n")[0]
            found.append(Mutant(path.stem, line, before, after, place, choice))
    return found


def changed_tree(mutant: Mutant) -> ast.Module:
    """The module with the mutant's change in it."""
    tree = ast.parse((ENGINE / f"{mutant.module}.py").read_text("utf-8"))
    target = places(tree)[mutant.place]
    changed = list(changes(target))[mutant.choice]
    ast.copy_location(changed, target)

    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return changed if node is target else self.generic_visit(node)

    return ast.fix_missing_locations(Swap().visit(tree))


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves one module of the engine from a changed tree."""

    def __init__(self, name: str, tree: ast.Module, path: Path) -> None:
        self.name, self.tree, self.path = name, tree, path

    def find_spec(self, name: str, _path: Any, _target: Any = None) -> Any:
        if name != self.name:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=str(self.path))

    def exec_module(self, module: types.ModuleType) -> None:
        module.__file__ = str(self.path)
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


def run_tests(mutant: Mutant | None, arguments: Sequence[str], report: Path | None = None) -> int:
    """In a child: the credit tests with the mutant in place; pytest's exit code."""
    if mutant is not None:
        path = ENGINE / f"{mutant.module}.py"
        finder = _Changed(f"ledger.credit.{mutant.module}", changed_tree(mutant), path)
        sys.meta_path.insert(0, finder)
    import pytest

    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]))
    if report is not None:
        ours = ("ledger", "credential", "issuer", "api", "baeum", "verifier", "wallet", "contracts")
        names = [n for n in sys.modules if n.split(".")[0] not in (*ours, "tests", "__main__")]
        report.write_text(json.dumps(names))
    return code


def in_child(mutant: Mutant | None, arguments: Sequence[str], limit: float, **more: Any) -> str:
    """``killed``, ``survived`` or ``timeout`` (which counts as killed)."""
    child = os.fork()
    if child == 0:
        code = 70
        with contextlib.suppress(BaseException):
            os.setpgid(0, 0)
            code = run_tests(mutant, arguments, **more)
        os._exit(code)
    ends = time.monotonic() + limit
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def warm(names: Sequence[str]) -> None:
    """Import what the tests import, except ours, so that a fork starts at once."""
    for name in names:
        if not name.startswith(("conftest", "credit_", "test_", "_pytest.", "highspy")):
            with contextlib.suppress(BaseException):
                importlib.import_module(name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=300, help="How many; 0 for all.")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--limit", type=float, default=240, help="Seconds for one mutant.")
    parser.add_argument("--only", help="Modules, comma-separated.")
    parser.add_argument("--whole", action="store_true", help="Survivors meet the long tests too.")
    parser.add_argument("--out", type=Path, help="Write the result as JSON.")
    parser.add_argument("--again", type=Path, help="Only the survivors of an earlier result.")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    files = [p for p in sorted(ENGINE.glob("*.py")) if p.stem not in ELSEWHERE]
    if options.only:
        files = [p for p in files if p.stem in options.only.split(",")]
    everything = [m for path in files for m in mutants(path)]
    chosen = everything
    if options.again:
        earlier = json.loads(options.again.read_text())["survivors"]
        kept = {(module, before, after) for module, _, before, after in earlier}
        chosen = [m for m in everything if (m.module, m.before, m.after) in kept]
    elif options.sample and options.sample < len(everything):
        # in the order they were drawn, so that a run cut short is a fair sample too
        chosen = random.Random(options.seed).sample(everything, options.sample)
    arguments = [p for p in (f"{FOLDER}/test_{q}.py" for q in QUICK) if Path(p).exists()]
    for test, most in SEEDS.items():
        arguments += [f"{FOLDER}/test_exact.py::{test}[{n}]" for n in range(most)]
    arguments += [f"{FOLDER}/test_hostile.py", "-k", "not no_input_crashes"]
    report = Path(os.environ.get("TMPDIR", "/tmp")) / f"baeum-mutate-{os.getpid()}.json"
    started = time.monotonic()
    if in_child(None, arguments, 1200, report=report) != "survived":
        print("The tests fail without any change; nothing to measure.", file=sys.stderr)
        return 2
    warm(json.loads(report.read_text()))
    report.unlink()
    print(
        f"{len(everything)} mutants, {len(chosen)} chosen; base {time.monotonic() - started:.0f} s"
    )
    survivors: list[Mutant] = []
    counts = {"killed": 0, "survived": 0, "timeout": 0}
    for n, mutant in enumerate(chosen, 1):
        # most fall at once, before the rest is even collected
        first = [f"{FOLDER}/{FROZEN}", f"{FOLDER}/test_{FIRST.get(mutant.module, 'admission')}.py"]
        verdict = in_child(mutant, first, options.limit)
        if verdict == "survived":
            verdict = in_child(mutant, arguments, options.limit)
        if verdict == "survived" and options.whole:
            verdict = in_child(mutant, [f"{FOLDER}/test_exact.py"], options.limit)
        counts[verdict] += 1
        if verdict == "survived":
            survivors.append(mutant)
            print(f"survived  {mutant}", flush=True)
        if n % 10 == 0:
            print(f"{n}/{len(chosen)} {counts} {time.monotonic() - started:.0f} s", flush=True)
    caught = counts["killed"] + counts["timeout"]
    result = {
        "mutants": len(everything),
        "sample": len(chosen),
        "seed": options.seed,
        **counts,
        "caught_per_cent": round(100 * caught / max(1, len(chosen)), 1),
        "seconds": round(time.monotonic() - started),
        "survivors": [(m.module, m.line, m.before, m.after) for m in survivors],
    }
    print(json.dumps({k: v for k, v in result.items() if k != "survivors"}))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0 if caught * 10 >= len(chosen) * 9 else 1


if __name__ == "__main__":
    sys.exit(main())
