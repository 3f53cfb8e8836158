"""The page about verification is true to the code."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

from verifier import Verdict, status_source
from verifier.report import CHECK_IDS
from verifier.status_source import Fetched, SourceUnreachable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
STEP = re.compile(r"^(\d)\. ``?([a-z-]+)``?:", re.MULTILINE)


def test_steps_are_numbered_alike_in_docs_docstring_and_code():
    module = importlib.import_module("verifier.verify")
    in_code = [(step.number, step.id) for step in module.STEPS]
    assert in_code == list(enumerate(CHECK_IDS, start=1))
    for text in (PAGE, module.__doc__):
        assert [(int(number), name) for number, name in STEP.findall(text)] == in_code


def test_every_module_of_a_check_says_its_number():
    for number, check_id in enumerate(CHECK_IDS, start=1):
        module = importlib.import_module(f"verifier.checks.{check_id.replace('-', '_')}")
        assert module.__doc__.startswith(f"Step {number}: ")


def test_every_code_in_the_table_is_in_the_code():
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "verifier").rglob("*.py")
    )
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    codes = [code for row in rows for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", row)]
    assert len(codes) > 15
    for code in codes:
        assert f'"{code}"' in sources or code == "status-unreachable", code


def test_the_ten_lines_run(world, tmp_path, monkeypatch, capsys):
    """As printed, with a node and a list server of our own behind them."""
    evidence = world.issue()
    (tmp_path / "credential.baeum.json").write_bytes(evidence.to_bytes())
    network = {
        "chainId": 20260,
        "registry": "0x" + "b2" * 20,
        "anchor": "0x" + "a1" * 20,
        "confirmations": 3,
        "rpc": ["http://node.example"],
    }
    (tmp_path / "network.json").write_text(json.dumps({"networks": [network]}), encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 12

    def fetch(_self, url: str) -> Fetched:
        return Fetched(world.lists.fetch(url).body, world.now)

    def silent(_self, _url: str) -> Fetched:
        raise SourceUnreachable(world.trust().networks[0].name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("verifier.rpc.HttpRpc.__call__", lambda _self, m, p: world.node(m, p))
    for answer, verdict in ((fetch, Verdict.VALID), (silent, Verdict.UNDETERMINED)):
        monkeypatch.setattr(status_source.HttpSource, "fetch", answer)
        clocked = snippet.replace("datetime.now(UTC)", "datetime(2026, 11, 20, 3, tzinfo=UTC)")
        exec(compile(clocked, "docs/verification.md", "exec"), {})
        assert capsys.readouterr().out.startswith(verdict.value)


@pytest.mark.parametrize("word", ["forged", "never"])
def test_the_page_says_what_not_run_means(word):
    assert word in PAGE
