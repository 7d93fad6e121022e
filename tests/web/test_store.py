"""The runs that are served: ids, caching, and what happens when a folder changes under them."""

import shutil
import threading
from pathlib import Path

import pytest
import torch
from tests.web.sample import write_run

from rnnlab.errors import ConfigError, RunFolderError
from rnnlab.web.store import GoneRunError, RunStore, UnknownRunError


def test_runs_are_listed_by_ids_that_hold_no_path(runs: Path) -> None:
    store = RunStore([runs])
    assert [one.id for one in store.list()] == ["numbers", "series", "strings"]
    for one in store.list():
        assert str(runs) not in str(one.to_dict())
        assert one.to_dict()["task"] in ("classify", "regress", "forecast")


def test_a_run_is_loaded_once(runs: Path) -> None:
    store = RunStore([runs])
    assert store.get("strings") is store.get("strings")
    assert RunStore([runs], keep=1).get("strings") is not store.get("strings")


def test_many_threads_get_the_same_run(runs: Path) -> None:
    store, found = RunStore([runs]), list[int]()
    threads = [threading.Thread(target=lambda: found.append(id(store.get("strings")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_longest_unasked_run_makes_room(runs: Path) -> None:
    store = RunStore([runs], keep=2)
    first = store.get("strings")
    store.get("numbers")
    assert store.get("strings") is first
    store.get("series")  # numbers goes
    assert store.get("strings") is first


def test_a_replaced_run_is_read_anew(tmp_path: Path) -> None:
    write_run("strings", tmp_path / "one")
    store = RunStore([tmp_path])
    before = store.get("one")
    write_run("strings", tmp_path / "one", seed=1)
    after = store.get("one")
    assert after is not before
    assert not torch.equal(before.weights, after.weights)
    assert store.get("one") is after


def test_a_deleted_run_is_said_to_be_gone_and_may_come_back(tmp_path: Path) -> None:
    write_run("strings", tmp_path / "one")
    store = RunStore([tmp_path])
    store.get("one")
    (tmp_path / "one").rename(tmp_path / ".away")
    with pytest.raises(GoneRunError, match="run 'one' must be there, got a folder that was deleted"):
        store.get("one")
    assert store.list() == []
    (tmp_path / ".away").rename(tmp_path / "one")
    assert store.get("one").name == "strings"


def test_half_a_run_is_refused_without_its_path(tmp_path: Path) -> None:
    write_run("strings", tmp_path / "one")
    store = RunStore([tmp_path])
    store.get("one")
    (tmp_path / "one" / "model.safetensors").write_bytes(b"rubbish")
    with pytest.raises(RunFolderError, match=r"^one/model.safetensors must be a safetensors file"):
        store.get("one")
    (listed,) = store.list()
    assert listed.to_dict()["problem"].startswith("one/model.safetensors")
    assert str(tmp_path) not in str(listed.to_dict())


def test_a_new_run_is_found_while_serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnlab.web.store.SCAN_SECONDS", 0.0)
    store = RunStore([tmp_path / "later"])
    assert store.list() == []
    write_run("strings", tmp_path / "later" / "deep" / "one")
    assert store.get("deep-one").name == "strings"
    write_run("numbers", tmp_path / "elsewhere")
    assert store.add(tmp_path / "elsewhere") == "elsewhere"
    assert [one.id for one in store.list()] == ["deep-one", "elsewhere"]


def test_runs_of_one_name_get_ids_of_their_own(tmp_path: Path, runs: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(runs / "strings", tmp_path / name / "run é")
    store = RunStore([tmp_path / "a" / "run é", tmp_path / "b" / "run é"])
    assert [one.id for one in store.list()] == ["run", "run-2"]
    assert store.folder("run-2").parent.name == "b"


@pytest.mark.parametrize("name", ["../strings", "/etc", "strings/", "", ".", "strings\0", "x" * 100_000])
def test_only_ids_name_runs(runs: Path, name: str) -> None:
    store = RunStore([runs])
    with pytest.raises(UnknownRunError, match="run must be one of numbers, series, strings") as caught:
        store.get(name)
    assert len(str(caught.value)) < 500


def test_the_usual_run_is_the_one_given_or_the_only_one(runs: Path, tmp_path: Path) -> None:
    store = RunStore([runs / "strings"])
    assert store.usual() == "strings"
    store.add(runs / "numbers")
    assert store.usual() == "strings"
    with pytest.raises(ConfigError, match="run must be one of numbers, series, strings, got none"):
        RunStore([runs]).usual()
    with pytest.raises(ConfigError, match="none is"):
        RunStore([tmp_path]).usual()
    write_run("strings", tmp_path / "one")
    assert RunStore([tmp_path]).usual() == "one"
