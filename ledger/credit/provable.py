"""Computing a degree again from what its holder shows: the same answer, or why not. Pure.

Three depths, by what is disclosed (``credential.disclosure``):

- everything: the audit is run again and has to give the very allocation and trace hash;
- the counted records: the audit of these alone has to be a yes, and the frozen allocation has to
  hold under every rule (a further record never lowers an answer, so a yes on part is a yes);
- types, categories and minutes: blocks, sums and conditions are computed again. What rests on
  hidden dates and places (attendance, accreditation, daily caps, overlaps) is listed as not
  computed; for that the city's signature stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from credential.degree import DegreeClaims
from credential.disclosure import DisclosureInvalid, Opened, open_disclosure
from credential.text import Text
from ledger.credit.admit import Candidate, takes
from ledger.credit.audit import audit, holds
from ledger.credit.conditions import active, entry, items
from ledger.credit.errors import SolverDisagrees
from ledger.credit.policy import Accept, Degree, Policy
from ledger.credit.records import Record, parse_context, parse_records

AUDIT = "degree-audit/1"
HIDDEN_RULES = ("attendance", "accreditation", "dates", "caps", "overlap", "same-learning")
"""What cannot be computed from types, categories and minutes."""


@dataclass(frozen=True, slots=True)
class Recomputation:
    """``outcome``: ``passed``, ``failed`` or ``not_run`` (could not be told). ``details``: depth,
    policy, minutes and, at the least depth, ``notComputed``."""

    outcome: str
    code: str
    reason: Text
    details: Mapping[str, Any] = field(default_factory=dict)


class _Refuted(Exception):
    def __init__(self, code: str, ko: str, en: str, outcome: str = "failed") -> None:
        super().__init__(code)
        self.result = Recomputation(outcome, code, Text(ko, en))


def recompute(
    claims: DegreeClaims, disclosure: Mapping[str, Any], policies: Iterable[Policy]
) -> Recomputation:
    """Compute the degree again. Never raises for what is presented.

    Codes: ``recomputed``; ``disclosure-<reason>``, ``policy-differs``, ``frame-differs``,
    ``not-eligible``, ``allocation-differs``, ``trace-differs``, ``minutes-differ``; not run:
    ``policy-unknown``, ``audit-format-unknown``, ``more-needed``.
    """
    try:
        opened = open_disclosure(disclosure, claims.record_set_root, claims.allocation_hash)
        policy = _policy(claims, policies)
        return _Case(claims, opened, policy).answer()
    except DisclosureInvalid as error:
        return Recomputation("failed", f"disclosure-{error.facts['reason']}", error.detail)
    except _Refuted as refuted:
        return refuted.result
    except SolverDisagrees as error:
        return Recomputation("not_run", error.code, error.detail)


def _policy(claims: DegreeClaims, policies: Iterable[Policy]) -> Policy:
    same_name = None
    for policy in policies:
        if policy.hash == claims.policy_hash and policy.key == claims.policy:
            return policy
        if policy.key == claims.policy or policy.hash == claims.policy_hash:
            same_name = policy
    if same_name is not None:
        raise _Refuted(
            "policy-differs",
            f"{claims.policy} 규정의 내용이 학위증에 적힌 것과 다릅니다.",
            f"The text of {claims.policy} is not the one the degree commits to.",
        )
    raise _Refuted(
        "policy-unknown",
        f"{claims.policy} 규정이 없어 다시 계산할 수 없습니다. --policy로 파일을 지정하세요.",
        f"The policy {claims.policy} is not at hand; give its file with --policy.",
        "not_run",
    )


class _Case:
    def __init__(self, claims: DegreeClaims, opened: Opened, policy: Policy) -> None:
        self.claims, self.opened, self.policy = claims, opened, policy
        degree = policy.degree(claims.degree)
        frame = opened.frame
        if frame.get("audit") != AUDIT:
            raise _Refuted(
                "audit-format-unknown",
                "이 프로그램이 모르는 심사 형식입니다.",
                "An audit format this program does not know.",
                "not_run",
            )
        said = (frame.get("degree"), frame.get("policy_hash"), frame.get("taxonomy"))
        meant = (claims.degree, claims.policy_hash, claims.taxonomy)
        if degree is None or said != meant or policy.taxonomy.version != claims.taxonomy:
            raise _Refuted(
                "frame-differs",
                "공개 자료가 다른 학위·규정·분야 체계의 것입니다.",
                "The disclosure is about another degree, policy or taxonomy.",
            )
        self.degree: Degree = degree
        try:
            self.as_of = datetime.fromisoformat(str(frame.get("as_of")))
            self.as_of.astimezone()
        except (ValueError, OverflowError) as error:
            raise _Refuted("frame-differs", "심사 시각이 없습니다.", "No time of audit.") from error
        if sum(line["minutes"] for line in opened.allocation) != claims.minutes:
            raise _Refuted(
                "minutes-differ",
                "배분한 시간의 합이 학위증에 적힌 시간과 다릅니다.",
                "The allocated minutes do not come to those of the degree.",
            )

    def answer(self) -> Recomputation:
        opened = self.opened
        counted = {line["leaf"] for line in opened.allocation}
        if counted & opened.unseen:
            raise _more(
                "인정된 기록이 모두 있어야 합니다.", "Every counted record has to be shown."
            )
        if opened.hidden_context & {"held", "items", "priors", "exceptions"}:
            raise _more(
                "보유 학위와 조건이 있어야 합니다.", "Degrees held and conditions have to be shown."
            )
        partly = {n for n, hidden in opened.hidden.items() if hidden}
        if not opened.unseen and not partly and not opened.hidden_context:
            return self._whole()
        if not counted & partly and not opened.hidden_context:
            return self._counted(counted)
        return self._categories()

    def _whole(self) -> Recomputation:
        records, unreadable = parse_records(self.opened.records.values())
        context = parse_context(self.opened.context)
        found = audit(
            self.policy,
            self.degree.id,
            records,
            context,
            self.as_of,
            unreadable=unreadable,
        )
        if not found.eligible:
            raise _not_eligible(found.document["reasons"])
        place = {str(r.get("id")): n for n, r in self.opened.records.items()}
        lines = [
            {"leaf": place[x["record"]], "block": x["block"], "minutes": x["minutes"]}
            for x in found.document["allocation"]
        ]
        if sorted(lines, key=_place) != sorted(self.opened.allocation, key=_place):
            raise _allocation_differs()
        if found.trace_hash != self.claims.trace_hash:
            raise _Refuted(
                "trace-differs",
                "다시 계산한 심사 과정이 학위증에 적힌 것과 다릅니다.",
                "The audit computed again is not the one the degree commits to.",
            )
        return self._passed("full", found.document["eligible"])

    def _counted(self, counted: set[int]) -> Recomputation:
        shown = {n: r for n, r in self.opened.records.items() if n in counted}
        records, unreadable = parse_records(shown.values())
        context = parse_context(self.opened.context)
        found = audit(
            self.policy, self.degree.id, records, context, self.as_of, unreadable=unreadable
        )
        if not found.eligible:
            raise _not_eligible(found.document["reasons"])
        frozen = {
            (str(shown[x["leaf"]].get("id")), x["block"]): x["minutes"]
            for x in self.opened.allocation
        }
        if not holds(self.policy, self.degree.id, records, context, self.as_of, frozen):
            raise _allocation_differs()
        return self._passed("counted", True)

    def _categories(self) -> Recomputation:
        context = parse_context({**self.opened.context, "issuers": None, "used": {}})
        day = self.as_of.astimezone(ZoneInfo(self.policy.clock.zone)).date()
        exemptions, _ = active(self.policy, context, day)
        blocks = {b.id: b for b in self.degree.blocks}
        admitted = {e.target for e in exemptions if e.kind == "accept_record"}
        filled = dict.fromkeys(blocks, 0)
        if any(_needs_more(b.accept) for b in blocks.values()) or self.degree.overlays:
            raise _more(
                "이 규정은 기관·과정·날짜까지 있어야 계산됩니다. 인정된 기록을 모두 공개하세요.",
                "This policy is computed with institutions, courses or dates: show the counted "
                "records in full.",
            )
        taken: dict[int, int] = {}
        for line in self.opened.allocation:
            shown = self.opened.records[line["leaf"]]
            block = blocks.get(line["block"])
            minutes = shown.get("minutes")
            taken[line["leaf"]] = taken.get(line["leaf"], 0) + line["minutes"]
            if (
                block is None
                or shown.get("status") not in self.policy.evidence.statuses
                or (isinstance(minutes, int) and taken[line["leaf"]] > minutes)
                or not (block.id in admitted or takes(block.accept, self._imagined(shown, day)))
            ):
                raise _allocation_differs()
            filled[block.id] += line["minutes"]
        for block in blocks.values():
            less = sum(
                e.minutes for e in exemptions if e.kind == "reduce_block" and e.target == block.id
            )
            if filled[block.id] < block.minimum - less:
                raise _not_eligible([])
        conditions = [
            *items(self.degree, context, exemptions),
            *entry(self.policy, self.degree, context, day),
        ]
        if not all(c.met for c in conditions):
            raise _not_eligible([c.to_json() for c in conditions if not c.met])
        left = [*HIDDEN_RULES, *(["admission"] if self.degree.recorded else [])]
        return self._passed("categories", True, notComputed=left)

    def _imagined(self, shown: Mapping[str, Any], day: date) -> Candidate:
        """A candidate of whom only type, category and level are known."""
        category, level = shown.get("category"), shown.get("level")
        leaf = category if category in self.policy.taxonomy.leaves else None
        for alias in self.policy.taxonomy.aliases.get(str(category), ()):
            leaf = leaf or alias.leaf
        record = Record(
            id="?",
            type=str(shown.get("type")),
            issuer="",
            status="verified",
            category=None if category is None else str(category),
            level=None if level is None else str(level),
        )
        ordinal = day.toordinal()
        return Candidate(
            record, leaf, None, None, 0, (), Fraction(1), False, ordinal, ordinal, (), None
        )  # fmt: skip

    def _passed(self, depth: str, eligible: bool, **more: Any) -> Recomputation:
        text = {
            "full": Text(
                "공개한 모든 기록으로 다시 계산하니 같은 결과가 나왔습니다.",
                "Computed again from all records: the same answer.",
            ),
            "counted": Text(
                "인정된 기록으로 다시 계산하니 요건을 채우고, 배분도 규정에 맞습니다.",
                "Computed again from the counted records: met, and the allocation holds.",
            ),
            "categories": Text(
                "공개한 시간과 분야로 다시 계산하니 요건을 채웁니다. "
                "숨긴 부분은 계산하지 않았습니다.",
                "Computed again from minutes and categories: met. What is hidden was not computed.",
            ),
        }[depth]
        details = {
            "depth": depth,
            "eligible": eligible,
            "degree": self.claims.degree,
            "policy": self.claims.policy,
            "minutes": self.claims.minutes,
            "records": len({line["leaf"] for line in self.opened.allocation}),
            **more,
        }
        return Recomputation("passed", "recomputed", text, details)


def _needs_more(accept: Accept) -> bool:
    return bool(
        accept.groups
        or accept.issuers
        or accept.courses
        or accept.since
        or accept.until
        or any(_needs_more(option) for option in accept.either)
    )


def _place(line: Mapping[str, Any]) -> tuple[int, str]:
    return line["leaf"], line["block"]


def _more(ko: str, en: str) -> _Refuted:
    return _Refuted("more-needed", ko, en, "not_run")


def _allocation_differs() -> _Refuted:
    return _Refuted(
        "allocation-differs",
        "시간 배분이 규정에 맞지 않거나 다시 계산한 것과 다릅니다.",
        "The allocation breaks the policy, or is not the one computed again.",
    )


def _not_eligible(reasons: Iterable[Mapping[str, Any]]) -> _Refuted:
    ko = " ".join(str(r["why"]["ko"]) for r in reasons if "why" in r)
    en = " ".join(str(r["why"]["en"]) for r in reasons if "why" in r)
    return _Refuted(
        "not-eligible",
        f"공개한 기록으로는 학위 요건을 채우지 못합니다. {ko}".strip(),
        f"What is shown does not meet the degree's conditions. {en}".strip(),
    )
