"""Tasks: what is to be learnt, from a source to examples, loss, metrics and baselines."""

from rnnlab.tasks.build import classify_strings, everything_trains, from_numbers
from rnnlab.tasks.codecs import Codec, NumberCodec, Prediction, SeriesCodec, TextCodec, probabilities
from rnnlab.tasks.forecasting import forecast_many, forecast_series
from rnnlab.tasks.task import Kind, Task, score_labels

__all__ = [
    "Codec",
    "Kind",
    "NumberCodec",
    "Prediction",
    "SeriesCodec",
    "Task",
    "TextCodec",
    "classify_strings",
    "everything_trains",
    "forecast_many",
    "forecast_series",
    "from_numbers",
    "probabilities",
    "score_labels",
]
