"""A corpus as codec tokens on disk: encoded once, memory-mapped, read in windows.

card.json          the codec whose tokens these are, and how many stand in a frame
index.jsonl        one line a track (`generation.training.tokens.index`)
tokens-00000.i16   the tokens (`generation.training.tokens.shards`)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.clips.clip import Codes
from generation.engine import Progress
from generation.training.crops import Crop
from generation.training.tokens.index import TokenEntry, TokenIndex, read_index
from generation.training.tokens.shards import Frames, frames_sha256, open_shards
from generation.training.tracks import Fault, FaultKind
from study.errors import ModelError, OutOfRange, StorageError, UnknownName
from study.folder import write_whole

if TYPE_CHECKING:
    from generation.musicgen.sound_encoder import CodecCard

CARD_FILE = "card.json"
CACHE_VERSION = 1


class TokenCache:
    """Tokens of every track that was encoded, as they were when the cache was opened.

    A track whose tokens are not where the index says is not in `track_ids`, but in `faults`.

    Args:
        folder: of the cache.
        card: of the codec.
        n_rows: tokens a frame: the codebooks of all channels.
        index: as read.
    """

    def __init__(self, folder: Path, card: CodecCard, n_rows: int, index: TokenIndex) -> None:
        self.folder, self.card, self.n_codebooks = folder, card, n_rows
        self._shards = open_shards(folder, index.entries.values(), n_rows)
        lost = {name for name, entry in index.entries.items() if not self._is_there(entry)}
        self._entries = {name: entry for name, entry in index.entries.items() if name not in lost}
        self.faults: tuple[Fault, ...] = (
            *index.faults,
            *(self._damaged(index.entries[name], "its tokens are not in the shard") for name in sorted(lost)),
        )

    @classmethod
    def open(cls, folder: Path, codec: CodecCard) -> TokenCache:
        """Open a cache to read from it.

        Raises:
            ModelError: its tokens are another codec's; names both.
            StorageError: no cache there, or its card or index is damaged.
        """
        n_rows = read_card(folder, codec)
        if n_rows is None:
            raise StorageError(str(folder), "holds no token cache", "encode the corpus first")
        return cls(folder, codec, n_rows, read_index(folder))

    @property
    def track_ids(self) -> tuple[str, ...]:
        """Every track that can be read, in the order in which they were encoded."""
        return tuple(self._entries)

    def entry(self, track_id: str) -> TokenEntry:
        """Where a track's tokens are.

        Raises:
            UnknownName: no tokens of this track.
        """
        try:
            return self._entries[track_id]
        except KeyError:
            raise UnknownName(
                str(self.folder),
                f"holds no tokens of {track_id!r}",
                "encode the corpus again; what cannot be encoded is named there",
            ) from None

    def n_frames(self, track_id: str) -> int:
        """Length of a track in codec frames.

        Raises:
            UnknownName: no tokens of this track.
        """
        return self.entry(track_id).n_frames

    def codes(self, track_id: str) -> Codes:
        """A track's tokens, shape [n_codebooks, n_frames]; a view of the file, not a copy.

        Raises:
            UnknownName: no tokens of this track.
        """
        return self._frames(self.entry(track_id)).T

    def crop(self, crop: Crop) -> Codes:
        """A window's tokens, shape [n_codebooks, frames nearest to its duration]; a copy.

        Raises:
            UnknownName: no tokens of this track.
            OutOfRange: the window does not lie in the track.
        """
        rate_hz, n_frames = self.card.frame_rate_hz, self.n_frames(crop.track_id)
        length = round(crop.duration_s * rate_hz)
        # Rounding of onset and length may reach one frame beyond the end.
        first = min(round(crop.onset_s * rate_hz), n_frames - length)
        if length < 1 or first < 0 or first < round(crop.onset_s * rate_hz) - 1:
            raise OutOfRange(
                crop.track_id,
                f"the window of {crop.duration_s:g} s from {crop.onset_s:g} s does not lie in the track's"
                f" {n_frames / rate_hz:g} s",
                "take the windows of the tracks as decoded",
            )
        return self.codes(crop.track_id)[:, first : first + length].copy()

    def check(self, progress: Progress = lambda _: None) -> tuple[Fault, ...]:
        """Hold every track's tokens against the SHA-256 they had when they were written.

        Returns:
            `faults`, and one for every track whose tokens have changed.
        """
        changed = []
        total = max(sum(entry.n_frames for entry in self._entries.values()), 1)
        done = 0
        for entry in self._entries.values():
            if frames_sha256(self._frames(entry)) != entry.sha256:
                changed.append(
                    self._damaged(entry, "its tokens do not have the SHA-256 they were written with")
                )
            done += entry.n_frames
            progress(done / total)
        return (*self.faults, *changed)

    def _is_there(self, entry: TokenEntry) -> bool:
        shard = self._shards.get(entry.shard)
        return shard is not None and entry.first_frame + entry.n_frames <= len(shard)

    def _frames(self, entry: TokenEntry) -> Frames:
        return self._shards[entry.shard][entry.first_frame : entry.first_frame + entry.n_frames]

    def _damaged(self, entry: TokenEntry, problem: str) -> Fault:
        return Fault(
            entry.track_id, entry.path, FaultKind.DAMAGED_TOKENS, f"{self.folder / entry.shard}: {problem}"
        )


def read_card(folder: Path, codec: CodecCard) -> int | None:
    """Tokens a frame of the cache in a folder; None where there is no cache yet.

    Raises:
        ModelError: its tokens are another codec's; names both.
        StorageError: the card is damaged or of another version.
    """
    path = folder / CARD_FILE
    try:
        read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version, there, n_rows = read["cache_version"], read["codec"], int(read["n_rows"])
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise StorageError(
            str(path), f"is no card of a token cache ({problem})", "name another folder, or delete this one"
        ) from problem
    if version != CACHE_VERSION:
        raise StorageError(
            str(path),
            f"is of version {version}, not {CACHE_VERSION}",
            "delete the cache's folder; the next run encodes its tracks again",
        )
    _check_codec(folder, there, codec)
    return n_rows


def write_card(folder: Path, codec: CodecCard, n_rows: int) -> None:
    """Begin a cache.

    Raises:
        StorageError: the folder cannot be written.
    """
    card = {"cache_version": CACHE_VERSION, "codec": asdict(codec), "n_rows": n_rows}
    write_whole(folder / CARD_FILE, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())


def _check_codec(folder: Path, there: Mapping[str, Any], codec: CodecCard) -> None:
    # A codec is its weights and sizes; its name only tells a person which one it is.
    differing = [
        field.name
        for field in fields(codec)
        if field.name != "name" and there.get(field.name) != getattr(codec, field.name)
    ]
    if differing:
        told = ", ".join(f"{name} {there.get(name)} and {getattr(codec, name)}" for name in differing)
        raise ModelError(
            str(folder),
            f"holds tokens of the codec {there.get('name')}, not of {codec.name} ({told})",
            "give each codec a cache of its own",
        )
