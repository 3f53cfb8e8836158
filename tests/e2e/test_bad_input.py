"""Bad input and bad days: one clear message with its remedy, exit code 2, nothing half-written,
and the next run goes on.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "scripts" / "sample"
UNIVERSITY = "seoul-citizens-university"
CERTIFICATES = (
    "회원번호",
    "성명",
    "자격증명",
    "등급",
    "자격코드",
    "자격증번호",
    "취득일",
    "인정시간(시간)",
)
ROW = ("SM99-000001", "홍길동", "한국사능력검정", "1급", "KH-1", "C-99", "2025.06.20", "10")

pytestmark = pytest.mark.xdist_group("bad-input")


class Shell:
    """The command in one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "BAEUM_HOME": str(self.home), "BAEUM_LANG": "en", **environment}
        return subprocess.run(
            [sys.executable, "-m", "baeum", *arguments],
            env=env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def refused(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """The error of a command that must end with exit code 2 and one message."""
        result = self(*arguments, "--json", **environment)
        assert result.returncode == 2, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        error: dict[str, Any] = json.loads(result.stdout)["error"]
        for part in ("title", "detail", "remedy"):
            assert error[part]["ko"]
            assert error[part]["en"]
        return error

    def counts(self) -> tuple[int, ...]:
        """Rows in the tables that a submission writes."""
        with contextlib.closing(sqlite3.connect(self.home / "baeum.db")) as database:
            return tuple(
                database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("submission", "submission_row", "learning_record", "learner")
            )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shell = Shell(tmp_path_factory.mktemp("template"))
    result = shell("setup", "--institutions", str(SAMPLE / "institutions.yaml"), "--json")
    assert result.returncode == 0, result.stderr
    return shell.folder


@pytest.fixture
def shell(template: Path, tmp_path: Path) -> Shell:
    shutil.copytree(template / "home", tmp_path / "home")
    return Shell(tmp_path)


def sheet(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


GOOD = sheet([CERTIFICATES, ROW])


def test_a_file_that_is_not_there(shell: Shell) -> None:
    error = shell.refused("ingest", "absent.csv", "--institution", UNIVERSITY)
    assert "absent.csv" in error["detail"]["en"]


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def bomb() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        book = io.BytesIO()
        Workbook().save(book)
        with zipfile.ZipFile(book) as real:
            for name in real.namelist():
                if name != "xl/worksheets/sheet1.xml":
                    file.writestr(name, real.read(name))
        file.writestr("xl/worksheets/sheet1.xml", b" " * (300 * 1024 * 1024))
    return archive.getvalue()


FILES: dict[str, tuple[str, Callable[[], bytes], set[str]]] = {
    "garbage": ("x.xlsx", lambda: os.urandom(5_000), {"file-unreadable", "encoding-unclear"}),
    "empty": ("x.csv", lambda: b"", {"file-unreadable"}),
    "wrong encoding": (
        "x.csv",
        lambda: GOOD.encode("utf-8") + "홍길동,한글".encode("cp949") * 3,
        {"mixed-encodings", "encoding-unclear"},
    ),
    "utf-16 without a mark": ("x.csv", lambda: GOOD.encode("utf-16-le"), {"encoding-unclear"}),
    "missing column": (
        "x.csv",
        lambda: sheet([CERTIFICATES[1:], ROW[1:]]).encode(),
        {"column-missing"},
    ),
    "unknown headings": ("x.csv", lambda: b"a,b,c\n1,2,3\n", {"mapping-unknown"}),
    "zip bomb": ("x.xlsx", bomb, {"archive-bomb"}),
    "resident numbers": (
        "x.csv",
        lambda: sheet([(*CERTIFICATES, "주민등록번호"), (*ROW, "900101-1234567")]).encode(),
        {"resident-number"},
    ),
    "more than ten million rows": (
        "x.csv",
        lambda: (sheet([CERTIFICATES]) + "\n").encode() + b"1\n" * 10_000_200,
        {"file-too-large"},
    ),
}


@pytest.mark.parametrize("case", sorted(FILES))
def test_a_file_that_cannot_be_taken_in_leaves_nothing_behind(shell: Shell, case: str) -> None:
    name, content, codes = FILES[case]
    before = shell.counts()
    path = write(shell.folder, name, content())
    error = shell.refused("ingest", path, "--institution", "seoul-lifelong-education")
    assert error["code"] in codes
    assert "900101" not in json.dumps(error)
    assert shell.counts() == before


def test_an_unknown_institution_names_the_nearest(shell: Shell) -> None:
    path = write(shell.folder, "x.csv", GOOD.encode())
    error = shell.refused("ingest", path, "--institution", "seoul-citizen-university")
    assert error["code"] == "unknown-institution"
    assert UNIVERSITY in error["remedy"]["en"]


def test_a_locked_database_and_then_a_free_one(shell: Shell) -> None:
    path = write(shell.folder, "x.csv", GOOD.encode())
    with sqlite3.connect(shell.home / "baeum.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        error = shell.refused("ingest", path, "--institution", "seoul-lifelong-education")
        assert error["code"] == "database-locked"
        other.execute("ROLLBACK")
    assert shell("ingest", path, "--institution", "seoul-lifelong-education").returncode == 0
    assert shell.counts()[2] == 1


def test_a_dead_database_server(shell: Shell) -> None:
    error = shell.refused("issue", BAEUM_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert error["code"] == "database-unavailable"


def test_a_dead_node_loses_nothing(shell: Shell) -> None:
    path = write(shell.folder, "x.csv", GOOD.encode())
    assert shell("ingest", path, "--institution", "seoul-lifelong-education").returncode == 0
    assert shell("issue").returncode == 0
    error = shell.refused("anchor", BAEUM_CHAIN_URL="http://127.0.0.1:9")
    assert error["code"] == "endpoint-unreachable"
    result = shell("anchor", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["batches"][0]["size"] == 1


def test_contracts_that_are_not_ours_are_not_used(shell: Shell) -> None:
    """The code on the chain is compared with the artifacts before anything is anchored."""
    path = write(shell.folder, "x.csv", GOOD.encode())
    assert shell("ingest", path, "--institution", "seoul-lifelong-education").returncode == 0
    assert shell("issue").returncode == 0
    file = shell.home / "network.json"
    good = file.read_text()
    network = json.loads(good)
    network["networks"][0]["anchor"] = network["networks"][0]["policy"]
    file.write_text(json.dumps(network))
    assert shell.refused("anchor")["code"] == "contract-code-differs"
    served = shell("serve", "--port", "1")
    assert served.returncode == 2
    assert "The contract on the chain is another one" in served.stderr
    file.write_text(good)
    assert shell("anchor").returncode == 0


def test_a_wrong_passphrase(shell: Shell) -> None:
    error = shell.refused("issue", BAEUM_PASSPHRASE="not this one")
    assert error["code"] == "wrong-passphrase"


def test_a_full_disk_and_then_a_free_one(shell: Shell, tmp_path: Path) -> None:
    """A small file system of its own, filled; then room is made and the same command goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        shell.home = Path(shutil.copytree(shell.home, disk / "home"))
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        source = str(SAMPLE / "digital-learning-centre.csv")
        error = shell.refused("ingest", source, "--institution", "digital-learning-centre")
        assert error["code"] == "disk-full"
        filler.unlink()
        result = shell("ingest", source, "--institution", "digital-learning-centre", "--json")
        assert result.returncode == 0, result.stdout + result.stderr
        assert json.loads(result.stdout)["accepted"] > 1_000
        assert shell.counts()[0] == 1
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
