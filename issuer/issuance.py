"""From verified records to stored credentials: read, reserve, sign, store; chunk by chunk.

1. Read the next records of one institution that have no credential (keyset pagination).
2. Leave out, with the reason, what must not be signed.
3. Reserve a random status index for each, durably.
4. Sign, here or in worker processes.
5. In one transaction: drop what another run has done meanwhile, give the rest their places in the
   open batch, store them.

A kill between any two lines loses nothing (what is not stored is read again) and doubles nothing
(a record has one credential, by a unique key). Memory holds a few chunks, never the batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from sqlalchemy import Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from issuer import batches, key_history, ready_records, shards
from issuer.issuers import NotReady, Ready, Reason, issuers
from issuer.keys import Keys
from issuer.leftovers import EXAMPLES, IssueReport, LeftOut, Leftovers, reason_of
from issuer.place import AnchorPlace
from issuer.replacement import take_places
from issuer.signing import (
    CRYPTOSUITES,
    SignedChunk,
    SignedCredential,
    SignJob,
    Submit,
    signing,
)
from issuer.templates import DegreeFacts, RecordFacts, kinds
from issuer.templates.facts import instant
from ledger.database.bulk import insert_rows
from ledger.database.models import Batch, Credential
from ledger.database.session import Database
from ledger.learners import Identities, NameUnreadable
from ledger.standing import DEGREE

CHUNK = 2_000
"""Records read, signed and stored together; bounds memory and what a kill repeats."""

_CREDENTIAL = cast(Table, Credential.__table__)
_COLUMNS = (
    "id",
    "record_id",
    "learner_id",
    "institution_id",
    "kind",
    "document",
    "leaf",
    "status_list_id",
    "status_index",
    "issued_at",
    "batch_id",
    "leaf_index",
)
_ALONE = 5_000  # fewer records than this are signed sooner than workers start

__all__ = ["IssueReport", "LeftOut", "PublicUrlInvalid", "WorkersDied", "issue"]

Progress = Callable[[int, int], None]

NO_TEMPLATE = Reason(
    "template-missing",
    Text("이 종류의 증명 서식이 없습니다", "There is no credential template for this kind"),
    Text("이 종류의 서식 파일을 추가해 주세요", "Add a template file for this kind"),
)
NO_DECISION = Reason(
    "degree-not-decided",
    Text("수여 결정이 없는 학위입니다", "No committee decided on this degree"),
    Text("baeum award로 심사와 결정을 거쳐 주세요", "Let it be decided with baeum award"),
)
NAME_UNREADABLE = Reason(
    NameUnreadable.code,
    Text("학습자의 이름을 열 수 없습니다", "The learner's name does not open with this key"),
    Text("비밀 열쇠 파일을 확인해 주세요", "Check the secret key file"),
)


class PublicUrlInvalid(BaeumError):
    """The address status lists are published at is not one."""

    code = "public-url-invalid"
    title = Text("공개 주소가 잘못되었습니다", "The public address is wrong")


class WorkersDied(BaeumError):
    """A signing process ended without an answer: killed, or out of memory."""

    code = "signing-interrupted"
    title = Text("서명 작업이 중단되었습니다", "Signing was interrupted")
    status: ClassVar[int] = 503


def issue(
    database: Database,
    keystore: Keys,
    *,
    place: AnchorPlace,
    public_url: str,
    now: datetime,
    identities: Identities | None = None,
    progress: Progress | None = None,
    workers: int = 2,
    limit: int | None = None,
    chunk: int = CHUNK,
    cryptosuites: tuple[str, ...] = CRYPTOSUITES,
) -> IssueReport:
    """Sign every verified record that has no credential and store it in the open batch.

    ``identities`` opens the learners' names; without it credentials carry none. ``limit`` is the
    greatest number of records considered. Several ``cryptosuites`` make a proof set.
    ``progress(done, total)`` is called after each chunk.
    Killed at any moment, the next call continues. Raises ``PublicUrlInvalid``,
    ``WrongPassphrase``, ``WorkersDied`` and the database's errors.
    """
    _check_url(public_url)
    run = _Run(
        database,
        place,
        public_url,
        now,
        identities,
        limit,
        max(1, min(chunk, CHUNK)),
        cryptosuites,
    )
    with database.reading() as session:
        able = issuers(session, keystore)
        found = ready_records.count(session)
        run.total = found if limit is None else min(found, limit)
    if run.total < _ALONE:
        workers = 1
    try:
        with signing(keystore, workers) as submit:
            run.sign_all(able, submit, ahead=workers + 1, progress=progress)
    except BrokenProcessPool as error:
        raise WorkersDied(
            Text(
                "서명하던 프로세스가 갑자기 끝났습니다. 저장된 증명은 그대로 있습니다",
                "A signing process ended unexpectedly. What was stored is kept",
            ),
            Text(
                "메모리를 확인하고 같은 명령을 다시 실행해 주세요. 이어서 발급합니다",
                "Check the memory and run the same command again; it continues",
            ),
        ) from error
    return run.report()


@dataclass(slots=True)
class _Pending:
    """A chunk on its way: its records are signed somewhere."""

    job: SignJob
    future: Future[SignedChunk]


class _Run:
    def __init__(
        self,
        database: Database,
        place: AnchorPlace,
        public_url: str,
        now: datetime,
        identities: Identities | None,
        limit: int | None,
        chunk: int,
        cryptosuites: tuple[str, ...],
    ) -> None:
        self._cryptosuites = cryptosuites
        self._database = database
        self._place = place
        self._public_url = public_url
        self._now = now
        self._identities = identities
        self._left = limit
        self._chunk = chunk
        self.total = 0
        self._done = 0
        self._issued = 0
        self._already = 0
        self._leftovers = Leftovers()
        self._batches: list[int] = []

    def sign_all(
        self,
        able: list[Ready | NotReady],
        submit: Submit,
        *,
        ahead: int,
        progress: Progress | None,
    ) -> None:
        """Keep ``ahead`` chunks with the signers; store them in the order they were read."""
        pending: deque[_Pending] = deque()
        for job in self._jobs(able, progress):
            pending.append(_Pending(job, submit(job)))
            if len(pending) >= ahead:
                self._finish(pending.popleft(), progress)
        while pending:
            self._finish(pending.popleft(), progress)
        if progress is not None:
            progress(self._done, max(self.total, self._done))

    def report(self) -> IssueReport:
        return IssueReport(
            self._done,
            self._issued,
            self._already,
            self._leftovers.entries(),
            tuple(self._batches),
        )

    # --- read and reserve -------------------------------------------------------------------------

    def _jobs(self, able: list[Ready | NotReady], progress: Progress | None) -> Iterator[SignJob]:
        for issuer in able:
            if isinstance(issuer, NotReady):
                self._leave_all_out(issuer)
                continue
            for rows in self._pages(issuer.facts.institution):
                wanted = self._wanted(issuer, rows)
                if wanted:
                    yield self._job(issuer, wanted)
                elif progress is not None:
                    progress(self._done, self.total)

    def _pages(self, institution: str) -> Iterator[list[Any]]:
        if self._left == 0:
            return
        for rows in ready_records.pages(self._database, institution, self._chunk):
            if self._left is None:
                yield rows
                continue
            yield rows[: self._left]
            self._left = max(0, self._left - len(rows))
            if self._left == 0:
                return

    def _wanted(self, issuer: Ready, rows: list[Any]) -> list[RecordFacts]:
        """The records that may be signed; the others are tallied with their reason."""
        wanted = []
        degrees = ready_records.degrees(
            self._database, [row.id for row in rows if row.kind == DEGREE]
        )
        for row in rows:
            reason = (
                NO_TEMPLATE
                if row.kind not in kinds()
                else issuer.accreditations.refusal(row.kind, row.ended_at, self._now)
            )
            if reason is None:
                record, reason = self._facts(row, degrees.get(row.id))
                if record is not None:
                    wanted.append(record)
            if reason is not None:
                self._leave_out(issuer.facts.institution, reason, row.id)
        return wanted

    def _facts(
        self, row: Any, degree: DegreeFacts | None
    ) -> tuple[RecordFacts | None, Reason | None]:
        if row.kind == DEGREE and degree is None:
            return None, NO_DECISION
        name: str | None = None
        if self._identities is not None and row.name is not None:
            try:
                name = self._identities.open_name(row.learner_id, row.name)
            except NameUnreadable:
                return None, NAME_UNREADABLE
        return (
            RecordFacts(
                row.id,
                row.learner_id,
                row.kind,
                row.category,
                row.level,
                row.title_ko,
                row.title_en,
                row.code,
                row.started_at,
                row.ended_at,
                row.minutes,
                name,
                row.holder_did,
                degree,
            ),
            None,
        )

    def _job(self, issuer: Ready, records: list[RecordFacts]) -> SignJob:
        with self._database.session() as session:
            shard, indices = shards.reserve(session, issuer.facts.institution, len(records))
        return SignJob(
            issuer=issuer.facts,
            public_url=self._public_url,
            status_list_id=shard,
            created=instant(self._now),
            place=self._place.of(issuer.facts.institution),
            records=records,
            indices=indices,
            method=issuer.method,
            cryptosuites=self._cryptosuites,
        )

    # --- store ------------------------------------------------------------------------------------

    def _finish(self, pending: _Pending, progress: Progress | None) -> None:
        chunk = pending.future.result()
        job = pending.job
        for position, findings in chunk.refused:
            self._leave_out(
                job.issuer.institution, reason_of(findings[0]), job.records[position].record_id
            )
        try:
            stored = self._store(job, chunk)
        except IntegrityError:
            # Another run, anchoring elsewhere, stored some of these between our look and our
            # write; looking again shows them.
            stored = self._store(job, chunk)
        self._issued += stored
        self._already += len(chunk.signed) - stored
        self._done += len(chunk.signed)
        if progress is not None:
            progress(self._done, max(self.total, self._done))

    def _store(self, job: SignJob, chunk: SignedChunk) -> int:
        """One transaction: all of the chunk that is still wanted, or nothing. Returns how many."""
        with self._database.session() as session:
            batch = batches.open_batch(session, self._place, self._now)
            # Lost while it signed this chunk: the next run signs these records with the new key.
            lost = job.method is not None and key_history.is_compromised(session, job.method)
            wanted = (
                set()
                if lost
                else ready_records.still_wanted(session, (r.record_id for r in job.records))
            )
            # In the order of their random ids, so that a leaf's neighbours in the tree say nothing
            # about who took a course together.
            kept = sorted(
                (one for one in chunk.signed if job.records[one.position].record_id in wanted),
                key=attrgetter("credential_id"),
            )
            take_places(
                session,
                {job.records[one.position].record_id: one.credential_id for one in kept},
                self._now,
            )
            self._place_rows(session, batch, job, kept)
            used = {one.position for one in kept}
            unused = [index for place, index in enumerate(job.indices) if place not in used]
            if unused:
                shards.release(session, job.status_list_id, unused)
        return len(kept)

    def _place_rows(
        self, session: Session, batch: Batch, job: SignJob, kept: list[SignedCredential]
    ) -> None:
        """Give each its place in the open batch, or in the next when that one is full."""
        start = 0
        while start < len(kept):
            if batch.size >= batches.MAX_LEAVES:
                batches.close(session, batch, self._now)
                batch = batches.open_batch(session, self._place, self._now)
            part = kept[start : start + batches.MAX_LEAVES - batch.size]
            rows = [
                self._row(job, one, batch.id, batch.size + offset)
                for offset, one in enumerate(part)
            ]
            insert_rows(session, _CREDENTIAL, _COLUMNS, rows)
            batch.size += len(part)
            session.flush()
            start += len(part)
            if batch.id not in self._batches:
                self._batches.append(batch.id)

    def _row(
        self, job: SignJob, signed: SignedCredential, batch_id: int, leaf_index: int
    ) -> tuple[Any, ...]:
        """In the order of ``_COLUMNS``."""
        record = job.records[signed.position]
        return (
            signed.credential_id,
            record.record_id,
            record.learner_id,
            job.issuer.institution,
            record.kind,
            signed.document,
            signed.leaf,
            job.status_list_id,
            job.indices[signed.position],
            self._now,
            batch_id,
            leaf_index,
        )

    def _leave_all_out(self, issuer: NotReady) -> None:
        with self._database.reading() as session:
            count = ready_records.count(session, issuer.institution)
            if self._left is not None:
                count = min(count, self._left)
                self._left -= count
            if count:
                examples = ready_records.first_ids(session, issuer.institution, EXAMPLES)
                self._leftovers.add_many(issuer.institution, issuer.reason, count, examples[:count])
        self._done += count

    def _leave_out(self, institution: str, reason: Reason, record_id: str) -> None:
        self._leftovers.add(institution, reason, record_id)
        self._done += 1


def _check_url(public_url: str) -> None:
    parts = urlsplit(public_url)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.query
        or parts.fragment
        or public_url.endswith("/")
        or not public_url.isascii()
        or any(c in public_url for c in ' <>"{}|\\^`')
    ):
        raise PublicUrlInvalid(
            Text(
                f"상태 목록을 공개할 주소가 아닙니다: {public_url[:200]}",
                f"Not an address status lists can be published at: {public_url[:200]}",
            ),
            Text(
                "BAEUM_PUBLIC_URL을 https://주소 형식으로 적어 주세요",
                "Write BAEUM_PUBLIC_URL as https://address",
            ),
        )
