"""Who is taken for whom: against scikit-learn's matrix, and against predict for the examples of a cell."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings, library
from rnnlab.errors import DataError
from rnnlab.models import Model
from rnnlab.runs import Run
from rnnlab.tasks import Task, classify_strings, everything_trains, from_numbers
from rnnlab.web.page.confusion import Confusion, confuse


@pytest.fixture(scope="module")
def task() -> Task:
    names = library.names()
    return classify_strings(LabelledStrings(names.texts[::30], names.labels[::30]))


@pytest.fixture(scope="module")
def run(task: Task) -> Run:
    model = ModelConfig(hidden_size=8)
    return Run("r", model, TrainConfig(), task.codec, 4 * Model(model, task.interface, seeds=[1]).flat[0].detach())


@pytest.fixture(scope="module")
def made(run: Run, task: Task) -> Confusion:
    return confuse(run, task)


def test_counts_as_scikit_learn_does(run: Run, task: Task, made: Confusion) -> None:
    rows = task.part("test").tolist()
    truth = [task.labels[int(task.targets[row])] for row in rows]
    guess = [one["prediction"] for one in run.predict([task.raw[row] for row in rows])]
    np.testing.assert_array_equal(made.counts, confusion_matrix(truth, guess, labels=list(task.labels)))


def test_every_example_is_behind_its_cell_with_its_probability(run: Run, task: Task, made: Confusion) -> None:
    seen = 0
    for truth, guess in zip(*np.nonzero(made.counts)):
        found = made.behind(int(truth), int(guess))
        assert len(found.rows) == made.counts[truth, guess]
        answers = run.predict([row[0] for row in found.rows])
        assert {one["prediction"] for one in answers} == {task.labels[guess]}
        expected = [one["probabilities"][task.labels[guess]] for one in answers]
        assert [row[1] for row in found.rows] == pytest.approx(expected, abs=1e-5)
        assert [row[1] for row in found.rows] == sorted((row[1] for row in found.rows), reverse=True)
        if truth != guess:
            expected = [one["probabilities"][task.labels[truth]] for one in answers]
            assert [row[2] for row in found.rows] == pytest.approx(expected, abs=1e-5)
        seen += len(found.rows)
    assert seen == len(made.names) == len(task.part("test"))


def test_the_worst_are_the_largest_off_the_diagonal(made: Confusion) -> None:
    off = made.counts.copy()
    np.fill_diagonal(off, 0)
    worst = list(made.worst(3))
    assert [count for _, _, count in worst] == sorted(off.ravel().tolist(), reverse=True)[:3]
    assert all(off[truth, guess] == count for truth, guess, count in worst)


def test_without_a_test_part_the_next_is_shown(run: Run, task: Task) -> None:
    from dataclasses import replace

    nothing = np.zeros(0, dtype=np.int64)
    splits = replace(task.splits, test=nothing)
    assert confuse(run, replace(task, splits=splits)).part == "validation"


def test_only_classifiers_have_one(run: Run) -> None:
    with pytest.raises(DataError, match="must be a classifier"):
        confuse(run, from_numbers(library.binary(), splits=everything_trains(256)))
