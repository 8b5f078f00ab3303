"""How far clips of a half-trained model are from the places they were made for, as a judge hears them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import torch

from generation.audio import SAMPLE_RATE_HZ
from generation.conditioning import load_prompts
from generation.engine import AffectJudge
from generation.musicgen.decoding.decode import ClipInput, DecodeLoop, Draw
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.memory import most_clips
from generation.musicgen.sound import SoundDecoder
from generation.musicgen.text import TextEncoder
from generation.musicgen.weights.checkpoint import Checkpoint
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.recipe import Recipe
from study.affect import Affect

MOST_CLIPS = 16
"""Clips at once: the model in training and its gradients need their memory too."""


def targets(count: int) -> tuple[Affect, ...]:
    """The centres of the plane cut into `count` × `count` equal squares."""
    centres = [(2 * place + 1) / count - 1 for place in range(count)]
    return tuple(Affect(valence, arousal) for valence, arousal in itertools.product(centres, repeat=2))


class SampledError:
    """Mean distance between target and heard place; call it with the model as it is now.

    Clips are decoded as the engine decodes them, with seeds that are a function of the recipe's. Chance is
    therefore the same at every checkpoint, and so is what is compared.

    Args:
        checkpoint: the base, for its codec.
        recipe: `selection` says how many clips; `conditioning`, what the model is told.
        judge: of `selection.predictor`.
        text: of the base.
        device: where clips are decoded.

    Raises:
        AudioError: the judge cannot hear a clip as short as `selection.clip_s`.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        recipe: Recipe,
        judge: AffectJudge,
        text: TextEncoder,
        device: torch.device,
    ) -> None:
        self._recipe, self._judge, self._text, self._device = recipe, judge, text, device
        self._shape = checkpoint.shape
        self._n_frames = round(recipe.selection.clip_s * checkpoint.shape.frame_rate_hz)
        words = recipe.conditioning
        self._prompts = load_prompts(words.prompts) if words.words == "table" else None
        self._sound = SoundDecoder(checkpoint.audio_encoder(), checkpoint.shape, device)
        # Now, rather than at the first checkpoint, hours later.
        n_samples = round(recipe.selection.clip_s * SAMPLE_RATE_HZ)
        noise = np.random.default_rng(0).normal(0.0, 0.1, (n_samples, 2)).astype(np.float32)
        judge.judge(noise, SAMPLE_RATE_HZ)

    def __call__(self, model: ConditionedDecoder) -> float:
        """The mean distance, in units of affect: 0, every clip where it should be; at most √8."""
        # In float32 a clip does not depend on the others of its batch.
        decoder = Decoder(self._shape, self._device)
        decoder.load(model.decoder_tensors())
        loop = DecodeLoop(decoder)
        draw = Draw(self._recipe.selection.guidance_scale)
        asked = list(self._asked(model))
        most = most_clips(self._shape, self._n_frames, 2, decoder.dtype, self._device, weights_bytes=0)
        distances = []
        for batch in _batches(asked, min(most, MOST_CLIPS)):
            decoded = loop.decode([clip for _, clip in batch], self._n_frames, draw, lambda _: None)
            for (target, _), codes in zip(batch, decoded.codes, strict=True):
                valence, arousal = self._judge.judge(self._sound.sound(codes), SAMPLE_RATE_HZ)
                distances.append(math.hypot(valence - target.valence, arousal - target.arousal))
        return float(np.mean(distances))

    def _asked(self, model: ConditionedDecoder) -> Iterator[tuple[Affect, ClipInput]]:
        """Every target with what the model is told of it, once a seed."""
        chosen = self._recipe.selection
        places = itertools.product(targets(chosen.targets), range(chosen.seeds))
        for number, (target, _) in enumerate(places):
            state = np.random.SeedSequence([self._recipe.seed, number]).generate_state(1, np.uint64)
            text = self._text.states("" if self._prompts is None else self._prompts.prompt(target))
            tokens = None if model.affect_tokens is None else model.affect_tokens.tokens(target)
            yield target, ClipInput(int(state[0] >> np.uint64(1)), text, tokens)


def _batches(asked: list[tuple[Affect, ClipInput]], most: int) -> Iterator[list[tuple[Affect, ClipInput]]]:
    for first in range(0, len(asked), most):
        yield asked[first : first + most]
