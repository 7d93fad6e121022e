"""The n-gram baseline: pieces by hand, probabilities, determinism."""

import numpy as np
import pytest

from rnnlab.tasks.ngrams import NgramClassifier, adjust_for_prior, combine, mark

TEXTS = ["anna", "annika", "hanna", "bob", "bobby", "rob", "Zoe", "zora"]
LABELS = ["A", "A", "A", "B", "B", "B", "C", "C"]


def test_pieces_are_marked_and_lower_case() -> None:
    model = NgramClassifier(longest=2).fit(["Ab", "b"], ["x", "y"])
    assert sorted(model._pieces.get_feature_names_out()) == ["$", "^", "^a", "^b", "a", "ab", "b", "b$"]
    assert mark("Ab") == "^ab$"


def test_probabilities_add_up_and_pick_the_obvious() -> None:
    model = NgramClassifier().fit(TEXTS, LABELS)
    found = model.predict_proba(["johanna", "bobo", "zo", "???"])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert [model.classes_[i] for i in found[:3].argmax(axis=1)] == ["A", "B", "C"]


def test_the_same_input_gives_the_same_model() -> None:
    one, other = (NgramClassifier().fit(TEXTS, LABELS).predict_proba(TEXTS) for _ in range(2))
    assert np.array_equal(one, other)


def test_combination_by_hand() -> None:
    one, other = np.array([[0.5, 0.5]]), np.array([[0.8, 0.2]])
    assert combine(one, other, 0.5)[0, 0] == pytest.approx(np.sqrt(0.4) / (np.sqrt(0.4) + np.sqrt(0.1)))
    np.testing.assert_allclose(combine(one, other, 1.0), one)


def test_prior_is_divided_out_by_hand() -> None:
    chance, prior = np.array([[0.6, 0.3, 0.1]]), np.array([0.7, 0.2, 0.1])
    ratio = np.array([0.6 / 0.7, 0.3 / 0.2, 0.1 / 0.1])
    np.testing.assert_allclose(adjust_for_prior(chance, prior)[0], ratio / ratio.sum())
    half = np.array([0.6, 0.3, 0.1]) / np.sqrt(prior)
    np.testing.assert_allclose(adjust_for_prior(chance, prior, 0.5)[0], half / half.sum())
    np.testing.assert_allclose(adjust_for_prior(chance, prior, 0.0), chance)


def test_what_only_repeats_the_prior_becomes_even() -> None:
    prior = np.array([0.7, 0.2, 0.1])
    np.testing.assert_allclose(adjust_for_prior(np.tile(prior, (3, 1)), prior), 1 / 3)


def test_prior_of_an_absent_class_stays_finite() -> None:
    found = adjust_for_prior(np.array([[0.9, 0.1, 0.0]]), np.array([0.5, 0.5, 0.0]))
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1.0)


def test_many_strings_leave_rare_pieces_out_and_keep_the_answer():
    texts = [f"{first}{number:04d}" for number in range(600) for first in "ab"]
    model = NgramClassifier().fit(texts, [text[0].upper() for text in texts])
    found = model.predict_proba(["a9999", "b9999"])
    assert model.classes_ == ["A", "B"]
    assert found.dtype == np.float64
    assert found[0, 0] > 0.9
    assert found[1, 1] > 0.9
    pieces = model._pieces.vocabulary_
    assert "^a0" in pieces
    assert all(sum(piece in f"^{text}$" for text in texts) > 1 for piece in list(pieces)[::50])
