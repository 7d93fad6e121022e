"""What ``run.json`` holds, field by field, and whether its parts make sense together. It reads no files."""

import math
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from rnnlab.config import Config, ModelConfig, TrainConfig
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


class IntervalRecord(Config):
    """The half-width of a forecast's interval, a step ahead each."""

    level: float = Field(gt=0, lt=1)
    half_width: tuple[float, ...]
    coverage: float | None = None


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
        if interval is not None and len(interval.half_width) != self.codec.interface.outputs:
            raise ValueError(
                f"interval must have {self.codec.interface.outputs} half-widths, got {len(interval.half_width)}"
            )
        return self


def _problem(codec: TextCodec | NumberCodec | SeriesCodec) -> str | None:
    """Return what is wrong with a codec that was not fitted but edited."""
    if isinstance(codec, SeriesCodec):
        return None if _usable((codec.offset,), (codec.scale,)) else "offset and scale must be numbers, and scale not 0"
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


def _usable(offset: tuple[float, ...], scale: tuple[float, ...]) -> bool:
    return len(offset) == len(scale) and all(map(math.isfinite, (*offset, *scale))) and all(scale)
