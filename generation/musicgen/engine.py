"""The three engines that make music with MusicGen, as a protocol names them.

``musicgen`` is ours, ``musicgen-hf`` is transformers' own loop, ``audiocraft``
is a lab's installation of Meta's. All take the same options and give the same
kind of session. Nothing heavy is imported here: a protocol can be checked
where torch is not installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from generation.clips.clip import ClipModel
from generation.clips.engine import ClipEngine
from generation.clips.options import ClipOptions
from generation.engine import Placement
from generation.musicgen.references.words_only import refuse_what_only_ours_can
from generation.musicgen.store.catalogue import load_catalogue
from study.errors import ModelError, UnknownName
from study.protocol_file.text import did_you_mean, shown

VERSION = "1"
"""Changes whenever the same plan, weights and seeds would give other samples."""


def musicgen_from_options(options: Mapping[str, Any]) -> ClipEngine:
    """Our decoder: whole sessions in one batch, adapters, words, affect tokens and steering.

    Raises:
        UnknownName, OutOfRange: as `ClipOptions.from_json`.
    """
    return ClipEngine("musicgen", VERSION, _read(options), _load_own)


def musicgen_hf_from_options(options: Mapping[str, Any]) -> ClipEngine:
    """Transformers' `generate`, one clip at a time.

    Raises:
        UnknownName, OutOfRange: as `ClipOptions.from_json`; a conditioning other than words.
    """
    return ClipEngine("musicgen-hf", VERSION, _words_only("musicgen-hf", options), _load_transformers)


def audiocraft_from_options(options: Mapping[str, Any]) -> ClipEngine:
    """Meta's audiocraft, as the lab has it installed.

    Raises:
        UnknownName, OutOfRange: as `ClipOptions.from_json`; a conditioning other than words.
    """
    return ClipEngine("audiocraft", VERSION, _words_only("audiocraft", options), _load_audiocraft)


def _read(given: Mapping[str, Any]) -> ClipOptions:
    """The options, their model looked up as far as a machine without it can."""
    options = ClipOptions.from_json(given)
    known = [model.name for model in load_catalogue().values() if model.kind == "musicgen"]
    is_known, folder = options.model in known, Path(options.model)
    # A whole path may lie on the machine that renders.
    if not is_known and not folder.is_absolute() and not folder.is_dir():
        raise UnknownName(
            "engine.options.model",
            f"{shown(options.model)} is neither a known model nor a folder here",
            f"{did_you_mean(options.model, known)}write a folder's whole path, or one of {', '.join(known)}",
        )
    if options.revision is not None and not is_known:
        raise UnknownName(
            "engine.options.revision",
            f"{shown(options.revision)} cannot be: a folder has no revisions",
            "leave it out, or name a model of the list: " + ", ".join(known),
        )
    return options


def _words_only(engine: str, given: Mapping[str, Any]) -> ClipOptions:
    options = _read(given)
    refuse_what_only_ours_can(engine, options)
    return options


def _load_own(options: ClipOptions, placement: Placement) -> ClipModel:
    _require_extra("musicgen")
    from generation.musicgen.clip_model import load_musicgen

    return load_musicgen(options, placement)


def _load_transformers(options: ClipOptions, placement: Placement) -> ClipModel:
    _require_extra("musicgen-hf")
    from generation.musicgen.references.reference_hf import load_transformers_model

    return load_transformers_model(options, placement)


def _load_audiocraft(options: ClipOptions, placement: Placement) -> ClipModel:
    _require_extra("audiocraft")
    from generation.musicgen.references.reference_audiocraft import load_audiocraft_model

    return load_audiocraft_model(options, placement)


def _require_extra(engine: str) -> None:
    missing = [name for name in ("torch", "transformers", "peft", "safetensors") if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"engine {engine}",
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed",
            "pip install 'isopath[musicgen]'",
        )
