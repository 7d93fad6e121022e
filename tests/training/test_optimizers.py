"""The optimizers against torch.optim, a run each with its own settings."""

import pytest
import torch

from rnnlab.config import TrainConfig
from rnnlab.training.optimizers import Optimizer

TORCH = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
SETTINGS = [
    {"lr": 0.1, "weight_decay": 0.0},
    {"lr": 0.01, "weight_decay": 0.1},
    {"lr": 0.003, "weight_decay": 0.0, "clip": 0.5},
]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("rule", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize(("size", "dtype"), [(11, torch.float64), (11, torch.float32), (40_001, torch.float32)])
def test_matches_torch_in_every_run(size: int, dtype: torch.dtype, rule: str, momentum: float) -> None:
    """float64 goes through torch's operations, float32 through the compiled pass, in one chunk or several."""
    extra = {"momentum": momentum} if rule == "sgd" else {}
    flat = torch.randn(3, size, dtype=dtype)
    ours = flat.clone()
    configs = [TrainConfig(optimizer=rule, **setting, **extra) for setting in SETTINGS]
    optimizer = Optimizer(configs, ours)
    theirs = [torch.nn.Parameter(row.clone()) for row in flat]
    torch_options = [{k: v for k, v in setting.items() if k != "clip"} for setting in SETTINGS]
    references = [TORCH[rule]([p], **options, **extra) for p, options in zip(theirs, torch_options, strict=True)]
    assert optimizer.fused == (dtype == torch.float32)
    rates = torch.tensor([[setting["lr"]] for setting in SETTINGS], dtype=dtype)
    for _ in range(7):
        gradient = torch.randn(3, size, dtype=dtype)
        for row, (parameter, setting, reference) in enumerate(zip(theirs, SETTINGS, references, strict=True)):
            parameter.grad = gradient[row].clone()
            if "clip" in setting:
                torch.nn.utils.clip_grad_norm_([parameter], setting["clip"])
            reference.step()
        norms = optimizer.update(ours, gradient.clone(), rates)
        torch.testing.assert_close(norms, gradient.norm(dim=1))
    torch.testing.assert_close(ours, torch.stack([p.detach() for p in theirs]), rtol=1e-5, atol=1e-6)


def test_a_norm_is_the_same_with_clipping_and_without() -> None:
    flat, gradient = torch.randn(2, 70_001), torch.randn(2, 70_001)
    found = []
    for clip in (0.0, 1.0):
        configs = [TrainConfig(optimizer="adam", clip=clip)] * 2
        found.append(Optimizer(configs, flat).update(flat.clone(), gradient.clone(), torch.full((2, 1), 0.1)))
    assert torch.equal(*found)
    torch.testing.assert_close(found[0].double(), gradient.double().norm(dim=1), rtol=1e-6, atol=0)


@pytest.mark.parametrize("rule", ["sgd", "adam", "adamw"])
def test_threads_and_neighbours_do_not_change_a_bit(rule: str) -> None:
    configs = [TrainConfig(optimizer=rule, lr=0.01 * (i + 1), weight_decay=0.1 * i, clip=1.0) for i in range(3)]
    flat, gradient = torch.randn(3, 100_003), torch.randn(3, 100_003)
    rates = torch.tensor([[config.lr] for config in configs])
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(flat.clone())
            Optimizer(configs, flat).update(found[-1], gradient.clone(), rates)
    finally:
        torch.set_num_threads(before)
    alone = flat[1:2].clone()
    Optimizer(configs[1:2], alone).update(alone, gradient[1:2].clone(), rates[1:2])
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0][1:2], alone)


def test_selected_runs_go_on_as_before() -> None:
    configs = [TrainConfig(optimizer="adamw", lr=0.01 * (i + 1), weight_decay=0.1 * i, clip=1.0) for i in range(3)]
    whole, rest = torch.randn(3, 5), None
    optimizer = Optimizer(configs, whole)
    rates = torch.tensor([[config.lr] for config in configs])
    optimizer.update(whole, torch.ones(3, 5), rates)
    other = Optimizer(configs, whole)
    other.state, other.updates = [tensor.clone() for tensor in optimizer.state], optimizer.updates
    keep = torch.tensor([0, 2])
    rest = whole[keep].clone()
    other.select(keep)
    gradient = torch.randn(3, 5)
    optimizer.update(whole, gradient.clone(), rates)
    other.update(rest, gradient[keep].clone(), rates[keep])
    assert torch.equal(rest, whole[keep])
