"""The key store: files nobody else can read, no way to take a key out, one clear error each."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import stat
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from credential.errors import BaeumError
from issuer.keys import Keystore, NotAnInstitutionId, keyfile
from issuer.keys.keyfile import (
    KeyExists,
    KeyfileCorrupted,
    KeyfileExposed,
    KeyMissing,
    WorkFactor,
    WrongPassphrase,
)

CHEAP = WorkFactor(n=2**4, r=1, p=1)
UNIVERSITY = "seoul-citizens-university"


def store(directory: Path, passphrase: str = "correct horse") -> Keystore:
    return Keystore(directory / "keys", passphrase, work=CHEAP)


def key_file(directory: Path) -> Path:
    return directory / "keys" / f"{UNIVERSITY}.key"


def public_key(did: str) -> VerifyKey:
    import base58

    return VerifyKey(base58.b58decode(did.removeprefix("did:key:z"))[2:])


def test_a_key_made_once_signs_after_a_restart(tmp_path: Path) -> None:
    did = store(tmp_path).create(UNIVERSITY)
    signer = store(tmp_path).signer(UNIVERSITY)
    assert signer.did == did == store(tmp_path).did(UNIVERSITY)
    assert signer.verification_method == f"{did}#{did.removeprefix('did:key:')}"
    assert public_key(did).verify(b"message", signer.sign(b"message")) == b"message"
    assert store(tmp_path).institutions() == [UNIVERSITY]


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    store(tmp_path).create(UNIVERSITY)
    assert stat.S_IMODE(key_file(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert [p.name for p in (tmp_path / "keys").iterdir()] == [key_file(tmp_path).name]


def test_a_file_others_can_read_is_refused(tmp_path: Path) -> None:
    store(tmp_path).create(UNIVERSITY)
    key_file(tmp_path).chmod(0o644)
    with pytest.raises(KeyfileExposed) as caught:
        store(tmp_path).signer(UNIVERSITY)
    assert caught.value.remedy is not None
    assert "chmod 600" in caught.value.remedy.ko


def test_the_secret_is_not_in_the_file_in_the_repr_or_in_a_pickle(tmp_path: Path) -> None:
    keystore = store(tmp_path)
    keystore.create(UNIVERSITY)
    signer = keystore.signer(UNIVERSITY)
    secret = keyfile.read(
        key_file(tmp_path), "correct horse", kind="ed25519", owner=UNIVERSITY
    ).secret
    assert secret not in key_file(tmp_path).read_bytes()
    assert secret[:32] not in pickle.dumps(keystore)
    assert "correct horse" not in repr(keystore) + repr(signer)
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(signer)
    assert not [name for name in dir(signer) if "export" in name or name in {"seed", "key"}]


def test_a_wrong_passphrase_is_told_from_a_damaged_file(tmp_path: Path) -> None:
    store(tmp_path).create(UNIVERSITY)
    with pytest.raises(WrongPassphrase):
        store(tmp_path, "wrong").signer(UNIVERSITY)
    with pytest.raises(WrongPassphrase):  # no second passphrase in one directory
        store(tmp_path, "wrong").create("another-institution")


@pytest.mark.parametrize("field", ["ciphertext", "nonce", "salt", "public", "owner", "kdf"])
def test_an_edited_file_does_not_open(tmp_path: Path, field: str) -> None:
    store(tmp_path).create(UNIVERSITY)
    body = json.loads(key_file(tmp_path).read_text())
    if field == "kdf":
        body["kdf"]["n"] = 2**40
    else:
        body[field] = "A" + body[field][1:] if body[field][0] != "A" else "B" + body[field][1:]
    key_file(tmp_path).write_text(json.dumps(body))
    with pytest.raises(KeyfileCorrupted):
        store(tmp_path).signer(UNIVERSITY)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff" * 64, b"{}" + b" " * 20_000])
def test_a_cut_off_or_foreign_file_does_not_open(tmp_path: Path, body: bytes) -> None:
    store(tmp_path).create(UNIVERSITY)
    key_file(tmp_path).write_bytes(body)
    with pytest.raises(KeyfileCorrupted):
        store(tmp_path).signer(UNIVERSITY)


def test_one_institutions_file_renamed_to_another_does_not_open(tmp_path: Path) -> None:
    keystore = store(tmp_path)
    keystore.create(UNIVERSITY)
    key_file(tmp_path).rename(tmp_path / "keys" / "another.key")
    with pytest.raises(KeyfileCorrupted):
        keystore.signer("another")


def test_a_missing_key_is_named_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing) as caught:
        store(tmp_path).signer("nobody")
    assert isinstance(caught.value, BaeumError)
    assert "nobody" in caught.value.detail.ko
    assert "nobody" in caught.value.detail.en


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    keystore = store(tmp_path)
    did = keystore.create(UNIVERSITY)
    with pytest.raises(KeyExists):
        keystore.create(UNIVERSITY)
    assert store(tmp_path).signer(UNIVERSITY).did == did


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "UPPER", "chain-account", "a" * 65])
def test_an_institution_id_cannot_leave_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotAnInstitutionId):
        store(tmp_path).create(name)


def test_pseudonyms_are_stable_within_and_unlinkable_across_institutions(tmp_path: Path) -> None:
    keystore = store(tmp_path)
    for institution in (UNIVERSITY, "digital-centre"):
        keystore.create(institution)
    here = keystore.signer(UNIVERSITY).pseudonym("lrn_one")
    assert here == store(tmp_path).signer(UNIVERSITY).pseudonym("lrn_one")
    assert here.startswith("urn:uuid:")
    assert here[len("urn:uuid:") + 14] == "8"
    assert here != keystore.signer("digital-centre").pseudonym("lrn_one")
    assert here != keystore.signer(UNIVERSITY).pseudonym("lrn_two")


def test_one_scrypt_opens_every_file(tmp_path: Path) -> None:
    keystore = store(tmp_path)
    for n in range(5):
        keystore.create(f"institution-{n}")
    keyfile._master.cache_clear()
    for n in range(5):
        store(tmp_path).signer(f"institution-{n}")
    assert keyfile._master.cache_info().misses == 1


def test_the_chain_account_survives_a_restart(tmp_path: Path) -> None:
    address = store(tmp_path).create_chain_account()
    assert str(store(tmp_path).chain_account().address) == address
    assert store(tmp_path).institutions() == []
    with pytest.raises(WrongPassphrase):
        store(tmp_path, "wrong").chain_account()


def _sign_in_worker(keystore: Keystore, institution: str) -> bytes:
    return keystore.signer(institution).sign(b"from a worker")


def test_a_worker_process_opens_the_file_itself(tmp_path: Path) -> None:
    keystore = store(tmp_path)
    did = keystore.create(UNIVERSITY)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        signature = pool.apply(_sign_in_worker, (keystore, UNIVERSITY))
    assert public_key(did).verify(b"from a worker", signature)


@pytest.mark.skipif(os.name != "posix", reason="directory sync is a POSIX matter")
def test_a_directory_can_be_synced(tmp_path: Path) -> None:
    keyfile.sync_directory(tmp_path)
