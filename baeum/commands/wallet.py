"""``baeum wallet``: a citizen's wallet for the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from baeum.commands.checking import FileUnreadable, read_file
from baeum.console import out, print_json, seoul_time, tr
from credential.errors import BaeumError
from credential.text import Text

Folder = Annotated[Path, typer.Argument(help="The wallet's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Result as JSON.")]


class WalletPassphraseMissing(BaeumError):
    """The wallet cannot be opened without its passphrase."""

    code = "wallet-passphrase-missing"
    title = Text("지갑 암호가 필요합니다", "The wallet's passphrase is needed")


def _passphrase() -> str:
    found = os.environ.get("BAEUM_WALLET_PASSPHRASE")
    if found:
        return found
    raise WalletPassphraseMissing(
        Text("지갑 암호가 주어지지 않았습니다", "No passphrase was given"),
        Text(
            "환경 변수 BAEUM_WALLET_PASSPHRASE에 넣어 주세요",
            "Put it into the environment variable BAEUM_WALLET_PASSPHRASE",
        ),
    )


def register(app: typer.Typer) -> None:
    wallet = typer.Typer(help="A citizen's wallet.", no_args_is_help=True)
    app.add_typer(wallet, name="wallet")

    @wallet.command(epilog="Example: `BAEUM_WALLET_PASSPHRASE=… baeum wallet create my-wallet`")
    def create(folder: Folder, as_json: AsJson = False) -> None:
        """Make an empty wallet with a key of its own."""
        from wallet.store import Wallet

        made = Wallet.create(folder, _passphrase())
        if as_json:
            print_json({"did": made.did})
        else:
            out.print(made.did)

    @wallet.command(epilog="Example: `baeum wallet accept my-wallet credential.baeum.json`")
    def accept(
        folder: Folder,
        file: Annotated[Path, typer.Argument(help="Evidence file, or - for stdin.")],
        as_json: AsJson = False,
    ) -> None:
        """Check a credential's proof and path, then keep it."""
        from baeum.home import now
        from credential.evidence import parse
        from wallet.store import Wallet

        evidence = parse(read_file(file))
        kept = Wallet.open(folder, _passphrase()).accept(evidence, now())
        if as_json:
            print_json({"id": kept.item.id, "new": kept.new})
        elif kept.new:
            out.print(tr(Text(f"받았습니다: {kept.item.title}", f"Accepted: {kept.item.title}")))
        else:
            out.print(tr(Text("이미 지갑에 있는 증명입니다", "The wallet holds it already")))

    @wallet.command("list", epilog="Example: `baeum wallet list my-wallet`")
    def list_(folder: Folder, as_json: AsJson = False) -> None:
        """What the wallet holds."""
        from wallet.store import Wallet

        entries = Wallet.open(folder, _passphrase()).list()
        if as_json:
            print_json([entry.to_json() for entry in entries])
            return
        if not entries:
            out.print(tr(Text("아직 받은 증명이 없습니다", "No credentials yet")))
            return
        table = Table(box=None)
        for title in (
            Text("증명", "credential"),
            Text("발급 기관", "issuer"),
            Text("받은 때", "accepted"),
            Text("번호", "id"),
        ):
            table.add_column(tr(title))
        for entry in entries:
            table.add_row(entry.title, entry.issuer, seoul_time(entry.accepted_at), entry.id)
        out.print(table)

    @wallet.command(epilog="Example: `baeum wallet export my-wallet out/`")
    def export(
        folder: Folder,
        target: Annotated[Path, typer.Argument(help="Folder to write the files to.")],
    ) -> None:
        """Write every credential as a standard file."""
        from wallet.store import Wallet

        written = Wallet.open(folder, _passphrase()).export(target)
        out.print(
            tr(Text(f"{len(written)}건을 내보냈습니다", f"{len(written)} credentials exported"))
        )

    @wallet.command(epilog="Example: `baeum wallet paper my-wallet urn:uuid:… --output qr.png`")
    def paper(
        folder: Folder,
        credential: Annotated[str, typer.Argument(help="Credential id.")],
        output: Annotated[Path, typer.Option("--output", "-o", help="PNG or SVG file.")],
    ) -> None:
        """A QR code that holds the whole credential, to print."""
        from baeum.settings import load
        from wallet.paper import qr_png, qr_svg
        from wallet.store import Wallet

        evidence = Wallet.open(folder, _passphrase()).get(credential).evidence
        draw = qr_svg if output.suffix.lower() == ".svg" else qr_png
        try:
            output.write_bytes(draw(evidence, f"{load().public_url}/verify"))
        except OSError as error:
            raise FileUnreadable(output, error.strerror or str(error)) from error
