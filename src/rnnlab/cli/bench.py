"""``rnnlab bench``: how fast a training step is on this machine, beside ``torch.nn``."""

import json as jsonlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import Parameter

from rnnlab.errors import ConfigError, suggest

CELLS = ("elman", "lstm", "gru")
_HEAD = f"{'cell':6} {'shape':24} {'torch ms':>9} {'rnnlab ms':>10} {'times':>6} {'of sgemm':>9}  road"


def bench(
    *,
    cells: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=True)] = None,
    shapes: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=True)] = None,
    threads: int | None = None,
    turns: int = 15,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Measure a training step (forward, backward, Adam) against torch.nn, for single runs and stacks of 8 and 64.

    Times are medians of turns that both take one after the other, a run; times says how often faster rnnlab is; of sgemm is
    the share of this machine's best matrix product; road is what rnnlab's rule picks for the shape. The last line says where
    torch.nn is faster, if anywhere.

    Args:
        cells: elman (rnn), lstm, gru; all where none is named.
        shapes: keep the shapes whose name contains one of these, such as H256 or x64.
        threads: of the processor; torch's own number where None.
        turns: of each; more are steadier.
        json: print the figures as JSON, and nothing else, on stdout.
    """
    chosen = _cells(cells or CELLS)
    for name, value in (("threads", threads), ("turns", turns)):
        if value is not None and not 1 <= value <= 1024:
            raise ConfigError(f"{name} must be from 1 to 1024, got {value}")
    from rnnlab.speed import SHAPES

    kept = [shape for shape in SHAPES if not shapes or any(part in str(shape) for part in shapes)]
    if not kept:
        known = ", ".join(str(shape) for shape in SHAPES)
        raise ConfigError(f"shapes must name a part of one of {known}, got {', '.join(shapes or [])}")
    import torch

    from rnnlab.training.fit import using_threads

    with using_threads(threads or torch.get_num_threads()):
        rows = list(_measured(chosen, kept, turns, quiet=json))
    if json:
        print(jsonlib.dumps({"threads": threads or torch.get_num_threads(), "speeds": rows}))
    return 0


def _cells(named: Sequence[str]) -> list[Any]:
    found = ["elman" if name == "rnn" else name for name in named]
    for name in found:
        if name not in CELLS:
            raise ConfigError(f"cells must be {suggest(name, CELLS)}, got {name!r}")
    return found


def _measured(cells: list[Any], shapes: list[Any], turns: int, *, quiet: bool) -> Iterator[dict[str, Any]]:
    """Yield the figures a row, printing each as it comes unless ``quiet``."""
    import torch

    from rnnlab.kernels import prepare
    from rnnlab.speed import best_sgemm, measure

    def say(text: str) -> None:
        if not quiet:
            print(text, flush=True)

    seconds = prepare()
    if seconds > 1:
        print(f"compiled the kernels in {seconds:.0f} s", file=sys.stderr)
    best = best_sgemm(torch.get_num_threads())
    say(f"{torch.get_num_threads()} threads; best sgemm: " + ", ".join(f"{k} {v:.0f} GFLOP/s" for k, v in best.items()))
    say(_HEAD)
    slower = []
    for speed in measure(cells, shapes, turns=turns):
        share = speed.gflops / max(best.values())
        say(
            f"{speed.cell:6} {speed.shape!s:24} {speed.torch_ms:9.3f} {speed.ours_ms:10.3f} {speed.ratio:6.2f} {share:9.0%}  {speed.road}"
        )
        if speed.ratio < 1:
            slower.append(f"{speed.cell} {speed.shape} ({speed.ratio:.2f})")
        yield {**asdict(speed), "ratio": speed.ratio, "share_of_sgemm": share, "best_sgemm_gflops": best}
    say(f"torch.nn is faster at: {', '.join(slower)}" if slower else "torch.nn is faster at none of these shapes.")
