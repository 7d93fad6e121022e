"""``python -m benchmarks.doctor.score``: what the doctor says of every program, as a table in Markdown and as JSON.

Recall is the share of faulty programs in which the fault is named as itself by an error or a warning; a false alarm is
a healthy program with any error or warning. The third that is held out is only looked at here.

    python -m benchmarks.doctor.score                        # all of it -> benchmarks/results/doctor.json, doctor.md
    python -m benchmarks.doctor.score --part tuning --only padding --show
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.doctor import (  # noqa: F401 - they enter their programs
    faulty_subtle,
    faulty_time,
    faulty_training,
    faulty_wiring,
    healthy_more,
    lab_programs,
)
from benchmarks.doctor.faults import FAULTY
from benchmarks.doctor.healthy import HEALTHY
from benchmarks.doctor.lessons import sound
from benchmarks.doctor.problems import waves
from benchmarks.doctor.programs import Program
from rnnlab.doctor import diagnose

RESULTS = Path(__file__).parent.parent / "results"
PARTS = ("tuning", "held-out")
RECALL, ALARMS = 0.95, 0.02  # what the doctor has to reach
SECONDS = 120.0  # far more than the doctor takes by itself, so that a busy machine does not change the score


def programs() -> list[Program]:
    """Return the corpus."""
    return [*FAULTY, *HEALTHY]


def examine(program: Program, seconds: float = SECONDS) -> dict[str, Any]:
    """Return what the doctor says of a program, and what it should have said."""
    torch.set_num_threads(1)
    lesson = program()
    began, used = time.perf_counter(), time.process_time()
    findings = diagnose(lesson, seconds=seconds)
    loud = [finding.check for finding in findings if finding.severity != "hint"]
    return {
        "name": program.name,
        "held_out": program.held_out,
        "expects": list(program.expects),
        "said": loud,
        "hints": [finding.check for finding in findings if finding.severity == "hint"],
        "messages": [f"{finding.severity} {finding.check}: {finding.message}" for finding in findings],
        "named": bool(set(loud).intersection(program.expects)),
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - used, 2),
    }


def examine_named(name: str) -> dict[str, Any]:
    """Examine the program of that name: what a worker process does."""
    return examine(next(program for program in programs() if program.name == name))


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return, for both parts and together, counts, recall, share of false alarms and what an examination takes."""
    parts = {
        "tuning": [row for row in rows if not row["held_out"]],
        "held-out": [row for row in rows if row["held_out"]],
    }
    return {part: _figures(chosen) for part, chosen in {**parts, "together": rows}.items() if chosen}


def _figures(rows: list[dict[str, Any]]) -> dict[str, float]:
    faulty, healthy = [row for row in rows if row["expects"]], [row for row in rows if not row["expects"]]
    return {
        "faulty": len(faulty),
        "healthy": len(healthy),
        "found": sum(bool(row["said"]) for row in faulty),
        "named": sum(row["named"] for row in faulty),
        "named_alone": sum(row["named"] and set(row["said"]) <= set(row["expects"]) for row in faulty),
        "recall": round(sum(row["named"] for row in faulty) / max(len(faulty), 1), 4),
        "false_alarms": sum(bool(row["said"]) for row in healthy),
        "false_alarm_share": round(sum(bool(row["said"]) for row in healthy) / max(len(healthy), 1), 4),
        "longest_seconds": max(row["seconds"] for row in rows),
        "longest_cpu_seconds": max(row["cpu_seconds"] for row in rows),
    }


def cost() -> dict[str, float]:
    """Return what a full examination of an LSTM of 300,000 parameters takes, at 50 steps and 256 sequences."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    lesson = sound("lstm", "classify", hidden=270)
    lesson.inputs, lesson.targets = waves(256, 50)
    del lesson.validation
    used, began = time.process_time(), time.perf_counter()
    diagnose(lesson)
    return {
        "parameters": sum(one.numel() for one in lesson.model.parameters()),
        "cpu_seconds": round(time.process_time() - used, 2),
        "seconds": round(time.perf_counter() - began, 2),
    }


def markdown(rows: list[dict[str, Any]], taken: dict[str, float]) -> str:
    """Return the score, what an examination costs, and each fault with how many of its programs were named, as Markdown."""
    lines = [
        "| part | faulty programs | found | named as itself | recall | healthy programs | false alarms | longest examination, CPU |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for part, score in summary(rows).items():
        lines.append(
            f"| {part} | {score['faulty']} | {score['found']} | {score['named']} | {score['recall']:.1%} | {score['healthy']} | "
            f"{score['false_alarms']} ({score['false_alarm_share']:.1%}) | {score['longest_cpu_seconds']:.1f} s |"
        )
    size = f"A full examination of an LSTM of {taken['parameters']:,} parameters, 50 steps and 256 sequences"
    lines += ["", f"{size}: {taken['cpu_seconds']:.1f} s on one core."]
    lines += ["", "| fault | check | named | of |", "|---|---|---|---|"]
    faults: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["expects"]:
            faults.setdefault(row["name"].split("/")[0], []).append(row)
    for fault, group in faults.items():
        named = sum(row["named"] for row in group)
        lines.append(f"| {fault.replace('_', ' ')} | `{group[0]['expects'][0]}` | {named} | {len(group)} |")
    return "\n".join(lines) + "\n"


def wrong(rows: list[dict[str, Any]], show: bool) -> str:
    """Return the programs of which the doctor says the wrong thing, a line each, with its messages where ``show``."""
    lines = []
    for row in rows:
        if row["named"] if row["expects"] else not row["said"]:
            continue
        what = f"expected {' or '.join(row['expects'])}" if row["expects"] else "is healthy"
        lines.append(
            f"{row['name']}: {what}, said {', '.join(row['said']) or 'nothing'} (hints: {', '.join(row['hints']) or 'none'})"
        )
        lines += [f"    {message}" for message in row["messages"]] if show else []
    return "\n".join(lines)


def main() -> int:
    """Score the doctor; the exit code is 1 where it does not reach what it has to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doctor.score", description=__doc__)
    parser.add_argument("--part", choices=PARTS, help="one part; both where absent")
    parser.add_argument("--only", default="", help="programs whose name holds this")
    parser.add_argument("--every", type=int, default=1, help="one program in so many")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--show", action="store_true", help="the doctor's messages where it is wrong")
    parser.add_argument(
        "--out", type=Path, help="folder for doctor.json and doctor.md; only the whole corpus writes by itself"
    )
    given = parser.parse_args()
    chosen = [one for one in programs() if given.only in one.name and given.part in (None, PARTS[one.held_out])]
    chosen = chosen[:: given.every]
    if not chosen:
        parser.error(f"--only must be part of a program's name, got {given.only!r}")
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(examine_named, [one.name for one in chosen]))
    taken = cost()
    table = markdown(rows, taken)
    print(table)
    print(wrong([row for row in rows if given.part or not row["held_out"]], given.show), file=sys.stderr)
    out = given.out or (RESULTS if len(chosen) == len(programs()) else None)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "doctor.json").write_text(
            json.dumps({"score": summary(rows), "cost": taken, "programs": rows}, indent=1) + "\n"
        )
        (out / "doctor.md").write_text(table)
    total = _figures(rows)
    return int(total["recall"] < RECALL or total["false_alarm_share"] > ALARMS)


if __name__ == "__main__":
    sys.exit(main())
