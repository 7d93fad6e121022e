"""The bootstrap over examples: its metric is scikit-learn's, its draws are fair, blocks stay together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from rnnlab.comparison.resampling import answers, draw_counts, macro_f1, over_examples
from rnnlab.data import LabelledStrings, sales
from rnnlab.tasks import classify_strings, forecast_series


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_macro_f1_is_scikit_learns(seed: int, examples: int) -> None:
    random = np.random.default_rng(seed)
    truth, guesses = random.integers(0, 4, examples), random.integers(0, 5, (2, examples))
    drawn = random.integers(0, examples, examples)
    counts = np.bincount(drawn, minlength=examples)[None].astype(float)
    for counted, rows in ((np.ones((1, examples)), np.arange(examples)), (counts, drawn)):
        found = macro_f1(counted, guesses, truth)
        for guess, score in zip(guesses, found[0], strict=True):
            labels = np.unique(truth[rows])
            expected = f1_score(truth[rows], guess[rows], average="macro", labels=labels, zero_division=0)
            assert score == pytest.approx(expected)


@settings(deadline=None)
@given(st.integers(1, 50), st.integers(1, 60))
def test_as_many_are_drawn_as_there_are(examples: int, block: int) -> None:
    counts = draw_counts(examples, 7, block, np.random.default_rng(0))
    assert counts.shape == (7, examples)
    assert (counts.sum(axis=1) == examples).all()


def test_blocks_hold_neighbours() -> None:
    counts = draw_counts(70, 200, 7, np.random.default_rng(0))
    drawn = counts > 0
    # A drawn example's neighbour is drawn too, but at a block's end: far more often than the 63% of single draws.
    assert drawn[:, 1:][drawn[:, :-1]].mean() > 0.85
    single = draw_counts(70, 200, 1, np.random.default_rng(0)) > 0
    assert single[:, 1:][single[:, :-1]].mean() == pytest.approx(0.63, abs=0.03)
    assert counts.mean(axis=0) == pytest.approx(np.ones(70), abs=0.35)


def test_interval_of_a_share_is_the_binomials() -> None:
    texts = tuple(f"{first}{n}" for first in "ab" for n in range(500))
    task = classify_strings(LabelledStrings(texts, tuple(text[0] for text in texts)))
    truth = task.targets.numpy()[task.part("test").numpy()]
    wrong = np.arange(len(truth)) % 5 == 0
    perfect, flawed = (np.eye(2)[guess][None] for guess in (truth, np.where(wrong, 1 - truth, truth)))
    found = over_examples(task, answers(task, (0,), perfect), answers(task, (0,), flawed))
    assert found is not None
    # A fifth of 200 answers is wrong: 0.2 +- 1.96 sqrt(0.2 0.8 / 200) = 0.2 +- 0.055.
    assert found == pytest.approx((0.145, 0.255), abs=0.02)
    assert over_examples(task, answers(task, (0,), perfect), answers(task, (1,), perfect)) is None


def test_errors_are_in_the_datas_own_units() -> None:
    task = forecast_series(sales(), horizon=2)
    index = task.part("test").numpy()
    right = task.targets.numpy()[index][None]
    found = answers(task, (0,), right + 1.0)
    assert found.values == pytest.approx(np.full((1, len(index)), float(task.codec.scale)), rel=1e-3)
    interval = over_examples(task, answers(task, (0,), right), found)
    assert interval == pytest.approx((float(task.codec.scale),) * 2, rel=1e-3)
