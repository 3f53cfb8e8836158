"""One row through a mapping: a draft of what would be recorded, or the problems that prevent it.

No database here. Text is brought to NFC, so composed and decomposed Hangul are equal; parsed cells
are remembered, because a file repeats its dates, titles and amounts thousands of times.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from issuer.intake import residents
from issuer.intake.dates import (
    Days,
    Moment,
    NotADate,
    at,
    end_of,
    parse_day,
    parse_period,
    parse_time,
    parse_when,
    start_of,
)
from issuer.intake.limits import Limits
from issuer.intake.mapping import FieldRule, Fitted, plain
from issuer.intake.quantities import NotAnAmount, parse_attendance, parse_count, parse_minutes
from issuer.intake.refusals import listed
from issuer.intake.verdicts import Problem, Severity, problem
from ledger.learners import Identities

TOTAL_WORDS = frozenset(
    ("합계", "총계", "총합계", "계", "소계", "누계", "합", "total", "sum", "subtotal", "grandtotal")
)
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_REMEMBERED = 20_000
_LONGEST_DAYS = 400
_MOST_A_DAY = 16 * 60
_TEXTS = {
    "title_ko": 300, "title_en": 300, "category": 64, "level": 32, "code": 64, "offering": 128,
    "course_class": 128,
}  # fmt: skip


@dataclass(slots=True)
class Draft:
    """What one row says, before it meets the database. Times are UTC."""

    row: int
    commitment: bytes
    name: str | None
    notes: list[Problem] = field(default_factory=list)
    number: str | None = None
    kind: str = ""
    category: str | None = None
    level: str | None = None
    title_ko: str = ""
    title_en: str | None = None
    code: str | None = None
    offering: str | None = None
    course_class: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exact: bool = False
    minutes: int = 0
    attended: int | None = None
    sessions: int | None = None
    approved: bool | None = None
    items: tuple[tuple[str, str], ...] = ()
    degree: str | None = None
    awarded_on: date | None = None
    state: str = "valid"


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """A row of totals: what it states, by field."""

    row: int
    stated: dict[str, int]


class _Stop(Exception):
    """The row ends here; its problems say why."""


class Interpreter:
    """Reads the rows of one file. ``sums`` grows with every amount that could be read."""

    def __init__(
        self, fitted: Fitted, identities: Identities, now: datetime, limits: Limits
    ) -> None:
        self._fitted = fitted
        self._mapping = fitted.mapping
        self._identities = identities
        self._now = now
        self._limits = limits
        self._memory: dict[str, dict[object, Any]] = {}
        self._rules = fitted.mapping.fields
        self._columns = fitted.columns
        self._last_column = max(fitted.columns.values())
        self._texts: list[tuple[str, int, int | None, dict[object, str]]] = [
            (name, most, self._columns.get(name), {})
            for name, most in _TEXTS.items()
            if name in self._rules
        ]
        self._spans: dict[tuple[object, ...], tuple[datetime, datetime, bool]] = {}
        self._presences: dict[tuple[object, ...], tuple[int | None, int | None]] = {}
        self.sums: dict[str, int] = {"minutes": 0, "rows": 0}

    def read(self, row: int, cells: Sequence[object]) -> Draft | TotalsRow | list[Problem]:
        """A draft, a totals row, or the problems that reject the row or send it to review."""
        totals = self._totals(row, cells)
        if totals is not None:
            return totals
        self.sums["rows"] += 1
        problems: list[Problem] = []
        try:
            self._screen(row, cells, problems)
            return self._draft(row, cells, problems)
        except _Stop:
            return problems

    # --- the row as a whole -----------------------------------------------------------------------

    def _totals(self, row: int, cells: Sequence[object]) -> TotalsRow | None:
        index = self._columns["identifier"]
        if index < len(cells) and cells[index] not in (None, ""):
            first = cells[index]
            # A number at the end is a member's; only words can be a heading of totals.
            if type(first) is not str or first[-1:].isdigit() or plain(first) not in TOTAL_WORDS:
                return None
        elif not any(
            isinstance(cell, str) and plain(cell) in TOTAL_WORDS for cell in cells[:4] if cell
        ):
            return None
        stated: dict[str, int] = {}
        rule = self._rules.get("minutes")
        value = self._cell(cells, "minutes")
        if rule is not None and value is not None:
            # A totals row without a readable total states none.
            with suppress(NotAnAmount):
                stated["minutes"] = parse_minutes(
                    value, rule.unit, rule.lesson_minutes, most=10**12
                )
        return TotalsRow(row, stated)

    def _screen(self, row: int, cells: Sequence[object], problems: list[Problem]) -> None:
        joined = "|".join([cell for cell in cells if type(cell) is str])
        if "\ufffd" in joined:
            self._fail(problems, row, "text-broken", "row")
        if residents.present(joined) or (type(cells) is tuple and self._numeric_resident(cells)):
            self._fail(problems, row, "resident-number", "row")
        if len(cells) <= self._last_column and self._fitted.width > len(cells):
            lacking = [n for n, i in self._columns.items() if i >= len(cells)]
            if any(self._rules[name].cell_required for name in lacking):
                self._fail(problems, row, "row-short", "row")
        if not joined.isprintable() and _CONTROL.search(joined):
            for name, index in self._columns.items():
                cell = cells[index] if index < len(cells) else None
                if isinstance(cell, str) and _CONTROL.search(cell):
                    self._fail(problems, row, "control-character", name)

    @staticmethod
    def _numeric_resident(cells: Sequence[object]) -> bool:
        return any(
            isinstance(cell, int | float) and cell > 10**9 and residents.present(f"{cell:013.0f}")
            for cell in cells
        )

    # --- the fields -------------------------------------------------------------------------------

    def _draft(self, row: int, cells: Sequence[object], problems: list[Problem]) -> Draft:
        identifier = self._text(row, cells, "identifier", problems, 128)
        name = self._text(row, cells, "name", problems, 100)
        if identifier is None:
            self._note(problems, row, "id-missing", "identifier")
        draft = Draft(
            row,
            self._remember("commit", identifier, self._commit) if identifier else b"",
            name,
            number=self._text(row, cells, "record_number", problems, 128),
        )
        if self._mapping.makes == "award":
            self._award(draft, row, cells, problems)
        else:
            self._record(draft, row, cells, problems)
        if any(each.severity is not Severity.NOTE for each in problems):
            raise _Stop
        draft.notes = problems
        return draft

    def _commit(self, identifier: object) -> bytes:
        return self._identities.commit(self._mapping.scheme, str(identifier))

    def _record(
        self, draft: Draft, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> None:
        draft.kind = (
            self._text(row, cells, "kind", problems, 32) or self._mapping.kind or ""
            if "kind" in self._rules
            else self._mapping.kind or ""
        )
        width = len(cells)
        for name, most, index, known in self._texts:
            # Most cells were seen before, without a problem.
            meaning = known.get(cells[index]) if index is not None and index < width else None
            if meaning is None:
                before = len(problems)
                meaning = self._text(row, cells, name, problems, most)
                if meaning and index is not None and index < width and len(problems) == before:
                    if len(known) >= _REMEMBERED:
                        known.clear()
                    known[cells[index]] = meaning
            setattr(draft, name, meaning)
        draft.title_ko = draft.title_ko or ""
        for name, value in (("kind", draft.kind), ("title_ko", draft.title_ko)):
            if not value and not any(each.field == name for each in problems):
                self._note(problems, row, "cell-empty", name)
        self._times(draft, row, cells, problems)
        self._amount(draft, row, cells, problems)
        self._attendance(draft, row, cells, problems)
        self._approval(draft, row, cells, problems)
        if self._mapping.items:
            draft.items = tuple(
                (item.item, item.state)
                for item in self._mapping.items
                if all(str(getattr(draft, name)) in values for name, values in item.when)
            )

    def _award(
        self, draft: Draft, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> None:
        draft.degree = self._text(row, cells, "degree", problems, 32)
        if draft.degree is None and not any(each.field == "degree" for each in problems):
            self._note(problems, row, "cell-empty", "degree")
        draft.state = self._text(row, cells, "state", problems, 16) or "valid"
        value = self._cell(cells, "awarded_on")
        if value is None:
            self._note(problems, row, "cell-empty", "awarded_on")
            return
        try:
            draft.awarded_on = self._remember("awarded_on", value, parse_day)
        except NotADate as error:
            self._note(problems, row, error.code, "awarded_on")
            return
        if draft.awarded_on is not None and start_of(draft.awarded_on) > self._now:
            self._note(problems, row, "date-future", "awarded_on")

    def _times(
        self, draft: Draft, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> None:
        raw = self._cells(cells, "period", "date", "start", "end", "start_time", "end_time")
        known = self._spans.get(raw)
        if known is not None:
            draft.started_at, draft.ended_at, draft.exact = known
            return
        span = None
        for name, read in (("period", self._period), ("date", self._dated), ("start", self._span)):
            if name in self._columns:
                try:
                    span = read(row, cells, problems)
                except NotADate as error:
                    where = "start_time" if error.code == "time-unreadable" else name
                    self._note(problems, row, error.code, where)
                    return
                break
        else:
            self._note(problems, row, "cell-empty", "date")
        if span is None:
            return
        draft.started_at, draft.ended_at, draft.exact = span
        field_name = next(n for n in ("end", "period", "date", "start") if n in self._columns)
        if draft.ended_at < draft.started_at or (
            draft.exact and draft.ended_at <= draft.started_at
        ):
            self._note(problems, row, "end-before-start", field_name)
        # A day that is only a day ends tonight: it may be handed in today.
        elif draft.ended_at > self._now + timedelta(days=0 if draft.exact else 1):
            self._note(problems, row, "date-future", field_name)
        elif draft.started_at.year < 2000:
            self._note(problems, row, "date-old", field_name)
        elif (days := (draft.ended_at - draft.started_at).days) > _LONGEST_DAYS:
            self._note(problems, row, "span-long", field_name, days=days)
        else:
            if len(self._spans) >= _REMEMBERED:
                self._spans.clear()
            self._spans[raw] = span
            return
        # What is wrong with the days is said once; amounts are not held against them too.
        draft.started_at = draft.ended_at = None

    def _period(
        self, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> tuple[datetime, datetime, bool] | None:
        value = self._needed(row, cells, "period", problems)
        if value is None:
            return None
        days = self._remember("period", value, parse_period)
        return start_of(days.first), end_of(days.last), False

    def _dated(
        self, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> tuple[datetime, datetime, bool] | None:
        value = self._needed(row, cells, "date", problems)
        if value is None:
            return None
        when = self._remember("date", value, parse_when)
        days = when if isinstance(when, Days) else Days(when.at.date(), when.at.date())
        opened, closed = self._cell(cells, "start_time"), self._cell(cells, "end_time")
        if opened is None or closed is None or days.first != days.last:
            return start_of(days.first), end_of(days.last), False
        first: tuple[time, bool] = self._remember("time", opened, parse_time)
        last: tuple[time, bool] = self._remember("time", closed, parse_time)
        return (
            at(days.first, first[0], next_day=first[1]),
            at(days.first, last[0], next_day=last[1]),
            True,
        )

    def _span(
        self, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> tuple[datetime, datetime, bool] | None:
        value = self._needed(row, cells, "start", problems)
        if value is None:
            return None
        first = self._remember("start", value, parse_when)
        closing = self._cell(cells, "end")
        last = first if closing is None else self._remember("start", closing, parse_when)
        if isinstance(first, Moment) and isinstance(last, Moment) and closing is not None:
            return first.at, last.at, True
        begin = start_of(first.first if isinstance(first, Days) else first.at.date())
        end = end_of(last.last if isinstance(last, Days) else last.at.date())
        return begin, end, False

    def _amount(
        self, draft: Draft, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> None:
        between = 0
        if draft.exact and draft.started_at and draft.ended_at:
            between = int((draft.ended_at - draft.started_at).total_seconds() // 60)
        rule = self._rules.get("minutes")
        value = None if rule is None else self._cell(cells, "minutes")
        if rule is None or value is None:
            if between > 0:
                draft.minutes = between
            elif draft.started_at is not None and not draft.exact:
                self._note(problems, row, "cell-empty", "minutes")
            return
        try:
            draft.minutes = self._remember(
                "minutes", value, lambda cell: parse_minutes(cell, rule.unit, rule.lesson_minutes)
            )
        except NotAnAmount as error:
            self._note(problems, row, error.code, "minutes")
            return
        self.sums["minutes"] += draft.minutes
        if between > 0 and draft.minutes > between:
            self._note(
                problems,
                row,
                "amount-over-interval",
                "minutes",
                stated=draft.minutes,
                between=between,
            )
        elif draft.kind in ("course", "volunteering") and draft.started_at and draft.ended_at:
            days = max((draft.ended_at - draft.started_at).days + 1, 1)
            if draft.minutes > days * _MOST_A_DAY:
                each = draft.minutes // days
                self._note(problems, row, "amount-over-day", "minutes", perday=each)

    def _attendance(
        self, draft: Draft, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> None:
        raw = self._cells(cells, "attended", "sessions", "attendance")
        known = self._presences.get(raw)
        if known is not None:
            draft.attended, draft.sessions = known
            return
        before = len(problems)
        for name, parse in (("attended", parse_count), ("sessions", parse_count)):
            value = self._cell(cells, name)
            if value is not None:
                try:
                    setattr(draft, name, self._remember("count", value, parse))
                except NotAnAmount as error:
                    self._note(problems, row, error.code, name)
            elif name in self._rules and self._rules[name].cell_required:
                self._note(problems, row, "cell-empty", name)
        both = self._cell(cells, "attendance")
        if both is not None:
            try:
                draft.attended, draft.sessions = self._remember("both", both, parse_attendance)
            except NotAnAmount as error:
                self._note(problems, row, error.code, "attendance")
        if (
            draft.attended is not None
            and draft.sessions is not None
            and draft.attended > draft.sessions
        ):
            self._note(
                problems,
                row,
                "attended-over-sessions",
                "attended",
                attended=draft.attended,
                sessions=draft.sessions,
            )
        if len(problems) == before:
            if len(self._presences) >= _REMEMBERED:
                self._presences.clear()
            self._presences[raw] = (draft.attended, draft.sessions)

    def _approval(
        self, draft: Draft, row: int, cells: Sequence[object], problems: list[Problem]
    ) -> None:
        if "approved" not in self._rules:
            return
        value = self._text(row, cells, "approved", problems, 32)
        if value == "yes":
            draft.approved = True
        elif value == "no":
            draft.approved = False  # the database knows whether it had been approved before
        elif not any(each.field == "approved" for each in problems):
            self._note(problems, row, "approval-pending", "approved")

    # --- one cell ---------------------------------------------------------------------------------

    def _cell(self, cells: Sequence[object], name: str) -> object:
        index = self._columns.get(name)
        if index is None or index >= len(cells):
            return None
        value = cells[index]
        if type(value) is str:
            return value.strip() or None
        return value

    def _cells(self, cells: Sequence[object], *names: str) -> tuple[object, ...]:
        """The raw cells of several fields, to remember what they mean together."""
        width = len(cells)
        return tuple(
            [
                cells[index] if (index := self._columns.get(name)) is not None and index < width
                else None
                for name in names
            ]
        )  # fmt: skip

    def _needed(
        self, row: int, cells: Sequence[object], name: str, problems: list[Problem]
    ) -> object:
        value = self._cell(cells, name)
        if value is None:
            self._note(problems, row, "cell-empty", name)
        return value

    def _text(
        self, row: int, cells: Sequence[object], name: str, problems: list[Problem], most: int
    ) -> str | None:
        rule = self._rules.get(name)
        if rule is None:
            return None
        value = self._cell(cells, name)
        if value is None:
            if rule.default is not None:
                return rule.default
            if rule.cell_required and name != "identifier":
                self._note(problems, row, "cell-empty", name)
            return None
        if name in ("identifier", "name", "record_number"):  # hardly repeats: not worth keeping
            text, code = _normal(value), None
        else:
            text, code = self._remember(name, value, lambda cell: _looked_up(cell, rule))
        if len(text) > min(most, self._limits.cell):
            self._note(problems, row, "cell-too-long", name, most=most)
            return None
        if code is not None:
            self._note(problems, row, code, name, allowed=listed(rule.listed_values))
        return text or None

    def _remember(self, kind: str, key: object, parse: Callable[[object], Any]) -> Any:
        memory = self._memory.setdefault(kind, {})
        try:
            found = memory.get(key)
        except TypeError:
            return parse(key)
        if found is None:
            try:
                found = parse(key)
            except (NotADate, NotAnAmount) as error:
                found = error
            if len(memory) >= _REMEMBERED:
                memory.clear()
            memory[key] = found
        if isinstance(found, Exception):
            raise found
        return found

    def _note(
        self, problems: list[Problem], row: int, code: str, name: str, **facts: object
    ) -> None:
        problems.append(problem(row, code, name, self._fitted.headings.get(name), **facts))

    def _fail(self, problems: list[Problem], row: int, code: str, name: str) -> None:
        self._note(problems, row, code, name)
        raise _Stop


def _normal(value: object) -> str:
    """A cell as text: NFC, single spaces; 1001.0 of a spreadsheet is the number 1001."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else str(value)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def _looked_up(value: object, rule: FieldRule) -> tuple[str, str | None]:
    """The meaning of a cell by the rule's tables, and the code of a problem or None."""
    text = _normal(value)
    key = plain(text)
    if key in rule.corrections:
        return rule.corrections[key], "spelling"
    if rule.values is None:
        return text, None
    if key in rule.values:
        return rule.values[key], None
    if rule.other == "keep":
        return text, None
    return text, "value-unlisted" if rule.other == "review" else "value-unknown"
