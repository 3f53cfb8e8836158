"""Taking in a file: read, interpret, store in chunks, report. Resumes after a kill at any point.

A submission is known by institution, content of the file and mapping. Handing the same file in
again gives the stored report; a file that was half read continues behind its last stored row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlalchemy import String, cast, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credential.text import Text
from issuer.intake import residents
from issuer.intake.interpretation import Draft, Interpreter, TotalsRow
from issuer.intake.limits import DEFAULT, Limits
from issuer.intake.mapping import Fitted, Mapping, fit, mapping_by_id
from issuer.intake.refusals import (
    FileTooLarge,
    FileUnreadable,
    NotAllowed,
    ResidentNumberFound,
    SubmissionBusy,
    listed,
)
from issuer.intake.sheets import Row, Sheet, open_sheet
from issuer.intake.storing import Chunk, Storer, accreditations
from issuer.intake.verdicts import Problem, RowVerdict, SubmissionReport, Total
from ledger import institutions
from ledger.database.models import Submission, SubmissionRow
from ledger.database.session import Database
from ledger.identifiers import random_id
from ledger.learners import Identities

Progress = Callable[[int, int | None], None]

CHUNK_ROWS = 5_000
_SAMPLE_ROWS = 200
_SHOWN_PROBLEMS = 1_000
_ATTEMPTS = 5


def ingest(
    database: Database,
    identities: Identities,
    path: Path,
    *,
    institution: str,
    mapping: Mapping | str | None = None,
    now: datetime,
    dry_run: bool = False,
    progress: Progress | None = None,
    encoding: str | None = None,
    limits: Limits = DEFAULT,
) -> SubmissionReport:
    """Take in the file at ``path`` for ``institution``.

    ``mapping``: a ready one's id, or None to find it by the header row. ``encoding``: the answer to
    an EncodingUnclear question. ``progress(rows done, rows in all or None)`` after each chunk.
    ``dry_run``: everything is decided in one transaction that is then rolled back.
    Raises UnknownInstitution, the refusals of ``issuer.intake.refusals``, and the database's
    errors; after any of them the next call continues where the last stored chunk ended.
    """
    chosen = mapping_by_id(mapping) if isinstance(mapping, str) else mapping
    with database.reading() as session:
        institutions.require(session, institution)
    with _opened(path) as handle:
        digest = hashlib.file_digest(handle, "sha256").digest()
        handle.seek(0)
        wanted = chosen.sheet if chosen is not None else None
        with open_sheet(handle, limits=limits, encoding=encoding, sheet=wanted) as sheet:
            fitted, rows = _fit(sheet, chosen)
            file = _File(path.name[-255:], digest, sheet, fitted, rows, institution)
            run = _Run(database, identities, file, now, limits, progress)
            return run.rehearse() if dry_run else run.perform()


def stored_report(
    session: Session, submission_id: str, *, repeated: bool = True
) -> SubmissionReport:
    """The report on a submission, as stored."""
    submission = session.get_one(Submission, submission_id)
    listed = session.execute(
        select(SubmissionRow.row, SubmissionRow.problems)
        .where(
            SubmissionRow.submission_id == submission_id,
            cast(SubmissionRow.problems, String) != "[]",
        )
        .order_by(SubmissionRow.row)
        .limit(_SHOWN_PROBLEMS)
    )
    problems = [Problem.from_json(row, body) for row, bodies in listed for body in bodies]
    return _report(submission, problems, repeated=repeated)


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    digest: bytes
    sheet: Sheet
    fitted: Fitted
    rows: Iterator[Row]  # behind the header
    institution: str


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        handle = path.open("rb")
    except OSError as error:
        raise FileUnreadable(
            Text(f"파일을 열 수 없습니다: {path.name}", f"The file cannot be opened: {path.name}"),
            Text(
                "파일이 그 자리에 있고 읽을 수 있는지 보세요.",
                "Check that it is there and readable.",
            ),
        ) from error
    with handle:
        yield handle


def _fit(sheet: Sheet, chosen: Mapping | None) -> tuple[Fitted, Iterator[Row]]:
    first = list(islice(sheet.rows, _SAMPLE_ROWS))
    if not first:
        raise FileUnreadable(
            Text("내용이 없는 표입니다.", "The table has no content."),
            Text("내용이 있는 파일을 제출하세요.", "Hand in a file with content."),
        )
    fitted = fit([(number, [_heading(cell) for cell in cells]) for number, cells in first], chosen)
    behind = [row for row in first if row[0] > fitted.header_row]
    column = residents.column_of(
        tuple("" if cell is None else str(cell) for cell in cells) for _, cells in behind
    )
    if column is not None:
        raise ResidentNumberFound.column(column + 1)
    return fitted, chain(behind, sheet.rows)


def _heading(cell: object) -> str:
    return cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)


class _Run:
    """One file on its way into one database."""

    def __init__(
        self,
        database: Database,
        identities: Identities,
        file: _File,
        now: datetime,
        limits: Limits,
        progress: Progress | None,
    ) -> None:
        self._database = database
        self._identities = identities
        self._file = file
        self._now = now
        self._limits = limits
        self._progress = progress
        self._interpreter = Interpreter(file.fitted, identities, now, limits)
        self._totals: list[dict[str, int]] = []
        self._problems: list[Problem] = []

    def perform(self) -> SubmissionReport:
        try:
            with self._database.session() as session:
                submission = self._begin(session)
                submission_id, resumed = submission.id, submission.position > 0
                if submission.state == "done":
                    return stored_report(session, submission_id)
                session.flush()
                storer = self._storer(session, submission_id)
                self._restore(submission.summary)
        except IntegrityError as error:
            raise _busy() from error
        for rows, read in self._chunks(submission.position):
            self._attempt(storer, submission, rows, read)
        with self._database.session() as session:
            self._finish(session.get_one(Submission, submission_id))
        with self._database.reading() as session:
            report = stored_report(session, submission_id, repeated=False)
        return _with(report, resumed=resumed)

    def rehearse(self) -> SubmissionReport:
        """Decide everything and keep nothing."""
        with self._database.session() as session:
            submission = self._begin(session)
            if submission.state == "done":
                return stored_report(session, submission.id)
            if submission.position:
                # A half-read file is rehearsed as the whole it will be.
                session.rollback()
                submission = self._fresh(_rehearsal_digest(self._file.digest))
                session.add(submission)
            session.flush()
            storer = self._storer(session, submission.id)
            for rows, read in self._chunks(0):
                chunk = storer.store(session, read)
                self._account(submission, rows, chunk)
                self._keep(chunk)
                self._tell(submission)
            self._finish(submission)
            report = _report(submission, self._problems, repeated=False)
            session.rollback()
        return _with(report, submission_id=None, dry_run=True)

    # --- the submission ---------------------------------------------------------------------------

    def _begin(self, session: Session) -> Submission:
        file = self._file
        submission = session.scalar(
            select(Submission).where(
                Submission.institution_id == file.institution,
                Submission.file_sha256 == file.digest,
                Submission.mapping == file.fitted.mapping.label,
            )
        )
        if submission is None:
            submission = self._fresh(file.digest)
            session.add(submission)
        return submission

    def _fresh(self, digest: bytes) -> Submission:
        file = self._file
        return Submission(
            id=random_id("sub"),
            institution_id=file.institution,
            mapping=file.fitted.mapping.label,
            file_name=file.name,
            file_sha256=digest,
            state="reading",
            rows=0,
            accepted=0,
            duplicates=0,
            review=0,
            rejected=0,
            position=0,
            summary={
                "form": file.sheet.form,
                "encoding": file.sheet.encoding,
                "unused": list(file.fitted.unused),
                "header": file.fitted.header_row,
                "unread": list(file.sheet.unread),
                "learners": 0,
                "superseded": 0,
                "problems": 0,
                "sums": {"minutes": 0, "rows": 0},
                "totals": [],
            },
            received_at=self._now,
        )

    def _storer(self, session: Session, submission_id: str) -> Storer:
        allowed = accreditations(session, self._file.institution)
        if self._file.fitted.mapping.makes == "award" and not any(
            start <= self._now and (end is None or self._now < end)
            for start, end in allowed.get("registrar", ())
        ):
            raise NotAllowed(
                Text(
                    "이미 수여한 학위는 등록기관(registrar)만 제출할 수 있습니다.",
                    "Only a registrar may hand in degrees already given.",
                ),
                Text(
                    "평생교육진흥원에 요청하세요.", "Ask the city's lifelong-education institute."
                ),
                {"institution": self._file.institution},
            )
        return Storer(
            self._identities,
            self._file.institution,
            submission_id,
            self._file.fitted,
            allowed,
            self._now,
        )

    def _restore(self, summary: dict[str, Any]) -> None:
        self._interpreter.sums.update(summary["sums"])
        self._totals = list(summary["totals"])

    # --- chunks -----------------------------------------------------------------------------------

    def _chunks(
        self, position: int
    ) -> Iterator[tuple[int, list[Draft | tuple[int, list[Problem]]]]]:
        """(last row number, what was read) for each chunk behind ``position``."""
        kept: list[Draft | tuple[int, list[Problem]]] = []
        last, counted = position, self._interpreter.sums["rows"]
        for number, cells in self._file.rows:
            if number <= position:
                continue
            last = number
            found = self._interpreter.read(number, cells)
            if isinstance(found, TotalsRow):
                self._compare(found)
                continue
            counted += 1
            if counted > self._limits.rows:
                raise FileTooLarge(
                    Text(
                        f"한 파일에는 {self._limits.rows:,}행까지 받습니다.",
                        f"A file may have {self._limits.rows:,} rows at most.",
                    ),
                    Text("파일을 나누어 제출하세요.", "Split the file and hand in the parts."),
                )
            kept.append(found if isinstance(found, Draft) else (number, found))
            if len(kept) >= CHUNK_ROWS:
                yield last, kept
                kept = []
        if kept or last > position:
            yield last, kept

    def _compare(self, totals: TotalsRow) -> None:
        for name, stated in totals.stated.items():
            counted = self._interpreter.sums[name]
            self._totals.append({"row": totals.row, "stated": stated, "counted": counted})

    def _attempt(
        self,
        storer: Storer,
        submission: Submission,
        last: int,
        read: Sequence[Draft | tuple[int, list[Problem]]],
    ) -> None:
        """Store one chunk; begins again when another intake enrolled one of its people first."""
        for attempt in range(_ATTEMPTS):
            try:
                with self._database.session() as session:
                    # Taking the next position locks the submission: a second run on the same
                    # file finds it moved before it stores anything.
                    taken = session.execute(
                        update(Submission)
                        .where(
                            Submission.id == submission.id,
                            Submission.position == submission.position,
                            Submission.state == "reading",
                        )
                        .values(position=last)
                    )
                    if taken.rowcount != 1:  # type: ignore[attr-defined]
                        raise _busy()
                    chunk = storer.store(session, read)
                    changed = _copy(submission)
                    self._account(changed, last, chunk)
                    session.execute(
                        update(Submission)
                        .where(Submission.id == changed.id)
                        .values(**_counts(changed))
                    )
            except IntegrityError:
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            for name, value in _counts(changed).items():
                setattr(submission, name, value)
            self._tell(submission)
            return

    def _account(self, submission: Submission, last: int, chunk: Chunk) -> None:
        submission.position = last
        submission.rows += len(chunk.outcomes)
        submission.accepted += chunk.count(RowVerdict.ACCEPTED)
        submission.duplicates += chunk.count(RowVerdict.DUPLICATE)
        submission.review += chunk.count(RowVerdict.REVIEW)
        submission.rejected += chunk.count(RowVerdict.REJECTED)
        summary = dict(submission.summary)
        summary["learners"] += chunk.new_learners
        summary["superseded"] += chunk.superseded
        summary["problems"] += sum(len(outcome.problems) for outcome in chunk.outcomes)
        summary["sums"] = dict(self._interpreter.sums)
        summary["totals"] = list(self._totals)
        submission.summary = summary

    def _keep(self, chunk: Chunk) -> None:
        room = _SHOWN_PROBLEMS - len(self._problems)
        if room > 0:
            found = (each for outcome in chunk.outcomes for each in outcome.problems)
            self._problems.extend(islice(found, room))

    def _finish(self, submission: Submission) -> None:
        submission.state = "done"
        submission.finished_at = self._now

    def _tell(self, submission: Submission) -> None:
        if self._progress is not None:
            total = self._file.sheet.total
            behind = None if total is None else max(total - self._file.fitted.header_row, 0)
            self._progress(submission.rows, behind)


_COUNTS = ("position", "rows", "accepted", "duplicates", "review", "rejected", "summary")


def _counts(submission: Submission) -> dict[str, Any]:
    return {name: getattr(submission, name) for name in _COUNTS}


def _busy() -> SubmissionBusy:
    return SubmissionBusy(
        Text(
            "다른 곳에서 같은 파일을 처리하고 있습니다.",
            "The same file is being taken in elsewhere.",
        ),
        Text("끝난 뒤 보고서를 보세요.", "See the report when it has ended."),
    )


def _copy(submission: Submission) -> Submission:
    return Submission(id=submission.id, **_counts(submission))


def _rehearsal_digest(digest: bytes) -> bytes:
    return hashlib.sha256(b"rehearsal" + digest).digest()


def _report(
    submission: Submission, problems: Sequence[Problem], *, repeated: bool
) -> SubmissionReport:
    summary = submission.summary
    return SubmissionReport(
        submission.id,
        submission.institution_id,
        submission.mapping,
        submission.file_name,
        submission.rows,
        submission.accepted,
        submission.duplicates,
        submission.review,
        submission.rejected,
        tuple(problems),
        summary["problems"],
        new_learners=summary["learners"],
        superseded=summary["superseded"],
        totals=tuple(Total("minutes", t["stated"], t["counted"]) for t in summary["totals"]),
        form=summary["form"],
        encoding=summary["encoding"],
        unused_columns=tuple(summary["unused"]),
        notes=_unread(summary["unread"]),
        repeated=repeated,
    )


def _unread(sheets: Sequence[str]) -> tuple[Text, ...]:
    if not sheets:
        return ()
    return (
        Text(
            f"첫 시트만 읽었습니다. 읽지 않은 시트: {listed(sheets)}",
            f"Only the first sheet was read; not read: {listed(sheets)}",
        ),
    )


def _with(report: SubmissionReport, **changes: Any) -> SubmissionReport:
    return replace(report, **changes)
