"""``baeum award``: suspension, hearing, withdrawal, and degrees whose records fell."""

from __future__ import annotations

from typing import Annotated

import typer

from baeum.commands.office import (
    AsJson,
    AwardId,
    By,
    CaseId,
    Why,
    actor,
    day,
    opened,
    step,
)
from baeum.console import language, out, print_json, tr
from credential.text import Text


def cases(award: typer.Typer) -> None:
    @award.command(epilog="Example: `baeum award suspend 7 --cause fraud --by kim --reason …`")
    def suspend(
        number: AwardId,
        cause: Annotated[str, typer.Option(help="fraud (by the learner) or error.")],
        by: By,
        reason: Why,
        only_open: Annotated[
            bool, typer.Option("--only-open", help="Open the case, let the degree stand meanwhile.")
        ] = False,
        as_json: AsJson = False,
    ) -> int:
        """Open a case on a degree and suspend the degree until it is decided."""
        from ledger.awards import cases

        return step(
            as_json,
            cases.open_case,
            number,
            actor(by),
            cause=cause,
            grounds=reason,
            suspend=not only_open,
        )

    @award.command(
        epilog="Example: `baeum award hearing case_… --on 2026-06-15 --by kim --reason …`, then "
        "`baeum award hearing case_… --held '…' --by kim`"
    )
    def hearing(
        case: CaseId,
        by: By,
        on: Annotated[str | None, typer.Option(help="Day of the hearing.")] = None,
        held: Annotated[str | None, typer.Option(help="It took place: what was said.")] = None,
        reason: Annotated[str, typer.Option(help="Why that day, with --on.")] = "",
        as_json: AsJson = False,
    ) -> int:
        """Set the day of a hearing (ten days ahead or more), or record that it took place."""
        from ledger.awards import cases

        if (on is None) == (held is None):
            raise typer.BadParameter("--on DAY or --held STATEMENT")
        if on is not None:
            return step(as_json, cases.schedule, case, actor(by), on=day(on), reason=reason)
        return step(as_json, cases.hear, case, actor(by), statement=held)

    @award.command(epilog="Example: `baeum award withdraw case_… --by lee --reason …`")
    def withdraw(case: CaseId, by: By, reason: Why, as_json: AsJson = False) -> int:
        """Decide a heard case: the degree is withdrawn, its credential revoked."""
        from ledger.awards import cases

        return step(as_json, cases.close, case, actor(by), withdraw=True, reason=reason)

    @award.command(epilog="Example: `baeum award keep case_… --by lee --reason …`")
    def keep(case: CaseId, by: By, reason: Why, as_json: AsJson = False) -> int:
        """Decide a case: the degree is kept, and valid again."""
        from ledger.awards import cases

        return step(as_json, cases.close, case, actor(by), withdraw=False, reason=reason)

    @award.command(epilog="Example: `baeum award cases`")
    def cases(
        everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Cases about degrees."""
        from ledger.awards import views

        with opened() as (_, office):
            found = office.look(views.cases, open_only=not everything)
        if as_json:
            print_json({"cases": found})
            return
        if not found:
            out.print(tr(Text("사건이 없습니다", "There are no cases")))
        for case in found:
            out.print(
                f"{case['id']}  {case['award']}  {case['stateName'][language()]}  "
                f"{case['hearingOn'] or '–'}  {case['grounds']}",
                markup=False,
                soft_wrap=True,
            )

    @award.command(epilog="Example: `baeum award affected`")
    def affected(as_json: AsJson = False) -> int:
        """Degrees that count on records revoked since. Changes nothing; exit 1 if there are any."""
        from baeum.home import now
        from ledger.awards import afterwards

        with opened() as (_, office):
            found = office.look(afterwards.affected, now())
        if as_json:
            print_json({"affected": [one.to_json() for one in found]})
        elif not found:
            none = Text(
                "모든 학위의 인정 기록이 유효합니다", "Every record that degrees count on stands"
            )
            out.print(tr(none))
        else:
            for one in found:
                met = (
                    Text("남은 기록으로도 충족: 확인(confirm)", "still met: confirm it")
                    if one.still_met
                    else Text("충족하지 못함: 사건(suspend)", "not met any more: open a case")
                )
                out.print(f"{one.award_id}  {one.degree}  {tr(met)}", markup=False)
        return 1 if found else 0

    @award.command(
        epilog="Example: `baeum award confirm 7 --meeting 2026-5 --member han --by choi --reason …`"
    )
    def confirm(
        number: AwardId,
        meeting: Annotated[str, typer.Option(help="Meeting and minute number.")],
        by: By,
        reason: Why,
        member: Annotated[
            list[str] | None, typer.Option(help="A member of the committee; repeat for each.")
        ] = None,
        as_json: AsJson = False,
    ) -> int:
        """Keep an affected degree on a new allocation; `baeum issue` signs it anew."""
        from ledger.awards import afterwards

        return step(
            as_json,
            afterwards.confirm,
            number,
            actor(by),
            meeting=meeting,
            members=tuple(member or ()),
            reason=reason,
        )
