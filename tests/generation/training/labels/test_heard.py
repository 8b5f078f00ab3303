"""A predictor hears every window once, in whatever run; what it refuses is named."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from analysis.mer.judge import load_judge
from generation.audio import read_audio
from generation.engine import AffectJudge
from generation.training.crops import Crop, LabelledCrops
from generation.training.labels.label import label_crops
from generation.training.labels.window_sound import read_windows
from generation.training.recipe import LabelRecipe
from generation.training.tracks import FaultKind, Split, Track
from study.errors import AudioError
from tests.generation.training.labels.tiny_corpus import (
    RATE_HZ,
    WINDOW_S,
    LevelJudge,
    corpus,
    crops_of,
    quiet,
    recipe,
    sound,
    track,
)

LEVELS = ([0.25, 0.5, 0.75], [1.0, 0.125, 0.25])


@pytest.fixture
def tracks(tmp_path: Path) -> tuple[Track, ...]:
    """Two tracks of three windows."""
    return tuple(
        track(sound(tmp_path / f"{name}.wav", levels)) for name, levels in zip("ab", LEVELS, strict=True)
    )


def heard(
    tracks: tuple[Track, ...], judge: AffectJudge, folder: Path, duration_s: float = 3 * WINDOW_S
) -> LabelledCrops:
    asked = recipe(LabelRecipe("predictor", predictor=judge.name), words="none")
    return label_crops(corpus(*tracks), crops_of(tracks, duration_s), asked, judge, folder, quiet)


def arousals(found: LabelledCrops) -> list[float]:
    return [one.affect.arousal for one in found.crops if one.affect is not None]


def test_every_window_lies_where_the_judge_hears_it(tracks: tuple[Track, ...], tmp_path: Path) -> None:
    found = heard(tracks, LevelJudge(), tmp_path / "kept")

    # Level c is heard as 2c - 1.
    assert arousals(found) == pytest.approx([-0.5, 0.0, 0.5, 1.0, -0.75, -0.5])
    assert (found.predictor, found.perspective, found.faults) == ("level", "perceived", ())
    assert (
        found.source == "Valence and arousal are what the predictor level heard in each window (perceived)."
    )


def test_a_killed_run_goes_on_where_it_was(tracks: tuple[Track, ...], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        heard(tracks, LevelJudge(dies_after=4), tmp_path / "kept")
    second = LevelJudge()

    found = heard(tracks, second, tmp_path / "kept")

    assert second.n_heard == 2
    assert arousals(found) == pytest.approx([-0.5, 0.0, 0.5, 1.0, -0.75, -0.5])


def test_what_was_heard_is_on_disk_before_the_next_window_is_heard(
    tracks: tuple[Track, ...], tmp_path: Path
) -> None:
    on_disk: list[int] = []

    class Looks(LevelJudge):
        def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
            on_disk.append((tmp_path / "kept" / "heard-level.jsonl").read_text().count("\n"))
            return super().judge(samples, sample_rate_hz)

    heard(tracks, Looks(), tmp_path / "kept")

    assert on_disk == [0, 1, 2, 3, 4, 5]


def test_a_line_that_was_left_half_written_is_heard_again(tracks: tuple[Track, ...], tmp_path: Path) -> None:
    heard(tracks, LevelJudge(), tmp_path / "kept")
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(file.read_bytes()[:-40])
    second, third = LevelJudge(), LevelJudge()

    assert arousals(heard(tracks, second, tmp_path / "kept"))[-1] == pytest.approx(-0.5)
    heard(tracks, third, tmp_path / "kept")

    assert (second.n_heard, third.n_heard) == (1, 0)


def test_a_file_that_changed_and_another_version_of_the_judge_are_heard_anew(
    tracks: tuple[Track, ...], tmp_path: Path
) -> None:
    heard(tracks, LevelJudge(), tmp_path / "kept")
    sound(tracks[0].path, [0.75, 0.5, 0.25])
    os.utime(tracks[0].path, ns=(1, 1))
    after_change, newer = LevelJudge(), LevelJudge(version="2")

    found = heard(tracks, after_change, tmp_path / "kept")
    heard(tracks, newer, tmp_path / "kept")

    assert (after_change.n_heard, newer.n_heard) == (3, 6)
    assert arousals(found)[:3] == pytest.approx([0.5, 0.0, -0.5])


def test_a_window_that_the_judge_refuses_is_named_and_not_asked_again(tmp_path: Path) -> None:
    tracks = (track(sound(tmp_path / "a.wav", [0.5, 0.0, 1.5])),)
    second = LevelJudge()

    found = heard(tracks, LevelJudge(), tmp_path / "kept")
    heard(tracks, second, tmp_path / "kept")

    assert arousals(found) == [0.0]
    assert [(fault.kind, fault.is_kept, fault.problem) for fault in found.faults] == [
        (
            FaultKind.NO_LABEL,
            True,
            "the predictor refused the 2 s from 2 s: there is nothing to hear in it",
        ),
        (
            FaultKind.NO_LABEL,
            True,
            "the predictor refused the 2 s from 4 s: it said valence 0.000 and arousal 2.000, outside"
            " [-1, 1]",
        ),
    ]
    assert second.n_heard == 0


def test_a_missing_file_and_one_cut_off_cost_their_own_windows_only(
    tracks: tuple[Track, ...], tmp_path: Path
) -> None:
    whole = sound(tmp_path / "c.wav", [0.25, 0.5, 0.75])
    soundfile.write(tmp_path / "c.ogg", soundfile.read(whole)[0], RATE_HZ, format="OGG", subtype="VORBIS")
    content = (tmp_path / "c.ogg").read_bytes()
    (tmp_path / "c.ogg").write_bytes(content[: len(content) // 2])
    broken = (track(tmp_path / "gone.wav"), track(tmp_path / "c.ogg"), tracks[1])

    found = heard(broken, LevelJudge(), tmp_path / "kept")

    assert [one.crop.track_id for one in found.crops] == ["b", "b", "b"]
    assert [(fault.track_id, fault.kind, fault.is_kept) for fault in found.faults] == [
        ("gone", FaultKind.UNREADABLE, False),
        ("c", FaultKind.UNREADABLE, False),
    ]
    assert found.faults[0].problem == (
        "it cannot be read (no such file or directory); 3 of its 3 windows have no label"
    )


def test_processes_hear_what_one_hears_and_name_the_same_faults(
    tracks: tuple[Track, ...], tmp_path: Path
) -> None:
    silent = track(sound(tmp_path / "c.wav", [0.0, 0.5, 0.25]))
    all_tracks = (*tracks, silent, track(tmp_path / "gone.wav"))
    asked = recipe(LabelRecipe("predictor", predictor="level"), words="none")
    crops = crops_of(all_tracks, 6.0)
    alone = heard(all_tracks, LevelJudge(), tmp_path / "alone")
    after = LevelJudge()

    together = label_crops(
        corpus(*all_tracks), crops, asked, LevelJudge(), tmp_path / "together", quiet, jobs=2
    )
    heard(all_tracks, after, tmp_path / "together")

    assert together == alone
    assert after.n_heard == 0


def test_progress_rises_to_one(tracks: tuple[Track, ...], tmp_path: Path) -> None:
    shares: list[float] = []
    asked = recipe(LabelRecipe("predictor", predictor="level"), words="none")

    label_crops(corpus(*tracks), crops_of(tracks, 6.0), asked, LevelJudge(), tmp_path / "kept", shares.append)

    assert shares == sorted(shares)
    assert shares[0] == 0.5
    assert shares[-1] == 1.0


def test_windows_are_the_samples_of_the_whole_file_between_their_ends(tmp_path: Path) -> None:
    whole = np.random.default_rng(3).uniform(-0.5, 0.5, (45 * RATE_HZ, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", whole, RATE_HZ, subtype="FLOAT")
    spans = [(0.0, 12.0), (9.5, 12.0), (9.5, 0.25), (33.0, 12.05)]

    rate_hz, windows = read_windows(tmp_path / "a.wav", spans)

    for (onset_s, duration_s), samples in zip(spans, windows, strict=True):
        start = round(onset_s * RATE_HZ)
        assert np.array_equal(samples, whole[start : start + round(duration_s * RATE_HZ)])
    assert rate_hz == RATE_HZ


def test_a_window_beyond_the_end_of_its_sound_is_refused(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", [0.5])
    _, windows = read_windows(tmp_path / "a.wav", [(0.0, 2.2)])

    with pytest.raises(AudioError, match=r"ends at 2\.000 s, a window at 2\.200 s"):
        next(windows)


@pytest.mark.parametrize("first", [0, 58])
def test_a_long_track_is_never_whole_in_memory(tmp_path: Path, first: int) -> None:
    n_windows = 60
    path = sound(tmp_path / "long.wav", [0.5] * n_windows)
    spans = [(number * WINDOW_S, WINDOW_S) for number in range(first, n_windows)]
    _, windows = read_windows(path, spans)

    tracemalloc.start()
    n_read = sum(1 for _ in windows)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    whole_bytes = n_windows * WINDOW_S * RATE_HZ * 4
    assert n_read == n_windows - first
    assert peak_bytes < whole_bytes / 4


def test_the_installed_predictor_labels_real_music_as_it_hears_its_windows(
    test_data: Path, tmp_path: Path
) -> None:
    path = test_data / "clips" / "0ad__Taiko_1.ogg"
    judge = load_judge("musicnn")
    drums = Track("taiko", path, Split.TRAIN)
    crops = (Crop("taiko", Split.TRAIN, 0.0, 4.0), Crop("taiko", Split.TRAIN, 10.0, 4.0))
    asked = recipe(LabelRecipe("predictor", predictor="musicnn"), words="none")

    found = label_crops(corpus(drums), crops, asked, judge, tmp_path, quiet)

    samples, rate_hz = read_audio(path)
    for one in found.crops:
        start = round(one.crop.onset_s * rate_hz)
        expected = judge.judge(samples[start : start + 4 * rate_hz], rate_hz)
        assert one.affect is not None
        assert (one.affect.valence, one.affect.arousal) == pytest.approx(expected, abs=1e-6)
    assert (tmp_path / "heard-musicnn.jsonl").read_text().count(judge.version) == 2
