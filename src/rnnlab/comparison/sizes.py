"""Units a layer, so that every cell has about as many weights as the largest: none wins by being bigger.

It counts weights and trains nothing.
"""

from collections.abc import Sequence

from rnnlab.config import Interface, ModelConfig
from rnnlab.errors import ConfigError
from rnnlab.models.parameters import count_weights

LARGEST = 65536


def matched(base: ModelConfig, cells: Sequence[str], interface: Interface) -> dict[str, ModelConfig]:
    """Return a configuration a cell, with as many weights as the cell that has most at ``base.hidden_size``, or nearly.

    Args:
        base: everything but the cell; its size is the largest cell's.
        cells: their names.
        interface: of the task.

    Raises:
        ConfigError: head ``none``, whose last layer has the output's size.
    """
    if base.head == "none":
        raise ConfigError(
            "head must be linear or relu in a comparison, got none; sizes cannot be matched without a head"
        )
    same = {cell: base.replace(cell=cell) for cell in cells}
    goal = max(count_weights(config, interface) for config in same.values())
    return {cell: _nearest(config, interface, goal) for cell, config in same.items()}


def _nearest(config: ModelConfig, interface: Interface, goal: int) -> ModelConfig:
    """Return ``config`` with the size whose count of weights is nearest to ``goal``; the count rises with the size."""
    low, high = config.hidden_size, config.hidden_size
    while high < LARGEST and count_weights(config.replace(hidden_size=high), interface) < goal:
        high = min(LARGEST, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        if count_weights(config.replace(hidden_size=middle), interface) < goal:
            low = middle
        else:
            high = middle
    sizes = [config.replace(hidden_size=size) for size in (low, high)]
    return min(sizes, key=lambda one: abs(count_weights(one, interface) - goal))
