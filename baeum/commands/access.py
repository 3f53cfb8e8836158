"""``baeum access``: who may sign in, what they may do, and tokens for machines."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.table import Table

from baeum.console import out, print_json, tr
from credential.errors import BaeumError
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


class LogUnreadable(BaeumError):
    """The file is no export of the log."""

    code = "log-unreadable"
    title = Text("기록 파일을 읽을 수 없습니다", "The log cannot be read")


def register(app: typer.Typer) -> None:
    access = typer.Typer(help="Accounts, roles and tokens of the portal.", no_args_is_help=True)
    token = typer.Typer(help="Tokens for machines.", no_args_is_help=True)
    access.add_typer(token, name="token")
    app.add_typer(access, name="access")
    _institutions(access)
    _log(access)

    @access.command(epilog="Example: `baeum access invite kim.review --role reviewer`")
    def invite(
        name: Annotated[str, typer.Argument(help="What the person types to sign in.")],
        role: Annotated[
            list[str],
            typer.Option(
                help="citizen, clerk, reviewer, committee, registrar, issuer, manager, auditor or "
                "administrator; may be repeated."
            ),
        ],
        shown: Annotated[str | None, typer.Option(help="What colleagues read.")] = None,
        institution: Annotated[str | None, typer.Option(help="An issuer's institution.")] = None,
        site: Annotated[str | None, typer.Option(help="Only this site (institution/site).")] = None,
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
                    site_id=site,
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
        from baeum.home import Home, now
        from baeum.settings import load
        from ledger.access import accounts

        with Home(load()) as home, home.database.session() as session:
            accounts.disable(session, name, now())
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


def _institutions(access: typer.Typer) -> None:
    key = typer.Typer(help="Keys of institutions' programs.", no_args_is_help=True)
    access.add_typer(key, name="key")

    @access.command(epilog="Example: `baeum access site seoul-citizens-university mapo --ko 마포`")
    def site(
        institution: Annotated[str, typer.Argument(help="Institution id.")],
        site_id: Annotated[str, typer.Argument(help="Short id of the site.")],
        ko: Annotated[str, typer.Option(help="Its name in Korean.")],
        en: Annotated[str, typer.Option(help="Its name in English.")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Add a site of an institution, or rename it."""
        from baeum.home import Home, now
        from baeum.settings import load
        from ledger.access import people

        with Home(load()) as home, home.database.session() as session:
            made = people.set_site(
                session, people.SYSTEM, institution, site_id, Text(ko, en or ko), now()
            )
        if as_json:
            print_json({"site": made})
            return
        out.print(made, markup=False)

    @key.command(
        "create",
        epilog="Example: `baeum access key create --institution ID --label LMS "
        "--permission credentials-read`",
    )
    def create_key(
        institution: Annotated[str, typer.Option(help="Institution id.")],
        label: Annotated[str, typer.Option(help="What it is for.")],
        permission: Annotated[list[str], typer.Option(help="What it may do; may be repeated.")],
        kind: Annotated[
            list[str] | None, typer.Option(help="Only this kind; may be repeated.")
        ] = None,
        days: Annotated[int, typer.Option(help="How long it holds.")] = 180,
        as_json: AsJson = False,
    ) -> None:
        """A key for an institution's program; it is shown this once."""
        from baeum.home import Home, now
        from baeum.settings import load
        from ledger.access import keys, people

        with Home(load()) as home, home.database.session() as session:
            row, secret = keys.create(
                session,
                people.SYSTEM,
                institution,
                label=label,
                permissions=permission,
                kinds=kind or [],
                days=days,
                now=now(),
            )
            made = _key(row, now())
        if as_json:
            print_json(made | {"key": secret})
            return
        out.print(tr(_ONLY_NOW))
        out.print(secret, markup=False, soft_wrap=True)

    @key.command("list", epilog="Example: `baeum access key list --json`")
    def list_keys(as_json: AsJson = False) -> None:
        """The keys of all institutions and when each was last used."""
        from baeum.home import Home, now
        from baeum.settings import load
        from ledger.access import keys, people

        with Home(load()) as home, home.database.reading() as session:
            rows = [_key(row, now()) for row in keys.listed(session, people.SYSTEM)]
        if as_json:
            print_json({"keys": rows})
            return
        if not rows:
            out.print(tr(Text("열쇠가 없습니다", "There are no keys")))
            return
        table = Table("id", "institution", "label", "state", "used")
        for row in rows:
            used = row["used_at"] or "-"
            table.add_row(row["id"], row["institution"], row["label"], row["state"], used)
        out.print(table)

    @key.command(
        "revoke", epilog="Example: `baeum access key revoke key_0123456789abcdefghijklmnop`"
    )
    def revoke_key(key_id: str, as_json: AsJson = False) -> None:
        """End a key now."""
        from baeum.home import Home, now
        from baeum.settings import load
        from ledger.access import keys, people

        with Home(load()) as home, home.database.session() as session:
            keys.revoke(session, people.SYSTEM, key_id, now())
        if as_json:
            print_json({"id": key_id, "state": "revoked"})
            return
        out.print(tr(Text("열쇠를 폐기했습니다", "The key is revoked")))


def _key(row: AccessToken, now: datetime) -> dict[str, Any]:
    from ledger.access import keys

    return _token(row) | {
        "institution": row.institution_id,
        "kinds": list(row.kinds),
        "sites": list(row.sites),
        "state": keys.state(row, now),
    }


def _log(access: typer.Typer) -> None:
    @access.command(epilog="Example: `baeum access log --check`; exit 1 when it was altered")
    def log(
        check: Annotated[bool, typer.Option("--check", help="Recompute every hash.")] = False,
        file: Annotated[
            Path | None, typer.Option(help="Check this export instead of the database.")
        ] = None,
        head: Annotated[
            str | None, typer.Option(help="A hash written down earlier that must be in it.")
        ] = None,
        export: Annotated[bool, typer.Option("--export", help="All rows as JSON lines.")] = False,
        as_json: AsJson = False,
    ) -> int:
        """Who did what; export it, or check that nothing was altered."""
        from baeum.home import Home
        from baeum.settings import load
        from ledger.access import log as rows_of

        if file is not None:
            return _say(rows_of.check_rows(_read(file), head), as_json)
        with Home(load()) as home, home.database.reading() as session:
            if check:
                return _say(rows_of.check(session, head), as_json)
            if export:
                for row in rows_of.export(session):
                    sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                return 0
            newest = rows_of.rows(session, None, limit=50)
        if as_json:
            print_json({"rows": newest})
            return 0
        for row in reversed(newest):
            where = f"  {row['institution_id']}" if row["institution_id"] else ""
            out.print(
                f"{row['sequence']}  {row['at'][:19]}Z  {row['actor']}  {row['action']}  "
                f"{row['subject']}{where}",
                markup=False,
                soft_wrap=True,
            )
        return 0


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as lines:
            for line in lines:
                row = orjson.loads(line)
                previous, stated = row.pop("previous"), row.pop("hash")
                if not isinstance(row["sequence"], int):
                    raise TypeError("sequence")
                yield row, previous, stated
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LogUnreadable(
            Text(f"{path.name}은(는) 내려받은 기록이 아닙니다", f"{path.name} is no exported log"),
            Text(
                "baeum access log --export 또는 활동 기록 페이지에서 받은 파일을 주세요",
                "Give a file from baeum access log --export or from the log's page",
            ),
        ) from error


def _say(found: Any, as_json: bool) -> int:
    if as_json:
        print_json(
            {
                "rows": found.rows,
                "head": found.head,
                "whole": found.whole,
                "brokenAt": found.broken_at,
            }
        )
    elif found.whole:
        out.print(tr(Text(f"{found.rows:,}줄이 모두 맞습니다", f"All {found.rows:,} rows fit")))
        out.print(found.head, style="dim")
    else:
        at = found.broken_at
        out.print(tr(Text(f"{at}번째 줄부터 맞지 않습니다", f"Row {at} does not fit")), style="red")
    return 0 if found.whole else 1
