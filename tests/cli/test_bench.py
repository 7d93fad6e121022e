"""``rnnlab bench`` as a user meets it."""

import json

import pytest

from rnnlab.cli import main


def test_prints_a_line_a_cell_and_shape(capsys):
    assert main(["bench", "--cells", "gru", "rnn", "--shapes", "T8 B32 in1 H16", "--turns", "1", "--threads", "1"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("1 threads; best sgemm: numpy")
    assert sum(line.startswith(("gru ", "elman ")) for line in out) == 6  # one run, and stacks of 8 and 64
    assert out[-1].startswith("torch.nn is faster at")


def test_prints_json_and_nothing_else(capsys):
    assert main(["bench", "--cells", "lstm", "--shapes", "x8 T8 B32 in1 H16", "--turns", "1", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["speeds"][0]["shape"] == {"runs": 8, "time": 8, "batch": 32, "features": 1, "hidden": 16}
    assert said["speeds"][0]["ratio"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cells", "lstn"], "nearest: lstm"),
        (["--shapes", "H17"], "shapes must name a part of one of T12 B256 in57 H256"),
        (["--threads", "0"], "threads must be from 1 to 1024, got 0"),
        (["--turns", "0"], "turns must be from 1 to 1024, got 0"),
    ],
)
def test_refuses_in_one_line(arguments, message, capsys):
    assert main(["bench", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
