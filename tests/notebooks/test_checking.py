"""Right, wrong or not answered yet; what a student's code raises is a sentence with its line."""

from typing import Any

import pytest
import torch
from torch import nn

from rnnlab.notebooks import show
from rnnlab.notebooks.checking import Outcome, Wrong, is_open, task
from rnnlab.results import Figure


@task("Even")
def even(answer: Any) -> str:
    found = answer(torch.randn(1)) if callable(answer) else answer
    if found % 2:
        raise Wrong(f"<{found}> is odd")
    return "even"


class Blank:
    def forward(self, inputs: torch.Tensor) -> torch.Tensor: ...


class Half(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor: ...


def blank(inputs: torch.Tensor) -> torch.Tensor:
    """A docstring is not an answer."""


def test_three_states() -> None:
    assert even(2).state == "right"
    assert even(3).state == "wrong"
    assert even(...).state == even(None).state == even(blank).state == "open"


@pytest.mark.parametrize("answer", [..., None, (1, None), {"rnn": None}, {}, blank, Blank, Blank(), Half, Half()])
def test_what_is_missing_is_open(answer: Any) -> None:
    assert is_open(answer)


@pytest.mark.parametrize(
    "answer", [0, False, (), [], "", lambda: 0, nn.LSTM(1, 1), {"a": 1}, torch.zeros(2), len, Outcome]
)
def test_an_answer_is_not_open(answer: Any) -> None:
    assert not is_open(answer)


def test_what_the_students_code_raises_is_a_sentence_with_its_line() -> None:
    def broken(inputs: torch.Tensor) -> torch.Tensor:
        return inputs.reshape(7, 7)

    outcome = even(broken)
    assert outcome.state == "wrong"
    assert "RuntimeError" in outcome.message
    assert "in broken" in outcome.message
    assert "inputs.reshape(7, 7)" in outcome.message


def test_a_check_leaves_random_draws_as_they_were() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    even(lambda draw: 2)
    assert torch.equal(torch.rand(1), wanted)


def test_an_outcome_shows_itself_escaped() -> None:
    assert repr(even(3)) == "✗ Even: <3> is odd"
    assert "&lt;3&gt; is odd" in even(3)._repr_html_()


def test_pictures_of_answers_and_of_none() -> None:
    assert isinstance(show.curves({"rnn": [2.0, 1.0]}), Figure)
    assert isinstance(show.bars({"rnn": 2.0}, "Errors", y="error"), Figure)
    matrix = show.confusion([0, 0, 1], [0, 1, 1], ["a", "b"])
    assert isinstance(matrix, Figure)
    assert [cell["share"] for cell in matrix.data] == [0.5, 0.5, 0.0, 1.0]
    forecast = show.series(["2024-01-01", "2024-01-02"], [1.0, 2.0], {"rnn": [3.0]}, "Sales", y="pounds")
    assert isinstance(forecast, Figure)
    assert [(point["time"], point["value"], point["held_out"]) for point in forecast.data] == [
        ("2024-01-01", 1.0, False),
        ("2024-01-02", 2.0, True),
        ("2024-01-02", 3.0, True),
    ]
    for nothing in (
        show.curves({"rnn": None}),  # type: ignore[dict-item]
        show.bars({}, "Errors", y="error"),
        show.confusion(None, [0], ["a"]),
        show.series([], [], {"rnn": ...}, "Sales", y="pounds"),
    ):
        assert isinstance(nothing, Outcome)
        assert nothing.state == "open"
