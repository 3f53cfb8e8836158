"""A telephone number or an e-mail address has no place in the name of a course."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.plain_text import TEXTS
from issuer.lint.rule import Rule, Wrong

_CONTACT: Final = re.compile(
    r"(?<!\d)01[016789][\s\-.]?\d{3,4}[\s\-.]?\d{4}(?!\d)|[\w.+\-]+@[\w\-]+\.[\w.\-]+"
)


def _check(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for name in TEXTS:
        text = values.get(name)
        if text is not None and ("@" in text or "01" in text) and _CONTACT.search(text):
            yield Wrong(
                name,
                Text(
                    "전화번호나 전자우편 주소로 보이는 내용이 있습니다",
                    "It has what looks like a telephone number or an e-mail address",
                ),
                Text("원본에서 연락처를 지워 주세요", "Remove the contact data at the source"),
            )


RULE = Rule("no-contact-data", "Personal Information Protection Act (KR) articles 3 and 16", _check)
