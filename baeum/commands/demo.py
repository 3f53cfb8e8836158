"""``baeum demo``: the whole main job on the sample input, shown step by step.

Every step is the one a real user takes, through the same functions; run again it finds everything
done and only shows the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.table import Table

from baeum.commands.checking import show as show_report
from baeum.commands.degrees import audit_of, find_learner, headline, today
from baeum.commands.intake import problem_line
from baeum.commands.issuing import SELF_RUN, say_step
from baeum.console import err, hours, language, out, print_json, progress, tr
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from baeum.home import Home
    from credential.evidence import Evidence
    from verifier.report import Report

SAMPLE = Path(__file__).resolve().parent.parent.parent / "scripts" / "sample"


class SampleMissing(BaeumError):
    """The sample input comes with the source checkout only."""

    code = "sample-missing"
    title = Text("예제 파일이 없습니다", "The sample input is not here")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the demo hands in and whom it looks at."""

    institutions: Path
    files: tuple[tuple[Path, str], ...]
    learners: tuple[tuple[str, str], ...]
    courses: Path

    @classmethod
    def load(cls, folder: Path = SAMPLE) -> Sample:
        """Reads ``demo.yaml``. Raises ``SampleMissing``."""
        import yaml

        try:
            plan = yaml.safe_load((folder / "demo.yaml").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise SampleMissing(
                Text(f"{folder} 폴더가 없습니다", f"There is no {folder}"),
                Text("소스를 내려받은 폴더에서 실행해 주세요", "Run it in a source checkout"),
            ) from error
        return cls(
            institutions=folder / plan["institutions"],
            files=tuple((folder / entry["file"], entry["institution"]) for entry in plan["files"]),
            learners=tuple((str(who["member"]), who["degree"]) for who in plan["learners"]),
            courses=folder / plan["courses"],
        )


@dataclass(slots=True)
class Story:
    """What happened, for the page at the end."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    review: int = 0
    problems: int = 0
    credentials: int = 0
    issued_now: int = 0


def run(home: Home, sample: Sample, *, quiet: bool) -> dict[str, Any]:
    """Everything, in order. Returns the numbers and reports as plain data."""
    from baeum import operations
    from ledger.catalogue import import_courses, read_catalogue
    from ledger.institutions import read_register

    def bar(ko: str, en: str) -> Any:
        return progress(Text(ko, en), quiet=quiet)

    with bar("1 체인·계약·기관", "1 chain, contracts, institutions") as advance:
        made = operations.set_up(home, read_register(sample.institutions), advance)
    story = Story()
    submissions = _hand_in(home, sample, story, bar)
    with home.database.session() as session:
        import_courses(session, read_catalogue(sample.courses))
    _wallets(home, sample)
    with bar("3 서명", "3 signing") as advance:
        report = operations.issue(home, advance)
    story.issued_now = report.issued
    operations.seal(home)
    operations.anchor(home, on_step=None if quiet else say_step)
    operations.publish(home)
    batches = [operations.batch_summary(home, batch_id) for batch_id in _batches(home)]
    story.credentials = sum(batch.size for batch in batches)
    audits = []
    for member, degree in sample.learners:
        learner = find_learner(home, member)
        audits.append({"member": member, **audit_of(home, learner, degree, today())})
    with bar("5 지갑에 담기", "5 into the wallets") as advance:
        received = _deliver(home, sample, advance)
    valid, tampered, revoked = _three_files(home, sample)
    invitations = _people(home, sample)
    trust = home.trust()
    chains = home.chains(trust)
    reports = {
        name: _verify(home, trust, chains, path)
        for name, path in (("valid", valid), ("tampered", tampered), ("revoked", revoked))
    }
    return {
        "setUp": made,
        "story": story,
        "submissions": submissions,
        "batches": batches,
        "audits": audits,
        "received": received,
        "invitations": invitations,
        "reports": reports,
        "files": {"valid": valid, "tampered": tampered, "revoked": revoked},
        "leftOut": report.left_out,
    }


def _hand_in(
    home: Home, sample: Sample, story: Story, bar: Callable[[str, str], Any]
) -> list[tuple[str, Any]]:

    from baeum.home import now
    from issuer.intake import ingest

    done = []
    for path, institution in sample.files:
        with bar(f"2 {path.name}", f"2 {path.name}") as advance:
            report = ingest(
                home.database,
                home.identities,
                path,
                institution=institution,
                mapping=None,
                now=now(),
                progress=advance,
            )
        story.rows += report.rows
        story.accepted += report.accepted
        story.duplicates += report.duplicates
        story.review += report.review
        story.rejected += report.rejected
        done.append((path.name, report))
    return done


def _wallets(home: Home, sample: Sample) -> None:
    """The three learners get a wallet before issuing, so that their credentials are bound to it."""
    from baeum.settings import secret
    from ledger.database.models import Learner
    from wallet.store import Wallet

    for member, _ in sample.learners:
        learner = find_learner(home, member)
        folder = home.wallet_directory / learner
        if folder.exists():
            continue
        made = Wallet.create(folder, secret(home.settings, "demo-wallets"))
        with home.database.session() as session:
            session.get_one(Learner, learner).holder_did = made.did


def _people(home: Home, sample: Sample) -> dict[str, str]:
    """Somebody for each door, invited once: name and link. Whoever has an account is left alone,
    and there is no password until its link was opened."""
    from sqlalchemy import select

    from baeum.home import now
    from ledger.access import accounts
    from ledger.database.access import Account

    member, _ = sample.learners[0]
    institution = sample.files[0][1]
    plan: tuple[tuple[str, str, str | None, str | None], ...] = (
        ("demo.citizen", "citizen", None, find_learner(home, member)),
        ("demo.manager", "manager", institution, None),
        ("demo.issuer", "issuer", institution, None),
        *((f"demo.{role}", role, None, None) for role in _OFFICE),
    )
    links = {}
    with home.database.session() as session:
        known = set(session.scalars(select(Account.name)))
        for name, role, place, learner in plan:
            if name not in known:
                code = accounts.invite(
                    session, name, [role], now(), institution_id=place, learner_id=learner
                )
                links[name] = f"{home.settings.public_url}/invitation?code={code}"
    return links


_OFFICE = ("clerk", "reviewer", "committee", "registrar", "auditor", "administrator")


def _batches(home: Home) -> list[int]:
    from sqlalchemy import select

    from ledger.database.models import Batch

    with home.database.reading() as session:
        return list(session.scalars(select(Batch.id).where(Batch.state == "final")))


def _credentials_of(home: Home, learner: str) -> list[str]:
    from sqlalchemy import select

    from ledger.database.models import Credential

    with home.database.reading() as session:
        return list(
            session.scalars(
                select(Credential.id)
                .where(Credential.learner_id == learner)
                .order_by(Credential.record_id)
            )
        )


def _evidence(home: Home, credential: str) -> Evidence:
    from issuer.batches import evidence_for

    with home.database.reading() as session:
        return evidence_for(session, credential)


def _deliver(
    home: Home, sample: Sample, advance: Callable[[int, int | None], None]
) -> dict[str, int]:
    from baeum.home import now
    from baeum.settings import secret
    from wallet.store import Wallet

    received: dict[str, int] = {}
    for member, _ in sample.learners:
        learner = find_learner(home, member)
        opened = Wallet.open(home.wallet_directory / learner, secret(home.settings, "demo-wallets"))
        held = {entry.id for entry in opened.list()}
        ids = _credentials_of(home, learner)
        fresh = []
        for done, credential in enumerate(ids, start=1):
            if credential not in held:
                fresh.append(_evidence(home, credential))
            advance(done, len(ids))
        opened.accept_all(fresh, now())
        received[member] = len(ids)
    return received


def _three_files(home: Home, sample: Sample) -> tuple[Path, Path, Path]:
    """A good credential, the same with one character changed, and one that is revoked."""
    from sqlalchemy import select

    import issuer.status
    from baeum import operations
    from baeum.home import now, write_atomically
    from ledger.database.models import Credential

    holders = [find_learner(home, member) for member, _ in sample.learners]
    good = _evidence(home, _credentials_of(home, holders[0])[0])
    with home.database.reading() as session:
        withdrawn = session.scalars(
            select(Credential.id)
            .where(Credential.learner_id.not_in(holders))
            .order_by(Credential.record_id)
            .limit(1)
        ).one()
    issuer.status.revoke(home.database, [withdrawn], "demo: entered by mistake", now())
    operations.publish(home)

    body = orjson.dumps(good.to_json(), option=orjson.OPT_INDENT_2).decode()
    name = str(good.credential["name"])
    changed = name[:-1] + ("X" if name[-1] != "X" else "Y")
    folder = home.evidence_directory
    paths = (
        folder / "valid.baeum.json",
        folder / "one-character-changed.baeum.json",
        folder / "revoked.baeum.json",
    )
    write_atomically(paths[0], body)
    write_atomically(paths[1], body.replace(f'"{name}"', f'"{changed}"', 1))
    bad = orjson.dumps(_evidence(home, withdrawn).to_json(), option=orjson.OPT_INDENT_2)
    write_atomically(paths[2], bad.decode())
    return paths


def _verify(home: Home, trust: Any, chains: Any, path: Path) -> Report:
    from baeum.home import now
    from verifier.verify import verify

    return verify(
        path.read_bytes(),
        trust=trust,
        chain=chains,
        status_source=home.status_source(),
        now=now(),
    )


# --- showing --------------------------------------------------------------------------------------


def show(result: dict[str, Any]) -> None:
    """The end of the story, for a person."""
    story: Story = result["story"]
    _heading("들어온 자료", "What came in")
    table = Table(box=None, pad_edge=False)
    for ko, en in (
        ("파일", "file"),
        ("행", "rows"),
        ("받음", "accepted"),
        ("중복", "duplicate"),
        ("확인 필요", "review"),
        ("거절", "rejected"),
    ):
        table.add_column(tr(Text(ko, en)), justify="left" if en == "file" else "right")
    for name, report in result["submissions"]:
        counts = (report.rows, report.accepted, report.duplicates, report.review, report.rejected)
        table.add_row(name, *(f"{count:,}" for count in counts))
    out.print(table)
    for name, report in result["submissions"]:
        for problem in report.problems:
            if problem.severity.value == "error":
                out.print(
                    f"  {name}{problem_line(problem)} → {tr(problem.remedy)}",
                    markup=False,
                    soft_wrap=True,
                )
    _heading("나간 증명과 기록 거래", "What went out, and the transaction that anchors it")
    out.print(
        tr(
            Text(
                f"행 {story.rows:,}개가 들어와 증명 {story.credentials:,}건이 나갔습니다 "
                f"(이번 실행에서 {story.issued_now:,}건).",
                f"{story.rows:,} rows came in, {story.credentials:,} credentials went out "
                f"({story.issued_now:,} of them in this run).",
            )
        )
    )
    for batch in result["batches"]:
        out.print(f"  {tr(batch.sentence)}", soft_wrap=True)
    if result["setUp"].self_run:
        out.print(f"  {tr(SELF_RUN)}", style="yellow", soft_wrap=True)
    _heading("학위 심사", "Degree audits")
    for audit in result["audits"]:
        _show_audit(audit)
    _heading("지갑", "Wallets")
    for member, count in result["received"].items():
        out.print(tr(Text(f"  {member}: 증명 {count}건", f"  {member}: {count} credentials")))
    for name, ko, en in (
        ("valid", "검증: 온전한 증명", "Verification: the credential as issued"),
        ("tampered", "검증: 한 글자를 바꾼 같은 증명", "The same with one character changed"),
        ("revoked", "검증: 취소된 증명", "A revoked one"),
    ):
        _heading(ko, en)
        out.print(f"  {result['files'][name]}", style="dim", soft_wrap=True)
        show_report(result["reports"][name])
    if result["invitations"]:
        _heading("초대 (한 번, 7일 동안)", "Invitations (each works once, for 7 days)")
        for name, link in result["invitations"].items():
            out.print(f"  {name}  {link}", markup=False, soft_wrap=True)
    out.print()
    out.print(
        tr(
            Text(
                "포털을 열려면: scripts/run serve  (그리고 http://127.0.0.1:8780)",
                "To open the portal: scripts/run serve  (then http://127.0.0.1:8780)",
            )
        ),
        style="bold",
    )
    out.print(
        tr(
            Text(
                "로그인할 사람은 baeum access invite 로 초대합니다 (README의 5분 안내)",
                "Invite people who sign in with baeum access invite (the README's five minutes)",
            )
        )
    )


def _show_audit(audit: dict[str, Any]) -> None:
    counted = sum(entry["minutes"] for entry in audit["allocation"])
    name = tr(Text(**audit["name"]))
    colour = "green" if audit["eligible"] else "yellow"
    out.print(
        f"  {audit['member']} · {name} · {hours(counted)} · "
        f"[bold {colour}]{tr(headline(audit))}[/]",
        soft_wrap=True,
    )
    for way in audit["cheapest"][:3]:
        out.print(f"      → {way['why'][language()]}", markup=False, soft_wrap=True)


def _heading(ko: str, en: str) -> None:
    out.print()
    out.print(f"[bold]{tr(Text(ko, en))}[/]")


def to_json(result: dict[str, Any]) -> dict[str, Any]:
    """The same as plain data."""
    story: Story = result["story"]
    return {
        "setUp": result["setUp"].to_json(),
        "rows": story.rows,
        "accepted": story.accepted,
        "duplicates": story.duplicates,
        "review": story.review,
        "rejected": story.rejected,
        "credentials": story.credentials,
        "issuedNow": story.issued_now,
        "submissions": [
            {"file": name, **report.to_json()} for name, report in result["submissions"]
        ],
        "batches": [batch.to_json() for batch in result["batches"]],
        "audits": result["audits"],
        "wallets": result["received"],
        "invitations": result["invitations"],
        "reports": {name: report.to_json() for name, report in result["reports"].items()},
        "files": {name: str(path) for name, path in result["files"].items()},
    }


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: `baeum demo`; the second time it is quick and does nothing twice")
    def demo(
        as_json: Annotated[
            bool, typer.Option("--json", help="Numbers and reports as JSON.")
        ] = False,
    ) -> int:
        """The main job on the sample data, ending with a valid and two rejected verifications."""
        from baeum.home import Home
        from baeum.settings import load

        with Home(load()) as home:
            if not as_json:
                err.print(f"BAEUM_HOME={home.settings.home}", style="dim")
            result = run(home, Sample.load(), quiet=as_json)
        if as_json:
            print_json(to_json(result))
        else:
            show(result)
        expected = {"valid": "valid", "tampered": "invalid", "revoked": "invalid"}
        verdicts = {name: report.verdict.value for name, report in result["reports"].items()}
        return 0 if verdicts == expected else 1
