"""What ``run.json`` holds, field by field, and whether its parts make sense together. It reads no files."""

import math
from typing import Any, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, field_validator, model_validator

from rnnlab.config import Config, ModelConfig, TrainConfig
from rnnlab.data.clock import FEATURES
from rnnlab.findings import Severity
from rnnlab.runs.run import Status
from rnnlab.tasks import Codec, NumberCodec, SeriesCodec, TextCodec


class FindingRecord(Config):
    """A finding, as `rnnlab.findings.Finding`."""

    check: str
    severity: Severity
    message: str
    evidence: dict[str, Any] = Field(default_factory=dict)
    remedy: str = ""


class BaselineRecord(Config):
    """The figures of a baseline on the test part."""

    name: str
    title: str
    metrics: dict[str, float | None]


class AdaptiveRecord(Config):
    """The half-widths that adaptive conformal inference arrived at when the data ended, and the share of values it held.

    ``alpha`` (the share that each step ahead lets outside) and ``end`` (the last time it heard of) are what it goes on from, with the
    errors in ``errors.safetensors``; a run of schema 2 or less has none of them.
    """

    half_width: tuple[float, ...]
    coverage: float
    rate: float
    alpha: tuple[float, ...] = ()
    end: str | None = None

    @field_validator("end")
    @classmethod
    def _end_is_a_time(cls, value: str | None) -> str | None:
        try:
            fits = value is None or not np.isnat(np.datetime64(value))
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"end must be a time, as 2024-01-31, got {value!r}")
        return value


class IntervalRecord(Config):
    """The half-width of a forecast's interval, a step ahead each.

    ``half_width`` is of the validation part, ``coverage`` its share of the test part's values. Where ``scaled``, widths are in the
    network's units, and of quantile forecasts they widen the outermost two; else they are in the data's own units.
    """

    level: float = Field(gt=0, lt=1)
    half_width: tuple[float, ...]
    scaled: bool = False
    coverage: float | None = None
    adaptive: AdaptiveRecord | None = None


class DataRecord(Config):
    """What is known of the data; others may add to it."""

    model_config = Config.model_config | ConfigDict(extra="allow", allow_inf_nan=True)

    name: str = ""
    kind: Literal["classify", "regress", "forecast", ""] = ""
    examples: int = 0
    provenance: str = ""
    fingerprint: str = ""
    config: dict[str, Any] | None = None
    task: dict[str, Any] | None = None
    path: str | None = None
    value: str | None = None
    baselines: tuple[BaselineRecord, ...] = ()
    interval: IntervalRecord | None = None


class RunRecord(Config):
    """What ``run.json`` holds."""

    model_config = Config.model_config | ConfigDict(protected_namespaces=(), allow_inf_nan=True)

    schema_version: int
    name: str
    model: ModelConfig
    training: TrainConfig
    codec: Codec
    metrics: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    findings: tuple[FindingRecord, ...] = ()
    status: Status = "done"
    data: dict[str, Any] = Field(default_factory=dict)
    environment: dict[str, Any] = Field(default_factory=dict)
    seconds: float = 0.0

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        problem = _problem(self.codec)
        if problem:
            raise ValueError(f"codec: {problem}")
        interval = DataRecord(**self.data).interval
        horizon = self.codec.horizon if isinstance(self.codec, SeriesCodec) else 0
        for one in () if interval is None else (interval, interval.adaptive or interval):
            if len(one.half_width) != horizon:
                raise ValueError(f"interval must have {horizon} half-widths, got {len(one.half_width)}")
        alpha = interval.adaptive.alpha if interval is not None and interval.adaptive is not None else ()
        if self.keeps_errors and (len(alpha) != horizon or not all(map(math.isfinite, alpha))):
            raise ValueError(f"interval must have {horizon} alphas, all of them numbers, got {len(alpha)}")
        return self

    @property
    def keeps_errors(self) -> bool:
        """Whether the folder has a file of errors, that intervals go on adapting from."""
        interval = DataRecord(**self.data).interval
        return interval is not None and interval.adaptive is not None and interval.adaptive.end is not None


def _problem(codec: TextCodec | NumberCodec | SeriesCodec) -> str | None:
    """Return what is wrong with a codec that was not fitted but edited."""
    if isinstance(codec, SeriesCodec):
        return _problem_of_series(codec)
    if len(set(codec.labels)) < len(codec.labels):
        return "labels must differ"
    if isinstance(codec, TextCodec):
        if not codec.labels:
            return "labels must be there"
        return None if len(set(codec.characters)) == len(codec.characters) else "characters must differ"
    if not codec.offset or bool(codec.labels) == bool(codec.target_offset):
        return "offset, and either labels or target_offset, must be there"
    if _usable(codec.offset, codec.scale) and _usable(codec.target_offset, codec.target_scale):
        return None
    return "every offset must have a scale, both must be numbers, and no scale 0"


def _problem_of_series(codec: SeriesCodec) -> str | None:
    if not _usable((codec.offset,), (codec.scale,)):
        return "offset and scale must be numbers, and scale not 0"
    if len(codec.covariate_offset) != len(codec.past) + len(codec.known):
        return "every covariate must have an offset"
    if not _usable(codec.covariate_offset, codec.covariate_scale):
        return "every covariate_offset must have a scale, both must be numbers, and no scale 0"
    if len(codec.floors) != len(codec.names) or not all(math.isfinite(one) and one > 0 for one in codec.floors):
        return "every name must have a floor above 0"
    past = [] if codec.past_scaling == "standard" else [len(codec.past)] * len(codec.names)
    if [len(one) for one in codec.past_floors] != past:
        return "every name must have a past_floor for each past covariate"
    if not all(math.isfinite(one) and one > 0 for floors in codec.past_floors for one in floors):
        return "every past_floor must be above 0"
    if any(name not in FEATURES for name in codec.calendar):
        return f"calendar must be of {', '.join(FEATURES)}"
    shares = codec.quantiles
    if shares and (0.5 not in shares or any(not 0 < one < 1 for one in shares) or list(shares) != sorted(set(shares))):
        return "quantiles must rise between 0 and 1, with 0.5 among them"
    return None


def _usable(offset: tuple[float, ...], scale: tuple[float, ...]) -> bool:
    return len(offset) == len(scale) and all(map(math.isfinite, (*offset, *scale))) and all(scale)
