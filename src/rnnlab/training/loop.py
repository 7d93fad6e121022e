"""The training loop, as a generator: whoever wants to watch, stop or examine a training pulls steps from it.

It knows tasks, models and runs; it knows no progress bar, no file format but the checkpoint's, and no doctor.

    training = Training(task, ModelConfig(cell="lstm"), [TrainConfig(seed=0), TrainConfig(seed=1)])
    for step in training:
        ...
    runs = training.runs()
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import batching
from rnnlab.findings import Finding
from rnnlab.models import Noise
from rnnlab.models.model import hide_steps
from rnnlab.runs import Run, environment
from rnnlab.tasks import Task
from rnnlab.training import checkpoint as checkpoints
from rnnlab.training.divergence import RISE, exploded, not_finite
from rnnlab.training.evaluation import better, score_parts, validate
from rnnlab.training.stack import Stack

DEFAULT_EPOCHS = 20
CHECK_EVERY = 25
SEEN_STEPS = 64
FIRST_EXAMPLES = 200
CHECKPOINT_SECONDS = 20.0


@dataclass(frozen=True)
class Step:
    """One update of all runs alive.

    Args:
        step: updates so far.
        epoch: the epoch of this update, from 0.
        spent: share of the budget spent, 0..1.
        seconds: of training so far, over all sessions.
        positions: which of the stack's runs are alive.
        index: ``(runs, batch)``, the examples of this update.
        outputs: ``(runs, batch, outputs)`` before the update.
        losses: ``(runs,)`` before the update.
        records: one a run alive, where this step ends with an evaluation; else empty.
    """

    step: int
    epoch: int
    spent: float
    seconds: float
    positions: tuple[int, ...]
    index: Tensor
    outputs: Tensor
    losses: Tensor
    records: tuple[dict[str, Any], ...] = ()


class Training:
    """The training of a stack of runs; iterate over it, then ask for its `runs`.

    Args:
        task: what is to be learnt.
        model_config: the network.
        configs: one a run, or one for a single run.
        device: ``cpu``, ``cuda``, ...
        checkpoint: a file to save the state in, every 20 seconds and when the loop is left early; where it exists, training
            resumes from it, to the same bits that an uninterrupted training gives.
        name: of the runs.
    """

    def __init__(
        self,
        task: Task,
        model_config: ModelConfig,
        configs: TrainConfig | Sequence[TrainConfig],
        *,
        device: str = "cpu",
        checkpoint: Path | None = None,
        name: str = "run",
    ) -> None:
        self.task, self.model_config, self.name = task, model_config, name
        self.configs = [configs] if isinstance(configs, TrainConfig) else list(configs)
        self.stack = Stack(task, model_config, self.configs, device)
        self.checkpoint = checkpoint
        self.step, self.epoch, self.seconds = 0, 0, 0.0
        self._train = task.part("train")
        self._validation = task.part("validation")
        self._lengths = task.inputs.lengths[self._train]
        self._labels = task.targets[self._train] if task.kind == "classify" else None
        self._inputs = task.inputs.to(device)
        self._batches_an_epoch = batching.count(self.configs[0].batch_size, len(self._train))
        self._total_steps = updates(self.configs[0], len(self._train))
        self._seen, self._noted = torch.zeros(0), 0
        self._forget_seen()
        self._saved = time.perf_counter()
        if checkpoint is not None and checkpoint.exists():
            checkpoints.restore(self, checkpoint)

    def __iter__(self) -> Iterator[Step]:
        """Train; yield after every update. Leaving the loop early keeps what is there."""
        began = time.perf_counter() - self.seconds
        try:
            while self.stack.positions and not self._over():
                yield from self._one_epoch(began)
        except GeneratorExit:
            # Left between two updates: the state is whole. (An exception inside an update is not: the last
            # checkpoint stands.)
            if self.checkpoint is not None and self.stack.positions:
                checkpoints.save(self, self.checkpoint)
            raise
        self.stack.retire(range(len(self.stack.positions)))

    def drop(self, positions: Sequence[int], findings: Sequence[Finding] = ()) -> None:
        """Take runs out of the stack between two updates; they keep what they have, are ``dropped``, and cost nothing more.

        Args:
            positions: of runs alive.
            findings: one a run, that says why; none where empty.
        """
        rows = [self.stack.positions.index(position) for position in positions]
        for position, finding in zip(positions, findings):
            self.stack.progress[position].findings.append(finding)
        for position in positions:
            self.stack.progress[position].status = "dropped"
        kept = [row for row in range(len(self.stack.positions)) if row not in rows]
        self.stack.retire(rows)
        self._seen = self._seen[:, :, kept]

    def runs(self) -> list[Run]:
        """Return the runs, in the order of their configurations; runs still training are ``interrupted``."""
        for row, position in enumerate(self.stack.positions):
            self.stack.final[position] = self.stack.weights_now(row).cpu()
            self.stack.progress[position].status = "interrupted"
        model = self.stack.model
        model.bind(torch.stack([self.stack.final[position] for position in range(len(self.configs))]))
        scores = score_parts(self.task, model)
        return [
            self._run(position, self.stack.final[position], scores[position]) for position in range(len(self.configs))
        ]

    def midway(self) -> Run:
        """Return the first run as it is between two updates, with the weights that it would keep now and without metrics.

        Nothing of the training changes. A run that goes on, or has only just ended, is in ``training``.
        """
        rows = self.stack.positions
        weights = self.stack.weights_now(rows.index(0)).cpu() if 0 in rows else self.stack.final[0]
        return replace(self._run(0, weights, {}), status="training")

    def _run(self, position: int, weights: Tensor, metrics: dict[str, dict[str, float]]) -> Run:
        progress = self.stack.progress[position]
        return Run(
            name=f"{self.name}-{position}" if len(self.configs) > 1 else self.name,
            model_config=self.model_config,
            train_config=self.configs[position],
            codec=self.task.codec,
            weights=weights,
            history=tuple(progress.history),
            metrics=metrics,
            findings=tuple(progress.findings),
            status=progress.status,
            data={
                "name": self.task.name,
                "kind": self.task.kind,
                "examples": len(self.task.inputs),
                "provenance": self.task.provenance,
                "fingerprint": self.task.fingerprint,
            },
            environment=environment(),
            seconds=self.seconds,
        )

    def _one_epoch(self, began: float) -> Iterator[Step]:
        stack, config = self.stack, self.stack.shared
        done = self.step - self.epoch * self._batches_an_epoch
        order = batching.batches(
            config.batching, config.batch_size, self._lengths, self._labels, [c.seed for c in self.configs], self.epoch
        )
        for number, batch in enumerate(order):
            if number < done:
                continue
            alive = batch if len(stack.positions) == len(self.configs) else batch[stack.positions]
            index = self._train[alive]
            outputs, losses = self._update(index)
            self.seconds = time.perf_counter() - began
            last = number == self._batches_an_epoch - 1 or self._over()
            due = last if not config.evaluate_every else self.step % config.evaluate_every == 0 or self._over()
            positions = tuple(stack.positions)
            records = self._record() if due else ()
            if not due and self.step % CHECK_EVERY == 0:
                self._drop_broken()
            epoch = self.epoch
            if number == self._batches_an_epoch - 1:
                self.epoch += 1
            self._save_sometimes()
            yield Step(self.step, epoch, self.spent, self.seconds, positions, index, outputs, losses, records)
            if not stack.positions or self._over():
                return

    def _update(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Make one update on the examples ``index (runs, batch)``; return outputs and losses before it."""
        stack, config = self.stack, self.stack.shared
        model = stack.model
        noise = Noise(stack.seeds, self.step)
        values, lengths = self._inputs.gather(index.to(self._inputs.starts.device))
        if config.input_dropout:
            values = hide_steps(values, noise, config.input_dropout)
        outputs, pull = model.vjp(values, lengths, noise)
        losses, d_outputs = self.task.loss_and_gradient(
            outputs, index, label_smoothing=config.label_smoothing, prior_adjustment=config.prior_adjustment
        )
        norms = stack.optimizer.update(model.flat, pull(d_outputs), stack.rates(self.spent))
        self._note(losses, norms)
        self.step += 1
        return outputs, losses

    def _record(self) -> tuple[dict[str, Any], ...]:
        """Evaluate, note it in every run's history, and take out the runs that are done or have diverged."""
        stack = self.stack
        losses, norms = self.seen()
        rates = stack.rates(self.spent).squeeze(1).tolist()
        seen = validate(self.task, stack.model, self._validation) if len(self._validation) else None
        means, largest = losses.mean(dim=0).tolist(), norms.amax(dim=0).tolist()
        records, leaving = [], []
        for row, position in enumerate(stack.positions):
            record: dict[str, Any] = {
                "step": self.step, "epoch": -(-self.step // self._batches_an_epoch), "seconds": self.seconds, "loss": means[row],
                "grad_norm": largest[row], "lr": rates[row],
            }  # fmt: skip
            if seen is not None:
                record |= {f"validation_{key}": value for key, value in seen[row].items()}
            records.append(record)
            stack.progress[position].history.append(record)
            if self._finished(row, losses[:, row], norms[:, row], seen[row] if seen else {"loss": means[row]}):
                leaving.append(row)
        if leaving:
            stack.retire(leaving)
        self._forget_seen()
        return tuple(records)

    def seen(self) -> Tensor:
        """Return losses and gradient norms since the last evaluation, ``(2, steps, runs)``."""
        return self._seen[:, : self._noted]

    def _note(self, losses: Tensor, norms: Tensor) -> None:
        # In one block: a small tensor a step, kept, would pin the large ones that are freed around it.
        if self._noted == self._seen.shape[1]:
            self._seen = torch.cat([self._seen, torch.zeros_like(self._seen)], dim=1)
        self._seen[0, self._noted], self._seen[1, self._noted] = losses, norms
        self._noted += 1

    def _forget_seen(self) -> None:
        flat = self.stack.model.flat
        self._seen, self._noted = flat.new_zeros(2, SEEN_STEPS, flat.shape[0]), 0

    def remember_seen(self, seen: Tensor) -> None:
        """Go on from the losses and norms ``(2, steps, runs)`` of a training that was broken off."""
        self._forget_seen()
        for losses, norms in seen.to(self._seen).unbind(dim=1):
            self._note(losses, norms)

    def _finished(self, row: int, losses: Tensor, norms: Tensor, seen: dict[str, float]) -> bool:
        """Take note of an evaluation of one run; whether it leaves the stack now."""
        config, progress = self.stack.configs[row], self.stack.progress[self.stack.positions[row]]
        if not bool(torch.isfinite(losses).all()):
            first = int(torch.isfinite(losses).logical_not().nonzero()[0])
            before = norms[:first][torch.isfinite(norms[:first])]
            norm = float(before.max()) if len(before) else float("nan")
            progress.findings.append(not_finite(config, self.step - len(losses) + first + 1, norm))
            progress.status = "diverged"
            return True
        mean = float(losses.mean())
        if progress.first_loss is None:
            # Enough examples for a fair mean, and few enough that a run which explodes at once is still caught.
            beginning = max(len(losses) // 10, -(-FIRST_EXAMPLES // config.batch_size))
            progress.first_loss = float(losses[:beginning].mean())
        if mean > RISE * progress.first_loss:
            norm = max(entry["grad_norm"] for entry in progress.history)
            progress.findings.append(exploded(config, self.step, mean, progress.first_loss, norm))
            progress.status = "diverged"
            return True
        progress.plateau.see(seen["loss"])
        if len(self._validation):
            if better(self.task, seen, progress.best):
                progress.best, progress.waited = seen, 0
                progress.best_weights = self.stack.model.flat[row].detach().clone() if config.keep == "best" else None
            else:
                progress.waited += 1
        if config.patience and progress.waited >= config.patience:
            progress.status = "stopped"
            return True
        return False

    def _drop_broken(self) -> None:
        """Between evaluations: where a loss stopped being a number, record at once."""
        if not bool(torch.isfinite(self._seen[0, self._noted - 1]).all()):
            self._record()

    @property
    def spent(self) -> float:
        """The share of the budget that is spent, 0..1: of the steps or of the seconds, whichever is more."""
        shares = [0.0]
        if self._total_steps:
            shares.append(self.step / self._total_steps)
        if self.configs[0].max_seconds:
            shares.append(self.seconds / self.configs[0].max_seconds)
        return min(1.0, max(shares))

    def _over(self) -> bool:
        return self.spent >= 1.0

    def _save_sometimes(self) -> None:
        if self.checkpoint is not None and time.perf_counter() - self._saved > CHECKPOINT_SECONDS:
            checkpoints.save(self, self.checkpoint)
            self._saved = time.perf_counter()


def updates(config: TrainConfig, examples: int) -> int | None:
    """Return how many updates the budget of ``config`` allows on so many examples, or None where it is in seconds alone.

    Example:
        >>> updates(TrainConfig(epochs=3, batch_size=32), 100)
        12
    """
    epochs = config.epochs
    if epochs is None and config.max_steps is None and config.max_seconds is None:
        epochs = DEFAULT_EPOCHS
    limits = [config.max_steps] if config.max_steps else []
    if epochs is not None:
        limits.append(epochs * batching.count(config.batch_size, examples))
    return min(limits) if limits else None


def train(
    task: Task,
    model_config: ModelConfig,
    configs: TrainConfig | Sequence[TrainConfig],
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
    name: str = "run",
) -> list[Run]:
    """Train to the end and return the runs; arguments as of `Training`.

    Example:
        >>> from rnnlab.data import library
        >>> from rnnlab.tasks import everything_trains, from_numbers
        >>> task = from_numbers(library.binary(), splits=everything_trains(256))
        >>> runs = train(task, ModelConfig(hidden_size=4), TrainConfig(max_steps=2))
        >>> runs[0].status
        'done'
    """
    training = Training(task, model_config, configs, device=device, checkpoint=checkpoint, name=name)
    for _ in training:
        pass
    return training.runs()
