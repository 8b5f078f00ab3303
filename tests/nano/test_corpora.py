"""What the small models learn from: nothing near a target, nothing of the other half, licences of all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")
pytest.importorskip("transformers")

from generation.audio import read_audio
from generation.training.recipe_checks import contradictions
from generation.training.tracks import Split
from tests.listening.tracks import load_tracks
from tests.nano.composed import GAIN, HELD_OUT, ComposedClip, compose, composed_clips, composed_rows
from tests.nano.evaluation import targets_of
from tests.nano.game_music import LICENCES, GameTrack, chosen, cut, cut_all, game_rows, game_tracks, split_of
from tests.nano.recipes import AFFECT, GAMES, LABELLED_BY, REPORTED_BY, WORDS, adapter_recipe, base_recipe
from tests.nano.run import bind
from tests.nano.scale import PACKAGES, SCALES, Scale

pytestmark = pytest.mark.torch

TARGETS = [target.affect for target in targets_of(SCALES["nano"])]


def test_nothing_is_composed_near_a_target_and_the_rest_of_the_plane_is_covered() -> None:
    clips = composed_clips(900, TARGETS)

    places = np.array([[clip.affect.valence, clip.affect.arousal] for clip in clips])
    away = [np.hypot(*(places - (target.valence, target.arousal)).T).min() for target in TARGETS]
    assert min(away) > HELD_OUT - 1e-4  # places are written with four digits
    assert len(TARGETS) == 16
    # 900 clips over a hundred cells: an empty one would be odd but where a disc takes most of it.
    assert len(np.unique(np.floor(places * 5), axis=0)) > 95
    for sign_v in (-1, 1):
        for sign_a in (-1, 1):
            share = ((np.sign(places) == (sign_v, sign_a)).all(axis=1)).mean()
            # Standard error of a quarter among 900: .0144.
            assert share == pytest.approx(0.25, abs=0.05)


def test_more_clips_begin_with_the_same_and_a_tenth_each_is_held_out() -> None:
    few, many = composed_clips(50, TARGETS), composed_clips(100, TARGETS)

    assert many[:50] == few
    splits = [clip.split for clip in many]
    assert [splits.count(split) for split in (Split.TRAIN, Split.VALIDATION, Split.TEST)] == [80, 10, 10]
    assert {clip.palette for clip in few if clip.split is Split.TEST} == {clip.palette for clip in few}


def test_a_clip_is_what_the_composer_makes_under_one_gain(tmp_path: Path) -> None:
    from generation.composer.engine import ComposerEngine
    from study.path import AffectPath, PathKind, Waypoint
    from study.protocol import EngineSpec
    from study.session import SessionPlan

    clip = composed_clips(3, TARGETS)[2]
    (tmp_path / "composed").mkdir()

    compose(clip, 4.0, tmp_path)

    path = AffectPath(PathKind.CONSTANT, (Waypoint(0.0, 4.0, clip.affect),))
    engine = EngineSpec("composer", {})
    plan = SessionPlan("none", "ses-01", "x", path, clip.affect, clip.affect, 4.0, 1002, -23.0, engine)
    (sound,) = ComposerEngine(clip.palette).generate([plan], lambda _: None)
    written, rate_hz = read_audio(tmp_path / clip.path)
    assert rate_hz == 32_000
    # 16 bits: half a step.
    assert np.abs(written - GAIN * sound.samples).max() <= 0.5 / 32_768 + 1e-7


def test_rows_hold_the_place_that_was_composed_for() -> None:
    clips = composed_clips(20, TARGETS)

    for clip, row in zip(clips, composed_rows(clips), strict=True):
        assert (float(row["valence"]), float(row["arousal"])) == (clip.affect.valence, clip.affect.arousal)
        assert row["prompt"].endswith("instrumental music")
        assert row["split"] == clip.split.value


def test_game_music_is_of_the_calibrating_half_within_300_mb_and_every_licence_is_stated() -> None:
    packages = chosen(PACKAGES)
    roots = {package.name: Path(package.name) for package in packages}

    tracks = game_tracks(roots, 1000)

    half = {track.sound_id: track.half for track in load_tracks()}
    assert len(tracks) == 45
    assert {half[str(track.source)] for track in tracks} == {"calibrate"}
    assert sum(package.size_mb for package in packages) <= 300
    assert all(package.name in LICENCES for package in packages)
    assert len({track.path for track in tracks}) == len(tracks)
    assert {row["licence"] for row in game_rows(tracks)} == set(LICENCES.values())


def test_tracks_keep_their_split_in_whatever_order_they_come() -> None:
    tracks = [track for track in load_tracks() if track.package in PACKAGES and track.half == "calibrate"]

    splits = split_of(tracks)

    assert splits == split_of(tracks[::-1])
    counts = [list(splits.values()).count(split) for split in Split]
    # Of 45: numbers 1, 9, ..., 41 validate, numbers 3, 11, ..., 43 and 6, 14, ..., 38 test.
    assert counts == [28, 6, 11]


def test_of_a_track_the_beginning_is_taken_at_32_khz(tmp_path: Path) -> None:
    tone = 0.8 * np.sin(2 * np.pi * 440 * np.arange(44_100 * 8) / 44_100)
    soundfile.write(tmp_path / "tone.wav", np.stack([tone, tone], axis=1), 44_100)
    track = GameTrack("p", "tone", tmp_path / "tone.wav", Split.TRAIN)

    cut(track.source, tmp_path / track.path, 6.0)

    made, rate_hz = read_audio(tmp_path / track.path)
    assert (made.shape, rate_hz) == ((6 * 32_000, 2), 32_000)
    middle = made[16_000:-16_000, 0]
    # A sine of amplitude .8 under half the gain: .4, root mean square .4/√2.
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.4 / np.sqrt(2), rel=1e-3)


def test_a_damaged_track_is_named_and_the_others_are_cut(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "good.wav", np.full((64_000, 2), 0.1), 32_000)
    (tmp_path / "bad.ogg").write_bytes(b"OggS" + bytes(4000))
    tracks = [
        GameTrack("p", name, tmp_path / file, Split.TRAIN)
        for name, file in (("g", "good.wav"), ("b", "bad.ogg"))
    ]

    damaged = cut_all(tracks, 6.0, tmp_path, 1, lambda: None)

    assert list(damaged) == ["games/p/b.flac"]
    assert soundfile.info(tmp_path / "games/p/g.flac").duration == 2.0


@pytest.mark.parametrize("scale", SCALES.values(), ids=list(SCALES))
def test_no_recipe_contradicts_itself_and_the_reporting_predictor_has_no_part(scale: Scale) -> None:
    table, model = Path("t.csv"), Path("m")
    recipes = [base_recipe(scale, table, model)]
    recipes += [adapter_recipe(scale, name, table, model) for name in (WORDS, AFFECT, GAMES)]

    for recipe in recipes:
        assert list(contradictions(recipe, "recipe")) == []
        assert recipe.reported_by == REPORTED_BY
        assert recipe.selection.predictor is None
    assert [recipe.labels.predictor for recipe in recipes] == [None, None, None, LABELLED_BY]
    # No position is sampled that was not learned: the engine makes .9 s more than it is asked for.
    assert scale.clip_s + 0.9 <= scale.crop_s


def test_work_of_other_numbers_is_not_gone_on_with(tmp_path: Path) -> None:
    smoke = SCALES["smoke"]
    bind(tmp_path, smoke)
    bind(tmp_path, smoke)

    with pytest.raises(SystemExit, match="steps was 20, is 21"):
        bind(tmp_path, replace(smoke, steps=21))


def test_a_clip_knows_its_file() -> None:
    clip = composed_clips(12, TARGETS)[11]

    assert clip == ComposedClip(11, clip.affect)
    assert clip.path == "composed/c00011.flac"
