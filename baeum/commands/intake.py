"""``baeum ingest``: an institution hands in a file and gets a verdict on every row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baeum.commands.checking import FileUnreadable
from baeum.console import language, out, print_json, progress, tr
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from issuer.intake import Problem, SubmissionReport

SHOWN = 20
_SEVERITY = {
    "note": Text("참고", "note"),
    "review": Text("확인 필요", "review"),
    "error": Text("거절", "rejected"),
}
_TOTAL = Text(
    "  합계 {field}: 파일에는 {stated:,}, 세어 보면 {counted:,} (차이 {difference:,})",
    "  total {field}: the file says {stated:,}, counted {counted:,} (difference {difference:,})",
)


class ReportNeedsSubmission(BaeumError):
    """A dry run stores nothing, so there is no report to write."""

    code = "report-needs-submission"
    title = Text("보고서를 만들 수 없습니다", "No report can be written")


def show(report: SubmissionReport, *, limit: int = SHOWN) -> None:
    """Counts first, then the rows that need someone, each with its remedy."""
    out.print(tr(_counts(report)), soft_wrap=True)
    for note in report.notes:
        out.print(f"  {tr(note)}", markup=False)
    for total in report.totals:
        if total.difference:
            out.print(tr(_TOTAL.format(**total.to_json())), markup=False)
    for problem in report.problems[:limit]:
        out.print(problem_line(problem), markup=False, soft_wrap=True)
        out.print(f"      → {tr(problem.remedy)}", markup=False, soft_wrap=True)
    rest = report.problems_total - min(limit, len(report.problems))
    if rest > 0:
        out.print(
            tr(
                Text(
                    f"  … 외 {rest:,}건. --report FILE로 전체를 받을 수 있습니다",
                    f"  … and {rest:,} more; --report FILE writes all of them",
                )
            )
        )


def problem_line(problem: Problem) -> str:
    """One remark on one row: where, how serious, what."""
    where = tr(Text(f"{problem.row}행", f"row {problem.row}"))
    return (
        f"  {where} [{problem.column or problem.field}] {tr(_SEVERITY[problem.severity.value])}: "
        f"{tr(problem.reason)}"
    )


def _counts(report: SubmissionReport) -> Text:
    head = (
        Text("이미 처리한 파일입니다. ", "This file was taken in before. ")
        if report.repeated
        else Text("저장하지 않은 시험 결과입니다. ", "A trial; nothing was stored. ")
        if report.dry_run
        else Text("", "")
    )
    return Text(
        f"{head.ko}{report.rows:,}행: 받음 {report.accepted:,}, 중복 {report.duplicates:,}, "
        f"확인 필요 {report.review:,}, 거절 {report.rejected:,}",
        f"{head.en}{report.rows:,} rows: {report.accepted:,} accepted, "
        f"{report.duplicates:,} duplicate, {report.review:,} for review, "
        f"{report.rejected:,} rejected",
    )


def register(app: typer.Typer) -> None:
    @app.command(
        epilog="Example: `baeum ingest courses.xlsx --institution seoul-citizens-university`"
    )
    def ingest(
        file: Annotated[Path, typer.Argument(help="CSV, TSV or XLSX file.")],
        institution: Annotated[str, typer.Option(help="Id of the institution that hands it in.")],
        mapping: Annotated[
            str | None, typer.Option(help="Name of the mapping; found from the header if left out.")
        ] = None,
        dry_run: Annotated[bool, typer.Option(help="Show the verdicts, store nothing.")] = False,
        report: Annotated[
            Path | None, typer.Option(help="Write the rows with their verdicts here (.csv, .xlsx).")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    ) -> None:
        """Take in a file: each row accepted, duplicate, for review or rejected, with the reason.

        Handing in the same file again does nothing; a corrected file changes what changed.
        Rows that need correcting do not stop a file: the exit code is 0 when it was read whole.
        """
        from baeum.home import Home, now
        from baeum.settings import load
        from issuer.intake import export_report
        from issuer.intake import ingest as run

        if not file.is_file():
            raise FileUnreadable(file, "no such file")
        with (
            Home(load()) as home,
            progress(Text("행 읽기", "Reading rows"), quiet=as_json) as advance,
        ):
            result = run(
                home.database,
                home.identities,
                file,
                institution=institution,
                mapping=mapping,
                now=now(),
                dry_run=dry_run,
                progress=advance,
            )
            if report is not None:
                if result.submission_id is None:
                    raise ReportNeedsSubmission(
                        Text("시험 제출은 보고서를 남기지 않습니다", "A trial leaves no report"),
                        Text("--dry-run 없이 제출해 주세요", "Hand the file in without --dry-run"),
                    )
                export_report(
                    home.database, result.submission_id, file, report, language=language()
                )
        if as_json:
            print_json(result.to_json())
        else:
            show(result)
