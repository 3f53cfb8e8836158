"""Settings: ``BAEUM_*`` environment variables first, then ``baeum.toml`` in the current directory.

The only place that reads either. Other rooms are handed what they need.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from credential.errors import BaeumError
from credential.text import Text

TOML_FILE = "baeum.toml"


class SettingsInvalid(BaeumError):
    """A setting is unknown, malformed or contradicts another."""

    code = "settings-invalid"
    title = Text("설정이 잘못되었습니다", "A setting is wrong")


def _user_data_home() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "baeum"


class Settings(BaseSettings):
    """Everything that can be configured, with the defaults of the embedded size."""

    model_config = SettingsConfigDict(
        env_prefix="BAEUM_", toml_file=TOML_FILE, extra="forbid", frozen=True
    )

    home: Path = Field(default_factory=_user_data_home)
    """All embedded state: database, chain, keys, published lists."""
    database_url: str | None = None
    """SQLAlchemy URL; default is SQLite in ``home``."""
    chain_url: str | None = None
    """Ethereum JSON-RPC endpoints, separated by commas; default is the embedded chain."""
    chain_quorum: int | None = Field(default=None, ge=1)
    """How many of several endpoints must agree; default is more than half."""
    chain_operator_name: str = ""
    """Who runs the chain, as shown in reports, when ``chain_url`` is given."""
    confirmations: int = Field(default=1, ge=1, le=10_000)
    """Blocks, the anchoring one included, before a batch is final."""
    max_fee_gwei: int = Field(default=200, ge=1)
    """No transaction offers more than this per unit of gas."""
    public_url: str = "http://127.0.0.1:8780"
    """Where the status lists are published; it is written into every credential."""
    vc_api_issuer: bool = False
    """Offers ``POST /credentials/issue`` and ``/credentials/status`` to holders of a token."""
    passphrase: SecretStr | None = None
    """Opens the key files; default is a file with a random one in ``home/secrets``."""
    passphrase_file: Path | None = None
    pkcs11_module: Path | None = None
    """The library of a PKCS#11 token; with it new signing keys are made in the token."""
    pkcs11_token: str | None = None
    """The token's label."""
    pkcs11_pin: SecretStr | None = None
    """Opens the token."""
    pkcs11_pin_file: Path | None = None
    templates: Path | None = None
    """A folder of further credential templates, one JSON file a kind."""
    signing: Literal["here", "process"] = "here"
    """``process``: each institution's keys are in a process of their own, one after another."""
    did_documents: Path | None = None
    """A folder of DID documents of others' did:web, for the verifier."""
    resolve_did_web: bool = False
    """Fetch DID documents of did:web that no trusted registry knows, at most once a day each."""
    blockcerts_nodes: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    """Nodes that anchors of Blockcerts are looked up on: ``eth:sepolia=https://…``, separated by
    commas. Without one of that chain the check is not run."""
    cryptosuite: Literal["eddsa-rdfc-2022", "eddsa-jcs-2022", "both"] = "eddsa-rdfc-2022"
    """How credentials are signed; ``both`` makes a proof set of the two."""
    workers: int = Field(default=2, ge=1, le=64)
    """Processes that sign."""
    trusted_networks: Annotated[list[Path], NoDecode] = Field(default_factory=list)
    """``network.json`` files a verifier trusts besides its own, separated by the path separator."""

    @field_validator("trusted_networks", mode="before")
    @classmethod
    def _split_paths(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [Path(part) for part in value.split(os.pathsep) if part]
        return value

    @field_validator("blockcerts_nodes", mode="before")
    @classmethod
    def _split_nodes(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        return {chain.strip(): url.strip() for chain, _, url in pairs}

    @field_validator("blockcerts_nodes")
    @classmethod
    def _known_chains(cls, value: dict[str, str]) -> dict[str, str]:
        from credential.merkle_proof_2019 import ETHEREUM

        for chain, url in value.items():
            if chain not in ETHEREUM:
                raise ValueError(f"no such chain: {chain}; known: {', '.join(ETHEREUM)}")
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{chain}: not an http(s) address")
        return value

    @model_validator(mode="after")
    def _enough_endpoints(self) -> Settings:
        if self.chain_url is not None and not self.chain_urls:
            raise ValueError("chain_url holds no address")
        if (self.chain_quorum or 1) > max(1, len(self.chain_urls)):
            raise ValueError("chain_quorum is greater than the number of addresses in chain_url")
        return self

    @field_validator("public_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{(self.home / 'baeum.db').resolve()}"

    @property
    def chain_urls(self) -> tuple[str, ...]:
        """The endpoints; none for the embedded chain."""
        parts = (self.chain_url or "").split(",")
        return tuple(part.strip() for part in parts if part.strip())

    @property
    def cryptosuites(self) -> tuple[str, ...]:
        """The suites of a credential's proof, or of its proof set."""
        both = ("eddsa-rdfc-2022", "eddsa-jcs-2022")
        return both if self.cryptosuite == "both" else (self.cryptosuite,)

    @property
    def embedded_chain(self) -> bool:
        return self.chain_url is None


def load(**overrides: Any) -> Settings:
    """Read the settings. Raises ``SettingsInvalid`` naming each wrong one."""
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or '?'}: {e['msg']}" for e in error.errors()
        )
        raise SettingsInvalid(
            Text(f"설정 오류: {wrong}", f"Settings: {wrong}"),
            Text(
                "환경 변수 BAEUM_* 또는 baeum.toml을 고쳐 주세요",
                "Correct the BAEUM_* environment variables or baeum.toml",
            ),
        ) from error
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def secret(settings: Settings, name: str) -> str:
    """A random secret of this home (``secrets/name``), made on first use, readable by its owner."""
    folder = settings.home / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    # Written whole under another name, then linked: a crash leaves no half secret, and of two
    # processes that start at once one wins and both read the same.
    fresh = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text(encoding="ascii").strip()


def passphrase(settings: Settings) -> str:
    """What opens the key files: the setting, the named file, or this home's own."""
    if settings.passphrase is not None:
        return settings.passphrase.get_secret_value()
    if settings.passphrase_file is not None:
        return _from_file(settings.passphrase_file, "BAEUM_PASSPHRASE_FILE")
    return secret(settings, "passphrase")


def pin(settings: Settings) -> str:
    """What opens the PKCS#11 token: the setting or the named file. Raises ``SettingsInvalid``."""
    if settings.pkcs11_pin is not None:
        return settings.pkcs11_pin.get_secret_value()
    if settings.pkcs11_pin_file is not None:
        return _from_file(settings.pkcs11_pin_file, "BAEUM_PKCS11_PIN_FILE")
    raise SettingsInvalid(
        Text("토큰의 PIN이 설정되지 않았습니다", "The token's PIN is not set"),
        Text(
            "BAEUM_PKCS11_PIN 또는 BAEUM_PKCS11_PIN_FILE을 설정해 주세요",
            "Set BAEUM_PKCS11_PIN or BAEUM_PKCS11_PIN_FILE",
        ),
    )


def _from_file(path: Path, name: str) -> str:
    """The secret in a file. Raises ``SettingsInvalid``."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsInvalid(
            Text(
                f"암호 파일을 읽을 수 없습니다: {path}", f"The secret file cannot be read: {path}"
            ),
            Text(f"{name} 경로와 권한을 확인해 주세요", f"Check the path in {name} and its rights"),
        ) from error
    if text:
        return text
    raise SettingsInvalid(
        Text(f"암호 파일이 비어 있습니다: {path}", f"The secret file is empty: {path}"),
        Text("파일에 암호를 적어 주세요", "Put the secret into the file"),
    )
