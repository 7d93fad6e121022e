"""``rnnlab lab``: the four studies, a report, and a progress bar that says where it is."""

import json as jsonlib
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from rnnlab.errors import ConfigError, suggest

Size = Literal["smoke", "quick", "full"]
Reading = dict[str, Any]


def lab(
    studies: Annotated[list[str] | None, Parameter(negative=())] = None,
    /,
    *,
    size: Size = "quick",
    data: Annotated[list[str] | None, Parameter(negative=())] = None,
    where: Annotated[list[str] | None, Parameter(negative=())] = None,
    text: str | None = None,
    target: str | None = None,
    time: str | None = None,
    value: str | None = None,
    fill: Literal["zero", "previous", "linear"] | None = None,
    aggregate: str | None = None,
    out: Path = Path("lab"),
    seed: Annotated[int, Parameter(negative=())] = 0,
    workers: int | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Run the lab: four studies on real data, answered in one report.

    Args:
        studies: binary, memorise, sales, names; all of them where none is named.
        size: smoke takes seconds, quick under three minutes on two cores, full the report's own sizes and ten seeds.
        data: your own data: names=PATH (a folder of ORIGIN.txt, or a CSV), sales=PATH (a CSV with a time and a value).
        where: with sales=PATH, one of many series: store=1 (may be repeated).
        text: with names=PATH, the column of the strings.
        target: with names=PATH, the column of the labels.
        time: with sales=PATH, the column of the times.
        value: with sales=PATH, the column of the values.
        fill: with sales=PATH, what stands in for missing values and days: zero, previous or linear.
        aggregate: with sales=PATH, what becomes of several rows a time: sum, mean, ...
        out: folder for report.html, claims.json and the studies' results.
        seed: the first seed; the others count up from it.
        workers: processes; one a core by default.
        json: print the claims as JSON, and nothing else, on stdout.
    """
    began = perf_counter()
    if seed < 0:
        raise ConfigError(f"seed must be at least 0, got {seed}; pass --seed 0")
    if workers is not None and workers < 1:
        raise ConfigError(f"workers must be at least 1, got {workers}; leave --workers out for one a core")
    from rnnlab.studies.lab import choose

    chosen = choose(studies or [])
    strings = {"text": text, "target": target}
    series = {"time": time, "value": value, "fill": fill, "aggregate": aggregate}
    given = _lab_data(data or [], where or [], seed, strings, series)
    for study in chosen:
        study.jobs(size, given)  # data that a study cannot use are refused before anything is written
    from rnnlab.reports import write_report
    from rnnlab.runs import environment

    results: list[Any] = []
    command = _command(studies or [], size, data or [], where or [], seed)
    save = partial(write_report, out=out, size=size, environment=environment(), command=command)
    if size == "smoke":
        save = partial(
            save, subtitle="A smoke run: it shows that everything works; its figures and verdicts mean nothing."
        )
    save(results)
    interrupted = _watch(chosen, size, given, out, workers, results, save, quiet=json)
    missing = [study.title for study in chosen if study.name not in {result.study for result in results}]
    report = (
        save(results, subtitle=f"Interrupted: not done are {', '.join(missing)}.") if interrupted else save(results)
    )
    claims = [claim for result in results for claim in result.to_dict()["claims"]]
    if json:
        print(jsonlib.dumps({"report": str(report), "complete": not interrupted, "claims": claims}, ensure_ascii=False))
    else:
        _conclude(results, report, perf_counter() - began, interrupted)
    return 130 if interrupted else 0


def _lab_data(given: Sequence[str], where: Sequence[str], seed: int, strings: Reading, series: Reading) -> Any:
    from rnnlab.data import library
    from rnnlab.data.readers import read_names, read_series
    from rnnlab.studies.jobs import LabData

    paths = dict(_pair("data", item) for item in given)
    for name in paths:
        if name not in ("names", "sales"):
            raise ConfigError(
                f"--data must name {suggest(name, ['names', 'sales'])}, got {name!r}; write --data names=PATH"
            )
    chosen = dict(_pair("where", item) for item in where)
    if chosen and "sales" not in paths:
        raise ConfigError("--where must come with --data sales=PATH, got no file; name the file that has the column")
    _need_file("names", paths, strings)
    _need_file("sales", paths, series)
    names = read_names(Path(paths["names"]), **strings) if "names" in paths else library.names()
    sales = read_series(Path(paths["sales"]), where=chosen or None, **series) if "sales" in paths else library.sales()
    return LabData(names, sales, seed)


def _need_file(name: str, paths: dict[str, str], reading: Reading) -> None:
    """Refuse an option that says how to read a file that was not given."""
    for option, value in reading.items():
        if value is not None and name not in paths:
            raise ConfigError(f"--{option} must come with --data {name}=PATH, got no file; name the file")


def _pair(option: str, item: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals or not name or not value:
        raise ConfigError(f"--{option} must be NAME=VALUE, got {item!r}; write --{option} sales=PATH or the like")
    return name, value


def _command(studies: Sequence[str], size: str, data: Sequence[str], where: Sequence[str], seed: int) -> str:
    words = ["rnnlab", "lab", *studies, "--size", size]
    for item in data:
        name, _, path = item.partition("=")
        words += ["--data", f"{name}={Path(path).name}"]
    for item in where:
        words += ["--where", item]
    return " ".join([*words, "--seed", str(seed)])


def _watch(
    chosen: Sequence[Any],
    size: Size,
    data: Any,
    out: Path,
    workers: int | None,
    results: list[Any],
    save: Any,
    *,
    quiet: bool,
) -> bool:
    """Run the studies, show how far they are, write the report after each; return whether the user broke it off."""
    from rnnlab.cli.bar import Bar
    from rnnlab.engine.processes import give_memory_back
    from rnnlab.studies.lab import run_lab

    try:
        with Bar(quiet=quiet) as bar:
            for step in run_lab(chosen, size, data, out, workers):
                title = f"{step.job.study}: {step.job.title}"
                bar.show(f"{title[:48]:<48}", step.spent)
                if step.result is not None:
                    results.append(step.result)
                    save(results)
                    give_memory_back()
                    bar.say(f"[bold]{step.result.study}[/bold]  {step.result.answer[0]}")
    except KeyboardInterrupt:
        return True
    return False


def _conclude(results: Sequence[Any], report: Path, seconds: float, interrupted: bool) -> None:
    counts: dict[str, int] = {}
    for result in results:
        for claim in result.claims:
            counts[claim.verdict] = counts.get(claim.verdict, 0) + 1
    listed = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "none finished"
    print(f"{sum(counts.values())} claims of the lab report: {listed}")
    print(f"{report}  ({seconds:.0f} s)")
    if interrupted:
        print("rnnlab: interrupted; the report holds the studies that were done", file=sys.stderr)
