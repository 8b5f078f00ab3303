"""Blocks, stems, rates and cores: the same music however it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.composer.compose import Composition, PhraseMusic, compose
from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, PALETTES
from generation.composer.score import Note, Part, Score
from generation.composer.sound.buses import place_of
from generation.composer.sound.mix import BLOCK, render_blocks, render_score
from generation.composer.sound.sampler import shared_sampler
from generation.loudness import integrated_loudness
from tests.generation.composer.plans import make_plan

Sound = NDArray[np.float32]

SEED, LENGTH_S = 5, 40.0


def make_curves(length_s: float = LENGTH_S) -> CueCurves:
    return CueCurves(make_plan([(-0.6, 0.6), (0.6, -0.4)], length_s).path)


def make_score(length_s: float = LENGTH_S) -> Score:
    return compose(make_curves(length_s), SEED, PALETTES["chamber"])


def whole(blocks: Iterator[Sound]) -> Sound:
    return np.concatenate(list(blocks))


@pytest.fixture(scope="module")
def sound() -> Sound:
    return render_score(make_score(), make_curves(), shared_sampler(), lambda _: None)


def test_blocks_streamed_as_the_music_is_written_are_the_samples_of_the_whole_score(sound: Sound) -> None:
    curves = make_curves()
    phrases = Composition(curves, SEED, PALETTES["chamber"]).phrases()

    streamed = list(render_blocks(phrases, curves, shared_sampler()))

    assert [len(block) for block in streamed[:-1]] == [BLOCK] * (len(streamed) - 1)
    np.testing.assert_array_equal(np.concatenate(streamed), sound)


def test_the_first_block_is_heard_before_the_later_sections_are_written() -> None:
    curves = make_curves(240.0)
    composition = Composition(curves, SEED, PALETTES["chamber"])
    written: list[int] = []

    def phrases() -> Iterator[PhraseMusic]:
        for music in composition.phrases():
            written.append(music.phrase.section)
            yield music

    first = next(render_blocks(phrases(), curves, shared_sampler()))

    assert first.shape == (BLOCK, 2)
    # The phrase after a section's last tells that the section is over.
    assert set(written) == {0, 1}
    assert written.count(1) == 1
    assert len(composition.sections) > 3


def test_two_threads_give_the_samples_of_one(sound: Sound) -> None:
    np.testing.assert_array_equal(
        whole(render_blocks(make_score(), make_curves(), shared_sampler(), threads=2)), sound
    )


def test_stems_sum_to_the_mix(sound: Sound) -> None:
    score, curves = make_score(), make_curves()

    stems = {part: whole(render_blocks(score, curves, shared_sampler(), parts=[part])) for part in Part}

    np.testing.assert_allclose(sum(stems.values()), sound, atol=1e-5)
    played = {note.part for note in score.notes}
    assert all((np.abs(stem).max() > 1e-3) == (part in played) for part, stem in stems.items())


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_at_another_rate_the_music_is_the_same_and_only_the_rate_is_another(rate: int) -> None:
    score, curves = make_score(12.0), make_curves(12.0)
    usual = render_score(score, curves, shared_sampler(), lambda _: None)

    other = whole(render_blocks(score, curves, shared_sampler(), rate))

    assert len(other) == 12 * rate

    def bands_db(samples: Sound, rate: int) -> NDArray[np.float64]:
        power = np.abs(np.fft.rfft(samples.mean(axis=1).astype(np.float64))) ** 2 / rate**2
        hertz = np.fft.rfftfreq(len(samples), 1 / rate)
        edges = (60, 120, 250, 500, 1_000, 2_000, 4_000)
        sums = [power[(hertz >= low) & (hertz < 2 * low)].sum() for low in edges]
        return np.asarray(10.0 * np.log10(np.array(sums)))

    # The room's noise is another at another rate; all else is the same.
    assert np.abs(bands_db(other, rate) - bands_db(usual, 32_000)).max() < 1.5
    loud, usually = integrated_loudness(other, rate), integrated_loudness(usual, 32_000)
    assert loud is not None
    assert loud == pytest.approx(usually, abs=0.5)


def test_a_mono_loudspeaker_loses_less_than_three_decibels(sound: Sound) -> None:
    left, right = sound.astype(np.float64).T
    stereo, mono = np.mean(left**2 + right**2), 2.0 * np.mean(((left + right) / 2.0) ** 2)

    assert 10.0 * np.log10(stereo / mono) < 3.0
    assert 0.3 < np.corrcoef(left, right)[0, 1] < 0.98


def test_compression_is_off_unless_asked_for_and_then_narrows_the_levels(sound: Sound) -> None:
    pressed = whole(render_blocks(make_score(), make_curves(), shared_sampler(), compression=1.0))

    def levels_db(samples: Sound) -> NDArray[np.float64]:
        seconds = samples[: 34 * 32_000].reshape(-1, 32_000 * 2).astype(np.float64)
        return np.asarray(10.0 * np.log10(np.mean(seconds**2, axis=1))[3:])

    before, after = levels_db(sound), levels_db(pressed)
    gain_db = after - before
    assert np.ptp(after) < np.ptp(before) - 0.5
    assert np.all(gain_db < 0.01)
    assert gain_db.min() > -8.0


def test_low_keys_of_a_keyboard_sit_left_of_its_high_keys_and_a_flute_sits_still() -> None:
    def pan(instrument: str, key: int) -> float:
        return place_of(Note(0.0, 1.0, key, 0.5, Part.MELODY, instrument)).pan

    assert pan("piano", 40) < pan("piano", 64) < pan("piano", 90)
    assert pan("flute", 60) == pan("flute", 90) == INSTRUMENTS["flute"].pan


_PROGRAM = """
import sys
import numpy as np
from generation.composer.sound.sampler import shared_sampler
from tests.generation.composer.sound.test_mix import make_curves, make_score
from generation.composer.sound.mix import render_score
np.save(sys.argv[1], render_score(make_score(10.0), make_curves(10.0), shared_sampler(), lambda _: None))
"""


def test_without_the_cpus_wide_instructions_no_sample_is_another_by_more_than_one_step_of_16_bits(
    tmp_path: Path,
) -> None:
    here = render_score(make_score(10.0), make_curves(10.0), shared_sampler(), lambda _: None)
    # What this build of numpy can switch off, and this CPU has.
    features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    narrow = {"NPY_DISABLE_CPU_FEATURES": " ".join(features), "OPENBLAS_CORETYPE": "Prescott"}

    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM, str(tmp_path / "there.npy")],
        check=True,
        env={**os.environ, **narrow},
    )

    there = np.load(tmp_path / "there.npy")
    assert np.abs(there - here).max() <= 1.0 / 32_768
