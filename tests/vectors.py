"""Where the published test vectors are. Tests read them there; the repository carries none."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "shared" / "vectors"


def vectors(name: str) -> Path:
    """The folder or file ``name`` of the vectors; skips the test, saying so, when it is absent."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"published vectors absent: {path}")
    return path
