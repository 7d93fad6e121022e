"""A sweep while it runs, as a generator: settings asked for, made into stacks, trained on an engine, told.

    sweeping = Sweeping(plan, axes, SweepConfig(seeds=5))
    for step in sweeping:
        ...
    found = sweeping.result()

A stack that is done stays done where the user breaks it off. Nothing here prints or draws.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnlab.cells import CELLS
from rnnlab.engine import Engine, Here, Job, Progress
from rnnlab.engine.memory import Extent
from rnnlab.engine.stacks import RunConfig, StackPlan, cost, split
from rnnlab.errors import ConfigError
from rnnlab.runs import Run, load, to_json, write_whole
from rnnlab.runs.catalogue import HIGHER_IS_BETTER, main_metric
from rnnlab.sweeps.grid import Setting, with_seeds
from rnnlab.sweeps.result import Sweep
from rnnlab.sweeps.search import search
from rnnlab.sweeps.settings import Axes, Range, SweepConfig
from rnnlab.sweeps.stack_work import Row, StackWork
from rnnlab.sweeps.store import NAME, Store, copy_runs
from rnnlab.tasks import Task
from rnnlab.training.fit import Examine, Plan
from rnnlab.training.loop import DEFAULT_EPOCHS

ALWAYS = ("cell", "hidden_size", "lr")


class Sweeping:
    """Iterate over it, then ask for its `result`; also after leaving the loop early.

    Args:
        plan: the task, and what all runs have in common.
        axes: what differs.
        config: how it searches, and seeds.
        open_engine: takes the plan and returns the engine that trains the stacks; this process where None.

    Raises:
        ConfigError: no validation part, a grid that is too large, a run that does not fit in memory.
    """

    def __init__(
        self,
        plan: Plan,
        axes: Axes,
        config: SweepConfig,
        *,
        open_engine: Callable[[Plan], Engine] | None = None,
    ) -> None:
        if not len(plan.task.part("validation")):
            raise ConfigError(
                "validation must hold examples, got none; the best is chosen on it: give more data, or a larger share"
            )
        self.plan, self.axes, self.config = plan, axes, config
        timeline = plan.task.timeline
        self.metric = main_metric(plan.task.kind, several=timeline is not None and timeline.several)
        self.named = tuple(
            name for name, axis in axes.items() if name in ALWAYS or isinstance(axis, Range) or len(axis) > 1
        )
        self._search, self._over = search(axes, config, higher=self.metric in HIGHER_IS_BETTER), False
        self.store = Store(plan.task)
        self._engine = open_engine(plan) if open_engine else Here(plan, config.memory)
        self.workers = self._engine.workers
        try:
            self.extent = _extent(plan.task)
            split([self._largest()], self.extent, self._engine.room)
            self._settings = self._search.ask()
            self.stacks = self._stacks(self._settings)
        except BaseException:
            self._engine.close()
            raise
        self._rows: list[tuple[StackPlan, list[str]]] = []
        self._trained, self._began, self._seconds = 0, time.perf_counter(), 0.0

    def keep_in(self, folder: Path) -> None:
        """Keep what is done in ``folder``, and take over what is done there already.

        Raises:
            OutputError: a folder that holds something else, or cannot be written: found out before hours are spent.
        """
        self.store = Store(self.plan.task, folder)
        if not (folder / NAME).exists():
            write_whole(folder / NAME, to_json(self.result().to_dict()))

    @property
    def planned(self) -> int:
        """The runs that are asked for."""
        return self._search.total * self.config.seeds

    @property
    def known(self) -> int:
        """Of the runs that are planned so far, those that are done already."""
        return sum(self.store.row(key) is not None for stack in self.stacks for key in self._keys(stack))

    def __iter__(self) -> Iterator[Progress]:
        """Do it; yield how far it is."""
        self._began, asked = time.perf_counter(), 0
        try:
            with closing(self._engine):
                while self._settings:
                    self._rows += [(stack, self._keys(stack)) for stack in self.stacks]
                    for progress in self._round(self.stacks):
                        share = (asked + progress.spent * len(self._settings)) / self._search.total
                        yield Progress(progress.title, share)
                    asked += len(self._settings)
                    self._search.tell(self._scores(self._settings))
                    self._settings = self._search.ask()
                    self.stacks = self._stacks(self._settings)
            self._over = True
        finally:
            self._seconds = time.perf_counter() - self._began

    def result(self) -> Sweep:
        """Return what is done so far."""
        # A search may ask for a setting twice: it is trained once, and counts once.
        asked = dict.fromkeys(key for _, keys in self._rows for key in keys)
        rows = [row for key in asked if (row := self.store.row(key)) is not None]
        return self._result(tuple(rows), reused=len(rows) - self._trained, seconds=self._seconds)

    def best_runs(self) -> dict[str, tuple[Path, Run]]:
        """Return the runs of every cell's best setting, as ``CELL-seedN``, with their folders; those of a sweep in a folder."""
        found, sweep = {}, self.result()
        places = {id(self.store.row(key)): self.store.folder_of(key) for _, keys in self._rows for key in keys}
        for cell in dict.fromkeys(row.setting["cell"] for row in sweep.rows):
            for row in sweep.best_of([row for row in sweep.rows if row.setting["cell"] == cell]):
                folder = places.get(id(row))
                if folder is not None:
                    found[f"{cell}-seed{row.seed}"] = folder, load(folder)
        return found

    def write(self, examine: Examine | None = None) -> None:
        """Write ``sweep.json`` and ``sweep.csv``, and the best runs as ``runs/``, with the findings of ``examine`` where it is given."""
        folder = self.store.folder
        if folder is None:
            return
        sweep = self.result()
        write_whole(folder / "sweep.csv", sweep.csv().encode())
        write_whole(folder / NAME, to_json(sweep.to_dict()))
        best = self.best_runs()
        if examine is not None:
            task = self.plan.task
            best = {name: (at, replace(run, findings=examine(run, task))) for name, (at, run) in best.items()}
        copy_runs(best, folder / "runs")

    def _round(self, stacks: Sequence[StackPlan]) -> Iterator[Progress]:
        left = {
            number: todo
            for number, stack in enumerate(stacks)
            if (todo := self.store.missing(stack, halving=self.config.halving)) is not None
        }
        costs = {number: cost(stack, self.extent, DEFAULT_EPOCHS) for number, stack in left.items()}
        order = sorted(left, key=lambda number: -costs[number])
        jobs = [
            Job(
                str(number), _title(left[number]), StackWork(left[number], self.named, self.metric, self.config.halving)
            )
            for number in order
        ]
        spent, total = dict.fromkeys(order, 0.0), sum(costs.values()) or 1.0
        for event in self._engine.run(jobs):
            number = int(event.job.name)
            spent[number] = event.progress.spent
            if event.done:
                stack = left[number]
                self.store.keep(self._keys(stack), stack.configs, event.outcome)
                self._trained += len(stack.configs)
            yield Progress(event.progress.title, sum(costs[one] * share for one, share in spent.items()) / total)

    def _keys(self, stack: StackPlan) -> list[str]:
        return self.store.keys(stack, halving=self.config.halving)

    def _stacks(self, settings: Sequence[Setting]) -> list[StackPlan]:
        settings = list({tuple(setting.values()): setting for setting in settings}.values())
        runs = list(with_seeds(settings, self.plan.model, self.plan.training, self.config))
        return split(runs, self.extent, self._engine.room, together=self.config.halving)

    def _scores(self, settings: Sequence[Setting]) -> list[float | None]:
        """Return the mean of each setting's seeds; None where one diverged."""
        rows: dict[tuple[Any, ...], list[Row]] = {}
        for _, keys in self._rows:
            for row in filter(None, map(self.store.row, keys)):
                rows.setdefault(tuple(row.setting.values()), []).append(row)
        scores: list[float | None] = []
        for setting in settings:
            found = [row.score(self.metric) for row in rows[tuple(setting[name] for name in self.named)]]
            sound = [score for score in found if score is not None]
            scores.append(sum(sound) / len(sound) if len(sound) == len(found) else None)
        return scores

    def _largest(self) -> RunConfig:
        """Return the run of the axes that needs most memory: none is trained where it does not fit."""
        setting: Setting = {}
        for name, axis in self.axes.items():
            values = [axis.at(1.0)] if isinstance(axis, Range) else list(axis)
            if name == "cell":
                setting[name] = max(values, key=lambda cell: CELLS[str(cell)].gates)
            else:
                setting[name] = max(values, key=lambda value: value if isinstance(value, int | float) else 0)
        (run,) = list(with_seeds([setting], self.plan.model, self.plan.training, self.config.replace(seeds=1)))
        return run

    def _result(self, rows: tuple[Row, ...], *, reused: int, seconds: float) -> Sweep:
        task = self.plan.task
        parts = {name: len(task.part(name)) for name in ("train", "validation", "test")}
        data = parts | {"provenance": task.provenance, "fingerprint": task.fingerprint}
        planned = len(rows) if self._over else self.planned
        return Sweep(task.name, task.kind, self.metric, self.named, rows, planned, reused, seconds, self.asked(), data)

    def asked(self) -> dict[str, Any]:
        """Return what the sweep was asked, as JSON types: two with the same are the same sweep."""
        axes = {name: str(axis) if isinstance(axis, Range) else list(axis) for name, axis in self.axes.items()}
        shared = {
            name: value
            for config in (self.plan.model, self.plan.training)
            for name, value in config.model_dump().items()
            if name not in axes and name != "seed"
        }
        search = self.config.model_dump(exclude={"memory"})
        return {"axes": axes, "search": search, "shared": shared, "device": self.plan.device}


def _extent(task: Task) -> Extent:
    parts = [len(task.part(name)) for name in ("train", "validation", "test")]
    return Extent(task.interface, int(task.inputs.lengths.max()), parts[0], max(parts))


def _title(stack: StackPlan) -> str:
    return f"{stack.model.cell} {stack.model.hidden_size}: {len(stack.configs)} runs"
