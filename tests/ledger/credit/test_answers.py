"""Answers that were given must come out again: a degree is recomputed by others years later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from credit_lives import ANSWERS, answers, everything, lives

from ledger.credit import lint
from ledger.credit.reasons import CONDITION, RECORD

CREDIT_LIVES = Path(__file__).parents[2] / "credit_lives.py"
PROGRAM = (
    "import json, sys; sys.path.insert(0, {!r}); import credit_lives; "
    "print(json.dumps(credit_lives.answers()))"
)


def test_every_frozen_answer_comes_out_again_to_the_byte() -> None:
    assert answers() == json.loads(ANSWERS.read_text("utf-8"))


def test_the_frozen_answers_meet_every_code_there_is() -> None:
    frozen = json.loads(ANSWERS.read_text("utf-8"))
    seen = {code for answer in frozen.values() for code in answer["codes"].split()}
    codes = {c for c in RECORD if not c.startswith("OK-") and c != "E-LATE-REJECT"}
    assert codes - seen <= {"E-READ", "OVERLAP", "CAP", "D-ITEMS", "UNUSED"}
    assert {tuple(answer["met"]) for answer in frozen.values()} == {
        (False, False),
        (True, False),
        (True, True),
    }
    assert CONDITION


def test_the_policy_with_every_word_is_one_the_city_could_publish() -> None:
    assert [f.rule for f in lint(everything()) if f.level == "error"] == []
    assert len(lives()) == len(json.loads(ANSWERS.read_text("utf-8")))


def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    """Sets and dictionaries are ordered differently there; no answer may depend on it."""
    for seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(str(CREDIT_LIVES.parent))],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "America/New_York"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == json.loads(ANSWERS.read_text("utf-8"))
