"""What someone gets who installs the package without the checkout: everything it needs, no more."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("contracts", "credential", "ledger", "issuer", "verifier", "wallet", "api", "baeum")
# The last four: what judges the contracts, and is of no use without the tools that do.
LEFT_BEHIND = ("node_modules", "__pycache__", ".forge", "test", "foundry.toml", "halmos.toml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    source = tmp_path_factory.mktemp("source")
    ignore = shutil.ignore_patterns(*LEFT_BEHIND)
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", target, source],
        check=True,
    )
    (built,) = target.glob("baeum-*.whl")
    return zipfile.ZipFile(built)


def test_every_file_of_the_rooms_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    packed = set(wheel.namelist())
    missing = [
        path
        for room in ROOMS
        for path in (
            str(file.relative_to(ROOT))
            for file in (ROOT / room).rglob("*")
            if file.is_file() and not any(part in LEFT_BEHIND for part in file.parts)
        )
        if path not in packed
    ]
    assert missing == []


def test_nothing_else_is(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)


def test_it_runs_from_the_wheel_alone(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r});"
        "import contracts, credential.contexts, ledger.credit, issuer.intake, api.app, baeum.cli;"
        f"assert contracts.__file__.startswith({str(tmp_path)!r});"
        "contracts.load('CredentialAnchor');"
        "credential.contexts.load('https://www.w3.org/ns/credentials/v2');"
        "assert ledger.credit.bundled();"
        "assert issuer.intake.ready_mappings()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
