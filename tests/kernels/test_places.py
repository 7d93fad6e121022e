"""Gradients written where they belong: the same numbers as autograd hands over, in the memory that was offered."""

import pytest
import torch

from rnnlab.kernels import Recurrence, gradients_into, layer

from .references import GATES, Case, loss

CELLS = list(GATES)


def _buffer(weights):
    """A buffer of all gradients, filled with what must not stay, and views of it shaped like the weights."""
    runs, sizes = len(weights[0]), [weight[0].numel() for weight in weights]
    buffer = torch.full((runs, 5 + sum(sizes)), float("nan"))
    parts = buffer[:, 5:].split(sizes, dim=1)
    return buffer, tuple(part.unflatten(1, weight.shape[1:]) for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("runs", "batch", "hidden"), [(1, 6, 8), (3, 6, 8), (2, 70, 33)])
def test_gradients_are_written_where_they_belong(cell, runs, batch, hidden):
    """One shard and several, with a run's gradients apart from the next one's."""
    case = Case(cell, runs, batch, 5, 3, hidden, ragged=True)
    weights, others = case.weights(), case.weights()
    buffer, places = _buffer(weights)
    total = loss(case, *layer(cell, case.inputs, *weights, case.lengths))
    with gradients_into({weights[0].data_ptr(): places}):
        found = torch.autograd.grad(total, weights)
    loss(case, *layer(cell, case.inputs, *others, case.lengths)).backward()
    for gradient, place, other in zip(found, places, others, strict=True):
        assert gradient.data_ptr() == place.data_ptr()
        assert torch.equal(place, other.grad)
    assert buffer[:, :5].isnan().all()


def test_a_layer_that_is_used_twice_gets_the_sum():
    case = Case("gru", 1, 6, 5, 8, 8)
    weights, others = case.weights(), case.weights()
    _, places = _buffer(weights)
    outputs, _ = layer("gru", case.inputs, *weights)
    with gradients_into({weights[0].data_ptr(): places}):
        found = torch.autograd.grad(layer("gru", outputs, *weights)[1].square().sum(), weights)
    outputs, _ = layer("gru", case.inputs, *others)
    expected = torch.autograd.grad(layer("gru", outputs, *others)[1].square().sum(), others)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_a_graph_that_gave_its_memory_away_says_so():
    case = Case("lstm", 1, 6, 5, 3, 8)
    weights = case.weights()
    _, places = _buffer(weights)
    total = loss(case, *layer("lstm", case.inputs, *weights))
    with gradients_into({weights[0].data_ptr(): places}):
        torch.autograd.grad(total, weights, retain_graph=True)
    with pytest.raises(RuntimeError, match="used up"):
        torch.autograd.grad(total, weights)


def test_outside_nothing_is_written():
    case = Case("elman", 1, 6, 5, 3, 8)
    weights = case.weights()
    buffer, places = _buffer(weights)
    with gradients_into({weights[0].data_ptr(): places}):
        total = loss(case, *layer("elman", case.inputs, *weights))
    torch.autograd.grad(total, weights)
    assert buffer.isnan().all()


def test_second_derivatives_are_refused():
    case = Case("elman", 1, 6, 5, 3, 8)
    weights = case.weights()
    with pytest.raises(RuntimeError, match=r"rnnlab\.cells"):
        torch.autograd.grad(loss(case, *layer("elman", case.inputs, *weights)), weights, create_graph=True)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("ragged", [False, True])
def test_the_last_state_alone_is_the_same(cell, ragged):
    case = Case(cell, 2, 40, 5, 3, 20, ragged=ragged)
    weights, others = case.weights(), case.weights()
    outputs, last = layer(cell, case.inputs, *weights, case.given_lengths(), every_step=False)
    _, expected = layer(cell, case.inputs, *others, case.given_lengths())
    assert outputs.shape == (2, 40, 0, 20)
    assert torch.equal(last, expected)
    (last * case.d_last).sum().backward()
    (expected * case.d_last).sum().backward()
    assert all(torch.equal(one.grad, other.grad) for one, other in zip(weights, others, strict=True))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("ragged", [False, True])
def test_without_autograd_the_bits_are_the_same(cell, ragged):
    """Both gradients that can arrive, and the inputs' own."""
    case = Case(cell, 2, 40, 5, 3, 20, ragged=ragged)
    weights, inputs = case.weights(), case.inputs.clone().requires_grad_()
    buffer, places = _buffer(weights)
    with torch.no_grad():
        recurrence = Recurrence(cell, [weights], case.inputs, case.given_lengths(), every_step=True, wants_inputs=True)
        outputs, last = recurrence.forward(case.inputs)
        d_inputs = recurrence.backward(case.d_outputs, case.d_last, [places])
    expected = layer(cell, inputs, *weights, case.given_lengths())
    loss(case, *expected).backward()
    assert torch.equal(outputs, expected[0])
    assert torch.equal(last, expected[1])
    assert torch.equal(d_inputs, inputs.grad)
    assert all(torch.equal(place, weight.grad) for place, weight in zip(places, weights, strict=True))
    assert buffer[:, :5].isnan().all()
    with pytest.raises(RuntimeError, match="used up"):
        recurrence.backward(case.d_outputs, case.d_last, [places])
