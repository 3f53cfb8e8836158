"""``baeum keys``: the institutions' signing keys: list, rotate, replace in an emergency, tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from baeum.console import out, print_json, seoul_time, tr
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from baeum.home import Home
    from issuer.key_history import KeyEntry
    from issuer.rotation import Rotation

AsJson = Annotated[bool, typer.Option("--json", help="Result as JSON on standard output.")]
Institution = Annotated[str, typer.Argument(help="Institution id.")]
Algorithm = Annotated[str, typer.Option(help="ed25519 (credentials) or p256 (SD-JWT VC).")]
Backend = Annotated[
    str | None, typer.Option(help="file or pkcs11; default is the token, if one is configured.")
]


class ArgumentInvalid(BaeumError):
    """An option has a value that cannot be."""

    code: ClassVar[str] = "argument-invalid"
    title: ClassVar[Text] = Text("옵션이 잘못되었습니다", "An option is wrong")


class TokenLacks(BaeumError):
    """The token cannot do what signing needs."""

    code: ClassVar[str] = "token-lacks-mechanisms"
    title: ClassVar[Text] = Text("토큰에 필요한 기능이 없습니다", "The token lacks mechanisms")


def _home() -> Home:
    from baeum.home import Home
    from baeum.settings import load

    return Home(load())


def register(app: typer.Typer) -> None:
    keys = typer.Typer(no_args_is_help=True, help="The institutions' signing keys.")
    hsm = typer.Typer(no_args_is_help=True, help="Keys in a PKCS#11 token.")
    keys.add_typer(hsm, name="hsm")
    app.add_typer(keys, name="keys")

    @keys.command("list", epilog="Example: `baeum keys list seoul-citizens-university`")
    def list_keys(
        institution: Annotated[str | None, typer.Argument(help="Only this one's.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Every key an institution signs or signed with, and until when it counts."""
        from baeum.home import now
        from issuer.key_history import history
        from ledger.institutions import require

        with _home() as home, home.database.reading() as session:
            if institution is not None:
                require(session, institution)
            entries = history(session, institution)
        if as_json:
            print_json({"keys": [entry.to_json(now()) for entry in entries]})
            return
        if not entries:
            out.print(tr(Text("키가 없습니다", "There are no keys")))
        for entry in entries:
            _show(entry)

    @keys.command(epilog="Example: `baeum keys rotate seoul-citizens-university`")
    def rotate(
        institution: Institution,
        algorithm: Algorithm = "ed25519",
        overlap: Annotated[
            float, typer.Option(min=0.01, max=90, help="Days the old key still counts.")
        ] = 7.0,
        web: Annotated[
            bool, typer.Option("--web", help="Sign under did:web at the public address from now.")
        ] = False,
        backend: Backend = None,
        as_json: AsJson = False,
    ) -> None:
        """Give an institution a new key in turn; the old one counts until the overlap is over."""
        from baeum import operations
        from baeum.home import now
        from issuer.rotation import rotate as run
        from issuer.rotation import settle

        _check(algorithm, backend)
        with _home() as home:
            registry = home.gateway()
            settle(home.database, registry)
            done = run(
                home.database,
                home.keystore,
                registry,
                institution,
                now(),
                algorithm=algorithm,
                did=home.web_did(institution) if web else None,
                backend=backend,
                overlap=timedelta(days=overlap),
            )
            operations.publish(home)
        _say(done, as_json)

    @keys.command(
        epilog="Example: `baeum keys replace seoul-citizens-university "
        '--compromised-at 2026-11-20T09:00+09:00 --reason "laptop lost"`'
    )
    def replace(
        institution: Institution,
        compromised_at: Annotated[
            str, typer.Option(help="Since when others may have the key (ISO 8601 with zone).")
        ],
        reason: Annotated[str, typer.Option(help="Why; kept in the key's history.")],
        algorithm: Algorithm = "ed25519",
        backend: Backend = None,
        margin: Annotated[
            float,
            typer.Option(
                min=1, max=3600, help="Seconds ahead the end is set: to be mined by then."
            ),
        ] = 60.0,
        as_json: AsJson = False,
    ) -> None:
        """Take a lost key out of use at once; what it signed since then is revoked and made anew.

        What was anchored before stays good. Run `baeum issue` and `baeum anchor` afterwards.
        """
        from baeum import operations
        from baeum.home import now
        from issuer.rotation import replace as run
        from issuer.rotation import settle

        _check(algorithm, backend)
        lost = _moment(compromised_at)
        with _home() as home:
            registry = home.gateway()
            settle(home.database, registry)
            done = run(
                home.database,
                home.keystore,
                registry,
                institution,
                lost,
                reason,
                now(),
                algorithm=algorithm,
                backend=backend,
                soon=timedelta(seconds=margin),
            )
            operations.publish(home)
        _say(done, as_json)

    @hsm.command(
        epilog="Example: `BAEUM_PKCS11_PIN_FILE=pin baeum keys hsm init "
        "--module /usr/lib/softhsm/libsofthsm2.so --token baeum`"
    )
    def init(
        module: Annotated[Path | None, typer.Option(help="The vendor's PKCS#11 library.")] = None,
        token: Annotated[str | None, typer.Option(help="The token's label.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Open the token, see whether it can do what is needed, and say how to use it."""
        from baeum.home import token_place
        from issuer.keys.token import open_token

        with _home() as home:
            place = token_place(home.settings, module, token)
        if place is None:
            raise ArgumentInvalid(
                Text("토큰이 정해지지 않았습니다", "No token is named"),
                Text(
                    "--module과 --token을 적거나 BAEUM_PKCS11_MODULE과 BAEUM_PKCS11_TOKEN을 "
                    "설정해 주세요",
                    "Give --module and --token, or set BAEUM_PKCS11_MODULE and BAEUM_PKCS11_TOKEN",
                ),
            )
        info = open_token(place).info()
        if info.missing:
            listed = ", ".join(info.missing)
            raise TokenLacks(
                Text(f"없는 기능: {listed}", f"Missing: {listed}"),
                Text("펌웨어를 올리거나 다른 토큰을 써 주세요", "Update it, or use another token"),
                {"missing": list(info.missing)},
            )
        settings = {
            "BAEUM_PKCS11_MODULE": str(place.module.absolute()),
            "BAEUM_PKCS11_TOKEN": place.label,
        }
        if as_json:
            print_json(
                {
                    "token": info.label,
                    "manufacturer": info.manufacturer,
                    "model": info.model,
                    "serial": info.serial,
                    "settings": settings,
                }
            )
            return
        out.print(
            tr(
                Text(
                    f"토큰 {info.label} ({info.manufacturer}, {info.model}, {info.serial})을 "
                    "쓸 수 있습니다. 아래 설정으로 새 키가 이 토큰에 만들어집니다:",
                    f"The token {info.label} ({info.manufacturer}, {info.model}, {info.serial}) "
                    "will do. With these settings new keys are made in it:",
                )
            ),
            markup=False,
        )
        for name, value in settings.items():
            out.print(f"  {name}={value}", markup=False, soft_wrap=True)


def _check(algorithm: str, backend: str | None) -> None:
    if algorithm not in ("ed25519", "p256") or backend not in (None, "file", "pkcs11"):
        raise ArgumentInvalid(
            Text(f"{algorithm} / {backend}", f"{algorithm} / {backend}"),
            Text(
                "알고리즘은 ed25519나 p256, 저장소는 file이나 pkcs11입니다",
                "The algorithm is ed25519 or p256, the backend file or pkcs11",
            ),
        )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
    except ValueError as error:
        raise ArgumentInvalid(
            Text(
                f"시간대가 있는 시각이 아닙니다: {text[:60]}",
                f"Not a time with a zone: {text[:60]}",
            ),
            Text("예: 2026-11-20T09:00+09:00", "For example 2026-11-20T09:00+09:00"),
        ) from error
    return moment.astimezone(UTC)


_STATES = {
    "next": Text("준비됨", "made, not in use"),
    "active": Text("사용 중", "in use"),
    "retiring": Text("곧 끝남", "ending"),
    "retired": Text("끝남", "ended"),
    "compromised": Text("유출로 폐기", "lost"),
}


def _show(entry: KeyEntry) -> None:
    from baeum.home import now

    until = f"  → {seoul_time(entry.ends_at)}" if entry.ends_at is not None else ""
    state = tr(_STATES[entry.state_at(now())])
    out.print(
        f"{entry.institution}  {entry.algorithm} #{entry.number} ({entry.backend})  {state}{until}",
        markup=False,
        soft_wrap=True,
    )
    out.print(f"    {entry.method}", markup=False, soft_wrap=True)


def _say(done: Rotation, as_json: bool) -> None:
    from baeum.home import now

    if as_json:
        print_json(done.to_json(now()))
        return
    if done.old is not None:
        _show(done.old)
    _show(done.new)
    if done.revoked:
        count = len(done.revoked)
        out.print(
            tr(
                Text(
                    f"증명 {count:,}건을 취소했습니다. baeum issue와 baeum anchor를 실행하면 "
                    "새 키로 다시 발급합니다.",
                    f"{count:,} credentials were revoked; baeum issue and baeum anchor make them "
                    "anew with the new key.",
                )
            )
        )
