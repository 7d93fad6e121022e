"""Checks of the notebook *binary*: bits, the bound of a bare network, dead outputs, the network, what it answers."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlab.doctor import Subject
from rnnlab.notebooks.checking import Wrong, task
from rnnlab.notebooks.probing import need_layers, recurrent, shaped

NUMBERS = torch.arange(256)
BITS = ((NUMBERS[:, None] >> torch.arange(7, -1, -1)) & 1).float()[:, :, None]
CONSTANT = 5461.25
LARGEST_ERROR = 100.0


@task("Bits")
def to_bits(answer: Callable[[int], Any]) -> str:
    """Check the bits of all 256 numbers."""
    for number in (6, *range(256)):
        found = answer(number)
        if isinstance(found, Tensor) and tuple(found.shape) in ((8,), (1, 8)):
            raise Wrong(
                f"The shape must be (time, features), here (8, 1): eight steps of one bit. Yours is {tuple(found.shape)}."
            )
        bits = shaped(found, (8, 1), "The bits", "(time, features)")
        if not bits.is_floating_point():
            raise Wrong(f"The bits must be float32, as layers want them; yours are {bits.dtype}.")
        if torch.equal(bits.float(), BITS[number]):
            continue
        if torch.equal(bits.flip(0).float(), BITS[number]):
            raise Wrong(
                f"The bits of {number} are the right ones from the wrong end: the most significant comes first."
            )
        raise Wrong(f"The bits of {number} are {_line(BITS[number])}; yours are {_line(bits)}.")
    return "eight steps of one bit."


@task("What a bare RNN can reach")
def best_bare(answer: Any) -> str:
    """Check the smallest error of outputs between -1 and 1; known other figures get their explanation."""
    found = float(answer)
    targets = NUMBERS.float()
    right = float(((targets - targets.clamp(-1, 1)) ** 2).mean())
    if abs(found - right) < 0.6:
        return (
            f"{right:,.1f}. All zeros, as of a dead ReLU, have 21,717.5: the lab's 2117.5 is that with one 7 less, "
            "which is the likeliest explanation, but no proof."
        )
    known = {
        float((targets**2).mean()): "That is the error of answering 0 to everything. A tanh can do a little better.",
        CONSTANT: "That is the error of always answering 127.5, which a tanh cannot answer.",
        right**0.5: "That is the root of it.",
        right * 256: "That is the sum; take the mean.",
        float((((targets / 255) - (targets / 255).clamp(-1, 1)) ** 2).mean()): "The targets are 0 .. 255, not scaled.",
    }
    for value, sentence in known.items():
        if abs(found - value) < 1e-3 * max(1.0, value):
            raise Wrong(sentence)
    raise Wrong(
        f"{found:,.1f} is {'too low' if found < right else 'not the smallest'}: which output is nearest to each target?"
    )


@task("Dead from the start")
def dead_share(answer: Callable[..., float], make: Callable[..., nn.Module], inputs: Tensor) -> str:
    """Check the shares against networks of other seeds, within what chance allows."""
    said = []
    for cell in ("rnn", "lstm"):
        found = answer(cell)
        if isinstance(found, float | int) and found > 1:
            raise Wrong(f"Return a share between 0 and 1; for the {cell} you return {found}.")
        share = sum(_dead(make, cell, 1000 + seed, inputs) for seed in range(200)) / 200
        room = 4 * (2 * share * (1 - share) / 200) ** 0.5
        if abs(float(found) - share) > max(room, 0.02):
            raise Wrong(
                f"For the {cell}, {share:.0%} of 200 other networks are dead; you find {float(found):.0%}. "
                "Dead means 0 for all 256 numbers; is every network a new one?"
            )
        said.append(f"{float(found):.0%} of the {cell}s")
    return f"{' and '.join(said)} never learn anything. The lab's tables come from those that happened to live."


@task("A recurrent network")
def network(answer: Callable[..., nn.Module]) -> str:
    """Check shape and layer, and let the doctor look at both cells."""
    for cell, layer in (("rnn", nn.RNN), ("lstm", nn.LSTM)):
        model = answer(cell)
        need_layers(model, layer, cell)
        inputs, targets = BITS[::4], NUMBERS[::4, None] / 255
        shaped(model(inputs), (64, 1), "The output", "(batch, 1)")
        subject = Subject(model, torch.optim.Adam(model.parameters(), lr=0.003), F.mse_loss, inputs, targets)
        checks = ("unregistered_parameters", "samples_influence_each_other", "state_carried", "one_step_sequence", "state_reset",
                  "steps_ignored", "bounded_output", "dead_relu")  # fmt: skip
        recurrent(subject, checks)
    return "both read bit by bit and see all eight."


@task("Numbers it has not seen")
def trained(answer: Mapping[str, Any], test_numbers: Tensor) -> str:
    """Check what the trained networks answer to held-out numbers."""
    said = []
    for cell, (model, losses) in answer.items():
        if not losses[-1] < losses[0]:
            raise Wrong(f"The loss of the {cell} must fall; yours goes from {losses[0]:.4g} to {losses[-1]:.4g}.")
        model.eval()
        with torch.no_grad():
            outputs = model(BITS)[:, 0]
        if float(outputs.max()) > 30:
            raise Wrong(f"The {cell} answers up to {float(outputs.max()):.0f}: divide the targets by 255.")
        found = 255 * outputs
        error = float(((found - NUMBERS)[test_numbers] ** 2).mean())
        if error > LARGEST_ERROR:
            constant = " That is no better than always answering 127.5." if error > 0.8 * CONSTANT else ""
            raise Wrong(
                f"On the held-out numbers the {cell} has a mean squared error of {error:,.1f}; below {LARGEST_ERROR:g} is easy "
                f"to reach.{constant} Do bits and numbers of a batch belong together? Are 150 epochs done?"
            )
        said.append(f"{cell}: error {error:.2f}, f(11111111) = {float(found[255]):.1f}")
    return f"on {len(test_numbers)} numbers they have not seen, {'; '.join(said)}."


def _dead(make: Callable[..., nn.Module], cell: str, seed: int, inputs: Tensor) -> bool:
    torch.manual_seed(seed)
    with torch.no_grad():
        return bool((make(cell)(inputs) == 0).all())


def _line(bits: Tensor) -> str:
    return "".join(f"{int(bit)}" for bit in bits.flatten())
