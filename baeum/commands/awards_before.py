"""``baeum award``: cohorts, other entries and human exceptions."""

from __future__ import annotations

from typing import Annotated

import typer

from baeum.commands.degrees import find_learner
from baeum.commands.office import (
    AsJson,
    By,
    Why,
    actor,
    day,
    opened,
    report,
    step,
)
from credential.text import Text


def cohorts(award: typer.Typer) -> None:
    @award.command(
        epilog="Example: `baeum award cohort master-2026 --degree master --name-ko … --name-en … "
        "--opens 2026-03-01 --closes 2026-04-01 --places 20 --by kim`"
    )
    def cohort(
        cohort: Annotated[str, typer.Argument(help="Id of the cohort.")],
        degree: Annotated[str, typer.Option(help="Degree id.")],
        name_ko: Annotated[str, typer.Option(help="Name in Korean.")],
        name_en: Annotated[str, typer.Option(help="Name in English.")],
        opens: Annotated[str, typer.Option(help="First day to ask for a place.")],
        closes: Annotated[str, typer.Option(help="First day on which it is closed.")],
        by: By,
        places: Annotated[
            int | None, typer.Option(help="Number of places; no limit if left out.")
        ] = None,
        as_json: AsJson = False,
    ) -> int:
        """Announce a cohort."""
        from ledger.awards import cohorts

        return step(
            as_json,
            cohorts.open_cohort,
            cohort,
            degree,
            Text(name_ko, name_en),
            actor(by),
            opens_on=day(opens),
            closes_on=day(closes),
            quota=places,
        )

    @award.command(
        epilog="Example: `baeum award place master-2026 2024-000001 --admit --rank 1 --by kim "
        "--reason …`"
    )
    def place(
        cohort: Annotated[str, typer.Argument(help="Id of the cohort.")],
        learner: Annotated[str, typer.Argument(help="Learner id or member number.")],
        by: By,
        admit: Annotated[bool, typer.Option("--admit", help="Give the place.")] = False,
        release: Annotated[bool, typer.Option("--release", help="Free it again.")] = False,
        rank: Annotated[int | None, typer.Option(help="Rank, with --admit.")] = None,
        reason: Annotated[str, typer.Option(help="Why, with --admit or --release.")] = "",
        as_json: AsJson = False,
    ) -> int:
        """Ask for a place in a cohort, give it, or free it. Who gets none yet is waiting."""
        from ledger.awards import cohorts

        with opened() as (home, office):
            found, who = find_learner(home, learner), actor(by)
            if release:
                taken = office.take(cohorts.release, cohort, found, who, reason=reason)
            elif admit:
                taken = office.take(cohorts.admit, cohort, found, who, rank=rank, reason=reason)
            else:
                taken = office.take(cohorts.ask_for_place, cohort, found, who)
        return report(taken, as_json)

    @award.command(
        epilog="Example: `baeum award prior 2024-000001 related_career_years 3 --by kim "
        "--evidence …`"
    )
    def prior(
        learner: Annotated[str, typer.Argument(help="Learner id or member number.")],
        name: Annotated[str, typer.Argument(help="Name of the entry in the policy.")],
        value: Annotated[int, typer.Argument(help="1 for yes, or a number of years.")],
        by: By,
        evidence: Annotated[str, typer.Option(help="What was checked.")],
        as_json: AsJson = False,
    ) -> int:
        """Note another way into a degree (alternative entry)."""
        from ledger.awards import cohorts

        with opened() as (home, office):
            taken = office.take(
                cohorts.note_prior,
                find_learner(home, learner),
                name,
                value,
                actor(by),
                evidence=evidence,
            )
        return report(taken, as_json)

    @award.command(
        epilog="Example: `baeum award exception 2024-000001 --kind reduce_block --target B-HOURS "
        "--minutes 60 --expires 2026-12-31 --by choi --reason …`"
    )
    def exception(
        learner: Annotated[str, typer.Argument(help="Learner id or member number.")],
        kind: Annotated[str, typer.Option(help="waive_item, reduce_block or accept_record.")],
        target: Annotated[str, typer.Option(help="Stable id of the block or item.")],
        expires: Annotated[str, typer.Option(help="First day without it.")],
        by: By,
        reason: Why,
        minutes: Annotated[int, typer.Option(help="For reduce_block.")] = 0,
        record: Annotated[str | None, typer.Option(help="For accept_record.")] = None,
        as_json: AsJson = False,
    ) -> int:
        """Sign a human exception for one learner."""
        from ledger.awards import cohorts

        with opened() as (home, office):
            taken = office.take(
                cohorts.sign_exception,
                find_learner(home, learner),
                actor(by),
                kind=kind,
                target=target,
                minutes=minutes,
                record_id=record,
                why=reason,
                expires_on=day(expires),
            )
        return report(taken, as_json)
