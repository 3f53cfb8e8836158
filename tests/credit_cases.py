"""Builders for credit tests: small policies as documents, records as JSON, one-line audits."""

from __future__ import annotations

import copy
import json
from datetime import date
from typing import Any

from ledger.credit import Audit, Policy, audit, parse_context, parse_policy, parse_records

BASE: dict[str, Any] = {
    "format": "degree-rules/1",
    "policy": {
        "id": "test.policy",
        "version": "1",
        "effective": {"from": "2020-01-01", "to": None},
        "status": "example",
    },
    "clock": {"timezone": "Asia/Seoul", "year": "calendar"},
    "units": {"base": "minute", "lesson_minutes": 60, "basis": "decided for tests"},
    "taxonomy": {
        "version": "t1",
        "leaves": ["red", "green", "blue"],
        "alias": {"빨강": "red"},
    },
    "evidence": {"count_status": ["verified"], "issuer": {"registry": "any"}},
    "identity": {
        "same_learning": [
            ["issuer", "issuer_record"],
            ["person", "offering"],
            ["person", "course_class"],
            ["person", "about"],
        ],
        "keep": "best_for_learner",
        "overlap": {"within_type": "union", "across_type": "one_minute_once"},
    },
    "conversions": [],
    "caps": [],
    "degrees": [
        {
            "id": "bachelor",
            "name": {"ko": "학사", "en": "Bachelor"},
            "advertised_hours": 100,
            "blocks": [
                {"id": "B", "min": 6000, "accept": {"any": True}, "basis": "decided for tests"}
            ],
            "after": {},
        }
    ],
    "transition": {"choose_by": "enrolment_date"},
}


def document(**changes: Any) -> dict[str, Any]:
    """The base policy with top-level sections replaced (``degrees=[…]``, ``caps=[…]`` …)."""
    return {**copy.deepcopy(BASE), **copy.deepcopy(changes)}


def policy(**changes: Any) -> Policy:
    """The base policy, changed, parsed (JSON is YAML)."""
    return parse_policy(json.dumps(document(**changes), ensure_ascii=False))


def degree(blocks: list[dict[str, Any]], ident: str = "bachelor", **more: Any) -> dict[str, Any]:
    """A degree with these blocks; hours and names filled in."""
    filled = [{"basis": "decided for tests", **b} for b in blocks]
    total = sum(b["min"] for b in filled)
    return {
        "id": ident,
        "name": {"ko": ident, "en": ident},
        "advertised_hours": total // 60,
        "blocks": filled,
        **more,
    }


def block(ident: str, minutes: int, **accept: Any) -> dict[str, Any]:
    return {"id": ident, "min": minutes, "accept": accept or {"any": True}}


def record(ident: str, minutes: int | None = None, day: str = "2025-03-10", **more: Any) -> Any:
    """A verified course of a day; give ``start``/``end`` for clock times."""
    body: dict[str, Any] = {"id": ident, "type": "course", "issuer": "scu", "status": "verified"}
    if "start" not in more and "intervals" not in more:
        body["date"] = day
    if minutes is not None:
        body["minutes"] = minutes
    return {**body, **more}


def span(ident: str, start: str, end: str, kind: str = "volunteering", **more: Any) -> Any:
    """A verified record with exact times; times without offset are taken as Seoul time."""

    def full(text: str) -> str:
        text = text if "T" in text else text.replace(" ", "T")
        return text if text.endswith("Z") or "+" in text else f"{text}:00+09:00"

    return record(ident, type=kind, start=full(start), end=full(end), **more)


def run(
    rules: Policy,
    records: list[Any],
    *,
    which: str = "bachelor",
    as_of: str = "2026-06-01",
    method: str = "auto",
    **context: Any,
) -> Audit:
    """Parse everything and audit."""
    known, unreadable = parse_records(records)
    return audit(
        rules,
        which,
        known,
        parse_context(context),
        date.fromisoformat(as_of),
        unreadable=unreadable,
        method=method,
    )


def line(result: Audit, ident: str) -> dict[str, Any]:
    """The explanation line of a record."""
    return next(entry for entry in result.document["records"] if entry["record"] == ident)


def counted(result: Audit) -> dict[str, int]:
    """Counted minutes of every record that counts."""
    found: dict[str, int] = {}
    for entry in result.document["allocation"]:
        found[entry["record"]] = found.get(entry["record"], 0) + entry["minutes"]
    return found


def missing(result: Audit) -> int:
    """Missing minutes over all blocks."""
    return sum(entry["minutes"] for entry in result.document["missing"])
