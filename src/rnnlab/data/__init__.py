"""Data: sources and the readers that make them, built-in data, splits; then what tasks build of them.

The flow: a reader (`read_names`, `read_series`, `read`) or the library (`names`, `sales`, `binary`, `memorise`) makes
a *source*; a split says which of its examples train. This room knows no model and no training.
"""

from rnnlab.data.config import DataConfig
from rnnlab.data.library import binary, memorise, names, sales
from rnnlab.data.readers import read, read_names, read_series
from rnnlab.data.source import LabelledStrings, NumberSequences, Series, SeriesCollection, Source, describe
from rnnlab.data.splits import Splits, split_key, split_rows, split_strings, split_time
from rnnlab.data.tables import Table, open_table

__all__ = [
    "DataConfig",
    "LabelledStrings",
    "NumberSequences",
    "Series",
    "SeriesCollection",
    "Source",
    "Splits",
    "Table",
    "binary",
    "describe",
    "memorise",
    "names",
    "open_table",
    "read",
    "read_names",
    "read_series",
    "sales",
    "split_key",
    "split_rows",
    "split_strings",
    "split_time",
]
