"""Leave no trace: random states put back, and copies of models to try things on.

Every probe works on a copy; `untouched` guards what the user's closures may reach nonetheless (a loss that looks at
the original model's weights fills their gradients). It knows no checks.
"""

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnlab.doctor.subject import Subject


@contextmanager
def untouched(subject: Subject) -> Iterator[None]:
    """Put weights, buffers, gradients, modes, optimizer and all random states back as they were, to the bit."""
    model = subject.model
    tensors = [*model.parameters(), *model.buffers()]
    values = [tensor.detach().clone() for tensor in tensors]
    grads = [(p, p.grad, None if p.grad is None else p.grad.clone(), p.requires_grad) for p in _parameters(subject)]
    modes = [(module, module.training) for module in model.modules()]
    states = [(state, dict(state), {k: v.clone() for k, v in state.items() if isinstance(v, Tensor)})
              for state in subject.optimizer.state.values()]  # fmt: skip
    known = set(subject.optimizer.state)
    groups = [(group, dict(group)) for group in subject.optimizer.param_groups]
    noise = (torch.get_rng_state(), np.random.get_state(), random.getstate())  # noqa: NPY002
    with _cuda_noise():
        try:
            yield
        finally:
            _restore(tensors, values, grads, modes)
            for state, items, clones in states:
                state.clear()
                state.update(items)
                for key, value in clones.items():
                    _put_back(state[key], value)
            for key in set(subject.optimizer.state) - known:
                del subject.optimizer.state[key]
            for group, items in groups:
                group.clear()
                group.update(items)
            torch.set_rng_state(noise[0])
            np.random.set_state(noise[1])  # noqa: NPY002
            random.setstate(noise[2])


def copy_of(subject: Subject) -> tuple[nn.Module, torch.optim.Optimizer, Any]:
    """Return copies of the model, its optimizer (holding the copy's parameters) and the loss."""
    memo: dict[int, Any] = {}
    for module in [subject.model, *subject.model.modules()]:
        _detach_states(vars(module), memo)
    try:
        copied = copy.deepcopy((subject.model, subject.optimizer), memo)
    except Exception:
        model = copy.deepcopy(subject.model, {key: value for key, value in memo.items() if isinstance(value, Tensor)})
        copied = (model, _same_optimizer(subject, model))
    for old, new in zip(subject.model.parameters(), copied[0].parameters()):
        new.grad = None if old.grad is None else old.grad.clone()
    loss = copy.deepcopy(subject.loss, memo) if isinstance(subject.loss, nn.Module) else subject.loss
    return copied[0], copied[1], loss


def _parameters(subject: Subject) -> list[nn.Parameter]:
    held = [p for group in subject.optimizer.param_groups for p in group["params"]]
    return list({id(p): p for p in [*subject.model.parameters(), *held]}.values())


def _restore(tensors: list[Any], values: list[Tensor], grads: list[Any], modes: list[Any]) -> None:
    for tensor, value in zip(tensors, values):
        _put_back(tensor, value)
    for parameter, grad, value, wanted in grads:
        if grad is not None:
            _put_back(grad, value)
        parameter.grad = grad
        parameter.requires_grad_(wanted)
    for module, training in modes:
        module.training = training


def _put_back(tensor: Tensor, value: Tensor) -> None:
    """Write ``value`` only where it differs, so that an untouched tensor keeps its version counter."""
    if not torch.equal(tensor.detach(), value):
        with torch.no_grad():
            tensor.detach().copy_(value)


def _detach_states(values: Any, memo: dict[int, Any]) -> None:
    """Let states with a graph behind them (``self.hidden``) be copied as plain tensors; deepcopy refuses them."""
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, Tensor) and not value.is_leaf:
            memo[id(value)] = value.detach().clone()
        elif isinstance(value, (tuple, list, dict)) and not isinstance(value, nn.Module):
            _detach_states(value, memo)


def _same_optimizer(subject: Subject, model: nn.Module) -> torch.optim.Optimizer:
    """Return an optimizer of the same kind for ``model``, where the original cannot be copied."""
    twin = dict(zip(map(id, subject.model.parameters()), model.parameters()))
    groups = [
        {**{k: v for k, v in group.items() if k != "params"}, "params": [twin.get(id(p), p) for p in group["params"]]}
        for group in subject.optimizer.param_groups
    ]
    return type(subject.optimizer)(groups, lr=groups[0].get("lr", 1e-3))


@contextmanager
def _cuda_noise() -> Iterator[None]:
    """Keep the accelerators' random states too, where torch has started them already."""
    states = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        if states is not None:
            torch.cuda.set_rng_state_all(states)
