"""What every listener needs of a sound: one channel, checked, and where it is silent."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.mer.predictor import AffectSeries, PredictorCard
from analysis.mer.sound import Levels, checked_mono, without_silence
from study.errors import AudioError

Samples = NDArray[np.float32]
RATE = 1000


def noise(seconds: float, level: float = 0.1, channels: int = 2) -> Samples:
    rng = np.random.default_rng(3)
    return (rng.standard_normal((round(seconds * RATE), channels)) * level).astype(np.float32)


def levels_of(samples: Samples, cut: int = 137) -> Levels:
    levels = Levels(RATE)
    for first in range(0, len(samples), cut):
        levels.hear(samples[first : first + cut])
    return levels


def test_one_and_two_channels_are_their_mean() -> None:
    stereo = noise(1.0)

    assert np.array_equal(checked_mono(stereo), stereo.mean(axis=1, dtype=np.float32))
    assert np.array_equal(checked_mono(stereo[:, :1]), stereo[:, 0])


def test_surround_is_folded_as_the_standard_folds_it_to_stereo() -> None:
    # ITU-R BS.775-4, table 2: Lo = L + .7071 C + .7071 Ls, Ro = R + .7071 C + .7071 Rs, no low channel.
    left, right, centre, low, left_back, right_back = noise(1.0, channels=6).T

    mono = checked_mono(np.stack([left, right, centre, low, left_back, right_back], axis=1))

    expected = ((left + 0.7071 * (centre + left_back)) + (right + 0.7071 * (centre + right_back))) / 2
    assert mono == pytest.approx(expected, abs=1e-5)


def test_stereo_in_a_surround_file_sounds_as_the_stereo() -> None:
    stereo = noise(1.0)

    for n_channels in (3, 4, 5, 6, 7, 8):
        surround = np.hstack([stereo, np.zeros((len(stereo), n_channels - 2), dtype=np.float32)])
        assert checked_mono(surround) == pytest.approx(checked_mono(stereo), abs=1e-7)


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (np.array([[0.0], [np.nan]]), "NaN or infinity"),
        (np.array([[0.0], [-np.inf]]), "NaN or infinity"),
        (np.array([[0.0, 32768.0]]), "a sample of 32768"),
        (np.zeros((10, 9)), "9 channels"),
    ],
)
def test_what_is_no_sound_on_a_full_scale_of_one_is_refused(samples: Samples, problem: str) -> None:
    with pytest.raises(AudioError, match=problem):
        checked_mono(samples.astype(np.float32))


def test_a_window_is_silent_when_no_piece_it_touches_sounds() -> None:
    samples = np.zeros((5 * RATE, 2), dtype=np.float32)
    samples[2300:2350] = noise(0.05)

    silent = levels_of(samples).is_silent(np.arange(0, 5, 0.5), 1.0)

    assert silent.tolist() == [True, True, True, False, False, True, True, True, True, True]


@pytest.mark.parametrize(("off_db", "is_silent"), [(-1.0, True), (1.0, False)])
def test_the_limit_of_silence_is_a_level(off_db: float, is_silent: bool) -> None:
    time = np.arange(2 * RATE) / RATE
    # A sine's root mean square is its peak over √2.
    # -70: the absolute gate of ITU-R BS.1770.
    peak = np.sqrt(2) * 10 ** ((-70 + off_db) / 20)
    sine = (peak * np.sin(2 * np.pi * 100 * time)).astype(np.float32)[:, None]

    assert levels_of(sine).is_silent(np.zeros(1), 2.0).tolist() == [is_silent]


def test_a_constant_offset_is_silence() -> None:
    with pytest.raises(AudioError, match="silent all through"):
        levels_of(np.full((RATE, 2), 0.3, dtype=np.float32)).check_sounds()


def test_channels_that_cancel_are_told_from_silence() -> None:
    one = noise(1.0, channels=1)

    with pytest.raises(AudioError, match="channels cancel"):
        levels_of(np.hstack([one, -one])).check_sounds()


def test_a_sound_shorter_than_a_piece_sounds() -> None:
    levels_of(noise(0.05)).check_sounds()


def series_of(onset_s: list[float]) -> AffectSeries:
    n = len(onset_s)
    affect = np.linspace(-0.5, 0.5, n)
    card = PredictorCard("hand", "1", {}, {}, ())
    return AffectSeries(
        np.array(onset_s),
        1.0,
        affect,
        -affect,
        card,
        np.arange(2.0 * n).reshape(n, 2),
        np.arange(n, dtype=np.float64),
    )


def test_silent_windows_leave_every_column_of_a_series() -> None:
    samples = noise(4.0)
    samples[RATE : 3 * RATE] = 0

    left = without_silence(series_of([0.0, 1.0, 2.0, 3.0]), levels_of(samples))

    assert left.onset_s.tolist() == [0.0, 3.0]
    assert left.valence_pred.tolist() == [-0.5, 0.5]
    assert left.arousal_pred.tolist() == [0.5, -0.5]
    assert left.spread.tolist() == [[0.0, 1.0], [6.0, 7.0]]
    assert left.domain_distance is not None
    assert left.domain_distance.tolist() == [0.0, 3.0]


def test_a_sound_heard_in_no_window_is_refused() -> None:
    samples = noise(4.0)
    samples[: 3 * RATE] = 0

    with pytest.raises(AudioError, match="silent in every window"):
        without_silence(series_of([0.0, 1.0, 2.0]), levels_of(samples))
