"""Checks of the notebook *memorise*: the stacked LSTM, two optimizers, the loop, the plateau, many seeds."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlab.doctor import Subject
from rnnlab.notebooks.checking import Wrong, task
from rnnlab.notebooks.probing import need_layers, shaped, sound

TARGETS = (1 / 3, 2 / 3, 1.0)
PLATEAU = 5 / 27
LEARNED = 1e-2


@task("The LSTM version")
def lstm(answer: Callable[..., nn.Module], inputs: Tensor) -> str:
    """Check layers and sizes, what is returned, and that batch comes first."""
    model = answer(1, 100, 1)
    need_layers(model, nn.LSTM, "lstm", "SimpleLSTM")
    layers = sum(module.num_layers for module in model.modules() if isinstance(module, nn.LSTM))
    if layers != 3:
        raise Wrong(f"Three layers of nn.LSTM are asked for; yours has {layers}.")
    found = model(inputs)
    if not isinstance(found, tuple) or len(found) != 2:
        raise Wrong("Return two things, as nn.LSTM does: the outputs of all steps, and the states.")
    shaped(found[0], (*inputs.shape[:2], 1), "The outputs", "(batch, time, 1)")
    longer = torch.cat([inputs, inputs[:, :2]], dim=1)
    shaped(model(longer)[0], (*longer.shape[:2], 1), "The outputs of five steps", "(batch, time, 1)")
    targets = torch.tensor(TARGETS)[:, None]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    subject = Subject(model, optimizer, F.mse_loss, inputs, targets, forward=_third_step)
    sound(
        subject,
        ("unregistered_parameters", "samples_influence_each_other", "state_reset", "parameters_without_gradient"),
    )
    return "three layers, and no sequence sees another."


@task("Two optimizers")
def optimizers(answer: Callable[..., Any], make: Callable[..., nn.Module]) -> str:
    """Check that each optimizer holds the parameters of its own network, and no others."""
    first, second = make(), nn.LSTM(1, 4)
    found = answer(first, second)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("Return two optimizers.")
    for name, model, other, optimizer in (("RNN", first, second, found[0]), ("LSTM", second, first, found[1])):
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise Wrong(
                f"The optimizer of the {name} must be one of torch.optim; you return {type(optimizer).__name__}."
            )
        held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        own, foreign = ({id(parameter) for parameter in one.parameters()} for one in (model, other))
        if held & foreign:
            raise Wrong(
                f"The optimizer of the {name} holds weights of the other network: this is the lab's own mistake. "
                f"The {name} would never move."
            )
        if held != own:
            raise Wrong(
                f"The optimizer of the {name} holds {len(held)} of its {len(own)} parameters; pass parameters()."
            )
        rate = optimizer.param_groups[0]["lr"]
        if not isinstance(optimizer, torch.optim.SGD) or rate != 0.9:
            raise Wrong(f"SGD with a rate of 0.9 is asked for; yours is {type(optimizer).__name__} with {rate:g}.")
    return "each holds its own network. In the lab both held the RNN."


@task("The loop")
def train(answer: Callable[..., Any], make: Callable[..., nn.Module], inputs: Tensor, targets: Tensor) -> str:
    """Check the losses against a loop of ours from the same weights; a gradient that piles up is told apart."""
    torch.manual_seed(1)
    start = make()
    model = copy.deepcopy(start)
    found = answer(model, torch.optim.SGD(model.parameters(), lr=0.05), 6)
    if not isinstance(found, list | tuple) or len(found) != 6:
        raise Wrong("Return a list with the loss of every epoch; six were asked for.")
    if any(isinstance(loss, Tensor) for loss in found):
        raise Wrong("Record numbers, loss.item(): a tensor keeps the graph of its epoch in memory.")
    right = _losses(start, inputs, targets, 7, step=2)
    if _near(found, right[:6]) or _near(found, right[1:]):
        return "a forward pass, its gradient alone, and a step."
    if _near(found, _losses(start, inputs, targets, 6, step=2, zero=False)):
        raise Wrong("The gradients pile up: call optimizer.zero_grad() in every epoch, before backward().")
    if _near(found, _losses(start, inputs, targets, 6, step=2, move=False)):
        raise Wrong("The loss never changes: no step of the optimizer, or zero_grad() between backward() and step().")
    for other in (0, 1):
        if _near(found[:1], _losses(start, inputs, targets, 1, step=other)):
            raise Wrong(f"The loss is of step {other + 1}; the third has the index 2.")
    raise Wrong(
        f"The losses should begin {_listed(right[:3])}; yours begin {_listed(found[:3])}. Is it mse_loss of the third step?"
    )


@task("The plateau")
def stuck(answer: Sequence[float]) -> str:
    """Check that three outputs have the lab's last loss, and can be outputs of a tanh."""
    found = [float(value) for value in answer]
    if len(found) != 3:
        raise Wrong(f"Three outputs are asked for; you give {len(found)}.")
    loss = sum((value - target) ** 2 for value, target in zip(found, TARGETS, strict=True)) / 3
    if abs(loss - PLATEAU) > 1e-4:
        raise Wrong(f"These have a loss of {loss:.4f}, not of {PLATEAU:.4f}.")
    if max(abs(value) for value in found) > 1 + 1e-6:
        raise Wrong("The loss is right, but the last layer is a tanh: no output is above 1.")
    if min(found) < 1 - 1e-3:
        raise Wrong(
            "The loss is right, but a network would not stay there: where is a tanh flat, so that its gradient is 0?"
        )
    return "all saturated at +1, where tanh is flat: a gradient of exactly 0, and no way back."


@task("Many seeds")
def many(answer: Mapping[str, Any]) -> str:
    """Check five different runs each, and count which of them learned."""
    said = []
    for name, found in answer.items():
        if len(found) != 5:
            raise Wrong(f"{name}: five lists of losses are asked for; you give {len(found)}.")
        if len({round(losses[0], 6) for losses in found}) < 5:
            raise Wrong(
                f"{name}: some runs begin with the same loss. Every seed needs a fresh network after manual_seed."
            )
        learned = sum(min(losses) < LEARNED for losses in found)
        said.append(f"{name}: {learned} of 5")
    return f"below {LEARNED:g} within {len(found[0])} epochs: {'; '.join(said)}."


def _third_step(model: nn.Module, inputs: Tensor) -> Tensor:
    outputs: Tensor = model(inputs)[0][:, 2]
    return outputs


def _losses(
    start: nn.Module, inputs: Tensor, targets: Tensor, epochs: int, *, step: int, zero: bool = True, move: bool = True
) -> list[float]:
    """Return the losses of a loop from the weights of ``start``, with a mistake built in where asked for."""
    model = copy.deepcopy(start)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = []
    for _ in range(epochs):
        loss = F.mse_loss(model(inputs)[0][:, step], targets)
        if zero:
            optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if move:
            optimizer.step()
        losses.append(loss.item())
    return losses


def _near(found: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(abs(one - other) <= 1e-4 * abs(other) + 1e-7 for one, other in zip(found, wanted, strict=True))


def _listed(losses: Sequence[float]) -> str:
    return ", ".join(f"{loss:.4f}" for loss in losses)
