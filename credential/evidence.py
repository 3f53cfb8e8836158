"""The evidence file: a secured credential with the receipt that says where it is anchored.

``parse`` is the door everything from outside comes through, so it is strict before anything else
looks at the content: size, depth, duplicate names, numbers and text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import orjson

from credential import jcs
from credential.errors import BaeumError
from credential.receipt import Receipt, ReceiptMalformed
from credential.text import Text

TYPE = "BaeumEvidence"
VERSION = 1
MEDIA_TYPE = "application/vnd.baeum.evidence+json"
MAX_BYTES = 1_048_576
MAX_DEPTH = 64

_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG = [before + b"0" * 16 for before in (b" ", b":", b",", b"[", b"-")]
"""Numbers of sixteen digits and more, every digit written as 0; what comes before one."""


class EvidenceUnreadable(BaeumError):
    """The bytes are not an evidence file or credential that can be read safely."""

    code: ClassVar[str] = "evidence-unreadable"
    title: ClassVar[Text] = Text(
        "증명 파일을 읽을 수 없습니다", "The credential file cannot be read"
    )

    def __init__(self, ko: str, en: str, reason: str) -> None:
        super().__init__(
            Text(ko, en),
            Text(
                "발급받은 파일을 고치지 말고 그대로 제출하십시오.",
                "Present the file exactly as it was issued.",
            ),
            {"reason": reason},
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """A secured credential (with its proof) and, once anchored, its receipt.

    ``proofs`` make it an evidence bundle, which can be checked with no network; only
    ``verifier.offline`` reads them. ``disclosure`` is what a degree was computed from, as far as
    the holder shows it (``credential.disclosure``).
    """

    credential: dict[str, Any]
    receipt: Receipt | None = None
    proofs: dict[str, Any] | None = None
    disclosure: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The evidence file's content; other members only where there are any."""
        body = {"type": TYPE, "version": VERSION, "credential": self.credential}
        if self.receipt is not None:
            body["receipt"] = self.receipt.to_json()
        if self.proofs is not None:
            body["proofs"] = self.proofs
        if self.disclosure is not None:
            body["disclosure"] = self.disclosure
        return body

    def to_bytes(self) -> bytes:
        """The evidence file, UTF-8, indented for people who open it."""
        return orjson.dumps(self.to_json(), option=_PRETTY)


def parse(data: bytes) -> Evidence:
    """Read an evidence file or a bare credential.

    Raises ``EvidenceUnreadable`` for anything but UTF-8 I-JSON of at most 1 MB and 64 levels
    without duplicate names, and for a file that is neither; its ``reason`` fact is one of
    too-large, too-deep, not-utf-8, not-json, duplicate-name, number, text, shape, receipt.
    """
    return evidence_of(strict_json(data))


def evidence_of(value: object) -> Evidence:
    """The evidence in a value ``strict_json`` has read; errors as for ``parse``."""
    if not isinstance(value, dict):
        raise _shape()
    if value.get("type") != TYPE:
        if "@context" not in value:
            raise _shape()
        return Evidence(value)
    if value.get("version") != VERSION:
        raise EvidenceUnreadable(
            "이 프로그램이 모르는 판의 증명 파일입니다.",
            "An evidence file of a version this program does not know.",
            "shape",
        )
    credential = value.get("credential")
    if not isinstance(credential, dict) or value.keys() - {
        "type",
        "version",
        "credential",
        "receipt",
        "proofs",
        "disclosure",
    }:
        raise _shape()
    disclosure = value.get("disclosure")
    if "disclosure" in value and not isinstance(disclosure, dict):
        raise _shape()
    if value.get("receipt") is None:
        if "proofs" in value:  # they would be proofs of nothing
            raise _shape()
        return Evidence(credential, disclosure=disclosure)
    proofs = value.get("proofs")
    if "proofs" in value and not isinstance(proofs, dict):
        raise _shape()
    try:
        return Evidence(credential, Receipt.from_json(value["receipt"]), proofs, disclosure)
    except ReceiptMalformed as error:
        raise EvidenceUnreadable(error.detail.ko, error.detail.en, "receipt") from error


def strict_json(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """JSON that every reader understands alike (RFC 7493); ``parse`` lists the refusals."""
    value = _as_written(data) if len(data) <= max_bytes else None
    return _read(data, max_bytes) if value is None else value


def _as_written(data: bytes) -> dict[str, Any] | None:
    """The object, when the bytes are exactly what orjson writes for it; None when in any doubt.

    Writing it again then shows what reading alone does not: no name occurs twice, no number was
    rounded, all text is whole. What is left to see are nesting and integers beyond 2^53.
    """
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        return None
    zeros = data.translate(_DIGITS)
    if any(number in zeros for number in _LONG):
        return None
    try:
        value = orjson.loads(data)
        if type(value) is not dict:
            return None
        option = _PRETTY if data.startswith(b"{\n") else 0
        return value if orjson.dumps(value, option=option) == data else None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _read(data: bytes, max_bytes: int) -> Any:
    """Every check, in the words of its refusal."""
    if len(data) > max_bytes:
        raise EvidenceUnreadable(
            f"파일이 {max_bytes:,}바이트보다 큽니다.",
            f"The file is larger than {max_bytes:,} bytes.",
            "too-large",
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EvidenceUnreadable(
            "UTF-8 파일이 아닙니다.", "The file is not UTF-8.", "not-utf-8"
        ) from error
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise EvidenceUnreadable(
            f"JSON이 아닙니다({error.lineno}행).", f"Not JSON (line {error.lineno}).", "not-json"
        ) from error
    if "\\u" in text:  # only an escape can bring a surrogate into a decoded text
        _check_text(value)
    return value


def _check_depth(text: str) -> None:
    """Count brackets outside strings, before a parser recurses into them."""
    depth = deepest = 0
    in_string = escaped = False
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    if deepest > MAX_DEPTH:
        raise EvidenceUnreadable(
            "파일의 구조가 너무 깊습니다.", "The file nests too deeply.", "too-deep"
        )


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise EvidenceUnreadable(
            "같은 이름이 두 번 나옵니다. 읽는 프로그램마다 다르게 해석할 수 있어 거절합니다.",
            "A name occurs twice, which programs read differently; refused.",
            "duplicate-name",
        )
    return members


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > jcs.MAX_SAFE_INTEGER:
        raise _number()
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _number()
    return value


def _constant(_text: str) -> NoReturn:
    raise _number()


def _number() -> EvidenceUnreadable:
    return EvidenceUnreadable(
        "안전하게 다룰 수 없는 수가 있습니다(2^53 이상의 정수, 무한대, NaN).",
        "A number that cannot be handled safely (an integer beyond 2^53, infinity, NaN).",
        "number",
    )


def _shape() -> EvidenceUnreadable:
    return EvidenceUnreadable(
        "증명도 증명 파일도 아닙니다.", "Neither a credential nor an evidence file.", "shape"
    )


def _check_text(value: Any) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            try:
                item.encode()
            except UnicodeEncodeError as error:
                raise EvidenceUnreadable(
                    "온전하지 않은 유니코드 문자열이 있습니다.",
                    "A string with a lone surrogate.",
                    "text",
                ) from error
        elif isinstance(item, dict):
            pending += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            pending += item
