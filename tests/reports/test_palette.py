"""Colours are legible on both themes and can be told apart; each of the light theme is there once."""

import itertools

import pytest

from rnnlab.reports.palette import DASHES, RAMP_FLIP, SHAPES, THEMES, ThemeName, contrast

BOTH = pytest.mark.parametrize("name", list(THEMES))


def test_contrast_matches_wcag_examples() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@BOTH
def test_text_has_contrast_aa(name: ThemeName) -> None:
    theme = THEMES[name]
    assert contrast(theme.ink, theme.surface) > 12
    assert contrast(theme.muted, theme.surface) >= 4.5
    assert contrast(theme.muted, theme.shade) >= 4.5
    assert contrast(theme.muted, theme.void) >= 4.5


@BOTH
def test_series_stand_out_from_the_page(name: ThemeName) -> None:
    theme = THEMES[name]
    assert all(contrast(colour, theme.surface) >= 3 for colour in theme.series)
    assert len(DASHES) >= len(theme.series)
    assert len(SHAPES) >= len(theme.series)


@BOTH
def test_numbers_on_the_ramp_are_legible(name: ThemeName) -> None:
    theme = THEMES[name]
    for step, colour in enumerate(theme.ramp):
        assert contrast(theme.on_low if step < RAMP_FLIP else theme.on_high, colour) >= 4.5, step


@BOTH
def test_ramp_goes_one_way(name: ThemeName) -> None:
    theme = THEMES[name]
    steps = [contrast(colour, theme.surface) for colour in theme.ramp]
    assert all(second > first for first, second in itertools.pairwise(steps))


def test_light_colours_are_distinct() -> None:
    colours = list(THEMES["light"].variables().values())
    assert len(set(colours)) == len(colours)
    assert THEMES["light"].variables().keys() == THEMES["dark"].variables().keys()
