"""No resident registration number, wherever it hides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.plain_text import TEXTS
from issuer.lint.rule import Rule, Wrong

# YYMMDD, a possible separator, the digit of century and sex, six more. No check digit: numbers
# given out since October 2020 have none.
_NUMBER: Final = re.compile(
    r"(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[\s\-–.]?[0-9]\d{6}(?!\d)"
)


def _check(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for name in TEXTS:
        text = values.get(name)
        if text is not None and len(text) >= 13 and _NUMBER.search(text):
            yield Wrong(
                name,
                Text(
                    "주민등록번호로 보이는 숫자가 있습니다",
                    "It has digits that look like a resident registration number",
                ),
                Text("원본에서 그 번호를 지워 주세요", "Remove the number at the source"),
            )


RULE = Rule("no-resident-number", "Personal Information Protection Act (KR) article 24-2", _check)
