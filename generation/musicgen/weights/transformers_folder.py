"""MusicGen folders as transformers leaves them: ``config.json`` and safetensors."""

from __future__ import annotations

from pathlib import Path

from generation.musicgen.shape import DecoderShape
from generation.musicgen.weights.layout import expected_shapes
from generation.musicgen.weights.parts import Parts
from generation.musicgen.weights.tensor_check import check_tensors, with_todays_names
from generation.musicgen.weights.weight_files import read_json, read_safetensors


def read_transformers(folder: Path) -> Parts:
    """Read and check a folder.

    Raises:
        ModelError: a file is missing or damaged; tensors are missing, extra, misshapen or not finite.
    """
    config = read_json(folder / "config.json")
    where = str(folder / "config.json")
    DecoderShape.from_config(config, where)
    expected = expected_shapes(config, where)
    found, files = read_safetensors(folder)
    where = str(files[0] if len(files) == 1 else folder)
    tensors = with_todays_names(found, where)
    check_tensors(tensors, expected, where)
    return Parts(config, tensors, {file.name: file for file in files}, folder)
