"""From plans to files: each session's sound and its manifest, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from generation.audio import SAMPLE_RATE_HZ, Mastered, master, write_audio
from generation.engine import AffectJudge, DiskEngine, MusicEngine, Progress, SessionAudio
from generation.file_measures import FileMeasures, measure_file
from generation.planned_affect import planned_mean
from generation.session_folder import SOUND, check_room, place_of, read_session, write_session
from generation.sound_blocks import SoundOnDisk
from generation.stimuli import STIMULI_VERSION, make_stimulus
from study.errors import AudioError
from study.folder import sweep
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
    maker = engine.working_in(out_dir) if isinstance(engine, DiskEngine) else engine
    sounds = _composed([plans[n] for n in composed], maker, lambda share: advance(half * share), judge)
    for number, sound in zip(composed, sounds, strict=True):
        manifests[number] = _write(place_of(out_dir, plans[number]), sound, _names(engine))
        if isinstance(sound.sound, SoundOnDisk):
            sound.sound.close()
        made += 1.0 - _COMPOSING_SHARE
    for number in others:
        sound = make_stimulus(plans[number], files_root if files_root is not None else out_dir.parent)
        stimuli = {"name": "stimuli", "version": STIMULI_VERSION}
        manifests[number] = _write(place_of(out_dir, plans[number]), sound, stimuli)
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
    n_samples, n_channels = sound.sound.shape
    if n_channels != 2 or abs(n_samples - expected) > 1:
        raise AudioError(
            session,
            f"the engine gave {n_samples} samples on {n_channels} channel(s), not {expected} on 2",
            "report this to the engine's makers",
        )
    try:
        return master(sound.sound, SAMPLE_RATE_HZ, plan.loudness_lufs)
    except AudioError as refusal:
        raise AudioError(session, refusal.problem, refusal.remedy) from refusal


def _written(
    sound: SessionAudio, mastered: Mastered, engine: Mapping[str, str], folder: Path
) -> RenderManifest:
    """Write the sound, and say what the file holds, measured on the file itself."""
    path, plan = folder / SOUND, sound.plan
    write_audio(path, mastered.sound, SAMPLE_RATE_HZ)
    edges_s = clip_edges(len(mastered.sound) / SAMPLE_RATE_HZ, plan.clip_s)
    held = measure_file(path, mastered.sound.shape, edges_s)
    limited = [f"a limiter lowered peaks by up to {mastered.limited_db:.1f} dB"] * (mastered.limited_db > 0)
    return RenderManifest(
        participant_id=plan.participant_id,
        session_id=plan.session_id,
        plan_sha256=plan.sha256,
        engine=dict(engine),
        models=dict(sound.models),
        licences=dict(sound.licences),
        seed=plan.seed,
        stim_file=path.name,
        audio_sha256=held.audio_sha256,
        sample_rate_hz=held.sample_rate_hz,
        channels=held.n_channels,
        duration_s=held.n_frames / held.sample_rate_hz,
        loudness_lufs=_rounded(held.loudness_lufs),
        true_peak_dbtp=_rounded(held.true_peak_dbtp),
        gain_db=round(mastered.gain_db, 3),
        clips=tuple(_clips(plan, edges_s, held)),
        notes=(*sound.notes, *limited),
        takes=sound.takes,
        seams=sound.seams,
        rendering=dict(sound.rendering),
    )


def clip_edges(length_s: float, clip_s: float) -> list[float]:
    """Where a session's clips begin, in seconds, and where the last one ends."""
    whole = int(length_s / clip_s + 1e-9)
    rest_s = length_s - whole * clip_s
    onsets = [i * clip_s for i in range(whole + (rest_s >= _SHORTEST_CLIP_S))] or [0.0]
    return [*onsets, length_s]


def _clips(plan: SessionPlan, edges_s: Sequence[float], held: FileMeasures) -> Iterator[ManifestClip]:
    for (onset_s, end_s), clip in zip(pairwise(edges_s), held.clips, strict=True):
        yield ManifestClip(
            stim_file=SOUND,
            onset_s=clip.first / held.sample_rate_hz,
            duration_s=(clip.last - clip.first) / held.sample_rate_hz,
            affect=planned_mean(plan.path, onset_s, end_s) if plan.path.has_affect else None,
            sha256=clip.sha256,
            loudness_lufs=_rounded(clip.loudness_lufs),
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
