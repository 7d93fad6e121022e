"""rnnlab from Python: train, load, ask and verify in one line each; the command line's verbs with the same options.

    run = rnnlab.train("names/", cell="lstm", epochs=10)
    rnnlab.predict(run, ["Kowalski", "Rossi"])

What stands here is thin: tasks, training and runs do the work, and can be used on their own.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rnnlab.data.frames import is_frame
from rnnlab.doctor import diagnose as diagnose_training
from rnnlab.doctor import diagnose_run, examine
from rnnlab.errors import ConfigError
from rnnlab.findings import Findings
from rnnlab.runs import Run
from rnnlab.runs import load as load_folder
from rnnlab.runs.folder import read_record
from rnnlab.runs.reading import Asked, from_frame
from rnnlab.tasks import Prediction
from rnnlab.training.fit import Fit, plan, recall, using_threads, usual_threads
from rnnlab.training.verification import Verification, Verifying

__all__ = ["diagnose", "load", "predict", "resume", "train", "verify"]


def train(
    data: Any,
    *,
    out: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    doctor: bool = True,
    **options: Any,
) -> Run:
    """Return a model trained on ``data``, with its metrics, its history and the figures of its baselines.

    Args:
        data: a file (CSV, TSV, JSON lines, Parquet), a folder of ``LABEL.txt``, a data frame of pandas, polars or pyarrow, the name
            of built-in data (``names``, ``sales``, ``sales_by_country``, ``binary``), or a source made in Python (`rnnlab.data`).
        out: a new folder to save the run in; it can be resumed after a crash, loaded, and verified. None keeps it in memory.
        device: ``cpu``, ``cuda``, ...
        threads: threads of the processor; None takes one, or all for 512 units and more.
        doctor: let the run examine itself while it trains and at the end: ``findings`` says what is wrong with it (docs/doctor.md).
        options: fields of `rnnlab.data.DataConfig`, `rnnlab.task_config.TaskConfig`, `rnnlab.config.ModelConfig` and
            `rnnlab.config.TrainConfig`: the command line's flags. What is left out is what trains well for the kind of data.

    Raises:
        InputError: what is wrong with the data, an option, the folder or the device, in one line.

    Example:
        >>> from rnnlab.data import LabelledStrings
        >>> texts = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "12345")
        >>> run = train(LabelledStrings(texts, tuple(text[0].upper() for text in texts)), hidden_size=8, epochs=30)
        >>> run.predict(["ax3"])[0]["prediction"]
        'A'

        >>> import pandas
        >>> frame = pandas.DataFrame({"name": texts, "kind": [text[0] for text in texts]})
        >>> train(frame, text="name", target="kind", hidden_size=4, max_steps=2).data["examples"]
        30
    """
    planned = plan(str(data) if isinstance(data, Path) else data, options, device=device, ngrams=True)
    with using_threads(threads or usual_threads(planned.model)):
        if out is not None:
            return _trained(Fit(planned, Path(out), examine=examine if doctor else None))
        with tempfile.TemporaryDirectory(prefix="rnnlab-") as folder:
            return _trained(Fit(planned, Path(folder) / planned.task.name, examine=examine if doctor else None))


def resume(folder: str | Path, *, data: Any = None, doctor: bool = True) -> Run:
    """Return the run in ``folder``, whose training was broken off, trained to its end; one that is done is returned as it is.

    Args:
        folder: a run's folder.
        data: where the data are now, or the data frame; None looks where they were.
        doctor: as of `train`.

    Raises:
        RunFolderError: a damaged folder, or other data than the run was trained on.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "sales"
        >>> run = train("sales", out=folder, max_steps=2, hidden_size=4)
        >>> resume(folder).status
        'done'
    """
    folder = Path(folder)
    if read_record(folder).status not in ("training", "interrupted"):
        return load_folder(folder)
    record, planned = recall(folder, data=str(data) if isinstance(data, Path) else data)
    threads = record.environment.get("threads")
    with using_threads(threads if isinstance(threads, int) and 0 < threads <= 1024 else None):
        return _trained(Fit(planned, folder, resume=True, examine=examine if doctor else None))


def load(folder: str | Path) -> Run:
    """Return the run in ``folder``. Nothing in the folder is executed.

    Raises:
        RunFolderError: a file is missing, damaged, of another version, or does not fit the others.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "sales"
        >>> _ = train("sales", out=folder, max_steps=2, hidden_size=4)
        >>> load(folder).model_config.hidden_size
        4
    """
    return load_folder(folder)


def predict(run: Run | str | Path, inputs: Any) -> list[Prediction]:
    """Return an answer for each input, in its order.

    Args:
        run: a run, or its folder.
        inputs: strings; arrays ``(time, features)``; the past of a series each, ``(time,)`` or a `rnnlab.data.Series`; or a data frame
            with the columns of the training.

    Returns:
        ``{"prediction": label, "probabilities": {label: p}}`` of a classifier; ``{"prediction": number}``, or a list of them
        for several steps ahead, in the data's own units, with ``lower`` and ``upper`` where intervals are known. Of a data frame also
        ``id``, where a column tells sequences apart, and ``time``, the times that are forecast.

    Raises:
        DataError: an input that is not of the kind that the run was trained on.

    Example:
        >>> from rnnlab.data import sales
        >>> run = train("sales", horizon=7, max_steps=2, hidden_size=4)
        >>> len(predict(run, [sales().values])[0]["prediction"])
        7
    """
    run = run if isinstance(run, Run) else load_folder(run)
    if not is_frame(inputs):
        return run.predict(inputs)
    with from_frame(run, inputs) as asked:
        return [answer for batch in asked for answer in _named(asked.run, batch)]


def verify(folder: str | Path, *, data: Any = None) -> Verification:
    """Train the run in ``folder`` again and say whether weights, metrics and history are the same, to the bit.

    Args:
        folder: a run that was trained from a file, and is done.
        data: where the data are now, or the data frame; None looks where they were.

    Raises:
        RunFolderError: a damaged folder, other data, or a budget in seconds.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "sales"
        >>> _ = train("sales", out=folder, max_steps=2, hidden_size=4)
        >>> verify(folder).same
        True
    """
    verifying = Verifying(folder, data=str(data) if isinstance(data, Path) else data)
    for _ in verifying:
        pass
    return verifying.result()


def diagnose(subject: Any, *, checks: Iterable[str] | None = None, seconds: float = 10.0, data: Any = None) -> Findings:
    """Return what is wrong with a training, worst first; an empty list where nothing was found.

    Everything is left exactly as it was: weights, optimizer, random states.

    Args:
        subject: a run, or its folder; or a training in plain PyTorch, any object with ``model, optimizer, loss, inputs, targets``
            and what else `rnnlab.doctor.Subject` names.
        checks: names of checks, for plain PyTorch; all of them where None.
        seconds: of probing at most; what did not fit is named by a hint ``not_examined``.
        data: of a run, where its data are now, or the data frame; None looks where they were.

    Raises:
        InputError: the subject lacks something, or does not run.

    Example:
        >>> run = train("sales", hidden_size=4, epochs=4, lr=1e-7)
        >>> diagnose(run)[0].check
        'learning_rate_too_small'
    """
    if isinstance(subject, Run | str | Path):
        if checks is not None:
            raise ConfigError("checks must be left out for a run, got some; a run is asked all that is asked of runs")
        return diagnose_run(subject, data=str(data) if isinstance(data, Path) else data, seconds=seconds)
    return diagnose_training(subject, checks=checks, seconds=seconds)


def _trained(fit: Fit) -> Run:
    for _ in fit:
        pass
    return fit.finish()


def _named(run: Run, batch: Asked) -> Iterator[Prediction]:
    """Yield the answers of a batch with the names and times of its inputs."""
    for row, answer in enumerate(run.predict(batch.raw)):
        beside: Prediction = {"id": batch.ids[row]} if batch.ids else {}
        if batch.times:
            beside["time"] = [str(time) for time in batch.times[row]]
        yield beside | answer
