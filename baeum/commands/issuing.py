"""The issuer's commands: setup, issue, anchor, evidence, revoke, suspend, reinstate, audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from baeum.commands.checking import FileUnreadable
from baeum.console import err, out, print_json, progress, seoul_time, tr
from credential.text import Text

if TYPE_CHECKING:
    from baeum.home import Home
    from ledger.anchoring import Step

AsJson = Annotated[bool, typer.Option("--json", help="Result as JSON on standard output.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the change, shown to the institution.")]
Ids = Annotated[list[str], typer.Argument(help="Credential ids (urn:uuid:…).")]


def _home() -> Home:
    from baeum.home import Home
    from baeum.settings import load

    return Home(load())


def say_step(step: Step) -> None:
    """One line for each arrow a batch takes; two for one that leads back from final."""
    if step.before == "final":
        err.print(
            tr(
                Text(
                    f"  묶음 {step.batch_id}: 확정된 뒤 재편성으로 블록이 사라져 다시 보냅니다. "
                    f"끝나면 증빙 파일을 새로 내려 주세요 (baeum credentials --batch "
                    f"{step.batch_id})",
                    f"  batch {step.batch_id}: a reorganisation took its block away after it was "
                    "final; it is sent again. Hand its evidence out anew afterwards "
                    f"(baeum credentials --batch {step.batch_id})",
                )
            ),
            style="yellow",
        )
    if step.before != step.after:
        err.print(
            tr(
                Text(
                    f"  묶음 {step.batch_id}: {step.before} → {step.after}",
                    f"  batch {step.batch_id}: {step.before} → {step.after}",
                )
            ),
            style="dim",
        )


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: `baeum setup --institutions scripts/sample/institutions.yaml`")
    def setup(
        institutions: Annotated[Path, typer.Option(help="Register of institutions (YAML).")],
        admin: Annotated[
            str | None,
            typer.Option(
                help="Address that holds the contracts' highest role, a multisig for instance; "
                "by default the account that pays."
            ),
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Make keys and contracts and register the institutions; safe to repeat."""
        from eth_utils.address import is_address

        from baeum import operations
        from ledger.institutions import read_register

        if admin is not None and not (
            admin.startswith("0x") and is_address(admin) and int(admin, 16)
        ):
            raise typer.BadParameter("--admin: an address of a contract or account, 0x…")
        with (
            _home() as home,
            progress(Text("기관 등록", "Registering institutions"), quiet=as_json) as advance,
        ):
            result = operations.set_up(home, read_register(institutions), advance, admin)
        if as_json:
            print_json(result.to_json())
            return
        out.print(
            tr(
                Text(
                    f"체인 {result.chain_id}, 새로 등록한 기관 {len(result.registered_on_chain)}곳",
                    f"Chain {result.chain_id}, institutions newly registered: "
                    f"{len(result.registered_on_chain)}",
                )
            )
        )
        if result.self_run:
            out.print(tr(SELF_RUN), style="yellow", soft_wrap=True)

    @app.command(epilog="Example: `baeum issue && baeum anchor`")
    def issue(
        limit: Annotated[int | None, typer.Option(min=1, help="At most so many records.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Sign every record that has no credential yet, into the open batch."""
        from baeum import operations

        with (
            _home() as home,
            progress(Text("서명", "Signing"), quiet=as_json) as advance,
        ):
            report = operations.issue(home, advance, limit)
        if as_json:
            print_json(report.to_json())
            return
        out.print(tr(Text(f"발급 {report.issued:,}건", f"Issued {report.issued:,} credentials")))
        for left in report.left_out:
            out.print(
                f"  {left.institution}: {tr(left.reason.text)} ({left.count:,})", markup=False
            )
            out.print(f"    → {tr(left.reason.remedy)}", markup=False)

    @app.command(epilog="Example: `baeum anchor`; it goes on where an earlier run stopped")
    def anchor(
        patience: Annotated[float, typer.Option(help="Seconds to wait for the chain.")] = 600.0,
        as_json: AsJson = False,
    ) -> None:
        """Seal what was issued, drive every batch to final, take up what the chain lost."""
        from baeum import operations

        with _home() as home:
            operations.seal(home)
            recovered: list[int] = []

            def on_step(step: Step) -> None:
                if step.before == "final":
                    recovered.append(step.batch_id)
                if not as_json:
                    say_step(step)

            batches = operations.anchor(home, patience=patience, on_step=on_step)
            operations.publish(home)
            summaries = [operations.batch_summary(home, batch_id) for batch_id in batches]
        if as_json:
            print_json(
                {
                    "batches": [summary.to_json() for summary in summaries],
                    "recovered": sorted(recovered),
                }
            )
            return
        if not summaries:
            out.print(tr(Text("기록할 묶음이 없습니다", "Nothing to anchor")))
        for summary in summaries:
            out.print(tr(summary.sentence), soft_wrap=True)

    @app.command(epilog="Example: `baeum credentials --learner SM24-000101 --limit 20`")
    def credentials(
        institution: Annotated[str | None, typer.Option(help="Issued by this one.")] = None,
        learner: Annotated[str | None, typer.Option(help="Learner id or member number.")] = None,
        kind: Annotated[str | None, typer.Option(help="course, volunteering, …")] = None,
        batch: Annotated[int | None, typer.Option(help="In this batch.")] = None,
        after: Annotated[str | None, typer.Option(help="Go on behind this id.")] = None,
        limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
        as_json: AsJson = False,
    ) -> None:
        """List issued credentials, a page at a time."""
        from baeum.commands.degrees import find_learner
        from issuer.search import credentials as search

        with _home() as home:
            who = find_learner(home, learner) if learner is not None else None
            with home.database.reading() as session:
                found = search(
                    session,
                    institution=institution,
                    learner=who,
                    kind=kind,
                    batch=batch,
                    after=after,
                    limit=limit,
                )
        following = found[-1].id if len(found) == limit else None
        if as_json:
            print_json({"credentials": [one.to_json() for one in found], "next": following})
            return
        if not found:
            out.print(tr(Text("조건에 맞는 증명이 없습니다", "No credential matches")))
            return
        for one in found:
            out.print(
                f"{one.id}  {tr(_STATES[one.state])}  {seoul_time(one.issued_at)}  {one.title}",
                markup=False,
                soft_wrap=True,
            )
        if following is not None:
            out.print(tr(Text(f"다음 쪽: --after {following}", f"Next page: --after {following}")))

    @app.command(epilog="Example: `baeum evidence urn:uuid:… --output my.baeum.json`")
    def evidence(
        credential: Annotated[str, typer.Argument(help="Credential id (urn:uuid:…).")],
        output: Annotated[Path, typer.Option("--output", "-o", help="Where to; - is stdout.")],
        bundle: Annotated[
            bool, typer.Option("--bundle", help="With proofs, to be verified without a network.")
        ] = False,
        blocks: Annotated[
            int,
            typer.Option(min=0, max=511, help="Trust a block this many after the anchor's."),
        ] = 0,
    ) -> None:
        """Write a credential with its receipt: the file a citizen keeps."""
        import sys

        from issuer.batches import evidence_for

        with _home() as home:
            with home.database.reading() as session:
                found = evidence_for(session, credential)
            if bundle:
                from baeum.bundles import bundle as with_proofs

                found, made = with_proofs(
                    found,
                    endpoint=home.endpoint(),
                    registry=home.network().registry,
                    status_source=home.status_source(),
                    blocks=blocks,
                )
                typer.echo(
                    tr(
                        Text(
                            f"믿어야 할 블록: {made.block_number} {made.block_hash}",
                            f"The block to trust: {made.block_number} {made.block_hash}",
                        )
                    ),
                    err=True,
                )
        content = orjson.dumps(found.to_json(), option=orjson.OPT_INDENT_2)
        if str(output) == "-":
            sys.stdout.buffer.write(content + b"\n")
            return
        try:
            output.write_bytes(content)
        except OSError as error:
            raise FileUnreadable(output, error.strerror or str(error)) from error

    def changes_status(action: str, doc: str) -> None:
        def command(credentials: Ids, reason: Reason, as_json: AsJson = False) -> None:
            import issuer.status
            from baeum import operations
            from baeum.home import now

            with _home() as home:
                change = getattr(issuer.status, action)
                report = change(home.database, credentials, reason, now())
                operations.publish(home)
            if as_json:
                print_json(
                    {
                        "action": report.action,
                        "changed": list(report.changed),
                        "unchanged": list(report.unchanged),
                    }
                )
            else:
                out.print(tr(report.message))

        command.__doc__ = doc
        app.command(action, epilog=f'Example: `baeum {action} urn:uuid:… --reason "…"`')(command)

    @app.command(epilog="Example: `baeum transcript SM24-000101 --output transcript.json`")
    def transcript(
        learner: Annotated[str, typer.Argument(help="Learner or member number.")],
        output: Annotated[Path, typer.Option("--output", "-o", help="Where to.")],
        named: Annotated[bool, typer.Option(help="With the learner's name.")] = True,
        as_json: AsJson = False,
    ) -> None:
        """The registrar's transcript (CLR 2.0): every credential in force in one, signed anew."""
        from baeum.commands.degrees import find_learner
        from baeum.home import now
        from issuer.transcript import transcript as run
        from ledger.learners import name_of

        with _home() as home:
            who = find_learner(home, learner)
            with home.database.reading() as session:
                name = name_of(session, home.identities, who) if named else None
                made = run(session, home.signers, who, now(), name=name)
        try:
            output.write_bytes(orjson.dumps(made.document, option=orjson.OPT_INDENT_2) + b"\n")
        except OSError as error:
            raise FileUnreadable(output, error.strerror or str(error)) from error
        if as_json:
            print_json({"bundled": made.bundled, "leftOut": made.left_out, "file": str(output)})
            return
        out.print(
            tr(
                Text(
                    f"증명 {made.bundled:,}건을 담았습니다"
                    + (f" (효력이 없는 {made.left_out:,}건 제외)" if made.left_out else ""),
                    f"{made.bundled:,} credentials bundled"
                    + (f" ({made.left_out:,} not in force left out)" if made.left_out else ""),
                )
            )
        )

    @app.command(epilog='Example: `baeum reissue urn:uuid:… --reason "name misspelt"`')
    def reissue(credentials: Ids, reason: Reason, as_json: AsJson = False) -> None:
        """Have credentials made anew at the next `baeum issue`; the old ones give way then."""
        from baeum.home import now
        from issuer.replacement import renew

        with _home() as home:
            report = renew(home.database, credentials, reason, now())
        if as_json:
            print_json({"due": list(report.due), "notDue": list(report.not_due)})
            return
        out.print(
            tr(
                Text(
                    f"다음 발급 때 {len(report.due):,}건을 새로 발급합니다. "
                    f"이미 교체된 증명 {len(report.not_due):,}건",
                    f"{len(report.due):,} will be made anew at the next issuing; "
                    f"{len(report.not_due):,} had been replaced before",
                )
            )
        )

    @app.command(epilog='Example: `baeum retract rec_… --reason "did not attend"`')
    def retract(
        record: Annotated[str, typer.Argument(help="Record id (rec_…).")],
        reason: Reason,
        as_json: AsJson = False,
    ) -> None:
        """Take back a learning record; its credential is revoked with it."""
        from baeum import operations
        from baeum.home import now
        from issuer.replacement import retract as run

        with _home() as home:
            report = run(home.database, record, reason, now())
            operations.publish(home)
        if as_json:
            print_json(
                {
                    "record": report.record,
                    "retracted": report.changed,
                    "revoked": list(report.revoked),
                }
            )
            return
        out.print(
            tr(
                Text(
                    f"학습이력을 철회했습니다. 취소한 증명 {len(report.revoked):,}건",
                    f"The record is retracted; credentials revoked: {len(report.revoked):,}",
                )
                if report.changed
                else Text("이미 철회된 학습이력입니다", "The record had been retracted before")
            )
        )

    changes_status("revoke", "Revoke credentials for good and publish the status lists.")
    changes_status("suspend", "Suspend credentials until reinstated; publish the status lists.")
    changes_status("reinstate", "Lift a suspension and publish the status lists.")

    @app.command(epilog="Example: `baeum audit`; exit 1 when there is a difference")
    def audit(as_json: AsJson = False) -> int:
        """Recompute every leaf, root and receipt and compare with the chain."""
        from baeum import operations

        with (
            _home() as home,
            progress(Text("대조", "Auditing"), quiet=as_json) as advance,
        ):
            report = operations.audit(home, advance)
        if as_json:
            print_json(report.to_json())
        else:
            out.print(tr(report.sentence))
            for difference in report.differences:
                out.print(f"  ✗ {difference.code}: {tr(difference.detail)}", markup=False)
                out.print(f"    → {tr(difference.remedy)}", markup=False)
            for gap in report.not_run:
                out.print(f"  – {tr(gap)}", markup=False)
            out.print(seoul_time(report.at), style="dim")
        return report.exit_code


_STATES = {
    "valid": Text("유효", "valid"),
    "suspended": Text("정지", "suspended"),
    "revoked": Text("취소", "revoked"),
}
SELF_RUN = Text(
    "이 체인은 한 기관이 혼자 운영하므로 다른 사람에게는 아무것도 증명하지 못합니다. "
    "시험이나 내부 기록에만 쓰세요.",
    "This chain is run by one party and proves nothing to others: "
    "use it for trials and for your own bookkeeping.",
)
