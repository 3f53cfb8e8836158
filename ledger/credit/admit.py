"""Steps 2 to 5 of the order of evaluation: which records may count, and what each is worth.

Cut-off, status, issuer on the day of the activity, evidence, lateness, conversion. What passes is
a ``Candidate``; what does not gets a ``Refusal`` with its code and facts. Nothing here decides
between records: duplicates, overlaps and caps belong to the allocation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction

from credential.text import Text
from ledger.credit.clock import length
from ledger.credit.policy import Accept, Conversion, Policy, TableRow
from ledger.credit.reasons import EVIDENCE, RECORD, say
from ledger.credit.records import Context, Record, Unreadable


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may count. ``supply`` minutes; ``spans`` its clock minutes when known, of
    which ``rate`` of a minute counts each; ``first``/``last`` local day ordinals; ``same`` keys
    under which only one record may count; ``limited`` the conversion whose item limit applies."""

    record: Record
    leaf: str | None
    group: str | None
    course: str | None
    supply: int
    spans: tuple[tuple[int, int], ...]
    rate: Fraction
    exact: bool
    first: int
    last: int
    same: tuple[tuple[str, ...], ...]
    limited: str | None

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def type(self) -> str:
        return self.record.type

    def sort_key(self) -> tuple[int, int, int]:
        """Oldest first: last day, first day, first minute."""
        return (self.last, self.first, self.spans[0][0] if self.spans else 0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that cannot count, the code and the sentence."""

    id: str
    code: str
    why: Text
    of: int


def takes(accept: Accept, candidate: Candidate) -> bool:
    """Whether a closed-list predicate accepts a candidate."""
    if accept.types and candidate.record.type not in accept.types:
        return False
    if accept.categories and candidate.leaf not in accept.categories:
        return False
    if accept.groups and candidate.group not in accept.groups:
        return False
    if accept.issuers and candidate.record.issuer not in accept.issuers:
        return False
    if accept.levels and candidate.record.level not in accept.levels:
        return False
    if accept.courses and candidate.course not in accept.courses:
        return False
    if accept.since and candidate.last < accept.since.toordinal():
        return False
    if accept.until and candidate.last >= accept.until.toordinal():
        return False
    return not accept.either or any(takes(option, candidate) for option in accept.either)


class Admission:
    """One policy, one context, one cut-off: turns records into candidates or refusals.

    ``as_of`` is a local day (its end is the cut-off) or an aware datetime (exclusive cut-off).
    ``since`` drops what was learned before that local day (``hours_from: none``).
    """

    def __init__(
        self, policy: Policy, context: Context, as_of: date | datetime, since: date | None = None
    ) -> None:
        self.policy = policy
        self.context = context
        self.clock = policy.clock
        self.as_of = as_of
        if isinstance(as_of, datetime):
            self.cutoff = int(as_of.astimezone(UTC).timestamp() // 60)
            self.day = self.clock.day(self.cutoff)
        else:
            self.day = as_of.toordinal()
            self.cutoff = self.clock.midnight(self.day + 1)
        self.since = since
        self._linked: frozenset[str] = frozenset()

    def sift(
        self, records: Iterable[Record], unreadable: Iterable[Unreadable]
    ) -> tuple[list[Candidate], list[Refusal]]:
        """All candidates and all refusals, each in order of record id."""
        records = list(records)
        self._linked = frozenset(r.about for r in records if r.about)
        candidates: list[Candidate] = []
        refusals = [Refusal(u.id, "E-READ", u.why, 0) for u in unreadable]
        for record in records:
            found = self._one(record)
            if isinstance(found, Candidate):
                candidates.append(found)
            else:
                refusals.append(found)
        candidates.sort(key=lambda c: c.id)
        refusals.sort(key=lambda r: r.id)
        return candidates, refusals

    def _one(self, record: Record) -> Candidate | Refusal:
        policy, clock = self.policy, self.clock
        worth = record.minutes or 0

        def no(code: str, **facts: object) -> Refusal:
            return Refusal(
                record.id, code.replace("-REJECT", ""), say(RECORD[code], **facts), worth
            )

        if record.spans:
            first, last = clock.day(record.spans[0][0]), clock.day(record.spans[-1][1] - 1)
            ended = record.spans[-1][1]
        else:
            if record.first is None or record.last is None:
                return no("E-READ", why=Text("날짜가 없습니다.", "It has no date."))
            first, last = record.first.toordinal(), record.last.toordinal()
            ended = clock.midnight(last)
        if record.status not in policy.evidence.statuses:
            return no("E-STATUS", status=record.status or "?")
        unverified_yet = (
            policy.evidence.cutoff == "verification"
            and record.verified_at is not None
            and record.verified_at > self.cutoff
        )
        if ended > self.cutoff or last > self.day or unverified_yet:
            return no("E-FUTURE", as_of=date.fromordinal(self.day))
        if not self._accredited(record.issuer, first, last):
            start = policy.evidence.issuer_at == "activity_start"
            return no(
                "E-ISSUER", issuer=record.issuer, day=date.fromordinal(first if start else last)
            )
        missing = self._missing_evidence(record)
        if missing:
            return no("E-EVIDENCE", need=EVIDENCE[missing])
        limit = policy.evidence.late_days.get(record.type, policy.evidence.late_default)
        if limit is not None and record.verified_at is not None:
            days = clock.day(record.verified_at) - last
            if days > limit and policy.evidence.late_action == "reject":
                return no("E-LATE-REJECT", days=days, limit=limit)
            if days > limit and not record.late_approved:
                return no("E-LATE", days=days, limit=limit)
        return self._candidate(record, first, last)

    def _accredited(self, issuer: str, first: int, last: int) -> bool:
        if self.policy.evidence.issuer_registry == "any" or self.context.issuers is None:
            return True
        standing = self.context.issuers.get(issuer)
        if standing is None:
            return False
        low, high = {
            "activity_end": (last, last),
            "activity_start": (first, first),
            "whole_activity": (first, last),
        }[self.policy.evidence.issuer_at]
        return any(
            start.toordinal() <= low and (end is None or high < end.toordinal())
            for start, end in standing.periods
        )

    def _missing_evidence(self, record: Record) -> str | None:
        present = {
            "offering": record.offering is not None,
            "attendance": record.attended is not None and record.sessions is not None,
            "interval": bool(record.spans),
            "code": record.code is not None,
            "number": record.number is not None,
            "approval": record.approved is True,
        }
        needed = self.policy.evidence.require.get(record.type, ())
        if record.approved is False and "approval" not in needed:
            needed = (*needed, "approval")
        return next((need for need in needed if not present[need]), None)

    def _leaf(self, category: str | None, day: int) -> str | None:
        taxonomy = self.policy.taxonomy
        if category is None or category in taxonomy.leaves:
            return category
        for alias in taxonomy.aliases.get(category, ()):
            if _within(day, alias.since, alias.until):
                return alias.leaf
        return None

    def _candidate(self, record: Record, first: int, last: int) -> Candidate | Refusal:
        policy = self.policy
        course, course_class = record.code, record.course_class
        for row in policy.equivalences:
            if (
                row.code == record.code
                and row.issuer in (None, record.issuer)
                and _within(last, row.since, row.until)
            ):
                course, course_class = row.course or course, row.course_class or course_class
                break
        standing = (self.context.issuers or {}).get(record.issuer)
        group = record.issuer_group
        if standing is not None and standing.group is not None:
            group = standing.group
        lesson = policy.lesson_minutes
        if standing is not None and standing.lesson_minutes is not None:
            lesson = standing.lesson_minutes
        minutes = record.minutes
        if minutes is None and record.lessons is not None:
            minutes = record.lessons * lesson
        draft = Candidate(
            record,
            self._leaf(record.category, last),
            group,
            course,
            minutes or 0,
            record.spans,
            Fraction(1),
            record.exact,
            first,
            last,
            (),
            None,
        )
        conversion = next((c for c in policy.conversions if takes(c.accept, draft)), None)
        found = self._convert(draft, minutes, conversion, last)
        if isinstance(found, Refusal):
            return found
        supply, rate, subject = found
        spans, exact = record.spans, record.exact
        if conversion is not None and conversion.gives in ("table", "per_item"):
            spans, exact = (), False
        elif supply != (minutes or 0) * rate:
            exact = False
        if self.since is not None:
            cut = self.policy.clock.midnight(self.since.toordinal())
            if spans and exact and spans[-1][1] > cut > spans[0][0]:
                spans = tuple((max(a, cut), b) for a, b in spans if b > cut)
                supply, first = int(length(spans) * rate), self.since.toordinal()
            elif first < self.since.toordinal():
                return Refusal(record.id, "E-BEFORE", RECORD["E-BEFORE"], supply)
        if supply <= 0:
            return Refusal(record.id, "E-ZERO", RECORD["E-ZERO"], 0)
        limited = None
        if conversion is not None and conversion.max_items is not None:
            limited = conversion.id
        return Candidate(
            record,
            draft.leaf,
            group,
            course,
            supply,
            spans,
            rate,
            exact,
            first,
            last,
            self._same(record, course_class, last, subject),
            limited,
        )

    def _convert(
        self, draft: Candidate, minutes: int | None, conversion: Conversion | None, last: int
    ) -> tuple[int, Fraction, str | None] | Refusal:
        """Minutes, counted minutes per clock minute, and the group of a table row."""
        record = draft.record

        def no(reason: str, **facts: object) -> Refusal:
            return Refusal(record.id, reason, say(RECORD[reason], **facts), record.minutes or 0)

        subject: str | None = None
        gives = "full" if conversion is None else conversion.gives
        if conversion is not None and gives == "table":
            row = table_row(conversion, record.code, last)
            if row is None:
                return no("E-NOTABLE", code=record.code or "?", day=date.fromordinal(last))
            minutes = row.minutes
            if conversion.group_by is not None:
                value = row.subject if conversion.group_by == "subject" else row.code
                subject = f"{conversion.id}:{value}"
        elif conversion is not None and gives == "per_item":
            minutes = conversion.per_item
        if minutes is None:
            why = Text("활동 시간(minutes)이 없습니다.", "It has no minutes.")
            return no("E-READ", why=why)
        known = record.attended is not None and bool(record.sessions)
        if conversion is not None and (conversion.thresholds or gives == "attended"):
            if not known:
                if conversion.if_missing == "fail" or record.sessions == 0:
                    return no("E-EVIDENCE", need=EVIDENCE["attendance"])
            else:
                attended, sessions = record.attended or 0, record.sessions or 1
                need = next((q for least, q in conversion.thresholds if sessions >= least), None)
                if need is not None and attended * need.denominator < need.numerator * sessions:
                    return no("E-ATTEND", have=f"{attended}/{sessions}", need=str(need))
                if gives == "attended":
                    return minutes * attended // sessions, Fraction(1), subject
        if conversion is not None and gives == "ratio" and conversion.ratio is not None:
            return int(minutes * conversion.ratio), conversion.ratio, subject
        return minutes, Fraction(1), subject

    def _same(
        self, record: Record, course_class: str | None, last: int, subject: str | None
    ) -> tuple[tuple[str, ...], ...]:
        clock = self.clock
        term = clock.key("term", last) if clock.term_starts else clock.key("year", last)
        values: dict[str, str | None] = {
            "person": "",
            "issuer": record.issuer,
            "issuer_record": record.issuer_record,
            "offering": record.offering,
            "course_class": course_class,
            "code": record.code,
            "type": record.type,
            "term": str(term),
            "year": str(clock.key("year", last)),
        }
        keys: list[tuple[str, ...]] = []
        for words in self.policy.identity.same:
            if "about" in words:
                told = [record.about] if record.about else []
                if record.id in self._linked:
                    told.append(record.id)
                keys.extend(("about", t) for t in told)
                continue
            parts = [values[word] for word in words]
            if all(part is not None for part in parts):
                keys.append(("+".join(words), *(p for p in parts if p is not None)))
        if subject is not None:
            keys.append(("subject", subject))
        return tuple(sorted(set(keys)))


def table_row(conversion: Conversion, code: str | None, day: int) -> TableRow | None:
    """The row in force on the day of the achievement: the latest that has begun and not ended."""
    rows = [r for r in conversion.table if r.code == code and _within(day, r.since, r.until)]
    return max(rows, key=lambda r: r.since or date.min, default=None)


def _within(day: int, since: date | None, until: date | None) -> bool:
    return (since is None or since.toordinal() <= day) and (
        until is None or day < until.toordinal()
    )
