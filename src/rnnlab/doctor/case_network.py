"""Checks of a run's network as it is after training: what its outputs can reach, dead units, gates, and gradients over time."""

import math

import numpy as np
import torch

from rnnlab.doctor.bounds import bounded, out_of_reach
from rnnlab.doctor.case import Case
from rnnlab.doctor.case_data import run_check
from rnnlab.doctor.gradients import BINS
from rnnlab.doctor.registry import found
from rnnlab.findings import Finding

NO_MEMORY = 2
LINEAR = "--head linear"


@run_check("bounded_output", needs=("task",), silenced_by=("constant_targets",))
def bounded_output(case: Case) -> Finding | None:
    """The outputs cannot reach the targets: without a head, or with a ReLU behind it, they are bounded, and targets lie beyond.
    Use the linear head."""
    bounds = _bounds(case)
    if bounds is None:
        return None
    low, high = bounds
    if case.task.kind == "classify":
        floor = math.log(1 + (len(case.task.labels) - 1) * math.exp(low - high))
        if floor < 0.1:
            return None
        return bounded(low, high, f"as logits they keep the loss above {floor:.3g}", LINEAR, lowest_loss=floor)
    return out_of_reach(low, high, case.task.targets[case.task.part("train")], LINEAR)


def _bounds(case: Case) -> tuple[float, float] | None:
    config = case.run.model_config
    relu = config.head == "relu" or (config.head == "none" and config.cell == "elman" and config.nonlinearity == "relu")
    if relu:
        return 0.0, math.inf
    return (-1.0, 1.0) if config.head == "none" else None


@run_check("dead_relu", needs=("task", "network"))
def dead_relu(case: Case) -> Finding | None:
    """ReLU units give 0 for every example: they have no gradient, and never come back. Use a linear head; for a recurrent
    layer tanh, or a lower learning rate."""
    config = case.run.model_config
    if config.head == "relu" and not case.outputs(case.part("train")).any():
        return found(
            "dead_relu",
            "error",
            f"the output is exactly 0 for all {len(case.part('train'))} examples looked at: a dead ReLU, which never comes back",
            "--head linear",
            examples=len(case.part("train")),
        )
    if config.cell != "elman" or config.nonlinearity != "relu":
        return None
    with torch.no_grad():
        layers = case.states(case.probe)[1:]
    dead = [float((states[0].flatten(0, 1) == 0).all(dim=0).double().mean()) for states in layers]
    if max(dead) < 0.5:
        return None
    return found(
        "dead_relu",
        "warning" if max(dead) >= 0.9 else "hint",
        f"{max(dead):.0%} of the ReLU units of layer {int(np.argmax(dead)) + 1} give 0 at every step of every example looked at",
        f"--nonlinearity tanh, or --lr {case.run.train_config.lr / 10:.2g}",
        shares=dead,
    )


@run_check(
    "saturated_gates",
    needs=("task", "network"),
    silenced_by=("constant_inputs", "learning_rate_too_large"),
)
def saturated_gates(case: Case) -> Finding | None:
    """Most gates (tanh units in a plain RNN) are at their ends, where they have no gradient: the weights have grown too large.
    Lower the learning rate, decay the weights, clip the gradient."""
    gates = case.gates
    if not gates:
        return None
    shares = {name: float((values.abs() > case.gates_end).double().mean()) for name, values in gates.items()}
    whole = float(np.mean(list(shares.values())))
    if whole < 0.7:
        return None
    squash = torch.tanh if case.gates_end < 4 else torch.sigmoid
    low = -1.0 if case.gates_end < 4 else 0.0
    counts = {name: torch.histc(squash(values), BINS, low, 1.0) for name, values in gates.items()}
    training = case.run.train_config
    return found(
        "saturated_gates",
        "warning",
        f"{whole:.0%} of the gates are within 1% of their ends: no gradient passes them",
        f"--lr {training.lr / 10:.2g}" + ("" if training.clip else " --clip 1") + " --weight-decay 0.01",
        share=whole,
        shares=shares,
        range=[low, 1.0],
        histograms={name: (count / count.sum()).tolist() for name, count in counts.items()},
    )


@run_check(
    "vanishing_gradients",
    needs=("task", "network"),
    silenced_by=(
        "one_step_sequence",
        "constant_inputs",
        "saturated_gates",
        "learning_rate_too_large",
        "learning_rate_too_small",
        "underfitting",
        "dead_relu",
    ),
)
def vanishing_gradients(case: Case) -> Finding | None:
    """The gradient dies within a step or two on its way back: the network uses, and can learn, nothing that lies further back.
    Use a gated cell, or read all steps; where little memory is right, shorter sequences are cheaper."""
    curve = case.gradient_curve
    if curve is None or len(curve.norms) < 8 or not curve.largest > 0 or curve.memory > len(curve.norms) / 4:
        return None
    config, steps = case.run.model_config, len(curve.norms)
    blind = curve.memory <= NO_MEMORY and config.readout == "last"
    ways = (["--cell gru"] if config.cell in ("elman", "combined") else []) + (
        ["--readout max"] if config.readout == "last" else []
    )
    shorter = " or a shorter --context-length" if case.task.kind == "forecast" else ""
    return found(
        "vanishing_gradients",
        "warning" if blind else "hint",
        f"the gradient of the last state falls below 1% within {curve.memory} of {steps} steps: the effective memory is that long",
        (" or ".join(ways) or "--readout mean, or shorter sequences") + shorter,
        memory_length=curve.memory,
        steps=steps,
        norms_by_step=curve.norms,
    )


@run_check(
    "exploding_gradients",
    needs=("task", "network"),
    silenced_by=("one_step_sequence", "constant_inputs", "learning_rate_too_large", "dead_relu"),
)
def exploding_gradients(case: Case) -> Finding | None:
    """The gradient grows with every step back: early steps drown all others, and training jumps. Clip the gradient, or lower
    the learning rate."""
    curve = case.gradient_curve
    if curve is None or len(curve.norms) < 4 or not curve.largest > 0:
        return None
    early, last = max(curve.norms[: len(curve.norms) // 2]), max(curve.norms[-1], 1e-30)
    if early < 100 * last:
        return None
    training = case.run.train_config
    return found(
        "exploding_gradients",
        "warning",
        f"the gradient of the last state is {early / last:.3g} times as large at early steps as at the last one",
        ("" if training.clip else "--clip 1, ") + f"--lr {training.lr / 10:.2g}, or --cell gru",
        growth=early / last,
        norms_by_step=curve.norms,
    )
