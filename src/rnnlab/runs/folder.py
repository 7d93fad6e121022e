"""A run on disk: ``run.json``, ``model.safetensors``, ``history.jsonl``, of forecasts ``errors.safetensors``. No pickle; loading
executes nothing from it.

What a folder says is checked before it is used: the schema's version, every field's type, the size of the weights against
the configuration. What is wrong is named by file.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from rnnlab.cells import CELLS
from rnnlab.config import ModelConfig
from rnnlab.errors import ConfigError, OutputError, RunFolderError
from rnnlab.findings import Finding
from rnnlab.models.parameters import views, weights
from rnnlab.runs.files import to_json, write_whole
from rnnlab.runs.record import RunRecord
from rnnlab.runs.run import Run

# 2: series have covariates, a calendar, quantiles and windows scaled each by itself. 3: intervals go on adapting, past
# covariates may be scaled by their windows. What an earlier one holds is a part of that.
SCHEMA = 3
READ = (1, 2, 3)
LARGEST_JSON = 64 * 2**20


def save(run: Run, folder: Path) -> Path:
    """Write ``run`` into ``folder``, each file whole or not at all, ``run.json`` last; return the folder.

    Raises:
        OutputError: where the folder cannot be written.
    """
    layout = _layout(run.model_config, run.codec)
    tensors = {
        name: view[0].contiguous() for name, view in views(run.weights.detach().cpu().unsqueeze(0), layout).items()
    }
    write_whole(folder / "model.safetensors", save_tensors(tensors))
    if run.newest_errors is not None:
        write_whole(folder / "errors.safetensors", save_tensors({"errors": run.newest_errors.contiguous()}))
    write_history(folder, run.history)
    write_record(run, folder)
    return folder


def located(run: Run, folder: Path) -> Run:
    """Return ``run`` with the way from ``folder``, where it is to be saved, to its data, where those are a file."""
    config = run.data.get("config")
    if not isinstance(config, dict) or not Path(config["data"]).exists():
        return run
    path = os.path.relpath(Path(config["data"]).resolve(), folder.resolve())
    return replace(run, data=run.data | {"path": path})


def write_record(run: Run, folder: Path) -> None:
    """Write ``run.json`` alone: what a run that has only begun has to say."""
    record = {
        "schema_version": SCHEMA,
        "name": run.name,
        "model": run.model_config.model_dump(),
        "training": run.train_config.model_dump(),
        "codec": run.codec.model_dump(),
        "metrics": run.metrics,
        "findings": [finding.to_dict() for finding in run.findings],
        "status": run.status,
        "data": run.data,
        "environment": run.environment,
        "seconds": run.seconds,
    }
    write_whole(folder / "run.json", to_json(record))


def write_history(folder: Path, history: Sequence[dict[str, Any]]) -> None:
    """Write ``history.jsonl`` whole."""
    write_whole(folder / "history.jsonl", b"".join(map(history_line, history)))


def append_history(folder: Path, entry: dict[str, Any]) -> None:
    """Append a line to ``history.jsonl``, in one write, so that a process killed beside it leaves no half line.

    Raises:
        OutputError: where it cannot be written.
    """
    path = folder / "history.jsonl"
    try:
        with path.open("ab", buffering=0) as file:
            file.write(history_line(entry))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; make room, then --resume") from None


def history_line(entry: dict[str, Any]) -> bytes:
    """Return an entry as one line of strict JSON."""
    return json.dumps(json.loads(to_json(entry)), ensure_ascii=False).encode() + b"\n"


def read_record(folder: Path | str) -> RunRecord:
    """Return what ``run.json`` says, and look at no other file: also of a run that is not done.

    Raises:
        RunFolderError: where the file is missing, damaged, or of another version.
    """
    folder = Path(folder)
    return _record(_read(folder, "run.json", LARGEST_JSON), folder / "run.json")


def check_weights(folder: Path, record: RunRecord) -> None:
    """Raise `RunFolderError` where the weights are missing or do not fit what ``run.json`` says."""
    _weights(record, _read(folder, "model.safetensors", 2**33), folder / "model.safetensors")


def load(folder: Path | str) -> Run:
    """Return the run in ``folder``.

    Raises:
        RunFolderError: where a file is missing, damaged, of another version, or does not fit the others.
    """
    folder = Path(folder)
    record = read_record(folder)
    history = _history(_read(folder, "history.jsonl", 4 * LARGEST_JSON), folder / "history.jsonl")
    flat = _weights(record, _read(folder, "model.safetensors", 2**33), folder / "model.safetensors")
    errors = None
    if record.keeps_errors:
        errors = _errors(record, _read(folder, "errors.safetensors", 2**31), folder / "errors.safetensors")
    return Run(
        name=record.name,
        model_config=record.model,
        train_config=record.training,
        codec=record.codec,
        weights=flat,
        history=history,
        metrics={
            part: {k: float("nan") if v is None else v for k, v in found.items()}
            for part, found in record.metrics.items()
        },
        findings=tuple(Finding(**finding.model_dump()) for finding in record.findings),
        status=record.status,
        data=record.data,
        environment=record.environment,
        seconds=record.seconds,
        newest_errors=errors,
    )


def _layout(model: ModelConfig, codec: Any) -> Any:
    face = codec.interface
    return weights(model, face.symbols, face.features, face.outputs, CELLS[model.cell].gates)


def _read(folder: Path, name: str, largest: int) -> bytes:
    path = folder / name
    if not folder.is_dir():
        raise RunFolderError(
            f"{folder} must be a run folder, got {'a file' if folder.exists() else 'nothing'}; pass one that train wrote"
        )
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise RunFolderError(f"{path} must lie inside the run folder, got a link that leaves it; copy the file in")
    try:
        if not path.is_file():
            raise RunFolderError(f"{path} is missing; the folder is no complete run: train again, or resume it")
        if os.path.getsize(path) > largest:
            raise RunFolderError(
                f"{path} must be at most {largest} bytes, got {os.path.getsize(path)}; it is no run of ours"
            )
        return path.read_bytes()
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {error.strerror or error}; check its permissions") from None


def _record(content: bytes, path: Path) -> RunRecord:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"{path} must be JSON, got {error}; the file is damaged: train again") from None
    version = values.get("schema_version") if isinstance(values, dict) else None
    if isinstance(version, bool) or version not in READ:
        choices = f"{READ[0]} to {READ[-1]}"
        raise RunFolderError(f"{path}: schema_version must be {choices}, got {version!r}; use the rnnlab that wrote it")
    try:
        return RunRecord(**values)
    except (ConfigError, ValidationError, TypeError, RecursionError) as error:
        raise RunFolderError(f"{path}: {str(error).splitlines()[0]} (the file is damaged or was edited)") from None


def _history(content: bytes, path: Path) -> tuple[dict[str, Any], ...]:
    entries = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict):
            raise RunFolderError(f"{path}, line {number} must be a JSON object, got {line[:40]!r}; the file is damaged")
        entries.append(entry)
    return tuple(entries)


def _tensors(content: bytes, path: Path) -> dict[str, torch.Tensor]:
    try:
        return dict(load_tensors(content))
    except (SafetensorError, ValueError, OSError) as error:
        raise RunFolderError(
            f"{path} must be a safetensors file, got {error}; the file is damaged or truncated"
        ) from None


def _errors(record: RunRecord, content: bytes, path: Path) -> torch.Tensor:
    tensors, horizon = _tensors(content, path), getattr(record.codec, "horizon", 0)
    found = tensors.get("errors")
    if (
        len(tensors) != 1
        or found is None
        or found.dtype != torch.float32
        or found.shape[1:] != (horizon,)
        or not len(found)
    ):
        got = ", ".join(f"{name} {one.dtype} {tuple(one.shape)}" for name, one in tensors.items())
        raise RunFolderError(
            f"{path} must hold errors, float32 of {horizon} columns, got {got[:200]}; it is of another run"
        )
    if not bool(torch.isfinite(found).all()):
        raise RunFolderError(f"{path} must hold finite errors, got NaN or infinity; the file is damaged: train again")
    return found


def _weights(record: RunRecord, content: bytes, path: Path) -> torch.Tensor:
    tensors = _tensors(content, path)
    layout = _layout(record.model, record.codec)
    if set(tensors) != {weight.name for weight in layout}:
        raise RunFolderError(
            f"{path} must hold {[weight.name for weight in layout]}, got {sorted(tensors)}; it is of another model"
        )
    for weight in layout:
        tensor = tensors[weight.name]
        if tuple(tensor.shape) != weight.shape or tensor.dtype != torch.float32:
            raise RunFolderError(
                f"{path}: {weight.name} must be float32 of shape {weight.shape}, got {tensor.dtype} {tuple(tensor.shape)}; "
                "it is of another model"
            )
    flat = torch.cat([tensors[weight.name].reshape(-1) for weight in layout])
    if record.status in ("done", "stopped") and not bool(torch.isfinite(flat).all()):
        raise RunFolderError(f"{path} must hold finite weights, got NaN or infinity; the file is damaged: train again")
    return flat
