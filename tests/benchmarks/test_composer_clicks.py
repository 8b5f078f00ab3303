"""The witness of clicks: a recording's own second knock is none, a corner at the same moment is one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.composer.score import Note, Part
from generation.composer.sound.bank import load_bank
from generation.composer.sound.sampled import SampledTones
from generation.composer.sound.sampler import Sampler
from tests.benchmarks.composer_clicks import clicks, second_strikes

RATE_HZ = 32_000
ONSET_S = 0.5
#: A kalimba's recording that knocks again after 42 ms, read more slowly.
NOTE = Note(ONSET_S, 0.8, 80, 0.55, Part.FIGURE, "kalimba")


@pytest.fixture(scope="module")
def played() -> NDArray[np.float32]:
    """One note alone, a second and a half."""
    tone = Sampler(SampledTones(load_bank())).note((0, 108), NOTE.key, NOTE.duration_s, NOTE.velocity)
    sound = np.zeros((3 * RATE_HZ // 2, 1), dtype=np.float32)
    begin = round(ONSET_S * RATE_HZ)
    sound[begin : begin + len(tone), 0] += tone[: len(sound) - begin]
    return sound


def with_corner(sound: NDArray[np.float32], at_s: float, height: float) -> NDArray[np.float32]:
    """The sound with a step that falls back within 20 ms."""
    spoilt, at = sound.copy(), round(at_s * RATE_HZ)
    spoilt[at : at + 640, 0] += height * np.linspace(1.0, 0.0, 640, dtype=np.float32)
    return spoilt


def test_a_knock_that_the_recording_has_is_no_click(played: NDArray[np.float32]) -> None:
    (knock,) = second_strikes([NOTE])

    assert knock.after_s == pytest.approx(0.053, abs=0.004)
    assert 0.05 < knock.share < 0.5
    assert len(clicks(played, [ONSET_S], RATE_HZ)) == 1
    assert len(clicks(played, [ONSET_S], RATE_HZ, [knock])) == 0


@pytest.mark.parametrize("after_s", [0.053, 0.06, 0.07, 0.2])
def test_a_click_is_found_even_where_the_recording_knocks(
    played: NDArray[np.float32], after_s: float
) -> None:
    spoilt = with_corner(played, ONSET_S + after_s, 0.5 * float(np.abs(played).max()))

    found = clicks(spoilt, [ONSET_S], RATE_HZ, second_strikes([NOTE]))

    assert any(abs(at_s - ONSET_S - after_s) < 0.005 for at_s in found)


@pytest.mark.parametrize("name", ["music box", "celesta", "piano", "harp", "vibraphone", "flute"])
def test_nothing_else_is_said_to_strike_twice(name: str) -> None:
    notes = [Note(0.0, 2.0, key, 0.5, Part.FIGURE, name) for key in range(65, 90)]

    assert second_strikes(notes) == []
