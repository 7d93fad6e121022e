"""The parts of the kernels on their own: activations, plans, buffers, compiled code on disk, BLAS threads."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
import threadpoolctl
from hypothesis import given
from hypothesis import strategies as st

from rnnlab.kernels import buffers, compiling, panels, products
from rnnlab.kernels.activations import sigmoid, tanh
from rnnlab.kernels.blas import one_blas_thread, sgemm_address
from rnnlab.kernels.buffers import Lease
from rnnlab.kernels.plan import full_plan, ragged_plan
from rnnlab.kernels.vectors import NARROW, SINGLE, WIDE, load, store, sum_of, where_greater


@numba.njit
def _through(values, found, form):
    for j in range(0, values.size, 16):
        if form == 0:
            store(found, j, tanh(load(values, j, WIDE)))
        elif form == 1:
            for k in range(j, j + 16, 4):
                store(found, k, tanh(load(values, k, NARROW)))
        else:
            for k in range(j, j + 16):
                store(found, k, tanh(load(values, k, SINGLE)))


@numba.njit
def _squash(values, found):
    for j in range(0, values.size, 16):
        store(found, j, sigmoid(load(values, j, WIDE)))


@numba.njit
def _arithmetic(a, b, found):
    x, y = load(a, 0, WIDE), load(b, 0, WIDE)
    store(found, 0, where_greater(x, y, np.float32(2) * x - y, y / (x + np.float32(1))))


@numba.njit
def _add_up(values, found):
    found[0] = sum_of(load(values, 0, WIDE))
    found[1] = sum_of(load(values, 0, NARROW))


def test_tanh_is_within_a_few_units_in_the_last_place():
    values = np.linspace(-12, 12, 16 * 4096, dtype=np.float32)
    expected, results = np.tanh(values.astype(np.float64)), []
    for form in range(3):
        found = np.empty_like(values)
        _through(values, found, form)
        results.append(found)
    assert np.abs(results[0] - expected).max() < 4e-7
    assert (np.abs(results[0]) <= 1).all()
    assert np.array_equal(results[0], results[1])
    assert np.allclose(results[0], results[2], rtol=3e-7, atol=0)


def test_activations_at_the_ends():
    values = np.array([np.nan, np.inf, -np.inf, 9.5, -9.5, 0.0, 1e-20, 40.0] * 2, dtype=np.float32)
    found = np.empty_like(values)
    _through(values, found, 0)
    assert np.array_equal(found[:6], np.array([np.nan, 1, -1, 1, -1, 0], dtype=np.float32), equal_nan=True)
    assert found[6] == pytest.approx(1e-20, rel=1e-6)
    _squash(values, found)
    assert np.allclose(found[1:6], [1, 0, 1 / (1 + np.exp(-9.5)), 1 / (1 + np.exp(9.5)), 0.5], atol=3e-7)
    assert np.isnan(found[0])
    assert found[7] == 1


def test_vectors_calculate_like_numbers():
    draw = np.random.default_rng(0)
    a, b = draw.uniform(0, 1, 16).astype(np.float32), draw.uniform(0, 1, 16).astype(np.float32)
    found = np.empty_like(a)
    _arithmetic(a, b, found)
    assert np.allclose(found, np.where(a > b, 2 * a - b, b / (a + 1)), rtol=1e-6)


@given(
    st.integers(1, 6).flatmap(
        lambda time: st.tuples(
            st.just(time), st.lists(st.integers(0, time), min_size=1, max_size=300), st.sampled_from([8, 64, 256])
        )
    )
)
def test_a_plan_holds_every_step_of_every_sequence_once(drawn):
    time, lengths, hidden = drawn
    given_lengths = np.array([lengths])
    plan = ragged_plan(given_lengths, time, hidden)
    assert sorted(plan.order[0].tolist()) == list(range(len(lengths)))
    assert plan.rows == sum(lengths)
    for shard in range(plan.shards):
        own = given_lengths[0, plan.order[0, plan.bounds[shard] : plan.bounds[shard + 1]]]
        assert (np.diff(own) <= 0).all()
        assert plan.counts[0, shard].tolist() == [int((own > step).sum()) for step in range(time + 1)]
    totals = plan.counts.sum(axis=2).ravel()
    assert plan.starts.ravel().tolist() == (np.cumsum(totals) - totals).tolist()


@pytest.mark.parametrize(("rows", "inner", "columns"), [(1, 3, 5), (8, 16, 32), (13, 7, 70), (64, 50, 200)])
def test_panels_multiply_like_numpy(rows, inner, columns):
    draw = np.random.default_rng(0)
    a = draw.standard_normal((rows, inner), dtype=np.float32)
    weight = draw.standard_normal((inner, columns), dtype=np.float32)
    out = np.ones((rows, -(-columns // 32) * 32), dtype=np.float32)
    panels.multiply(a, panels.panels_of(weight), out, rows, True)
    assert np.allclose(out[:, :columns], 1 + a @ weight, atol=1e-4)
    panels.multiply(a, panels.panels_of_transposed(np.ascontiguousarray(weight.T)), out, rows, False)
    assert np.allclose(out[:, :columns], a @ weight, atol=1e-4)
    assert not out[:, columns:].any()


@pytest.mark.parametrize(("rows", "inner", "columns"), [(1, 16, 4), (3, 48, 12), (2, 256, 1024)])
def test_few_rows_multiply_like_numpy(rows, inner, columns):
    draw = np.random.default_rng(0)
    a, weight = (draw.standard_normal(shape, dtype=np.float32) for shape in ((rows + 2, inner), (columns, inner)))
    out = np.ones((rows + 2, columns), dtype=np.float32)
    products.dots(a, weight, out, rows)
    assert np.allclose(out[:rows], a[:rows] @ weight.T, atol=1e-4)
    assert (out[rows:] == 1).all()


@pytest.mark.parametrize(
    ("steps", "width", "columns"),
    [
        (1, 8, 32), (64, 24, 64), (65, 128, 64), (8, 256, 64),  # in place
        (16, 256, 64), (100, 256, 57), (97, 288, 16), (192, 512, 32),  # from pieces
        (40, 256, 40), (40, 12, 5), (200, 320, 1),  # by BLAS
    ],
)  # fmt: skip
def test_gradients_of_weights_are_numpys(steps, width, columns):
    """``left`` may be wider than the gradient has rows: a GRU's input side has gradients of its own for the last third."""
    draw = np.random.default_rng(0)
    left, right = (draw.standard_normal(shape, dtype=np.float32) for shape in ((steps, width + 8), (steps, columns)))
    out = np.full((width + 1, columns), np.nan, dtype=np.float32)
    products.outer(sgemm_address(), left, right, out[:width])
    assert np.allclose(out[:width], left[:, :width].T @ right, atol=1e-4)
    assert np.isnan(out[width]).all()


def test_a_vector_adds_up():
    values, found = np.arange(16, dtype=np.float32), np.zeros(2, dtype=np.float32)
    _add_up(values, found)
    assert found.tolist() == [120, 6]


def test_shards_do_not_depend_on_runs():
    assert full_plan(1, 200, 3, 64).bounds.tolist() == full_plan(5, 200, 3, 64).bounds.tolist()


@pytest.fixture
def shelf(monkeypatch):
    """A shelf on which nobody else has put anything."""
    monkeypatch.setattr(buffers, "_shelf", buffers._Shelf())
    return buffers._shelf


def test_buffers_are_used_again_once_nobody_holds_them(shelf):
    first = Lease(5000, 16)
    second = Lease(5000, 16)
    assert first.buffer.data_ptr() != second.buffer.data_ptr()
    place = first.buffer.data_ptr()
    del first
    assert Lease(5000, 16).buffer.data_ptr() == place


def test_a_lease_may_end_while_its_own_thread_holds_the_shelf(shelf):
    """As where garbage is collected in the middle of taking another."""
    lease = Lease(5000, 16)
    place = lease.buffer.data_ptr()
    with shelf.lock:
        del lease
    assert Lease(5000, 16).buffer.data_ptr() == place


def test_the_shelf_keeps_the_last_two_large_buffers_and_no_more(shelf):
    sizes = [40 * 2**20, 48 * 2**20, 56 * 2**20]  # float32: 160 MB and more
    for size in sizes:
        Lease(size)
    assert [buffer.numel() for buffer in shelf.waiting] == sizes[1:]
    small = [Lease(16), Lease(16)]
    del small
    assert sum(buffer.numel() for buffer in shelf.waiting) < sizes[0]


def test_threads_of_the_kernels_blas_are_put_back():
    def counts():
        found = threadpoolctl.threadpool_info()
        return {library["filepath"]: library["num_threads"] for library in found if library["user_api"] == "blas"}

    with one_blas_thread():
        pass
    before = counts()
    ours = [path for path in before if "scipy" in Path(path).parent.name] or list(before)
    with one_blas_thread(), one_blas_thread():
        assert ours
        assert {counts()[path] for path in ours} == {1}
    assert counts() == before


def test_the_stamp_changes_with_the_sources(monkeypatch, tmp_path):
    before = compiling.source_stamp()
    assert before == compiling.source_stamp()
    (tmp_path / "one.py").write_text("a = 1")
    monkeypatch.setattr(compiling, "__file__", str(tmp_path / "compiling.py"))
    first = compiling.source_stamp()
    (tmp_path / "one.py").write_text("a = 2")
    assert len({before, first, compiling.source_stamp()}) == 3


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no owners here")
def test_a_folder_of_others_is_not_trusted(monkeypatch, tmp_path):
    monkeypatch.setattr(compiling.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = compiling.private_folder()
    assert folder is not None
    folder.chmod(0o777)
    assert compiling.private_folder() is None
    folder.rmdir()
    folder.symlink_to(tmp_path)
    assert compiling.private_folder() is None


PROGRAM = """
import time, torch
from pathlib import Path
began = time.perf_counter()
from rnnlab.kernels import layer
from rnnlab.kernels import buffers, compiling, panels, products
weights = [torch.randn(shape) for shape in ((1, 6, 3), (1, 6, 6), (1, 6), (1, 6))]
layer("elman", torch.randn(1, 2, 4, 3), *weights)
print(time.perf_counter() - began)
"""


@pytest.mark.slow
def test_compiled_code_is_kept_where_the_user_says(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    seconds = [
        float(
            subprocess.run(
                [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(2)
    ]
    assert list(Path(tmp_path / "kept").rglob("*.nbi"))
    assert seconds[1] < seconds[0] / 2
