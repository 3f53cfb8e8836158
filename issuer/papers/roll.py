"""The ceremony roll: who is given which degree, as a spreadsheet and as a tagged PDF.

A name in a cell is never a formula (CWE-1236), and in the PDF never markup. The PDF conforms to
PDF/UA-1, embeds its one typeface (Pretendard, SIL Open Font License) and is the same bytes for the
same roll.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any, Final, Literal

import openpyxl
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from credential.text import Text
from issuer.intake.export import neutral

Language = Literal["ko", "en"]

HEADINGS: Final = (
    Text("번호", "No."),
    Text("성명", "Name"),
    Text("학위", "Degree"),
    Text("수여일", "Given on"),
    Text("인정 시간", "Hours"),
    Text("구분", "Given"),
)
_NOTE = Text(
    "명예시민학위는 고등교육법에 따른 학위가 아닌 비공인 학위입니다.",
    "The honorary citizen degree is not an academic degree under the Higher Education Act.",
)
_BASIS = {
    "ledger": Text("심사 수여", "by decision"),
    "paper": Text("종이 수여(이관)", "on paper (imported)"),
}
_STATE = {
    "suspended": Text(" · 정지", " · suspended"),
    "withdrawn": Text(" · 취소", " · withdrawn"),
}
_NAMELESS = Text("(성명 없음)", "(no name)")


@dataclass(frozen=True, slots=True)
class RollLine:
    """One degree. ``number`` is the award's; ``minutes`` None when it was given on paper."""

    number: int
    name: str | None
    degree: Text
    awarded_on: date
    minutes: int | None
    basis: str
    state: str

    def cells(self, language: Language) -> tuple[int, str, str, str, str, str]:
        pick = 0 if language == "ko" else 1
        basis = _BASIS[self.basis][pick]
        if self.state in _STATE:
            basis += _STATE[self.state][pick]
        return (
            self.number,
            self.name or _NAMELESS[pick],
            self.degree[pick],
            self.awarded_on.isoformat(),
            _hours(self.minutes),
            basis,
        )


def roll_lines(awards: Iterable[Mapping[str, Any]]) -> list[RollLine]:
    """The lines of degrees as ``ledger.awards.views.awards`` lists them."""
    return [
        RollLine(
            number=award["award"],
            name=award["learnerName"],
            degree=Text(**award["degreeName"]),
            awarded_on=date.fromisoformat(award["awardedOn"]),
            minutes=award["minutes"],
            basis=award["basis"],
            state=award["state"],
        )
        for award in awards
    ]


def _hours(minutes: int | None) -> str:
    if minutes is None:
        return "–"
    whole, rest = divmod(minutes, 60)
    return f"{whole:,}:{rest:02d}"


def roll_xlsx(lines: Sequence[RollLine], title: Text, language: Language) -> bytes:
    """The roll as a spreadsheet: one heading row, frozen, every text neutralised."""
    pick = 0 if language == "ko" else 1
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "roll"
    sheet.append([heading[pick] for heading in HEADINGS])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for line in lines:
        sheet.append([neutral(cell) for cell in line.cells(language)])
    for column, width in enumerate((8, 24, 36, 14, 12, 24), start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"
    book.properties.title = title[pick]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def roll_pdf(
    lines: Sequence[RollLine], title: Text, institution: Text, language: Language
) -> bytes:
    """The roll as PDF/UA-1."""
    import typst  # loading the typesetter takes longer than most commands

    pick = 0 if language == "ko" else 1
    data = {
        "title": title[pick],
        "institution": institution[pick],
        "lang": language,
        "summary": _summary(lines)[pick],
        "headings": [heading[pick] for heading in HEADINGS],
        "rows": [[str(cell) for cell in line.cells(language)] for line in lines],
        "note": _NOTE[pick],
    }
    folder = resources.files("issuer.papers")
    with (
        resources.as_file(folder / "roll.typ") as template,
        resources.as_file(folder / "fonts") as fonts,
    ):
        made = typst.compile(
            str(template),
            format="pdf",
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            sys_inputs={"roll": json.dumps(data, ensure_ascii=False)},
            pdf_standards=["ua-1"],
            timestamp=0,
        )
    assert isinstance(made, bytes)
    return made


def _summary(lines: Sequence[RollLine]) -> Text:
    counts: dict[Text, int] = {}
    for line in lines:
        counts[line.degree] = counts.get(line.degree, 0) + 1
    ko = ", ".join(f"{degree.ko} {count:,}명" for degree, count in counts.items())
    en = ", ".join(f"{degree.en} {count:,}" for degree, count in counts.items())
    total = len(lines)
    return Text(f"모두 {total:,}건 ({ko})", f"{total:,} degrees ({en})")
