"""Small MusicGens of random weights, written once a run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny models are several times faster so, and shared cores are left to others."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mono model with 2 layers of width 64, as transformers leaves it on disk."""
    return _written(tmp_path_factory, stereo=False)


@pytest.fixture(scope="session")
def tiny_stereo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in stereo: 8 codebooks."""
    return _written(tmp_path_factory, stereo=True)


def _written(tmp_path_factory: pytest.TempPathFactory, stereo: bool) -> Path:
    from generation.musicgen.writing.random_model import write_random_model

    folder = tmp_path_factory.mktemp("models") / ("tiny-stereo" if stereo else "tiny")
    write_random_model("tiny", folder, stereo=stereo)
    return folder
