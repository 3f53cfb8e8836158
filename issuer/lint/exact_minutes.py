"""Hours are a float in the standard; the exact minutes stand beside it and agree with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from credential.text import Text
from issuer.lint.rule import Rule, Wrong

RESULT_TYPE = "ext:CreditedMinutes"


def _check(document: Mapping[str, Any]) -> Iterator[Wrong]:
    if not _without(document) and not _agrees(document):
        yield Wrong(
            "/credentialSubject/result",
            Text(
                "인정 시간이 분 단위 결과와 creditsEarned에 같은 값으로 있어야 합니다",
                "The recognised time must stand in a CreditedMinutes result and in creditsEarned, "
                "and both must agree",
            ),
            Text(
                "서식의 result와 creditsEarned를 고쳐 주세요",
                "Correct result and creditsEarned in the template",
            ),
        )


def _without(document: Mapping[str, Any]) -> bool:
    """A kind without recognised time: neither of the two is there."""
    subject = document.get("credentialSubject", {})
    described = subject.get("achievement", {}).get("resultDescription", [])
    return "creditsEarned" not in subject and not any(
        entry.get("resultType") == RESULT_TYPE for entry in described
    )


def _agrees(document: Mapping[str, Any]) -> bool:
    try:
        subject = document["credentialSubject"]
        described = {
            entry["id"]
            for entry in subject["achievement"]["resultDescription"]
            if entry["resultType"] == RESULT_TYPE
        }
        minutes = [
            int(entry["value"])
            for entry in subject["result"]
            if entry["resultDescription"] in described
        ]
        return len(minutes) == 1 and subject["creditsEarned"] == minutes[0] / 60
    except (KeyError, TypeError, ValueError):
        return False


RULE = Rule(
    "exact-minutes",
    "Open Badges 3.0, AchievementSubject.creditsEarned (a Float without a unit)",
    _check,
)
