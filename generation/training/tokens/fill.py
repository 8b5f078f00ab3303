"""A corpus encoded into its token cache: whatever is there already stays, whatever is not is encoded.

A run may be killed at any moment; the next goes on with the first track that is not on disk.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

import numpy as np

from generation.engine import Progress
from generation.training.tokens.cache import TokenCache, read_card, write_card
from generation.training.tokens.encoding import Encoder, Encoding
from generation.training.tokens.filling import only_filler
from generation.training.tokens.index import (
    TokenEntry,
    TokenIndex,
    append_entry,
    append_removal,
    end_torn_line,
    read_index,
)
from generation.training.tokens.reading import Source
from generation.training.tokens.shards import SHARD_BYTES, Frames, ShardWriter, frames_sha256
from generation.training.tracks import Corpus, Fault, FaultKind, Track
from study.errors import ModelError
from study.folder import file_sha256


def fill_cache(
    corpus: Corpus,
    folder: Path,
    encoder: Encoder,
    progress: Progress = lambda _: None,
    shard_bytes: int = SHARD_BYTES,
    n_readers: int | None = None,
) -> tuple[TokenCache, tuple[Fault, ...]]:
    """Encode every track of a corpus that the cache does not hold as it is now.

    A track is encoded anew where its file has changed or its tokens are damaged. One that is no longer in the
    corpus stays in the cache.

    Args:
        folder: of the cache; made where it is not there.
        progress: by seconds of music.
        shard_bytes: largest size of a shard.
        n_readers: processes that read sound; 0: this one; None: as many as there are cores to spare.

    Returns:
        the cache; what could not be encoded, and what was damaged and is whole again.

    Raises:
        ModelError: the cache is of another codec, or the encoder's tokens are none of its own.
        StorageError: the folder cannot be written, or another process fills it.
    """
    with only_filler(folder):
        n_rows = _rows_of(folder, encoder)
        index = read_index(folder)
        end_torn_line(folder, index)
        checked = TokenCache(folder, encoder.card, n_rows, index).check()
        damaged = {fault.track_id for fault in checked if fault.kind is FaultKind.DAMAGED_TOKENS}
        waiting, missing = _waiting(folder, corpus, index, damaged)
        writer = ShardWriter(folder, index.entries.values(), n_rows, shard_bytes)

        def write(track: Track, source: Source, frames: Frames) -> None:
            shard, first = writer.append(frames)
            append_entry(
                folder,
                TokenEntry(
                    track_id=track.track_id,
                    path=str(track.path),
                    size=source.size,
                    mtime_ns=source.mtime_ns,
                    source_sha256=source.sha256,
                    shard=shard,
                    first_frame=first,
                    n_frames=len(frames),
                    sha256=frames_sha256(frames),
                ),
            )

        unreadable = Encoding(encoder, n_rows, write, progress).run(waiting, n_readers)
        anew = {track.track_id for track in waiting} - {fault.track_id for fault in unreadable}
        for fault in (*checked, *unreadable):
            if fault.track_id in index.entries and fault.track_id not in anew:
                append_removal(folder, fault.track_id, fault.problem)
        mended = (replace(fault, is_kept=fault.is_kept or fault.track_id in anew) for fault in checked)
        return TokenCache.open(folder, encoder.card), (*mended, *missing, *unreadable)


def _waiting(
    folder: Path, corpus: Corpus, index: TokenIndex, damaged: AbstractSet[str]
) -> tuple[list[Track], list[Fault]]:
    """The tracks to encode, and a fault for each whose file is not there."""
    waiting, missing = [], []
    for track in corpus.tracks:
        entry = None if track.track_id in damaged else index.entries.get(track.track_id)
        try:
            is_same = _is_same(folder, track, entry)
        except OSError as problem:
            told = f"its file cannot be opened ({(problem.strerror or str(problem)).lower()})"
            if entry is not None:
                told += "; the tokens of an earlier run are used"
            kept = entry is not None
            missing.append(Fault(track.track_id, str(track.path), FaultKind.MISSING, told, is_kept=kept))
            continue
        if not is_same:
            waiting.append(track)
    return waiting, missing


def _is_same(folder: Path, track: Track, entry: TokenEntry | None) -> bool:
    """Whether the tokens are of the file as it is now.

    Raises:
        OSError: there is no such file.
    """
    now = track.path.stat()
    if entry is None or entry.size != now.st_size:
        return False
    if entry.mtime_ns == now.st_mtime_ns and Path(entry.path).name == track.path.name:
        return True
    if entry.source_sha256 != file_sha256(track.path):
        return False
    # The same bytes with another date or name, as in a copy of the data set.
    append_entry(folder, replace(entry, path=str(track.path), mtime_ns=now.st_mtime_ns))
    return True


def _rows_of(folder: Path, encoder: Encoder) -> int:
    """Tokens a frame, of the cache and of the encoder alike; begins the cache where there is none."""
    card = encoder.card
    frame = card.sample_rate_hz // card.frame_rate_hz
    if frame * card.frame_rate_hz != card.sample_rate_hz:
        raise ModelError(
            card.name,
            f"{card.frame_rate_hz} frames a second of {card.sample_rate_hz} samples are not whole",
            "use a codec whose frames are whole",
        )
    n_rows = read_card(folder, card)
    found = len(encoder.encode(np.zeros((frame, 1), dtype=np.float32)))
    if n_rows is None:
        write_card(folder, card, found)
    elif n_rows != found:
        raise ModelError(
            str(folder),
            f"holds {n_rows} tokens a frame, {card.name} makes {found}",
            "give a mono and a stereo model each a cache of its own",
        )
    return found
