"""The losses' gradients in closed form against autograd, and the losses against torch's own."""

import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rnnlab.data import library
from rnnlab.tasks import Task, classify_strings, everything_trains, forecast_series, from_numbers, losses

QUANTILES = (0.1, 0.5, 0.9)


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def hold(found: tuple[Tensor, Tensor], outputs: Tensor, loss: Tensor) -> None:
    """``found`` is the value of ``loss`` and its gradient at ``outputs``."""
    torch.testing.assert_close(found[0], loss.detach())
    (expected,) = torch.autograd.grad(loss.sum(), outputs)
    torch.testing.assert_close(found[1], expected, rtol=1e-5, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.booleans(), st.integers(0, 99))
def test_squared(runs: int, batch: int, width: int, shared: bool, seed: int) -> None:
    outputs = drawn(seed, runs, batch, width).requires_grad_()
    targets = drawn(seed + 1, 1 if shared else runs, batch, width)
    expected = torch.stack([functional.mse_loss(outputs[run], targets[run * (not shared)]) for run in range(runs)])
    hold(losses.squared_and_gradient(outputs.detach(), targets), outputs, expected)
    torch.testing.assert_close(losses.squared(outputs, targets), expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(0, 99))
def test_pinball(runs: int, batch: int, horizon: int, seed: int) -> None:
    outputs = drawn(seed, runs, batch, 3 * horizon)
    targets = drawn(seed + 1, 1, batch, horizon)
    outputs[0, 0, 1] = targets[0, 0, 0]  # met exactly
    outputs.requires_grad_()
    found = losses.pinball_and_gradient(outputs.detach(), targets, QUANTILES)
    hold(found, outputs, losses.pinball(outputs, targets, QUANTILES))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(2, 7), st.sampled_from([0.0, 0.1, 0.5]), st.integers(0, 99))
def test_cross_entropy(runs: int, batch: int, classes: int, smoothing: float, seed: int) -> None:
    outputs = (5 * drawn(seed, runs, batch, classes)).requires_grad_()
    targets = torch.randint(0, classes, (runs, batch), generator=torch.Generator().manual_seed(seed))
    expected = torch.stack(
        [functional.cross_entropy(outputs[run], targets[run], label_smoothing=smoothing) for run in range(runs)]
    )
    hold(losses.cross_entropy_and_gradient(outputs.detach(), targets, smoothing), outputs, expected)
    torch.testing.assert_close(losses.cross_entropy(outputs, targets, smoothing), expected)


def test_what_is_not_a_number_stays_so() -> None:
    outputs = torch.tensor([[[float("nan"), 1.0]], [[2.0, 1.0]]])
    found, gradient = losses.cross_entropy_and_gradient(outputs, torch.zeros(1, 1, dtype=torch.int64), 0.0)
    assert found.isnan().tolist() == [True, False]
    assert gradient[0].isnan().all()
    assert gradient[1].isfinite().all()


def _tasks() -> dict[str, Task]:
    """Levels or none, quantiles or none, numbers and labels: every road through a task's loss."""
    sales, known = library.sales(), {"context_length": 6, "horizon": 2}
    return {
        "series": forecast_series(sales, **known),
        "windows": forecast_series(sales, scaling="window", **known),
        "quantiles": forecast_series(sales, scaling="window", quantiles=QUANTILES, **known),
        "numbers": from_numbers(library.binary(), splits=everything_trains(256)),
        "labels": classify_strings(library.names()),
    }


@pytest.mark.parametrize("name", ["series", "windows", "quantiles", "numbers", "labels"])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1, "prior_adjustment": 0.5}])
def test_a_task_gives_the_gradient_of_its_loss(name: str, options: dict[str, float]) -> None:
    task = _tasks()[name]
    index = task.part("train")[torch.randint(0, 100, (2, 16), generator=torch.Generator().manual_seed(1))]
    outputs = drawn(0, 2, 16, task.interface.outputs).requires_grad_()
    loss = task.loss(outputs, index, **options)
    hold(task.loss_and_gradient(outputs.detach(), index, **options), outputs, loss)
