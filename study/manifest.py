"""How a session's sound came to be, written beside it as ``manifest.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from study.affect import Affect
from study.canonical import plain

MANIFEST_VERSION = 2
"""1 had no `takes`, `seams` and `rendering`; it is read as one whose engine made no clips."""


@dataclass(frozen=True)
class ManifestClip:
    """One clip of a rendered session.

    Args:
        stim_file: file name relative to the manifest.
        onset_s, duration_s: where in the file it sounds.
        affect: planned mean over the clip; None without planned affect.
        sha256: of the clip's float32 samples as decoded from the file, little-endian.
        loudness_lufs: integrated over the clip; None where it is silent.
    """

    stim_file: str
    onset_s: float
    duration_s: float
    affect: Affect | None
    sha256: str
    loudness_lufs: float | None


@dataclass(frozen=True)
class Take:
    """One clip that an engine generated for a session: heard, or passed over for a better one.

    Args:
        onset_s, duration_s: where in the session it was meant to sound, its overlaps included.
        affect: what it aimed at.
        candidate: which attempt at this place, from 0.
        is_heard: whether it is in the session.
        codes_sha256: of its codec tokens, int16, little-endian, shape [codebooks, frames].
        near_ties: draws so close that rounding may decide them differently on another machine or batch.
        valence_pred, arousal_pred: what the judge heard in it; None without a judge.
    """

    onset_s: float
    duration_s: float
    affect: Affect
    prompt: str
    seed: int
    candidate: int
    is_heard: bool
    codes_sha256: str
    near_ties: int
    valence_pred: float | None = None
    arousal_pred: float | None = None


@dataclass(frozen=True)
class Seam:
    """Where one clip gives way to the next.

    Args:
        at_s: middle of the crossfade in the session.
        fade_s: its length.
        shift_s: how far the later clip was moved so that the beats meet.
        loudness_step_lu: loudness of the second after minus that of the second before.
        onset_ratio: strongest onset in the crossfade over the 95th percentile inside the two clips.
        flux_ratio: the same of spectral flux.
    """

    at_s: float
    fade_s: float
    shift_s: float
    loudness_step_lu: float | None
    onset_ratio: float
    flux_ratio: float


@dataclass(frozen=True)
class RenderManifest:
    """What was rendered, from what, with what.

    Args:
        engine: name and version.
        models: name to version or SHA-256 of everything that shaped the sound.
        licences: name to licence of the same.
        audio_sha256: of the audio file's bytes.
        gain_db: applied to reach the study's loudness.
        true_peak_dbtp: of the file.
        takes: the clips of an engine that generates clips, with those that were not chosen.
        seams: where those clips were joined.
        rendering: device, precision, libraries and batch layout, as the engine tells them.
    """

    participant_id: str
    session_id: str
    plan_sha256: str
    engine: Mapping[str, str]
    models: Mapping[str, str]
    licences: Mapping[str, str]
    seed: int
    stim_file: str
    audio_sha256: str
    sample_rate_hz: int
    channels: int
    duration_s: float
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    gain_db: float
    clips: tuple[ManifestClip, ...]
    notes: tuple[str, ...] = ()
    takes: tuple[Take, ...] = ()
    seams: tuple[Seam, ...] = ()
    rendering: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    manifest_version: int = MANIFEST_VERSION

    def to_json(self) -> str:
        """The manifest as indented JSON with sorted keys."""
        return json.dumps(plain(self), indent=2, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RenderManifest:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        clips = tuple(ManifestClip(**_with_affect(clip)) for clip in fields["clips"])
        takes = tuple(Take(**_with_affect(take)) for take in fields.get("takes", ()))
        seams = tuple(Seam(**seam) for seam in fields.get("seams", ()))
        notes = tuple(fields["notes"])
        return cls(**{**fields, "clips": clips, "takes": takes, "seams": seams, "notes": notes})


def _with_affect(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "affect": Affect(**fields["affect"]) if fields["affect"] else None}
