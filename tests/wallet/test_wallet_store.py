"""Keeping credentials: in once, whole or not at all, and only with the passphrase."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import unicodedata
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from credential import did, multikey
from credential.evidence import Evidence, parse
from wallet import vault
from wallet.errors import (
    CredentialRefused,
    NotInWallet,
    PassphraseTooShort,
    WalletAbsent,
    WalletCorrupted,
    WalletError,
    WalletExists,
    WalletNotSaved,
    WrongPassphrase,
)
from wallet.store import FILE, Wallet


def refused(wallet, evidence, now, reason):
    before = wallet.list()
    with pytest.raises(CredentialRefused) as caught:
        wallet.accept(evidence, now)
    assert caught.value.facts["reason"] == reason
    assert caught.value.detail.ko
    assert caught.value.remedy.ko
    assert wallet.list() == before


def test_a_new_wallet_has_a_key_of_its_own(tmp_path):
    one = Wallet.create(tmp_path / "one", "long enough", work=14)
    two = Wallet.create(tmp_path / "two", "long enough", work=14)
    assert one.did.startswith("did:key:z6Mk")
    assert one.did != two.did
    public = multikey.decode(one.did.removeprefix("did:key:")).raw
    VerifyKey(public).verify(b"who are you", one.sign(b"who are you"))


def test_what_was_accepted_is_there_after_opening_again(wallet, desk, tmp_path):
    evidence = desk.issue(wallet.did)
    accepted = wallet.accept(evidence, desk.now)
    assert accepted.new
    opened = Wallet.open(tmp_path / "wallet", desk.passphrase)
    assert opened.did == wallet.did
    assert [item.evidence for item in opened.list()] == [evidence]
    item = opened.get(evidence.credential["id"])
    assert (item.title, item.issuer) == ("생활 속 인공지능 이수증", "서울시민대학")
    assert item.anchored
    assert item.accepted_at == desk.now


def test_accepting_twice_is_accepting_once(wallet, desk):
    evidence = desk.issue()
    assert wallet.accept(evidence, desk.now).new
    again = wallet.accept(evidence, desk.now + timedelta(days=1))
    assert not again.new
    assert again.item.accepted_at == desk.now
    assert len(wallet.list()) == 1


def test_a_receipt_that_comes_later_is_added_and_never_lost(wallet, desk):
    evidence = desk.issue()
    bare = Evidence(evidence.credential)
    assert not wallet.accept(bare, desk.now).item.anchored
    assert wallet.accept(evidence, desk.now).item.anchored
    assert wallet.accept(bare, desk.now).item.anchored
    moved = desk.anchored(evidence.credential, block_number=9)
    assert wallet.accept(moved, desk.now).item.evidence.receipt.block_number == 9
    assert len(wallet.list()) == 1


def test_many_at_once_are_all_or_none(wallet, desk):
    good = [desk.issue() for _ in range(3)]
    broken = desk.issue()
    broken.credential["name"] = "박사 학위"
    with pytest.raises(CredentialRefused):
        wallet.accept_all([*good, broken], desk.now)
    assert wallet.list() == ()
    assert [answer.new for answer in wallet.accept_all([*good, good[0]], desk.now)] == [
        True,
        True,
        True,
        False,
    ]


def test_somebody_elses_credential(wallet, desk):
    other = did.did_key(b"\x07" * 32)
    refused(wallet, desk.issue(other), desk.now, "not-yours")


def test_a_credential_of_the_bearer_is_taken(wallet, desk):
    assert wallet.accept(desk.issue("urn:uuid:6f3a7c1e-0000-4000-8000-000000000001"), desk.now).new


def test_bad_proof(wallet, desk):
    evidence = desk.issue()
    evidence.credential["name"] = "박사 학위"
    refused(wallet, evidence, desk.now, "proof")


def test_no_proof(wallet, desk):
    refused(wallet, Evidence(desk.document()), desk.now, "proof")


def test_proof_by_another_than_the_issuer(wallet, desk):
    stranger = type(desk)("stranger")
    signed = stranger.sign(desk.document())
    refused(wallet, Evidence(signed), desk.now, "issuer")


def test_path_that_leads_elsewhere(wallet, desk):
    one, two = desk.issue(), desk.issue()
    refused(wallet, Evidence(one.credential, two.receipt), desk.now, "path")
    short = replace(one.receipt, path=one.receipt.path[:1])
    refused(wallet, Evidence(one.credential, short), desk.now, "path")


def test_something_that_is_no_credential(wallet, desk):
    refused(wallet, Evidence({"@context": [], "hello": 1}), desk.now, "malformed")
    refused(wallet, Evidence({"oops": {1, 2}}), desk.now, "malformed")


def test_another_credential_of_the_same_id(wallet, desk):
    first = desk.issue()
    wallet.accept(first, desk.now)
    second = desk.issue(id=first.credential["id"])
    refused(wallet, second, desk.now, "id-taken")


def test_a_credential_without_id_is_named_after_its_content(wallet, desk):
    document = desk.document()
    del document["id"]
    document |= {
        "@context": document["@context"][:1],
        "type": ["VerifiableCredential"],
        "issuer": desk.did,
        "credentialSubject": {"name": "김하늘"},
    }
    evidence = desk.anchored(desk.sign(document))
    item = wallet.accept(evidence, desk.now).item
    assert item.id.startswith("urn:sha256:")
    assert not wallet.accept(evidence, desk.now).new


def test_remove_and_what_is_not_there(wallet, desk):
    evidence = desk.issue()
    wallet.accept(evidence, desk.now)
    assert wallet.remove(evidence.credential["id"]).evidence == evidence
    assert wallet.list() == ()
    for look in (wallet.get, wallet.remove, wallet.export_one):
        with pytest.raises(NotInWallet):
            look("urn:uuid:nothing")


def test_export_gives_evidence_files(wallet, desk, tmp_path):
    evidences = [desk.issue(), desk.issue(id="https://example.org/a/../../b")]
    wallet.accept_all(evidences, desk.now)
    paths = wallet.export(tmp_path / "out" / "here")
    assert {path.parent for path in paths} == {tmp_path / "out" / "here"}
    assert all(path.name.endswith(".baeum.json") for path in paths)
    assert {parse(path.read_bytes()).credential["id"] for path in paths} == {
        evidence.credential["id"] for evidence in evidences
    }
    assert wallet.export(tmp_path / "out" / "here") == paths
    one = wallet.export_one(evidences[0].credential["id"])
    assert parse(one) == evidences[0]


def test_nothing_readable_is_on_the_disk(wallet, desk, tmp_path):
    wallet.accept(desk.issue(), desk.now)
    folder = tmp_path / "wallet"
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    raw = b"".join(path.read_bytes() for path in folder.iterdir())
    for secret in (wallet.did, "서울시민대학", "urn:uuid", desk.passphrase):
        assert secret.encode() not in raw
    assert desk.passphrase not in repr(wallet)
    assert "secret" not in repr(wallet._key)


def test_same_content_is_never_the_same_bytes(wallet, desk, tmp_path):
    path = tmp_path / "wallet" / FILE
    evidence = desk.issue()
    wallet.accept(evidence, desk.now)
    one = path.read_bytes()
    wallet.remove(evidence.credential["id"])
    wallet.accept(evidence, desk.now)
    assert path.read_bytes() != one


def test_wrong_passphrase_and_damage_are_told_apart(wallet, tmp_path):
    folder = tmp_path / "wallet"
    with pytest.raises(WrongPassphrase):
        Wallet.open(folder, "not the passphrase")
    path = folder / FILE
    body = path.read_bytes()
    for at in (0, 9, 30, len(body) // 2, len(body) - 1):
        path.write_bytes(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
        with pytest.raises(WalletCorrupted):
            Wallet.open(folder, "배움의 기쁨 2026")
    for cut in (b"", body[:5], body[:60], body[:-1], body + b"x"):
        path.write_bytes(cut)
        with pytest.raises(WalletCorrupted):
            Wallet.open(folder, "배움의 기쁨 2026")
    path.write_bytes(body)
    assert Wallet.open(folder, "배움의 기쁨 2026").did == wallet.did
    codes = {error.code for error in (WrongPassphrase, WalletCorrupted, WalletAbsent)}
    assert len(codes) == 3


def test_every_byte_of_the_file_is_protected(wallet, tmp_path):
    path = tmp_path / "wallet" / FILE
    body = path.read_bytes()
    key, _ = vault.unseal(body, "배움의 기쁨 2026")
    for at in range(len(body)):
        changed = body[:at] + bytes([body[at] ^ 0x01]) + body[at + 1 :]
        with pytest.raises(WalletError):
            vault.unseal(changed, key=key)


def test_a_file_that_asks_for_absurd_work_is_refused(wallet, tmp_path):
    """Whoever can write the file must not be able to fill the memory."""
    key = replace(wallet._key, work=30)
    (tmp_path / "wallet" / FILE).write_bytes(vault.seal(key, b"{}"))
    with pytest.raises(WalletCorrupted):
        Wallet.open(tmp_path / "wallet", "배움의 기쁨 2026")


def test_a_passphrase_typed_on_another_system(wallet, tmp_path):
    """macOS decomposes Hangul."""
    decomposed = unicodedata.normalize("NFD", "배움의 기쁨 2026")
    assert decomposed != "배움의 기쁨 2026"
    assert Wallet.open(tmp_path / "wallet", decomposed).did == wallet.did


def test_create_and_open_say_what_is_wrong(wallet, tmp_path):
    with pytest.raises(WalletExists):
        Wallet.create(tmp_path / "wallet", "long enough", work=14)
    with pytest.raises(PassphraseTooShort):
        Wallet.create(tmp_path / "new", "short", work=14)
    assert not (tmp_path / "new").exists()
    with pytest.raises(WalletAbsent):
        Wallet.open(tmp_path / "nowhere", "long enough")


def test_a_new_passphrase(wallet, desk, tmp_path):
    evidence = desk.issue()
    wallet.accept(evidence, desk.now)
    with pytest.raises(WrongPassphrase):
        wallet.change_passphrase("not the passphrase", "another one")
    wallet.change_passphrase(desk.passphrase, "another passphrase")
    assert len(wallet.list()) == 1
    with pytest.raises(WrongPassphrase):
        Wallet.open(tmp_path / "wallet", desk.passphrase)
    assert Wallet.open(tmp_path / "wallet", "another passphrase").list() == wallet.list()


def test_two_programs_on_one_wallet_lose_nothing(wallet, desk, tmp_path):
    other = Wallet.open(tmp_path / "wallet", desk.passphrase)
    for n in range(6):
        (wallet if n % 2 else other).accept(desk.issue(), desk.now)
    assert len(wallet.list()) == len(other.list()) == 6


def test_a_full_disk_leaves_the_wallet_as_it_was(wallet, desk, tmp_path, monkeypatch):
    first = desk.issue()
    wallet.accept(first, desk.now)

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WalletNotSaved) as caught:
        wallet.accept(desk.issue(), desk.now)
    assert "No space left" in caught.value.detail.en
    monkeypatch.undo()
    assert [item.evidence for item in wallet.list()] == [first]
    assert sorted(path.name for path in (tmp_path / "wallet").iterdir()) == [".lock", FILE]


@pytest.mark.parametrize("moment", ["before-write", "before-sync", "before-rename", "after-rename"])
def test_killed_at_every_step_of_a_write(wallet, desk, tmp_path, moment):
    """The wallet opens again, with all that was acknowledged; the next write clears the rest."""
    first, second = desk.issue(), desk.issue()
    wallet.accept(first, desk.now)
    (tmp_path / "second.json").write_bytes(second.to_bytes())
    script = textwrap.dedent(
        f"""
        import os, pathlib, signal, datetime
        from credential.evidence import parse
        from wallet import vault
        from wallet.store import Wallet

        def die(*_args):
            os.kill(os.getpid(), signal.SIGKILL)

        folder = pathlib.Path({str(tmp_path)!r})
        wallet = Wallet.open(folder / "wallet", {desk.passphrase!r})
        moment = {moment!r}
        if moment == "before-write":
            os.fdopen = die
        elif moment == "before-sync":
            os.fsync = die
        elif moment == "before-rename":
            pathlib.Path.replace = die
        else:
            vault._sync_directory = die
        evidence = parse((folder / "second.json").read_bytes())
        wallet.accept(evidence, datetime.datetime.now(datetime.UTC))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    opened = Wallet.open(tmp_path / "wallet", desk.passphrase)
    held = [item.evidence for item in opened.list()]
    assert held == ([first, second] if moment == "after-rename" else [first])
    assert opened.accept(second, desk.now).new == (moment != "after-rename")
    assert sorted(path.name for path in (tmp_path / "wallet").iterdir()) == [".lock", FILE]


def test_the_wallet_knows_neither_issuer_nor_ledger():
    script = (
        "import sys, wallet.store, wallet.paper;"
        "print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'sqlalchemy', 'web3', 'ledger', 'issuer', 'verifier', 'api', 'baeum', 'eth_abi'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
