"""A credential can be revoked and can be suspended: one entry for each, at the same index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from credential.text import Text
from issuer.lint.rule import Rule, Wrong


def _check(document: Mapping[str, Any]) -> Iterator[Wrong]:
    entries = document.get("credentialStatus")
    found = {
        entry.get("statusPurpose"): (
            entry.get("statusListIndex"),
            entry.get("statusListCredential"),
        )
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and entry.get("type") == "BitstringStatusListEntry"
    }
    lists = {url for _, url in found.values()}
    indices = {index for index, _ in found.values()}
    if found.keys() != {"revocation", "suspension"} or len(lists) != 2 or len(indices) != 1:
        yield Wrong(
            "/credentialStatus",
            Text(
                "취소와 정지 상태 항목이 하나씩 있어야 합니다",
                "There must be one status entry for revocation and one for suspension",
            ),
            Text(
                "서식의 credentialStatus를 고쳐 주세요", "Correct credentialStatus in the template"
            ),
        )


RULE = Rule("status-entries", "Bitstring Status List 1.0 section 2.1", _check)
