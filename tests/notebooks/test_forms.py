"""One source, two forms; and the command that writes them."""

import json
from pathlib import Path

import pytest

from rnnlab.cli import main
from rnnlab.errors import ConfigError
from rnnlab.notebooks.forms import BLANK, FORMS, NAMES, file_names, in_form, notebook, source

pytest.importorskip("jupytext", reason="the extra notebooks is not installed")


def code(name: str, form: str) -> str:
    return "\n".join(cell.source for cell in notebook(name, form).cells if cell.cell_type == "code")


@pytest.mark.parametrize("name", NAMES)
def test_no_solution_is_left_in_a_question(name: str) -> None:
    solutions = source(name).count("### BEGIN SOLUTION")
    question, answer = code(name, "question"), code(name, "answer")
    assert "SOLUTION" not in question + answer
    assert question.count(BLANK) == solutions
    assert BLANK not in answer
    for line in source(name).split("### BEGIN SOLUTION")[1:]:
        body = line.split("### END SOLUTION")[0].strip().splitlines()
        assert "\n".join(body[1:]) not in question or len(body) < 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_both_forms_are_python(name: str, form: str) -> None:
    compile(code(name, form), name, "exec")


def test_a_named_solution_leaves_its_name_open() -> None:
    cell = "### BEGIN SOLUTION best\nbest = 3\n### END SOLUTION"
    assert in_form(cell, "question") == f"best = {BLANK}"
    assert in_form(cell, "answer") == "best = 3"


def test_the_same_source_gives_the_same_notebook() -> None:
    assert notebook("names") == notebook("names")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="nearest: names"):
        notebook("nmes")


def test_the_command_writes_every_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notebooks", str(tmp_path / "lab"), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)["notebooks"]
    assert sorted(Path(path).name for path in written) == sorted(file_names(NAMES, FORMS))
    for path in written:
        assert json.loads(Path(path).read_text())["nbformat"] == 4


def test_what_a_student_wrote_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "names-answer.ipynb"
    mine.write_text("mine")
    assert main(["notebooks", str(tmp_path), "names"]) == 2
    assert "names-answer.ipynb" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]
    assert mine.read_text() == "mine"
    assert main(["notebooks", str(tmp_path), "names", "--form", "question"]) == 0
    assert main(["notebooks", str(tmp_path), "names", "--form", "answer", "--overwrite"]) == 0
    assert mine.read_text() != "mine"


@pytest.mark.parametrize("words", [["--form", "solved"], ["nmes"]])
def test_bad_input_is_one_line(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notebooks", str(tmp_path), *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lab").write_text("")
    assert main(["notebooks", str(tmp_path / "lab")]) == 2
    assert "must be a folder" in capsys.readouterr().err
