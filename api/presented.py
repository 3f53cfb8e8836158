"""From what somebody presents (a file, a text, a picture of a code) to evidence to verify."""

from __future__ import annotations

import json
from typing import Any

from api.limits import Limits
from api.pictures import is_picture, qr_texts
from api.problems import too_large
from credential import envelope, evidence, paper
from credential.errors import BaeumError
from credential.evidence import Evidence
from credential.text import Text

_BOM = b"\xef\xbb\xbf"


class NothingPresented(BaeumError):
    """400: an empty form or body."""

    code = "nothing-presented"
    title = Text("확인할 증명서가 없습니다", "There is nothing to check")
    status = 400


class NotACertificate(BaeumError):
    """400: readable, but nothing that could be a certificate."""

    code = "not-a-certificate"
    title = Text("배움 증명서가 아닙니다", "This is not a Baeum certificate")
    status = 400


def nothing() -> NothingPresented:
    """400 for an empty form or body."""
    return NothingPresented(
        Text("파일도 글도 들어오지 않았습니다.", "Neither a file nor any text arrived."),
        Text(
            "증명서 파일을 고르거나, QR 코드를 비추거나, 내용을 붙여 넣어 주세요.",
            "Choose the certificate file, scan its QR code, or paste its content.",
        ),
    )


def from_bytes(data: bytes, limits: Limits) -> Evidence:
    """Evidence from a file of any kind we read: evidence, bare credential, picture, code text."""
    if not data.strip():
        raise nothing()
    if is_picture(data):
        return _from_codes(qr_texts(data, max_pixels=limits.image_pixels))
    if len(data) > limits.json_bytes:
        raise too_large(limits.json_bytes)
    text = data.removeprefix(_BOM).strip()
    if text.startswith((b"{", b"[", b"eyJ")):
        return _from_json(text)
    try:
        return from_code(text.decode())
    except UnicodeDecodeError as error:
        raise _not_a_certificate() from error


def _from_json(data: bytes) -> Evidence:
    """Evidence from a JWT or JSON: an evidence file, a credential, or ``{"paper": text}``."""
    if data[1:40].lstrip().startswith(b'"paper"'):
        value = evidence.strict_json(data)
        if isinstance(value, dict) and isinstance(value.get("paper"), str) and len(value) == 1:
            return from_code(value["paper"])
    return envelope.parse(data)


def from_value(value: dict[str, Any]) -> Evidence:
    """Evidence from an object that was read by ``credential.evidence.strict_json``."""
    return evidence.parse(json.dumps(value, ensure_ascii=False).encode())


def from_code(text: str) -> Evidence:
    """Evidence from the text of a QR code, alone (``v1.…``) or as the end of a link (``#v1.…``).

    Raises `NotACertificate` for any other text, and whatever `credential.paper` raises.
    """
    if not paper.looks_like(text):
        raise _not_a_certificate()
    return paper.decode(text)


def _from_codes(texts: list[str]) -> Evidence:
    """The first of several codes in a picture that is ours; a poster may carry others."""
    ours = [text for text in texts if paper.looks_like(text)]
    if not ours:
        raise _not_a_certificate()
    return paper.decode(ours[0])


def _not_a_certificate() -> NotACertificate:
    return NotACertificate(
        Text(
            "읽을 수는 있지만 배움 증명서가 들어 있지 않습니다.",
            "It can be read, but there is no Baeum certificate in it.",
        ),
        Text(
            "받은 증명서 파일(.json) 그대로, 또는 증명서의 QR 코드를 보내 주세요.",
            "Send the certificate file (.json) as you received it, or its QR code.",
        ),
    )
