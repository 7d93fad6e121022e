"""Configurations: one line for a wrong value, and choices with the nearest."""

import pytest

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data.config import DataConfig
from rnnlab.errors import ConfigError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ModelConfig(cell="lstn"),
            "cell must be one of combined, elman, gru, lstm (nearest: lstm), got 'lstn'",
        ),
        (lambda: ModelConfig(hidden_size=0), "hidden_size must be greater than or equal to 1, got 0"),
        (lambda: ModelConfig(hiden_size=3), "option 'hiden_size' is unknown"),
        (lambda: ModelConfig(cell="combined", head="none"), "head must be linear or relu with cell combined"),
        (lambda: TrainConfig(lr=float("nan")), "lr must be a finite number, got nan"),
        (lambda: TrainConfig(optimizer="rmsprop"), "optimizer must be one of adam, adamw, sgd"),
        (lambda: DataConfig(data="x.csv", fill="lineer"), "(nearest: linear), got 'lineer'"),
    ],
)
def test_a_wrong_value_gets_one_line(make, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rnn_is_the_elman_cell() -> None:
    assert ModelConfig(cell="rnn") == ModelConfig(cell="elman")


def test_configurations_are_frozen_and_replaced() -> None:
    config = TrainConfig()
    with pytest.raises(ValueError, match="frozen"):
        config.lr = 1.0
    assert config.replace(lr=1.0).lr == 1.0
    with pytest.raises(ConfigError):
        config.replace(lr=-1.0)
