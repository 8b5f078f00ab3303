"""How large everything is: for a minute's proof, for two cores in half an hour, for a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Every number that decides how long the program runs and how good its models get.

    Args:
        name: of the scale and of its folder under build/nano.
        device: of training and of decoding.
        n_composed: clips of the composed corpus.
        window_s: length of a composed clip, and of the windows of both corpora.
        packages: of game music, by their names in tests/listening/packages.json.
        tracks_per_package: at most.
        track_s: heard of each track, from its beginning.
        n_codebooks, codebook_size, hop, spectra_per_frame, n_components, codec_frames, codec_iterations: of
            the codec; hop in samples at 32 kHz.
        hidden_size, n_layers, n_heads: of the decoder.
        base_steps, base_clips, base_learning_rate: of the training without labels.
        steps, clips, learning_rate: of every adapter.
        lora_r, lora_alpha: of the adapters; no dropout, since nothing is seen often enough to be learned by
            heart.
        drop_both: share of examples that are told nothing, for guidance.
        warmup_steps, dtype: of every training.
        checks: how often in a training the validation loss is measured.
        crop_s, hop_s: windows of music, one an example; no shorter ones.
        targets: a `targets` × `targets` grid; `seeds`: clips for each.
        clip_s: of the evaluation's clips.
        guidance_scale, top_k, temperature: of decoding.
        candidates: of best of N.
        n_bootstrap: draws for every interval.
    """

    name: str
    device: str
    n_composed: int
    window_s: float
    packages: tuple[str, ...]
    tracks_per_package: int
    track_s: float
    n_codebooks: int
    codebook_size: int
    hop: int
    spectra_per_frame: int
    n_components: int
    codec_frames: int
    codec_iterations: int
    hidden_size: int
    n_layers: int
    n_heads: int
    base_steps: int
    base_clips: int
    base_learning_rate: float
    steps: int
    clips: int
    learning_rate: float
    lora_r: int
    lora_alpha: int
    drop_both: float
    warmup_steps: int
    dtype: str
    checks: int
    crop_s: float
    hop_s: float
    targets: int
    seeds: int
    clip_s: float
    guidance_scale: float
    top_k: int
    temperature: float
    candidates: int
    n_bootstrap: int


PACKAGES = ("wesnoth-1.16-music", "singularity-music", "trackballs-data", "enigma-data", "asc-music")
"""276 MB: of the packages of tests/listening those with the most minutes for their size, of five games."""

_NANO = Scale(
    name="nano",
    device="cpu",
    n_composed=900,
    window_s=24.0,
    packages=PACKAGES,
    tracks_per_package=100,
    track_s=180.0,
    n_codebooks=4,
    codebook_size=256,
    # 25 frames a second, each of two spectra: a second of music is half as many positions to learn.
    hop=1280,
    spectra_per_frame=2,
    n_components=64,
    codec_frames=60_000,
    codec_iterations=16,
    hidden_size=256,
    n_layers=4,
    n_heads=4,
    base_steps=1000,
    base_clips=8,
    base_learning_rate=2e-3,
    steps=800,
    clips=8,
    learning_rate=2e-3,
    lora_r=16,
    lora_alpha=32,
    drop_both=0.15,
    warmup_steps=50,
    dtype="bfloat16",
    checks=4,
    crop_s=12.0,
    hop_s=6.0,
    targets=4,
    seeds=3,
    # The engine makes 0.9 s more, and no position past 12 s was learned.
    clip_s=11.0,
    guidance_scale=3.0,
    top_k=50,
    # A model as small as this one spreads its guesses: at 1, its music is livelier than the corpus.
    temperature=0.9,
    candidates=4,
    n_bootstrap=2000,
)

SCALES: Mapping[str, Scale] = {
    "smoke": Scale(
        **{
            **vars(_NANO),
            "name": "smoke",
            "n_composed": 40,
            "window_s": 8.0,
            "packages": ("asc-music", "enigma-data"),
            "tracks_per_package": 5,
            "track_s": 40.0,
            "codebook_size": 64,
            "n_components": 16,
            "codec_frames": 4000,
            "hidden_size": 64,
            "n_layers": 2,
            "base_steps": 30,
            "base_clips": 4,
            "steps": 20,
            "clips": 4,
            "lora_r": 4,
            "warmup_steps": 2,
            "checks": 2,
            "crop_s": 6.0,
            "hop_s": 3.0,
            "targets": 2,
            "seeds": 1,
            "clip_s": 5.0,
            "candidates": 2,
            "n_bootstrap": 200,
        }
    ),
    "nano": _NANO,
    "gpu": Scale(
        **{
            **vars(_NANO),
            "name": "gpu",
            "device": "cuda",
            "n_composed": 4000,
            "hop": 640,
            "spectra_per_frame": 1,
            "codebook_size": 1024,
            "n_components": 128,
            "codec_frames": 400_000,
            "hidden_size": 768,
            "n_layers": 12,
            "n_heads": 12,
            "base_steps": 20_000,
            "base_clips": 32,
            "base_learning_rate": 4e-4,
            "steps": 4000,
            "clips": 32,
            "learning_rate": 4e-4,
            "lora_r": 32,
            "crop_s": 24.0,
            "hop_s": 12.0,
            "clip_s": 20.0,
            "warmup_steps": 500,
            "top_k": 250,
            "temperature": 1.0,
            "seeds": 6,
        }
    ),
}
"""``smoke`` proves that the chain holds, in minutes, and says nothing of music. ``nano`` is for two cores.
``gpu`` has not been run: no figure in docs/generator.md is of it."""
