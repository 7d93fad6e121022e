"""A run folder that was damaged or tampered with is refused by name; one that was not says the same again."""

import copy
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings
from rnnlab.errors import OutputError, RunFolderError
from rnnlab.runs import Run, load, save
from rnnlab.runs.folder import append_history, check_weights, read_record
from rnnlab.tasks import classify_strings
from rnnlab.training import train

TEXTS = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "1234")
BAD: tuple[tuple[str, Callable[[dict[str, Any]], Any], str], ...] = (
    ("other version", lambda record: record.update(schema_version=4), "schema_version must be 1 to 3, got 4"),
    ("no version", lambda record: record.pop("schema_version"), "schema_version must be 1 to 3, got None"),
    ("unknown field", lambda record: record.update(extra=1), "extra"),
    ("no model", lambda record: record.pop("model"), "model"),
    ("huge model", lambda record: record["model"].update(hidden_size=10**9), "hidden_size"),
    ("other size", lambda record: record["model"].update(hidden_size=9), "of another model"),
    ("other cell", lambda record: record["model"].update(cell="lstm"), "of another model"),
    ("no such cell", lambda record: record["model"].update(cell="os.system"), "os.system"),
    ("text for a number", lambda record: record["training"].update(lr="fast"), "lr"),
    ("negative rate", lambda record: record["training"].update(lr=-1), "lr"),
    ("more labels", lambda record: record["codec"]["labels"].append("C"), "of another model"),
    ("no labels", lambda record: record["codec"].update(labels=[]), "run.json"),
    ("repeated labels", lambda record: record["codec"].update(labels=["A", "A"]), "labels must differ"),
    ("fewer characters", lambda record: record["codec"].update(characters="a"), "of another model"),
    ("repeated characters", lambda record: record["codec"].update(characters="aaxyz1234"), "characters must differ"),
    ("other codec", lambda record: record["codec"].update(kind="numbers"), "run.json"),
    ("no such codec", lambda record: record["codec"].update(kind="pickle"), "run.json"),
    ("bad status", lambda record: record.update(status="fine"), "status"),
    ("metrics are a list", lambda record: record.update(metrics=[1]), "metrics"),
    (
        "severity",
        lambda record: record.update(findings=[{"check": "a", "severity": "loud", "message": ""}]),
        "severity",
    ),
    ("data is text", lambda record: record.update(data="x"), "data"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    task = classify_strings(LabelledStrings(TEXTS, tuple(text[0].upper() for text in TEXTS)))
    run = train(task, ModelConfig(hidden_size=4), TrainConfig(max_steps=3), name="small")[0]
    return save(run, tmp_path_factory.mktemp("made") / "small")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "small"))


def test_a_saved_run_says_the_same_again(made: Path, tmp_path: Path) -> None:
    run = load(made)
    again = load(save(run, tmp_path / "again"))
    assert torch.equal(run.weights, again.weights)
    assert run.predict(["ax9", ""]) == again.predict(["ax9", ""])
    for name in ("run.json", "history.jsonl", "model.safetensors"):
        assert (made / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert sorted(os.listdir(made)) == ["history.jsonl", "model.safetensors", "run.json"]


@pytest.mark.parametrize(("change", "message"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_edited_records_are_refused(folder: Path, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))
    with refused(message):
        load(folder)


@pytest.mark.parametrize("name", ["run.json", "history.jsonl", "model.safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04\x95", b"[" * 100_000, b"\xff\xfe\x00", b"null", b'{"a": 1', b"{}" * 9]
)
def test_files_of_something_else_are_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    if name == "history.jsonl" and not content:
        assert load(folder).history == ()
        return
    with refused(name):
        load(folder)


@pytest.mark.parametrize("name", ["run.json", "history.jsonl", "model.safetensors"])
def test_missing_files_and_folders_for_files_are_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with refused(f"{name} is missing"):
        load(folder)
    (folder / name).mkdir()
    with refused(name):
        load(folder)


@pytest.mark.parametrize("name", ["run.json", "history.jsonl", "model.safetensors"])
def test_links_that_leave_the_folder_are_refused(folder: Path, name: str, tmp_path: Path) -> None:
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with refused(f"{name} must lie inside the run folder"):
        load(folder)
    (folder / name).unlink()
    (tmp_path / "elsewhere").rename(folder / "inside")
    (folder / name).symlink_to("inside")
    assert load(folder).name == "small"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_does_not_hang(folder: Path) -> None:
    (folder / "run.json").unlink()
    os.mkfifo(folder / "run.json")
    with refused("run.json"):
        load(folder)


def test_a_pickle_is_not_executed(folder: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    for name in ("model.safetensors", "run.json", "history.jsonl"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(pickle.dumps(Bomb()))
        with refused(name):
            load(folder)
        (folder / name).write_bytes(whole)
    torch.save({"weights": torch.zeros(3)}, folder / "model.safetensors")
    with refused("model.safetensors"):
        load(folder)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("head_bias"),
        lambda tensors: tensors.update(extra=torch.zeros(1)),
        lambda tensors: tensors.update(head_bias=torch.zeros(3)),
        lambda tensors: tensors.update(head_bias=torch.zeros(2, dtype=torch.float64)),
        lambda tensors: tensors.update(head_bias=torch.zeros(1, 2)),
        lambda tensors: tensors.update(head_bias=torch.full((2,), float("nan"))),
    ],
)
def test_other_weights_are_refused(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    with refused("model.safetensors"):
        load(folder)
    with refused("model.safetensors"):
        check_weights(folder, read_record(folder))


def test_weights_of_a_diverged_run_may_be_no_numbers(made: Path, tmp_path: Path) -> None:
    run = load(made)
    broken = copy.copy(run)
    object.__setattr__(broken, "weights", torch.full_like(run.weights, float("nan")))
    object.__setattr__(broken, "status", "diverged")
    assert load(save(broken, tmp_path / "diverged")).status == "diverged"


@pytest.mark.parametrize("place", ["nothing", "file"])
def test_what_is_no_folder_is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with refused("must be a run folder"):
        load(tmp_path / place)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_truncated_or_flipped_file_loads_or_is_refused(made: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Never another error, whatever a disk or a stranger does to a byte."""
    name = data.draw(st.sampled_from(["run.json", "history.jsonl", "model.safetensors"]))
    content = bytearray((made / name).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] = data.draw(st.integers(0, 255))
    folder = tmp_path / "fuzzed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder)
    (folder / name).write_bytes(content)
    run = load_or_refusal(folder)
    assert isinstance(run, Run) or "\n" not in run


def replace_somewhere(value: Any, path: list[Any], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


def paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [(*before, key) for key, _ in items]
    return found + [path for key, inner in items for path in paths(inner, (*before, key))]


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.just([[[]]]), st.just("../../../etc/passwd"), st.just(10**400), st.just("\ud800"),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_any_place_loads_or_is_refused(made: Path, tmp_path: Path, data: st.DataObject) -> None:
    record = json.loads((made / "run.json").read_text())
    path = data.draw(st.sampled_from(paths(record)))
    replace_somewhere(record, list(path), data.draw(JUNK))
    folder = tmp_path / "fuzzed"
    if not folder.exists():
        shutil.copytree(made, folder)
    (folder / "run.json").write_text(json.dumps(record))
    run = load_or_refusal(folder)
    if isinstance(run, Run):
        run.predict(["ax1"])
    else:
        assert "\n" not in run


def test_history_is_appended_a_line_at_a_time(folder: Path) -> None:
    before = load(folder).history
    append_history(folder, {"step": 9, "loss": float("nan")})
    assert load(folder).history == (*before, {"step": 9, "loss": None})


def test_a_place_that_cannot_be_written_is_named(made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        save(load(made), tmp_path / "file" / "run")


def load_or_refusal(folder: Path) -> Run | str:
    try:
        return load(folder)
    except RunFolderError as error:
        return str(error)


def refused(message: str) -> Any:
    return pytest.raises(RunFolderError, match=message.replace("[", r"\[").replace("(", r"\("))
