"""Checks of the notebook *sales*: naive forecasts, scaling, windows, the network, its forecasts, the width of the window."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlab.doctor import Subject
from rnnlab.notebooks.checking import Wrong, task
from rnnlab.notebooks.probing import need_layers, recurrent, shaped

WEEK = 7


@task("What it has to beat")
def naive(answer: Callable[..., Mapping[str, float]], values: Tensor, first_test: int) -> str:
    """Check both errors; errors over other days, and squared ones, are told apart."""
    found = answer(values, first_test)
    said = []
    for name, lag in (("last value", 1), ("a week before", WEEK)):
        if name not in found:
            raise Wrong(f"The dictionary must have {name!r}; yours has {', '.join(map(repr, found))}.")
        right = _lagged(values, lag, first_test)
        error = float(found[name])
        if abs(error - right) > 1e-3 * right:
            everywhere = _lagged(values, lag, lag)
            squared = float(((values[first_test - lag : -lag] - values[first_test:]) ** 2).mean())
            if abs(error - everywhere) < 0.02 * everywhere:
                raise Wrong(f"{name}: that is the error over all days; take the held-out ones.")
            if min(abs(error - squared), abs(error - squared**0.5)) < 1e-3 * error:
                raise Wrong(f"{name}: that is a squared error; take absolute values, then the mean.")
            raise Wrong(f"{name}: the mean absolute error is {right:,.0f} pounds; yours is {error:,.0f}.")
        said.append(f"{name}: {error:,.0f}")
    return f"in pounds, {'; '.join(said)}."


@task("Scaling")
def standardise(answer: Callable[..., Any], values: Tensor, first_test: int) -> str:
    """Check that mean and deviation are of the training days alone, and that all values are scaled with them."""
    found = answer(values, first_test)
    if not isinstance(found, tuple | list) or len(found) != 3:
        raise Wrong("Return three things: the scaled values, the mean, the standard deviation.")
    scaled = shaped(found[0], tuple(values.shape), "The scaled values", "(time,)")
    mean, deviation = float(found[1]), float(found[2])
    train = values[:first_test]
    if abs(mean - float(train.mean())) > 1e-3 * abs(float(train.mean())):
        if abs(mean - float(values.mean())) < 1e-3 * abs(float(values.mean())):
            raise Wrong(
                "The mean is that of all days, the held-out ones among them: a look ahead. Take values[:first_test]."
            )
        raise Wrong(f"The mean of the training days is {float(train.mean()):,.1f}; yours is {mean:,.1f}.")
    if abs(deviation - float(train.std())) > 2e-3 * float(train.std()):
        raise Wrong(
            f"The standard deviation of the training days is {float(train.std()):,.1f}; yours is {deviation:,.1f}."
        )
    if not torch.allclose(scaled * deviation + mean, values, rtol=1e-3, atol=1.0):
        raise Wrong("Scaled values, times the deviation, plus the mean, must be the values again.")
    return "the held-out days were not looked at."


@task("Windows")
def windows(answer: Callable[..., Any]) -> str:
    """Check windows of a series of whole numbers, where every mistake shows as a number."""
    series = torch.arange(20.0)
    found = answer(series, 5)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("Return two tensors: the windows, and the next value of each.")
    inputs, targets = found
    if not isinstance(inputs, Tensor) or inputs.ndim != 3:
        raise Wrong(f"Windows must be (windows, width, 1); yours are {tuple(getattr(inputs, 'shape', ()))}.")
    if inputs.shape[1:] == (1, 5):
        raise Wrong(
            "The window is the features of one step, as in the lab: nothing would be recurrent. Make it (windows, 5, 1)."
        )
    if inputs.shape[1:] != (5, 1):
        raise Wrong(f"Windows must be (windows, width, 1), here (15, 5, 1); yours are {tuple(inputs.shape)}.")
    if not isinstance(targets, Tensor) or targets.shape != (len(inputs), 1):
        raise Wrong(
            f"Targets must be (windows, 1), like the outputs, or the loss compares each output with every target; "
            f"yours are {tuple(getattr(targets, 'shape', ()))}."
        )
    first = inputs[0, :, 0].tolist()
    if first != [0, 1, 2, 3, 4]:
        raise Wrong(f"The first window of 0, 1, 2, ... is 0, 1, 2, 3, 4; yours is {first}.")
    ahead = float(targets[0, 0] - inputs[0, -1, 0])
    if ahead != 1:
        words = "is in the window already" if ahead < 1 else f"lies {ahead:.0f} days ahead: {ahead - 1:.0f} is skipped"
        raise Wrong(f"The target of the window 0, 1, 2, 3, 4 is 5; yours is {float(targets[0, 0]):.0f}, which {words}.")
    if not torch.equal(targets[:, 0], inputs[:, -1, 0] + 1):
        raise Wrong("The first target is right, but later ones are not the next value of their window.")
    if len(inputs) != 15:
        raise Wrong(f"20 values have 15 windows of 5 with a next value; you return {len(inputs)}.")
    return "steps of one value, and the next day as the target."


@task("The network")
def network(
    answer: Callable[..., nn.Module],
    cut: Callable[..., Any],
    scale: Callable[..., Any],
    values: Tensor,
    first_test: int,
) -> str:
    """Check shape and layer, and let the doctor look, with the student's own windows."""
    scaled = scale(values, first_test)[0]
    inputs, targets = cut(scaled[: first_test // 2], 14)
    for cell, layer in (("rnn", nn.RNN), ("lstm", nn.LSTM)):
        model = answer(cell)
        need_layers(model, layer, cell)
        shaped(model(inputs[:8]), (8, 1), "The output", "(batch, 1)")
        subject = Subject(model, torch.optim.Adam(model.parameters(), lr=0.005), F.mse_loss, inputs, targets)
        checks = ("unregistered_parameters", "samples_influence_each_other", "state_carried", "one_step_sequence", "state_reset",
                  "steps_ignored", "bounded_output", "dead_relu", "loss_broadcasts", "target_misaligned")  # fmt: skip
        recurrent(subject, checks)
    return "both read the window day by day, and can answer any number."


@task("The held-out days")
def forecast(answer: Mapping[str, Tensor], values: Tensor, first_test: int) -> str:
    """Check units, alignment and error of the forecasts."""
    truth = values[first_test:]
    week, said = _lagged(values, WEEK, first_test), []
    for cell, found in answer.items():
        flat = shaped(found, tuple(truth.shape), f"The forecast of the {cell}", "(held-out days,)").detach()
        error = float((flat - truth).abs().mean())
        if float(flat.abs().max()) < 0.01 * float(truth.abs().max()):
            raise Wrong(f"The forecasts of the {cell} are not in pounds: multiply by the deviation and add the mean.")
        if float((flat - truth).abs().max()) == 0:
            raise Wrong("These are the values themselves.")
        late, early = (float(one.abs().mean()) for one in (flat[1:] - truth[:-1], flat[:-1] - truth[1:]))
        if min(late, early) < 0.8 * error:
            side = "before" if late < early else "after"
            raise Wrong(
                f"The forecasts of the {cell} fit the day {side} better than their own: they are shifted by a day."
            )
        if error > 1.3 * week:
            raise Wrong(
                f"The {cell} is off by {error:,.0f} pounds a day, the value a week before by {week:,.0f}. Is the window cut from the "
                "scaled values up to the day before, and are 40 passes done?"
            )
        said.append(f"{cell} {error:,.0f}")
    return f"off by {', '.join(said)} pounds a day; the value a week before by {week:,.0f}."


@task("The width of the window")
def by_width(answer: Mapping[int, float], values: Tensor, first_test: int) -> str:
    """Check that three errors are there, in pounds; and say what they mean for the lab's sentence."""
    missing = [width for width in (8, 16, 32) if width not in answer]
    if missing:
        raise Wrong(f"Width {missing[0]} is missing.")
    errors = {width: float(answer[width]) for width in (8, 16, 32)}
    last, week = _lagged(values, 1, first_test), _lagged(values, WEEK, first_test)
    if not all(0.3 * week < error < 2 * last for error in errors.values()):
        raise Wrong(f"These cannot be mean absolute errors in pounds: {errors}.")
    told = ", ".join(f"{width}: {error:,.0f}" for width, error in errors.items())
    if errors[8] < week:
        return f"{told}. A window of 8 learns: it beats the value a week before ({week:,.0f}). The lab's was dead, not short."
    return f"{told}. A window of 8 stays behind the value a week before ({week:,.0f}) in this run; try another seed."


def _lagged(values: Tensor, lag: int, first: int) -> float:
    """Return the mean absolute error of the value ``lag`` days before, from day ``first`` on."""
    return float((values[first - lag : -lag] - values[first:]).abs().mean())
