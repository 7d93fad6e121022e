"""Leave everything as it was found: random states, weights, gradients, modes, and everything that hangs on the model.

Probes work on copies (`copy_training`); `untouched` restores the originals bit for bit, should a probe reach them through
somebody's closure. It knows nothing of what is examined.
"""

import copy
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@contextmanager
def untouched(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Restore random states, the model and the optimizer on leaving; silence warnings meanwhile."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002 - the user's own global state
    gradients_on = torch.is_grad_enabled()
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    tensors = {id(one): one for one in [*model.parameters(), *model.buffers(), *held]}
    saved = [(one, one.detach().clone(), one.grad, _clone(one.grad)) for one in tensors.values()]
    modules = [(module, module.training, dict(module.__dict__)) for module in model.modules()]
    inner = _optimizer_state(optimizer)
    groups = [dict(group) for group in optimizer.param_groups]
    try:
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_grad_enabled(gradients_on)
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        random.setstate(states[2])
        _restore(saved, modules)
        _restore_state(optimizer, inner)
        for group, old in zip(optimizer.param_groups, groups, strict=True):
            group.update(old)


def _clone(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.detach().clone()


def _restore(
    saved: list[tuple[Tensor, Tensor, Tensor | None, Tensor | None]],
    modules: list[tuple[nn.Module, bool, dict[str, Any]]],
) -> None:
    with torch.no_grad():
        for tensor, value, gradient, old in saved:
            if not _same(tensor, value):
                tensor.copy_(value)
            if gradient is not None and old is not None and not _same(gradient, old):
                gradient.copy_(old)
            tensor.grad = gradient
    for module, training, attributes in modules:
        if module.training != training or any(
            module.__dict__.get(key) is not value for key, value in attributes.items()
        ):
            module.__dict__.update(attributes)
            module.training = training


def _optimizer_state(optimizer: torch.optim.Optimizer) -> dict[Any, tuple[Any, dict[Any, tuple[Any, Tensor | None]]]]:
    """Return, by parameter, the state's own dictionary, and each of its items with a copy of its value."""
    return {
        parameter: (
            state,
            {key: (item, item.clone() if isinstance(item, Tensor) else None) for key, item in state.items()},
        )
        for parameter, state in optimizer.state.items()
    }


def _restore_state(optimizer: torch.optim.Optimizer, saved: dict[Any, Any]) -> None:
    for parameter in [one for one in optimizer.state if one not in saved]:
        del optimizer.state[parameter]
    for parameter, (state, items) in saved.items():
        optimizer.state[parameter] = state
        for key in [key for key in state if key not in items]:
            del state[key]
        for key, (item, value) in items.items():
            state[key] = item
            if value is not None and not _same(item, value):
                item.copy_(value)


def _same(left: Tensor, right: Tensor) -> bool:
    return torch.equal(left, right) or bool(torch.allclose(left, right, rtol=0, atol=0, equal_nan=True))


def seed_everything(seed: int = 0) -> None:
    """Seed torch, NumPy's global generator and Python's."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


def copy_training(model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return copies that hang together as the originals do, without gradients and without the user's hooks.

    Hooks of torch itself (weight norm and the like) stay. Tensors that were computed, such as a hidden state that the model
    keeps, are copied as values.
    """
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in module.__dict__.values():
            for tensor in value if isinstance(value, (tuple, list)) else (value,):
                if isinstance(tensor, Tensor) and not tensor.is_leaf:
                    memo[id(tensor)] = tensor.detach().clone()
    copied: tuple[nn.Module, torch.optim.Optimizer] = copy.deepcopy((model, optimizer), memo)
    for module in copied[0].modules():
        for name in _HOOKS:
            table = module.__dict__.get(name) or {}
            for key in [key for key, hook in table.items() if not _of_torch(hook)]:
                del table[key]
    for group in copied[1].param_groups:
        for parameter in group["params"]:
            parameter.grad = None
    copied[0].zero_grad(set_to_none=True)
    return copied


def _of_torch(hook: Any) -> bool:
    return (getattr(hook, "__module__", None) or type(hook).__module__).startswith("torch.")
