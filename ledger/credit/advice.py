"""For a "no": the cheapest learning that closes the gap, and why nothing else does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from itertools import product
from typing import Any

from credential.text import Text
from ledger.credit.admit import Candidate, takes
from ledger.credit.policy import Accept, Block, Degree, Policy
from ledger.credit.problem import IMAGINED, Problem, caps_on
from ledger.credit.program import Proof, build_model
from ledger.credit.reasons import hours, spoken
from ledger.credit.records import MOST_MINUTES, Record

USUAL = ("course", "volunteering", "certificate", "project")
MOST_KINDS = 48


def _accepts(accepts: Iterable[Accept]) -> Iterable[Accept]:
    for accept in accepts:
        yield accept
        yield from _accepts(accept.either)


def kinds(policy: Policy, degree: Degree, blocks: Sequence[Block], day: date) -> list[Candidate]:
    """One imagined record per kind of learning the degree tells apart."""
    rules = [*_accepts([*(b.accept for b in blocks), *(o.accept for o in degree.overlays)])]
    named = [*rules, *_accepts(c.accept for c in policy.caps)]
    types = [*USUAL, *sorted({t for a in named for t in a.types} - set(USUAL))]
    leaves: set[str | None] = {None, *(c for a in rules for c in a.categories)}
    if any(o.distinct == "category" for o in degree.overlays):
        leaves |= policy.taxonomy.leaves
    axes: list[list[Any]] = [
        types,
        sorted(leaves, key=str),
        sorted({None, *(g for a in rules for g in a.groups)}, key=str),
        sorted({None, *(i for a in rules for i in a.issuers)}, key=str),
        sorted({None, *(v for a in rules for v in a.levels)}, key=str),
        sorted({None, *(v for a in rules for v in a.courses)}, key=str),
    ]
    found: dict[tuple[object, ...], Candidate] = {}
    combos = sorted(product(*axes), key=lambda c: sum(v is not None for v in c[1:]))
    for n, (kind, leaf, group, issuer, level, course) in enumerate(combos[:5000]):
        record = Record(
            id=f"?{n}",
            type=str(kind),
            issuer=issuer or "",
            status=IMAGINED,
            category=leaf,
            issuer_group=group,
            level=level,
            code=course,
        )
        ordinal = day.toordinal()
        one = Candidate(
            record,
            leaf,
            group,
            course,
            MOST_MINUTES,
            (),
            Fraction(1),
            False,
            ordinal,
            ordinal,
            (),
            None,
        )
        into = tuple(b for b, block in enumerate(blocks) if takes(block.accept, one))
        looks = tuple(
            (o, getattr(record, "category" if overlay.distinct == "category" else "type"))
            if overlay.distinct
            else (o, "")
            for o, overlay in enumerate(degree.overlays)
            if takes(overlay.accept, one)
        )
        if into:
            found.setdefault((into, tuple(caps_on(policy, degree, one)), looks), one)
    return list(found.values())[:MOST_KINDS]


def least(problem: Problem, imagined: Sequence[str]) -> dict[str, int] | None:
    """The fewest imagined minutes that meet blocks and overlays; None when none do."""
    built = build_model(problem)
    for column in (*built.missing, *built.overlay):
        built.model.fix(column, 0, 0)
    cells = {
        problem.records[cell.record].id: built.cells[n]
        for n, cell in enumerate(problem.cells)
        if problem.records[cell.record].id in imagined
    }
    first = built.model.minimise(dict.fromkeys(cells.values(), 1))
    if first is None:
        return None
    built.model.line([(c, 1) for c in cells.values()], 0, first.objective, ("stage",))
    amounts: dict[str, int] = {}
    for ident, column in cells.items():
        # as much as possible of the first kind: one kind to do is easier than several
        most = built.model.minimise({column: -1})
        amounts[ident] = 0 if most is None else -most.objective
        built.model.fix(column, amounts[ident], amounts[ident])
    return {ident: minutes for ident, minutes in amounts.items() if minutes}


def phrase(one: Candidate, minutes: int) -> dict[str, Any]:
    """One line of advice as JSON."""
    record = one.record
    return {
        "type": record.type,
        "category": one.leaf,
        "issuer_group": one.group,
        "issuer": record.issuer or None,
        "level": record.level,
        "course": one.course,
        "minutes": minutes,
    }


TYPE_NAMES = {
    "course": Text("강좌", "courses"),
    "volunteering": Text("봉사", "volunteering"),
    "certificate": Text("자격증", "certificates"),
    "project": Text("프로젝트", "projects"),
    "mentoring": Text("멘토링", "mentoring"),
}


def sentence(adds: Sequence[dict[str, Any]]) -> Text:
    """The advice as a sentence."""
    ko, en = [], []
    for add in adds:
        name = TYPE_NAMES.get(add["type"], Text(add["type"], add["type"]))
        words = [
            str(add[w]) for w in ("category", "issuer_group", "issuer", "level", "course") if add[w]
        ]
        detail = f"({', '.join(words)})" if words else ""
        amount = spoken(add["minutes"])
        ko.append(f"{name.ko}{detail} {amount.ko}")
        en.append(f"{amount.en} of {name.en}{' ' + detail if detail else ''}")
    return Text(f"{', '.join(ko)}을 더하면 채워집니다.", f"{' and '.join(en)} would close the gap.")


def certificate(policy: Policy, problem: Problem, proof: Proof) -> dict[str, Any]:
    """The proof that nothing better exists, for machines (multipliers) and people (a sentence).

    ``kind``: ``minimum-cut`` (every multiplier is one), ``dual`` (fractions), ``cases`` (choices
    between duplicates decided case by case), ``none`` (too many cases to print).
    """
    cases = [
        {
            "counting": [problem.records[i].id for i in chosen],
            "limits": [
                {**_limit(policy, problem, name), "minutes": number, "times": str(abs(times))}
                for name, number, times in lines
                if name[0] not in ("class", "flow")
            ],
        }
        for chosen, lines in proof.leaves
    ]
    whole = all(abs(t) == 1 for _, lines in proof.leaves for _, _, t in lines)
    kind = "none"
    if cases:
        kind = "cases" if len(cases) > 1 else "minimum-cut" if whole else "dual"
    reach = problem.required - proof.missing
    why = Text(
        f"어떻게 나누어도 {hours(reach)}시간까지만 채워집니다(필요 {hours(problem.required)}시간).",
        f"No assignment reaches more than {hours(reach)} h of {hours(problem.required)} h.",
    )
    return {
        "kind": kind,
        "required": problem.required,
        "reachable": reach,
        "cases": cases,
        "why": why.to_json(),
    }


def _limit(policy: Policy, problem: Problem, name: tuple[object, ...]) -> dict[str, Any]:
    what, n = name[0], name[1] if len(name) > 1 else 0
    if not isinstance(n, int):
        return {"rule": str(what)}
    if what in ("block", "missing", "full"):
        return {"rule": "block", "block": problem.blocks[n].id}
    if what == "row":
        row = problem.tight[n]
        if row.cap < 0:
            return {"rule": "clock"}
        cap = policy.caps[row.cap]
        key = row.key[1]
        window = policy.clock.name(cap.window, key) if isinstance(key, int) else ""
        return {"rule": "cap", "cap": cap.id, "window": window}
    if what in ("record", "supply", "locked", "only-if", "chosen"):
        return {"rule": "record", "record": problem.records[n].id}
    if what == "cell":
        return {"rule": "record", "record": problem.records[problem.cells[n].record].id}
    if what == "same":
        return {"rule": "same", "records": [problem.records[i].id for i in problem.groups[n]]}
    if what == "items":
        return {"rule": "items", "conversion": problem.limits[n][0]}
    return {"rule": str(what)}
