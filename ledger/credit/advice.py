"""For a "no": the cheapest learning that closes the gap, and why nothing else does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import product
from typing import Any

from credential.text import Text
from ledger.credit.admit import Candidate, takes
from ledger.credit.policy import Accept, Block, Degree, Policy
from ledger.credit.problem import IMAGINED, Problem, caps_on, value
from ledger.credit.program import Proof, build_model, settle_locked
from ledger.credit.reasons import hours, spoken
from ledger.credit.records import MOST_MINUTES, Record

USUAL = ("course", "volunteering", "certificate", "project")
MOST_KINDS = 48
MOST_SAMPLES = 5000


def every_accept(accepts: Iterable[Accept]) -> Iterable[Accept]:
    """Predicates and the alternatives inside them."""
    for accept in accepts:
        yield accept
        yield from every_accept(accept.either)


def samples(
    rules: Sequence[Accept],
    day: date,
    leaves: Iterable[str] = (),
    more_types: Iterable[str] = (),
    fresh: Mapping[str, int] | None = None,
) -> list[Candidate]:
    """One imagined record for each combination of the words the rules use (and of none).

    ``fresh``: how many further values of ``issuer``, ``issuer_group``, ``level`` or ``course`` to
    imagine, for overlays that count different ones; they are called ``*1``, ``*2`` …
    """
    further = {word: [f"*{n}" for n in range(1, most + 1)] for word, most in (fresh or {}).items()}
    types = [*USUAL, *sorted({*more_types, *(t for a in rules for t in a.types)} - set(USUAL))]
    axes: list[list[Any]] = [
        types,
        sorted({None, *leaves, *(c for a in rules for c in a.categories)}, key=str),
        sorted(
            {None, *(g for a in rules for g in a.groups), *further.get("issuer_group", ())}, key=str
        ),
        sorted({None, *(i for a in rules for i in a.issuers), *further.get("issuer", ())}, key=str),
        sorted({None, *(v for a in rules for v in a.levels), *further.get("level", ())}, key=str),
        sorted({None, *(v for a in rules for v in a.courses), *further.get("course", ())}, key=str),
    ]
    ordinal = day.toordinal()
    found = []
    combos = sorted(product(*axes), key=lambda c: sum(v is not None for v in c[1:]))
    for n, (kind, leaf, group, issuer, level, course) in enumerate(combos[:MOST_SAMPLES]):
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
        found.append(
            Candidate(
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
        )
    return found


def kinds(policy: Policy, degree: Degree, blocks: Sequence[Block], day: date) -> list[Candidate]:
    """One imagined record per kind of learning the degree tells apart."""
    rules = list(every_accept([*(b.accept for b in blocks), *(o.accept for o in degree.overlays)]))
    capped = {t for a in every_accept(c.accept for c in policy.caps) for t in a.types}
    leaves = (
        policy.taxonomy.leaves if any(o.distinct == "category" for o in degree.overlays) else ()
    )
    fresh: dict[str, int] = {}
    for overlay in degree.overlays:
        if overlay.distinct in ("issuer", "issuer_group", "level", "course"):
            fresh[overlay.distinct] = max(overlay.count, fresh.get(overlay.distinct, 0))
    found: dict[tuple[object, ...], Candidate] = {}
    for one in samples(rules, day, leaves, capped, fresh):
        into = tuple(b for b, block in enumerate(blocks) if takes(block.accept, one))
        looks = tuple(
            (n, value(one, overlay.distinct) if overlay.distinct else "")
            for n, overlay in enumerate(degree.overlays)
            if takes(overlay.accept, one)
        )
        if into:
            found.setdefault((into, tuple(caps_on(policy, degree, one)), looks), one)
    return list(found.values())[:MOST_KINDS]


def least(problem: Problem, imagined: Sequence[str]) -> dict[str, int] | None:
    """The fewest imagined minutes that meet blocks and overlays; None when none do."""
    built = build_model(problem)
    settle_locked(built)
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
    words = {
        "category": one.leaf,
        "issuer_group": one.group,
        "issuer": record.issuer or None,
        "level": record.level,
        "course": one.course,
    }
    known = {word: None if v is None or v.startswith("*") else v for word, v in words.items()}
    return {"type": record.type, **known, "minutes": minutes}


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
