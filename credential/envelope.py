"""A secured token as JSON: the EnvelopedVerifiableCredential of VC 2.0 (section 4.13).

It lets a JWT or an SD-JWT travel wherever a JSON credential does: in evidence, in the VC-API and
in presentations. The envelope says nothing itself; only what is in it is ever looked at.
"""

from __future__ import annotations

import re
from typing import Any, Final

from credential import contexts, evidence, jose, sd_jwt
from credential.errors import BaeumError
from credential.evidence import Evidence

CREDENTIAL: Final = "EnvelopedVerifiableCredential"
PRESENTATION: Final = "EnvelopedVerifiablePresentation"
MEDIA_TYPES: Final = ("dc+sd-jwt", "vc+sd-jwt", "vc+jwt", "vp+jwt", "jwt")

_DATA = "data:application/"
_TOKEN = re.compile(rb'\s*(?:eyJ[\w-]+\.|\{\s*"(?:payload|protected|signatures?|header)"\s*:)')


def parse(data: bytes) -> Evidence:
    """Read whatever is presented: an evidence file, a credential, or a token in its envelope.

    Raises ``EvidenceUnreadable``.
    """
    return around(data) or evidence.parse(data)


def around(data: bytes) -> Evidence | None:
    """A token in its envelope; None when the bytes are of another form."""
    if not _TOKEN.match(data) or len(data) > evidence.MAX_BYTES:
        return None
    wrapped = wrap(data.decode("utf-8", "replace"))
    return None if wrapped is None else Evidence(wrapped)


def wrap(text: str) -> dict[str, Any] | None:
    """The envelope around a token's text, None when it is no token. ``text`` is in either
    serialisation; the envelope always holds the compact one."""
    text = text.strip()
    kind = "jwt"
    if "~" in text or text.startswith("{"):
        try:
            token = sd_jwt.parse(text)
        except BaeumError:
            return None
        text, kind = str(token), "dc+sd-jwt"
        first = token.jwt
    else:
        first = text
    if not jose.looks_compact(first):
        return None
    return {
        "@context": [contexts.VC_V2],
        "id": f"{_DATA}{kind},{text}",
        "type": [CREDENTIAL],
    }


def unwrap(document: Any) -> str | None:
    """The token's text in an envelope, None when the document is none that is well formed."""
    kinds = document.get("type") if isinstance(document, dict) else None
    kinds = kinds if isinstance(kinds, list) else [kinds]
    identifier = document.get("id") if isinstance(document, dict) else None
    if not {CREDENTIAL, PRESENTATION} & {kind for kind in kinds if isinstance(kind, str)}:
        return None
    if not isinstance(identifier, str) or not identifier.startswith(_DATA):
        return None
    media_type, comma, text = identifier.removeprefix(_DATA).partition(",")
    return text if comma and media_type.split(";")[0] in MEDIA_TYPES else None


def is_envelope(document: Any) -> bool:
    """Whether a document says that it is an envelope, well formed or not."""
    kinds = document.get("type") if isinstance(document, dict) else None
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return CREDENTIAL in kinds or PRESENTATION in kinds
