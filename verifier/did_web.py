"""DID documents of did:web, from a folder or, where the operator says so, from the web.

Never the first thing asked: a key that a trusted registry binds to its institution needs no
document, and asking the issuer's server for each credential would tell it who is being checked.
Nothing is fetched unless a source that fetches is configured, and then through the guarded client
and no more than once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from credential.did import web_url
from credential.errors import BaeumError
from credential.evidence import strict_json
from credential.text import Text
from verifier.cache import AgedCache
from verifier.guarded import GuardedClient
from verifier.source_errors import SourceAbsent, SourceRefused, SourceUnreachable

MAX_BYTES = 256 * 1024


class DidSource(Protocol):
    """``document(did)`` raises ``SourceUnreachable``, ``SourceRefused``, ``SourceAbsent``."""

    def document(self, did: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class KeptDids:
    """Documents somebody put into a folder, each as ``{the DID, percent-encoded}.json``."""

    directory: Path

    def document(self, did: str) -> dict[str, Any]:
        path = self.directory / f"{quote(did, safe='')}.json"
        try:
            with path.open("rb") as file:
                body = file.read(MAX_BYTES + 1)
        except FileNotFoundError as missing:
            raise SourceAbsent(
                Text("이 DID의 문서가 보관되어 있지 않습니다.", "No document of this DID is kept."),
                Text("DID 문서를 폴더에 넣어 주십시오.", "Put its document into the folder."),
                {"did": did[:200]},
            ) from missing
        except OSError as failure:
            raise SourceUnreachable(
                Text("DID 문서 파일을 읽지 못했습니다.", "The DID document cannot be read."),
                None,
                {"did": did[:200]},
            ) from failure
        return _checked(body, did)


class FetchedDids:
    """Documents from the web, through the guarded client, kept for ``max_age``."""

    def __init__(
        self,
        client: GuardedClient | None = None,
        *,
        max_age: timedelta = timedelta(days=1),
        capacity: int = 256,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client or GuardedClient()
        self._max_age = max_age
        self._clock = clock
        self._known: AgedCache[str, dict[str, Any]] = AgedCache(capacity)

    def document(self, did: str) -> dict[str, Any]:
        known = self._known.get(did, now=self._clock(), max_age=self._max_age)
        if known is not None:
            return known.value
        try:
            url = web_url(did)
        except BaeumError as wrong:
            raise SourceRefused(wrong.detail, wrong.remedy, {"did": did[:200]}) from wrong
        return self._known.put(did, _checked(self._client.get(url), did), self._clock()).value


@dataclass(frozen=True, slots=True)
class FirstDid:
    """Asks the sources in order; the next one when a source does not have the document."""

    sources: Sequence[DidSource]

    def document(self, did: str) -> dict[str, Any]:
        for source in self.sources[:-1]:
            try:
                return source.document(did)
            except SourceAbsent:
                continue
        return self.sources[-1].document(did)


def _checked(body: bytes, did: str) -> dict[str, Any]:
    """The document, if it is this DID's (DID Core section 5.1.1)."""
    try:
        document = strict_json(body) if len(body) <= MAX_BYTES else None
    except BaeumError:
        document = None
    if not isinstance(document, dict) or document.get("id") != did:
        raise SourceRefused(
            Text("DID 문서가 이 DID의 것이 아닙니다.", "It is not the document of this DID."),
            Text("발급 기관에 알려 주십시오.", "Tell the issuer."),
            {"did": did[:200]},
        )
    return document
