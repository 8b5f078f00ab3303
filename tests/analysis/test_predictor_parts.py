"""What part a predictor had in the sound is said wherever its figures stand, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.agreement.path_null_rows import NO_CLAIM, NO_CLAIM_TRAINED
from analysis.figures.following import predictor_name
from analysis.report.blocks import Bullets
from analysis.report.path_following import predictor_blocks
from analysis.results import Results
from analysis.words import ENGLISH, ENGLISH_BEGINS, LANGUAGES, Words
from tests.analysis.made_results import make_results


def results_with(**part: list[str]) -> Results:
    """Results whose reporting predictor, musicnn, had this part."""
    made = make_results()
    following = made.agreement["path_following"]
    first, *others = following["parts"]
    parts = [{**first, **part}, *others]
    return replace(made, agreement={**made.agreement, "path_following": {**following, "parts": parts}})


def said(results: Results, words: Words = ENGLISH) -> str:
    (bullets,) = (block for block in predictor_blocks(results, words) if isinstance(block, Bullets))
    return bullets.items[0]


def test_a_predictor_that_helped_to_train_is_said_to_carry_no_claim() -> None:
    arm = make_results().study["arms"][0]

    results = results_with(trained=[arm["arm"]])

    assert (
        "musicnn, or a predictor that hears with the same, labelled or selected the training of the model"
        f" that made the clips ({arm['name']}): its figures there carry no claim." in said(results)
    )
    assert predictor_name(results, arm["arm"], "musicnn", ENGLISH) == "musicnn (helped to train: no claim)"
    assert predictor_name(results, "another", "musicnn", ENGLISH) == "musicnn"


def test_results_of_an_older_isopath_say_nothing_of_training() -> None:
    assert "trained" not in make_results().agreement["path_following"]["parts"][0]
    assert "training" not in said(make_results())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_why_there_is_no_claim(language: str) -> None:
    words = Words(language)
    arm = make_results().study["arms"][0]["arm"]

    assert "training" in said(results_with(trained=[arm]), words).lower()
    for reason in (NO_CLAIM, NO_CLAIM_TRAINED):
        # What a language has no words for is shown as marked English.
        assert ENGLISH_BEGINS not in words.marked(reason)
