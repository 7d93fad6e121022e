"""The claims of the lab report on `memorise`, checked, and what is wrong with the published programs."""

import numpy as np

from rnnlab.findings import Finding
from rnnlab.results import Claim, Verdict
from rnnlab.studies.examined import by_variant
from rnnlab.studies.figures import claim, median, show, spread
from rnnlab.studies.memorise_evidence import CONSTANT, MINUS, PLUS, REACHED, Evidence

REPORTED_RNN = (2.461430788040161, 0.18518516421318054)
REPORTED_LSTM = 0.3476763665676117


def claims(seen: Evidence) -> tuple[Claim, ...]:
    """Return what the report claims of this study, with what was measured."""
    return (*_losses(seen), *_comparison(seen), *_program(seen))


def _losses(seen: Evidence) -> tuple[Claim, ...]:
    epochs = seen.settings["epochs as published"]
    first = [pair["rnn"]["losses"][0] for pair in seen.pairs]
    second = [pair["rnn"]["losses"][1] for pair in seen.pairs]
    constant = [pair["lstm"]["losses"][0] for pair in seen.pairs]
    low, high = spread(first) or (float("nan"), float("nan"))
    return (
        claim(
            "memorise.rnn_first_loss", "The RNN begins at a loss of 2.4614.", reported=REPORTED_RNN[0], values=first,
            seeds=seen.seeds, verdict="untestable",
            evidence=f"It hangs on first weights and inputs that the report does not give; ours begin between {show(low)} and"
            f" {show(high)}, and any output between -1 and 1 allows up to 77/27 = {show(MINUS)}.",
        ),
        claim(
            "memorise.rnn_loss", "The RNN's loss falls to 0.1852 in the second epoch.", reported=REPORTED_RNN[1], values=second,
            seeds=seen.seeds, verdict="reproduced" if seen.plateau(PLUS) else "contradicted",
            evidence=f"0.18518516 is 5/27, all outputs at +1: a plateau with a gradient of exactly 0, where {seen.plateau(PLUS)} of"
            f" {len(seen.pairs)} seeds end ({seen.plateau(MINUS)} more at 77/27, all outputs at -1).",
        ),
        claim(
            "memorise.lstm_loss", "The LSTM's loss is 0.3476763665676117 in the first epoch and in the second.", reported=REPORTED_LSTM,
            values=constant, seeds=seen.seeds, verdict="corrected",
            evidence=f"Its optimizer holds {seen.held:,} of its {seen.parameters:,} parameters, so its loss has {seen.distinct} distinct"
            f" value in {epochs} epochs, to the last bit: the one that its first weights have.",
        ),
    )  # fmt: skip


def _comparison(seen: Evidence) -> tuple[Claim, ...]:
    rates = {cell: seen.best_rate(cell, "bounded") for cell in ("elman", "lstm")}
    epochs = {cell: seen.epochs(cell, "bounded", rate) for cell, rate in rates.items()}
    needed = {cell: median(values) for cell, values in epochs.items()}
    last = {cell: median(seen.last_losses(cell, "bounded", rate)) for cell, rate in rates.items()}
    ends = [p[name]["losses"][-1] for p in seen.pairs for name in ("rnn", "lstm")]
    seeds = len(seen.seeds)
    same = f"at 0.9 {seen.reached('lstm', 'bounded', 0.9)} of {seeds} LSTMs and {seen.reached('elman', 'bounded', 0.9)} RNNs"
    return (
        claim(
            "memorise.lstm_faster", "The LSTM converges faster, in the first epoch, the RNN in the second.", reported="epoch 0 and 1",
            values=epochs["lstm"], seeds=seen.seeds, verdict=_faster(seen, needed["lstm"], needed["elman"]),
            evidence=f"What did not move had not converged; mended, {same} get below {REACHED:g}, and at each one's best rate the LSTM"
            f" {_needed(needed['lstm'], rates['lstm'])}, the RNN {_needed(needed['elman'], rates['elman'])}.",
        ),
        claim(
            "memorise.lstm_higher_loss", "The LSTM converges to a quite higher loss than the RNN.", reported="0.3477 against 0.1852",
            values=seen.last_losses("lstm", "bounded", rates["lstm"]), seeds=seen.seeds, verdict="corrected",
            evidence=f"Neither figure is a converged loss; mended and at their best rates, the LSTM ends at {show(last['lstm'], 3)} and the"
            f" RNN at {show(last['elman'], 3)} after {seen.settings['epochs as it should be']} epochs.",
        ),
        claim(
            "memorise.near_zero", "Both converge to a number very close to 0, and adapt very well to the training data.",
            reported="very close to 0", measured=min(ends), values=ends, seeds=seen.seeds,
            verdict="contradicted" if min(ends) > REACHED else "reproduced",
            evidence=f"0.1852 and 0.3477 are above {show(CONSTANT, 3)} (2/27), which the constant answer 2/3 has; as published no network"
            f" ends below {show(min(ends), 3)}.",
        ),
    )  # fmt: skip


def _faster(seen: Evidence, lstm: float | None, rnn: float | None) -> Verdict:
    """The reported epochs stem from a defect: corrected where the LSTM is ahead at the published rate or at its best."""
    if lstm is None and rnn is None:
        return "untestable"
    ahead = seen.reached("lstm", "bounded", 0.9) > seen.reached("elman", "bounded", 0.9)
    sooner = lstm is not None and (rnn is None or lstm < rnn)
    return "corrected" if ahead or sooner else "contradicted"


def _needed(epochs: float | None, rate: float) -> str:
    return f"does not get there (at {rate:g})" if epochs is None else f"needs {show(epochs)} epochs (at {rate:g})"


def _program(seen: Evidence) -> tuple[Claim, ...]:
    others = _from_others(seen, "published")
    errors = [float(np.abs(np.array(p["lstm_outputs"]) - (1 / 3, 2 / 3, 1)).mean()) for p in seen.pairs]
    steps = sum(moved > 0 for moved in seen.influence["published"]["steps"])
    return (
        claim(
            "memorise.third_step", "The loss is that of the third step, [:, 2, :].", reported="third step", measured=others,
            seeds=seen.seeds[:1], verdict="contradicted",
            evidence=f"Without batch_first it is the third entry of the batch axis: {steps} of 3 steps is read, and an answer moves"
            f" by up to {show(others, 2)} when 0.1 is added to another sample (with batch_first by {_from_others(seen, 'batch_first'):g}).",
        ),
        claim(
            "memorise.stored_outputs", "y_lstm keeps the LSTM's answers.", reported="answers", values=errors, seeds=seen.seeds,
            verdict="contradicted",
            evidence=f"y_lstm.append(y) stores the target, whose distance from the target is 0; the answers are"
            f" {show(median(errors), 3)} off on average.",
        ),
    )  # fmt: skip


def _from_others(seen: Evidence, axes: str) -> float:
    moved = np.array(seen.influence[axes]["samples"])
    return float(moved[~np.eye(3, dtype=bool)].max())


def findings(seen: Evidence) -> tuple[tuple[str, Finding], ...]:
    """Return what the doctor says of the published programs, as (variant, finding), and how many seeds end dead."""
    doctor = seen.outcomes["published"].measured["doctor"]
    found = [*by_variant("LSTM as published", doctor["lstm"]), *by_variant("RNN as published", doctor["rnn"])]
    if seen.dead:
        found.append(
            ("RNN as published", Finding(
                "saturated_output", "error",
                f"In {seen.dead} of {len(seen.pairs)} seeds every output is +1 or -1 and the gradient exactly 0: the network is dead.",
                {"dead": seen.dead, "seeds": len(seen.pairs), "at_5/27": seen.plateau(PLUS), "at_77/27": seen.plateau(MINUS)},
                "Lower the learning rate to 0.01, or answer with a linear layer: nn.Linear(hidden_size, 1).",
            ))
        )  # fmt: skip
    return tuple(found)
