"""One chunk of rows into the database, in one transaction, with a fixed number of queries.

Whatever is decided about a row (accepted, duplicate, superseding, to be reviewed) is decided here
against what is already recorded, and stored together with the verdict and the position in the
file. A crash therefore leaves either all of a chunk or none of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from issuer.intake.interpretation import Draft
from issuer.intake.mapping import Fitted
from issuer.intake.names import Likeness, likeness
from issuer.intake.verdicts import Problem, RowVerdict, Severity, problem
from ledger import learners
from ledger.database.bulk import insert_rows
from ledger.database.models import (
    Accreditation,
    Award,
    LearnerIdentity,
    LearnerItem,
    LearningRecord,
    SubmissionRow,
)
from ledger.identifiers import ordered_ids
from ledger.learners import Identities

KST = ZoneInfo("Asia/Seoul")

# What makes a record what it is; the order is part of the hash.
CONTENT = (
    "kind", "category", "level", "title_ko", "title_en", "code", "offering", "course_class",
    "started_at", "ended_at", "exact_interval", "minutes", "attended", "sessions", "approved",
)  # fmt: skip

_RECORD_COLUMNS = (
    "id", *CONTENT, "learner_id", "institution_id", "source_key", "content_sha256", "status",
    "supersedes_id", "submission_id", "submission_row", "recorded_at",
)  # fmt: skip


class Live(NamedTuple):
    """A record as far as a new row has to know it."""

    id: str
    source_key: str
    content: bytes
    learner_id: str
    status: str
    row: int | None  # of this very submission, else None


@dataclass(slots=True)
class Outcome:
    """The verdict on one row."""

    row: int
    verdict: RowVerdict
    problems: list[Problem]
    record_id: str | None = None
    duplicate_of: int | None = None


@dataclass(slots=True)
class Chunk:
    """What one transaction stored."""

    outcomes: list[Outcome] = field(default_factory=list)
    new_learners: int = 0
    superseded: int = 0

    def count(self, verdict: RowVerdict) -> int:
        return sum(outcome.verdict is verdict for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Storer:
    """Everything a chunk needs to know about its file."""

    identities: Identities
    institution_id: str
    submission_id: str
    fitted: Fitted
    accredited: dict[str, list[tuple[datetime, datetime | None]]]
    now: datetime

    def store(self, session: Session, read: Sequence[Draft | tuple[int, list[Problem]]]) -> Chunk:
        """Decide and write one chunk; ``read`` is in file order, problems are of refused rows."""
        chunk = Chunk()
        drafts = [each for each in read if isinstance(each, Draft)]
        people = self._people(session, drafts, chunk)
        by_row: dict[int, Outcome] = {}
        for each in read:
            if isinstance(each, tuple):
                by_row[each[0]] = _refused(*each)
        kept: list[tuple[Draft, str, list[Problem]]] = []
        for draft in drafts:
            learner_id, notes = people[draft.row]
            if any(note.severity is not Severity.NOTE for note in notes):
                by_row[draft.row] = _refused(draft.row, notes)
            else:
                kept.append((draft, learner_id, notes))
        if self.fitted.mapping.makes == "award":
            self._awards(session, kept, by_row)
        else:
            self._records(session, kept, by_row, chunk)
        chunk.outcomes = [by_row[row] for row in sorted(by_row)]
        self._write_rows(session, chunk.outcomes)
        return chunk

    # --- people -----------------------------------------------------------------------------------

    def _people(
        self, session: Session, drafts: Sequence[Draft], chunk: Chunk
    ) -> dict[int, tuple[str, list[Problem]]]:
        """For each row its learner, enrolled if new, and its notes including those on the name."""
        first: dict[bytes, Draft] = {}
        for draft in drafts:
            kept = first.setdefault(draft.commitment, draft)
            if kept.name is None and draft.name is not None:
                first[draft.commitment] = draft
        known = learners.find(session, self.identities, first)
        # Nobody is enrolled for a row that will be rejected.
        wanted = {draft.commitment for draft in drafts if draft.approved is not False}
        fresh = learners.enrol(
            session,
            self.identities,
            self.fitted.mapping.scheme,
            ((c, draft.name) for c, draft in first.items() if c not in known and c in wanted),
            self.now,
        )
        chunk.new_learners = len(fresh)
        unnamed = [
            {"learner_id": one.learner_id, "name": self.identities.seal_name(one.learner_id, name)}
            for c, one in known.items()
            if one.name is None and (name := first[c].name) is not None
        ]
        if unnamed:
            session.execute(LearnerIdentity.__table__.insert(), unnamed)  # type: ignore[attr-defined]
        result: dict[int, tuple[str, list[Problem]]] = {}
        for draft in drafts:
            one = known.get(draft.commitment)
            learner_id = one.learner_id if one is not None else fresh.get(draft.commitment, "")
            name = (one.name if one is not None else None) or first[draft.commitment].name
            notes = list(draft.notes)
            if name is not None and draft.name is not None and name != draft.name:
                alike = likeness(name, draft.name)
                if alike is not Likeness.SAME:
                    code = "name-differs" if alike is Likeness.SIMILAR else "name-other"
                    notes.append(self._problem(draft.row, code, "name"))
            result[draft.row] = (learner_id, notes)
        return result

    # --- records ----------------------------------------------------------------------------------

    def _records(
        self,
        session: Session,
        kept: Sequence[tuple[Draft, str, list[Problem]]],
        by_row: dict[int, Outcome],
        chunk: Chunk,
    ) -> None:
        rows = [self._row(draft, learner_id) for draft, learner_id, _ in kept]
        live, twins = self._known_records(session, rows)
        ids = iter(ordered_ids("rec", len(rows), self.now))
        inserts: list[dict[str, Any]] = []
        replaced: list[str] = []
        items: list[tuple[Draft, str, Outcome]] = []
        for (draft, learner_id, notes), row in zip(kept, rows, strict=True):
            outcome = self._decide(draft, row, notes, live, twins)
            by_row[draft.row] = outcome
            if outcome.verdict is not RowVerdict.ACCEPTED:
                continue
            row["id"] = outcome.record_id = next(ids)
            prior = live.get(row["source_key"])
            if prior is not None:
                row["supersedes_id"] = prior.id
                replaced.append(prior.id)
            new = Live(
                row["id"], row["source_key"], row["content_sha256"], learner_id, "verified",
                draft.row,
            )  # fmt: skip
            live[new.source_key] = twins[new.content] = new
            inserts.append(row)
            if draft.items:
                items.append((draft, learner_id, outcome))
            self._check_accreditation(draft, outcome)
        chunk.superseded = len(replaced)
        self._note_changes(session, [row for row in inserts if row["supersedes_id"]], by_row)
        self._note_overlaps(session, inserts, by_row)
        if replaced:
            session.execute(
                update(LearningRecord)
                .where(LearningRecord.id.in_(replaced))
                .values(status="superseded")
            )
        insert_rows(
            session,
            LearningRecord.__table__,  # type: ignore[arg-type]
            _RECORD_COLUMNS,
            [tuple([row[column] for column in _RECORD_COLUMNS]) for row in inserts],
        )
        self._items(session, items)

    def _row(self, draft: Draft, learner_id: str) -> dict[str, Any]:
        content = (
            draft.kind, draft.category, draft.level, draft.title_ko, draft.title_en, draft.code,
            draft.offering, draft.course_class, draft.started_at, draft.ended_at, draft.exact,
            draft.minutes, draft.attended, draft.sessions, draft.approved,
        )  # fmt: skip
        row: dict[str, Any] = dict(zip(CONTENT, content, strict=True))
        row["learner_id"] = learner_id
        row["institution_id"] = self.institution_id
        row["source_key"] = self._source_key(draft)
        row["content_sha256"] = _digest(learner_id, content)
        row["status"] = "verified"
        row["supersedes_id"] = None
        row["submission_id"] = self.submission_id
        row["submission_row"] = draft.row
        row["recorded_at"] = self.now
        return row

    def _source_key(self, draft: Draft) -> str:
        """What names this entry in the institution's own books, under the keyed hash.

        Its record number when the file has one; else person, activity and beginning.
        """
        series = self.fitted.mapping.series
        if draft.number is not None:
            parts = [learners.normal_identifier(draft.number)]
        else:
            assert draft.started_at is not None
            start = draft.started_at.astimezone(KST).isoformat()
            activity = draft.code or draft.title_ko
            parts = [draft.commitment.hex(), draft.kind, activity, draft.offering or "", start]
        digest = self.identities.keyed("entry", self.institution_id, series, *parts)
        return f"{series}:{digest[:20].hex()}"

    def _known_records(
        self, session: Session, rows: Sequence[dict[str, Any]]
    ) -> tuple[dict[str, Live], dict[bytes, Live]]:
        """By source key the live (or retracted) records, by content the live ones."""
        if not rows:
            return {}, {}
        columns = (
            LearningRecord.id, LearningRecord.source_key, LearningRecord.content_sha256,
            LearningRecord.learner_id, LearningRecord.status, LearningRecord.submission_id,
            LearningRecord.submission_row,
        )  # fmt: skip
        live: dict[str, Live] = {}
        twins: dict[bytes, Live] = {}
        mine = LearningRecord.institution_id == self.institution_id
        keys = list({row["source_key"] for row in rows})
        for entry in session.execute(
            select(*columns).where(mine, LearningRecord.source_key.in_(keys), _STANDING)
        ):
            live[entry[1]] = self._live(entry)
        contents = list({row["content_sha256"] for row in rows})
        for entry in session.execute(
            select(*columns).where(LearningRecord.content_sha256.in_(contents), mine, _IS_VERIFIED)
        ):
            twins[entry[2]] = self._live(entry)
        return live, twins

    def _live(self, entry: Any) -> Live:
        row = entry[6] if entry[5] == self.submission_id else None
        return Live(entry[0], entry[1], entry[2], entry[3], entry[4], row)

    def _decide(
        self,
        draft: Draft,
        row: dict[str, Any],
        notes: list[Problem],
        live: dict[str, Live],
        twins: dict[bytes, Live],
    ) -> Outcome:
        content, at = row["content_sha256"], draft.row
        prior = live.get(row["source_key"])
        if draft.approved is False:
            standing = prior is not None and prior.status == "verified"
            code = "approval-withdrawn" if standing else "not-approved"
            return _refused(at, [*notes, self._problem(at, code, "approved")])
        if prior is None:
            twin = twins.get(content)
            if twin is None:
                return Outcome(at, RowVerdict.ACCEPTED, notes)
            if not draft.exact and draft.offering is None:
                return _refused(at, [*notes, self._problem(at, "maybe-same", "row")])
            return self._duplicate(draft, notes, twin, "same-elsewhere")
        if prior.status == "retracted":
            return _refused(at, [*notes, self._problem(at, "was-retracted", "record_number")])
        if prior.content == content:
            return self._duplicate(draft, notes, prior, "unchanged")
        if prior.row is not None:
            clash = self._problem(at, "number-clash", "record_number", other=prior.row)
            return _refused(at, [*notes, clash])
        if prior.learner_id != row["learner_id"]:
            return _refused(at, [*notes, self._problem(at, "other-learner", "record_number")])
        return Outcome(at, RowVerdict.ACCEPTED, notes)

    def _duplicate(self, draft: Draft, notes: list[Problem], of: Live, code: str) -> Outcome:
        if of.row is not None:
            remark = self._problem(draft.row, "same-row", "row", other=of.row)
        else:
            remark = self._problem(draft.row, code, "row")
        return Outcome(draft.row, RowVerdict.DUPLICATE, [*notes, remark], of.id, of.row)

    def _check_accreditation(self, draft: Draft, outcome: Outcome) -> None:
        periods = self.accredited.get(draft.kind, ())
        at = draft.ended_at
        assert at is not None
        if not any(start <= at and (end is None or at < end) for start, end in periods):
            outcome.problems.append(self._problem(draft.row, "not-accredited", "row"))

    def _note_changes(
        self, session: Session, rows: Sequence[dict[str, Any]], by_row: dict[int, Outcome]
    ) -> None:
        """Say on each superseding row which fields changed (their names, never their content)."""
        if not rows:
            return
        old = {
            record.id: record
            for record in session.scalars(
                select(LearningRecord).where(
                    LearningRecord.id.in_([row["supersedes_id"] for row in rows])
                )
            )
        }
        for row in rows:
            before = old[row["supersedes_id"]]
            changed = [name for name in CONTENT if getattr(before, name) != row[name]]
            remark = self._problem(
                row["submission_row"], "supersedes", "row", fields=", ".join(changed)
            )
            by_row[row["submission_row"]].problems.append(remark)
        session.expunge_all()

    def _note_overlaps(
        self, session: Session, rows: Sequence[dict[str, Any]], by_row: dict[int, Outcome]
    ) -> None:
        """Intervals of one person that share minutes are accepted and noted: the credit engine
        counts each clock minute once, whatever the order in which they arrived."""
        timed = [row for row in rows if row["exact_interval"]]
        if not timed:
            return
        first = min(row["started_at"] for row in timed)
        last = max(row["ended_at"] for row in timed)
        replaced = {row["supersedes_id"] for row in timed}
        spans: dict[str, list[tuple[datetime, datetime, int | None]]] = {}
        for entry in session.execute(
            select(
                LearningRecord.id, LearningRecord.learner_id, LearningRecord.started_at,
                LearningRecord.ended_at, LearningRecord.submission_id,
                LearningRecord.submission_row,
            ).where(
                LearningRecord.learner_id.in_({row["learner_id"] for row in timed}),
                LearningRecord.exact_interval.is_(True),
                _IS_VERIFIED,
                LearningRecord.started_at < last,
                LearningRecord.ended_at > first,
            )
        ):  # fmt: skip
            if entry[0] not in replaced:
                number = entry[5] if entry[4] == self.submission_id else None
                spans.setdefault(entry[1], []).append((entry[2], entry[3], number))
        for row in timed:
            mine = spans.setdefault(row["learner_id"], [])
            start, end, number = row["started_at"], row["ended_at"], row["submission_row"]
            for begun, ended, other in mine:
                if begun < end and start < ended:
                    code = "overlap" if other is None else "overlap-row"
                    remark = self._problem(number, code, "start_time", other=other)
                    by_row[number].problems.append(remark)
                    break
            mine.append((start, end, number))

    def _items(self, session: Session, items: Sequence[tuple[Draft, str, Outcome]]) -> None:
        """Conditions of a degree that these rows decide, such as an approved research output."""
        if not items:
            return
        known = {
            (item.learner_id, item.item): item
            for item in session.scalars(
                select(LearnerItem).where(
                    LearnerItem.learner_id.in_({learner_id for _, learner_id, _ in items})
                )
            )
        }
        for draft, learner_id, outcome in items:
            assert draft.ended_at is not None
            decided = draft.ended_at.astimezone(KST).date()
            for name, state in draft.items:
                item = known.get((learner_id, name))
                if item is None:
                    item = LearnerItem(
                        learner_id=learner_id, item=name, state=state, decided_on=decided
                    )
                    session.add(item)
                    known[(learner_id, name)] = item
                elif item.state != state:
                    item.state, item.decided_on = state, decided
                    outcome.problems.append(self._problem(draft.row, "item-changed", "approved"))
        session.flush()

    # --- degrees given on paper -------------------------------------------------------------------

    def _awards(
        self,
        session: Session,
        kept: Sequence[tuple[Draft, str, list[Problem]]],
        by_row: dict[int, Outcome],
    ) -> None:
        held: dict[tuple[str, str], tuple[str, date, int | None]] = {}
        people = {learner_id for _, learner_id, _ in kept}
        for award in session.scalars(select(Award).where(Award.learner_id.in_(people))):
            held[(award.learner_id, award.degree)] = (award.state, award.awarded_on, None)
        for draft, learner_id, notes in kept:
            assert draft.degree is not None
            assert draft.awarded_on is not None
            key = (learner_id, draft.degree)
            if key not in held:
                held[key] = (draft.state, draft.awarded_on, draft.row)
                session.add(
                    Award(
                        learner_id=learner_id,
                        degree=draft.degree,
                        state=draft.state,
                        awarded_on=draft.awarded_on,
                        basis="paper",
                        used={},
                    )
                )
                by_row[draft.row] = Outcome(draft.row, RowVerdict.ACCEPTED, notes)
            elif held[key][:2] == (draft.state, draft.awarded_on):
                other = held[key][2]
                code = "unchanged" if other is None else "same-row"
                remark = self._problem(draft.row, code, "row", other=other)
                by_row[draft.row] = Outcome(
                    draft.row, RowVerdict.DUPLICATE, [*notes, remark], None, other
                )
            else:
                remark = self._problem(draft.row, "degree-differs", "awarded_on")
                by_row[draft.row] = _refused(draft.row, [*notes, remark])
        session.flush()

    # --- verdicts ---------------------------------------------------------------------------------

    def _write_rows(self, session: Session, outcomes: Iterable[Outcome]) -> None:
        insert_rows(
            session,
            SubmissionRow.__table__,  # type: ignore[arg-type]
            ("submission_id", "row", "verdict", "record_id", "duplicate_of", "problems"),
            [
                (
                    self.submission_id,
                    outcome.row,
                    outcome.verdict.value,
                    outcome.record_id,
                    outcome.duplicate_of,
                    [_stored(each) for each in outcome.problems] if outcome.problems else [],
                )
                for outcome in outcomes
            ],
        )

    def _problem(self, row: int, code: str, name: str, **facts: object) -> Problem:
        return problem(row, code, name, self.fitted.headings.get(name), **facts)


# The very words of the partial index, or the planners cannot see that it applies.
_STANDING = text("learning_record.status <> 'superseded'")
_IS_VERIFIED = LearningRecord.status == "verified"


def _refused(row: int, problems: list[Problem]) -> Outcome:
    rejected = any(each.severity is Severity.ERROR for each in problems)
    return Outcome(row, RowVerdict.REJECTED if rejected else RowVerdict.REVIEW, problems)


def _stored(each: Problem) -> dict[str, Any]:
    body = each.to_json()
    del body["row"]
    return body


def _digest(learner_id: str, content: Sequence[object]) -> bytes:
    """SHA-256 of what a record says; instants as whole UTC seconds."""
    parts = [
        "" if value is None
        else value if type(value) is str
        else str(int(value.timestamp())) if isinstance(value, datetime)
        else f"={value}"
        for value in content
    ]  # fmt: skip
    return hashlib.sha256("\x1f".join([learner_id, *parts]).encode()).digest()


def accreditations(
    session: Session, institution_id: str
) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """By kind, the half-open periods in which the institution may issue it."""
    found: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for row in session.scalars(
        select(Accreditation).where(Accreditation.institution_id == institution_id)
    ):
        found.setdefault(row.kind, []).append((row.valid_from, row.valid_to))
    return found
