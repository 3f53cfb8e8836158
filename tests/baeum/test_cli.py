"""The command line as a whole: help with an example, JSON, exit codes, one message per failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from baeum.cli import application, run


def commands() -> Iterator[tuple[str, click.Command]]:
    def walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield name, command
        else:
            for child, inner in children.items():
                yield from walk(f"{name} {child}".strip(), inner)

    yield from walk("", typer.main.get_command(application()))


ALL = dict(commands())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BAEUM_LANG", "en")
    return tmp_path / "home"


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = ALL[name]
    assert command.help
    assert command.epilog is not None
    assert f"baeum {name}" in command.epilog


@pytest.mark.parametrize("name", sorted(set(ALL) - {"serve", "evidence", "wallet export"}))
def test_every_command_that_answers_can_answer_in_json(name: str) -> None:
    options = {option for parameter in ALL[name].params for option in parameter.opts}
    assert "--json" in options or name == "wallet paper"


def test_an_unknown_option_is_bad_input() -> None:
    assert run(["verify", "--no-such-option"]) == 2


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_failure_is_one_message_with_its_remedy(
    home: Path, language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAEUM_LANG", language)
    assert run(["verify", "absent.json"]) == 2
    message = capsys.readouterr().err
    assert "absent.json" in message
    assert "→" in message
    assert "Traceback" not in message


def test_with_json_the_failure_is_json_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "absent.json", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "file-unreadable"
    assert error["remedy"]["ko"]
    assert error["remedy"]["en"]


def test_before_anything_is_set_up_it_says_what_to_run(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["issue", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not-set-up"


def test_reading_commands_leave_no_home_behind(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert run(["verify", "x.json"]) == 1
    assert not home.exists()
