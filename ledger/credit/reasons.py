"""The stable codes of the explanation and their words in Korean and English."""

from __future__ import annotations

from credential.text import Text

RECORD: dict[str, Text] = {
    "OK": Text("{minutes}을 인정했습니다.", "{minutes} counted."),
    "OK-CAP": Text(
        "{of} 가운데 {minutes}을 인정했습니다. 나머지는 ‘{cap}’ 상한을 넘습니다.",
        "{minutes} of {of} counted; the rest is above the limit '{cap}'.",
    ),
    "OK-OVERLAP": Text(
        "{of} 가운데 {minutes}을 인정했습니다. 나머지는 같은 시각의 다른 기록으로 인정했습니다.",
        "{minutes} of {of} counted; the rest is clock time counted in another record.",
    ),
    "OK-LOCKED": Text(
        "{of} 가운데 {minutes}을 인정했습니다. {locked}은 앞선 학위에 이미 쓰였습니다.",
        "{minutes} of {of} counted; {locked} are used by an earlier degree.",
    ),
    "OK-PART": Text(
        "{of} 가운데 {minutes}을 인정했습니다. 나머지는 이 학위에 필요하지 않습니다.",
        "{minutes} of {of} counted; the rest is not needed for this degree.",
    ),
    "UNUSED": Text(
        "이 학위에 필요하지 않아 남겨 두었습니다.", "Not needed for this degree; kept for later."
    ),
    "CAP": Text("‘{cap}’ 상한이 이미 찼습니다.", "The limit '{cap}' is already full."),
    "OVERLAP": Text(
        "같은 시각의 다른 기록으로 이미 인정했습니다.",
        "The same clock time is counted in another record.",
    ),
    "LOCKED": Text("앞선 학위에 모두 쓰였습니다.", "All of it is used by an earlier degree."),
    "D-SAME": Text(
        "‘{other}’ 기록과 같은 학습이어서 한 번만 인정합니다.",
        "The same learning as '{other}'; it counts once.",
    ),
    "D-ITEMS": Text(
        "‘{rule}’ 규칙이 허용하는 건수를 이미 채웠습니다.",
        "The number of records that '{rule}' allows is already reached.",
    ),
    "E-READ": Text("{why}", "{why}"),
    "E-STATUS": Text(
        "상태가 ‘{status}’인 기록은 인정하지 않습니다.",
        "A record that is '{status}' does not count.",
    ),
    "E-ISSUER": Text(
        "활동한 날({day})에 인가되어 있지 않은 기관입니다: {issuer}.",
        "'{issuer}' was not accredited on the day of the activity ({day}).",
    ),
    "E-ATTEND": Text(
        "출석({have})이 기준({need})에 못 미칩니다.", "Attendance {have} is below {need}."
    ),
    "E-NOTABLE": Text(
        "인정표에 없는 코드입니다: {code}({day} 기준).", "No table row for '{code}' on {day}."
    ),
    "E-LATE": Text(
        "활동 후 {days}일이 지나 확인되었습니다(기준 {limit}일). 담당자의 승인이 필요합니다.",
        "Verified {days} days after the activity (limit {limit}); a person has to approve it.",
    ),
    "E-LATE-REJECT": Text(
        "활동 후 {days}일이 지나 확인되어 인정하지 않습니다(기준 {limit}일).",
        "Verified {days} days after the activity (limit {limit}); it does not count.",
    ),
    "E-FUTURE": Text(
        "기준일 {as_of} 뒤의 활동이거나 그 뒤에 확인된 기록입니다.",
        "The activity, or its verification, is after the cut-off {as_of}.",
    ),
    "E-EVIDENCE": Text("필요한 증빙이 없습니다: {need}.", "The evidence '{need}' is missing."),
    "E-BEFORE": Text(
        "앞선 학위를 받기 전의 학습은 이 학위에 인정하지 않습니다.",
        "Learning from before the earlier award does not count for this degree.",
    ),
    "E-BLOCK": Text(
        "이 학위의 어느 영역도 이 기록을 받지 않습니다.",
        "No block of this degree accepts this record.",
    ),
    "E-ZERO": Text("인정할 시간이 0분입니다.", "It is worth 0 minutes."),
}

EVIDENCE: dict[str, Text] = {
    "offering": Text("개설 강좌 번호(offering)", "the offering"),
    "attendance": Text("출석(attended, sessions)", "attendance"),
    "interval": Text("시작과 끝 시각(start, end)", "start and end times"),
    "code": Text("자격 코드(code)", "the code"),
    "number": Text("자격 번호(number)", "the number"),
    "approval": Text("승인(approved)", "the approval"),
}

CONDITION: dict[str, Text] = {
    "SHORT": Text("‘{name}’에 {minutes}이 모자랍니다.", "'{name}' is {minutes} short."),
    "OVERLAY": Text("‘{name}’ 조건에 {minutes}이 모자랍니다.", "'{name}' is {minutes} short."),
    "OVERLAY-COUNT": Text(
        "‘{name}’ 조건에 {count}개 분야가 모자랍니다.", "'{name}' needs {count} more fields."
    ),
    "ADMISSION": Text(
        "지원 자격 ‘{name}’에 {minutes}이 모자랍니다.", "Admission '{name}' is {minutes} short."
    ),
    "P-DEGREE": Text(
        "‘{degree}’ 학위가 ‘{state}’ 상태여야 합니다.", "The degree '{degree}' must be '{state}'."
    ),
    "P-WAIT": Text("{until}부터 신청할 수 있습니다.", "Possible from {until} on."),
    "P-ITEM": Text("‘{name}’: ‘{state}’ 상태가 필요합니다.", "'{name}' must be '{state}'."),
    "MET": Text("충족했습니다.", "Met."),
}


def hours(minutes: int) -> str:
    """Minutes as hours with one decimal, cut off: 99 h 59 min is 99.9, never 100.0."""
    sign = "-" if minutes < 0 else ""
    tenths = abs(minutes) // 6
    return f"{sign}{tenths // 10}.{tenths % 10}"


def spoken(minutes: int) -> Text:
    """Minutes for a sentence: ``3시간 20분`` / ``3 h 20 min``."""
    whole, rest = divmod(minutes, 60)
    ko = " ".join(
        part for part in (f"{whole}시간" if whole else "", f"{rest}분" if rest else "") if part
    )
    en = " ".join(
        part for part in (f"{whole} h" if whole else "", f"{rest} min" if rest else "") if part
    )
    return Text(ko or "0분", en or "0 min")


def say(template: Text, **facts: object) -> Text:
    """Fill a template; a fact that is itself a ``Text`` is taken in each language."""
    ko = {k: v.ko if isinstance(v, Text) else v for k, v in facts.items()}
    en = {k: v.en if isinstance(v, Text) else v for k, v in facts.items()}
    return Text(template.ko.format(**ko), template.en.format(**en))
