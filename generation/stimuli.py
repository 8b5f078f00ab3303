"""Sound that is not composed: noise, silence, and files the study brings."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import samplerate
from numpy.typing import NDArray
from scipy import fft

from generation.audio import SAMPLE_RATE_HZ, read_audio
from generation.engine import SessionAudio
from study.errors import AudioError
from study.folder import file_sha256
from study.path import PathKind
from study.session import SessionPlan

STIMULI_VERSION = "1"
NOISE_FADE_S = 3.0
CROSSFADE_S = 3.0
END_FADE_S = 3.0

Stereo = NDArray[np.float32]


def make_stimulus(plan: SessionPlan, files_root: Path) -> SessionAudio:
    """The sound of a plan whose kind is not composed.

    Args:
        plan: of kind noise, silence, files, speech or self_selected.
        files_root: the folder that relative file names start from.

    Raises:
        AudioError: a file that cannot be used, or too little material.
        ValueError: a composed kind: those are an engine's.
    """
    n_samples = round(plan.duration_s * SAMPLE_RATE_HZ)
    match plan.path.kind:
        case PathKind.SILENCE:
            return _audio(plan, np.zeros((n_samples, 2), dtype=np.float32))
        case PathKind.NOISE:
            return _audio(plan, pink_noise(n_samples, plan.seed))
        case PathKind.FILES | PathKind.SPEECH | PathKind.SELF_SELECTED:
            return _joined_files(plan, n_samples, files_root)
        case kind:
            raise ValueError(f"{kind} is composed by an engine")


def _audio(
    plan: SessionPlan, samples: Stereo, models: Mapping[str, str] | None = None, notes: Sequence[str] = ()
) -> SessionAudio:
    return SessionAudio(plan, samples, models or MappingProxyType({}), MappingProxyType({}), tuple(notes))


def pink_noise(n_samples: int, seed: int) -> Stereo:
    """Noise whose power falls 3 dB an octave, two independent channels, faded in and out over 3 s.

    Made in the frequency domain from 20 Hz to half the sample rate (nothing
    below, so that no loudspeaker is moved by what nobody hears).

    Returns:
        float32, shape [n_samples, 2], root mean square 0.1 before the fades.
    """
    rng = np.random.default_rng(seed)
    period = fft.next_fast_len(n_samples, real=True)
    frequency = np.arange(period // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE_HZ / period)
    shape = np.where(
        frequency >= 20.0, 1.0 / np.sqrt(np.maximum(frequency, np.float32(20.0))), np.float32(0.0)
    )
    samples = np.empty((n_samples, 2), dtype=np.float32)
    for channel in range(2):
        white = rng.standard_normal(period, dtype=np.float32)
        pink = fft.irfft(fft.rfft(white) * shape, period)[:n_samples]
        samples[:, channel] = pink * (0.1 / np.sqrt(np.mean(pink**2)))
    fade = min(round(NOISE_FADE_S * SAMPLE_RATE_HZ), n_samples // 2)
    return _faded(samples, fade, fade)


def _joined_files(plan: SessionPlan, n_samples: int, files_root: Path) -> SessionAudio:
    if not plan.files:
        raise AudioError(
            f"{plan.participant_id} {plan.session_id}",
            f"an arm of kind {plan.path.kind} has no sound files",
            "name its files in the protocol",
        )
    paths = [files_root / name for name in plan.files]
    pieces = [stereo_at_rate(*read_audio(path)) for path in paths]
    overlaps = [
        min(round(CROSSFADE_S * SAMPLE_RATE_HZ), len(a) // 2, len(b) // 2)
        for a, b in itertools.pairwise(pieces)
    ]
    available = sum(map(len, pieces)) - sum(overlaps)
    if available < n_samples:
        missing_s = (n_samples - available) / SAMPLE_RATE_HZ
        raise AudioError(
            f"{plan.participant_id} {plan.session_id}",
            f"the files give {available / SAMPLE_RATE_HZ:.1f} s of the {plan.duration_s:g} s session,"
            f" {missing_s:.1f} s are missing",
            "name more or longer files",
        )
    samples = crossfaded(pieces, overlaps)[:n_samples]
    notes = [f"{len(pieces)} file(s) joined with equal-power crossfades of up to {CROSSFADE_S:g} s"]
    fade_out = min(round(END_FADE_S * SAMPLE_RATE_HZ), n_samples) if available > n_samples else 0
    if fade_out:
        notes.append(
            f"cut from {available / SAMPLE_RATE_HZ:.1f} s to {plan.duration_s:g} s"
            f" with a fade of {fade_out / SAMPLE_RATE_HZ:g} s"
        )
    models = {name: file_sha256(path) for name, path in zip(plan.files, paths, strict=True)}
    return _audio(plan, _faded(samples, 0, fade_out), models, notes)


def stereo_at_rate(samples: NDArray[np.float32], sample_rate_hz: int) -> Stereo:
    """Two channels at `SAMPLE_RATE_HZ`: mono twice; of more than two channels, the mean twice.

    Resampled by libsamplerate's best sinc (signal-to-noise 144 dB, bandwidth 96 %).

    Args:
        samples: float32, shape [n_samples, n_channels].
    """
    if samples.shape[1] != 2:
        samples = np.repeat(samples.mean(axis=1, keepdims=True, dtype=np.float32), 2, axis=1)
    if sample_rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampled = samplerate.resample(samples, SAMPLE_RATE_HZ / sample_rate_hz, "sinc_best")
    return np.asarray(resampled, dtype=np.float32)


def crossfaded(pieces: Sequence[Stereo], overlaps: Sequence[int]) -> Stereo:
    """Pieces joined so that neighbours overlap and their powers sum to one.

    Args:
        overlaps: samples shared by each piece and the next, at most half of either.
    """
    joined = np.zeros((sum(map(len, pieces)) - sum(overlaps), 2), dtype=np.float32)
    at = 0
    for piece, before, after in zip(pieces, [0, *overlaps], [*overlaps, 0], strict=True):
        joined[at : at + len(piece)] += _faded(piece, before, after)
        at += len(piece) - after
    return joined


def _faded(samples: Stereo, fade_in: int, fade_out: int) -> Stereo:
    """A copy with quarter-sine ends: where one fades out as another fades in, power stays equal."""
    faded = samples.copy()
    if fade_in:
        faded[:fade_in] *= _quarter_sine(fade_in)
    if fade_out:
        faded[-fade_out:] *= _quarter_sine(fade_out)[::-1]
    return faded


def _quarter_sine(n_samples: int) -> NDArray[np.float32]:
    phase = (np.arange(n_samples, dtype=np.float32) + np.float32(0.5)) / np.float32(n_samples)
    return np.asarray(np.sin(phase * np.float32(np.pi / 2)), dtype=np.float32)[:, None]
