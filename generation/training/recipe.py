"""Everything that decides what a training makes: one typed recipe, read from one JSON file.

Defaults are the published ones: the LoRA recipe for MusicGen in use (rank 16, all linear layers and
embeddings, AdamW 2e-4; facts in docs/training.md), condition dropout after Ho & Salimans (2022,
Classifier-free diffusion guidance, arXiv:2207.12598).
"""

from __future__ import annotations

from dataclasses import dataclass, field

TARGET_MODULES = (
    "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "enc_to_dec_proj", "lm_heads", "embed_tokens",
)  # fmt: skip
"""The decoder's linear layers, heads and embeddings, under transformers' names; a part of a name's end."""


@dataclass(frozen=True)
class DataRecipe:
    """Which music.

    Args:
        kind: ``jamendo`` (MTG-Jamendo as its downloader leaves it) or ``table`` (a CSV beside sound files).
        path: the data set's table: ``autotagging_moodtheme.tsv``, or a CSV ``path,valence,arousal[,prompt]``.
        audio: folder of the sound; None: the table's own.
        splits: folder of MTG-Jamendo's split files, or None: for jamendo beside the table, for a CSV by its
            column ``split``, else by hash of the track, `validation_share` of them.
        validation_share: of tracks, where the data set has no splits.
        crop_s, hop_s, shortest_s: see `generation.training.crops.windows`.
    """

    kind: str
    path: str
    audio: str | None = None
    splits: str | None = None
    validation_share: float = 0.1
    crop_s: float = 30.0
    hop_s: float = 30.0
    shortest_s: float = 10.0


@dataclass(frozen=True)
class LabelRecipe:
    """Where valence and arousal come from.

    Args:
        source: ``table`` (the data set's own columns), ``tags`` (mean place of a track's tags),
            ``predictor`` (a music emotion predictor hears every window), or ``none``.
        tag_table: ``default`` or a JSON/CSV file, for ``tags``.
        predictor: for ``predictor``.
        perspective: of the table's columns: ``perceived`` or ``intended``.
        intended_by: the engine that made the music for its places, where it is one of ours: ``composer``. A
            predictor that reads the very cues which that engine writes may then not report.
    """

    source: str
    tag_table: str = "default"
    predictor: str | None = None
    perspective: str = "perceived"
    intended_by: str | None = None


@dataclass(frozen=True)
class ConditioningRecipe:
    """What the model is told.

    Args:
        words: ``prompt`` (the data set's column), ``tags`` (its tags, joined by commas), ``table`` (a prompt
            table's words for the window's affect), or ``none``.
        prompts: the prompt table, for ``table``.
        affect: whether a V/A module is trained along.
        n_tokens, width: of that module.
        drop_words, drop_affect: each alone, so often; `drop_both`: both together, besides.
    """

    words: str = "tags"
    prompts: str = "plain"
    affect: bool = True
    n_tokens: int = 4
    width: int = 256
    drop_words: float = 0.1
    drop_affect: float = 0.1
    drop_both: float = 0.1


@dataclass(frozen=True)
class LoraRecipe:
    """The adapter, under peft's names. None of it is used where `Recipe.method` is ``full``."""

    r: int = 16
    lora_alpha: int = 16
    lora_dropout: float = 0.05
    target_modules: tuple[str, ...] = TARGET_MODULES
    use_rslora: bool = False


@dataclass(frozen=True)
class OptimiserRecipe:
    """AdamW with a cosine schedule.

    Args:
        learning_rate: the highest, reached after `warmup_steps`.
        affect_learning_rate: of the V/A module; None: `learning_rate`.
        final_share: of `learning_rate`, at the last step.
        betas, weight_decay, max_grad_norm: of AdamW and of the clipping of gradients.
        batch_clips: windows a step and process; `accumulation`: such batches an update.
        max_steps: updates in all.
        ema_decay: of a moving average of the trained weights, which is then what is saved; None: none.
        dtype: ``bfloat16`` or ``float32`` (float16 gradients overflow).
        gradient_checkpointing: less memory for a quarter more time.
    """

    learning_rate: float = 2e-4
    affect_learning_rate: float | None = None
    final_share: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.1
    max_grad_norm: float = 1.0
    batch_clips: int = 2
    accumulation: int = 8
    max_steps: int = 2000
    warmup_steps: int = 100
    ema_decay: float | None = None
    dtype: str = "bfloat16"
    gradient_checkpointing: bool = True


@dataclass(frozen=True)
class SamplingRecipe:
    """How often a window is drawn.

    Args:
        inverse_density: 0: every window alike; 1: every place of the plane that has music alike.
        bandwidth: of the density over the plane, in units of affect.
        largest_weight: no window is drawn so many times as often as the mean.
    """

    inverse_density: float = 0.5
    bandwidth: float = 0.15
    largest_weight: float = 20.0


@dataclass(frozen=True)
class SelectionRecipe:
    """Which checkpoint is kept as the best.

    Args:
        every_steps: the validation loss is measured, and a checkpoint written, so often.
        validation_clips: at most so many windows of the validation split.
        predictor: hears sampled clips; the best checkpoint is then the one whose clips are nearest to their
            targets. It may not report. None: the lowest validation loss.
        targets, seeds, clip_s: of the sampled clips: a `targets` × `targets` grid.
        guidance_scale: of the sampled clips.
    """

    every_steps: int = 200
    validation_clips: int = 64
    predictor: str | None = None
    targets: int = 3
    seeds: int = 1
    clip_s: float = 10.0
    guidance_scale: float = 3.0


@dataclass(frozen=True)
class Recipe:
    """A training.

    Args:
        name: of the adapter (or model) and its folder.
        model: a name of the catalogue, or a folder.
        method: ``lora``, or ``full`` (every weight of the decoder; makes a whole model).
        reported_by: the predictor that will report on it: neither labels nor selection may use it.
        licence: of what is made; a non-commercial base makes it non-commercial.
    """

    name: str
    model: str
    data: DataRecipe
    labels: LabelRecipe
    method: str = "lora"
    revision: str | None = None
    reported_by: str = "musicnn"
    licence: str = "not stated"
    seed: int = 0
    conditioning: ConditioningRecipe = field(default_factory=ConditioningRecipe)
    lora: LoraRecipe = field(default_factory=LoraRecipe)
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)
    sampling: SamplingRecipe = field(default_factory=SamplingRecipe)
    selection: SelectionRecipe = field(default_factory=SelectionRecipe)
