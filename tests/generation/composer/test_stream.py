"""The composer plays in blocks, the same for previews, in memory and on disk; their origin is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import generation.composer.engine
from generation.audio import SAMPLE_RATE_HZ
from generation.composer.engine import ComposerEngine, cpu_features
from generation.composer.score import Part
from generation.engine import DiskEngine
from generation.render import render_sessions
from generation.sound_blocks import Samples, SoundOnDisk
from study.errors import AudioError, OutOfRange
from study.session import SessionPlan
from tests.generation.composer.plans import make_plan

PLAN = make_plan([(-0.6, 0.5), (0.6, -0.4)], 16.0)
SHORT = make_plan([(0.3, 0.2)], 4.0)
ENGINE = ComposerEngine()


def quiet(_: float) -> None:
    """Progress nobody watches."""


def sound_of(plan: SessionPlan, engine: ComposerEngine = ENGINE) -> Samples:
    return next(engine.generate([plan], quiet)).samples


@pytest.fixture(scope="module")
def whole() -> Samples:
    return sound_of(PLAN)


def test_a_preview_is_the_session_itself_block_by_block(whole: Samples) -> None:
    blocks = list(ENGINE.stream(PLAN))

    assert len(blocks) >= 7
    assert np.array_equal(np.concatenate(blocks), whole)


def test_a_session_on_disk_is_the_session_in_memory(tmp_path: Path, whole: Samples) -> None:
    engine: DiskEngine = ENGINE.working_in(tmp_path)

    audio = next(engine.generate([PLAN], quiet))

    assert isinstance(audio.sound, SoundOnDisk)
    assert isinstance(ENGINE, DiskEngine)
    assert np.array_equal(audio.samples, whole)
    assert not list(tmp_path.iterdir())


def test_threads_change_no_sample(monkeypatch: pytest.MonkeyPatch, whole: Samples) -> None:
    for threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)

        assert np.array_equal(sound_of(PLAN), whole)


def test_the_first_block_of_fifteen_minutes_is_there_within_half_a_second() -> None:
    plan = make_plan([(-0.6, 0.5), (0.6, -0.4)], 900.0, seed=3)
    next(ENGINE.stream(PLAN))

    begun_s = time.process_time()
    first = next(ENGINE.stream(plan))
    took_s = time.process_time() - begun_s

    # Measured .1 s of a core; a machine that does other things takes its own time.
    assert took_s < 0.5
    assert len(first) >= SAMPLE_RATE_HZ


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_another_rate_gives_the_same_music(rate_hz: int) -> None:
    sound = np.concatenate(list(ENGINE.stream(SHORT, rate_hz)))

    level_db = [float(10 * np.log10(np.mean(each**2))) for each in (sound, sound_of(SHORT))]
    assert len(sound) == 4 * rate_hz
    assert level_db[0] == pytest.approx(level_db[1], abs=0.6)


def test_stems_sum_to_the_session() -> None:
    stems = [np.concatenate(list(ENGINE.stream(SHORT, parts={part}))) for part in Part]

    assert sum(bool(stem.any()) for stem in stems) >= 3
    assert np.abs(np.sum(stems, axis=0) - sound_of(SHORT)).max() < 1e-5


def test_a_preview_of_nothing_is_refused_at_once() -> None:
    with pytest.raises(OutOfRange, match="0 s is no length for music"):
        ENGINE.stream(make_plan([(0.2, 0.3)], 0.0))


def test_an_engine_that_plays_what_is_no_number_is_refused_by_session_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Iterator[Samples]:
        yield np.zeros((SAMPLE_RATE_HZ, 2), dtype=np.float32)
        yield np.full((15 * SAMPLE_RATE_HZ, 2), np.nan, dtype=np.float32)

    monkeypatch.setattr(generation.composer.engine, "render_blocks", broken)

    with pytest.raises(
        AudioError, match="sub-01 ses-01: the sound holds NaN or infinity; make the sound again"
    ):
        render_sessions([PLAN], ENGINE, tmp_path, quiet)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("duration_s", [1.0, 1.7])
def test_a_session_of_a_second_comes_to_disk(tmp_path: Path, duration_s: float) -> None:
    (manifest,) = render_sessions([make_plan([(0.2, -0.3)], duration_s)], ENGINE, tmp_path, quiet)

    assert manifest.duration_s == duration_s
    assert manifest.loudness_lufs == pytest.approx(-23.0, abs=0.1)
    assert [(clip.onset_s, clip.duration_s) for clip in manifest.clips] == [(0.0, duration_s)]


def test_the_manifest_says_where_the_samples_come_from(tmp_path: Path) -> None:
    (manifest,) = render_sessions([make_plan([(0.2, -0.3)], 2.0)], ENGINE, tmp_path, quiet)

    assert manifest.models["composer"] == ENGINE.version
    assert len(manifest.models["bank"]) == len(manifest.models["bank_decoded"]) == 64
    assert manifest.models["cpu_features"] == cpu_features()
    assert set(np.show_config(mode="dicts")["SIMD Extensions"]["found"]) <= set(cpu_features().split())
