"""`sales`, one step ahead: the study's recurrent networks against its baselines, on the built-in series or a file."""

from pathlib import Path
from typing import Any

from rnnlab.data import library
from rnnlab.data.readers import read_series
from rnnlab.studies.jobs import LabData
from rnnlab.studies.sales import Sales


def run(path: Path | None = None) -> dict[str, Any]:
    """Run the study's quick size in this process and return its table of held-out errors."""
    data = LabData(library.names(), read_series(path) if path else library.sales(), 0)
    study = Sales()
    outcomes = {job.name: job.work(data, lambda spent: None) for job in study.jobs("quick", data)}
    result = study.conclude("quick", data, outcomes)
    tables = {part.id: part for section in result.sections for part in section.parts if hasattr(part, "columns")}
    return {
        "answer": list(result.answer),
        "tables": {
            name: [dict(zip(table.columns, row, strict=True)) for row in table.rows] for name, table in tables.items()
        },
    }
