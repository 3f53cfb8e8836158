"""``baeum award``: degrees on paper, rolls, disclosures, the history; and ``baeum disclose``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from baeum.commands.office import (
    AsJson,
    AwardId,
    By,
    day,
    opened,
)
from baeum.console import language, out, print_json, tr
from credential.text import Text


def papers(award: typer.Typer) -> None:
    @award.command(
        "import",
        epilog="Example: `baeum award import paper-degrees.csv "
        "--institution seoul-lifelong-education --by kim`",
    )
    def import_(
        file: Annotated[Path, typer.Argument(help="Roll of degrees given on paper (CSV, XLSX).")],
        institution: Annotated[str, typer.Option(help="Institution that gave them.")],
        by: By,
        as_json: AsJson = False,
    ) -> None:
        """Take in degrees given on paper before; each is marked as such."""
        from baeum.awarding import import_paper
        from baeum.commands.checking import FileUnreadable
        from baeum.commands.intake import show as show_report

        if not file.is_file():
            raise FileUnreadable(file, "no such file")
        with opened() as (home, _):
            result = import_paper(home, file, institution, by)
        if as_json:
            print_json(result.to_json())
        else:
            show_report(result)

    @award.command(
        epilog="Example: `baeum award roll --since 2026-06-01 --until 2026-06-30 --output roll.pdf`"
    )
    def roll(
        since: Annotated[str | None, typer.Option(help="First day of award.")] = None,
        until: Annotated[str | None, typer.Option(help="Last day of award.")] = None,
        title: Annotated[str | None, typer.Option(help="Heading of the roll.")] = None,
        output: Annotated[Path | None, typer.Option(help="Write it here: .xlsx or .pdf.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """The ceremony roll: degrees given between two days, as a table, spreadsheet or PDF."""
        from baeum.awarding import roll_of
        from issuer.papers import roll_pdf, roll_xlsx
        from issuer.papers.roll import HEADINGS

        if output is not None and output.suffix not in (".xlsx", ".pdf"):
            raise typer.BadParameter("--output: a name that ends in .xlsx or .pdf")
        heading = Text(
            title or "명예시민학위 수여자 명단", title or "Roll of honorary citizen degrees"
        )
        with opened() as (home, office):
            lines = roll_of(home, day(since) if since else None, day(until) if until else None)
            giver = office.awarding_institution() if output is not None else ""
        if output is not None:
            content = (
                roll_xlsx(lines, heading, language())
                if output.suffix == ".xlsx"
                else roll_pdf(lines, heading, Text(giver, giver), language())
            )
            output.write_bytes(content)
        if as_json:
            print_json(
                {
                    "lines": [
                        dict(
                            zip(
                                ("number", "name", "degree", "on", "hours", "basis"),
                                row,
                                strict=True,
                            )
                        )
                        for row in (line.cells(language()) for line in lines)
                    ]
                }
            )
            return
        if output is not None:
            out.print(f"{output}: {len(lines):,}", markup=False)
            return
        table = Table(box=None, pad_edge=False)
        for name in HEADINGS:
            table.add_column(tr(name))
        for line in lines:
            table.add_row(*(str(cell) for cell in line.cells(language())))
        out.print(table)

    @award.command(
        epilog="Example: `baeum award disclose 7 --view counted --output degree.baeum.json`"
    )
    def disclose(
        number: AwardId,
        output: Annotated[Path, typer.Option(help="Write the evidence file here.")],
        view: Annotated[
            str, typer.Option(help="full, counted (hides the rest) or categories (minutes only).")
        ] = "full",
        as_json: AsJson = False,
    ) -> None:
        """The degree's evidence file with its records, for the holder; see `baeum disclose`."""
        from baeum.awarding import evidence_of

        with opened() as (home, _):
            evidence = evidence_of(home, number, _view(view))
        output.write_bytes(evidence.to_bytes())
        _wrote(output, view, as_json)

    @award.command(epilog="Example: `baeum award history app_…`, or `baeum award history` to check")
    def history(
        subject: Annotated[
            str | None,
            typer.Argument(help="app_…, case_…, award:7; the whole is checked if left out."),
        ] = None,
        head: Annotated[
            str | None, typer.Option(help="A head written down earlier; it must be in the chain.")
        ] = None,
        as_json: AsJson = False,
    ) -> int:
        """What was done to one thing; or check the whole chain of history (exit 1 if broken)."""
        from ledger.awards import history as chain

        with opened() as (_, office):
            if subject is not None:
                rows = office.look(chain.of, subject)
                if as_json:
                    print_json({"history": rows})
                    return 0
                for row in rows:
                    out.print(
                        f"{row['at'][:16]} {row['by']}: {row['action']} – {row['reason']}",
                        markup=False,
                        soft_wrap=True,
                    )
                return 0
            checked = office.look(chain.check, head)
        if as_json:
            print_json({"rows": checked.rows, "head": checked.head, "brokenAt": checked.broken_at})
        elif checked.whole:
            out.print(
                tr(
                    Text(
                        f"이력 {checked.rows:,}행이 온전합니다. 끝값 {checked.head}",
                        f"{checked.rows:,} rows, whole. Head {checked.head}",
                    )
                ),
                soft_wrap=True,
            )
        else:
            broken = Text(
                f"이력이 {checked.broken_at}행에서 어긋납니다",
                f"The history does not fit at row {checked.broken_at}",
            )
            out.print(f"[bold red]{tr(broken)}[/]")
        return 0 if checked.whole else 1


def _view(text: str) -> Any:
    if text not in ("full", "counted", "categories"):
        raise typer.BadParameter("--view: full, counted or categories")
    return text


def _wrote(output: Path, view: str, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(output), "view": view})
    else:
        out.print(f"{output} ({view})", markup=False)


def register(app: typer.Typer) -> None:
    @app.command(
        epilog="Example: `baeum disclose degree.baeum.json --view categories "
        "--output shown.baeum.json`"
    )
    def disclose(
        file: Annotated[Path, typer.Argument(help="Evidence file of a degree with its records.")],
        output: Annotated[Path, typer.Option(help="Write the reduced file here.")],
        view: Annotated[
            str, typer.Option(help="counted (hides the rest) or categories (minutes only).")
        ] = "categories",
        as_json: AsJson = False,
    ) -> None:
        """For the holder of a degree: show less of the records than the file has.

        Who is shown it can still compute the degree again: `baeum verify FILE --recompute`.
        """
        from dataclasses import replace

        from baeum.commands.checking import read_file
        from credential.disclosure import DisclosureInvalid, reduce
        from credential.evidence import parse

        evidence = parse(read_file(file))
        if evidence.disclosure is None:
            raise DisclosureInvalid(
                "학습이력이 들어 있지 않은 파일입니다.", "The file discloses no records.", "shape"
            )
        shown = replace(evidence, disclosure=reduce(evidence.disclosure, _view(view)))
        output.write_bytes(shown.to_bytes())
        _wrote(output, view, as_json)
