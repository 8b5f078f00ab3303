"""The sound of `isopath compose`, and everything that is written with it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.cli.compose_files import Outputs, staged
from dashboards.cli.playback import Playback
from dashboards.cli.player import Player
from generation.audio import SAMPLE_RATE_HZ, Mastered, master, write_audio
from generation.composer.engine import ComposerEngine, cpu_features
from generation.composer.score import Part, Score
from generation.composer.sound.mix import Stereo, render_blocks
from generation.composer.sound.sources import provenance
from generation.engine import MusicEngine, Placement
from generation.registry import load_engine
from generation.sound_blocks import Sound, SoundOnDisk, blank_sound, collected, scaled
from study.folder import file_sha256
from study.session import SessionPlan

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Made:
    """A session's sound before mastering, and where it comes from.

    Args:
        sound: shape [n_frames, 2].
        rate_hz: its sample rate.
        models, licences, takes: as in a manifest.
        score: its notes, where they are wanted and the engine writes any.
    """

    sound: Sound
    rate_hz: int
    models: Mapping[str, str]
    licences: Mapping[str, str]
    takes: int = 0
    score: Score | None = None


def make_files(
    plan: SessionPlan,
    placement: Placement,
    rate_hz: int,
    outputs: Outputs | None,
    player: Player | None,
    composing: Progress,
    playing: Progress = lambda _: None,
) -> dict[str, Any]:
    """Make a session, play it while it is made, and write its files: all of them, or none.

    Args:
        rate_hz: of the sound.
        outputs: what to write; None: nothing.
        player: where it is heard while it is made; None: nowhere.
        composing, playing: called with the share that is made, and that was heard.

    Returns:
        The result as `--json` prints it.

    Raises:
        IsopathError: the engine cannot make it, the player fails, or the disk takes no more.
    """
    engine = load_engine(plan.engine, placement)
    folder = outputs.sound.parent if outputs else Path(tempfile.gettempdir())
    wants_notes = outputs is not None and outputs.needs_notes
    with ExitStack() as stack:
        if isinstance(engine, ComposerEngine):
            sound = blank_sound(round(plan.duration_s * rate_hz), 2, folder)
            playback = None
            if player is not None:
                playback = stack.enter_context(Playback(player, sound, rate_hz, playing))
            made = _composed(engine, plan, rate_hz, sound, wants_notes, playback, composing)
        else:
            audio = next(iter(engine.generate([plan], composing)))
            made = Made(audio.sound, SAMPLE_RATE_HZ, audio.models, audio.licences, len(audio.takes))
        # Leaving the block waits until all is heard.
        written = _written(engine, plan, made, outputs) if outputs else {}
    return _facts(engine, plan, made) | written


def _composed(
    engine: ComposerEngine,
    plan: SessionPlan,
    rate_hz: int,
    sound: NDArray[np.float32] | SoundOnDisk,
    wants_notes: bool,
    playback: Playback | None,
    composing: Progress,
) -> Made:
    """The composer's session, written into `sound` block by block."""
    done = 0
    instruments: set[str] = set()
    for block in engine.stream(plan, rate_hz, instruments=instruments):
        sound[done : done + len(block)] = block
        done += len(block)
        if playback is not None:
            playback.announce(done)
        composing(done / len(sound))
    # Three hours of notes are a hundred megabytes.
    score = engine.compose(plan) if wants_notes else None
    hashes, licences = provenance(engine.sampler(), instruments)
    models = {"composer": engine.version, **hashes, "cpu_features": cpu_features()}
    return Made(sound, rate_hz, models, {"composer": "Apache-2.0", **licences}, score=score)


def _written(engine: MusicEngine, plan: SessionPlan, made: Made, outputs: Outputs) -> dict[str, Any]:
    out = outputs.sound
    mastered = master(made.sound, made.rate_hz, plan.loudness_lufs)
    beside: dict[str, str] = {}
    with staged(out.parent, out.name) as folder:
        if made.score is not None and isinstance(engine, ComposerEngine):
            from dashboards.cli.compose_audit import write_audit

            stems = _write_stems(folder, outputs, engine, plan, made, mastered) if outputs.stems else {}
            # Pictures need the room that the tones took.
            engine.sampler().forget()
            beside |= write_audit(folder, outputs, plan, made.score, engine.curves(plan)) | stems
        write_audio(folder / out.name, mastered.sound, made.rate_hz)
        sha256 = file_sha256(folder / out.name)
    return {
        "file": str(out),
        "sha256": sha256,
        "loudness_lufs": mastered.loudness_lufs,
        "true_peak_dbtp": mastered.true_peak_dbtp,
        "gain_db": mastered.gain_db,
        "limited_db": mastered.limited_db,
        "beside": beside,
    }


def _write_stems(
    folder: Path, outputs: Outputs, engine: ComposerEngine, plan: SessionPlan, made: Made, mastered: Mastered
) -> dict[str, str]:
    """Each part alone at the whole's gain: together they are the whole before its limiter."""
    written: dict[str, str] = {}
    score, curves = made.score, engine.curves(plan)
    if score is None:
        return written
    for part in Part:
        if not any(note.part is part for note in score.notes):
            continue
        blocks: Iterable[Stereo] = render_blocks(score, curves, engine.sampler(), made.rate_hz, {part})
        stem = collected(blocks, len(made.sound), folder, lambda _: None)
        path = outputs.stem(part)
        write_audio(folder / path.name, scaled(stem, 10.0 ** (mastered.gain_db / 20.0)), made.rate_hz)
        if isinstance(stem, SoundOnDisk):
            stem.close()
        written[f"stem of the {part}"] = str(path)
    return written


def _facts(engine: MusicEngine, plan: SessionPlan, made: Made) -> dict[str, Any]:
    return {
        "file": None,
        "sha256": None,
        "duration_s": len(made.sound) / made.rate_hz,
        "sample_rate_hz": made.rate_hz,
        "loudness_lufs": None,
        "true_peak_dbtp": None,
        "engine": {"name": engine.name, "version": engine.version, **plan.engine.options},
        "seed": plan.seed,
        "start": [plan.start.valence, plan.start.arousal],
        "target": [plan.target.valence, plan.target.arousal],
        "largest_step": plan.path.largest_step,
        "models": dict(made.models),
        "licences": dict(made.licences),
        "takes": made.takes,
        "beside": {},
    }
