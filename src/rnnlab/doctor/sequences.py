"""Checks of the axes and of time: samples that meet, futures that leak, padding that counts, states that are lost or kept."""

import torch
from torch import Tensor

from rnnlab.doctor.examination import Examination, wake
from rnnlab.doctor.layout import first_tensor
from rnnlab.doctor.registry import check, found
from rnnlab.findings import Finding


@check("state_carried", silenced_by=("nondeterminism",))
def state_carried(examination: Examination) -> Finding | None:
    """The answer to a batch depends on the batch before it: the model keeps its hidden state between calls. Start
    each call from zeros; where sequences do go on, detach the state and reset it at their beginnings."""
    model, _ = examination.fresh()
    other = examination.disturb(torch.ones(examination.batch.layout.samples, dtype=torch.bool), seed=1)
    try:
        for _ in range(2):
            examination.loss(examination.run(model, examination.batch), examination.batch).backward()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        if "second time" not in str(error) and "inplace" not in str(error):
            raise
        return _carried("the second backward pass runs into the first one's graph", second_backward="fails")
    with torch.no_grad():
        model, _ = examination.fresh()
        first = first_tensor(examination.run(model, examination.batch, train=False)).clone()
        examination.run(model, examination.batch, inputs=other, train=False, seed=1)
        second = first_tensor(examination.run(model, examination.batch, train=False))
    moved = float((first.double() - second.double()).abs().max())
    if not moved > examination.tolerance:
        return None
    return _carried(f"after another batch the same inputs get outputs that differ by {moved:.3g}", difference=moved)


def _carried(how: str, **evidence: object) -> Finding:
    return found(
        "state_carried",
        "error",
        f"the hidden state is carried from one batch into the next: {how}",
        "states, _ = self.rnn(inputs)  # a state of zeros at each call; else state.detach(), and a reset a sequence",
        **evidence,
    )


@check("samples_influence_each_other", silenced_by=("state_carried", "nondeterminism"))
def samples_influence_each_other(examination: Examination) -> Finding | None:
    """Another sample in the batch changes a sample's answer: batch and time are swapped (batch_first), or a view or a
    softmax runs over the wrong axis. Pass batch_first=True; use transpose, not view, to swap axes."""
    samples = examination.batch.layout.samples
    if samples < 2:
        return None
    base = examination.rows(examination.outputs)
    influenced = torch.zeros(samples, samples, dtype=torch.bool)
    for row in sorted({0, samples // 2, samples - 1}):
        changed = examination.rows(examination.answer(examination.disturb(_only(samples, row))))
        influenced[row] = (changed - base).reshape(samples, -1).abs().amax(1) > 0.1 * examination.tolerance
        influenced[row, row] = False
    if not bool(influenced.any()):
        return None
    directional = bool(influenced[0].any()) and not bool(influenced[samples - 1].any())
    swapped = "; only later samples, so the model runs along the batch as if it were time" if directional else ""
    return found(
        "samples_influence_each_other",
        "error",
        f"a change of one sample changes the answers of up to {int(influenced.sum(1).max())} others{swapped}",
        "nn.LSTM(..., batch_first=True)  # for (batch, time, features); inputs.transpose(0, 1), never .view, to swap axes",
        influenced=int(influenced.sum(1).max()),
        samples=samples,
        axes_swapped=directional,
    )


def _before_and_after(examination: Examination, where: Tensor) -> tuple[Tensor, Tensor]:
    """Return the outputs, and those with other inputs ``where``; a last layer of zeros is woken up for both."""
    inputs = examination.batch.inputs
    return examination.answer(inputs, change=wake), examination.answer(examination.disturb(where), change=wake)


def _only(samples: int, row: int) -> Tensor:
    mask = torch.zeros(samples, dtype=torch.bool)
    mask[row] = True
    return mask


@check(
    "outputs_ignore_inputs", silenced_by=("dead_relu", "constant_inputs", "samples_influence_each_other", "not_finite")
)
def outputs_ignore_inputs(examination: Examination) -> Finding | None:
    """Other inputs leave every output as it is: forward reads a state of zeros, an overwritten variable, or a
    saturated layer. Follow the inputs through forward."""
    everything = torch.ones(examination.batch.layout.samples, dtype=torch.bool)
    base, changed = _before_and_after(examination, everything)
    if bool((changed.double() - base.double()).abs().max() > examination.tolerance * 1e-3):
        return None
    return found(
        "outputs_ignore_inputs",
        "error",
        "the outputs are the same for any inputs",
        "follow the inputs through forward: is its result used, and is the layer before it saturated?",
        samples=examination.batch.layout.samples,
    )


@check("one_step_sequence")
def one_step_sequence(examination: Examination) -> Finding | None:
    """The recurrent layer sees sequences of one step, from a state of zeros: its recurrent weights never receive a
    gradient and nothing is recurrent. Give it (batch, time, 1), not the window as features of a single step."""
    seen = examination.backward
    recurrent = {name: one for name, one in seen.gradients.items() if "weight_hh" in name}
    if not recurrent or not seen.lengths_seen or not seen.fresh_starts or max(seen.lengths_seen) > 1:
        return None
    if any(one is not None and bool(one.any()) for one in recurrent.values()) or examination.batch.layout.steps > 1:
        return None
    trained = sum(one.numel() for one in seen.gradients.values() if one is not None and bool(one.any()))
    total = sum(one.numel() for one in examination.subject.model.parameters())
    return found(
        "one_step_sequence",
        "error",
        "the sequence is one step long: the recurrent weights never receive a gradient, and the network is not recurrent",
        "inputs = inputs.reshape(batch, time, 1)  # the window as steps, not as the features of one step",
        input_shape=list(examination.batch.inputs.shape),
        trained_parameters=trained,
        parameters=total,
    )


@check(
    "state_reset",
    silenced_by=(
        "one_step_sequence",
        "samples_influence_each_other",
        "outputs_ignore_inputs",
        "dead_relu",
        "saturated_gates",
    ),
)
def state_reset(examination: Examination) -> Finding | None:
    """The last answer does not depend on earlier steps: the hidden state is reset at each step, or the wrong state
    is read. Hand the state from step to step."""
    steps = examination.batch.layout.steps
    recurrent = any("weight_hh" in name for name in examination.backward.gradients) or examination.backward.lengths_seen
    if steps < 3 or not recurrent:
        return None
    mask = torch.zeros(examination.batch.layout.samples, steps, dtype=torch.bool)
    if examination.batch.lengths is None:
        mask[:, :-1] = True
    else:
        mask[:, 0] = examination.batch.lengths.flatten() > 1
    base, changed = _before_and_after(examination, mask)
    by_step = examination.batch.layout.by_step
    old, new = by_step(base), by_step(changed)
    if old is not None and new is not None:
        base, changed = (old[:, -1], new[:, -1]) if examination.batch.lengths is None else (old[:, 1:], new[:, 1:])
    if bool((changed.double() - base.double()).abs().max() > 1e-3 * examination.tolerance):
        return None
    return found(
        "state_reset",
        "error",
        f"the answer does not depend on the steps before the last one (of {steps}): the state is lost between steps",
        "for x in steps: h = self.cell(x, h)  # the state of the step before, not zeros",
        steps=steps,
    )


@check(
    "steps_ignored",
    silenced_by=(
        "one_step_sequence",
        "samples_influence_each_other",
        "outputs_ignore_inputs",
        "dead_relu",
        "saturated_gates",
    ),
)
def steps_ignored(examination: Examination) -> Finding | None:
    """The only answer does not depend on the last steps: it is read out before the sequence ends, as out[:, 0] does.
    Read the last step, out[:, -1], or the final state h_n[-1]."""
    batch = examination.batch
    steps = batch.layout.steps
    if steps < 3 or batch.layout.targets_by_step or batch.layout.by_step(examination.outputs) is not None:
        return None
    mask = torch.zeros(batch.layout.samples, steps, dtype=torch.bool)
    ends = torch.full((batch.layout.samples,), steps) if batch.lengths is None else batch.lengths.flatten().long()
    for back in (1, 2):
        mask[torch.arange(len(ends)), (ends - back).clamp(min=0)] = True
    base, changed = _before_and_after(examination, mask)
    if bool((changed.double() - base.double()).abs().max() > 0):
        return None
    return found(
        "steps_ignored",
        "error",
        f"the answer does not depend on the last steps (of {steps}): it is read out before the sequence ends",
        "states[:, -1]  # or h_n[-1]; not states[:, 0]",
        steps=steps,
    )


@check("future_leaks", silenced_by=("samples_influence_each_other", "state_carried", "nondeterminism"))
def future_leaks(examination: Examination) -> Finding | None:
    """The answer of a step depends on later inputs although its target is one of them: a bidirectional layer, or a
    normalisation over time, in a forecast. Use one direction, and shift what must not be known."""
    if examination.steps is None or not examination.batch.layout.targets_by_step:
        return None
    ahead = targets_ahead(examination)
    if ahead is None or ahead < 1:
        return None
    leaked = future_influence(examination)
    if leaked is None:
        return None
    return found(
        "future_leaks",
        "error",
        f"the answer of step {leaked} changes with later inputs, and those are its targets: the network reads the answer",
        "nn.LSTM(..., bidirectional=False)  # and nothing that looks over all steps, in a forecast",
        step=leaked,
        targets_ahead=ahead,
    )


def future_influence(examination: Examination) -> int | None:
    """Return a step whose answer depends on later inputs; None where the model is causal."""
    steps = examination.batch.layout.steps
    base = examination.steps
    cut = steps // 2
    mask = torch.zeros(examination.batch.layout.samples, steps, dtype=torch.bool)
    mask[:, cut:] = True
    changed = examination.batch.layout.by_step(examination.answer(examination.disturb(mask)))
    if base is None or changed is None:
        return None
    moved = (changed.double() - base)[:, :cut].flatten(2).abs().amax((0, 2)) if base.ndim > 2 else None
    moved = (changed.double() - base)[:, :cut].abs().amax(0) if moved is None else moved
    where = (moved > 10 * examination.tolerance).nonzero()
    return int(where[-1]) if len(where) else None


def targets_ahead(examination: Examination) -> int | None:
    """Return how many steps ahead of its input a target a step is, where targets are shifted inputs; else None."""
    layout = examination.layout
    inputs, targets = layout.input_rows(examination.subject.inputs), layout.target_rows(examination.subject.targets)
    if targets.ndim < 2 or inputs.ndim < 2 or targets.shape[1] != inputs.shape[1] or inputs.shape[1] < 4:
        return None
    features = inputs.reshape(*inputs.shape[:2], -1).double()
    wanted = targets.reshape(*targets.shape[:2], -1).double()
    if wanted.shape[2] > features.shape[2] or float(wanted.std()) == 0:
        return None
    best: tuple[float, int] | None = None
    for lag in range(min(15, inputs.shape[1] - 2)):
        later, earlier = features[:, lag:], wanted[:, : wanted.shape[1] - lag]
        for column in range(features.shape[2] - wanted.shape[2] + 1):
            pair = later[..., column : column + wanted.shape[2]]
            same = float(((pair - earlier).abs() <= 1e-5 * (1 + earlier.abs())).double().mean())
            if same > 0.95 and (best is None or same > best[0] + 0.01):
                best = same, lag
    return None if best is None else best[1]


@check("padding_changes_answer", silenced_by=("samples_influence_each_other", "state_carried", "nondeterminism"))
def padding_changes_answer(examination: Examination) -> Finding | None:
    """A sample gets another answer with padding than alone: the last step of a padded row was read, or the state ran
    on through the padding. Pack the sequences, or read the state at lengths - 1, and mask means over time."""
    lengths, guessed = _lengths(examination)
    steps = examination.batch.layout.steps
    if lengths is None or examination.batch.layout.batch_axis == 1 or not bool((lengths < steps).any()):
        return None
    base = examination.rows(examination.outputs)
    short = [row for row in range(len(lengths)) if 1 <= int(lengths[row]) < steps][:6]
    moved = [_alone(examination, base, row, int(lengths[row])) for row in short]
    worst = max(moved, default=0.0)
    if not worst > 20 * examination.tolerance:
        return None
    guess = " (lengths told from the padding itself)" if guessed else ""
    return found(
        "padding_changes_answer",
        "warning" if guessed else "error",
        f"without its padding a sample gets an answer that differs by {worst:.3g}{guess}",
        "pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)  # or states[range(batch), lengths - 1]",
        difference=worst,
        samples_tried=len(short),
        guessed_lengths=guessed,
    )


def _alone(examination: Examination, base: Tensor, row: int, length: int) -> float:
    model, _ = examination.fresh()
    model.eval()
    batch = examination.batch
    with torch.no_grad():
        lengths = None if batch.lengths is None else batch.lengths[row : row + 1].clone()
        found_alone = examination.subject.run(model, batch.inputs[row : row + 1, :length].clone(), lengths)
    alone = first_tensor(found_alone).double()
    alone = alone[0] if alone.shape[0] == 1 else alone
    with_padding = base[row]
    if alone.shape != with_padding.shape:
        with_padding = with_padding[: alone.shape[0]]
    return float((alone - with_padding).abs().max())


def _lengths(examination: Examination) -> tuple[Tensor | None, bool]:
    """Return the lengths of the batch's samples, and whether they had to be guessed from zeros at the end."""
    batch = examination.batch
    if batch.lengths is not None:
        return batch.lengths.flatten(), False
    if batch.layout.steps < 3:
        return None, True
    used = (batch.inputs != 0).reshape(batch.layout.samples, batch.layout.steps, -1).any(2)
    lengths = torch.where(used.any(1), batch.layout.steps - used.flip(1).int().argmax(1), 0)
    inside = used.double().sum() / lengths.sum().clamp(min=1)
    padded = float((lengths < batch.layout.steps).double().mean())
    return (
        (lengths, True) if padded > 0.3 and float(inside) > 0.999 and len(set(lengths.tolist())) > 2 else (None, True)
    )


@check("padding_counts_in_loss", needs=("lengths",))
def padding_counts_in_loss(examination: Examination) -> Finding | None:
    """Padded steps count in the loss: the network is trained on the padding, and the mean is diluted. Give padding
    the target ignore_index, or mask the loss."""
    lengths, layout = examination.batch.lengths, examination.batch.layout
    if lengths is None or not layout.targets_by_step or not bool((lengths < layout.steps).any()):
        return None
    answer = examination.outputs.clone().requires_grad_()
    gradient = torch.autograd.grad(examination.loss_at(answer), answer)[0]
    by_step = layout.by_step(gradient)
    if by_step is None:
        return None
    padding = torch.arange(layout.steps).unsqueeze(0) >= lengths.flatten().unsqueeze(1)
    weight = by_step.double().reshape(*by_step.shape[:2], -1).abs().sum(2)
    share = float(weight[padding].sum() / weight.sum().clamp(min=1e-30))
    if share < 1e-6:
        return None
    return found(
        "padding_counts_in_loss",
        "warning",
        f"{share:.0%} of the loss's gradient comes from padded steps",
        "targets[padding] = -100  # ignore_index of cross_entropy; for numbers ((outputs - targets) ** 2)[mask].mean()",
        share=share,
    )
