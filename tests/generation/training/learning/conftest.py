"""Small MusicGens of random weights, read once a run."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny models are several times faster so."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mono model with 2 layers of width 64."""
    from generation.musicgen.writing.random_model import write_random_model

    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_random_model("tiny", folder)
    return folder
