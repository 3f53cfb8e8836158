"""The benchmark itself runs and says what it must."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

BENCH = Path(__file__).resolve().parents[2] / "scripts" / "bench"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_issuing_benchmark_issues_seals_and_anchors() -> None:
    found = load("issue").run(150, workers=1)
    assert {"count", "seconds", "per_second", "floor_per_second", "peak_rss_mb"} <= found.keys()
    assert (found["count"], found["transactions"]) == (150, 1)
    assert found["floor_per_second"] > 0
    assert found["cpu_us_each"] > 0


def test_the_tree_benchmark_checks_every_proof_it_takes() -> None:
    found = load("tree").run(1_000, proofs=100)
    assert (found["count"], found["proof_steps"], found["kept_bytes"]) == (1_000, 10, 4 * 32)
    assert found["floor_seconds"] > 0
