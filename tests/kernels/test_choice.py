"""Which road a layer takes."""

import subprocess
import sys

import pytest
import torch

from rnnlab.kernels import choice, choose, supported

SHAPE = {"batch": 32, "time": 8, "features": 1, "hidden": 16}


def test_small_layers_and_stacks_take_the_kernels():
    assert choose("lstm", 1, **SHAPE, device="cpu", dtype=torch.float32) == "kernel"
    assert choose("gru", 64, **SHAPE, device=torch.device("cpu"), dtype=torch.float32) == "kernel"


@pytest.mark.parametrize(("device", "dtype"), [("cuda", torch.float32), ("cpu", torch.float64)])
def test_kernels_are_for_float32_on_the_cpu(device, dtype):
    assert not supported("lstm", device, dtype)
    assert choose("lstm", 1, **SHAPE, device=device, dtype=dtype) == "torch"
    assert choose("lstm", 4, **SHAPE, device=device, dtype=dtype) == "equations"


def test_a_cell_without_kernels_has_its_equations():
    assert choose("combined", 1, **SHAPE, device="cpu", dtype=torch.float32) == "equations"


def test_wide_lstms_with_small_batches_take_torch():
    wide = SHAPE | {"hidden": 1024, "batch": 31}
    assert choose("lstm", 1, **wide, device="cpu", dtype=torch.float32) == "torch"
    assert choose("lstm", 1, **wide | {"batch": 32}, device="cpu", dtype=torch.float32) == "kernel"
    assert choose("lstm", 8, **wide, device="cpu", dtype=torch.float32) == "kernel"


def test_without_a_compiler_torch_serves(monkeypatch):
    monkeypatch.setattr(choice, "_compiler_is_there", lambda: False)
    assert choose("lstm", 1, **SHAPE, device="cpu", dtype=torch.float32) == "torch"
    assert choose("lstm", 4, **SHAPE, device="cpu", dtype=torch.float32) == "equations"


def test_choosing_does_not_load_the_compiler():
    program = (
        "import sys, torch; from rnnlab.kernels import choose; "
        "choose('gru', 1, 8, 8, 1, 16, 'cpu', torch.float32); print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
