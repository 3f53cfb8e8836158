"""The verdict on a row and the report on a file, and every sentence a row can get.

A problem names the field and the column, says what is wrong and what to do, in Korean and English.
It never repeats what stood in the cell: reports travel further than the files they are about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from credential.text import Text


class RowVerdict(StrEnum):
    """How a row ended."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REVIEW = "review"
    REJECTED = "rejected"


class Severity(StrEnum):
    """What a problem does to its row: a note leaves it accepted."""

    NOTE = "note"
    REVIEW = "review"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One remark on one row."""

    row: int
    field: str
    column: str | None
    code: str
    severity: Severity
    reason: Text
    remedy: Text

    def to_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "field": self.field,
            "column": self.column,
            "code": self.code,
            "severity": self.severity.value,
            "reason": self.reason.to_json(),
            "remedy": self.remedy.to_json(),
        }

    @classmethod
    def from_json(cls, row: int, body: Mapping[str, Any]) -> Problem:
        return cls(
            row,
            body["field"],
            body.get("column"),
            body["code"],
            Severity(body["severity"]),
            Text(**body["reason"]),
            Text(**body["remedy"]),
        )


class Total(NamedTuple):
    """A total the file states beside the one counted from its rows, in the file's own sense."""

    field: str
    stated: int
    counted: int

    @property
    def difference(self) -> int:
        return self.stated - self.counted

    def to_json(self) -> dict[str, Any]:
        return {**self._asdict(), "difference": self.difference}


@dataclass(frozen=True, slots=True)
class SubmissionReport:
    """What became of one file. ``problems`` holds the first ones, ``problems_total`` says of how
    many; ``submission_id`` is None for a dry run. ``resumed``: part of it had been read before;
    ``repeated``: all of it had, and nothing was done now."""

    submission_id: str | None
    institution: str
    mapping: str
    file_name: str
    rows: int
    accepted: int
    duplicates: int
    review: int
    rejected: int
    problems: tuple[Problem, ...]
    problems_total: int
    new_learners: int = 0
    superseded: int = 0
    totals: tuple[Total, ...] = ()
    form: str = "csv"
    encoding: str | None = None
    unused_columns: tuple[str, ...] = ()
    dry_run: bool = False
    resumed: bool = False
    repeated: bool = False
    notes: tuple[Text, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return {
            "submission": self.submission_id,
            "institution": self.institution,
            "mapping": self.mapping,
            "file": self.file_name,
            "form": self.form,
            "encoding": self.encoding,
            "rows": self.rows,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "review": self.review,
            "rejected": self.rejected,
            "newLearners": self.new_learners,
            "superseded": self.superseded,
            "totals": [total.to_json() for total in self.totals],
            "unusedColumns": list(self.unused_columns),
            "dryRun": self.dry_run,
            "resumed": self.resumed,
            "repeated": self.repeated,
            "notes": [note.to_json() for note in self.notes],
            "problems": [problem.to_json() for problem in self.problems],
            "problemsTotal": self.problems_total,
        }


class Sentence(NamedTuple):
    """Severity, reason and remedy of a code; ``{…}`` places take numbers and column names only."""

    severity: Severity
    reason: Text
    remedy: Text


_E, _R, _N = Severity.ERROR, Severity.REVIEW, Severity.NOTE

SENTENCES: dict[str, Sentence] = {
    "id-missing": Sentence(
        _E,
        Text("학습자 번호가 비어 있습니다.", "The learner's number is empty."),
        Text(
            "회원번호를 적어 주세요. 이름만으로는 학습자를 찾지 않습니다.",
            "Fill in the member number; learners are never found by name.",
        ),
    ),
    "cell-empty": Sentence(
        _E,
        Text("꼭 필요한 칸이 비어 있습니다.", "A cell that is needed is empty."),
        Text("값을 채워 다시 제출하세요.", "Fill it in and hand the file in again."),
    ),
    "cell-too-long": Sentence(
        _E,
        Text("칸의 글자가 너무 깁니다(최대 {most}자).", "The text is too long ({most} at most)."),
        Text("줄여 적어 주세요.", "Shorten it."),
    ),
    "text-broken": Sentence(
        _E,
        Text("깨진 글자가 있습니다.", "It contains broken characters."),
        Text(
            "원본 시스템에서 다시 내려받아 제출하세요.", "Export it again from the source system."
        ),
    ),
    "control-character": Sentence(
        _E,
        Text("보이지 않는 제어 문자가 있습니다.", "It contains invisible control characters."),
        Text("칸을 다시 입력하세요.", "Type the cell again."),
    ),
    "resident-number": Sentence(
        _E,
        Text(
            "주민등록번호로 보이는 숫자가 있어 이 행을 읽지 않았습니다.",
            "It contains what looks like a resident registration number; the row was not read.",
        ),
        Text("번호를 지우고 다시 제출하세요.", "Delete the number and hand the file in again."),
    ),
    "row-short": Sentence(
        _E,
        Text("이 행은 칸 수가 머리글보다 적습니다.", "The row has fewer cells than the header."),
        Text("쉼표나 따옴표가 빠지지 않았는지 보세요.", "Look for a missing comma or quote."),
    ),
    "value-unknown": Sentence(
        _E,
        Text("이 칸에 쓸 수 없는 값입니다.", "The value is none of those allowed here."),
        Text("쓸 수 있는 값: {allowed}", "Allowed: {allowed}"),
    ),
    "value-unlisted": Sentence(
        _R,
        Text("목록에 없는 값입니다. 맞습니까?", "The value is not in the list. Is it right?"),
        Text("목록의 값: {allowed}", "Listed: {allowed}"),
    ),
    "date-unreadable": Sentence(
        _E,
        Text("날짜로 읽을 수 없습니다.", "It does not read as a date."),
        Text("2025-03-01처럼 적어 주세요.", "Write it like 2025-03-01."),
    ),
    "date-impossible": Sentence(
        _E,
        Text("달력에 없는 날짜입니다.", "There is no such day in the calendar."),
        Text("날짜를 확인해 고쳐 주세요.", "Check the day and correct it."),
    ),
    "date-vague": Sentence(
        _E,
        Text("며칠인지 알 수 없습니다.", "It does not say which day."),
        Text("연·월·일을 모두 적어 주세요.", "Write year, month and day."),
    ),
    "date-future": Sentence(
        _E,
        Text("아직 오지 않은 날짜입니다.", "The day has not come yet."),
        Text("활동이 끝난 뒤 제출하세요.", "Hand it in when the activity has ended."),
    ),
    "date-old": Sentence(
        _R,
        Text("2000년보다 오래된 날짜입니다. 맞습니까?", "The day is before 2000. Is it right?"),
        Text("연도를 확인해 주세요.", "Check the year."),
    ),
    "time-unreadable": Sentence(
        _E,
        Text("시각으로 읽을 수 없습니다.", "It does not read as a time of day."),
        Text("14:30처럼 적어 주세요.", "Write it like 14:30."),
    ),
    "end-before-start": Sentence(
        _E,
        Text("끝이 시작보다 빠릅니다.", "It ends before it starts."),
        Text(
            "시작과 끝을 확인해 주세요. 자정을 넘겼다면 끝 날짜도 적어 주세요.",
            "Check start and end; if it passed midnight, give the end's date too.",
        ),
    ),
    "span-long": Sentence(
        _R,
        Text("기간이 {days}일로 너무 깁니다. 맞습니까?", "It spans {days} days. Is it right?"),
        Text("시작일과 종료일을 확인해 주세요.", "Check the first and the last day."),
    ),
    "amount-unreadable": Sentence(
        _E,
        Text("시간이나 횟수로 읽을 수 없습니다.", "It does not read as an amount."),
        Text("숫자로 적어 주세요(예: 2.5, 2시간 30분).", "Write a number, such as 2.5 or 2h 30m."),
    ),
    "amount-not-whole": Sentence(
        _E,
        Text("분 단위로 떨어지지 않는 시간입니다.", "The time is no whole number of minutes."),
        Text("‘1시간 20분’처럼 적어 주세요.", "Write it like '1h 20m'."),
    ),
    "amount-zero": Sentence(
        _E,
        Text("인정할 시간이 0입니다.", "The recognised time is zero."),
        Text("시간을 확인하거나 행을 빼 주세요.", "Check the time or leave the row out."),
    ),
    "amount-too-large": Sentence(
        _E,
        Text("시간이 너무 큽니다.", "The time is too large."),
        Text("단위(분·시간)를 확인해 주세요.", "Check the unit (minutes or hours)."),
    ),
    "amount-over-interval": Sentence(
        _R,
        Text(
            "적힌 시간({stated}분)이 시작과 끝 사이({between}분)보다 깁니다. 어느 쪽이 맞습니까?",
            "It states {stated} minutes between times {between} minutes apart. Which is right?",
        ),
        Text("시각이나 시간을 고쳐 주세요.", "Correct the times or the amount."),
    ),
    "amount-over-day": Sentence(
        _R,
        Text(
            "하루 평균 {perday}분으로 너무 많습니다. 맞습니까?",
            "That is {perday} minutes a day on average. Is it right?",
        ),
        Text("날짜와 시간을 확인해 주세요.", "Check the days and the amount."),
    ),
    "attended-over-sessions": Sentence(
        _E,
        Text(
            "출석 횟수({attended})가 수업 횟수({sessions})보다 많습니다.",
            "Attended {attended} sessions of {sessions} held.",
        ),
        Text("출석부와 맞추어 고쳐 주세요.", "Correct it from the attendance sheet."),
    ),
    "not-approved": Sentence(
        _E,
        Text("승인되지 않은 활동입니다.", "The activity was not approved."),
        Text("승인된 뒤 다시 제출하세요.", "Hand it in again once it is approved."),
    ),
    "approval-withdrawn": Sentence(
        _R,
        Text(
            "앞서 승인되어 기록된 활동인데 이제 승인이 아닙니다. 기록을 취소할까요?",
            "It was recorded as approved and now is not. Should the record be retracted?",
        ),
        Text("담당자가 확인한 뒤 기록을 취소합니다.", "A person has to decide and retract it."),
    ),
    "approval-pending": Sentence(
        _R,
        Text("승인이 아직 정해지지 않았습니다.", "The approval is still open."),
        Text("승인 결과를 적어 다시 제출하세요.", "Fill in the outcome and hand it in again."),
    ),
    "same-row": Sentence(
        _N,
        Text("{other}행과 같은 내용입니다.", "It is the same as row {other}."),
        Text("할 일이 없습니다. 한 번만 기록됩니다.", "Nothing to do; it is recorded once."),
    ),
    "same-elsewhere": Sentence(
        _N,
        Text(
            "다른 번호로 이미 기록된 같은 내용입니다.",
            "The same content is already recorded under another number.",
        ),
        Text("할 일이 없습니다. 한 번만 기록됩니다.", "Nothing to do; it is recorded once."),
    ),
    "unchanged": Sentence(
        _N,
        Text("이미 기록된 내용과 같습니다.", "It is already recorded with the same content."),
        Text("할 일이 없습니다.", "Nothing to do."),
    ),
    "maybe-same": Sentence(
        _R,
        Text(
            "같은 날 같은 활동이 이미 있습니다. 서로 다른 활동입니까?",
            "There is an equal activity on that day already. Are they two?",
        ),
        Text(
            "두 번 했다면 시작·종료 시각을 적어 주세요.",
            "If it happened twice, give the times of start and end.",
        ),
    ),
    "number-clash": Sentence(
        _R,
        Text(
            "{other}행과 번호는 같은데 내용이 다릅니다. 어느 쪽이 맞습니까?",
            "It has the number of row {other} but says something else. Which is right?",
        ),
        Text("맞는 행만 남겨 주세요.", "Keep the row that is right."),
    ),
    "other-learner": Sentence(
        _R,
        Text(
            "이 기록 번호는 다른 학습자의 기록입니다. 번호가 맞습니까?",
            "This record number belongs to another learner's record. Is it right?",
        ),
        Text("기록 번호와 회원번호를 확인해 주세요.", "Check the record and member numbers."),
    ),
    "was-retracted": Sentence(
        _R,
        Text(
            "취소된 기록과 번호가 같습니다. 되살리려는 것입니까?",
            "A record with this number was retracted. Should it come back?",
        ),
        Text("담당자가 확인한 뒤 처리합니다.", "A person has to decide."),
    ),
    "supersedes": Sentence(
        _N,
        Text("앞서 낸 기록을 고쳤습니다: {fields}", "It corrects the earlier record: {fields}"),
        Text("할 일이 없습니다.", "Nothing to do."),
    ),
    "name-differs": Sentence(
        _N,
        Text(
            "같은 번호의 학습자 이름이 조금 다르게 적혀 있습니다.",
            "The name is spelt differently from the one known for this number.",
        ),
        Text("이름 표기를 확인해 주세요.", "Check the spelling of the name."),
    ),
    "name-other": Sentence(
        _R,
        Text(
            "이 번호는 전혀 다른 이름의 학습자입니다. 번호가 맞습니까?",
            "This number belongs to somebody with quite another name. Is it right?",
        ),
        Text(
            "회원번호를 확인해 주세요. 개명했다면 담당자에게 알려 주세요.",
            "Check the member number; if the person changed names, tell the office.",
        ),
    ),
    "spelling": Sentence(
        _N,
        Text("알려진 오타를 바로잡았습니다.", "A known misspelling was put right."),
        Text("원본의 표기를 고쳐 주세요.", "Correct it in the source."),
    ),
    "overlap": Sentence(
        _N,
        Text(
            "같은 사람의 다른 활동과 시간이 겹칩니다. 겹친 시간은 한 번만 셉니다.",
            "It overlaps another activity of the same person; shared minutes count once.",
        ),
        Text("시각을 확인해 주세요.", "Check the times."),
    ),
    "overlap-row": Sentence(
        _N,
        Text(
            "{other}행과 시간이 겹칩니다. 겹친 시간은 한 번만 셉니다.",
            "It overlaps row {other}; shared minutes count once.",
        ),
        Text("시각을 확인해 주세요.", "Check the times."),
    ),
    "not-accredited": Sentence(
        _N,
        Text(
            "활동한 날에 이 기관의 인증이 없습니다. 기록은 남지만 학위에는 세지 않습니다.",
            "The institution was not accredited for this on that day: kept, but not counted.",
        ),
        Text("인증 기간을 확인해 주세요.", "Check the period of accreditation."),
    ),
    "degree-differs": Sentence(
        _R,
        Text(
            "이미 있는 학위 기록과 다릅니다. 어느 쪽이 맞습니까?",
            "It differs from the degree already recorded. Which is right?",
        ),
        Text("수여 대장을 확인해 주세요.", "Check the roll of awards."),
    ),
    "item-changed": Sentence(
        _N,
        Text("앞서 낸 심사 결과를 고쳤습니다.", "It changes the earlier decision."),
        Text("할 일이 없습니다.", "Nothing to do."),
    ),
}


def problem(
    row: int, code: str, field_name: str, column: str | None = None, **facts: object
) -> Problem:
    """The sentence of ``code`` about one row."""
    sentence = SENTENCES[code]
    return Problem(
        row,
        field_name,
        column,
        code,
        sentence.severity,
        sentence.reason.format(**facts),
        sentence.remedy.format(**facts),
    )
