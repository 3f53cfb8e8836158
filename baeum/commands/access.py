"""``baeum access``: who may sign in, what they may do, and tokens for machines."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from baeum.console import out, print_json, tr
from credential.text import Text

if TYPE_CHECKING:
    from ledger.database.access import AccessToken, Account

_HAND_OVER = Text(
    "이 링크를 본인에게 전하세요 (한 번, 7일 동안)",
    "Give this link to the person (it works once, for 7 days)",
)
_NOBODY = Text(
    "계정이 없습니다. baeum access invite 로 만드세요",
    "No accounts yet: baeum access invite makes one",
)
_ONLY_NOW = Text("지금만 보입니다. 안전한 곳에 두세요", "Shown only now; keep it somewhere safe")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def register(app: typer.Typer) -> None:
    access = typer.Typer(help="Accounts, roles and tokens of the portal.", no_args_is_help=True)
    token = typer.Typer(help="Tokens for machines.", no_args_is_help=True)
    access.add_typer(token, name="token")
    app.add_typer(access, name="access")

    @access.command(epilog="Example: `baeum access invite kim.review --role reviewer`")
    def invite(
        name: Annotated[str, typer.Argument(help="What the person types to sign in.")],
        role: Annotated[
            list[str],
            typer.Option(
                help="citizen, clerk, reviewer, committee, registrar, issuer, auditor or "
                "administrator; may be repeated."
            ),
        ],
        shown: Annotated[str | None, typer.Option(help="What colleagues read.")] = None,
        institution: Annotated[str | None, typer.Option(help="An issuer's institution.")] = None,
        learner: Annotated[
            str | None, typer.Option(help="A citizen's learner id or member number.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Make an account, or invite a known one anew: a link that works once, for a week."""
        from baeum.commands.degrees import find_learner
        from baeum.home import Home, now
        from baeum.settings import load
        from ledger.access import accounts

        with Home(load()) as home:
            learner_id = find_learner(home, learner) if learner is not None else None
            with home.database.session() as session:
                code = accounts.invite(
                    session,
                    name,
                    role,
                    now(),
                    shown=shown,
                    institution_id=institution,
                    learner_id=learner_id,
                )
            link = f"{home.settings.public_url}/invitation?code={code}"
        if as_json:
            print_json({"name": name, "roles": sorted(set(role)), "link": link})
            return
        out.print(
            tr(
                Text(
                    "이 링크를 본인에게 전하세요 (한 번, 7일 동안)",
                    "Give this link to the person (works once, for 7 days)",
                )
            )
        )
        out.print(link, markup=False, soft_wrap=True)

    @access.command("list", epilog="Example: `baeum access list --json`")
    def list_accounts(
        after: Annotated[str, typer.Option(help="Start after this name.")] = "",
        limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
        as_json: AsJson = False,
    ) -> None:
        """The accounts by name, a page at a time, with their tokens."""
        from baeum.home import Home
        from baeum.settings import load
        from ledger.access import accounts

        with Home(load()) as home, home.database.reading() as session:
            rows = [
                _account(account, accounts.tokens_of(session, account.id))
                for account in accounts.listed(session, after, limit)
            ]
        if as_json:
            following = rows[-1]["name"] if len(rows) == limit else None
            print_json({"accounts": rows, "next": following})
            return
        if not rows:
            out.print(tr(_NOBODY))
            return
        table = Table("name", "shown", "roles", "state", "tokens")
        for row in rows:
            live = [t for t in row["tokens"] if t["revoked_at"] is None]
            roles = ", ".join(row["roles"])
            table.add_row(row["name"], row["shown"], roles, row["state"], str(len(live)))
        out.print(table)

    @access.command(epilog="Example: `baeum access disable kim.review`")
    def disable(name: str, as_json: AsJson = False) -> None:
        """End an account: it, its sessions and its tokens open nothing from now on."""
        from baeum.home import Home
        from baeum.settings import load
        from ledger.access import accounts

        with Home(load()) as home, home.database.session() as session:
            accounts.disable(session, name)
        if as_json:
            print_json({"name": name, "state": "disabled"})
            return
        out.print(tr(Text("사용을 중지했습니다", "Disabled")))

    @token.command(
        epilog="Example: `baeum access token create kim --label roll --permission awards-read`"
    )
    def create(
        name: Annotated[str, typer.Argument(help="The account it acts for.")],
        label: Annotated[str, typer.Option(help="What it is for.")],
        permission: Annotated[list[str], typer.Option(help="What it may do; may be repeated.")],
        days: Annotated[int, typer.Option(help="How long it holds.", min=1, max=730)] = 365,
        as_json: AsJson = False,
    ) -> None:
        """A new token; it is shown this once."""
        from baeum.home import Home, now
        from baeum.settings import load
        from ledger.access import accounts, sessions

        with Home(load()) as home, home.database.session() as session:
            account = accounts.by_name(session, name)
            row, secret = sessions.create_token(
                session, account, label, permission, now(), timedelta(days=days)
            )
            made = _token(row)
        if as_json:
            print_json(made | {"token": secret})
            return
        out.print(tr(_ONLY_NOW))
        out.print(secret, markup=False, soft_wrap=True)

    @token.command(epilog="Example: `baeum access token revoke tok_0123456789abcdefghijklmnop`")
    def revoke(token_id: str, as_json: AsJson = False) -> None:
        """End a token now."""
        from baeum.home import Home, now
        from baeum.settings import load
        from ledger.access import sessions

        with Home(load()) as home, home.database.session() as session:
            ended = _token(sessions.revoke_token(session, token_id, now()))
        if as_json:
            print_json(ended)
            return
        out.print(tr(Text("토큰을 폐기했습니다", "The token is revoked")))


def _account(account: Account, tokens: list[AccessToken]) -> dict[str, Any]:
    return {
        "name": account.name,
        "shown": account.shown,
        "roles": list(account.roles),
        "state": account.state,
        "institution": account.institution_id,
        "learner": account.learner_id,
        "created_at": account.created_at.isoformat(),
        "tokens": [_token(row) for row in tokens],
    }


def _token(row: AccessToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "label": row.label,
        "permissions": list(row.permissions),
        "created_at": row.created_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "revoked_at": row.revoked_at and row.revoked_at.isoformat(),
        "used_at": row.used_at and row.used_at.isoformat(),
    }
