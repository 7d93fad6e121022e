"""The example of every docstring runs and prints what it says, of what is private to a room too."""

import doctest
import importlib
import pkgutil

import pytest

import rnnlab

# What starts a program when it is imported, or is the students' own.
LEFT_OUT = ("rnnlab.__main__", "rnnlab.notebooks.sources")
MODULES = sorted(
    found.name for found in pkgutil.walk_packages(rnnlab.__path__, "rnnlab.") if not found.name.startswith(LEFT_OUT)
)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
