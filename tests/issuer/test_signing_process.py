"""One process for one institution's keys: what it can reach, and what it cannot."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from credential import multikey
from issuer.keys import P256, KeyMissing, Keystore, keyfile
from issuer.keys.keyfile import KeyfileCorrupted, WorkFactor
from issuer.keys.process import SigningProcesses, SigningProcessFailed, _Held

CHEAP = WorkFactor(n=2**4, r=1, p=1)
PASSPHRASE = "correct horse battery staple"
MINE, OTHER = "seoul-citizens-university", "geumcheon-digital-centre"


@pytest.fixture
def keys(tmp_path: Path) -> Keystore:
    store = Keystore(tmp_path / "keys", PASSPHRASE, work=CHEAP)
    store.create(MINE)
    store.create(OTHER)
    return store


def test_it_signs_as_the_keystore_does(keys: Keystore) -> None:
    second = keys.add(MINE, P256)
    here = keys.signer(MINE)
    with SigningProcesses(keys) as processes:
        there = processes.signer(MINE, here.verification_method)
        assert there.sign(b"message") == here.sign(b"message")  # Ed25519 is deterministic
        assert there.pseudonym("lrn_김") == here.pseudonym("lrn_김")
        assert processes.signer(MINE, second.method()).algorithm == P256
        with pytest.raises(KeyMissing):
            processes.signer(MINE, keys.signer(OTHER).verification_method)
        # a key made after the process started is found too
        third = keys.add(MINE)
        key = multikey.decode(third.multikey).raw
        VerifyKey(key).verify(b"m", processes.signer(MINE, third.method()).sign(b"m"))


def test_each_institution_has_a_process_of_its_own(keys: Keystore) -> None:
    with SigningProcesses(keys) as processes:
        processes.signer(MINE)
        processes.signer(OTHER)
        pids = {processes.pid(MINE), processes.pid(OTHER), os.getpid()}
        assert len(pids) == 3
    for pid in pids - {os.getpid()}:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_it_is_granted_what_opens_its_own_files_and_no_other(keys: Keystore) -> None:
    grant = keys.grant(MINE)
    sent = pickle.dumps(grant)
    assert PASSPHRASE.encode() not in sent
    assert OTHER.encode() not in sent
    [(_, path, own_key)] = grant.files
    assert keyfile.unseal(path, own_key, kind="ed25519", owner=MINE).owner == MINE
    theirs = path.with_name(f"{OTHER}.key")
    with pytest.raises(KeyfileCorrupted):  # the file can be read; without its key it stays shut
        keyfile.unseal(theirs, own_key, kind="ed25519", owner=OTHER)
    held = _Held(grant)
    request = b"\2" + keys.signer(OTHER).verification_method.encode() + b"\0message"
    with pytest.raises(KeyMissing):
        held.answer(request)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_neither_passphrase_nor_another_institutions_key_is_in_its_memory(
    keys: Keystore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAEUM_PASSPHRASE", PASSPHRASE)
    other = keyfile.read(
        keys.directory / f"{OTHER}.key", PASSPHRASE, kind="ed25519", owner=OTHER
    ).secret
    mine = keyfile.read(
        keys.directory / f"{MINE}.key", PASSPHRASE, kind="ed25519", owner=MINE
    ).secret
    with SigningProcesses(keys) as processes:
        processes.signer(MINE).sign(b"message")
        memory = _memory(processes.pid(MINE))
    assert mine[:32] in memory  # the search would find one
    assert PASSPHRASE.encode() not in memory
    assert other[:32] not in memory
    assert other[32:] not in memory


def _memory(pid: int) -> bytes:
    parts = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if "w" not in rights or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(start)
                parts.append(memory.read(end - start))
            except (OSError, OverflowError):
                continue
    return b"".join(parts)


def test_a_killed_process_is_reported_and_the_next_one_starts(keys: Keystore) -> None:
    with SigningProcesses(keys) as processes:
        signer = processes.signer(MINE)
        os.kill(processes.pid(MINE), signal.SIGKILL)
        processes._running[MINE]._child.wait(timeout=10)
        with pytest.raises(SigningProcessFailed):
            signer.sign(b"message")
        assert len(processes.signer(MINE).sign(b"message")) == 64


def test_it_ends_when_its_parent_does(keys: Keystore) -> None:
    processes = SigningProcesses(keys)
    processes.signer(MINE)
    child = processes._running[MINE]._child
    child.stdin.close()  # type: ignore[union-attr]
    assert child.wait(timeout=10) == 0
    processes.close()


@pytest.mark.parametrize("request_", [b"\2", b"\x09m\0x", b"\2did:key:z#z\0x", b"\3\xff\0x"])
def test_what_is_not_a_request_is_refused_and_the_process_goes_on(
    keys: Keystore, request_: bytes
) -> None:
    with SigningProcesses(keys) as processes:
        signer = processes.signer(MINE)
        with pytest.raises(SigningProcessFailed):
            processes._running[MINE]._exchange(request_)
        assert len(signer.sign(b"message")) == 64


def test_it_is_not_passed_on(keys: Keystore) -> None:
    with SigningProcesses(keys) as processes, pytest.raises(TypeError, match="not passed on"):
        pickle.dumps(processes)
