"""Signs a chunk of records: fill, lint, sign, hash. Runs here or in worker processes.

Nothing here touches the database, so a worker imports little and starts fast. What travels to a
worker is records and indices; what comes back is finished documents with their leaves. The keys
are opened by the process that signs.
"""

from __future__ import annotations

import os
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from credential import integrity, jcs
from credential.errors import BaeumError
from credential.receipt import leaf_from_digest
from credential.shape import Shape, ShapeSigner, Signed
from credential.text import Text
from issuer import lint
from issuer.keys import Keys, Signer
from issuer.lint import Finding
from issuer.names import random_urn
from issuer.templates import (
    DegreeFacts,
    IssuerFacts,
    RecordFacts,
    StatusPlace,
    Template,
    add_folders,
    facts,
    folders,
    template_for,
)

CRYPTOSUITES = (integrity.RDFC,)
"""With what credentials are signed when nothing else is asked for; several make a proof set."""


@dataclass(frozen=True, slots=True)
class SignJob:
    """Records of one institution and the status indices reserved for them, in the same order.

    ``created`` is RFC 3339 in UTC; ``place`` the 32 bytes the leaves commit to.
    """

    issuer: IssuerFacts
    public_url: str
    status_list_id: str
    created: str
    place: bytes
    records: list[RecordFacts]
    indices: list[int]
    method: str | None = None
    """The verification method to sign with; None takes the newest key there is."""
    cryptosuites: tuple[str, ...] = CRYPTOSUITES


class SignedCredential(NamedTuple):
    """A finished credential. ``position`` is the record's place in the job."""

    position: int
    credential_id: str
    document: bytes
    leaf: bytes


class Refused(NamedTuple):
    """A record that lint or the signer refused."""

    position: int
    findings: tuple[Finding, ...]


class SignedChunk(NamedTuple):
    """What became of a job; every position is in exactly one of the two."""

    signed: list[SignedCredential]
    refused: list[Refused]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A template's variant, compiled and linted once in this process."""

    template: Template
    shape: Shape
    findings: tuple[Finding, ...]


class ChunkSigner:
    """Signs jobs with the keys of one keystore; compiled shapes are kept between jobs."""

    def __init__(self, keystore: Keys) -> None:
        self._keystore = keystore
        self._prepared: dict[tuple[str, frozenset[str]], _Prepared] = {}
        self._signers: dict[tuple[str, frozenset[str], str, str], ShapeSigner] = {}

    def sign(self, job: SignJob) -> SignedChunk:
        """Sign every record of the job that lint lets through.

        Raises ``TemplateMissing`` and what opening the key raises; one bad record raises nothing.
        """
        key = self._keystore.signer(job.issuer.institution, job.method)
        chunk = SignedChunk([], [])
        status = StatusPlace.at(job.public_url, job.status_list_id)
        noise = os.urandom(32 * len(job.records))
        for position, record in enumerate(job.records):
            salt = noise[32 * position : 32 * position + 32]
            outcome = self._sign_one(
                job, key, status, record, job.indices[position], position, salt
            )
            if isinstance(outcome, Refused):
                chunk.refused.append(outcome)
            else:
                chunk.signed.append(outcome)
        return chunk

    def _sign_one(
        self,
        job: SignJob,
        key: Signer,
        status: StatusPlace,
        record: RecordFacts,
        index: int,
        position: int,
        noise: bytes,
    ) -> SignedCredential | Refused:
        absent = facts.absent(record)
        prepared = self._variant(record.kind, absent)
        if prepared.findings:
            return Refused(position, prepared.findings)
        credential_id = random_urn(noise)
        nonce = urlsafe_b64encode(noise[16:32]).rstrip(b"=").decode("ascii")
        values = facts.values(
            record,
            job.issuer,
            credential_id=credential_id,
            subject_id=record.holder_did or key.pseudonym(record.learner_id),
            valid_from=job.created,
            status=status,
            status_index=index,
        )
        template = prepared.template
        findings = lint.check_values(values, nonce, hours=template.hours, ongoing=template.ongoing)
        if findings:
            return Refused(position, tuple(findings))
        first, *others = job.cryptosuites
        try:
            signed = self._signer(record.kind, absent, prepared, key, first).sign(
                prepared.template.fill(values), created=job.created, nonce=nonce, sign=key.sign
            )
            for suite in others:
                signed = _with_another_proof(signed, job, key, suite, nonce)
        except BaeumError as error:
            return Refused(position, (_from_error(error),))
        return SignedCredential(
            position,
            credential_id,
            signed.document_bytes,
            leaf_from_digest(signed.canonical_sha256, job.place),
        )

    def _signer(
        self,
        kind: str,
        absent: frozenset[str],
        prepared: _Prepared,
        key: Signer,
        cryptosuite: str,
    ) -> ShapeSigner:
        variant = (kind, prepared.template.variant(absent), key.verification_method, cryptosuite)
        signer = self._signers.get(variant)
        if signer is None:
            signer = ShapeSigner(
                prepared.shape,
                verification_method=key.verification_method,
                cryptosuite=cryptosuite,
            )
            self._signers[variant] = signer
        return signer

    def _variant(self, kind: str, absent: frozenset[str]) -> _Prepared:
        template = template_for(kind)
        variant = (kind, template.variant(absent))
        prepared = self._prepared.get(variant)
        if prepared is None:
            prepared = prepare(template, absent)
            self._prepared[variant] = prepared
        return prepared


def _with_another_proof(
    signed: Signed, job: SignJob, key: Signer, cryptosuite: str, nonce: str
) -> Signed:
    """A second proof beside the first, over the same words (VC Data Integrity 1.0, 2.1.1)."""
    document = integrity.sign(
        orjson.loads(signed.document_bytes),
        sign=key.sign,
        verification_method=key.verification_method,
        created=job.created,
        nonce=nonce,
        cryptosuite=cryptosuite,
    )
    body = jcs.canonical(document)
    return Signed(body, sha256(body).digest())


def prepare(template: Template, absent: frozenset[str]) -> _Prepared:
    """Compile a variant and lint it on a sample before anything of it is signed."""
    shape = Shape(template.shape(absent))
    sample = shape.document(template.fill(sample_values(template.kind, absent)))
    return _Prepared(template, shape, tuple(lint.check_shape(sample)))


SAMPLE_DEGREE: Final = DegreeFacts(
    "sample@1",
    f"sha256:{'1' * 64}",
    f"sha256:{'2' * 64}",
    f"sha256:{'3' * 64}",
    f"sha256:{'4' * 64}",
    "1",
)


def sample_values(kind: str, absent: frozenset[str]) -> dict[str, object]:
    """Values of an invented record that lacks what ``absent`` names."""
    moment = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    record = RecordFacts(
        record_id="rec_sample",
        learner_id="lrn_sample",
        kind=kind,
        category=None if "category" in absent else "디지털",
        level=None if "level" in absent else "기초",
        title_ko="스마트폰 완전정복",
        title_en="All about smartphones",
        code=None if "code" in absent else "SM-101",
        started_at=moment,
        ended_at=moment,
        minutes=1230,
        learner_name=None if "learnerName" in absent else "김하늘",
        holder_did=None,
        degree=SAMPLE_DEGREE if kind == "degree" else None,
    )
    return facts.values(
        record,
        IssuerFacts("sample", "did:key:z6MkSample", "표본 기관", "Sample institution"),
        credential_id="urn:uuid:00000000-0000-4000-8000-000000000001",
        subject_id="urn:uuid:00000000-0000-8000-8000-000000000002",
        valid_from="2026-03-03T00:00:00Z",
        status=StatusPlace.at("https://baeum.example", "stl_sample"),
        status_index=94_567,
    )


def _from_error(error: BaeumError) -> Finding:
    remedy = error.remedy or Text("자료를 확인해 주세요", "Check the record")
    return Finding(error.code, "", "", error.detail, remedy)


# --- processes ------------------------------------------------------------------------------------

Submit = Callable[[SignJob], "Future[SignedChunk]"]

_worker: ChunkSigner | None = None


@contextmanager
def signing(keystore: Keys, workers: int) -> Iterator[Submit]:
    """Gives a function that signs jobs: in this process for one worker, else in ``workers`` more.

    Works under spawn: a worker imports this module and opens the keystore itself.
    """
    if workers <= 1:
        yield _submit_here(ChunkSigner(keystore))
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start, initargs=(keystore, folders())
    ) as pool:
        try:
            yield lambda job: pool.submit(_sign_in_worker, job)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _submit_here(signer: ChunkSigner) -> Submit:
    def submit(job: SignJob) -> Future[SignedChunk]:
        future: Future[SignedChunk] = Future()
        future.set_result(signer.sign(job))
        return future

    return submit


def _start(keystore: Keys, templates: tuple[Path, ...]) -> None:
    global _worker
    add_folders(*templates)
    _worker = ChunkSigner(keystore)
    # A worker waits on a queue whose other end it holds too, so it would outlive a parent that was
    # killed. The parent's own handle tells.
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _sign_in_worker(job: SignJob) -> SignedChunk:
    assert _worker is not None, "the pool's initializer ran"
    return _worker.sign(job)
