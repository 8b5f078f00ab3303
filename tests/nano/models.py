"""The codec, the untrained model, and the trainings on it; what was trained once is not trained again."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.mer.judge import load_judge
from analysis.mer.registry import ingredients
from generation.audio import SAMPLE_RATE_HZ
from generation.musicgen.codec.spectral_codec import SpectralCodecConfig
from generation.musicgen.writing.new_model import NewModelSizes, write_new_model
from generation.training.codec_fit.fit import CodecSettings, fit_spectral_codec
from generation.training.corpora.decoded_store import FILE_NAME as DECODED
from generation.training.recipe import Recipe
from generation.training.run import run_training
from generation.training.run_folder import RunFolder
from generation.training.tracks import Split
from study.folder import write_whole
from tests.nano.corpora import Corpora
from tests.nano.recipes import AFFECT, BASE, GAMES, WORDS, adapter_recipe, base_recipe
from tests.nano.scale import Scale
from tests.nano.stages import Stages

SEED = 11
UNTRAINED, TOKENS, RUNS = "untrained", "tokens", "runs"
CODEC_FACTS = "codec.json"


def make_untrained(scale: Scale, corpora: Corpora, folder: Path, stages: Stages) -> dict[str, Any]:
    """Fit the codec to the train tracks and write a model that has learned nothing.

    Returns:
        How well the codec fits.
    """
    facts, model = folder / CODEC_FACTS, folder / UNTRAINED
    with stages.shares("fitting the codec") as part:
        progress = part("")
        if not (facts.is_file() and model.is_dir()):
            settings = CodecSettings(
                SpectralCodecConfig(
                    upsampling_ratios=(scale.hop,),
                    spectra_per_frame=scale.spectra_per_frame,
                    codebook_size=scale.codebook_size,
                    num_quantizers=scale.n_codebooks,
                    n_components=scale.n_components,
                    n_iterations=scale.codec_iterations,
                ),
                n_frames=scale.codec_frames,
                seed=SEED,
            )
            fit = fit_spectral_codec(corpora.paths_of(Split.TRAIN), settings, progress)
            sizes = NewModelSizes(scale.hidden_size, scale.n_layers, scale.n_heads)
            if not model.is_dir():
                write_new_model(model, "isopath/nano", fit.codec, sizes, SEED)
            told = {name: value for name, value in vars(fit).items() if name != "codec"}
            written = {**told, "frame_rate_hz": SAMPLE_RATE_HZ / scale.hop, "sizes": asdict(sizes)}
            write_whole(facts, (json.dumps(written, indent=1) + "\n").encode())
        progress(1.0)
    read: dict[str, Any] = json.loads(facts.read_text())
    return read


def train_all(scale: Scale, corpora: Corpora, folder: Path, stages: Stages) -> dict[str, dict[str, Any]]:
    """The base, then every adapter of the corpora that are there; training's name to its summary."""
    runs = folder / RUNS
    found = {BASE: _train(base_recipe(scale, corpora.all, folder / UNTRAINED), scale, folder, stages)}
    base = runs / BASE / "model"
    tables = {WORDS: corpora.composed, AFFECT: corpora.composed}
    if corpora.tracks:
        tables[GAMES] = corpora.games
    for name, table in tables.items():
        found[name] = _train(adapter_recipe(scale, name, table, base), scale, folder, stages)
    return found


def _train(recipe: Recipe, scale: Scale, folder: Path, stages: Stages) -> dict[str, Any]:
    run = RunFolder(folder / RUNS / recipe.name)
    run.data.mkdir(parents=True, exist_ok=True)
    # All trainings read the same codec's tokens of the same files: they are made once, and so is what
    # decoding found out about the files.
    shared = folder / TOKENS
    shared.mkdir(exist_ok=True)
    if not run.tokens.is_symlink():
        run.tokens.symlink_to(shared.resolve(), target_is_directory=True)
    decoded = RunFolder(folder / RUNS / BASE).data / DECODED
    if decoded.is_file() and not (run.data / DECODED).is_file():
        shutil.copy(decoded, run.data / DECODED)
    with stages.shares(f"training {recipe.name}") as part:
        outcome = run_training(recipe, run.root, load_judge, ingredients, scale.device, None, part)
    return dict(outcome.summary)
