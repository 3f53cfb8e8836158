"""The one way to fetch an address that a credential names.

Whoever writes a credential chooses the address, so the address is hostile until shown otherwise:
https on an allowed port only; no user name in it; *every* address the name resolves to must be
public; the connection goes to the very address that was checked, so a second DNS answer cannot
move it; a redirect may not leave the host; at most 5 seconds and 1 MB, also after decompression.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from urllib.parse import SplitResult, urljoin, urlsplit

from credential.text import Text
from verifier.public_address import dial, is_public, resolve
from verifier.source_errors import SourceAbsent, SourceRefused, SourceUnreachable

Resolve = Callable[[str, int], list[str]]
Dial = Callable[[str, int, float], socket.socket]

MAX_BYTES = 1024 * 1024
TOTAL_SECONDS = 5.0
MAX_REDIRECTS = 3

_REMEDY = Text(
    "발급 기관에 공개 상태 목록의 주소를 확인해 달라고 요청해 주십시오.",
    "Ask the issuer to check the address of its public status list.",
)


class _Pinned(http.client.HTTPSConnection):
    """TLS for the host's name over a connection to an address chosen beforehand."""

    def __init__(self, host: str, port: int, opened: socket.socket, tls: ssl.SSLContext) -> None:
        super().__init__(host, port, context=tls)
        self._opened = opened
        self._tls = tls

    def connect(self) -> None:
        # The handshake is a step of its own, so that the watchdog has a line to cut meanwhile.
        self.sock = self._tls.wrap_socket(
            self._opened, server_hostname=self.host, do_handshake_on_connect=False
        )
        self.sock.do_handshake()


@dataclass(frozen=True, slots=True)
class GuardedClient:
    """``get(url)`` is the body. Raises ``SourceUnreachable``, ``SourceRefused``, ``SourceAbsent``.

    ``resolver``, ``dialer`` and ``tls`` are for tests; the address check cannot be turned off.
    """

    ports: frozenset[int] = frozenset({443})
    total_seconds: float = TOTAL_SECONDS
    max_bytes: int = MAX_BYTES
    resolver: Resolve = resolve
    dialer: Dial = dial
    tls: ssl.SSLContext | None = None

    def get(self, url: str) -> bytes:
        deadline = time.monotonic() + self.total_seconds
        first = self._admit(url)
        address = self._checked_address(first, deadline)
        target = first
        for _ in range(MAX_REDIRECTS + 1):
            location, body = self._request(target, address, deadline)
            if location is None:
                return body
            target = self._admit(urljoin(target.geturl(), location))
            if (target.hostname, _port(target)) != (first.hostname, _port(first)):
                raise _refused("redirect to another host", url)
        raise _refused("too many redirects", url)

    def _admit(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)._replace(fragment="")
            port = _port(parts)
        except ValueError as wrong:
            raise _refused("not a web address", url) from wrong
        if parts.scheme != "https":
            raise _refused("not https", url)
        if not parts.hostname or parts.username is not None or parts.password is not None:
            raise _refused("not a plain host", url)
        if port not in self.ports:
            raise _refused(f"port {port}", url)
        if not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
            raise _refused("not a web address", url)
        return parts

    def _checked_address(self, target: SplitResult, deadline: float) -> str:
        host, port = str(target.hostname), _port(target)
        addresses = _in_time(lambda: self.resolver(host, port), deadline, target.geturl())
        if not addresses:
            raise _unreachable("no address", target.geturl())
        if not all(is_public(address) for address in addresses):
            raise _refused("private address", target.geturl())
        return addresses[0]

    def _request(
        self, target: SplitResult, address: str, deadline: float
    ) -> tuple[str | None, bytes]:
        url = target.geturl()
        host, port = str(target.hostname), _port(target)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        try:
            opened = self.dialer(address, port, _left(deadline, url))
        except OSError as failure:
            raise _unreachable(type(failure).__name__, url) from failure
        connection = _Pinned(host, port, opened, self.tls or _system_tls())
        try:
            with _cut_off(opened, connection, deadline) as was_cut:
                connection.request(
                    "GET",
                    path,
                    headers={
                        "Accept": "application/vc+json, application/ld+json, application/json",
                        "Accept-Encoding": "gzip, identity",
                        "User-Agent": "baeum-verifier",
                    },
                )
                answer = self._answer(connection.getresponse(), url)
            if was_cut.is_set():  # a line that was cut looks like one that ended
                raise _unreachable("not in time", url)
            return answer
        except (OSError, ValueError, http.client.HTTPException) as failure:
            raise _unreachable(type(failure).__name__, url) from failure
        finally:
            connection.close()
            opened.close()

    def _answer(self, response: http.client.HTTPResponse, url: str) -> tuple[str | None, bytes]:
        if response.status in (301, 302, 303, 307, 308):
            location = response.getheader("Location")
            if not location:
                raise _unreachable("redirect to nowhere", url)
            return location, b""
        if response.status in (404, 410):
            raise SourceAbsent(
                Text(
                    f"주소에 자료가 없습니다(HTTP {response.status}).",
                    f"There is nothing at the address (HTTP {response.status}).",
                ),
                _REMEDY,
                {"url": url},
            )
        if response.status != 200:
            raise _unreachable(f"HTTP {response.status}", url)
        body = response.read(self.max_bytes + 1)
        if len(body) > self.max_bytes:
            raise _refused("too large", url)
        declared = response.length
        if declared:
            raise _unreachable("cut short", url)
        encoding = (response.getheader("Content-Encoding") or "identity").strip().lower()
        if encoding in ("gzip", "x-gzip"):
            return None, self._gunzip(body, url)
        if encoding != "identity":
            raise _refused("unknown content encoding", url)
        return None, body

    def _gunzip(self, body: bytes, url: str) -> bytes:
        unzip = zlib.decompressobj(wbits=31)
        try:
            plain = unzip.decompress(body, self.max_bytes + 1)
        except zlib.error as wrong:
            raise _unreachable("damaged gzip", url) from wrong
        if len(plain) > self.max_bytes:
            raise _refused("too large when unpacked", url)
        if not unzip.eof:
            raise _unreachable("cut short", url)
        return plain


@cache
def _system_tls() -> ssl.SSLContext:
    """Certificates and host names are checked; loading the authorities takes milliseconds."""
    return ssl.create_default_context()


@contextmanager
def _cut_off(
    opened: socket.socket, connection: _Pinned, deadline: float
) -> Iterator[threading.Event]:
    """Cuts the line at the deadline: a time-out per read alone lets a drip of bytes go on."""
    was_cut = threading.Event()

    def cut() -> None:
        was_cut.set()
        for line in (connection.sock, opened):
            if line is not None:
                try:
                    # below TLS, whose own shutdown would pull the rug from under a reader
                    socket.socket.shutdown(line, socket.SHUT_RDWR)
                except OSError:
                    continue  # already closed, which is what was wanted

    watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield was_cut
    finally:
        watchdog.cancel()


def _in_time(work: Callable[[], list[str]], deadline: float, url: str) -> list[str]:
    """The resolver has no time-out of its own, so it is asked in a thread and left behind."""
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(work())
        except (OSError, UnicodeError) as failure:
            answers.put(OSError(str(failure)))

    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=_left(deadline, url))
    except Empty as late:
        raise _unreachable("name not resolved in time", url) from late
    if isinstance(answer, OSError):
        raise _unreachable("name not resolved", url) from answer
    return answer


def _left(deadline: float, url: str) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise _unreachable("not in time", url)
    return left


def _port(parts: SplitResult) -> int:
    return parts.port or 443


def _refused(why: str, url: str) -> SourceRefused:
    return SourceRefused(
        Text(f"안전하지 않아 가져오지 않았습니다({why}).", f"Not fetched, for safety ({why})."),
        _REMEDY,
        {"url": url, "why": why},
    )


def _unreachable(why: str, url: str) -> SourceUnreachable:
    return SourceUnreachable(
        Text(f"주소에서 답을 받지 못했습니다({why}).", f"No answer from the address ({why})."),
        Text("잠시 뒤 다시 검증해 주십시오.", "Verify again a little later."),
        {"url": url, "why": why},
    )
