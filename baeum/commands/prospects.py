"""``baeum progress --what-if`` and ``baeum catalogue``: what would be if, and what one can join."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from baeum.commands.degrees import find_learner, show, titles_of, today
from baeum.console import hours, language, out, print_json, tr
from credential.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON.")]


def imagine(
    learner: str, degree: str, day: date, assumptions: Sequence[str], *, as_json: bool
) -> int:
    """The audit under assumptions, beside today's; exit 0 when it is then met, 1 when not."""
    from baeum.home import Home
    from baeum.settings import load
    from ledger import prospects

    told: dict[str, list[str]] = {"take": [], "without": [], "policy": []}
    for text in assumptions:
        kind, _, value = text.partition(":")
        if text != "closest" and (kind not in told or not value):
            raise typer.BadParameter(
                f"--what-if {text}: take:COURSE, without:RECORD, policy:ID@VERSION or closest"
            )
        if text != "closest":
            told[kind].append(value)
    if len(told["policy"]) > 1 or ("closest" in assumptions and len(assumptions) > 1):
        raise typer.BadParameter("--what-if: one policy at a time; closest stands alone")
    with Home(load()) as home:
        found = find_learner(home, learner)
        with home.database.reading() as session:
            if "closest" in assumptions:
                near = prospects.suggestions(session, found, degree, day)
                return _closest(near, as_json)
            answer = prospects.what_if(
                session,
                found,
                degree,
                day,
                take=told["take"],
                without=told["without"],
                policy=told["policy"][0] if told["policy"] else None,
            )
        names = titles_of(home, found)
    names |= {f"planned:{c['id']}": c["title"][language()] for c in answer["assumed"]["take"]}
    if as_json:
        print_json(answer)
    else:
        show(answer["then"], names)
        out.print(f"[bold]{answer['difference']['why'][language()]}[/]", soft_wrap=True)
    return 0 if answer["then"]["eligible"] else 1


def _closest(near: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print_json(near)
    elif not near["missing"]:
        out.print(tr(Text("시간은 이미 채웠습니다", "The hours are there already")))
    elif not near["courses"]:
        none = Text("지금 도움이 되는 모집 강좌가 없습니다", "No open course helps now")
        out.print(tr(none))
    else:
        for found in near["courses"]:
            course = found["course"]
            left = Text(f"남은 시간 {hours(found['missing'])}", f"{hours(found['missing'])} left")
            out.print(
                f"{course['id']}  {course['title'][language()]}  {course['startsOn']} – "
                f"{course['endsOn']}  +{hours(found['adds'])}  {tr(left)}",
                markup=False,
                soft_wrap=True,
            )
    return 0 if not near["missing"] or near["plan"]["enough"] else 1


def register(app: typer.Typer) -> None:
    catalogue = typer.Typer(help="Courses one can join.", no_args_is_help=True)
    app.add_typer(catalogue, name="catalogue")

    @catalogue.command("import", epilog="Example: `baeum catalogue import courses.yaml`")
    def import_(
        file: Annotated[Path, typer.Argument(help="CSV, or YAML with courses:.")],
        as_json: AsJson = False,
    ) -> None:
        """Take in open courses; importing again changes what changed."""
        from baeum.home import Home
        from baeum.settings import load
        from ledger.catalogue import import_courses, read_catalogue

        rows = read_catalogue(file)
        with Home(load()) as home, home.database.session() as session:
            counts = import_courses(session, rows)
        if as_json:
            print_json(counts)
            return
        out.print(
            tr(
                Text(
                    f"새로 {counts['added']}, 바뀜 {counts['changed']}, 그대로 "
                    f"{counts['unchanged']}",
                    f"{counts['added']} added, {counts['changed']} changed, "
                    f"{counts['unchanged']} unchanged",
                )
            )
        )

    @catalogue.command("list", epilog="Example: `baeum catalogue list`")
    def list_(as_json: AsJson = False) -> None:
        """Courses that can still be joined today."""
        from baeum.home import Home
        from baeum.settings import load
        from ledger.catalogue import open_courses

        with Home(load()) as home, home.database.reading() as session:
            found = open_courses(session, today())
        if as_json:
            print_json({"courses": found})
            return
        if not found:
            out.print(tr(Text("모집 중인 강좌가 없습니다", "No course is open")))
        for course in found:
            out.print(
                f"{course['id']}  {course['title'][language()]}  {course['startsOn']}  "
                f"{hours(course['minutes'])}",
                markup=False,
                soft_wrap=True,
            )
