"""What trains well unless the user says otherwise: by kind of task, and put aside by what is said."""

import numpy as np
import pytest

from rnnlab.data import LabelledStrings, NumberSequences, Series
from rnnlab.errors import ConfigError
from rnnlab.task_config import TaskConfig
from rnnlab.tasks import Task, classify_strings
from rnnlab.tasks.from_config import complete, make_task
from rnnlab.training import train
from rnnlab.training.recipes import configure, recipe


@pytest.fixture(scope="module")
def strings() -> Task:
    texts = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "12345")
    return classify_strings(LabelledStrings(texts, tuple(text[0].upper() for text in texts)))


def test_a_budget_in_steps_or_seconds_replaces_the_epochs(strings: Task) -> None:
    assert configure(strings, {})[1].epochs
    assert configure(strings, {"max_steps": 5})[1].epochs is None
    assert configure(strings, {"max_seconds": 5})[1].epochs is None
    assert configure(strings, {"max_steps": 5, "epochs": 2})[1].epochs == 2


def test_little_data_are_passed_over_more_often(strings: Task) -> None:
    assert recipe(strings)[1].epochs == 200


def test_ngrams_are_for_strings_alone_and_give_way_to_what_is_said(strings: Task) -> None:
    assert configure(strings, {}, ngrams=True)[0].ngram_size > 0
    assert configure(strings, {})[0].ngram_size == 0
    assert configure(strings, {"ngram_size": 0}, ngrams=True)[0].ngram_size == 0
    assert configure(strings, {"head": "none"}, ngrams=True)[0].ngram_size == 0
    numbers = NumberSequences(tuple(np.full((3, 1), i) for i in range(20)), np.arange(20, dtype=np.float32))
    assert configure(make_task(numbers, TaskConfig()), {}, ngrams=True)[0].ngram_size == 0


def test_unknown_options_are_named(strings: Task) -> None:
    with pytest.raises(ConfigError, match="nearest: hidden_size"):
        configure(strings, {"hiden_size": 3})


@pytest.mark.parametrize(("noise", "difference"), [(0.1, 7), (10.0, 0)])
def test_a_series_is_differenced_where_its_seasons_are_alike(noise: float, difference: int) -> None:
    days = np.arange("2023-01-01", "2024-06-01", dtype="datetime64[D]")
    steps = np.arange(len(days))
    values = 50 + 10 * np.sin(steps * 2 * np.pi / 7) + np.random.default_rng(0).normal(0, noise, len(days))
    found = complete(TaskConfig(), Series(days, values, "visits", season=7))
    assert (found.difference, found.context_length) == (difference, 28)
    assert complete(TaskConfig(difference=3, context_length=5), Series(days, values, "v", season=7)).difference == 3


@pytest.mark.parametrize("length", [6, 8, 15, 30, 60, 100])
def test_short_series_get_a_context_that_fits(length: int) -> None:
    days = np.datetime64("2024-01-01") + np.arange(length)
    series = Series(days, np.sin(np.arange(length)) * 5, "visits", season=7)
    task = make_task(series, TaskConfig())
    assert len(task.splits.train)


def test_the_recipe_learns_a_rule_that_baselines_do_not() -> None:
    draw = np.random.default_rng(0)
    bits = draw.integers(0, 2, (400, 8))
    labels = tuple("odd" if row.sum() % 2 else "even" for row in bits[:, :4])
    task = make_task(NumberSequences(tuple(row[:, None].astype(np.float32) for row in bits), labels), TaskConfig())
    model, training = configure(task, {"hidden_size": 24, "epochs": 60})
    assert train(task, model, training)[0].metrics["test"]["accuracy"] > 0.9
