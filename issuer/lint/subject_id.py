"""The subject is named by a DID or a pseudonym, never by what a person can be looked up with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.rule import Rule, Wrong

_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]+", re.ASCII)  # DID Core 1.0 section 3.1
_PSEUDONYM: Final = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def _check(values: Mapping[str, Any]) -> Iterator[Wrong]:
    subject = values["subjectId"]
    if not _PSEUDONYM.fullmatch(subject) and not _DID.fullmatch(subject):
        yield Wrong(
            "subjectId",
            Text("학습자의 DID 형식이 아닙니다", "The holder's DID is not one"),
            Text("지갑의 DID를 다시 등록해 주세요", "Register the wallet's DID again"),
        )


RULE = Rule("subject-id", "DID Core 1.0 section 3.1; VC Data Model 2.0 section 8.4", _check)
