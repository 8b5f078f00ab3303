"""Imported sound is copied as it is, measured like rendered sound, and refused where it cannot be used."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile

from generation.audio import integrated_loudness, read_audio
from study.affect import Affect
from study.errors import IsopathError, StorageError
from study.events import DataImported
from study.folder import file_sha256
from study.founding import open_study
from study.imported import ImportCount, import_people
from study.imported_people import ImportedPerson
from study.manifest import RenderManifest
from study.rendered import check_sounds
from study.session import session_id_of
from tests.analysis.importing.files import PROTOCOL, ROWS, WIDE, read, said, tone, wide_map

COLUMNS = (*WIDE, "sound")
FIELDS = wide_map(sounds=[{"file": "sound"}], listening="assumed_whole")
SESSION = session_id_of(1)


def manifest_of(folder: Path, name: str, **changes: Any) -> RenderManifest:
    rows = [(*ROWS[0], name)]
    found = read(folder, rows, COLUMNS, FIELDS | changes, audio=folder / "sounds")
    return found.people[0].sounds[SESSION].manifest


def test_a_file_without_clips_is_one_clip_with_the_hash_of_its_samples(tmp_path: Path) -> None:
    path = tone(tmp_path / "sounds" / "a.flac")

    manifest = manifest_of(tmp_path, "a.flac")

    samples, rate_hz = read_audio(path)
    (clip,) = manifest.clips
    assert clip.sha256 == hashlib.sha256(samples.astype("<f4").tobytes()).hexdigest()
    assert (clip.onset_s, clip.duration_s, clip.affect) == (0.0, 6.0, None)
    assert manifest.audio_sha256 == file_sha256(path)
    assert manifest.loudness_lufs == round(integrated_loudness(samples, rate_hz) or 0.0, 3)
    assert (manifest.engine, manifest.stim_file) == (
        {"name": "imported", "version": "isopath test"},
        "session.flac",
    )
    assert RenderManifest.from_json(manifest.to_json()) == manifest


def test_clips_come_from_the_rows_with_targets_on_their_own_scale(tmp_path: Path) -> None:
    path = tone(tmp_path / "sounds" / "a.wav")
    columns = ("code", "group", "site", "time", "at", "v", "a", "sound", "from", "for", "tv", "ta")
    first = ("007", "A", "north")
    rows = [
        (*first, "probe", "6", "4", "6", "a.wav", "0", "2.5", "1", "9"),
        (*first, "post", "", "6", "3", "a.wav", "2.5", "3.5", "7", "3"),
    ]
    fields = wide_map(
        layout="long",
        phase={"column": "time"},
        probe_at_s={"column": "at"},
        reports=[{"instrument": "feeling", "items": {"valence": "v", "arousal": "a"}}],
        sounds=[
            {
                "file": "sound",
                "onset_s": "from",
                "duration_s": "for",
                "target_valence": "tv",
                "target_arousal": "ta",
                "target_scale": {"low": 1, "high": 9},
            }
        ],
        listening="assumed_whole",
    )

    found = read(tmp_path, rows, columns, fields, audio=tmp_path / "sounds")

    manifest = found.people[0].sounds[SESSION].manifest
    samples, rate_hz = read_audio(path)
    assert [(clip.onset_s, clip.duration_s, clip.affect) for clip in manifest.clips] == [
        (0.0, 2.5, Affect(-1.0, 1.0)),
        (2.5, 3.5, Affect(0.5, -0.5)),
    ]
    part = samples[round(2.5 * rate_hz) :].astype("<f4").tobytes()
    assert manifest.clips[1].sha256 == hashlib.sha256(part).hexdigest()
    assert any(text.startswith("The sounds last 6.0 to 6.0 s; a session of") for text in found.data.assumed)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.mp3", "a.mp3 is neither FLAC nor WAV; convert it without loss"),
        ("none.flac", "none.flac is not in "),
        ("../a.flac", "is not a name in that folder"),
        ("/etc/a.flac", "is not a name in that folder"),
        ("broken.flac", "broken.flac: cannot be read as sound"),
        ("short.flac", "short.flac: lasts 1.00 s, and music emotion recognition needs 3 s"),
    ],
)
def test_a_sound_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, name: str, why: str) -> None:
    tone(tmp_path / "sounds" / "short.flac", seconds=1.0)
    (tmp_path / "sounds" / "broken.flac").write_bytes(b"no sound at all")

    with pytest.raises(IsopathError) as refused:
        manifest_of(tmp_path, name)

    (problem,) = said(refused.value)
    assert problem.startswith("table.csv, line 2, column sound: ")
    assert why in problem


def test_a_clip_beyond_the_end_of_its_file_is_refused(tmp_path: Path) -> None:
    tone(tmp_path / "sounds" / "a.flac")
    fields = FIELDS | {"sounds": [{"file": "sound", "onset_s": "from", "duration_s": "for"}]}

    with pytest.raises(IsopathError, match=r"a clip ends at 7 s, and a\.flac at 6\.000 s"):
        read(
            tmp_path,
            [(*ROWS[0], "a.flac", "4", "3")],
            (*COLUMNS, "from", "for"),
            fields,
            audio=tmp_path / "sounds",
        )


def test_a_file_that_many_people_heard_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tone(tmp_path / "sounds" / "a.flac")
    rows = [(f"{number:03d}", *ROWS[0][1:], "a.flac") for number in range(5)]
    opened: list[str] = []
    true_open = soundfile.SoundFile.__init__

    def counted(self: Any, file: Any, *more: Any, **named: Any) -> None:
        opened.append(str(file))
        true_open(self, file, *more, **named)

    monkeypatch.setattr(soundfile.SoundFile, "__init__", counted)
    read(tmp_path, rows[:1], COLUMNS, FIELDS, audio=tmp_path / "sounds")
    once = len(opened)
    opened.clear()

    found = read(tmp_path, rows, COLUMNS, FIELDS, audio=tmp_path / "sounds")

    assert len(opened) == once
    assert len({person.sounds[SESSION].manifest.audio_sha256 for person in found.people}) == 1


def test_sound_needs_its_folder_and_the_folder_needs_sound(tmp_path: Path) -> None:
    with pytest.raises(IsopathError, match="--audio: is missing"):
        read(tmp_path, [(*ROWS[0], "a.flac")], COLUMNS, FIELDS)
    with pytest.raises(IsopathError, match="--audio: is given, and the map names no sound files"):
        read(tmp_path, audio=tmp_path)
    with pytest.raises(IsopathError, match="is not a folder"):
        read(tmp_path, [(*ROWS[0], "a.flac")], COLUMNS, FIELDS, audio=tmp_path / "none")


class TestIntoAStudy:
    """Sound and record go in together, or neither does."""

    def people(self, folder: Path, *names: str) -> tuple[ImportedPerson, ...]:
        rows = [(f"{number:03d}", *ROWS[0][1:], name) for number, name in enumerate(names)]
        return read(folder, rows, COLUMNS, FIELDS, audio=folder / "sounds").people

    def bring(self, study: Path, people: tuple[ImportedPerson, ...]) -> ImportCount:
        data = DataImported("table.csv", "0" * 64, {}, len(people), len(people), ())
        return import_people(study, PROTOCOL, "test", "isopath test", data, people)

    def test_a_sound_lies_in_the_study_byte_for_byte_and_verifies(self, tmp_path: Path) -> None:
        path = tone(tmp_path / "sounds" / "a.wav")

        assert self.bring(tmp_path / "s", self.people(tmp_path, "a.wav")).sounds == 1

        study = open_study(tmp_path / "s")
        assert check_sounds(study) == 1
        (kept,) = study.folder.sessions.glob("*/ses-01/session.wav")
        assert kept.read_bytes() == path.read_bytes()

    def test_a_sound_that_changes_meanwhile_ends_the_import_and_leaves_nothing(self, tmp_path: Path) -> None:
        for name in ("a.flac", "b.flac"):
            tone(tmp_path / "sounds" / name)
        people = self.people(tmp_path, "a.flac", "a.flac", "b.flac")
        self.bring(tmp_path / "s", people[:1])
        before = sorted((tmp_path / "s").rglob("*"))
        tone(tmp_path / "sounds" / "b.flac", hz=330.0)

        with pytest.raises(StorageError, match="changed while it was read"):
            self.bring(tmp_path / "s", people)
        with pytest.raises(StorageError, match="changed while it was read"):
            self.bring(tmp_path / "new" / "s", people)

        assert sorted((tmp_path / "s").rglob("*")) == before
        assert not (tmp_path / "new").exists()

    def test_what_a_killed_import_had_copied_is_copied_anew(self, tmp_path: Path) -> None:
        tone(tmp_path / "sounds" / "a.flac")
        first, second = self.people(tmp_path, "a.flac", "a.flac")
        self.bring(tmp_path / "s", (first,))
        sessions = tmp_path / "s" / "sessions"
        shutil.copytree(sessions / first.participant_id, sessions / second.participant_id)

        self.bring(tmp_path / "s", (first, second))

        assert check_sounds(open_study(tmp_path / "s")) == 2

    def test_what_no_import_put_there_is_left_alone(self, tmp_path: Path) -> None:
        tone(tmp_path / "sounds" / "a.flac")
        first, second = self.people(tmp_path, "a.flac", "a.flac")
        self.bring(tmp_path / "s", (first,))
        other = tmp_path / "s" / "sessions" / second.participant_id / SESSION
        other.mkdir(parents=True)
        (other / "notes.txt").write_text("mine")

        with pytest.raises(StorageError, match="no import put there"):
            self.bring(tmp_path / "s", (first, second))
        assert (other / "notes.txt").read_text() == "mine"
