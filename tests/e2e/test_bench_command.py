"""``baeum bench`` runs, and says what it measured beside what the hardware allows."""

from __future__ import annotations

import json

import pytest

from baeum.cli import run


@pytest.mark.parametrize("name", ["issue", "verify", "tree", "status"])
def test_it_measures(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", name, "--count", "300", "--runs", "1", "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["count"] == 300
    assert len(result["runs"]) == 1
    assert any("floor" in key for key in result) or name == "status"
