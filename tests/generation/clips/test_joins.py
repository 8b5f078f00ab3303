"""Clips are joined where it is least audible, at the levels they came with, to the very sample."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Stereo
from generation.clips.crossfade import FADES_S
from generation.clips.joins import BEGINNING_FADE_S, join_clips, stream_seams
from generation.clips.seams import HOP, texture
from study.errors import AudioError

CLIP_S = 16.0
ONSETS = (0, 12 * SAMPLE_RATE_HZ)
N_SAMPLES = 26 * SAMPLE_RATE_HZ


def stereo(mono: NDArray[np.float64]) -> Stereo:
    return np.repeat(mono[:, None], 2, axis=1).astype(np.float32)


def times(seconds: float = CLIP_S) -> NDArray[np.float64]:
    return np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def tone(frequency_hz: float, amplitude: float = 0.1) -> Stereo:
    return stereo(amplitude * np.sin(2 * np.pi * frequency_hz * times()))


def noise(seed: int, amplitude: float = 0.05) -> Stereo:
    return stereo(amplitude * np.random.default_rng(seed).standard_normal(len(times())))


def clicks(first_s: float, period_s: float = 0.5) -> Stereo:
    mono = 0.001 * np.random.default_rng(int(first_s * 1000)).standard_normal(len(times()))
    burst = 0.5 * np.random.default_rng(7).standard_normal(640) * np.exp(-np.arange(640) / 160)
    for at_s in np.arange(first_s, CLIP_S - 0.1, period_s):
        first = round(at_s * SAMPLE_RATE_HZ)
        mono[first : first + 640] += burst
    return stereo(mono)


def power_db(samples: Stereo, width_s: float = 0.1) -> NDArray[np.float64]:
    width = round(width_s * SAMPLE_RATE_HZ)
    blocks = samples[: len(samples) // width * width, 0].reshape(-1, width).astype(float)
    return np.asarray(10 * np.log10((blocks**2).mean(axis=1)))


def test_power_stays_constant_through_a_crossfade_of_unlike_tones() -> None:
    session, (seam,) = join_clips([tone(400), tone(530)], ONSETS, N_SAMPLES)

    level = power_db(session)[1 : round(22.5 / 0.1)]
    assert session.shape == (N_SAMPLES, 2)
    # Measured: 0.006 dB around 10 log10 of half of 0.1².
    assert level == pytest.approx(10 * np.log10(0.005), abs=0.02)
    assert seam.fade_s in FADES_S
    assert seam.at_s - seam.fade_s / 2 >= 12.0
    assert seam.at_s + seam.fade_s / 2 <= 15.5


@pytest.mark.parametrize("late_s", [0.0, 0.11, 0.23, 0.4])
def test_beats_meet_after_the_shift(late_s: float) -> None:
    # 12 s is a whole number of beats, so the grids differ by late_s.
    session, (seam,) = join_clips([clicks(0.25), clicks(0.25 + late_s)], ONSETS, N_SAMPLES)

    off_s = (seam.shift_s + late_s + 0.25) % 0.5 - 0.25
    assert abs(off_s) <= 0.01
    assert abs(seam.shift_s) <= 0.4
    # And in the sound itself: every onset of the session lies on one grid.
    onset = texture(session).onset
    peaks = np.flatnonzero((onset[1:-1] > onset[:-2]) & (onset[1:-1] >= onset[2:]) & (onset[1:-1] > 3)) + 1
    phase = (peaks * HOP / SAMPLE_RATE_HZ - 0.25 + 0.25) % 0.5 - 0.25
    assert len(peaks) >= 50
    assert np.ptp(phase) <= 0.02


def test_clips_without_a_common_beat_are_not_moved() -> None:
    _, (tones,) = join_clips([tone(400), tone(530)], ONSETS, N_SAMPLES)
    _, (noises,) = join_clips([noise(1), noise(2)], ONSETS, N_SAMPLES)

    assert (tones.shift_s, noises.shift_s) == (0.0, 0.0)


def test_the_fade_goes_where_both_clips_are_quiet() -> None:
    # Both overlap from 12 to 16 s; both are silent from 12.9 to 13.9 s.
    gap = np.where((times(30.0) >= 12.9) & (times(30.0) < 13.9), 0.0, 1.0)[:, None].astype(np.float32)
    first = noise(1) * gap[: len(times())]
    second = noise(2) * gap[ONSETS[1] : ONSETS[1] + len(times())]

    _, (seam,) = join_clips([first, second], ONSETS, N_SAMPLES)

    assert seam.at_s == pytest.approx(13.4, abs=0.25)


def test_the_fade_is_chosen_for_the_later_clip_as_moved() -> None:
    # Beats and pauses meet when the later clip comes 0.3 s later than planned: it begins at 12.3 s.
    first, second = clicks(0.25) + noise(1), clicks(0.45) + noise(2)
    for clip, pause_s in ((first, 12.4), (second, 0.1)):
        clip[round(pause_s * SAMPLE_RATE_HZ) : round((pause_s + 1.0) * SAMPLE_RATE_HZ)] = 0.0

    _, (seam,) = join_clips([first, second], ONSETS, N_SAMPLES)

    assert seam.shift_s == pytest.approx(0.3, abs=0.01)
    assert seam.at_s - seam.fade_s / 2 == pytest.approx(12.3, abs=0.1)


def test_clips_keep_their_levels() -> None:
    session, (seam,) = join_clips([tone(400, 0.1), tone(400, 0.05)], ONSETS, N_SAMPLES)

    level = power_db(session)
    assert level[20] - level[210] == pytest.approx(20 * np.log10(2), abs=1e-3)
    assert seam.loudness_step_lu == pytest.approx(-20 * np.log10(2), abs=0.05)


def test_the_noisy_end_of_a_clip_is_not_heard() -> None:
    first = tone(400)
    first[-SAMPLE_RATE_HZ // 2 :] = noise(1, 0.3)[: SAMPLE_RATE_HZ // 2]

    session, _ = join_clips([first, tone(400)], ONSETS, N_SAMPLES)

    clean, _ = join_clips([tone(400), tone(400)], ONSETS, N_SAMPLES)
    assert np.abs(session - clean).max() < 1e-6


def test_a_session_begins_as_its_clip_does_and_fades_out_over_three_seconds() -> None:
    clip = noise(3)

    session, seams = join_clips([clip], (0,), 12 * SAMPLE_RATE_HZ)

    settled = round(BEGINNING_FADE_S * SAMPLE_RATE_HZ)
    assert seams == ()
    assert abs(float(session[0, 0])) < 0.005
    assert (session[settled : 9 * SAMPLE_RATE_HZ] == clip[settled : 9 * SAMPLE_RATE_HZ]).all()
    half = power_db(session)[104:106].mean() - power_db(clip)[104:106].mean()
    assert half == pytest.approx(10 * np.log10(0.5), abs=0.2)
    assert abs(float(session[-1, 0])) < 1e-4


def test_a_seam_is_measured_against_the_clips_it_joins() -> None:
    _, (like,) = join_clips([noise(1), noise(2)], ONSETS, N_SAMPLES)
    loud = noise(2, 0.5)
    _, (unlike,) = join_clips([tone(400), loud], ONSETS, N_SAMPLES)

    # The strongest of some 700 frames, over the 95th percentile of all.
    assert 1.0 < like.onset_ratio < 1.7
    assert 1.0 < like.flux_ratio < 1.3
    assert like.loudness_step_lu == pytest.approx(0.0, abs=0.2)
    assert unlike.loudness_step_lu is not None
    assert unlike.loudness_step_lu > 10


def test_silent_clips_have_no_loudness_step_and_no_onsets() -> None:
    silence = np.zeros((len(times()), 2), dtype=np.float32)

    session, (seam,) = join_clips([silence, silence], ONSETS, N_SAMPLES)

    assert not session.any()
    assert (seam.loudness_step_lu, seam.onset_ratio, seam.flux_ratio) == (None, 0.0, 0.0)


def test_three_clips_are_joined_at_two_places_that_do_not_touch() -> None:
    onsets = tuple(round(at * SAMPLE_RATE_HZ) for at in (0.0, 12.0, 23.0))

    session, seams = join_clips((noise(seed) for seed in range(3)), onsets, 38 * SAMPLE_RATE_HZ)

    assert len(session) == 38 * SAMPLE_RATE_HZ
    assert seams[0].at_s + seams[0].fade_s / 2 <= seams[1].at_s - seams[1].fade_s / 2
    assert power_db(session)[5:345] == pytest.approx(power_db(noise(0)).mean(), abs=1.0)


def test_a_stream_that_was_never_cut_has_seams_like_its_inside() -> None:
    stream = noise(4)
    broken = np.concatenate([noise(4)[: 8 * SAMPLE_RATE_HZ], 0.01 * noise(5)[8 * SAMPLE_RATE_HZ :]])
    broken[8 * SAMPLE_RATE_HZ :][:320] = 0.9

    (whole,) = stream_seams(stream, [8 * SAMPLE_RATE_HZ])
    (cut,) = stream_seams(broken, [8 * SAMPLE_RATE_HZ])

    assert (whole.at_s, whole.fade_s, whole.shift_s) == (8.0, 0.0, 0.0)
    assert whole.onset_ratio < 1.3
    assert whole.flux_ratio < 1.3
    assert whole.loudness_step_lu == pytest.approx(0.0, abs=0.3)
    assert cut.onset_ratio > 3
    assert cut.flux_ratio > 1.5


def test_clips_that_end_too_early_or_leave_a_gap_are_refused() -> None:
    with pytest.raises(AudioError, match="its clips end before it does"):
        join_clips([noise(1)], (0,), 20 * SAMPLE_RATE_HZ)
    with pytest.raises(AudioError, match="do not overlap"):
        join_clips([noise(1), noise(2)], (0, 17 * SAMPLE_RATE_HZ), 30 * SAMPLE_RATE_HZ)
