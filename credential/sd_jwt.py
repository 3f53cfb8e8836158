"""Selective Disclosure for JWTs (RFC 9901): conceal, present, and read back.

Concealing takes claims and a frame, which says what may be withheld:

    {"_sd": ["name", "address"], "_sd_decoy": 2, "address": {"_sd": ["street"]}}

Names of members, or places in an array; a frame inside names what may be withheld within, to any
depth. Reading back is section 7.1 steps 3 to 5: a disclosure that fits nowhere, fits twice, or
would overwrite a claim makes the whole token invalid; it is never merely left out.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import orjson

from credential import multibase
from credential.errors import BaeumError
from credential.evidence import EvidenceUnreadable, strict_json
from credential.text import Text

HASHES: Final = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
"""Names of the IANA registry (section 4.1.1); weaker ones are not accepted."""
MAX_DISCLOSURES: Final = 2_000
MAX_DEPTH: Final = 32

Path = tuple[str | int, ...]
"""Where a claim is: member names and array places from the top, of the claims as read."""

_DIGESTS = "_sd"
_HASH = "_sd_alg"
_ELEMENT = "..."


class SdJwtInvalid(BaeumError):
    """The token's disclosures and digests do not fit; ``facts["reason"]`` says how."""

    code: ClassVar[str] = "disclosures-invalid"
    title: ClassVar[Text] = Text(
        "선택적으로 제시된 항목이 올바르지 않습니다", "The disclosures are not valid"
    )
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str, reason: str) -> None:
        super().__init__(
            Text(ko, en),
            Text(
                "지갑에서 다시 제시하거나, 발급 기관에서 다시 받으십시오.",
                "Present it from the wallet again, or get it from the issuer again.",
            ),
            {"reason": reason},
        )


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One withheld claim (section 4.2). ``name`` is None for an element of an array."""

    text: str
    salt: str
    name: str | None
    value: Any

    @classmethod
    def make(cls, salt: str, name: str | None, value: Any) -> Disclosure:
        array = [salt, value] if name is None else [salt, name, value]
        return cls(multibase.base64url(orjson.dumps(array)), salt, name, value)

    @classmethod
    def parse(cls, text: str) -> Disclosure:
        """Raises ``SdJwtInvalid``. The digest is over this very text, however it was spelt."""
        try:
            array = strict_json(multibase.from_base64url(text))
        except (multibase.NotMultibase, EvidenceUnreadable) as error:
            raise _bad(error.detail.ko, error.detail.en, "disclosure-malformed") from error
        if not isinstance(array, list) or len(array) not in (2, 3) or type(array[0]) is not str:
            raise _malformed()
        if len(array) == 2:
            return cls(text, array[0], None, array[1])
        if type(array[1]) is not str or array[1] in (_DIGESTS, _ELEMENT):
            raise _malformed()
        return cls(text, array[0], array[1], array[2])

    def digest(self, algorithm: str = "sha-256") -> str:
        """base64url of the hash of the text (section 4.2.3)."""
        return digest(self.text.encode("ascii"), algorithm)


@dataclass(frozen=True, slots=True)
class SdJwt:
    """An SD-JWT or SD-JWT+KB taken apart (section 4); nothing is checked."""

    jwt: str
    disclosures: tuple[str, ...]
    key_binding: str | None = None

    def __str__(self) -> str:
        return self.bound_part + (self.key_binding or "")

    @property
    def bound_part(self) -> str:
        """What a key binding covers: everything up to and including the last tilde."""
        return "~".join((self.jwt, *self.disclosures)) + "~"


@dataclass(frozen=True, slots=True)
class Read:
    """The claims with every disclosure in its place, and where each one went."""

    claims: dict[str, Any]
    disclosed: Mapping[Path, Disclosure]


def digest(data: bytes, algorithm: str = "sha-256") -> str:
    """base64url of the hash, as disclosures and ``sd_hash`` are written."""
    return multibase.base64url(hashlib.new(HASHES[algorithm], data).digest())


def parse(text: str) -> SdJwt:
    """Take the compact or JSON serialisation apart. Raises ``SdJwtInvalid``."""
    text = text.strip()
    if text.startswith("{"):
        return _parse_json(text)
    jwt, *rest = text.split("~")
    if not rest:
        raise _bad("SD-JWT가 아닙니다.", "Not an SD-JWT.", "not-an-sd-jwt")
    *disclosures, last = rest
    return _parsed(jwt, disclosures, last or None)


def conceal(
    claims: Mapping[str, Any],
    frame: Mapping[str, Any],
    *,
    salt: Callable[[], str] = lambda: secrets.token_urlsafe(16),
) -> tuple[dict[str, Any], list[Disclosure]]:
    """The payload with digests where the frame says, and the disclosures, innermost first.

    Digests are sorted, so that their order tells nothing; decoys are hashes of fresh noise.
    Raises ``ValueError`` for a frame that names what is not there.
    """
    disclosures: list[Disclosure] = []
    payload = _conceal(dict(claims), frame, salt, disclosures)
    payload[_HASH] = "sha-256"
    return payload, disclosures


def read(payload: Mapping[str, Any], disclosures: Sequence[str]) -> Read:
    """Put the disclosures back (section 7.1, steps 3 to 5).

    1. The hash is one of ``HASHES``; each disclosure is well formed and comes once.
    2. Each digest in the payload and inside disclosed values occurs once.
    3. A disclosure goes where its digest is, never over a claim that is there.
    4. What is left of the digests is removed; a disclosure that found no place is an error.

    Raises ``SdJwtInvalid``.
    """
    algorithm = payload.get(_HASH, "sha-256")
    if algorithm not in HASHES:
        raise _bad(
            f"모르는 해시 방식입니다: {str(algorithm)[:40]}",
            f"A hash that is not accepted: {str(algorithm)[:40]}",
            "hash-unsupported",
        )
    if len(disclosures) > MAX_DISCLOSURES:
        raise _bad("공개 항목이 너무 많습니다.", "Too many disclosures.", "too-many")
    by_digest: dict[str, Disclosure] = {}
    for text in disclosures:
        disclosure = Disclosure.parse(text)
        if by_digest.setdefault(disclosure.digest(algorithm), disclosure) is not disclosure:
            raise _bad("같은 항목이 두 번 있습니다.", "A disclosure occurs twice.", "doubled")
    reader = _Reader(by_digest)
    claims = reader.member(dict(payload), (), MAX_DEPTH)
    claims.pop(_HASH, None)
    if reader.placed.keys() != by_digest.keys():
        raise _bad(
            "발급 기관이 서명하지 않은 항목이 덧붙어 있습니다.",
            "A disclosure was added that the issuer did not sign.",
            "added",
        )
    return Read(claims, {path: by_digest[name] for name, path in reader.placed.items()})


def present(token: SdJwt, payload: Mapping[str, Any], reveal: Iterable[Path]) -> SdJwt:
    """The token with only the disclosures these paths need, those they lie in included.

    ``reveal`` names claims of the token with all its disclosures. Raises ``KeyError`` for a path
    that cannot be withheld.
    """
    at = read(payload, token.disclosures).disclosed
    kept: set[str] = set()
    for path in reveal:
        needed = [path[:depth] for depth in range(1, len(path) + 1) if path[:depth] in at]
        if not needed or needed[-1] != path:
            raise KeyError(path)
        kept.update(at[part].text for part in needed)
    return SdJwt(token.jwt, tuple(text for text in token.disclosures if text in kept))


def _conceal(
    value: Any, frame: Mapping[Any, Any], salt: Callable[[], str], out: list[Disclosure]
) -> Any:
    hidden = set(frame.get(_DIGESTS, ()))
    decoys = [digest(secrets.token_bytes(32)) for _ in range(int(frame.get("_sd_decoy", 0)))]
    if isinstance(value, Mapping):
        if {_DIGESTS, _ELEMENT, _HASH} & value.keys():
            raise ValueError("a claim has a name that SD-JWT reserves")
        if missing := hidden - value.keys():
            raise ValueError(f"the frame names claims that are not there: {sorted(missing)}")
        members: dict[str, Any] = {}
        digests = decoys
        for name, item in value.items():
            inner = _conceal(item, frame[name], salt, out) if name in frame else item
            if name in hidden:
                out.append(Disclosure.make(salt(), name, inner))
                digests.append(out[-1].digest())
            else:
                members[name] = inner
        if digests:
            members[_DIGESTS] = sorted(digests)
        return members
    if isinstance(value, list):
        if any(not isinstance(place, int) or place >= len(value) for place in hidden):
            raise ValueError("the frame names elements that are not there")
        items: list[Any] = []
        for place, item in enumerate(value):
            within = frame.get(str(place), frame.get(place))
            inner = item if within is None else _conceal(item, within, salt, out)
            if place in hidden:
                out.append(Disclosure.make(salt(), None, inner))
                inner = {_ELEMENT: out[-1].digest()}
            items.append(inner)
        for decoy in decoys:
            items.insert(secrets.randbelow(len(items) + 1), {_ELEMENT: decoy})
        return items
    raise ValueError("only members of objects and elements of arrays can be withheld")


class _Reader:
    """Replaces digests by what was disclosed; ``placed`` maps each digest used to its path."""

    def __init__(self, by_digest: Mapping[str, Disclosure]) -> None:
        self._by_digest = by_digest
        self._seen: set[str] = set()
        self.placed: dict[str, Path] = {}

    def value(self, value: Any, path: Path, depth: int) -> Any:
        if depth == 0:
            raise _bad("너무 깊습니다.", "Nested too deeply.", "too-deep")
        if isinstance(value, dict):
            return self.member(value, path, depth)
        if isinstance(value, list):
            return self._elements(value, path, depth)
        return value

    def member(self, value: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        if _ELEMENT in value:
            raise _bad("자리가 잘못된 요약값입니다.", "A digest in the wrong place.", "misplaced")
        claims = {
            name: self.value(item, (*path, name), depth - 1)
            for name, item in value.items()
            if name != _DIGESTS
        }
        listed = value.get(_DIGESTS, [])
        if not isinstance(listed, list):
            raise _bad("_sd가 목록이 아닙니다.", "_sd is not an array.", "misplaced")
        for name in listed:
            disclosure = self._found(name)
            if disclosure is None:
                continue
            if disclosure.name is None:
                raise _bad(
                    "배열 항목이 이름 자리에 있습니다.",
                    "An array element offered as a named claim.",
                    "misplaced",
                )
            if disclosure.name in claims or (not path and disclosure.name == _HASH):
                raise _bad(
                    "이미 있는 항목을 덮어쓰려는 공개 항목입니다.",
                    "A disclosure would overwrite a claim that is there.",
                    "overwrites",
                )
            at = (*path, disclosure.name)
            self.placed[name] = at
            claims[disclosure.name] = self.value(disclosure.value, at, depth - 1)
        return claims

    def _elements(self, value: list[Any], path: Path, depth: int) -> list[Any]:
        items: list[Any] = []
        for item in value:
            at = (*path, len(items))  # what is withheld, or a decoy, has no place
            if not (isinstance(item, dict) and _ELEMENT in item):
                items.append(self.value(item, at, depth - 1))
                continue
            if len(item) != 1:
                raise _bad("자리가 잘못된 요약값입니다.", "A digest with company.", "misplaced")
            disclosure = self._found(item[_ELEMENT])
            if disclosure is None:
                continue
            if disclosure.name is not None:
                raise _bad(
                    "이름 있는 항목이 배열 자리에 있습니다.",
                    "A named claim offered as an array element.",
                    "misplaced",
                )
            self.placed[item[_ELEMENT]] = at
            items.append(self.value(disclosure.value, at, depth - 1))
        return items

    def _found(self, name: object) -> Disclosure | None:
        if not isinstance(name, str):
            raise _bad("요약값이 글자가 아닙니다.", "A digest that is not text.", "misplaced")
        if name in self._seen:
            raise _bad("같은 요약값이 두 번 있습니다.", "A digest occurs twice.", "digest-twice")
        self._seen.add(name)
        return self._by_digest.get(name)


def _parse_json(text: str) -> SdJwt:
    """JWS JSON serialisation with the disclosures in the unprotected header (section 8), or, as
    drafts before it had them, beside the payload."""
    try:
        body = strict_json(text.encode("utf-8", "surrogatepass"))
    except EvidenceUnreadable as error:
        raise _bad(error.detail.ko, error.detail.en, "not-an-sd-jwt") from error
    if isinstance(body, dict) and "signatures" in body:
        signatures = body["signatures"]
        if not isinstance(signatures, list) or not signatures:
            raise _bad("SD-JWT가 아닙니다.", "Not an SD-JWT.", "not-an-sd-jwt")
        # Section 8.1: the disclosures stand in the first unprotected header
        body = {"payload": body.get("payload"), **_mapping(signatures[0])}
    header = _mapping(body.get("header", body)) if isinstance(body, dict) else {}
    parts = [body.get(name) if isinstance(body, dict) else None for name in _JSON_PARTS]
    disclosures = header.get("disclosures", [])
    binding = header.get("kb_jwt")
    if not all(isinstance(part, str) for part in [*parts, *_texts(disclosures)]) or not (
        binding is None or isinstance(binding, str)
    ):
        raise _bad("SD-JWT가 아닙니다.", "Not an SD-JWT.", "not-an-sd-jwt")
    return _parsed(".".join(map(str, parts)), disclosures, binding)


_JSON_PARTS = ("protected", "payload", "signature")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[Any]:
    return value if isinstance(value, list) else [None]


def _parsed(jwt: str, disclosures: Sequence[str], binding: str | None) -> SdJwt:
    if not jwt or not all(disclosures) or len(disclosures) > MAX_DISCLOSURES:
        raise _bad("SD-JWT가 아닙니다.", "Not an SD-JWT.", "not-an-sd-jwt")
    return SdJwt(jwt, tuple(disclosures), binding)


def _malformed() -> SdJwtInvalid:
    return _bad(
        "공개 항목의 형식이 잘못되었습니다.", "A malformed disclosure.", "disclosure-malformed"
    )


def _bad(ko: str, en: str, reason: str) -> SdJwtInvalid:
    return SdJwtInvalid(ko, en, reason)
