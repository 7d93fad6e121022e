"""The peak memory of reading and training, each in a process of its own: it must not grow with text that is not read.

Strings: 1,000,000 rows. Transactions: 1,067,371 rows as those behind the built-in sales (invoice, article, description, quantity, time,
price, customer, country), summed to days, as one series and as one a country. Each file is written twice, with and without
200 more letters a row in a column that nobody asks for.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TextIO

from benchmarks.own_data import strings

TRANSACTIONS = 1_067_371
COUNTRIES = ("United Kingdom", "EIRE", "Netherlands", "Germany", "France", "Australia", "Switzerland", "Spain")
LONG = "x" * 200
START = datetime(2009, 12, 1)

# Not `getrusage`: a process begins with its parent's peak there.
PRINT_PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
# Reads a file, makes a task of it and trains a little; prints the peak in KiB. No validation part, which would be answered whole.
PEAK = f"""
import json, sys
from rnnlab.training.fit import plan
from rnnlab.training import Training
made = plan(sys.argv[1], {{**json.loads(sys.argv[2]), "hidden_size": 8, "max_steps": 3, "evaluate_every": 10**6, "validation": 0.0}})
for step in Training(made.task, made.model, made.training):
    if step.step == 2:
        break
{PRINT_PEAK}
"""
EMPTY = f"import torch, duckdb; {PRINT_PEAK}"

DAILY = '"time": "InvoiceDate", "value": "Quantity", "frequency": "day", "aggregate": "sum", "fill": "zero"'
ASKED = {
    "one series": f"{{{DAILY}}}",
    "a series a country": f'{{{DAILY}, "id": "Country"}}',
}


def run(rows: int = 1_000_000, transactions: int = TRANSACTIONS) -> dict[str, Any]:
    """Measure and return figures, in megabytes (2^20 bytes)."""
    found: dict[str, Any] = {"imports alone": {"peak_megabytes": _peak(EMPTY)}}
    wanted = '{"text": "name", "target": "label"}'
    found["strings"] = _both(f"{rows:,} rows", lambda file, note: _strings(file, rows, note), {"train": wanted})
    found["transactions"] = _both(
        f"{transactions:,} rows", lambda file, note: _transactions(file, transactions, note), ASKED
    )
    return found


def _both(title: str, write: Callable[[TextIO, str], None], asked: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"file": title}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        for name, note in (("as it is", ""), ("and 200 letters a row", LONG)):
            with path.open("w") as file:
                write(file, note)
            peaks = {f"{key}: peak_megabytes": _peak(PEAK, str(path), options) for key, options in asked.items()}
            found[name] = {"file_megabytes": path.stat().st_size / 2**20, **peaks}
    return found


def _peak(*code: str) -> float:
    command = [sys.executable, "-c", *code]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def _strings(file: TextIO, rows: int, note: str) -> None:
    source = strings(rows, 2)
    file.write("name,label,note\n")
    file.writelines(f"{text},{label},{note}\n" for text, label in zip(source.texts, source.labels, strict=True))


def _transactions(file: TextIO, rows: int, note: str) -> None:
    """Write transactions in the order of time, over two years of days."""
    draw = Random(0)
    file.write("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n")
    days = 738
    for row in range(rows):
        moment = START + timedelta(days=row * days // rows, hours=9 + row * days % rows * 8 // rows)
        article = draw.randrange(5000)
        file.write(
            f"{489434 + row // 20},{10000 + article},WHITE HANGING HEART T-LIGHT HOLDER {article}{note},{draw.randint(1, 24)},"
            f"{moment},{draw.randint(1, 999) / 100},{12346 + article},{COUNTRIES[min(7, int(draw.expovariate(0.7)))]}\n"
        )
