"""The engine's contract, and the sound itself."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.engine import ComposerEngine
from generation.composer.score import Score
from generation.composer.sound.mix import BLOCK
from generation.engine import MusicEngine
from generation.registry import load_engine
from study.errors import OutOfRange, UnknownName
from study.path import AffectPath, PathKind, Waypoint
from study.protocol import EngineSpec
from study.session import SessionPlan
from tests.benchmarks.composer_clicks import clicks
from tests.generation.composer.plans import Point, make_plan

ENGINE = ComposerEngine()
Sound = NDArray[np.float32]


def _unheard(share: float) -> None:
    """Progress that nobody watches."""


def sound_of(plan: SessionPlan, engine: MusicEngine = ENGINE) -> Sound:
    return next(iter(engine.generate([plan], _unheard))).samples


def loudness(sound: Sound) -> float:
    return float(pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(sound.astype(np.float64)))


@pytest.fixture(scope="module")
def journey() -> Sound:
    """150 s from distress to calm, in 30-s steps."""
    points: list[Point] = [(-0.6, 0.6), (-0.3, 0.3), (0.0, 0.0), (0.3, -0.3), (0.6, -0.6)]
    return sound_of(make_plan(points, 150.0))


@pytest.mark.parametrize("duration_s", [1.0, 1.7, 4.0, 10.0, 33.3333])
def test_a_session_of_any_length_is_stereo_at_32_khz_and_as_long_as_planned(duration_s: float) -> None:
    sound = sound_of(make_plan([(-0.6, 0.5), (0.6, -0.4)], duration_s))

    assert sound.dtype == np.float32
    assert sound.shape == (round(duration_s * SAMPLE_RATE_HZ), 2)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() > 0.02


def test_the_same_plan_gives_the_same_samples_in_another_process() -> None:
    plan = make_plan([(-0.6, 0.5), (0.6, -0.4)], 12.0, seed=7)
    sound_of(make_plan([(0.6, 0.9)], 5.0, seed=3))
    here = hashlib.sha256(sound_of(plan).tobytes()).hexdigest()

    program = (
        "import hashlib\n"
        "from tests.generation.composer.test_engine import sound_of\n"
        "from tests.generation.composer.plans import make_plan\n"
        "plan = make_plan([(-0.6, 0.5), (0.6, -0.4)], 12.0, seed=7)\n"
        "print(hashlib.sha256(sound_of(plan).tobytes()).hexdigest())\n"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert there.stdout.strip() == here


def test_a_session_does_not_depend_on_its_neighbours() -> None:
    plans = [make_plan([(0.2, 0.4)], 5.0, seed) for seed in (1, 2, 3)]

    together = [audio.samples for audio in ENGINE.generate(plans, _unheard)]

    np.testing.assert_array_equal(together[1], sound_of(plans[1]))
    assert not np.array_equal(together[0], together[1])


def test_progress_rises_to_one() -> None:
    shares: list[float] = []

    list(ENGINE.generate([make_plan([(0.0, 0.0)], 5.0), make_plan([(0.0, 0.0)], 3.0)], shares.append))

    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_the_session_names_its_bank_and_licences() -> None:
    audio = next(iter(ENGINE.generate([make_plan([(0.0, 0.0)], 1.0)], _unheard)))

    assert {"composer", "bank", "bank_decoded"} <= set(audio.models)
    assert len(audio.models["bank"]) == len(audio.models["bank_decoded"]) == 64
    assert "MIT" in audio.licences["bank"]


def test_the_music_begins_gently_and_ends_in_silence(journey: Sound) -> None:
    peak = np.abs(journey).max()

    assert np.abs(journey[:64]).max() < 0.001 * peak
    assert np.abs(journey[-320:]).max() < 0.001 * peak
    assert loudness(journey[: 2 * SAMPLE_RATE_HZ]) < loudness(journey[10 * SAMPLE_RATE_HZ :][:960_000]) - 2.0


def test_the_ending_decays_without_rising_again() -> None:
    sound = sound_of(make_plan([(0.5, 0.4)], 40.0))
    last = [loudness(sound[-(k + 1) * SAMPLE_RATE_HZ :][:SAMPLE_RATE_HZ]) for k in (5, 3, 1)]

    assert last[0] > last[1] > last[2] - 0.5
    assert loudness(sound[-SAMPLE_RATE_HZ // 2 :]) < last[0] - 12.0


def _largest_jumps(sound: Sound) -> NDArray[np.float64]:
    # Second difference: a click is a corner in the wave, a loud low note is not.
    jumps: NDArray[np.float64] = np.abs(np.diff(sound.astype(np.float64), n=2, axis=0)).max(axis=1)
    return jumps


def test_block_edges_cannot_be_found_in_the_samples(journey: Sound) -> None:
    jumps = _largest_jumps(journey)
    edges = np.arange(BLOCK, len(journey) - 2, BLOCK)

    at_edges = np.array([jumps[edge - 3 : edge + 2].max() for edge in edges])
    elsewhere = np.array([jumps[edge + 9_000 : edge + 9_005].max() for edge in edges[:-1]])

    assert np.median(at_edges) < 2.0 * np.median(elsewhere)


@pytest.mark.parametrize("valence", [-0.5, 0.5])
def test_calm_music_has_no_click_between_its_attacks(valence: float) -> None:
    plan = make_plan([(valence, -0.7)], 60.0)
    sound = sound_of(plan)
    onsets_s = [note.onset_s for note in ENGINE.compose(plan).notes]
    cut = sound.copy()
    gaps_s = [s + 0.4 for s, later in pairwise(onsets_s) if later - s > 0.7]
    for gap_s in gaps_s:
        cut[round(gap_s * SAMPLE_RATE_HZ) :][: SAMPLE_RATE_HZ // 20] = 0.0

    assert len(clicks(sound, onsets_s, SAMPLE_RATE_HZ)) == 0
    # The witness hears most gaps of 50 ms in the middle of held sounds.
    assert len(clicks(cut, onsets_s, SAMPLE_RATE_HZ)) > 0.5 * len(gaps_s)


def test_thirty_second_marks_cannot_be_heard(journey: Sound) -> None:
    levels = np.array(
        [loudness(journey[k * SAMPLE_RATE_HZ :][: 3 * SAMPLE_RATE_HZ]) for k in range(6, 136, 1)]
    )
    steps = np.abs(levels[3:] - levels[:-3])
    moments_s = np.arange(6, 133) + 3
    at_marks = steps[np.isin(moments_s, (30, 60, 90, 120))]

    assert at_marks.mean() < steps.mean() + 1.0
    assert at_marks.max() < np.quantile(steps, 0.99) + 0.5
    assert np.quantile(steps, 0.95) < 4.0


def test_loudness_follows_arousal_by_about_three_units_each_way() -> None:
    sound = sound_of(make_plan([(0.1, -0.8), (0.1, 0.0), (0.1, 0.8)], 120.0))

    quiet, middle, loud = (loudness(sound[k * 32_000 :][: 28 * 32_000]) for k in (4, 46, 84))

    # Planned: 4.2 between these stretches; a session this short has five sections, and phrases differ.
    assert quiet < middle < loud
    assert 2.0 < loud - quiet < 6.5


def test_the_two_channels_differ_and_survive_a_mono_sum(journey: Sound) -> None:
    correlation = np.corrcoef(journey[:, 0], journey[:, 1])[0, 1]

    assert 0.4 < correlation < 0.95
    assert loudness(journey.mean(axis=1, keepdims=True)) > loudness(journey) - 6.0


def test_neither_mud_nor_glare(journey: Sound) -> None:
    power = np.abs(np.fft.rfft(journey.mean(axis=1).astype(np.float64))) ** 2
    hertz = np.fft.rfftfreq(len(journey), 1 / SAMPLE_RATE_HZ)

    def share_db(low: float, high: float) -> float:
        return float(10 * np.log10(power[(hertz >= low) & (hertz < high)].sum() / power.sum()))

    # Six recorded game scores lie at -1 .. -16, -3 .. -15 and -15 .. -30 dB in these bands.
    assert -16.0 < share_db(20, 120) < -3.0
    assert share_db(250, 500) < -2.0
    assert -26.0 < share_db(2_000, 16_000) < -8.0


@pytest.mark.parametrize("palette", ["acoustic", "ambient"])
def test_every_palette_makes_a_session(palette: str) -> None:
    engine = load_engine(EngineSpec("composer", {"palette": palette}))

    sound = sound_of(make_plan([(-0.5, 0.6), (0.7, -0.5)], 10.0), engine)

    assert np.isfinite(sound).all()
    assert not np.array_equal(sound, sound_of(make_plan([(-0.5, 0.6), (0.7, -0.5)], 10.0)))


def test_a_path_that_jumps_across_the_plane_every_second_is_played() -> None:
    rng = np.random.default_rng(3)
    points = [(float(v), float(a)) for v, a in rng.choice([-1.0, 1.0], (20, 2))]

    sound = sound_of(make_plan(points, 20.0))

    assert np.isfinite(sound).all()
    assert np.abs(sound).max() < 4.0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"palete": "chamber"}, UnknownName, "palette, cue_weights, bank or compression"),
        ({"palette": "metal"}, UnknownName, "chamber, acoustic, ambient"),
        ({"palette": 3}, UnknownName, "not a palette"),
        ({"cue_weights": {"tempi": 1}}, UnknownName, "mode, register, tempo"),
        ({"cue_weights": {"tempo": 1.5}}, OutOfRange, "from 0 to 1"),
        ({"cue_weights": {"tempo": float("nan")}}, OutOfRange, "from 0 to 1"),
        ({"cue_weights": {"tempo": True}}, OutOfRange, "from 0 to 1"),
        ({"cue_weights": 1}, OutOfRange, "not an object"),
    ],
)
def test_unknown_options_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ComposerEngine.from_options(options)


def test_a_single_cue_can_be_switched_off() -> None:
    plan = make_plan([(0.0, -0.8), (0.0, 0.8)], 60.0)
    held = ComposerEngine.from_options({"cue_weights": {"tempo": 0}}).compose(plan)
    free = ENGINE.compose(plan)

    def spread(score: Score) -> float:
        # Of whole phrases: within a phrase the beat breathes, and the last one broadens.
        edges = np.array([phrase.onset_beat for phrase in score.phrases])
        beats = np.arange(len(score.beat_times_s))
        gaps = np.diff(np.interp(edges, beats, score.beat_times_s)) / np.diff(edges)
        return float(gaps.max() / gaps.min())

    assert spread(held) < 1.02
    assert spread(free) > 1.5


def test_a_path_without_planned_affect_is_refused() -> None:
    plan = make_plan([(0.0, 0.0)], 5.0)
    silent = AffectPath(PathKind.SILENCE, (Waypoint(0.0, 5.0, None),))
    broken = SessionPlan(**{**plan.__dict__, "path": silent})

    with pytest.raises(OutOfRange, match="no planned affect"):
        sound_of(broken)
