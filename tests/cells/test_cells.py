"""The equations of every cell, with numbers that a reader can check."""

import math

import pytest
import torch

from rnnlab.cells import CELLS, mask_padding, reverse_within, unroll


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def one_unit(cell: str, inputs: list[float], recurrent: float, **options: str) -> list[float]:
    """Unroll one unit whose input weights are 1, whose recurrent weights are all ``recurrent``, and without biases."""
    gates = CELLS[cell].gates
    projected = torch.tensor(inputs, dtype=torch.float64).view(1, 1, -1, 1).expand(-1, -1, -1, gates)
    weight = torch.full((1, gates, 1), recurrent, dtype=torch.float64)
    return (
        unroll(CELLS[cell], projected, weight, torch.zeros(1, gates, dtype=torch.float64), **options).flatten().tolist()
    )


def test_combined_adds_up() -> None:
    assert one_unit("combined", [1.0, 2.0, 3.0], 1.0) == [1.0, 3.0, 6.0]


def test_elman_by_hand() -> None:
    first = math.tanh(0.5)
    assert one_unit("elman", [0.5, -1.0], 2.0) == pytest.approx([first, math.tanh(-1.0 + 2.0 * first)])
    assert one_unit("elman", [0.5, -1.0], 1.0, nonlinearity="relu") == [0.5, 0.0]


def test_lstm_by_hand() -> None:
    gate = sigmoid(1.0)
    c = gate * math.tanh(1.0)
    h = gate * math.tanh(c)
    total = 1.0 + 0.5 * h
    gate_2 = sigmoid(total)
    c_2 = gate_2 * c + gate_2 * math.tanh(total)
    assert one_unit("lstm", [1.0, 1.0], 0.5) == pytest.approx([h, gate_2 * math.tanh(c_2)])


def test_gru_by_hand() -> None:
    h = (1 - sigmoid(1.0)) * math.tanh(1.0)
    r = z = sigmoid(1.0 + 0.5 * h)
    n = math.tanh(1.0 + r * 0.5 * h)
    assert one_unit("gru", [1.0, 1.0], 0.5) == pytest.approx([h, (1 - z) * n + z * h])


def test_every_cell_says_how_many_gates_and_states_it_has() -> None:
    assert {name: (cell.gates, cell.states) for name, cell in CELLS.items()} == {
        "combined": (1, 1), "elman": (1, 1), "gru": (3, 1), "lstm": (4, 2),
    }  # fmt: skip


def test_reversal_stays_within_each_sequence() -> None:
    values = torch.tensor([[[1, 2, 3], [4, 5, 0]]])
    assert reverse_within(values, torch.tensor([[3, 2]])).tolist() == [[[3, 2, 1], [5, 4, 0]]]


def test_mask_clears_what_lies_behind_the_end() -> None:
    values = torch.ones(1, 2, 3, 1)
    assert mask_padding(values, torch.tensor([[1, 3]])).flatten().tolist() == [1, 0, 0, 1, 1, 1]
