"""What people see in a terminal: sentences in their language, progress bars, tables, JSON.

Results go to standard output, everything else to standard error, so that ``--json`` can be piped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from credential.errors import BaeumError
from credential.text import Text

SEOUL = ZoneInfo("Asia/Seoul")

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)


def language() -> Literal["ko", "en"]:
    """``ko`` or ``en``: BAEUM_LANG, else the locale, else English."""
    for name in ("BAEUM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


def tr(text: Text) -> str:
    """The sentence in the reader's language."""
    return text.ko if language() == "ko" else text.en


def seoul_time(instant: datetime) -> str:
    """An instant as people in Seoul read it."""
    return instant.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M:%S KST")


def seoul_day(instant: str) -> str:
    """The day in Seoul of an RFC 3339 instant."""
    return datetime.fromisoformat(instant).astimezone(SEOUL).date().isoformat()


def hours(minutes: int) -> str:
    """Minutes as hours and minutes; never rounded up."""
    whole, rest = divmod(minutes, 60)
    if rest and not whole:
        return f"{rest}분" if language() == "ko" else f"{rest} min"
    if language() == "ko":
        return f"{whole:,}시간 {rest}분" if rest else f"{whole:,}시간"
    return f"{whole:,} h {rest} min" if rest else f"{whole:,} h"


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.buffer.write(
        orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    sys.stdout.buffer.flush()


def print_error(error: BaeumError, *, as_json: bool) -> None:
    """What is wrong and what to do next."""
    if as_json:
        print_json({"error": error.to_json()})
        return
    err.print(f"[bold red]✗ {tr(error.title)}[/]", soft_wrap=True)
    err.print(f"  {tr(error.detail)}", soft_wrap=True, markup=False)
    if error.remedy is not None:
        err.print(f"  → {tr(error.remedy)}", soft_wrap=True, markup=False)


def print_usage(message: str) -> None:
    """A command line that cannot be understood; empty when the help was shown already."""
    if not message.strip():
        return
    err.print(message, markup=False, soft_wrap=True)
    hint = Text("baeum --help에 명령이 있습니다", "baeum --help lists the commands")
    err.print(f"  → {tr(hint)}")


@contextmanager
def progress(label: Text, *, quiet: bool = False) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar with time left; the block calls what it is given with (done, total)."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        console=err,
        disable=quiet,
    ) as bars:
        task = bars.add_task(tr(label), total=None)

        def advance(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=total)

        yield advance
