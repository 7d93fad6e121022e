"""Ragged sequences, vocabulary, scaling and the order of batches."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnlab.data import batching
from rnnlab.data.scaling import Scaling
from rnnlab.data.sequences import Sequences
from rnnlab.data.vocabulary import PADDING, UNKNOWN, Vocabulary
from rnnlab.errors import DataError

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=8)


@given(lengths=LENGTHS, data=st.data())
def test_gather_gives_back_what_was_packed(lengths: list[int], data: st.DataObject) -> None:
    arrays = [np.random.default_rng(i).normal(size=(length, 2)).astype(np.float32) for i, length in enumerate(lengths)]
    packed = Sequences.pack(arrays)
    index = torch.tensor(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=5)))
    values, found = packed.gather(index)
    for row, example in enumerate(index.tolist()):
        length = lengths[example]
        assert np.array_equal(values[row, :length].numpy(), arrays[example])
        assert not values[row, length:].any()
        assert found is None or int(found[row]) == length


def test_windows_overlap_and_follow_the_series() -> None:
    windows = Sequences.windows(np.arange(6.0)[:, None], np.arange(4), 3)
    values, lengths = windows.gather(torch.tensor([[0, 3]]))
    assert values.squeeze().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert lengths is None


def test_an_empty_sequence_is_named_by_row() -> None:
    with pytest.raises(DataError, match="lengths must be at least 1, got 0 in row 1"):
        Sequences.pack([np.ones((2, 1)), np.ones((0, 1)), np.ones((1, 1))])


def test_unknown_and_empty_texts() -> None:
    vocabulary = Vocabulary.of(["ba"])
    assert vocabulary.encode("abz").tolist() == [2, 3, UNKNOWN]
    assert vocabulary.encode("").tolist() == [PADDING]
    assert len(vocabulary) == 4


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_scaling_undoes_itself(values: list[float]) -> None:
    raw = np.array(values)[:, None]
    for way in (Scaling.standard, Scaling.unit_range):
        scaling = way(raw)
        np.testing.assert_allclose(scaling.undo(scaling.apply(raw)), raw, rtol=1e-9, atol=1e-6)


def test_constant_columns_are_not_divided_by_zero() -> None:
    raw = np.full((5, 1), 7.0)
    assert Scaling.standard(raw).apply(raw).tolist() == [[0.0]] * 5
    assert Scaling.unit_range(raw).apply(raw).tolist() == [[0.0]] * 5


@pytest.mark.parametrize("way", ["shuffle", "by_length", "in_order"])
@given(lengths=LENGTHS, size=st.integers(1, 5), epoch=st.integers(0, 3))
def test_an_epoch_sees_every_example_once(way: str, lengths: list[int], size: int, epoch: int) -> None:
    found = list(batching.batches(way, size, torch.tensor(lengths), None, [0, 1], epoch))
    assert len(found) == batching.count(size, len(lengths))
    together = torch.cat(found, dim=1)
    for run in together:
        assert sorted(run.tolist()) == list(range(len(lengths)))


def test_batches_by_length_hold_like_lengths_in_every_run() -> None:
    lengths = torch.tensor([1, 9, 1, 9, 1, 9, 1, 9])
    for batch in batching.batches("by_length", 4, lengths, None, [0, 1, 2], 5):
        assert lengths[batch].unique().numel() == 1


def test_balanced_draws_every_class_alike() -> None:
    labels = torch.tensor([0] * 990 + [1] * 10)
    drawn = torch.cat(
        [b for e in range(3) for b in batching.batches("balanced", 100, torch.ones(1000), labels, [4], e)], dim=1
    )
    assert 0.45 < float((labels[drawn] == 1).double().mean()) < 0.55
    assert set(drawn[labels[drawn] == 1].tolist()) == set(range(990, 1000))


def test_runs_with_another_seed_see_another_order() -> None:
    (both,) = batching.batches("shuffle", 50, torch.ones(50), None, [0, 1], 0)
    assert not torch.equal(both[0], both[1])


@given(lengths=LENGTHS, cuts=st.lists(st.integers(0, 30), max_size=4), leveled=st.integers(0, 2))
def test_parts_joined_are_the_whole(lengths: list[int], cuts: list[int], leveled: int) -> None:
    draw = np.random.default_rng(sum(lengths))
    packed = Sequences.pack([draw.normal(size=(length, 2)) for length in lengths])
    levels = torch.rand(len(lengths), 2, leveled) + 0.5 if leveled else None
    whole = Sequences(packed.values, packed.starts, packed.lengths, levels)
    edges = [0, *sorted(min(cut, len(lengths)) for cut in cuts), len(lengths)]
    joined = Sequences.join([whole.part(first, end) for first, end in pairwise(edges)])
    every = torch.arange(len(lengths))
    for found, expected in zip(joined.gather(every), whole.gather(every), strict=True):
        assert found is expected is None or torch.equal(found, expected)


def test_levels_scale_the_first_features_of_each_sequence_and_no_others() -> None:
    values = torch.arange(24.0).view(8, 3)
    levels = torch.tensor([[[1.0, 2.0], [10.0, 20.0]], [[3.0, 4.0], [30.0, 40.0]]])
    for lengths in ([4, 4], [4, 3]):
        whole = Sequences(values, torch.tensor([0, 4]), torch.tensor(lengths), levels)
        drawn, _ = whole.gather(torch.tensor([[1, 0]]))
        for row, example in enumerate((1, 0)):
            inside = values[4 * example : 4 * example + lengths[example]]
            found = drawn[0, row, : lengths[example]]
            for feature in range(2):
                expected = (inside[:, feature] - levels[example, 0, feature]) / levels[example, 1, feature]
                assert torch.allclose(found[:, feature], expected)
            assert torch.equal(found[:, 2], inside[:, 2])
            assert not drawn[0, row, lengths[example] :].any()
    assert torch.equal(values, torch.arange(24.0).view(8, 3))
