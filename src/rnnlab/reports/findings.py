"""Findings as cards: severity, what was found, the evidence as numbers, the remedy, and a picture where the evidence holds one.

`figure_of` makes the picture's data of a finding's evidence, `finding_view` what the template shows of a card. Nothing here
judges, and no check is known by name: evidence says by its keys what it is.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from rnnlab.findings import Finding
from rnnlab.reports.charts import drawn
from rnnlab.reports.describe import describe
from rnnlab.reports.inline import inline
from rnnlab.reports.rounding import cell, finite
from rnnlab.results import Figure, Value

WIDE, NARROW = 600, 300
MOST_BARS, MOST_ITEMS = 12, 6
PICTURED = frozenset(
    {"norms_by_step", "train_losses", "validation_losses", "steps", "marked_step", "losses", "rates_tried", "ends", "histograms",
     "range", "counts", "scores"}
)  # fmt: skip
LEAST_NORM = 1e-12  # smaller ones are nothing, and would flatten the rest of the picture
Record = dict[str, Value]


def figure_of(finding: Finding) -> Figure | None:
    """Return the picture of a finding's evidence; None where it holds none.

    Example:
        >>> figure_of(Finding("vanishing_gradients", "hint", "", {"norms_by_step": [0.01, 0.1, 1.0]})).kind
        'curves'
    """
    evidence = finding.evidence
    for key, draw in _PICTURES.items():
        if isinstance(evidence.get(key), list | dict) and len(evidence[key]) > 1:
            figure = draw(finding.check, evidence)
            if figure is not None:
                return figure
    return None


def finding_view(variant: str, finding: Finding, anchor: str) -> dict[str, Any]:
    """Return all that the page shows of a finding.

    Args:
        variant: whose it is.
        finding: from the doctor, or from a study.
        anchor: an id that is unique in the page.
    """
    return {
        "variant": variant,
        "check": finding.check,
        "severity": finding.severity,
        "message": finding.message,
        "evidence": list(_rows(finding.evidence)),
        "remedy": finding.remedy,
        "picture": _picture(finding, anchor),
    }


def _picture(finding: Finding, anchor: str) -> dict[str, Any] | None:
    figure = figure_of(finding)
    if figure is None:
        return None
    return {
        "title": figure.title,
        "caption": figure.caption,
        "alt": describe(figure),
        "wide": Markup(inline(drawn(figure, width=WIDE), f"{anchor}-w")),
        "narrow": Markup(inline(drawn(figure, width=NARROW), f"{anchor}-n")),
    }


def _rows(evidence: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield name and value of what can be read as a line: not what a picture shows, and no long lists."""
    for name, value in evidence.items():
        if name == "marked_step" or (name in PICTURED and isinstance(value, list | dict)):
            continue
        if isinstance(value, list | tuple | dict) and len(value) > MOST_ITEMS:
            continue
        yield name.replace("_", " "), _said(value)


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_said(item) for item in value)
    if isinstance(value, dict):
        plain = all(isinstance(item, bool | int | float | str) for item in value.values())
        return ", ".join(f"{name} {cell(item)}" for name, item in value.items()) if plain else json.dumps(value)
    return cell(value)


def _gradient(check: str, evidence: Mapping[str, Any]) -> Figure | None:
    norms = [finite(norm) for norm in evidence["norms_by_step"]]
    data: list[Record] = [
        {"x": len(norms) - 1 - step, "y": norm, "series": "gradient"}
        for step, norm in enumerate(norms)
        if norm and norm > LEAST_NORM
    ]
    if len(data) < 2:
        return None
    data += [{"x": x, "y": 0.01, "series": "1% of the largest"} for x in (0, len(norms) - 1)]
    caption = "The norm of the gradient of the last answer at the input of each step, as a share of the largest."
    if evidence.get("memory_length"):
        caption += f" Beyond {evidence['memory_length']} steps back less than 1% arrives: the effective memory length."
    return Figure(
        check, "curves", "Gradient by step back in time", caption, "steps back from the last", "gradient", tuple(data), log_y=True
    )  # fmt: skip


def _losses(check: str, evidence: Mapping[str, Any]) -> Figure | None:
    train, held = evidence["train_losses"], evidence.get("validation_losses") or []
    given = evidence.get("steps")
    steps: list[Any] = (
        list(given) if isinstance(given, list) and len(given) == len(train) else list(range(1, len(train) + 1))
    )
    data: list[Record] = []
    for name, losses in (("training", train), ("validation", held)):
        data += [{"x": x, "y": finite(y), "series": name} for x, y in zip(steps, losses)]
    mark = evidence.get("marked_step")
    if mark is not None and held:
        nearest = min(range(len(held)), key=lambda i: abs(steps[i] - mark))
        data.append({"x": steps[nearest], "y": finite(held[nearest]), "series": "validation", "marked": True})
    constant = finite(evidence.get("constant_answer"))
    if constant is not None:
        data += [{"x": x, "y": constant, "series": "a constant answer"} for x in (steps[0], steps[-1])]
    known = [float(record["y"]) for record in data if isinstance(record["y"], float)]
    log = bool(known) and min(known) > 0 and max(known) > 20 * min(known)
    caption = "The circle marks the best evaluation." if mark is not None and held else ""
    unit = "updates" if isinstance(given, list) else "epoch"
    return Figure(check, "curves", "Loss while training", caption, unit, "loss", tuple(data), log_y=log)


def _rates(check: str, evidence: Mapping[str, Any]) -> Figure | None:
    pairs = [(finite(rate), finite(end)) for rate, end in zip(evidence["rates_tried"], evidence.get("ends", []))]
    known = sorted((rate, end) for rate, end in pairs if rate and end is not None)
    data: list[Record] = [{"x": rate, "y": end, "series": ""} for rate, end in known]
    if len(data) < 2:
        return None
    caption = "Where the loss of a short training on a copy ends, by learning rate; rates at which it is no number are left out."
    return Figure(
        check, "curves", "Loss after a short training", caption, "learning rate", "loss", tuple(data), log_x=True
    )


def _trial(check: str, evidence: Mapping[str, Any]) -> Figure | None:
    data: list[Record] = [{"x": step, "y": finite(loss), "series": ""} for step, loss in enumerate(evidence["losses"])]
    known = [float(record["y"]) for record in data if isinstance(record["y"], float)]
    if len(known) < 2:
        return None
    log = min(known) > 0 and max(known) > 20 * min(known)
    return Figure(check, "curves", "Loss of a short training on a copy", "", "updates", "loss", tuple(data), log_y=log)


def _gates(check: str, evidence: Mapping[str, Any]) -> Figure | None:
    low, high = evidence.get("range", [0.0, 1.0])
    data: list[Record] = []
    for name, shares in evidence["histograms"].items():
        width = (high - low) / len(shares)
        data += [{"x": low + (at + 0.5) * width, "y": share, "series": name} for at, share in enumerate(shares)]
    caption = "How often a gate takes a value. At its ends it has no gradient."
    return Figure(check, "curves", "Values of the gates", caption, "value", "share", tuple(data))


def _classes(check: str, evidence: Mapping[str, Any]) -> Figure | None:
    counts = evidence["counts"]
    pairs = list(counts.items()) if isinstance(counts, dict) else [(f"class {i}", n) for i, n in enumerate(counts)]
    pairs = sorted(pairs, key=lambda pair: -pair[1])
    data = tuple({"label": str(name), "value": count} for name, count in pairs[:MOST_BARS])
    caption = f"The {MOST_BARS} most frequent of {len(pairs)}." if len(pairs) > MOST_BARS else ""
    return Figure(check, "bars", "Examples of each class", caption, "", "examples", data)


def _scores(check: str, evidence: Mapping[str, Any]) -> Figure | None:
    scores, metric = evidence["scores"], str(evidence.get("metric", "score"))
    data: list[Record] = []
    for place, (name, score) in enumerate(scores.items()):
        data.append({"label": name, "value": finite(score), "reference": place > 0})
    return Figure(check, "bars", f"Test {metric}, with and without a network", "", "", metric, tuple(data))


_PICTURES = {
    "norms_by_step": _gradient, "train_losses": _losses, "rates_tried": _rates, "losses": _trial, "histograms": _gates,
    "counts": _classes, "scores": _scores,
}  # fmt: skip
