"""Tracks encoded window by window; of a track only its tokens stay in memory until it is whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import soundfile

from generation.clips.clip import Codes
from generation.engine import Progress
from generation.musicgen.sound_encoder import CONTEXT_S, WINDOW_S, CodecCard
from generation.training.tokens.reading import Source, readings
from generation.training.tokens.shards import Frames
from generation.training.tokens.windows import Sound, SoundWindow, WindowSizes
from generation.training.tracks import Fault, FaultKind, Track
from study.errors import ModelError


class Encoder(Protocol):
    """Sound to tokens; `generation.musicgen.sound_encoder.SoundEncoder` is one."""

    @property
    def card(self) -> CodecCard:
        """Which codec it is."""
        ...

    def encode(self, samples: Sound) -> Codes:
        """Tokens, shape [n_rows, n_frames], of samples, shape [n, 1|2]; the last frame may be begun only."""
        ...


class Encoding:
    """Tracks to tokens, one window at a time.

    Args:
        encode: samples to tokens.
        write: takes a track, the file it was read from and its tokens, shape [n_frames, n_rows].
    """

    def __init__(
        self,
        encoder: Encoder,
        n_rows: int,
        write: Callable[[Track, Source, Frames], None],
        progress: Progress,
    ) -> None:
        self._encoder, self._n_rows, self._write, self._progress = encoder, n_rows, write, progress

    def run(self, tracks: Sequence[Track], n_readers: int | None) -> tuple[Fault, ...]:
        """Encode all; returns a fault for each that cannot be read, in the order of the tracks."""
        sizes = self._sizes()
        total_s = sum(map(_length_s, tracks)) or 1.0
        n_done = 0
        parts: dict[int, list[Frames]] = defaultdict(list)
        unreadable: dict[int, Fault] = {}
        for reading in readings([track.path for track in tracks], sizes, n_readers):
            track = tracks[reading.number]
            match reading.found:
                case SoundWindow() as window:
                    parts[reading.number].append(self._tokens(window))
                    n_done += window.n_frames
                    self._progress(min(1.0, n_done / self._encoder.card.frame_rate_hz / total_s))
                case Source() as source:
                    self._write(track, source, np.concatenate(parts.pop(reading.number)))
                case problem:
                    parts.pop(reading.number, None)
                    kind = FaultKind.UNREADABLE
                    unreadable[reading.number] = Fault(track.track_id, str(track.path), kind, problem.problem)
        return tuple(unreadable[number] for number in sorted(unreadable))

    def _sizes(self) -> WindowSizes:
        card = self._encoder.card
        return WindowSizes(
            rate_hz=card.sample_rate_hz,
            n_channels=self._n_rows // card.n_codebooks,
            frame=card.sample_rate_hz // card.frame_rate_hz,
            window=round(WINDOW_S * card.frame_rate_hz),
            context=round(CONTEXT_S * card.frame_rate_hz),
        )

    def _tokens(self, window: SoundWindow) -> Frames:
        codes = self._encoder.encode(window.samples)[:, window.n_before :][:, : window.n_frames]
        size = self._encoder.card.codebook_size
        if codes.shape != (self._n_rows, window.n_frames) or codes.min() < 0 or codes.max() >= size:
            raise ModelError(
                self._encoder.card.name,
                f"{len(window.samples)} samples gave tokens of shape {codes.shape} from {codes.min()} to"
                f" {codes.max()}, not {(self._n_rows, window.n_frames)} below {size}",
                "give the codec that came with the model",
            )
        frames: Frames = codes.T
        return frames


def _length_s(track: Track) -> float:
    """For progress alone: as stated, else by the file's header, else nothing."""
    if track.duration_s is not None:
        return track.duration_s
    try:
        return float(soundfile.info(str(track.path)).duration)
    except soundfile.LibsndfileError:
        return 0.0
