"""What holds for the package as a whole."""

import importlib
import pkgutil
import re
from importlib.util import find_spec
from pathlib import Path

import torch

import rnnlab
from rnnlab.errors import RnnlabError, suggest
from rnnlab.randomness import generator

ROOT = Path(rnnlab.__file__).parent
WEB = all(find_spec(name) is not None for name in ("fastapi", "orjson"))


def module_names() -> list[str]:
    """Every module that can be imported here: the service's need the extra ``rnnlab[web]``."""
    names = [module.name for module in pkgutil.walk_packages([str(ROOT)], "rnnlab.")]
    return [name for name in names if name != "rnnlab.__main__" and (WEB or not name.startswith("rnnlab.web"))]


def test_every_module_says_what_it_is() -> None:
    for name in module_names():
        assert importlib.import_module(name).__doc__, f"{name} has no docstring"


def test_all_is_what_can_be_imported() -> None:
    for module in module_names():
        found = importlib.import_module(module)
        for name in getattr(found, "__all__", []):
            assert hasattr(found, name), f"{module}.{name}"


def test_no_module_executes_pickles() -> None:
    for path in ROOT.rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"\bpickle\.loads?\(|torch\.load\(", text), path


def test_draws_depend_on_their_key_alone() -> None:
    one, again = (torch.rand(3, generator=generator(1, "order", 2)) for _ in range(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, torch.rand(3, generator=generator(1, "order", 3)))
    assert not torch.equal(one, torch.rand(3, generator=generator("1", "order", 2)))


def test_errors_suggest_the_nearest_choice() -> None:
    assert suggest("lstn", ["gru", "lstm"]) == "one of gru, lstm (nearest: lstm)"
    assert issubclass(RnnlabError, Exception)


def test_at_most_twenty_names_at_the_top_each_documented() -> None:
    assert len(rnnlab.__all__) <= 20
    for name in rnnlab.__all__:
        assert (getattr(rnnlab, name).__doc__ or "").strip(), name
