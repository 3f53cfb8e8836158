"""The ``baeum`` command. Exit 0: yes. 1: no. 2: could not tell, or the input was bad."""

from __future__ import annotations

import errno
import importlib
import sys

import typer
from typer.exceptions import TyperException

from baeum import __version__
from baeum.console import print_error, print_usage
from credential.errors import BaeumError
from credential.text import Text

COMMANDS = (
    "demo",
    "serve",
    "intake",
    "issuing",
    "handing_out",
    "keys",
    "checking",
    "degrees",
    "prospects",
    "awards",
    "awards_papers",
    "access",
    "wallet",
    "bench",
)
"""Modules of ``baeum.commands``; each adds its commands to the application."""


class _DiskFull(BaeumError):
    code = "disk-full"
    title = Text("디스크가 가득 찼습니다", "The disk is full")


def application() -> typer.Typer:
    """The command line with every command registered; heavy imports wait until one runs."""
    app = typer.Typer(
        name="baeum",
        add_completion=False,
        help="Baeum (배움): the learning ledger of a city.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        version: bool = typer.Option(False, "--version", help="Show the version.", is_eager=True),
    ) -> None:
        if version:
            typer.echo(f"baeum {__version__}")
            raise typer.Exit

    for name in COMMANDS:
        importlib.import_module(f"baeum.commands.{name}").register(app)
    return app


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    as_json = "--json" in arguments
    try:
        result = application()(arguments, prog_name="baeum", standalone_mode=False)
    except BaeumError as error:
        print_error(error, as_json=as_json)
        return 2
    except typer.Exit as stop:
        return stop.exit_code
    except TyperException as error:
        print_usage(error.format_message())
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away; Python would complain about it once more
        return 141
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        full = _DiskFull(
            Text(f"쓸 공간이 없습니다: {error.filename}", f"No space left for {error.filename}"),
            Text(
                "공간을 비운 뒤 같은 명령을 다시 실행하면 이어서 진행합니다",
                "Free some space and run the same command again; it goes on where it stopped",
            ),
        )
        print_error(full, as_json=as_json)
        return 2
    return result if isinstance(result, int) else 0


def main() -> None:
    """Entry point of the ``baeum`` script."""
    sys.exit(run(sys.argv[1:]))
