"""``baeum bench``: the benchmarks of ``scripts/bench``, beside what the hardware allows.

Every run is a process of its own, so that neither memory nor warm caches leak from one into the
next; what is shown is the median of the runs, and how far they were apart.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from rich.table import Table

from baeum.console import out, print_json, progress
from credential.errors import BaeumError
from credential.text import Text

BENCH = Path(__file__).resolve().parent.parent.parent / "scripts" / "bench"
DEFAULTS = {"issue": 100_000, "verify": 20_000, "tree": 1_000_000, "status": 10_000}

Count = Annotated[
    int | None, typer.Option(min=1, help="How many; the benchmark's own if left out.")
]
Runs = Annotated[int, typer.Option(min=1, max=99, help="Runs to take the median of.")]
AsJson = Annotated[bool, typer.Option("--json", help="Medians as JSON, each run under `runs`.")]


class BenchFailed(BaeumError):
    """A benchmark is not here, or ended with an error."""

    code = "bench-failed"
    title = Text("측정하지 못했습니다", "The benchmark could not be run")
    status: ClassVar[int] = 500


def measure(
    name: str, count: int, runs: int, *, quiet: bool, options: Sequence[str] = ()
) -> dict[str, Any]:
    """Medians of ``runs`` runs, and the runs. Raises ``BenchFailed``."""
    path = BENCH / f"{name}.py"
    if not path.exists():
        raise BenchFailed(
            Text(f"{path} 파일이 없습니다", f"There is no {path}"),
            Text("소스를 내려받은 폴더에서 실행해 주세요", "Run it in a source checkout"),
        )
    found: list[dict[str, Any]] = []
    with progress(Text(f"측정 {name}", f"Measuring {name}"), quiet=quiet) as advance:
        advance(0, runs)
        for number in range(runs):
            result = subprocess.run(
                [sys.executable, str(path), "--count", str(count), *options],
                capture_output=True,
                text=True,
                check=False,
            )
            if result.returncode != 0:
                last = (result.stderr.strip().splitlines() or ["?"])[-1]
                raise BenchFailed(
                    Text(f"{name}: {last}", f"{name}: {last}"),
                    Text(f"python {path}를 직접 실행해 보세요", f"Run python {path} to see more"),
                )
            found.append(json.loads(result.stdout.splitlines()[-1]))
            advance(number + 1, runs)
    medians = {
        key: statistics.median(run[key] for run in found)
        for key, value in found[0].items()
        if isinstance(value, int | float)
    }
    return medians | {"runs": found}


def show(name: str, result: dict[str, Any]) -> None:
    """A table: what was measured, its median, the smallest and the largest."""
    table = Table(title=f"{name} ({len(result['runs'])} runs)", box=None, title_justify="left")
    for title in ("", "median", "min", "max"):
        table.add_column(title, justify="left" if not title else "right")
    for key, median in result.items():
        if key != "runs":
            values = [run[key] for run in result["runs"]]
            table.add_row(key, f"{median:,}", f"{min(values):,}", f"{max(values):,}")
    out.print(table)


def register(app: typer.Typer) -> None:
    bench = typer.Typer(help="Benchmarks, with the floor beside each.", no_args_is_help=True)
    app.add_typer(bench, name="bench")

    def add(name: str, doc: str) -> None:
        def command(count: Count = None, runs: Runs = 3, as_json: AsJson = False) -> None:
            result = measure(name, count or DEFAULTS[name], runs, quiet=as_json)
            if as_json:
                print_json(result)
            else:
                show(name, result)

        command.__doc__ = doc
        bench.command(
            name, epilog=f"Example: `baeum bench {name} --count {DEFAULTS[name]} --json`"
        )(command)

    add("issue", "Sign, store, seal and anchor in one transaction.")
    add("verify", "Verify in bulk on all cores, and single credentials, with everything warm.")
    add("tree", "Build the Merkle tree of one batch and take single proofs out of it.")
    add("status", "Revoke and publish the lists that say so.")

    @bench.command(
        "credit",
        epilog="Example: `baeum bench credit --learners 1000000 --records-per-learner 20 --json`",
    )
    def credit(
        learners: Annotated[int, typer.Option(min=1, help="Learners to decide.")] = 100_000,
        records_per_learner: Annotated[
            int, typer.Option(min=1, max=500, help="Records of each learner.")
        ] = 20,
        database: Annotated[
            str | None,
            typer.Option(
                help="URL of a database to fill once and keep; a temporary SQLite file if left out."
            ),
        ] = None,
        policy: Annotated[
            str, typer.Option(help="Name of a bundled policy.")
        ] = "seoul.citizen-degree@2025.1",
        runs: Annotated[int, typer.Option(min=1, max=99, help="Runs to take the median of.")] = 1,
        as_json: AsJson = False,
    ) -> None:
        """Decide the degrees of a whole city from the database."""
        options = ["--records-per-learner", str(records_per_learner), "--policy", policy]
        options += ["--database", database] if database else []
        result = measure("credit", learners, runs, quiet=as_json, options=options)
        if as_json:
            print_json(result)
        else:
            show("credit", result)

    @bench.command("all", epilog="Example: `baeum bench all`")
    def every(runs: Runs = 3, as_json: AsJson = False) -> None:
        """Every benchmark with its own count."""
        results = {
            name: measure(name, count, runs, quiet=as_json) for name, count in DEFAULTS.items()
        }
        if as_json:
            print_json(results)
            return
        for name, result in results.items():
            show(name, result)
