"""Sessions come to disk whole, at the study's loudness, with a manifest that is true of the file."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import generation.render
import generation.session_folder
from generation.audio import SAMPLE_RATE_HZ, integrated_loudness, read_audio, write_audio
from generation.engine import AffectJudge, MusicEngine, Progress, SessionAudio
from generation.file_measures import FileMeasures, measure_file
from generation.render import clip_edges, render_sessions
from generation.sound_blocks import Sound, SoundOnDisk
from study.affect import Affect
from study.errors import AudioError, DeviceError, StorageError
from study.folder import write_whole
from study.manifest import RenderManifest
from study.path import PathKind, PathSpec, make_path
from study.session import SessionPlan


class ToneEngine:
    """One tone a session, louder with planned arousal: enough to see level and order."""

    name = "tone"
    version = "1"

    def __init__(self, extra_samples: int = 0) -> None:
        self.extra_samples = extra_samples
        self.asked: list[str] = []

    def generate(
        self, plans: Sequence[SessionPlan], progress: Progress, judge: AffectJudge | None = None
    ) -> Iterator[SessionAudio]:
        for number, plan in enumerate(plans):
            self.asked.append(plan.session_id)
            n_samples = round(plan.duration_s * SAMPLE_RATE_HZ) + self.extra_samples
            time = np.arange(n_samples) / SAMPLE_RATE_HZ
            arousal = plan.path.affect_at(time)[:, 1]
            wave = np.sin(2 * np.pi * 300 * time) * 0.1 * (1.5 + arousal)
            stereo = np.repeat(wave[:, None], 2, axis=1).astype(np.float32)
            yield SessionAudio(plan, stereo, {"tone": "1"}, {"tone": "Apache-2.0"}, ("a tone",))
            progress((number + 1) / len(plans))


def plan_of(
    kind: PathKind = PathKind.ISO, session: int = 1, steps: int = 4, step_s: float = 5.0, clip_s: float = 5.0
) -> SessionPlan:
    start, target = Affect(-0.6, 0.6), Affect(0.6, -0.4)
    path = make_path(PathSpec(kind, steps, step_s), start, target, session)
    return SessionPlan("sub-01", f"ses-{session:02d}", "iso", path, start, target, clip_s, session, -23.0)


def quiet(_: float) -> None:
    """Progress nobody watches."""


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_session_is_a_sound_and_a_manifest_that_is_true_of_it(tmp_path: Path) -> None:
    plan = plan_of()

    (manifest,) = render_sessions([plan], ToneEngine(), tmp_path, quiet)

    folder = tmp_path / "sub-01" / "ses-01"
    samples, rate = read_audio(folder / "session.flac")
    assert files_under(tmp_path) == ["sub-01/ses-01/manifest.json", "sub-01/ses-01/session.flac"]
    assert RenderManifest.from_json((folder / "manifest.json").read_text()) == manifest
    assert (samples.shape, rate) == ((20 * SAMPLE_RATE_HZ, 2), SAMPLE_RATE_HZ)
    assert manifest.plan_sha256 == plan.sha256
    assert manifest.audio_sha256 == hashlib.sha256((folder / "session.flac").read_bytes()).hexdigest()
    assert manifest.engine == {"name": "tone", "version": "1"}
    assert (manifest.models, manifest.licences) == ({"tone": "1"}, {"tone": "Apache-2.0"})
    assert manifest.notes == ("a tone",)
    assert manifest.duration_s == 20.0
    assert integrated_loudness(samples, rate) == pytest.approx(-23.0, abs=0.1)
    assert manifest.loudness_lufs == pytest.approx(-23.0, abs=0.1)
    assert manifest.true_peak_dbtp is not None
    assert manifest.true_peak_dbtp <= -1.0


def test_a_session_can_be_played_only_once_its_file_is_complete_measured_and_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, seen = tmp_path / "sub-01" / "ses-01", list[str]()

    def measured(*given: Any) -> FileMeasures:
        seen.append(f"measured, there: {place.exists()}")
        return measure_file(*given)

    def written(path: Path, content: bytes) -> None:
        sha256 = hashlib.sha256((path.parent / "session.flac").read_bytes()).hexdigest()
        seen.append(f"{path.name} names it: {sha256.encode() in content}, there: {place.exists()}")
        write_whole(path, content)

    monkeypatch.setattr(generation.render, "measure_file", measured)
    monkeypatch.setattr(generation.session_folder, "write_whole", written)

    render_sessions([plan_of()], ToneEngine(), tmp_path, lambda _: seen.append(f"there: {place.exists()}"))

    assert seen == [
        "measured, there: False",
        "manifest.json names it: True, there: False",
        "there: True",
        "there: True",
    ]


class CallsForDisk(ToneEngine):
    """Notes the folder it is asked to work in, and keeps its sound there."""

    folder: Path | None = None
    made: SoundOnDisk | None = None

    def working_in(self, folder: Path) -> Self:
        self.folder = folder
        return self

    def generate(
        self, plans: Sequence[SessionPlan], progress: Progress, judge: AffectJudge | None = None
    ) -> Iterator[SessionAudio]:
        for audio in super().generate(plans, progress, judge):
            assert self.folder is not None
            assert self.made is None or not self.made.close.alive
            self.made = SoundOnDisk(self.folder, *audio.sound.shape)
            self.made[:] = audio.samples
            yield replace(audio, sound=self.made)


def test_an_engine_that_can_works_on_the_sessions_disk_and_gives_its_room_back_after_each(
    tmp_path: Path,
) -> None:
    plans, engine = [plan_of(), plan_of(session=2)], CallsForDisk()

    on_disk = render_sessions(plans, engine, tmp_path / "disk", quiet)

    assert engine.folder == tmp_path / "disk"
    assert [replace(m, engine={}) for m in on_disk] == [
        replace(m, engine={}) for m in render_sessions(plans, ToneEngine(), tmp_path / "memory", quiet)
    ]


def test_a_file_that_is_not_as_long_as_what_was_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(path: Path, sound: Sound, rate_hz: int) -> None:
        write_audio(path, sound[: 19 * SAMPLE_RATE_HZ], rate_hz)

    monkeypatch.setattr(generation.render, "write_audio", cut)

    with pytest.raises(
        AudioError, match=r"session\.flac: holds 608000 frames of the 640000 that were written"
    ):
        render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)

    assert not list(tmp_path.iterdir())


def test_clips_tile_the_session_with_hash_loudness_and_planned_affect(tmp_path: Path) -> None:
    (manifest,) = render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)

    samples, _ = read_audio(tmp_path / "sub-01" / "ses-01" / "session.flac")
    assert [(clip.onset_s, clip.duration_s) for clip in manifest.clips] == [(5.0 * i, 5.0) for i in range(4)]
    for number, clip in enumerate(manifest.clips):
        part = samples[number * 160_000 : (number + 1) * 160_000]
        assert clip.sha256 == hashlib.sha256(part.astype("<f4").tobytes()).hexdigest()
        assert clip.loudness_lufs == pytest.approx(integrated_loudness(part, SAMPLE_RATE_HZ), abs=0.1)
    # The relative levels of clips carry arousal and are kept: 20 log10 of (1.5 + arousal).
    loudness = [clip.loudness_lufs or 0.0 for clip in manifest.clips]
    assert loudness[0] - loudness[3] == pytest.approx(20 * np.log10((1.5 + 0.558) / (1.5 - 0.358)), abs=0.1)
    affect = [clip.affect for clip in manifest.clips]
    assert affect[0] is not None
    assert affect[0].valence == pytest.approx(-0.55, abs=0.01)
    assert affect[0].arousal == pytest.approx(0.558, abs=0.01)


def test_a_short_rest_joins_the_last_clip(tmp_path: Path) -> None:
    (manifest,) = render_sessions([plan_of(steps=1, step_s=10.3)], ToneEngine(), tmp_path, quiet)

    assert [(clip.onset_s, round(clip.duration_s, 3)) for clip in manifest.clips] == [(0.0, 5.0), (5.0, 5.3)]


@given(st.floats(0.5, 40.0), st.floats(0.5, 12.0))
@settings(max_examples=200, deadline=None)
def test_clips_never_leave_a_gap_overlap_or_shorter_clip_than_a_loudness_needs(
    length_s: float, clip_s: float
) -> None:
    edges_s = clip_edges(length_s, min(clip_s, length_s))

    assert edges_s[0] == 0.0
    assert edges_s[-1] == length_s
    assert edges_s[1:-1] == pytest.approx([n * clip_s for n in range(1, len(edges_s) - 1)])
    assert min(end_s - onset_s for onset_s, end_s in pairwise(edges_s)) >= 0.39


def test_composed_and_given_sounds_come_back_in_plan_order(tmp_path: Path) -> None:
    kinds = (PathKind.NOISE, PathKind.ISO, PathKind.SILENCE, PathKind.TARGET_ONLY)
    plans = [plan_of(kind, session) for session, kind in enumerate(kinds, start=1)]
    shares: list[float] = []

    manifests = render_sessions(plans, ToneEngine(), tmp_path, shares.append)

    assert [manifest.session_id for manifest in manifests] == ["ses-01", "ses-02", "ses-03", "ses-04"]
    assert [m.engine["name"] for m in manifests] == ["stimuli", "tone", "stimuli", "tone"]
    assert manifests[0].loudness_lufs == pytest.approx(-23.0, abs=0.1)
    assert (manifests[2].loudness_lufs, manifests[2].true_peak_dbtp) == (None, None)
    assert all(clip.affect is None and clip.loudness_lufs is None for clip in manifests[2].clips)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_files_are_found_beside_the_sessions_folder(tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    sound = render_sessions([plan_of()], ToneEngine(), tmp_path / "other", quiet)[0]
    (tmp_path / "other" / "sub-01" / "ses-01" / sound.stim_file).rename(tmp_path / "sounds" / "a.flac")
    plan = replace(plan_of(PathKind.FILES), files=("sounds/a.flac",))

    (manifest,) = render_sessions([plan], None, tmp_path / "sessions", quiet)

    assert manifest.models == {"sounds/a.flac": sound.audio_sha256}


def test_a_session_already_rendered_from_the_plan_is_kept(tmp_path: Path) -> None:
    first = render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)
    written = (tmp_path / "sub-01" / "ses-01" / "session.flac").stat().st_mtime_ns
    engine = ToneEngine()

    again = render_sessions([plan_of(), plan_of(session=2)], engine, tmp_path, quiet)

    assert again[0] == first[0]
    assert engine.asked == ["ses-02"]
    assert (tmp_path / "sub-01" / "ses-01" / "session.flac").stat().st_mtime_ns == written


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    plans = [plan_of(), plan_of(PathKind.NOISE, 2)]

    here = render_sessions(plans, ToneEngine(), tmp_path / "here", quiet)
    there = render_sessions(plans, ToneEngine(), tmp_path / "there", quiet)

    assert here == there


def test_a_session_of_another_plan_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)
    before = {name: (tmp_path / name).read_bytes() for name in files_under(tmp_path)}

    with pytest.raises(StorageError, match="another plan"):
        render_sessions([replace(plan_of(), seed=99)], ToneEngine(), tmp_path, quiet)

    assert {name: (tmp_path / name).read_bytes() for name in files_under(tmp_path)} == before


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("session.flac", b"other bytes", "is not the sound its manifest describes"),
        ("manifest.json", b"{}", "is not a whole rendered session"),
        ("manifest.json", b"\xff\x00", "is not a whole rendered session"),
    ],
)
def test_a_damaged_session_is_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)
    (tmp_path / "sub-01" / "ses-01" / name).write_bytes(content)

    with pytest.raises(StorageError, match=problem):
        render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)


def test_an_interrupted_render_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generation.session_folder, "write_whole", stop)
    with pytest.raises(KeyboardInterrupt):
        render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)

    assert not list(tmp_path.iterdir())


def test_sessions_finished_before_a_refusal_are_kept(tmp_path: Path) -> None:
    plans = [plan_of(), replace(plan_of(PathKind.FILES, 2), files=("gone.wav",))]

    with pytest.raises(AudioError, match=r"gone\.wav"):
        render_sessions(plans, ToneEngine(), tmp_path, quiet)

    assert files_under(tmp_path) == ["sub-01/ses-01/manifest.json", "sub-01/ses-01/session.flac"]


class StopsAtThird(ToneEngine):
    """Refuses its third session."""

    def generate(
        self, plans: Sequence[SessionPlan], progress: Progress, judge: AffectJudge | None = None
    ) -> Iterator[SessionAudio]:
        for number, sound in enumerate(super().generate(plans, progress, judge)):
            if number == 2:
                raise DeviceError("cuda:0", "out of memory", "choose a smaller batch")
            yield sound


def test_an_engine_that_fails_in_mid_cohort_loses_nothing_that_was_finished(tmp_path: Path) -> None:
    plans = [plan_of(session=session) for session in range(1, 6)]

    with pytest.raises(DeviceError, match="out of memory"):
        render_sessions(plans, StopsAtThird(), tmp_path, quiet)

    assert sorted(path.name for path in (tmp_path / "sub-01").iterdir()) == ["ses-01", "ses-02"]
    engine = ToneEngine()
    manifests = render_sessions(plans, engine, tmp_path, quiet)
    assert engine.asked == ["ses-03", "ses-04", "ses-05"]
    assert [manifest.session_id for manifest in manifests] == [plan.session_id for plan in plans]


KILLED_WHILE_WRITING = """
import sys, time
from pathlib import Path
import generation.session_folder
from generation.file_measures import FileMeasures, measure_file
from generation.render import clip_edges, render_sessions
from tests.generation.test_render import ToneEngine, plan_of, quiet

generation.session_folder.write_whole = lambda *_: time.sleep(60)
render_sessions([plan_of()], ToneEngine(), Path(sys.argv[1]), quiet)
"""


def test_what_a_killed_process_left_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "sub-01"
    writers = [subprocess.Popen([sys.executable, "-c", KILLED_WHILE_WRITING, tmp_path]) for _ in range(2)]
    until = time.monotonic() + 60
    while len(list(tmp_path.rglob("session.flac"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    killed, living = writers
    killed.kill()
    killed.wait()
    assert len(list(folder.iterdir())) == 2

    render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)

    left = sorted(path.name for path in folder.iterdir())
    living.kill()
    living.wait()
    assert left[1:] == ["ses-01"]
    assert f".{living.pid}." in left[0]


def test_only_this_machines_partial_folders_of_the_session_are_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    here = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())
    mine = f".ses-01.{here}.{gone.pid}.abcd1234"
    others = [
        f".ses-01.elsewhere.{gone.pid}.abcd1234",
        f".ses-02.{here}.{gone.pid}.abcd1234",
        f".ses-01.{here}.{os.getpid()}.abcd1234",
        ".ses-01.backup",
    ]
    for name in [mine, *others]:
        (tmp_path / "sub-01" / name).mkdir(parents=True)

    render_sessions([plan_of()], ToneEngine(), tmp_path, quiet)

    assert sorted(path.name for path in (tmp_path / "sub-01").iterdir()) == sorted([*others, "ses-01"])


def test_an_engine_that_gives_another_length_is_refused_by_session(tmp_path: Path) -> None:
    render_sessions([plan_of()], ToneEngine(extra_samples=1), tmp_path, quiet)

    with pytest.raises(AudioError, match=r"sub-01 ses-02: the engine gave 640002 samples"):
        render_sessions([plan_of(session=2)], ToneEngine(extra_samples=2), tmp_path, quiet)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB; skips where this user cannot mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("cannot mount a small disk here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_too_small_is_refused_before_the_work_with_what_it_needs(small_disk: Path) -> None:
    engine = ToneEngine()

    with pytest.raises(StorageError, match=r"a session can take 4 MB and the disk has 3 MB left"):
        render_sessions([plan_of()], engine, small_disk, quiet)

    assert engine.asked == []
    assert not list(small_disk.iterdir())


def test_a_disk_that_fills_while_writing_leaves_nothing(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (generation.render, generation.session_folder):
        monkeypatch.setattr(module, "check_room", lambda *_: None)

    with pytest.raises(StorageError, match="cannot be written"):
        render_sessions([plan_of(PathKind.NOISE, steps=10)], None, small_disk, quiet)

    assert not list(small_disk.iterdir())


def test_the_tone_engine_is_an_engine() -> None:
    engine: MusicEngine = ToneEngine()

    assert engine.name == "tone"
