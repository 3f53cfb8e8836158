"""``baeum ingest``: an institution hands in a file and gets a verdict on every row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baeum.commands.checking import FileUnreadable
from baeum.console import out, print_json, progress, tr
from credential.text import Text

if TYPE_CHECKING:
    from issuer.intake import SubmissionReport

SHOWN = 20


def show(report: SubmissionReport, *, limit: int = SHOWN) -> None:
    """Counts first, then the rows that need someone, each with its remedy."""
    out.print(tr(report.sentence), soft_wrap=True)
    for problem in report.problems[:limit]:
        where = tr(Text(f"{problem.row}행", f"row {problem.row}"))
        field = f" [{problem.field}]" if problem.field else ""
        out.print(f"  {where}{field} {problem.verdict}: {tr(problem.reason)}", markup=False)
        if problem.remedy is not None:
            out.print(f"      → {tr(problem.remedy)}", markup=False)
    rest = len(report.problems) - limit
    if rest > 0:
        out.print(
            tr(
                Text(
                    f"  … 외 {rest:,}건. --report FILE로 전체를 받을 수 있습니다",
                    f"  … and {rest:,} more; --report FILE writes all of them",
                )
            )
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
            Path | None, typer.Option(help="Write the row report here (.csv, .xlsx or .json).")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    ) -> None:
        """Take in a file: each row accepted, duplicate, for review or rejected, with the reason.

        Handing in the same file again does nothing; a corrected file changes what changed.
        Rows that need correcting do not stop a file: the exit code is 0 when it was read whole.
        """
        from baeum.home import Home, now
        from baeum.settings import load
        from issuer.intake import ingest as run
        from issuer.intake import write_report

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
                write_report(result, file, report)
        if as_json:
            print_json(result.to_json())
        else:
            show(result)
