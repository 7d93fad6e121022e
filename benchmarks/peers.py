"""JAX and Keras at the same shapes, in turns with ``torch.nn`` and with ours: forward, backward, Adam, one run.

Both are installed from ``benchmarks/requirements-peers.txt``; without them this part says so and measures nothing. JAX scans
over time under ``jit``, with the input's product taken out of the scan and the whole update in one compiled function. Keras runs on
JAX, its layer and optimizer as they come. XLA takes all cores, so torch and we do too.
"""

import os
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from rnnlab.config import CellName
from rnnlab.speed import Shape
from rnnlab.speed.measuring import GATES, SINGLE, Road, in_turns, our_road, torch_road

BETA_1, BETA_2, EPSILON, RATE = 0.9, 0.999, 1e-8, 1e-4


def run(cells: tuple[CellName, ...] = ("lstm", "gru", "elman"), turns: int = 11) -> dict[str, Any]:
    """Return the milliseconds of a step of all four, a row a cell and shape."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    missing = [name for name in ("jax", "keras") if find_spec(name) is None]
    if missing:
        return {
            "skipped": f"{' and '.join(missing)} must be installed: pip install -r benchmarks/requirements-peers.txt"
        }
    torch.set_num_threads(os.cpu_count() or 1)
    rows = []
    for shape in SINGLE:
        for cell in cells:
            roads = {
                "rnnlab": our_road(cell, shape), "torch": torch_road(cell, shape), "jax": jax_road(cell, shape),
                "keras": keras_road(cell, shape),
            }  # fmt: skip
            took = in_turns(roads, turns)
            rows.append({"cell": cell, "shape": str(shape), **{f"{name}_ms": ms for name, ms in took.items()}})
    slower = [f"{row['cell']} {row['shape']}" for row in rows if row["rnnlab_ms"] > min(row["jax_ms"], row["torch_ms"])]
    return {"threads": torch.get_num_threads(), "rows": rows, "slower_than_torch_or_jax": slower}


def jax_road(cell: str, shape: Shape) -> Road:
    """Return a step of one run in JAX: ``lax.scan`` under ``jit``, with Adam inside."""
    import jax
    import jax.numpy as jnp

    width, draw = GATES[cell] * shape.hidden, np.random.default_rng(0)
    bound = shape.hidden**-0.5

    def weight(*size: int) -> Any:
        return jnp.asarray(draw.uniform(-bound, bound, size), jnp.float32)

    weights = [weight(shape.features, width), weight(shape.hidden, width), weight(width), weight(width)]
    inputs = jnp.asarray(draw.normal(size=(shape.time, shape.batch, shape.features)), jnp.float32)

    def step(state: Any, x: Any, w: Any, bias: Any) -> Any:
        h, c = state
        if cell == "elman":
            return jnp.tanh(x + h @ w + bias), c
        if cell == "lstm":
            i, f, g, o = jnp.split(x + h @ w + bias, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return jax.nn.sigmoid(o) * jnp.tanh(c), c
        (xr, xz, xn), (hr, hz, hn) = jnp.split(x, 3, axis=1), jnp.split(h @ w + bias, 3, axis=1)
        r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
        return (1 - z) * jnp.tanh(xn + r * hn) + z * h, c

    def loss(weights: Any) -> Any:
        w_ih, w_hh, b_ih, b_hh = weights
        nothing = jnp.zeros((shape.batch, shape.hidden), jnp.float32)

        def scanned(state: Any, x: Any) -> Any:
            state = step(state, x, w_hh, b_hh)
            return state, state[0]

        _, states = jax.lax.scan(scanned, (nothing, nothing), inputs @ w_ih + b_ih)
        return (states[-1] ** 2).mean()

    @jax.jit
    def train(weights: Any, mean: Any, square: Any, count: Any) -> Any:
        gradients = jax.grad(loss)(weights)
        mean = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(mean, gradients)]
        square = [BETA_2 * s + (1 - BETA_2) * g * g for s, g in zip(square, gradients)]
        one, two = 1 - BETA_1**count, 1 - BETA_2**count
        changed = [w - RATE * (m / one) / (jnp.sqrt(s / two) + EPSILON) for w, m, s in zip(weights, mean, square)]
        return changed, mean, square, count + 1

    kept = [weights, [jnp.zeros_like(w) for w in weights], [jnp.zeros_like(w) for w in weights], jnp.float32(1)]

    def update() -> None:
        kept[:] = train(*kept)
        kept[0][0].block_until_ready()

    return update


def keras_road(cell: str, shape: Shape) -> Road:
    """Return a step of one run in Keras on JAX, by ``train_on_batch``."""
    import keras

    layers = {"elman": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
    model = keras.Sequential([keras.Input((shape.time, shape.features)), layers[cell](shape.hidden)])
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss="mse")
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(shape.batch, shape.time, shape.features)).astype(np.float32)
    targets = np.zeros((shape.batch, shape.hidden), np.float32)

    def update() -> None:
        model.train_on_batch(inputs, targets)

    return update
