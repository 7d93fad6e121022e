"""``rnnlab train``: one model on the user's data, a progress bar, and the baselines beside the result."""

import json as jsonlib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rnnlab.cli.bar import Bar
from rnnlab.cli.findings import print_findings, strict_code
from rnnlab.cli.options import flags, given
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data.config import DataConfig
from rnnlab.errors import ConfigError
from rnnlab.task_config import TaskConfig

if TYPE_CHECKING:
    from rnnlab.runs import Run
    from rnnlab.tasks import Task
    from rnnlab.training.fit import Fit, Plan

GROUPS = {"Data": DataConfig, "Examples": TaskConfig, "Model": ModelConfig, "Training": TrainConfig}
SHOWN = 3  # findings after a training; the doctor shows the others


@flags(GROUPS, found=("Model", "Training"), skip=("data",))
def train(
    data: str | None = None,
    /,
    *,
    out: Path | None = None,
    name: str | None = None,
    resume: Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    checkpoint_every: float = 20.0,
    doctor: Annotated[bool, Parameter(negative="--no-doctor")] = True,
    strict: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
    **options: Any,
) -> int:
    """Train one model on your data. Leave a run folder that predict, report, doctor and verify read.

    Examples:
    rnnlab train names/
    rnnlab train people.csv --text name --target origin --cell lstm --epochs 20
    rnnlab train gait.csv --id subject --time second --features x,y,z --target diagnosis
    rnnlab train sales.csv --time date --value sales --horizon 7

    Without --cell, --lr and the like, what trains well for the kind of data is used.

    Args:
        data: a file (CSV, TSV, JSON lines, Parquet; compressed or not), a folder of LABEL.txt, or built-in: names, sales, binary.
        out: the run's folder. [default: runs/DATA-CELL, and -2, -3 where that is taken]
        name: of the data, in tables and reports. [default: the file's]
        resume: a run folder whose training was broken off; it goes on to the same bits. With DATA, the data are there now.
        device: cpu, cuda, ...
        threads: threads of the processor. [default: 1; one a core from 512 units on]
        checkpoint_every: seconds between two saves of the state; the first is after one.
        doctor: let the run examine itself while it trains (1% of the time) and at the end (under 5%), and say what is wrong with it.
        strict: exit with 3 where there is an error or a warning.
        json: print the result as JSON, and nothing else, on stdout.
    """
    asked = given(options)
    if not checkpoint_every > 0:
        raise ConfigError(f"checkpoint-every must be above 0, got {checkpoint_every}; pass seconds, such as 20")
    if threads is not None and threads < 1:
        raise ConfigError(f"threads must be at least 1, got {threads}; leave --threads out for one a core")
    if resume is None and data is None:
        raise ConfigError("DATA must be a file or folder, got none; write rnnlab train names/, or --resume RUN")
    said = [*asked, *(flag for flag, value in (("out", out), ("name", name)) if value)]
    if resume is not None and said:
        raise ConfigError(f"--{said[0].replace('_', '-')} must be left out with --resume; a run goes on as it began")
    with _stop_on_signal() as stop:
        fit = (
            _resumed(resume, data, threads, checkpoint_every, doctor)
            if resume
            else _begun(_planned(str(data), asked, device, name), out, threads, checkpoint_every, doctor)
        )
        if fit is None:
            return _conclude_done(Path(str(resume)), json, strict)
        run = _watch(fit, stop, quiet=json)
    _conclude(run, fit.folder, json)
    return 130 if run.status == "interrupted" else strict_code(run.findings, strict)


def _planned(data: str, asked: dict[str, Any], device: str, name: str | None) -> "Plan":
    from rnnlab.training.fit import plan

    return plan(data, asked, device=device, ngrams=True, name=name)


def _begun(planned: "Plan", out: Path | None, threads: int | None, every: float, doctor: bool) -> "Fit":
    from rnnlab.doctor import examine
    from rnnlab.training.fit import Fit, fresh_folder, usual_threads

    _use_threads(threads or usual_threads(planned.model))
    folder = out or fresh_folder(Path("runs"), f"{planned.task.name}-{planned.model.cell}")
    return Fit(planned, folder, every=every, examine=examine if doctor else None)


def _resumed(folder: Path, data: str | None, threads: int | None, every: float, doctor: bool) -> "Fit | None":
    """Return the training that goes on, or None where the run is done."""
    from rnnlab.doctor import examine
    from rnnlab.runs.folder import read_record
    from rnnlab.training.fit import Fit, recall

    if read_record(folder).status not in ("training", "interrupted"):
        return None
    record, planned = recall(folder, data=data)
    before = record.environment.get("threads")
    # Sums are split by threads: another number of them gives other last bits.
    wanted = threads or (before if isinstance(before, int) and 0 < before <= 1024 else None)
    if wanted:
        _use_threads(wanted)
    return Fit(planned, folder, resume=True, every=every, examine=examine if doctor else None)


def _use_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


class _Stop:
    """Whether the user has broken off; ``between_steps`` says that the loop looks at it, so that nothing need be raised."""

    asked = False
    between_steps = False

    def __call__(self, number: int, frame: object) -> None:
        if self.asked or not self.between_steps:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def _stop_on_signal() -> Iterator[_Stop]:
    """Yield what a signal to stop is noted in."""
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(fit: "Fit", stop: "_Stop", *, quiet: bool) -> "Run":
    """Train and show how far it is; return the run."""
    shown = ""
    with Bar(quiet=quiet) as bar:
        bar.say(_introduce(fit))
        if not len(fit.plan.task.part("test")):
            bar.say(_nothing_held_out(fit.plan.task))
        steps, stop.between_steps = iter(fit), True
        for step in steps:
            if step.records:
                shown = _describe(step.records[0])
            bar.show(shown or f"loss {float(step.losses[0]):.4f}", step.spent)
            if stop.asked:
                bar.show("stopping: saving the state", step.spent)
                steps.close()  # type: ignore[attr-defined]
                break
        else:
            stop.between_steps = False
            bar.show("measuring, and fitting the baselines", 1.0)
        return fit.finish()


def _introduce(fit: "Fit") -> str:
    task, model = fit.plan.task, fit.plan.model
    parts = [f"{len(part):,} {name}" for name in ("train", "validation", "test") if len(part := task.part(name))]
    size = f"{model.num_layers} x {model.hidden_size}{' in both directions' if model.bidirectional else ''}"
    weights = fit.training.stack.model.parameters_a_run
    return f"{task.name}: {task.kind}, {', '.join(parts)}; {model.cell} {size}, {weights:,} weights -> {fit.folder}"


def _nothing_held_out(task: "Task") -> str:
    """Return the warning that no figure will say how good the network is on data that it has not seen."""
    why = f"{len(task.inputs):,} examples are too few"
    if task.kind == "forecast" and task.timeline is not None:
        why = f"no forecast of {task.codec.horizon} steps fits into the last times"  # type: ignore[union-attr]
    return f"rnnlab: nothing is held out, so nothing will say how good it is: {why}; pass a larger --test, or give more data"


def _describe(record: dict[str, Any]) -> str:
    shown = [f"epoch {record['epoch'] + 1}", f"loss {record['loss']:.4f}"]
    if "validation_loss" in record:
        shown.append(f"validation {record['validation_loss']:.4f}")
    if "validation_accuracy" in record:
        shown.append(f"accuracy {record['validation_accuracy']:.1%}")
    return "  ".join(shown)


def _conclude_done(folder: Path, json: bool, strict: bool) -> int:
    from rnnlab.runs import load

    run = load(folder)
    print(f"rnnlab: {folder} is {run.status} already", file=sys.stderr)
    _conclude(run, folder, json)
    return strict_code(run.findings, strict)


def _conclude(run: "Run", folder: Path, json: bool) -> None:
    if run.status == "interrupted":
        print(f"rnnlab: interrupted; the state is saved, go on with: rnnlab train --resume {folder}", file=sys.stderr)
    if json:
        print(jsonlib.dumps(_summary(run, folder), ensure_ascii=False))
        return
    part = "test" if "test" in run.metrics else next(iter(run.metrics), None)
    if part is not None:
        for line in _lines(run, part):
            print(line)
    if run.data.get("series"):
        from rnnlab.training.each_series import wins

        print(wins(run.data["series"], {one["name"]: one["title"] for one in run.data.get("baselines", [])}))
    about = run.data.get("interval")
    if about and "coverage" in about:
        print(_held(about))
    print(f"{folder}  ({run.status}, {run.seconds:.0f} s)")
    if run.findings:
        print_findings(run.findings, most=SHOWN, more=f"rnnlab doctor {folder}")


def _held(about: dict[str, Any]) -> str:
    """Return the sentence about a forecast's intervals."""
    said = f"{about['level']:.0%} intervals hold {about['coverage']:.1%} of the test part's values"
    adaptive = about.get("adaptive")
    if adaptive:
        said += f" as calibrated before it, {adaptive['coverage']:.1%} where they adapt as it passes; predict adapts"
    return said


def _summary(run: "Run", folder: Path) -> dict[str, Any]:
    from rnnlab.runs.files import finite

    found = {
        "run": str(folder), "status": run.status, "kind": run.data.get("kind"), "metrics": run.metrics,
        "baselines": run.data.get("baselines", []), "interval": run.data.get("interval"),
        "series": run.data.get("series", []), "seconds": run.seconds,
        "findings": [finding.to_dict() for finding in run.findings], "parameters": len(run.weights),
    }  # fmt: skip
    return dict(finite(found))


def _lines(run: "Run", part: str) -> list[str]:
    """Return a table: the network's figures on held-out data, and the baselines' below them."""
    rows = [(f"{run.model_config.cell} ({part})", run.metrics[part])]
    rows += [(one["title"], one["metrics"]) for one in run.data.get("baselines", [])]
    names = list(run.metrics[part])
    width = max(len(title) for title, _ in rows)
    lines = ["  ".join([" " * width, *(f"{name:>12}" for name in names)])]
    for title, metrics in rows:
        lines.append("  ".join([f"{title:<{width}}", *(f"{_figure(metrics.get(name)):>12}" for name in names)]))
    return lines


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "-"
