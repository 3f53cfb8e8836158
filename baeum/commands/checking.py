"""``baeum verify``: the report on a credential, in the reader's language."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baeum.console import hours, out, print_json, seoul_day, seoul_time, tr
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from datetime import datetime

    from verifier.presentation_jwt import JwtPresentationReport
    from verifier.report import Report
    from verifier.trust import Trust

MAX_FILE = 16 * 1024 * 1024
_BLOCK_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_MARKS = {
    "passed": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "warning": "[yellow]![/]",
    "not_run": "[yellow]–[/]",
}
_WORDS = {
    "passed": Text("통과", "passed"),
    "failed": Text("실패", "failed"),
    "warning": Text("주의", "warning"),
    "not_run": Text("확인 못 함", "not run"),
}
_EXIT = {"valid": 0, "invalid": 1, "undetermined": 2}


class FileUnreadable(BaeumError):
    """A file the command was given cannot be read."""

    code = "file-unreadable"
    title = Text("파일을 읽을 수 없습니다", "The file cannot be read")

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            Text(f"{path}: {why}", f"{path}: {why}"),
            Text("경로와 권한을 확인해 주세요", "Check the path and its permissions"),
        )


def read_file(path: Path, limit: int = MAX_FILE) -> bytes:
    """The file's bytes; ``-`` is standard input. Raises ``FileUnreadable``."""
    if str(path) == "-":
        content = sys.stdin.buffer.read(limit + 1)
    else:
        try:
            with path.open("rb") as file:
                content = file.read(limit + 1)
        except OSError as error:
            raise FileUnreadable(path, error.strerror or str(error)) from error
    if len(content) > limit:
        raise FileUnreadable(path, f"larger than {limit:,} bytes")
    return content


def show(report: Report) -> None:
    """The report for a person: verdict, facts, the nine checks and what to do."""
    colour = {"valid": "green", "invalid": "red", "undetermined": "yellow"}[report.verdict.value]
    out.print(f"[bold {colour}]{tr(report.summary)}[/]", soft_wrap=True)
    for label, value in _facts(report.facts):
        out.print(f"  {tr(label)}: {value}", markup=False, soft_wrap=True)
    for check in report.checks:
        word = tr(_WORDS[check.outcome.value])
        out.print(
            f"  {_MARKS[check.outcome.value]} {check.step} {check.id} ({word}): {tr(check.reason)}",
            soft_wrap=True,
        )
        if check.remedy is not None:
            out.print(f"      → {tr(check.remedy)}", soft_wrap=True, markup=False)
        for note in check.notes:
            out.print(f"      · {tr(note.reason)}", soft_wrap=True, markup=False)
    out.print(f"  {seoul_time(report.checked_at)}", style="dim")


def _facts(facts: Mapping[str, Any]) -> Iterator[tuple[Text, str]]:
    """What the signature covers, in the order a reader asks: what, whom, by whom, how long."""
    if facts.get("title"):
        yield Text("증명", "credential"), str(facts["title"])
    for member, label in (
        ("learner", Text("받은 사람", "for")),
        ("issuer", Text("발급 기관", "issued by")),
    ):
        name = facts.get(member, {}).get("name") or facts.get(member, {}).get("id")
        if name:
            yield label, str(name)
    if facts.get("minutes"):
        yield Text("인정 시간", "recognised"), hours(int(facts["minutes"]))
    days = [facts[name] for name in ("startedAt", "endedAt") if facts.get(name)]
    if days:
        yield Text("기간", "when"), " – ".join(dict.fromkeys(map(seoul_day, days)))
    if facts.get("id"):
        yield Text("번호", "id"), str(facts["id"])


def _offline(content: bytes, trust: Trust, trust_block: str | None, now: datetime) -> Report:
    from credential.evidence import parse
    from verifier.offline import verify_offline

    if trust_block is not None and not _BLOCK_HASH.fullmatch(trust_block):
        raise typer.BadParameter("--trust-block: 0x and 64 hexadecimal digits")
    return verify_offline(
        parse(content),
        trust=trust,
        trusted_block=None if trust_block is None else bytes.fromhex(trust_block[2:]),
        now=now,
    )


def _presentation(report: JwtPresentationReport, as_json: bool) -> int:
    """The report on each credential, under what is said of who presented them."""
    if as_json:
        print_json(report.to_json())
    else:
        for one in report.reports:
            show(one)
        word = tr(_WORDS[report.presented.outcome.value])
        mark = _MARKS[report.presented.outcome.value]
        out.print(f"{mark} vp+jwt ({word}): {tr(report.presented.reason)}", soft_wrap=True)
    return _EXIT[report.verdict.value]


def register(app: typer.Typer) -> None:
    @app.command(
        epilog="Example: `baeum verify credential.baeum.json` · "
        "exit 0 valid, 1 not valid, 2 could not tell"
    )
    def verify(
        file: Annotated[
            Path, typer.Argument(help="Evidence file, credential, JWT, or - for stdin.")
        ],
        without_anchor: Annotated[
            bool,
            typer.Option(help="Accept a credential that comes without its receipt."),
        ] = False,
        offline: Annotated[
            bool,
            typer.Option("--offline", help="Use the bundle's proofs alone; no network is touched."),
        ] = False,
        trust_block: Annotated[
            str | None,
            typer.Option(help="With --offline: hash (0x…) of the block you believe."),
        ] = None,
        nonce: Annotated[
            str | None,
            typer.Option(help="The nonce you asked the holder with (key binding, vp+jwt)."),
        ] = None,
        audience: Annotated[
            str | None, typer.Option(help="The audience you asked the holder with.")
        ] = None,
        without_holder: Annotated[
            bool,
            typer.Option(help="Accept a copy of a holder-bound credential, not presented by them."),
        ] = False,
        recompute: Annotated[
            bool,
            typer.Option(
                "--recompute", help="Compute a degree again from the records its holder discloses."
            ),
        ] = False,
        policy: Annotated[
            Path | None,
            typer.Option(help="With --recompute: the policy's file, when it is not a bundled one."),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    ) -> int:
        """Check a credential: signature, issuer, anchor, accreditation, status and dates.

        With --recompute also step 11: the degree is computed again, offline, from the disclosure
        in the file.
        """
        from baeum.home import Home, now
        from baeum.settings import load
        from verifier.policy import VerificationPolicy
        from verifier.presentation_jwt import is_presentation_jwt, verify_presentation_jwt
        from verifier.verify import verify as run

        if trust_block is not None and not offline:
            raise typer.BadParameter("--trust-block needs --offline")
        if policy is not None and not recompute:
            raise typer.BadParameter("--policy needs --recompute")
        content = read_file(file)
        with Home(load()) as home:
            trust = home.trust()
            if offline:
                report = _offline(content, trust, trust_block, now())
            else:
                given: dict[str, Any] = {
                    "trust": trust,
                    "chain": home.chains(trust),
                    "status_source": home.status_source(),
                    "did_source": home.did_source(),
                    "transactions": home.transactions(),
                    "now": now(),
                    "policy": VerificationPolicy(
                        allow_missing_anchor=without_anchor, holder_binding=not without_holder
                    ),
                    "nonce": nonce,
                    "audience": audience,
                }
                if is_presentation_jwt(content) and not recompute:
                    return _presentation(verify_presentation_jwt(content, **given), as_json)
                report = run(content, **given)
        if recompute:
            from baeum.recomputation import with_recomputation

            report = with_recomputation(report, content, policy)
        if as_json:
            print_json(report.to_json())
        else:
            show(report)
        return _EXIT[report.verdict.value]
