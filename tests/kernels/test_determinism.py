"""The same bits for any number of threads, alone or in a stack, and from several threads and processes at once."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from rnnlab.kernels import layer, passes, threads

from .references import GATES, Case


@pytest.fixture
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _results(case, runs=slice(None)):
    inputs = case.inputs[runs].clone().requires_grad_()
    weights = [weight.detach()[runs].clone().requires_grad_() for weight in case.weights()]
    outputs, last = layer(case.cell, inputs, *weights, case.lengths[runs] if case.ragged else None)
    ((outputs * case.d_outputs[runs]).sum() + (last * case.d_last[runs]).sum()).backward()
    return [outputs.detach(), last.detach(), inputs.grad, *(weight.grad for weight in weights)]


def _same(some, others):
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


@pytest.mark.parametrize("cell", list(GATES))
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.usefixtures("_threads")
def test_threads_do_not_change_a_bit(cell, ragged, monkeypatch):
    monkeypatch.setattr(passes, "_WORTH_A_THREAD", 0)
    case = Case(cell, 2, 200, 5, 9, 40, ragged=ragged)
    torch.set_num_threads(1)
    alone = _results(case)
    torch.set_num_threads(3)
    assert _same(alone, _results(case))
    monkeypatch.setattr(threads, "_openmp", lambda: None)
    assert _same(alone, _results(case))


@pytest.mark.parametrize("cell", list(GATES))
@pytest.mark.parametrize("ragged", [False, True])
def test_stack_equals_single_runs(cell, ragged):
    case = Case(cell, 3, 70, 5, 9, 40, ragged=ragged)
    stacked = _results(case)
    for run in range(3):
        assert _same([tensor[run : run + 1] for tensor in stacked], _results(case, slice(run, run + 1)))


@pytest.mark.usefixtures("_threads")
def test_callers_in_several_threads_do_not_disturb_each_other(monkeypatch):
    monkeypatch.setattr(passes, "_WORTH_A_THREAD", 0)
    cases = [Case(cell, 2, 140, 5, 9, 40, ragged=True, seed=seed) for seed in range(4) for cell in GATES]
    torch.set_num_threads(2)
    expected = [_results(case) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            found = list(pool.map(_results, cases))
            assert all(_same(some, others) for some, others in zip(expected, found, strict=True))


def _child(program):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_forked_child_computes_the_same():
    program = """
        import multiprocessing, torch
        from rnnlab.kernels import layer, passes
        passes._WORTH_A_THREAD = 0
        torch.set_num_threads(2)
        torch.manual_seed(0)
        arguments = [torch.randn(shape) for shape in ((1, 140, 4, 3), (1, 48, 3), (1, 48, 16), (1, 48), (1, 48))]

        def total(_=None):
            return layer("gru", *arguments)[0].sum().item()

        first = total()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(set(pool.map(total, range(4))) == {first})
    """
    assert _child(program) == "True"
