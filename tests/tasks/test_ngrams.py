"""The n-gram baseline: pieces by hand, probabilities, determinism."""

import numpy as np
import pytest

from rnnlab.tasks.ngrams import NgramClassifier, combine, mark

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
