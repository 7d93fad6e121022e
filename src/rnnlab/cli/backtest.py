"""``rnnlab backtest``: forecasts of the past as they would have been made, fold by fold, beside the baselines."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rnnlab.cli.options import flags, given
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data.config import DataConfig
from rnnlab.task_config import TaskConfig

if TYPE_CHECKING:
    from rnnlab.training.backtest import Backtest, Backtesting

GROUPS = {"Data": DataConfig, "Examples": TaskConfig, "Model": ModelConfig, "Training": TrainConfig}


@flags(GROUPS, found=("Model", "Training"), skip=("data",))
def backtest(
    data: str,
    /,
    *,
    folds: int = 5,
    again: Annotated[bool, Parameter(negative=())] = False,
    out: Path | None = None,
    device: str = "cpu",
    json: Annotated[bool, Parameter(negative=())] = False,
    **options: Any,
) -> int:
    """Forecast the test part in folds, each from what lies before it, beside baselines that do the same.

    Examples:
    rnnlab backtest sales --horizon 7 --folds 5
    rnnlab backtest shops.csv --id shop --time day --value sales --known promo --horizon 7 --again

    One network, trained before the first fold, forecasts all of them; with --again one is trained for each fold.

    Args:
        data: a file (CSV, TSV, JSON lines, Parquet; compressed or not), or built-in: sales, sales_by_country.
        folds: parts of the test part, one behind the other.
        again: train for each fold on all that lies before it.
        out: a folder for backtest.json and the runs, fold-1, fold-2, ...
        device: cpu, cuda, ...
        json: print the result as JSON, and nothing else, on stdout.
    """
    from rnnlab.training.backtest import Backtesting

    backtesting = Backtesting(data, given(options), folds=folds, again=again, device=device)
    if out is not None:
        _check(out)
    _watch(backtesting, quiet=json)
    result = backtesting.result()
    if out is not None:
        _write(backtesting, result, out)
    if json:
        print(jsonlib.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False))
        return 0
    for line in _lines(result):
        print(line)
    print(f"trained {result.trained}{' for all folds' if result.trained == 'once' else ' for each fold'}")
    print(result.verdict)
    return 0


def _check(out: Path) -> None:
    from rnnlab.errors import OutputError

    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise OutputError(f"{out} must be a new or empty folder, got one that holds something; choose another --out")


def _write(backtesting: "Backtesting", result: "Backtest", out: Path) -> None:
    from rnnlab.runs import save, to_json, write_whole

    for run in backtesting.runs:
        save(run, out / run.name)
    write_whole(out / "backtest.json", to_json(result.to_dict()))


def _watch(backtesting: "Backtesting", *, quiet: bool) -> None:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("training", total=1.0)
        for _ in backtesting:
            progress.update(
                bar, completed=backtesting.spent, description=f"fold {backtesting.fold} of {len(backtesting.cuts)}"
            )


def _lines(result: "Backtest") -> list[str]:
    """Return a table: a row a fold with the metric of network and baselines, and their means."""
    heads = [result.cell, *result.titles.values(), "coverage"]
    widths = [max(10, len(head)) for head in heads]
    rows = [
        (
            f"{fold.number}  {fold.first} .. {fold.last}",
            [fold.metrics, *(fold.baselines[name] for name in result.titles)],
        )
        for fold in result.folds
    ]
    rows.append(("mean", [result.mean(), *(result.mean(name) for name in result.titles)]))
    wide = max(len(label) for label, _ in rows)
    lines = [
        "  ".join(
            [f"{result.metric:<{wide}}", *(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True))]
        )
    ]
    for label, found in rows:
        cells = [f"{one[result.metric]:.4g}" for one in found]
        cells.append(f"{found[0]['coverage']:.1%}" if "coverage" in found[0] else "-")
        lines.append(
            "  ".join([f"{label:<{wide}}", *(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))])
        )
    return lines
