"""An audit of plain files: what ``baeum credit audit`` does, without a database or a chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from credential.text import Text
from ledger.credit.audit import Audit, audit
from ledger.credit.errors import InputUnreadable, PolicyRefused
from ledger.credit.lint import lint
from ledger.credit.loader import bundled, load_policy
from ledger.credit.policy import Policy
from ledger.credit.records import (
    Context,
    Record,
    Unreadable,
    day,
    instant,
    parse_context,
    parse_records,
)

LARGEST = 64 * 1024 * 1024
MOST_RECORDS = 20_000


def _refuse(ko: str, en: str, **facts: Any) -> InputUnreadable:
    return InputUnreadable(
        Text(ko, en),
        Text(
            "docs/credit-policies.md에 나온 형식을 따라 주십시오.",
            "See docs/credit-policies.md for the format.",
        ),
        facts,
    )


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST:
            raise _refuse(f"{path} 파일이 너무 큽니다.", f"{path} is too large.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _refuse(
            f"{path} 파일을 열 수 없습니다.", f"Cannot open {path}: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise _refuse(f"{path} 파일이 UTF-8이 아닙니다.", f"{path} is not UTF-8.") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refuse(f"{path} 파일이 JSON이 아닙니다.", f"{path} is not JSON: {error}.") from error


def read_records(path: Path) -> tuple[list[Record], list[Unreadable]]:
    """A JSON list of records (see ``ledger.credit.records``). Raises ``InputUnreadable``."""
    raw = _json(path)
    if not isinstance(raw, list):
        raise _refuse("기록 파일은 목록이어야 합니다.", "The records file must be a JSON list.")
    if len(raw) > MOST_RECORDS:
        raise _refuse(
            f"한 사람의 기록은 {MOST_RECORDS}건까지입니다.",
            f"At most {MOST_RECORDS} records of one learner.",
        )
    return parse_records(raw)


def read_context(path: Path | None) -> Context:
    """A JSON object (see ``ledger.credit.records``); None is an empty context."""
    if path is None:
        return Context()
    raw = _json(path)
    if not isinstance(raw, Mapping):
        raise _refuse("맥락 파일은 객체여야 합니다.", "The context file must be a JSON object.")
    return parse_context(raw)


def parse_as_of(text: str) -> date | datetime:
    """``YYYY-MM-DD`` or RFC 3339. Raises ``InputUnreadable``."""
    try:
        if len(text) == 10:
            return day(text)
        instant(text)
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise _refuse(f"‘{text}’은(는) 날짜가 아닙니다.", f"'{text}' is not a date.") from error


def find_policy(name: Path | str) -> Policy:
    """A policy file, or the name of a bundled one (``seoul.citizen-degree@2025.1``).

    Raises ``PolicyUnreadable``, ``PolicyRefused`` (with the linter's findings).
    """
    known = next((p for p in bundled() if p.key == str(name)), None)
    policy = known or load_policy(Path(name))
    errors = [f for f in lint(policy) if f.level == "error"]
    if errors:
        first = errors[0]
        raise PolicyRefused(
            Text(
                f"{first.line}번째 줄 {first.rule}: {first.text.ko}",
                f"Line {first.line} {first.rule}: {first.text.en}",
            ),
            Text("기준 파일을 고친 뒤 다시 실행해 주십시오.", "Correct the policy and run again."),
            {
                "findings": [
                    {"rule": f.rule, "line": f.line, "text": f.text.to_json()} for f in errors
                ]
            },
        )
    return policy


def audit_files(
    policy: Path | str,
    records: Path,
    context: Path | None,
    as_of: str,
    degree: str,
) -> Audit:
    """``baeum credit audit --policy --records --context --as-of --degree``.

    Raises ``PolicyUnreadable``, ``PolicyRefused``, ``DegreeUnknown``, ``InputUnreadable``.
    """
    rules = find_policy(policy)
    known, unreadable = read_records(records)
    return audit(
        rules, degree, known, read_context(context), parse_as_of(as_of), unreadable=unreadable
    )
