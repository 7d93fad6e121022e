"""Things show themselves in a notebook, by what `rnnlab.reports` draws."""

import re
from html.parser import HTMLParser

import pytest

import rnnlab
from rnnlab.comparison.result import Against, Comparison
from rnnlab.data import LabelledStrings
from rnnlab.findings import Finding
from rnnlab.reports.notebook import html
from rnnlab.results import Figure, StudyResult, Table
from rnnlab.runs import Run

TEXTS = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "12345")


class Tags(HTMLParser):
    """Counts open tags; a fragment that is whole leaves none."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in ("br", "img", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def whole(text: str) -> str:
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.S))


@pytest.fixture(scope="module")
def run() -> Run:
    source = LabelledStrings(TEXTS, tuple("<A>" if text[0] == "a" else "B&B" for text in TEXTS))
    return rnnlab.train(source, hidden_size=4, max_steps=6, evaluate_every=2)


def test_a_run_shows_metrics_beside_baselines_its_losses_and_its_settings(run: Run) -> None:
    shown = run._repr_html_()
    text = whole(shown)
    assert "gru 4" in text
    assert f"{len(run.weights):,} weights" in text
    for one in run.data["baselines"]:
        assert one["title"] in text
    assert text.count("Loss while training") == 1
    assert "<svg" in shown
    settings = shown.split("<details>")[1]
    assert "Settings" in settings
    assert str(run.train_config.lr) in settings


def test_a_run_without_history_or_figures_shows_itself(run: Run) -> None:
    bare = Run("<b>bare</b>", run.model_config, run.train_config, run.codec, run.weights)
    assert "<b>bare</b>" not in bare._repr_html_()
    assert "&lt;b&gt;bare" in bare._repr_html_()
    whole(bare._repr_html_())


def test_what_was_found_wrong_with_a_run_is_shown(run: Run) -> None:
    found = Finding("diverged", "error", "The loss became NaN at step 7", {"step": 7}, "lower the rate")
    wrong = Run("w", run.model_config, run.train_config, run.codec, run.weights, findings=(found,), status="diverged")
    text = whole(wrong._repr_html_())
    assert "The loss became NaN at step 7" in text
    assert "lower the rate" in text


def test_a_comparison_shows_its_sentences_and_figures() -> None:
    against = Against("ngrams", "character n-grams", "the n-grams", {"macro_f1": 0.812})
    compared = Comparison(
        "names", "classify", "macro_f1", True, baselines=(against,), verdicts=("No network beats the n-grams.",), complete=False
    )  # fmt: skip
    text = whole(compared._repr_html_())
    assert "No network beats the n-grams." in text
    assert "0.812" in text
    assert "interrupted" in text


def test_a_sweep_shows_its_map() -> None:
    source = LabelledStrings(TEXTS, tuple(text[0] for text in TEXTS))
    swept = rnnlab.sweep(source, lr=(0.001, 0.01), hidden_size=(2, 4), cell="gru", seeds=1, max_steps=2)
    shown = swept._repr_html_()
    text = whole(shown)
    assert "Best on the validation part" in text
    assert "<svg" in shown.split("<details>")[0]
    assert "<table" in shown.split("<details>")[1]


def test_a_study_shows_its_answer() -> None:
    study = StudyResult("binary", "Bits", "Can it?", ("It can, for 3 of 5 seeds.",), (), ())
    assert "It can, for 3 of 5 seeds." in whole(study._repr_html_())


def test_a_finding_is_drawn_with_its_evidence_and_remedy() -> None:
    found = Finding("dead_relu", "error", "The output is <0> for all", {"samples": 48}, "leave the ReLU out")
    text = whole(html(found))
    for part in ("dead_relu", "error", "&lt;0&gt;", "48", "leave the ReLU out"):
        assert part in text


def test_two_figures_on_one_page_share_no_id() -> None:
    figures = [Figure("a", "bars", f"MAE {n}", "", "", "MAE", ({"label": "gru", "value": n},)) for n in (1.0, 2.0)]
    ids = [set(re.findall(r'\bid="([^"]+)"', figure._repr_html_())) for figure in figures]
    assert all(ids)
    assert not ids[0] & ids[1]


def test_pictures_keep_their_colours_where_styles_are_stripped() -> None:
    shown = Figure("a", "bars", "MAE", "", "", "MAE", ({"label": "gru", "value": 1.0},))._repr_html_()
    assert re.search(r'"var\(--c1,#[0-9a-f]{6}\)"', shown)
    assert not re.search(r'"var\(--[\w-]+\)"', shown)


def test_a_table_shows_what_it_holds_escaped() -> None:
    text = whole(html(Table("t", "Scores", ("name", "score"), (("<gru>", 0.7),))))
    assert "&lt;gru&gt;" in text
    assert "0.7" in text


def test_other_things_are_refused() -> None:
    with pytest.raises(TypeError, match="got int"):
        html(3)  # type: ignore[arg-type]
