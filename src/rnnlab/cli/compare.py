"""``rnnlab compare``: cells against each other and against baselines on the user's data; the last lines are the verdict."""

import json as jsonlib
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rnnlab.cli.bar import Bar
from rnnlab.cli.options import flags, given, words
from rnnlab.comparison.settings import ComparisonConfig
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data.config import DataConfig
from rnnlab.errors import ConfigError
from rnnlab.task_config import TaskConfig

if TYPE_CHECKING:
    from rnnlab.comparison import Comparing, Comparison

# What the comparison itself decides is no flag of the model's or the training's.
DECIDED = ("cell", "hidden_size", "lr", "seed", "max_seconds")
MODEL, TRAINING = (
    SimpleNamespace(model_fields={name: field for name, field in config.model_fields.items() if name not in DECIDED})
    for config in (ModelConfig, TrainConfig)
)
GROUPS = {
    "Comparison": ComparisonConfig,
    "Data": DataConfig,
    "Examples": TaskConfig,
    "Model": MODEL,
    "Training": TRAINING,
}


@flags(GROUPS, found=("Model", "Training"), skip=("data",))
def compare(
    data: str,
    /,
    *,
    out: Path | None = None,
    device: str = "cpu",
    workers: int | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
    **options: Any,
) -> int:
    """Compare cells on your data: equal tuning budgets, as many weights, the same seeds, and baselines without a network.

    Examples:
    rnnlab compare names/
    rnnlab compare people.csv --text name --target origin --cells lstm,gru --seeds 10
    rnnlab compare sales.csv --time date --value sales --horizon 7

    Args:
        data: a file (CSV, TSV, JSON lines, Parquet; compressed or not), a folder of LABEL.txt, or built-in: names, sales, binary.
        out: a folder for comparison.json, report.html and runs/CELL. [default: compare/DATA, and -2, -3 where that is taken]
        device: cpu, cuda, ...
        workers: processes, one a cell at most. [default: one a core]
        json: print the comparison as JSON, and nothing else, on stdout.
    """
    asked = given(options)
    ComparisonConfig(**{name: value for name, value in asked.items() if name in ComparisonConfig.model_fields})
    if workers is not None and workers < 1:
        raise ConfigError(f"workers must be at least 1, got {workers}; leave --workers out for one a core")
    from rnnlab.comparison import prepare
    from rnnlab.training.fit import fresh_folder

    comparing = prepare(data, asked, device=device, workers=workers or os.cpu_count() or 1)
    folder = out or fresh_folder(Path("compare"), comparing.task.name)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"out must be a folder, got the file {folder}; choose another --out")
    _keep(comparing, folder)
    interrupted = _watch(comparing, folder, quiet=json)
    command = shlex.join(["rnnlab", "compare", Path(data).name, *words(asked)])
    comparison, page = _write(comparing, folder, command)
    if json:
        print(jsonlib.dumps({"report": str(page), **comparison.to_dict()}, ensure_ascii=False, allow_nan=False))
    else:
        _conclude(comparison, page)
    if interrupted:
        print("rnnlab: interrupted; the report holds the cells that were done", file=sys.stderr)
    return 130 if interrupted else 0


def _keep(comparing: "Comparing", folder: Path) -> None:
    """Write what is there so far; also finds out, before hours are spent, whether the folder can be written."""
    from rnnlab.runs import to_json, write_whole

    write_whole(folder / "comparison.json", to_json(comparing.result().to_dict()))


def _watch(comparing: "Comparing", folder: Path, *, quiet: bool) -> bool:
    """Compare, and show how far it is; keep every cell as it is done; return whether the user broke it off."""
    bar, done = Bar(quiet=quiet), 0
    bar.say(_introduce(comparing, folder))
    try:
        with bar:
            for step in comparing:
                bar.show(step.title, step.spent)
                if len(comparing.cells) > done:
                    done = len(comparing.cells)
                    _keep(comparing, folder)
    except KeyboardInterrupt:
        return True
    return False


def _introduce(comparing: "Comparing", folder: Path) -> str:
    task, config = comparing.task, comparing.config
    parts = ", ".join(f"{len(task.part(name)):,} {name}" for name in ("train", "validation", "test"))
    sizes = ", ".join(f"{cell} {model.hidden_size}" for cell, model in comparing.models.items())
    runs, steps = comparing.cost
    tuned = f"{len(config.rates)} learning rates and " if len(config.rates) > 1 else ""
    seeds = f"{config.seeds} seed{'s' * (config.seeds > 1)}"
    return (
        f"{task.name}: {task.kind}, {parts}; {sizes} -> {folder}\n"
        f"{runs} runs of {steps:,} updates: {tuned}{seeds} of each cell; fewer with --seeds, --rates, --epochs or --max-steps"
    )


def _write(comparing: "Comparing", folder: Path, command: str) -> "tuple[Comparison, Path]":
    from rnnlab.comparison.report import study_of
    from rnnlab.doctor import examine
    from rnnlab.reports import write_report
    from rnnlab.runs import environment, save, to_json, write_whole
    from rnnlab.runs.folder import located

    comparison = comparing.result()
    examined = {
        cell: (replace(first, findings=examine(first, comparing.task)), *rest)
        for cell, (first, *rest) in comparing.runs.items()
    }
    for cell, (first, *_) in examined.items():
        save(located(first, folder / "runs" / cell), folder / "runs" / cell)
    write_whole(folder / "comparison.json", to_json(comparison.to_dict()))
    missing = [cell for cell in comparing.models if cell not in comparing.cells]
    page = write_report(
        [study_of(comparison, examined)], folder, title=f"Comparison on {comparison.task}",
        subtitle="" if comparison.complete else f"Interrupted: not done are {', '.join(missing)}.",
        environment=environment(), command=command,
    )  # fmt: skip
    return comparison, page


def _conclude(comparison: "Comparison", page: Path) -> None:
    for line in _lines(comparison):
        print(line)
    for note in comparison.notes:
        print(note)
    print(f"{page}  ({comparison.seconds:.0f} s)\n")
    for verdict in comparison.verdicts:
        print(verdict)


def _lines(comparison: "Comparison") -> list[str]:
    """Return a table: networks with the mean of their seeds, baselines below them."""
    rows: list[tuple[str, str, Mapping[str, float | None]]]
    rows = [
        (cell.title, f"{len(cell.sound)}", {name: _mean(cell.values(name)) for name in _names(comparison)})
        for cell in comparison.cells
    ]
    rows += [(one.title, "", one.metrics) for one in comparison.baselines]
    names = _names(comparison)
    width = max((len(title) for title, _, _ in rows), default=0)
    lines = ["  ".join([" " * width, "seeds", *(f"{name:>12}" for name in names)])]
    for title, seeds, metrics in rows:
        figures = (f"{metrics[name]:>12.4g}" if metrics.get(name) is not None else f"{'-':>12}" for name in names)
        lines.append("  ".join([f"{title:<{width}}", f"{seeds:>5}", *figures]))
    return lines


def _names(comparison: "Comparison") -> list[str]:
    found = [one.metrics for one in comparison.baselines] + [
        m for cell in comparison.cells for m in cell.sound.values()
    ]
    return list(dict.fromkeys(name for metrics in found for name in metrics))


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
