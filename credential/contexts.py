"""The JSON-LD contexts this program knows, byte for byte as published. Nothing is ever fetched.

``data/contexts/INDEX.tsv`` gives each one's URL, file, SHA-256, source and licence. A context
outside this list is refused: whoever controls a context controls what a signature means.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, ClassVar

from credential.errors import BaeumError
from credential.text import Text

VC_V1 = "https://www.w3.org/2018/credentials/v1"
VC_V2 = "https://www.w3.org/ns/credentials/v2"
OB_V3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

_admitted: dict[str, dict[str, Any]] = {}

Loader = Callable[[str], dict[str, Any]]
"""From a context's URL to its document; raises ``UnknownContext``."""


class UnknownContext(BaeumError):
    """A document names a JSON-LD context that is not bundled."""

    code: ClassVar[str] = "unknown-context"
    title: ClassVar[Text] = Text("알 수 없는 컨텍스트입니다", "Unknown JSON-LD context")
    status: ClassVar[int] = 422

    def __init__(self, url: str) -> None:
        shown = url[:200]
        super().__init__(
            Text(
                f"증명이 모르는 JSON-LD 컨텍스트를 가리킵니다: {shown}",
                f"The credential names a JSON-LD context this program does not know: {shown}",
            ),
            Text(
                "공개된 표준 컨텍스트만 쓰도록 발급 기관에 요청하십시오.",
                "Ask the issuer to use published standard contexts only.",
            ),
            {"context": shown},
        )


class ContextDamaged(BaeumError):
    """A bundled context's bytes differ from the recorded digest: the installation is damaged."""

    code: ClassVar[str] = "context-damaged"
    title: ClassVar[Text] = Text("설치가 손상되었습니다", "The installation is damaged")
    status: ClassVar[int] = 500


@dataclass(frozen=True, slots=True)
class Bundled:
    """One line of an index: a published document, where it came from and on what terms."""

    url: str
    file: str
    sha256: str
    source: str
    licence: str

    def read(self, folder: str) -> bytes:
        """The bytes in ``data/<folder>``; raises ``ContextDamaged`` when the digest differs."""
        data = resources.files("credential").joinpath("data", folder, self.file).read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ContextDamaged(
                Text(
                    f"함께 배포된 파일 {self.file}의 내용이 기록된 해시와 다릅니다.",
                    f"The bundled file {self.file} differs from its recorded digest.",
                ),
                Text("프로그램을 다시 설치하십시오.", "Install the program again."),
                {"file": self.file},
            )
        return data


@cache
def index(folder: str = "contexts") -> dict[str, Bundled]:
    """The bundled documents of ``data/<folder>`` by URL, as its INDEX.tsv lists them."""
    table = resources.files("credential").joinpath("data", folder, "INDEX.tsv")
    rows = table.read_text(encoding="utf-8").splitlines()[1:]
    entries = (Bundled(*row.split("\t")[:5]) for row in rows if row)
    return {entry.url: entry for entry in entries}


@cache
def load(url: str) -> dict[str, Any]:
    """The context document published at ``url``. Callers must not change it.

    Raises ``UnknownContext`` when it is not bundled, ``ContextDamaged`` when its bytes changed.
    """
    if url in _admitted:
        return _admitted[url]
    entry = index().get(url)
    if entry is None:
        raise UnknownContext(url)
    document: dict[str, Any] = json.loads(entry.read("contexts"))
    return document


def admit(url: str, document: dict[str, Any]) -> None:
    """Let this process know one more context: for conformance tests, whose documents use one that
    lets any word mean something. Nothing else may call it."""
    _admitted[url] = document
    load.cache_clear()


def dismiss(url: str) -> None:
    """Forget what was admitted."""
    _admitted.pop(url, None)
    load.cache_clear()


@cache
def schema(url: str) -> dict[str, Any]:
    """The JSON Schema published at ``url``; raises ``UnknownContext`` when it is not bundled."""
    entry = index("schemas").get(url)
    if entry is None:
        raise UnknownContext(url)
    document: dict[str, Any] = json.loads(entry.read("schemas"))
    return document
