"""The operator's runbook names every error of anchoring and every difference of the audit, by the
codes the program has, and no others."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SOURCES = [
    *(ROOT / "ledger").glob("*.py"),
    *(ROOT / "ledger" / "chain").glob("*.py"),
    ROOT / "credential" / "quorum.py",
]
ANCHORING = [
    ROOT / "ledger" / "anchoring.py",
    ROOT / "credential" / "quorum.py",
    *(ROOT / "ledger" / "chain" / f"{name}.py" for name in ("endpoint", "network", "transactions")),
]
DIFFERENCES = [
    ROOT / "ledger" / f"{name}.py"
    for name in ("reconciliation", "anchor_comparison", "status_comparison")
]


def error_codes(paths: list[Path]) -> set[str]:
    return {
        code
        for path in paths
        for code in re.findall(
            r'^    code(?:: ClassVar\[str\])? = "([a-z-]+)"', path.read_text(), re.M
        )
    }


def difference_codes() -> set[str]:
    source = "".join(path.read_text(encoding="utf-8") for path in DIFFERENCES)
    named = set(re.findall(r'Difference\(\s+"([a-z-]+)"', source))
    chosen = re.findall(r'"([a-z-]+)" if [^,]+ else "([a-z-]+)"', source)
    return named | {code for pair in chosen for code in pair}


def first_column() -> set[str]:
    rows = [line.split("|")[1] for line in RUNBOOK.splitlines() if line.startswith("| ")]
    return {code for row in rows for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", row)}


def test_every_error_of_anchoring_is_in_the_runbook() -> None:
    assert len(error_codes(ANCHORING)) >= 10
    assert error_codes(ANCHORING) - first_column() == set()


def test_every_difference_of_the_audit_is_in_the_runbook() -> None:
    assert len(difference_codes()) >= 14
    assert difference_codes() - first_column() == set()


def test_the_runbook_names_no_code_that_does_not_exist() -> None:
    elsewhere = {
        code
        for path in (ROOT / "ledger").rglob("*.py")
        for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text(encoding="utf-8"))
    } | {
        code
        for path in (ROOT / "baeum").rglob("*.py")
        for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text(encoding="utf-8"))
    }
    assert first_column() - elsewhere - error_codes(SOURCES) == set()
