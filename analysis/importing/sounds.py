"""Sound files of a study that ran elsewhere, measured as rendered sessions are, and never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from analysis.importing.cells import Cells
from analysis.importing.heard import ToldClip, ToldSession
from generation.audio import read_audio, true_peak_dbtp
from generation.loudness import block_loudness, gated_loudness, loudness_between
from study.canonical import canonical_sha256
from study.errors import AudioError
from study.folder import file_sha256
from study.imported import ENGINE
from study.imported_people import GivenSound
from study.manifest import ManifestClip, RenderManifest

KINDS = (".flac", ".wav")

SHORTEST_S = 3.0
"""Music emotion recognition has nothing to say of less."""

_TOLERANCE_S = 0.05
#: The shortest clip with a loudness of its own (BS.1770's gating block).
_MEASURABLE_S = 0.4


@dataclass(frozen=True)
class _Measured:
    """A file's sound, apart from whom it was played to."""

    path: Path
    sha256: str
    sample_rate_hz: int
    channels: int
    duration_s: float
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    clips: tuple[ManifestClip, ...]


@dataclass
class SoundFolder:
    """The folder given with --audio; a file that many people heard is measured once.

    Args:
        software: name and version of what imports.
    """

    folder: Path
    software: str
    _known: dict[tuple[str, object], _Measured] = field(default_factory=dict)
    _refused: dict[str, AudioError] = field(default_factory=dict)

    def sound_of(self, cells: Cells, participant_id: str, told: ToldSession) -> GivenSound | None:
        """A session's sound with its manifest; None where it was refused."""
        name = told.file or ""
        path = self._path(cells, told, name)
        if path is None:
            return None
        key = (name, (told.clips, told.affect))
        try:
            if name in self._refused:
                raise self._refused[name]
            if key not in self._known:
                self._known[key] = _measure(path, name, told)
        except AudioError as refusal:
            self._refused.setdefault(name, refusal)
            cells.refuse(told.row, told.column, f"{name}: {refusal.problem}", refusal.remedy)
            return None
        measured = self._known[key]
        outside = [c for c in told.clips if c.onset_s + c.duration_s > measured.duration_s + _TOLERANCE_S]
        if outside:
            end_s = outside[0].onset_s + outside[0].duration_s
            problem = f"a clip ends at {end_s:g} s, and {name} at {measured.duration_s:.3f} s"
            cells.refuse(told.row, told.column, problem, "write the clip's place in this very file")
            return None
        manifest = _manifest(measured, participant_id, told.session_id, name, self.software)
        return GivenSound(measured.path, manifest, cells.table.at(told.row, told.column))

    def _path(self, cells: Cells, told: ToldSession, name: str) -> Path | None:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name or not name.isprintable():
            remedy = "write the file's name as it lies in the folder given with --audio"
            cells.refuse(told.row, told.column, f"{name!r} is not a name in that folder", remedy)
            return None
        if parts.suffix.lower() not in KINDS:
            remedy = "convert it without loss (ffmpeg -i in.mp3 out.flac) and name that file"
            cells.refuse(told.row, told.column, f"{name} is neither FLAC nor WAV", remedy)
            return None
        path = self.folder / parts
        if not path.is_file():
            cells.refuse(
                told.row, told.column, f"{name} is not in {self.folder}", "put it there, or mend its name"
            )
            return None
        return path


def _measure(path: Path, name: str, told: ToldSession) -> _Measured:
    samples, sample_rate_hz = read_audio(path)
    duration_s = len(samples) / sample_rate_hz
    if duration_s < SHORTEST_S:
        problem = f"lasts {duration_s:.2f} s, and music emotion recognition needs {SHORTEST_S:g} s"
        raise AudioError(str(path), problem, "give the whole sound that was heard")
    blocks = block_loudness(samples, sample_rate_hz)
    whole: Sequence[ToldClip] = (ToldClip(0.0, duration_s, told.affect),)
    stim_file = _kept_name(name)
    return _Measured(
        path,
        file_sha256(path),
        sample_rate_hz,
        samples.shape[1],
        duration_s,
        _rounded(gated_loudness(blocks)),
        _rounded(true_peak_dbtp(samples)),
        tuple(_clip(samples, sample_rate_hz, blocks, stim_file, clip) for clip in told.clips or whole),
    )


def _clip(
    samples: NDArray[np.float32],
    sample_rate_hz: int,
    blocks: NDArray[np.float64],
    stim_file: str,
    told: ToldClip,
) -> ManifestClip:
    first = min(round(told.onset_s * sample_rate_hz), len(samples))
    last = min(round((told.onset_s + told.duration_s) * sample_rate_hz), len(samples))
    onset_s, end_s = first / sample_rate_hz, last / sample_rate_hz
    is_measurable = end_s - onset_s >= _MEASURABLE_S
    return ManifestClip(
        stim_file,
        onset_s,
        end_s - onset_s,
        told.affect,
        hashlib.sha256(samples[first:last].astype("<f4").tobytes()).hexdigest(),
        _rounded(loudness_between(blocks, onset_s, end_s)) if is_measurable else None,
    )


def _manifest(
    measured: _Measured, participant_id: str, session_id: str, name: str, software: str
) -> RenderManifest:
    """No plan was made here: what stands in its place is what the file says was meant, hashed."""
    meant = [(clip.onset_s, clip.duration_s, clip.affect) for clip in measured.clips]
    return RenderManifest(
        participant_id=participant_id,
        session_id=session_id,
        plan_sha256=canonical_sha256({"engine": ENGINE, "audio": measured.sha256, "clips": meant}),
        engine={"name": ENGINE, "version": software},
        models={f"imported file {name}": measured.sha256},
        licences={},
        seed=0,
        stim_file=_kept_name(name),
        audio_sha256=measured.sha256,
        sample_rate_hz=measured.sample_rate_hz,
        channels=measured.channels,
        duration_s=measured.duration_s,
        loudness_lufs=measured.loudness_lufs,
        true_peak_dbtp=measured.true_peak_dbtp,
        gain_db=0.0,
        clips=measured.clips,
        notes=("sound imported as it is: made, and set in its loudness, elsewhere",),
    )


def _kept_name(name: str) -> str:
    return "session" + PurePosixPath(name.replace("\\", "/")).suffix.lower()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
