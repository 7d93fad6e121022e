"""Gradients by hand against autograd through the equations, for every plain model; and who is not plain."""

from typing import Any

import pytest
import torch
from torch import Tensor

from rnnlab.config import Interface, ModelConfig
from rnnlab.models import Model, Noise, by_hand

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


def both(config: ModelConfig, symbols: int, *, ragged: bool) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Outputs and gradients: by hand, and by autograd through the equations."""
    model = Model(config, Interface(symbols, 0 if symbols else 3, 5), seeds=range(RUNS))
    inputs, lengths = data(symbols, ragged=ragged)
    noise = Noise(range(RUNS), step=4)
    with torch.no_grad():
        outputs, pull = model.vjp(inputs, lengths, noise)
    d_outputs = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(5))
    found = outputs, pull(d_outputs).clone()
    model.engine = "equations"
    expected = model(inputs, lengths, noise)
    return found, (expected.detach(), model.gradient(expected, d_outputs).clone())


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("symbols", [0, 9])
@pytest.mark.parametrize("shape", [{}, {"num_layers": 3}, {"num_layers": 2, "dropout": 0.4}, {"dropout": 0.2}], ids=ids)
@pytest.mark.parametrize("cell", CELLS, ids=ids)
def test_gradients_by_hand_are_those_of_autograd(cell: dict, shape: dict, symbols: int, ragged: bool) -> None:
    config = ModelConfig(hidden_size=8, **cell, **shape)
    assert by_hand.is_plain(config, symbols=bool(symbols))
    for found, expected in zip(*both(config, symbols, ragged=ragged), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("head", ["relu", "none"])
def test_every_head_has_a_gradient(head: str) -> None:
    for found, expected in zip(*both(ModelConfig(cell="gru", hidden_size=8, head=head), 0, ragged=True), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "shape",
    [{"bidirectional": True}, {"readout": "mean"}, {"readout": "max"}, {"embedding_size": 4}, {"ngram_size": 4}, {"cell": "combined"}],
    ids=ids,
)  # fmt: skip
def test_what_is_not_plain_goes_through_autograd(shape: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hand.Tape, "__init__", None)
    found, expected = both(ModelConfig(hidden_size=8, **shape), 9, ragged=True)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("engine", ["equations", "torch"])
def test_another_road_goes_through_autograd(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hand.Tape, "__init__", None)
    model = Model(ModelConfig(cell="lstm", hidden_size=8), Interface(0, 3, 2))
    model.engine = engine
    outputs, pull = model.vjp(torch.randn(1, 4, 5, 3))
    assert not outputs.requires_grad
    assert pull(outputs).shape == model.flat.shape


@pytest.mark.parametrize("outputs", [1, 5])
def test_a_stack_has_the_bits_of_its_runs_alone(outputs: int) -> None:
    config, interface = ModelConfig(cell="lstm", hidden_size=21), Interface(9, 0, outputs)
    inputs, lengths = data(9, ragged=True)
    assert lengths is not None
    together, pull = Model(config, interface, seeds=range(RUNS)).vjp(inputs, lengths)
    gradient = pull(together)
    for run in range(RUNS):
        alone, pull = Model(config, interface, seeds=[run]).vjp(inputs[run : run + 1], lengths[run : run + 1])
        assert torch.equal(alone[0], together[run])
        assert torch.equal(pull(alone)[0], gradient[run])
