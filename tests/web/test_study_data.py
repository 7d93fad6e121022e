"""Files of one's own for a study: what the page says of them is what the command line says."""

from pathlib import Path
from typing import Any

import pytest
from tests.web.sample import write_names

from rnnlab.cli import main
from rnnlab.data import LabelledStrings, Series, sales
from rnnlab.errors import InputError
from rnnlab.web.page.study_data import FIELDS, check, words


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    """Two shops' days, as the lab's own file has them."""
    days, values = sales().times[:60], sales().values[:60]
    rows = [f"{day},{store},{value * store:.0f}" for day, value in zip(days, values) for store in (1, 2)]
    path = tmp_path / "shops.csv"
    path.write_text("\n".join(["date,store,sales", *rows]) + "\n")
    return path


def test_names_and_sales_are_read_as_the_lab_reads_them(tmp_path: Path, shops: Path) -> None:
    found = check("names", "smoke", write_names(tmp_path / "names.csv", "name,origin"), {})
    assert isinstance(found, LabelledStrings)
    assert len(found) == 200
    series = check("sales", "smoke", shops, {})
    assert isinstance(series, Series)
    assert len(series) == 60
    one, both = (check("sales", "smoke", shops, {"where": where}) for where in (("store=1",), ()))
    assert one.values.sum() < both.values.sum()


@pytest.mark.parametrize(
    ("study", "content", "options"),
    [
        ("names", "a,b,c\n1,2,3\n", {}),
        ("names", "name,origin\nx,y\n", {}),
        ("names", "name,origin\nx,y\nz,w\n", {"text": "nothing"}),
        ("sales", "time,value\n2024-01-01,3\n2024-01-02,4\n", {}),
        ("sales", "time,value\n2024-01-01,3\n2024-01-03,4\n2024-01-04,4\n", {}),
        ("sales", "name,origin\nx,y\nz,w\n", {"time": "name", "value": "origin"}),
    ],
)
def test_what_a_study_cannot_use_is_refused_as_on_the_command_line(
    study: str, content: str, options: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        check(study, "smoke", path, options)
    out = tmp_path / "lab"
    assert main(["lab", study, "--size=smoke", f"--out={out}", *words(study, path, options)]) == 2
    assert capsys.readouterr().err == f"rnnlab: {caught.value}\n"
    assert not out.exists()


def test_the_words_are_flags_of_the_lab() -> None:
    from inspect import signature

    from rnnlab.cli.lab import lab

    asked = {name for fields in FIELDS.values() for name in fields}
    assert asked <= set(signature(lab).parameters)
    told = words("sales", Path("a=b.csv"), {"where": ("store=1", "item=2"), "fill": "zero"})
    assert told == ["--data=sales=a=b.csv", "--where=store=1", "--where=item=2", "--fill=zero"]
