"""Real music beside the clips: cut, levelled as one, and named where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from generation.audio import integrated_loudness, read_audio
from generation.clip_grid import ClipGrid, Part, Role
from generation.grid.ceiling import Cut, add_ceiling, ceiling_from_run
from generation.grid.systems import standard_systems
from generation.grid.trained_run import ceiling_names, read_run
from generation.training.labelled_file import read_labelled
from study.affect import Affect
from study.errors import AudioError, StorageError
from tests.generation.grid.runs import leave_crops, leave_run

RATE_HZ = 44_100
EMPTY = ClipGrid("music", (), ())


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Twelve seconds of a tone at 44.1 kHz, mono: the second half 12 dB softer, an octave higher."""
    time_s = np.arange(12 * RATE_HZ) / RATE_HZ
    late = time_s >= 6.0
    tone = np.where(late, 0.05, 0.2) * np.sin(2 * np.pi * np.where(late, 880.0, 440.0) * time_s)
    path = tmp_path / "music" / "tone.wav"
    path.parent.mkdir()
    soundfile.write(path, tone, RATE_HZ)
    return path


def test_cuts_are_where_they_were_asked_at_32_khz_under_one_gain(music: Path, tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    folder.mkdir()
    places = (Affect(0.1, 0.2), Affect(-0.1, -0.2))
    cuts = [Cut(music, 1.0, 4.0, places[0], "tone"), Cut(music, 7.0, 4.0, places[1], "tone")]

    grid = add_ceiling(folder, EMPTY, "real", "real tones", cuts, {"cues": (Part.LABELS,)})

    loud, soft = grid.of("real")
    assert (loud.target, soft.target) == places
    for clip, hertz in ((loud, 440), (soft, 880)):
        samples, rate_hz = read_audio(folder / clip.stim_file)
        assert (rate_hz, samples.shape) == (32_000, (4 * 32_000, 2))
        spectrum = np.abs(np.fft.rfft(samples[:, 0]))
        assert spectrum.argmax() / 4 == pytest.approx(hertz, abs=0.5)
        assert clip.loudness_lufs == pytest.approx(integrated_loudness(samples, rate_hz), abs=0.01)
    # 20 log10(0.2 / 0.05) = 12.04 dB, and the K-weighting lifts 880 Hz by under 1 dB over 440 Hz.
    difference = (loud.loudness_lufs or 0.0) - (soft.loudness_lufs or 0.0)
    assert 11.0 < difference < 12.1
    assert (grid.systems[0].role, grid.systems[0].took_part) == (Role.CEILING, {"cues": (Part.LABELS,)})
    assert ClipGrid.read(folder).of("real") == grid.of("real")
    assert sorted(path.name for path in folder.iterdir()) == ["grid.json", "real"]


def test_a_ceiling_of_the_same_name_is_replaced_and_ends_with_the_same_bytes(
    music: Path, tmp_path: Path
) -> None:
    cuts = [Cut(music, 0.0, 3.0, Affect(0.0, 0.0), "tone")]

    once = add_ceiling(tmp_path, EMPTY, "real", "real", cuts, {})
    again = add_ceiling(tmp_path, once, "real", "real", cuts, {})

    assert again == once


def test_a_file_that_cannot_be_cut_is_a_fault_and_none_at_all_is_refused(music: Path, tmp_path: Path) -> None:
    here = Affect(0.0, 0.0)
    late, gone = Cut(music, 10.0, 4.0, here, "tone"), Cut(tmp_path / "gone.mp3", 0.0, 4.0, here, "gone")

    grid = add_ceiling(tmp_path, EMPTY, "real", "real", [late, Cut(music, 0.0, 4.0, here, "tone"), gone], {})

    assert len(grid.clips) == 1
    assert grid.faults[0].endswith("tone.wav: ends at 12.00 s, before the window from 10 s does")
    assert "gone.mp3: there is no such file" in grid.faults[1]
    with pytest.raises(AudioError, match="ceiling real: nothing could be cut"):
        add_ceiling(tmp_path, EMPTY, "real", "real", [late, gone], {})


def test_a_trainings_validation_windows_are_its_ceiling(music: Path, tmp_path: Path) -> None:
    root = leave_run(
        tmp_path / "run",
        "facebook/musicgen-small",
        predictors={"cues": ("labels",), "essentia": ("selection",)},
    )
    places = [(str(music), float(onset), 6.0, 0.1 * onset, -0.1 * onset) for onset in range(6)]
    leave_crops(root, places, predictor="cues")
    run = read_run(root)

    whole, three = ceiling_from_run(run, "music", 4.0), ceiling_from_run(run, "music", 30.0, most=3)

    assert whole is not None
    assert three is not None
    # The middle four of six seconds.
    assert [(cut.onset_s, cut.duration_s) for cut in whole.cuts] == [(onset + 1.0, 4.0) for onset in range(6)]
    assert whole.cuts[2].affect == Affect(0.2, -0.2)
    assert whole.took_part == {"cues": (Part.LABELS,)}
    assert whole.notes == (
        "6 of 6 labelled windows of the validation split, by hash of track and onset",
        "places: made up for a test (intended)",
    )
    assert len(three.cuts) == 3
    assert {cut.duration_s for cut in three.cuts} == {6.0}
    assert three.licences == {"music 1": "CC0-1.0"}


def test_places_of_composed_music_are_marked_for_who_reads_its_cues(music: Path, tmp_path: Path) -> None:
    root = leave_run(tmp_path / "run", "facebook/musicgen-small", predictors={"cues": ("shared cues",)})
    leave_crops(root, [(str(music), 0.0, 6.0, 0.1, -0.1)])

    found = ceiling_from_run(read_run(root), "music", 4.0)

    assert found is not None
    assert found.took_part == {"cues": (Part.SHARED_CUES,)}


def test_trainings_on_the_same_windows_share_a_ceiling_whatever_they_were_told(
    music: Path, tmp_path: Path
) -> None:
    runs = []
    for name, valence, words in (("a", 0.1, "calm"), ("b", 0.1, ""), ("c", 0.2, "calm")):
        root = leave_run(tmp_path / name, "facebook/musicgen-small")
        leave_crops(root, [(str(music), 0.0, 6.0, valence, 0.0)], words=words)
        runs.append(read_run(root))
    without = read_run(leave_run(tmp_path / "d", "facebook/musicgen-small"))

    assert ceiling_names([*runs, without]) == ("music-of-a", "music-of-a", "music-of-c", None)
    assert [one.ceilings for one in standard_systems(None, [runs[1].root, without.root], None)[2:4]] == [
        ("music-of-b",),
        (),
    ]


def test_a_damaged_window_is_named_by_its_line(music: Path, tmp_path: Path) -> None:
    root = leave_run(tmp_path / "run", "facebook/musicgen-small")
    leave_crops(root, [(str(music), 0.0, 6.0, 0.0, 0.0)])
    file = root / "data" / "crops.jsonl"
    line = json.loads(file.read_text().splitlines()[1])
    with file.open("a") as crops:
        crops.write(json.dumps(line | {"valence": 3.0}) + "\n")

    with pytest.raises(StorageError, match=r"crops\.jsonl, line 3: is no labelled window"):
        read_labelled(file)
