"""Gradients by hand against autograd through the equations, for every model that the kernels compute; and who goes elsewhere."""

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rnnlab.config import Interface, ModelConfig
from rnnlab.models import Model, Noise, tape

CELLS: list[dict[str, Any]] = [
    {"cell": "elman"},
    {"cell": "elman", "nonlinearity": "relu"},
    {"cell": "lstm"},
    {"cell": "gru"},
]
RUNS, BATCH, TIME = 3, 40, 6


def ids(value: object) -> str:
    return "-".join(str(part) for part in value.values()) if isinstance(value, dict) else str(value)


def data(symbols: int, *, ragged: bool) -> tuple[Tensor, Tensor | None]:
    draw = torch.Generator().manual_seed(3)
    inputs = torch.randn(RUNS, BATCH, TIME, 3, generator=draw)
    if symbols:
        inputs = torch.randint(0, symbols, (RUNS, BATCH, TIME), generator=draw)
    return inputs, torch.randint(1, TIME + 1, (RUNS, BATCH), generator=draw) if ragged else None


def both(
    config: ModelConfig, symbols: int, *, ragged: bool, outputs: int = 5
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Outputs and gradients: by hand, and by autograd through the equations."""
    model = Model(config, Interface(symbols, 0 if symbols else 3, outputs), seeds=range(RUNS))
    inputs, lengths = data(symbols, ragged=ragged)
    noise = Noise(range(RUNS), step=4)
    with torch.no_grad():
        answers, pull = model.vjp(inputs, lengths, noise)
    d_outputs = torch.randn(answers.shape, generator=torch.Generator().manual_seed(5))
    found = answers, pull(d_outputs).clone()
    model.engine = "equations"
    expected = model(inputs, lengths, noise)
    return found, (expected.detach(), model.gradient(expected, d_outputs).clone())


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("symbols", [0, 9])
@pytest.mark.parametrize(
    "shape",
    [
        {}, {"num_layers": 3}, {"num_layers": 2, "dropout": 0.4}, {"dropout": 0.2}, {"readout": "mean"}, {"readout": "max"},
        {"bidirectional": True}, {"bidirectional": True, "num_layers": 2, "readout": "max", "dropout": 0.3},
        {"bidirectional": True, "readout": "mean", "num_layers": 3}, {"embedding_size": 4},
        {"embedding_size": 4, "ngram_size": 4, "bidirectional": True, "dropout": 0.3, "readout": "max"}, {"ngram_size": 3},
    ],
    ids=ids,
)  # fmt: skip
@pytest.mark.parametrize("cell", CELLS, ids=ids)
def test_gradients_by_hand_are_those_of_autograd(cell: dict, shape: dict, symbols: int, ragged: bool) -> None:
    config = ModelConfig(hidden_size=8, **cell, **shape)
    for found, expected in zip(*both(config, symbols, ragged=ragged), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("outputs", [1, 5])
@pytest.mark.parametrize("head", ["linear", "relu", "none"])
def test_every_head_has_a_gradient(head: str, outputs: int) -> None:
    config = ModelConfig(cell="gru", hidden_size=8, head=head)
    for found, expected in zip(*both(config, 0, ragged=True, outputs=outputs), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(["elman", "lstm", "gru"]), hidden=st.sampled_from([1, 17, 48, 64, 130]), layers=st.integers(1, 2),
    both_ways=st.booleans(), readout=st.sampled_from(["last", "mean", "max"]), sizes=st.sampled_from([(1, 1), (3, 2), (1, 5)]),
    batch=st.sampled_from([1, 31, 65, 130]), time=st.sampled_from([1, 2, 9]), features=st.sampled_from([1, 8, 33]),
    symbols=st.sampled_from([0, 7]), ragged=st.booleans(),
)  # fmt: skip
def test_any_shape(
    cell: Any, hidden: int, layers: int, both_ways: bool, readout: Any, sizes: tuple[int, int], batch: int, time: int,
    features: int, symbols: int, ragged: bool,
) -> None:  # fmt: skip
    """Where the kernels lay weights out, take few rows or single steps, and deal a batch into shards."""
    runs, outputs = sizes
    config = ModelConfig(cell=cell, hidden_size=hidden, num_layers=layers, bidirectional=both_ways, readout=readout)
    model = Model(config, Interface(symbols, 0 if symbols else features, outputs), range(runs))
    model.engine = "kernel"
    draw = torch.Generator().manual_seed(3)
    inputs = torch.randn(runs, batch, time, features, generator=draw)
    if symbols:
        inputs = torch.randint(0, symbols, (runs, batch, time), generator=draw)
    lengths = torch.randint(1, time + 1, (runs, batch), generator=draw) if ragged else None
    answers, pull = model.vjp(inputs, lengths)
    d_answers = torch.randn(answers.shape, generator=draw)
    gradient = pull(d_answers).clone()
    model.engine = "equations"
    expected = model(inputs, lengths)
    torch.testing.assert_close(answers, expected.detach(), rtol=1e-4, atol=1e-5)
    found = model.gradient(expected, d_answers)
    assert float((gradient - found).abs().max()) < 1e-3 * float(found.abs().max())


def test_many_symbols_are_looked_up() -> None:
    """Their embeddings are not multiplied into the weights, and have the same gradients."""
    config = ModelConfig(cell="lstm", hidden_size=8, embedding_size=4, bidirectional=True)
    for found, expected in zip(*both(config, 4 * BATCH + 1, ragged=True), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_what_is_fed_in_place_of_embeddings_gives_them_no_gradient() -> None:
    model = Model(ModelConfig(cell="gru", hidden_size=8, embedding_size=4), Interface(9, 0, 5), range(RUNS))
    symbols, _ = data(9, ragged=False)
    outputs, pull = model.vjp(symbols)
    before = pull(outputs).clone()
    fed, pull = model.vjp(model.embed(symbols).detach())
    torch.testing.assert_close(fed, outputs)
    after = pull(fed)
    size = 9 * 4
    assert before[:, :size].abs().sum() > 0
    assert not after[:, :size].any()
    torch.testing.assert_close(after[:, size:], before[:, size:], rtol=1e-4, atol=1e-5)


def test_a_combined_cell_goes_through_autograd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape.Tape, "__init__", None)
    found, expected = both(ModelConfig(cell="combined", hidden_size=8), 9, ragged=True)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("engine", ["equations", "torch"])
def test_another_road_goes_through_autograd(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, model = torch.randn(1, 4, 5, 3), Model(ModelConfig(cell="lstm", hidden_size=8), Interface(0, 3, 2))
    model.vjp(inputs)  # leaves a tape
    monkeypatch.setattr(tape.Tape, "forward", None)
    model.engine = engine
    outputs, pull = model.vjp(inputs)
    assert not outputs.requires_grad
    assert pull(outputs).shape == model.flat.shape


def test_a_tape_serves_many_batches_and_says_when_it_is_late() -> None:
    model = Model(
        ModelConfig(cell="gru", hidden_size=8, bidirectional=True, readout="max"), Interface(0, 3, 5), range(RUNS)
    )
    inputs, _ = data(0, ragged=False)
    outputs, pull = model.vjp(inputs)
    first, before = pull(outputs).clone(), outputs.clone()
    _, late = model.vjp(-inputs)
    again, pull = model.vjp(inputs)
    assert torch.equal(outputs, before), "what was given stays as it was"
    assert torch.equal(again, outputs)
    assert torch.equal(pull(again), first)
    for asked in (late, pull):
        with pytest.raises(RuntimeError, match="compute them again"):
            asked(outputs)


def test_gradients_of_another_shape_are_refused() -> None:
    """The kernels read them by address."""
    model = Model(ModelConfig(cell="gru", hidden_size=8, head="none"), Interface(0, 3, 5), range(RUNS))
    outputs, pull = model.vjp(data(0, ragged=False)[0])
    with pytest.raises(ValueError, match="d_read must be"):
        pull(outputs[:, 1:])
    outputs, pull = model.vjp(data(0, ragged=False)[0])
    with pytest.raises(ValueError, match="d_read must be"):
        pull(outputs.double())


def test_several_threads_may_ask_a_model_that_was_trained() -> None:
    model = Model(ModelConfig(cell="lstm", hidden_size=64), Interface(0, 3, 5), range(RUNS))
    batches = [data(0, ragged=False)[0] * scale for scale in (1, 2, -1, -2)]
    for batch in batches:
        outputs, pull = model.vjp(batch)
        pull(outputs)

    def answers(batch: Tensor) -> list[Tensor]:
        with torch.no_grad():
            return [model(batch) for _ in range(30)]

    expected = [answers(batch)[0] for batch in batches]
    with ThreadPoolExecutor(4) as threads:
        for found, right in zip(threads.map(answers, batches), expected, strict=True):
            assert all(torch.equal(one, right) for one in found)


def test_a_copy_has_weights_and_gradients_of_its_own() -> None:
    model = Model(ModelConfig(cell="lstm", hidden_size=8), Interface(0, 3, 5), range(RUNS))
    inputs, _ = data(0, ragged=False)
    outputs, pull = model.vjp(inputs)
    gradient = pull(outputs).clone()
    other = copy.deepcopy(model)
    with torch.no_grad():
        model.flat.zero_()
        model.vjp(inputs)
    again, pull = other.vjp(inputs)
    assert torch.equal(again, outputs)
    assert torch.equal(pull(again), gradient)


@pytest.mark.parametrize("readout", ["last", "mean", "max"])
def test_what_is_no_number_is_read_off(readout: str) -> None:
    """A largest value must not hide that a network has diverged."""
    model = Model(ModelConfig(cell="elman", hidden_size=8, readout=readout), Interface(0, 3, 5), range(RUNS))
    inputs, _ = data(0, ragged=False)
    inputs[1, 2, 3] = float("nan")
    outputs, _ = model.vjp(inputs)
    assert outputs[1, 2].isnan().all()
    assert outputs.isnan().any(dim=2).sum() == 1


@pytest.mark.parametrize("outputs", [1, 5])
def test_a_stack_has_the_bits_of_its_runs_alone(outputs: int) -> None:
    config = ModelConfig(
        cell="lstm", hidden_size=21, bidirectional=True, readout="mean", num_layers=2, embedding_size=5, ngram_size=6
    )
    interface = Interface(9, 0, outputs)
    inputs, lengths = data(9, ragged=True)
    assert lengths is not None
    together, pull = Model(config, interface, seeds=range(RUNS)).vjp(inputs, lengths)
    gradient = pull(together)
    for run in range(RUNS):
        alone, pull = Model(config, interface, seeds=[run]).vjp(inputs[run : run + 1], lengths[run : run + 1])
        assert torch.equal(alone[0], together[run])
        assert torch.equal(pull(alone)[0], gradient[run])
