"""What all estimators share: parameters to configurations, a task to a run, and a run that survives pickling.

Every parameter named as an option of `ModelConfig` or `TrainConfig` is that option; ``options`` holds any others.
"""

import warnings
from collections.abc import Sequence
from dataclasses import fields, replace
from numbers import Integral
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data.sequences import Sequences
from rnnlab.doctor import examine
from rnnlab.errors import ConfigError, suggest
from rnnlab.findings import Finding
from rnnlab.models import Model
from rnnlab.runs import Run, model_outputs
from rnnlab.tasks import Codec, Task
from rnnlab.training import train

FIXED = {"clip": 1.0}
"""Where estimators differ from `TrainConfig`: the gradient is clipped, since nobody watches the loss."""
FEWEST_HELD_OUT = 20
"""Fewer examples choose at random: then all of them train, for all the epochs."""


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of the estimators: knows how to train a task, not what the task is."""

    run_: Run

    def _train(self, task: Task, seed: int) -> None:
        """Train on ``task`` and keep the run."""
        model, training = self._configs(seed)
        run = train(task, model, training, device=self._device(), name=type(self).__name__)[0]
        if run.status == "diverged":
            message = run.findings[-1].message
            if not bool(torch.isfinite(run.weights).all()):
                raise ConfigError(f"training must stay finite, got: {message} Lower lr={training.lr:g}")
            warnings.warn(f"{message} Lower lr={training.lr:g}.", ConvergenceWarning, stacklevel=3)
        # Cheap, and silent: a search fits many. ``run_.findings`` says what is wrong.
        self.run_ = replace(run, findings=examine(run, task))

    def _configs(self, seed: int) -> tuple[ModelConfig, TrainConfig]:
        """Return the configurations that the parameters and ``options`` say."""
        parameters = self.get_params(deep=False)
        options = dict(parameters["options"] or {})
        known = {**ModelConfig.model_fields, **TrainConfig.model_fields}
        for name in options:
            if name in parameters or name == "seed":
                raise ConfigError(
                    f"options must not hold {name!r}, a parameter; pass {'random_state' if name == 'seed' else name} itself"
                )
            if name not in known:
                raise ConfigError(
                    f"options must be of ModelConfig or TrainConfig, got {name!r}; {suggest(name, known)}"
                )
        said = {**FIXED, **parameters, **options, "seed": seed}
        said = {name: value.item() if isinstance(value, np.generic) else value for name, value in said.items()}
        model, training = (
            {name: said[name] for name in config.model_fields if name in said} for config in (ModelConfig, TrainConfig)
        )
        return ModelConfig(**model), TrainConfig(**training)

    def _seed(self) -> int:
        """Return the seed that ``random_state`` stands for: itself, or a number drawn from it."""
        state = self.get_params(deep=False)["random_state"]
        if isinstance(state, Integral):
            return int(state)
        return int(check_random_state(state).randint(2**31))

    def _held_out(self) -> float:
        """Return the checked ``validation_fraction``."""
        share = self.get_params(deep=False)["validation_fraction"]
        if not isinstance(share, int | float | np.number) or not 0 <= share < 1:
            raise ConfigError(f"validation_fraction must be at least 0 and below 1, got {share!r}; 0 holds nothing out")
        return float(share)

    def _device(self) -> str:
        device = self.get_params(deep=False)["device"]
        try:
            torch.zeros(1, device=device)
        except (RuntimeError, AssertionError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"device must be available, got {device!r} ({reason}); use 'cpu'") from None
        return str(device)

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes with the run as plain data: numbers, text, numpy arrays."""
        state = dict(super().__getstate__())
        if "run_" in state:
            state["run_"] = pack_run(state["run_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what `__getstate__` gave."""
        packed = state.get("run_")
        super().__setstate__(state if packed is None else {**state, "run_": unpack_run(packed)})


def exact_outputs(run: Run, raw: Sequence[Any]) -> np.ndarray:
    """Return the network's outputs ``(examples, outputs)``, the same whatever else is in ``raw``, and in what order.

    In single precision the last bits of a product depend on the size of the batch. Here the network computes in double
    precision and its outputs are rounded to single.
    """
    if not len(raw):
        return np.zeros((0, run.codec.interface.outputs))
    model = Model(run.model_config, run.codec.interface)
    model.bind(run.weights.detach().double().unsqueeze(0))
    inputs = run.codec.encode(raw)
    if not inputs.symbolic:
        inputs = Sequences(inputs.values.double(), inputs.starts, inputs.lengths)
    return np.asarray(model_outputs(model, inputs)[0], dtype=np.float64)


def pack_run(run: Run) -> dict[str, Any]:
    """Return a run as plain data, for pickles that outlive a class or two."""
    packed = {field.name: getattr(run, field.name) for field in fields(Run)}
    for name in ("model_config", "train_config", "codec"):
        packed[name] = packed[name].model_dump()
    return packed | {
        "weights": run.weights.detach().cpu().numpy(),
        "findings": [finding.to_dict() for finding in run.findings],
    }


def unpack_run(packed: dict[str, Any]) -> Run:
    """Return the run that `pack_run` packed."""
    return Run(
        **packed
        | {
            "model_config": ModelConfig(**packed["model_config"]),
            "train_config": TrainConfig(**packed["train_config"]),
            "codec": TypeAdapter(Codec).validate_python(packed["codec"]),
            "weights": torch.from_numpy(np.array(packed["weights"])),
            "findings": tuple(Finding(**finding) for finding in packed["findings"]),
        }
    )
