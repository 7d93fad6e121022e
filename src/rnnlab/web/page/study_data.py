"""A file of one's own for a study of the lab: which studies take one, whether it will do, and how the command line is told.

It is read as ``rnnlab lab --data STUDY=PATH`` reads it, so that the page refuses what the command line refuses, in its words. This
module knows no page.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnlab.data import DataConfig, LabelledStrings, Series, library
from rnnlab.data.readers import read_names, read_series
from rnnlab.studies.jobs import LabData, SizeName
from rnnlab.studies.lab import STUDIES
from rnnlab.web.page.jobs import flags

FIELDS: dict[str, tuple[str, ...]] = {
    "names": ("text", "target"),
    "sales": ("time", "value", "aggregate", "fill", "where"),
}
"""Studies that take a file, and the options of `DataConfig` that say how theirs is read."""
KINDS = {
    "names": "Strings and their labels, a row each",
    "sales": "A series: times and values, or the lab's own file of shops and items",
}


def check(study: str, size: SizeName, path: Path, options: Mapping[str, Any]) -> LabelledStrings | Series:
    """Return what the study would be run on.

    Args:
        study: one of `FIELDS`.
        size: of the study: what is too little for one may do for another.
        path: the file.
        options: of `FIELDS`.

    Raises:
        InputError: the file or an option cannot be read, or the study cannot use it.
    """
    read = DataConfig(data=str(path), **options)
    data = LabData(library.names(), library.sales())
    if study == "names":
        data = replace(data, names=read_names(path, text=read.text, target=read.target))
    else:
        series = read_series(
            path,
            time=read.time,
            value=read.value,
            where=read.filters or None,
            aggregate=read.aggregate,
            fill=read.fill,
        )
        data = replace(data, sales=series)
    STUDIES[study].jobs(size, data)
    return data.names if study == "names" else data.sales


def words(study: str, path: Path, options: Mapping[str, Any]) -> list[str]:
    """Return what tells ``rnnlab lab`` of the file.

    Example:
        >>> words("sales", Path("shop.csv"), {"value": "sales", "where": ("store=1",)})
        ['--data=sales=shop.csv', '--value=sales', '--where=store=1']
    """
    return [f"--data={study}={path}", *flags(options)]
