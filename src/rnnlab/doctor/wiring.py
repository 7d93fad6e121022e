"""Checks of the wiring: does the gradient reach the parameters, and does the optimizer move them?"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from rnnlab.doctor.examination import Examination
from rnnlab.doctor.registry import check, found
from rnnlab.doctor.trials import call_train_step
from rnnlab.findings import Finding


@check("optimizer_misses_parameters")
def optimizer_misses_parameters(examination: Examination) -> Finding | None:
    """The optimizer does not hold all of the model's parameters, or holds another network's: build it from this
    model's parameters, after the last layer was added."""
    model, optimizer = examination.subject.model, examination.subject.optimizer
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    own = {id(parameter): name for name, parameter in model.named_parameters()}
    missing = [name for name, one in model.named_parameters() if one.requires_grad and id(one) not in held]
    strangers = len(held - set(own))
    if not missing:
        return None
    everything = len(missing) == sum(one.requires_grad for one in model.parameters())
    whose = f" and holds {strangers} tensors that are not the model's" if strangers else ""
    return found(
        "optimizer_misses_parameters",
        "error" if everything or strangers else "warning",
        f"the optimizer holds {'none' if everything else 'not all'} of the model's parameters{whose}: {_list(missing)} never move",
        "optimizer = torch.optim.Adam(model.parameters(), lr=...)  # of this model, once it is complete",
        missing=missing[:20],
        strangers=strangers,
        parameters=len(own),
    )


@check("unregistered_parameters")
def unregistered_parameters(examination: Examination) -> Finding | None:
    """Weights take part in the loss but are not among model.parameters(), as layers in a plain list are: no
    optimizer sees them. Put layers into nn.ModuleList, weights into nn.Parameter."""
    strangers = [shape for shape in examination.backward.strangers if math.prod(shape) > 0]
    inputs = list(examination.batch.inputs.shape)
    strangers = [shape for shape in strangers if shape != inputs]
    if not strangers:
        return None
    return found(
        "unregistered_parameters",
        "error",
        f"{len(strangers)} tensors with a gradient are not among model.parameters(): they are never trained or saved",
        "self.layers = nn.ModuleList(layers)  # not a plain list; nn.Parameter for single weights",
        shapes=strangers[:10],
    )


@check("loss_without_gradient")
def loss_without_gradient(examination: Examination) -> Finding | None:
    """The loss has no gradient at all: it was detached, turned into a number, or made from argmax. Compute the loss
    from the raw outputs, without .detach(), .item(), .data, argmax or torch.no_grad()."""
    gradients = examination.backward.gradients
    if any(one is not None for one in gradients.values()):
        return None
    if not any(one.requires_grad for one in examination.subject.model.parameters()):
        return None
    return found(
        "loss_without_gradient",
        "error",
        "no parameter gets a gradient from the loss: the graph is cut between the model and the loss",
        "loss(outputs, targets) on the outputs themselves: no .detach(), .item(), .data, argmax or torch.tensor(...)",
        loss=examination.backward.loss,
    )


@check("dead_relu", silenced_by=("loss_without_gradient",))
def dead_relu(examination: Examination) -> Finding | None:
    """A ReLU gives 0 for every sample: it has no gradient, and nothing behind it ever learns. Drop a ReLU on the
    output of a regression; elsewhere use LeakyReLU, scale the inputs or lower the learning rate."""
    outputs = examination.outputs
    silent = [name for name, share in examination.backward.relus.items() if share == 1.0]
    dead = outputs.is_floating_point() and not bool(outputs.any()) and _no_gradient(examination)
    if not dead and not silent:
        return None
    where = "the output is" if dead else f"the outputs of {_list(silent)} are"
    return found(
        "dead_relu",
        "error",
        f"{where} exactly 0 for all {examination.batch.layout.samples} samples: a dead ReLU, which never comes back",
        "return self.linear(states)  # no ReLU on the output; nn.LeakyReLU() where one is needed",
        samples=examination.batch.layout.samples,
        layers=silent,
    )


def _no_gradient(examination: Examination) -> bool:
    return not any(one is not None and bool(one.any()) for one in examination.backward.gradients.values())


@check(
    "parameters_without_gradient",
    silenced_by=(
        "loss_without_gradient",
        "dead_relu",
        "one_step_sequence",
        "state_reset",
        "steps_ignored",
        "saturated_gates",
    ),
)
def parameters_without_gradient(examination: Examination) -> Finding | None:
    """Parameters that should be trained get no gradient, or one of exactly 0: a layer that forward does not use, a
    state that was detached, or a saturated output. Use the layer or remove it; look for .detach()."""
    trainable = {name for name, one in examination.subject.model.named_parameters() if one.requires_grad}
    gradients = {name: one for name, one in examination.backward.gradients.items() if name in trainable}
    unused = [name for name, one in gradients.items() if one is None]
    zero = [name for name, one in gradients.items() if one is not None and not bool(one.any())]
    if not unused and not zero:
        return None
    said = [f"{_list(unused)} take no part in the loss"] if unused else []
    said += [f"the gradient of {_list(zero)} is exactly 0"] if zero else []
    backwards = any(name.endswith("_reverse") for name in [*unused, *zero])
    return found(
        "parameters_without_gradient",
        "warning",
        "; ".join(said),
        "read the reverse direction where it ends, at step 0: torch.cat([h_n[-2], h_n[-1]], dim=1), not out[:, -1]"
        if backwards
        else "use these layers in forward or delete them; look for .detach() and for activations that are saturated",
        unused=unused[:20],
        zero=zero[:20],
    )


@check(
    "parameters_do_not_move",
    silenced_by=("optimizer_misses_parameters", "loss_without_gradient", "dead_relu", "one_step_sequence"),
)
def parameters_do_not_move(examination: Examination) -> Finding | None:
    """An update leaves every parameter as it was: the learning rate is 0, or optimizer.step() is never called."""
    model, optimizer = examination.fresh()
    before = [one.detach().clone() for one in model.parameters()]
    rates = [float(group["lr"]) for group in optimizer.param_groups if "lr" in group]
    if examination.subject.train_step is not None:
        call_train_step(examination, model, optimizer, examination.batch)
    else:
        examination.loss(examination.run(model, examination.batch), examination.batch).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    graded = any(one.grad is not None and bool(one.grad.any()) for one in model.parameters())
    if any(not torch.equal(one, old) for one, old in zip(model.parameters(), before, strict=True)):
        return None
    if examination.subject.train_step is None and not graded:
        return None
    return found(
        "parameters_do_not_move",
        "error",
        "an update changes no parameter, to the last bit",
        "loss.backward(); optimizer.step()  # with a learning rate above 0",
        learning_rates=rates,
    )


@check("zero_grad_forgotten", needs=("train_step",), silenced_by=("parameters_do_not_move",))
def zero_grad_forgotten(examination: Examination) -> Finding | None:
    """The gradients of earlier batches are still there when the optimizer steps: call optimizer.zero_grad() before
    each backward pass."""
    model, optimizer = examination.fresh()
    used: list[list[Tensor | None]] = []
    optimizer.register_step_pre_hook(lambda *_: used.append(_gradients(model)))
    batch = examination.take(16)
    call_train_step(examination, model, optimizer, batch)
    if not any(one is not None and bool(one.any()) for one in _gradients(model)) or not used:
        return None
    torch.manual_seed(1)
    state = torch.get_rng_state()
    weights = [one.detach().clone() for one in model.parameters()]
    call_train_step(examination, model, optimizer, batch)
    with torch.no_grad():
        for one, value in zip(model.parameters(), weights, strict=True):
            one.copy_(value)
            one.grad = None
    torch.set_rng_state(state)
    call_train_step(examination, model, optimizer, batch)
    piled, clean = _flat(used[-2]), _flat(used[-1])
    difference = float((piled - clean).norm() / (clean.norm() + 1e-12))
    if piled.shape != clean.shape or difference < 0.05:
        return None
    return found(
        "zero_grad_forgotten",
        "error",
        f"the second update uses the first one's gradient too: its gradient is {difference:.0%} off that of its own batch",
        "optimizer.zero_grad(); loss.backward(); optimizer.step()",
        difference=difference,
    )


def _gradients(model: nn.Module) -> list[Tensor | None]:
    return [None if one.grad is None else one.grad.detach().clone() for one in model.parameters()]


def _flat(gradients: list[Tensor | None]) -> Tensor:
    return torch.cat([one.flatten() for one in gradients if one is not None] or [torch.zeros(1)])


def _list(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def trainable(examination: Examination) -> list[Any]:
    """Return the parameters that want a gradient."""
    return [one for one in examination.subject.model.parameters() if one.requires_grad]
