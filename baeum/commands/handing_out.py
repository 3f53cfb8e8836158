"""``baeum hand-out`` and ``baeum attest``: credentials in selectively disclosable form."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from baeum.commands.checking import FileUnreadable
from baeum.console import out, print_json, tr
from credential.text import Text


class Form(StrEnum):
    """In which form a credential is handed out."""

    SD_JWT = "sd-jwt"
    VC_JWT = "vc-jwt"


class Key(StrEnum):
    """Which of the signer's keys signs."""

    ED25519 = "ed25519"
    P256 = "p256"


def register(app: typer.Typer) -> None:
    @app.command(
        name="hand-out",
        epilog="Example: `baeum hand-out urn:uuid:… --output my.sd-jwt` · "
        "`baeum hand-out --transcript SM24-000101 --output transcript.sd-jwt`",
    )
    def hand_out(
        what: Annotated[
            str, typer.Argument(help="Credential id; with --transcript a learner or member number.")
        ],
        output: Annotated[Path, typer.Option("--output", "-o", help="Where to; - is stdout.")],
        form: Annotated[Form, typer.Option(help="sd-jwt hides what the holder wants hidden.")] = (
            Form.SD_JWT
        ),
        transcript: Annotated[
            bool, typer.Option("--transcript", help="All of a learner's, by the registrar.")
        ] = False,
        holder: Annotated[
            str | None, typer.Option(help="DID of the holder's key (did:key, did:jwk).")
        ] = None,
        by_registrar: Annotated[
            bool, typer.Option(help="The registrar signs, so that the institution can be hidden.")
        ] = False,
        key: Annotated[Key, typer.Option(help="p256 signs with ES256.")] = Key.ED25519,
        as_json: Annotated[bool, typer.Option("--json", help="What was made, as JSON.")] = False,
    ) -> None:
        """Derive an SD-JWT VC or a vc+jwt from a stored credential."""
        from baeum.commands.degrees import find_learner
        from baeum.home import Home, now
        from baeum.settings import load
        from issuer import handouts

        if transcript and form is not Form.SD_JWT:
            raise typer.BadParameter("--transcript needs --form sd-jwt")
        with Home(load()) as home:
            common: dict[str, Any] = {
                "registrar": home.place().anchored_by,
                "public_url": home.settings.public_url,
                "now": now(),
                "identities": home.identities,
                "holder": holder,
                "algorithm": key.value,
            }
            if form is Form.VC_JWT:
                made = handouts.as_vc_jwt(home.database, home.signers, what, algorithm=key.value)
            elif transcript:
                who = find_learner(home, what)
                made = handouts.hand_out_transcript(home.database, home.signers, who, **common)
            else:
                made = handouts.hand_out(
                    home.database, home.signers, what, by_registrar=by_registrar, **common
                )
        if str(output) == "-":
            sys.stdout.write(made.text + "\n")
            return
        try:
            output.write_text(made.text, encoding="ascii")
        except OSError as error:
            raise FileUnreadable(output, error.strerror or str(error)) from error
        if as_json:
            print_json({"signedBy": made.signed_by, "form": form.value, "file": str(output)})
            return
        out.print(
            tr(
                Text(
                    f"{made.signed_by}이(가) 서명한 증명을 {output}에 적었습니다. "
                    "baeum anchor를 실행하면 상태 목록이 게시됩니다.",
                    f"Wrote {output}, signed by {made.signed_by}. "
                    "baeum anchor publishes its status list.",
                )
            ),
            soft_wrap=True,
        )

    @app.command(epilog="Example: `baeum attest SM24-000101 age_over_65 --yes`")
    def attest(
        learner: Annotated[str, typer.Argument(help="Learner id or member number.")],
        predicate: Annotated[str, typer.Argument(help="age_over_65 or resident_of_seoul.")],
        holds: Annotated[bool, typer.Option("--yes/--no", help="What the registrar found.")],
        as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
    ) -> None:
        """Note a yes or no about a learner; no date of birth, no address is kept."""
        from baeum.commands.degrees import find_learner
        from baeum.home import Home, now
        from baeum.settings import load
        from issuer.handouts import attest as note

        with Home(load()) as home:
            who = find_learner(home, learner)
            with home.database.session() as session:
                note(session, who, predicate, holds, now())
        if as_json:
            print_json({"learner": who, "predicate": predicate, "holds": holds})
            return
        out.print(tr(Text("기록했습니다", "Noted")))
