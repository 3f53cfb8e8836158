"""One process for one institution's keys.

The process is handed the keys that open its own files (see ``Grant``): no passphrase, no settings
and no key of another institution ever reach it, so whoever takes it over gets one institution and
no second. It speaks on its standard input and output, a 4-byte length before each message:

    1  method                  → nothing, or an error: is there such a key?
    2  method ‖ 0 ‖ message    → signature
    3  method ‖ 0 ‖ learner id → pseudonym

An answer begins with 0, or with 1 and the error's code and words. It ends when its input does.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from types import TracebackType
from typing import IO, ClassVar, Final, NoReturn

from credential.errors import BaeumError
from credential.text import Text
from issuer.keys import keyfile
from issuer.keys.signer import ED25519, Signer
from issuer.keys.store import Grant, Keystore, open_file

FIND, SIGN, NAME = 1, 2, 3
MAX_MESSAGE: Final = 1 << 20


class SigningProcessFailed(keyfile.KeyfileError):
    """A signing process ended, or refused what it was asked."""

    code = "signing-process"
    title = Text("서명 프로세스가 답하지 않습니다", "The signing process does not answer")
    status: ClassVar[int] = 503


class SigningProcesses:
    """Signers that work in processes of their own, one for each institution, started when asked.

    Use it in a ``with`` block: the processes end with it.
    """

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore
        self._running: dict[str, _Process] = {}
        self._lock = threading.Lock()

    def signer(
        self, institution: str, method: str | None = None, *, algorithm: str = ED25519
    ) -> Signer:
        """As ``Keystore.signer``; raises ``SigningProcessFailed`` too."""
        if method is None:
            halves = [k for k in self._keystore.keys(institution) if k.algorithm == algorithm]
            if not halves:
                raise keyfile.missing(institution)
            method = halves[-1].method()
        with self._lock:
            process = self._running.get(institution)
            if process is None or not process.knows(method):
                if process is not None:
                    process.close()  # a key was made since it started
                process = _Process(self._keystore.grant(institution))
                self._running[institution] = process
        if not process.knows(method):
            raise keyfile.missing(institution)
        return ProcessSigner(institution, process.algorithm_of(method), method, process)

    def has(self, institution: str) -> bool:
        """Whether there is a key."""
        return self._keystore.has(institution)

    def pid(self, institution: str) -> int:
        """The process id of an institution's signing process; ``KeyError`` when there is none."""
        return self._running[institution].pid

    def close(self) -> None:
        """End every process."""
        with self._lock:
            while self._running:
                self._running.popitem()[1].close()

    def __enter__(self) -> SigningProcesses:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("signing processes are not passed on; issue with one worker")


class ProcessSigner(Signer):
    """Asks the process that holds the key."""

    __slots__ = ("_process",)

    def __init__(self, institution: str, algorithm: str, method: str, process: _Process) -> None:
        super().__init__(institution, algorithm, method)
        self._process = process

    def sign(self, message: bytes) -> bytes:
        return self._process.ask(SIGN, self.verification_method, message)

    def pseudonym(self, learner_id: str) -> str:
        return self._process.ask(NAME, self.verification_method, learner_id.encode("utf-8")).decode(
            "ascii"
        )


class _Process:
    """The parent's end."""

    def __init__(self, grant: Grant) -> None:
        self._algorithms = {half.multikey: half.algorithm for half, *_ in grant.files}
        self._algorithms |= {half.multikey: half.algorithm for half, _ in grant.tokens}
        self._institution = grant.institution
        self._lock = threading.Lock()
        # Without the settings: the passphrase may be among them.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BAEUM_")}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "issuer.keys.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self.pid = self._child.pid
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._to, self._from = self._child.stdin, self._child.stdout
        self._exchange(pickle.dumps(grant))

    def knows(self, method: str) -> bool:
        return method.partition("#")[2] in self._algorithms and self._child.poll() is None

    def algorithm_of(self, method: str) -> str:
        return self._algorithms[method.partition("#")[2]]

    def ask(self, what: int, method: str, body: bytes = b"") -> bytes:
        return self._exchange(bytes([what]) + method.encode("utf-8") + b"\0" + body)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._to.close()
        try:
            self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._from.close()

    def _exchange(self, message: bytes) -> bytes:
        try:
            with self._lock:
                _write(self._to, message)
                answer = _read(self._from)
        except (OSError, ValueError) as error:
            raise self._failed("process-ended", str(error)) from error
        if not answer:
            raise self._failed("process-ended", "no answer")
        if answer[0] != 0:
            code, _, words = answer[1:].decode("utf-8", "replace").partition("\0")
            raise self._failed(code, words)
        return answer[1:]

    def _failed(self, code: str, words: str) -> SigningProcessFailed:
        return SigningProcessFailed(
            Text(
                f"{self._institution}의 서명 프로세스: {words} ({code})",
                f"The signing process of {self._institution}: {words} ({code})",
            ),
            Text(
                "같은 명령을 다시 실행해 주세요. 저장된 것은 그대로 있습니다",
                "Run the same command again; what was stored is kept",
            ),
            {"institution": self._institution, "reason": code},
        )


# --- the child ------------------------------------------------------------------------------------


class _Held:
    """The keys of one institution, opened by what was granted and by nothing else."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._signers: dict[str, Signer] = {}

    def answer(self, message: bytes) -> bytes:
        method, separator, body = message[1:].partition(b"\0")
        if not separator:
            raise ValueError("not a request")
        signer = self._signer(method.decode("utf-8"))
        if message[0] == SIGN:
            return signer.sign(body)
        if message[0] == NAME:
            return signer.pseudonym(body.decode("utf-8")).encode("ascii")
        if message[0] == FIND:
            return b""
        raise ValueError("not a request")

    def _signer(self, method: str) -> Signer:
        if method not in self._signers:
            self._signers[method] = self._opened(method)
        return self._signers[method]

    def _opened(self, method: str) -> Signer:
        wanted, owner = method.partition("#")[2], self._grant.institution
        for half, path, key in self._grant.files:
            if half.multikey == wanted:
                content = keyfile.unseal(path, key, kind=half.algorithm, owner=owner)
                return open_file(content, path, method)
        for half, label in self._grant.tokens:
            if half.multikey == wanted and self._grant.token is not None:
                from issuer.keys.token import open_token

                return open_token(self._grant.token).signer(
                    owner, half.algorithm, method, label, half.did
                )
        raise keyfile.missing(owner)


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer until the input ends. The first message is the grant, from the parent's own pipe."""
    held = _Held(pickle.loads(_read(source)))  # noqa: S301 - our parent wrote it
    _write(sink, b"\0")
    while message := _read(source):
        try:
            answer = b"\0" + held.answer(message)
        except BaeumError as error:
            answer = b"\1" + f"{error.code}\0{error.detail.en}".encode()
        except (ValueError, IndexError):
            answer = b"\1request-malformed\0not a request"
        _write(sink, answer)


def _write(stream: IO[bytes], message: bytes) -> None:
    if len(message) > MAX_MESSAGE:
        raise ValueError("the message is too long")
    stream.write(len(message).to_bytes(4) + message)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """One message; empty when the stream has ended."""
    length = int.from_bytes(stream.read(4))
    if length > MAX_MESSAGE:
        raise ValueError("the message is too long")
    message = stream.read(length)
    if len(message) != length:
        raise ValueError("the message was cut off")
    return message


if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no key in a core dump
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)
