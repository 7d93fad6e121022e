"""A sweep from what a user says: data and options, of which any may be a list; and `sweep`, which does it all."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rnnlab import engine as engines
from rnnlab.data import DataConfig, Source
from rnnlab.sweeps.result import Sweep
from rnnlab.sweeps.settings import OPTIONS, Range, SweepConfig, check_known, check_search, default_axes, separate
from rnnlab.sweeps.sweeping import Sweeping
from rnnlab.task_config import TaskConfig
from rnnlab.tasks import Task
from rnnlab.training.fit import Plan, plan
from rnnlab.training.recipes import configure


def sweep(
    data: str | Path | Source | Task,
    *,
    lr: float | str | Sequence[float] | None = None,
    hidden_size: int | str | Sequence[int] | None = None,
    cell: str | Sequence[str] | None = None,
    seeds: int = 3,
    out: str | Path | None = None,
    workers: int = 1,
    engine: str | None = None,
    address: str | None = None,
    **options: Any,
) -> Sweep:
    """Return every combination of what differs, trained in stacks: a row a run, a map, and the best rate of every size.

    Args:
        data: a file, a folder, the name of built-in data, a source, or a task.
        lr: learning rates; four from 0.001 to 0.03 unless said.
        hidden_size: units; the recipe's, half and a quarter of it unless said.
        cell: cells; the recipe's unless said.
        seeds: runs of every setting.
        out: a folder that keeps what is done: the same call goes on after a crash. None keeps nothing.
        workers: processes. With more than one, a script needs ``if __name__ == "__main__":`` around it.
        engine: ``here``, ``local`` or ``ray`` (a cluster; ``rnnlab[ray]``); this process with one worker, else ``local``.
        address: of the Ray cluster, ``HOST:PORT`` or ``auto``; one of this machine is started where None.
        options: fields of `SweepConfig` (search, trials, halving), and of the configurations of data, examples, model and
            training; any of the last two may be a list, or, with search random or optuna, a range such as ``"1e-4:1e-1"``.

    Raises:
        InputError: what is wrong with the data, an option or the folder, or a run that does not fit in memory.

    Example:
        >>> found = sweep("binary", lr=[0.001, 0.01], hidden_size=[4, 8], seeds=2, epochs=2)
        >>> len(found.rows), [(place.hidden_size, place.lr) for place in found.map]
        (8, [(4, 0.001), (4, 0.01), (8, 0.001), (8, 0.01)])
    """
    asked = {"lr": lr, "hidden_size": hidden_size, "cell": cell, "seeds": seeds, **options}
    chosen = engine or ("local" if workers > 1 else "here")
    opened = partial(engines.engine, chosen, address=address, workers=workers, memory=options.get("memory"))
    sweeping = prepare(str(data) if isinstance(data, Path) else data, asked, open_engine=opened)
    if out is not None:
        sweeping.keep_in(Path(out))
    for _ in sweeping:
        pass
    sweeping.write()
    return sweeping.result()


def prepare(
    data: str | Source | Task,
    options: dict[str, Any],
    *,
    device: str = "cpu",
    open_engine: Callable[[Plan], engines.Engine] | None = None,
) -> Sweeping:
    """Return a sweep that has not begun; arguments as of `sweep`.

    Args:
        data: as of `sweep`.
        options: as of `sweep`, by name.
        device: ``cpu``, ``cuda``, ...
        open_engine: takes the plan and returns the engine that trains the stacks; this process where None.
    """
    options = {name: value for name, value in options.items() if value is not None}
    config = SweepConfig(**{name: options.pop(name) for name in SweepConfig.model_fields if name in options})
    others, axes = separate(options)
    known = {*SweepConfig.model_fields, *OPTIONS, *TaskConfig.model_fields}
    check_known(others, known | {name for name in DataConfig.model_fields if name != "data"})
    check_search(axes, config)
    first = {name: axis.at(0.0) if isinstance(axis, Range) else axis[0] for name, axis in axes.items()}
    if isinstance(data, Task):
        planned = Plan(data, *configure(data, {**others, **first}), {}, device)
    else:
        planned = plan(data, {**others, **first}, device=device)
    usual, _ = configure(planned.task, {name: value for name, value in first.items() if name != "hidden_size"})
    return Sweeping(planned, default_axes(axes, usual), config, open_engine=open_engine)
