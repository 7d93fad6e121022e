"""The page: self-contained, escaped, complete, accessible, the same for the same input."""

import itertools
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from rnnlab.reports import charts, render
from rnnlab.results import Figure, Section

from . import sample


@cache
def page() -> str:
    return render(
        sample.results(), title="Lab & more", subtitle="Four studies.", size="quick", environment=sample.ENVIRONMENT
    )


class Outline(HTMLParser):
    """Collects tags, ids, headings and text; complains of nothing."""

    VOID = frozenset({"meta", "input", "br", "hr", "img", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def ids(self) -> list[str]:
        return [str(attrs["id"]) for _, attrs in self.tags if "id" in attrs]


@cache
def outline() -> Outline:
    parsed = Outline()
    parsed.feed(page())
    return parsed


def test_is_well_formed_and_named() -> None:
    assert page().startswith('<!doctype html>\n<html lang="en">')
    assert not outline().unbalanced
    assert not outline().open
    assert "<title>Lab &amp; more</title>" in page()


def test_loads_nothing() -> None:
    names = {tag for tag, _ in outline().tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "img", "image", "base"}
    assert not re.search(r"@import|url\((?!#)|src=|srcset=", page())
    addresses = [str(attrs["href"]) for _, attrs in outline().tags if "href" in attrs]
    assert {a for a in addresses if not a.startswith("#")} == {"https://archive.ics.uci.edu/dataset/502"}
    assert not any(name.startswith("on") for _, attrs in outline().tags for name in attrs)


def test_hostile_text_is_shown_and_does_nothing() -> None:
    assert "<script" not in page().lower()
    assert sample.HOSTILE in outline().text


def test_hostile_text_everywhere_is_escaped() -> None:
    bad = '"><script>alert(1)</script>'
    figure = Figure(bad, "curves", bad, bad, bad, bad, ({"x": 1, "y": 2.0, "series": bad},))
    result = replace(
        sample.results()[0],
        study=bad,
        title=bad,
        question=bad,
        answer=(bad,),
        provenance=f"javascript:alert(1) {bad} http://x.example/{bad}",
        sections=(Section(bad, (bad,), (figure,)),),
        settings={bad: bad},
    )
    made = render([result], title=bad, subtitle=bad, size=bad, environment={bad: bad}, command=bad)
    assert "<script" not in made.lower()
    assert 'href="javascript' not in made


def test_anchors_are_unique_and_lead_somewhere() -> None:
    ids = outline().ids()
    assert len(ids) == len(set(ids))
    targets = [str(attrs["href"])[1:] for _, attrs in outline().tags if str(attrs.get("href", "")).startswith("#")]
    labelled = [str(attrs["aria-labelledby"]) for _, attrs in outline().tags if "aria-labelledby" in attrs]
    assert set(targets) <= set(ids)
    assert set(labelled) <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page())) <= set(ids)


def test_headings_come_in_order() -> None:
    levels = [int(tag[1]) for tag, _ in outline().tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(second - first <= 1 for first, second in itertools.pairwise(levels))


def test_answers_come_before_the_evidence() -> None:
    text = outline().text
    for result in sample.results():
        assert result.question in text
        assert text.count(" ".join(result.answer)) >= 2
    glance, claims, again = (page().index(f'id="{name}"') for name in ("glance", "claims", "again"))
    assert glance < claims < page().index('id="study-binary"') < again


def test_every_claim_is_shown_with_its_verdict() -> None:
    text = outline().text
    shown = [attrs for _, attrs in outline().tags if str(attrs.get("class", "")).startswith("claim ")]
    claims = [claim for result in sample.results() for claim in result.claims]
    assert [str(attrs["class"]).split()[1] for attrs in shown] == [claim.verdict for claim in claims]
    for claim in claims:
        assert " ".join(claim.claim.split()) in text
        assert claim.evidence in text
    assert "0.3476763665676117" in text  # every digit the report printed
    assert "244.9 to 246.7" in text
    assert f"All {len(claims)}" in text


def test_every_table_has_caption_and_scopes() -> None:
    tags = outline().tags
    assert sum(tag == "table" for tag, _ in tags) == sum(tag == "caption" for tag, _ in tags) == 5
    assert all(attrs.get("scope") in ("row", "col") for tag, attrs in tags if tag == "th")
    assert "83.52" in outline().text


def test_every_picture_has_words() -> None:
    pictures = [attrs for _, attrs in outline().tags if attrs.get("role") == "img"]
    assert len(pictures) == len(sample.every_figure())
    assert all(len(str(attrs["aria-label"])) > 40 for attrs in pictures)
    hidden = [attrs for tag, attrs in outline().tags if tag == "svg"]
    assert len(hidden) == 2 * len(pictures)
    assert all(attrs.get("aria-hidden") == "true" for attrs in hidden)


def test_findings_come_worst_first() -> None:
    kinds = [str(a["class"]).split()[1] for _, a in outline().tags if str(a.get("class", "")).startswith("finding ")]
    assert kinds == ["error", "warning", "hint"] * 4
    assert "optimizer = SGD(lstm.parameters(), lr=0.9)" in outline().text


def test_finding_that_variants_share_is_shown_once() -> None:
    (variant, finding), *_ = sample.results()[0].findings
    result = replace(sample.results()[0], findings=((variant, finding), ("GRU 64", replace(finding))))
    made = render([result], title="t")
    assert made.count('class="finding ') == 1
    assert f"{variant}, GRU 64" in made


def test_interrupted_study_says_so() -> None:
    assert outline().text.count("Interrupted") == 2
    whole = [replace(result, complete=True) for result in sample.results()[:1]]
    assert "Interrupted" not in render(whole, title="t")


def test_says_how_to_run_it_again() -> None:
    assert "rnnlab lab binary memorise sales names --size quick" in outline().text
    assert "make it so" in render([], title="t", command="make it so")
    assert "2.13.0" in outline().text


def test_light_dark_and_paper() -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in page()
    assert "@media print" in page()
    light = page().index("--surface:#fffffe")
    assert light < page().index("--surface:#14181d")


def test_same_input_gives_the_same_page() -> None:
    first = page()
    charts._rendered.cache_clear()
    again = render(
        sample.results(), title="Lab & more", subtitle="Four studies.", size="quick", environment=sample.ENVIRONMENT
    )
    assert again == first


@pytest.mark.parametrize("results", [(), sample.results()[:1]])
def test_few_or_no_studies(results: tuple[object, ...]) -> None:
    assert "Run it again" in render(results, title="t")  # type: ignore[arg-type]
