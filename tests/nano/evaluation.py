"""The evaluation: every system for every target, and ceilings of held-out music, heard by two predictors."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from analysis.generator.evaluation import Evaluation, evaluate
from analysis.generator.heard import HeardGrid, ShareDone, hear_grid
from analysis.generator.page import write_page
from analysis.mer.judge import load_judge
from analysis.mer.registry import load_predictors
from generation.audio import SAMPLE_RATE_HZ, read_audio, write_audio
from generation.clip_grid import ClipGrid, Part, Role
from generation.engine import Placement
from generation.grid.ceiling import Cut, add_ceiling
from generation.grid.make import make_grid
from generation.grid.request import GridRequest, GridTarget, Seeds, SystemSpec, square
from generation.grid.trained_run import read_run
from generation.musicgen.sound import SoundDecoder
from generation.musicgen.sound_encoder import SoundEncoder
from generation.musicgen.weights.checkpoint import load_checkpoint
from generation.training.labelled_file import read_labelled
from generation.training.run_folder import RunFolder
from generation.training.tracks import Split
from tests.nano.composed import LICENCE, PROMPTS
from tests.nano.corpora import Corpora
from tests.nano.models import RUNS, UNTRAINED
from tests.nano.recipes import AFFECT, BASE, GAMES, LABELLED_BY, REPORTED_BY, WORDS
from tests.nano.scale import Scale
from tests.nano.stages import Stages

PREDICTORS = (REPORTED_BY, LABELLED_BY)
"""The first reports; the second took part, and its figures are marked."""

COMPOSED, CODED, PLAYED = "composed-heldout", "composed-coded", "games-heldout"
CODED_GAIN = 0.5
"""Of sound from the codec before it is written: its peaks differ from the sound it was made of."""

SHARED = MappingProxyType({LABELLED_BY: (Part.SHARED_CUES,)})
"""The composer sets the very cues that this predictor reads: it has a part in all its music's places."""


@dataclass(frozen=True)
class _Ceiling:
    name: str
    title: str
    cuts: tuple[Cut, ...]
    took_part: Mapping[str, tuple[Part, ...]]
    licences: Mapping[str, str]
    notes: tuple[str, ...]


def targets_of(scale: Scale) -> tuple[GridTarget, ...]:
    """The targets of the evaluation: none of them was composed for."""
    return square(scale.targets)


def systems_of(scale: Scale, folder: Path, with_games: bool) -> tuple[SystemSpec, ...]:
    """Everything that makes clips, in the order of the table."""
    base = str((folder / RUNS / BASE / "model").resolve())
    own = (COMPOSED, CODED)
    draw = {
        "guidance_scale": scale.guidance_scale,
        "top_k": scale.top_k,
        "temperature": scale.temperature,
    }

    def trained(name: str, title: str, **more: object) -> SystemSpec:
        options = {**read_run(folder / RUNS / name).options(), **draw}
        ceilings = (PLAYED,) if name == GAMES else own
        ending = f"-best-of-{scale.candidates}" if more else ""
        return SystemSpec(f"{name}{ending}", title, "musicgen", {**options, **more}, ceilings=ceilings)

    told = {"model": base, **draw}
    best = {"candidates": scale.candidates, "judge": LABELLED_BY}
    return (
        SystemSpec(
            "base-words", "base with words", "musicgen", {**told, "prompts": PROMPTS}, Role.BASE, ceilings=own
        ),
        SystemSpec(
            "base-numeric", "base with numbers", "musicgen", {**told, "prompts": "numeric"}, ceilings=own
        ),
        trained(WORDS, "LoRA with words"),
        trained(AFFECT, "LoRA + V/A"),
        *([trained(GAMES, "LoRA + V/A (game music)")] if with_games else []),
        trained(AFFECT, f"LoRA + V/A, best of {scale.candidates} by {LABELLED_BY}", **best),
        SystemSpec("composer", "rule-based composer", "composer", {}, ceilings=(COMPOSED,)),
    )


def make_clips(scale: Scale, corpora: Corpora, folder: Path, stages: Stages) -> ClipGrid:
    """The grid, whole with its ceilings; what lies there already is not made again."""
    grid_folder = folder / "grid"
    request = GridRequest(
        name=f"small models trained from nothing (scale {scale.name})",
        systems=systems_of(scale, folder, bool(corpora.tracks)),
        targets=targets_of(scale),
        seeds=Seeds(scale.seeds),
        clip_s=scale.clip_s,
    )
    with stages.shares("making the clips") as part:
        grid = make_grid(request, grid_folder, load_judge, Placement(scale.device), part(""))
    ceilings = _ceilings(scale, corpora, folder)
    with stages.stage("ceilings", len(ceilings)) as advance:
        for ceiling in ceilings:
            grid = add_ceiling(
                grid_folder,
                grid,
                ceiling.name,
                ceiling.title,
                ceiling.cuts,
                ceiling.took_part,
                ceiling.licences,
                ceiling.notes,
            )
            advance()
    return grid


def hear(scale: Scale, grid: ClipGrid, folder: Path, jobs: int, stages: Stages) -> Evaluation:
    """Hear, score, and write the pages beside the grid."""
    with stages.shares("hearing") as part:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            # What each process heard is kept on disk, and read from there.
            list(pool.map(_hear_part, repeat(folder), range(jobs), repeat(jobs)))
        heard = _heard(grid, folder, part(""))
    with stages.stage("scoring", 1):
        evaluation = evaluate(heard, scale.n_bootstrap)
        write_page(evaluation, folder / "evaluation")
    return evaluation


def _hear_part(folder: Path, first: int, step: int) -> None:
    grid = ClipGrid.read(folder / "grid")
    _heard(replace(grid, clips=grid.clips[first::step]), folder)


def _heard(grid: ClipGrid, folder: Path, progress: ShareDone = lambda _: None) -> HeardGrid:
    return hear_grid(grid, folder / "grid", load_predictors(PREDICTORS), folder / "predictions", progress)


def _ceilings(scale: Scale, corpora: Corpora, folder: Path) -> list[_Ceiling]:
    test = [clip for clip in corpora.clips if clip.split is Split.TEST]
    coded = _through_the_codec(corpora, folder)
    onset_s = (scale.window_s - scale.clip_s) / 2
    places = f"{len(test)} clips of the composed corpus's test split; places: as composed"

    def cuts(of: Path) -> tuple[Cut, ...]:
        return tuple(
            Cut(of / clip.path, onset_s, scale.clip_s, clip.affect, Path(clip.path).stem) for clip in test
        )

    licences = {"music": LICENCE}
    found = [
        _Ceiling(COMPOSED, "held-out composed music", cuts(corpora.root), SHARED, licences, (places,)),
        _Ceiling(
            CODED,
            "the same through the codec",
            cuts(coded),
            SHARED,
            licences,
            (places, "encoded and decoded by the models' codec: what a perfect model could sound like"),
        ),
    ]
    if corpora.tracks:
        played = _played(scale, folder)
        found += [played] if played.cuts else []
    return found


def _played(scale: Scale, folder: Path) -> _Ceiling:
    kept = read_labelled(RunFolder(folder / RUNS / GAMES).data / "crops.jsonl")
    length = min(scale.clip_s, scale.crop_s)
    cuts = tuple(
        Cut(
            one.path,
            crop.onset_s + (crop.duration_s - min(length, crop.duration_s)) / 2,
            min(length, crop.duration_s),
            affect,
            crop.track_id,
        )
        for one in kept.of(Split.TEST)
        if (affect := one.labelled.affect) is not None and (crop := one.labelled.crop)
    )
    return _Ceiling(
        PLAYED,
        "held-out game music",
        cuts,
        {LABELLED_BY: (Part.LABELS,)},
        {f"music {number}": licence for number, licence in enumerate(kept.licences, start=1)},
        (f"{len(cuts)} windows of the test split; places: {kept.source}",),
    )


@torch.inference_mode()
def _through_the_codec(corpora: Corpora, folder: Path) -> Path:
    """The composed test clips, encoded and decoded; the folder in which they have their own paths."""
    coded = folder / "coded"
    waiting = [
        clip for clip in corpora.clips if clip.split is Split.TEST and not (coded / clip.path).is_file()
    ]
    if not waiting:
        return coded
    device = torch.device("cpu")
    checkpoint = load_checkpoint(str(folder / UNTRAINED))
    encoder = SoundEncoder.of_checkpoint(checkpoint, device)
    decoder = SoundDecoder(checkpoint.audio_encoder(), checkpoint.shape, device)
    for clip in waiting:
        (coded / clip.path).parent.mkdir(parents=True, exist_ok=True)
        sound = decoder.sound(encoder.encode(read_audio(corpora.root / clip.path)[0]))
        write_audio(coded / clip.path, sound * np.float32(CODED_GAIN), SAMPLE_RATE_HZ)
    return coded
