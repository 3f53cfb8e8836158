"""What the commands of the degree office share: who acts, which home, what to print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baeum.commands.degrees import DayMalformed
from baeum.console import out, print_json, tr
from credential.text import Text

if TYPE_CHECKING:
    from baeum.home import Home
    from ledger.awards.applications import Taken
    from ledger.awards.office import Office

By = Annotated[str, typer.Option("--by", help="Who does this: an account, not a learner's name.")]
Of = Annotated[
    str | None, typer.Option("--institution", help="Institution this person works for, if any.")
]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
ApplicationId = Annotated[str, typer.Argument(help="Application, app_…")]
CaseId = Annotated[str, typer.Argument(help="Case, case_…")]
AwardId = Annotated[int, typer.Argument(help="Number of the degree.")]


@contextmanager
def opened() -> Iterator[tuple[Home, Office]]:
    """The home and its degree office."""
    from baeum.awarding import office_of
    from baeum.home import Home
    from baeum.settings import load

    with Home(load()) as home:
        yield home, office_of(home)


def day(text: str) -> date:
    """A day from the command line. Raises ``DayMalformed``."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DayMalformed(
            Text(f"날짜로 읽을 수 없습니다: {text}", f"Not a day: {text}"),
            Text("2026-06-01처럼 적어 주세요", "Write it like 2026-06-01"),
        ) from error


def report(taken: Taken, as_json: bool) -> int:
    """What a step did, for a person or a program."""
    from ledger.awards.errors import STATES

    if as_json:
        print_json(taken.to_json())
        return 0
    state = STATES.get(taken.state, Text(taken.state, taken.state))
    again = Text("", "") if taken.changed else Text(" (이미 되어 있음)", " (done before)")
    out.print(f"{taken.id}: {tr(state)}{tr(again)}", markup=False, soft_wrap=True)
    return 0


def step(as_json: bool, taken: Callable[..., Taken], *arguments: Any, **named: Any) -> int:
    with opened() as (_, office):
        return report(office.take(taken, *arguments, **named), as_json)


def actor(by: str, institution: str | None = None) -> Any:
    from ledger.awards.people import Actor

    return Actor(by, institution)
