"""Instants as credentials write them (XML Schema dateTimeStamp) and as reports write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from credential.text import Text

KST = ZoneInfo("Asia/Seoul")

_STAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII
)


def instant(text: object) -> datetime:
    """The instant a dateTimeStamp names, in UTC. Raises ``ValueError``, also without a zone and
    for one so near the ends of the calendar that UTC has no date for it."""
    if not isinstance(text, str) or not _STAMP.fullmatch(text):
        raise ValueError("not a dateTimeStamp")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as beyond:
        raise ValueError("not a dateTimeStamp of this calendar") from beyond


def written(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, e.g. ``2026-11-23T08:48:02Z``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def spoken(moment: datetime) -> Text:
    """For people, in Korean time: ``2026년 11월 2일 09:00`` and ``2 November 2026, 09:00 KST``."""
    try:
        local = moment.astimezone(KST)
    except OverflowError:  # 9999-12-31T23:59:59Z, which is how some write "for ever"
        local = moment
    clock = f"{local.hour:02}:{local.minute:02}"
    return Text(
        f"{local.year}년 {local.month}월 {local.day}일 {clock}",
        f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {clock} KST",
    )


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def age_seconds(now: datetime, then: datetime) -> int:
    return int((now - then).total_seconds())
