"""Clips of a grid are heard once, checked against the manifest, and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from analysis.generator.embedding import EmbeddingMusicnn, with_embedding
from analysis.generator.heard import FaultKind, HeardGrid, hear_grid
from analysis.mer.musicnn.network import MusicnnNetwork
from analysis.mer.predictor import AffectSeries, PredictorCard
from generation.clip_grid import ClipGrid, GridClip
from study.affect import Affect
from study.errors import OutOfRange
from study.folder import file_sha256
from tests.analysis.generator.made_grids import system
from tests.analysis.mer.plugged_predictors import Level, Whole

RATE = 16_000


def tone(level: float, seconds: float = 3.0) -> NDArray[np.float64]:
    return np.asarray(level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE))


def written(folder: Path, levels: dict[str, float]) -> ClipGrid:
    """A grid of one system and a tone of that level for each clip; level 0 is silence."""
    clips = []
    for number, (name, level) in enumerate(levels.items()):
        path = folder / f"{name}.wav"
        soundfile.write(path, tone(level), RATE, subtype="FLOAT")
        loudness = -20.0 if level else None
        clips.append(
            GridClip("tones", name, Affect(0.0, level), number, path.name, file_sha256(path), 3.0, loudness)
        )
    return ClipGrid("Tones", (system("tones"),), tuple(clips))


class Counting:
    """Hears as `Level` does, and counts the sounds."""

    def __init__(self, card: PredictorCard = Level.card) -> None:
        self.card = card
        self.n_heard = 0

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        self.n_heard += 1
        return replace(Level().predict(samples, sample_rate_hz), card=self.card)


def test_every_predictor_hears_every_clip(tmp_path: Path) -> None:
    grid = written(tmp_path, {"soft": 0.25, "loud": 0.75})

    heard = hear_grid(grid, tmp_path, [Level(), Whole()], tmp_path / "kept")

    assert [one.by["level"].arousal_pred for one in heard.clips] == pytest.approx([0.25, 0.75], abs=1e-3)
    assert [one.by["whole"].arousal_pred for one in heard.clips] == [-0.5, -0.5]
    assert heard.clips[1].arousal_disagreement == pytest.approx(1.25, abs=1e-3)
    assert heard.clips[1].valence_disagreement == 0.5
    assert heard.clips[0].by["level"].foreign_share == pytest.approx(1 / 3)
    assert heard.faults == ()


def test_a_missing_a_changed_and_a_silent_clip_are_named_faults(tmp_path: Path) -> None:
    grid = written(tmp_path, {"gone": 0.2, "other": 0.3, "silent": 0.0, "short": 0.4, "good": 0.5})
    (tmp_path / "gone.wav").unlink()
    soundfile.write(tmp_path / "other.wav", tone(0.9), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "short.wav", np.zeros(RATE), RATE)
    short = replace(grid.clips[3], sha256=file_sha256(tmp_path / "short.wav"))
    grid = replace(grid, clips=(*grid.clips[:3], short, grid.clips[4]))

    heard = hear_grid(grid, tmp_path, [Level()], tmp_path / "kept")

    assert [(fault.target_id, fault.kind) for fault in heard.faults] == [
        ("gone", FaultKind.MISSING),
        ("other", FaultKind.CHANGED),
        ("silent", FaultKind.SILENT),
        ("short", FaultKind.UNHEARD),
    ]
    assert "silent all through" in heard.faults[3].problem
    assert [one.clip.target_id for one in heard.clips] == ["good"]


def test_what_was_heard_is_kept_and_an_interrupted_hearing_goes_on(tmp_path: Path) -> None:
    grid, first, second = written(tmp_path, {"a": 0.2, "b": 0.4, "c": 0.6}), Counting(), Counting()

    def stop_after_two(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hear_grid(grid, tmp_path, [first], tmp_path / "kept", stop_after_two)
    shares: list[float] = []
    heard = hear_grid(grid, tmp_path, [second], tmp_path / "kept", shares.append)

    assert (first.n_heard, second.n_heard) == (2, 1)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])
    assert [one.by["level"].arousal_pred for one in heard.clips] == pytest.approx([0.2, 0.4, 0.6], abs=1e-3)


def test_other_weights_hear_again_and_other_sentences_do_not(tmp_path: Path) -> None:
    grid = written(tmp_path, {"a": 0.2})
    hear_grid(grid, tmp_path, [Counting()], tmp_path / "kept")
    reworded = Counting(replace(Level.card, limits=("Otherwise said.",)))
    retrained = Counting(replace(Level.card, weights_sha256={"none": "1" * 64}))

    for one in (reworded, retrained):
        hear_grid(grid, tmp_path, [one], tmp_path / "kept")

    assert (reworded.n_heard, retrained.n_heard) == (0, 1)


def test_a_damaged_kept_prediction_is_heard_again(tmp_path: Path) -> None:
    grid, again = written(tmp_path, {"a": 0.2}), Counting()
    hear_grid(grid, tmp_path, [Counting()], tmp_path / "kept")
    for path in (tmp_path / "kept").iterdir():
        path.write_bytes(path.read_bytes()[:40])

    heard = hear_grid(grid, tmp_path, [again], tmp_path / "kept")

    assert again.n_heard == 1
    assert heard.clips[0].by["level"].arousal_pred == pytest.approx(0.2, abs=1e-3)


def test_two_predictors_of_one_name_are_refused(tmp_path: Path) -> None:
    grid = written(tmp_path, {"a": 0.2})

    with pytest.raises(OutOfRange, match="level, level: not one or more, each once"):
        hear_grid(grid, tmp_path, [Level(), Level()], tmp_path / "kept")


@pytest.fixture(scope="module")
def by_musicnn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HeardGrid, HeardGrid]:
    """Noise and then silence, by musicnn: heard, and read again from what was kept."""
    folder = tmp_path_factory.mktemp("musicnn")
    sound = np.random.default_rng(3).uniform(-0.3, 0.3, 9 * RATE)
    sound[4 * RATE :] = 0
    soundfile.write(folder / "a.wav", sound, RATE, subtype="FLOAT")
    clip = GridClip("noise", "t", Affect(0, 0), 0, "a.wav", file_sha256(folder / "a.wav"), 9.0, -20.0)
    grid = ClipGrid("Noise", (system("noise"),), (clip,))
    both = [hear_grid(grid, folder, [EmbeddingMusicnn(threads=1)], folder / "kept") for _ in range(2)]
    return folder, both[0], both[1]


def test_musicnn_is_heard_as_ever_and_its_embedding_is_the_networks(
    by_musicnn: tuple[Path, HeardGrid, HeardGrid],
) -> None:
    folder, heard, _ = by_musicnn
    samples, _ = soundfile.read(folder / "a.wav", dtype="float32", always_2d=True)
    listener = MusicnnNetwork(threads=1).listen(RATE)
    listener.hear(samples)
    network = listener.finish()

    embedding = heard.clips[0].embedding

    assert embedding is not None
    assert len(network.onset_s) == 5
    # Windows begin every 1.488 s: those from 4.464 s on are silent and left out.
    assert embedding.shape == (3, 200)
    assert np.allclose(embedding, network.embedding[:3], atol=1e-4)


def test_kept_embeddings_are_read_as_they_were_heard(
    by_musicnn: tuple[Path, HeardGrid, HeardGrid],
) -> None:
    _, heard, again = by_musicnn
    first, second = heard.clips[0], again.clips[0]

    assert first.embedding is not None
    assert second.embedding is not None
    assert np.array_equal(first.embedding, second.embedding)
    assert first.by == second.by


def test_an_embedding_that_was_cut_off_is_heard_again(
    by_musicnn: tuple[Path, HeardGrid, HeardGrid],
) -> None:
    folder, heard, _ = by_musicnn
    (cut,) = (folder / "kept").glob("*.f32")
    cut.write_bytes(cut.read_bytes()[: 2 * 200 * 4])

    again = hear_grid(heard.grid, folder, [EmbeddingMusicnn(threads=1)], folder / "kept")

    assert again.clips[0].embedding is not None
    assert heard.clips[0].embedding is not None
    assert again.clips[0].embedding.shape == (3, 200)
    assert np.allclose(again.clips[0].embedding, heard.clips[0].embedding, atol=1e-6)


def test_predictors_without_musicnn_have_no_embedding() -> None:
    listening, embedding = with_embedding([Level(), Whole()])

    assert embedding is None
    assert [one.card.name for one in listening] == ["level", "whole"]
