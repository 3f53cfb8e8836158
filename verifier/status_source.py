"""Where status lists come from. A source hands out bytes and says when it got them; whether the
bytes are to be believed is the status check's business."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from credential.text import Text
from verifier.cache import AgedCache
from verifier.guarded import MAX_BYTES, GuardedClient
from verifier.source_errors import SourceAbsent, SourceError, SourceRefused, SourceUnreachable

__all__ = [
    "CachedSource",
    "DirectorySource",
    "Fetched",
    "FirstOf",
    "HttpSource",
    "NotMine",
    "SourceAbsent",
    "SourceError",
    "SourceRefused",
    "SourceUnreachable",
    "StatusSource",
]

_SAFE_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes and the instant they were obtained."""

    body: bytes
    fetched_at: datetime


class StatusSource(Protocol):
    """``fetch(url)`` raises ``SourceUnreachable``, ``SourceRefused`` or ``SourceAbsent``."""

    def fetch(self, url: str) -> Fetched: ...


class NotMine(SourceRefused):
    """This source does not answer for that address; the next one may."""


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """Reads the lists an issuer on this machine publishes: ``{prefix}/{id}/{purpose}`` is the file
    ``{directory}/{id}/{purpose}.json``, for a Token Status List ``.jwt``. No network."""

    prefix_url: str
    directory: Path
    clock: Callable[[], datetime] = _utc_now

    def fetch(self, url: str) -> Fetched:
        prefix = self.prefix_url.rstrip("/") + "/"
        rest = url.removeprefix(prefix)
        if not url.startswith(prefix) or not _SAFE_PATH.fullmatch(rest):
            raise NotMine(
                Text("이 주소의 목록은 여기 없습니다.", "This place does not keep that list."),
                None,
                {"url": url},
            )
        if not self.directory.is_dir():
            raise SourceUnreachable(
                Text(
                    "상태 목록이 아직 게시되지 않은 폴더입니다.",
                    "The folder of status lists does not exist.",
                ),
                Text("폴더 설정을 확인해 주십시오.", "Check the setting of the folder."),
                {"url": url},
            )
        path = self.directory / f"{rest}.json"
        token_list = path.with_suffix(".jwt")
        if token_list.exists():
            path = token_list
        try:
            with path.open("rb") as file:
                body = file.read(MAX_BYTES + 1)
        except FileNotFoundError as missing:
            raise SourceAbsent(
                Text("게시된 상태 목록이 없습니다.", "No such status list is published."),
                Text(
                    "발급 기관에 상태 목록 게시를 요청해 주십시오.",
                    "Ask the issuer to publish its status list.",
                ),
                {"url": url},
            ) from missing
        except OSError as failure:
            raise SourceUnreachable(
                Text("상태 목록 파일을 읽지 못했습니다.", "The status list file cannot be read."),
                None,
                {"url": url},
            ) from failure
        if len(body) > MAX_BYTES:
            raise SourceRefused(
                Text("상태 목록 파일이 너무 큽니다.", "The status list file is too large."),
                None,
                {"url": url},
            )
        return Fetched(body, self.clock())


@dataclass(frozen=True, slots=True)
class HttpSource:
    """Fetches over https through the guarded client (see ``verifier.guarded``)."""

    client: GuardedClient = field(default_factory=GuardedClient)
    clock: Callable[[], datetime] = _utc_now

    def fetch(self, url: str) -> Fetched:
        fetched_at = self.clock()
        return Fetched(self.client.get(url), fetched_at)


@dataclass(frozen=True, slots=True)
class FirstOf:
    """Asks the sources in order; one that says ``NotMine`` passes the question on."""

    sources: Sequence[StatusSource]

    def fetch(self, url: str) -> Fetched:
        for source in self.sources:
            try:
                return source.fetch(url)
            except NotMine:
                continue
        raise SourceRefused(
            Text(
                "이 주소에서 상태 목록을 가져오도록 설정되어 있지 않습니다.",
                "Nothing is set up to fetch status lists from this address.",
            ),
            None,
            {"url": url},
        )


class CachedSource:
    """Remembers what another source fetched for ``max_age``; the age stays visible, because
    ``fetched_at`` is kept. Failures are not remembered."""

    def __init__(
        self,
        source: StatusSource,
        *,
        max_age: timedelta = timedelta(minutes=5),
        capacity: int = 64,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._source = source
        self._max_age = max_age
        self._clock = clock
        self._known: AgedCache[str, bytes] = AgedCache(capacity)

    def fetch(self, url: str) -> Fetched:
        known = self._known.get(url, now=self._clock(), max_age=self._max_age)
        if known is not None:
            return Fetched(known.value, known.learnt_at)
        fetched = self._source.fetch(url)
        self._known.put(url, fetched.body, fetched.fetched_at)
        return fetched
