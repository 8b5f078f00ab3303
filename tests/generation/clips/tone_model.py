"""A light model of clips: tokens are notes and levels drawn from the seed, and sound as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Clip, ClipRequest, Codes, ModelCard, Stereo
from generation.clips.engine import ClipEngine
from generation.clips.options import ClipOptions
from generation.engine import Placement, Progress

RATE = 50
NOTE = 25
HOP = SAMPLE_RATE_HZ // RATE


class ToneModel:
    """Half-second notes, louder with arousal; a continued clip goes on from the prefix's last note.

    Args:
        most: clips at once.
    """

    frame_rate_hz = RATE
    longest_s = 30.0

    def __init__(self, most: int = 64, near_ties: int = 0) -> None:
        self.most = most
        self.near_ties = near_ties
        self.asked: list[list[ClipRequest]] = []

    @property
    def card(self) -> ModelCard:
        return ModelCard({"tone": "1"}, {"tone": "Apache-2.0"}, {"device": "cpu"}, ("tones",))

    def most_clips(self, n_frames: int) -> int:
        return self.most

    def generate(self, requests: Sequence[ClipRequest], progress: Progress) -> list[Clip]:
        assert len(requests) <= self.most
        assert len({(r.n_frames, None if r.prefix is None else r.prefix.shape[1]) for r in requests}) == 1
        self.asked.append(list(requests))
        for step in range(4):
            progress((step + 1) / 4)
        return [Clip(request, codes_of(request), self.near_ties) for request in requests]

    def sound(self, codes: Sequence[Codes]) -> list[Stereo]:
        return [sound_of(clip) for clip in codes]


def codes_of(request: ClipRequest) -> Codes:
    """Two codebooks: notes of a scale, and a level of arousal that each attempt misses a little."""
    rng = np.random.default_rng(request.seed)
    given = 0 if request.prefix is None else request.prefix.shape[1]
    before = 0 if request.prefix is None else int(request.prefix[0, -1])
    count = request.n_frames - given
    notes = np.repeat(rng.integers(0, 48, count // NOTE + 1), NOTE)[:count]
    level = 500 + round(400 * request.affect.arousal) + int(rng.integers(-100, 101))
    new = np.stack([(before + notes) % 48, np.full(count, level)]).astype(np.int16)
    return new if request.prefix is None else np.concatenate([request.prefix, new], axis=1)


def sound_of(codes: Codes) -> Stereo:
    """A sine that follows the tokens, phase unbroken."""
    frequency = np.repeat(150.0 * 2.0 ** (codes[0] / 24.0), HOP)
    wave = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE_HZ) * np.repeat(codes[1], HOP) / 4000.0
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


class LevelJudge:
    """Hears arousal as level, the inverse of what `codes_of` does; hears no valence."""

    name = "level"

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        level = float(np.sqrt(2 * np.mean(samples.astype(float) ** 2))) * 4000.0
        return 0.0, (level - 500.0) / 400.0


def engine_of(
    model: ToneModel | None = None, placement: Placement | None = None, **options: Any
) -> ClipEngine:
    """An engine with this model, or a new one."""
    return ClipEngine(
        "tones",
        "1",
        ClipOptions("tones", **options),
        lambda _options, _placement: model if model is not None else ToneModel(),
        placement if placement is not None else Placement(),
    )


def engine_from_options(options: Mapping[str, Any]) -> ClipEngine:
    """As another package would plug it in."""
    return ClipEngine("tones", "1", ClipOptions.from_json(options), lambda *_: ToneModel())
