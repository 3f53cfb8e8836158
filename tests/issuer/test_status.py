"""Status: a reason for every change, revocation for good, lists signed and replaced whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from population import CENTRE, IDENTITIES, NOW, PLACE, PUBLIC_URL, keystore, populate
from sqlalchemy import select

from credential import integrity, status
from credential.multikey import decode
from issuer.batches import CredentialUnknown
from issuer.issuance import issue
from issuer.keys import Keystore
from issuer.status import (
    ReasonMissing,
    RevocationIsFinal,
    StatusReport,
    publish,
    reinstate,
    revoke,
    suspend,
)
from ledger.database.models import Credential, StatusChange, StatusList
from ledger.database.session import Database
from verifier.token_status_list import read_token_list

City = tuple[Database, Keystore, list[Credential], Path]


@pytest.fixture
def city(database: Database, tmp_path: Path) -> City:
    keys = populate(database, tmp_path, 20)
    issue(
        database,
        keys,
        place=PLACE,
        public_url=PUBLIC_URL,
        now=NOW,
        identities=IDENTITIES,
        workers=1,
    )
    with database.reading() as session:
        found = list(session.scalars(select(Credential).order_by(Credential.record_id)))
    return database, keys, found, tmp_path / "status"


def published_bit(folder: Path, credential: Credential, purpose: str) -> bool:
    document = json.loads((folder / credential.status_list_id / f"{purpose}.json").read_bytes())
    bits = status.decode(document["credentialSubject"]["encodedList"])
    return status.bit(bits, credential.status_index)


def test_a_revocation_shows_in_the_published_list_and_in_no_other_place(city: City) -> None:
    database, keys, found, folder = city
    publish(database, keys, folder, PUBLIC_URL, NOW)
    report = revoke(database, [found[0].id], "잘못 발급", NOW)
    assert report.changed == (found[0].id,)
    assert "취소했습니다" in report.message.ko
    assert not published_bit(folder, found[0], "revocation")
    publish(database, keys, folder, PUBLIC_URL, NOW)
    assert [published_bit(folder, c, "revocation") for c in found] == [True] + [False] * 19
    assert not any(published_bit(folder, c, "suspension") for c in found)


def test_revoking_twice_changes_nothing_and_says_so(city: City) -> None:
    database, _, found, _ = city
    revoke(database, [found[0].id], "reason", NOW)
    again = revoke(database, [found[0].id, found[1].id, found[0].id], "reason", NOW)
    assert (again.changed, again.unchanged) == ((found[1].id,), (found[0].id,))
    assert "이미 취소" in again.message.ko
    assert "before" in again.message.en
    with database.reading() as session:
        assert len(session.scalars(select(StatusChange)).all()) == 2


def test_suspension_can_be_lifted_and_keeps_its_history(city: City) -> None:
    database, keys, found, folder = city
    suspend(database, [found[3].id], "확인 중", NOW)
    publish(database, keys, folder, PUBLIC_URL, NOW)
    assert published_bit(folder, found[3], "suspension")
    reinstate(database, [found[3].id], "확인됨", NOW)
    assert reinstate(database, [found[3].id], "확인됨", NOW).changed == ()
    publish(database, keys, folder, PUBLIC_URL, NOW)
    assert not published_bit(folder, found[3], "suspension")
    with database.reading() as session:
        history = session.scalars(select(StatusChange).order_by(StatusChange.id)).all()
        assert [(h.action, h.reason) for h in history] == [
            ("suspend", "확인 중"),
            ("reinstate", "확인됨"),
        ]


def test_a_revocation_cannot_be_lifted(city: City) -> None:
    database, _, found, _ = city
    revoke(database, [found[0].id], "reason", NOW)
    with pytest.raises(RevocationIsFinal):
        reinstate(database, [found[0].id], "reason", NOW)
    assert suspend(database, [found[0].id], "reason", NOW).changed == ()


@pytest.mark.parametrize("change", [revoke, suspend, reinstate])
def test_an_unknown_id_changes_nothing_at_all(
    city: City, change: Callable[..., StatusReport]
) -> None:
    database, _, found, _ = city
    with pytest.raises(CredentialUnknown) as caught:
        change(database, [found[0].id, "urn:uuid:unknown"], "reason", NOW)
    assert "urn:uuid:unknown" in caught.value.detail.en
    with database.reading() as session:
        assert session.scalars(select(StatusChange)).all() == []
        assert not any(
            any(s.revoked) or any(s.suspended) for s in session.scalars(select(StatusList))
        )


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_no_change_without_a_reason(city: City, reason: str) -> None:
    database, _, found, _ = city
    with pytest.raises(ReasonMissing):
        revoke(database, [found[0].id], reason, NOW)


def test_nobody_named_is_said_too(city: City) -> None:
    assert revoke(city[0], [], "reason", NOW).message.ko == "바뀐 증명이 없습니다."


def test_a_published_list_is_signed_by_its_institution_and_has_an_end(city: City) -> None:
    database, keys, found, folder = city
    report = publish(database, keys, folder, PUBLIC_URL, NOW)
    assert len(report.published) == 6
    for credential in found[:2]:
        did = keys.did(credential.institution_id)
        for purpose in ("revocation", "suspension"):
            file = folder / credential.status_list_id / f"{purpose}.json"
            document: dict[str, Any] = json.loads(file.read_bytes())
            integrity.verify(document, document["proof"], decode(did.removeprefix("did:key:")))
            url = f"{PUBLIC_URL}/status/{credential.status_list_id}/{purpose}"
            assert document["id"] == url
            assert url in report.published
            assert document["issuer"] == did
            assert document["validUntil"] == "2026-11-30T03:04:05Z"
            subject = document["credentialSubject"]
            assert subject["statusPurpose"] == purpose
            assert len(status.decode(subject["encodedList"])) * 8 == 131_072
    assert not [p for p in folder.rglob("*") if p.name.startswith(".")]


def test_the_token_status_list_says_what_the_bitstring_lists_say(city: City) -> None:
    """One list of both purposes, signed by the institution, from the same bits."""
    database, keys, found, folder = city
    revoke(database, [found[0].id, found[1].id], "reason", NOW)
    suspend(database, [found[2].id, found[3].id], "reason", NOW)
    revoke(database, [found[3].id], "reason", NOW)
    publish(database, keys, folder, PUBLIC_URL, NOW)
    expected = {0: 1, 1: 1, 2: 2, 3: 1}
    for place, credential in enumerate(found):
        body = (folder / credential.status_list_id / "token.jwt").read_bytes()
        listed = read_token_list(body)
        assert listed.uri == f"{PUBLIC_URL}/status/{credential.status_list_id}/token"
        assert listed.issuer == keys.did(credential.institution_id)
        assert len(listed.entries) == 131_072
        assert listed.entries[credential.status_index] == expected.get(place, 0)
        for purpose, value in (("revocation", 1), ("suspension", 2)):
            shown = listed.entries[credential.status_index] == value
            bit = published_bit(folder, credential, purpose)
            assert shown == (bit and not (value == 2 and place == 3))
    assert listed.expires_at == NOW.replace(microsecond=0) + timedelta(days=7)
    assert listed.ttl == timedelta(hours=12)


def test_only_changed_or_ageing_lists_are_published_again(city: City) -> None:
    database, keys, found, folder = city
    assert len(publish(database, keys, folder, PUBLIC_URL, NOW).published) == 6
    again = publish(database, keys, folder, PUBLIC_URL, NOW + timedelta(days=3))
    assert (again.published, again.fresh) == ((), 2)
    revoke(database, [found[0].id], "reason", NOW)
    changed = publish(database, keys, folder, PUBLIC_URL, NOW)
    assert len(changed.published) == 3
    aged = publish(database, keys, folder, PUBLIC_URL, NOW + timedelta(days=4))
    assert len(aged.published) == 6


def test_a_lost_or_damaged_file_is_published_again(city: City) -> None:
    database, keys, found, folder = city
    publish(database, keys, folder, PUBLIC_URL, NOW)
    (folder / found[0].status_list_id / "revocation.json").write_bytes(b"{")
    assert len(publish(database, keys, folder, PUBLIC_URL, NOW).published) == 3
    (folder / found[0].status_list_id / "token.jwt").unlink()
    assert len(publish(database, keys, folder, PUBLIC_URL, NOW).published) == 3


def test_an_institution_without_its_key_does_not_stop_the_others(
    city: City, tmp_path: Path
) -> None:
    database, _, _, folder = city
    (tmp_path / "keys" / f"{CENTRE}.key").unlink()
    report = publish(database, keystore(tmp_path), folder, PUBLIC_URL, NOW)
    assert len(report.published) == 3
    assert [entry.institution for entry in report.not_published] == [CENTRE]
