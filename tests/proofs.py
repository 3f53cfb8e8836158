"""Runs what judges the contracts, forge, halmos and slither, in a folder like ``contracts/``.

The tools are pinned: forge by ``contracts/package-lock.json``, halmos and slither by
``requirements-analysis.lock``, which ``scripts/test`` installs into ``.venv-analysis``.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evm import ROOT, missing

CONTRACTS = ROOT / "contracts"
ANALYSIS = ROOT / ".venv-analysis" / "bin"


def forge_binary() -> Path:
    """forge: BAEUM_FORGE, the npm package of this platform, or one on the PATH."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"@foundry-rs/forge-{platform.system().lower()}-{machine}"
    found = os.environ.get("BAEUM_FORGE") or shutil.which(
        "forge", path=f"{CONTRACTS / 'node_modules' / package / 'bin'}:{os.environ['PATH']}"
    )
    if found is None:
        missing("forge")
    return Path(str(found))


def analysis_binary(name: str) -> Path:
    """halmos or slither, from their own environment."""
    if not (ANALYSIS / name).is_file():
        missing(name)
    return ANALYSIS / name


def run(
    command: list[str | Path], folder: Path, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command in the folder, with forge on the PATH; its output is never thrown away."""
    path = f"{forge_binary().parent}:{os.environ['PATH']}"
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", **(settings or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )


def forge_test(
    folder: Path = CONTRACTS, settings: Mapping[str, str] | None = None, *options: str
) -> tuple[dict[str, dict[str, Any]], str]:
    """Every forge test's result by "Suite.test", and what forge printed when it could not tell."""
    done = run([forge_binary(), "test", "--json", *options], folder, settings)
    for line in reversed(done.stdout.splitlines()):
        try:
            suites = json.loads(line)
        except ValueError:
            continue
        if not isinstance(suites, dict) or not all("test_results" in s for s in suites.values()):
            continue
        return {
            f"{suite.partition(':')[2]}.{name.partition('(')[0]}": result
            for suite, body in suites.items()
            for name, result in body["test_results"].items()
        }, ""
    return {}, done.stdout + done.stderr


def copy_of_contracts(folder: Path) -> Path:
    """A folder that forge, halmos and slither take for ``contracts/``, to be changed freely."""
    for name in ("src", "test"):
        shutil.copytree(CONTRACTS / name, folder / name)
    for name in ("foundry.toml", "halmos.toml", "slither.config.json", "solc-wasm.js"):
        shutil.copy2(CONTRACTS / name, folder / name)
    (folder / "node_modules").symlink_to(CONTRACTS / "node_modules")
    return folder
