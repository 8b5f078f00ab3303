"""Every clip of a grid as every predictor hears it, from one decoding, kept on disk.

A clip is heard only where its bytes are those of the manifest. One that is missing, changed, silent or cannot
be heard is a named fault: it leaves the scores of its system, and the scores say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.generator.embedding import EmbeddingMusicnn, with_embedding
from analysis.mer.comparison import HeardMean, disagreement, whole_of
from analysis.mer.files import hear_file
from analysis.mer.predictor import AffectPredictor, PredictorCard
from generation.clip_grid import ClipGrid, GridClip
from study.canonical import canonical_json, canonical_sha256, plain
from study.errors import AudioError, OutOfRange, StorageError
from study.folder import file_sha256, write_whole

ShareDone = Callable[[float], None]
"""Told the share of the clips that are heard, 0 to 1, never decreasing."""


class FaultKind(StrEnum):
    """Why a clip could not be scored."""

    MISSING = "missing"
    CHANGED = "changed"
    SILENT = "silent"
    UNHEARD = "cannot be heard"


@dataclass(frozen=True)
class ClipFault:
    """A clip of the manifest that is in no score.

    Args:
        system, target_id, seed, stim_file: which.
        kind: why, in a word; `problem`: in a sentence.
    """

    system: str
    target_id: str
    seed: int
    stim_file: str
    kind: FaultKind
    problem: str


@dataclass(frozen=True)
class HeardClip:
    """A clip and what each predictor says of the whole of it.

    Args:
        clip: of the grid.
        by: predictor's name to its means.
        embedding: float32, shape [n_windows, 200], musicnn's; None where musicnn did not hear.
    """

    clip: GridClip
    by: Mapping[str, HeardMean]
    embedding: NDArray[np.float32] | None = None

    @property
    def valence_disagreement(self) -> float | None:
        """Largest minus smallest of the predictors' valences; None for fewer than two predictors."""
        return disagreement([mean.valence_pred for mean in self.by.values()])

    @property
    def arousal_disagreement(self) -> float | None:
        """Largest minus smallest of the predictors' arousals; None for fewer than two predictors."""
        return disagreement([mean.arousal_pred for mean in self.by.values()])


@dataclass(frozen=True)
class HeardGrid:
    """All clips of a grid that could be heard, and those that could not.

    Args:
        grid: as its manifest says.
        predictors: cards of who heard, in the order asked.
        clips: in the grid's order.
        faults: clips that are in no score.
    """

    grid: ClipGrid
    predictors: tuple[PredictorCard, ...]
    clips: tuple[HeardClip, ...]
    faults: tuple[ClipFault, ...] = ()

    def of(self, system: str) -> tuple[HeardClip, ...]:
        """The heard clips of one system."""
        return tuple(heard for heard in self.clips if heard.clip.system == system)


def hear_grid(
    grid: ClipGrid,
    folder: Path,
    predictors: Sequence[AffectPredictor],
    kept_in: Path,
    progress: ShareDone = lambda _: None,
) -> HeardGrid:
    """Hear every clip, each decoded once for all the predictors that have not heard it yet.

    What is kept counts only for the same bytes, predictor, version and weights; an interrupted hearing
    goes on where it was.

    Args:
        grid: what was made.
        folder: of its manifest; the clips' paths are relative to it.
        predictors: each with a name of its own.
        kept_in: folder of kept predictions; made where it is not there.
        progress: told the share that is done.

    Raises:
        OutOfRange: no predictor, or two of one name.
        StorageError: `kept_in` cannot be written.
    """
    names = [one.card.name for one in predictors]
    if not names or len(set(names)) < len(names):
        raise OutOfRange(
            "predictors", f"{', '.join(names) or 'none'}: not one or more, each once", "name each once"
        )
    listening, embedding = with_embedding(predictors)
    kept = _Kept(kept_in)
    heard: list[HeardClip] = []
    faults: list[ClipFault] = []
    for done, clip in enumerate(grid.clips, start=1):
        found = _hear(clip, folder / clip.stim_file, listening, embedding, kept)
        if isinstance(found, HeardClip):
            heard.append(found)
        else:
            faults.append(found)
        progress(done / len(grid.clips))
    return HeardGrid(grid, tuple(one.card for one in listening), tuple(heard), tuple(faults))


def _hear(
    clip: GridClip,
    path: Path,
    predictors: Sequence[AffectPredictor],
    embedding: EmbeddingMusicnn | None,
    kept: _Kept,
) -> HeardClip | ClipFault:
    def fault(kind: FaultKind, problem: str) -> ClipFault:
        return ClipFault(clip.system, clip.target_id, clip.seed, clip.stim_file, kind, problem)

    try:
        if file_sha256(path) != clip.sha256:
            return fault(FaultKind.CHANGED, "its bytes are not those of the manifest")
    except OSError as problem:
        return fault(FaultKind.MISSING, f"cannot be read ({problem.strerror})")
    if clip.loudness_lufs is None:
        return fault(FaultKind.SILENT, "it is silent all through, by the manifest")
    known = {one.card.name: kept.read(clip, one.card) for one in predictors}
    vectors = None
    if embedding is not None and (mean := known[embedding.card.name]) is not None:
        vectors = kept.read_embedding(clip, embedding.card, mean.n_windows)
    missing = [
        one for one in predictors if known[one.card.name] is None or (one is embedding and vectors is None)
    ]
    if missing:
        try:
            file = hear_file(missing, path)
        except AudioError as refusal:
            return fault(FaultKind.UNHEARD, refusal.problem)
        means = whole_of(file.series, file.duration_s).by
        for one in missing:
            known[one.card.name] = means[one.card.name]
            kept.write(clip, one.card, means[one.card.name])
        if embedding is not None and embedding in missing:
            vectors = embedding.embedding_of(file.series[embedding.card.name])
            kept.write_embedding(clip, embedding.card, vectors)
    return HeardClip(clip, {name: mean for name, mean in known.items() if mean is not None}, vectors)


class _Kept:
    """Predictions on disk, a file for each sound and predictor."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StorageError(
                str(folder), f"cannot be made ({problem.strerror})", "name a folder that can be written"
            ) from problem

    def read(self, clip: GridClip, card: PredictorCard) -> HeardMean | None:
        # Whatever is wrong with a kept prediction, the sound is there to be heard again.
        try:
            found = json.loads(self._path(clip, card, "json").read_bytes())
            mean = HeardMean(**found["mean"])
            same = (found["sha256"], found["predictor"]) == (clip.sha256, _weights(card))
            return mean if same and np.isfinite([mean.valence_pred, mean.arousal_pred]).all() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, clip: GridClip, card: PredictorCard, mean: HeardMean) -> None:
        content = {"sha256": clip.sha256, "predictor": _weights(card), "mean": plain(mean)}
        write_whole(self._path(clip, card, "json"), canonical_json(content))

    def read_embedding(
        self, clip: GridClip, card: PredictorCard, n_windows: int
    ) -> NDArray[np.float32] | None:
        try:
            vectors = np.frombuffer(self._path(clip, card, "f32").read_bytes(), dtype="<f4").reshape(-1, 200)
        except (OSError, ValueError):
            return None
        return vectors if len(vectors) == n_windows and np.isfinite(vectors).all() else None

    def write_embedding(self, clip: GridClip, card: PredictorCard, vectors: NDArray[np.float32]) -> None:
        write_whole(self._path(clip, card, "f32"), vectors.astype("<f4").tobytes())

    def _path(self, clip: GridClip, card: PredictorCard, kind: str) -> Path:
        return self._folder / f"{clip.sha256}_{card.name}_{_weights(card)[:12]}.{kind}"


def _weights(card: PredictorCard) -> str:
    """Digest of who hears: name, version and weights, not the sentences of the card."""
    return canonical_sha256({"name": card.name, "version": card.version, "weights": card.weights_sha256})
