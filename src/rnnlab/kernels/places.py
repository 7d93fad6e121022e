"""Where the gradients of a layer's weights are to be written, for whoever keeps all of them in one buffer.

Autograd hands gradients over in tensors of their own, and copying a wide layer's costs as much as computing them. Inside
`gradients_into` the kernels write them where they belong, and hand over the very views that they were given; and the backward
pass works in the memory of the forward pass, so that a graph serves once. Does not load the compiler.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor

Places = tuple[Tensor, Tensor, Tensor, Tensor]


class _Open(threading.local):
    """What the thread's caller has offered, by the address of ``weight_ih``."""

    def __init__(self) -> None:
        self.places: dict[int, Places] = {}


_open = _Open()


@contextmanager
def gradients_into(places: Mapping[int, Places]) -> Iterator[None]:
    """Let the kernels' backward passes in this thread write into ``places``, each of them once.

    Args:
        places: address of a layer's ``weight_ih`` to the places of the gradients of ``weight_ih, weight_hh, bias_ih, bias_hh``, shaped
            like them, contiguous but for the runs axis.
    """
    before, _open.places = _open.places, dict(places)
    try:
        yield
    finally:
        _open.places = before


def claim(weight_ih: Tensor | None) -> Places | None:
    """Return the places offered for a layer, at the first call: a second use of the same weights must be added to it."""
    return None if weight_ih is None else _open.places.pop(weight_ih.data_ptr(), None)
