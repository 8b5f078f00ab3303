"""Every window has its place and its words, or the reason why it has none; nothing is dropped in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.conditioning import load_prompts
from generation.training.crops import LabelledCrops
from generation.training.labels.label import label_crops
from generation.training.recipe import LabelRecipe, Recipe
from generation.training.tracks import FaultKind, Track
from study.affect import Affect
from study.errors import OutOfRange, StorageError, UnknownName
from tests.generation.training.labels.tiny_corpus import LevelJudge, corpus, crops_of, quiet, recipe, track

CALM = Affect(0.6, -0.4)


def labelled(asked: Recipe, *tracks: Track, duration_s: float = 4.0) -> LabelledCrops:
    """Two windows of each track."""
    return label_crops(corpus(*tracks), crops_of(tracks, duration_s), asked, None, Path("unused"), quiet)


def told(found: LabelledCrops) -> list[tuple[str, FaultKind, str, bool]]:
    return [(fault.track_id, fault.kind, fault.problem, fault.is_kept) for fault in found.faults]


def test_a_window_lies_where_the_data_set_puts_its_track() -> None:
    found = labelled(
        recipe(LabelRecipe("table", perspective="intended"), words="none"),
        track(Path("a.wav"), affect=CALM),
        track(Path("b.wav")),
    )

    assert [(one.crop.track_id, one.crop.onset_s, one.affect, one.words) for one in found.crops] == [
        ("a", 0.0, CALM, ""),
        ("a", 2.0, CALM, ""),
    ]
    assert told(found) == [
        ("b", FaultKind.NO_LABEL, "the data set states no valence and arousal for it", False)
    ]
    assert (found.perspective, found.predictor) == ("intended", None)
    assert found.source == "Valence and arousal are the data set's own (tiny)."


def test_a_track_lies_at_the_mean_place_of_its_tags_that_have_one() -> None:
    found = labelled(
        recipe(LabelRecipe("tags"), words="tags"),
        track(Path("a.wav"), tags=("happy", "corporate", "Sad", "happy")),
        duration_s=2.0,
    )

    # happy (.650, .384) and sad (-.026, -.390): the mean is (.312, -.003); happy counts once.
    (one,) = found.crops
    assert one.affect is not None
    assert (one.affect.valence, one.affect.arousal) == pytest.approx((0.312, -0.003))
    assert one.words == "happy, corporate, Sad, happy"
    ((track_id, kind, problem, is_kept),) = told(found)
    assert (track_id, kind, is_kept) == ("a", FaultKind.TAG_WITHOUT_AFFECT, True)
    assert problem.startswith("its tag 'corporate' has no place: no rated music is named so")
    assert found.perspective == "tags"


def test_a_track_whose_tags_have_no_place_is_left_out_by_name() -> None:
    found = labelled(
        recipe(LabelRecipe("tags"), words="tags"),
        track(Path("a.wav"), tags=("epic", "djent")),
        track(Path("b.wav")),
    )

    assert found.crops == ()
    assert [(track_id, kind) for track_id, kind, _, _ in told(found)] == [
        ("a", FaultKind.TAG_WITHOUT_AFFECT),
        ("a", FaultKind.TAG_WITHOUT_AFFECT),
        ("a", FaultKind.NO_LABEL),
        ("b", FaultKind.NO_LABEL),
    ]
    problems = [problem for _, _, problem, _ in told(found)]
    assert problems[1:] == [
        "its tag 'djent' is not in tag_affect 1",
        "none of its tags has a place in tag_affect 1: epic, djent",
        "it has no tags",
    ]
    assert not any(is_kept for *_, is_kept in told(found))


def test_a_labs_own_table_of_tags_places_them(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("MoodTag,Valence,Arousal\ndjent,3,8\n")

    found = labelled(
        recipe(LabelRecipe("tags", tag_table=str(tmp_path / "own.csv")), words="none"),
        track(Path("a.wav"), tags=("djent",)),
        duration_s=2.0,
    )

    assert [one.affect for one in found.crops] == [Affect(-0.5, 0.75)]


def test_words_of_a_prompt_table_are_those_of_the_windows_place() -> None:
    found = labelled(
        recipe(LabelRecipe("table"), words="table", prompts="default"),
        track(Path("a.wav"), affect=CALM),
        duration_s=2.0,
    )

    assert [one.words for one in found.crops] == [load_prompts("default").prompt(CALM)]


def test_without_places_every_window_has_its_tracks_prompt_alone() -> None:
    found = labelled(
        recipe(LabelRecipe("none"), words="prompt", affect=False),
        track(Path("a.wav"), prompt=" slow strings "),
        track(Path("b.wav"), prompt=" "),
        duration_s=2.0,
    )

    assert [(one.crop.track_id, one.affect, one.words) for one in found.crops] == [
        ("a", None, "slow strings")
    ]
    assert told(found) == [
        (
            "b",
            FaultKind.NO_LABEL,
            "it has no prompt: nothing is said about it, neither words nor a place",
            False,
        )
    ]
    assert found.perspective == "none"


def test_a_track_without_words_is_kept_for_its_place_and_counted() -> None:
    found = labelled(recipe(LabelRecipe("table"), words="prompt"), track(Path("a.wav"), affect=CALM))

    assert [one.words for one in found.crops] == ["", ""]
    assert told(found) == [("a", FaultKind.NO_LABEL, "it has no prompt: trained without words", True)]


def test_a_training_without_words_and_places_takes_every_window() -> None:
    found = labelled(recipe(LabelRecipe("none"), words="none", affect=False), track(Path("a.wav")))

    assert [(one.affect, one.words) for one in found.crops] == [(None, ""), (None, "")]
    assert found.faults == ()


@pytest.mark.parametrize(
    ("labels", "conditioning", "told"),
    [
        (LabelRecipe("tag"), {}, 'labels.source: "tag" is not known here; did you mean "tags"'),
        (LabelRecipe("table"), {"words": "captions"}, 'conditioning.words: "captions" is not known here'),
        (LabelRecipe("table"), {"words": "table", "prompts": "plane"}, "neither an installed prompt table"),
        (LabelRecipe("predictor", predictor="cues"), {}, 'labels.predictor: is "cues", and none was given'),
    ],
)
def test_what_nobody_knows_is_refused(labels: LabelRecipe, conditioning: dict[str, str], told: str) -> None:
    with pytest.raises(UnknownName, match=told):
        labelled(recipe(labels, **conditioning), track(Path("a.wav"), affect=CALM))


def test_another_judge_than_the_recipes_does_not_hear() -> None:
    asked = recipe(LabelRecipe("predictor", predictor="cues"))

    with pytest.raises(UnknownName, match='is "cues", and "level" was given'):
        label_crops(corpus(), (), asked, LevelJudge(), Path("unused"), quiet)


def test_places_that_nobody_gives_are_refused() -> None:
    with pytest.raises(OutOfRange, match=r"labels\.source: is none, and conditioning wants a place"):
        labelled(recipe(LabelRecipe("none"), affect=True))


def test_a_table_of_tags_that_is_not_there_is_refused() -> None:
    with pytest.raises(StorageError, match=r"missing\.csv"):
        labelled(recipe(LabelRecipe("tags", tag_table="missing.csv")))
