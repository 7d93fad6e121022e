"""The model against torch.nn: values, gradients, ragged batches, stacks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnnlab.config import Interface, ModelConfig
from rnnlab.errors import ConfigError
from rnnlab.models import Model, Noise, from_torch, to_torch
from rnnlab.models.layers import at_the_end

CELLS = [
    {"cell": "elman"},
    {"cell": "elman", "nonlinearity": "relu"},
    {"cell": "lstm"},
    {"cell": "gru"},
]
ALL_CELLS = [*CELLS, {"cell": "combined"}]
SHAPES = [
    {"num_layers": 1},
    {"num_layers": 2, "bidirectional": True},
    {"num_layers": 3},
]
NUMBERS = Interface(symbols=0, features=3, outputs=2)


def double(model: Model) -> Model:
    model.bind(model.flat.detach().double())
    return model


def ids(value: dict[str, object]) -> str:
    return "-".join(str(part) for part in value.values())


@pytest.mark.parametrize("engine", ["equations", "torch"])
@pytest.mark.parametrize("shape", SHAPES, ids=ids)
@pytest.mark.parametrize("cell", CELLS, ids=ids)
def test_values_and_gradients_match_torch(cell: dict, shape: dict, engine: str) -> None:
    model = double(Model(ModelConfig(hidden_size=5, **cell, **shape), NUMBERS, seeds=[7]))
    model.engine = engine
    twin = to_torch(model).double()
    inputs = torch.randn(4, 6, 3, dtype=torch.float64)
    states, _ = twin(inputs)
    width = 5
    last = torch.cat([states[:, -1, :width], states[:, 0, width:]], dim=1)
    expected = last @ model.head_weight[0].T + model.head_bias[0]
    outputs = model(inputs.unsqueeze(0))
    torch.testing.assert_close(outputs[0], expected)

    outputs.square().sum().backward()
    expected_gradients = torch.autograd.grad(expected.square().sum(), list(twin.parameters()))
    for (name, _), gradient in zip(twin.named_parameters(), expected_gradients, strict=True):
        torch.testing.assert_close(getattr(model, name).grad[0], gradient, msg=name)


@pytest.mark.parametrize("readout", ["last", "mean", "max"])
@pytest.mark.parametrize("engine", ["equations", "torch"])
@pytest.mark.parametrize("cell", ALL_CELLS, ids=ids)
def test_padding_does_not_change_output(cell: dict, engine: str, readout: str) -> None:
    if cell["cell"] == "combined" and engine == "torch":
        pytest.skip("torch has no such cell")
    config = ModelConfig(hidden_size=4, num_layers=2, bidirectional=True, readout=readout, **cell)
    model = double(Model(config, NUMBERS, seeds=[3]))
    model.engine = engine
    lengths = torch.tensor([5, 1, 3])
    inputs = torch.randn(1, 3, 5, 3, dtype=torch.float64)
    together = model(inputs, lengths.unsqueeze(0))
    for row, length in enumerate(lengths.tolist()):
        alone = model(inputs[:, row : row + 1, :length])
        torch.testing.assert_close(together[:, row : row + 1], alone, rtol=1e-12, atol=1e-14)


def test_ragged_matches_packed_torch() -> None:
    model = double(Model(ModelConfig(cell="lstm", hidden_size=4, num_layers=2), NUMBERS, seeds=[3]))
    inputs, lengths = torch.randn(3, 5, 3, dtype=torch.float64), torch.tensor([5, 4, 2])
    packed = nn.utils.rnn.pack_padded_sequence(inputs, lengths, batch_first=True)
    _, (hidden, _) = to_torch(model).double()(packed)
    expected = hidden[-1] @ model.head_weight[0].T + model.head_bias[0]
    torch.testing.assert_close(model(inputs.unsqueeze(0), lengths.unsqueeze(0))[0], expected)


@pytest.mark.parametrize("embedding_size", [0, 3])
@pytest.mark.parametrize("cell", ALL_CELLS, ids=ids)
def test_stack_equals_single_runs(cell: dict, embedding_size: int) -> None:
    interface = Interface(symbols=9, features=0, outputs=4)
    config = ModelConfig(hidden_size=6, num_layers=2, dropout=0.3, embedding_size=embedding_size, **cell)
    seeds = [0, 5, 9]
    stack = Model(config, interface, seeds)
    inputs, lengths = torch.randint(1, 9, (3, 4, 7)), torch.randint(1, 8, (3, 4))
    outputs = stack(inputs, lengths, Noise(seeds, step=2))
    gradient = stack.gradient(outputs.square().sum())
    for run, seed in enumerate(seeds):
        model = Model(config, interface, [seed])
        alone = model(inputs[run : run + 1], lengths[run : run + 1], Noise([seed], step=2))
        expected = model.gradient(alone.square().sum())
        torch.testing.assert_close(outputs[run : run + 1], alone)
        torch.testing.assert_close(gradient[run], expected[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("symbols", [0, 9])
@pytest.mark.parametrize("cell", CELLS, ids=ids)
def test_compiled_kernels_give_what_the_equations_give(cell: dict, symbols: int) -> None:
    config = ModelConfig(hidden_size=8, num_layers=2, bidirectional=True, readout="mean", **cell)
    model = Model(config, Interface(symbols, 0 if symbols else 3, 2), seeds=[0, 4])
    inputs = torch.randint(1, 9, (2, 5, 6)) if symbols else torch.randn(2, 5, 6, 3)
    lengths = torch.randint(1, 7, (2, 5))
    found = {}
    for engine in ("equations", "kernel"):
        model.engine = engine
        outputs = model(inputs, lengths)
        found[engine] = (outputs.detach(), model.gradient(outputs.square().sum()).clone())
    torch.testing.assert_close(found["kernel"][0], found["equations"][0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["kernel"][1], found["equations"][1], rtol=1e-4, atol=1e-5)


def test_one_hot_symbols_equal_dense_inputs() -> None:
    symbols = Model(ModelConfig(cell="gru", hidden_size=4), Interface(5, 0, 2), seeds=[1])
    dense = Model(ModelConfig(cell="gru", hidden_size=4), Interface(0, 5, 2), seeds=[1])
    inputs = torch.randint(0, 5, (1, 3, 4))
    symbols.engine = "equations"
    torch.testing.assert_close(symbols(inputs), dense(nn.functional.one_hot(inputs, 5).float()))


def test_combined_is_the_labs_two_linear_layers() -> None:
    model = Model(ModelConfig(cell="combined", hidden_size=4), Interface(0, 3, 2), seeds=[1])
    i2h = torch.cat([model.weight_ih_l0[0], model.weight_hh_l0[0]], dim=1)
    inputs, hidden = torch.randn(1, 1, 5, 3), torch.zeros(4)
    for step in inputs[0, 0]:
        pair = torch.cat([step, hidden])
        hidden = i2h @ pair + model.bias_ih_l0[0]
        output = model.head_weight[0] @ pair + model.head_bias[0]
    torch.testing.assert_close(model(inputs)[0, 0], output)


def test_readouts_by_hand() -> None:
    states = torch.tensor([[[[1.0], [4.0], [0.0]], [[-5.0], [-3.0], [-7.0]]]])
    lengths = torch.tensor([[2, 3]])
    for readout, expected in {"mean": [2.5, -5.0], "max": [4.0, -3.0]}.items():
        model = Model(ModelConfig(hidden_size=1, readout=readout), NUMBERS)
        assert model._pooled(states, lengths).squeeze().tolist() == expected
    assert at_the_end(states, lengths).squeeze().tolist() == [4.0, -7.0]


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("engine", ["kernel", "torch", "equations"])
@pytest.mark.parametrize("cell", ["elman", "lstm", "gru", "combined"])
def test_the_last_readout_is_where_each_direction_ends(cell, engine, bidirectional, ragged) -> None:
    config = ModelConfig(cell=cell, hidden_size=4, bidirectional=bidirectional, num_layers=2)
    model = Model(config, NUMBERS, seeds=[1])
    model.engine = "equations" if cell == "combined" else engine
    inputs, lengths = torch.randn(1, 3, 5, 3), torch.tensor([[2, 5, 1]]) if ragged else None
    states = model.states(inputs, lengths)
    width = states.shape[-1] // (2 if bidirectional else 1)
    ends = (lengths if ragged else torch.tensor([[5, 5, 5]]))[0] - 1
    last = torch.stack([states[0, row, end, :width] for row, end in enumerate(ends.tolist())])
    if bidirectional:
        last = torch.cat([last, states[0, :, 0, width:]], dim=1)
    expected = last @ model.head_weight[0].T + model.head_bias[0]
    outputs = model(inputs, lengths)[0]
    torch.testing.assert_close(outputs, expected)
    theirs = torch.autograd.grad(expected.square().sum(), list(model.parameters()), retain_graph=True)
    ours = torch.autograd.grad(outputs.square().sum(), list(model.parameters()))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_relu_head_is_never_negative() -> None:
    model = Model(ModelConfig(hidden_size=4, head="relu"), NUMBERS, seeds=[0, 1])
    outputs = model(torch.randn(1, 50, 3, 3)).detach()
    assert float(outputs.min()) == 0.0
    assert float(outputs.max()) > 0.0


def test_head_none_answers_with_the_last_state() -> None:
    model = Model(ModelConfig(cell="elman", hidden_size=7, num_layers=3, head="none"), Interface(0, 1, 1), seeds=[0])
    assert model.weight_hh_l2.shape == (1, 1, 1)
    assert model(torch.randn(1, 4, 3, 1) * 100).abs().max() <= 1


def test_weights_load_both_ways() -> None:
    config = ModelConfig(cell="lstm", hidden_size=4, num_layers=2, bidirectional=True)
    one, two = Model(config, NUMBERS, seeds=[0]), Model(config, NUMBERS, seeds=[1])
    from_torch(two, to_torch(one))
    for name in (name for name, _ in to_torch(one).named_parameters()):
        assert torch.equal(getattr(one, name), getattr(two, name))
    with pytest.raises(ConfigError, match="must have the model's shape"):
        from_torch(two, nn.LSTM(3, 5))


def test_gradients_gather_in_the_flat_buffer() -> None:
    model = Model(ModelConfig(hidden_size=3), NUMBERS, seeds=[0, 1])
    inputs = torch.randn(1, 2, 4, 3)
    gradient = model.gradient(model(inputs).sum())
    model(inputs).sum().backward()
    expected = torch.cat([parameter.grad.reshape(2, -1) for parameter in model.parameters()], dim=1)
    torch.testing.assert_close(gradient, expected)


@given(
    cell=st.sampled_from(ALL_CELLS),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_order_of_a_batch_does_not_matter(cell: dict, lengths: list[int], seed: int) -> None:
    model = double(Model(ModelConfig(hidden_size=3, **cell), NUMBERS, seeds=[seed]))
    inputs = torch.randn(1, len(lengths), max(lengths), 3, dtype=torch.float64)
    length = torch.tensor([lengths])
    order = torch.randperm(len(lengths))
    torch.testing.assert_close(model(inputs, length)[:, order], model(inputs[:, order], length[:, order]))
