"""An Examination: the probes that the checks look at, each done once, on copies, within a time limit.

It runs the subject's model and never judges what it sees. Probes that train are in `rnnlab.doctor.trials`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from rnnlab.doctor.clock import Timed
from rnnlab.doctor.guard import copy_training, seed_everything
from rnnlab.doctor.layout import Layout, first_tensor, layout_of
from rnnlab.doctor.subject import EXPECTED, Subject
from rnnlab.errors import InputError

BATCH = 48
RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@dataclass(frozen=True)
class Batch:
    """The samples that the probes use, and their layout."""

    inputs: Tensor
    targets: Tensor
    lengths: Tensor | None
    layout: Layout


@dataclass(frozen=True)
class Backward:
    """What one forward and backward pass left.

    Args:
        loss: its value.
        gradients: of every parameter, by name; None where there was none.
        strangers: shapes of tensors that got a gradient but are not among the model's parameters.
        lengths_seen: steps in each call of a recurrent layer (1 a call for cells), in order.
        fresh_starts: whether every call began from a state of zeros.
        relus: share of exact zeros in the outputs of each ``nn.ReLU``.
    """

    loss: float
    gradients: dict[str, Tensor | None]
    strangers: list[list[int]]
    lengths_seen: list[int]
    fresh_starts: bool
    relus: dict[str, float]


class Examination(Timed):
    """One subject under examination.

    Args:
        subject: as `read_subject` returns it.
        seconds: of probing at most, from now.

    Raises:
        InputError: the model does not run on the inputs, or the loss does not take its outputs.
    """

    def __init__(self, subject: Subject, seconds: float = 10.0) -> None:
        super().__init__(seconds)
        self.subject = subject
        self.layout = layout_of(subject)
        self.batch = self._batch()

    def missing(self, need: str) -> bool:
        """Return whether the subject lacks an attribute that a check needs."""
        return getattr(self.subject, need) is None

    def take(self, samples: int) -> Batch:
        """Return about ``samples`` of the probe's samples, spread evenly."""
        return self._pick(self.batch, min(samples, self.batch.layout.samples))

    def _batch(self) -> Batch:
        whole = Batch(self.subject.inputs, self.subject.targets, self.subject.lengths, self.layout)
        fewer = max(8, min(BATCH, 6000 // max(self.layout.steps, 1)))
        if self.layout.samples > fewer and (self.layout.target_axis is not None or self.layout.targets_by_step):
            part = self._pick(whole, fewer)
            try:
                self._try(part)
                return part
            except Exception:
                pass  # a batch size written into the model: all samples, then
        try:
            self._try(whole)
        except InputError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"forward(model, inputs) and loss(outputs, targets) must run, got {type(error).__name__}: {reason}; return {EXPECTED}"
            ) from None
        return whole

    def _pick(self, batch: Batch, samples: int) -> Batch:
        layout = batch.layout
        index = torch.linspace(0, layout.samples - 1, samples).long()
        inputs = layout.take(batch.inputs, index, layout.batch_axis)
        if layout.target_axis is None:
            targets = layout.target_rows(batch.targets).index_select(0, index).transpose(0, layout.batch_axis).flatten()
        else:
            targets = layout.take(batch.targets, index, layout.target_axis)
        lengths = None if batch.lengths is None else batch.lengths[index]
        if lengths is not None and layout.steps and layout.batch_axis == 0 and not layout.targets_by_step:
            inputs = inputs[:, : max(1, int(lengths.max()))] if inputs.ndim >= 2 else inputs
        steps = inputs.shape[1 - layout.batch_axis] if inputs.ndim >= 2 else 0
        return Batch(inputs, targets, lengths, replace(layout, samples=samples, steps=steps))

    def _try(self, batch: Batch) -> None:
        model, _ = self.fresh()
        value = self.loss(self.run(model, batch), batch)
        if value.numel() != 1:
            raise InputError(f"loss must return one number, got shape {tuple(value.shape)}; reduce it with .mean()")

    def fresh(self) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Return copies of the model and its optimizer."""
        return copy_training(self.subject.model, self.subject.optimizer)

    def run(
        self, model: nn.Module, batch: Batch, *, inputs: Tensor | None = None, train: bool = True, seed: int = 0
    ) -> Any:
        """Return what the subject's forward makes of a batch, or of other ``inputs`` in its place."""
        seed_everything(seed)
        model.train(train)
        chosen = (batch.inputs if inputs is None else inputs).clone()
        return self.subject.run(model, chosen, None if batch.lengths is None else batch.lengths.clone())

    def loss(self, outputs: Any, batch: Batch, targets: Tensor | None = None) -> Tensor:
        """Return the subject's loss."""
        value = self.subject.loss(outputs, (batch.targets if targets is None else targets).clone())
        return torch.as_tensor(value)

    def loss_at(self, answer: Tensor, targets: Tensor | None = None) -> Tensor:
        """Return the loss if the model's (first) output were ``answer``."""
        raw = self.raw
        outputs = (answer, *raw[1:]) if isinstance(raw, tuple) else answer
        return self.loss(outputs, self.batch, targets)

    @cached_property
    def raw(self) -> Any:
        """The outputs of the probe's batch in evaluation mode, as the loss gets them."""
        with torch.no_grad():
            return self.run(self.fresh()[0], self.batch, train=False)

    @cached_property
    def outputs(self) -> Tensor:
        """The outputs of the probe's batch in evaluation mode, the first tensor of them."""
        return first_tensor(self.raw).detach()

    def answer(self, inputs: Tensor, *, change: Callable[[nn.Module], None] | None = None) -> Tensor:
        """Return the outputs for other ``inputs`` from a fresh copy, ``change``d before where wanted; evaluation mode."""
        self.left()
        model, _ = self.fresh()
        with torch.no_grad():
            if change is not None:
                change(model)
            return first_tensor(self.run(model, self.batch, inputs=inputs, train=False)).detach()

    def rows(self, outputs: Tensor) -> Tensor:
        """Return ``outputs`` as ``(batch, ...)`` float64.

        Raises:
            ValueError: no axis is of the samples.
        """
        found = self.batch.layout.by_sample(outputs)
        if found is None:
            raise ValueError("outputs have no axis of samples")
        return found.double()

    @cached_property
    def steps(self) -> Tensor | None:
        """The outputs as ``(batch, time, ...)`` float64; None where there is none a step."""
        found = self.batch.layout.by_step(self.outputs)
        return None if found is None else found.double()

    @cached_property
    def tolerance(self) -> float:
        """What counts as a change of the outputs."""
        size = float(self.outputs.double().abs().max()) if self.outputs.numel() else 0.0
        return 1e-5 * max(size, 1e-3) if size < float("inf") else float("inf")

    def disturb(self, where: Tensor, seed: int = 0) -> Tensor:
        """Return the batch's inputs with other values where ``where``, ``(batch, time)`` or ``(batch,)``, is true.

        Numbers get noise of their own size; symbols are drawn from those in the batch.
        """
        generator = torch.Generator().manual_seed(seed)
        values = self.batch.layout.input_rows(self.batch.inputs).clone()
        mask = where.view(*where.shape, *[1] * (values.ndim - where.ndim)).expand_as(values)
        if values.is_floating_point():
            spread = values.double().std().nan_to_num().item() or 1.0
            other = values + (spread * torch.randn(values.shape, generator=generator)).to(values.dtype)
        else:
            pool = self.subject.inputs.flatten()
            other = pool[torch.randint(len(pool), values.shape, generator=generator)]
        changed = torch.where(mask, other, values)
        return changed.transpose(0, 1).contiguous() if self.batch.layout.batch_axis == 1 else changed

    @cached_property
    def backward(self) -> Backward:
        """One forward and backward pass in training mode."""
        self.left()
        model, _ = self.fresh()
        lengths: list[int] = []
        fresh: list[bool] = []
        relus: dict[str, float] = {}
        for name, module in model.named_modules():
            if isinstance(module, RECURRENT):
                module.register_forward_pre_hook(lambda m, a: _note_call(m, a, lengths, fresh))
            elif isinstance(module, nn.ReLU):
                module.register_forward_hook(lambda m, a, out, name=name: relus.update({name: _zeros(out)}))
        wake(model)
        value = self.loss(self.run(model, self.batch), self.batch)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        strangers: list[list[int]] = []
        if value.requires_grad:
            leaves = _leaves(value)
            strangers = [list(leaf.shape) for leaf in leaves if id(leaf) not in names]
            value.backward()  # type: ignore[no-untyped-call]
        found = {name: parameter.grad for name, parameter in model.named_parameters()}
        return Backward(float(value.detach()), found, strangers, lengths, all(fresh), relus)


def wake(model: nn.Module) -> None:
    """Give small weights to a single matrix of zeros: a last layer may start at zero, and then nothing depends on anything yet.

    More than one such matrix is left alone; that model does not wake up by itself either.
    """
    silent = [one for one in model.parameters() if one.ndim > 1 and not bool(one.detach().any())]
    if len(silent) == 1:
        with torch.no_grad():
            silent[0].normal_(0.0, 0.05, generator=torch.Generator().manual_seed(0))


def _note_call(module: nn.Module, arguments: tuple[Any, ...], lengths: list[int], fresh: list[bool]) -> None:
    values = arguments[0]
    if isinstance(values, nn.utils.rnn.PackedSequence):
        lengths.append(len(values.batch_sizes))
    elif isinstance(module, nn.RNNBase) and values.ndim == 3:
        lengths.append(values.shape[1 if module.batch_first else 0])
    else:
        lengths.append(1)
    state = arguments[1] if len(arguments) > 1 else None
    states = state if isinstance(state, (tuple, list)) else [state]
    fresh.append(all(one is None or not bool(one.detach().any()) for one in states))


def _zeros(outputs: Tensor) -> float:
    return float((outputs.detach() == 0).double().mean())


def _leaves(value: Tensor) -> list[Tensor]:
    """Return the leaf tensors that a backward pass from ``value`` would reach."""
    seen: set[Any] = set()
    stack = [value.grad_fn]
    found: dict[int, Tensor] = {}
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            found[id(variable)] = variable
        stack.extend(following for following, _ in node.next_functions)
    return list(found.values())
