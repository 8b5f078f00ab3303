"""Affect as a music model can be told it: in words, and in smooth numbers.

Words come from a prompt table, which is data: `generation/prompts` holds the
installed ones, and a study may write its own (`generation/prompts/file.py`
says what stands in it). They work with any model that reads text.

Numbers are the Fourier features of Tancik et al. (2020, Fourier features let
networks learn high frequency functions in low dimensional domains, NeurIPS 33).
Trained conditioners read them (`generation/musicgen/trained/affect_tokens.py`);
`fourier_features` here is their definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.prompts.file import parse_prompts
from generation.prompts.table import PromptTable
from study.errors import StorageError, UnknownName
from study.protocol_file.text import did_you_mean

__all__ = [
    "FREQUENCIES",
    "PromptTable",
    "fourier_features",
    "installed_prompts",
    "load_prompts",
    "n_fourier_features",
]

FREQUENCIES = (0.5, 1.0, 2.0, 4.0)
"""In half cycles per unit of affect: the longest wave is twice as long as the plane is wide."""


def fourier_features(
    affects: NDArray[np.floating], frequencies: Sequence[float] = FREQUENCIES
) -> NDArray[np.float64]:
    """Valence and arousal, and sine and cosine of π k times each.

    Moving by d in the plane moves the features by at most
    d √(1 + Σ (π k)²): about 14.5 d with `FREQUENCIES`.

    Args:
        affects: shape [n, 2]: valence, arousal, each in [-1, 1].
        frequencies: the k, in half cycles per unit.

    Returns:
        Shape [n, 2 + 4 × len(frequencies)]: v, a, then for each k
        sin πkv, sin πka, cos πkv, cos πka.
    """
    plane = np.asarray(affects, dtype=np.float64)
    columns = [plane]
    for frequency in frequencies:
        columns += [np.sin(np.pi * frequency * plane), np.cos(np.pi * frequency * plane)]
    return np.concatenate(columns, axis=1)


def n_fourier_features(frequencies: Sequence[float] = FREQUENCIES) -> int:
    """How many features `fourier_features` gives."""
    return 2 + 4 * len(frequencies)


def installed_prompts() -> tuple[str, ...]:
    """Names of the tables that come with isopath, in alphabetical order."""
    folder = files("generation.prompts")
    return tuple(sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".json")))


def load_prompts(name_or_path: str) -> PromptTable:
    """An installed table by its name, or a file by its path.

    Raises:
        UnknownName: neither an installed table nor a file.
        StorageError: the file cannot be read.
        ProtocolErrors: all problems of the file.
    """
    if name_or_path in installed_prompts():
        return parse_prompts(
            (files("generation.prompts") / f"{name_or_path}.json").read_bytes(), name_or_path
        )
    path = Path(name_or_path)
    if not path.is_file():
        raise UnknownName(
            "engine.options.prompts",
            f"{name_or_path!r} is neither an installed prompt table nor a file",
            did_you_mean(name_or_path, installed_prompts())
            + f"write one of {', '.join(installed_prompts())}, or the path of a JSON file",
        )
    try:
        return parse_prompts(path.read_bytes(), name_or_path)
    except OSError as problem:
        raise StorageError(
            name_or_path, f"cannot be read ({problem.strerror})", "check its permissions"
        ) from problem
