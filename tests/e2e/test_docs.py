"""Every command in the README and the docs is run, and ends with the exit code written beside it.

A command in a ``sh`` block must end with 0, or with N where the line says ``# exit code N``.
Lines that begin with what is listed in ``ELSEWHERE`` are run by the test named there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = {
    "scripts/test": "this is it",
    "scripts/run serve": "tests/e2e/test_serve.py",
    ".venv/bin/baeum award": "tests/e2e/test_awards.py",
    "application=$(.venv/bin/baeum award": "tests/e2e/test_awards.py",
    ".venv/bin/baeum disclose": "tests/e2e/test_awards.py",
}
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"#.*exit code (\d+)")


def blocks(document: Path) -> list[list[str]]:
    """The lines of each ``sh`` block; a line that ends with a backslash is joined to the next."""
    found = _BLOCK.findall(document.read_text(encoding="utf-8"))
    return [
        [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]
        for block in found
    ]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the checkout after `scripts/run`, with a home of its own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("scripts", "ledger", "docs", "baeum.toml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    result = run(folder, ".venv/bin/baeum demo --json > /dev/null")
    assert result.returncode == 0, result.stderr
    return folder


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("BAEUM_")}
    return subprocess.run(
        ["bash", "-u"],
        input=script,
        cwd=folder,
        env={**env, "BAEUM_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_commands_of(document: Path, checkout: Path) -> None:
    lines = [line for block in blocks(document) for line in block]
    script, expected = "", []
    for line in lines:
        command = line.split(" #")[0].strip()
        if any(command.startswith(known) for known in ELSEWHERE):
            continue
        code = _CODE.search(line)
        expected.append((command, int(code.group(1)) if code else 0))
        command = re.sub(r"^scripts/run$", ".venv/bin/baeum demo", command)
        script += f'{command}\necho "@exit $?"\n'
    if not expected:
        pytest.skip("no commands")
    result = run(checkout, script)
    codes = [int(code) for code in re.findall(r"^@exit (\d+)$", result.stdout, re.MULTILINE)]
    assert [(command, code) for (command, _), code in zip(expected, codes, strict=True)] == expected
    assert "Traceback" not in result.stderr


def test_the_commands_the_readme_promises_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "scripts/run" in text
    assert "scripts/test" in text
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
