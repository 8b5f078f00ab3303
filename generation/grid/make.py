"""Making a grid: every clip is a session of one constant waypoint, made as sessions of a study are.

An engine is given all clips of its system at once, so that its batches span them. Each is kept raw as soon
as it is ready, and written under the system's one gain when all of them are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generation.audio import SAMPLE_RATE_HZ, integrated_loudness, true_peak_dbtp
from generation.clip_grid import ClipGrid, GridClip, GridSystem
from generation.engine import AffectJudge, MusicEngine, Placement, Progress, SessionAudio
from generation.grid.engines import load_engines, load_system
from generation.grid.kept import GridFolder, Maker, RawClip
from generation.grid.level import levelled, system_gain
from generation.grid.parts import parts_of
from generation.grid.request import GridRequest, SystemSpec, each_at
from generation.musicgen.trained.part_taken import trained_folders
from study.canonical import plain
from study.errors import AudioError, IsopathError, ModelError, StorageError, refuse
from study.folder import file_sha256
from study.session import SessionPlan

LoadJudge = Callable[[str], AffectJudge]
"""Gives the judge of that name; `analysis.mer.judge.load_judge` is one."""


def make_grid(
    request: GridRequest, folder: Path, load_judge: LoadJudge, placement: Placement, progress: Progress
) -> ClipGrid:
    """Make every clip that does not lie there yet, and write the grid's manifest.

    The same request gives the same bytes of every clip, as far as its engine promises. A system that
    cannot be made is a fault of the grid, and the others are made all the same; what it had made is kept for
    the next run. Called again after a kill, it goes on where it stopped.

    Args:
        folder: new, empty, or of the same request.
        load_judge: for systems that choose among candidates.
        progress: told the share done, 0 to 1.

    Raises:
        UnknownName, OutOfRange, Refusals: an engine that is not installed, or options that it refuses.
        StorageError: the folder holds something else, or the disk does not take more.
        IsopathError: not one system could be made.
    """
    kept = GridFolder(folder, _everything(request, load_engines(request.systems, placement)))
    with kept.held():
        return _made(request, kept, load_judge, placement, progress)


def _made(
    request: GridRequest, kept: GridFolder, load_judge: LoadJudge, placement: Placement, progress: Progress
) -> ClipGrid:
    systems: list[GridSystem] = []
    clips: list[GridClip] = []
    refused: list[IsopathError] = []
    made_with = {"isopath": version("isopath"), "device": placement.device}
    for number, spec in enumerate(request.systems):

        def advance(share: float, before: int = number) -> None:
            progress((before + share) / len(request.systems))

        try:
            # An engine keeps its weights as long as it lives: one at a time is in memory.
            engine = load_system(spec, "", placement)
            _make(request, spec, engine, _judge(spec, load_judge), kept, advance)
            system = _system(spec, kept)
        except StorageError:
            raise
        except IsopathError as refusal:
            refused.append(_named(spec, refusal))
            continue
        systems.append(system)
        clips += _clips(request, spec, kept)
        made_with |= (kept.of(spec.name).maker or _NOBODY).made_with
    if not systems:
        refuse(refused)
    progress(1.0)
    grid = ClipGrid(request.name, tuple(systems), tuple(clips), made_with, tuple(map(str, refused)))
    grid.write(kept.root)
    return grid


_NOBODY = Maker({}, {}, (), {})


def _named(spec: SystemSpec, refusal: IsopathError) -> IsopathError:
    each = list(each_at("", refusal))
    told = "; ".join(f"{one.where}: {one.problem}" for one in each)
    remedy = each[0].remedy if len(each) == 1 else "mend them and run again: what was made is kept"
    return ModelError(f"system {spec.name}", told, remedy)


def _everything(request: GridRequest, engines: Sequence[MusicEngine]) -> dict[str, Any]:
    """What the folder is for: the request, the engines' versions, and the bytes of files it names."""
    folders = {folder for system in request.systems for _, folder in trained_folders(system.options)}
    files = {
        str(file): file_sha256(file)
        for folder in folders
        if folder.is_dir()
        for file in folder.iterdir()
        if file.suffix in _TRAINED
    }
    versions = {system.name: engine.version for system, engine in zip(request.systems, engines, strict=True)}
    return {**plain(request), "engine_versions": versions, "trained_files": files}


_TRAINED = (".safetensors", ".bin", ".pt")


def _judge(spec: SystemSpec, load_judge: LoadJudge) -> AffectJudge | None:
    name = spec.options.get("judge")
    return load_judge(name) if isinstance(name, str) else None


def _make(
    request: GridRequest,
    spec: SystemSpec,
    engine: MusicEngine,
    judge: AffectJudge | None,
    kept: GridFolder,
    progress: Progress,
) -> None:
    missing = [one for one in request.wanted if not kept.has_written(spec.name, one.clip_id)]
    pending = [one for one in missing if not kept.has_raw(spec.name, one.clip_id)]
    plans = [request.plan(spec, one) for one in pending]
    for wanted, sound in zip(pending, _sounds(spec, engine, plans, progress, judge), strict=True):
        _check_shape(sound, request.clip_s)
        if kept.of(spec.name).maker is None:
            kept.keep_maker(spec.name, _maker(sound))
        kept.keep_raw(spec.name, wanted.clip_id, sound.samples, _raw(sound))
    raw = [kept.of(spec.name).raw[one.clip_id] for one in request.wanted]
    gain = kept.of(spec.name).gain
    if gain is None:
        gain = system_gain([one.loudness_lufs for one in raw], [one.true_peak_dbtp for one in raw])
        kept.keep_gain(spec.name, gain)
    for wanted in missing:
        samples = kept.raw_samples(spec.name, wanted.clip_id)
        content, lufs = levelled(samples, gain.gain_db)
        kept.keep_written(spec.name, wanted.clip_id, content, len(samples) / SAMPLE_RATE_HZ, lufs)
    kept.forget_raw(spec.name)
    progress(1.0)


def _sounds(
    spec: SystemSpec,
    engine: MusicEngine,
    plans: Sequence[SessionPlan],
    progress: Progress,
    judge: AffectJudge | None,
) -> Iterator[SessionAudio]:
    """The engine's sound; whatever else goes wrong in it is told as its fault, so that others can go on."""
    if not plans:
        return
    sounds: Iterator[SessionAudio] | None = None
    while True:
        try:
            if sounds is None:
                sounds = engine.generate(plans, progress, judge)
            sound = next(sounds, None)
        except IsopathError:
            raise
        except Exception as fault:
            raise ModelError(
                f"engine {spec.engine}",
                f"failed: {type(fault).__name__}: {fault}",
                "report this to the engine's makers",
            ) from fault
        if sound is None:
            return
        yield sound


def _check_shape(sound: SessionAudio, clip_s: float) -> None:
    n_samples, n_channels = sound.samples.shape
    expected = round(clip_s * SAMPLE_RATE_HZ)
    if n_channels != 2 or abs(n_samples - expected) > 1:
        raise AudioError(
            sound.plan.session_id,
            f"the engine gave {n_samples} samples on {n_channels} channel(s), not {expected} on 2",
            "report this to the engine's makers",
        )


def _maker(sound: SessionAudio) -> Maker:
    libraries = sound.rendering.get("libraries", {})
    device = sound.rendering.get("device_name")
    made_with = {**libraries, **({"device name": str(device)} if device else {})}
    # In the order in which the journal gives them back.
    models, licences = dict(sorted(sound.models.items())), dict(sorted(sound.licences.items()))
    return Maker(models, licences, tuple(sound.notes), dict(sorted(made_with.items())))


def _raw(sound: SessionAudio) -> RawClip:
    loudness = integrated_loudness(sound.samples, SAMPLE_RATE_HZ)
    prompts = [take.prompt for take in sound.takes if take.is_heard and take.prompt]
    return RawClip("", loudness, true_peak_dbtp(sound.samples), prompts[0] if prompts else None)


def _system(spec: SystemSpec, kept: GridFolder) -> GridSystem:
    known = kept.of(spec.name)
    maker = known.maker or _NOBODY
    return GridSystem(
        name=spec.name,
        title=spec.title,
        engine=spec.engine,
        options=plain(spec.options),
        took_part=parts_of(spec),
        role=spec.role,
        models=maker.models,
        licences=maker.licences,
        notes=(*maker.notes, *([known.gain.sentence] if known.gain else [])),
        ceilings=spec.ceilings,
    )


def _clips(request: GridRequest, spec: SystemSpec, kept: GridFolder) -> Iterator[GridClip]:
    known = kept.of(spec.name)
    for wanted in request.wanted:
        written, raw = known.written[wanted.clip_id], known.raw[wanted.clip_id]
        yield GridClip(
            system=spec.name,
            target_id=wanted.target.target_id,
            target=wanted.target.affect,
            seed=wanted.seed,
            stim_file=kept.stim_file(spec.name, wanted.clip_id),
            sha256=written.sha256,
            duration_s=written.duration_s,
            loudness_lufs=written.loudness_lufs,
            prompt=raw.prompt,
        )
