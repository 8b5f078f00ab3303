"""Tracks decoded once: what is lost by which name, and what a second run costs."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from generation.training.corpora import probe
from generation.training.corpora.decoded_store import FILE_NAME
from generation.training.corpora.decoding import Decoded, decode
from generation.training.corpora.probe import is_other_length, probed
from generation.training.tracks import Corpus, FaultKind, Split, Track
from study.errors import StorageError
from tests.generation.training.corpora.sounds import write_tone


def corpus_of(*tracks: Track) -> Corpus:
    return Corpus("music", Path(), tracks, (), {}, {})


def track(path: Path, duration_s: float | None = None) -> Track:
    return Track(path.name, path, Split.TRAIN, duration_s=duration_s)


def ignore(_: float) -> None:
    pass


@pytest.fixture
def decoded_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded from here on."""
    names: list[str] = []

    def noted(path: Path) -> Decoded:
        names.append(path.name)
        return decode(path)

    monkeypatch.setattr(probe, "decode", noted)
    return names


def test_a_track_lasts_as_long_as_decoding_finds(tmp_path: Path) -> None:
    corpus = corpus_of(
        track(write_tone(tmp_path / "a.mp3", 2.5, 44_100), 2.5), track(write_tone(tmp_path / "b.flac", 3.0))
    )

    found = probed(corpus, tmp_path / "kept", ignore)

    assert [one.duration_s for one in found.tracks] == [2.5, 3.0]
    assert [one.sample_rate_hz for one in found.tracks] == [44_100, 8_000]
    assert found.faults == ()


def test_what_cannot_be_used_is_named_by_track_and_the_rest_goes_on(tmp_path: Path) -> None:
    whole = write_tone(tmp_path / "whole.mp3", 4.0, 44_100).read_bytes()
    (tmp_path / "cut.mp3").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.mp3").write_text("<html>404 not found</html>" * 100)
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "folder.mp3").mkdir()
    (tmp_path / "link.mp3").symlink_to("nowhere.mp3")
    write_tone(tmp_path / "short.wav", 0.9)
    write_tone(tmp_path / "silent.flac", 2.0, level=0.0)
    write_tone(tmp_path / "faint.flac", 2.0, level=10 ** (-75 / 20))
    names = (
        "gone.mp3 cut.mp3 page.mp3 empty.mp3 folder.mp3 link.mp3 short.wav silent.flac faint.flac whole.mp3"
    )

    found = probed(corpus_of(*(track(tmp_path / name) for name in names.split())), tmp_path / "kept", ignore)

    assert [one.track_id for one in found.tracks] == ["whole.mp3"]
    told = {fault.track_id: (fault.kind, fault.problem) for fault in found.faults}
    assert told.pop("cut.mp3")[1].startswith("the file is cut off or damaged after ")
    assert told == {
        "gone.mp3": (FaultKind.MISSING, "there is no such file"),
        "link.mp3": (FaultKind.MISSING, "is a link to a file that is not there"),
        "page.mp3": (FaultKind.UNREADABLE, "cannot be read as sound (format not recognised)"),
        "empty.mp3": (FaultKind.UNREADABLE, "the file is empty"),
        "folder.mp3": (FaultKind.UNREADABLE, "is a directory"),
        "short.wav": (FaultKind.TOO_SHORT, "lasts 0.900 s, less than 1 s"),
        "silent.flac": (FaultKind.SILENT, "no sample reaches -70 dB of full scale"),
        "faint.flac": (FaultKind.SILENT, "no sample reaches -70 dB of full scale"),
    }
    assert not any(fault.is_kept for fault in found.faults)
    assert found.fault_counts[FaultKind.UNREADABLE] == 4


def test_another_length_than_stated_is_named_and_the_track_kept(tmp_path: Path) -> None:
    found = probed(corpus_of(track(write_tone(tmp_path / "a.wav", 5.0), 9.0)), tmp_path / "kept", ignore)

    assert [one.duration_s for one in found.tracks] == [5.0]
    (fault,) = found.faults
    assert (fault.kind, fault.is_kept) == (FaultKind.OTHER_LENGTH, True)
    assert fault.problem == "lasts 5.0 s; the table says 9.0 s"


@pytest.mark.parametrize(
    ("stated_s", "length_s", "is_other"),
    [
        (200.0, 203.9, False),
        (200.0, 204.1, True),
        (200.0, 195.9, True),
        (10.0, 10.9, False),
        (10.0, 11.1, True),
    ],
)
def test_another_length_is_more_than_a_second_and_two_per_cent_off(
    stated_s: float, length_s: float, is_other: bool
) -> None:
    assert is_other_length(stated_s, length_s) == is_other


def test_a_second_run_decodes_what_changed_and_what_could_not_be_read(
    tmp_path: Path, decoded_files: list[str]
) -> None:
    names = ("a.wav", "b.wav", "c.wav")
    corpus = corpus_of(*(track(write_tone(tmp_path / name, 2.0)) for name in names))
    (tmp_path / "c.wav").write_text("not yet copied")
    first = probed(corpus, tmp_path / "kept", ignore)
    decoded_files.clear()

    write_tone(tmp_path / "b.wav", 3.0)
    second = probed(corpus, tmp_path / "kept", ignore)

    assert sorted(decoded_files) == ["b.wav", "c.wav"]
    assert [one.duration_s for one in first.tracks] == [2.0, 2.0]
    assert [one.duration_s for one in second.tracks] == [2.0, 3.0]
    assert second.faults == first.faults


def test_a_file_of_the_same_size_that_changed_is_decoded_again(
    tmp_path: Path, decoded_files: list[str]
) -> None:
    path = write_tone(tmp_path / "a.wav", 2.0)
    probed(corpus_of(track(path)), tmp_path / "kept", ignore)
    decoded_files.clear()

    write_tone(path, 2.0, level=0.0)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    found = probed(corpus_of(track(path)), tmp_path / "kept", ignore)

    assert decoded_files == ["a.wav"]
    assert found.fault_counts == {FaultKind.SILENT: 1}


def test_sound_that_ends_in_silence_is_not_silent(tmp_path: Path) -> None:
    """Half a minute is decoded at a time: the last piece is all silence."""
    tone = 0.1 * np.sin(np.arange(8_000) / 10)
    soundfile.write(tmp_path / "a.flac", np.concatenate([tone, np.zeros(8_000 * 40)]), 8_000)

    found = probed(corpus_of(track(tmp_path / "a.flac")), tmp_path / "kept", ignore)

    assert [one.duration_s for one in found.tracks] == [41.0]


def test_what_a_killed_run_decoded_is_not_decoded_again(tmp_path: Path, decoded_files: list[str]) -> None:
    corpus = corpus_of(*(track(write_tone(tmp_path / f"{number}.wav", 2.0)) for number in range(5)))

    def killed(share: float) -> None:
        if share >= 3 / 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        probed(corpus, tmp_path / "kept", killed, jobs=1)
    kept = tmp_path / "kept" / FILE_NAME
    lines = kept.read_text().splitlines()
    # The kill came in the middle of the last line.
    kept.write_text("\n".join(lines)[:-20])
    decoded_files.clear()
    found = probed(corpus, tmp_path / "kept", ignore, jobs=1)

    assert len(lines) == 3
    assert sorted(decoded_files) == ["2.wav", "3.wav", "4.wav"]
    assert [one.duration_s for one in found.tracks] == [2.0] * 5
    decoded_files.clear()
    assert probed(corpus, tmp_path / "kept", ignore) == found
    assert decoded_files == []


def test_a_run_that_is_stopped_decodes_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = corpus_of(*(track(write_tone(tmp_path / f"{number}.wav", 1.0)) for number in range(60)))
    decoded: list[Path] = []

    def slow(path: Path) -> Decoded:
        time.sleep(0.02)
        decoded.append(path)
        return decode(path)

    def stopped(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(probe, "decode", slow)
    try:
        probed(corpus, tmp_path / "kept", stopped, jobs=1)
    except KeyboardInterrupt as stop:
        # As whoever handles the interrupt would hold it.
        held, at_stop = stop, len(decoded)
        time.sleep(0.2)

    assert held.__traceback__ is not None
    assert len(decoded) == at_stop < 30


def test_what_is_kept_says_nothing_where_it_is_damaged(tmp_path: Path, decoded_files: list[str]) -> None:
    corpus = corpus_of(track(write_tone(tmp_path / "a.wav", 2.0)))
    probed(corpus, tmp_path / "kept", ignore)
    kept = tmp_path / "kept" / FILE_NAME
    line = json.loads(kept.read_text())
    for damaged in (
        "[]",
        "7",
        "\x00",
        json.dumps({**line, "n_samples": "many"}),
        json.dumps({**line, "version": 9}),
    ):
        kept.write_text(damaged + "\n")
        decoded_files.clear()

        assert probed(corpus, tmp_path / "kept", ignore).tracks[0].duration_s == 2.0
        assert decoded_files == ["a.wav"]


def test_progress_ends_at_one_and_never_falls(tmp_path: Path) -> None:
    corpus = corpus_of(*(track(write_tone(tmp_path / f"{number}.wav", 1.5)) for number in range(4)))
    shares: list[float] = []

    probed(corpus, tmp_path / "kept", shares.append)
    probed(corpus_of(), tmp_path / "none", shares.append)

    assert shares == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()

    with pytest.raises(StorageError, match="cannot be"):
        probed(corpus_of(track(write_tone(tmp_path / "a.wav", 2.0))), tmp_path / "kept", ignore)


def test_the_corpus_keeps_its_own_faults_and_words(tmp_path: Path) -> None:
    before = replace(corpus_of(track(tmp_path / "gone.wav")), notes=("a note",), name="own")
    first = probed(before, tmp_path / "kept", ignore)

    again = probed(replace(before, faults=first.faults), tmp_path / "kept", ignore)

    assert (again.name, again.notes) == ("own", ("a note",))
    assert again.faults == (*first.faults, *first.faults)
