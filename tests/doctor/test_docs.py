"""docs/doctor.md explains every finding, in the words of its check; `scripts/build_findings.py` writes them."""

from pathlib import Path

import pytest

from rnnlab.doctor import CHECKS, RUN_CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
FINDINGS = {name: [name] for name in sorted({*CHECKS, *RUN_CHECKS})} | {"curves": ["overfitting", "underfitting"]}


def section(name: str) -> str:
    """Return what the page says under a finding's heading."""
    _, found, rest = PAGE.partition(f"#### `{name}`\n")
    assert found, f"docs/doctor.md lacks {name}; run python scripts/build_findings.py"
    return rest.split("####")[0].split("<!--")[0]


@pytest.mark.parametrize("check", FINDINGS)
def test_page_explains_every_finding_with_an_example(check: str) -> None:
    for name in FINDINGS[check]:
        text = section(name)
        tables = {"*Your own code.*": CHECKS, "*A run of rnnlab's.*": RUN_CHECKS}
        for where, table in tables.items():
            if check in table:
                assert f"{where} {table[check].about}" in text, "run python scripts/build_findings.py"
        assert text.count("> evidence: ") == text.count("> do: `") >= 1


def test_page_names_no_finding_that_does_not_exist() -> None:
    headings = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("#### `")]
    assert sorted(headings) == sorted({name for names in FINDINGS.values() for name in names})
