"""The credential has the structure the Open Badges schema and the VC data model ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from credential import model
from credential.text import Text
from issuer.lint.rule import Rule, Wrong


def _check(document: Mapping[str, Any]) -> Iterator[Wrong]:
    for problem in model.check(dict(document)):
        yield Wrong(
            problem.pointer,
            problem.reason,
            Text("서식 파일을 고쳐 주세요", "Correct the template file"),
        )


RULE = Rule("schema", "Open Badges 3.0 JSON Schema; VC Data Model 2.0 section 4", _check)
