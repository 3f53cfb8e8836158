"""What must be true before a policy may be used: the publish-time rules of degree-rules/1.

Each finding names its rule and the line of the file. ``error`` refuses the policy, ``warning``
only tells. The rules are listed for clerks in docs/credit-policies.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import Any

from credential.text import Text
from ledger.credit import advice
from ledger.credit.admit import Candidate, takes
from ledger.credit.clock import FINENESS
from ledger.credit.policy import Cap, Degree, Policy
from ledger.credit.problem import build_problem

Place = tuple[str | int, ...]
BASIS = re.compile(r"(observed|decided|assumed|draft)(\W.*)?", re.DOTALL)
_RATIO = re.compile(r"[0-9]+/[1-9][0-9]*")
_DURATION = re.compile(r"P(\d+D)?(T(\d+H)?(\d+M)?)?")
_EXEMPT = {"advertised_hours", "grade", "format", "version"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: stable rule id, line in the file (from 1), ``error`` or ``warning``."""

    rule: str
    line: int
    level: str
    text: Text

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "line": self.line,
            "level": self.level,
            "text": self.text.to_json(),
        }


def lint(policy: Policy) -> list[Finding]:
    """All findings of one policy, in order of line and rule."""
    return sorted(set(_Linter(policy).findings()), key=lambda f: (f.line, f.rule, f.text.en))


def lint_versions(policies: Iterable[Policy]) -> list[Finding]:
    """Gaps and ties between the versions of each policy id."""
    found: list[Finding] = []
    by_id: dict[str, list[Policy]] = {}
    for policy in policies:
        by_id.setdefault(policy.id, []).append(policy)
    for versions in by_id.values():
        versions.sort(key=lambda p: (p.effective_from, p.version))
        for one, following in pairwise(versions):
            at = following.lines.get(("policy", "effective"), 1)
            if one.effective_to is None or one.effective_to > following.effective_from:
                text = Text(
                    f"{one.version}판과 {following.version}판의 시행 기간이 겹칩니다.",
                    f"Versions {one.version} and {following.version} overlap in time.",
                )
                found.append(Finding("L-RANGE", at, "error", text))
            elif one.effective_to < following.effective_from:
                text = Text(
                    f"{one.version}판과 {following.version}판 사이에 빈 기간이 있습니다.",
                    f"There is a gap between versions {one.version} and {following.version}.",
                )
                found.append(Finding("L-RANGE", at, "error", text))
    return found


def _days_only(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 2 and bool(_DURATION.fullmatch(value))


class _Linter:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.document: Mapping[str, Any] = policy.document

    def findings(self) -> Iterator[Finding]:
        yield from self._ids()
        yield from self._words()
        yield from self._hours()
        yield from self._basis(self.document, (), False)
        yield from self._caps()
        yield from self._tables()
        yield from self._taxonomy()
        yield from self._precedence()
        yield from self._dates(self.document, ())
        yield from self._texts()
        yield from self._reachable()

    def error(self, rule: str, at: Place, ko: str, en: str, level: str = "error") -> Finding:
        while at and at not in self.policy.lines:
            at = at[:-1]
        return Finding(rule, self.policy.lines.get(at, 1), level, Text(ko, en))

    def _each_degree(self) -> Iterator[tuple[Place, Mapping[str, Any], Degree]]:
        for n, raw in enumerate(self.document["degrees"]):
            degree = self.policy.degree(raw["id"])
            if degree is not None:
                yield ("degrees", n), raw, degree
            for m, track in enumerate(raw.get("tracks", ())):
                found = self.policy.degree(f"{raw['id']}/{track['id']}")
                if found is not None:
                    yield ("degrees", n, "tracks", m), track, found

    # --- ids and words -----------------------------------------------------------------------

    def _ids(self) -> Iterator[Finding]:
        """L-ID: ids are how exceptions, caps and decisions address things."""
        seen: dict[tuple[str, str], Place] = {}

        def check(kind: str, ident: str, at: Place) -> Iterator[Finding]:
            if (kind, ident) in seen:
                yield self.error(
                    "L-ID",
                    (*at, "id"),
                    f"‘{ident}’이라는 id가 두 번 나옵니다.",
                    f"The id '{ident}' appears twice.",
                )
            seen[kind, ident] = at

        for at, raw, degree in self._each_degree():
            yield from check("degree", degree.id, at)
            for section in ("blocks", "overlays", "items"):
                for k, part in enumerate(raw.get(section, ())):
                    yield from check("rule", part["id"], (*at, section, k))
        for section in ("caps", "conversions"):
            for k, part in enumerate(self.document.get(section, ())):
                yield from check("rule", part["id"], (section, k))

    def _words(self) -> Iterator[Finding]:
        """L-WORD: everything named must exist."""
        policy = self.policy
        for at, raw in self._accepts(self.document, ()):
            values = raw.get("category", ())
            for leaf in [values] if isinstance(values, str) else values:
                if leaf not in policy.taxonomy.leaves:
                    yield self.error(
                        "L-WORD",
                        (*at, "category"),
                        f"분류에 ‘{leaf}’ 항목이 없습니다.",
                        f"The taxonomy has no leaf '{leaf}'.",
                    )
        tables = self.document.get("tables", {})
        for n, conversion in enumerate(self.document.get("conversions", ())):
            table = conversion.get("table")
            if table is not None and table not in tables:
                yield self.error(
                    "L-WORD",
                    ("conversions", n, "table"),
                    f"‘{table}’ 표가 없습니다.",
                    f"There is no table '{table}'.",
                )
        degrees = {d.id for d in policy.degrees}
        for n, cap in enumerate(self.document.get("caps", ())):
            for name in cap.get("degrees", ()):
                if name not in degrees:
                    yield self.error(
                        "L-WORD",
                        ("caps", n, "degrees"),
                        f"‘{name}’ 학위가 없습니다.",
                        f"There is no degree '{name}'.",
                    )
            if cap["window"] == "term" and not policy.clock.term_starts:
                yield self.error(
                    "L-WORD",
                    ("caps", n, "window"),
                    "학기(clock.terms)가 정해져 있지 않습니다.",
                    "clock.terms is not given.",
                )
        for at, raw, degree in self._each_degree():
            below = degree.after.degree
            if below is not None and (below not in degrees or below == degree.base):
                yield self.error(
                    "L-WORD",
                    (*at, "after", "degree"),
                    f"‘{below}’ 학위가 없습니다.",
                    f"There is no degree '{below}' to come after.",
                )
            for k, block in enumerate(raw.get("blocks", ())):
                if block.get("max", block["min"]) < block["min"]:
                    yield self.error(
                        "L-BLOCK",
                        (*at, "blocks", k, "max"),
                        "최대가 최소보다 작습니다.",
                        "max is below min.",
                    )
        targets = {b.id for d in policy.degrees for b in d.blocks}
        targets |= {i.id for d in policy.degrees for i in d.items}
        for old, new in policy.moved.items():
            if new not in targets:
                yield self.error(
                    "L-WORD",
                    ("transition", "moved", old),
                    f"‘{new}’이라는 영역이나 조건이 없습니다.",
                    f"There is no block or item '{new}'.",
                )

    def _accepts(self, value: Any, path: Place) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        if isinstance(value, dict):
            for key, child in value.items():
                if key in ("accept", "match") and isinstance(child, dict):
                    yield (*path, key), child
                    for n, option in enumerate(child.get("or", ())):
                        yield (*path, key, "or", n), option
                else:
                    yield from self._accepts(child, (*path, key))
            if path[:1] == ("caps",) and "match" not in value and "id" in value:
                yield path, value
        elif isinstance(value, list):
            for n, child in enumerate(value):
                yield from self._accepts(child, (*path, n))

    # --- numbers -----------------------------------------------------------------------------

    def _hours(self) -> Iterator[Finding]:
        """L-HOURS: blocks add up to what the public is told."""
        for at, raw, degree in self._each_degree():
            if degree.advertised_hours is None:
                yield self.error(
                    "L-HOURS",
                    at,
                    "공표한 시간(advertised_hours)이 없습니다.",
                    "advertised_hours is not given.",
                    "warning",
                )
            elif degree.required != 60 * degree.advertised_hours:
                where = (*at, "advertised_hours") if "advertised_hours" in raw else (*at, "blocks")
                yield self.error(
                    "L-HOURS",
                    where,
                    f"영역의 합({degree.required}분)이 공표한 "
                    f"{degree.advertised_hours}시간과 다릅니다.",
                    f"Blocks add up to {degree.required} minutes, not {degree.advertised_hours} h.",
                )

    def _basis(self, value: Any, path: Place, covered: bool) -> Iterator[Finding]:
        """L-BASIS: every number says where it comes from. L-DRAFT: drafts are not published."""
        if isinstance(value, list):
            for n, child in enumerate(value):
                yield from self._basis(child, (*path, n), covered)
        if not isinstance(value, dict) or path[:1] == ("policy",):
            return
        basis = value.get("basis")
        if isinstance(basis, str) and path:
            yield from self._basis_word(basis, (*path, "basis"))
            covered = True
        elif path and "id" in value:
            covered = False
        if path[:1] == ("tables",) and len(path) == 2:
            covered = False
        for key, child in value.items():
            at = (*path, key)
            number = isinstance(child, int) and not isinstance(child, bool)
            ratio = isinstance(child, str) and key != "basis" and _RATIO.fullmatch(child)
            if (number or ratio) and key not in _EXEMPT and not self._covered(at, covered):
                yield self.error(
                    "L-BASIS", at, f"‘{key}’의 근거(basis)가 없습니다.", f"'{key}' has no basis."
                )
            elif isinstance(child, dict | list):
                yield from self._basis(child, at, covered)

    def _covered(self, at: Place, covered: bool) -> bool:
        if covered:
            return True
        if at[0] == "tables":
            users = [c for c in self.document.get("conversions", ()) if c.get("table") == at[1]]
            return any("basis" in c for c in users)
        return False

    def _basis_word(self, basis: str, at: Place) -> Iterator[Finding]:
        match = BASIS.fullmatch(basis)
        if match is None:
            yield self.error(
                "L-BASIS",
                at,
                "근거는 observed, decided, assumed, draft 가운데 하나로 시작해야 합니다.",
                "A basis begins with observed, decided, assumed or draft.",
            )
        elif match[1] == "draft":
            yield self.error(
                "L-DRAFT",
                at,
                "초안(draft) 숫자는 쓸 수 없습니다.",
                "A draft number cannot be used.",
            )
        elif match[1] == "assumed":
            yield self.error(
                "L-ASSUMED",
                at,
                "시의 결정이 필요한 가정입니다.",
                "Assumed; the city has to decide.",
                "warning",
            )

    # --- caps --------------------------------------------------------------------------------

    def _caps(self) -> Iterator[Finding]:
        """L-NEST: caps lie inside each other or apart. L-RATIO: shares of required hours only."""
        caps = self.policy.caps
        raws = self.document.get("caps", [])
        for n, raw in enumerate(raws):
            if "max_ratio" in raw and raw.get("of") != "required":
                yield self.error(
                    "L-RATIO",
                    ("caps", n, "of"),
                    "비율 상한은 요구 시간(required)에 대한 비율이어야 합니다.",
                    "A ratio cap is a share of the required hours; of earned hours it is circular.",
                )
        samples = self._samples()
        for n, m in combinations(range(len(caps)), 2):
            problem = self._crossing(caps[n], caps[m], samples)
            if problem is not None:
                level = "warning" if caps[n].per or caps[m].per else "error"
                yield self.error(
                    "L-NEST",
                    ("caps", m),
                    f"‘{caps[n].id}’과 ‘{caps[m].id}’ 상한이 서로 엇갈립니다.",
                    f"The caps '{caps[n].id}' and '{caps[m].id}' cross: {problem}.",
                    level,
                )

    def _samples(self) -> list[Candidate]:
        accepts = list(advice.every_accept([c.accept for c in self.policy.caps]))
        return advice.samples(accepts, date(2025, 1, 1))

    def _crossing(self, one: Cap, other: Cap, samples: list[Candidate]) -> str | None:
        if one.degrees and other.degrees and not one.degrees & other.degrees:
            return None
        first = {n for n, s in enumerate(samples) if takes(one.accept, s)}
        second = {n for n, s in enumerate(samples) if takes(other.accept, s)}
        if not first & second:
            return None
        if one.per != other.per:
            return "one is per institution; the integer program decides"
        fine, coarse = sorted((one, other), key=lambda c: FINENESS[c.window])
        inner, outer = (first, second) if fine is one else (second, first)
        if fine.window == coarse.window:
            return None if first <= second or second <= first else "they share some kinds only"
        if {fine.window, coarse.window} == {"term", "year"}:
            clock = self.policy.clock
            if clock.year_start not in clock.term_starts:
                return "a term reaches over the end of a year"
        return None if inner <= outer else f"the cap per {fine.window} covers more kinds"

    # --- the rest ----------------------------------------------------------------------------

    def _tables(self) -> Iterator[Finding]:
        """L-TABLE: one row per code and day."""
        for name, rows in (self.document.get("tables") or {}).items():
            for (n, a), (m, b) in combinations(enumerate(rows), 2):
                if a["code"] != b["code"]:
                    continue
                first, second = sorted((a, b), key=lambda r: r.get("from", ""))
                end, start = first.get("to"), second.get("from", "")
                if first.get("from", "") == start or (end is not None and end > start):
                    yield self.error(
                        "L-TABLE",
                        ("tables", name, max(n, m)),
                        f"‘{a['code']}’의 적용 기간이 겹칩니다.",
                        f"Rows of '{a['code']}' overlap in time.",
                    )

    def _taxonomy(self) -> Iterator[Finding]:
        """L-ALIAS: an alias leads to a leaf, one at a time, and is not itself a leaf."""
        taxonomy = self.policy.taxonomy
        for name, rows in taxonomy.aliases.items():
            at: Place = ("taxonomy", "alias", name)
            if any(row.leaf not in taxonomy.leaves for row in rows) or name in taxonomy.leaves:
                yield self.error(
                    "L-ALIAS",
                    at,
                    f"별칭 ‘{name}’이 가리키는 분류가 없습니다.",
                    f"The alias '{name}' does not lead to a leaf.",
                )
            for a, b in combinations(rows, 2):
                first, second = sorted((a, b), key=lambda r: r.since or date.min)
                if first.until is None or first.until > (second.since or date.min):
                    yield self.error(
                        "L-ALIAS",
                        at,
                        f"별칭 ‘{name}’의 기간이 겹칩니다.",
                        f"The dates of the alias '{name}' overlap.",
                    )

    def _precedence(self) -> Iterator[Finding]:
        """L-KEEP: no choice between records outside the allocation."""
        identity = self.document["identity"]
        if identity.get("keep", "best_for_learner") != "best_for_learner":
            yield self.error(
                "L-KEEP",
                ("identity", "keep"),
                "중복 기록의 선택은 배분 안에서만 합니다(best_for_learner).",
                "Choosing between duplicates belongs inside the allocation (best_for_learner).",
            )
        if self.policy.identity.across_type not in ("one_minute_once", "count_both"):
            yield self.error(
                "L-KEEP",
                ("identity", "overlap", "across_type"),
                "같은 시각의 기록 선택은 배분 안에서만 합니다(one_minute_once).",
                "A class-beats-volunteering rule takes degrees away; use one_minute_once.",
            )
        objective = self.policy.objective
        if objective[0] != "meet_degree" or objective[-1] != "record_id":
            yield self.error(
                "L-KEEP",
                ("allocation", "objective"),
                "meet_degree로 시작하고 record_id로 끝나야 합니다.",
                "The objective begins with meet_degree and ends with record_id.",
            )
        if len(set(objective)) != len(objective):
            yield self.error(
                "L-KEEP",
                ("allocation", "objective"),
                "같은 목표가 두 번 나옵니다.",
                "A word appears twice.",
            )

    def _dates(self, value: Any, path: Place) -> Iterator[Finding]:
        """L-RANGE: from before to. L-DURATION: days and hours, never months or years."""
        if isinstance(value, dict):
            start, end = value.get("from"), value.get("to")
            if isinstance(start, str) and isinstance(end, str) and start >= end:
                yield self.error(
                    "L-RANGE",
                    (*path, "to"),
                    "끝나는 날이 시작하는 날보다 늦어야 합니다.",
                    "It ends before it begins.",
                )
            for key, child in value.items():
                yield from self._dates(child, (*path, key))
        elif isinstance(value, list):
            for n, child in enumerate(value):
                yield from self._dates(child, (*path, n))
        elif path and path[-1] == "close_old_after" and not _days_only(value):
            yield self.error(
                "L-DURATION",
                path,
                "기간은 일이나 시간으로 적어야 합니다(예: P730D).",
                "Write a duration in days or hours (P730D); years, months and weeks vary.",
            )

    def _texts(self) -> Iterator[Finding]:
        """L-TEXT: what people read exists in both languages."""
        for at, raw, degree in self._each_degree():
            if "name" not in raw:
                yield self.error(
                    "L-TEXT",
                    at,
                    f"‘{degree.id}’의 이름이 한국어와 영어로 있어야 합니다.",
                    f"'{degree.id}' needs a name in Korean and English.",
                )
            for section in ("blocks", "overlays", "items"):
                for n, part in enumerate(raw.get(section, ())):
                    if "name" not in part:
                        yield self._unnamed((*at, section, n), part["id"])
        for n, cap in enumerate(self.document.get("caps", ())):
            if "name" not in cap:
                yield self._unnamed(("caps", n), cap["id"])

    def _unnamed(self, at: Place, ident: str) -> Finding:
        return self.error(
            "L-TEXT",
            at,
            f"‘{ident}’에 이름이 없어 id가 그대로 보입니다.",
            f"'{ident}' has no name; people will read its id.",
            "warning",
        )

    def _reachable(self) -> Iterator[Finding]:
        """L-REACH: with unlimited learning of every kind the degree can be met."""
        for at, _, degree in self._each_degree():
            imagined = self._learning(degree)
            problem = build_problem(
                self.policy, degree, [], {}, blocks=degree.blocks, extra=imagined
            )
            met = not problem.required and not problem.overlays
            if not met and not (imagined and advice.least(problem, [i.id for i in imagined])):
                yield self.error(
                    "L-REACH",
                    at,
                    f"‘{degree.id}’ 학위는 상한 때문에 아무도 받을 수 없습니다.",
                    f"Nobody can ever meet '{degree.id}' under its own caps and blocks.",
                )

    def _learning(self, degree: Degree) -> list[Candidate]:
        """Every kind of learning the degree tells apart, on every day its rules tell apart."""
        rules = list(
            advice.every_accept(
                [*(b.accept for b in degree.blocks), *(o.accept for o in degree.overlays)]
            )
        )
        days = {a.since for a in rules if a.since}
        days |= {a.until - timedelta(days=1) for a in rules if a.until}
        found = []
        for day in sorted(days | {self.policy.effective_from}):
            for one in advice.kinds(self.policy, degree, degree.blocks, day):
                record = replace(one.record, id=f"{one.id}@{day}")
                found.append(replace(one, record=record))
        return found
