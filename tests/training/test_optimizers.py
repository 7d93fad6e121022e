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
def test_matches_torch_in_every_run(rule: str, momentum: float) -> None:
    extra = {"momentum": momentum} if rule == "sgd" else {}
    flat = torch.randn(3, 11, dtype=torch.float64)
    ours = flat.clone()
    configs = [TrainConfig(optimizer=rule, **setting, **extra) for setting in SETTINGS]
    optimizer = Optimizer(configs, ours)
    theirs = [torch.nn.Parameter(row.clone()) for row in flat]
    torch_options = [{k: v for k, v in setting.items() if k != "clip"} for setting in SETTINGS]
    references = [TORCH[rule]([p], **options, **extra) for p, options in zip(theirs, torch_options, strict=True)]
    rates = torch.tensor([[setting["lr"]] for setting in SETTINGS], dtype=torch.float64)
    for _ in range(7):
        gradient = torch.randn(3, 11, dtype=torch.float64)
        for row, (parameter, setting, reference) in enumerate(zip(theirs, SETTINGS, references, strict=True)):
            parameter.grad = gradient[row].clone()
            if "clip" in setting:
                torch.nn.utils.clip_grad_norm_([parameter], setting["clip"])
            reference.step()
        norms = optimizer.update(ours, gradient.clone(), rates)
        torch.testing.assert_close(norms, gradient.norm(dim=1))
    torch.testing.assert_close(ours, torch.stack([p.detach() for p in theirs]))


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
