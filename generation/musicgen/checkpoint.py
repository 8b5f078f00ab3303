"""A MusicGen's weights, read whole and checked tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, EncodecModel, PreTrainedTokenizerBase, T5EncoderModel

from generation.musicgen.layout import (
    AUDIO_PREFIX,
    TEXT_PREFIX,
    audio_config,
    expected_shapes,
    of_lm,
    of_part,
    quiet_transformers,
    text_config,
)
from generation.musicgen.shape import DecoderShape
from generation.musicgen.tensor_check import check_tensors, with_todays_names
from generation.musicgen.weight_files import read_json, read_safetensors, sha256_of
from study.errors import ModelError


@dataclass(frozen=True)
class Checkpoint:
    """A whole MusicGen on the CPU: decoder, text encoder, audio codec.

    Args:
        name: the catalogue's, the configuration's or the folder's.
        folder: where it was read from.
        revision: the hub's commit; None for a folder of unknown origin.
        config: transformers' ``MusicgenConfig`` as JSON.
        tensors: of the decoder and of ``enc_to_dec_proj``, under transformers' names, as stored.
        text_tensors: of the T5 encoder, under `T5EncoderModel`'s names.
        audio_tensors: of the codec, under `EncodecModel`'s names.
        sha256: weight file, relative to the folder, to its SHA-256.
        licence: of the weights, as their README states it; "not stated" where nothing does.
        tokenizer_folder: holds the tokenizer's files.
    """

    name: str
    folder: Path
    revision: str | None
    config: Mapping[str, Any]
    shape: DecoderShape
    tensors: Mapping[str, Tensor]
    text_tensors: Mapping[str, Tensor]
    audio_tensors: Mapping[str, Tensor]
    sha256: Mapping[str, str]
    licence: str
    tokenizer_folder: Path

    def text_encoder(self) -> T5EncoderModel:
        """A new T5 encoder with these weights, float32, in evaluation mode."""
        with quiet_transformers(), torch.random.fork_rng(devices=[]):
            encoder = T5EncoderModel(text_config(self.config, str(self.folder)))
        shared = self.text_tensors["shared.weight"]
        encoder.load_state_dict({**self.text_tensors, "encoder.embed_tokens.weight": shared})
        encoder.train(False)
        return encoder

    def audio_encoder(self) -> EncodecModel:
        """A new EnCodec with these weights, float32, in evaluation mode."""
        with quiet_transformers(), torch.random.fork_rng(devices=[]):
            codec = EncodecModel(audio_config(self.config, str(self.folder)))
        codec.load_state_dict(dict(self.audio_tensors))
        codec.train(False)
        return codec

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The text encoder's tokenizer; looks at no network.

        Raises:
            ModelError: its files are missing or damaged.
        """
        try:
            with quiet_transformers():
                loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
                    self.tokenizer_folder, local_files_only=True
                )
        except (ImportError, KeyError, OSError, TypeError, ValueError) as problem:
            raise ModelError(
                str(self.tokenizer_folder),
                f"its tokenizer cannot be read ({problem})",
                "put the model's tokenizer.json and tokenizer_config.json there",
            ) from problem
        return loaded


def load_checkpoint(model: str, revision: str | None = None, models_dir: Path | None = None) -> Checkpoint:
    """Read a MusicGen, whole or not at all.

    Args:
        model: a name of the catalogue, or a folder in transformers' or audiocraft's layout.
        revision: of a catalogue model; None: the pinned one.
        models_dir: where weights are kept; None: the default.

    Raises:
        UnknownName: neither a folder nor a name of the catalogue.
        ModelError: a file is missing or damaged; tensors are missing, extra, misshapen or not finite.
    """
    if revision is not None or models_dir is not None:
        raise ModelError(model, "only folders can be loaded", "give a folder, without a revision")
    return read_transformers(Path(model))


def read_transformers(folder: Path) -> Checkpoint:
    """Read a folder as transformers leaves it (``config.json`` and safetensors).

    Raises:
        ModelError: as `load_checkpoint`.
    """
    config = read_json(folder / "config.json")
    where = str(folder / "config.json")
    shape = DecoderShape.from_config(config, where)
    expected = expected_shapes(config, where)
    tensors, files = read_safetensors(folder)
    where = str(files[0] if len(files) == 1 else folder)
    tensors = with_todays_names(tensors, where)
    check_tensors(tensors, expected, where)
    return Checkpoint(
        name=_name_of(config, folder),
        folder=folder,
        revision=None,
        config=config,
        shape=shape,
        tensors=of_lm(tensors),
        text_tensors=of_part(tensors, TEXT_PREFIX),
        audio_tensors=of_part(tensors, AUDIO_PREFIX),
        sha256={file.name: sha256_of(file) for file in files},
        licence=stated_licence(folder) or "not stated",
        tokenizer_folder=folder,
    )


def stated_licence(folder: Path) -> str | None:
    """The ``license:`` of a README's front matter; None where there is none."""
    readme = folder / "README.md"
    if not readme.is_file():
        return None
    lines = readme.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or lines[0].strip() != "---":
        return None
    for line in lines[1:]:
        if line.strip() == "---":
            return None
        key, _, value = line.partition(":")
        if key.strip() == "license" and value.strip():
            return value.strip().strip("'\"")
    return None


def _name_of(config: Mapping[str, Any], folder: Path) -> str:
    stated = str(config.get("_name_or_path") or "")
    is_path = stated.startswith((".", "/", "~")) or "\\" in stated
    return folder.resolve().name if is_path or not stated else stated
