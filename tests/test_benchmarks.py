"""The parts of the benchmarks that call the package's insides still fit them, on next to nothing."""

from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="the benchmarks are not installed")


@pytest.fixture(autouse=True)
def benchmarks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def test_a_training_is_timed_with_the_doctor_and_without() -> None:
    from benchmarks.doctor_cost import once

    (seconds, examined), (_, alone) = (once("sales", {"max_steps": 3}, doctor=on) for on in (True, False))
    assert seconds > 0
    assert torch.equal(examined.weights, alone.weights)
    assert alone.findings == ()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_a_peak_is_that_of_the_process_alone() -> None:
    from benchmarks.memory import PRINT_PEAK, _peak

    held = bytearray(b"x" * 600 * 2**20)
    peak = _peak(PRINT_PEAK)
    assert 1 < peak < 100
    assert len(held) > 2**20
