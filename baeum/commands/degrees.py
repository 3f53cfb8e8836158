"""``baeum progress`` and ``baeum credit audit``: the way to a degree, explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from baeum.console import SEOUL, hours, language, out, print_json, tr
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from baeum.home import Home
    from ledger.credit import Policy
    from ledger.holds import Hold

DEGREES = ("bachelor", "master", "doctor")
MEMBER_SCHEME = "seoul-member"


def find_learner(home: Home, who: str) -> str:
    """The learner's id, given it or a member number. Raises ``LearnerUnknown``."""
    from ledger.database.models import Learner
    from ledger.learners import learner_by
    from ledger.standing import LearnerUnknown

    with home.database.reading() as session:
        if session.get(Learner, who) is not None:
            return who
        found = learner_by(session, home.identities, MEMBER_SCHEME, who)
    if found is None:
        raise LearnerUnknown(
            Text("이 번호의 학습자가 없습니다", "No learner has this id or member number"),
            Text("회원번호를 확인해 주세요", "Check the member number"),
        )
    return found


def today() -> date:
    """Today in Seoul, where the days of the policies are."""
    return datetime.now(SEOUL).date()


def audit_of(home: Home, learner: str, degree: str, as_of: date) -> dict[str, Any]:
    """The audit of one learner as plain data."""
    from ledger.standing import audit_learner

    with home.database.reading() as session:
        audit: dict[str, Any] = audit_learner(session, learner, degree, as_of).to_json()
    return audit


def titles_of(home: Home, learner: str) -> dict[str, str]:
    """What people call each record: its title and the day it ended."""
    from sqlalchemy import select

    from ledger.database.models import LearningRecord

    with home.database.reading() as session:
        rows = session.execute(
            select(LearningRecord.id, LearningRecord.title_ko, LearningRecord.ended_at).where(
                LearningRecord.learner_id == learner
            )
        )
        return {row.id: f"{row.title_ko} ({row.ended_at.astimezone(SEOUL).date()})" for row in rows}


def headline(audit: dict[str, Any]) -> Text:
    """The answer in one sentence, with what is missing."""
    name = Text(**audit["name"])
    if audit["eligible"]:
        return Text(f"{name.ko} 요건을 모두 채웠습니다", f"{name.en}: every condition is met")
    lacking = sum(entry["minutes"] for entry in audit["missing"])
    if lacking:
        whole, rest = divmod(lacking, 60)
        return Text(
            f"{name.ko}까지 {whole:,}시간 {rest}분이 모자랍니다",
            f"{name.en}: {whole:,} h {rest} min short",
        )
    open_conditions = [Text(**reason["why"]) for reason in audit["reasons"]]
    return Text(
        f"{name.ko}: 시간은 채웠습니다. " + " ".join(why.ko for why in open_conditions),
        f"{name.en}: the hours are there. " + " ".join(why.en for why in open_conditions),
    )


def show(audit: dict[str, Any], titles: Mapping[str, str], *, rows: int = 12) -> None:
    """The audit for a person; a record without a title is shown by its id."""
    colour = "green" if audit["eligible"] else "yellow"
    out.print(f"[bold {colour}]{tr(headline(audit))}[/]", soft_wrap=True)
    for way in audit["cheapest"]:
        out.print(f"  → {way['why'][language()]}", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for title in (
        Text("기록", "record"),
        Text("인정", "counted"),
        Text("이유", "why"),
    ):
        table.add_column(tr(title))
    for line in audit["records"][:rows]:
        table.add_row(
            titles.get(line["record"], line["record"]),
            hours(line["minutes"]),
            f"{line['why'][language()]} [dim]{line['code']}[/]",
        )
    out.print(table)
    if len(audit["records"]) > rows:
        rest = len(audit["records"]) - rows
        out.print(tr(Text(f"  … 외 {rest}건 (--json)", f"  … and {rest} more (--json)")))
    out.print(f"  {audit['policy']} · {audit['trace_hash']}", style="dim", soft_wrap=True)


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: `baeum progress 2024-000123 --degree bachelor`")
    def progress(
        learner: Annotated[str, typer.Argument(help="Learner id or member number.")],
        degree: Annotated[
            str | None, typer.Option(help="bachelor, master or doctor; all if left out.")
        ] = None,
        as_of: Annotated[
            str | None, typer.Option(help="Day of the audit, YYYY-MM-DD in Seoul.")
        ] = None,
        what_if: Annotated[
            list[str] | None,
            typer.Option(
                help="take:COURSE, without:RECORD, policy:ID@VERSION (repeat to combine), or "
                "closest for the open courses that bring you closest. Needs --degree."
            ),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The audits as JSON.")] = False,
    ) -> int:
        """Degree audit: what counts, what does not and why, and what would close the gap.

        With --degree, exit 0 when every condition is met (under the assumptions of --what-if, if
        any) and 1 when not.
        """
        from baeum.home import Home
        from baeum.settings import load

        day = _day(as_of)
        if what_if:
            from baeum.commands.prospects import imagine

            if degree is None:
                raise typer.BadParameter("--what-if needs --degree")
            return imagine(learner, degree, day, what_if, as_json=as_json)
        with Home(load()) as home:
            found = find_learner(home, learner)
            audits = [audit_of(home, found, name, day) for name in _degrees(degree)]
            titles = titles_of(home, found)
        if as_json:
            print_json({"learner": found, "audits": audits})
        else:
            for audit in audits:
                show(audit, titles)
        return 0 if degree is None or all(audit["eligible"] for audit in audits) else 1

    credit = typer.Typer(help="The credit engine on plain files.", no_args_is_help=True)
    app.add_typer(credit, name="credit")

    @credit.command(
        "audit",
        epilog="Example: `baeum credit audit --policy P.yaml --records R.json "
        "--as-of 2026-06-01 --degree bachelor --json`",
    )
    def credit_audit(
        policy: Annotated[
            str, typer.Option(help="Policy file (degree-rules/1, YAML), or a bundled one's name.")
        ],
        records: Annotated[Path, typer.Option(help="Learning records (JSON list).")],
        as_of: Annotated[str, typer.Option(help="Day of the audit, YYYY-MM-DD in Seoul.")],
        degree: Annotated[str, typer.Option(help="Degree id in the policy.")],
        context: Annotated[
            Path | None, typer.Option(help="Issuers, degrees held, items, used minutes (JSON).")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The audit as JSON.")] = False,
    ) -> int:
        """Apply a policy to records from files: no database, no chain. Exit 0 eligible, 1 not."""
        from ledger.credit.files import audit_files

        audit = audit_files(policy, records, context, as_of, degree).to_json()
        if as_json:
            print_json(audit)
        else:
            show(audit, {}, rows=1000)
        return 0 if audit["eligible"] else 1

    @credit.command(
        "recompute",
        epilog="Example: `baeum credit recompute --hold yangcheon-centre --until 2026-03-01`",
    )
    def recompute(
        hold: Annotated[
            str | None, typer.Option(help="Institution whose records would not count any more.")
        ] = None,
        kind: Annotated[
            str | None, typer.Option(help="With --hold: only records of this kind.")
        ] = None,
        since: Annotated[
            str | None, typer.Option(help="With --hold: activities that ended from this day on.")
        ] = None,
        until: Annotated[
            str | None, typer.Option(help="With --hold: activities that ended before this day.")
        ] = None,
        new_policy: Annotated[
            str | None, typer.Option(help="Policy file, or a bundled one's name, to compare with.")
        ] = None,
        policy: Annotated[
            str | None, typer.Option(help="The policy in force; the one of the day if left out.")
        ] = None,
        confirm: Annotated[
            str | None, typer.Option(help="Digest of the report: do what it says.")
        ] = None,
        reason: Annotated[str, typer.Option(help="Why; needed to confirm a hold.")] = "",
        by: Annotated[str, typer.Option(help="Who orders it; needed to confirm a hold.")] = "",
        as_of: Annotated[
            str | None, typer.Option(help="Day of the audit, YYYY-MM-DD in Seoul.")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    ) -> int:
        """What a change would do to people, before it is done; with --confirm, do it.

        With neither --hold nor --new-policy every learner's standing is decided and stored again.
        """
        from baeum.home import Home
        from baeum.settings import load

        question = _question(hold, kind, since, until, new_policy, policy)
        with Home(load()) as home:
            answer = recomputed(home, question, _day(as_of), confirm, reason, by)
        if as_json:
            print_json(answer)
        else:
            show_change(answer)
        return 0


@dataclass(frozen=True, slots=True)
class Question:
    """What ``baeum credit recompute`` is asked."""

    hold: Hold | None
    new_policy: Policy | None
    policy: Policy | None


class QuestionUnclear(BaeumError):
    """Options of ``recompute`` that do not go together."""

    code = "recompute-unclear"
    title = Text("무엇을 다시 계산할지 알 수 없습니다", "What to recompute is not clear")


def _question(
    hold: str | None,
    kind: str | None,
    since: str | None,
    until: str | None,
    new_policy: str | None,
    policy: str | None,
) -> Question:
    from ledger.credit.files import find_policy
    from ledger.holds import Hold

    if (hold and new_policy) or (not hold and (kind or since or until)):
        raise QuestionUnclear(
            Text(
                "--hold와 --new-policy는 함께 쓸 수 없고, --kind --since --until은 --hold와 씁니다",
                "--hold and --new-policy exclude each other; --kind, --since and --until belong to "
                "--hold",
            ),
            Text("한 번에 하나씩 물어보세요", "Ask one thing at a time"),
        )
    return Question(
        Hold(hold, kind, _range_day(since), _range_day(until)) if hold else None,
        find_policy(new_policy) if new_policy else None,
        find_policy(policy) if policy else None,
    )


def _range_day(text: str | None) -> date | None:
    return None if text is None else _day(text)


def recomputed(
    home: Home, question: Question, as_of: date, digest: str | None, reason: str, by: str
) -> dict[str, Any]:
    """The report as JSON, with ``confirmed``; or, for everybody, how many were decided how."""
    from baeum.home import now
    from ledger.credit import bundled, choose
    from ledger.database.models import Institution
    from ledger.standing import POLICY
    from ledger.standings.recompute import confirm, dry_run
    from ledger.standings.sweep import refresh_all

    policy = question.policy or choose(bundled(), POLICY, as_of)
    if question.hold is None and question.new_policy is None:
        url = home.database.engine.url.render_as_string(hide_password=False)
        done = refresh_all(url, policy, as_of, workers=home.settings.workers)
        return {"learners": done.learners, **asdict(done), "policy": policy.key}
    change: dict[str, Any] = {"hold": question.hold, "new_policy": question.new_policy}
    with home.database.reading() as session:
        held = question.hold and question.hold.institution
        if held and session.get(Institution, held) is None:
            raise QuestionUnclear(
                Text(f"‘{held}’ 기관이 없습니다", f"There is no institution '{held}'"),
                Text("기관 번호를 확인해 주세요", "Check the institution's id"),
            )
    if digest is None:
        with home.database.reading() as session:
            return {**dry_run(session, policy, as_of, **change).to_json(), "confirmed": False}
    if question.hold and not (reason.strip() and by.strip()):
        raise QuestionUnclear(
            Text("--reason과 --by가 필요합니다", "--reason and --by are needed"),
            Text("사유와 담당자를 적어 주세요", "Say why, and who orders it"),
        )
    with home.database.session() as session:
        report = confirm(session, policy, as_of, digest, **change, reason=reason, by=by, now=now())
        return {**report.to_json(), "confirmed": True}


def show_change(answer: Mapping[str, Any]) -> None:
    """The report for a person: counts first, then names up to twenty a list."""
    if "digest" not in answer:
        out.print_json(data=dict(answer))
        return
    counts = {name: len(answer[name]) for name in ("gain", "lose", "at_risk")}
    out.print(
        tr(
            Text(
                f"영향 받는 학습자 {answer['affected']:,}명, "
                f"보류되는 기록 {answer['records']:,}건: "
                f"좋아짐 {counts['gain']:,}명, 나빠짐 {counts['lose']:,}명, "
                f"위태로운 학위 {counts['at_risk']:,}건",
                f"{answer['affected']:,} learners affected, {answer['records']:,} records held: "
                f"{counts['gain']:,} gain, {counts['lose']:,} lose, "
                f"{counts['at_risk']:,} degrees at risk",
            )
        ),
        soft_wrap=True,
    )
    for name, sign in (("gain", "+"), ("lose", "-"), ("at_risk", "!")):
        for line in answer[name][:20]:
            after = line.get("after") or line
            out.print(
                f"  {sign} {line['learner']} {line['degree']} {hours(after.get('missing', 0))}",
                markup=False,
                soft_wrap=True,
            )
        if counts[name] > 20:
            rest = counts[name] - 20
            out.print(tr(Text(f"  … 외 {rest:,}건 (--json)", f"  … and {rest:,} more (--json)")))
    if answer["confirmed"]:
        out.print(tr(Text("실행했습니다.", "Done.")))
    else:
        out.print(
            tr(
                Text(
                    f"아직 아무것도 바꾸지 않았습니다. 실행하려면: --confirm {answer['digest']}",
                    f"Nothing is changed yet. To do it: --confirm {answer['digest']}",
                )
            ),
            soft_wrap=True,
        )


class DayMalformed(BaeumError):
    """A day that is not one."""

    code = "day-malformed"
    title = Text("날짜가 올바르지 않습니다", "Not a day")


def _day(text: str | None) -> date:
    if text is None:
        return today()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DayMalformed(
            Text(f"날짜로 읽을 수 없습니다: {text}", f"Not a day: {text}"),
            Text("2026-06-01처럼 적어 주세요", "Write it like 2026-06-01"),
        ) from error


class DegreeUnknown(BaeumError):
    """There is no such degree."""

    code = "degree-unknown"
    title = Text("없는 학위입니다", "Unknown degree")


def _degrees(degree: str | None) -> tuple[str, ...]:
    if degree is None:
        return DEGREES
    if degree not in DEGREES:
        raise DegreeUnknown(
            Text(f"학위 {degree}은(는) 없습니다", f"There is no degree {degree}"),
            Text("bachelor, master, doctor 중 하나", "One of bachelor, master, doctor"),
        )
    return (degree,)
