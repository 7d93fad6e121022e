"""The compiled layer against ``torch.nn`` in float64: outputs, last state, and every gradient."""

import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlab.kernels import layer, recurrent

from .references import GATES, Case, loss, worst

CELLS = list(GATES)
TOLERANCE = 3e-6


def _hold(case, outputs, last, gradients, inputs, tolerance=TOLERANCE):
    loss(case, outputs, last).backward()
    for run in range(case.runs):
        expected, expected_last, expected_gradients = case.reference(run, inputs[run])
        assert worst(outputs[run], expected) < tolerance
        assert worst(last[run], expected_last) < tolerance
        for tensor, reference in zip(gradients, expected_gradients, strict=True):
            if tensor is not None:
                assert worst(tensor.grad[run], reference) < tolerance


# Sizes on both sides of every branch: vectors of 16 and 4 and single numbers, one shard and several, products
# by BLAS, on panels, of few rows, and of few columns.
SIZES = [
    (1, 1, 1, 1, 1), (1, 3, 4, 2, 5), (3, 70, 6, 3, 33), (2, 40, 5, 4, 130), (1, 130, 3, 7, 16), (1, 3, 5, 2, 140),
    (2, 33, 6, 9, 50), (1, 70, 4, 12, 64), (1, 1, 6, 5, 48), (1, 3, 5, 32, 160), (1, 64, 6, 57, 256),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_matches_torch(cell, ragged, sizes):
    case = Case(cell, *sizes, ragged=ragged)
    inputs, weights = case.inputs.clone().requires_grad_(), case.weights()
    outputs, last = layer(cell, inputs, *weights, case.given_lengths())
    _hold(case, outputs, last, [inputs, *weights], case.inputs)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("ragged", [False, True])
def test_symbols_are_one_hot_vectors(cell, ragged):
    case = Case(cell, 2, 40, 5, 7, 20, ragged=ragged)
    weights = case.weights()
    outputs, last = layer(cell, case.symbols, *weights, case.given_lengths())
    _hold(case, outputs, last, [None, *weights], functional.one_hot(case.symbols, 7).float())


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("ragged", [False, True])
def test_ready_projection_matches_torch(cell, ragged):
    case = Case(cell, 2, 40, 5, 7, 20, ragged=ragged)
    inputs, weights = case.inputs.clone().requires_grad_(), case.weights()
    projected = inputs @ weights[0].transpose(1, 2).unsqueeze(1) + weights[2][:, None, None]
    outputs, last = recurrent(cell, projected, weights[1], weights[3], case.given_lengths())
    _hold(case, outputs, last, [inputs, *weights], case.inputs)


@pytest.mark.parametrize("ragged", [False, True])
def test_relu_matches_torch(ragged):
    case = Case("elman", 2, 40, 5, 7, 20, ragged=ragged, nonlinearity="relu")
    inputs, weights = case.inputs.clone().requires_grad_(), case.weights()
    outputs, last = layer("elman", inputs, *weights, case.given_lengths(), nonlinearity="relu")
    _hold(case, outputs, last, [inputs, *weights], case.inputs)


@settings(max_examples=20, deadline=None)
@given(
    cell=st.sampled_from(CELLS), runs=st.integers(1, 3), batch=st.integers(1, 9), time=st.integers(1, 6),
    features=st.integers(1, 6), hidden=st.integers(1, 40), ragged=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_any_shape_matches_torch(cell, runs, batch, time, features, hidden, ragged, seed):
    case = Case(cell, runs, batch, time, features, hidden, ragged=ragged, seed=seed)
    inputs, weights = case.inputs.clone().requires_grad_(), case.weights()
    outputs, last = layer(cell, inputs, *weights, case.given_lengths())
    # A few numbers alone: 1 - tanh^2 of a nearly saturated unit has few digits left in float32.
    _hold(case, outputs, last, [inputs, *weights], case.inputs, tolerance=3e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_one_batch_serves_all_runs(cell):
    case = Case(cell, 3, 6, 4, 2, 8)
    weights, again = case.weights(), case.weights()
    shared = case.inputs[:1].clone().requires_grad_()
    repeated = case.inputs[:1].repeat(3, 1, 1, 1).requires_grad_()
    loss(case, *layer(cell, shared, *weights)).backward()
    loss(case, *layer(cell, repeated, *again)).backward()
    torch.testing.assert_close(shared.grad, repeated.grad.sum(dim=0, keepdim=True))
    without = case.weights()
    loss(case, *layer(cell, case.inputs[:1], *without)).backward()
    for one, other, third in zip(weights, again, without, strict=True):
        assert torch.equal(one.grad, other.grad)
        assert torch.equal(one.grad, third.grad)


@pytest.mark.parametrize("cell", CELLS)
def test_strided_views_are_read_in_place(cell):
    """Parameters are views into one buffer, and inputs may be slices."""
    case = Case(cell, 2, 6, 4, 3, 8)
    dense = case.weights()
    flat = torch.cat([weight.detach().flatten(1) for weight in dense], dim=1)
    views, at = [], 0
    for weight in dense:
        size = weight[0].numel()
        views.append(flat[:, at : at + size].view(weight.shape).requires_grad_())
        at += size
    wide = torch.randn(2, 6, 4, 6)
    wide[..., ::2] = case.inputs
    outputs, last = layer(cell, wide[..., ::2], *views)
    expected, expected_last = layer(cell, case.inputs, *dense)
    assert torch.equal(outputs, expected)
    assert torch.equal(last, expected_last)
    loss(case, outputs, last).backward()
    loss(case, expected, expected_last).backward()
    assert all(torch.equal(view.grad, weight.grad) for view, weight in zip(views, dense, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_only_one_result_may_be_used(cell):
    case = Case(cell, 2, 6, 4, 3, 8, ragged=True)
    for zero in ("d_outputs", "d_last"):
        weights, again = case.weights(), case.weights()
        outputs, last = layer(cell, case.inputs, *weights, case.lengths)
        used = (last * case.d_last).sum() if zero == "d_outputs" else (outputs * case.d_outputs).sum()
        used.backward()
        outputs, last = layer(cell, case.inputs, *again, case.lengths)
        parts = [(outputs * case.d_outputs).sum(), (last * case.d_last).sum()]
        (parts[0] * (zero != "d_outputs") + parts[1] * (zero != "d_last")).backward()
        assert all(torch.equal(one.grad, other.grad) for one, other in zip(weights, again, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_a_graph_can_be_used_twice(cell):
    case = Case(cell, 1, 6, 4, 3, 8)
    inputs, weights = case.inputs.clone().requires_grad_(), case.weights()
    total = loss(case, *layer(cell, inputs, *weights))
    first = torch.autograd.grad(total, [inputs, *weights], retain_graph=True)
    layer(cell, case.inputs, *weights)
    second = torch.autograd.grad(total, [inputs, *weights])
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_padding_changes_nothing(cell):
    """What stands behind a sequence's end is not read, gets no gradient, and gives zeros."""
    case = Case(cell, 2, 40, 6, 3, 8, ragged=True)
    inside = torch.arange(6) < case.lengths.unsqueeze(-1)
    filled = case.inputs.masked_fill(~inside.unsqueeze(-1), float("nan")).requires_grad_()
    weights, again = case.weights(), case.weights()
    outputs, last = layer(cell, filled, *weights, case.lengths)
    loss(case, outputs, last).backward()
    loss(case, *layer(cell, case.inputs, *again, case.lengths)).backward()
    assert bool((outputs[~inside] == 0).all())
    assert bool((filled.grad[~inside] == 0).all())
    assert all(torch.equal(one.grad, other.grad) for one, other in zip(weights, again, strict=True))


def test_an_empty_sequence_gives_zeros():
    case = Case("lstm", 1, 3, 4, 2, 5)
    inputs, weights = case.inputs.clone().requires_grad_(), case.weights()
    outputs, last = layer("lstm", inputs, *weights, torch.tensor([[4, 0, 2]]))
    loss(case, outputs, last).backward()
    assert not outputs[0, 1].any()
    assert not last[0, 1].any()
    assert not inputs.grad[0, 1].any()
    assert inputs.grad[0, 2, :2].any()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_nan_stays_nan(cell, nonlinearity):
    """A run that has diverged must be seen, in its outputs and in its gradients, and leave its neighbours alone."""
    case = Case(cell, 2, 3, 4, 2, 20)
    weights = case.weights()
    with torch.no_grad():
        weights[1][0, 0, 0] = float("nan")
    outputs, last = layer(cell, case.inputs, *weights, nonlinearity=nonlinearity)
    loss(case, outputs, last).backward()
    assert bool(last[0].isnan().any())
    assert bool(weights[1].grad[0].isnan().any())
    assert not bool(last[1].isnan().any())
    assert not bool(weights[1].grad[1].isnan().any())


def test_saturated_units_have_no_gradient():
    case = Case("elman", 1, 3, 4, 2, 20)
    weights = case.weights()
    with torch.no_grad():
        weights[2].fill_(30.0)
    outputs, last = layer("elman", case.inputs, *weights)
    loss(case, outputs, last).backward()
    assert bool((outputs == 1).all())
    assert not weights[1].grad.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "rnn"}, "cell must be one of"),
        ({"inputs": torch.zeros(1, 2, 3, 5)}, "inputs must have 4 features"),
        ({"inputs": torch.zeros(2, 2, 3, 4)}, "inputs must be of 1 or 1 runs"),
        ({"inputs": torch.zeros(1, 2, 3, 4, dtype=torch.float64)}, "inputs must be float32 on the CPU"),
        ({"inputs": torch.full((1, 2, 3), 4)}, "symbols must be below 4"),
        ({"inputs": torch.zeros(1, 2, 3)}, "symbols must be int64"),
        ({"bias_hh": torch.zeros(1, 5)}, "bias_hh must begin with"),
        ({"weight_hh": torch.zeros(1, 6, 5)}, "weight_hh of a elman must be"),
        ({"lengths": torch.tensor([[1, 4]])}, "lengths must be between 0 and time=3"),
        ({"lengths": torch.tensor([[1, 2, 3]])}, "lengths must be"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {
        "cell": "elman", "inputs": torch.zeros(1, 2, 3, 4), "weight_ih": torch.zeros(1, 6, 4),
        "weight_hh": torch.zeros(1, 6, 6), "bias_ih": torch.zeros(1, 6), "bias_hh": torch.zeros(1, 6),
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        layer(**(arguments | change))
