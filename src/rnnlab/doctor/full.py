"""`diagnose_run`: the full examination of a saved run: its data are read again, and its network is trained a little.

On top of what every run asks of itself (`rnnlab.doctor.examine`), the checks that train look at the network as it began:
learning rates on either side of its own, and whether it can learn a few examples by heart. Remedies are in rnnlab's words.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from rnnlab.config import TrainConfig
from rnnlab.doctor.case import Case
from rnnlab.doctor.examination import Examination
from rnnlab.doctor.examine import examine, merged
from rnnlab.doctor.guard import untouched
from rnnlab.doctor.registry import run_checks
from rnnlab.doctor.subject import Subject
from rnnlab.doctor.table import CHECKS, ordered
from rnnlab.errors import InputError
from rnnlab.findings import Finding, Findings, worst_first
from rnnlab.models import Model, Noise
from rnnlab.models.model import hide_steps
from rnnlab.runs import Run, load
from rnnlab.tasks import SeriesCodec, Task
from rnnlab.tasks.losses import pinball
from rnnlab.training.fit import recall_task, using_threads, usual_threads

RATES = ("learning_rate_too_large", "learning_rate_too_small")
MEMORY = ("batch_not_memorised",)
EXAMPLES, LITTLE = 64, 0.9
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD,
}  # fmt: skip


def diagnose_run(run: Run | str | Path, *, data: Any = None, seconds: float = 10.0) -> Findings:
    """Return what is wrong with a run, worst first: a full examination, with its data read again.

    Where the data are not to be found, or were in memory, the run's history is looked at, and a hint ``not_examined`` says so.

    Args:
        run: a run, or its folder.
        data: where the data are now, or the data frame; None looks where they were.
        seconds: of probing at most.

    Raises:
        RunFolderError: no run, or a damaged one.
        InputError: ``data`` is named and cannot be read, or is not what the run was trained on.

    Example:
        >>> import tempfile, rnnlab
        >>> folder = Path(tempfile.mkdtemp()) / "run"
        >>> _ = rnnlab.train("sales", out=folder, hidden_size=4, lr=1e-7, epochs=4)
        >>> diagnose_run(folder)[0].check
        'learning_rate_too_small'
    """
    folder = Path(run.name) if isinstance(run, Run) else Path(run)
    known = run if isinstance(run, Run) else load(run)
    try:
        task = recall_task(known.data, folder, data=data)
    except InputError as error:
        if data is not None:
            raise
        return worst_first([*examine(known, None), _without_data(error)])
    with using_threads(usual_threads(known.model_config)):
        return _examined(known, task, seconds)


def _examined(known: Run, task: Task, seconds: float) -> Findings:
    # What it said of itself when it was trained is asked again; what training said of itself stands.
    own = replace(known, findings=tuple(one for one in known.findings if one.check in ("diverged", "exploded")))
    if known.status == "interrupted":  # so far as it got
        own = replace(own, status="done")
    found = examine(own, task, seconds=seconds)
    return Findings(merged(found, _probes(known, task, found, seconds)))


def _without_data(error: InputError) -> Finding:
    return Finding(
        "not_examined",
        "hint",
        "only the history could be examined, since the data are not at hand",
        {"reason": str(error)},
        "--data PATH, where they are now",
    )


def _probes(run: Run, task: Task, known: tuple[Finding, ...], seconds: float) -> list[Finding]:
    """Return what the checks that train find, in rnnlab's words.

    Learning rates are tried only where the training itself learned little: its history is the better witness.
    """
    if any(one.severity == "error" for one in known):
        return []
    subject, losses = subject_of(run, task), Case(run, task).losses()
    learned = bool(losses) and losses[-1] < LITTLE * Case(run, task).constant_loss
    judged = learned or any(one.check in RATES for one in known)
    wanted = MEMORY if judged else (*MEMORY, *RATES)
    checks = [one for one in ordered(CHECKS) if one.name in wanted]
    with untouched(subject.model, subject.optimizer):
        found = run_checks(checks, Examination(subject, seconds), known)
    return [_in_our_words(one) for one in found]


def _in_our_words(finding: Finding) -> Finding:
    """Return a finding with the remedy as flags of ``rnnlab train``."""
    if finding.check == "not_examined":
        return replace(finding, remedy="--seconds with a larger number")
    remedy = "--dropout 0 --input-dropout 0 --weight-decay 0 --label-smoothing 0, until a few examples fit"
    if finding.check in RATES:
        remedy = f"--lr {finding.remedy.split('=')[1].split()[0]}"
    return replace(finding, remedy=remedy)


def subject_of(run: Run, task: Task) -> Subject:
    """Return the beginning of a run's training as `diagnose` takes it: first weights, its optimizer, its loss, some examples."""
    training = run.train_config
    network = _Network(Model(run.model_config, run.codec.interface, [training.seed]), training)
    options: dict[str, Any] = {"lr": training.lr, "weight_decay": training.weight_decay}
    if training.optimizer == "sgd":
        options["momentum"] = training.momentum
    index = Case(run, task).part("train", EXAMPLES)
    values, lengths = task.inputs.gather(index)
    optimizer = OPTIMIZERS[training.optimizer](network.parameters(), **options)
    return Subject(network, optimizer, _loss(run, task), values, task.targets[index], lengths=lengths, batch_first=True)


class _Network(nn.Module):
    """One run as plain torch: ``(batch, time, ...)`` to ``(batch, outputs)``, with dropout in training mode."""

    def __init__(self, model: Model, training: TrainConfig) -> None:
        super().__init__()
        model.engine = "equations" if model.config.cell == "combined" else "torch"
        self.model, self.config = model, training

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        values, noise = inputs.unsqueeze(0), None
        if self.training:
            noise = Noise([self.config.seed], int(torch.randint(2**31, ())))
            if self.config.input_dropout:
                values = hide_steps(values, noise, self.config.input_dropout)
        outputs: Tensor = self.model(values, None if lengths is None else lengths.unsqueeze(0), noise)[0]
        return outputs


def _loss(run: Run, task: Task) -> Callable[[Tensor, Tensor], Tensor]:
    quantiles = task.codec.quantiles if isinstance(task.codec, SeriesCodec) else ()
    if quantiles:
        return lambda outputs, targets: pinball(outputs.unsqueeze(0), targets.unsqueeze(0), quantiles)[0]
    if task.kind != "classify":
        return functional.mse_loss
    training, prior = run.train_config, task.log_prior

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        adjusted = outputs + training.prior_adjustment * prior if training.prior_adjustment else outputs
        return functional.cross_entropy(adjusted, targets, label_smoothing=training.label_smoothing)

    return loss
