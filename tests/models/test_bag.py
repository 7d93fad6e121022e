"""The bag of n-grams: pieces by hand, padding, a stack against single runs."""

import torch

from rnnlab.config import Interface, ModelConfig
from rnnlab.models import Model, Noise
from rnnlab.models.ngrams import BUCKETS, ROWS, bag, buckets, pieces, write_gradient

INTERFACE = Interface(symbols=9, features=0, outputs=2)


def test_the_same_piece_falls_into_the_same_bucket_wherever_it_stands() -> None:
    one, other = buckets(torch.tensor([[[3, 4, 5]]])), buckets(torch.tensor([[[7, 3, 4]]]))
    assert one[0, 0, 0, 1] == other[0, 0, 0, 2]  # "34"
    assert one[0, 0, 0, 0] != other[0, 0, 0, 1]  # "^3" and "73"
    assert int(one[0, 0, 2].min()) >= 2 * BUCKETS
    assert int(one.max()) < ROWS


def test_sum_by_hand() -> None:
    table = torch.randn(1, ROWS, 3)
    symbols = torch.tensor([[[3, 4]]])
    found, shares = pieces(symbols, None, runs=1)
    assert found[0, 0].tolist() == buckets(symbols)[0, 0].flatten().tolist()
    assert found.numel() == 9  # three orders, ending at 3, at 4 and behind the end
    torch.testing.assert_close(bag(table, found, shares)[0, 0], table[0, found[0, 0]].sum(dim=0) / 3)


def test_gradient_of_a_table_is_that_of_autograd() -> None:
    table = torch.randn(2, ROWS, 3, requires_grad=True)
    symbols, lengths = torch.tensor([[[3, 4, 3, 4], [4, 3, 0, 0]]]), torch.tensor([[4, 2]])
    found, shares = pieces(symbols, lengths, runs=2, dropped=torch.rand(2, 2, 5))
    change = torch.randn(2, 2, 3)
    bag(table, found, shares).backward(change)
    place = torch.full_like(table, float("nan"))
    write_gradient(place, found, change.unsqueeze(2) * shares.unsqueeze(3))
    torch.testing.assert_close(place, table.grad)


def test_padding_does_not_change_output() -> None:
    model = Model(ModelConfig(hidden_size=4, ngram_size=3, readout="max"), INTERFACE, seeds=[1])
    with torch.no_grad():
        model.ngrams.normal_()
    symbols, lengths = torch.tensor([[[3, 4, 5, 6], [7, 8, 0, 0]]]), torch.tensor([[4, 2]])
    together = model(symbols, lengths)
    torch.testing.assert_close(together[:, 1:], model(symbols[:, 1:, :2]))


def test_stack_equals_single_runs() -> None:
    config = ModelConfig(hidden_size=4, ngram_size=3, dropout=0.4)
    stack = Model(config, INTERFACE, seeds=[1, 2])
    with torch.no_grad():
        stack.ngrams.normal_()
    symbols = torch.randint(1, 9, (2, 5, 6))
    outputs = stack(symbols, None, Noise([1, 2], step=3))
    gradient = stack.gradient(outputs.square().sum()).clone()
    for run in range(2):
        alone = Model(config, INTERFACE, seeds=[run + 1])
        alone.bind(stack.flat[run : run + 1].detach().clone())
        found = alone(symbols[run : run + 1], None, Noise([run + 1], step=3))
        torch.testing.assert_close(outputs[run : run + 1], found)
        torch.testing.assert_close(gradient[run], alone.gradient(found.square().sum())[0], rtol=1e-4, atol=1e-5)
