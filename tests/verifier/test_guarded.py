"""The guarded client: where it will not go, whatever a credential says."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from credential.text import Text
from verifier.guarded import GuardedClient
from verifier.public_address import is_public
from verifier.source_errors import SourceAbsent, SourceRefused, SourceUnreachable
from verifier.status_source import CachedSource, Fetched, FirstOf, HttpSource, NotMine

HOST = "lists.example"
PUBLIC = "93.184.216.34"


class Server:
    """A TLS server for ``lists.example`` on the loopback. ``answer`` is what it sends, raw."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.requests: list[bytes] = []
        self.hold = threading.Event()
        self.drip = False
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(plain,), daemon=True).start()

    def _one(self, plain: socket.socket) -> None:
        try:
            with closing(self._tls.wrap_socket(plain, server_side=True)) as line:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += line.recv(4096) or b"\r\n\r\n"
                self.requests.append(request)
                if self.drip:
                    line.sendall(b"HTTP/1.1 200 OK\r\n")
                    while not self.hold.wait(0.02):
                        line.sendall(b"X-Drip: 1\r\n")
                line.sendall(self.answer)
        except OSError:
            return

    def close(self) -> None:
        self.hold.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._listener.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client contexts that know each other."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    client = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    return server, client


@pytest.fixture
def server(certificate) -> Iterator[Server]:
    made = Server(certificate[0])
    yield made
    made.close()


@pytest.fixture
def dialled() -> list[str]:
    return []


@pytest.fixture
def client(certificate, server, dialled) -> GuardedClient:
    """Believes that lists.example is at a public address; the dialler brings it to the server."""

    def dialer(address: str, _port: int, timeout: float) -> socket.socket:
        dialled.append(address)
        return socket.create_connection(("127.0.0.1", server.port), timeout=timeout)

    return GuardedClient(
        resolver=lambda _host, _port: [PUBLIC], dialer=dialer, tls=certificate[1], total_seconds=5
    )


def resolving(client: GuardedClient, *addresses: str) -> GuardedClient:
    return GuardedClient(
        resolver=lambda _host, _port: list(addresses), dialer=client.dialer, tls=client.tls
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:db8::1",
        "not an address",
    ],
)
def test_private_addresses_in_every_disguise(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses(address):
    assert is_public(address)
    assert ipaddress.ip_address(address).is_global


def test_a_public_list_is_fetched(client, server, dialled):
    assert client.get(f"https://{HOST}/status/1?x=1#frag") == b"ok"
    assert dialled == [PUBLIC]
    assert server.requests[0].startswith(b"GET /status/1?x=1 HTTP/1.1\r\nHost: lists.example\r\n")


@pytest.mark.parametrize(
    "url",
    [
        "http://lists.example/",
        "file:///etc/passwd",
        "ftp://lists.example/",
        "gopher://lists.example/",
        "https://",
        "https:///path",
        "https://user:secret@lists.example/",
        "https://lists.example@10.0.0.1/",
        "https://lists.example:8443/",
        "https://lists.example:22/",
        "https://lists.example:x/",
        "https://[::1/",
        "https://lists.example/a b",
        "https://lists.example/\r\nX-Injected: 1",
        "https://리스트.example/",
        "lists.example",
        "",
    ],
)
def test_fetch_of_anything_but_plain_https(client, dialled, url):
    with pytest.raises(SourceRefused):
        client.get(url)
    assert dialled == []


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"])
def test_fetch_to_private_address_written_as_such(client, dialled, host):
    honest = GuardedClient(dialer=client.dialer, tls=client.tls)
    with pytest.raises(SourceRefused):
        honest.get(f"https://{host}/latest/meta-data")
    assert dialled == []


def test_fetch_to_private_address_after_dns(client, dialled):
    with pytest.raises(SourceRefused):
        resolving(client, "10.0.0.5").get(f"https://{HOST}/")
    assert dialled == []


def test_fetch_to_private_address_hidden_among_public_ones(client, dialled):
    with pytest.raises(SourceRefused):
        resolving(client, PUBLIC, "127.0.0.1").get(f"https://{HOST}/")
    assert dialled == []


def test_dns_that_changes_its_mind_after_the_check(client, dialled):
    """Rebinding: the second answer is private, but nobody asks a second time."""
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    rebinding = GuardedClient(
        resolver=lambda _host, _port: next(answers), dialer=client.dialer, tls=client.tls
    )
    assert rebinding.get(f"https://{HOST}/") == b"ok"
    assert dialled == [PUBLIC]


@pytest.mark.parametrize(
    "location",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://elsewhere.example/",
        "http://lists.example/",
        "https://lists.example:8443/",
        "file:///etc/passwd",
        "//elsewhere.example/",
    ],
)
def test_fetch_to_private_address_after_redirect(client, server, dialled, location):
    server.answer = (
        f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    with pytest.raises(SourceRefused):
        client.get(f"https://{HOST}/")
    assert dialled == [PUBLIC]


def test_redirects_without_end(client, server, dialled):
    server.answer = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(SourceRefused):
        client.get(f"https://{HOST}/")
    assert len(dialled) == 4


def test_certificate_of_another_host(client):
    with pytest.raises(SourceUnreachable):
        client.get("https://other.example/")


def test_body_too_large(client, server):
    server.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (1024 * 1024 + 1)
    with pytest.raises(SourceRefused):
        client.get(f"https://{HOST}/")


def test_gzip_bomb_in_transport(client, server):
    packed = gzip.compress(bytes(32 * 1024 * 1024))
    server.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
        + packed
    )
    with pytest.raises(SourceRefused):
        client.get(f"https://{HOST}/")


def test_gzip_in_transport_is_unpacked(client, server):
    packed = gzip.compress(b"a list")
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed
    assert client.get(f"https://{HOST}/") == b"a list"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", SourceAbsent),
        (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", SourceAbsent),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", SourceUnreachable),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", SourceUnreachable),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", SourceUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", SourceUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nplain", SourceUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nbrotli", SourceRefused),
        (b"SSH-2.0-OpenSSH\r\n", SourceUnreachable),
        (b"", SourceUnreachable),
    ],
)
def test_answers_that_are_no_list(client, server, answer, error):
    server.answer = answer
    with pytest.raises(error):
        client.get(f"https://{HOST}/")


@pytest.mark.parametrize("url", ["https://.example/", f"https://{'x' * 70}.example/"])
def test_names_that_tls_cannot_say(client, url):
    with pytest.raises(SourceUnreachable):
        client.get(url)


def test_nobody_listens(client):
    def nobody(_address: str, _port: int, _timeout: float) -> socket.socket:
        raise ConnectionRefusedError

    lonely = GuardedClient(resolver=client.resolver, dialer=nobody, tls=client.tls)
    with pytest.raises(SourceUnreachable):
        lonely.get(f"https://{HOST}/")


def test_name_that_does_not_resolve():
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(SourceUnreachable):
        GuardedClient(resolver=unknown).get(f"https://{HOST}/")
    with pytest.raises(SourceUnreachable):
        GuardedClient(resolver=lambda _h, _p: []).get(f"https://{HOST}/")


def test_resolver_that_never_answers():
    forever = threading.Event()
    slow = GuardedClient(resolver=lambda _h, _p: [str(forever.wait())], total_seconds=0.05)
    with pytest.raises(SourceUnreachable):
        slow.get(f"https://{HOST}/")
    forever.set()


def test_server_that_drips_is_cut_off(client, server):
    """Every read returns something in time, so only a limit on the whole helps."""
    server.drip = True
    impatient = GuardedClient(
        resolver=client.resolver, dialer=client.dialer, tls=client.tls, total_seconds=0.3
    )
    with pytest.raises(SourceUnreachable):
        impatient.get(f"https://{HOST}/")


def test_the_address_check_cannot_be_turned_off():
    assert "is_public" not in GuardedClient.__dataclass_fields__


def test_http_source_says_when(client):
    at = datetime(2026, 11, 20, tzinfo=UTC)
    assert HttpSource(client, clock=lambda: at).fetch(f"https://{HOST}/") == Fetched(b"ok", at)


class Counted:
    def __init__(self, at: datetime) -> None:
        self.fetches = 0
        self.at = at

    def fetch(self, url: str) -> Fetched:
        self.fetches += 1
        if "none" in url:
            raise NotMine(Text("없음", "none"))
        return Fetched(url.encode(), self.at)


def test_cached_source_remembers_for_a_while_and_keeps_the_age():
    moment = [datetime(2026, 11, 20, tzinfo=UTC)]
    inner = Counted(moment[0])
    cached = CachedSource(inner, max_age=timedelta(minutes=5), capacity=2, clock=lambda: moment[0])
    first = cached.fetch("a")
    moment[0] += timedelta(minutes=5)
    assert cached.fetch("a") == first
    assert inner.fetches == 1
    moment[0] += timedelta(seconds=1)
    cached.fetch("a")
    assert inner.fetches == 2


def test_cached_source_is_bounded():
    at = datetime(2026, 11, 20, tzinfo=UTC)
    inner = Counted(at)
    cached = CachedSource(inner, capacity=2, clock=lambda: at)
    for url in ("a", "b", "c", "b", "c"):
        cached.fetch(url)
    assert inner.fetches == 3
    cached.fetch("a")
    assert inner.fetches == 4


def test_first_of_passes_on_what_is_not_mine():
    at = datetime(2026, 11, 20, tzinfo=UTC)
    nobody, somebody = Counted(at), Counted(at)
    with pytest.raises(SourceRefused):
        FirstOf([nobody, somebody]).fetch("none")
    assert (nobody.fetches, somebody.fetches) == (1, 1)
    assert FirstOf([nobody, somebody]).fetch("x").body == b"x"
    assert somebody.fetches == 1
