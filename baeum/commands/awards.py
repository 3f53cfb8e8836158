"""``baeum award``: the degree office at a terminal, from an application to a degree."""

from __future__ import annotations

from typing import Annotated

import typer

from baeum.commands.awards_before import cohorts
from baeum.commands.awards_cases import cases
from baeum.commands.awards_papers import papers
from baeum.commands.degrees import find_learner
from baeum.commands.office import (
    ApplicationId,
    AsJson,
    By,
    Of,
    Why,
    actor,
    opened,
    report,
    step,
)
from baeum.console import language, out, print_json, tr
from credential.text import Text


def register(app: typer.Typer) -> None:
    award = typer.Typer(help="The degree office: apply, review, decide, confer, and cases.")
    app.add_typer(award, name="award")
    for part in (applications, cohorts, cases, papers):
        part(award)


def applications(award: typer.Typer) -> None:
    @award.command(epilog="Example: `baeum award apply 2024-000001 --degree bachelor --by kim`")
    def apply(
        learner: Annotated[str, typer.Argument(help="Learner id or member number.")],
        degree: Annotated[str, typer.Option(help="Degree id, e.g. bachelor or doctor/history.")],
        by: By,
        policy: Annotated[
            str | None, typer.Option(help="Policy id@version; the one in force if left out.")
        ] = None,
        as_json: AsJson = False,
    ) -> int:
        """Take in an application. Nobody is turned away: the recommendation says what is met."""
        from ledger.awards import applications

        with opened() as (home, office):
            found = find_learner(home, learner)
            taken = office.take(applications.apply, found, degree, actor(by), policy=policy)
        return report(taken, as_json)

    @award.command("list", epilog="Example: `baeum award list --state open`")
    def list_(
        state: Annotated[
            str | None, typer.Option(help="One state, or open for all that are not closed.")
        ] = None,
        after: Annotated[str | None, typer.Option(help="Go on after this application.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Applications, newest first, 50 at a time."""
        from ledger.awards import views

        with opened() as (home, office):
            page = office.look(views.applications, home.identities, state=state, after=after)
        if as_json:
            print_json(page)
            return
        if not page["applications"]:
            out.print(tr(Text("신청이 없습니다", "There are no applications")))
        for row in page["applications"]:
            name = row["learnerName"] or row["learner"]
            out.print(
                f"{row['id']}  {row['appliedAt'][:10]}  {name}  "
                f"{row['degreeName'][language()]}  {row['stateName'][language()]}",
                markup=False,
                soft_wrap=True,
            )
        if page["next"]:
            more = Text(f"더 있습니다: --after {page['next']}", f"More: --after {page['next']}")
            out.print(tr(more))

    @award.command(epilog="Example: `baeum award show app_…`")
    def show(application: ApplicationId, as_json: AsJson = False) -> None:
        """One application: recommendation, each record explained, reviews, decision, history."""
        from baeum.commands.degrees import show as show_audit
        from baeum.home import now
        from ledger.awards import views

        with opened() as (home, office):
            found = office.look(views.application, application, now(), home.identities)
        if as_json:
            print_json(found)
            return
        out.print(
            f"{found['id']}  {found['learnerName'] or found['learner']}  "
            f"{found['stateName'][language()]}  {found['policy']}",
            markup=False,
            soft_wrap=True,
        )
        names = {k: f"{v[language()]} ({v['day']})" for k, v in found["titles"].items()}
        show_audit(found["audit"], names)
        for row in found["history"]:
            out.print(
                f"  {row['at'][:16]} {row['by']}: {row['action']} – {row['reason']}",
                markup=False,
                soft_wrap=True,
            )

    @award.command(
        epilog="Example: `baeum award review app_… --recommend --no-conflict --by lee --reason …`"
    )
    def review(
        application: ApplicationId,
        recommend: Annotated[
            bool, typer.Option("--recommend/--object", help="For or against awarding.")
        ],
        conflict: Annotated[
            bool,
            typer.Option("--conflict/--no-conflict", help="Your declaration; with one you recuse."),
        ],
        by: By,
        reason: Why,
        institution: Of = None,
        as_json: AsJson = False,
    ) -> int:
        """One person's review. Two different persons are needed."""
        from ledger.awards import applications

        return step(
            as_json,
            applications.review,
            application,
            actor(by, institution),
            recommends=recommend,
            conflict=conflict,
            reason=reason,
        )

    @award.command(
        epilog="Example: `baeum award decide app_… --approve --meeting 2026-3 --by choi "
        "--member han --reason …`"
    )
    def decide(
        application: ApplicationId,
        approve: Annotated[bool, typer.Option("--approve/--refuse", help="What was decided.")],
        meeting: Annotated[str, typer.Option(help="Meeting and minute number.")],
        by: By,
        reason: Why,
        member: Annotated[
            list[str] | None, typer.Option(help="A member of the committee; repeat for each.")
        ] = None,
        institution: Of = None,
        as_json: AsJson = False,
    ) -> int:
        """Record the committee's decision and freeze what it was taken on."""
        from ledger.awards import decisions

        return step(
            as_json,
            decisions.decide,
            application,
            actor(by, institution),
            approve=approve,
            meeting=meeting,
            members=tuple(member or ()),
            reason=reason,
        )

    @award.command(epilog="Example: `baeum award confer app_… --by park --reason …`")
    def confer(application: ApplicationId, by: By, reason: Why, as_json: AsJson = False) -> int:
        """Give the degree. `baeum issue` then signs its credential."""
        from ledger.awards import decisions

        with opened() as (_, office):
            taken = office.take(
                decisions.confer,
                application,
                actor(by),
                institution=office.awarding_institution(),
                reason=reason,
            )
        return report(taken, as_json)

    @award.command(epilog="Example: `baeum award cancel app_… --by kim --reason …`")
    def cancel(application: ApplicationId, by: By, reason: Why, as_json: AsJson = False) -> int:
        """Take an application back at the learner's wish."""
        from ledger.awards import applications

        return step(as_json, applications.cancel, application, actor(by), reason=reason)
