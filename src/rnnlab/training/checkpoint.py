"""The state of a training on disk, in one file, written whole or not at all.

Weights, optimizer and best weights are tensors; counters and histories are JSON in the file's header. Draws need
no state (`rnnlab.randomness`), so that a resumed training gives the bits of an uninterrupted one.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from rnnlab.errors import RunFolderError
from rnnlab.findings import Finding
from rnnlab.runs import write_whole
from rnnlab.training.schedules import Plateau

if TYPE_CHECKING:
    from rnnlab.training.loop import Training

VERSION = 1


def save(training: "Training", path: Path) -> None:
    """Write the state of ``training`` to ``path``."""
    stack = training.stack
    tensors = {"weights": stack.model.flat.detach()}
    for i, tensor in enumerate(stack.optimizer.state):
        tensors[f"optimizer_{i}"] = tensor
    for position, progress in enumerate(stack.progress):
        if progress.best_weights is not None:
            tensors[f"best_{position}"] = progress.best_weights
    for position, final in stack.final.items():
        tensors[f"final_{position}"] = final
    tensors["seen"] = training.seen()
    state = {
        "version": VERSION,
        "model": training.model_config.model_dump(),
        "configs": [config.model_dump() for config in training.configs],
        "fingerprint": training.task.fingerprint,
        "positions": stack.positions,
        "counters": [training.step, training.epoch, stack.optimizer.updates],
        "seconds": training.seconds,
        "progress": [_progress(progress) for progress in stack.progress],
    }
    content = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, save_tensors(content, metadata={"state": json.dumps(state)}))


def restore(training: "Training", path: Path) -> None:
    """Put ``training`` into the state that ``path`` holds.

    Raises:
        RunFolderError: where the file is damaged, or belongs to another model, configuration or data.
    """
    state, tensors = _read(path)
    mine = {
        "version": VERSION,
        "model": training.model_config.model_dump(),
        "configs": [config.model_dump() for config in training.configs],
        "fingerprint": training.task.fingerprint,
    }
    for name, value in mine.items():
        if json.loads(json.dumps(value)) != state.get(name):
            raise RunFolderError(
                f"{path}: {name} must be the same as when it was saved; resume with the same data and options"
            )
    stack, device = training.stack, training.stack.model.flat.device
    alive = state["positions"]
    gone = [row for row in range(len(training.configs)) if row not in alive]
    if gone:
        stack.retire(gone)
    try:
        stack.model.bind(tensors["weights"].to(device))
        stack.optimizer.state = [tensors[f"optimizer_{i}"].to(device) for i in range(len(stack.optimizer.state))]
        for position, (progress, saved) in enumerate(zip(stack.progress, state["progress"], strict=True)):
            _restore_progress(progress, saved)
            if f"best_{position}" in tensors:
                progress.best_weights = tensors[f"best_{position}"].to(device)
        stack.final = {position: tensors[f"final_{position}"] for position in gone}
        training.remember_seen(tensors["seen"])
        training.step, training.epoch, stack.optimizer.updates = state["counters"]
        training.seconds = state["seconds"]
    except (KeyError, ValueError, TypeError) as error:
        raise RunFolderError(f"{path} is damaged: {error}; delete it to start afresh") from None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            return state, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise RunFolderError(f"{path} must be a checkpoint, got {error}; delete it to start afresh") from None


def _progress(progress: Any) -> dict[str, Any]:
    return {
        "history": progress.history,
        "best": progress.best,
        "waited": progress.waited,
        "first_loss": progress.first_loss,
        "findings": [finding.to_dict() for finding in progress.findings],
        "status": progress.status,
        "plateau": dataclasses.asdict(progress.plateau),
    }


def _restore_progress(progress: Any, saved: dict[str, Any]) -> None:
    progress.history = saved["history"]
    progress.best, progress.waited, progress.first_loss = saved["best"], saved["waited"], saved["first_loss"]
    progress.findings = [Finding(**finding) for finding in saved["findings"]]
    progress.status, progress.plateau = saved["status"], Plateau(**saved["plateau"])
