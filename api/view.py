"""The report in plain words for the page: no jargon outside the details view."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.language import Language, say
from credential.text import Text
from verifier.report import Check, Report

SELF_RUN_NOTE = "self-run-chain"
KST = ZoneInfo("Asia/Seoul")

VERDICT = {
    "valid": Text("유효한 증명서입니다", "This certificate is valid"),
    "invalid": Text("유효하지 않은 증명서입니다", "This certificate is not valid"),
    "undetermined": Text("확인을 마치지 못했습니다", "It could not be checked"),
}

MEANING = {
    "valid": Text(
        "아래 항목을 모두 확인했습니다. 이 증명서를 믿어도 됩니다.",
        "Everything below was checked. You can rely on this certificate.",
    ),
    "valid-self-run": Text(
        "아래 항목을 모두 통과했습니다. 다만 다음 내용을 꼭 읽어 주세요.",
        "It passed every check below. Please read the following as well.",
    ),
    "invalid": Text(
        "‘{title}’ 항목을 통과하지 못했습니다. 이 증명서를 근거로 삼지 마세요.",
        "It failed at “{title}”. Do not rely on this certificate.",
    ),
    "undetermined": Text(
        "‘{title}’ 항목을 지금은 확인할 수 없습니다. 증명서가 가짜라는 뜻은 아닙니다.",
        "“{title}” cannot be checked right now. This does not mean that the certificate is false.",
    ),
}

TITLE = {
    "format": Text("파일을 읽을 수 있는지", "The file can be read"),
    "schema": Text("필요한 내용이 모두 있는지", "Everything that belongs in it is there"),
    "proof": Text("발급한 뒤에 바뀌지 않았는지", "Unchanged since it was issued"),
    "issuer-key": Text("적힌 기관이 서명했는지", "Signed by the institution it names"),
    "merkle-path": Text("발급 묶음에 들어 있는지", "Part of the batch it was issued in"),
    "anchor": Text("기록 장부에 올라 있는지", "Entered in the record book"),
    "accreditation": Text(
        "발급할 때 인증받은 기관이었는지", "The institution was accredited at the time"
    ),
    "status": Text("취소되거나 정지되지 않았는지", "Not withdrawn or suspended"),
    "validity": Text("유효 기간 안인지", "Within its dates"),
    "holder": Text("주인이 직접 제시했는지", "Presented by its holder"),
}

OUTCOME = {
    "passed": Text("확인됨", "Passed"),
    "failed": Text("통과하지 못함", "Failed"),
    "warning": Text("주의", "Attention"),
    "not_run": Text("확인하지 못함", "Not checked"),
}

_NEXT = {
    "invalid": {
        "proof": Text(
            "내용이 바뀐 파일입니다. 증명서 주인이나 발급 기관에 원본 파일을 다시 요청하세요.",
            "The content was changed. Ask the holder or the institution for the original file.",
        ),
        "status": Text(
            "발급 기관이 이 증명서를 거두어들였습니다. 까닭은 발급 기관에 물어보세요.",
            "The institution has withdrawn this certificate. Ask the institution why.",
        ),
        "validity": Text(
            "기간이 지났거나 아직 시작되지 않았습니다. 새 증명서를 요청하세요.",
            "It has run out or has not begun. Ask for a current certificate.",
        ),
        "": Text(
            "증명서 주인이나 발급 기관에 원본 파일을 다시 요청하세요.",
            "Ask the holder or the institution for the original file.",
        ),
    },
    "undetermined": {
        "": Text(
            "잠시 뒤 다시 확인해 보세요. 계속되면 발급 기관에 문의하세요.",
            "Try again in a little while. If it goes on, ask the institution.",
        ),
    },
}


# here the check's own remedy speaks to whoever runs the installation, not to a visitor
_PLAIN_NEXT = frozenset({"chain-unavailable"})

_SKIPPED = Text(
    "앞의 ‘{title}’ 항목이 확인되지 않아 살펴보지 않았습니다.",
    "Not looked at, because “{title}” was not established.",
)


@dataclass(frozen=True, slots=True)
class CheckView:
    """One of the nine checks as the page shows it."""

    step: int
    id: str
    outcome: str
    title: str
    state: str
    reason: str
    remedy: str | None
    notes: tuple[str, ...]
    code: str
    details: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """What the report template needs, in one language."""

    verdict: str
    headline: str
    meaning: str
    next_step: str | None
    checks: tuple[CheckView, ...]
    facts: tuple[tuple[str, str], ...]
    checked_at: str
    checked_at_iso: str
    self_run: bool


def report_view(report: Report, lang: Language) -> ReportView:
    """The report in one language."""
    verdict = str(report.verdict)
    self_run = _rests_on_self_run_chain(report)
    decisive = report.decisive
    title = say(TITLE[decisive.id], lang) if decisive is not None else ""
    meaning = "valid-self-run" if verdict == "valid" and self_run else verdict
    moment = report.checked_at.astimezone(KST)
    return ReportView(
        verdict=verdict,
        headline=say(VERDICT[verdict], lang),
        meaning=say(MEANING[meaning], lang).format(title=title),
        next_step=_next_step(verdict, decisive, lang),
        checks=tuple(_check(check, lang) for check in report.checks),
        facts=_facts(report, lang),
        checked_at=f"{moment:%Y-%m-%d %H:%M} " + say(Text("(한국 시각)", "(Korean time)"), lang),
        checked_at_iso=moment.isoformat(timespec="seconds"),
        self_run=self_run,
    )


def _next_step(verdict: str, decisive: Check | None, lang: Language) -> str | None:
    if decisive is None or verdict == "valid":
        return None
    if decisive.remedy is not None and decisive.code not in _PLAIN_NEXT:
        return say(decisive.remedy, lang)
    known = _NEXT[verdict]
    return say(known.get(decisive.id, known[""]), lang)


def _check(check: Check, lang: Language) -> CheckView:
    reason = say(check.reason, lang)
    before = TITLE.get(str(check.details.get("check")))
    if check.code == "earlier-step-failed" and before is not None:
        reason = say(_SKIPPED, lang).format(title=say(before, lang))
    details = json.dumps(dict(check.details), ensure_ascii=False, indent=2, default=str)
    return CheckView(
        step=check.step,
        id=check.id,
        outcome=str(check.outcome),
        title=say(TITLE[check.id], lang),
        state=say(OUTCOME[str(check.outcome)], lang),
        reason=reason,
        remedy=say(check.remedy, lang) if check.remedy is not None else None,
        notes=tuple(say(note.reason, lang) for note in check.notes),
        code=check.code,
        details=details if check.details else "",
    )


def _facts(report: Report, lang: Language) -> tuple[tuple[str, str], ...]:
    """What a person asks for first. The report holds only what a checked signature covers."""
    facts = report.facts
    began, ended = _day(facts.get("startedAt"), lang), _day(facts.get("endedAt"), lang)
    found: list[tuple[Text, str | None]] = [
        (Text("이름", "Name"), _inner(facts.get("learner"), "name")),
        (Text("배운 것", "What was learnt"), facts.get("achievement") or facts.get("title")),
        (Text("종류", "Kind"), _inner(facts.get("kindName"), lang)),
        (Text("인정 시간", "Time credited"), _time(facts.get("minutes"), lang)),
        (Text("기간", "When"), f"{began} – {ended}" if began and ended else began or ended),
        (Text("발급 기관", "Issued by"), _inner(facts.get("issuer"), "name")),
        (Text("발급일", "Issued on"), _day(facts.get("awardedAt") or facts.get("validFrom"), lang)),
        (Text("유효 기한", "Valid until"), _day(facts.get("validUntil"), lang)),
    ]
    return tuple((say(name, lang), value) for name, value in found if value)


def _inner(value: Any, name: str) -> str | None:
    text = value.get(name) if isinstance(value, Mapping) else None
    return text if isinstance(text, str) else None


def moment(written: datetime | str, lang: Language) -> str:
    """An instant (RFC 3339 if text) as people in Korea write it, to the minute."""
    instant = datetime.fromisoformat(written) if isinstance(written, str) else written
    local = instant.astimezone(KST)
    return f"{_day(local.isoformat(), lang)} {local:%H:%M}"


def _day(written: Any, lang: Language) -> str | None:
    """The day in Korea of an RFC 3339 instant, as people write it: 2026. 11. 23."""
    if not isinstance(written, str):
        return None
    try:
        day = datetime.fromisoformat(written).astimezone(KST)
    except (ValueError, OverflowError):
        return None
    return f"{day.year}. {day.month}. {day.day}." if lang == "ko" else f"{day.day} {day:%B %Y}"


def _time(minutes: Any, lang: Language) -> str | None:
    if not isinstance(minutes, int):
        return None
    hours, rest = divmod(minutes, 60)
    words = (
        [f"{hours:,}시간" if hours else "", f"{rest}분" if rest or not hours else ""]
        if lang == "ko"
        else [
            f"{hours:,} hour{'s' if hours != 1 else ''}" if hours else "",
            f"{rest} minute{'s' if rest != 1 else ''}" if rest or not hours else "",
        ]
    )
    return " ".join(word for word in words if word)


def _rests_on_self_run_chain(report: Report) -> bool:
    """Whether the chain that this report rests on is run by one party alone."""
    return any(note.code == SELF_RUN_NOTE for check in report.checks for note in check.notes)
