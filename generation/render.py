"""From plans to files: each session's sound and its manifest, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ, Mastered, master, read_audio, true_peak_dbtp, write_audio
from generation.engine import AffectJudge, MusicEngine, Progress, SessionAudio
from generation.loudness import block_loudness, gated_loudness, loudness_between
from generation.planned_affect import planned_mean
from generation.session_folder import SOUND, check_room, place_of, read_session, write_session
from generation.stimuli import STIMULI_VERSION, make_stimulus
from study.errors import AudioError
from study.folder import file_sha256, sweep
from study.manifest import ManifestClip, RenderManifest
from study.session import SessionPlan

#: A last clip shorter than this has no loudness of its own and joins the one before.
_SHORTEST_CLIP_S = 0.4
#: Mastering and writing a composed session take about as long as composing it.
_COMPOSING_SHARE = 0.5


def render_sessions(
    plans: Sequence[SessionPlan],
    engine: MusicEngine | None,
    out_dir: Path,
    progress: Progress,
    judge: AffectJudge | None = None,
    files_root: Path | None = None,
) -> list[RenderManifest]:
    """Each plan's sound as ``<out_dir>/<participant_id>/<session_id>/session.flac`` with ``manifest.json``.

    A session's folder appears whole or not at all, each as soon as it is
    ready. One already rendered from the same plan is kept as it is, so that an
    interrupted render goes on where it stopped when called again.

    Args:
        engine: makes the composed kinds; None will do where there are none.
        progress: called with the share done, 0 to 1.
        judge: chooses among candidates, for an engine whose options ask for several.
        files_root: where relative names in ``plan.files`` start; the folder above
            `out_dir` by default, which is the study's.

    Returns:
        One manifest per plan, in plan order.

    Raises:
        AudioError: sound that cannot be used; names the session.
        StorageError: the disk is full or not writable, or the place holds a
            session of another plan; nothing is overwritten.
        Whatever the engine refuses. Sessions finished by then are kept.
    """
    manifests: dict[int, RenderManifest] = {}
    for number, plan in enumerate(plans):
        folder = place_of(out_dir, plan)
        sweep(folder)
        kept = read_session(folder, plan)
        if kept is not None:
            manifests[number] = kept
    pending = [number for number in range(len(plans)) if number not in manifests]
    check_room(out_dir, max((plans[n].duration_s for n in pending), default=0.0))
    made = float(len(manifests))

    def advance(composed_share: float) -> None:
        progress(min((made + composed_share) / max(len(plans), 1), 1.0))

    composed = [n for n in pending if plans[n].path.kind.is_composed]
    others = [n for n in pending if n not in composed]
    half = _COMPOSING_SHARE * len(composed)
    sounds = _composed([plans[n] for n in composed], engine, lambda share: advance(half * share), judge)
    for number, sound in zip(composed, sounds, strict=True):
        manifests[number] = _write(place_of(out_dir, plans[number]), sound, _names(engine))
        made += 1.0 - _COMPOSING_SHARE
    for number in others:
        sound = make_stimulus(plans[number], files_root if files_root is not None else out_dir.parent)
        maker = {"name": "stimuli", "version": STIMULI_VERSION}
        manifests[number] = _write(place_of(out_dir, plans[number]), sound, maker)
        made += 1.0
        advance(half)
    progress(1.0)
    return [manifests[number] for number in range(len(plans))]


def _names(engine: MusicEngine | None) -> Mapping[str, str]:
    return {"name": engine.name, "version": engine.version} if engine else {}


def _composed(
    plans: Sequence[SessionPlan], engine: MusicEngine | None, progress: Progress, judge: AffectJudge | None
) -> Iterator[SessionAudio]:
    if not plans:
        return
    if engine is None:
        raise ValueError("composed plans need an engine")
    yield from engine.generate(plans, progress, judge)


def _write(folder: Path, sound: SessionAudio, engine: Mapping[str, str]) -> RenderManifest:
    mastered = _mastered(sound)
    return write_session(folder, sound.plan.duration_s, partial(_written, sound, mastered, engine))


def _mastered(sound: SessionAudio) -> Mastered:
    plan, expected = sound.plan, round(sound.plan.duration_s * SAMPLE_RATE_HZ)
    session = f"{plan.participant_id} {plan.session_id}"
    n_samples, n_channels = sound.samples.shape
    if n_channels != 2 or abs(n_samples - expected) > 1:
        raise AudioError(
            session,
            f"the engine gave {n_samples} samples on {n_channels} channel(s), not {expected} on 2",
            "report this to the engine's makers",
        )
    try:
        return master(sound.samples, SAMPLE_RATE_HZ, plan.loudness_lufs)
    except AudioError as refusal:
        raise AudioError(session, refusal.problem, refusal.remedy) from refusal


def _written(
    sound: SessionAudio, mastered: Mastered, engine: Mapping[str, str], folder: Path
) -> RenderManifest:
    """Write the sound, and say what the file holds, measured on the file itself."""
    path = folder / SOUND
    write_audio(path, mastered.samples, SAMPLE_RATE_HZ)
    samples, sample_rate_hz = read_audio(path)
    blocks = block_loudness(samples, sample_rate_hz)
    limited = [f"a limiter lowered peaks by up to {mastered.limited_db:.1f} dB"] * (mastered.limited_db > 0)
    return RenderManifest(
        participant_id=sound.plan.participant_id,
        session_id=sound.plan.session_id,
        plan_sha256=sound.plan.sha256,
        engine=dict(engine),
        models=dict(sound.models),
        licences=dict(sound.licences),
        seed=sound.plan.seed,
        stim_file=path.name,
        audio_sha256=file_sha256(path),
        sample_rate_hz=sample_rate_hz,
        channels=samples.shape[1],
        duration_s=len(samples) / sample_rate_hz,
        loudness_lufs=_rounded(gated_loudness(blocks)),
        true_peak_dbtp=_rounded(true_peak_dbtp(samples)),
        gain_db=round(mastered.gain_db, 3),
        clips=tuple(_clips(sound.plan, samples, blocks)),
        notes=(*sound.notes, *limited),
        takes=sound.takes,
        seams=sound.seams,
        rendering=dict(sound.rendering),
    )


def _clips(
    plan: SessionPlan, samples: NDArray[np.float32], blocks: NDArray[np.float64]
) -> Iterator[ManifestClip]:
    length_s = len(samples) / SAMPLE_RATE_HZ
    whole = int(length_s / plan.clip_s + 1e-9)
    rest_s = length_s - whole * plan.clip_s
    onsets = [i * plan.clip_s for i in range(whole + (rest_s >= _SHORTEST_CLIP_S))] or [0.0]
    for onset_s, end_s in zip(onsets, [*onsets[1:], length_s], strict=True):
        first, last = (round(at * SAMPLE_RATE_HZ) for at in (onset_s, end_s))
        yield ManifestClip(
            stim_file=SOUND,
            onset_s=first / SAMPLE_RATE_HZ,
            duration_s=(last - first) / SAMPLE_RATE_HZ,
            affect=planned_mean(plan.path, onset_s, end_s) if plan.path.has_affect else None,
            sha256=hashlib.sha256(samples[first:last].astype("<f4").tobytes()).hexdigest(),
            loudness_lufs=_rounded(loudness_between(blocks, onset_s, end_s)),
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
