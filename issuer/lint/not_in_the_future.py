"""What is certified has happened: it began before it ended and ended before it is certified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.rule import Rule, Wrong

HOURS: Final = "template.hours"
ONGOING: Final = "template.ongoing"
"""What the template says of its kind: without recognised time; perhaps not ended yet."""


def _check(values: Mapping[str, Any]) -> Iterator[Wrong]:
    # All three are RFC 3339 in UTC with whole seconds, so text order is time order.
    start, end, signed = values["startedAt"], values["endedAt"], values["validFrom"]
    if not (start <= end and (start if values.get(ONGOING) else end) <= signed):
        yield Wrong(
            "endedAt",
            Text(
                "활동이 아직 끝나지 않았거나 시작보다 먼저 끝났습니다",
                "The activity has not ended yet, or ended before it began",
            ),
            Text("활동 기간을 확인해 주세요", "Check the dates of the activity"),
        )
    if values.get(HOURS, True) and values["minutes"].startswith(("-", "0")):
        yield Wrong(
            "minutes",
            Text("인정 시간이 1분보다 적습니다", "Less than one minute is recognised"),
            Text("인정 시간을 확인해 주세요", "Check the recognised time"),
        )


RULE = Rule("not-in-the-future", "Open Badges 3.0, OpenBadgeCredential.awardedDate", _check)
