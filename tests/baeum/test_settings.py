"""Settings come from the environment and the file, and a wrong one is named."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from baeum.settings import Settings, SettingsInvalid, load, passphrase, secret


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "PASSPHRASE", "PASSPHRASE_FILE", "CHAIN_URL", "DATABASE_URL"):
        monkeypatch.delenv(f"BAEUM_{name}", raising=False)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "baeum.toml").write_text('home = "from-file"\nworkers = 3\n')
    assert load().home == tmp_path / "from-file"
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path / "from-env"))
    settings = load()
    assert settings.home == tmp_path / "from-env"
    assert settings.workers == 3


def test_without_anything_it_is_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    settings = load()
    assert settings.home == tmp_path / "data" / "baeum"
    assert settings.database == f"sqlite:///{tmp_path / 'data' / 'baeum' / 'baeum.db'}"
    assert settings.embedded_chain


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("confirmations = 0", "confirmations"),
        ("wrokers = 2", "wrokers"),
        ('workers = "many"', "workers"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "baeum.toml").write_text(content)
    with pytest.raises(SettingsInvalid, match=named) as raised:
        load()
    assert raised.value.remedy is not None


def test_a_secret_is_made_once_and_is_the_owners(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(secret(settings, "passphrase")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) >= 40
    files = list((tmp_path / "secrets").iterdir())
    assert [file.name for file in files] == ["passphrase"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_the_passphrase_is_given_or_read_or_made(tmp_path: Path) -> None:
    file = tmp_path / "passphrase.txt"
    file.write_text("from a file\n")
    assert passphrase(Settings(home=tmp_path, passphrase="swordfish")) == "swordfish"
    assert passphrase(Settings(home=tmp_path, passphrase_file=file)) == "from a file"
    assert passphrase(Settings(home=tmp_path)) == secret(Settings(home=tmp_path), "passphrase")
    with pytest.raises(SettingsInvalid):
        passphrase(Settings(home=tmp_path, passphrase_file=tmp_path / "absent"))
    assert "swordfish" not in repr(Settings(home=tmp_path, passphrase="swordfish"))
