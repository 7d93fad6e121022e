"""What a run thinks while it reads: against the model asked in plain ways."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings, library
from rnnlab.errors import DataError
from rnnlab.models import Model
from rnnlab.runs import Run
from rnnlab.runs.answers import prepare
from rnnlab.tasks import TextCodec, classify_strings, everything_trains, from_numbers
from rnnlab.training import Training
from rnnlab.web.page.drawing import bars, heat, marked
from rnnlab.web.page.inside import LONGEST, read_numbers, read_text


def untrained(model: ModelConfig, codec: object) -> Run:
    weights = Model(model, codec.interface, seeds=[3]).flat[0].detach()
    return prepare(Run("r", model, TrainConfig(), codec, 3 * weights))


@pytest.fixture(scope="module")
def letters() -> Run:
    """A run that has learnt that an x anywhere means yes."""
    texts = tuple(f"{a}{b}{c}" for a in "abcx" for b in "abcx" for c in "abcx")
    task = classify_strings(LabelledStrings(texts, tuple("yes" if "x" in text else "no" for text in texts)))
    config = TrainConfig(lr=0.02, epochs=60, batch_size=16, input_dropout=0.2)
    training = Training(task, ModelConfig(cell="gru", hidden_size=12), [config])
    for _ in training:
        pass
    return prepare(training.runs()[0])


def test_the_probabilities_are_those_of_predict(letters: Run) -> None:
    reading = read_text(letters, "abx")
    expected = letters.predict(["abx"])[0]
    assert reading.answer == expected["prediction"]
    assert dict(zip(reading.labels, reading.probabilities)) == pytest.approx(expected["probabilities"], abs=1e-6)


def test_the_character_that_matters_carried_the_answer(letters: Run) -> None:
    for text in ("abxc", "xabc", "cabx"):
        reading = read_text(letters, text)
        assert reading.answer == "yes"
        assert reading.carried.argmax() == text.index("x")
        assert reading.carried.max() > 0.2


def test_occlusion_is_the_loss_of_probability_with_a_character_that_is_in_no_vocabulary(letters: Run) -> None:
    text, unknown = "axbc", "\N{SNOWMAN}"
    whole = letters.predict([text])[0]["probabilities"]["yes"]
    hidden = [
        letters.predict([text[:i] + unknown + text[i + 1 :]])[0]["probabilities"]["yes"] for i in range(len(text))
    ]
    np.testing.assert_allclose(read_text(letters, text).carried, whole - np.array(hidden), atol=1e-6)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("both", [False, True])
def test_the_hidden_state_after_a_character_is_torchs(cell: str, both: bool) -> None:
    model = ModelConfig(cell=cell, hidden_size=5, num_layers=2, bidirectional=both)
    run = untrained(model, TextCodec(characters="abc", labels=("x", "y")))
    reading = read_text(run, "abcab")
    twin = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](
        run.codec.interface.symbols, 5, num_layers=2, bidirectional=both, batch_first=True
    )
    twin.load_state_dict({name: getattr(run.model, name)[0].detach() for name, _ in twin.named_parameters()})
    symbols = torch.nn.functional.one_hot(run.codec.encode(["abcab"]).values, run.codec.interface.symbols).float()
    np.testing.assert_allclose(reading.states, twin(symbols[None])[0][0].detach(), atol=1e-5)


def test_lower_case_is_shown_as_it_is_read() -> None:
    run = untrained(
        ModelConfig(hidden_size=4),
        TextCodec(characters="abci\N{COMBINING DOT ABOVE}", labels=("x", "y"), lowercase=True),
    )
    reading = read_text(run, "A\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}")
    assert reading.symbols == "ai\N{COMBINING DOT ABOVE}"
    assert len(reading.carried) == len(reading.states) == 3


def test_numbers_are_answered_after_every_step() -> None:
    task = from_numbers(library.binary(), splits=everything_trains(256))
    run = untrained(ModelConfig(cell="lstm", hidden_size=6), task.codec)
    bits = [[1.0], [0.0], [1.0], [1.0]]
    reading = read_numbers(run, bits)
    assert list(reading.answers) == pytest.approx([run.predict([bits[:n]])[0]["prediction"] for n in range(1, 5)])
    assert reading.states.shape == (4, 6)
    # Weights that forget everything: the state is the same at all steps.
    still = replace(run, weights=torch.zeros_like(run.weights))
    assert np.ptp(read_numbers(still, bits).states) == 0


@pytest.mark.parametrize("text", ["", "a" * (LONGEST + 1)])
def test_refuses_texts_that_are_empty_or_endless(letters: Run, text: str) -> None:
    with pytest.raises(DataError, match="1 to 100 characters"):
        read_text(letters, text)


def test_refuses_the_wrong_kind_of_run(letters: Run) -> None:
    with pytest.raises(DataError, match="must read numbers"):
        read_numbers(letters, [[1.0]])


def test_a_run_that_diverged_is_said_so(letters: Run) -> None:
    lost = replace(letters, weights=letters.weights * float("nan"))
    with pytest.raises(DataError, match="it diverged"):
        read_text(lost, "abc")


def test_a_key_is_answered_within_fifty_milliseconds() -> None:
    model = ModelConfig(cell="lstm", hidden_size=128, bidirectional=True)
    run = untrained(
        model, TextCodec(characters="abcdefghijklmnopqrstuvwxyz", labels=tuple(f"label {i}" for i in range(18)))
    )
    read_text(run, "warm")
    began = time.process_time()
    for end in range(1, 21):
        reading = read_text(run, "abcdefghijklmnopqrstuvwxyz"[:end])
        bars(reading.labels, reading.probabilities)
        marked(reading.symbols, reading.carried)
        heat(reading.states, reading.symbols, "states")
    assert time.process_time() - began < 20 * 0.05
