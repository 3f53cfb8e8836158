"""``baeum bench``: the benchmarks of ``scripts/bench``, each with what the hardware allows."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from baeum.console import out, print_json
from credential.errors import BaeumError
from credential.text import Text

BENCH = Path(__file__).resolve().parent.parent.parent / "scripts" / "bench"


class BenchMissing(BaeumError):
    """The benchmarks come with the source checkout only."""

    code = "bench-missing"
    title = Text("측정 도구가 없습니다", "The benchmarks are not here")


def load(name: str) -> ModuleType:
    """A benchmark of the checkout. Raises ``BenchMissing``."""
    path = BENCH / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"baeum_bench_{name}", path)
    if spec is None or spec.loader is None or not path.exists():
        raise BenchMissing(
            Text(f"{path} 파일이 없습니다", f"There is no {path}"),
            Text("소스를 내려받은 폴더에서 실행해 주세요", "Run it in a source checkout"),
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def show(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for key, value in result.items():
        out.print(
            f"  {key:<24} {value:,}" if isinstance(value, int | float) else f"  {key}: {value}"
        )


def register(app: typer.Typer) -> None:
    bench = typer.Typer(help="Benchmarks, with the floor beside each.", no_args_is_help=True)
    app.add_typer(bench, name="bench")

    @bench.command(epilog="Example: `baeum bench issue --count 100000 --json`")
    def issue(
        count: Annotated[int, typer.Option(min=1, help="Credentials.")] = 100_000,
        as_json: Annotated[bool, typer.Option("--json")] = False,
    ) -> None:
        """Sign, store, seal and anchor in one transaction."""
        show(load("issue").run(count), as_json=as_json)

    @bench.command(epilog="Example: `baeum bench verify --count 2000 --json`")
    def verify(
        count: Annotated[int, typer.Option(min=1, help="Verifications.")] = 2_000,
        as_json: Annotated[bool, typer.Option("--json")] = False,
    ) -> None:
        """Verify single credentials with everything warm."""
        show(load("verify").run(count), as_json=as_json)

    @bench.command(epilog="Example: `baeum bench tree --count 1000000 --json`")
    def tree(
        count: Annotated[int, typer.Option(min=1, help="Leaves of one batch.")] = 1_000_000,
        as_json: Annotated[bool, typer.Option("--json")] = False,
    ) -> None:
        """Build the Merkle tree of one batch and take single proofs out of it."""
        show(load("tree").run(count), as_json=as_json)
