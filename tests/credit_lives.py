"""Lives of learners for the frozen answers, and a policy that uses every word of the format.

    python tests/credit_lives.py

writes ``tests/ledger/credit/answers.json`` again. That is right only when the answer of an audit is
meant to change: verifiers recompute degrees that were decided under these answers.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from credit_cases import BASE, run  # noqa: E402

from ledger.credit import Policy, bundled, parse_policy  # noqa: E402

ANSWERS = Path(__file__).parent / "ledger" / "credit" / "answers.json"
BASIS = {"basis": "decided for tests"}
NAME = {"name": {"ko": "가", "en": "A"}}


def cap(ident: str, window: str, most: int, **more: Any) -> dict[str, Any]:
    body = {"id": ident, "match": {"type": "volunteering"}, "window": window, "max": most, **NAME}
    return {**body, **BASIS, **more}


EVERYTHING: dict[str, Any] = {
    **BASE,
    "clock": {
        "timezone": "Asia/Seoul",
        "year": "academic:03-01",
        "terms": ["03-01", "09-01"],
        "period_rule": "include_first_day",
        "period_end": "next_working_day",
        "holidays": ["2026-01-05"],
    },
    "units": {"base": "minute", "lesson_minutes": 50, **BASIS},
    "taxonomy": {
        "version": "t9",
        "leaves": ["red", "green", "blue"],
        "alias": {
            "빨강": "red",
            "old": [{"leaf": "red", "to": "2025-02-01"}, {"leaf": "blue", "from": "2025-02-01"}],
        },
    },
    "evidence": {
        "count_status": ["verified"],
        "issuer": {"registry": "accredited", "valid_at": "whole_activity"},
        "late_after_days": {"volunteering": 40, "default": 200},
        "late_action": "review",
        "require": {"certificate": ["code", "number"], "workshop": ["offering", "attendance"]},
        "cutoff": "verification",
        **BASIS,
    },
    "identity": {
        "same_learning": [
            ["issuer", "issuer_record"],
            ["person", "offering"],
            ["person", "course_class", "term"],
            ["person", "about"],
        ],
        "overlap": {"across_type": "one_minute_once"},
    },
    "conversions": [
        {
            "id": "CV-COURSE",
            "match": {"type": "course"},
            "pass_if": {
                "attended_ratio_at_least": {"sessions_ge_10": "7/10", "else": "4/5"},
                "if_missing": "pass",
            },
            "gives": "full",
            **BASIS,
        },
        {
            "id": "CV-WORKSHOP",
            "match": {"type": "workshop"},
            "pass_if": {"attended_ratio_at_least": "1/2", "if_missing": "fail"},
            "gives": "attended",
            **BASIS,
        },
        {"id": "CV-HALF", "match": {"type": "mentoring"}, "gives": {"ratio": "1/2"}, **BASIS},
        {
            "id": "CV-ART",
            "match": {"type": "article"},
            "gives": {"per_item": 120},
            "max_items": 2,
            **BASIS,
        },
        {
            "id": "CV-CERT",
            "match": {"type": "certificate"},
            "table": "t",
            "group_by": "subject",
            "max_items": 2,
            **BASIS,
        },
    ],
    "tables": {
        "t": [
            {"code": "L1", "subject": "life", "minutes": 600, "to": "2025-03-01", **BASIS},
            {"code": "L1", "subject": "life", "minutes": 300, "from": "2025-03-01", **BASIS},
            {"code": "L2", "subject": "life", "minutes": 500, **BASIS},
            {"code": "IT", "subject": "it", "minutes": 400, "from": "2025-01-15", **BASIS},
        ]
    },
    "equivalences": [
        {"code": "P-1", "issuer": "two", "course": "C1", "from": "2025-01-10", "to": "2025-04-01"},
        {"code": "심리학 I", "course_class": "psych"},
        {"code": "심리학1", "course_class": "psych", "to": "2025-03-15"},
    ],
    "caps": [
        cap("VOL-DAY", "day", 480),
        cap("VOL-TERM", "term", 1500),
        cap("VOL", "degree", 2400, match={"type": ["volunteering", "mentoring"]}),
        cap(
            "SHARE",
            "degree",
            0,
            match={"type": "project"},
            max_ratio="1/4",
            of="required",
            degrees=["bachelor"],
        )
        | {"max": None},
    ],
    "degrees": [
        {
            "id": "bachelor",
            "name": {"ko": "학사", "en": "Bachelor"},
            "advertised_hours": 20,
            "blocks": [
                {"id": "RED", **NAME, "min": 300, "accept": {"category": "red"}, **BASIS},
                {
                    "id": "MIX",
                    **NAME,
                    "min": 300,
                    "max": 420,
                    "accept": {
                        "or": [{"level": "hard"}, {"course": "C1"}, {"issuer_group": "evaluated"}]
                    },
                    **BASIS,
                },
                {"id": "ANY", **NAME, "min": 600, "accept": {"any": True}, **BASIS},
            ],
            "overlays": [
                {
                    "id": "RES",
                    **NAME,
                    "min": 600,
                    "accept": {"issuer": ["scu", "three"], "from": "2025-01-05"},
                    **BASIS,
                },
                {
                    "id": "FIELDS",
                    **NAME,
                    "distinct": "category",
                    "count": 2,
                    "each_min": 120,
                    "accept": {"any": True},
                    **BASIS,
                },
            ],
            "items": [{"id": "I-OUT", "item": "output", "state": "approved", **NAME, **BASIS}],
            "after": {},
        },
        {
            "id": "master",
            "name": {"ko": "석사", "en": "Master"},
            "advertised_hours": 20,
            "blocks": [
                {
                    "id": "M",
                    **NAME,
                    "min": 1200,
                    "accept": {"any": True, "to": "2026-01-01"},
                    **BASIS,
                }
            ],
            "items": [{"id": "M-OUT", "item": "thesis", "state": "approved", **NAME, **BASIS}],
            "after": {
                "degree": "bachelor",
                "state": "valid",
                "wait_days": 60,
                "hours_from": "surplus",
                "or": [{"prior": "years", "at_least": 3}],
                **BASIS,
            },
            "admission": {
                "recorded": [
                    {"id": "A", "min": 600, "accept": {"type": "volunteering"}, **NAME, **BASIS}
                ]
            },
            "tracks": [
                {
                    "id": "new",
                    "name": {"ko": "새 석사", "en": "New Master"},
                    "after": {"degree": "bachelor", "hours_from": "none", **BASIS},
                }
            ],
        },
    ],
    "transition": {"choose_by": "enrolment_date", "moved": {"OLD": "ANY"}},
}


def everything() -> Policy:
    """The policy that uses every word."""
    document = json.loads(json.dumps(EVERYTHING))
    for one in document["caps"]:
        if one["max"] is None:
            del one["max"]
    return parse_policy(json.dumps(document))


def a_record(rng: random.Random, n: int) -> dict[str, Any]:
    """One record; most are good, all kinds of details occur."""
    day = date(2024, 12, 20) + timedelta(days=rng.randrange(130))
    kind = rng.choice(
        ("course",) * 4
        + ("volunteering",) * 4
        + ("certificate", "article", "workshop", "mentoring", "project")
    )
    found: dict[str, Any] = {
        "id": f"r{n:02d}",
        "type": kind,
        "issuer": rng.choice(("scu",) * 9 + ("two", "two", "three", "nobody")),
        "status": rng.choice(("verified",) * 25 + ("pending",)),
        "category": rng.choice(("red", "빨강", "old", "blue", "green", "mauve", None)),
        "issuer_group": rng.choice((None, "evaluated", "mine")),
        "level": rng.choice((None, "hard", "easy")),
        "code": rng.choice((None, "C1", "P-1", "심리학 I", "심리학1", "L1", "L2", "IT")),
        "number": rng.choice((None, "7", "8")),
    }
    known = day + timedelta(days=rng.choice((1, 1, 20, 39, 41, 60, 250)))
    found["verified_at"] = f"{known}T10:00:20+09:00"
    if rng.random() < 0.15:
        found["offering"] = f"o{rng.randrange(3)}"
    if rng.random() < 0.15:
        found["course_class"] = f"k{rng.randrange(3)}"
    if rng.random() < 0.1:
        found["about"] = f"r{rng.randrange(8):02d}"
    if rng.random() < 0.1:
        found["issuer_record"] = f"n{rng.randrange(2)}"
    if rng.random() < 0.2:
        found["late_approved"] = rng.choice((True, {"by": "kim", "at": "2025-05-01", "why": "w"}))
    if rng.random() < 0.5:
        found |= {"attended": rng.randrange(4, 11), "sessions": rng.choice((5, 9, 10, 10))}
        found["attended"] = min(found["attended"], found["sessions"])
    if kind == "project":
        found["approved"] = rng.choice((True, True, False, None))
    form = rng.random()
    hour, long = rng.randrange(7, 22), rng.randrange(1, 12)
    start = f"{day}T{hour:02d}:{rng.choice((0, 30)):02d}:00+09:00"
    over = day + timedelta(days=(hour + long) // 24)
    end = f"{over}T{(hour + long) % 24:02d}:{rng.choice((0, 45)):02d}:30+09:00"
    if form < 0.45 or (kind == "volunteering" and form < 0.85):
        found |= {"start": start, "end": end}
        if rng.random() < 0.3:
            found["minutes"] = 30 * long
    elif form < 0.55:
        later = day + timedelta(days=7)
        found["intervals"] = [
            [start, f"{day}T23:00:00+09:00"],
            [f"{later}T09:00:00+09:00", f"{later}T12:00:00+09:00"],
        ]
    elif form < 0.75:
        found |= {"start": str(day), "end": str(day + timedelta(days=rng.choice((0, 3, 35))))}
        found["minutes"] = 60 * rng.randrange(1, 12)
    elif form < 0.85:
        found |= {"date": str(day), "lessons": rng.randrange(1, 12)}
    else:
        found |= {"date": str(day), "minutes": 30 * rng.randrange(0, 25)}
    return {k: v for k, v in found.items() if v is not None}


ISSUERS = {
    "scu": {"group": "evaluated", "periods": [["2020-01-01", None]], "lesson_minutes": 45},
    "two": {"group": None, "periods": [["2020-01-01", "2025-03-01"], ["2025-03-20", None]]},
    "three": {"periods": [["2025-01-02", "2025-04-01"]]},
}


def a_context(rng: random.Random, records: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"issuers": ISSUERS, "items": [], "priors": {}, "held": {}, "used": {}}
    if rng.random() < 0.5:
        found["items"] = [["output", "approved"], ["thesis", rng.choice(("approved", "draft"))]]
    if rng.random() < 0.3:
        found["priors"] = {"years": rng.randrange(1, 5)}
    if rng.random() < 0.6:
        state = rng.choice(("valid", "valid", "suspended"))
        found["held"] = {"bachelor": {"state": state, "awarded": f"2025-0{rng.randrange(2, 5)}-10"}}
        some = rng.sample(records, min(3, len(records)))
        found["used"] = {r["id"]: rng.choice((30, 120, 600)) for r in some}
    if rng.random() < 0.3:
        found["exceptions"] = [
            {
                "id": "X1",
                "kind": "reduce_block",
                "target": rng.choice(("OLD", "RED", "M", "GONE")),
                "minutes": 200,
                "by": "committee",
                "why": "illness",
                "expires": rng.choice(("2025-05-01", "2026-01-01")),
            },
            {
                "id": "X2",
                "kind": "accept_record",
                "target": "RED",
                "record": records[0]["id"],
                "by": "committee",
                "why": "same contents",
            },
            {"id": "X3", "kind": "waive_item", "target": "I-OUT", "by": "committee", "why": "w"},
        ]
    return found


def lives(
    count: int = 96,
) -> list[tuple[str, Policy, str, list[dict[str, Any]], str, dict[str, Any]]]:
    """(name, policy, degree, records, as-of, context)."""
    policies = [everything()] * 4 + list(bundled())
    found = []
    for n in range(count):
        rng = random.Random(f"life {n}")
        policy = policies[n % len(policies)]
        degree = policy.degrees[n // len(policies) % len(policy.degrees)].id
        records = [a_record(rng, i) for i in range(rng.randrange(2, 24))]
        as_of = rng.choice(("2025-04-10", "2025-06-01", "2025-12-31", "2025-12-31", "2026-06-01"))
        name = f"{n:02d} {policy.key} {degree}"
        found.append((name, policy, degree, records, as_of, a_context(rng, records)))
    return found


def answers() -> dict[str, Any]:
    """What is frozen of each life: enough to see what moved, and the hash of all of it."""
    found = {}
    for name, policy, degree, records, as_of, context in lives():
        audit = run(policy, records, which=degree, as_of=as_of, **context)
        document = audit.document
        found[name] = {
            "met": [document["hours_met"], document["eligible"]],
            "counted": document["counted"],
            "codes": " ".join(r["code"] for r in document["records"]),
            "trace": audit.trace_hash,
            "whole": hashlib.sha256(audit.canonical()).hexdigest(),
        }
    return found


if __name__ == "__main__":
    ANSWERS.write_text(json.dumps(answers(), indent=1) + "\n", "utf-8")
