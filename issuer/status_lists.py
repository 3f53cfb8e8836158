"""Publishing status lists: signed, dated, replaced whole.

A BitstringStatusListCredential for each list and purpose, and beside them one Token Status List
from the same bits, each encoded and signed once however many bits changed. They say until when they
may be relied on, so a stale copy shows.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from credential import integrity, jcs, jose, status, token_status
from credential.text import Text
from issuer import key_history
from issuer.keys import Keys, Signer
from issuer.keys.keyfile import (
    KeyfileCorrupted,
    KeyfileExposed,
    KeyMissing,
    missing,
    sync_directory,
)
from issuer.templates.facts import instant
from ledger.database.models import StatusList
from ledger.database.session import Database

REVOCATION: Final = "revocation"
SUSPENSION: Final = "suspension"
REFRESH: Final = "refresh"
"""A newer credential is there; published once that is so of any (see ``issuer.replacement``)."""
PURPOSES: Final = (REVOCATION, SUSPENSION)
BOTH: Final = "token"
"""The Token Status List, which has both purposes."""
VALIDITY: Final = timedelta(days=7)
"""How long a published list may be relied on; it is renewed when half of that has passed."""
TIME_TO_LIVE: Final = timedelta(hours=12)
"""How long a verifier may keep its copy of a Token Status List."""


@dataclass(frozen=True, slots=True)
class NotPublished:
    """A list that could not be signed here."""

    status_list_id: str
    institution: str
    reason: Text


@dataclass(frozen=True, slots=True)
class PublishReport:
    """``published`` are the URLs written; ``fresh`` counts lists that needed nothing."""

    published: tuple[str, ...]
    fresh: int
    not_published: tuple[NotPublished, ...]


def publish(
    database: Database,
    keystore: Keys,
    directory: Path,
    public_url: str,
    now: datetime,
    *,
    validity: timedelta = VALIDITY,
    progress: Callable[[int, int], None] | None = None,
) -> PublishReport:
    """Sign and write the lists that changed, are absent, or have used up half their validity, and
    those the institution signed with an earlier key.

    Files are ``directory/{list id}/{purpose}.json`` and ``token.jwt``, replaced whole. A list of an
    institution without a usable key here is reported and the others go on. Raises
    ``WrongPassphrase``.
    """
    with database.reading() as session:
        listed = session.execute(
            select(
                StatusList.id, StatusList.institution_id, StatusList.changed, StatusList.published
            ).order_by(StatusList.id)
        ).all()
        methods = key_history.active_methods(session)
    published: list[str] = []
    refused: list[NotPublished] = []
    fresh = 0
    for done, row in enumerate(listed, 1):
        due = (
            row.changed != row.published
            or not (directory / row.id / f"{BOTH}.jwt").exists()
            or any(
                _stale(
                    directory / row.id / f"{purpose}.json",
                    list_url(public_url, row.id, purpose),
                    methods.get(row.institution_id),
                    now,
                    validity,
                )
                for purpose in PURPOSES
            )
        )
        if not due:
            fresh += 1
        else:
            try:
                method = methods.get(row.institution_id)
                if method is None:
                    raise missing(row.institution_id)
                signer = keystore.signer(row.institution_id, method)
            except (KeyMissing, KeyfileCorrupted, KeyfileExposed) as error:
                refused.append(NotPublished(row.id, row.institution_id, error.detail))
                continue
            published.extend(
                _publish(database, signer, directory, public_url, row.id, now, validity)
            )
        if progress is not None:
            progress(done, len(listed))
    return PublishReport(tuple(published), fresh, tuple(refused))


def list_url(public_url: str, status_list_id: str, purpose: str) -> str:
    """Where a list is published; it is what credentials name."""
    return f"{public_url}/status/{status_list_id}/{purpose}"


def list_credential(
    url: str, purpose: str, bits: bytes, signer: Signer, now: datetime, validity: timedelta
) -> dict[str, Any]:
    """A signed BitstringStatusListCredential (Bitstring Status List 1.0 section 2.2)."""
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": signer.did,
        "validFrom": instant(now),
        "validUntil": instant(now + validity),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": status.encode(bits),
        },
    }
    return integrity.sign(
        document,
        sign=signer.sign,
        verification_method=signer.verification_method,
        created=now,
        nonce=None,
    )


def token_list(
    url: str,
    revoked: bytes,
    suspended: bytes,
    signer: Signer,
    now: datetime,
    validity: timedelta,
) -> str:
    """A signed Token Status List of both purposes (draft-ietf-oauth-status-list section 5.1)."""
    return token_status.sign(
        token_status.from_bitstrings(revoked, suspended),
        uri=url,
        issued_at=int(now.timestamp()),
        expires_at=int((now + validity).timestamp()),
        ttl=int(min(TIME_TO_LIVE, validity).total_seconds()),
        algorithm=algorithm_of(signer),
        kid=signer.verification_method,
        sign=signer.sign,
    )


def algorithm_of(signer: Signer) -> str:
    """The JWS algorithm a signer signs with."""
    return jose.ALGORITHM_OF_KEY[signer.algorithm]


def _publish(
    database: Database,
    signer: Signer,
    directory: Path,
    public_url: str,
    list_id: str,
    now: datetime,
    validity: timedelta,
) -> list[str]:
    urls = []
    # Under the row's lock, so that of two publishers the later writes what is later: a revocation
    # is never overwritten by the list as it was before.
    with database.session() as session:
        shard = session.get_one(StatusList, list_id, with_for_update=True)
        lists = [(REVOCATION, shard.revoked), (SUSPENSION, shard.suspended)]
        if shard.refreshed is not None:
            lists.append((REFRESH, shard.refreshed))
        for purpose, bits in lists:
            url = list_url(public_url, list_id, purpose)
            document = list_credential(url, purpose, bits, signer, now, validity)
            _replace(directory / list_id / f"{purpose}.json", jcs.canonical(document))
            urls.append(url)
        url = list_url(public_url, list_id, BOTH)
        listed = token_list(url, shard.revoked, shard.suspended, signer, now, validity)
        _replace(directory / list_id / f"{BOTH}.jwt", listed.encode("ascii"))
        urls.append(url)
        shard.published = shard.changed
    return urls


def _stale(path: Path, url: str, method: str | None, now: datetime, validity: timedelta) -> bool:
    """Whether the published file is absent, of another address or key, or half used up."""
    try:
        document = json.loads(path.read_bytes())
        until = datetime.fromisoformat(document["validUntil"])
        address, signed_by = document["id"], document["proof"]["verificationMethod"]
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return address != url or signed_by != method or until - now < validity / 2


def _replace(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with fresh.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_directory(path.parent)
