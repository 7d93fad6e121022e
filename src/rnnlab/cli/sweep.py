"""``rnnlab sweep``: learning rate x size x cell x seed on the user's data, as a table, a map and a report."""

import json as jsonlib
import shlex
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from rnnlab.cli.bar import Bar
from rnnlab.cli.options import flags, given, words
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data.config import DataConfig
from rnnlab.errors import ConfigError
from rnnlab.sweeps.settings import SweepConfig
from rnnlab.task_config import TaskConfig

if TYPE_CHECKING:
    from rnnlab.engine import Engine
    from rnnlab.sweeps import Sweep, Sweeping
    from rnnlab.training.fit import Plan

# What the sweep itself decides is no flag of the training's.
DECIDED = ("seed", "max_seconds")
TRAINED = SimpleNamespace(
    model_fields={name: field for name, field in TrainConfig.model_fields.items() if name not in DECIDED}
)
MODEL, TRAINING = "Model: a,b,c tries each", "Training: a,b,c tries each"
GROUPS = {
    "Sweep": SweepConfig,
    "Data": DataConfig,
    "Examples": TaskConfig,
    MODEL: ModelConfig,
    TRAINING: TRAINED,
}


@flags(GROUPS, found=(MODEL, TRAINING), skip=("data",), lists=(MODEL, TRAINING))
def sweep(
    data: str,
    /,
    *,
    out: Path | None = None,
    device: str = "cpu",
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    workers: int | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
    **options: Any,
) -> int:
    """Train every combination of learning rates, sizes, cells and seeds, in stacks. Leave a table, a map and the best runs.

    Examples:
    rnnlab sweep names/
    rnnlab sweep binary --lr 0.001,0.003,0.01 --hidden-size 8,16,32 --cell rnn,lstm,gru --seeds 5
    rnnlab sweep sales.csv --time date --value sales --search optuna --lr 1e-4:1e-1 --hidden-size 8:64 --trials 40

    Flags of Model and Training take lists (a,b,c); with --search random or optuna ranges (LOW:HIGH) too. Without --lr, rates
    from 0.001 to 0.03 are tried; without --hidden-size, what suits the data, half and a quarter of it.

    What is done is kept: after Ctrl-C the same command goes on.

    Args:
        data: a file (CSV, TSV, JSON lines, Parquet; compressed or not), a folder of LABEL.txt, or built-in: names, sales, binary.
        out: a folder for sweep.csv, sweep.json, report.html and runs/. [default: sweeps/DATA, and -2, -3 for other sweeps]
        device: cpu, cuda, ...
        engine: local (processes of this machine) or ray (a cluster; rnnlab[ray]).
        address: of the Ray cluster, HOST:PORT or auto; one of this machine is started unless said.
        workers: processes. [default: one a core]
        json: print the results as JSON, and nothing else, on stdout.
    """
    asked = given(options)
    SweepConfig(**{name: value for name, value in asked.items() if name in SweepConfig.model_fields})
    if workers is not None and workers < 1:
        raise ConfigError(f"workers must be at least 1, got {workers}; leave --workers out for one a core")
    if address is not None and engine != "ray":
        raise ConfigError(f"address must come with --engine ray, got {address!r} alone; add --engine ray")
    from rnnlab.sweeps import prepare

    count = workers or (1 if device != "cpu" else None)
    opened = partial(_open, engine=engine, address=address, workers=count, memory=asked.get("memory"))
    sweeping = prepare(data, asked, device=device, open_engine=opened)
    folder = out or _own_folder(sweeping)
    sweeping.keep_in(folder)
    interrupted = _watch(sweeping, folder, quiet=json)
    command = shlex.join(["rnnlab", "sweep", Path(data).name, *words(asked)])
    found, page = _write(sweeping, folder, command)
    if json:
        print(jsonlib.dumps({"report": str(page), **found.to_dict()}, ensure_ascii=False, allow_nan=False))
    else:
        _conclude(found, page)
    if interrupted:
        left = found.planned - len(found.rows)
        print(
            f"rnnlab: interrupted with {left} runs to go; what is done is kept, the same command goes on",
            file=sys.stderr,
        )
    return 130 if interrupted else 0


def _open(plan: "Plan", *, engine: str, address: str | None, workers: int | None, memory: float | None) -> "Engine":
    from rnnlab.engine import engine as opened

    return opened(engine, plan, address=address, workers=workers, memory=memory, preload=["rnnlab.sweeps.stack_work"])


def _own_folder(sweeping: "Sweeping") -> Path:
    """Return the folder of this very sweep, where it was begun before, or the first that is free."""
    from rnnlab.sweeps.store import asked
    from rnnlab.training.fit import fresh_folder

    name, mine = sweeping.plan.task.name, sweeping.asked()
    for folder in sorted(Path("sweeps").glob(f"{name}*"), key=lambda path: (len(path.name), path.name)):
        if asked(folder) == mine:
            return folder
    return fresh_folder(Path("sweeps"), name)


def _watch(sweeping: "Sweeping", folder: Path, *, quiet: bool) -> bool:
    """Sweep, and show how far it is; return whether the user broke it off."""
    bar = Bar(quiet=quiet)
    bar.say(_introduce(sweeping, folder))
    try:
        with bar:
            for step in sweeping:
                bar.show(step.title, step.spent)
    except KeyboardInterrupt:
        return True
    return False


def _introduce(sweeping: "Sweeping", folder: Path) -> str:
    from rnnlab.engine.memory import said

    task = sweeping.plan.task
    parts = ", ".join(f"{len(task.part(name)):,} {name}" for name in ("train", "validation", "test"))
    stacks, largest = sweeping.stacks, max(stack.size for stack in sweeping.stacks)
    first = "the first " if sum(len(stack.configs) for stack in stacks) < sweeping.planned else ""
    done = f", {sweeping.known} of them done before" if sweeping.known else ""
    return (
        f"{task.name}: {task.kind}, {parts}; {_count(sweeping.planned, 'run')}{done}; "
        f"{first}{_count(len(stacks), 'stack')} on {_count(sweeping.workers, 'worker')}, at most {said(largest)} each -> {folder}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def _write(sweeping: "Sweeping", folder: Path, command: str) -> "tuple[Sweep, Path]":
    from rnnlab.doctor import examine
    from rnnlab.reports import write_report
    from rnnlab.runs import environment
    from rnnlab.sweeps.report import study_of

    sweeping.write(examine)
    found = sweeping.result()
    left = found.planned - len(found.rows)
    page = write_report(
        [study_of(found)], folder, title=f"Sweep on {found.task}",
        subtitle="" if found.complete else f"Interrupted: {left} of {found.planned} runs are not done.",
        environment=environment(), command=command,
    )  # fmt: skip
    return found, page


def _conclude(found: "Sweep", page: Path) -> None:
    from rnnlab.sweeps.report import answer

    for line in _lines(found):
        print(line)
    print(f"{page}  ({found.seconds:.0f} s)\n")
    for sentence in answer(found):
        print(sentence)


def _lines(found: "Sweep") -> list[str]:
    """Return the map as text: sizes down, rates across, a table a cell; what was lost stands behind the figure."""
    if not found.map:
        return []
    rates = sorted({place.lr for place in found.map})
    lines = [f"{found.metric} on the validation part, mean of the seeds; (n%) diverged"]
    for cell in dict.fromkeys(place.cell for place in found.map):
        places = {(place.hidden_size, place.lr): place for place in found.map if place.cell == cell}
        lines += ["", f"{cell:<14}" + "".join(f"{f'lr {rate:.3g}':>14}" for rate in rates)]
        for size in sorted({size for size, _ in places}):
            shown = [_place(places.get((size, rate))) for rate in rates]
            lines.append(f"hidden {size:<7}" + "".join(f"{text:>14}" for text in shown))
    return [*lines, ""]


def _place(place: Any) -> str:
    if place is None or (place.score is None and not place.diverged):
        return "-"
    lost = f" ({place.diverged:.0%})" if place.diverged else ""
    return f"{'-' if place.score is None else f'{place.score:.4g}'}{lost}"
