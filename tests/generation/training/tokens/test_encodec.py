"""Tokens of a real EnCodec (of random weights), from a track longer than any window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from generation.audio import read_audio
from generation.musicgen.sound_encoder import SoundEncoder
from generation.musicgen.weights.checkpoint import load_checkpoint
from generation.musicgen.writing.random_model import write_random_model
from generation.training.tokens.fill import fill_cache
from study.errors import ModelError
from tests.generation.training.tokens.test_cache import corpus_of

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("stereo", [False, True])
def test_a_long_track_has_the_tokens_that_the_encoder_gives_of_the_whole(
    tmp_path: Path, stereo: bool
) -> None:
    write_random_model("tiny", tmp_path / "model", seed=3, stereo=stereo)
    encoder = SoundEncoder.of_checkpoint(load_checkpoint(str(tmp_path / "model")), torch.device("cpu"))
    corpus = corpus_of(tmp_path / "music", {"a": 40.01, "b": 2.0})

    cache, faults = fill_cache(corpus, tmp_path / "cache", encoder)

    assert faults == ()
    assert cache.n_frames("a") == 2001
    assert cache.n_codebooks == (8 if stereo else 4)
    for track in corpus.tracks:
        assert np.array_equal(cache.codes(track.track_id), encoder.encode(read_audio(track.path)[0]))
    assert len(np.unique(cache.codes("a"))) > 50


def test_another_model_with_other_weights_is_another_codec(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"b": 1.0})
    encoders = []
    for seed in (3, 4):
        write_random_model("tiny", tmp_path / str(seed), seed=seed)
        checkpoint = load_checkpoint(str(tmp_path / str(seed)))
        encoders.append(SoundEncoder.of_checkpoint(checkpoint, torch.device("cpu")))
    fill_cache(corpus, tmp_path / "cache", encoders[0])

    with pytest.raises(ModelError, match="give each codec a cache of its own"):
        fill_cache(corpus, tmp_path / "cache", encoders[1])
