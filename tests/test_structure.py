"""The shape of the house: arrows point one way, and the picture and the locks match the code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("contracts", "credential", "ledger", "issuer", "verifier", "wallet", "api", "baeum")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", program, "--config", "pyproject.toml", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages, so that a test may break it."""
    for room in ROOMS:
        shutil.copytree(
            ROOT / room,
            tmp_path / room,
            ignore=shutil.ignore_patterns("node_modules", "__pycache__", "artifacts", "data"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_arrows_point_one_way(house: Path) -> None:
    result = lint_imports(house)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("verifier", "import issuer"),
        ("verifier", "import sqlalchemy"),
        ("wallet", "import verifier"),
        ("credential", "import ledger"),
        ("contracts", "import credential"),
        ("ledger", "import issuer"),
        ("issuer", "import verifier"),
        ("api", "import baeum"),
        ("ledger/credit", "import ledger.database.models"),
    ],
)
def test_an_arrow_that_points_the_wrong_way_is_caught(
    house: Path, room: str, forbidden: str
) -> None:
    (house / room / "wrong_way.py").write_text(f"{forbidden}\n", encoding="utf-8")
    result = lint_imports(house)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout


def test_every_room_says_what_it_is_for() -> None:
    for room in ROOMS:
        first = (ROOT / room / "__init__.py").read_text(encoding="utf-8")
        assert first.startswith('"""'), room


def test_the_picture_of_the_rooms_is_the_codes() -> None:
    check = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "rooms.py"), "--check"], check=False, cwd=ROOT
    )
    assert check.returncode == 0, "run scripts/rooms.py"


def test_locks_pin_every_dependency_with_digests_and_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
        assert len(pinned) > 60
        assert text.count("--hash=sha256:") >= len(pinned)
