"""``python -m benchmarks``: the performance figures, measured in one run, as JSON and Markdown in ``benchmarks/results``.

python -m benchmarks                                    # all of them
python -m benchmarks names held_out --names PATH        # some of them, on a folder of ORIGIN.txt
python -m benchmarks sales --sales PATH                 # on a series of your own
python -m benchmarks serve --soak 600                   # the service, its memory watched for ten minutes
"""

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import torch

from benchmarks import (
    choice,
    doctor_cost,
    held_out,
    kernels,
    lab,
    memory,
    names,
    own_data,
    page,
    peers,
    recipes,
    sales,
    serve,
    sweep,
)
from rnnlab.data.readers import read_names
from rnnlab.runs import environment

RESULTS = Path(__file__).parent / "results"
PARTS = (
    "lab",
    "names",
    "held_out",
    "sales",
    "own_data",
    "memory",
    "kernels",
    "choice",
    "recipes",
    "peers",
    "serve",
    "page",
    "sweep",
    "doctor_cost",
)


def main() -> None:
    """Measure what was asked for and write it down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", default=[], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--names", type=Path, help="a folder of ORIGIN.txt; the built-in names where absent")
    parser.add_argument("--sales", type=Path, help="a file with a time and a value; the built-in sales where absent")
    parser.add_argument(
        "--soak", type=float, default=60.0, help="seconds for which the service's memory is watched (serve)"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"PART must be one of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    source = read_names(given.names) if given.names else None
    measures = {
        "lab": lambda: lab.run(),
        "names": lambda: names.run(source),
        "held_out": lambda: held_out.run(source),
        "sales": lambda: sales.run(given.sales),
        "own_data": lambda: own_data.run(),
        "memory": lambda: memory.run(),
        "doctor_cost": lambda: doctor_cost.run(),
        "kernels": lambda: kernels.run(),
        "choice": lambda: choice.run(),
        "recipes": lambda: recipes.run(),
        "peers": lambda: peers.run(),
        "serve": lambda: serve.run(given.soak),
        "page": lambda: page.run(),
        "sweep": lambda: sweep.run(),
    }
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    for part in given.parts or PARTS:
        print(f"measuring {part} ...", flush=True)
        found = {"environment": environment() | {"processor": platform.processor()}, "figures": measures[part]()}
        (given.out / f"{part}.json").write_text(json.dumps(found, indent=1, default=float) + "\n")
        text = f"# {part}\n\n" + "\n".join(_lines(found["figures"]))
        (given.out / f"{part}.md").write_text(text + "\n")
        print(text, flush=True)


def _lines(value: Any, name: str = "", depth: int = 0) -> list[str]:
    """Return a nested mapping as a Markdown list."""
    pad = "  " * depth
    if isinstance(value, dict):
        head = [f"{pad}- {name}"] if name else []
        return head + [line for key, item in value.items() for line in _lines(item, str(key), depth + bool(name))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [f"{pad}- {name}"] + [
            f"{pad}  - " + ", ".join(f"{k} {_short(v)}" for k, v in row.items()) for row in value
        ]
    return [f"{pad}- {name}: {_short(value)}"]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


main()
